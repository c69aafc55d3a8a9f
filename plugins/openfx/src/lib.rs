//! The OpenFX effect "Rotomask": what the host asks for is translated for `plugin_common`, and back.
//!
//! Three exports, each guarded: no panic leaves. Rendering only reads; everything an artist sets is in parameters, so that
//! an instance has no state that could be lost.

#[cfg(panic = "abort")]
compile_error!("no panic may cross into a host: build the plugin with panic = \"unwind\"");

mod host;
mod props;
mod params;
mod image;
mod effect;
mod controls;
mod describe;
mod geometry;
mod state;
mod report;
mod shot;
mod session;
mod render;
mod buttons;
mod overlay;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use openfx_abi::*;

use effect::Effect;
use props::Props;

/// Never changes: projects are saved with it.
const IDENTIFIER: &CStr = c"org.rotomask.Rotomask";

struct Plugin(OfxPlugin);

// SAFETY: it is never written, and its pointers are to constants.
unsafe impl Sync for Plugin {}

static PLUGIN: Plugin = Plugin(OfxPlugin {
    pluginApi: kOfxImageEffectPluginApi.as_ptr(),
    apiVersion: 1,
    pluginIdentifier: IDENTIFIER.as_ptr(),
    pluginVersionMajor: 0,
    pluginVersionMinor: 1,
    setHost: Some(set_host),
    mainEntry: Some(main_entry),
});

/// How many plugins this library has.
#[unsafe(no_mangle)]
pub extern "C" fn OfxGetNumberOfPlugins() -> c_int {
    1
}

/// The plugin of a number.
#[unsafe(no_mangle)]
pub extern "C" fn OfxGetPlugin(number: c_int) -> *const OfxPlugin {
    if number == 0 { &raw const PLUGIN.0 } else { std::ptr::null() }
}

/// Takes the host, as OpenFX 1.5 hands it over before anything else.
///
/// # Safety
/// `host` is null or the host's for as long as the plugin is loaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OfxSetHost(host: *const OfxHost) -> OfxStatus {
    // SAFETY: the contract above.
    guard(|| unsafe { host::set(host) })
}

unsafe extern "C" fn set_host(host: *mut OfxHost) {
    // SAFETY: the standard's contract: null or the host's for as long as the plugin is loaded.
    guard(|| unsafe { host::set(host) });
}

/// Runs an export's work; a panic is a failure.
fn guard(work: impl FnOnce() -> OfxStatus) -> OfxStatus {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(kOfxStatFailed)
}

unsafe extern "C" fn main_entry(
    action: *const c_char,
    handle: *const c_void,
    in_args: OfxPropertySetHandle,
    out_args: OfxPropertySetHandle,
) -> OfxStatus {
    guard(|| {
        if action.is_null() {
            return kOfxStatErrValue;
        }
        // SAFETY: not null, and the standard's contract: a NUL-terminated name.
        let action = unsafe { CStr::from_ptr(action) };
        act(action, handle, in_args, out_args)
    })
}

/// Says what an action came to.
pub(crate) type Answer = Result<OfxStatus, plugin_common::Error>;

fn act(
    action: &CStr,
    handle: *const c_void,
    in_args: OfxPropertySetHandle,
    out_args: OfxPropertySetHandle,
) -> OfxStatus {
    if action == kOfxActionUnload {
        return kOfxStatOK;
    }
    let Some(suites) = host::suites() else { return kOfxStatErrMissingHostFeature };
    if action == kOfxActionLoad {
        return kOfxStatOK;
    }
    if handle.is_null() {
        return kOfxStatErrBadHandle;
    }
    let effect = Effect::new(handle, suites);
    let (given, answer) = (Props::new(in_args, suites.property), Props::new(out_args, suites.property));
    let done: Answer = if action == kOfxActionDescribe {
        describe::describe(&effect)
    } else if action == kOfxImageEffectActionDescribeInContext {
        describe::describe_in_context(&effect, &given)
    } else if action == kOfxActionCreateInstance {
        buttons::created(&effect)
    } else if action == kOfxActionDestroyInstance {
        buttons::destroyed(&effect);
        Ok(kOfxStatOK)
    } else if action == kOfxActionInstanceChanged {
        buttons::changed(&effect, &given)
    } else if action == kOfxImageEffectActionRender {
        render::render(&effect, &given)
    } else if action == kOfxImageEffectActionIsIdentity {
        render::is_identity(&effect, &given, &answer)
    } else if action == kOfxImageEffectActionGetClipPreferences {
        render::clip_preferences(&effect, &answer)
    } else if action == kOfxImageEffectActionGetFramesNeeded {
        render::frames_needed(&given, &answer)
    } else if action == kOfxActionSyncPrivateData {
        // Everything is in parameters already.
        Ok(kOfxStatOK)
    } else {
        Ok(kOfxStatReplyDefault)
    };
    done.unwrap_or_else(|error| {
        report::problem(&effect, &error);
        kOfxStatFailed
    })
}
