//! Properties.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use openfx_abi::*;

use super::name;
use crate::world::{Id, Values, world};

pub static SUITE: OfxPropertySuiteV1 = OfxPropertySuiteV1 {
    propSetPointer: Some(set_pointer),
    propSetString: Some(set_string),
    propSetDouble: Some(set_double),
    propSetInt: Some(set_int),
    propSetPointerN: None,
    propSetStringN: None,
    propSetDoubleN: None,
    propSetIntN: None,
    propGetPointer: Some(get_pointer),
    propGetString: Some(get_string),
    propGetDouble: Some(get_double),
    propGetInt: Some(get_int),
    propGetPointerN: None,
    propGetStringN: None,
    propGetDoubleN: None,
    propGetIntN: None,
    propReset: Some(reset),
    propGetDimension: Some(dimension),
};

/// Properties that the standard lets nobody but the host set.
const READ_ONLY: [&CStr; 3] = [kOfxPropType, kOfxImagePropData, kOfxImagePropRowBytes];

/// Writes a value at its index.
fn set<T: Clone>(
    set: OfxPropertySetHandle,
    property: *const c_char,
    index: c_int,
    value: T,
    blank: T,
    list: impl FnOnce(&mut Values) -> Option<&mut Vec<T>>,
    empty: Values,
) -> OfxStatus {
    // SAFETY: the standard's contract.
    let Some(property) = (unsafe { name(property) }) else { return kOfxStatErrValue };
    let mut world = world();
    if let Some(status) = world.quirks.answers_nothing {
        return status;
    }
    if READ_ONLY.contains(&property) {
        world.violation(format!("{property:?} is the host's alone, and was set"));
        return kOfxStatErrValue;
    }
    let refused = world.quirks.refuses_overlay_v2 && property == kOfxImageEffectPluginPropOverlayInteractV2;
    let Some(known) = world.sets.get_mut(&(set as Id)).filter(|_| !refused) else {
        if !refused {
            world.violation(format!("{property:?} was set on a handle that there is not"));
        }
        return if refused { kOfxStatErrUnknown } else { kOfxStatErrBadHandle };
    };
    let values = known.entry(property.to_owned()).or_insert(empty);
    let (Some(list), Ok(index)) = (list(values), usize::try_from(index)) else { return kOfxStatErrValue };
    if index > 4096 {
        return kOfxStatErrBadIndex;
    }
    if list.len() <= index {
        list.resize(index + 1, blank);
    }
    list[index] = value;
    kOfxStatOK
}

/// Reads a value at its index.
fn get<T: Clone>(
    set: OfxPropertySetHandle,
    property: *const c_char,
    index: c_int,
    into: *mut T,
    list: impl FnOnce(&Values) -> Option<Vec<T>>,
) -> OfxStatus {
    // SAFETY: the standard's contract.
    let Some(property) = (unsafe { name(property) }) else { return kOfxStatErrValue };
    let mut world = world();
    if let Some(status) = world.quirks.answers_nothing {
        return status;
    }
    let Some(known) = world.sets.get(&(set as Id)) else {
        world.violation(format!("{property:?} was asked of a handle that there is not"));
        return kOfxStatErrBadHandle;
    };
    let Some(values) = known.get(property) else { return kOfxStatErrUnknown };
    let Some(list) = list(values) else { return kOfxStatErrValue };
    let Some(value) = usize::try_from(index).ok().and_then(|index| list.get(index)) else {
        return kOfxStatErrBadIndex;
    };
    if into.is_null() {
        return kOfxStatErrValue;
    }
    // SAFETY: not null, and the standard's contract.
    unsafe { into.write(value.clone()) };
    kOfxStatOK
}

fn ints(values: &mut Values) -> Option<&mut Vec<c_int>> {
    if let Values::Ints(list) = values { Some(list) } else { None }
}

fn doubles(values: &mut Values) -> Option<&mut Vec<f64>> {
    if let Values::Doubles(list) = values { Some(list) } else { None }
}

fn texts(values: &mut Values) -> Option<&mut Vec<CString>> {
    if let Values::Texts(list) = values { Some(list) } else { None }
}

fn pointers(values: &mut Values) -> Option<&mut Vec<usize>> {
    if let Values::Pointers(list) = values { Some(list) } else { None }
}

unsafe extern "C" fn set_int(
    handle: OfxPropertySetHandle,
    property: *const c_char,
    index: c_int,
    value: c_int,
) -> OfxStatus {
    set(handle, property, index, value, 0, ints, Values::Ints(Vec::new()))
}

unsafe extern "C" fn set_double(
    handle: OfxPropertySetHandle,
    property: *const c_char,
    index: c_int,
    value: f64,
) -> OfxStatus {
    set(handle, property, index, value, 0.0, doubles, Values::Doubles(Vec::new()))
}

unsafe extern "C" fn set_string(
    handle: OfxPropertySetHandle,
    property: *const c_char,
    index: c_int,
    value: *const c_char,
) -> OfxStatus {
    // SAFETY: the standard's contract.
    let Some(value) = (unsafe { name(value) }) else { return kOfxStatErrValue };
    set(handle, property, index, value.to_owned(), CString::default(), texts, Values::Texts(Vec::new()))
}

unsafe extern "C" fn set_pointer(
    handle: OfxPropertySetHandle,
    property: *const c_char,
    index: c_int,
    value: *mut c_void,
) -> OfxStatus {
    set(handle, property, index, value as usize, 0, pointers, Values::Pointers(Vec::new()))
}

unsafe extern "C" fn get_int(
    handle: OfxPropertySetHandle,
    property: *const c_char,
    index: c_int,
    into: *mut c_int,
) -> OfxStatus {
    get(handle, property, index, into, |values| {
        if let Values::Ints(list) = values { Some(list.clone()) } else { None }
    })
}

unsafe extern "C" fn get_double(
    handle: OfxPropertySetHandle,
    property: *const c_char,
    index: c_int,
    into: *mut f64,
) -> OfxStatus {
    get(handle, property, index, into, |values| {
        if let Values::Doubles(list) = values { Some(list.clone()) } else { None }
    })
}

unsafe extern "C" fn get_string(
    handle: OfxPropertySetHandle,
    property: *const c_char,
    index: c_int,
    into: *mut *mut c_char,
) -> OfxStatus {
    // The pointers go on to be valid until the property is set again, as the standard wants it.
    get(handle, property, index, into, |values| {
        if let Values::Texts(list) = values {
            Some(list.iter().map(|text| text.as_ptr().cast_mut()).collect())
        } else {
            None
        }
    })
}

unsafe extern "C" fn get_pointer(
    handle: OfxPropertySetHandle,
    property: *const c_char,
    index: c_int,
    into: *mut *mut c_void,
) -> OfxStatus {
    get(handle, property, index, into, |values| {
        if let Values::Pointers(list) = values {
            Some(list.iter().map(|value| *value as *mut c_void).collect())
        } else {
            None
        }
    })
}

unsafe extern "C" fn reset(handle: OfxPropertySetHandle, property: *const c_char) -> OfxStatus {
    // SAFETY: the standard's contract.
    let Some(property) = (unsafe { name(property) }) else { return kOfxStatErrValue };
    match world().sets.get_mut(&(handle as Id)) {
        Some(set) => set.remove(property).map_or(kOfxStatErrUnknown, |_| kOfxStatOK),
        None => kOfxStatErrBadHandle,
    }
}

unsafe extern "C" fn dimension(
    handle: OfxPropertySetHandle,
    property: *const c_char,
    count: *mut c_int,
) -> OfxStatus {
    // SAFETY: the standard's contract.
    let Some(property) = (unsafe { name(property) }) else { return kOfxStatErrValue };
    let world = world();
    let Some(set) = world.sets.get(&(handle as Id)) else { return kOfxStatErrBadHandle };
    let length = match set.get(property) {
        None => return kOfxStatErrUnknown,
        Some(Values::Ints(list)) => list.len(),
        Some(Values::Doubles(list)) => list.len(),
        Some(Values::Texts(list)) => list.len(),
        Some(Values::Pointers(list)) => list.len(),
    };
    if count.is_null() {
        return kOfxStatErrValue;
    }
    // SAFETY: not null, and the standard's contract.
    unsafe { count.write(length as c_int) };
    kOfxStatOK
}
