//! From a frame and its masks to a finished picture in the output.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    Result,
    library::{Badge, Image, ImageMut, Library, Matte, MatteJob, MatteLayer, MatteSettings},
    look::LookArgs,
    picture::Picture,
    sink::{Sink, Spent, Target},
    source::{ClipInfo, Frame},
};

/// The matte chain and the output behind it.
pub struct Render {
    matte: Matte,
    settings: MatteSettings,
    background: Option<Picture>,
    sink: Sink,
    result: Picture,
}

/// What is shown of a frame, beside the frame itself.
#[derive(Default)]
pub struct Shown<'a> {
    /// The objects.
    pub layers: Vec<MatteLayer<'a>>,
    /// What is dropped.
    pub garbage: Option<Image<'a>>,
    /// What stands before the subject.
    pub holdout: Option<Image<'a>>,
    /// For the status view.
    pub badge: Badge,
}

impl Render {
    /// Opens the chain and the output.
    ///
    /// # Errors
    /// If the device can't be used, or the output's place can't be written to.
    pub fn open(
        library: &Arc<Library>,
        look: &LookArgs,
        settings: MatteSettings,
        background: Option<Picture>,
        (target, clip): (&Target, &ClipInfo),
    ) -> Result<Self> {
        let matte = Matte::open(library, &look.gpu, look.memory_bytes())?;
        let sink = Sink::create(target, clip)?;
        Ok(Self { matte, settings, background, sink, result: Picture::new(clip.width, clip.height) })
    }

    /// Finishes a frame and writes it. Gives the time that the matte took, and the rest.
    ///
    /// # Errors
    /// If the job makes no sense, or the frame can't be written.
    pub fn write(&mut self, frame: &Frame, picture: &Picture, shown: Shown<'_>) -> Result<(Duration, Spent)> {
        let start = Instant::now();
        self.result.reshape(picture.width(), picture.height());
        let job = MatteJob {
            layers: shown.layers,
            garbage: shown.garbage,
            holdout: shown.holdout,
            background: self.background.as_ref().map(Image::from),
            badge: shown.badge,
            ..MatteJob::new(frame.index, Image::from(picture))
        };
        self.matte.render(&job, &self.settings, &mut ImageMut::from(&mut self.result))?;
        let matte = start.elapsed();
        Ok((matte, self.sink.write(frame, &self.result)?))
    }

    /// The device, as JSON, and the encoder's name.
    ///
    /// # Errors
    /// If the library can't tell.
    pub fn describe(&self) -> Result<(String, String)> {
        Ok((self.matte.describe()?, self.sink.encoder().to_owned()))
    }

    /// Completes the output.
    ///
    /// # Errors
    /// If the rest can't be written.
    pub fn finish(self) -> Result<()> {
        self.sink.finish()
    }
}
