//! One wgpu device a process, with its pipelines.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rotomask_shaders as shaders;
use wgpu::util::DeviceExt as _;

use super::{DeviceInfo, DeviceKind, Gpu};
use crate::error::{Error, Result};
use crate::matte::light::TABLES;

/// A compiled kernel. `variant` is its override: `VERTICAL` of a blur, `MODE` of the composite.
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
    /// The light tables, as `composite.wgsl` wants them.
    pub tables: wgpu::Buffer,
    pipelines: HashMap<PipelineId, wgpu::ComputePipeline>,
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

impl Device {
    /// The process's hardware or software device, opened on first use and again after a failure.
    ///
    /// # Errors
    /// [`Error::Device`] if there is none of the kind, or it doesn't work.
    pub fn shared(gpu: Gpu) -> Result<Arc<Self>> {
        static HARDWARE: Mutex<Option<Arc<Device>>> = Mutex::new(None);
        static SOFTWARE: Mutex<Option<Arc<Device>>> = Mutex::new(None);
        let slot = if gpu == Gpu::Software { &SOFTWARE } else { &HARDWARE };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(device) = slot.as_ref().filter(|d| d.failure().is_none()) {
            return Ok(device.clone());
        }
        let device = Arc::new(Self::open(gpu)?);
        *slot = Some(device.clone());
        Ok(device)
    }

    fn open(gpu: Gpu) -> Result<Self> {
        let adapters = found();
        let names: Vec<_> = adapters.iter().map(|(_, info)| info.name.clone()).collect();
        let rank = |kind: DeviceKind| match kind {
            DeviceKind::Discrete => 0,
            DeviceKind::Integrated => 1,
            _ => 2,
        };
        let (adapter, info) = adapters
            .into_iter()
            .filter(|(adapter, info)| {
                let able = adapter.get_downlevel_capabilities().flags;
                able.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
                    && if gpu == Gpu::Software {
                        info.kind == DeviceKind::Software
                    } else {
                        info.kind.is_hardware()
                    }
            })
            .min_by_key(|(_, info)| rank(info.kind))
            .ok_or_else(|| {
                let wanted = if gpu == Gpu::Software { "software" } else { "hardware" };
                let have = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                Error::Device(format!("found {have}, expected a {wanted} adapter that can compute"))
            })?;
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
        let scopes = Scopes::open(&device);
        let tables = tables(&device);
        let pipelines = pipelines(&device);
        if let Some(problem) = scopes.close() {
            return Err(failed(problem));
        }
        Ok(Self { device, queue, info, tables, pipelines, failure })
    }

    /// Why the device can't be used any more, if so.
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// A compiled kernel. Every variant that is dispatched was compiled on opening.
    pub fn pipeline(&self, id: PipelineId) -> std::result::Result<&wgpu::ComputePipeline, String> {
        self.pipelines.get(&id).ok_or_else(|| format!("there is no kernel {} {}", id.kernel, id.variant))
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

fn tables(device: &wgpu::Device) -> wgpu::Buffer {
    let mut words: Vec<u32> = TABLES.decode.iter().map(|v| u32::from(*v)).collect();
    words.extend(TABLES.encode.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])));
    device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: Some("light tables"),
        contents: bytemuck::cast_slice(&words),
        usage: wgpu::BufferUsages::STORAGE,
    })
}

fn pipelines(device: &wgpu::Device) -> HashMap<PipelineId, wgpu::ComputePipeline> {
    let mut pipelines = HashMap::new();
    for kernel in shaders::KERNELS {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(kernel.name),
            source: wgpu::ShaderSource::Wgsl(kernel.source.into()),
        });
        let (constant, variants) = match kernel {
            shaders::BLUR_PLANE | shaders::BLUR_COLOUR => (Some("VERTICAL"), 2),
            shaders::COMPOSITE => (Some("MODE"), shaders::mode::CUTOUT + 1),
            _ => (None, 1),
        };
        for variant in 0..variants {
            let constants: Vec<_> = constant.iter().map(|name| (*name, f64::from(variant))).collect();
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(kernel.name),
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    ..Default::default()
                },
                cache: None,
            });
            pipelines.insert(PipelineId { kernel: kernel.name, variant }, pipeline);
        }
    }
    pipelines
}
