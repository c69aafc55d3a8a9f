//! Following objects through a whole shot: which frames are tracked, which are kept, what corrections redo, and how
//! little memory it takes.

use std::ops::ControlFlow;

use rotomask::frame::{FrameView, Layout, PixelFormat};
use rotomask::prompt::Click;
use rotomask::review::{Reason, Thresholds};
use rotomask::session::{Direction, FrameSource, Keep, SessionOptions, Stopped, TrackRequest, Way};

use super::shot::*;

/// First and last frame of each stretch that was tracked.
fn stretches(report: &rotomask::session::TrackReport) -> Vec<(u32, u64, u64)> {
    report.tracked.iter().map(|t| (t.object, *t.frames.start(), *t.frames.end())).collect()
}

#[test]
fn both_ways_from_a_frame_in_the_middle_reach_both_ends() {
    let (mut shot, mut session) = (Shot::new(9), open(Keep::Temporary));
    session.click(1, 4, on_disc(4)).unwrap();
    let mut order = Vec::new();
    let each = &mut |_: &mut _, frame| {
        order.push(frame);
        ControlFlow::Continue(())
    };
    let report = session.track(&request(Way::Both), &mut shot, each).unwrap();
    assert_eq!(order, [5, 6, 7, 8, 3, 2, 1, 0]);
    assert_eq!(stretches(&report), [(1, 5, 8), (1, 0, 3)]);
    assert_eq!(report.stopped, Stopped::Done);
    for (frame, mask) in (0..).zip(masks(&mut session, 1, 9)) {
        assert!(covers_disc(&mask.unwrap(), frame), "frame {frame}");
    }
}

#[test]
fn the_way_back_recalls_frames_whose_memories_were_let_go_on_the_way_there() {
    // Long enough for the frames after the prompt to be far from where tracking stops.
    let (frames, mut shot) = (16, Shot::new(16));
    let (mut kept, mut held) = (open(Keep::Temporary), open(Keep::Window));
    for session in [&mut kept, &mut held] {
        session.click(1, 2, on_disc(2)).unwrap();
        let report = track(session, &mut shot, Way::Both);
        assert_eq!(stretches(&report), [(1, 3, 15), (1, 0, 1)]);
    }
    assert_eq!(masks(&mut kept, 1, frames), masks(&mut held, 1, frames));
}

#[test]
fn pulled_and_pushed_frames_give_the_same_bits() {
    let (mut shot, mut pulled, mut pushed) = (Shot::new(6), open(Keep::Temporary), open(Keep::Window));
    for session in [&mut pulled, &mut pushed] {
        session.click(1, 0, on_disc(0)).unwrap();
    }
    track(&mut pulled, &mut shot, Way::Forward);
    for frame in 0..6 {
        let pixels = picture(frame);
        pushed
            .push(frame, FrameView::new(Layout::packed(size(), PixelFormat::Rgb8), &pixels).unwrap())
            .unwrap();
        assert_eq!(pulled.mask_at(1, frame).unwrap().unwrap(), pushed.mask(1).unwrap(), "frame {frame}");
    }
}

#[test]
fn what_holds_is_neither_read_nor_tracked_again() {
    let (mut shot, mut session) = (Shot::new(6), open(Keep::Temporary));
    session.click(1, 0, on_disc(0)).unwrap();
    track(&mut session, &mut shot, Way::Forward);
    shot.read.clear();
    let report = track(&mut session, &mut shot, Way::Forward);
    assert_eq!((report.tracked.len(), report.kept, shot.read.len()), (0, 6, 0));
}

#[test]
fn a_correction_redoes_what_comes_after_it_and_only_for_its_object() {
    let (mut shot, mut session) = (Shot::new(12), open(Keep::Temporary));
    session.click(1, 0, on_disc(0)).unwrap();
    session.click(2, 0, Click { positive: true, ..off_disc() }).unwrap();
    track(&mut session, &mut shot, Way::Forward);
    let before = [masks(&mut session, 1, 12), masks(&mut session, 2, 12)];
    session.click(1, 8, off_disc()).unwrap();
    shot.read.clear();
    let report = track(&mut session, &mut shot, Way::Outdated);
    assert_eq!(stretches(&report), [(1, 9, 11)]);
    let after = [masks(&mut session, 1, 12), masks(&mut session, 2, 12)];
    assert_eq!(after[1], before[1]);
    assert_eq!(after[0][..8], before[0][..8]);
    assert!((8..12).all(|frame| after[0][frame] != before[0][frame]));
    // The corrected frame, and those that it recalls from where memories were let go.
    assert!(shot.read.iter().all(|frame| *frame >= 2), "{:?}", shot.read);
    assert!(session.outdated().is_empty());
}

#[test]
fn re_tracking_from_the_middle_gives_the_bits_of_one_session_that_held_everything() {
    let run = |keep| {
        let (mut shot, mut session) = (Shot::new(16), open(keep));
        session.click(1, 0, on_disc(0)).unwrap();
        track(&mut session, &mut shot, Way::Forward);
        session.click(1, 9, off_disc()).unwrap();
        track(&mut session, &mut shot, Way::Outdated);
        (10..16).map(|frame| session.mask_at(1, frame).unwrap()).collect::<Vec<_>>()
    };
    // A window of 16 frames still holds every memory; a file had let them go and made them anew.
    assert_eq!(run(Keep::Temporary), run(Keep::Window));
}

#[test]
fn an_object_that_is_added_late_is_tracked_alone_through_the_whole_shot() {
    let (mut shot, mut session) = (Shot::new(8), open(Keep::Temporary));
    session.click(1, 0, on_disc(0)).unwrap();
    track(&mut session, &mut shot, Way::Forward);
    session.click(2, 3, Click { positive: true, ..off_disc() }).unwrap();
    let report = track(&mut session, &mut shot, Way::Forward);
    assert_eq!(stretches(&report), [(2, 0, 2), (2, 4, 7)]);
}

#[test]
fn in_and_out_points_and_a_number_of_frames_are_kept_to() {
    let (mut shot, mut session) = (Shot::new(12), open(Keep::Temporary));
    session.click(1, 5, on_disc(5)).unwrap();
    let ask = TrackRequest { first: 3, last: Some(7), ..request(Way::Both) };
    let report = session.track(&ask, &mut shot, &mut |_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(stretches(&report), [(1, 6, 7), (1, 3, 4)]);
    let one = TrackRequest { start: Some(7), max_frames: Some(1), ..request(Way::Forward) };
    let report = session.track(&one, &mut shot, &mut |_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(stretches(&report), [(1, 8, 8)]);
}

#[test]
fn a_caller_that_stops_keeps_what_was_finished() {
    let (mut shot, mut session) = (Shot::new(12), open(Keep::Temporary));
    session.click(1, 0, on_disc(0)).unwrap();
    let each =
        &mut |_: &mut _, frame| if frame == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let report = session.track(&request(Way::Forward), &mut shot, each).unwrap();
    assert_eq!((stretches(&report), report.stopped), (vec![(1, 1, 4)], Stopped::ByCaller));
    let report = track(&mut session, &mut shot, Way::Forward);
    assert_eq!(stretches(&report), [(1, 5, 11)]);
}

#[test]
fn tracking_anew_what_holds_gives_the_same_bits() {
    let (mut shot, mut session) = (Shot::new(6), open(Keep::Temporary));
    session.click(1, 0, on_disc(0)).unwrap();
    track(&mut session, &mut shot, Way::Forward);
    let before = masks(&mut session, 1, 6);
    let anew = TrackRequest { overwrite: true, ..request(Way::Forward) };
    let report = session.track(&anew, &mut shot, &mut |_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(stretches(&report), [(1, 1, 5)]);
    assert_eq!(masks(&mut session, 1, 6), before);
}

#[test]
fn nothing_said_and_prompts_beyond_the_end_are_answered_with_a_sentence() {
    let (mut shot, mut session) = (Shot::new(3), open(Keep::Temporary));
    let mut go = |session: &mut rotomask::session::Session| {
        session
            .track(&request(Way::Forward), &mut shot, &mut |_, _| ControlFlow::Continue(()))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(go(&mut session), "nothing was said of any object yet: there is nothing to track");
    session.click(1, 3, on_disc(0)).unwrap();
    assert_eq!(go(&mut session), "a prompt is on frame 3, which the shot does not have");
}

/// The disc's shot, and from frame 6 on something else altogether.
struct Cut(Shot, Vec<u8>);

impl FrameSource for Cut {
    fn frame(&mut self, index: u64) -> rotomask::Result<Option<FrameView<'_>>> {
        if index < 6 || index >= self.0.frames {
            return self.0.frame(index);
        }
        let stripe = |i: usize| {
            if (i % WIDE.0 as usize / 20).is_multiple_of(2) { [250, 240, 230] } else { [10, 120, 20] }
        };
        self.1 = (0..size().area_px()).flat_map(stripe).collect();
        FrameView::new(Layout::packed(size(), PixelFormat::Rgb8), &self.1).map(Some)
    }
}

#[test]
fn tracking_stops_at_a_cut_unless_cuts_are_not_looked_for() {
    let run = |detect_cuts| {
        let mut cut = Cut(Shot::new(10), Vec::new());
        let mut session = open_with(SessionOptions { detect_cuts, ..options(Keep::Temporary) });
        session.click(1, 0, on_disc(0)).unwrap();
        let report =
            session.track(&request(Way::Forward), &mut cut, &mut |_, _| ControlFlow::Continue(())).unwrap();
        (stretches(&report), report.stopped, session.cuts())
    };
    assert_eq!(run(true), (vec![(1, 1, 5)], Stopped::AtCut { frame: 7 }, vec![6]));
    assert_eq!(run(false), (vec![(1, 1, 9)], Stopped::Done, vec![]));
}

#[test]
fn a_prompt_behind_a_cut_starts_there_and_recalls_nothing_from_before() {
    let run = |both: bool| {
        let mut cut = Cut(Shot::new(10), Vec::new());
        let mut session = open(Keep::Temporary);
        if both {
            session.click(1, 0, on_disc(0)).unwrap();
            session.track(&request(Way::Forward), &mut cut, &mut |_, _| ControlFlow::Continue(())).unwrap();
        }
        session.click(1, 7, Click { x_px: 30.0, y_px: 40.0, positive: true }).unwrap();
        let ask = TrackRequest { start: Some(7), ..request(Way::Forward) };
        session.track(&ask, &mut cut, &mut |_, _| ControlFlow::Continue(())).unwrap();
        (7..10).map(|frame| session.mask_at(1, frame).unwrap().unwrap().logits).collect::<Vec<_>>()
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn the_smallest_memory_ceiling_gives_the_same_bits() {
    let run = |memory_ceiling| {
        let mut session = open_with(SessionOptions { memory_ceiling, ..options(Keep::Temporary) });
        let mut shot = Shot::new(20);
        session.click(1, 0, on_disc(0)).unwrap();
        session.click(2, 0, Click { positive: true, ..off_disc() }).unwrap();
        track(&mut session, &mut shot, Way::Both);
        [masks(&mut session, 1, 20), masks(&mut session, 2, 20)]
    };
    let refused = |bytes| {
        let options = SessionOptions { memory_ceiling: Some(bytes), ..options(Keep::Temporary) };
        rotomask::session::Session::open_with(model(), size(), options).unwrap_err().to_string()
    };
    let said = refused(1000);
    let least: u64 = said.split("at least ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(refused(least - 1).contains(&format!("at least {least} bytes")));
    assert_eq!(run(Some(least)), run(None));
}

#[test]
fn following_backwards_looks_back_on_the_frames_after() {
    let (mut shot, mut session) = (Shot::new(9), open(Keep::Temporary));
    session.click(1, 8, on_disc(8)).unwrap();
    let report = track(&mut session, &mut shot, Way::Reverse);
    assert_eq!(report.tracked[0].direction, Direction::Reverse);
    assert!(covers_disc(&session.mask_at(1, 0).unwrap().unwrap(), 0));
}

#[test]
fn an_object_behind_a_cut_is_absent_also_after_another_was_refined() {
    let (mut cut, mut session) = (Cut(Shot::new(10), Vec::new()), open(Keep::Window));
    session.click(1, 0, on_disc(0)).unwrap();
    for frame in 0..7 {
        let pixels = cut.frame(frame).unwrap().unwrap();
        session.push(frame, pixels).unwrap();
    }
    session.click(2, 6, Click { x_px: 30.0, y_px: 40.0, positive: true }).unwrap();
    session.refine().unwrap();
    assert!(session.mask(1).unwrap().object_score < 0.0);
    assert!(session.mask(2).unwrap().object_score > session.mask(1).unwrap().object_score);
}

#[test]
fn a_review_names_frames_where_objects_touch_and_needs_kept_answers() {
    let (mut shot, mut session) = (Shot::new(8), open(Keep::Temporary));
    session.click(1, 0, on_disc(0)).unwrap();
    session.click(2, 0, on_disc(0)).unwrap();
    track(&mut session, &mut shot, Way::Forward);
    let ranges = session.review(1, Thresholds::default()).unwrap();
    assert!(ranges.iter().any(|r| r.reasons.has(Reason::Touching)), "{ranges:?}");
    let said = open(Keep::Window).review(1, Thresholds::default()).unwrap_err().to_string();
    assert_eq!(said, "a review needs every answer: the session keeps only a window of them");
}
