//! An overlay on a mock of a viewer: pens and keys go in, shapes come out.

use std::ffi::{CStr, c_int, c_void};

use openfx_abi::*;

use crate::clip::Form;
use crate::instance::Instance;
use crate::plugin::{Descriptor, Plugin};
use crate::world::{Doing, Drawn, Id, doing, world};
use crate::{Error, Result};

/// An overlay of an instance.
pub struct Overlay<'a> {
    instance: &'a Instance<'a>,
    entry: OfxPluginEntryPoint,
    handle: Id,
    v2: bool,
    form: Form,
    /// The size of a pixel of the screen on the canvas.
    pub pixel: [f64; 2],
    /// The frame that is looked at.
    pub time: f64,
}

impl<'a> Overlay<'a> {
    /// Opens the effect's overlay for images of a form.
    ///
    /// # Errors
    /// If the effect has none, or refuses.
    pub fn open(
        plugin: &Plugin,
        descriptor: &Descriptor,
        instance: &'a Instance<'a>,
        form: &Form,
    ) -> Result<Self> {
        let (entry, v2) =
            plugin.overlay(descriptor).ok_or_else(|| Error::plain("the effect has no overlay"))?;
        let handle = {
            let mut world = world();
            let handle = world.new_set();
            world.pointer(handle, kOfxPropEffectInstance, instance.id);
            handle
        };
        instance.set_clips(form);
        let overlay = Self { instance, entry, handle, v2, form: form.clone(), pixel: [1.0, 1.0], time: 0.0 };
        for action in [kOfxActionDescribe, kOfxActionCreateInstance] {
            overlay.act(action, &[]);
        }
        Ok(overlay)
    }

    /// Whether it is drawn by the DrawSuite.
    pub fn is_v2(&self) -> bool {
        self.v2
    }

    fn act(&self, action: &CStr, ints: &[(&CStr, c_int)]) -> c_int {
        self.act_at(action, ints, None)
    }

    fn act_at(&self, action: &CStr, ints: &[(&CStr, c_int)], place: Option<[f64; 2]>) -> c_int {
        let given = {
            let mut world = world();
            let given = world.new_set();
            world.pointer(given, kOfxPropEffectInstance, self.instance.id);
            world.doubles(given, kOfxPropTime, &[self.time]);
            world.doubles(given, kOfxImageEffectPropRenderScale, &[self.form.scale, self.form.scale]);
            world.doubles(given, kOfxInteractPropPixelScale, &self.pixel);
            world.doubles(given, kOfxInteractPropBackgroundColour, &[0.0, 0.0, 0.0]);
            if self.v2 {
                world.pointer(given, kOfxInteractPropDrawContext, self.handle);
            }
            if let Some(place) = place {
                world.doubles(given, kOfxInteractPropPenPosition, &place);
                world.doubles(given, kOfxInteractPropPenPressure, &[1.0]);
            }
            for (name, value) in ints {
                world.ints(given, name, &[*value]);
            }
            given
        };
        let what = Doing {
            action: action.to_string_lossy().into_owned(),
            form: self.form.clone(),
            time: self.time,
            ..Doing::default()
        };
        // SAFETY: the plugin's entry, with handles of this host's.
        let status = doing(what, || unsafe {
            (self.entry)(
                action.as_ptr(),
                self.handle as *const c_void,
                given as OfxPropertySetHandle,
                std::ptr::null_mut(),
            )
        });
        world().sets.remove(&given);
        status
    }

    /// Draws, and gives the shapes.
    ///
    /// # Errors
    /// If the plugin fails.
    pub fn draw(&self) -> Result<Vec<Drawn>> {
        world().drawn.clear();
        let status = self.act(kOfxInteractActionDraw, &[]);
        if status != kOfxStatOK && status != kOfxStatReplyDefault {
            return Err(Error::plain(format!("the overlay's draw action answered {status}")));
        }
        Ok(std::mem::take(&mut world().drawn))
    }

    /// A pen from one place on the canvas to another; whether the overlay took it.
    pub fn drag(&self, from: [f64; 2], to: [f64; 2]) -> bool {
        let down = self.act_at(kOfxInteractActionPenDown, &[], Some(from)) == kOfxStatOK;
        self.act_at(kOfxInteractActionPenMotion, &[], Some(to));
        let up = self.act_at(kOfxInteractActionPenUp, &[], Some(to)) == kOfxStatOK;
        down && up
    }

    /// A click at a place on the canvas; whether the overlay took it.
    pub fn click(&self, at: [f64; 2]) -> bool {
        self.drag(at, at)
    }

    /// A key goes down or up.
    pub fn key(&self, key: c_int, down: bool) {
        let action = if down { kOfxInteractActionKeyDown } else { kOfxInteractActionKeyUp };
        self.act(action, &[(kOfxPropKeySym, key)]);
    }
}

impl Drop for Overlay<'_> {
    fn drop(&mut self) {
        self.act(kOfxActionDestroyInstance, &[]);
        world().sets.remove(&self.handle);
    }
}
