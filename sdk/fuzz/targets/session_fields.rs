//! The fields of a session file: planes, masks, clicks, steps.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| engine::store::fuzz::session_fields(bytes));
