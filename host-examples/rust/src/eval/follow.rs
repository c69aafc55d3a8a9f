//! One sequence through the library, its masks measured as they come.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use image::ExtendedColorType;

use super::{
    dataset::{Annotation, Frame, Sequence},
    measure::{Region, boundary_accuracy, region_similarity},
    prompt::{PromptKind, tight_box, widest_place},
    table::{FrameScore, Score},
};
use crate::{
    Error, Result,
    library::{Image, ImageMut, Model, Session},
    picture::Picture,
    prompt::OBJECT,
    sink::write_png,
    source::read_picture,
};

/// Follows objects by one kind of prompt.
pub struct Follower<'a> {
    pub model: &'a Arc<Model>,
    pub prompt: PromptKind,
    /// Where masks are written.
    pub masks: Option<&'a Path>,
}

impl Follower<'_> {
    /// Follows every object of the sequence's first frame, one after another.
    pub fn follow(&self, sequence: &Sequence) -> Result<Vec<Score>> {
        let first = sequence.frames.first().and_then(|frame| frame.annotation.as_deref());
        let first = first.ok_or(Error::Bug("a sequence begins without an annotation"))?;
        let annotation = Annotation::read(first)?;
        let numbers = annotation.numbers();
        if numbers.is_empty() {
            return Err(Error::file(first, "it marks no object, and there is nothing to follow"));
        }
        let several = numbers.len() > 1;
        let follow = |number: u8| {
            let name = if several { format!("{}:{number}", sequence.name) } else { sequence.name.clone() };
            let folder = self.masks.map(|masks| masks.join(&sequence.name));
            let folder = folder.map(|f| if several { f.join(number.to_string()) } else { f });
            if let Some(folder) = &folder {
                fs::create_dir_all(folder).map_err(|error| Error::file(folder, error))?;
            }
            self.follow_object(name, sequence, &annotation, number, folder)
        };
        numbers.into_iter().map(follow).collect()
    }

    fn follow_object(
        &self,
        name: String,
        sequence: &Sequence,
        first: &Annotation,
        number: u8,
        folder: Option<PathBuf>,
    ) -> Result<Score> {
        let mut session = Session::open(self.model, first.width, first.height)?;
        let region = first.region(number);
        show(&mut session, self.prompt, &region)?;
        let last = sequence.frames.iter().rposition(|frame| frame.annotation.is_some());
        let mut score = Score { name, spent: Duration::ZERO, frames: 0, measured: Vec::new() };
        for (index, frame) in sequence.frames.iter().enumerate() {
            let picture = read(frame, first)?;
            let start = Instant::now();
            let mask = found(&mut session, index as u64, &picture)?;
            score.spent += start.elapsed();
            score.frames += 1;
            if let Some(folder) = &folder {
                let path = folder.join(format!("{}.png", frame.name));
                write_png(&path, &mask, (first.width, first.height), ExtendedColorType::L8)?;
            }
            if let Some(truth) = frame.annotation.as_deref().filter(|_| index > 0 && Some(index) != last) {
                score.measured.push(measure(frame, truth, number, first, mask)?);
            }
        }
        Ok(score)
    }
}

/// Shows the session the object on frame 0, which is still to come.
fn show(session: &mut Session, prompt: PromptKind, region: &Region) -> Result<()> {
    // The region has a pixel: its number was found among them.
    let empty = || Error::Bug("an object without pixels");
    match prompt {
        PromptKind::Mask => {
            let pixels: Vec<u8> = region.pixels().iter().map(|&inside| u8::from(inside) * 255).collect();
            let image = Image::gray(region.width() as u32, region.height() as u32, &pixels)?;
            session.mask(OBJECT, 0, &image)
        }
        PromptKind::Click1 => session.click(OBJECT, 0, widest_place(region).ok_or_else(empty)?, true),
        PromptKind::Box => session.r#box(OBJECT, 0, tight_box(region).ok_or_else(empty)?),
    }
}

fn read(frame: &Frame, first: &Annotation) -> Result<Picture> {
    let picture = read_picture(&frame.picture)?;
    check_size(&frame.picture, (picture.width(), picture.height()), first)?;
    Ok(Picture::from_packed(first.width, first.height, picture.into_rgba8().as_raw()))
}

/// The object's mask on a frame: 0 or 255, rows without gaps.
fn found(session: &mut Session, index: u64, picture: &Picture) -> Result<Vec<u8>> {
    session.push(index, &Image::from(picture))?;
    let (width, height) = (picture.width(), picture.height());
    let mut mask = vec![0; width as usize * height as usize];
    session.binary(OBJECT, &mut ImageMut::gray(width, height, &mut mask)?)?;
    Ok(mask)
}

fn measure(frame: &Frame, truth: &Path, number: u8, first: &Annotation, mask: Vec<u8>) -> Result<FrameScore> {
    let annotation = Annotation::read(truth)?;
    check_size(truth, (annotation.width, annotation.height), first)?;
    let truth = annotation.region(number);
    let found = Region::new(first.width, mask.into_iter().map(|pixel| pixel != 0).collect());
    let (j, f) = (region_similarity(&truth, &found), boundary_accuracy(&truth, &found));
    Ok(FrameScore { name: frame.name.clone(), j, f })
}

fn check_size(path: &Path, (width, height): (u32, u32), first: &Annotation) -> Result<()> {
    if (width, height) == (first.width, first.height) {
        return Ok(());
    }
    let wanted = format!("expected {}x{} as the first annotation", first.width, first.height);
    Err(Error::file(path, format!("its size is {width}x{height}, {wanted}")))
}
