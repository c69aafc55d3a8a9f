//! Objects that nobody pointed at.

use std::ops::ControlFlow;

use rotomask::Error;
use rotomask::automatic::{AutomaticOptions, ObjectOptions};
use rotomask::frame::{FrameView, Layout, PixelFormat};
use rotomask::session::{Keep, ObjectId, Session, SessionOptions};

use super::shot::*;

/// The small model is never sure of anything.
fn search() -> AutomaticOptions {
    AutomaticOptions {
        points_per_side: 8,
        pred_iou_thresh: 0.5,
        stability_score_thresh: 0.6,
        ..AutomaticOptions::default()
    }
}

/// Things, not the ground behind them.
fn things() -> ObjectOptions {
    ObjectOptions { min_area: 0.02, max_area: 0.3, min_uncovered: 0.4, ..ObjectOptions::default() }
}

/// Where a second disc lies from frame 2 on; the first one never comes near.
const SECOND: (f32, f32) = (130.0, 46.0);

fn two_discs(at: u64) -> Vec<u8> {
    let mut pixels = picture(at);
    let second = |i: usize| {
        let (x, y) = ((i % WIDE.0 as usize) as f32, (i / WIDE.0 as usize) as f32);
        (x - SECOND.0).powi(2) + (y - SECOND.1).powi(2) < 20.0 * 20.0
    };
    for (_, pixel) in pixels.chunks_exact_mut(3).enumerate().filter(|(i, _)| at >= 2 && second(*i)) {
        pixel.copy_from_slice(&[30, 90, 230]);
    }
    pixels
}

fn view(pixels: &[u8]) -> FrameView<'_> {
    FrameView::new(Layout::packed(size(), PixelFormat::Rgb8), pixels).unwrap()
}

/// What comes into view is no cut.
fn uncut() -> Session {
    open_with(SessionOptions { detect_cuts: false, ..options(Keep::Temporary) })
}

/// Says where the first disc is on a frame: the small model takes both for one thing.
fn mark_disc(session: &mut Session, object: ObjectId, at: u64) {
    let mask: Vec<u8> = picture(at).chunks_exact(3).map(|rgb| if rgb[0] > 200 { 255 } else { 0 }).collect();
    let mask = FrameView::new(Layout::packed(size(), PixelFormat::Gray8), &mask).unwrap();
    session.mask_prompt(object, at, mask).unwrap();
}

fn look(session: &mut Session, at: u64, objects: &ObjectOptions) -> Vec<ObjectId> {
    let go_on = &mut |_, _| ControlFlow::Continue(());
    session.add_automatic(at, view(&two_discs(at)), &search(), objects, go_on).unwrap()
}

/// The object that covers a place, if any does.
fn at_place(session: &mut Session, objects: &[ObjectId], (x, y): (f32, f32)) -> Option<ObjectId> {
    let place = y as usize * WIDE.0 as usize + x as usize;
    objects.iter().copied().find(|&id| session.mask(id).unwrap().logits.binary(size())[place] == 1)
}

#[test]
fn an_object_that_nobody_pointed_at_is_found_answered_and_followed() {
    let mut session = uncut();
    let found = look(&mut session, 0, &things());
    assert!(session.waiting().is_empty());
    let disc = at_place(&mut session, &found, (40.0, 38.0)).expect("the disc is found");
    assert!(covers_disc(&session.mask(disc).unwrap(), 0));
    for at in 1..4 {
        session.push(at, view(&picture(at))).unwrap();
    }
    assert!(covers_disc(&session.mask(disc).unwrap(), 3));
    assert_eq!(found, (1..=found.len() as ObjectId).collect::<Vec<_>>());
}

#[test]
fn a_later_look_adds_what_has_come_into_view_and_nothing_else() {
    let mut session = uncut();
    session.click(7, 0, on_disc(0)).unwrap();
    let first = look(&mut session, 0, &things());
    assert_eq!(at_place(&mut session, &first, (40.0, 38.0)), None, "the disc that was clicked on is known");
    assert!(look(&mut session, 0, &things()).is_empty(), "the same frame has nothing new");
    session.push(1, view(&two_discs(1))).unwrap();
    mark_disc(&mut session, 7, 2);
    let later = look(&mut session, 2, &things());
    assert!(at_place(&mut session, &later, SECOND).is_some(), "{later:?}");
    assert_eq!(at_place(&mut session, &later, (52.0, 38.0)), None);
}

#[test]
fn objects_that_are_there_count_among_the_most() {
    let mut session = uncut();
    mark_disc(&mut session, 1, 2);
    assert!(look(&mut session, 2, &ObjectOptions { max_objects: 1, ..things() }).is_empty());
    let one_more = look(&mut session, 2, &ObjectOptions { max_objects: 2, ..things() });
    assert_eq!(one_more, [2]);
}

#[test]
fn undo_takes_back_a_found_object_and_nothing_else() {
    let mut session = uncut();
    mark_disc(&mut session, 5, 2);
    let found = look(&mut session, 2, &things());
    assert_eq!(found, [1]);
    assert_eq!(session.undoable().unwrap().undo.as_deref(), Some("automatic object"));
    assert!(session.undo().unwrap());
    assert_eq!(session.objects().iter().map(|o| o.id).collect::<Vec<_>>(), [5]);
    assert!(session.redo().unwrap());
    assert!(at_place(&mut session, &[1], SECOND).is_some());
}

#[test]
fn a_search_that_is_stopped_adds_nothing() {
    let mut session = uncut();
    let pixels = picture(0);
    let stop = &mut |_, _| ControlFlow::Break(());
    let stopped = session.add_automatic(0, view(&pixels), &search(), &things(), stop);
    assert!(matches!(stopped, Err(Error::Cancelled)));
    let cancel = session.cancel_switch();
    let mut ask = |_, _| {
        cancel.ask();
        ControlFlow::Continue(())
    };
    let often = AutomaticOptions { points_per_batch: 1, ..search() };
    let stopped = session.add_automatic(0, view(&pixels), &often, &things(), &mut ask);
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert_eq!((session.objects().len(), session.waiting()), (0, vec![]));
}

#[test]
fn options_outside_their_range_are_refused_before_the_frame_is_looked_at() {
    let mut session = open(Keep::Window);
    let pixels = picture(0);
    let mut said = |search: &AutomaticOptions, objects: &ObjectOptions| {
        let go_on = &mut |_, _| ControlFlow::Continue(());
        session.add_automatic(0, view(&pixels), search, objects, go_on).unwrap_err().to_string()
    };
    let wrong = ObjectOptions { iou_threshold: 1.5, ..things() };
    assert_eq!(said(&search(), &wrong), "iou_threshold: found 1.5, expected 0 to 1");
    let wrong = AutomaticOptions { points_per_side: 0, ..search() };
    assert_eq!(said(&wrong, &things()), "points_per_side: found 0, expected 1 to 256");
    assert_eq!(session.mask(1).unwrap_err().to_string(), "no frame was pushed yet");
}
