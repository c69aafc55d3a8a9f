//! The host's functions. Every one may be null, which the standard doesn't foresee and hosts do.

use std::ffi::{c_char, c_int, c_uint, c_void};

use crate::structs::*;
use crate::{OfxStatus, OfxTime};

macro_rules! suite {
    ($(#[$doc:meta])* $suite:ident { $($name:ident($($arg:ty),* $(; $dots:tt)?) $(-> $out:ty)?;)+ }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Debug, Clone, Copy)]
        #[allow(missing_docs, reason = "the standard's reference describes each function")]
        pub struct $suite { $(pub $name: Option<unsafe extern "C" fn($($arg),* $(, $dots)?) $(-> $out)?>),+ }
    };
}

type Props = OfxPropertySetHandle;
type Text = *const c_char;

suite! {
    /// Properties: numbers, strings and pointers by name and index.
    OfxPropertySuiteV1 {
        propSetPointer(Props, Text, c_int, *mut c_void) -> OfxStatus;
        propSetString(Props, Text, c_int, Text) -> OfxStatus;
        propSetDouble(Props, Text, c_int, f64) -> OfxStatus;
        propSetInt(Props, Text, c_int, c_int) -> OfxStatus;
        propSetPointerN(Props, Text, c_int, *const *mut c_void) -> OfxStatus;
        propSetStringN(Props, Text, c_int, *const Text) -> OfxStatus;
        propSetDoubleN(Props, Text, c_int, *const f64) -> OfxStatus;
        propSetIntN(Props, Text, c_int, *const c_int) -> OfxStatus;
        propGetPointer(Props, Text, c_int, *mut *mut c_void) -> OfxStatus;
        propGetString(Props, Text, c_int, *mut *mut c_char) -> OfxStatus;
        propGetDouble(Props, Text, c_int, *mut f64) -> OfxStatus;
        propGetInt(Props, Text, c_int, *mut c_int) -> OfxStatus;
        propGetPointerN(Props, Text, c_int, *mut *mut c_void) -> OfxStatus;
        propGetStringN(Props, Text, c_int, *mut *mut c_char) -> OfxStatus;
        propGetDoubleN(Props, Text, c_int, *mut f64) -> OfxStatus;
        propGetIntN(Props, Text, c_int, *mut c_int) -> OfxStatus;
        propReset(Props, Text) -> OfxStatus;
        propGetDimension(Props, Text, *mut c_int) -> OfxStatus;
    }
}

suite! {
    /// Effects, clips and images.
    OfxImageEffectSuiteV1 {
        getPropertySet(OfxImageEffectHandle, *mut Props) -> OfxStatus;
        getParamSet(OfxImageEffectHandle, *mut OfxParamSetHandle) -> OfxStatus;
        clipDefine(OfxImageEffectHandle, Text, *mut Props) -> OfxStatus;
        clipGetHandle(OfxImageEffectHandle, Text, *mut OfxImageClipHandle, *mut Props) -> OfxStatus;
        clipGetPropertySet(OfxImageClipHandle, *mut Props) -> OfxStatus;
        clipGetImage(OfxImageClipHandle, OfxTime, *const OfxRectD, *mut Props) -> OfxStatus;
        clipReleaseImage(Props) -> OfxStatus;
        clipGetRegionOfDefinition(OfxImageClipHandle, OfxTime, *mut OfxRectD) -> OfxStatus;
        abort(OfxImageEffectHandle) -> c_int;
        imageMemoryAlloc(OfxImageEffectHandle, usize, *mut OfxImageMemoryHandle) -> OfxStatus;
        imageMemoryFree(OfxImageMemoryHandle) -> OfxStatus;
        imageMemoryLock(OfxImageMemoryHandle, *mut *mut c_void) -> OfxStatus;
        imageMemoryUnlock(OfxImageMemoryHandle) -> OfxStatus;
    }
}

suite! {
    /// Parameters.
    OfxParameterSuiteV1 {
        paramDefine(OfxParamSetHandle, Text, Text, *mut Props) -> OfxStatus;
        paramGetHandle(OfxParamSetHandle, Text, *mut OfxParamHandle, *mut Props) -> OfxStatus;
        paramSetGetPropertySet(OfxParamSetHandle, *mut Props) -> OfxStatus;
        paramGetPropertySet(OfxParamHandle, *mut Props) -> OfxStatus;
        paramGetValue(OfxParamHandle; ...) -> OfxStatus;
        paramGetValueAtTime(OfxParamHandle, OfxTime; ...) -> OfxStatus;
        paramGetDerivative(OfxParamHandle, OfxTime; ...) -> OfxStatus;
        paramGetIntegral(OfxParamHandle, OfxTime, OfxTime; ...) -> OfxStatus;
        paramSetValue(OfxParamHandle; ...) -> OfxStatus;
        paramSetValueAtTime(OfxParamHandle, OfxTime; ...) -> OfxStatus;
        paramGetNumKeys(OfxParamHandle, *mut c_uint) -> OfxStatus;
        paramGetKeyTime(OfxParamHandle, c_uint, *mut OfxTime) -> OfxStatus;
        paramGetKeyIndex(OfxParamHandle, OfxTime, c_int, *mut c_int) -> OfxStatus;
        paramDeleteKey(OfxParamHandle, OfxTime) -> OfxStatus;
        paramDeleteAllKeys(OfxParamHandle) -> OfxStatus;
        paramCopy(OfxParamHandle, OfxParamHandle, OfxTime, *const OfxRangeD) -> OfxStatus;
        paramEditBegin(OfxParamSetHandle, Text) -> OfxStatus;
        paramEditEnd(OfxParamSetHandle) -> OfxStatus;
    }
}

suite! {
    /// Memory.
    OfxMemorySuiteV1 {
        memoryAlloc(*mut c_void, usize, *mut *mut c_void) -> OfxStatus;
        memoryFree(*mut c_void) -> OfxStatus;
    }
}

/// What a host's thread runs.
pub type OfxThreadFunctionV1 = unsafe extern "C" fn(c_uint, c_uint, *mut c_void);

suite! {
    /// Threads and mutexes.
    OfxMultiThreadSuiteV1 {
        multiThread(Option<OfxThreadFunctionV1>, c_uint, *mut c_void) -> OfxStatus;
        multiThreadNumCPUs(*mut c_uint) -> OfxStatus;
        multiThreadIndex(*mut c_uint) -> OfxStatus;
        multiThreadIsSpawnedThread() -> c_int;
        mutexCreate(*mut OfxMutexHandle, c_int) -> OfxStatus;
        mutexDestroy(OfxMutexHandle) -> OfxStatus;
        mutexLock(OfxMutexHandle) -> OfxStatus;
        mutexUnLock(OfxMutexHandle) -> OfxStatus;
        mutexTryLock(OfxMutexHandle) -> OfxStatus;
    }
}

suite! {
    /// Messages; the text is a `printf` format.
    OfxMessageSuiteV1 {
        message(*mut c_void, Text, Text, Text; ...) -> OfxStatus;
    }
}

suite! {
    /// Messages that also stay.
    OfxMessageSuiteV2 {
        message(*mut c_void, Text, Text, Text; ...) -> OfxStatus;
        setPersistentMessage(*mut c_void, Text, Text, Text; ...) -> OfxStatus;
        clearPersistentMessage(*mut c_void) -> OfxStatus;
    }
}

suite! {
    /// Progress.
    OfxProgressSuiteV1 {
        progressStart(*mut c_void, Text) -> OfxStatus;
        progressUpdate(*mut c_void, f64) -> OfxStatus;
        progressEnd(*mut c_void) -> OfxStatus;
    }
}

suite! {
    /// Progress with a message's id.
    OfxProgressSuiteV2 {
        progressStart(*mut c_void, Text, Text) -> OfxStatus;
        progressUpdate(*mut c_void, f64) -> OfxStatus;
        progressEnd(*mut c_void) -> OfxStatus;
    }
}

suite! {
    /// The host's time line.
    OfxTimeLineSuiteV1 {
        getTime(*mut c_void, *mut f64) -> OfxStatus;
        gotoTime(*mut c_void, f64) -> OfxStatus;
        getTimeBounds(*mut c_void, *mut f64, *mut f64) -> OfxStatus;
    }
}

suite! {
    /// Overlays.
    OfxInteractSuiteV1 {
        interactSwapBuffers(OfxInteractHandle) -> OfxStatus;
        interactRedraw(OfxInteractHandle) -> OfxStatus;
        interactGetPropertySet(OfxInteractHandle, *mut Props) -> OfxStatus;
    }
}

suite! {
    /// Drawing in overlays, whatever graphics the host uses.
    OfxDrawSuiteV1 {
        getColour(OfxDrawContextHandle, c_uint, *mut OfxRGBAColourF) -> OfxStatus;
        setColour(OfxDrawContextHandle, *const OfxRGBAColourF) -> OfxStatus;
        setLineWidth(OfxDrawContextHandle, f32) -> OfxStatus;
        setLineStipple(OfxDrawContextHandle, c_uint) -> OfxStatus;
        draw(OfxDrawContextHandle, c_uint, *const OfxPointD, c_int) -> OfxStatus;
        drawText(OfxDrawContextHandle, Text, *const OfxPointD, c_int) -> OfxStatus;
    }
}

/// Pairs of points.
pub const kOfxDrawPrimitiveLines: c_uint = 0;
/// Points joined in a ring.
pub const kOfxDrawPrimitiveLineLoop: c_uint = 2;
/// Two corners, filled.
pub const kOfxDrawPrimitiveRectangle: c_uint = 3;
/// Two corners of the box around it, filled.
pub const kOfxDrawPrimitiveEllipse: c_uint = 5;
/// Text begins at its place.
pub const kOfxDrawTextAlignmentLeft: c_int = 1;
/// Text stands above its place.
pub const kOfxDrawTextAlignmentBottom: c_int = 8;
/// Full lines.
pub const kOfxDrawLineStipplePatternSolid: c_uint = 0;
/// Dashed lines.
pub const kOfxDrawLineStipplePatternDash: c_uint = 2;
