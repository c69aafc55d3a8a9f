//! Overlays, and a mock of what they draw with: shapes are noted and nothing is shown.

use std::ffi::{c_char, c_int, c_uint};

use openfx_abi::*;

use super::name;
use crate::world::{Drawn, Id, now, world};

pub static SUITE: OfxInteractSuiteV1 = OfxInteractSuiteV1 {
    interactSwapBuffers: Some(swap),
    interactRedraw: Some(redraw),
    interactGetPropertySet: Some(props),
};

pub static DRAW: OfxDrawSuiteV1 = OfxDrawSuiteV1 {
    getColour: Some(get_colour),
    setColour: Some(set_colour),
    setLineWidth: Some(set_width),
    setLineStipple: Some(set_stipple),
    draw: Some(draw),
    drawText: Some(draw_text),
};

unsafe extern "C" fn swap(_: OfxInteractHandle) -> OfxStatus {
    kOfxStatOK
}

unsafe extern "C" fn redraw(_: OfxInteractHandle) -> OfxStatus {
    world().redraws += 1;
    kOfxStatOK
}

unsafe extern "C" fn props(interact: OfxInteractHandle, into: *mut OfxPropertySetHandle) -> OfxStatus {
    if !world().sets.contains_key(&(interact as Id)) {
        return kOfxStatErrBadHandle;
    }
    // SAFETY: the standard's contract. An overlay's handle is that of its properties here.
    unsafe { into.write(interact.cast()) };
    kOfxStatOK
}

fn in_draw() -> bool {
    let action = now(|now| now.action.clone());
    let allowed = action.as_bytes() == kOfxInteractActionDraw.to_bytes();
    if !allowed {
        world().violation(format!("something was drawn in {action:?}"));
    }
    allowed
}

unsafe extern "C" fn get_colour(_: OfxDrawContextHandle, _: c_uint, into: *mut OfxRGBAColourF) -> OfxStatus {
    // SAFETY: the standard's contract.
    unsafe { into.write(OfxRGBAColourF { r: 1.0, g: 1.0, b: 1.0, a: 1.0 }) };
    kOfxStatOK
}

unsafe extern "C" fn set_colour(_: OfxDrawContextHandle, colour: *const OfxRGBAColourF) -> OfxStatus {
    // SAFETY: the standard's contract.
    let Some(colour) = (unsafe { colour.as_ref() }) else { return kOfxStatErrValue };
    world().draw_colour = [colour.r, colour.g, colour.b, colour.a];
    kOfxStatOK
}

unsafe extern "C" fn set_width(_: OfxDrawContextHandle, _: f32) -> OfxStatus {
    kOfxStatOK
}

unsafe extern "C" fn set_stipple(_: OfxDrawContextHandle, _: c_uint) -> OfxStatus {
    kOfxStatOK
}

unsafe extern "C" fn draw(
    _: OfxDrawContextHandle,
    primitive: c_uint,
    points: *const OfxPointD,
    count: c_int,
) -> OfxStatus {
    if !in_draw() {
        return kOfxStatFailed;
    }
    let count = usize::try_from(count).unwrap_or(0);
    if points.is_null() || count == 0 {
        return kOfxStatErrValue;
    }
    // SAFETY: not null, and the standard's contract: as many points as is said.
    let points = unsafe { std::slice::from_raw_parts(points, count) };
    let mut world = world();
    let colour = world.draw_colour;
    let points = points.iter().map(|p| [p.x, p.y]).collect();
    world.drawn.push(Drawn::Shape { primitive, colour, points });
    kOfxStatOK
}

unsafe extern "C" fn draw_text(
    _: OfxDrawContextHandle,
    text: *const c_char,
    at: *const OfxPointD,
    _: c_int,
) -> OfxStatus {
    // SAFETY: the standard's contract.
    let (true, Some(text), Some(at)) = (in_draw(), unsafe { name(text) }, unsafe { at.as_ref() }) else {
        return kOfxStatErrValue;
    };
    let text = text.to_string_lossy().into_owned();
    world().drawn.push(Drawn::Text { text, at: [at.x, at.y] });
    kOfxStatOK
}
