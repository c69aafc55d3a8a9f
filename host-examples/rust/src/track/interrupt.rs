//! Ctrl-C: once to end the job with what is done, twice to end it at once.

use std::{
    process,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{Error, INTERRUPTED, Result, partial};

static FLAG: Mutex<Option<Arc<AtomicBool>>> = Mutex::new(None);

/// A flag that Ctrl-C sets, and a polite request to end as well. The same one for the whole program.
///
/// # Errors
/// If the system lets nobody listen.
pub fn flag() -> Result<Arc<AtomicBool>> {
    let mut flag = FLAG.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(flag) = &*flag {
        return Ok(flag.clone());
    }
    let new = Arc::new(AtomicBool::new(false));
    let heard = new.clone();
    ctrlc::set_handler(move || {
        if heard.swap(true, Ordering::Relaxed) {
            partial::remove_all();
            process::exit(i32::from(INTERRUPTED));
        }
    })
    .map_err(|_| Error::Bug("nobody can listen for Ctrl-C"))?;
    *flag = Some(new.clone());
    Ok(new)
}
