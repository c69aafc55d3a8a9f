//! The bindings are what the published `openfx` crate has, which is generated from the standard's headers.

mod theirs {
    pub use openfx::sys::generic::{core::*, property::*};
    pub use openfx::sys::image_effect_v1::{
        draw_suite::*, image_effect::*, interact::*, key_syms::*, memory::*, message::*, multi_thread::*,
        param::*, pixels::*, progress::*, time_line::*,
    };
}

macro_rules! compare {
    ($($name:ident $value:literal),+) => {
        $(assert_eq!(openfx_abi::$name, theirs::$name, stringify!($name));)+
    };
}

macro_rules! numbers {
    ($($name:ident),+ $(,)?) => { $(assert_eq!(i64::from(openfx_abi::$name), i64::from(theirs::$name), stringify!($name));)+ };
}

macro_rules! shapes {
    ($($name:ident),+ $(,)?) => {
        $(
            assert_eq!(size_of::<openfx_abi::$name>(), size_of::<theirs::$name>(), stringify!($name));
            assert_eq!(align_of::<openfx_abi::$name>(), align_of::<theirs::$name>(), stringify!($name));
        )+
    };
}

macro_rules! offsets {
    ($($suite:ident { $($field:ident),+ $(,)? })+) => {
        $($(assert_eq!(
            std::mem::offset_of!(openfx_abi::$suite, $field),
            std::mem::offset_of!(theirs::$suite, $field),
            "{}.{}", stringify!($suite), stringify!($field)
        );)+)+
    };
}

#[test]
fn every_name_is_the_published_one() {
    openfx_abi::for_each_name!(compare);
}

#[test]
fn every_number_is_the_published_one() {
    use openfx_abi::keys;
    numbers!(
        kOfxStatOK,
        kOfxStatFailed,
        kOfxStatErrFatal,
        kOfxStatErrUnknown,
        kOfxStatErrMissingHostFeature,
        kOfxStatErrUnsupported,
        kOfxStatErrExists,
        kOfxStatErrFormat,
        kOfxStatErrMemory,
        kOfxStatErrBadHandle,
        kOfxStatErrBadIndex,
        kOfxStatErrValue,
        kOfxStatReplyYes,
        kOfxStatReplyNo,
        kOfxStatReplyDefault,
        kOfxDrawPrimitiveLines,
        kOfxDrawPrimitiveLineLoop,
        kOfxDrawPrimitiveRectangle,
        kOfxDrawPrimitiveEllipse,
        kOfxDrawTextAlignmentLeft,
        kOfxDrawTextAlignmentBottom,
        kOfxDrawLineStipplePatternSolid,
        kOfxDrawLineStipplePatternDash,
    );
    macro_rules! key { ($($name:ident),+) => { $(assert_eq!(i64::from(keys::$name), i64::from(theirs::$name));)+ } }
    key!(
        kOfxKey_BackSpace,
        kOfxKey_Escape,
        kOfxKey_Delete,
        kOfxKey_Shift_L,
        kOfxKey_Shift_R,
        kOfxKey_Control_L,
        kOfxKey_Control_R,
        kOfxKey_Alt_L,
        kOfxKey_Alt_R
    );
}

#[test]
fn every_struct_has_the_published_shape() {
    shapes!(
        OfxHost,
        OfxPlugin,
        OfxPointD,
        OfxRangeI,
        OfxRangeD,
        OfxRectI,
        OfxRectD,
        OfxRGBAColourF,
        OfxPropertySuiteV1,
        OfxImageEffectSuiteV1,
        OfxParameterSuiteV1,
        OfxMemorySuiteV1,
        OfxMultiThreadSuiteV1,
        OfxMessageSuiteV1,
        OfxMessageSuiteV2,
        OfxProgressSuiteV1,
        OfxProgressSuiteV2,
        OfxTimeLineSuiteV1,
        OfxInteractSuiteV1,
        OfxDrawSuiteV1,
    );
    offsets! {
        OfxPlugin { pluginApi, apiVersion, pluginIdentifier, pluginVersionMajor, pluginVersionMinor, setHost, mainEntry }
        OfxPropertySuiteV1 {
            propSetPointer, propSetString, propSetDouble, propSetInt, propSetPointerN, propSetStringN, propSetDoubleN,
            propSetIntN, propGetPointer, propGetString, propGetDouble, propGetInt, propGetPointerN, propGetStringN,
            propGetDoubleN, propGetIntN, propReset, propGetDimension,
        }
        OfxImageEffectSuiteV1 {
            getPropertySet, getParamSet, clipDefine, clipGetHandle, clipGetPropertySet, clipGetImage, clipReleaseImage,
            clipGetRegionOfDefinition, abort, imageMemoryAlloc, imageMemoryFree, imageMemoryLock, imageMemoryUnlock,
        }
        OfxParameterSuiteV1 {
            paramDefine, paramGetHandle, paramSetGetPropertySet, paramGetPropertySet, paramGetValue, paramGetValueAtTime,
            paramGetDerivative, paramGetIntegral, paramSetValue, paramSetValueAtTime, paramGetNumKeys, paramGetKeyTime,
            paramGetKeyIndex, paramDeleteKey, paramDeleteAllKeys, paramCopy, paramEditBegin, paramEditEnd,
        }
        OfxMultiThreadSuiteV1 {
            multiThread, multiThreadNumCPUs, multiThreadIndex, multiThreadIsSpawnedThread, mutexCreate, mutexDestroy,
            mutexLock, mutexUnLock, mutexTryLock,
        }
        OfxDrawSuiteV1 { getColour, setColour, setLineWidth, setLineStipple, draw, drawText }
        OfxProgressSuiteV2 { progressStart, progressUpdate, progressEnd }
        OfxTimeLineSuiteV1 { getTime, gotoTime, getTimeBounds }
        OfxInteractSuiteV1 { interactSwapBuffers, interactRedraw, interactGetPropertySet }
    }
}
