//! The host and its suites. Whatever may be missing is missing somewhere.

use std::ffi::{CStr, c_int};
use std::sync::atomic::{AtomicPtr, Ordering};

use openfx_abi::*;

static HOST: AtomicPtr<OfxHost> = AtomicPtr::new(std::ptr::null_mut());

/// The suites that the host has. The first three are demanded, and are there wherever an effect can be.
#[derive(Clone, Copy)]
pub struct Suites {
    pub property: &'static OfxPropertySuiteV1,
    pub effect: &'static OfxImageEffectSuiteV1,
    pub param: &'static OfxParameterSuiteV1,
    pub message: Option<&'static OfxMessageSuiteV1>,
    pub persistent: Option<&'static OfxMessageSuiteV2>,
    pub progress: Option<&'static OfxProgressSuiteV1>,
    pub progress_v2: Option<&'static OfxProgressSuiteV2>,
    pub interact: Option<&'static OfxInteractSuiteV1>,
    pub draw: Option<&'static OfxDrawSuiteV1>,
    /// The host's own properties.
    pub host: OfxPropertySetHandle,
}

/// Takes the host. It may be handed over again, before every frame.
///
/// # Safety
/// `host` is null or valid for as long as the plugin is loaded.
pub unsafe fn set(host: *const OfxHost) -> OfxStatus {
    if host.is_null() {
        return kOfxStatErrBadHandle;
    }
    HOST.store(host.cast_mut(), Ordering::Release);
    kOfxStatOK
}

/// The suites, asked for anew: a look-up by name costs nothing beside a frame, and hosts that load a plugin for every frame
/// may give others each time. `None` without a host that has what an effect can't do without.
pub fn suites() -> Option<Suites> {
    let host = HOST.load(Ordering::Acquire);
    // SAFETY: null, or the contract of `set`.
    let host = unsafe { host.as_ref() }?;
    // SAFETY: each name goes with the struct that the standard gives it.
    unsafe {
        Some(Suites {
            property: fetch(host, kOfxPropertySuite, 1)?,
            effect: fetch(host, kOfxImageEffectSuite, 1)?,
            param: fetch(host, kOfxParameterSuite, 1)?,
            message: fetch(host, kOfxMessageSuite, 1),
            persistent: fetch(host, kOfxMessageSuite, 2),
            progress: fetch(host, kOfxProgressSuite, 1),
            progress_v2: fetch(host, kOfxProgressSuite, 2),
            interact: fetch(host, kOfxInteractSuite, 1),
            draw: fetch(host, kOfxDrawSuite, 1),
            host: host.host,
        })
    }
}

/// # Safety
/// `T` is the struct of the suite of this name and version.
unsafe fn fetch<T>(host: &OfxHost, name: &CStr, version: c_int) -> Option<&'static T> {
    let fetch = host.fetchSuite?;
    // SAFETY: the host's function, with the host's handle and a name.
    let suite = unsafe { fetch(host.host, name.as_ptr(), version) };
    // SAFETY: null or the suite, which lives as long as the host.
    unsafe { suite.cast::<T>().as_ref() }
}
