//! ONNX Runtime: found by path, never by name, and loaded once a process.
//!
//! A search by name would take whatever the host has loaded or ships: editors do carry old copies.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

use super::provider::Provider;
use crate::error::{Error, Result};

/// The environment variable that names the library.
pub const VARIABLE: &str = "ROTOMASK_ONNXRUNTIME";

/// The oldest ONNX Runtime whose interface this library speaks.
const OLDEST: &str = "1.31";

static LOADED: Mutex<Option<(Environment, PathBuf)>> = Mutex::new(None);

/// What is known of the loaded ONNX Runtime.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RuntimeInfo {
    /// Where it was loaded from.
    pub path: PathBuf,
    /// Its version, such as "1.32.0".
    pub version: String,
    /// Its own build description.
    pub build: String,
    /// The execution providers that this build has, by ONNX Runtime's names.
    pub providers: Vec<&'static str>,
}

/// Loads ONNX Runtime if it isn't yet and says what it is.
///
/// It is looked for at `path`, otherwise where `ROTOMASK_ONNXRUNTIME` says, otherwise in the folder of the
/// library (or program) that contains this code.
///
/// # Errors
/// [`Error::Runtime`] if there is none, it is older than 1.31, or another one was loaded before.
pub fn info(path: Option<&Path>) -> Result<RuntimeInfo> {
    let (_, path) = load(path)?;
    let version = version(&path)?;
    Ok(RuntimeInfo { path, version, build: ort::info().to_owned(), providers: providers() })
}

/// What the loaded library calls itself. `ort` asks too, but doesn't tell.
fn version(path: &Path) -> Result<String> {
    let failed = |e: libloading::Error| Error::Runtime(format!("{}: {e}", path.display()));
    // SAFETY: the library is loaded already: this only finds it again, and runs none of its start-up code.
    let library = unsafe { libloading::Library::new(path) }.map_err(failed)?;
    // SAFETY: every ONNX Runtime exports this function with this type, and this one is known to be one.
    let base =
        unsafe { library.get::<unsafe extern "C" fn() -> *const ort::sys::OrtApiBase>(b"OrtGetApiBase") };
    // SAFETY: it takes nothing, and gives a pointer to a constant or null.
    let base = unsafe { base.map_err(failed)?().as_ref() };
    let base = base.ok_or_else(|| Error::Runtime(format!("{} has no interface", path.display())))?;
    // SAFETY: the function gives a NUL-terminated constant.
    let version = unsafe { std::ffi::CStr::from_ptr((base.GetVersionString)()) };
    Ok(version.to_string_lossy().into_owned())
}

pub(super) fn environment(path: Option<&Path>) -> Result<Environment> {
    load(path).map(|(environment, _)| environment)
}

fn load(asked: Option<&Path>) -> Result<(Environment, PathBuf)> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((environment, path)) = &*loaded {
        if let Some(asked) = asked.filter(|asked| !same_file(asked, path)) {
            return Err(Error::Runtime(format!(
                "{} was asked for, but this process has already loaded {}",
                asked.display(),
                path.display()
            )));
        }
        return Ok((environment.clone(), path.clone()));
    }
    let path = find(asked)?;
    let builder = ort::init_from(&path).map_err(|e| refused(&path, &e))?;
    let environment = builder
        .with_name("rotomask")
        .with_telemetry(false)
        .build()
        .map_err(|e| Error::Runtime(format!("{}: {e}", path.display())))?;
    environment.set_log_level(ort::logging::LogLevel::Error);
    Ok(loaded.insert((environment, path)).clone())
}

fn refused(path: &Path, problem: &ort::LoadDynamicError) -> Error {
    use ort::LoadDynamicError as Load;
    let path = path.display();
    Error::Runtime(match problem {
        Load::BadVersion { version_str, .. } => {
            format!("{path} is version {version_str}, expected {OLDEST} or newer")
        }
        Load::MissingApi { .. } => format!("{path} is a library but has no `OrtGetApiBase`"),
        Load::InvalidVersionString => format!("{path} tells no version, expected {OLDEST} or newer"),
        Load::Dlopen { error, .. } => format!("{path} can't be loaded: {error}"),
        #[allow(unreachable_patterns, reason = "a later ort may have more to say")]
        other => format!("{path}: {other}"),
    })
}

fn find(asked: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = asked {
        return existing(path, "was asked for");
    }
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        return existing(Path::new(&path), &format!("is what {VARIABLE} names"));
    }
    let Some(folder) = own_folder() else {
        return Err(Error::Runtime(format!(
            "{VARIABLE} is not set, and the library's own folder is unknown"
        )));
    };
    // First a folder that is the library's alone: where it is installed with others, a runtime beside it may be theirs.
    beside(&folder.join("rotomask")).or_else(|| beside(&folder)).ok_or_else(|| {
        Error::Runtime(format!(
            "none found: {VARIABLE} is not set, and {} has no {}, nor a folder rotomask with one; expected version \
             {OLDEST} or newer",
            folder.display(),
            library_name()
        ))
    })
}

fn existing(path: &Path, reason: &str) -> Result<PathBuf> {
    if !path.is_file() {
        return Err(Error::Runtime(format!("{} {reason}, but there is no such file", path.display())));
    }
    // Absolute, so that no search path has a say in what is loaded.
    std::path::absolute(path).map_err(|e| Error::Runtime(format!("{}: {e}", path.display())))
}

fn library_name() -> String {
    format!("{}onnxruntime{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// `libonnxruntime.so` or, without it, the last by name of `libonnxruntime.so.1.32.0` and the like.
fn beside(folder: &Path) -> Option<PathBuf> {
    let plain = folder.join(library_name());
    if plain.is_file() {
        return Some(plain);
    }
    let versioned = |name: &str| {
        let stem = format!("{}onnxruntime.", std::env::consts::DLL_PREFIX);
        name.starts_with(&stem) && name.contains(std::env::consts::DLL_SUFFIX)
    };
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.file_name().to_str().is_some_and(versioned))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found.pop()
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

/// The folder of the shared library or program that this code was linked into.
#[cfg(unix)]
fn own_folder() -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `dladdr` only compares the address with those of loaded objects, and fills in the struct.
    let known = unsafe { libc::dladdr(own_folder as *const libc::c_void, found.as_mut_ptr()) } != 0;
    // SAFETY: all of the struct's fields may be null, and it was zeroed.
    let found = unsafe { found.assume_init() };
    if !known || found.dli_fname.is_null() {
        return None;
    }
    // SAFETY: `dladdr` gave a NUL-terminated string that lives as long as the object, which is this one.
    let path = unsafe { std::ffi::CStr::from_ptr(found.dli_fname) };
    let path = Path::new(std::ffi::OsStr::from_bytes(path.to_bytes()));
    Some(std::path::absolute(path).ok()?.parent()?.to_path_buf())
}

#[cfg(not(unix))]
fn own_folder() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.parent()?.to_path_buf())
}

/// The execution providers that this build has, by ONNX Runtime's names.
pub(super) fn providers() -> Vec<&'static str> {
    Provider::ALL.into_iter().filter(|p| p.is_built_in()).map(Provider::onnxruntime_name).collect()
}
