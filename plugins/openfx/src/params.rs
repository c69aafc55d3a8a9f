//! Values of parameters, by name. What a host doesn't have, it gives no value of.

use std::ffi::{CStr, CString, c_char, c_int};

use openfx_abi::*;

use crate::host::Suites;
use crate::props::Props;

/// An instance's parameters.
#[derive(Clone, Copy)]
pub struct Params {
    set: OfxParamSetHandle,
    suites: Suites,
}

/// Longer texts no host gives: 64 MiB.
const MOST_TEXT_BYTES: usize = 64 << 20;

impl Params {
    pub fn new(set: OfxParamSetHandle, suites: Suites) -> Self {
        Self { set, suites }
    }

    /// Defines a parameter and gives its properties; `None` if the host won't have it.
    pub fn define(&self, kind: &CStr, name: &str) -> Option<Props> {
        let (define, name) = (self.suites.param.paramDefine?, CString::new(name).ok()?);
        let mut props = std::ptr::null_mut();
        // SAFETY: the suite's function, with the host's handle and two strings; the handle that comes is ours to write.
        let status = unsafe { define(self.set, kind.as_ptr(), name.as_ptr(), &mut props) };
        (status == kOfxStatOK && !props.is_null()).then(|| Props::new(props, self.suites.property))
    }

    fn handle(&self, name: &str) -> Option<OfxParamHandle> {
        let (get, name) = (self.suites.param.paramGetHandle?, CString::new(name).ok()?);
        let mut handle = std::ptr::null_mut();
        // SAFETY: the suite's function, with the host's handle and a name; properties are not asked for.
        let status = unsafe { get(self.set, name.as_ptr(), &mut handle, std::ptr::null_mut()) };
        (status == kOfxStatOK && !handle.is_null()).then_some(handle)
    }

    pub fn int(&self, name: &str, time: Option<f64>) -> Option<i32> {
        let (handle, mut value): (_, c_int) = (self.handle(name)?, 0);
        // SAFETY: the parameter was defined with one whole number, which the host writes here.
        let status = unsafe {
            match time {
                Some(time) => self.suites.param.paramGetValueAtTime?(handle, time, &raw mut value),
                None => self.suites.param.paramGetValue?(handle, &raw mut value),
            }
        };
        (status == kOfxStatOK).then_some(value)
    }

    pub fn double(&self, name: &str, time: f64) -> Option<f64> {
        let (handle, mut value) = (self.handle(name)?, 0f64);
        // SAFETY: the parameter was defined with one number, which the host writes here.
        let status = unsafe { self.suites.param.paramGetValueAtTime?(handle, time, &raw mut value) };
        (status == kOfxStatOK).then_some(value)
    }

    pub fn point(&self, name: &str) -> Option<[f64; 2]> {
        let (handle, mut x, mut y) = (self.handle(name)?, 0f64, 0f64);
        // SAFETY: the parameter was defined with two numbers, which the host writes here.
        let status = unsafe { self.suites.param.paramGetValue?(handle, &raw mut x, &raw mut y) };
        (status == kOfxStatOK && x.is_finite() && y.is_finite()).then_some([x, y])
    }

    pub fn colour(&self, name: &str, time: f64) -> Option<[f64; 4]> {
        let (handle, mut c) = (self.handle(name)?, [0f64; 4]);
        let [r, g, b, a] = &mut c;
        let get = self.suites.param.paramGetValueAtTime?;
        // SAFETY: the parameter was defined with four numbers, which the host writes here.
        let status = unsafe { get(handle, time, &raw mut *r, &raw mut *g, &raw mut *b, &raw mut *a) };
        (status == kOfxStatOK).then_some(c)
    }

    pub fn text(&self, name: &str) -> Option<String> {
        let (handle, mut text): (_, *mut c_char) = (self.handle(name)?, std::ptr::null_mut());
        // SAFETY: the parameter was defined as a string, whose address the host writes here.
        let status = unsafe { self.suites.param.paramGetValue?(handle, &raw mut text) };
        if status != kOfxStatOK || text.is_null() {
            return None;
        }
        // SAFETY: the host gave a NUL-terminated string, which is copied before anything else is asked.
        let text = unsafe { CStr::from_ptr(text) };
        (text.count_bytes() <= MOST_TEXT_BYTES).then(|| text.to_string_lossy().into_owned())
    }

    pub fn set_int(&self, name: &str, value: i32) -> bool {
        let Some((handle, set)) = self.handle(name).zip(self.suites.param.paramSetValue) else {
            return false;
        };
        // SAFETY: the parameter was defined with one whole number.
        unsafe { set(handle, value) == kOfxStatOK }
    }

    pub fn set_point(&self, name: &str, [x, y]: [f64; 2]) -> bool {
        let Some((handle, set)) = self.handle(name).zip(self.suites.param.paramSetValue) else {
            return false;
        };
        // SAFETY: the parameter was defined with two numbers.
        unsafe { set(handle, x, y) == kOfxStatOK }
    }

    /// Sets a text, unless it is the same: hosts remember every change, and calculate anew.
    pub fn set_text(&self, name: &str, value: &str) -> bool {
        if self.text(name).as_deref() == Some(value) {
            return true;
        }
        let Some((handle, set)) = self.handle(name).zip(self.suites.param.paramSetValue) else {
            return false;
        };
        let Ok(value) = CString::new(value) else { return false };
        // SAFETY: the parameter was defined as a string, and the host copies it.
        unsafe { set(handle, value.as_ptr()) == kOfxStatOK }
    }

    /// Does several changes that an artist undoes as one.
    pub fn edit(&self, name: &CStr, work: impl FnOnce()) {
        if let Some(begin) = self.suites.param.paramEditBegin {
            // SAFETY: the suite's function, with the host's handle and a name.
            unsafe { begin(self.set, name.as_ptr()) };
        }
        work();
        if let Some(end) = self.suites.param.paramEditEnd {
            // SAFETY: as above.
            unsafe { end(self.set) };
        }
    }
}
