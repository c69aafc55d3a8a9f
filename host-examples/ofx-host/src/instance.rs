//! An instance: created, set, pressed, rendered, saved.

use std::ffi::{CStr, CString, c_int};
use std::sync::Arc;

use openfx_abi::*;

use crate::clip::{Components, Depth, Form, Frames};
use crate::image::{self, Layout};
use crate::plugin::{Descriptor, Plugin, forget, start_value};
use crate::world::{Clip, Doing, Effect, Id, Param, Value, world};
use crate::{Error, Result};

/// An instance of a plugin's effect.
pub struct Instance<'a> {
    plugin: &'a Plugin,
    /// Its handle.
    pub id: Id,
    source: Arc<dyn Frames>,
}

/// What a render gave.
#[derive(Clone, Debug)]
pub struct Picture {
    /// In which form.
    pub form: Form,
    /// Columns and rows.
    pub size: [u32; 2],
    /// All memory of the image, its guard and padding too.
    pub memory: Vec<u8>,
    /// Where rows are in it.
    pub layout: Layout,
}

impl Picture {
    /// A row's bytes, counted from the top.
    pub fn row(&self, y: u32) -> &[u8] {
        let at = self.layout.row(y);
        &self.memory[at..at + self.layout.row_bytes()]
    }

    /// 8-bit RGBA, straight, packed: what a video file takes.
    pub fn to_rgba8(&self) -> Vec<u8> {
        let (step, count) = (self.form.depth.bytes(), self.form.components.count());
        let mut all = Vec::with_capacity(self.size[0] as usize * self.size[1] as usize * 4);
        for y in 0..self.size[1] {
            for pixel in self.row(y).chunks_exact(self.form.pixel_bytes()) {
                let channel = |at: usize| self.form.depth.get(&pixel[at * step..][..step]);
                let mut rgba = match count {
                    1 => [channel(0), channel(0), channel(0), 1.0],
                    3 => [channel(0), channel(1), channel(2), 1.0],
                    _ => [channel(0), channel(1), channel(2), channel(3)],
                };
                if self.form.premultiplied && count == 4 && rgba[3] > 0.0 {
                    let alpha = rgba[3];
                    rgba[..3].iter_mut().for_each(|v| *v /= alpha);
                }
                all.extend(rgba.map(|v| (v * 255.0 + 0.5).clamp(0.0, 255.0) as u8));
            }
        }
        all
    }
}

impl<'a> Instance<'a> {
    /// Creates an instance with a source and perhaps a second clip.
    ///
    /// # Errors
    /// If the plugin refuses.
    pub fn create(
        plugin: &'a Plugin,
        descriptor: &Descriptor,
        source: Arc<dyn Frames>,
        second: Option<Arc<dyn Frames>>,
    ) -> Result<Self> {
        let id = make(descriptor, &source, second)?;
        let instance = Self { plugin, id, source };
        let status = instance.act(kOfxActionCreateInstance, None, None, Doing::default());
        plugin.expect(kOfxActionCreateInstance, status, &[kOfxStatOK, kOfxStatReplyDefault])?;
        Ok(instance)
    }

    /// Calls an action of the instance.
    pub fn act(&self, action: &CStr, given: Option<Id>, answer: Option<Id>, what: Doing) -> c_int {
        self.plugin.act(action, self.id, given, answer, what)
    }

    /// The source's frames.
    pub fn source(&self) -> &Arc<dyn Frames> {
        &self.source
    }

    /// A parameter's number.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn param(&self, name: &str) -> Result<Id> {
        let world = world();
        let params = world.effects.get(&self.id).map(|effect| effect.params.clone()).unwrap_or_default();
        let found = params.iter().find(|id| world.params[id].name == name).copied();
        found.ok_or_else(|| Error::plain(format!("there is no parameter {name:?}")))
    }

    /// A parameter's value.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn value(&self, name: &str) -> Result<Value> {
        let id = self.param(name)?;
        Ok(world().params[&id].value.clone())
    }

    /// A text parameter's text; empty if it is another.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn text(&self, name: &str) -> Result<String> {
        Ok(match self.value(name)? {
            Value::Text(text) => text.to_string_lossy().into_owned(),
            _ => String::new(),
        })
    }

    /// Sets a parameter as a host does that reads a project.
    ///
    /// # Errors
    /// If there is none of this name, or it takes another kind of value.
    pub fn put(&self, name: &str, value: Value) -> Result<()> {
        let id = self.param(name)?;
        let mut world = world();
        let hidden = world.quirks.hides_secrets
            && world.params.get(&id).is_some_and(|p| world.int_of(p.props, kOfxParamPropSecret) == Some(1));
        let Some(param) = world.params.get_mut(&id).filter(|_| !hidden) else { return Ok(()) };
        if std::mem::discriminant(&param.value) != std::mem::discriminant(&value) {
            return Err(Error::plain(format!(
                "{name}: found {value:?}, expected a value such as {:?}",
                param.value
            )));
        }
        param.value = value;
        Ok(())
    }

    /// Sets a parameter from a text: numbers with commas between, a choice's label or number, or the text itself.
    ///
    /// # Errors
    /// If there is none of this name, or the text says nothing that it takes.
    pub fn put_text(&self, name: &str, text: &str) -> Result<()> {
        let id = self.param(name)?;
        let (param, choices) = {
            let world = world();
            let param = world.params[&id].clone();
            let choices = world.texts_of(param.props, kOfxParamPropChoiceOption);
            (param, choices)
        };
        let wrong =
            || Error::plain(format!("{name}: found {text:?}, expected a value such as {:?}", param.value));
        let value = match &param.value {
            Value::None => return Err(wrong()),
            Value::Text(_) => Value::Text(CString::new(text).map_err(|_| wrong())?),
            Value::Doubles(known) => {
                let values: Option<Vec<f64>> = text.split(',').map(|v| v.trim().parse().ok()).collect();
                Value::Doubles(values.filter(|values| values.len() == known.len()).ok_or_else(wrong)?)
            }
            Value::Ints(_) => {
                let same = |label: &String| label.eq_ignore_ascii_case(text);
                let number = choices.iter().position(same).map(|at| at as c_int);
                let number = number.or_else(|| match text {
                    "on" | "true" => Some(1),
                    "off" | "false" => Some(0),
                    _ => text.parse().ok(),
                });
                Value::Ints(vec![number.ok_or_else(wrong)?])
            }
        };
        self.put(name, value)
    }

    /// Tells the plugin that the artist has changed a parameter, or pressed a button, at a time.
    ///
    /// # Errors
    /// If the plugin fails, with its message.
    pub fn changed(&self, name: &str, time: f64) -> Result<()> {
        self.changed_in(name, time, &Form::default())
    }

    /// The same, with images in a form.
    ///
    /// # Errors
    /// As [`Instance::changed`].
    pub fn changed_in(&self, name: &str, time: f64, form: &Form) -> Result<()> {
        self.param(name)?;
        if !world().quirks.calls_instance_changed {
            return Ok(());
        }
        self.set_clips(form);
        let given = {
            let mut world = world();
            let given = world.new_set();
            world.name(given, kOfxPropType, kOfxTypeParameter);
            world.texts(given, kOfxPropName, &[name]);
            world.name(given, kOfxPropChangeReason, kOfxChangeUserEdited);
            world.doubles(given, kOfxPropTime, &[time]);
            world.doubles(given, kOfxImageEffectPropRenderScale, &[form.scale, form.scale]);
            given
        };
        let what = Doing { form: form.clone(), time, ..Doing::default() };
        let status = self.act(kOfxActionInstanceChanged, Some(given), None, what);
        world().sets.remove(&given);
        self.plugin.expect(kOfxActionInstanceChanged, status, &[kOfxStatOK, kOfxStatReplyDefault])
    }

    /// Brings what clips say of themselves to a form.
    pub fn set_clips(&self, form: &Form) {
        let mut world = world();
        let clips = world.effects.get(&self.id).map(|effect| effect.clips.clone()).unwrap_or_default();
        for clip in clips {
            let props = world.clips[&clip].props;
            let is_output = world.clips[&clip].name == "Output";
            world.name(props, kOfxImageEffectPropPixelDepth, image::depth_name(form.depth));
            world.name(props, kOfxImageEffectPropComponents, image::components_name(form.components));
            let alpha = image::alpha_name(form, form.has_soft_alpha || is_output);
            world.name(props, kOfxImageEffectPropPreMultiplication, alpha);
            world.doubles(props, kOfxImagePropPixelAspectRatio, &[form.aspect]);
        }
    }

    /// Renders a window of a frame, or all of it.
    ///
    /// # Errors
    /// If the plugin fails, with its message.
    pub fn render(&self, time: f64, form: &Form, window: Option<OfxRectI>) -> Result<Picture> {
        self.render_timed(time, form, window).map(|(picture, _)| picture)
    }

    /// Renders a frame, and says how long the plugin took, without what the host spent on images.
    ///
    /// # Errors
    /// If the plugin fails, with its message.
    pub fn timed(&self, time: f64, form: &Form) -> Result<std::time::Duration> {
        self.render_timed(time, form, None).map(|(_, took)| took)
    }

    fn render_timed(
        &self,
        time: f64,
        form: &Form,
        window: Option<OfxRectI>,
    ) -> Result<(Picture, std::time::Duration)> {
        self.set_clips(form);
        let size = self.source.size();
        let whole = image::bounds(size, form);
        let window = window.unwrap_or(whole);
        let output = image::blank(size, form);
        let given = {
            let mut world = world();
            let given = world.new_set();
            world.doubles(given, kOfxPropTime, &[time]);
            world.doubles(given, kOfxImageEffectPropRenderScale, &[form.scale, form.scale]);
            world.ints(given, kOfxImageEffectPropRenderWindow, &[window.x1, window.y1, window.x2, window.y2]);
            world.name(given, kOfxImageEffectPropFieldToRender, kOfxImageFieldNone);
            world.ints(given, kOfxImageEffectPropSequentialRenderStatus, &[0]);
            world.ints(given, kOfxImageEffectPropInteractiveRenderStatus, &[0]);
            given
        };
        let what = Doing { form: form.clone(), output: Some(output), time, ..Doing::default() };
        world().in_host = std::time::Duration::ZERO;
        let start = std::time::Instant::now();
        let status = self.act(kOfxImageEffectActionRender, Some(given), None, what);
        let took = start.elapsed().saturating_sub(world().in_host);
        let memory = image::bytes_of(output);
        image::drop_image(output);
        world().sets.remove(&given);
        self.plugin.expect(kOfxImageEffectActionRender, status, &[kOfxStatOK])?;
        let scaled = form.scaled(size);
        let picture = Picture { form: form.clone(), size: scaled, memory, layout: Layout::of(scaled, form) };
        Ok((picture, took))
    }

    /// Whether the plugin says that the source is what a frame comes to.
    pub fn is_identity(&self, time: f64, form: &Form) -> bool {
        self.set_clips(form);
        let (given, answer) = {
            let mut world = world();
            let (given, answer) = (world.new_set(), world.new_set());
            world.doubles(given, kOfxPropTime, &[time]);
            (given, answer)
        };
        let what = Doing { form: form.clone(), time, ..Doing::default() };
        let status = self.act(kOfxImageEffectActionIsIdentity, Some(given), Some(answer), what);
        let mut world = world();
        let named = world.text_of(answer, kOfxPropName);
        world.sets.remove(&given);
        world.sets.remove(&answer);
        status == kOfxStatOK && named.as_deref() == Some("Source")
    }

    /// What the plugin wants the output's alpha to be.
    pub fn wants_premultiplied(&self) -> Option<bool> {
        let answer = world().new_set();
        let status = self.act(kOfxImageEffectActionGetClipPreferences, None, Some(answer), Doing::default());
        let mut world = world();
        let said = world.text_of(answer, kOfxImageEffectPropPreMultiplication);
        world.sets.remove(&answer);
        (status == kOfxStatOK)
            .then(|| said.is_some_and(|said| said.as_bytes() == kOfxImagePreMultiplied.to_bytes()))
    }

    /// Everything that a project keeps: all parameters that last, as JSON.
    pub fn save(&self) -> serde_json::Value {
        self.act(kOfxActionSyncPrivateData, None, None, Doing::default());
        let world = world();
        let mut all = serde_json::Map::new();
        let params = world.effects.get(&self.id).map(|effect| effect.params.clone()).unwrap_or_default();
        for param in params.iter().map(|id| &world.params[id]) {
            if world.int_of(param.props, kOfxParamPropPersistant) == Some(0) {
                continue;
            }
            let value = match &param.value {
                Value::None => continue,
                Value::Ints(values) => serde_json::json!(values),
                Value::Doubles(values) => serde_json::json!(values),
                Value::Text(text) => serde_json::json!(text.to_string_lossy()),
            };
            all.insert(param.name.clone(), value);
        }
        serde_json::Value::Object(all)
    }

    /// Brings back what was saved.
    ///
    /// # Errors
    /// If a value doesn't fit its parameter.
    pub fn restore(&self, saved: &serde_json::Value) -> Result<()> {
        for (name, value) in saved.as_object().into_iter().flatten() {
            let list = value.as_array();
            let value = match (self.value(name)?, list, value.as_str()) {
                (Value::Ints(_), Some(list), _) => {
                    Value::Ints(list.iter().filter_map(|v| v.as_i64()).map(|v| v as c_int).collect())
                }
                (Value::Doubles(_), Some(list), _) => {
                    Value::Doubles(list.iter().filter_map(|v| v.as_f64()).collect())
                }
                (Value::Text(_), _, Some(text)) => Value::Text(CString::new(text).unwrap_or_default()),
                (known, ..) => {
                    return Err(Error::plain(format!(
                        "{name}: saved as {value}, expected such as {known:?}"
                    )));
                }
            };
            self.put(name, value)?;
        }
        Ok(())
    }
}

impl Drop for Instance<'_> {
    fn drop(&mut self) {
        self.act(kOfxActionDestroyInstance, None, None, Doing::default());
        forget(self.id);
    }
}

/// An instance's handle with parameters and clips as they were described.
fn make(descriptor: &Descriptor, source: &Arc<dyn Frames>, second: Option<Arc<dyn Frames>>) -> Result<Id> {
    let mut world = world();
    let Some(described) = world.effects.get(&descriptor.id).cloned() else {
        return Err(Error::plain("the effect was not described"));
    };
    let (props, id) = (world.new_set(), world.id());
    let [w, h] = source.size().map(f64::from);
    world.name(props, kOfxPropType, kOfxTypeImageEffectInstance);
    world.name(props, kOfxImageEffectPropContext, &descriptor.context);
    world.pointer(props, kOfxPropInstanceData, 0);
    world.doubles(props, kOfxImageEffectPropProjectSize, &[w, h]);
    world.doubles(props, kOfxImageEffectPropProjectOffset, &[0.0, 0.0]);
    world.doubles(props, kOfxImageEffectPropProjectExtent, &[w, h]);
    world.doubles(props, kOfxImageEffectPropProjectPixelAspectRatio, &[1.0]);
    world.doubles(props, kOfxImageEffectInstancePropEffectDuration, &[f64::from(source.count())]);
    world.doubles(props, kOfxImageEffectPropFrameRate, &[25.0]);
    world.ints(props, kOfxPropIsInteractive, &[0]);
    let mut effect = Effect { props, ..Effect::default() };
    for param in described.params {
        let Some(known) = world.params.get(&param).cloned() else { continue };
        let set = world.sets.get(&known.props).cloned().unwrap_or_default();
        let value = start_value(&known.kind, set.get(kOfxParamPropDefault));
        let (props, id) = (world.new_set(), world.id());
        world.sets.insert(props, set);
        world.params.insert(id, Param { props, value, ..known });
        effect.params.push(id);
    }
    let last = f64::from(source.count()) - 1.0;
    for clip in described.clips {
        let Some(known) = world.clips.get(&clip).cloned() else { continue };
        let set = world.sets.get(&known.props).cloned().unwrap_or_default();
        let (props, id) = (world.new_set(), world.id());
        world.sets.insert(props, set);
        let frames = match known.name.as_str() {
            "Source" | "Output" => Some(source.clone()),
            _ => second.clone(),
        };
        world.ints(props, kOfxImageClipPropConnected, &[c_int::from(frames.is_some())]);
        world.doubles(props, kOfxImageEffectPropFrameRange, &[0.0, last]);
        world.doubles(props, kOfxImageEffectPropUnmappedFrameRange, &[0.0, last]);
        world.doubles(props, kOfxImageEffectPropFrameRate, &[25.0]);
        world.name(props, kOfxImageClipPropFieldOrder, kOfxImageFieldNone);
        world.name(props, kOfxImageClipPropUnmappedPixelDepth, kOfxBitDepthByte);
        world.name(props, kOfxImageClipPropUnmappedComponents, kOfxImageComponentRGBA);
        world.ints(props, kOfxImageClipPropContinuousSamples, &[0]);
        world.clips.insert(id, Clip { props, frames, ..known });
        effect.clips.push(id);
    }
    world.effects.insert(id, effect);
    drop(world);
    Ok(id)
}

/// The form that a host of these quirks uses for a video.
pub fn usual_form() -> Form {
    let quirks = world().quirks.clone();
    let depth = if quirks.float_only { Depth::Float } else { Depth::Byte };
    Form { depth, components: Components::Rgba, downwards: quirks.rows_downwards, ..Form::default() }
}
