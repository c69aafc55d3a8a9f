//! Every export runs in here: no panic leaves, every failure leaves its sentence.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::status::{Failure, ROTOMASK_ERROR_PANIC, ROTOMASK_OK, rotomask_status};

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

/// Runs an export's work.
pub(crate) fn guard(work: impl FnOnce() -> Result<(), Failure>) -> rotomask_status {
    let failure = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return ROTOMASK_OK,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Failure::new(ROTOMASK_ERROR_PANIC, format!("a bug in rotomask: {said}"))
        }
    };
    let message = CString::new(failure.message.replace('\0', "\u{fffd}")).unwrap_or_default();
    LAST_ERROR.with(|last| *last.borrow_mut() = message);
    failure.status
}

/// Runs an export that answers with no status; a panic is swallowed and recorded.
pub(crate) fn guard_void(work: impl FnOnce()) {
    guard(|| {
        work();
        Ok(())
    });
}

/// The sentence of the last call on this thread that failed, UTF-8; empty if none has.
///
/// Owned by the library; valid until the next call on this thread. [any thread]
#[unsafe(no_mangle)]
pub extern "C" fn rotomask_last_error() -> *const c_char {
    LAST_ERROR.with(|last| last.borrow().as_ptr())
}

/// What a handle holds. A panic under the lock poisons it, and it answers nothing from then on.
pub(crate) struct Held<T>(Mutex<T>);

impl<T> Held<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn get(&self) -> Result<MutexGuard<'_, T>, Failure> {
        self.0.lock().map_err(|_: PoisonError<_>| {
            Failure::new(ROTOMASK_ERROR_PANIC, "a bug in rotomask broke this handle before: close it")
        })
    }
}

/// Borrows what a handle points to.
///
/// # Safety
/// `pointer` is null or valid for reads for as long as the result lives.
pub(crate) unsafe fn borrow<'a, T>(pointer: *const T, name: &str) -> Result<&'a T, Failure> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| Failure::null(name))
}

/// Hands a new object to the caller.
///
/// # Safety
/// `out` is null or valid for writes.
pub(crate) unsafe fn hand_over<T>(
    out: *mut *mut T,
    name: &str,
    make: impl FnOnce() -> Result<T, Failure>,
) -> Result<(), Failure> {
    if out.is_null() {
        return Err(Failure::null(name));
    }
    let made = Box::into_raw(Box::new(make()?));
    // SAFETY: not null, and the caller's promise.
    unsafe { out.write(made) };
    Ok(())
}

/// Takes an object back and drops it. Null does nothing.
///
/// # Safety
/// `pointer` is null or came from [`hand_over`] and is not used again.
pub(crate) unsafe fn take_back<T>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: the caller's promise.
        guard_void(|| drop(unsafe { Box::from_raw(pointer) }));
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::status::ROTOMASK_ERROR_STATE;

    fn last() -> String {
        // SAFETY: the pointer is this thread's, and no call comes between.
        unsafe { CStr::from_ptr(rotomask_last_error()) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_failure_leaves_its_sentence_to_its_own_thread_alone() {
        assert_eq!(guard(|| Err(Failure::new(ROTOMASK_ERROR_STATE, "too\0soon"))), ROTOMASK_ERROR_STATE);
        assert_eq!(last(), "too\u{fffd}soon");
        std::thread::spawn(|| assert_eq!(last(), "")).join().unwrap();
    }

    #[test]
    fn a_panic_becomes_a_status_and_breaks_its_handle_until_it_is_closed() {
        let held = Held::new(3);
        let status = guard(|| {
            let _lock = held.get()?;
            panic!("wrong by {}", 2);
        });
        assert_eq!((status, last()), (ROTOMASK_ERROR_PANIC, "a bug in rotomask: wrong by 2".to_owned()));
        assert_eq!(guard(|| held.get().map(drop)), ROTOMASK_ERROR_PANIC);
        assert!(last().ends_with("close it"));
    }
}
