//! Hosts at their worst, and as they are.

use std::path::Path;

use openfx_abi::*;

use super::{filter, in_host, path_in, pixels, same};
use crate::conform::Shot;
use crate::instance::{Instance, usual_form};
use crate::plugin::Plugin;
use crate::quirks::Quirks;
use crate::world::{Doing, world};
use crate::{Error, Result};

/// Memory that is in use, in bytes; 0 where the system doesn't tell.
fn resident() -> u64 {
    let told = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    told.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

pub fn over_and_over(plugin: &Plugin, shot: &Shot) -> Result<String> {
    for _ in 0..1000 {
        plugin.load()?;
    }
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    same("ONNX Runtime in memory after 1000 loads", maps.contains("onnxruntime"), false)?;
    let described = filter(plugin)?;
    let round = || Instance::create(plugin, &described, shot.source(), None).map(drop);
    for _ in 0..50 {
        round()?;
    }
    let (alive, before) = (world().alive(), resident());
    for _ in 0..1000 {
        round()?;
    }
    same("objects alive after 1000 instances", world().alive(), alive)?;
    let grown = resident().saturating_sub(before);
    if grown > 8 << 20 {
        return Err(Error::plain(format!("1000 instances left {grown} bytes, expected nothing to speak of")));
    }
    described.forget();
    Ok(format!("{} KiB more in use", grown >> 10))
}

pub fn refusing(path: &Path, shot: &Shot) -> Result<String> {
    let mut calls = 0;
    for status in [kOfxStatErrUnknown, kOfxStatErrMissingHostFeature] {
        let quirks = Quirks {
            answers_nothing: Some(status),
            progress_v1: false,
            progress_v2: false,
            message_v1: false,
            message_v2: false,
            interact_suite: false,
            draw_suite: false,
            other_suites: false,
            ..Quirks::default()
        };
        let plugin = Plugin::open(path, None)?;
        let described = filter(&plugin)?;
        let instance = Instance::create(&plugin, &described, shot.source(), None)?;
        calls += in_host(quirks, || {
            let actions = [
                kOfxActionLoad,
                kOfxActionDescribe,
                kOfxImageEffectActionDescribeInContext,
                kOfxActionCreateInstance,
                kOfxActionInstanceChanged,
                kOfxActionBeginInstanceChanged,
                kOfxActionEndInstanceChanged,
                kOfxActionSyncPrivateData,
                kOfxActionPurgeCaches,
                kOfxImageEffectActionGetClipPreferences,
                kOfxImageEffectActionGetFramesNeeded,
                kOfxImageEffectActionGetRegionOfDefinition,
                kOfxImageEffectActionGetRegionsOfInterest,
                kOfxImageEffectActionIsIdentity,
                kOfxImageEffectActionBeginSequenceRender,
                kOfxImageEffectActionRender,
                kOfxImageEffectActionEndSequenceRender,
                c"OfxActionThatThereIsNot",
            ];
            let sets = [None, Some(instance.id), Some(0xdead)];
            let mut calls = 0;
            for action in actions {
                for (given, answer) in sets.iter().flat_map(|a| sets.iter().map(move |b| (*a, *b))) {
                    plugin.act(action, instance.id, given, answer, Doing::default());
                    plugin.act(action, 0, given, answer, Doing::default());
                    calls += 2;
                }
            }
            calls
        });
        // Handles that are none are this check's own.
        world().violations.clear();
        drop(instance);
        described.forget();
    }
    Ok(format!("{calls} calls"))
}

pub fn bare(path: &Path, shot: &Shot, folder: &Path) -> Result<String> {
    let quirks = Quirks {
        progress_v1: false,
        progress_v2: false,
        message_v1: false,
        message_v2: false,
        interact_suite: false,
        draw_suite: false,
        other_suites: false,
        ..Quirks::default()
    };
    in_host(quirks, || {
        let plugin = Plugin::open(path, None)?;
        let described = filter(&plugin)?;
        let instance = Instance::create(&plugin, &described, shot.source(), None)?;
        instance.put_text("session", &path_in(folder, "bare.rotosession"))?;
        instance.put_text("prompts", &format!("p{}x{}@0", shot.point[0], shot.point[1]))?;
        instance.changed("segment", 0.0)?;
        instance.put_text("view", "Matte")?;
        let matte = instance.render(0.0, &usual_form(), None)?.to_rgba8();
        let red: Vec<u8> = matte.chunks_exact(4).map(|pixel| pixel[0]).collect();
        let off = super::largest_difference(&red, &shot.mattes[0]);
        same("one frame segmented is the command's first, in code values off", off <= 1, true)?;
        drop(instance);
        described.forget();
        Ok(String::new())
    })
}

pub fn as_in(path: &Path, shot: &Shot, mode: &str) -> Result<String> {
    let quirks = Quirks::mode(mode).ok_or_else(|| Error::plain(format!("there is no mode {mode}")))?;
    in_host(quirks, || {
        let anew = world().quirks.anew_for_every_frame;
        let form = usual_form();
        let mut found = Vec::new();
        let plugin = Plugin::open(path, None)?;
        let described = filter(&plugin)?;
        if anew {
            // Load, describe, create and destroy for every frame; values come after the instance is created.
            described.forget();
            for n in 0..shot.mattes.len() {
                let plugin = Plugin::open(path, None)?;
                let described = filter(&plugin)?;
                let instance = Instance::create(&plugin, &described, shot.source(), None)?;
                instance.put_text("session", &shot.session_text())?;
                instance.put_text("view", "Matte")?;
                let rgba = instance.render(n as f64, &form, None)?.to_rgba8();
                found.push(rgba.chunks_exact(4).map(|pixel| pixel[0]).collect());
                drop(instance);
                described.forget();
            }
        } else {
            let instance = Instance::create(&plugin, &described, shot.source(), None)?;
            instance.put_text("session", &shot.session_text())?;
            instance.put_text("view", "Matte")?;
            for n in 0..shot.mattes.len() {
                let rgba = instance.render(n as f64, &form, None)?.to_rgba8();
                found.push(rgba.chunks_exact(4).map(|pixel| pixel[0]).collect());
            }
            drop(instance);
            described.forget();
        }
        pixels::near_the_commands(&found, shot)
    })
}
