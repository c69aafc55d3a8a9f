//! The overlay, and the whole job of an artist.

use std::path::Path;
use std::sync::Arc;

use openfx_abi::keys::{kOfxKey_Control_L, kOfxKey_Shift_L};

use super::{filter, general, path_in, pixels, same};
use crate::clip::{Form, Frames, Stored};
use crate::conform::Shot;
use crate::instance::Instance;
use crate::overlay::Overlay;
use crate::plugin::Plugin;
use crate::world::{Drawn, Value};
use crate::{Error, Result};

/// Where the middle of a pixel is on the canvas.
fn canvas(shot: &Shot, form: &Form, [x, y]: [f32; 2]) -> [f64; 2] {
    let [left, bottom] = form.offset.map(f64::from);
    let height = f64::from(shot.size()[1]);
    [
        left / form.scale * form.aspect + (f64::from(x) + 0.5) * form.aspect,
        bottom / form.scale + height - f64::from(y) - 0.5,
    ]
}

pub fn clicks(plugin: &Plugin, shot: &Shot) -> Result<String> {
    let described = filter(plugin)?;
    let mut count = 0;
    for aspect in [1.0, 1.067] {
        for scale in [1.0, 0.5] {
            for zoom in [0.25, 1.0, 3.0] {
                for offset in [[0, 0], [-8, 6]] {
                    let form = Form { aspect, scale, offset, ..Form::default() };
                    let instance = Instance::create(plugin, &described, shot.source(), None)?;
                    let mut overlay = Overlay::open(plugin, &described, &instance, &form)?;
                    same("drawn by the DrawSuite", overlay.is_v2(), true)?;
                    overlay.pixel = [zoom * aspect, zoom];
                    overlay.time = 3.0;
                    let at = canvas(shot, &form, shot.point);
                    same("the click is taken", overlay.click(at), true)?;
                    same("the point", instance.value("point1")?, Value::Doubles(at.to_vec()))?;
                    same("its frame", instance.value("point1Frame")?, Value::Ints(vec![3]))?;
                    same("its switch", instance.value("point1On")?, Value::Ints(vec![1]))?;
                    let drawn = overlay.draw()?;
                    same(
                        "a mark is drawn around it",
                        drawn.iter().any(|shape| is_around(shape, at, overlay.pixel)),
                        true,
                    )?;
                    // A click on the point itself is the host's handle's.
                    same("a click on a point is left to the host", overlay.click(at), false)?;
                    overlay.time = 5.0;
                    let other = overlay.draw()?;
                    let told = |drawn: &[Drawn]| {
                        drawn.iter().any(|d| matches!(d, Drawn::Text { text, .. } if text == "frame 3"))
                    };
                    same("on other frames the mark tells its frame", told(&other), true)?;
                    drop(overlay);
                    count += 1;
                }
            }
        }
    }
    described.forget();
    Ok(format!("{count} zooms, aspects, scales and places"))
}

/// Whether a shape is a ring around a place, a few pixels of the screen wide.
fn is_around(shape: &Drawn, at: [f64; 2], pixel: [f64; 2]) -> bool {
    let Drawn::Shape { points, .. } = shape else { return false };
    let off = |p: &[f64; 2]| ((p[0] - at[0]) / pixel[0]).hypot((p[1] - at[1]) / pixel[1]);
    points.len() > 8 && points.iter().all(|p| (1.0..12.0).contains(&off(p)))
}

pub fn gestures(plugin: &Plugin, shot: &Shot) -> Result<String> {
    let described = filter(plugin)?;
    let instance = Instance::create(plugin, &described, shot.source(), None)?;
    let form = Form::default();
    let overlay = Overlay::open(plugin, &described, &instance, &form)?;
    let int = |name: &str| -> Result<i32> {
        match instance.value(name)? {
            Value::Ints(values) => Ok(values[0]),
            other => Err(Error::plain(format!("{name} is {other:?}"))),
        }
    };
    overlay.click([100.0, 100.0]);
    overlay.key(kOfxKey_Shift_L, true);
    overlay.click([150.0, 100.0]);
    overlay.key(kOfxKey_Shift_L, false);
    overlay.click([200.0, 100.0]);
    instance.put_text("clicks", "Not on the object")?;
    overlay.click([250.0, 100.0]);
    overlay.key(kOfxKey_Control_L, true);
    overlay.click([300.0, 100.0]);
    overlay.key(kOfxKey_Control_L, false);
    let kinds = (1..=5).map(|n| int(&format!("point{n}Kind"))).collect::<Result<Vec<_>>>()?;
    same("what clicks say: on it, not, on it, not, on it", kinds, vec![0, 1, 0, 1, 0])?;
    same("a drag is taken", overlay.drag([50.0, 60.0], [90.0, 120.0]), true)?;
    same("it makes a box", int("boxOn")?, 1)?;
    same("its corner", instance.value("boxTo")?, Value::Doubles(vec![90.0, 120.0]))?;
    for n in 0..5 {
        overlay.click([350.0 + 30.0 * f64::from(n), 200.0]);
    }
    let more = instance.text("prompts")?;
    let more = plugin_common::prompts::Prompts::parse(&more)?;
    same("points beyond those that are shown are kept", more.objects[&1].frames[&0].clicks.len(), 2)?;
    instance.changed("clearHere", 0.0)?;
    same("cleared", (int("point1On")?, int("boxOn")?), (0, 0))?;
    instance.changed("addObject", 0.0)?;
    same("a new object", int("object")?, 2)?;
    drop(overlay);
    drop(instance);
    described.forget();
    Ok(String::new())
}

pub fn second(plugin: &Plugin, shot: &Shot, folder: &Path) -> Result<String> {
    let described = general(plugin)?;
    // The reference's first matte, as a second clip that stands still.
    let picture: Vec<u8> = shot.mattes[0].iter().flat_map(|v| [*v, *v, *v, 255]).collect();
    let still: Arc<dyn Frames> =
        Arc::new(Stored { size: shot.size(), frames: vec![picture; shot.frames.count() as usize] });
    let instance = Instance::create(plugin, &described, shot.source(), Some(still))?;
    let inside = |matte: &[u8]| matte.iter().filter(|v| **v > 127).count();
    let whole = inside(&shot.mattes[0]);
    instance.put_text("session", &path_in(folder, "second.rotosession"))?;
    instance.put_text("second", "Mask of the object")?;
    instance.changed("segment", 0.0)?;
    instance.put_text("view", "Matte")?;
    let red = |time: f64| -> Result<Vec<u8>> {
        let rgba = instance.render(time, &Form::default(), None)?.to_rgba8();
        Ok(rgba.chunks_exact(4).map(|pixel| pixel[0]).collect())
    };
    let met = red(0.0)?.iter().zip(&shot.mattes[0]).filter(|(a, b)| **a > 127 && **b > 127).count();
    same("a mask that was given comes back", met * 10 > whole * 9, true)?;
    instance.put_text("session", &shot.session_text())?;
    instance.put_text("second", "Garbage matte")?;
    same("a garbage matte of the subject leaves nothing", inside(&red(0.0)?), 0)?;
    instance.put_text("second", "Background")?;
    instance.put_text("view", "Composite")?;
    instance.put_text("background", "Picture")?;
    let over = instance.render(0.0, &Form::default(), None)?.to_rgba8();
    same("the background shows in the corner", over[..3].to_vec(), vec![shot.mattes[0][0]; 3])?;
    drop(instance);
    described.forget();
    Ok(String::new())
}

pub fn whole_job(plugin: &Plugin, shot: &Shot, folder: &Path) -> Result<String> {
    let described = filter(plugin)?;
    let form = Form::default();
    let instance = Instance::create(plugin, &described, shot.source(), None)?;
    instance.put_text("session", &path_in(folder, "job.rotosession"))?;
    let overlay = Overlay::open(plugin, &described, &instance, &form)?;
    overlay.click(canvas(shot, &form, shot.point));
    drop(overlay);
    instance.changed("trackBoth", 0.0)?;
    let saved = instance.save().to_string();
    drop(instance);
    plugin_common::cache::forget(&folder.join("job.rotosession"));
    let again = Instance::create(plugin, &described, shot.source(), None)?;
    again.restore(&serde_json::from_str(&saved).unwrap_or_default())?;
    let found = pixels::near_the_commands(&pixels::mattes(&again, shot.frames.count())?, shot)?;
    drop(again);
    described.forget();
    Ok(found)
}
