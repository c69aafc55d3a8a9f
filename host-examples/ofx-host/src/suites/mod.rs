//! The host's suites: what a plugin can call. Every function checks its handles and says what is wrong by a status.

mod effect;
mod interact;
mod other;
mod param;
mod property;

use std::ffi::{CStr, c_char, c_int, c_void};

use openfx_abi::*;

use crate::world::{Id, world};

/// What `OfxGetHost` would be: the one that every plugin is given.
pub fn host() -> *mut OfxHost {
    static mut HOST: OfxHost = OfxHost { host: std::ptr::null_mut(), fetchSuite: Some(fetch) };
    let props = {
        let mut world = world();
        let existing = world.sets.iter().find(|(_, set)| set.contains_key(c"OfxHostSelf")).map(|(id, _)| *id);
        existing.unwrap_or_else(|| world.new_set())
    };
    describe(props);
    let host = &raw mut HOST;
    // SAFETY: written before a plugin is loaded, by the thread that loads it.
    unsafe { (*host).host = props as OfxPropertySetHandle };
    host
}

/// What the host says of itself.
fn describe(props: Id) {
    let mut world = world();
    let quirks = world.quirks.clone();
    if quirks.answers_nothing.is_some() {
        world.sets.insert(props, crate::world::PropSet::new());
        world.ints(props, c"OfxHostSelf", &[1]);
        return;
    }
    world.ints(props, c"OfxHostSelf", &[1]);
    world.name(props, kOfxPropType, kOfxTypeImageEffectHost);
    world.texts(props, kOfxPropName, &["org.rotomask.ofx-host"]);
    world.texts(props, kOfxPropLabel, &["ofx-host"]);
    world.ints(props, kOfxPropVersion, &[0, 1, 0]);
    world.texts(props, kOfxPropVersionLabel, &["0.1.0"]);
    world.ints(props, kOfxPropAPIVersion, &quirks.api);
    world.ints(props, kOfxImageEffectHostPropIsBackground, &[1]);
    world.ints(props, kOfxImageEffectPropSupportsOverlays, &[1]);
    world.ints(props, kOfxImageEffectPropSupportsMultiResolution, &[1]);
    world.ints(props, kOfxImageEffectPropSupportsTiles, &[1]);
    world.ints(props, kOfxImageEffectPropTemporalClipAccess, &[c_int::from(quirks.says_temporal_access)]);
    world.texts(
        props,
        kOfxImageEffectPropSupportedComponents,
        &["OfxImageComponentRGBA", "OfxImageComponentRGB", "OfxImageComponentAlpha"],
    );
    world.texts(
        props,
        kOfxImageEffectPropSupportedContexts,
        &["OfxImageEffectContextFilter", "OfxImageEffectContextGeneral"],
    );
    let depths: &[&str] = if quirks.float_only {
        &["OfxBitDepthFloat"]
    } else {
        &["OfxBitDepthByte", "OfxBitDepthShort", "OfxBitDepthHalf", "OfxBitDepthFloat"]
    };
    world.texts(props, kOfxImageEffectPropSupportedPixelDepths, depths);
    for name in [
        kOfxImageEffectPropSupportsMultipleClipDepths,
        kOfxImageEffectPropSupportsMultipleClipPARs,
        kOfxImageEffectPropSetableFrameRate,
        kOfxImageEffectPropSetableFielding,
        kOfxParamHostPropSupportsCustomAnimation,
        kOfxParamHostPropSupportsStringAnimation,
        kOfxParamHostPropSupportsBooleanAnimation,
        kOfxParamHostPropSupportsChoiceAnimation,
        kOfxParamHostPropSupportsCustomInteract,
        kOfxParamHostPropMaxPages,
    ] {
        world.ints(props, name, &[0]);
    }
    world.ints(props, kOfxParamHostPropMaxParameters, &[-1]);
    world.ints(props, kOfxParamHostPropPageRowColumnCount, &[0, 0]);
}

unsafe extern "C" fn fetch(_: OfxPropertySetHandle, name: *const c_char, version: c_int) -> *const c_void {
    if name.is_null() {
        return std::ptr::null();
    }
    // SAFETY: not null, and the standard's contract: a NUL-terminated name.
    let name = unsafe { CStr::from_ptr(name) };
    let quirks = world().quirks.clone();
    let is = |wanted: &CStr, of: c_int| name == wanted && version == of;
    match () {
        _ if is(kOfxPropertySuite, 1) => (&raw const property::SUITE).cast(),
        _ if is(kOfxImageEffectSuite, 1) => (&raw const effect::SUITE).cast(),
        _ if is(kOfxParameterSuite, 1) => (&raw const param::SUITE).cast(),
        _ if is(kOfxMessageSuite, 2) && quirks.message_v2 => (&raw const other::MESSAGE_V2).cast(),
        _ if is(kOfxMessageSuite, 1) && quirks.message_v1 => (&raw const other::MESSAGE_V1).cast(),
        _ if is(kOfxProgressSuite, 2) && quirks.progress_v2 => (&raw const other::PROGRESS_V2).cast(),
        _ if is(kOfxProgressSuite, 1) && quirks.progress_v1 => (&raw const other::PROGRESS_V1).cast(),
        _ if is(kOfxInteractSuite, 1) && quirks.interact_suite => (&raw const interact::SUITE).cast(),
        _ if is(kOfxDrawSuite, 1) && quirks.draw_suite => (&raw const interact::DRAW).cast(),
        _ if !quirks.other_suites => std::ptr::null(),
        _ if is(kOfxMemorySuite, 1) => (&raw const other::MEMORY).cast(),
        _ if is(kOfxMultiThreadSuite, 1) => (&raw const other::THREADS).cast(),
        _ if is(kOfxTimeLineSuite, 1) => (&raw const other::TIME_LINE).cast(),
        _ => std::ptr::null(),
    }
}

/// A name that a plugin gives; `None` for null.
///
/// # Safety
/// `name` is null or a NUL-terminated string that stays during the call.
unsafe fn name<'a>(name: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the contract above.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })
}
