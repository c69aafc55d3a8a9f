//! Where the plugin itself lies, and what lies beside it: ONNX Runtime and models.
//!
//! Always by absolute path and never by name: an editor may have an old ONNX Runtime of its own in its folder.

use std::path::{Path, PathBuf};

/// What ONNX Runtime's library is called on this system.
pub fn runtime_name() -> String {
    format!("{}onnxruntime{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// ONNX Runtime beside the plugin; `None` if an artist names one by `ROTOMASK_ONNXRUNTIME`, or there is none.
pub fn runtime() -> Option<PathBuf> {
    if std::env::var_os(rotomask::model::runtime::VARIABLE).is_some_and(|path| !path.is_empty()) {
        return None;
    }
    let own = own_folder()?;
    folders(&own).into_iter().map(|folder| folder.join(runtime_name())).find(|path| path.is_file())
}

/// The model package that lies with the plugin, if any does: the first `NAME.rotomodel` by name. Without one, the model
/// that is compiled in is used.
pub fn model() -> Option<PathBuf> {
    let own = own_folder()?;
    folders(&own).into_iter().find_map(|folder| {
        let entries = std::fs::read_dir(folder).ok()?;
        let is_package = |path: &PathBuf| path.extension().is_some_and(|e| e == "rotomodel") && path.is_dir();
        entries.filter_map(|entry| entry.ok()).map(|entry| entry.path()).filter(is_package).min()
    })
}

/// Where things that belong to a plugin in `own` may lie: beside it, in a bundle's resources, and, for frei0r, whose hosts
/// take every library in a plugin's folder for a plugin, in a folder next to that.
fn folders(own: &Path) -> Vec<PathBuf> {
    let mut folders = vec![own.to_path_buf()];
    if let Some(above) = own.parent() {
        folders.push(above.join("Resources"));
        folders.push(above.join("rotomask"));
    }
    folders
}

/// The folder of the library that this code was linked into, links followed.
pub fn own_folder() -> Option<PathBuf> {
    let path = own_path()?;
    let path = path.canonicalize().unwrap_or(path);
    Some(path.parent()?.to_path_buf())
}

#[cfg(unix)]
fn own_path() -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `dladdr` only compares the address with those of loaded objects, and fills in the struct.
    let known = unsafe { libc::dladdr(own_path as *const libc::c_void, found.as_mut_ptr()) } != 0;
    // SAFETY: all of the struct's fields may be null, and it was zeroed.
    let found = unsafe { found.assume_init() };
    if !known || found.dli_fname.is_null() {
        return None;
    }
    // SAFETY: `dladdr` gave a NUL-terminated string that lives as long as the object, which is this one.
    let path = unsafe { std::ffi::CStr::from_ptr(found.dli_fname) };
    std::path::absolute(Path::new(std::ffi::OsStr::from_bytes(path.to_bytes()))).ok()
}

#[cfg(windows)]
fn own_path() -> Option<PathBuf> {
    use std::ffi::{OsString, c_void};
    use std::os::windows::ffi::OsStringExt;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
        fn GetModuleFileNameW(module: *mut c_void, name: *mut u16, size: u32) -> u32;
    }
    /// By an address inside it, without counting a use.
    const FROM_ADDRESS_UNCHANGED: u32 = 4 | 2;
    let mut module = std::ptr::null_mut();
    let here = own_path as *const c_void;
    // SAFETY: the address is this function's, and the out pointer is ours.
    if unsafe { GetModuleHandleExW(FROM_ADDRESS_UNCHANGED, here, &mut module) } == 0 {
        return None;
    }
    let mut name = vec![0u16; 32768];
    // SAFETY: the buffer has the size that is said.
    let length = unsafe { GetModuleFileNameW(module, name.as_mut_ptr(), name.len() as u32) } as usize;
    (length > 0 && length < name.len()).then(|| OsString::from_wide(&name[..length]).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_is_looked_for_beside_the_plugin_in_resources_and_in_frei0rs_neighbour() {
        let found = folders(Path::new("/a/lib"));
        assert_eq!(found, ["/a/lib", "/a/Resources", "/a/rotomask"].map(PathBuf::from));
    }

    #[test]
    fn this_code_knows_its_own_folder() {
        let program = std::env::current_exe().unwrap().canonicalize().unwrap();
        assert_eq!(own_folder().unwrap(), program.parent().unwrap());
    }
}
