//! Sessions as files: what is written is read back, who may write, and what happens to files that are not well.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Barrier};

use half::{bf16, f16};
use tempfile::TempDir;

use super::*;
use crate::Error;
use crate::answer::{Answer, Origin, Shape};
use crate::frame::Size;
use crate::mask::LogitPlane;
use crate::memory_bank::Direction;
use crate::model::Memory;
use crate::prompt::{Box as Bounds, Click, FramePrompts, Mask};

/// SplitMix64: the same numbers on every machine.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }
}

pub(super) fn identity() -> Identity {
    Identity {
        model_name: "nano".into(),
        model_version: "1".into(),
        model_sha256: "a".repeat(64),
        size: Size::new(1921, 801).unwrap(),
        logit_side: 8,
        memory_len: 24,
        pointer_len: 5,
        precision: Precision::Single,
    }
}

/// An answer that depends on object and frame alone.
pub(super) fn answer(object: u32, frame: u64, origin: Origin) -> Answer {
    let mut dice = Dice(u64::from(object) << 32 | frame);
    let absent = dice.next().is_multiple_of(5);
    let values = (0..64).map(|_| if absent { -1024.0 } else { dice.unit() * 60.0 - 30.0 }).collect();
    Answer {
        origin,
        logits: LogitPlane { size: Size::new(8, 8).unwrap(), values },
        predicted_iou: dice.unit(),
        object_score: if absent { -3.5 } else { 4.25 },
        shape: Shape {
            stability: dice.unit(),
            area_cells: 17.0,
            bbox: (!absent).then(|| [0, 1, 2, dice.next() as u16]),
        },
        pointer: (0..5).map(|_| dice.unit() - 0.5).collect(),
        memory: Some(Memory((0..24).map(|_| bf16::from_f32(dice.unit() - 0.5)).collect())),
    }
}

impl Store {
    pub(super) fn has(&self, object: u32, frame: u64) -> bool {
        self.confidences(object, frame..=frame).next().is_some()
    }

    /// Which of the first hundred objects have an answer on a frame.
    pub(super) fn answered(&self, frame: u64) -> Vec<u32> {
        (0..100).filter(|&object| self.has(object, frame)).collect()
    }
}

const FORWARD: Origin = Origin::Tracked(Direction::Forward);
const REVERSE: Origin = Origin::Tracked(Direction::Reverse);

fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shot.rotosession");
    (folder, path)
}

fn prompts() -> FramePrompts {
    let size = identity().size;
    let mut inside = vec![0; size.area_px()];
    inside[5000..9000].fill(1);
    FramePrompts {
        mask: Some(Arc::new(Mask { size, inside })),
        bounds: Some(Bounds { x0_px: 1.5, y0_px: 2.0, x1_px: 1921.0, y1_px: 300.25 }),
        clicks: vec![
            Click { x_px: 480.25, y_px: 600.75, positive: true },
            Click { x_px: 1920.5, y_px: 0.0, positive: false },
        ],
    }
}

fn object(object: u32) -> ObjectRow {
    ObjectRow {
        object,
        place: -i64::from(object),
        name: format!("Häschen {object}"),
        state: vec![1, 2, object as u8],
    }
}

fn problem<T: std::fmt::Debug>(result: crate::Result<T>) -> String {
    match result.unwrap_err() {
        Error::Session { problem, .. } => problem,
        other => panic!("{other} is no answer of a session file"),
    }
}

/// A session with three objects and some of everything.
fn filled(path: &Path) -> Store {
    let mut store = Store::create(path, &identity()).unwrap();
    store
        .write_through(|batch| {
            (1..=3).try_for_each(|o| batch.put_object(&object(o)))?;
            batch.put_prompts(2, 7, &prompts())?;
            batch.put_cut(40, true)?;
            batch.put_note("options", b"{}")?;
            batch.push_history(&Past { step: b"click".to_vec(), ..Past::default() }).map(drop)
        })
        .unwrap();
    for frame in 0..50 {
        store
            .write(|batch| {
                let origin = if frame == 7 { Origin::Prompted } else { FORWARD };
                (1..=3).try_for_each(|o| batch.put_answer(o, frame, &answer(o, frame, origin)))?;
                batch
                    .put_frame(frame, &FrameRow { hash: [frame as u8; 16], signature: vec![frame as u8; 48] })
            })
            .unwrap();
    }
    store
}

fn assert_filled(store: &Store) {
    let loaded = store.load().unwrap();
    assert_eq!(loaded.objects, [object(3), object(2), object(1)]);
    let FramePrompts { mask, bounds, clicks } = prompts();
    assert_eq!(loaded.prompts, [PromptRow { object: 2, frame: 7, clicks, bounds, masked: true }]);
    assert_eq!((loaded.cuts, loaded.history), (vec![40], Ends { oldest: 1, at: 1, newest: 1 }));
    assert_eq!(store.prompt_mask(2, 7).unwrap().as_ref(), mask.as_deref());
    assert_eq!(store.prompt_mask(2, 8).unwrap(), None);
    assert_eq!(store.note("options").unwrap().unwrap(), b"{}");
    assert_eq!(store.frame(49).unwrap(), Some(FrameRow { hash: [49; 16], signature: vec![49; 48] }));
    for frame in 0..50 {
        assert_eq!(store.answered(frame), [1, 2, 3]);
        let origin = if frame == 7 { Origin::Prompted } else { FORWARD };
        for o in 1..=3 {
            assert_eq!(store.answer(o, frame).unwrap().unwrap(), answer(o, frame, origin));
        }
    }
    assert_eq!(store.check(), Vec::<String>::new());
}

#[test]
fn what_was_written_is_read_back_to_the_bit_after_reopening() {
    let (folder, path) = place();
    let store = filled(&path);
    assert_filled(&store);
    drop(store);
    assert_filled(&Store::open(&path, Access::Read).unwrap());
    let store = Store::open(&path, Access::Write).unwrap();
    assert_eq!(store.identity(), &identity());
    assert_filled(&store);
    drop(store);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["shot.rotosession"], "nothing stays beside a session that was closed");
}

#[test]
fn a_temporary_session_behaves_alike() {
    let mut store = Store::temporary(&identity()).unwrap();
    store.write(|batch| batch.put_answer(1, 3, &answer(1, 3, REVERSE))).unwrap();
    assert_eq!(store.answer(1, 3).unwrap().unwrap(), answer(1, 3, REVERSE));
    let failed = store.write(|batch| {
        batch.put_answer(1, 4, &answer(1, 4, FORWARD))?;
        Err::<(), _>(Error::Cancelled)
    });
    assert!(matches!(failed, Err(Error::Cancelled)));
    assert!(!store.has(1, 4));
}

#[test]
fn numbers_that_are_none_and_half_precision_come_back_too() {
    let mut store = Store::temporary(&Identity { precision: Precision::Half, ..identity() }).unwrap();
    let mut odd = answer(1, 0, FORWARD);
    odd.logits.values[..4].copy_from_slice(&[-0.0, 6e-8, f32::MIN_POSITIVE, 65504.0]);
    odd.predicted_iou = f32::NAN;
    odd.object_score = f32::NEG_INFINITY;
    let mut rounded = answer(1, 1, FORWARD);
    Precision::Half.round(&mut rounded.logits.values);
    store
        .write(|batch| {
            batch.put_answer(1, 0, &odd)?;
            batch.put_answer(1, 1, &rounded)
        })
        .unwrap();
    let read = store.answer(1, 0).unwrap().unwrap();
    assert!(read.predicted_iou.is_nan() && read.object_score == f32::NEG_INFINITY);
    let bits = |a: &Answer| a.logits.values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&read), bits(&odd));
    assert_eq!(store.answer(1, 1).unwrap().unwrap(), rounded);
    assert_eq!(f16::from_f32(rounded.logits.values[0]).to_f32(), rounded.logits.values[0]);
}

#[test]
fn a_frame_is_kept_with_all_its_objects_or_not_at_all() {
    let (_folder, path) = place();
    let mut store = Store::create(&path, &identity()).unwrap();
    let failed = store.write(|batch| {
        batch.put_answer(1, 0, &answer(1, 0, FORWARD))?;
        assert!(batch.store.has(1, 0));
        Err::<(), _>(Error::Cancelled)
    });
    assert!(matches!(failed, Err(Error::Cancelled)));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = store.write(|batch| -> crate::Result<()> {
            batch.put_answer(1, 0, &answer(1, 0, FORWARD))?;
            panic!("in the middle of a frame");
        });
    }));
    assert!(panicked.is_err());
    assert!(!store.has(1, 0));
    store.write(|batch| batch.put_answer(1, 0, &answer(1, 0, FORWARD))).unwrap();
    assert!(store.has(1, 0));
}

#[test]
fn answers_are_replaced_forgotten_and_lose_their_memories_as_told() {
    let mut store = Store::temporary(&identity()).unwrap();
    store
        .write(|batch| {
            (0..20).try_for_each(|f| batch.put_answer(1, f, &answer(1, f, FORWARD)))?;
            (0..20).try_for_each(|f| batch.put_answer(2, f, &answer(2, f, FORWARD)))?;
            batch.put_answer(1, 5, &answer(9, 9, Origin::Prompted))?;
            batch.put_answer(1, 6, &answer(1, 6, REVERSE))?;
            batch.drop_memories(1, ..10, Which::Tracked)?;
            batch.forget(1, 8..=12, Which::Tracked)?;
            batch.forget(1, 15.., Which::All)
        })
        .unwrap();
    let remembered = |f| store.answer(1, f).unwrap().map(|a| a.memory.is_some());
    let (with, without) = (Some(true), Some(false));
    assert_eq!([4, 5, 6, 7, 8, 13].map(remembered), [without, with, without, without, None, with]);
    assert_eq!(store.answer(1, 5).unwrap().unwrap(), answer(9, 9, Origin::Prompted));
    let spans = |store: &Store, object| -> Vec<_> {
        file::ranges(store, object).unwrap().iter().map(|r| (r.first, r.last, r.origin)).collect()
    };
    let want =
        [(0, 4, "forward"), (5, 5, "prompted"), (6, 6, "reverse"), (7, 7, "forward"), (13, 14, "forward")];
    assert_eq!(spans(&store, 1), want);
    assert_eq!(spans(&store, 2), [(0, 19, "forward")]);
    store.write(|batch| batch.remove_object(1)).unwrap();
    assert_eq!((spans(&store, 1), store.answered(3)), (vec![], vec![2]));
    assert_eq!(store.check(), Vec::<String>::new());
}

#[test]
fn confidences_are_read_in_order_over_more_than_one_page() {
    let mut store = Store::temporary(&identity()).unwrap();
    store
        .write(|batch| (0..2500).try_for_each(|f| batch.put_answer(1, f * 2, &answer(1, f, FORWARD))))
        .unwrap();
    let frames = |range: std::ops::RangeInclusive<u64>| {
        store.confidences(1, range).map(|c| c.unwrap().frame).collect::<Vec<_>>()
    };
    assert_eq!(frames(0..=u64::MAX), (0..2500).map(|f| f * 2).collect::<Vec<_>>());
    assert_eq!(frames(3..=8), [4, 6, 8]);
    assert_eq!(frames(9..=9), [0; 0]);
    let known = store.confidences(1, 10..=10).next().unwrap().unwrap();
    let want = answer(1, 5, FORWARD);
    assert_eq!((known.predicted_iou, known.shape), (want.predicted_iou, want.shape));
    assert!(!store.has(1, 11));
}

#[test]
fn steps_are_undone_redone_and_give_way_to_new_ones() {
    let mut store = Store::temporary(&identity()).unwrap();
    let past = |n: u8| Past {
        step: vec![n],
        answer: (n % 2 == 1).then(|| answer(1, u64::from(n), Origin::Prompted)),
        mask: prompts().mask.filter(|_| n == 2).map(|mask| (*mask).clone()),
    };
    let ends = |store: &Store| store.history_ends().map(|e| (e.oldest, e.at, e.newest)).unwrap();
    assert_eq!(ends(&store), (1, 0, 0));
    store.write(|batch| (1..=4).try_for_each(|n| batch.push_history(&past(n)).map(drop))).unwrap();
    assert_eq!(ends(&store), (1, 4, 4));
    assert_eq!(store.history(2).unwrap(), Some(past(2)));
    store.write(|batch| batch.set_history_at(1)).unwrap();
    assert_eq!(ends(&store), (1, 1, 4));
    assert_eq!(store.history(3).unwrap(), Some(past(3)));
    store.write(|batch| batch.replace_history(3, &past(5))).unwrap();
    assert_eq!(store.history(3).unwrap(), Some(past(5)));
    assert_eq!(store.write(|batch| batch.push_history(&past(7))).unwrap(), 2);
    assert_eq!((ends(&store), store.history(3).unwrap()), ((1, 2, 2), None));
    let said = problem(store.write(|batch| batch.set_history_at(3)));
    assert_eq!(said, "step 3 is not kept, expected 0 to 2");
    store.write(|batch| (0..1100).try_for_each(|_| batch.push_history(&past(8)).map(drop))).unwrap();
    assert_eq!(ends(&store), (103, 1102, 1102));
    store.write(|batch| batch.set_history_at(102)).unwrap();
    assert_eq!(ends(&store), (103, 102, 1102));
    assert_eq!(store.write(|batch| batch.push_history(&past(9))).unwrap(), 103);
    assert_eq!(ends(&store), (103, 103, 103));
    store.write(|batch| batch.clear_history()).unwrap();
    assert_eq!(ends(&store), (1, 0, 0));
}

#[test]
fn answers_of_another_model_are_refused_with_both_numbers() {
    let mut store = Store::temporary(&identity()).unwrap();
    let mut said = |change: &dyn Fn(&mut Answer)| {
        let mut other = answer(1, 0, FORWARD);
        change(&mut other);
        problem(store.write(|batch| batch.put_answer(1, 0, &other)))
    };
    assert_eq!(said(&|a| a.pointer.push(0.0)), "an answer's pointer has 6 numbers, expected 5");
    assert_eq!(said(&|a| a.memory = Some(Memory(vec![]))), "an answer's memory has 0 numbers, expected 24");
    assert_eq!(said(&|a| a.logits.size.width_px = 9), "an answer is 9x8, expected 8x8");
    let said = problem(store.write(|batch| batch.put_answer(1, u64::MAX, &answer(1, 0, FORWARD))));
    assert!(said.starts_with("frame 18446744073709551615 can't be kept"), "{said}");
}

#[test]
fn readers_see_whole_frames_while_another_thread_writes() {
    let (_folder, path) = place();
    let mut store = Store::create(&path, &identity()).unwrap();
    let start = Barrier::new(3);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let reader = Store::open(&path, Access::Read).unwrap();
                start.wait();
                let mut seen = 0;
                while seen < 200 {
                    let last = reader.confidences(2, ..).last().map_or(0, |c| c.unwrap().frame);
                    assert!(last >= seen, "frame {seen} was there before");
                    // Both objects of a frame come at once, the second was put last.
                    assert_eq!(reader.answered(last).len(), if last == 0 { 0 } else { 2 });
                    seen = last;
                }
                let said = problem(Store::open(&path, Access::Write));
                assert!(said.starts_with("it is being written by another session"), "{said}");
            });
        }
        start.wait();
        for frame in 1..=200 {
            let put = |batch: &Batch<'_>| {
                (1..=2).try_for_each(|o| batch.put_answer(o, frame, &answer(o, frame, FORWARD)))
            };
            store.write(put).unwrap();
        }
    });
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_done() {
    let (_folder, path) = place();
    let first = filled(&path);
    let said = Store::open(&path, Access::Write).unwrap_err().to_string();
    let want = "it is being written by another session, expected one writer at a time; it can be opened for \
                reading";
    assert_eq!(said, format!("{}: {want}", path.display()));
    let mut reader = Store::open(&path, Access::Read).unwrap();
    let said = problem(reader.write(|batch| batch.put_cut(1, true)));
    assert_eq!(said, "it is open for reading, expected for writing");
    drop(first);
    let second = Store::open(&path, Access::Write).unwrap();
    assert_filled(&second);
    assert_filled(&reader);
}

#[test]
fn a_file_that_is_there_is_never_replaced() {
    let (folder, path) = place();
    for contents in ["", "something else"] {
        fs::write(&path, contents).unwrap();
        let said = problem(Store::create(&path, &identity()));
        assert_eq!(said, "there is a file of this name, expected none; it is left as it is");
        assert_eq!(fs::read_to_string(&path).unwrap(), contents);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let said = problem(Store::create(&folder.path().join("no/such/folder.rotosession"), &identity()));
    assert!(said.starts_with("it can't be made: "), "{said}");
    assert!(problem(Store::create(Path::new("/"), &identity())).contains("no file name"));
}

#[test]
fn what_a_killed_maker_left_is_no_hindrance() {
    let (_folder, path) = place();
    fs::write(lock::beside(&path, "-draft"), "half of a file").unwrap();
    fs::write(lock::beside(&path, "-lock"), "").unwrap();
    assert_filled(&filled(&path));
}

#[test]
fn other_files_are_refused_and_left_as_they_are() {
    let (folder, path) = place();
    let refused = |want: &str| {
        let before = fs::read(&path).unwrap();
        for access in [Access::Read, Access::Write] {
            let said = problem(Store::open(&path, access));
            assert!(said.starts_with(want), "{said}");
        }
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    };
    fs::write(&path, "").unwrap();
    refused("it is no session file: found an SQLite database of application 0x00000000");
    fs::write(&path, vec![b'x'; 5000]).unwrap();
    refused("it is no session file: found other contents");
    fs::remove_file(&path).unwrap();
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE t (x); PRAGMA user_version = 1").unwrap();
    drop(foreign);
    refused("it is no session file: found an SQLite database of application 0x00000000, expected 0x726f746f");
    assert!(problem(Store::open(folder.path(), Access::Read)).starts_with("it is no file"));
    let said = problem(Store::open(&folder.path().join("none"), Access::Write));
    assert!(said.starts_with("it can't be opened: "), "{said}");
}

/// Changes a session behind the library's back.
fn tamper(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[test]
fn a_newer_format_is_refused_and_one_that_never_was_is_damage() {
    let (_folder, path) = place();
    drop(filled(&path));
    tamper(&path, "PRAGMA user_version = 2");
    let said = problem(Store::open(&path, Access::Write));
    assert_eq!(said, "it was written by a newer rotomask: found format 2, expected at most 1");
    tamper(&path, "PRAGMA user_version = -1");
    let said = problem(Store::open(&path, Access::Read));
    assert_eq!(said, "it is damaged: found format -1, expected 1 to 1");
}

#[test]
fn tables_that_were_not_made_here_are_refused() {
    for (sql, want) in [
        ("CREATE TRIGGER t AFTER INSERT ON cuts BEGIN DELETE FROM objects; END", "found 11 tables"),
        ("DROP TABLE notes", "found 9 tables"),
        (
            "DROP TABLE notes; CREATE VIEW notes AS SELECT 1 AS name, 2 AS value",
            "found the table `CREATE VIEW notes",
        ),
        ("DELETE FROM identity", "it doesn't say which model"),
        ("UPDATE identity SET logit_side = 2000000000", "its masks' side is 2000000000, expected 1 to 1024"),
        ("UPDATE identity SET width_px = -1", "its width has the number -1"),
        ("UPDATE identity SET height_px = 70000", "frame: its size is 1921x70000"),
        ("UPDATE identity SET precision = 8", "its precision is 8, expected 16 or 32"),
    ] {
        let (_folder, path) = place();
        drop(filled(&path));
        tamper(&path, sql);
        let said = problem(Store::open(&path, Access::Read));
        assert!(said.starts_with(&format!("it is damaged: {want}")), "{said}");
    }
}

#[test]
fn a_damaged_field_is_told_by_table_object_and_frame() {
    for (sql, want) in [
        (
            "UPDATE planes SET logits = x'00' WHERE id = 1",
            "table planes, object 1, frame 0: logits: it has 0 bytes, expected 256",
        ),
        (
            "UPDATE planes SET pointer = x'' WHERE id = 1",
            "table planes, object 1, frame 0: pointer: it is empty",
        ),
        ("DELETE FROM planes WHERE id = 1", "table planes, object 1, frame 0: there is no such row"),
        (
            "UPDATE memories SET memory = x'0001' WHERE id = 1",
            "table memories, object 1, frame 0: it has 2 bytes, expected 48",
        ),
        ("UPDATE answers SET origin = 3 WHERE id = 1", "an answer's origin is 3, expected 0 to 2"),
        (
            "UPDATE prompts SET clicks = x'00'",
            "table prompts, object 2, frame 7: clicks: 1 bytes, expected a multiple of 9 up to 2304",
        ),
        (
            "UPDATE prompts SET bounds = zeroblob(16)",
            "table prompts, object 2, frame 7: prompt: the box is 0, 0 to 0, 0",
        ),
        (
            "UPDATE prompts SET mask = x'0400'",
            "table prompts, object 2, frame 7: mask: it has 1 bytes, expected 192341",
        ),
        ("UPDATE history SET answer = x'0102'", "table history, step 1: the answer is cut short"),
        ("UPDATE identity SET history_at = 5", "table history: steps 1 to 1, of which 5 is the last done"),
        ("INSERT INTO objects VALUES (-4, 0, '', x'')", "an object has the number -4"),
    ] {
        let (_folder, path) = place();
        drop(filled(&path));
        tamper(&path, sql);
        let store = Store::open(&path, Access::Read).unwrap();
        let problems = store.check();
        let want = format!("{}: it is damaged: {want}", store.path().display());
        assert!(problems.iter().any(|p| p.starts_with(&want)), "{sql}: {problems:?}");
    }
}

#[test]
fn a_field_of_enormous_length_is_refused_before_it_is_read() {
    let (_folder, path) = place();
    drop(filled(&path));
    tamper(&path, "UPDATE planes SET logits = zeroblob(50000000) WHERE id = 1");
    let store = Store::open(&path, Access::Read).unwrap();
    let said = problem(store.answer(1, 0));
    assert_eq!(said, "it is damaged: a field is longer than any that was ever written");
    assert_eq!(store.answer(1, 1).unwrap().unwrap(), answer(1, 1, FORWARD));
}

#[test]
fn a_sound_session_is_salvaged_whole() {
    let (folder, path) = place();
    drop(filled(&path));
    let new = folder.path().join("new.rotosession");
    let done = Store::salvage(&path, &new).unwrap();
    assert_eq!(done, Salvaged { objects: 3, prompts: 1, answers: 150, lost: 0, gaps: 0 });
    assert_filled(&Store::open(&new, Access::Read).unwrap());
    assert!(problem(Store::salvage(&path, &new)).starts_with("there is a file of this name"));
}

#[test]
fn what_is_left_of_a_damaged_session_is_salvaged_and_the_damaged_one_untouched() {
    let (folder, path) = place();
    drop(filled(&path));
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    let mut dice = Dice(11);
    let mut saved = 0;
    for page in 1..pages {
        let mut bytes = whole.clone();
        bytes[page * 4096..][..4096].fill_with(|| dice.next() as u8);
        fs::write(&path, &bytes).unwrap();
        let new = folder.path().join(format!("{page}.rotosession"));
        if let Ok(done) = Store::salvage(&path, &new) {
            let store = Store::open(&new, Access::Read).unwrap();
            assert_eq!(store.check(), Vec::<String>::new(), "page {page}");
            for object in 1..=3 {
                for known in store.confidences(object, ..) {
                    let known = known.unwrap();
                    let read = store.answer(object, known.frame).unwrap().unwrap();
                    assert_eq!(read.logits, answer(object, known.frame, known.origin).logits, "page {page}");
                }
            }
            assert!(done.gaps < 3, "page {page}: {done:?}");
            saved += done.answers;
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "page {page}");
    }
    let kept = saved as f64 / (150 * (pages - 1)) as f64;
    assert!(kept > 0.8, "{kept} of the answers were salvaged");
}

#[test]
fn a_session_that_is_cut_short_or_garbled_anywhere_is_never_trusted_nor_changed() {
    let (_folder, path) = place();
    drop(filled(&path));
    let whole = fs::read(&path).unwrap();
    let mut dice = Dice(5);
    for round in 0..60 {
        let mut bytes = whole.clone();
        if round % 3 == 0 {
            bytes.truncate((dice.next() as usize) % whole.len());
        } else {
            for _ in 0..1 << (round % 8) {
                let at = dice.next() as usize % whole.len();
                bytes[at] = dice.next() as u8;
            }
        }
        fs::write(&path, &bytes).unwrap();
        if let Ok(store) = Store::open(&path, Access::Read) {
            let _ = (store.check(), store.load());
            for known in store.confidences(1, ..) {
                let Ok(known) = known else { break };
                let _ = store.answer(1, known.frame);
            }
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "round {round}");
    }
}

#[test]
fn a_full_disk_is_said_and_what_was_kept_stays() {
    let (_folder, path) = place();
    let mut store = filled(&path);
    // SQLite's own limit stands in for the disk's.
    store.connection.pragma_update(None, "max_page_count", 1).unwrap();
    let mut last = Ok(());
    for frame in 100..2000 {
        last = store.write(|batch| batch.put_answer(1, frame, &answer(1, frame, FORWARD)));
        if last.is_err() {
            break;
        }
    }
    assert_eq!(problem(last), "the disk is full; what was kept before is whole");
    assert_filled(&Store::open(&path, Access::Read).unwrap());
}

#[test]
fn a_session_is_summed_up_by_objects_prompts_and_ranges() {
    let (_folder, path) = place();
    let mut store = filled(&path);
    store
        .write(|batch| {
            batch.forget(2, 20..30, Which::All)?;
            batch.put_answer(2, 30, &answer(2, 30, REVERSE))
        })
        .unwrap();
    let file = SessionFile::open(&path).unwrap();
    let summary = file.summary().unwrap();
    assert_eq!((summary.model.as_str(), summary.precision_bits, summary.cuts), ("nano", 32, vec![40]));
    assert_eq!((summary.undo_steps, summary.redo_steps), (1, 0));
    assert_eq!(summary.objects.iter().map(|o| o.id).collect::<Vec<_>>(), [3, 2, 1]);
    let object = &summary.objects[1];
    assert_eq!(
        (object.name.as_str(), object.prompts[0].frame, object.prompts[0].mask),
        ("Häschen 2", 7, true)
    );
    assert_eq!(object.prompts[0].positive, [[480.25, 600.75]]);
    let ranges: Vec<_> = object.ranges.iter().map(|r| (r.first, r.last, r.origin)).collect();
    let want =
        [(0, 6, "forward"), (7, 7, "prompted"), (8, 19, "forward"), (30, 30, "reverse"), (31, 49, "forward")];
    assert_eq!(ranges, want);
    let known: Vec<_> = store.confidences(2, 8..=19).map(|c| c.unwrap()).collect();
    let mean = known.iter().map(|c| f64::from(c.predicted_iou)).sum::<f64>() / 12.0;
    let worst = known.iter().min_by(|a, b| a.predicted_iou.total_cmp(&b.predicted_iou)).unwrap();
    let range = &object.ranges[2];
    assert!((range.predicted_iou - mean).abs() < 1e-9);
    assert_eq!(range.worst, (worst.frame, worst.predicted_iou));
    assert_eq!(range.seen, known.iter().filter(|c| c.object_score > 0.0).count() as u64);
    assert_eq!(file.mask(2, 30).unwrap(), answer(2, 30, REVERSE).logits);
    let said = file.mask(2, 25).unwrap_err().to_string();
    assert!(said.ends_with("object 2 has no mask on frame 25"), "{said}");
    assert_eq!(file.check(), Vec::<String>::new());
}

#[test]
fn a_session_that_another_tool_has_tidied_up_is_still_one() {
    let (_folder, path) = place();
    drop(filled(&path));
    tamper(&path, "PRAGMA journal_mode = DELETE; PRAGMA page_size = 1024; VACUUM; ANALYZE");
    assert_filled(&Store::open(&path, Access::Write).unwrap());
}
