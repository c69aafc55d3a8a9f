//! A process that tracks and corrects a shot is killed again and again, at instants of chance, and goes on each time.
//!
//! `ROTOMASK_KILLS` says how often; 12 without it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rotomask::prompt::Box as Bounds;
use rotomask::session::{Keep, Session, Way};
use rotomask::store::SessionFile;

use super::shot::*;

/// Names the session to the process that is to be killed.
const CHILD: &str = "ROTOMASK_SESSION_KILL_CHILD";

const FRAMES: u64 = 12;
/// Where the first object is corrected after it was tracked.
const CORRECTED: u64 = 6;
/// Where the second object is shown, when the first is done.
const LATE: u64 = 8;

/// An artist's hour: a click, tracking, a correction that is taken back and said again, what it has changed, a second
/// object both ways. Whoever comes to a session begins with what isn't done in it yet. Tells each frame that is done.
fn work(session: &mut Session, tell: &mut dyn FnMut(u32, u64)) {
    let said = |session: &Session, object, frame| {
        session.objects().iter().any(|o| o.id == object && o.prompted.contains(&frame))
    };
    let mut shot = Shot::new(FRAMES);
    let mut follow = |session: &mut Session, way, object| {
        let each = &mut |_: &mut Session, frame| {
            tell(object, frame);
            ControlFlow::Continue(())
        };
        session.track(&request(way), &mut shot, each).unwrap();
    };
    if !said(session, 1, 0) {
        session.click(1, 0, on_disc(0)).unwrap();
    }
    if !said(session, 1, CORRECTED) {
        follow(session, Way::Forward, 1);
        session.click(1, CORRECTED, off_disc()).unwrap();
        assert!(session.undo().unwrap());
        assert!(session.redo().unwrap());
    }
    if !said(session, 2, LATE) {
        follow(session, Way::Outdated, 1);
        let bounds = Bounds { x0_px: 1.0, y0_px: 40.0, x1_px: 60.5, y1_px: 77.0 };
        session.bounds(2, LATE, bounds).unwrap();
    }
    follow(session, Way::Both, 2);
}

fn open_file(path: &Path) -> Session {
    open(Keep::File(path.to_path_buf()))
}

#[test]
#[ignore = "is the process that is killed"]
fn the_process_that_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let mut session = open_file(Path::new(&path));
    println!("\nopened");
    work(&mut session, &mut |object, frame| {
        println!("done {object} {frame}");
        std::io::stdout().flush().unwrap();
    });
}

fn start(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::the_process_that_is_killed", "--ignored", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// SplitMix64.
fn chance(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) % below
}

#[test]
fn work_that_is_killed_at_any_instant_ends_as_if_it_never_had_been() {
    let kills: u64 = std::env::var("ROTOMASK_KILLS").map_or(12, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (whole_path, path) =
        (folder.path().join("whole.rotosession"), folder.path().join("shot.rotosession"));
    let mut whole = open_file(&whole_path);
    work(&mut whole, &mut |_, _| {});
    let want: Vec<_> = [1, 2].map(|object| masks(&mut whole, object, FRAMES)).into();

    let (mut state, mut finished) = (kills, 0);
    for kill in 0..kills {
        let mut child = start(&path);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(|line| line.ok());
        let mut told: BTreeMap<u32, u64> = BTreeMap::new();
        let mut note = |line: String| {
            let mut parts = line.strip_prefix("done ").unwrap_or_default().split(' ');
            if let (Some(Ok(object)), Some(Ok(frame))) =
                (parts.next().map(str::parse), parts.next().map(str::parse))
            {
                told.insert(object, frame);
            }
        };
        let opened = |line: &String| line == "opened";
        let pause = match kill % 4 {
            // While frames are tracked: some are waited for, then anything from nothing to more than a frame's time.
            0 | 1 => {
                let frames = chance(&mut state, 6) as usize;
                lines.by_ref().skip_while(|line| !opened(line)).take(frames + 1).for_each(&mut note);
                120_000
            }
            // While it is opened, or the first thing is said.
            2 => {
                let after = chance(&mut state, 3) > 0;
                let _ = lines.by_ref().take_while(|line| after && !opened(line)).count();
                if after { 12_000 } else { 400_000 }
            }
            // While something is said, taken back and said again: that comes when all frames are tracked.
            _ => {
                let last = format!("done 1 {}", FRAMES - 1);
                let seen: Vec<_> = lines.by_ref().take_while(|line| *line != last).collect();
                seen.into_iter().for_each(&mut note);
                25_000
            }
        };
        std::thread::sleep(Duration::from_micros(chance(&mut state, pause)));
        child.kill().unwrap();
        child.wait().unwrap();
        lines.for_each(&mut note);
        let Ok(file) = SessionFile::open(&path) else {
            assert!(!path.exists() && told.is_empty(), "kill {kill}: {}", path.display());
            continue;
        };
        assert_eq!(file.check(), Vec::<String>::new(), "kill {kill}");
        for (object, frame) in told {
            assert!(
                file.mask(object, frame).is_ok(),
                "kill {kill}: frame {frame} of object {object} was told"
            );
        }
        drop(file);
        if child_is_done(&path) {
            compare(&mut open_file(&path), &want);
            std::fs::remove_file(&path).unwrap();
            finished += 1;
        }
    }
    println!("{kills} kills, {finished} works finished in spite of them");
    let mut last = open_file(&path);
    work(&mut last, &mut |_, _| {});
    compare(&mut last, &want);
    assert_eq!(last.undoable().unwrap(), whole.undoable().unwrap());
    assert_eq!(last.objects(), whole.objects());
}

/// Whether there is a mask of both objects on every frame, and nothing waits to be redone.
fn child_is_done(path: &Path) -> bool {
    let session = open_file(path);
    let there = |o: &rotomask::session::ObjectInfo| {
        let tracked: u64 = o.tracked.iter().map(|range| range.end() - range.start() + 1).sum();
        tracked + o.prompted.len() as u64 == FRAMES
    };
    let objects = session.objects();
    objects.len() == 2
        && objects.iter().all(there)
        && session.waiting().is_empty()
        && session.outdated().is_empty()
}

fn compare(session: &mut Session, want: &[Vec<Option<rotomask::session::ObjectMask>>]) {
    for (object, want) in (1..).zip(want) {
        let found = masks(session, object, FRAMES);
        for (frame, (found, want)) in found.iter().zip(want).enumerate() {
            assert!(found.is_some() && found == want, "object {object}, frame {frame}");
        }
    }
}
