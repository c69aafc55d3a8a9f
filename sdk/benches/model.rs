//! What each graph costs, alone and for several objects: `cargo bench --bench model`.
//!
//! The default model, or the package that `ROTOMASK_MODEL` names, on as many threads as there are cores.

#![allow(clippy::unwrap_used, reason = "a benchmark that can't go on should stop")]

use std::sync::OnceLock;

use divan::Bencher;
use rotomask::model::{Model, ModelOptions, Probe};

const OBJECTS: [usize; 4] = [1, 2, 4, 8];

/// A model on so many threads; 0 for all.
fn open(threads: usize) -> Model {
    let folder = std::env::var_os("ROTOMASK_MODEL").map(Into::into);
    Model::open(&ModelOptions { folder, threads, ..ModelOptions::default() }).unwrap()
}

fn probe() -> &'static Probe<'static> {
    static MODEL: OnceLock<Model> = OnceLock::new();
    static PROBE: OnceLock<Probe<'static>> = OnceLock::new();
    PROBE.get_or_init(|| Probe::new(MODEL.get_or_init(|| open(0)), OBJECTS[3]).unwrap())
}

/// On half of the cores.
fn halved() -> &'static Probe<'static> {
    static MODEL: OnceLock<Model> = OnceLock::new();
    static PROBE: OnceLock<Probe<'static>> = OnceLock::new();
    let half = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
    PROBE.get_or_init(|| Probe::new(MODEL.get_or_init(|| open(half)), OBJECTS[3]).unwrap())
}

fn main() {
    probe().encode_beside().unwrap();
    halved();
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

/// As `frame`, but the next frame is encoded meanwhile, as `Session::track` does it: the encoder on half of the threads.
#[divan::bench(args = OBJECTS)]
fn frame_overlapped(bencher: Bencher<'_, '_>, objects: usize) {
    bencher.bench(|| {
        std::thread::scope(|scope| {
            let next = scope.spawn(|| probe().encode_beside().unwrap());
            probe().track(objects).unwrap();
            next.join().unwrap();
        });
    });
}

/// As `frame_overlapped`, each side on a model of its own with half of the threads.
#[divan::bench(args = OBJECTS)]
fn frame_overlapped_in_halves(bencher: Bencher<'_, '_>, objects: usize) {
    bencher.bench(|| {
        std::thread::scope(|scope| {
            let next = scope.spawn(|| probe().encode_beside().unwrap());
            halved().track(objects).unwrap();
            next.join().unwrap();
        });
    });
}

/// As `frame_overlapped`, with the encoder on all threads as well.
#[divan::bench(args = OBJECTS)]
fn frame_overlapped_on_all_cores(bencher: Bencher<'_, '_>, objects: usize) {
    bencher.bench(|| {
        std::thread::scope(|scope| {
            let next = scope.spawn(|| probe().encode().unwrap());
            probe().track(objects).unwrap();
            next.join().unwrap();
        });
    });
}

/// A click on a frame that is encoded: a mask, and what is remembered of it.
#[divan::bench]
fn click(bencher: Bencher<'_, '_>) {
    bencher.bench(|| probe().click().unwrap());
}
