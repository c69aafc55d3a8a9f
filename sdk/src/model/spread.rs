//! Several objects at once: how many in one run of a graph, and how many runs side by side.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::manifest::Manifest;
use super::provider::Provider;
use crate::error::{Error, Result};

/// How the objects of a frame are spread over runs.
///
/// A batch saves what objects have in common, such as the attention's first layer, and fills wide processors; but
/// one whose intermediate values leave the cache is slower than single runs. Batches are as large as the budget
/// below allows for the graph's largest intermediate value, and none of it depends on time or on what runs beside
/// it. Results don't depend on it either: `model::tests` compares the bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spread {
    /// Runs side by side. 1 on a device, which is busy with one.
    pub(super) workers: usize,
    pub(super) attention: usize,
    pub(super) decoder: usize,
    pub(super) memory: usize,
}

/// Bytes of the largest intermediate values of one run, measured with rotomask-nano on a processor with 2 MB of
/// second-level cache a core: 0.1.0's 8 objects cost least in twos (attention, memory encoder), 0.6.0's decoder as
/// much in threes as in eights.
const ATTENTION_BYTES: usize = 4 << 20;
const DECODER_BYTES: usize = 4 << 20;
const MEMORY_BYTES: usize = 512 << 10;

/// A device has no such cache to stay in; this only bounds its memory.
const DEVICE_FACTOR: usize = 64;

/// The most objects in one run.
const MOST: usize = 8;

impl Spread {
    pub(super) fn new(manifest: &Manifest, provider: Provider, threads: usize) -> Self {
        let (cells, mask, float) = (manifest.grid().pow(2), manifest.mask_side().pow(2), size_of::<f32>());
        let pointer_tokens = manifest.pointers * manifest.channels / manifest.memory_channels;
        let keys = manifest.memory_slots * manifest.tokens() + pointer_tokens;
        let factor = if provider == Provider::Cpu { 1 } else { DEVICE_FACTOR };
        let batch = |budget: usize, one: usize| (budget * factor / one.max(1)).clamp(1, MOST);
        // Keys that are carried are held against each other once a run, whatever its objects, and tracked frames are
        // remembered by little else: the more objects share a run, the better.
        let shared = |batch: usize| if manifest.carried_channels > 0 { MOST } else { batch };
        Self {
            workers: if provider == Provider::Cpu { threads } else { 1 },
            attention: shared(batch(ATTENTION_BYTES, cells * keys * float)),
            decoder: batch(DECODER_BYTES, mask * manifest.channels / 8 * float),
            memory: shared(batch(MEMORY_BYTES, manifest.input.size.pow(2) * float)),
        }
    }

    /// `count` objects in runs of at most `most`, but so many runs that no worker idles.
    pub(super) fn runs(&self, count: usize, most: usize) -> Vec<std::ops::Range<usize>> {
        let each = most.min(count.div_ceil(self.workers)).max(1);
        (0..count).step_by(each).map(|start| start..(start + each).min(count)).collect()
    }

    /// Does `work` for 0..`count`, side by side, and gives the results in order.
    ///
    /// # Errors
    /// The first that work gives, in time; [`Error::Cancelled`] before any other.
    pub(super) fn each<T: Send>(
        &self,
        count: usize,
        work: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        if count <= 1 || self.workers <= 1 {
            return (0..count).map(work).collect();
        }
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let done = Mutex::new((0..count).map(|_| None).collect::<Vec<Option<Result<T>>>>());
        let worker = || {
            while !failed.load(Ordering::Relaxed) {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return;
                }
                let result = work(at);
                failed.fetch_or(result.is_err(), Ordering::Relaxed);
                if let Some(place) = done.lock().unwrap_or_else(PoisonError::into_inner).get_mut(at) {
                    *place = Some(result);
                }
            }
        };
        thread::scope(|scope| {
            (1..self.workers.min(count)).for_each(|_| drop(scope.spawn(worker)));
            worker();
        });
        let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (good, bad): (Vec<_>, Vec<_>) = done.into_iter().flatten().partition(Result::is_ok);
        let cancelled = bad.iter().position(|result| matches!(result, Err(Error::Cancelled)));
        match bad.into_iter().nth(cancelled.unwrap_or(0)) {
            Some(Err(error)) => Err(error),
            _ => good.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPREAD: Spread = Spread { workers: 3, attention: 2, decoder: 4, memory: 2 };

    #[test]
    fn runs_hold_every_object_once_and_leave_no_worker_idle() {
        assert_eq!(SPREAD.runs(8, 4), [0..3, 3..6, 6..8]);
        assert_eq!(SPREAD.runs(8, 2), [0..2, 2..4, 4..6, 6..8]);
        assert_eq!(SPREAD.runs(2, 4), [0..1, 1..2]);
        assert_eq!(SPREAD.runs(0, 4), []);
    }

    #[test]
    fn results_come_in_order_whoever_made_them() {
        assert_eq!(SPREAD.each(40, |at| Ok(at * at)).unwrap(), (0..40).map(|at| at * at).collect::<Vec<_>>());
    }

    #[test]
    fn being_cancelled_is_told_before_any_other_failure() {
        let barrier = std::sync::Barrier::new(3);
        let failed = SPREAD.each(3, |at| -> Result<()> {
            barrier.wait();
            Err(if at == 2 { Error::Cancelled } else { Error::State("other".into()) })
        });
        assert!(matches!(failed, Err(Error::Cancelled)));
    }
}
