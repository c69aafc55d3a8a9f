//! Sessions that outlive their process.

use std::ops::ControlFlow;
use std::path::Path;

use rotomask::frame::{FrameView, Layout, PixelFormat, Size};
use rotomask::review::Thresholds;
use rotomask::session::{Keep, Precision, Session, SessionOptions, Way};
use rotomask::store::SessionFile;

use super::shot::*;

fn in_file(path: &Path) -> Keep {
    Keep::File(path.to_path_buf())
}

#[test]
fn a_session_that_is_opened_again_goes_on_as_if_it_had_never_been_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shot.rotosession");
    let (mut shot, mut whole) = (Shot::new(14), open(Keep::Temporary));
    whole.click(1, 0, on_disc(0)).unwrap();
    track(&mut whole, &mut shot, Way::Forward);
    for stop in [1, 4, 5, 11] {
        let mut part = open(in_file(&path));
        if part.objects().is_empty() {
            part.click(1, 0, on_disc(0)).unwrap();
        }
        let each = &mut |_: &mut _, frame| {
            if frame == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        part.track(&request(Way::Forward), &mut shot, each).unwrap();
    }
    let mut part = open(in_file(&path));
    track(&mut part, &mut shot, Way::Forward);
    assert_eq!(masks(&mut part, 1, 14), masks(&mut whole, 1, 14));
}

#[test]
fn prompts_names_and_undo_are_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shot.rotosession");
    let (mut shot, mut session) = (Shot::new(4), open(in_file(&path)));
    session.add_object(7, "the disc").unwrap();
    session.click(7, 0, on_disc(0)).unwrap();
    track(&mut session, &mut shot, Way::Forward);
    let first = masks(&mut session, 7, 4);
    let grey = vec![255u8; size().area_px()];
    let mask = FrameView::new(Layout::packed(size(), PixelFormat::Gray8), &grey).unwrap();
    session.mask_prompt(7, 2, mask).unwrap();
    let objects = session.objects();
    drop(session);

    let mut session = open(in_file(&path));
    assert_eq!(session.objects(), objects);
    assert_eq!(session.waiting(), [2]);
    track(&mut session, &mut shot, Way::Outdated);
    assert_ne!(masks(&mut session, 7, 4)[2], first[2]);
    drop(session);

    let mut session = open(in_file(&path));
    assert!(session.undo().unwrap());
    track(&mut session, &mut shot, Way::Outdated);
    assert_eq!(masks(&mut session, 7, 4), first);
    assert_eq!(session.undoable().unwrap().redo.as_deref(), Some("mask"));
}

#[test]
fn half_precision_masks_are_read_back_as_they_were_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shot.rotosession");
    let half = || SessionOptions { precision: Precision::Half, ..options(in_file(&path)) };
    let (mut shot, mut session) = (Shot::new(5), open_with(half()));
    session.click(1, 0, on_disc(0)).unwrap();
    let mut seen = Vec::new();
    let each = &mut |session: &mut Session, _| {
        seen.push(session.mask(1).unwrap());
        ControlFlow::Continue(())
    };
    session.track(&request(Way::Forward), &mut shot, each).unwrap();
    drop(session);
    let kept = masks(&mut open_with(half()), 1, 5);
    assert_eq!(kept[1..].iter().flatten().collect::<Vec<_>>(), seen.iter().collect::<Vec<_>>());
}

#[test]
fn changed_footage_is_noticed_and_refused() {
    let (mut shot, mut session) = (Shot::new(3), open(Keep::Temporary));
    session.click(1, 0, on_disc(0)).unwrap();
    track(&mut session, &mut shot, Way::Forward);
    let other = vec![90u8; size().area_px() * 3];
    let other = FrameView::new(Layout::packed(size(), PixelFormat::Rgb8), &other).unwrap();
    let said = session.push(1, other).unwrap_err().to_string();
    assert!(said.starts_with("frame: frame 1 is not the one that was answered before"), "{said}");
}

#[test]
fn a_file_of_another_size_is_refused_and_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shot.rotosession");
    drop(open(in_file(&path)));
    let before = std::fs::read(&path).unwrap();
    let other = Size::new(33, 77).unwrap();
    let said = Session::open_with(model(), other, options(in_file(&path))).unwrap_err().to_string();
    assert!(said.ends_with("its frames' size is 161x77, expected 33x77"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_ceiling_needs_a_file() {
    let options = SessionOptions { memory_ceiling: Some(1 << 30), ..SessionOptions::default() };
    let said = Session::open_with(model(), size(), options).unwrap_err().to_string();
    assert!(
        said.starts_with("memory_ceiling: found 1073741824, expected none with a window of answers"),
        "{said}"
    );
}

#[test]
fn a_file_tells_by_itself_which_frames_are_worth_a_look() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shot.rotosession");
    let (mut shot, mut session) = (Shot::new(6), open(in_file(&path)));
    session.click(1, 0, on_disc(0)).unwrap();
    track(&mut session, &mut shot, Way::Forward);
    // So strict that every tracked frame is in doubt.
    let strict = Thresholds { predicted_iou: 2.0, ..Thresholds::default() };
    let told = SessionFile::open(&path).unwrap().review(1, strict).unwrap();
    assert_eq!(told, session.review(1, strict).unwrap());
    assert_eq!(told.iter().map(|range| (range.first, range.last)).collect::<Vec<_>>(), [(1, 5)]);
}
