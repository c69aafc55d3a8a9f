//! What is said and taken back.

use rotomask::frame::{FrameView, Layout, PixelFormat};
use rotomask::session::{Keep, Session, Way};

use super::shot::*;

fn push(session: &mut Session, frame: u64) {
    let pixels = picture(frame);
    session.push(frame, FrameView::new(Layout::packed(size(), PixelFormat::Rgb8), &pixels).unwrap()).unwrap();
}

#[test]
fn undoing_a_click_brings_back_the_mask_before_it_and_redo_the_one_after() {
    for keep in [Keep::Window, Keep::Temporary] {
        let mut session = open(keep);
        session.click(1, 0, on_disc(0)).unwrap();
        push(&mut session, 0);
        let first = session.mask(1).unwrap();
        session.click(1, 0, off_disc()).unwrap();
        session.refine().unwrap();
        let second = session.mask(1).unwrap();
        assert_ne!(first.logits, second.logits);
        assert_eq!(session.undoable().unwrap().undo.as_deref(), Some("click"));
        assert!(session.undo().unwrap());
        assert_eq!(session.mask(1).unwrap(), first);
        assert!(session.redo().unwrap());
        assert_eq!(session.mask(1).unwrap(), second);
        assert!(!session.redo().unwrap());
    }
}

#[test]
fn everything_that_was_said_can_be_taken_back_one_by_one() {
    for keep in [Keep::Window, Keep::Temporary] {
        let mut session = open(keep);
        session.add_object(4, "hand").unwrap();
        session.click(4, 0, on_disc(0)).unwrap();
        push(&mut session, 0);
        session.rename_object(4, "left hand").unwrap();
        session.clear_frame(4, 0).unwrap();
        session.click(4, 0, on_disc(0)).unwrap();
        session.remove_object(4).unwrap();
        let mut seen = Vec::new();
        while session.undo().unwrap() {
            let objects = session.objects();
            seen.push(objects.first().map(|o| (o.name.clone(), o.prompted.len())));
        }
        let known = |name: &str, prompts| Some((name.to_owned(), prompts));
        let want = [
            known("left hand", 1),
            known("left hand", 0),
            known("left hand", 1),
            known("hand", 1),
            known("hand", 0),
            None,
        ];
        assert_eq!(seen, want);
    }
}

#[test]
fn undoing_a_correction_after_tracking_redoes_what_it_had_changed() {
    let (mut shot, mut session) = (Shot::new(8), open(Keep::Temporary));
    session.click(1, 0, on_disc(0)).unwrap();
    track(&mut session, &mut shot, Way::Forward);
    let before = masks(&mut session, 1, 8);
    session.click(1, 4, off_disc()).unwrap();
    track(&mut session, &mut shot, Way::Outdated);
    assert!(session.undo().unwrap());
    assert_eq!(session.outdated().iter().map(|o| o.frames.clone()).collect::<Vec<_>>(), [4..=7]);
    track(&mut session, &mut shot, Way::Outdated);
    assert_eq!(masks(&mut session, 1, 8), before);
}

#[test]
fn clearing_an_object_leaves_its_name_and_nothing_else() {
    let (mut shot, mut session) = (Shot::new(5), open(Keep::Temporary));
    session.add_object(1, "disc").unwrap();
    session.click(1, 0, on_disc(0)).unwrap();
    session.click(1, 3, on_disc(3)).unwrap();
    track(&mut session, &mut shot, Way::Forward);
    session.clear_object(1).unwrap();
    assert!(masks(&mut session, 1, 5).iter().all(Option::is_none));
    let objects = session.objects();
    assert_eq!(
        (objects[0].name.as_str(), objects[0].prompted.len(), objects[0].tracked.len()),
        ("disc", 0, 0)
    );
}

#[test]
fn calls_about_objects_that_are_not_there_are_answered_with_a_sentence() {
    let mut session = open(Keep::Window);
    session.add_object(1, "disc").unwrap();
    let said = [
        session.add_object(1, "other").unwrap_err().to_string(),
        session.rename_object(2, "x").unwrap_err().to_string(),
        session.remove_object(2).unwrap_err().to_string(),
        session.clear_frame(2, 0).unwrap_err().to_string(),
        session.rename_object(1, &"x".repeat(300)).unwrap_err().to_string(),
    ];
    let none = "there is no object 2";
    let long = "prompt: the object's name has 300 bytes, expected at most 255";
    assert_eq!(said, ["object 1 is there already", none, none, none, long]);
}
