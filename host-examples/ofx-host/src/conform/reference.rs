//! What everything is compared with: a clip, its session, and the mattes that the `rotomask` command makes of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ffmpeg_next::Rational;
use glam::DVec2;
use rotomask::frame::{FrameView, FrameViewMut, Layout, PixelFormat, Size};
use rotomask::matte::{Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings, View};
use rotomask_cli::convert::Colour;
use rotomask_cli::picture::Picture;
use rotomask_cli::sink::{Sink, Target};
use rotomask_cli::source::{ClipInfo, Frame};

use super::Subject;
use crate::clip::{Form, Frames, Stored};
use crate::{Error, Result, video};

/// A clip with a session of it.
pub struct Shot {
    /// The video file.
    pub file: PathBuf,
    /// Its frames.
    pub frames: Arc<Stored>,
    /// Frames per second, over and under.
    pub rate: [i32; 2],
    /// Where was clicked in the first frame.
    pub point: [f32; 2],
    /// The session.
    pub session: PathBuf,
    /// The command's mattes: 8-bit grey, packed, by frame.
    pub mattes: Vec<Vec<u8>>,
}

impl Shot {
    /// Makes or reads a clip, and lets the command track it.
    ///
    /// # Errors
    /// If the clip can't be read or the command fails.
    pub fn make(subject: &Subject, folder: &Path, size: [u32; 2]) -> Result<Self> {
        let [w, h] = size;
        let (file, point) = match &subject.clip {
            Some((clip, point)) => (clip.clone(), *point),
            None => {
                let file = folder.join(format!("clip-{w}x{h}.mp4"));
                made_clip(&file, size, subject.frames)?;
                (file, [w as f32 * 0.4, h as f32 / 2.0])
            }
        };
        let read = video::read(&file, Some(subject.frames))?;
        let last = read.frames.len().max(1) - 1;
        let size = read.stored.size;
        let name = format!("{}x{}", size[0], size[1]);
        let session = folder.join(format!("reference-{name}.rotosession"));
        let mattes = folder.join(format!("mattes-{name}"));
        make_folder(&mattes)?;
        let mut track = Command::new(&subject.command);
        track.arg("track").arg(&file).args(["--point", &format!("{},{}", point[0], point[1])]);
        track.args(["--end", &last.to_string(), "--view", "matte", "--feather", "1.5"]);
        track.arg("--session").arg(&session).arg("-o").arg(mattes.join("%05d.png"));
        run(&mut track)?;
        let mattes = (0..=last).map(|n| grey(&mattes.join(format!("{n:05}.png")))).collect::<Result<_>>()?;
        let Rational(over, under) = read.info.rate;
        Ok(Self { file, frames: Arc::new(read.stored), rate: [over, under], point, session, mattes })
    }

    /// The clip as a host's.
    pub fn source(&self) -> Arc<dyn Frames> {
        self.frames.clone()
    }

    /// Columns and rows.
    pub fn size(&self) -> [u32; 2] {
        self.frames.size
    }

    /// The session's path as a parameter takes it.
    pub fn session_text(&self) -> String {
        self.session.to_string_lossy().into_owned()
    }

    /// The matte that the engine makes of a frame in a form, 0 to 1, packed: no plugin is between.
    ///
    /// # Errors
    /// If the engine fails.
    pub fn matte(&self, frame: u64, form: &Form) -> Result<Vec<f32>> {
        let reader = plugin_common::cache::open(&self.session)?;
        let masks = reader.frame(frame)?.ok_or_else(|| Error::plain(format!("frame {frame} has no mask")))?;
        let [w, h] = form.scaled(self.size());
        let size = Size::new(w, h)?;
        let plate = vec![0; size.area_px() * 3];
        let plate = FrameView::new(Layout::packed(size, PixelFormat::Rgb8), &plate)?;
        let mut layers = Vec::new();
        for plane in &masks.masks {
            layers.push(Layer::new(Mask::Logits(Logits::new(plane.size, &plane.values)?)));
        }
        let settings = MatteSettings { view: View::Matte, ..MatteSettings::default() };
        let job = MatteJob { scale: DVec2::splat(form.scale), ..MatteJob::new(plate, &layers, &settings) };
        let mut out = vec![0u64; size.area_px().div_ceil(2)];
        // SAFETY: any bytes make integers, and the length is the same memory's.
        let bytes =
            unsafe { std::slice::from_raw_parts_mut(out.as_mut_ptr().cast::<u8>(), size.area_px() * 4) };
        let result = FrameViewMut::new(Layout::packed(size, PixelFormat::GrayF32), bytes)?;
        MatteChain::open(Gpu::Off)?.render(&job, result)?;
        Ok(bytes.chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect())
    }
}

/// Makes a clip at 25 frames a second: a bright disc that moves right before a ramp.
///
/// # Errors
/// If it can't be written.
pub fn made_clip(file: &Path, [width, height]: [u32; 2], frames: u64) -> Result<()> {
    let info = ClipInfo {
        width,
        height,
        frames: Some(frames),
        time_base: Rational(1, 1000),
        rate: Rational(25, 1),
        pixel_aspect: Rational(1, 1),
        colour: Colour::srgb(),
    };
    let mut sink = Sink::create(&Target::new(file)?, &info)?;
    let (cx, cy, radius) = (width as f32 * 0.4, height as f32 / 2.0, height as f32 * 0.25);
    for n in 0..frames {
        let mut picture = Picture::new(width, height);
        for y in 0..height {
            for (x, pixel) in (0..).zip(picture.row_mut(y as usize).chunks_exact_mut(4)) {
                let moved = cx + n as f32 * width as f32 * 0.01;
                let inside = (x as f32 - moved).hypot(y as f32 - cy) < radius;
                let ramp = (40 * x / width) as u8;
                pixel.copy_from_slice(&if inside {
                    [240, 200, 60, 255]
                } else {
                    [20 + ramp, 40, 70 + ramp, 255]
                });
            }
        }
        let frame = Frame { index: n, time: n as i64 * 40, seconds: n as f64 / 25.0, ..Frame::default() };
        sink.write(&frame, &picture)?;
    }
    sink.finish()?;
    Ok(())
}

/// Makes a folder.
///
/// # Errors
/// If it can't be made.
pub fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::plain(format!("{}: {e}", folder.display())))
}

/// Runs another program, which must work; gives what it printed.
///
/// # Errors
/// With the end of its complaint.
pub fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| Error::plain(format!("{name} could not be started: {e}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(format!("{}{said}", String::from_utf8_lossy(&output.stdout)));
    }
    let end: Vec<_> = said.lines().rev().take(4).collect();
    Err(Error::plain(format!(
        "{name} failed ({}): {}",
        output.status,
        end.into_iter().rev().collect::<Vec<_>>().join(" / ")
    )))
}

/// A picture's grey, packed.
///
/// # Errors
/// If it can't be read.
pub fn grey(file: &Path) -> Result<Vec<u8>> {
    let picture = ::image::open(file).map_err(|e| Error::plain(format!("{}: {e}", file.display())))?;
    // Red, and not the luminance, whose weights would round.
    Ok(picture.into_rgba8().pixels().map(|pixel| pixel.0[0]).collect())
}
