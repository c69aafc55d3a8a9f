//! A session file: listed, read, checked, salvaged.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| engine::store::fuzz::session_file(bytes));
