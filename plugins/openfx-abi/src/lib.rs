//! OpenFX 1.5 in Rust, as little of it as rotomask's plugin and its test host need: structs, suites, names.
//!
//! Written from the standard; a test compares every name, number and struct with the `openfx` crate's.

#![allow(non_upper_case_globals, non_snake_case, reason = "names are the standard's")]

mod names;
mod structs;
mod suites;

pub use names::*;
pub use structs::*;
pub use suites::*;

/// How a call ended.
pub type OfxStatus = i32;

macro_rules! statuses {
    ($($name:ident $value:literal $doc:literal),+ $(,)?) => { $(#[doc = $doc] pub const $name: OfxStatus = $value;)+ };
}

statuses! {
    kOfxStatOK 0 "It worked.",
    kOfxStatFailed 1 "It failed, for a reason of its own.",
    kOfxStatErrFatal 2 "Nothing will work any more.",
    kOfxStatErrUnknown 3 "No such property or object.",
    kOfxStatErrMissingHostFeature 4 "The host lacks something that the plugin needs.",
    kOfxStatErrUnsupported 5 "Not supported here.",
    kOfxStatErrExists 6 "It exists already.",
    kOfxStatErrFormat 7 "Of the wrong format.",
    kOfxStatErrMemory 8 "Out of memory.",
    kOfxStatErrBadHandle 9 "No such handle.",
    kOfxStatErrBadIndex 10 "No such index.",
    kOfxStatErrValue 11 "Not a value that it takes.",
    kOfxStatReplyYes 12 "Yes.",
    kOfxStatReplyNo 13 "No: of progress, stop.",
    kOfxStatReplyDefault 14 "Do what is done by default.",
}

/// Key symbols that the plugin knows, as in X11.
pub mod keys {
    #![allow(missing_docs, reason = "names say it")]
    pub const kOfxKey_BackSpace: i32 = 0xff08;
    pub const kOfxKey_Escape: i32 = 0xff1b;
    pub const kOfxKey_Delete: i32 = 0xffff;
    pub const kOfxKey_Shift_L: i32 = 0xffe1;
    pub const kOfxKey_Shift_R: i32 = 0xffe2;
    pub const kOfxKey_Control_L: i32 = 0xffe3;
    pub const kOfxKey_Control_R: i32 = 0xffe4;
    pub const kOfxKey_Alt_L: i32 = 0xffe9;
    pub const kOfxKey_Alt_R: i32 = 0xffea;
}
