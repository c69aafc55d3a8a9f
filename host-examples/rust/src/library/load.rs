//! Finding and opening the library.

use std::{
    env,
    ffi::{CStr, CString, c_char, c_void},
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    ptr,
    sync::Arc,
};

use super::{api, c_path};
use crate::{Error, Result, progress};

/// The environment variable that names the library.
const VARIABLE: &str = "ROTOMASK_LIBRARY";

/// The open library.
pub struct Library {
    // Never unloaded: threads of ONNX Runtime or of a GPU driver may still run its code when the last handle
    // is gone.
    api: ManuallyDrop<api::Api>,
    path: PathBuf,
}

impl Library {
    /// Opens `given`, otherwise what `ROTOMASK_LIBRARY` names, otherwise the library beside this program.
    ///
    /// # Errors
    /// If there is no such library, or its ABI is another.
    pub fn open(given: Option<&Path>) -> Result<Arc<Self>> {
        let path = find(given)?;
        // SAFETY: loading runs the library's initialisers. The user names it, or installed it with us.
        let library = unsafe { libloading::Library::new(&path) }
            .map_err(|e| Error::Library(format!("{}: {e}", path.display())))?;
        // Asked before anything else is looked up, so that another ABI is named as such.
        let wanted = api::ROTOMASK_ABI_VERSION;
        // SAFETY: the header declares the function so, in every ABI version.
        let found = unsafe {
            library
                .get::<unsafe extern "C" fn() -> u32>(b"rotomask_abi_version\0")
                .map(|version| version())
                .map_err(|e| Error::Library(format!("{}: it is no librotomask: {e}", path.display())))?
        };
        if found != wanted {
            return Err(Error::Library(format!("{}: its ABI is {found}, expected {wanted}", path.display())));
        }
        // SAFETY: the functions are declared as this ABI version's header says.
        let api = unsafe { api::Api::from_library(library) }
            .map_err(|e| Error::Library(format!("{}: {e}", path.display())))?;
        let library = Arc::new(Self { api: ManuallyDrop::new(api), path });
        library.hear_warnings()?;
        Ok(library)
    }

    /// The file that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The library's own version.
    pub fn version(&self) -> String {
        // SAFETY: a static string, or null.
        unsafe {
            let version = self.api().rotomask_version();
            if version.is_null() {
                String::new()
            } else {
                CStr::from_ptr(version).to_string_lossy().into_owned()
            }
        }
    }

    /// The version of its binary interface.
    pub fn abi_version(&self) -> u32 {
        // SAFETY: takes nothing.
        unsafe { self.api().rotomask_abi_version() }
    }

    /// What the library finds on this machine, as JSON.
    ///
    /// # Errors
    /// If the library can't tell.
    pub fn info(&self, onnxruntime: Option<&Path>) -> Result<String> {
        let onnxruntime: Option<CString> = onnxruntime.map(c_path).transpose()?;
        let onnxruntime = onnxruntime.as_ref().map_or(ptr::null(), |path| path.as_ptr());
        // SAFETY: a string or null goes in; `text` vouches for the buffer.
        self.text(|buffer, size| unsafe { self.api().rotomask_info(onnxruntime, buffer, size) })
    }

    pub(super) fn api(&self) -> &api::Api {
        &self.api
    }

    fn hear_warnings(&self) -> Result<()> {
        // SAFETY: the callback is a plain function that needs no user data and lives as long as the program.
        self.check(unsafe {
            self.api().rotomask_log_set(Some(heard), ptr::null_mut(), api::ROTOMASK_LEVEL_WARN)
        })
    }
}

/// May be called from any of the library's threads.
unsafe extern "C" fn heard(_user: *mut c_void, _level: api::rotomask_level, message: *const c_char) {
    if message.is_null() {
        return;
    }
    // SAFETY: the library hands over a string that lives for this call.
    let message = unsafe { CStr::from_ptr(message) }.to_string_lossy();
    // A panic must not run into the library's frames. What could not be printed is lost.
    let _ = catch_unwind(AssertUnwindSafe(|| progress::warn(&message)));
}

fn find(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = given {
        return existing(path, "--library");
    }
    if let Some(path) = env::var_os(VARIABLE).filter(|p| !p.is_empty()) {
        return existing(Path::new(&path), VARIABLE);
    }
    let name = libloading::library_filename("rotomask");
    let program = env::current_exe().map_err(|e| Error::Library(format!("this program's own place: {e}")))?;
    let folder = program.parent().unwrap_or(Path::new("."));
    let places = [folder.join(&name), folder.join("../lib").join(&name)];
    places.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        Error::Library(format!(
            "it is neither {} nor in ../lib, expected it there, in {VARIABLE} or in --library",
            places[0].display()
        ))
    })
}

fn existing(path: &Path, origin: &str) -> Result<PathBuf> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    Err(Error::Library(format!("{origin} names {}, and there is no such file", path.display())))
}
