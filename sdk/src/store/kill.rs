//! A process that writes a session is killed again and again, at instants of chance, and goes on each time.
//!
//! `ROTOMASK_KILLS` says how often; 12 without it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::tests::{Dice, answer, identity};
use super::*;
use crate::Error;
use crate::answer::Origin;
use crate::memory_bank::Direction;
use crate::prompt::{Click, FramePrompts};

/// Names the session to the process that is to be killed.
const CHILD: &str = "ROTOMASK_STORE_KILL_CHILD";

/// Frames of a shot.
const FRAMES: u64 = 600;
/// How far back memories are kept.
const WINDOW: u64 = 7;

/// What is said on a frame, if anything.
fn said(frame: u64) -> Option<FramePrompts> {
    let click = Click { x_px: frame as f32, y_px: 5.0, positive: true };
    frame.is_multiple_of(50).then(|| FramePrompts { clicks: vec![click; 3], ..FramePrompts::default() })
}

fn origin(frame: u64) -> Origin {
    if said(frame).is_some() { Origin::Prompted } else { Origin::Tracked(Direction::Forward) }
}

/// Goes on with a session from the frame after its last, and tells each frame that is done.
fn go_on(path: &Path) -> crate::Result<()> {
    let mut store = Store::open_or_create(path, &identity())?;
    let next = store.confidences(2, ..).last().transpose()?.map_or(0, |known| known.frame + 1);
    for frame in next..FRAMES {
        if let Some(prompts) = said(frame) {
            store.write_through(|batch| {
                batch.put_prompts(1, frame, &prompts)?;
                // Said before, if the process was killed between the prompt and its answer.
                let step = frame.to_le_bytes().to_vec();
                let ends = batch.store.history_ends()?;
                let known = batch.store.history(ends.newest)?.is_some_and(|past| past.step == step);
                if !known {
                    batch.push_history(&Past { step, ..Past::default() })?;
                }
                Ok(())
            })?;
        }
        store.write(|batch| {
            for object in 1..=2 {
                batch.put_answer(object, frame, &answer(object, frame, origin(frame)))?;
                batch.drop_memories(object, ..frame.saturating_sub(WINDOW), Which::Tracked)?;
            }
            Ok(())
        })?;
        println!("done {frame}");
        std::io::stdout().flush().map_err(|e| Error::State(e.to_string()))?;
    }
    Ok(())
}

#[test]
#[ignore = "is the process that is killed"]
fn the_process_that_is_killed() {
    if let Some(path) = std::env::var_os(CHILD) {
        go_on(Path::new(&path)).unwrap();
    }
}

fn start(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::kill::the_process_that_is_killed", "--ignored", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Whether a session holds whole frames from the first to some last one, and no damage. Answers that last one.
fn inspect(store: &Store) -> Option<u64> {
    assert_eq!(store.check(), Vec::<String>::new());
    let last = store.confidences(1, ..).last().map(|known| known.unwrap().frame);
    for frame in 0..last.map_or(0, |last| last + 1) {
        assert_eq!(store.answered(frame), [1, 2], "frame {frame}");
        let remembered = said(frame).is_some() || last.is_some_and(|last| frame + WINDOW >= last);
        for object in 1..=2 {
            let mut want = answer(object, frame, origin(frame));
            want.memory = want.memory.filter(|_| remembered);
            assert_eq!(store.answer(object, frame).unwrap(), Some(want), "object {object}, frame {frame}");
        }
    }
    let said: Vec<u64> = store.load().unwrap().prompts.iter().map(|p| p.frame).collect();
    let answered = last.map_or(0, |last| last / 50 + 1);
    assert!(said.len() as u64 == answered || said.len() as u64 == answered + 1, "{said:?} at {last:?}");
    assert_eq!(store.history_ends().unwrap().newest, said.len() as u64);
    last
}

#[test]
fn a_killed_writer_loses_nothing_that_it_has_told_and_goes_on_as_if_nothing_had_been() {
    let kills = std::env::var("ROTOMASK_KILLS").map_or(12, |n| n.parse().unwrap());
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shot.rotosession");
    let mut dice = Dice(kills);
    for kill in 0..kills {
        let mut child = start(&path);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut frames = lines.map_while(|line| line.ok()).filter(|line| line.starts_with("done"));
        let mut told = None;
        if kill % 4 == 0 {
            // Wherever it may be by then: loading, making the file, or at its first frames.
            std::thread::sleep(Duration::from_micros(dice.next() % 60_000));
        } else {
            let patience = dice.next() % 90;
            told = frames.by_ref().take(patience as usize + 1).last();
            std::thread::sleep(Duration::from_micros(dice.next() % 1_500));
        }
        // A look from outside, in the middle of a commit or not.
        let looking = Store::open(&path, Access::Read);
        child.kill().unwrap();
        child.wait().unwrap();
        let told: Option<u64> = frames.last().or(told).map(|line| line[5..].parse().unwrap());
        if !path.exists() {
            assert_eq!(told, None);
            continue;
        }
        let store = Store::open(&path, Access::Write).unwrap();
        let last = inspect(&store);
        assert!(told <= last, "kill {kill}: frame {told:?} was told, {last:?} is the last that is there");
        if let Ok(looking) = looking {
            assert_eq!(looking.confidences(1, ..).last().map(|known| known.unwrap().frame), last);
        }
        drop(store);
        if last == Some(FRAMES - 1) || kill % 16 == 15 {
            std::fs::remove_file(&path).unwrap();
        }
    }
    assert!(start(&path).wait_with_output().unwrap().status.success());
    assert_eq!(inspect(&Store::open(&path, Access::Read).unwrap()), Some(FRAMES - 1));
}
