//! What both sides pass around.

use std::ffi::{c_char, c_int, c_uint, c_void};

use crate::OfxStatus;

macro_rules! handles {
    ($($(#[$doc:meta])* $handle:ident of $struct:ident),+ $(,)?) => {
        $(
            #[doc = concat!("What a [`", stringify!($handle), "`] points to: the host's own.")]
            #[repr(C)]
            #[derive(Debug)]
            pub struct $struct([u8; 0]);
            $(#[$doc])*
            pub type $handle = *mut $struct;
        )+
    };
}

handles! {
    /// A set of properties.
    OfxPropertySetHandle of OfxPropertySetStruct,
    /// An effect: its descriptor or an instance.
    OfxImageEffectHandle of OfxImageEffectStruct,
    /// A clip of an instance.
    OfxImageClipHandle of OfxImageClipStruct,
    /// Memory that the host manages.
    OfxImageMemoryHandle of OfxImageMemoryStruct,
    /// A parameter of an instance.
    OfxParamHandle of OfxParamStruct,
    /// An effect's parameters.
    OfxParamSetHandle of OfxParamSetStruct,
    /// A mutex of the host.
    OfxMutexHandle of OfxMutex,
    /// An overlay.
    OfxInteractHandle of OfxInteract,
    /// Where an overlay is drawn.
    OfxDrawContextHandle of OfxDrawContext,
}

/// Time in frames.
pub type OfxTime = f64;

/// What the host is to the plugin.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct OfxHost {
    /// The host's properties.
    pub host: OfxPropertySetHandle,
    /// Gives a suite by name and version, or null.
    pub fetchSuite: Option<unsafe extern "C" fn(OfxPropertySetHandle, *const c_char, c_int) -> *const c_void>,
}

/// Where actions arrive.
pub type OfxPluginEntryPoint = unsafe extern "C" fn(
    action: *const c_char,
    handle: *const c_void,
    inArgs: OfxPropertySetHandle,
    outArgs: OfxPropertySetHandle,
) -> OfxStatus;

/// What the plugin is to the host.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "names say it")]
pub struct OfxPlugin {
    pub pluginApi: *const c_char,
    pub apiVersion: c_int,
    pub pluginIdentifier: *const c_char,
    pub pluginVersionMajor: c_uint,
    pub pluginVersionMinor: c_uint,
    pub setHost: Option<unsafe extern "C" fn(*mut OfxHost)>,
    pub mainEntry: Option<OfxPluginEntryPoint>,
}

/// A place.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(missing_docs, reason = "names say it")]
pub struct OfxPointD {
    pub x: f64,
    pub y: f64,
}

/// Whole numbers from `min` to `max`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "names say it")]
pub struct OfxRangeI {
    pub min: c_int,
    pub max: c_int,
}

/// From `min` to `max`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(missing_docs, reason = "names say it")]
pub struct OfxRangeD {
    pub min: f64,
    pub max: f64,
}

/// Whole pixels; `x2` and `y2` lie beyond the last.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "names say it")]
pub struct OfxRectI {
    pub x1: c_int,
    pub y1: c_int,
    pub x2: c_int,
    pub y2: c_int,
}

/// A region.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(missing_docs, reason = "names say it")]
pub struct OfxRectD {
    pub x1: f64,
    pub y1: f64,
    pub x2: f64,
    pub y2: f64,
}

/// A colour for overlays.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(missing_docs, reason = "names say it")]
pub struct OfxRGBAColourF {
    pub r: f32,
    pub g: f32,
    pub b: f32,
    pub a: f32,
}
