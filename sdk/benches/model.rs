//! What each graph costs, alone and for several objects: `cargo bench --bench model`.
//!
//! The default model, or the package that `ROTOMASK_MODEL` names, on as many threads as there are cores.

#![allow(clippy::unwrap_used, reason = "a benchmark that can't go on should stop")]

use std::sync::OnceLock;

use divan::Bencher;
use rotomask::model::{Model, ModelOptions, Probe};

const OBJECTS: [usize; 4] = [1, 2, 4, 8];

fn probe() -> &'static Probe<'static> {
    static MODEL: OnceLock<Model> = OnceLock::new();
    static PROBE: OnceLock<Probe<'static>> = OnceLock::new();
    let open = || {
        let folder = std::env::var_os("ROTOMASK_MODEL").map(Into::into);
        Model::open(&ModelOptions { folder, ..ModelOptions::default() }).unwrap()
    };
    PROBE.get_or_init(|| Probe::new(MODEL.get_or_init(open), OBJECTS[3]).unwrap())
}

fn main() {
    probe();
    divan::main();
}

/// A frame to features.
#[divan::bench]
fn image_encoder(bencher: Bencher<'_, '_>) {
    bencher.bench(|| probe().encode().unwrap());
}

/// Full memories held against the features.
#[divan::bench(args = OBJECTS)]
fn memory_attention(bencher: Bencher<'_, '_>, objects: usize) {
    bencher.bench(|| probe().attend(objects).unwrap());
}

/// A tracked frame of so many objects, its encoder included.
#[divan::bench(args = OBJECTS)]
fn frame(bencher: Bencher<'_, '_>, objects: usize) {
    bencher.bench(|| {
        probe().encode().unwrap();
        probe().track(objects).unwrap()
    });
}

/// A tracked frame of so many objects, each asked alone.
#[divan::bench(args = OBJECTS)]
fn frame_singly(bencher: Bencher<'_, '_>, objects: usize) {
    bencher.bench(|| {
        probe().encode().unwrap();
        (0..objects).for_each(|_| drop(probe().track(1).unwrap()));
    });
}

/// A click on a frame that is encoded: a mask, and what is remembered of it.
#[divan::bench]
fn click(bencher: Bencher<'_, '_>) {
    bencher.bench(|| probe().click().unwrap());
}
