//! Properties. A host may lack any of them, or any of the suite's functions: then there is no value.

use std::ffi::{CStr, CString, c_void};

use openfx_abi::*;

/// A set of properties.
#[derive(Clone, Copy)]
pub struct Props {
    handle: OfxPropertySetHandle,
    suite: &'static OfxPropertySuiteV1,
}

macro_rules! access {
    ($set:ident $propSet:ident, $get:ident $propGet:ident, $type:ty) => {
        pub fn $set(&self, name: &CStr, index: i32, value: $type) -> bool {
            let Some(set) = self.suite.$propSet.filter(|_| self.is_there()) else { return false };
            // SAFETY: the suite's function, with the host's handle and a name.
            unsafe { set(self.handle, name.as_ptr(), index, value) == kOfxStatOK }
        }

        pub fn $get(&self, name: &CStr, index: i32) -> Option<$type> {
            if !self.is_there() {
                return None;
            }
            let (get, mut value) = (self.suite.$propGet?, <$type>::default());
            // SAFETY: the suite's function, with the host's handle and a name; the value is ours.
            (unsafe { get(self.handle, name.as_ptr(), index, &mut value) } == kOfxStatOK).then_some(value)
        }
    };
}

impl Props {
    pub fn new(handle: OfxPropertySetHandle, suite: &'static OfxPropertySuiteV1) -> Self {
        Self { handle, suite }
    }

    fn is_there(&self) -> bool {
        !self.handle.is_null()
    }

    access!(set_int propSetInt, int propGetInt, i32);
    access!(set_double propSetDouble, double propGetDouble, f64);

    pub fn set_pointer(&self, name: &CStr, value: *mut c_void) -> bool {
        // SAFETY: the suite's function, with the host's handle and a name.
        self.is_there()
            && self
                .suite
                .propSetPointer
                .is_some_and(|set| unsafe { set(self.handle, name.as_ptr(), 0, value) == kOfxStatOK })
    }

    pub fn pointer(&self, name: &CStr) -> Option<*mut c_void> {
        if !self.is_there() {
            return None;
        }
        let (get, mut value) = (self.suite.propGetPointer?, std::ptr::null_mut());
        // SAFETY: the suite's function, with the host's handle and a name; the value is ours.
        let known = unsafe { get(self.handle, name.as_ptr(), 0, &mut value) } == kOfxStatOK;
        (known && !value.is_null()).then_some(value)
    }

    pub fn set_name(&self, name: &CStr, index: i32, value: &CStr) -> bool {
        // SAFETY: the suite's function, with the host's handle and two strings.
        self.is_there()
            && self.suite.propSetString.is_some_and(|set| unsafe {
                set(self.handle, name.as_ptr(), index, value.as_ptr()) == kOfxStatOK
            })
    }

    pub fn set_text(&self, name: &CStr, value: &str) -> bool {
        CString::new(value).is_ok_and(|value| self.set_name(name, 0, &value))
    }

    pub fn text(&self, name: &CStr) -> Option<String> {
        if !self.is_there() {
            return None;
        }
        let (get, mut value) = (self.suite.propGetString?, std::ptr::null_mut());
        // SAFETY: the suite's function, with the host's handle and a name; the value is ours.
        let known = unsafe { get(self.handle, name.as_ptr(), 0, &mut value) } == kOfxStatOK;
        if !known || value.is_null() {
            return None;
        }
        // SAFETY: the host gave a NUL-terminated string, which is copied before anything else is asked.
        Some(unsafe { CStr::from_ptr(value) }.to_string_lossy().into_owned())
    }

    /// All of a few whole numbers, or none.
    pub fn ints<const N: usize>(&self, name: &CStr) -> Option<[i32; N]> {
        let mut all = [0; N];
        for (index, value) in all.iter_mut().enumerate() {
            *value = self.int(name, index as i32)?;
        }
        Some(all)
    }

    /// All of a few numbers, or none; none either if one is not finite.
    pub fn doubles<const N: usize>(&self, name: &CStr) -> Option<[f64; N]> {
        let mut all = [0.0; N];
        for (index, value) in all.iter_mut().enumerate() {
            *value = self.double(name, index as i32).filter(|value| value.is_finite())?;
        }
        Some(all)
    }
}
