//! Pictures: every form of pixels, any order, any thread.

use openfx_abi::OfxRectI;

use super::{filter, general, largest_difference, numbers, same};
use crate::clip::{Components, Depth, Form, Frames};
use crate::conform::Shot;
use crate::image::{GUARD, bounds};
use crate::instance::{Instance, Picture};
use crate::plugin::Plugin;
use crate::world::world;
use crate::{Error, Result};

/// One code value of 8 bits, and what halves round off.
const CODE: f32 = 1.0 / 255.0 + 1e-3;

/// Every depth, components and row order, plainly and with each twist.
fn all_forms() -> Vec<Form> {
    let mut forms = Vec::new();
    for depth in Depth::ALL {
        for components in Components::ALL {
            for downwards in [false, true] {
                for twist in [0u32, 1, 2, 4, 8, 16, 31] {
                    let has = |bit: u32| twist & bit != 0;
                    forms.push(Form {
                        depth,
                        components,
                        downwards,
                        padding: if has(1) { 12 } else { 0 },
                        offset: if has(2) { [-7, 5] } else { [0, 0] },
                        scale: if has(4) { 0.5 } else { 1.0 },
                        aspect: if has(8) { 1.067 } else { 1.0 },
                        premultiplied: has(16),
                        has_soft_alpha: has(16),
                    });
                }
            }
        }
    }
    forms
}

/// Where pixels of a window are, rows from the top.
fn within(size: [u32; 2], whole: OfxRectI, window: OfxRectI) -> (std::ops::Range<u32>, std::ops::Range<u32>) {
    let left = (window.x1 - whole.x1) as u32;
    let top = (whole.y2 - window.y2) as u32;
    let (w, h) = ((window.x2 - window.x1) as u32, (window.y2 - window.y1) as u32);
    (left..(left + w).min(size[0]), top..(top + h).min(size[1]))
}

/// Whether nothing but the window's pixels was written.
fn untouched(picture: &Picture, columns: &std::ops::Range<u32>, rows: &std::ops::Range<u32>) -> bool {
    let step = picture.form.pixel_bytes();
    let mut memory = picture.memory.clone();
    for y in rows.clone() {
        let at = picture.layout.row(y) + columns.start as usize * step;
        memory[at..at + columns.len() * step].fill(GUARD);
    }
    memory.iter().all(|byte| *byte == GUARD)
}

pub fn forms(plugin: &Plugin, shot: &Shot) -> Result<String> {
    let described = general(plugin)?;
    let instance = Instance::create(plugin, &described, shot.source(), None)?;
    instance.put_text("session", &shot.session_text())?;
    instance.put_text("view", "Matte")?;
    let before = world().images.len();
    let (mut worst, mut count) = (0f32, 0);
    let mut wanted = std::collections::HashMap::new();
    for form in all_forms() {
        let whole = bounds(shot.size(), &form);
        let twisted = form.padding > 0 || form.offset != [0, 0];
        let inner = OfxRectI { x1: whole.x1 + 3, y1: whole.y1 + 2, x2: whole.x2 - 5, y2: whole.y2 - 1 };
        let window = if twisted { inner } else { whole };
        let frame = count % 2;
        let picture = instance.render(frame as f64, &form, Some(window))?;
        let (columns, rows) = within(picture.size, whole, window);
        if !untouched(&picture, &columns, &rows) {
            return Err(Error::plain(format!("{form:?}: something was written outside the window")));
        }
        // The engine's matte depends on nothing but the frame and the scale.
        let wanted = match wanted.entry((frame, form.scaled(shot.size()))) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => place.insert(shot.matte(frame, &form)?),
        };
        let step = form.pixel_bytes();
        for y in rows {
            let row = picture.row(y);
            for x in columns.clone() {
                let found = form.depth.get(&row[x as usize * step..]);
                let want = wanted[(y * picture.size[0] + x) as usize];
                let off = (found - want).abs();
                worst = worst.max(off);
                // The matte's alpha is opaque, so premultiplying leaves it.
                if off.is_nan() || off > CODE {
                    return Err(Error::plain(format!("{form:?}: at {x},{y} found {found}, expected {want}")));
                }
            }
        }
        count += 1;
    }
    same("images left", world().images.len(), before)?;
    drop(instance);
    described.forget();
    Ok(format!("{count} forms, at most {:.2} code values off", worst * 255.0))
}

pub fn cutouts(plugin: &Plugin, shot: &Shot) -> Result<String> {
    let described = filter(plugin)?;
    let instance = Instance::create(plugin, &described, shot.source(), None)?;
    instance.put_text("session", &shot.session_text())?;
    instance.put_text("view", "Cutout")?;
    let mut count = 0;
    for depth in Depth::ALL {
        for premultiplied in [false, true] {
            let form = Form { depth, premultiplied, has_soft_alpha: true, ..Form::default() };
            instance.put_text("alpha", if premultiplied { "Premultiplied" } else { "Straight" })?;
            same("clip preferences", instance.wants_premultiplied(), Some(premultiplied))?;
            let picture = instance.render(1.0, &form, None)?;
            let (matte, pixels) = (shot.matte(1, &form)?, shot.frames.pixels(1));
            for y in (0..picture.size[1]).step_by(7) {
                for x in (0..picture.size[0]).step_by(5) {
                    let [r, g, b, a] = form.pixel(pixels, shot.size(), x, y);
                    let alpha = matte[(y * picture.size[0] + x) as usize] * a;
                    let by = if premultiplied { alpha } else { 1.0 };
                    let at = x as usize * form.pixel_bytes();
                    let found: [f32; 4] =
                        std::array::from_fn(|c| depth.get(&picture.row(y)[at + c * depth.bytes()..]));
                    let want = [r * by, g * by, b * by, alpha];
                    // Premultiplied bytes lose colour where alpha is small, on their way in and on their way out.
                    let spare = if premultiplied { 2.0 / 255.0 } else { 0.0 };
                    let off = |(found, want): (&f32, f32)| {
                        (found - want).is_nan() || (found - want).abs() > CODE + spare
                    };
                    if found.iter().zip(want).any(off) {
                        return Err(Error::plain(format!(
                            "{form:?}: at {x},{y} found {found:?}, expected {want:?}"
                        )));
                    }
                }
            }
            count += 1;
        }
    }
    drop(instance);
    described.forget();
    Ok(format!("{count} forms"))
}

/// Renders all frames on 4 threads, in an order that is none.
pub fn on_threads(instance: &Instance<'_>, form: &Form, frames: u32) -> Result<Vec<Vec<u8>>> {
    let mut order: Vec<u32> = (0..frames).collect();
    // A step that shares no divisor with the count meets every frame once.
    let step =
        (frames / 2 + 1..).find(|step| greatest_common_divisor(*step, frames.max(1)) == 1).unwrap_or(1);
    order.iter_mut().enumerate().for_each(|(i, n)| *n = (i as u32 * step + frames / 3) % frames.max(1));
    let next = std::sync::atomic::AtomicUsize::new(0);
    let empty = || (0..frames).map(|_| None).collect::<Vec<_>>();
    let found = std::sync::Mutex::new(empty());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(frame) = order.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let picture =
                        instance.render(f64::from(*frame), form, None).map(|picture| picture.to_rgba8());
                    found.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[*frame as usize] =
                        Some(picture);
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    found
        .into_iter()
        .map(|picture| picture.unwrap_or_else(|| Err(Error::plain("a frame was left out"))))
        .collect()
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

pub fn shuffled(plugin: &Plugin, shot: &Shot) -> Result<String> {
    let described = filter(plugin)?;
    let instance = Instance::create(plugin, &described, shot.source(), None)?;
    instance.put_text("session", &shot.session_text())?;
    let form = Form::default();
    let count = shot.frames.count();
    let in_order: Vec<Vec<u8>> = numbers(&*shot.frames)
        .map(|n| Ok(instance.render(f64::from(n), &form, None)?.to_rgba8()))
        .collect::<Result<_>>()?;
    let shuffled = on_threads(&instance, &form, count)?;
    for (n, (a, b)) in in_order.iter().zip(&shuffled).enumerate() {
        same(&format!("frame {n}"), largest_difference(a, b), 0)?;
    }
    drop(instance);
    described.forget();
    Ok(format!("{count} frames"))
}

pub fn passing(plugin: &Plugin, shot: &Shot) -> Result<String> {
    let described = filter(plugin)?;
    let instance = Instance::create(plugin, &described, shot.source(), None)?;
    let form = Form::default();
    let plain = instance.render(0.0, &form, None)?.to_rgba8();
    same("without a session", largest_difference(&plain, shot.frames.pixels(0)), 0)?;
    // An output with alpha is not the opaque source, though its pixels are.
    let rgb = Form { components: Components::Rgb, ..Form::default() };
    same("identity without a session", instance.is_identity(0.0, &rgb), true)?;
    instance.put_text("view", "Status")?;
    let told = instance.render(0.0, &form, None)?.to_rgba8();
    let differs = |at: usize| told[at..at + 3] != plain[at..at + 3];
    let last = plain.len() - 4;
    same("the badge at the top left, and only there", (differs(0), differs(last)), (true, false))?;
    same("identity in the status view", instance.is_identity(0.0, &rgb), false)?;
    instance.put_text("session", "/nowhere/shot.rotosession")?;
    let missing = instance.render(0.0, &form, None)?.to_rgba8();
    same("another badge for a session that is gone", missing[..3] != told[..3], true)?;
    instance.put_text("session", &shot.session_text())?;
    instance.put_text("view", "Cutout")?;
    instance.put_text("frameOffset", "100000")?;
    let beyond = instance.render(0.0, &form, None)?.to_rgba8();
    same("a frame that was not tracked", largest_difference(&beyond, &plain), 0)?;
    instance.put_text("frameOffset", "0")?;
    same("identity where there is a mask", instance.is_identity(0.0, &rgb), false)?;
    drop(instance);
    described.forget();
    Ok(String::new())
}

/// The mattes that an instance renders, 8-bit grey by frame.
pub fn mattes(instance: &Instance<'_>, frames: u32) -> Result<Vec<Vec<u8>>> {
    instance.put_text("view", "Matte")?;
    let rendered = on_threads(instance, &Form::default(), frames)?;
    Ok(rendered.into_iter().map(|rgba| rgba.chunks_exact(4).map(|pixel| pixel[0]).collect()).collect())
}

/// Says how far mattes are off the command's, or which is too far.
pub fn near_the_commands(found: &[Vec<u8>], shot: &Shot) -> Result<String> {
    same("frames", found.len(), shot.mattes.len())?;
    let off: Vec<u8> = found.iter().zip(&shot.mattes).map(|(a, b)| largest_difference(a, b)).collect();
    let worst = off.iter().copied().max().unwrap_or(0);
    if worst > 1 {
        return Err(Error::plain(format!(
            "mattes are off the command's by up to {off:?} code values, expected at most 1"
        )));
    }
    let covered = shot.mattes.iter().flatten().filter(|v| **v > 127).count();
    same("the reference has a subject", covered > 0, true)?;
    Ok(format!("{} frames, at most {worst} code values off", found.len()))
}
