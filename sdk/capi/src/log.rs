//! What the library has to say on its own account, told to the host.

use std::ffi::{CString, c_char, c_void};
use std::fmt::Write as _;
use std::sync::{PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::Registry;

use crate::guard::guard;
use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT, rotomask_status};

/// How much a message matters.
pub type rotomask_level = u32;
/// Something did not work.
pub const ROTOMASK_LEVEL_ERROR: u32 = 1;
/// Something works otherwise than one would expect, such as on the CPU for want of a GPU.
pub const ROTOMASK_LEVEL_WARN: u32 = 2;
/// Something worth knowing.
pub const ROTOMASK_LEVEL_INFO: u32 = 3;
/// For whoever looks for a bug.
pub const ROTOMASK_LEVEL_DEBUG: u32 = 4;

/// Takes a message, UTF-8, valid during the call. It is called on whichever thread has something to say, and must
/// not call the library.
pub type rotomask_log_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, level: rotomask_level, message: *const c_char)>;

struct Sink {
    callback: unsafe extern "C" fn(*mut c_void, rotomask_level, *const c_char),
    user: *mut c_void,
    most: rotomask_level,
}

// SAFETY: the callback's contract is to be callable, with its `user`, from any thread.
unsafe impl Send for Sink {}
// SAFETY: as above.
unsafe impl Sync for Sink {}

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

/// Sets who is told what the library has to say; null for nobody, as at the start. One for the whole process.
///
/// `most` is the least important level that is told, a `ROTOMASK_LEVEL_*`. `user` is given back with each message
/// and must stay valid until the callback is replaced.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_ARGUMENT or ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `callback` may be called from any thread with `user`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_log_set(
    callback: rotomask_log_callback,
    user: *mut c_void,
    most: rotomask_level,
) -> rotomask_status {
    guard(|| {
        if !(ROTOMASK_LEVEL_ERROR..=ROTOMASK_LEVEL_DEBUG).contains(&most) {
            let message = format!("`most` is {most}, expected a ROTOMASK_LEVEL");
            return Err(Failure::new(ROTOMASK_ERROR_ARGUMENT, message));
        }
        let sink = callback.map(|callback| Sink { callback, user, most });
        *SINK.write().unwrap_or_else(PoisonError::into_inner) = sink;
        // The second time there is one already, and it is ours.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(ToHost));
        Ok(())
    })
}

struct ToHost;

impl<S: Subscriber> Layer<S> for ToHost {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => ROTOMASK_LEVEL_ERROR,
            Level::WARN => ROTOMASK_LEVEL_WARN,
            Level::INFO => ROTOMASK_LEVEL_INFO,
            _ => ROTOMASK_LEVEL_DEBUG,
        };
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sink) = sink.as_ref().filter(|sink| level <= sink.most) else { return };
        let mut text = Text(String::new());
        event.record(&mut text);
        let Ok(message) = CString::new(text.0.replace('\0', "\u{fffd}")) else { return };
        // SAFETY: the host vouched for callback and `user`; the message lives through the call.
        unsafe { (sink.callback)(sink.user, level, message.as_ptr()) };
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string can't fail.
        let _ = match (field.name(), self.0.is_empty()) {
            ("message", true) => write!(self.0, "{value:?}"),
            ("message", false) => write!(self.0, "; {value:?}"),
            (name, true) => write!(self.0, "{name}: {value:?}"),
            (name, false) => write!(self.0, "; {name}: {value:?}"),
        };
    }
}
