//! The overlay in the viewer: points and box are drawn, clicks and drags make new ones.
//!
//! OpenFX tells a pen no modifier keys, so that keys are watched as they go down and up. Hosts that send none have the
//! parameter "A click is".

mod canvas;
mod gl;
mod marks;

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_void};
use std::sync::{Mutex, PoisonError};

use openfx_abi::keys::*;
use openfx_abi::*;

use crate::controls::CLICKS;
use crate::effect::Effect;
use crate::geometry::Geometry;
use crate::host::{self, Suites};
use crate::props::Props;
use crate::{guard, report, state};
use canvas::Canvas;

/// A pen that moved less than this between down and up has clicked, in pixels of the screen.
const CLICK_PX: f64 = 4.0;
/// A pen this near to a point is meant for the host's own handle of it, in pixels of the screen.
const HANDLE_PX: f64 = 6.0;

/// What an overlay remembers between its actions.
#[derive(Clone, Copy, Default)]
struct Pen {
    /// Where the pen went down, and where it is.
    drag: Option<[[f64; 2]; 2]>,
    /// Whether Shift, Ctrl or Alt is down.
    opposite: bool,
}

static PENS: Mutex<Option<HashMap<usize, Pen>>> = Mutex::new(None);

fn with_pen<T>(interact: *const c_void, work: impl FnOnce(&mut Pen) -> T) -> T {
    let mut pens = PENS.lock().unwrap_or_else(PoisonError::into_inner);
    work(pens.get_or_insert_default().entry(interact as usize).or_default())
}

/// Tells the host of the overlay: drawn by its DrawSuite if it has one, otherwise by OpenGL.
pub fn describe_to(props: &Props) {
    let suites = host::suites();
    let v2 = suites.is_some_and(|suites| suites.draw.is_some())
        && props.set_pointer(kOfxImageEffectPluginPropOverlayInteractV2, entry_v2 as *mut c_void);
    if !v2 {
        props.set_pointer(kOfxImageEffectPluginPropOverlayInteractV1, entry_v1 as *mut c_void);
    }
}

unsafe extern "C" fn entry_v2(
    action: *const c_char,
    handle: *const c_void,
    given: OfxPropertySetHandle,
    _: OfxPropertySetHandle,
) -> OfxStatus {
    // SAFETY: the standard's contract, as for the effect's own entry.
    guard(|| unsafe { act(action, handle, given, true) })
}

unsafe extern "C" fn entry_v1(
    action: *const c_char,
    handle: *const c_void,
    given: OfxPropertySetHandle,
    _: OfxPropertySetHandle,
) -> OfxStatus {
    // SAFETY: the standard's contract, as for the effect's own entry.
    guard(|| unsafe { act(action, handle, given, false) })
}

/// # Safety
/// `action` is null or a NUL-terminated name; the handles are the host's.
unsafe fn act(
    action: *const c_char,
    handle: *const c_void,
    given: OfxPropertySetHandle,
    v2: bool,
) -> OfxStatus {
    let (false, Some(suites)) = (action.is_null(), host::suites()) else { return kOfxStatFailed };
    // SAFETY: not null, and the contract above.
    let action = unsafe { CStr::from_ptr(action) };
    let given = Props::new(given, suites.property);
    if action == kOfxActionDescribe || action == kOfxActionCreateInstance {
        return kOfxStatOK;
    }
    if action == kOfxActionDestroyInstance {
        let mut pens = PENS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pens) = pens.as_mut() {
            pens.remove(&(handle as usize));
        }
        return kOfxStatOK;
    }
    let Some(effect) = effect_of(handle, &given, suites) else { return kOfxStatReplyDefault };
    let overlay = Overlay { handle, effect, given };
    let done = if action == kOfxInteractActionDraw {
        overlay.draw(v2)
    } else if action == kOfxInteractActionPenDown {
        overlay.pen_down()
    } else if action == kOfxInteractActionPenMotion {
        overlay.pen_motion()
    } else if action == kOfxInteractActionPenUp {
        overlay.pen_up()
    } else if action == kOfxInteractActionKeyDown {
        overlay.key(true)
    } else if action == kOfxInteractActionKeyUp {
        overlay.key(false)
    } else if action == kOfxInteractActionLoseFocus {
        with_pen(handle, |pen| *pen = Pen::default());
        Ok(true)
    } else {
        Ok(false)
    };
    match done {
        Ok(true) => kOfxStatOK,
        Ok(false) => kOfxStatReplyDefault,
        Err(problem) => {
            report::problem(&effect, &problem);
            kOfxStatFailed
        }
    }
}

/// The effect that an overlay belongs to: hosts tell it with each action, or on the overlay.
fn effect_of(interact: *const c_void, given: &Props, suites: Suites) -> Option<Effect> {
    let told = given.pointer(kOfxPropEffectInstance).or_else(|| {
        let (get, mut props) = (suites.interact?.interactGetPropertySet?, std::ptr::null_mut());
        // SAFETY: the suite's function, with the host's handle; the handle that comes is ours to write.
        let status = unsafe { get(interact.cast_mut().cast(), &mut props) };
        (status == kOfxStatOK)
            .then(|| Props::new(props, suites.property).pointer(kOfxPropEffectInstance))
            .flatten()
    });
    told.map(|effect| Effect::new(effect, suites))
}

struct Overlay {
    handle: *const c_void,
    effect: Effect,
    given: Props,
}

type Trapped = Result<bool, plugin_common::Error>;

impl Overlay {
    fn time(&self) -> f64 {
        self.given.double(kOfxPropTime, 0).unwrap_or(0.0)
    }

    /// The size of a pixel of the screen on the canvas.
    fn pixel(&self) -> [f64; 2] {
        let pixel = self.given.doubles(kOfxInteractPropPixelScale).unwrap_or([1.0, 1.0]);
        pixel.map(|v| if v > 0.0 { v } else { 1.0 })
    }

    fn place(&self) -> Option<[f64; 2]> {
        self.given.doubles(kOfxInteractPropPenPosition)
    }

    fn draw(&self, v2: bool) -> Trapped {
        let canvas = if v2 {
            let context = self.given.pointer(kOfxInteractPropDrawContext);
            context.zip(self.effect.suites.draw).map(|(context, suite)| Canvas::suite(suite, context.cast()))
        } else {
            gl::Gl::shared().map(Canvas::gl)
        };
        let Some(canvas) = canvas else { return Ok(false) };
        let drag = with_pen(self.handle, |pen| pen.drag);
        marks::draw(&self.effect, &canvas, self.time(), self.pixel(), drag)?;
        Ok(true)
    }

    fn pen_down(&self) -> Trapped {
        let Some(place) = self.place() else { return Ok(false) };
        let pixel = self.pixel();
        if marks::places(&self.effect).iter().any(|at| distance(*at, place, pixel) <= HANDLE_PX) {
            return Ok(false);
        }
        with_pen(self.handle, |pen| pen.drag = Some([place; 2]));
        Ok(true)
    }

    fn pen_motion(&self) -> Trapped {
        let Some(place) = self.place() else { return Ok(false) };
        let dragging = with_pen(self.handle, |pen| {
            if let Some([_, to]) = &mut pen.drag {
                *to = place;
            }
            pen.drag.is_some()
        });
        if dragging {
            self.redraw();
        }
        Ok(dragging)
    }

    fn pen_up(&self) -> Trapped {
        let Pen { drag, opposite } = with_pen(self.handle, |pen| Pen { drag: pen.drag.take(), ..*pen });
        let Some([from, last]) = drag else { return Ok(false) };
        let to = self.place().unwrap_or(last);
        let geometry = Geometry::of(&self.effect, self.time())?;
        if distance(from, to, self.pixel()) > CLICK_PX {
            state::set_box(&self.effect, &geometry, self.time(), from, to)?;
        } else {
            let positive = (self.effect.params().int(CLICKS, None).unwrap_or(0) == 0) != opposite;
            state::add_click(&self.effect, &geometry, self.time(), from, positive)?;
        }
        self.redraw();
        Ok(true)
    }

    fn key(&self, down: bool) -> Trapped {
        let key = self.given.int(kOfxPropKeySym, 0).unwrap_or(0);
        let modifiers = [
            kOfxKey_Shift_L,
            kOfxKey_Shift_R,
            kOfxKey_Control_L,
            kOfxKey_Control_R,
            kOfxKey_Alt_L,
            kOfxKey_Alt_R,
        ];
        if modifiers.contains(&key) {
            with_pen(self.handle, |pen| pen.opposite = down);
        }
        if key == kOfxKey_Escape && down {
            with_pen(self.handle, |pen| pen.drag = None);
            self.redraw();
        }
        // The host's own shortcuts go on working.
        Ok(false)
    }

    fn redraw(&self) {
        if let Some(redraw) = self.effect.suites.interact.and_then(|suite| suite.interactRedraw) {
            // SAFETY: the suite's function, with the host's handle.
            unsafe { redraw(self.handle.cast_mut().cast()) };
        }
    }
}

/// In pixels of the screen.
fn distance(a: [f64; 2], b: [f64; 2], pixel: [f64; 2]) -> f64 {
    ((a[0] - b[0]) / pixel[0]).hypot((a[1] - b[1]) / pixel[1])
}
