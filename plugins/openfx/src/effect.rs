//! An effect: its descriptor or an instance, its clips and parameters.

use std::ffi::{CStr, c_void};

use openfx_abi::*;
use plugin_common::Result;

use crate::host::Suites;
use crate::image::Image;
use crate::params::Params;
use crate::props::Props;

/// What an action is about.
#[derive(Clone, Copy)]
pub struct Effect {
    handle: OfxImageEffectHandle,
    pub suites: Suites,
}

/// A clip of an instance.
#[derive(Clone, Copy)]
pub struct Clip {
    handle: OfxImageClipHandle,
    suites: Suites,
}

impl Effect {
    pub fn new(handle: *const c_void, suites: Suites) -> Self {
        Self { handle: handle.cast_mut().cast(), suites }
    }

    pub fn handle(&self) -> *mut c_void {
        self.handle.cast()
    }

    pub fn props(&self) -> Props {
        let mut props = std::ptr::null_mut();
        if let Some(get) = self.suites.effect.getPropertySet {
            // SAFETY: the suite's function, with the host's handle; the handle that comes is ours to write.
            unsafe { get(self.handle, &mut props) };
        }
        Props::new(props, self.suites.property)
    }

    pub fn params(&self) -> Params {
        let mut set = std::ptr::null_mut();
        if let Some(get) = self.suites.effect.getParamSet {
            // SAFETY: as above.
            unsafe { get(self.handle, &mut set) };
        }
        Params::new(set, self.suites)
    }

    /// Defines a clip and gives its properties.
    pub fn define_clip(&self, name: &CStr) -> Option<Props> {
        let (define, mut props) = (self.suites.effect.clipDefine?, std::ptr::null_mut());
        // SAFETY: as above, with a name.
        let status = unsafe { define(self.handle, name.as_ptr(), &mut props) };
        (status == kOfxStatOK && !props.is_null()).then(|| Props::new(props, self.suites.property))
    }

    pub fn clip(&self, name: &CStr) -> Option<Clip> {
        let (get, mut clip) = (self.suites.effect.clipGetHandle?, std::ptr::null_mut());
        // SAFETY: as above, with a name; properties are not asked for.
        let status = unsafe { get(self.handle, name.as_ptr(), &mut clip, std::ptr::null_mut()) };
        (status == kOfxStatOK && !clip.is_null()).then_some(Clip { handle: clip, suites: self.suites })
    }

    /// Whether the host wants nothing more of this render.
    pub fn is_aborted(&self) -> bool {
        // SAFETY: the suite's function, with the host's handle.
        self.suites.effect.abort.is_some_and(|abort| unsafe { abort(self.handle) } != 0)
    }
}

impl Clip {
    pub fn props(&self) -> Props {
        let mut props = std::ptr::null_mut();
        if let Some(get) = self.suites.effect.clipGetPropertySet {
            // SAFETY: the suite's function, with the host's handle; the handle that comes is ours to write.
            unsafe { get(self.handle, &mut props) };
        }
        Props::new(props, self.suites.property)
    }

    /// Whether something feeds it. A host that doesn't say is asked for an image.
    pub fn is_connected(&self) -> bool {
        self.props().int(kOfxImageClipPropConnected, 0) != Some(0)
    }

    /// The image at a time, or `None` if there is none.
    ///
    /// # Errors
    /// If it lacks what is needed to read it.
    pub fn image(&self, time: f64) -> Result<Option<Image<'_>>> {
        let Some(get) = self.suites.effect.clipGetImage else { return Ok(None) };
        let mut image = std::ptr::null_mut();
        // SAFETY: the suite's function, with the host's handle, for the whole image.
        let status = unsafe { get(self.handle, time, std::ptr::null(), &mut image) };
        if status != kOfxStatOK || image.is_null() {
            return Ok(None);
        }
        Image::new(image, self.suites).map(Some)
    }

    /// The region that the clip has at a time, in canonical coordinates.
    pub fn region(&self, time: f64) -> Option<OfxRectD> {
        let (get, mut region) = (self.suites.effect.clipGetRegionOfDefinition?, OfxRectD::default());
        // SAFETY: the suite's function, with the host's handle; the region is ours to write.
        let status = unsafe { get(self.handle, time, &mut region) };
        let sides = [region.x1, region.y1, region.x2, region.y2];
        let good = sides.iter().all(|v| v.is_finite()) && region.x2 > region.x1 && region.y2 > region.y1;
        (status == kOfxStatOK && good).then_some(region)
    }

    /// First and last frame of the clip.
    pub fn range(&self) -> Option<[f64; 2]> {
        self.props().doubles(kOfxImageEffectPropFrameRange).filter(|[first, last]| first <= last)
    }
}
