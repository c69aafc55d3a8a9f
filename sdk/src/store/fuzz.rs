//! Whatever bytes come, as a session file and as the fields of one: what the fuzzer runs, and its corpus as a test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Access, Identity, Precision, Store, codec, history, prompts};
use crate::frame::Size;

/// Opens the bytes as a session file, reads all of it, and salvages it. It must stay as it is, and what was salvaged be
/// sound.
pub fn session_file(bytes: &[u8]) {
    let folder = Folder::make();
    let (path, fresh) = (folder.0.join("a.rotosession"), folder.0.join("b.rotosession"));
    std::fs::write(&path, bytes).expect("the temporary folder can be written");
    if let Ok(store) = Store::open(&path, Access::Read) {
        read_all(&store);
    }
    if Store::salvage(&path, &fresh).is_ok() {
        let store = Store::open(&fresh, Access::Read).expect("what was salvaged can be opened");
        let problems = store.check();
        assert!(problems.is_empty(), "{problems:?}");
    }
    let after = std::fs::read(&path).expect("it is still there");
    assert!(after == bytes, "the file was changed");
}

fn read_all(store: &Store) {
    let _ = store.check();
    let Ok(loaded) = store.load() else { return };
    for row in loaded.prompts {
        let _ = store.prompt_mask(row.object, row.frame);
    }
    for object in loaded.objects {
        for known in store.confidences(object.object, ..) {
            let Ok(known) = known else { break };
            let _ = (store.answer(object.object, known.frame), store.frame(known.frame));
        }
    }
    let _ = store.history(loaded.history.at);
}

/// Reads the bytes as a field of each kind. What can be read must come back from what is then written.
pub fn session_fields(bytes: &[u8]) {
    let size = Size { width_px: 37, height_px: 23 };
    if let Ok(values) = codec::read_floats(bytes, 64, 8) {
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let again = codec::read_floats(&codec::plane(&values, 8), 64, 8).expect("it was just written");
        assert_eq!(bits(&again), bits(&values));
    }
    if let Ok(inside) = codec::read_mask(bytes, size.area_px()) {
        assert!(inside.iter().all(|&pixel| pixel < 2));
        assert_eq!(codec::read_mask(&codec::mask(&inside), inside.len()), Ok(inside));
    }
    let _ = codec::read_memory(bytes, 24);
    prompts::fuzz(bytes, size);
    let model = String::new();
    let identity = Identity {
        model_name: model.clone(),
        model_version: model.clone(),
        model_sha256: model,
        size,
        logit_side: 8,
        memory_len: 24,
        pointer_len: 5,
        precision: Precision::Single,
    };
    history::fuzz(bytes, &identity);
}

/// A folder of its own that is gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rotomask-fuzz-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::Connection;

    use super::super::history::Past;
    use super::super::tests::{answer, identity};
    use super::super::{FrameRow, ObjectRow};
    use super::*;
    use crate::answer::Origin;
    use crate::memory_bank::Direction;
    use crate::prompt::{Box as Bounds, Click, FramePrompts};

    fn corpus() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz")
    }

    #[test]
    fn the_corpus_is_read_or_refused_and_never_changed() {
        for (kind, run) in [("session_file", session_file as fn(&[u8])), ("session_fields", session_fields)] {
            let mut count = 0;
            for entry in std::fs::read_dir(corpus().join(kind)).unwrap() {
                run(&std::fs::read(entry.unwrap().path()).unwrap());
                count += 1;
            }
            assert!(count > 0, "{kind} has no corpus");
        }
    }

    /// Small pages, so that each has something to be changed.
    fn small_session(path: &Path) -> Vec<u8> {
        let mut store = Store::create(path, &identity()).unwrap();
        let click = Click { x_px: 4.5, y_px: 5.0, positive: true };
        let bounds = Some(Bounds { x0_px: 1.0, y0_px: 2.0, x1_px: 30.0, y1_px: 40.0 });
        store
            .write(|batch| {
                for object in 1..=2 {
                    let (place, name, state) = (0, format!("{object}"), vec![b'{', b'}']);
                    batch.put_object(&ObjectRow { object, place, name, state })?;
                    for frame in 0..6 {
                        let origin = match frame {
                            0 => Origin::Prompted,
                            _ => Origin::Tracked(Direction::Forward),
                        };
                        batch.put_answer(object, frame, &answer(object, frame, origin))?;
                    }
                }
                batch.put_prompts(1, 0, &FramePrompts { clicks: vec![click; 2], bounds, mask: None })?;
                batch.put_frame(0, &FrameRow { hash: [3; 16], signature: vec![1; 20] })?;
                batch.put_cut(5, true)?;
                let answer = Some(answer(1, 0, Origin::Prompted));
                batch.push_history(&Past { step: b"click".to_vec(), answer, mask: None }).map(drop)
            })
            .unwrap();
        drop(store);
        let connection = Connection::open(path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM").unwrap();
        connection.close().unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    #[ignore = "writes what the corpus begins with"]
    fn the_corpus_is_begun() {
        let folder = Folder::make();
        let put = |kind: &str, name: &str, bytes: &[u8]| {
            std::fs::create_dir_all(corpus().join(kind)).unwrap();
            std::fs::write(corpus().join(kind).join(name), bytes).unwrap();
        };
        let whole = small_session(&folder.0.join("small.rotosession"));
        put("session_file", "whole", &whole);
        put("session_file", "cut_short", &whole[..whole.len() / 2]);
        for page in [5, 20, 30] {
            let mut torn = whole.clone();
            torn[page * 512 + 8..][..256].fill(0xA5);
            put("session_file", &format!("torn_{page}"), &torn);
        }
        let some = answer(1, 0, Origin::Prompted);
        put("session_fields", "plane", &codec::plane(&some.logits.values, 8));
        put("session_fields", "absent", &codec::plane(&[-1024.0; 64], 8));
        put("session_fields", "floats", &codec::floats(&some.logits.values));
        put("session_fields", "memory", &codec::memory(&some.memory.as_ref().unwrap().0));
        let inside: Vec<u8> = (0..37 * 23).map(|at| u8::from(at % 37 > 20)).collect();
        put("session_fields", "runs", &codec::mask(&inside));
        let checks: Vec<u8> = (0..37 * 23).map(|at| at as u8 & 1).collect();
        put("session_fields", "bits", &codec::mask(&checks));
        put("session_fields", "step", &history::tell(&some, &identity()).unwrap());
        put("session_fields", "click", &[0, 0, 128, 64, 0, 0, 160, 64, 1]);
        put("session_fields", "box", &[0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 128, 64, 0, 0, 160, 64]);
    }
}
