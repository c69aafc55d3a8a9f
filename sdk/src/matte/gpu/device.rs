//! One wgpu device a process, with its pipelines.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rotomask_shaders as shaders;

use super::{DeviceInfo, DeviceKind, Gpu, listed};
use crate::error::{Error, Result};

/// A compiled kernel. `variant` is its override's value, see `compile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PipelineId {
    pub kernel: &'static str,
    pub variant: u32,
}

/// What all chains of a process share.
#[derive(Debug)]
pub struct Device {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub info: DeviceInfo,
    /// Its adapter's, among those of the machine.
    place: usize,
    /// Compiled when first dispatched.
    pipelines: Mutex<HashMap<PipelineId, wgpu::ComputePipeline>>,
    /// Why it can't be used any more.
    failure: Arc<OnceLock<String>>,
}

fn instance() -> &'static wgpu::Instance {
    static INSTANCE: OnceLock<wgpu::Instance> = OnceLock::new();
    INSTANCE.get_or_init(|| {
        let mut wanted = wgpu::InstanceDescriptor::new_without_display_handle();
        // OpenGL's compute is an afterthought, and its drivers the likeliest to take a host down.
        wanted.backends = wgpu::Backends::PRIMARY;
        wgpu::Instance::new(wanted)
    })
}

fn found() -> Vec<(wgpu::Adapter, DeviceInfo)> {
    let adapters = pollster::block_on(instance().enumerate_adapters(wgpu::Backends::PRIMARY));
    let described = adapters.into_iter().map(|adapter| {
        let info = adapter.get_info();
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => DeviceKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => DeviceKind::Integrated,
            wgpu::DeviceType::VirtualGpu => DeviceKind::Virtual,
            wgpu::DeviceType::Cpu => DeviceKind::Software,
            wgpu::DeviceType::Other => DeviceKind::Unknown,
        };
        let backend = info.backend.to_str();
        (adapter, DeviceInfo { name: info.name, backend, kind })
    });
    described.collect()
}

/// The adapters of this machine, in the driver's order. Empty where there is no driver.
pub fn adapters() -> Vec<DeviceInfo> {
    found().into_iter().map(|(_, info)| info).collect()
}

/// The adapter that suits best, with its place among those of the machine.
fn choose(gpu: Gpu) -> Result<(usize, wgpu::Adapter, DeviceInfo)> {
    let adapters = found();
    let all: Vec<DeviceInfo> = adapters.iter().map(|(_, info)| info.clone()).collect();
    let rank = |kind: DeviceKind| match kind {
        DeviceKind::Discrete => 0,
        DeviceKind::Integrated => 1,
        _ => 2,
    };
    let suits = |place: usize, info: &DeviceInfo| match gpu {
        Gpu::Software => info.kind == DeviceKind::Software,
        Gpu::Adapter(wanted) => place == wanted,
        Gpu::Auto | Gpu::Off => info.kind.is_hardware(),
    };
    let able = |adapter: &wgpu::Adapter| {
        let wanted = wgpu::DownlevelFlags::COMPUTE_SHADERS | wgpu::DownlevelFlags::SHADER_F16_IN_F32;
        adapter.get_downlevel_capabilities().flags.contains(wanted)
    };
    let suiting = adapters.into_iter().enumerate().map(|(place, (adapter, info))| (place, adapter, info));
    suiting
        .filter(|(place, adapter, info)| suits(*place, info) && able(adapter))
        .min_by_key(|(_, _, info)| rank(info.kind))
        .ok_or_else(|| {
            let wanted = match gpu {
                Gpu::Software => "a software adapter".into(),
                Gpu::Adapter(place) => format!("adapter {place}"),
                Gpu::Auto | Gpu::Off => "a hardware adapter".to_owned(),
            };
            let have = listed(&all);
            Error::Device(format!("found {have}, expected {wanted} that can compute"))
        })
}

impl Device {
    /// The process's device of some kind, opened on first use and again after a failure.
    ///
    /// # Errors
    /// [`Error::Device`] if there is none of the kind, or it doesn't work.
    pub fn shared(gpu: Gpu) -> Result<Arc<Self>> {
        static OPEN: Mutex<Vec<(Gpu, Arc<Device>)>> = Mutex::new(Vec::new());
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, device)| device.failure().is_none());
        if let Some((_, device)) = open.iter().find(|(known, _)| *known == gpu) {
            return Ok(device.clone());
        }
        let (place, adapter, info) = choose(gpu)?;
        // What is asked for by its place may be what was found by its kind.
        let device = match open.iter().find(|(_, device)| device.place == place) {
            Some((_, device)) => device.clone(),
            None => Arc::new(Self::open(place, adapter, info)?),
        };
        open.push((gpu, device.clone()));
        Ok(device)
    }

    fn open(place: usize, adapter: wgpu::Adapter, info: DeviceInfo) -> Result<Self> {
        let failed = |problem: String| Error::Device(format!("{}: {problem}", info.name));
        let limits = adapter.limits();
        let wanted = wgpu::DeviceDescriptor {
            label: Some("rotomask"),
            required_limits: wgpu::Limits {
                max_buffer_size: limits.max_buffer_size,
                max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
                ..wgpu::Limits::default()
            },
            ..Default::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&wanted)).map_err(|e| failed(e.to_string()))?;

        let failure = Arc::new(OnceLock::new());
        // Without these two, wgpu would panic inside the host.
        let (lost, stray) = (failure.clone(), failure.clone());
        device.set_device_lost_callback(move |reason, message| {
            let _ = lost.set(format!("device lost: {reason:?} {message}"));
        });
        device.on_uncaptured_error(Arc::new(move |error| {
            let _ = stray.set(error.to_string());
        }));
        // A device that can't compile its first kernel is none.
        let scopes = Scopes::open(&device);
        let first = PipelineId { kernel: shaders::COVERAGE.name, variant: 0 };
        let pipelines = Mutex::new(HashMap::from([(first, compile(&device, shaders::COVERAGE, 0))]));
        if let Some(problem) = scopes.close() {
            return Err(failed(problem));
        }
        Ok(Self { device, queue, info, place, pipelines, failure })
    }

    /// Why the device can't be used any more, if so.
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// A compiled kernel. What the compiler has to say goes to the scopes that are open.
    pub fn pipeline(&self, id: PipelineId) -> std::result::Result<wgpu::ComputePipeline, String> {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = pipelines.get(&id) {
            return Ok(pipeline.clone());
        }
        let kernel = shaders::KERNELS.iter().find(|kernel| kernel.name == id.kernel);
        let kernel = kernel.ok_or_else(|| format!("there is no kernel {}", id.kernel))?;
        let pipeline = compile(&self.device, *kernel, id.variant);
        pipelines.insert(id, pipeline.clone());
        Ok(pipeline)
    }
}

/// Catches what wgpu has to say about the calls between opening and closing on this thread.
///
/// wgpu panics unless scopes end in reverse order, so the one opened last lies first: that is also the order in which
/// an array's elements are dropped, on the way out of a function that fails.
#[must_use]
pub struct Scopes([wgpu::ErrorScopeGuard; 3]);

impl Scopes {
    pub fn open(device: &wgpu::Device) -> Self {
        let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
        Self([internal, validation, memory])
    }

    /// The first error, if there was any.
    pub fn close(self) -> Option<String> {
        let errors = self.0.map(|scope| pollster::block_on(scope.pop()));
        errors.into_iter().flatten().next().map(|e| e.to_string())
    }
}

fn compile(device: &wgpu::Device, kernel: shaders::Kernel, variant: u32) -> wgpu::ComputePipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(kernel.name),
        source: wgpu::ShaderSource::Wgsl(kernel.source.into()),
    });
    let constant = match kernel {
        shaders::BLUR_PLANE | shaders::BLUR_COLOUR => Some("VERTICAL"),
        shaders::COVERAGE => Some("FIELD"),
        shaders::GROW => Some("SIGNED"),
        shaders::COMPOSITE => Some("MODE"),
        _ => None,
    };
    let constants: Vec<_> = constant.iter().map(|name| (*name, f64::from(variant))).collect();
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(kernel.name),
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions { constants: &constants, ..Default::default() },
        cache: None,
    })
}
