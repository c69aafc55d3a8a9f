//! A made-up shot: a bright disc that moves right over a dark gradient, in a wide odd frame.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use rotomask::Result;
use rotomask::frame::{FrameView, Layout, PixelFormat, Size};
use rotomask::model::{Model, ModelOptions};
use rotomask::prompt::Click;
use rotomask::session::{
    FrameSource, Keep, ObjectMask, Session, SessionOptions, TrackReport, TrackRequest, Way,
};

pub const WIDE: (u32, u32) = (161, 77);

pub fn model() -> Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    let open = || Arc::new(Model::open(&ModelOptions { threads: 2, ..ModelOptions::default() }).unwrap());
    Arc::clone(MODEL.get_or_init(open))
}

pub fn size() -> Size {
    Size::new(WIDE.0, WIDE.1).unwrap()
}

pub fn options(keep: Keep) -> SessionOptions {
    SessionOptions { keep, ..SessionOptions::default() }
}

pub fn open(keep: Keep) -> Session {
    open_with(options(keep))
}

pub fn open_with(options: SessionOptions) -> Session {
    Session::open_with(model(), size(), options).unwrap()
}

/// A frame of the shot, RGB.
pub fn picture(at: u64) -> Vec<u8> {
    let (cx, cy, r) = (40.0 + 6.0 * at as f32, 38.0, 18.0);
    let pixel = |i: usize| {
        let (x, y) = ((i % WIDE.0 as usize) as f32, (i / WIDE.0 as usize) as f32);
        let inside = (x - cx).powi(2) + (y - cy).powi(2) < r * r;
        if inside { [240, 200, 60] } else { [20 + (x / 4.0) as u8, 40, 70 + (y / 2.0) as u8] }
    };
    (0..size().area_px()).flat_map(pixel).collect()
}

/// The middle of the disc.
pub fn on_disc(at: u64) -> Click {
    Click { x_px: 40.0 + 6.0 * at as f32, y_px: 38.0, positive: true }
}

pub fn off_disc() -> Click {
    Click { x_px: 5.0, y_px: 70.0, positive: false }
}

pub fn covers_disc(mask: &ObjectMask, at: u64) -> bool {
    let inside = mask.logits.binary(size());
    let area = inside.iter().map(|&v| u32::from(v)).sum::<u32>();
    inside[38 * WIDE.0 as usize + 40 + 6 * at as usize] == 1 && (500..4000).contains(&area)
}

/// Hands out the shot's frames and remembers which were asked for.
pub struct Shot {
    pub frames: u64,
    pub read: Vec<u64>,
    pixels: Vec<u8>,
}

impl Shot {
    pub fn new(frames: u64) -> Self {
        Self { frames, read: Vec::new(), pixels: Vec::new() }
    }
}

impl FrameSource for Shot {
    fn frame(&mut self, index: u64) -> Result<Option<FrameView<'_>>> {
        if index >= self.frames {
            return Ok(None);
        }
        self.read.push(index);
        self.pixels = picture(index);
        FrameView::new(Layout::packed(size(), PixelFormat::Rgb8), &self.pixels).map(Some)
    }
}

pub fn request(way: Way) -> TrackRequest {
    TrackRequest { way, ..TrackRequest::default() }
}

pub fn track(session: &mut Session, shot: &mut Shot, way: Way) -> TrackReport {
    session.track(&request(way), shot, &mut |_, _| ControlFlow::Continue(())).unwrap()
}

/// What is kept of an object, frame by frame.
pub fn masks(session: &mut Session, object: u32, frames: u64) -> Vec<Option<ObjectMask>> {
    (0..frames).map(|frame| session.mask_at(object, frame).unwrap()).collect()
}
