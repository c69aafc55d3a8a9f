//! Following without a session: each frame from those before it, as they pass. Right only where a single instance is given
//! every frame in order, which is ffmpeg's and GStreamer's way and not that of melt with several threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plugin_common::cache::FrameMasks;
use plugin_common::engine::{self, Choice};
use plugin_common::prompts::Prompts;
use plugin_common::track::{Shot, say};
use plugin_common::{Error, Result};
use rotomask::frame::{FrameView, Size};
use rotomask::matte::Status;
use rotomask::session::{Origin, Session};

/// Instances of this process that follow something.
static FOLLOWING: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug)]
pub struct Causal {
    session: Session,
    next: u64,
    last_time: f64,
}

/// Nothing but what passes.
struct NoShot;

impl Shot for NoShot {
    fn frame(&mut self, _: u64) -> Result<Option<FrameView<'_>>> {
        Ok(None)
    }

    fn mask(&mut self, _: u64) -> Result<Option<FrameView<'_>>> {
        Ok(None)
    }
}

impl Causal {
    /// # Errors
    /// If the model can't be loaded, a prompt makes no sense, or another instance follows something already.
    pub fn open(size: Size, prompts: Prompts) -> Result<Self> {
        let mut session = Session::open(engine::model(&Choice::default())?, size)?;
        say(&mut session, &prompts, &mut NoShot)?;
        FOLLOWING.fetch_add(1, Ordering::Relaxed);
        Ok(Self { session, next: 0, last_time: f64::NEG_INFINITY })
    }

    /// Takes the next frame and gives its masks.
    ///
    /// # Errors
    /// If frames don't come in order to this instance alone, or the model fails.
    pub fn push(
        &mut self,
        time: f64,
        counted: bool,
        plate: FrameView<'_>,
    ) -> Result<(Option<Arc<FrameMasks>>, Status)> {
        if FOLLOWING.load(Ordering::Relaxed) > 1 {
            return Err(Error::host(
                "prompt: this host has several instances at once, each with some of the frames: track first, by `rotomask \
                 track --session FILE`, and give the session",
            ));
        }
        if !counted && time < self.last_time {
            return Err(Error::host(format!(
                "prompt: time goes back from {} to {time}: without a session, frames can only be followed in order",
                self.last_time
            )));
        }
        if !counted {
            self.last_time = time;
        }
        let frame = self.next;
        self.next += 1;
        self.session.push(frame, plate)?;
        let mut masks = FrameMasks { status: Status::Untracked, masks: Vec::new() };
        for object in self.session.objects() {
            let Some(mask) = self.session.mask_at(object.id, frame)? else { continue };
            if masks.status != Status::Prompted {
                masks.status =
                    if mask.origin == Origin::Prompted { Status::Prompted } else { Status::Tracked };
            }
            masks.masks.push(mask.logits);
        }
        let status = masks.status;
        Ok(((!masks.masks.is_empty()).then(|| Arc::new(masks)), status))
    }
}

impl Drop for Causal {
    fn drop(&mut self) {
        FOLLOWING.fetch_sub(1, Ordering::Relaxed);
    }
}
