//! Frames pushed one by one: order, atomicity, memory, and what is refused.

use std::ops::ControlFlow;

use rotomask::Error;
use rotomask::frame::{FrameView, Layout, PixelFormat, Size};
use rotomask::prompt::{Box as Bounds, Click};
use rotomask::session::{ObjectMask, Origin, Session, Stage};

use super::shot::{WIDE, model, on_disc, picture, size};

fn session() -> Session {
    Session::open(model(), size()).unwrap()
}

fn push(session: &mut Session, at: u64) -> Result<(), Error> {
    let pixels = picture(at);
    session.push(at, FrameView::new(Layout::packed(size(), PixelFormat::Rgb8), &pixels).unwrap())
}

fn track(session: &mut Session, frames: impl IntoIterator<Item = u64>) -> Vec<ObjectMask> {
    frames
        .into_iter()
        .map(|at| {
            push(session, at).unwrap();
            session.mask(1).unwrap()
        })
        .collect()
}

#[test]
fn a_clicked_disc_is_found_and_followed() {
    let mut session = session();
    session.click(1, 0, on_disc(0)).unwrap();
    for (at, mask) in track(&mut session, 0..6).iter().enumerate() {
        let inside = mask.logits.binary(size());
        let centre = 38 * WIDE.0 as usize + 40 + 6 * at;
        assert_eq!((mask.origin == Origin::Prompted, inside[centre]), (at == 0, 1), "frame {at}");
        let area = inside.iter().map(|&v| u32::from(v)).sum::<u32>();
        assert!((500..4000).contains(&area), "frame {at} has {area} pixels, the disc 1018");
    }
}

#[test]
fn the_same_frames_give_the_same_bits_whatever_another_session_does() {
    let masks = |disturb: bool| {
        let (mut session, mut other) = (session(), session());
        session.click(1, 0, on_disc(0)).unwrap();
        other.click(1, 0, Click { positive: true, x_px: 5.0, y_px: 5.0 }).unwrap();
        (0..4)
            .map(|at| {
                if disturb {
                    push(&mut other, at).unwrap();
                }
                push(&mut session, at).unwrap();
                session.mask(1).unwrap()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(masks(false), masks(true));
}

#[test]
fn two_objects_answer_as_each_would_alone() {
    let alone = |id: u32, click: Click| {
        let mut session = session();
        session.click(id, 0, click).unwrap();
        (0..3).for_each(|at| push(&mut session, at).unwrap());
        session.mask(id).unwrap()
    };
    let corner = Click { x_px: 5.0, y_px: 70.0, positive: true };
    let mut both = session();
    both.click(7, 0, on_disc(0)).unwrap();
    both.click(9, 0, corner).unwrap();
    (0..3).for_each(|at| push(&mut both, at).unwrap());
    assert_eq!(both.mask(7).unwrap(), alone(7, on_disc(0)));
    assert_eq!(both.mask(9).unwrap(), alone(9, corner));
}

#[test]
fn a_prompted_frame_that_is_pushed_again_keeps_its_answer_without_encoding() {
    let mut session = session();
    session.click(1, 3, on_disc(3)).unwrap();
    let first = track(&mut session, [3]).remove(0);
    assert_eq!(track(&mut session, [3]), [first]);
    assert!(session.spent()[Stage::ImageEncoder as usize].is_zero());
}

#[test]
fn refining_uses_the_features_that_are_there_and_changes_the_mask() {
    let mut session = session();
    session.click(1, 0, on_disc(0)).unwrap();
    let first = track(&mut session, [0]).remove(0);
    session.click(1, 0, Click { x_px: 100.0, y_px: 60.0, positive: false }).unwrap();
    session.refine().unwrap();
    assert!(session.spent()[Stage::ImageEncoder as usize].is_zero());
    assert_ne!(session.mask(1).unwrap().logits, first.logits);
}

#[test]
fn a_correction_on_a_tracked_frame_holds_from_there_on() {
    let mut session = session();
    session.click(1, 0, on_disc(0)).unwrap();
    track(&mut session, 0..3);
    let empty = vec![0u8; size().area_px()];
    let nothing = FrameView::new(Layout::packed(size(), PixelFormat::Gray8), &empty).unwrap();
    session.mask_prompt(1, 2, nothing).unwrap();
    session.refine().unwrap();
    let mask = session.mask(1).unwrap();
    assert!(mask.origin == Origin::Prompted && mask.object_score < 0.0);
    assert_eq!(track(&mut session, [2])[0].object_score, -10.0);
}

#[test]
fn a_cancelled_push_changes_nothing_and_the_next_one_works() {
    let (mut plain, mut stopped) = (session(), session());
    for session in [&mut plain, &mut stopped] {
        session.click(1, 0, on_disc(0)).unwrap();
        track(session, 0..2);
    }
    stopped.cancel_switch().ask();
    assert!(matches!(push(&mut stopped, 2), Err(Error::Cancelled)));
    stopped.set_progress(Some(Box::new(|stage, _| match stage {
        Stage::MemoryAttention => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })));
    assert!(matches!(push(&mut stopped, 2), Err(Error::Cancelled)));
    assert_eq!(stopped.mask(1).unwrap(), plain.mask(1).unwrap());
    stopped.set_progress(None);
    assert_eq!(track(&mut stopped, 2..4), track(&mut plain, 2..4));
}

#[test]
fn forgetting_tracks_on_from_the_prompted_frame_alone() {
    let (mut long, mut fresh) = (session(), session());
    long.click(1, 0, on_disc(0)).unwrap();
    fresh.click(1, 0, on_disc(0)).unwrap();
    track(&mut long, 0..4);
    track(&mut fresh, [0]);
    long.forget().unwrap();
    assert_eq!(track(&mut long, [4]), track(&mut fresh, [4]));
}

#[test]
fn calls_out_of_order_are_answered_with_a_sentence() {
    let mut session = session();
    assert_eq!(session.refine().unwrap_err().to_string(), "no frame was pushed yet");
    assert_eq!(session.mask(1).unwrap_err().to_string(), "no frame was pushed yet");
    push(&mut session, 4).unwrap();
    let said = session.mask(1).unwrap_err().to_string();
    assert_eq!(said, "object 1 has no mask on frame 4: nothing was said of it so far");
}

#[test]
fn what_can_not_be_meant_is_refused_when_it_is_said() {
    let mut session = session();
    let click = Click { x_px: 161.0, y_px: 3.0, positive: true };
    assert!(
        session.click(1, 0, click).unwrap_err().to_string().starts_with("prompt: the click is at 161, 3")
    );
    let bounds = Bounds { x0_px: 9.0, y0_px: 9.0, x1_px: 9.0, y1_px: 20.0 };
    assert!(
        session.bounds(1, 0, bounds).unwrap_err().to_string().starts_with("prompt: the box is 9, 9 to 9, 20")
    );
    let small = Size::new(3, 2).unwrap();
    let mask = FrameView::new(Layout::packed(small, PixelFormat::Gray8), &[0; 6]).unwrap();
    let said = session.mask_prompt(1, 0, mask).unwrap_err().to_string();
    assert_eq!(said, "prompt: the mask is 3x2, expected the frame's 161x77");
    let frame = FrameView::new(Layout::packed(small, PixelFormat::Rgb8), &[0; 18]).unwrap();
    let said = session.push(8, frame).unwrap_err().to_string();
    assert_eq!(said, "frame: frame 8 is 3x2, expected the session's 161x77");
}
