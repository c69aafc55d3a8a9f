//! Frames that are handed over and waited for later come out as those that are waited for at once.

#![allow(clippy::unwrap_used)]

mod matte_common;

use matte_common::{Host, noise, round_logits, size};
use rotomask::frame::PixelFormat::{Rgb8, Rgba8};
use rotomask::matte::{
    Background, Ceiling, Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings, View,
};

/// Chains on the CPU and, where there is one, on a software adapter.
fn chains(ceiling: Ceiling) -> Vec<MatteChain> {
    let cpu = MatteChain::open_within(Gpu::Off, ceiling).unwrap();
    match MatteChain::open_within(Gpu::Software, ceiling) {
        Ok(gpu) => vec![cpu, gpu],
        Err(problem) if std::env::var_os("ROTOMASK_REQUIRE_GPU").is_some_and(|v| v == "1") => {
            panic!("ROTOMASK_REQUIRE_GPU=1, and there is no software adapter: {problem}")
        }
        Err(problem) => {
            eprintln!("SKIPPED, NOT CHECKED: tickets on a GPU ({problem})");
            vec![cpu]
        }
    }
}

/// Five frames, no two alike, of more than one size and view, and what each comes to.
struct Shot {
    plates: Vec<Host>,
    logits: Vec<f32>,
    settings: Vec<MatteSettings>,
    finished: Vec<Vec<u8>>,
}

impl Shot {
    fn new() -> Self {
        let sizes = [size(97, 61), size(97, 61), size(301, 67), size(41, 130), size(97, 61)];
        let plates =
            sizes.into_iter().zip(1..).map(|(at, seed)| noise(Host::new(at, Rgb8, 5), seed)).collect();
        let settings = (0..5).map(|i| MatteSettings {
            grow_px: i as f32,
            view: if i % 2 == 0 { View::Composite } else { View::Overlay },
            background: Background::BlurredPlate,
            background_blur_px: 3.0,
            ..MatteSettings::default()
        });
        let mut shot = Self {
            plates,
            logits: round_logits(size(24, 24)),
            settings: settings.collect(),
            finished: vec![],
        };
        let layers = shot.layers();
        let mut chain = MatteChain::open(Gpu::Off).unwrap();
        let finished = (0..5).map(|i| {
            let mut result = shot.result(i);
            chain.render(&shot.job(i, &layers), result.view_mut()).unwrap();
            result.bytes
        });
        let finished = finished.collect();
        shot.finished = finished;
        shot
    }

    fn layers(&self) -> [Layer<'static>; 1] {
        let logits = Box::leak(self.logits.clone().into_boxed_slice());
        [Layer::new(Mask::Logits(Logits::new(size(24, 24), logits).unwrap()))]
    }

    fn job<'a>(&'a self, i: usize, layers: &'a [Layer<'a>]) -> MatteJob<'a> {
        MatteJob::new(self.plates[i].view(), layers, &self.settings[i])
    }

    fn result(&self, i: usize) -> Host {
        Host::new(self.plates[i].layout.size, Rgba8, -3)
    }
}

#[test]
fn frames_in_flight_are_the_frames_that_are_waited_for_at_once() {
    let (shot, ceiling) = (Shot::new(), Ceiling::default());
    let layers = shot.layers();
    for mut chain in chains(ceiling) {
        // Always one on its way while another is waited for.
        let mut before = None;
        for i in (0..5).cycle().take(12) {
            let ticket = chain.submit(&shot.job(i, &layers), Rgba8).unwrap();
            if let Some((i, ticket)) = before.replace((i, ticket)) {
                let mut result = shot.result(i);
                chain.wait(ticket, result.view_mut()).unwrap();
                assert!(result.bytes == shot.finished[i], "{i} on {:?}", chain.device());
            }
        }
    }
}

#[test]
fn tickets_may_be_waited_for_in_any_order_be_too_many_or_be_dropped() {
    let shot = Shot::new();
    let layers = shot.layers();
    for device_bytes in [1 << 30, 3 << 20, 1] {
        for mut chain in chains(Ceiling { device_bytes, ..Ceiling::default() }) {
            for order in [[4, 3, 2, 1, 0], [1, 0, 4, 2, 3], [0, 1, 2, 3, 4]] {
                let mut tickets: Vec<_> =
                    (0..5).map(|i| Some(chain.submit(&shot.job(i, &layers), Rgba8).unwrap())).collect();
                // Nobody waits for one of them.
                drop(tickets[order[4]].take());
                for i in &order[..4] {
                    let mut result = shot.result(*i);
                    chain.wait(tickets[*i].take().unwrap(), result.view_mut()).unwrap();
                    assert!(result.bytes == shot.finished[*i], "{i} of {order:?} on {:?}", chain.device());
                    // One that doesn't wait for any other.
                    let mut between = shot.result(2);
                    chain.render(&shot.job(2, &layers), between.view_mut()).unwrap();
                    assert!(between.bytes == shot.finished[2], "between, {order:?} on {:?}", chain.device());
                }
            }
        }
    }
}

#[test]
fn a_ticket_is_waited_for_with_what_was_promised() {
    let shot = Shot::new();
    let layers = shot.layers();
    for mut chain in chains(Ceiling::default()) {
        let ticket = chain.submit(&shot.job(0, &layers), Rgba8).unwrap();
        let mut other = Host::new(size(97, 61), Rgb8, 0);
        let untouched = other.bytes.clone();
        let said = chain.wait(ticket, other.view_mut()).unwrap_err().to_string();
        assert_eq!(said, "frame: the result has Rgb8 pixels, expected Rgba8, as submitted");
        assert!(other.bytes == untouched);
        let ticket = chain.submit(&shot.job(0, &layers), Rgba8).unwrap();
        let mut small = Host::new(size(41, 61), Rgba8, 0);
        assert!(chain.wait(ticket, small.view_mut()).unwrap_err().to_string().contains("41x61"));
        // A chain that never saw the ticket finishes it by itself.
        for mut stranger in chains(Ceiling::default()) {
            let ticket = chain.submit(&shot.job(1, &layers), Rgba8).unwrap();
            let mut result = shot.result(1);
            stranger.wait(ticket, result.view_mut()).unwrap();
            assert!(result.bytes == shot.finished[1]);
        }
    }
}
