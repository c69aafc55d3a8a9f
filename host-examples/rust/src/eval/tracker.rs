//! Objects of a clip in a session of the library, its time taken.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::prompt::next_click;
use crate::{
    Result,
    dataset::Region,
    library::{Image, ImageMut, Model, Session},
    picture::Picture,
};

/// Objects being followed.
pub struct Tracker {
    session: Session,
    width: u32,
    height: u32,
    /// In the library so far.
    pub spent: Duration,
    /// Frames pushed so far.
    pub frames: usize,
}

impl Tracker {
    /// Opens a session for frames of one size.
    pub fn open(model: &Arc<Model>, (width, height): (u32, u32)) -> Result<Self> {
        let session = Session::open(model, width, height)?;
        Ok(Self { session, width, height, spent: Duration::ZERO, frames: 0 })
    }

    /// Shows an object's mask.
    pub fn show_mask(&mut self, object: u32, frame: usize, region: &Region) -> Result<()> {
        let pixels = region.to_mask();
        self.session.mask(object, frame as u64, &Image::gray(self.width, self.height, &pixels)?)
    }

    /// Shows an object's box.
    pub fn show_box(&mut self, object: u32, frame: usize, edges: [f32; 4]) -> Result<()> {
        self.session.r#box(object, frame as u64, edges)
    }

    /// Clicks where a person would, given the mask that was found so far; false if nothing is wrong with it.
    pub fn click(&mut self, object: u32, frame: usize, truth: &Region, found: &Region) -> Result<bool> {
        let Some(click) = next_click(truth, found) else { return Ok(false) };
        self.session.click(object, frame as u64, click.at, click.positive)?;
        Ok(true)
    }

    /// Makes up to `clicks` corrections on the frame pushed last, each in view of the last one's answer, and gives
    /// the mask that is found then.
    pub fn correct(&mut self, object: u32, frame: usize, truth: &Region, clicks: usize) -> Result<Region> {
        let mut found = self.mask(object)?;
        for _ in 0..clicks {
            if !self.click(object, frame, truth, &found)? {
                break;
            }
            self.refine()?;
            found = self.mask(object)?;
        }
        Ok(found)
    }

    /// Takes a frame.
    pub fn push(&mut self, frame: usize, picture: &Picture) -> Result<()> {
        let start = Instant::now();
        self.session.push(frame as u64, &Image::from(picture))?;
        self.spent += start.elapsed();
        self.frames += 1;
        Ok(())
    }

    /// Answers prompts that were added on the frame pushed last.
    pub fn refine(&mut self) -> Result<()> {
        let start = Instant::now();
        self.session.refine()?;
        self.spent += start.elapsed();
        Ok(())
    }

    /// Drops what was tracked; prompts and their answers stay.
    pub fn forget(&mut self) -> Result<()> {
        self.session.forget()
    }

    /// An object's mask on the frame pushed last.
    pub fn mask(&mut self, object: u32) -> Result<Region> {
        let mut mask = vec![0; self.width as usize * self.height as usize];
        let start = Instant::now();
        self.session.binary(object, &mut ImageMut::gray(self.width, self.height, &mut mask)?)?;
        self.spent += start.elapsed();
        Ok(Region::from_mask(self.width, &mask))
    }

    /// The masks of several objects. If `apart`, a pixel that several claim goes to the one that is surest of it.
    pub fn masks(&mut self, objects: &[u32], apart: bool) -> Result<Vec<Region>> {
        let mut masks = objects.iter().map(|&object| self.mask(object)).collect::<Result<Vec<_>>>()?;
        if !apart || masks.len() < 2 {
            return Ok(masks);
        }
        let mut claims = vec![0u16; masks[0].pixels().len()];
        for mask in &masks {
            claims.iter_mut().zip(mask.pixels()).for_each(|(claims, &inside)| *claims += u16::from(inside));
        }
        if claims.iter().all(|&claims| claims < 2) {
            return Ok(masks);
        }
        let mut surest = vec![0.0f32; claims.len()];
        let mut owners = vec![usize::MAX; claims.len()];
        for (place, (&object, mask)) in objects.iter().zip(&masks).enumerate() {
            let coverage = self.coverage(object)?;
            for (at, (&inside, &sure)) in mask.pixels().iter().zip(&coverage).enumerate() {
                if inside && claims[at] > 1 && sure > surest[at] {
                    (surest[at], owners[at]) = (sure, place);
                }
            }
        }
        for (place, mask) in masks.iter_mut().enumerate() {
            let mine = |at: usize| claims[at] < 2 || owners[at] == place;
            let kept = mask.pixels().iter().enumerate().map(|(at, &inside)| inside && mine(at)).collect();
            *mask = Region::new(self.width, kept);
        }
        Ok(masks)
    }

    fn coverage(&mut self, object: u32) -> Result<Vec<f32>> {
        let mut coverage = vec![0.0; self.width as usize * self.height as usize];
        let start = Instant::now();
        self.session.coverage(object, &mut ImageMut::floats(self.width, self.height, &mut coverage)?)?;
        self.spent += start.elapsed();
        Ok(coverage)
    }
}
