//! What can only be seen from inside: what a session holds.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::path::PathBuf;
use std::sync::Arc;

use super::{Keep, Session, SessionOptions};
use crate::frame::{FrameView, Layout, PixelFormat, Size};
use crate::model::{Model, ModelOptions};
use crate::prompt::Click;

/// Wide and odd.
const SIZE: Size = Size { width_px: 61, height_px: 33 };

/// The tiny model of the parity tests.
fn session(options: SessionOptions) -> Session {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/parity_official/model.rotomodel");
    let model = Model::open(&ModelOptions { folder: Some(folder), threads: 1, ..ModelOptions::default() });
    Session::open_with(Arc::new(model.unwrap()), SIZE, options).unwrap()
}

fn push(session: &mut Session, frame: u64) {
    let bright = |at: usize| u8::from((at % 61).abs_diff(20 + frame as usize % 16) < 9) * 200;
    let pixels: Vec<u8> = (0..61 * 33).flat_map(|at| [bright(at); 3]).collect();
    session.push(frame, FrameView::new(Layout::packed(SIZE, PixelFormat::Rgb8), &pixels).unwrap()).unwrap();
}

fn click(session: &mut Session, object: u32, frame: u64, x_px: f32) {
    session.click(object, frame, Click { positive: true, x_px, y_px: 16.5 }).unwrap();
}

#[test]
fn following_through_a_file_holds_no_more_answers_than_are_recalled() {
    let options = SessionOptions { keep: Keep::Temporary, detect_cuts: false, ..SessionOptions::default() };
    let mut session = session(options);
    let objects = 3;
    (0..objects).for_each(|object| click(&mut session, object, 0, 20.0 + 5.0 * object as f32));
    for frame in 0..80 {
        push(&mut session, frame);
        // The prompted frame, the frame itself, and as many as a pointer is recalled from.
        let most = objects as usize * (2 + session.reach.frames() as usize);
        let held = session.keeping.held();
        assert!(held <= most, "{held} answers are held on frame {frame}, expected {most} at most");
    }
    assert!(session.mask_at(1, 5).unwrap().is_some());
}
