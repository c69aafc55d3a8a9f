//! Video in and out, by the same code as the `rotomask` command.

use std::path::Path;

use ffmpeg_next::Rational;
use rotomask_cli::picture::Picture;
use rotomask_cli::sink::{Sink, Target};
use rotomask_cli::source::{ClipInfo, Frame, Source};

use crate::clip::Stored;
use crate::{Error, Result};

/// The most memory that a clip may take: a host that seeks freely holds it whole.
const MOST_BYTES: u64 = 6 << 30;

/// A clip in memory, and what its frames were in the file.
pub struct Video {
    /// What is known of it.
    pub info: ClipInfo,
    /// Where each frame was.
    pub frames: Vec<Frame>,
    /// Their pixels.
    pub stored: Stored,
}

/// Reads a clip, or its first frames.
///
/// # Errors
/// If it can't be read, or takes more memory than is good.
pub fn read(path: &Path, most_frames: Option<u64>) -> Result<Video> {
    let mut source = Source::open(path, Rational(25, 1))?;
    let info = *source.info();
    let (mut picture, mut frames, mut pixels) = (Picture::default(), Vec::new(), Vec::new());
    let bytes = u64::from(info.width) * u64::from(info.height) * 4;
    while most_frames.is_none_or(|most| (frames.len() as u64) < most) {
        let Some(frame) = source.next(&mut picture)? else { break };
        if bytes * (frames.len() as u64 + 1) > MOST_BYTES {
            return Err(Error::plain(format!(
                "{}: it takes more than {} GiB in memory, expected a shorter clip, or --frames N",
                path.display(),
                MOST_BYTES >> 30
            )));
        }
        frames.push(frame);
        pixels.push(picture.to_packed());
    }
    Ok(Video { info, frames, stored: Stored { size: [info.width, info.height], frames: pixels } })
}

/// Writes pictures as a clip, with the times of another.
///
/// # Errors
/// If it can't be written.
pub fn write(
    path: &Path,
    info: &ClipInfo,
    frames: &[Frame],
    mut picture: impl FnMut(usize) -> Result<Vec<u8>>,
) -> Result<()> {
    let target = Target::new(path)?;
    let mut sink = Sink::create(&target, info)?;
    for (at, frame) in frames.iter().enumerate() {
        sink.write(frame, &Picture::from_packed(info.width, info.height, &picture(at)?))?;
    }
    sink.finish()?;
    Ok(())
}
