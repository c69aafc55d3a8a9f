//! What goes wrong, said on standard error: frei0r has no other place for it.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Sentences that were said; beyond so many, nothing more is.
const MOST: usize = 256;

/// Says a sentence, once a process.
pub fn say(sentence: &str) {
    static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let said = said.get_or_insert_default();
    if said.len() < MOST && said.insert(sentence.to_owned()) {
        eprintln!("rotomask: {sentence}");
    }
}
