//! The three ways to make masklets.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
};

use super::{
    AnnotateArgs, Phase,
    grid::{self, overlap},
    masklet::Masklet,
    prompts::{self, Given, MOST_OBJECTS, Prompt},
    write::Writer,
};
use crate::{
    Error, Result,
    dataset::{FrameReader, Region, Sequence},
    library::{Image, ImageMut, Model, Session},
    picture::Picture,
};

/// Masks of neighbouring frames that overlap more than this are one thing.
const SAME_THING: f64 = 0.5;

/// So many prompted frames are visited before the clip is, so that all of it recalls them.
const VISITED_FIRST: usize = 8;

/// A clip to annotate.
pub struct Job<'a> {
    pub args: &'a AnnotateArgs,
    pub clip: &'a Sequence,
    pub model: &'a Arc<Model>,
    pub stop: &'a Arc<AtomicBool>,
    pub size: (u32, u32),
}

impl Job<'_> {
    /// Makes the clip's masklets. `first` is its first frame; every frame is handed to the writer once, in order.
    pub fn masklets(
        &self,
        given: Vec<Given>,
        first: &Picture,
        writer: &mut Writer<'_>,
    ) -> Result<Vec<Masklet>> {
        let automatic = given.is_empty();
        match self.args.phase {
            Phase::Image if automatic => self.link(writer),
            Phase::Image => self.one_by_one(&given, writer),
            Phase::Mask | Phase::Full if automatic => {
                let found = grid::find(self.model, first, self.search())?;
                let given = |(place, found): (usize, grid::Found)| {
                    let prompt = match self.args.phase {
                        Phase::Full => Prompt::Click(found.at, true),
                        _ => Prompt::Mask(found.region),
                    };
                    Given { name: (place + 1).to_string(), prompts: BTreeMap::from([(0, vec![prompt])]) }
                };
                let given: Vec<Given> = found.into_iter().enumerate().map(given).collect();
                self.follow(&given, automatic, writer)
            }
            Phase::Mask => {
                let masks = self.masks_of(&given)?;
                self.follow(&masks, automatic, writer)
            }
            Phase::Full => self.follow(&given, automatic, writer),
        }
    }

    /// Follows all objects through the clip.
    fn follow(&self, given: &[Given], automatic: bool, writer: &mut Writer<'_>) -> Result<Vec<Masklet>> {
        let mut session = self.session()?;
        let mut reader = FrameReader::new(self.clip, Some(self.size));
        let mut picture = Picture::default();
        let prompted = prompts::frames(given);
        let visited = (2..=VISITED_FIRST).contains(&prompted.len());
        if visited {
            for &frame in &prompted {
                self.read_prompted(&mut reader, frame, &mut picture)?;
                self.show(&mut session, given, frame)?;
                session.push(frame as u64, &Image::from(&picture))?;
            }
            session.forget()?;
        }
        let mut masklets: Vec<Masklet> =
            given.iter().map(|given| Masklet::new(given.name.clone(), automatic)).collect();
        let first = |given: &Given| given.prompts.keys().next().copied().unwrap_or(0);
        let mut frame = 0;
        while reader.read(frame, &mut picture)? {
            writer.frame(frame, &picture)?;
            if !visited && prompted.contains(&frame) {
                self.show(&mut session, given, frame)?;
            }
            if given.iter().any(|given| first(given) <= frame) {
                session.push(frame as u64, &Image::from(&picture))?;
                if self.is_annotated(frame) {
                    for (id, _) in given.iter().enumerate().filter(|(_, given)| first(given) <= frame) {
                        let (region, predicted_iou) = self.answer(&session, id as u32)?;
                        masklets[id].add(frame, &region, predicted_iou);
                    }
                }
            }
            frame += 1;
        }
        if let Some(&late) = prompted.last().filter(|&&late| late >= frame) {
            return Err(self.past_the_end(late, frame));
        }
        Ok(closed(masklets))
    }

    /// Each frame by its own prompts; frames without any are not annotated.
    fn one_by_one(&self, given: &[Given], writer: &mut Writer<'_>) -> Result<Vec<Masklet>> {
        let mut reader = FrameReader::new(self.clip, Some(self.size));
        let mut picture = Picture::default();
        let mut masklets: Vec<Masklet> =
            given.iter().map(|given| Masklet::new(given.name.clone(), false)).collect();
        let mut frame = 0;
        while reader.read(frame, &mut picture)? {
            writer.frame(frame, &picture)?;
            if given.iter().any(|given| given.prompts.contains_key(&frame)) {
                let mut session = self.session()?;
                self.show(&mut session, given, frame)?;
                session.push(frame as u64, &Image::from(&picture))?;
                for (id, _) in
                    given.iter().enumerate().filter(|(_, given)| given.prompts.contains_key(&frame))
                {
                    let (region, predicted_iou) = self.answer(&session, id as u32)?;
                    masklets[id].add(frame, &region, predicted_iou);
                }
            }
            frame += 1;
        }
        if let Some(&late) = prompts::frames(given).last().filter(|&&late| late >= frame) {
            return Err(self.past_the_end(late, frame));
        }
        Ok(closed(masklets))
    }

    /// A grid on each annotated frame; what overlaps with a masklet of the frame before goes on with it.
    fn link(&self, writer: &mut Writer<'_>) -> Result<Vec<Masklet>> {
        let mut reader = FrameReader::new(self.clip, Some(self.size));
        let mut picture = Picture::default();
        let (mut masklets, mut open): (Vec<Masklet>, Vec<Masklet>) = (Vec::new(), Vec::new());
        let mut frame = 0;
        while reader.read(frame, &mut picture)? {
            writer.frame(frame, &picture)?;
            if self.is_annotated(frame) {
                let found = grid::find(self.model, &picture, self.search())?;
                let mut gone = std::mem::take(&mut open);
                for found in found {
                    let best = gone
                        .iter()
                        .enumerate()
                        .map(|(place, masklet)| {
                            let last = masklet.last();
                            (place, last.map_or(0.0, |last| overlap(last, &found.region)))
                        })
                        .max_by(|a, b| a.1.total_cmp(&b.1))
                        .filter(|(_, overlap)| *overlap > SAME_THING);
                    let mut masklet = match best {
                        Some((place, _)) => gone.remove(place),
                        None => Masklet::new(String::new(), true),
                    };
                    masklet.add(frame, &found.region, found.predicted_iou);
                    open.push(masklet);
                }
                masklets.extend(closed(gone));
            }
            frame += 1;
        }
        masklets.extend(closed(open));
        // The longest are worth most, and there is no number for more.
        masklets.sort_by_key(|masklet| std::cmp::Reverse(masklet.marks.len()));
        masklets.truncate(MOST_OBJECTS);
        for (place, masklet) in masklets.iter_mut().enumerate() {
            masklet.name = (place + 1).to_string();
        }
        Ok(masklets)
    }

    /// What is said of each object, answered frame by frame and turned into masks.
    fn masks_of(&self, given: &[Given]) -> Result<Vec<Given>> {
        let mut reader = FrameReader::new(self.clip, Some(self.size));
        let mut picture = Picture::default();
        let mut masks = given.to_vec();
        for frame in prompts::frames(given) {
            self.read_prompted(&mut reader, frame, &mut picture)?;
            let mut session = self.session()?;
            self.show(&mut session, given, frame)?;
            session.push(frame as u64, &Image::from(&picture))?;
            for (id, given) in masks.iter_mut().enumerate() {
                if let Some(prompts) = given.prompts.get_mut(&frame) {
                    *prompts = vec![Prompt::Mask(self.answer(&session, id as u32)?.0)];
                }
            }
        }
        Ok(masks)
    }

    fn search(&self) -> grid::Search {
        let AnnotateArgs { grid, most, sure, steady, .. } = *self.args;
        grid::Search { side: grid, most: most as usize, sure, steady }
    }

    fn session(&self) -> Result<Session> {
        let mut session = Session::open(self.model, self.size.0, self.size.1)?;
        session.stop_at(self.stop.clone())?;
        Ok(session)
    }

    fn is_annotated(&self, frame: usize) -> bool {
        frame.is_multiple_of(self.args.every as usize)
    }

    fn read_prompted(&self, reader: &mut FrameReader<'_>, frame: usize, picture: &mut Picture) -> Result<()> {
        if reader.read(frame, picture)? {
            return Ok(());
        }
        Err(Error::Prompt(format!("{}: it ends before frame {frame}, which has a prompt", self.clip.name)))
    }

    fn past_the_end(&self, late: usize, frames: usize) -> Error {
        let name = &self.clip.name;
        Error::Prompt(format!(
            "{name}: a prompt is on frame {late}, expected up to {}",
            frames.saturating_sub(1)
        ))
    }

    /// Shows a frame's prompts, a mask first: it drops what was there.
    fn show(&self, session: &mut Session, given: &[Given], frame: usize) -> Result<()> {
        for (id, given) in given.iter().enumerate() {
            let mut prompts: Vec<&Prompt> = given.prompts.get(&frame).into_iter().flatten().collect();
            prompts.sort_by_key(|prompt| !matches!(prompt, Prompt::Mask(_)));
            for prompt in prompts {
                let (id, frame) = (id as u32, frame as u64);
                match prompt {
                    Prompt::Mask(region) => {
                        let mask = region.to_mask();
                        session.mask(id, frame, &Image::gray(self.size.0, self.size.1, &mask)?)?;
                    }
                    Prompt::Box(edges) => session.r#box(id, frame, *edges)?,
                    Prompt::Click(at, positive) => session.click(id, frame, *at, *positive)?,
                }
            }
        }
        Ok(())
    }

    /// An object's mask and its predicted overlap.
    fn answer(&self, session: &Session, id: u32) -> Result<(Region, f32)> {
        let (width, height) = self.size;
        let mut mask = vec![0; width as usize * height as usize];
        session.binary(id, &mut ImageMut::gray(width, height, &mut mask)?)?;
        Ok((Region::from_mask(width, &mask), session.result(id)?.predicted_iou))
    }
}

fn closed(mut masklets: Vec<Masklet>) -> Vec<Masklet> {
    masklets.iter_mut().for_each(Masklet::close);
    masklets
}
