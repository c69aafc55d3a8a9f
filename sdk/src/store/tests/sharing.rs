//! Who may write, who reads meanwhile, and files that were there before.

use super::*;

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
#[test]
fn a_session_that_another_tool_has_tidied_up_is_still_one() {
    let (_folder, path) = place();
    drop(filled(&path));
    tamper(&path, "PRAGMA journal_mode = DELETE; PRAGMA page_size = 1024; VACUUM; ANALYZE");
    assert_filled(&Store::open(&path, Access::Write).unwrap());
}
