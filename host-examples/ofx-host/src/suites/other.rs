//! Messages, progress, memory, threads, the time line.

use std::ffi::{c_char, c_int, c_uint, c_void};

use openfx_abi::*;

use super::name;
use crate::world::{now, world};

unsafe extern "C" {
    fn ofx_host_message_v(
        effect: *mut c_void,
        kind: *const c_char,
        id: *const c_char,
        format: *const c_char,
        ...
    ) -> OfxStatus;
    fn ofx_host_message_stays(
        effect: *mut c_void,
        kind: *const c_char,
        id: *const c_char,
        format: *const c_char,
        ...
    ) -> OfxStatus;
}

pub static MESSAGE_V1: OfxMessageSuiteV1 = OfxMessageSuiteV1 { message: Some(ofx_host_message_v) };

pub static MESSAGE_V2: OfxMessageSuiteV2 = OfxMessageSuiteV2 {
    message: Some(ofx_host_message_v),
    setPersistentMessage: Some(ofx_host_message_stays),
    clearPersistentMessage: Some(clear_message),
};

pub static PROGRESS_V1: OfxProgressSuiteV1 =
    OfxProgressSuiteV1 { progressStart: Some(start), progressUpdate: Some(update), progressEnd: Some(end) };

pub static PROGRESS_V2: OfxProgressSuiteV2 = OfxProgressSuiteV2 {
    progressStart: Some(start_v2),
    progressUpdate: Some(update),
    progressEnd: Some(end),
};

pub static MEMORY: OfxMemorySuiteV1 = OfxMemorySuiteV1 { memoryAlloc: Some(alloc), memoryFree: Some(free) };

pub static THREADS: OfxMultiThreadSuiteV1 = OfxMultiThreadSuiteV1 {
    multiThread: Some(run),
    multiThreadNumCPUs: Some(cpus),
    multiThreadIndex: Some(thread_index),
    multiThreadIsSpawnedThread: Some(is_spawned),
    mutexCreate: None,
    mutexDestroy: None,
    mutexLock: None,
    mutexUnLock: None,
    mutexTryLock: None,
};

pub static TIME_LINE: OfxTimeLineSuiteV1 = OfxTimeLineSuiteV1 {
    getTime: Some(get_time),
    gotoTime: Some(goto_time),
    getTimeBounds: Some(time_bounds),
};

/// Takes a message, for `variadic.c`.
#[unsafe(no_mangle)]
extern "C" fn ofx_host_message(
    _: *mut c_void,
    kind: *const c_char,
    _: *const c_char,
    text: *const c_char,
    _stays: c_int,
) -> c_int {
    // SAFETY: the standard's contract, and `variadic.c`'s own text.
    let (Some(kind), Some(text)) = (unsafe { (name(kind), name(text)) }) else { return kOfxStatErrValue };
    let message = (kind.to_string_lossy().into_owned(), text.to_string_lossy().into_owned());
    world().messages.push(message);
    kOfxStatOK
}

unsafe extern "C" fn clear_message(_: *mut c_void) -> OfxStatus {
    kOfxStatOK
}

fn begin() -> OfxStatus {
    let mut world = world();
    if world.progress_open {
        world.violation("progressStart was called while progress is open".into());
    }
    world.progress_open = true;
    world.progress.clear();
    kOfxStatOK
}

unsafe extern "C" fn start(_: *mut c_void, _: *const c_char) -> OfxStatus {
    begin()
}

unsafe extern "C" fn start_v2(_: *mut c_void, _: *const c_char, _: *const c_char) -> OfxStatus {
    begin()
}

unsafe extern "C" fn update(_: *mut c_void, progress: f64) -> OfxStatus {
    let mut world = world();
    if !world.progress_open {
        world.violation("progressUpdate was called without progressStart".into());
    }
    if !(0.0..=1.0).contains(&progress) {
        world.violation(format!("progress is {progress}, expected 0 to 1"));
    }
    world.progress.push(progress);
    let cancelled = world.cancel_after.is_some_and(|after| world.progress.len() >= after);
    if cancelled { kOfxStatReplyNo } else { kOfxStatReplyYes }
}

unsafe extern "C" fn end(_: *mut c_void) -> OfxStatus {
    let mut world = world();
    if !std::mem::take(&mut world.progress_open) {
        world.violation("progressEnd was called without progressStart".into());
    }
    kOfxStatOK
}

unsafe extern "C" fn alloc(_: *mut c_void, _: usize, _: *mut *mut c_void) -> OfxStatus {
    kOfxStatErrMemory
}

unsafe extern "C" fn free(_: *mut c_void) -> OfxStatus {
    kOfxStatErrBadHandle
}

unsafe extern "C" fn run(work: Option<OfxThreadFunctionV1>, _: c_uint, argument: *mut c_void) -> OfxStatus {
    let Some(work) = work else { return kOfxStatErrBadHandle };
    // SAFETY: the plugin's function, with its argument, on this thread: one is as many as a host must have.
    unsafe { work(0, 1, argument) };
    kOfxStatOK
}

unsafe extern "C" fn cpus(into: *mut c_uint) -> OfxStatus {
    // SAFETY: the standard's contract.
    unsafe { into.write(1) };
    kOfxStatOK
}

unsafe extern "C" fn thread_index(into: *mut c_uint) -> OfxStatus {
    // SAFETY: the standard's contract.
    unsafe { into.write(0) };
    kOfxStatOK
}

unsafe extern "C" fn is_spawned() -> c_int {
    0
}

unsafe extern "C" fn get_time(_: *mut c_void, into: *mut f64) -> OfxStatus {
    // SAFETY: the standard's contract.
    unsafe { into.write(now(|now| now.time)) };
    kOfxStatOK
}

unsafe extern "C" fn goto_time(_: *mut c_void, _: f64) -> OfxStatus {
    kOfxStatErrUnsupported
}

unsafe extern "C" fn time_bounds(_: *mut c_void, _: *mut f64, _: *mut f64) -> OfxStatus {
    kOfxStatErrUnsupported
}
