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
    guard_noting(None, work)
}

/// Runs an export's work on a handle, which keeps the sentence as well.
fn guard_noting(
    handle: Option<&Mutex<String>>,
    work: impl FnOnce() -> Result<(), Failure>,
) -> rotomask_status {
    let failure = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return ROTOMASK_OK,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Failure::new(ROTOMASK_ERROR_PANIC, format!("a bug in rotomask: {said}"))
        }
    };
    let message = failure.message.replace('\0', "\u{fffd}");
    if let Some(said) = handle {
        said.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&message);
    }
    LAST_ERROR.with(|last| *last.borrow_mut() = CString::new(message).unwrap_or_default());
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
pub(crate) struct Held<T> {
    value: Mutex<T>,
    /// The sentence of the last call on the handle that failed, whichever thread made it.
    said: Mutex<String>,
}

impl<T> Held<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Mutex::new(value), said: Mutex::default() }
    }

    pub(crate) fn get(&self) -> Result<MutexGuard<'_, T>, Failure> {
        self.value.lock().map_err(|_: PoisonError<_>| {
            Failure::new(ROTOMASK_ERROR_PANIC, "a bug in rotomask broke this handle before: close it")
        })
    }
}

/// A handle that calls work on, one at a time.
pub(crate) trait Handle {
    type Value;
    const NAME: &'static str;
    fn held(&self) -> &Held<Self::Value>;
}

/// Runs an export's work on what a handle holds.
///
/// # Safety
/// `handle` is null or open.
pub(crate) unsafe fn with<H: Handle>(
    handle: *const H,
    work: impl FnOnce(&mut H::Value) -> Result<(), Failure>,
) -> rotomask_status {
    // SAFETY: the caller's promise.
    match unsafe { handle.as_ref() } {
        None => guard(|| Err(Failure::null(H::NAME))),
        Some(handle) => guard_noting(Some(&handle.held().said), || work(&mut *handle.held().get()?)),
    }
}

/// The sentence of the last call on a handle that failed, empty if none has, into the caller's buffer.
///
/// # Safety
/// `handle` is null or open; buffer and size are as in [`crate::text::copy_out`].
pub(crate) unsafe fn last_error_of<H: Handle>(
    handle: *const H,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the caller's promise.
        let held = unsafe { borrow(handle, H::NAME) }?.held();
        let said = held.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // SAFETY: the caller's promise.
        unsafe { crate::text::copy_out(&said, buffer, size) }
    })
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

    struct Door(Held<u32>);

    impl Handle for Door {
        type Value = u32;
        const NAME: &'static str = "door";
        fn held(&self) -> &Held<u32> {
            &self.0
        }
    }

    fn said_by(door: &Door) -> String {
        let (mut text, mut size) = ([0_u8; 80], 80);
        // SAFETY: the door is open, and the buffer as long as its size says.
        assert_eq!(unsafe { last_error_of(door, text.as_mut_ptr().cast(), &mut size) }, ROTOMASK_OK);
        CStr::from_bytes_until_nul(&text).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn a_handle_tells_any_thread_what_failed_on_it_and_on_no_other() {
        let (door, other) = (Door(Held::new(1)), Door(Held::new(2)));
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let fail = |held: &mut u32| {
                    *held += 1;
                    Err(Failure::new(ROTOMASK_ERROR_STATE, "stuck"))
                };
                // SAFETY: it is open.
                assert_eq!(unsafe { with(&door, fail) }, ROTOMASK_ERROR_STATE);
            });
        });
        assert_eq!((said_by(&door), said_by(&other)), ("stuck".to_owned(), String::new()));
        // SAFETY: as above; what goes well leaves the sentence.
        assert_eq!(unsafe { with(&door, |held| if *held == 2 { Ok(()) } else { panic!() }) }, ROTOMASK_OK);
        assert_eq!(said_by(&door), "stuck");
        // SAFETY: as above.
        assert_eq!(unsafe { with(&door, |_| panic!("broken")) }, ROTOMASK_ERROR_PANIC);
        assert_eq!(said_by(&door), "a bug in rotomask: broken");
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
