//! What the artist said, read from the parameters and written back: nothing is kept anywhere else.

use plugin_common::Result;
use plugin_common::prompts::Prompts;
use rotomask::prompt::{Box, Click};

use crate::controls::*;
use crate::effect::Effect;
use crate::geometry::{Geometry, frame, offset};

/// Everything that is said: the points and the box that are shown, and what the text of prompts has beyond.
///
/// # Errors
/// If the text is damaged, or a point is on a frame before the session's first.
pub fn prompts(effect: &Effect, geometry: &Geometry) -> Result<Prompts> {
    let params = effect.params();
    let mut prompts = Prompts::parse(&params.text(PROMPTS).unwrap_or_default())?;
    let mut shown = Prompts::default();
    let offset = offset(effect);
    for at in 0..POINTS {
        let names = point(at);
        let int = |name: &str| params.int(name, None).unwrap_or(0);
        if int(&names.on) == 0 {
            continue;
        }
        let Some(place) = params.point(&names.place) else { continue };
        let [x_px, y_px] = geometry.click(place);
        let click = Click { x_px, y_px, positive: int(&names.kind) == 0 };
        let on = frame(f64::from(int(&names.frame)), offset)?;
        shown.at(number(int(&names.object)), on).clicks.push(click);
    }
    if params.int(BOX_ON, None).unwrap_or(0) != 0
        && let Some((from, to)) = params.point(BOX_FROM).zip(params.point(BOX_TO))
    {
        let on = frame(f64::from(params.int(BOX_FRAME, None).unwrap_or(0)), offset)?;
        let object = number(params.int(BOX_OBJECT, None).unwrap_or(1));
        shown.at(object, on).bounds = bounds(geometry.edge(from), geometry.edge(to));
    }
    prompts.add(&shown);
    Ok(prompts)
}

/// The object that is spoken of now.
pub fn object(effect: &Effect) -> u32 {
    number(effect.params().int(OBJECT, None).unwrap_or(1))
}

fn number(object: i32) -> u32 {
    u32::try_from(object).unwrap_or(1).max(1)
}

fn bounds([ax, ay]: [f32; 2], [bx, by]: [f32; 2]) -> Option<Box> {
    let bounds = Box { x0_px: ax.min(bx), y0_px: ay.min(by), x1_px: ax.max(bx), y1_px: ay.max(by) };
    (bounds.x1_px > bounds.x0_px && bounds.y1_px > bounds.y0_px).then_some(bounds)
}

/// Adds a click at a place on the canvas: as a point that is shown if one is free, otherwise in the text.
///
/// # Errors
/// If the text is damaged, or the time lies before the session's first frame.
pub fn add_click(
    effect: &Effect,
    geometry: &Geometry,
    time: f64,
    place: [f64; 2],
    positive: bool,
) -> Result<()> {
    let (params, object) = (effect.params(), object(effect));
    let on = geometry.frame(time)?;
    let free = (0..POINTS).map(point).find(|names| params.int(&names.on, None) == Some(0));
    let Some(names) = free else {
        let mut more = Prompts::parse(&params.text(PROMPTS).unwrap_or_default())?;
        let [x_px, y_px] = geometry.click(place);
        more.at(object, on).clicks.push(Click { x_px, y_px, positive });
        params.set_text(PROMPTS, &more.to_text());
        return Ok(());
    };
    params.edit(c"Add point", || {
        params.set_point(&names.place, place);
        params.set_int(&names.kind, i32::from(!positive));
        params.set_int(&names.frame, time.round() as i32);
        params.set_int(&names.object, object as i32);
        params.set_int(&names.on, 1);
    });
    remember(effect, object)
}

/// Sets the box by two corners on the canvas: the one that is shown if it is free or this frame's, otherwise in the text.
///
/// # Errors
/// As [`add_click`].
pub fn set_box(effect: &Effect, geometry: &Geometry, time: f64, from: [f64; 2], to: [f64; 2]) -> Result<()> {
    let (params, object) = (effect.params(), object(effect));
    let on = geometry.frame(time)?;
    let same = params.int(BOX_FRAME, None) == Some(time.round() as i32)
        && params.int(BOX_OBJECT, None) == Some(object as i32);
    if params.int(BOX_ON, None) == Some(0) || same {
        params.edit(c"Draw box", || {
            params.set_point(BOX_FROM, from);
            params.set_point(BOX_TO, to);
            params.set_int(BOX_FRAME, time.round() as i32);
            params.set_int(BOX_OBJECT, object as i32);
            params.set_int(BOX_ON, 1);
        });
        return remember(effect, object);
    }
    let mut more = Prompts::parse(&params.text(PROMPTS).unwrap_or_default())?;
    more.at(object, on).bounds = bounds(geometry.edge(from), geometry.edge(to));
    params.set_text(PROMPTS, &more.to_text());
    Ok(())
}

/// Notes in the text that an object was spoken of, so that taking its last point back is understood.
fn remember(effect: &Effect, object: u32) -> Result<()> {
    let params = effect.params();
    let mut more = Prompts::parse(&params.text(PROMPTS).unwrap_or_default())?;
    if !more.objects.contains_key(&object) {
        more.objects.entry(object).or_default();
        params.set_text(PROMPTS, &more.to_text());
    }
    Ok(())
}

/// Takes the second clip as a mask of the current object on a frame, or not.
///
/// # Errors
/// If the text is damaged.
pub fn set_mask(effect: &Effect, frame: u64, given: bool) -> Result<()> {
    let params = effect.params();
    let mut more = Prompts::parse(&params.text(PROMPTS).unwrap_or_default())?;
    more.at(object(effect), frame).mask = given;
    params.set_text(PROMPTS, &more.to_text());
    Ok(())
}

/// Takes back what was said: of one object or of all, on one frame or on all. What is spoken of stays known.
///
/// # Errors
/// If the text is damaged.
pub fn clear(effect: &Effect, object: Option<u32>, host_time: Option<f64>) -> Result<()> {
    let params = effect.params();
    let offset = offset(effect);
    let here = |at: i32| host_time.is_none_or(|time| i64::from(at) == time.round() as i64);
    let meant = |of: i32| object.is_none_or(|object| number(of) == object);
    params.edit(c"Clear", || {
        for names in (0..POINTS).map(point) {
            let int = |name: &str| params.int(name, None).unwrap_or(0);
            if int(&names.on) != 0 && here(int(&names.frame)) && meant(int(&names.object)) {
                params.set_int(&names.on, 0);
            }
        }
        let int = |name: &str| params.int(name, None).unwrap_or(0);
        if int(BOX_ON) != 0 && here(int(BOX_FRAME)) && meant(int(BOX_OBJECT)) {
            params.set_int(BOX_ON, 0);
        }
    });
    let mut more = Prompts::parse(&params.text(PROMPTS).unwrap_or_default())?;
    for (_, said) in more.objects.iter_mut().filter(|(id, _)| object.is_none_or(|object| **id == object)) {
        match host_time {
            None => said.frames.clear(),
            Some(time) => {
                if let Ok(frame) = frame(time, offset) {
                    said.frames.remove(&frame);
                }
            }
        }
    }
    if host_time.is_none() {
        match object {
            None => more.objects.clear(),
            Some(object) => {
                more.objects.remove(&object);
            }
        }
    }
    params.set_text(PROMPTS, &more.to_text());
    Ok(())
}
