//! Files that are not well: told of, salvaged, never changed.

use super::*;

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
