//! What no single file can show: the same bits however the work is spread, and on bound tensors.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Model, ModelOptions, Probe, Provider};
use crate::error::Error;

const OBJECTS: usize = 5;

fn open(threads: usize) -> Model {
    Model::open(&ModelOptions { threads, deterministic: true, ..ModelOptions::default() }).unwrap()
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|v| v.to_bits()).collect()
}

fn tracked(model: &Model) -> Vec<u32> {
    bits(&Probe::new(model, OBJECTS).unwrap().track(OBJECTS).unwrap())
}

#[test]
fn threads_batches_and_binding_change_no_bit() {
    let one = open(1);
    let want = tracked(&one);
    assert!(want.len() > OBJECTS * 4 * 64 * 64);
    for threads in [2, 3] {
        assert!(tracked(&open(threads)) == want, "{threads} threads");
    }
    assert!(tracked(&one) == want, "a second run");

    // One object at a time, each in runs of its own.
    let mut single = open(2);
    (single.spread.attention, single.spread.decoder, single.spread.memory) = (1, 1, 1);
    assert!(tracked(&single) == want, "single runs");
    // All objects in one run, and a decoder that must gather what several runs gave.
    (single.spread.attention, single.spread.decoder, single.spread.memory) = (8, 8, 8);
    single.spread.workers = 1;
    assert!(tracked(&single) == want, "one run");
    single.spread.attention = 2;
    assert!(tracked(&single) == want, "gathered");

    let options = ModelOptions { threads: 2, deterministic: true, ..ModelOptions::default() };
    let bound = Model::open_bound(&options, true).unwrap();
    assert!(tracked(&bound) == want, "bound tensors");
}

#[test]
fn an_encoder_beside_other_work_gives_the_same_bits_where_there_is_one() {
    for (threads, pays) in [(1, false), (2, true), (3, true)] {
        let model = open(threads);
        assert_eq!(model.encodes_beside(), pays, "{threads} threads");
        let probe = Probe::new(&model, 1).unwrap();
        assert!(probe.encoded(true) == probe.encoded(false), "{threads} threads");
    }
    let options = ModelOptions { threads: 2, ..ModelOptions::default() };
    assert!(!Model::open_bound(&options, true).unwrap().encodes_beside());
}

#[test]
fn work_beside_other_work_stops_like_it_and_leaves_the_answer_to_it() {
    let cancel = open(1).cancel_switch().unwrap();
    let beside = cancel.beside();
    assert!(beside.check().is_ok());
    cancel.ask();
    for _ in 0..2 {
        assert!(matches!(beside.check(), Err(Error::Cancelled)));
    }
    assert!(matches!(cancel.check(), Err(Error::Cancelled)));
    assert!(beside.check().is_ok() && cancel.check().is_ok());
}

#[test]
fn sixteen_threads_share_a_model_and_each_gets_its_own_answer() {
    let model = Arc::new(open(0));
    let want = tracked(&model);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert!(tracked(&model) == want));
        }
    });
}

#[test]
fn work_that_is_cancelled_from_another_thread_stops_within_a_run() {
    let model = open(2);
    let probe = Probe::new(&model, 64).unwrap();
    let started = Instant::now();
    probe.attend(1).unwrap();
    let one = started.elapsed();
    let started = Instant::now();
    let (stopped, took) = std::thread::scope(|scope| {
        let work = scope.spawn(|| (probe.attend(64), started.elapsed()));
        std::thread::sleep(Duration::from_millis(5));
        probe.cancel_switch().ask();
        work.join().unwrap()
    });
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    // 64 objects are eight runs of eight; far fewer than half of them may have passed.
    assert!(took < one * 16 + Duration::from_millis(100), "stopped after {took:?}, one object takes {one:?}");
    // The switch answers once, and work goes on.
    probe.attend(2).unwrap();
}

#[test]
fn providers_that_are_not_there_are_told_with_their_reasons_and_the_next_one_is_asked() {
    let providers = vec![Provider::Cuda, Provider::DirectMl, Provider::Cpu];
    let model = Model::open(&ModelOptions { providers, ..ModelOptions::default() }).unwrap();
    let report = model.provider_report();
    assert_eq!(report.used, Provider::Cpu);
    assert_eq!(report.refused[1].provider, Provider::DirectMl);
    let reason = &report.refused[1].reason;
    assert!(
        reason.starts_with("this ONNX Runtime was built without DmlExecutionProvider; it has "),
        "{reason}"
    );

    let options = ModelOptions { providers: vec![Provider::CoreMl], ..ModelOptions::default() };
    let said = Model::open(&options).unwrap_err().to_string();
    let want =
        "ONNX Runtime: no provider can compute the model (coreml: this ONNX Runtime was built without ";
    assert!(said.starts_with(want), "{said}");
}
