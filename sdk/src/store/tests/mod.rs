//! Sessions as files. What the tests share: an identity, answers that depend on object and frame alone, a filled session.

mod damage;
mod reading;
mod sharing;
mod writing;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Barrier};

use half::{bf16, f16};
use tempfile::TempDir;

use super::*;
use crate::Error;
use crate::answer::{Answer, Origin};
use crate::frame::Size;
use crate::mask::{Bounds, LogitPlane, Shape};
use crate::memory_bank::Direction;
use crate::model::Memory;
use crate::prompt::{Box, Click, FramePrompts, Mask};

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
            area_px: 17,
            bounds: (!absent).then(|| Bounds {
                x0_px: 0,
                y0_px: 1,
                x1_px: 3,
                y1_px: 2 + dice.next() as u32 % 65535,
            }),
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
        bounds: Some(Box { x0_px: 1.5, y0_px: 2.0, x1_px: 1921.0, y1_px: 300.25 }),
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

fn tamper(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
    connection.execute_batch(sql).unwrap();
}
