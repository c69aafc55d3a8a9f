//! The next frame, encoded while the one before it is answered: the same bits, in the same order, and nothing is left of it
//! that isn't used.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rotomask::Error;
use rotomask::frame::{FrameView, Layout, PixelFormat};
use rotomask::model::Cancel;
use rotomask::prompt::Click;
use rotomask::session::{
    FrameSource, Keep, ObjectMask, Session, SessionOptions, Stage, Stopped, TrackReport, TrackRequest, Way,
};

use super::shot::*;

/// The disc's shot with something in its way, which notes what it is asked for.
struct Odd<'a> {
    shot: Shot,
    /// From here on the picture is another one.
    cut: u64,
    /// Looks like the frame before it.
    still: u64,
    /// Can't be had.
    torn: u64,
    /// Is a row too short.
    short: u64,
    /// Who asks for it stops the work.
    cancels: Option<(u64, Arc<Cancel>)>,
    pixels: Vec<u8>,
    order: &'a RefCell<Vec<Event>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Asked(u64),
    Told(u64),
}
use Event::{Asked, Told};

const NEVER: u64 = u64::MAX;

impl<'a> Odd<'a> {
    fn new(frames: u64, order: &'a RefCell<Vec<Event>>) -> Self {
        let (shot, pixels) = (Shot::new(frames), Vec::new());
        Self { shot, cut: NEVER, still: NEVER, torn: NEVER, short: NEVER, cancels: None, pixels, order }
    }
}

impl FrameSource for Odd<'_> {
    fn frame(&mut self, index: u64) -> rotomask::Result<Option<FrameView<'_>>> {
        self.order.borrow_mut().push(Asked(index));
        if let Some((_, cancel)) = self.cancels.as_ref().filter(|(frame, _)| *frame == index) {
            cancel.ask();
        }
        if index == self.torn {
            return Err(Error::Frame(format!("frame {index} is torn")));
        }
        if index == self.still {
            return self.shot.frame(index - 1);
        }
        if index >= self.shot.frames || (index < self.cut && index != self.short) {
            return self.shot.frame(index);
        }
        let stripe = |i: usize| {
            if (i % WIDE.0 as usize / 8).is_multiple_of(2) { [250, 240, 230] } else { [10, 120, 20] }
        };
        self.pixels = (0..size().area_px()).flat_map(stripe).collect();
        let mut size = size();
        size.height_px -= u32::from(index == self.short);
        let bytes = size.area_px() * 3;
        FrameView::new(Layout::packed(size, PixelFormat::Rgb8), &self.pixels[..bytes]).map(Some)
    }
}

fn opened(encode_ahead: bool, keep: Keep) -> Session {
    open_with(SessionOptions { encode_ahead, ..options(keep) })
}

/// Everything that a session knows of some objects, scores and memories' consequences included.
fn known(session: &mut Session, objects: u32, frames: u64) -> Vec<Vec<Option<ObjectMask>>> {
    (1..=objects).map(|object| masks(session, object, frames)).collect()
}

fn clicked(session: &mut Session, objects: u32, frame: u64) {
    for object in 1..=objects {
        let click = on_disc(frame);
        session.click(object, frame, Click { y_px: click.y_px + object as f32, ..click }).unwrap();
    }
}

/// Runs a story with frames encoded ahead and without, and expects the same of both. Gives how many frames were asked for
/// ahead.
fn same(
    name: &str,
    story: impl Fn(bool, &RefCell<Vec<Event>>) -> (Vec<Vec<Option<ObjectMask>>>, String),
) -> usize {
    let [(plain, plain_order), (ahead, order)] = [false, true].map(|encode_ahead| {
        let order = RefCell::new(Vec::new());
        (story(encode_ahead, &order), order.into_inner())
    });
    assert!(plain.0.iter().flatten().flatten().count() > 0, "{name}: there is nothing to compare");
    assert!(plain == ahead, "{name}: {} is not {}", plain.1, ahead.1);
    // Prompts are answered without being told.
    let pairs =
        |order: &[Event]| order.windows(2).filter(|pair| matches!(pair, [Asked(_), Asked(_)])).count();
    pairs(&order) - pairs(&plain_order)
}

fn go(session: &mut Session, request: &TrackRequest, odd: &mut Odd<'_>) -> rotomask::Result<TrackReport> {
    let order = odd.order;
    session.track(request, odd, &mut |_, frame| {
        order.borrow_mut().push(Told(frame));
        ControlFlow::Continue(())
    })
}

#[test]
fn frames_encoded_ahead_change_no_bit_of_any_answer() {
    for (objects, way, start) in [(1, Way::Both, 4), (2, Way::Reverse, 7), (4, Way::Forward, 0)] {
        for keep in [Keep::Window, Keep::Temporary] {
            let name = format!("{objects} objects, {way:?}, {keep:?}");
            let asked = same(&name, |ahead, order| {
                let (mut odd, mut session) = (Odd::new(8, order), opened(ahead, keep.clone()));
                clicked(&mut session, objects, start);
                let report = go(&mut session, &request(way), &mut odd).unwrap();
                (known(&mut session, objects, 8), format!("{report:?}"))
            });
            assert_eq!(asked > 0, objects <= 2, "{name}");
        }
    }
}

#[test]
fn a_frame_is_asked_for_once_and_one_ahead() {
    let order = RefCell::new(Vec::new());
    let (mut odd, mut session) = (Odd::new(4, &order), opened(true, Keep::Temporary));
    clicked(&mut session, 1, 0);
    go(&mut session, &request(Way::Forward), &mut odd).unwrap();
    // The prompted frame, then each with the next one, and once beyond the end.
    let want = [Asked(0), Asked(1), Asked(2), Told(1), Asked(3), Told(2), Asked(4), Told(3)];
    assert_eq!(order.take(), want);

    // What was said to be the last frame is, and so is the last one before what holds.
    session.click(1, 3, off_disc()).unwrap();
    let anew = TrackRequest { overwrite: true, last: Some(2), ..request(Way::Forward) };
    go(&mut session, &anew, &mut odd).unwrap();
    assert_eq!(order.take(), [Asked(3), Asked(1), Asked(2), Told(1), Told(2)]);
}

#[test]
fn corrections_made_meanwhile_or_afterwards_give_the_same_bits() {
    same("corrected", |ahead, order| {
        let (mut odd, mut session) = (Odd::new(20, order), opened(ahead, Keep::Temporary));
        clicked(&mut session, 2, 0);
        // On the frame that was told, on the next one, and on one that was passed long ago.
        let mut each = |session: &mut Session, frame| {
            match frame {
                4 => session.click(1, 4, off_disc()).unwrap(),
                7 => session.click(1, 8, off_disc()).unwrap(),
                12 => session.click(2, 2, off_disc()).unwrap(),
                15 => session.clear_frame(1, 8).unwrap(),
                _ => {}
            }
            ControlFlow::Continue(())
        };
        let mut reports = vec![session.track(&request(Way::Forward), &mut odd, &mut each).unwrap()];
        session.click(1, 9, off_disc()).unwrap();
        reports.push(
            session.track(&request(Way::Outdated), &mut odd, &mut |_, _| ControlFlow::Continue(())).unwrap(),
        );
        (known(&mut session, 2, 20), format!("{reports:?}"))
    });
}

#[test]
fn the_same_is_kept_of_cuts_and_of_pictures_that_stand_still() {
    let asked = same("odd pictures", |ahead, order| {
        let (mut odd, mut session) = (Odd::new(12, order), opened(ahead, Keep::Temporary));
        (odd.cut, odd.still) = (8, 3);
        clicked(&mut session, 1, 0);
        let report = go(&mut session, &request(Way::Forward), &mut odd).unwrap();
        assert_eq!(report.stopped, Stopped::AtCut { frame: 9 });
        session.click(1, 10, on_disc(0)).unwrap();
        let back =
            go(&mut session, &TrackRequest { start: Some(10), ..request(Way::Both) }, &mut odd).unwrap();
        (known(&mut session, 1, 12), format!("{report:?} {back:?} {:?}", session.cuts()))
    });
    assert!(asked > 0);
}

#[test]
fn a_ceiling_without_room_for_two_frames_has_one_at_a_time() {
    let run = |bytes| {
        same("a ceiling", |encode_ahead, order| {
            let (mut odd, wanted) = (Odd::new(12, order), options(Keep::Temporary));
            let mut session =
                open_with(SessionOptions { encode_ahead, memory_ceiling: Some(bytes), ..wanted });
            clicked(&mut session, 2, 0);
            let report = go(&mut session, &request(Way::Both), &mut odd).unwrap();
            (known(&mut session, 2, 12), format!("{report:?}"))
        })
    };
    let refused = SessionOptions { memory_ceiling: Some(1), ..options(Keep::Temporary) };
    let said = Session::open_with(model(), size(), refused).unwrap_err().to_string();
    let least: u64 = said.split("at least ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert_eq!(run(least), 0);
    assert!(run(2 * least) > 0);
}

#[test]
fn what_is_wrong_with_a_frame_is_told_in_its_turn() {
    for (torn, short, want) in [
        (5, NEVER, "frame: frame 5 is torn"),
        (NEVER, 5, "frame: frame 5 is 161x76, expected the session's 161x77"),
    ] {
        let order = RefCell::new(Vec::new());
        let (mut odd, mut session) = (Odd::new(8, &order), opened(true, Keep::Temporary));
        (odd.torn, odd.short) = (torn, short);
        clicked(&mut session, 1, 0);
        assert_eq!(go(&mut session, &request(Way::Forward), &mut odd).unwrap_err().to_string(), want);
        assert_eq!(order.borrow()[order.borrow().len() - 2..], [Asked(5), Told(4)]);
        assert!(session.mask_at(1, 4).unwrap().is_some() && session.mask_at(1, 5).unwrap().is_none());
        // Who stops before the frame's turn is not told of it.
        let anew = TrackRequest { overwrite: true, ..request(Way::Forward) };
        let each = &mut |_: &mut Session, frame| match frame {
            4 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        assert_eq!(session.track(&anew, &mut odd, each).unwrap().stopped, Stopped::ByCaller);
    }
}

#[test]
fn stopping_leaves_nothing_of_the_frame_ahead() {
    let order = RefCell::new(Vec::new());
    let (mut odd, mut session) = (Odd::new(9, &order), opened(true, Keep::Temporary));
    clicked(&mut session, 1, 0);
    let each = &mut |_: &mut Session, frame| match frame {
        3 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    session.track(&request(Way::Forward), &mut odd, each).unwrap();
    assert_eq!(order.take().last(), Some(&Asked(4)));
    // It looks different by now, which is nothing that anybody was told of.
    odd.cut = 4;
    let report = go(&mut session, &request(Way::Forward), &mut odd).unwrap();
    assert_eq!((order.borrow()[0], report.stopped), (Asked(4), Stopped::AtCut { frame: 5 }));
}

#[test]
fn cancelling_stops_both_frames_and_the_next_call_gives_the_same_bits() {
    same("cancelled", |ahead, order| {
        let (mut odd, mut session) = (Odd::new(9, order), opened(ahead, Keep::Temporary));
        clicked(&mut session, 1, 0);
        let mut stops = Vec::new();
        for frame in 2..7 {
            odd.cancels = Some((frame, session.cancel_switch()));
            stops.push(go(&mut session, &request(Way::Forward), &mut odd).unwrap().stopped);
            assert!(session.mask_at(1, frame).unwrap().is_none());
        }
        odd.cancels = None;
        go(&mut session, &request(Way::Forward), &mut odd).unwrap();
        (known(&mut session, 1, 9), format!("{stops:?}"))
    });
}

#[test]
fn cancelling_at_any_moment_loses_no_finished_frame() {
    let order = RefCell::new(Vec::new());
    let (mut odd, mut session) = (Odd::new(16, &order), opened(true, Keep::Temporary));
    clicked(&mut session, 1, 0);
    let cancel = session.cancel_switch();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Ever longer, so that some call gets to the end.
            for wait_ms in (1..).map(|at| 7 * at) {
                std::thread::sleep(Duration::from_millis(wait_ms));
                if done.load(Ordering::Relaxed) {
                    return;
                }
                cancel.ask();
            }
        });
        while session.mask_at(1, 15).unwrap().is_none() {
            go(&mut session, &request(Way::Forward), &mut odd).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    let (mut plain, mut shot) = (opened(false, Keep::Temporary), Shot::new(16));
    clicked(&mut plain, 1, 0);
    track(&mut plain, &mut shot, Way::Forward);
    assert!(known(&mut session, 1, 16) == known(&mut plain, 1, 16));
}

#[test]
fn stages_are_told_on_the_calling_thread_in_each_frames_turn() {
    same("stages", |ahead, order| {
        let (mut odd, mut session) = (Odd::new(6, order), opened(ahead, Keep::Temporary));
        clicked(&mut session, 1, 0);
        let (told, thread) = (Arc::new(Mutex::new(Vec::new())), std::thread::current().id());
        let tell = Arc::clone(&told);
        session.set_progress(Some(Box::new(move |stage, _| {
            assert_eq!(std::thread::current().id(), thread);
            tell.lock().unwrap().push(stage);
            ControlFlow::Continue(())
        })));
        session
            .track(&request(Way::Forward), &mut odd, &mut |session, _| {
                assert!(!session.spent()[Stage::ImageEncoder as usize].is_zero());
                ControlFlow::Continue(())
            })
            .unwrap();
        session.set_progress(None);
        let told = format!("{:?}", told.lock().unwrap());
        (known(&mut session, 1, 6), told)
    });
}
