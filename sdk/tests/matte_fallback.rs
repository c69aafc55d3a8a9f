//! Without a hardware adapter the CPU takes over, and says so once a process. A process of its own, for the count.

use std::sync::atomic::{AtomicUsize, Ordering};

use rotomask::matte::{DeviceKind, Gpu, MatteChain, adapters};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static WARNINGS: AtomicUsize = AtomicUsize::new(0);

struct CountWarnings;

impl Subscriber for CountWarnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("rotomask") && *metadata.level() == Level::WARN
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        WARNINGS.fetch_add(1, Ordering::Relaxed);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_machine_without_a_gpu_finishes_on_the_cpu_and_warns_once() {
    tracing::subscriber::set_global_default(CountWarnings).expect("nobody else listens in this process");
    let hardware = |kind| matches!(kind, DeviceKind::Discrete | DeviceKind::Integrated | DeviceKind::Virtual);
    let found = adapters();
    for _ in 0..3 {
        let chain = MatteChain::open(Gpu::Auto).expect("`Auto` always has the CPU");
        if found.iter().any(|a| hardware(a.kind)) {
            assert!(found.contains(chain.device()));
        } else {
            assert_eq!(chain.device().kind, DeviceKind::Twins);
            assert_eq!(WARNINGS.load(Ordering::Relaxed), 1);
        }
    }
    let warned = WARNINGS.load(Ordering::Relaxed);
    assert_eq!(MatteChain::open(Gpu::Off).expect("the CPU is always there").device().kind, DeviceKind::Twins);
    assert_eq!(WARNINGS.load(Ordering::Relaxed), warned, "asking for the CPU is no fallback");
}
