//! The image encoder once more, for a frame that is encoded while another one is answered.

use std::sync::OnceLock;

use super::graph::{Graph, NotLoaded, Setup};
use super::image_encoder::contract;
use super::package::Package;
use super::provider::Provider;

/// The largest encoder that is loaded a second time, in bytes of its file. Weights are stored in halves and take twice as
/// much when they are loaded.
const MOST_BYTES: usize = 64 << 20;

/// An encoder on half of the model's threads, with weights of its own. It is loaded when it is first needed: who pushes
/// frames or looks at pictures never pays for it.
pub(super) struct EncoderBeside {
    package: Package,
    setup: Setup,
    graph: OnceLock<Option<Graph>>,
}

impl EncoderBeside {
    /// `None` where nothing is gained: a device is busy with one run, and so is a single thread.
    pub(super) fn new(package: Package, setup: Setup) -> Option<Self> {
        let pays = setup.provider == Provider::Cpu && !setup.bind && setup.threads > 1;
        let halved = Setup { threads: setup.threads / 2, ..setup };
        pays.then(|| Self { package, setup: halved, graph: OnceLock::new() })
    }

    /// `None` if it is too large, or can't be loaded a second time: frames are encoded one by one then.
    pub(super) fn graph(&self) -> Option<&Graph> {
        self.graph.get_or_init(|| self.open()).as_ref()
    }

    fn open(&self) -> Option<Graph> {
        let manifest = &self.package.manifest;
        let file = &manifest.files.image_encoder;
        let small = |bytes: &[u8]| bytes.len() <= MOST_BYTES;
        let opened = self.package.graph(file).map_err(NotLoaded::from).and_then(|bytes| {
            let open = || Graph::open("image_encoder", &self.package, file, &self.setup, contract(manifest));
            small(&bytes).then(open).transpose()
        });
        opened.unwrap_or_else(|not_loaded| {
            tracing::warn!("model: no frame is encoded ahead: {not_loaded}");
            None
        })
    }
}
