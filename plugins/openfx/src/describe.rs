//! What the host is told of the effect: contexts, clips, and the parameters in their groups.

use std::ffi::{CStr, CString};

use openfx_abi::*;
use plugin_common::table;
use rotomask::matte::params::{Kind, Param, Value};

use crate::Answer;
use crate::controls::*;
use crate::effect::Effect;
use crate::overlay;
use crate::params::Params;
use crate::props::Props;

/// The default object's place in a frame whose size is not known: canonical coordinates are pixels.
const POINT_START: [f64; 2] = [100.0, 100.0];

pub fn describe(effect: &Effect) -> Answer {
    let props = effect.props();
    for label in [kOfxPropLabel, kOfxPropShortLabel, kOfxPropLongLabel] {
        props.set_text(label, "Rotomask");
    }
    props.set_text(kOfxImageEffectPluginPropGrouping, "Keying");
    props.set_text(
        kOfxPropPluginDescription,
        "Rotoscoping: point at a thing in one frame, track, and get a matte with an edge worth keeping.",
    );
    let contexts = [kOfxImageEffectContextFilter, kOfxImageEffectContextGeneral];
    each(&props, kOfxImageEffectPropSupportedContexts, &contexts);
    let depths = [kOfxBitDepthByte, kOfxBitDepthShort, kOfxBitDepthHalf, kOfxBitDepthFloat];
    each(&props, kOfxImageEffectPropSupportedPixelDepths, &depths);
    for (name, value) in [
        (kOfxImageEffectPluginPropSingleInstance, 0),
        (kOfxImageEffectPluginPropHostFrameThreading, 0),
        (kOfxImageEffectPropSupportsMultiResolution, 1),
        (kOfxImageEffectPropSupportsTiles, 0),
        (kOfxImageEffectPropTemporalClipAccess, 1),
        (kOfxImageEffectPluginPropFieldRenderTwiceAlways, 0),
        (kOfxImageEffectPropSupportsMultipleClipDepths, 0),
        (kOfxImageEffectPropSupportsMultipleClipPARs, 0),
    ] {
        props.set_int(name, 0, value);
    }
    props.set_name(kOfxImageEffectPluginRenderThreadSafety, 0, kOfxImageEffectRenderFullySafe);
    overlay::describe_to(&props);
    Ok(kOfxStatOK)
}

fn each(props: &Props, name: &CStr, values: &[&CStr]) {
    for (index, value) in (0..).zip(values) {
        props.set_name(name, index, value);
    }
}

pub fn describe_in_context(effect: &Effect, given: &Props) -> Answer {
    let context = given.text(kOfxImageEffectPropContext).unwrap_or_default();
    let general = context.as_bytes() == kOfxImageEffectContextGeneral.to_bytes();
    for (name, optional) in [(c"Source", false), (SECOND_CLIP, true), (c"Output", false)] {
        let Some(clip) = effect.define_clip(name) else { continue };
        let all = [kOfxImageComponentRGBA, kOfxImageComponentRGB, kOfxImageComponentAlpha];
        let count = if general || optional { 3 } else { 2 };
        each(&clip, kOfxImageEffectPropSupportedComponents, &all[..count]);
        clip.set_int(kOfxImageEffectPropTemporalClipAccess, 0, 1);
        clip.set_int(kOfxImageEffectPropSupportsTiles, 0, 0);
        clip.set_int(kOfxImageClipPropOptional, 0, i32::from(optional));
        if optional {
            clip.set_text(kOfxPropLabel, "Second (mask, matte or background)");
        }
    }
    let params = effect.params();
    let mut page = Page { params: &params, names: Vec::new() };
    tracking(&mut page);
    points(&mut page);
    for group in table::groups() {
        page.group(&group.id, &group.label, true);
        group.params.iter().for_each(|param| of_chain(&mut page, param, &group.id));
    }
    session(&mut page);
    page.finish();
    Ok(kOfxStatOK)
}

/// Collects what is defined, for hosts that show parameters by page.
struct Page<'a> {
    params: &'a Params,
    names: Vec<String>,
}

impl Page<'_> {
    fn group(&mut self, name: &str, label: &str, open: bool) {
        if let Some(group) = self.params.define(kOfxParamTypeGroup, name) {
            group.set_text(kOfxPropLabel, label);
            group.set_int(kOfxParamPropGroupOpen, 0, i32::from(open));
        }
    }

    /// A parameter that no host animates.
    fn still(&mut self, kind: &CStr, name: &str, group: &str, label: &str, hint: &str) -> Option<Props> {
        let props = self.animated(kind, name, group, label, hint)?;
        props.set_int(kOfxParamPropAnimates, 0, 0);
        Some(props)
    }

    fn animated(&mut self, kind: &CStr, name: &str, group: &str, label: &str, hint: &str) -> Option<Props> {
        let props = self.params.define(kind, name)?;
        props.set_text(kOfxPropLabel, label);
        props.set_text(kOfxParamPropScriptName, name);
        props.set_text(kOfxParamPropParent, group);
        if !hint.is_empty() {
            props.set_text(kOfxParamPropHint, hint);
        }
        self.names.push(name.to_owned());
        Some(props)
    }

    /// Whole numbers with a range and a display range: some hosts clamp to 0 to 1 without.
    fn whole(
        &mut self,
        name: &str,
        group: &str,
        label: &str,
        hint: &str,
        range: [i32; 2],
        default: i32,
    ) -> Option<Props> {
        let props = self.still(kOfxParamTypeInteger, name, group, label, hint)?;
        props.set_int(kOfxParamPropDefault, 0, default);
        for (ends, at) in [
            ([kOfxParamPropMin, kOfxParamPropMax], range),
            ([kOfxParamPropDisplayMin, kOfxParamPropDisplayMax], range.map(|v| v.clamp(-10_000, 10_000))),
        ] {
            ends.iter().zip(at).for_each(|(end, at)| {
                props.set_int(end, 0, at);
            });
        }
        Some(props)
    }

    fn switch(&mut self, name: &str, group: &str, label: &str, hint: &str) {
        if let Some(props) = self.still(kOfxParamTypeBoolean, name, group, label, hint) {
            props.set_int(kOfxParamPropDefault, 0, 0);
        }
    }

    fn choice(&mut self, name: &str, group: &str, label: &str, hint: &str, choices: &[&CStr]) {
        if let Some(props) = self.still(kOfxParamTypeChoice, name, group, label, hint) {
            each(&props, kOfxParamPropChoiceOption, choices);
            props.set_int(kOfxParamPropDefault, 0, 0);
        }
    }

    fn text(&mut self, name: &str, group: &str, label: &str, hint: &str, mode: &CStr) -> Option<Props> {
        let props = self.still(kOfxParamTypeString, name, group, label, hint)?;
        props.set_name(kOfxParamPropStringMode, 0, mode);
        props.set_text(kOfxParamPropDefault, "");
        Some(props)
    }

    /// Text that the effect writes for the artist: no change of it changes a picture.
    fn told(&mut self, name: &str, group: &str, label: &str, mode: &CStr) {
        if let Some(props) = self.text(name, group, label, "", mode) {
            props.set_int(kOfxParamPropEvaluateOnChange, 0, 0);
            props.set_int(kOfxParamPropEnabled, 0, 0);
            props.set_int(kOfxParamPropPersistant, 0, 0);
        }
    }

    fn place(&mut self, name: &str, group: &str, label: &str, hint: &str) {
        let Some(props) = self.still(kOfxParamTypeDouble2D, name, group, label, hint) else { return };
        props.set_name(kOfxParamPropDoubleType, 0, kOfxParamDoubleTypeXYAbsolute);
        props.set_name(kOfxParamPropDefaultCoordinateSystem, 0, kOfxParamCoordinatesCanonical);
        props.set_int(kOfxParamPropUseHostOverlayHandle, 0, 1);
        for (axis, start) in (0..).zip(POINT_START) {
            props.set_double(kOfxParamPropDefault, axis, start);
            for (end, at) in [
                (kOfxParamPropMin, -1e6),
                (kOfxParamPropMax, 1e6),
                (kOfxParamPropDisplayMin, 0.0),
                (kOfxParamPropDisplayMax, 4096.0),
            ] {
                props.set_double(end, axis, at);
            }
        }
    }

    fn finish(self) {
        if let Some(page) = self.params.define(kOfxParamTypePage, "Controls") {
            page.set_text(kOfxPropLabel, "Controls");
            for (index, name) in (0..).zip(&self.names) {
                if let Ok(name) = CString::new(name.as_str()) {
                    page.set_name(kOfxParamPropPageChild, index, &name);
                }
            }
        }
    }
}

fn tracking(page: &mut Page<'_>) {
    const GROUP: &str = "group_tracking";
    page.group(GROUP, "Tracking", true);
    page.told(STATUS, GROUP, "Status", kOfxParamStringIsSingleLine);
    page.whole(
        OBJECT,
        GROUP,
        "Object",
        "The object that new points, boxes and names are about.",
        [1, 256],
        1,
    );
    if let Some(name) = page.text(OBJECT_NAME, GROUP, "Object's name", "", kOfxParamStringIsSingleLine) {
        name.set_int(kOfxParamPropEvaluateOnChange, 0, 0);
    }
    page.choice(
        CLICKS,
        GROUP,
        "A click is",
        "What a click in the viewer says. With Shift, Ctrl or Alt it says the opposite; dragging makes a box.",
        &CLICK_KINDS,
    );
    for (name, label, hint) in BUTTONS {
        let (label, hint) = (label.to_string_lossy(), hint.to_string_lossy());
        page.still(kOfxParamTypePushButton, name, GROUP, &label, &hint);
    }
    page.told(OBJECTS, GROUP, "Objects", kOfxParamStringIsMultiLine);
}

fn points(page: &mut Page<'_>) {
    const GROUP: &str = "group_points";
    const ANY_FRAME: [i32; 2] = [-1_000_000, 100_000_000];
    page.group(GROUP, "Points and box", false);
    for at in 0..POINTS {
        let (names, n) = (point(at), at + 1);
        page.place(
            &names.place,
            GROUP,
            &format!("Point {n}"),
            "A place on the object, or on what it is not.",
        );
        page.switch(&names.on, GROUP, &format!("Use point {n}"), "Whether the point says anything.");
        page.choice(&names.kind, GROUP, &format!("Point {n} is"), "", &POINT_KINDS);
        page.whole(
            &names.frame,
            GROUP,
            &format!("Point {n} on frame"),
            "The frame that it is about.",
            ANY_FRAME,
            0,
        );
        page.whole(&names.object, GROUP, &format!("Point {n} of object"), "", [1, 256], 1);
    }
    page.switch(BOX_ON, GROUP, "Use the box", "Whether the box says anything.");
    page.place(BOX_FROM, GROUP, "Box from", "A corner of the box around the object.");
    page.place(BOX_TO, GROUP, "Box to", "The opposite corner.");
    page.whole(BOX_FRAME, GROUP, "Box on frame", "The frame that it is about.", ANY_FRAME, 0);
    page.whole(BOX_OBJECT, GROUP, "Box of object", "", [1, 256], 1);
}

fn session(page: &mut Page<'_>) {
    const GROUP: &str = "group_session";
    page.group(GROUP, "Session", false);
    if let Some(path) = page.text(
        SESSION,
        GROUP,
        "Session",
        "The file with prompts and masks. Empty: one in your own folder for data is made when something is tracked.",
        kOfxParamStringIsFilePath,
    ) {
        path.set_int(kOfxParamPropStringFilePathExists, 0, 0);
    }
    if let Some(path) = page.text(
        NEAR,
        GROUP,
        "Project or media folder",
        "Where the session is looked for as well, should it have been moved.",
        kOfxParamStringIsDirectoryPath,
    ) {
        path.set_int(kOfxParamPropStringFilePathExists, 0, 0);
    }
    page.whole(
        FRAME_OFFSET,
        GROUP,
        "Frame offset",
        "Added to the host's frame number to get the session's, which counts from 0. A host that counts from 1 needs -1 for a \
         session that the command made.",
        [-1_000_000, 1_000_000],
        0,
    );
    let uses = Second::ALL.map(|(_, label)| label);
    page.choice(SECOND, GROUP, "Second input is", "What the optional second input is for.", &uses);
    for (name, label, hint) in [
        (MODEL, "Model", "A NAME.rotomodel folder; empty for the one that is built in."),
        (
            PROVIDERS,
            "Providers",
            "Who computes when tracking, asked in this order, such as cuda,cpu; empty for cpu.",
        ),
    ] {
        if let Some(text) = page.text(name, GROUP, label, hint, kOfxParamStringIsSingleLine) {
            text.set_int(kOfxParamPropEvaluateOnChange, 0, 0);
        }
    }
    let hint = "Points and boxes beyond those that are shown, packed. Also takes p640x360@48_n100x80@48_b10x20x300x400@0.";
    if let Some(text) = page.text(PROMPTS, GROUP, "More prompts", hint, kOfxParamStringIsSingleLine) {
        text.set_int(kOfxParamPropEvaluateOnChange, 0, 0);
    }
    if let Some(revision) =
        page.whole(REVISION, GROUP, "Revision", "Counts what was tracked.", [0, i32::MAX], 0)
    {
        revision.set_int(kOfxParamPropEnabled, 0, 0);
    }
}

/// A parameter of the matte chain, whatever it is.
fn of_chain(page: &mut Page<'_>, param: &'static Param, group: &str) {
    let (id, label, hint) = (param.id, param.label, table::hint(param));
    match &param.kind {
        Kind::Number { range, default, unit } => {
            let label = if unit.is_empty() { label.to_owned() } else { format!("{label} ({unit})") };
            let Some(props) = page.animated(kOfxParamTypeDouble, id, group, &label, &hint) else { return };
            props.set_name(kOfxParamPropDoubleType, 0, kOfxParamDoubleTypePlain);
            props.set_double(kOfxParamPropDefault, 0, f64::from(*default));
            for (end, at) in [
                (kOfxParamPropMin, *range.start()),
                (kOfxParamPropMax, *range.end()),
                (kOfxParamPropDisplayMin, range.start().max(-1000.0)),
                (kOfxParamPropDisplayMax, range.end().min(1000.0)),
            ] {
                props.set_double(end, 0, f64::from(at));
            }
        }
        Kind::Switch => {
            if let Some(props) = page.animated(kOfxParamTypeBoolean, id, group, label, &hint) {
                props.set_int(kOfxParamPropDefault, 0, 0);
            }
        }
        Kind::Colour { default } => {
            let Some(props) = page.animated(kOfxParamTypeRGBA, id, group, label, &hint) else { return };
            for (index, value) in (0..).zip(default) {
                props.set_double(kOfxParamPropDefault, index, f64::from(*value));
                props.set_double(kOfxParamPropMin, index, 0.0);
                props.set_double(kOfxParamPropMax, index, 1.0);
                props.set_double(kOfxParamPropDisplayMin, index, 0.0);
                props.set_double(kOfxParamPropDisplayMax, index, 1.0);
            }
        }
        Kind::Choice { .. } => {
            let Some(props) = page.animated(kOfxParamTypeChoice, id, group, label, &hint) else { return };
            let choices = table::choices(param, true);
            for (index, choice) in (0..).zip(&choices) {
                if let Ok(label) = CString::new(table::words(choice)) {
                    props.set_name(kOfxParamPropChoiceOption, index, &label);
                }
            }
            let first = choices.iter().position(|choice| id == "view" && *choice == FIRST_VIEW);
            props.set_int(kOfxParamPropDefault, 0, first.unwrap_or(0) as i32);
        }
    }
}

/// The matte chain's settings at a time, as the host keeps them.
///
/// # Errors
/// Never: values are brought into their ranges.
pub fn settings(params: &Params, time: f64) -> plugin_common::Result<rotomask::matte::MatteSettings> {
    let value = |param: &'static Param| {
        let value = match &param.kind {
            Kind::Number { .. } => Value::Number(params.double(param.id, time)? as f32),
            Kind::Switch => Value::Switch(params.int(param.id, Some(time))? != 0),
            Kind::Colour { .. } => Value::Colour(params.colour(param.id, time)?.map(|v| v as f32)),
            Kind::Choice { .. } => {
                let at = usize::try_from(params.int(param.id, Some(time))?).ok()?;
                Value::Choice(table::choices(param, true).get(at).copied()?)
            }
        };
        Some((param.id, value))
    };
    table::settings(rotomask::matte::PARAMS.iter().filter_map(value))
}
