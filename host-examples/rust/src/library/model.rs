//! A model, open to be used by any number of sessions.

use std::{
    ffi::CString,
    mem::MaybeUninit,
    path::Path,
    ptr::{self, NonNull},
    sync::Arc,
};

use super::{Library, api, c_path};
use crate::{Error, Result};

/// How to open a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModelOptions<'a> {
    /// Threads to compute with; 0: one per core.
    pub threads: u32,
    /// ONNX Runtime's library; `None`: where librotomask looks by itself.
    pub onnxruntime: Option<&'a Path>,
    /// Who may compute, such as `cuda,cpu`, in the order in which they are asked; empty: the CPU.
    pub providers: &'a str,
    /// The GPU's number.
    pub device: u32,
    /// The same bits in every run.
    pub deterministic: bool,
}

/// An open model.
pub struct Model {
    library: Arc<Library>,
    handle: NonNull<api::rotomask_model>,
}

// SAFETY: the header takes it as `const`, which says that it may be shared between threads.
unsafe impl Send for Model {}
// SAFETY: as above.
unsafe impl Sync for Model {}

impl Model {
    /// Opens a model package, or the library's own model.
    ///
    /// # Errors
    /// If the package can't be used, or ONNX Runtime is missing or of a wrong version.
    pub fn open(
        library: &Arc<Library>,
        package: Option<&Path>,
        options: ModelOptions<'_>,
    ) -> Result<Arc<Self>> {
        let package: Option<CString> = package.map(c_path).transpose()?;
        let onnxruntime: Option<CString> = options.onnxruntime.map(c_path).transpose()?;
        let providers = CString::new(options.providers)
            .map_err(|_| Error::Usage("--provider: a name can't have a zero byte".into()))?;
        let pointer = |path: &Option<CString>| path.as_ref().map_or(ptr::null(), |path| path.as_ptr());
        let mut handle = ptr::null_mut();
        // SAFETY: the init function fills the whole struct; the strings outlive the call.
        let status = unsafe {
            let mut raw = MaybeUninit::zeroed();
            library.api().rotomask_model_options_init(raw.as_mut_ptr(), size_of_val(&raw));
            let mut raw: api::rotomask_model_options = raw.assume_init();
            raw.threads = options.threads;
            raw.onnxruntime = pointer(&onnxruntime);
            raw.providers = providers.as_ptr();
            raw.device = options.device;
            raw.deterministic = options.deterministic.into();
            library.api().rotomask_model_open(pointer(&package), &raw, &mut handle)
        };
        library.check(status)?;
        let handle =
            NonNull::new(handle).ok_or(Error::Bug("librotomask opened no model and said nothing"))?;
        Ok(Arc::new(Self { library: library.clone(), handle }))
    }

    /// What the model's manifest says, as JSON.
    ///
    /// # Errors
    /// If the library can't tell.
    pub fn describe(&self) -> Result<String> {
        // SAFETY: the handle is open; `text` vouches for the buffer.
        self.library.text(|buffer, size| unsafe {
            self.library.api().rotomask_model_describe(self.handle.as_ptr(), buffer, size)
        })
    }

    pub(super) fn library(&self) -> &Arc<Library> {
        &self.library
    }

    pub(super) fn as_ptr(&self) -> *const api::rotomask_model {
        self.handle.as_ptr()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once; sessions hold an `Arc` of it.
        unsafe { self.library.api().rotomask_model_close(self.handle.as_ptr()) }
    }
}
