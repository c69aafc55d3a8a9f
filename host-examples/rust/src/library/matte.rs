//! The finishing chain: from masks to a picture.

use std::{
    mem::MaybeUninit,
    ptr::{self, NonNull},
    sync::Arc,
};

use super::{Image, ImageMut, Library, MatteSettings, api, options::Options};
use crate::{Error, Result};

/// What a layer's mask holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskKind {
    /// A model's.
    Logits,
    /// Grey of any depth.
    Coverage,
}

/// What an object does to those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Combine {
    /// The sum.
    #[default]
    Add,
    /// Takes it away.
    Subtract,
    /// Keeps what both cover.
    Intersect,
    /// The lower of the two.
    Min,
    /// The higher of the two.
    Max,
    /// The product.
    Multiply,
}

impl Combine {
    /// The names that are taken, in the order of the header.
    pub const NAMES: [(&str, Self); 6] = [
        ("add", Self::Add),
        ("subtract", Self::Subtract),
        ("intersect", Self::Intersect),
        ("min", Self::Min),
        ("max", Self::Max),
        ("multiply", Self::Multiply),
    ];

    fn raw(self) -> u32 {
        match self {
            Self::Add => api::ROTOMASK_COMBINE_ADD,
            Self::Subtract => api::ROTOMASK_COMBINE_SUBTRACT,
            Self::Intersect => api::ROTOMASK_COMBINE_INTERSECT,
            Self::Min => api::ROTOMASK_COMBINE_MIN,
            Self::Max => api::ROTOMASK_COMBINE_MAX,
            Self::Multiply => api::ROTOMASK_COMBINE_MULTIPLY,
        }
    }
}

/// What is known of a frame, for the status view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Badge {
    /// Nothing was tracked here.
    #[default]
    Untracked,
    /// Somebody said here what the object is.
    Prompted,
    /// Tracked.
    Tracked,
    /// What should be here is missing.
    Missing,
}

impl Badge {
    fn raw(self) -> u32 {
        match self {
            Self::Untracked => api::ROTOMASK_BADGE_UNTRACKED,
            Self::Prompted => api::ROTOMASK_BADGE_PROMPTED,
            Self::Tracked => api::ROTOMASK_BADGE_TRACKED,
            Self::Missing => api::ROTOMASK_BADGE_MISSING,
        }
    }
}

/// One object of a frame.
pub struct MatteLayer<'a> {
    /// What its masks hold.
    pub kind: MaskKind,
    /// On this frame.
    pub mask: Image<'a>,
    /// On frames around it, each with how many frames later it is: -2 to 2.
    pub neighbours: Vec<(i32, Image<'a>)>,
    /// What it does to the layers before it.
    pub combine: Combine,
}

/// One frame to finish.
pub struct MatteJob<'a> {
    /// Its number, at which keyframes are read.
    pub frame: u64,
    /// The picture.
    pub plate: Image<'a>,
    /// The objects, in the order in which they are combined.
    pub layers: Vec<MatteLayer<'a>>,
    /// Of the plate's size: what is dropped.
    pub garbage: Option<Image<'a>>,
    /// Of the plate's size: what stands before the subject.
    pub holdout: Option<Image<'a>>,
    /// Of the plate's size: what the background "picture" shows.
    pub background: Option<Image<'a>>,
    /// For the status view.
    pub badge: Badge,
}

impl<'a> MatteJob<'a> {
    /// A job with nothing but a plate.
    pub fn new(frame: u64, plate: Image<'a>) -> Self {
        let (layers, badge) = (Vec::new(), Badge::default());
        Self { frame, plate, layers, garbage: None, holdout: None, background: None, badge }
    }
}

/// The finishing chain on one device. One thread at a time.
pub struct Matte {
    library: Arc<Library>,
    handle: NonNull<api::rotomask_matte>,
}

// SAFETY: the header asks for one call at a time, from whichever thread; `&mut self` sees to it.
unsafe impl Send for Matte {}

impl Matte {
    /// Opens the chain where `gpu` says, as the library's option of that name takes it. `memory_bytes` is the most that it
    /// may take of the computer's memory and of the GPU's.
    ///
    /// # Errors
    /// If the device can't be used.
    pub fn open(library: &Arc<Library>, gpu: &str, memory_bytes: Option<u64>) -> Result<Self> {
        let options = Options::open(library)?;
        options.set(c"gpu", gpu)?;
        if let Some(bytes) = memory_bytes {
            options.set(c"matte_host_memory_bytes", &bytes.to_string())?;
            options.set(c"matte_device_memory_bytes", &bytes.to_string())?;
        }
        let mut handle = ptr::null_mut();
        // SAFETY: the options are open; the handle that comes out is ours, and checked for null.
        library.check(unsafe { library.api().rotomask_matte_open_options(options.as_ptr(), &mut handle) })?;
        let handle =
            NonNull::new(handle).ok_or(Error::Bug("librotomask opened no matte and said nothing"))?;
        Ok(Self { library: library.clone(), handle })
    }

    /// The device, as JSON.
    ///
    /// # Errors
    /// If the library can't tell.
    pub fn describe(&self) -> Result<String> {
        // SAFETY: the handle is open; `text` vouches for the buffer.
        self.library.text(|buffer, size| unsafe {
            self.library.api().rotomask_matte_describe(self.handle.as_ptr(), buffer, size)
        })
    }

    /// Finishes a frame. `result` has the plate's size.
    ///
    /// # Errors
    /// If the job makes no sense. `result` is untouched then.
    pub fn render(
        &mut self,
        job: &MatteJob<'_>,
        settings: &MatteSettings,
        result: &mut ImageMut<'_>,
    ) -> Result<()> {
        let near: Vec<Vec<_>> = job.layers.iter().map(|layer| self.neighbours(layer)).collect();
        let layers: Vec<_> =
            job.layers.iter().zip(&near).map(|(layer, near)| self.layer(layer, near)).collect();
        let mut raw = MaybeUninit::uninit();
        // SAFETY: `_init` writes every field.
        let mut raw: api::rotomask_matte_job = unsafe {
            self.library.api().rotomask_matte_job_init(raw.as_mut_ptr(), size_of_val(&raw));
            raw.assume_init()
        };
        let optional =
            |image: &Option<Image<'_>>| image.as_ref().map_or(ptr::null(), |image| &raw const image.raw);
        raw.settings = settings.as_ptr();
        raw.frame = job.frame;
        raw.plate = &job.plate.raw;
        raw.layers = layers.as_ptr();
        raw.layer_count = layers.len();
        raw.garbage = optional(&job.garbage);
        raw.holdout = optional(&job.holdout);
        raw.background = optional(&job.background);
        raw.badge = job.badge.raw();
        // SAFETY: the handle is open; all images borrow their pixels, and all lists live, until after the call.
        let status =
            unsafe { self.library.api().rotomask_matte_render(self.handle.as_ptr(), &raw, &result.raw) };
        self.library.check(status)
    }

    fn neighbours(&self, layer: &MatteLayer<'_>) -> Vec<api::rotomask_neighbour> {
        let near = layer.neighbours.iter().map(|(offset, mask)| {
            let mut raw = MaybeUninit::uninit();
            // SAFETY: `_init` writes every field.
            let raw: api::rotomask_neighbour = unsafe {
                self.library.api().rotomask_neighbour_init(raw.as_mut_ptr(), size_of_val(&raw));
                raw.assume_init()
            };
            api::rotomask_neighbour { offset: *offset, mask: &mask.raw, ..raw }
        });
        near.collect()
    }

    fn layer(&self, layer: &MatteLayer<'_>, near: &[api::rotomask_neighbour]) -> api::rotomask_layer {
        let mut raw = MaybeUninit::uninit();
        // SAFETY: `_init` writes every field.
        let mut raw: api::rotomask_layer = unsafe {
            self.library.api().rotomask_layer_init(raw.as_mut_ptr(), size_of_val(&raw));
            raw.assume_init()
        };
        raw.kind = match layer.kind {
            MaskKind::Logits => api::ROTOMASK_MASK_LOGITS,
            MaskKind::Coverage => api::ROTOMASK_MASK_COVERAGE,
        };
        raw.mask = &layer.mask.raw;
        (raw.neighbours, raw.neighbour_count) = (near.as_ptr(), near.len());
        raw.combine = layer.combine.raw();
        raw
    }
}

impl Drop for Matte {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { self.library.api().rotomask_matte_close(self.handle.as_ptr()) }
    }
}
