//! Parameters. Functions with variable arguments are in `variadic.c`.

use std::ffi::{CString, c_char, c_int, c_uint, c_void};

use openfx_abi::*;

use super::name;
use crate::world::{Id, Param, Value, now, world};

unsafe extern "C" {
    fn ofx_host_paramGetValue(param: OfxParamHandle, ...) -> OfxStatus;
    fn ofx_host_paramGetValueAtTime(param: OfxParamHandle, time: OfxTime, ...) -> OfxStatus;
    fn ofx_host_paramSetValue(param: OfxParamHandle, ...) -> OfxStatus;
    fn ofx_host_paramSetValueAtTime(param: OfxParamHandle, time: OfxTime, ...) -> OfxStatus;
    fn ofx_host_paramGetDerivative(param: OfxParamHandle, time: OfxTime, ...) -> OfxStatus;
    fn ofx_host_paramGetIntegral(param: OfxParamHandle, from: OfxTime, to: OfxTime, ...) -> OfxStatus;
}

pub static SUITE: OfxParameterSuiteV1 = OfxParameterSuiteV1 {
    paramDefine: Some(define),
    paramGetHandle: Some(handle),
    paramSetGetPropertySet: Some(set_props),
    paramGetPropertySet: Some(props),
    paramGetValue: Some(ofx_host_paramGetValue),
    paramGetValueAtTime: Some(ofx_host_paramGetValueAtTime),
    paramGetDerivative: Some(ofx_host_paramGetDerivative),
    paramGetIntegral: Some(ofx_host_paramGetIntegral),
    paramSetValue: Some(ofx_host_paramSetValue),
    paramSetValueAtTime: Some(ofx_host_paramSetValueAtTime),
    paramGetNumKeys: Some(num_keys),
    paramGetKeyTime: Some(key_time),
    paramGetKeyIndex: Some(key_index),
    paramDeleteKey: Some(delete_key),
    paramDeleteAllKeys: Some(delete_keys),
    paramCopy: Some(copy),
    paramEditBegin: Some(edit_begin),
    paramEditEnd: Some(edit_end),
};

/// Actions in which a plugin may set parameters, as the standard lists them.
const MAY_SET: [&std::ffi::CStr; 11] = [
    kOfxActionCreateInstance,
    kOfxActionBeginInstanceChanged,
    kOfxActionInstanceChanged,
    kOfxActionEndInstanceChanged,
    kOfxActionSyncPrivateData,
    kOfxInteractActionPenDown,
    kOfxInteractActionPenMotion,
    kOfxInteractActionPenUp,
    kOfxInteractActionKeyDown,
    kOfxInteractActionKeyUp,
    kOfxInteractActionLoseFocus,
];

fn refused() -> Option<OfxStatus> {
    world().quirks.answers_nothing
}

unsafe extern "C" fn define(
    set: OfxParamSetHandle,
    kind: *const c_char,
    param: *const c_char,
    into: *mut OfxPropertySetHandle,
) -> OfxStatus {
    if let Some(status) = refused() {
        return status;
    }
    // SAFETY: the standard's contract.
    let (Some(kind), Some(param)) = (unsafe { (name(kind), name(param)) }) else { return kOfxStatErrValue };
    let action = now(|now| now.action.clone());
    let mut world = world();
    if action.as_bytes() != kOfxImageEffectActionDescribeInContext.to_bytes() {
        world.violation(format!("paramDefine was called in {action:?}"));
    }
    let (kind, param) = (kind.to_string_lossy().into_owned(), param.to_string_lossy().into_owned());
    let ids = match world.effects.get(&(set as Id)) {
        Some(effect) => effect.params.clone(),
        None => return kOfxStatErrBadHandle,
    };
    if ids.iter().any(|id| world.params[id].name == param) {
        world.violation(format!("the parameter {param:?} was defined twice"));
        return kOfxStatErrExists;
    }
    let (props, id) = (world.new_set(), world.id());
    world.texts(props, kOfxPropName, &[&param]);
    world.texts(props, kOfxParamPropType, &[&kind]);
    world.name(props, kOfxPropType, kOfxTypeParameter);
    world.params.insert(id, Param { name: param, kind, props, value: Value::None });
    if let Some(effect) = world.effects.get_mut(&(set as Id)) {
        effect.params.push(id);
    }
    if into.is_null() {
        return kOfxStatOK;
    }
    // SAFETY: not null, and the standard's contract.
    unsafe { into.write(props as OfxPropertySetHandle) };
    kOfxStatOK
}

unsafe extern "C" fn handle(
    set: OfxParamSetHandle,
    param: *const c_char,
    into: *mut OfxParamHandle,
    props: *mut OfxPropertySetHandle,
) -> OfxStatus {
    if let Some(status) = refused() {
        return status;
    }
    // SAFETY: the standard's contract.
    let Some(param) = (unsafe { name(param) }) else { return kOfxStatErrValue };
    let world = world();
    let Some(effect) = world.effects.get(&(set as Id)) else { return kOfxStatErrBadHandle };
    let found = effect.params.iter().find(|id| world.params[id].name.as_bytes() == param.to_bytes());
    let Some(id) = found else { return kOfxStatErrUnknown };
    if into.is_null() {
        return kOfxStatErrValue;
    }
    // SAFETY: not null, and the standard's contract, also for `props`.
    unsafe {
        into.write(*id as OfxParamHandle);
        if !props.is_null() {
            props.write(world.params[id].props as OfxPropertySetHandle);
        }
    }
    kOfxStatOK
}

unsafe extern "C" fn set_props(set: OfxParamSetHandle, into: *mut OfxPropertySetHandle) -> OfxStatus {
    let Some(props) = world().effects.get(&(set as Id)).map(|effect| effect.props) else {
        return kOfxStatErrBadHandle;
    };
    // SAFETY: the standard's contract.
    unsafe { into.write(props as OfxPropertySetHandle) };
    kOfxStatOK
}

unsafe extern "C" fn props(param: OfxParamHandle, into: *mut OfxPropertySetHandle) -> OfxStatus {
    let Some(props) = world().params.get(&(param as Id)).map(|param| param.props) else {
        return kOfxStatErrBadHandle;
    };
    // SAFETY: the standard's contract.
    unsafe { into.write(props as OfxPropertySetHandle) };
    kOfxStatOK
}

/// What a parameter holds, for `variadic.c`.
#[unsafe(no_mangle)]
extern "C" fn ofx_host_param_shape(param: *mut c_void, count: *mut c_int) -> c_int {
    let mut world = world();
    if world.quirks.answers_nothing.is_some() {
        return 0;
    }
    let Some(known) = world.params.get(&(param as Id)) else {
        world.violation("a value was asked of a parameter that there is not".into());
        return 0;
    };
    let (kind, length) = match &known.value {
        Value::None => (0, 0),
        Value::Ints(values) => (b'i', values.len()),
        Value::Doubles(values) => (b'd', values.len()),
        Value::Text(_) => (b's', 1),
    };
    // SAFETY: `variadic.c` gives its own number.
    unsafe { count.write(length as c_int) };
    c_int::from(kind)
}

/// Writes a parameter's values, for `variadic.c`.
#[unsafe(no_mangle)]
extern "C" fn ofx_host_param_get(
    param: *mut c_void,
    _timed: c_int,
    _time: f64,
    into: *mut *mut c_void,
) -> c_int {
    let world = world();
    let Some(known) = world.params.get(&(param as Id)) else { return kOfxStatErrBadHandle };
    // SAFETY: `variadic.c` gives as many pointers as the parameter has values, and the plugin vouches for each.
    unsafe {
        let at = |i: usize| *into.add(i);
        match &known.value {
            Value::None => return kOfxStatErrUnknown,
            Value::Ints(values) => {
                values.iter().enumerate().for_each(|(i, v)| at(i).cast::<c_int>().write(*v))
            }
            Value::Doubles(values) => {
                values.iter().enumerate().for_each(|(i, v)| at(i).cast::<f64>().write(*v))
            }
            Value::Text(text) => at(0).cast::<*const c_char>().write(text.as_ptr()),
        }
    }
    kOfxStatOK
}

/// Sets a parameter's values, for `variadic.c`.
#[unsafe(no_mangle)]
extern "C" fn ofx_host_param_set(
    param: *mut c_void,
    ints: *const c_int,
    doubles: *const f64,
    text: *const c_char,
) -> c_int {
    let action = now(|now| now.action.clone());
    // SAFETY: the plugin's own string.
    let text = unsafe { name(text) };
    let mut world = world();
    let Some(name) = world.params.get(&(param as Id)).map(|param| param.name.clone()) else {
        return kOfxStatErrBadHandle;
    };
    if !MAY_SET.iter().any(|allowed| allowed.to_bytes() == action.as_bytes()) {
        world.violation(format!("the parameter {name:?} was set in {action:?}"));
        return kOfxStatFailed;
    }
    let Some(known) = world.params.get_mut(&(param as Id)) else { return kOfxStatErrBadHandle };
    // SAFETY: `variadic.c` gives four of each, which is the most that a parameter has.
    unsafe {
        match &mut known.value {
            Value::None => return kOfxStatErrUnknown,
            Value::Ints(values) => values.iter_mut().enumerate().for_each(|(i, v)| *v = *ints.add(i)),
            Value::Doubles(values) => values.iter_mut().enumerate().for_each(|(i, v)| *v = *doubles.add(i)),
            Value::Text(known) => *known = text.map_or_else(CString::default, |text| text.to_owned()),
        }
    }
    kOfxStatOK
}

unsafe extern "C" fn num_keys(_: OfxParamHandle, into: *mut c_uint) -> OfxStatus {
    // SAFETY: the standard's contract.
    unsafe { into.write(0) };
    kOfxStatOK
}

unsafe extern "C" fn key_time(_: OfxParamHandle, _: c_uint, _: *mut OfxTime) -> OfxStatus {
    kOfxStatErrBadIndex
}

unsafe extern "C" fn key_index(_: OfxParamHandle, _: OfxTime, _: c_int, _: *mut c_int) -> OfxStatus {
    kOfxStatFailed
}

unsafe extern "C" fn delete_key(_: OfxParamHandle, _: OfxTime) -> OfxStatus {
    kOfxStatErrBadIndex
}

unsafe extern "C" fn delete_keys(_: OfxParamHandle) -> OfxStatus {
    kOfxStatOK
}

unsafe extern "C" fn copy(
    _: OfxParamHandle,
    _: OfxParamHandle,
    _: OfxTime,
    _: *const OfxRangeD,
) -> OfxStatus {
    kOfxStatErrUnsupported
}

unsafe extern "C" fn edit_begin(_: OfxParamSetHandle, _: *const c_char) -> OfxStatus {
    kOfxStatOK
}

unsafe extern "C" fn edit_end(_: OfxParamSetHandle) -> OfxStatus {
    kOfxStatOK
}
