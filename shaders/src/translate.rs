//! Kernels in the languages of hosts that have GPU code of their own, with the tables of what they bind.

use naga::back::{self, PipelineConstants, pipeline_constants::process_overrides};
use naga::proc::{BoundsCheckPolicies, Layouter};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ResourceBinding, ScalarKind, ShaderStage, StorageAccess, TypeInner};

use crate::{Kernel, mode};

/// A language that kernels can be had in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// WebGPU's, as the kernels are written. The variant's constant is left to be set by the pipeline.
    Wgsl,
    /// SPIR-V 1.0 for Vulkan: little-endian words.
    SpirV,
    /// GLSL 4.50 for OpenGL.
    Glsl,
    /// HLSL, shader model 5.0, for Direct3D 11 and 12.
    Hlsl,
    /// Metal Shading Language 2.0.
    Msl,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Wgsl, Self::SpirV, Self::Glsl, Self::Hlsl, Self::Msl];

    /// What it is called in options and messages.
    pub fn id(self) -> &'static str {
        match self {
            Self::Wgsl => "wgsl",
            Self::SpirV => "spirv",
            Self::Glsl => "glsl",
            Self::Hlsl => "hlsl",
            Self::Msl => "msl",
        }
    }
}

/// A kernel in another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The text in UTF-8, or SPIR-V's words.
    pub code: Vec<u8>,
    /// The entry point's name.
    pub entry: String,
}

/// What one binding of group 0 holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Its number in WGSL and SPIR-V (set 0) and GLSL; Metal's buffer index; the number of HLSL's register.
    pub binding: u32,
    /// Its name in the kernel.
    pub name: String,
    /// How it is bound.
    pub access: Access,
    /// Bytes of a uniform's struct, or from one element of a buffer to the next.
    pub bytes: u32,
    /// What the struct, or an element, is made of. One nameless field where it is no struct.
    pub fields: Vec<Field>,
}

/// How a binding is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A uniform: HLSL's `b` register.
    Uniform,
    /// A buffer that is read: HLSL's `t` register.
    Read,
    /// A buffer that is written, and may be read: HLSL's `u` register.
    Write,
}

impl Access {
    /// What it is called in tables.
    pub fn id(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// The letter of its register in HLSL.
    pub fn register(self) -> char {
        match self {
            Self::Uniform => 'b',
            Self::Read => 't',
            Self::Write => 'u',
        }
    }
}

/// A member of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, or "" for an element that is no struct.
    pub name: String,
    /// Bytes from the struct's beginning.
    pub offset: u32,
    /// Such as `u32` or `vec4<f32>`.
    pub kind: String,
}

/// What a kernel can be made to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variants {
    /// The constant that chooses, as WGSL has it; none for a kernel that does one thing.
    pub constant: Option<String>,
    /// Its values.
    pub count: u32,
}

/// A kernel that has been read and found valid.
pub struct Parsed {
    kernel: Kernel,
    module: Module,
    info: ModuleInfo,
}

impl Parsed {
    /// # Errors
    /// What naga finds wrong with it.
    pub fn new(kernel: Kernel) -> Result<Self, String> {
        let said = |problem: String| format!("{}: {problem}", kernel.name);
        let module =
            naga::front::wgsl::parse_str(kernel.source).map_err(|e| said(e.emit_to_string(kernel.source)))?;
        // Halves in words: every adapter of Vulkan, Metal and Direct3D 12 reads them.
        let info = Validator::new(ValidationFlags::all(), Capabilities::SHADER_FLOAT16_IN_FLOAT32)
            .validate(&module)
            .map_err(|e| said(e.emit_to_string(kernel.source)))?;
        Ok(Self { kernel, module, info })
    }

    /// What naga made of it.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// What its constant can be.
    pub fn variants(&self) -> Variants {
        let found = self.module.overrides.iter().next();
        let Some((_, constant)) = found else { return Variants { constant: None, count: 1 } };
        let switch = matches!(
            self.module.types[constant.ty].inner,
            TypeInner::Scalar(scalar) if scalar.kind == ScalarKind::Bool
        );
        Variants { constant: constant.name.clone(), count: if switch { 2 } else { mode::COUNT } }
    }

    /// What it binds, in the order of the numbers.
    ///
    /// # Errors
    /// If a type has no size, which none of the kernels has.
    pub fn bindings(&self) -> Result<Vec<Binding>, String> {
        let mut layouter = Layouter::default();
        layouter.update(self.module.to_ctx()).map_err(|e| format!("{}: {e}", self.kernel.name))?;
        let mut bindings = Vec::new();
        for (_, variable) in self.module.global_variables.iter() {
            let Some(ResourceBinding { binding, .. }) = variable.binding else { continue };
            let access = match variable.space {
                AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => Access::Write,
                AddressSpace::Storage { .. } => Access::Read,
                _ => Access::Uniform,
            };
            let (element, bytes) = match self.module.types[variable.ty].inner {
                TypeInner::Array { base, stride, .. } => (base, stride),
                _ => (variable.ty, layouter[variable.ty].size),
            };
            let fields = match &self.module.types[element].inner {
                TypeInner::Struct { members, .. } => members
                    .iter()
                    .map(|member| Field {
                        name: member.name.clone().unwrap_or_default(),
                        offset: member.offset,
                        kind: kind(&self.module, member.ty),
                    })
                    .collect(),
                _ => vec![Field { name: String::new(), offset: 0, kind: kind(&self.module, element) }],
            };
            let name = variable.name.clone().unwrap_or_default();
            bindings.push(Binding { binding, name, access, bytes, fields });
        }
        bindings.sort_by_key(|binding| binding.binding);
        Ok(bindings)
    }

    /// The kernel, or one of its variants, in another language.
    ///
    /// # Errors
    /// If there is no such variant, or naga can't say the kernel in this language.
    pub fn translate(&self, variant: u32, language: Language) -> Result<Translation, String> {
        let said = |problem: String| format!("{} in {}: {problem}", self.kernel.name, language.id());
        let Variants { constant, count } = self.variants();
        if variant >= count {
            return Err(format!(
                "{}: its variant is {variant}, expected 0 to {}",
                self.kernel.name,
                count - 1
            ));
        }
        if language == Language::Wgsl {
            return Ok(Translation { code: self.kernel.source.into(), entry: ENTRY.into() });
        }
        let constants: PipelineConstants =
            constant.into_iter().map(|name| (name, f64::from(variant))).collect();
        let entry = Some((ShaderStage::Compute, ENTRY));
        let (module, info) = process_overrides(&self.module, &self.info, entry, &constants)
            .map_err(|e| said(e.to_string()))?;
        let (code, entry) = match language {
            Language::SpirV => (spirv(&module, &info).map_err(said)?, ENTRY.into()),
            Language::Glsl => (self.glsl(&module, &info).map_err(said)?.into_bytes(), ENTRY.into()),
            Language::Hlsl => self.hlsl(&module, &info).map_err(said)?,
            Language::Msl | Language::Wgsl => self.msl(&module, &info).map_err(said)?,
        };
        Ok(Translation { code, entry })
    }

    /// In Metal, one more buffer: the bytes of each storage buffer, `u32`, in the order in which WGSL declares them.
    pub fn sizes_index(&self) -> u32 {
        self.places().count() as u32
    }

    fn places(&self) -> impl Iterator<Item = (ResourceBinding, AddressSpace)> {
        self.module.global_variables.iter().filter_map(|(_, v)| Some((v.binding?, v.space)))
    }

    fn glsl(&self, module: &Module, info: &ModuleInfo) -> Result<String, String> {
        use back::glsl::{Options, PipelineOptions, Version, Writer, WriterFlags};
        let options = Options {
            version: Version::Desktop(450),
            writer_flags: WriterFlags::empty(),
            binding_map: self.places().map(|(place, _)| (place, place.binding as u8)).collect(),
            ..Options::default()
        };
        let pipeline = PipelineOptions {
            shader_stage: ShaderStage::Compute,
            entry_point: ENTRY.into(),
            multiview: None,
        };
        let mut text = String::new();
        Writer::new(&mut text, module, info, &options, &pipeline, BoundsCheckPolicies::default())
            .and_then(|mut writer| writer.write())
            .map_err(|e| e.to_string())?;
        Ok(text)
    }

    fn hlsl(&self, module: &Module, info: &ModuleInfo) -> Result<(Vec<u8>, String), String> {
        use back::hlsl::{BindTarget, Options, PipelineOptions, ShaderModel, Writer};
        let target = |place: ResourceBinding| BindTarget { register: place.binding, ..BindTarget::default() };
        let options = Options {
            shader_model: ShaderModel::V5_0,
            binding_map: self.places().map(|(place, _)| (place, target(place))).collect(),
            fake_missing_bindings: false,
            restrict_indexing: false,
            force_loop_bounding: false,
            ..Options::default()
        };
        let mut text = String::new();
        let pipeline = PipelineOptions { entry_point: Some((ShaderStage::Compute, ENTRY.into())) };
        let said = Writer::new(&mut text, &options, &pipeline)
            .write(module, info, None)
            .map_err(|e| e.to_string())?;
        Ok((text.into_bytes(), first(said.entry_point_names)?))
    }

    fn msl(&self, module: &Module, info: &ModuleInfo) -> Result<(Vec<u8>, String), String> {
        use back::msl::{BindTarget, EntryPointResources, Options, PipelineOptions, write_string};
        let target = |place: ResourceBinding, space| BindTarget {
            buffer: Some(place.binding as u8),
            mutable: matches!(space, AddressSpace::Storage { access } if access.contains(StorageAccess::STORE)),
            ..BindTarget::default()
        };
        let resources = EntryPointResources {
            resources: self.places().map(|(place, space)| (place, target(place, space))).collect(),
            sizes_buffer: Some(self.sizes_index() as u8),
            ..EntryPointResources::default()
        };
        let options = Options {
            lang_version: (2, 0),
            per_entry_point_map: [(ENTRY.to_owned(), resources)].into(),
            fake_missing_bindings: false,
            force_loop_bounding: false,
            ..Options::default()
        };
        let pipeline = PipelineOptions {
            entry_point: Some((ShaderStage::Compute, ENTRY.into())),
            ..PipelineOptions::default()
        };
        let (text, said) = write_string(module, info, &options, &pipeline).map_err(|e| e.to_string())?;
        Ok((text.into_bytes(), first(said.entry_point_names)?))
    }
}

/// Every kernel's entry point.
const ENTRY: &str = "main";

fn spirv(module: &Module, info: &ModuleInfo) -> Result<Vec<u8>, String> {
    use back::spv::{Options, PipelineOptions, WriterFlags, write_vec};
    let options = Options { flags: WriterFlags::DEBUG, force_loop_bounding: false, ..Options::default() };
    let pipeline = PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: ENTRY.into() };
    let words = write_vec(module, info, &options, Some(&pipeline)).map_err(|e| e.to_string())?;
    Ok(words.into_iter().flat_map(u32::to_le_bytes).collect())
}

fn first<E: std::fmt::Display>(names: Vec<Result<String, E>>) -> Result<String, String> {
    let name = names.into_iter().next().ok_or("it has no entry point")?;
    name.map_err(|e| e.to_string())
}

/// A type as WGSL writes it.
fn kind(module: &Module, at: naga::Handle<naga::Type>) -> String {
    let scalar = |scalar: naga::Scalar| match scalar.kind {
        ScalarKind::Sint => "i32",
        ScalarKind::Float => "f32",
        _ => "u32",
    };
    match module.types[at].inner {
        TypeInner::Scalar(of) => scalar(of).into(),
        TypeInner::Vector { size, scalar: of } => format!("vec{}<{}>", size as u8, scalar(of)),
        _ => module.types[at].name.clone().unwrap_or_default(),
    }
}
