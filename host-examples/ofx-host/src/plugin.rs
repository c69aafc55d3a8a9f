//! A plugin: its library, its actions, its description.

use std::ffi::{CStr, CString, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use openfx_abi::*;

use crate::suites;
use crate::world::{Doing, Effect, Id, Value, Values, doing, world};
use crate::{Error, Result};

/// A loaded plugin.
pub struct Plugin {
    library: Arc<libloading::Library>,
    entry: OfxPluginEntryPoint,
    /// What it calls itself.
    pub id: String,
    /// Its own version.
    pub version: [u32; 2],
    bundle: PathBuf,
}

/// The library in a bundle, for this system; a path that is no folder is the library itself.
///
/// # Errors
/// If the bundle has none.
pub fn library_of(path: &Path) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    let folder = if cfg!(windows) {
        "Win64"
    } else if cfg!(target_os = "macos") {
        "MacOS"
    } else if cfg!(target_arch = "aarch64") {
        "Linux-aarch64"
    } else {
        "Linux-x86-64"
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.strip_suffix(".bundle").unwrap_or(&name);
    let library = path.join("Contents").join(folder).join(name);
    if library.is_file() {
        return Ok(library);
    }
    Err(Error::plain(format!(
        "{}: there is no {}, expected a bundle of an OpenFX plugin",
        path.display(),
        library.display()
    )))
}

impl Plugin {
    /// Loads the plugin of this identifier, or the only one there is, and lets it load itself.
    ///
    /// # Errors
    /// If the library is none, has no such plugin, or the plugin refuses to be loaded.
    pub fn open(path: &Path, id: Option<&str>) -> Result<Self> {
        let file = library_of(path)?;
        let failed = |e: libloading::Error| Error::plain(format!("{}: {e}", file.display()));
        // SAFETY: a plugin is asked for; what it does when it is loaded, its maker vouches for.
        let library = unsafe { libloading::Library::new(&file) }.map_err(failed)?;
        let host = suites::host();
        // SAFETY: the standard gives these exports these types.
        unsafe {
            if let Ok(set) = library.get::<unsafe extern "C" fn(*const OfxHost) -> OfxStatus>(b"OfxSetHost\0")
            {
                set(host);
            }
            let count = *library
                .get::<unsafe extern "C" fn() -> c_int>(b"OfxGetNumberOfPlugins\0")
                .map_err(failed)?;
            let get = *library
                .get::<unsafe extern "C" fn(c_int) -> *const OfxPlugin>(b"OfxGetPlugin\0")
                .map_err(failed)?;
            let mut seen = Vec::new();
            for number in 0..count() {
                let Some(plugin) = get(number).as_ref() else { continue };
                let found = CStr::from_ptr(plugin.pluginIdentifier).to_string_lossy().into_owned();
                if id.is_none_or(|id| id == found) {
                    let Some(entry) = plugin.mainEntry else { continue };
                    if let Some(set) = plugin.setHost {
                        set(host);
                    }
                    let version = [plugin.pluginVersionMajor, plugin.pluginVersionMinor];
                    let bundle = path.to_path_buf();
                    let opened = Self { library: Arc::new(library), entry, id: found, version, bundle };
                    opened.load()?;
                    return Ok(opened);
                }
                seen.push(found);
            }
            Err(Error::plain(format!(
                "{}: found the plugins {}, expected {}",
                file.display(),
                seen.join(", "),
                id.unwrap_or("one")
            )))
        }
    }

    /// Calls an action.
    pub fn act(
        &self,
        action: &CStr,
        handle: Id,
        given: Option<Id>,
        answer: Option<Id>,
        what: Doing,
    ) -> c_int {
        let what = Doing { action: action.to_string_lossy().into_owned(), ..what };
        let as_props = |set: Option<Id>| set.unwrap_or(0) as OfxPropertySetHandle;
        // SAFETY: the standard's entry, with handles of this host's.
        doing(what, || unsafe {
            (self.entry)(action.as_ptr(), handle as *const c_void, as_props(given), as_props(answer))
        })
    }

    /// The load action. It may come again and again.
    ///
    /// # Errors
    /// If the plugin answers anything but that it is loaded.
    pub fn load(&self) -> Result<()> {
        let status = self.act(kOfxActionLoad, 0, None, None, Doing::default());
        self.expect(kOfxActionLoad, status, &[kOfxStatOK])
    }

    /// # Errors
    /// If the status is none of those, with the plugin's last message.
    pub fn expect(&self, action: &CStr, status: c_int, good: &[c_int]) -> Result<()> {
        if good.contains(&status) {
            return Ok(());
        }
        let said = world().messages.last().map(|(_, text)| text.clone());
        Err(Error::Action { action: action.to_string_lossy().into_owned(), status, said })
    }

    /// Describes the effect in a context, and gives the descriptor.
    ///
    /// # Errors
    /// If the plugin refuses.
    pub fn describe(&self, context: &CStr) -> Result<Descriptor> {
        let id = {
            let mut world = world();
            let (props, id) = (world.new_set(), world.id());
            world.name(props, kOfxPropType, kOfxTypeImageEffect);
            let folder = std::path::absolute(&self.bundle).unwrap_or_else(|_| self.bundle.clone());
            world.texts(props, kOfxPluginPropFilePath, &[&folder.to_string_lossy()]);
            world.effects.insert(id, Effect { props, is_descriptor: true, ..Effect::default() });
            id
        };
        let descriptor = Descriptor { id, context: context.to_owned() };
        let good = [kOfxStatOK, kOfxStatReplyDefault];
        let status = self.act(kOfxActionDescribe, id, None, None, Doing::default());
        self.expect(kOfxActionDescribe, status, &good)?;
        let given = world().new_set();
        world().name(given, kOfxImageEffectPropContext, context);
        let status =
            self.act(kOfxImageEffectActionDescribeInContext, id, Some(given), None, Doing::default());
        world().sets.remove(&given);
        self.expect(kOfxImageEffectActionDescribeInContext, status, &good)?;
        Ok(descriptor)
    }

    /// The overlay's entry of a described effect, and whether it is of version 2.
    pub fn overlay(&self, descriptor: &Descriptor) -> Option<(OfxPluginEntryPoint, bool)> {
        let world = world();
        let props = world.effects.get(&descriptor.id)?.props;
        let find = |name| world.pointer_of(props, name);
        let (entry, v2) = find(kOfxImageEffectPluginPropOverlayInteractV2)
            .map(|entry| (entry, true))
            .or_else(|| find(kOfxImageEffectPluginPropOverlayInteractV1).map(|entry| (entry, false)))?;
        // SAFETY: the plugin gave this pointer as an entry of the standard's type.
        Some((unsafe { std::mem::transmute::<usize, OfxPluginEntryPoint>(entry) }, v2))
    }

    /// The library, which must outlive what came from it.
    pub fn library(&self) -> &libloading::Library {
        &self.library
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.act(kOfxActionUnload, 0, None, None, Doing::default());
    }
}

/// A described effect.
#[derive(Debug)]
pub struct Descriptor {
    /// Its handle.
    pub id: Id,
    /// Which context.
    pub context: CString,
}

impl Descriptor {
    /// Lets go of it.
    pub fn forget(self) {
        forget(self.id);
    }
}

/// Lets go of a descriptor or an instance with all that belongs to it.
pub fn forget(id: Id) {
    let mut world = world();
    let Some(effect) = world.effects.remove(&id) else { return };
    world.sets.remove(&effect.props);
    for param in effect.params {
        if let Some(param) = world.params.remove(&param) {
            world.sets.remove(&param.props);
        }
    }
    for clip in effect.clips {
        if let Some(clip) = world.clips.remove(&clip) {
            world.sets.remove(&clip.props);
        }
    }
}

/// The value that a described parameter starts with.
pub fn start_value(kind: &str, default: Option<&Values>) -> Value {
    let is = |name: &CStr| kind.as_bytes() == name.to_bytes();
    let ints = || match default {
        Some(Values::Ints(values)) => values.clone(),
        _ => Vec::new(),
    };
    let doubles = |count| {
        let mut values = match default {
            Some(Values::Doubles(values)) => values.clone(),
            _ => Vec::new(),
        };
        values.resize(count, 0.0);
        Value::Doubles(values)
    };
    let one = || Value::Ints(vec![ints().first().copied().unwrap_or(0)]);
    match () {
        _ if is(kOfxParamTypeInteger) || is(kOfxParamTypeBoolean) || is(kOfxParamTypeChoice) => one(),
        _ if is(kOfxParamTypeDouble) => doubles(1),
        _ if is(kOfxParamTypeDouble2D) => doubles(2),
        _ if is(kOfxParamTypeRGBA) => doubles(4),
        _ if is(kOfxParamTypeString) => Value::Text(match default {
            Some(Values::Texts(texts)) => texts.first().cloned().unwrap_or_default(),
            _ => CString::default(),
        }),
        _ => Value::None,
    }
}
