//! Effects, clips and images.

use std::ffi::{c_char, c_int, c_void};

use openfx_abi::*;

use super::name;
use crate::image;
use crate::world::{Clip, Id, now, world};

pub static SUITE: OfxImageEffectSuiteV1 = OfxImageEffectSuiteV1 {
    getPropertySet: Some(get_props),
    getParamSet: Some(get_params),
    clipDefine: Some(clip_define),
    clipGetHandle: Some(clip_handle),
    clipGetPropertySet: Some(clip_props),
    clipGetImage: Some(clip_image),
    clipReleaseImage: Some(release),
    clipGetRegionOfDefinition: Some(clip_region),
    abort: Some(abort),
    imageMemoryAlloc: Some(memory_alloc),
    imageMemoryFree: Some(memory_free),
    imageMemoryLock: Some(memory_lock),
    imageMemoryUnlock: Some(memory_unlock),
};

/// Writes what is asked for, or says that there is nowhere to write.
fn give<T>(into: *mut T, value: T) -> OfxStatus {
    if into.is_null() {
        return kOfxStatErrValue;
    }
    // SAFETY: not null, and the standard's contract.
    unsafe { into.write(value) };
    kOfxStatOK
}

fn refused() -> Option<OfxStatus> {
    world().quirks.answers_nothing
}

unsafe extern "C" fn get_props(effect: OfxImageEffectHandle, into: *mut OfxPropertySetHandle) -> OfxStatus {
    if let Some(status) = refused() {
        return status;
    }
    let props = world().effects.get(&(effect as Id)).map(|effect| effect.props);
    props.map_or(kOfxStatErrBadHandle, |props| give(into, props as OfxPropertySetHandle))
}

unsafe extern "C" fn get_params(effect: OfxImageEffectHandle, into: *mut OfxParamSetHandle) -> OfxStatus {
    if let Some(status) = refused() {
        return status;
    }
    let known = world().effects.contains_key(&(effect as Id));
    if known { give(into, effect.cast()) } else { kOfxStatErrBadHandle }
}

unsafe extern "C" fn clip_define(
    effect: OfxImageEffectHandle,
    clip: *const c_char,
    into: *mut OfxPropertySetHandle,
) -> OfxStatus {
    if let Some(status) = refused() {
        return status;
    }
    // SAFETY: the standard's contract.
    let Some(clip) = (unsafe { name(clip) }) else { return kOfxStatErrValue };
    let action = now(|now| now.action.clone());
    let mut world = world();
    if action.as_bytes() != kOfxImageEffectActionDescribeInContext.to_bytes() {
        world.violation(format!("clipDefine was called in {action:?}"));
    }
    let (props, id) = (world.new_set(), world.id());
    world.name(props, kOfxPropName, clip);
    world.name(props, kOfxPropType, kOfxTypeClip);
    let clip = Clip { name: clip.to_string_lossy().into_owned(), props, frames: None };
    let Some(effect) = world.effects.get_mut(&(effect as Id)) else { return kOfxStatErrBadHandle };
    effect.clips.push(id);
    world.clips.insert(id, clip);
    drop(world);
    give(into, props as OfxPropertySetHandle)
}

unsafe extern "C" fn clip_handle(
    effect: OfxImageEffectHandle,
    clip: *const c_char,
    into: *mut OfxImageClipHandle,
    props: *mut OfxPropertySetHandle,
) -> OfxStatus {
    if let Some(status) = refused() {
        return status;
    }
    // SAFETY: the standard's contract.
    let Some(clip) = (unsafe { name(clip) }) else { return kOfxStatErrValue };
    let world = world();
    let Some(effect) = world.effects.get(&(effect as Id)) else { return kOfxStatErrBadHandle };
    let found = effect.clips.iter().find(|id| world.clips[id].name.as_bytes() == clip.to_bytes());
    let Some(id) = found else { return kOfxStatErrUnknown };
    if !props.is_null() {
        // SAFETY: not null, and the standard's contract.
        unsafe { props.write(world.clips[id].props as OfxPropertySetHandle) };
    }
    give(into, *id as OfxImageClipHandle)
}

unsafe extern "C" fn clip_props(clip: OfxImageClipHandle, into: *mut OfxPropertySetHandle) -> OfxStatus {
    let props = world().clips.get(&(clip as Id)).map(|clip| clip.props);
    props.map_or(kOfxStatErrBadHandle, |props| give(into, props as OfxPropertySetHandle))
}

unsafe extern "C" fn clip_image(
    clip: OfxImageClipHandle,
    time: OfxTime,
    _: *const OfxRectD,
    into: *mut OfxPropertySetHandle,
) -> OfxStatus {
    if let Some(status) = refused() {
        return status;
    }
    let start = std::time::Instant::now();
    let doing = now(|now| now.clone());
    let action = doing.action.as_bytes();
    let allowed = [kOfxImageEffectActionRender, kOfxActionInstanceChanged];
    let (clip, quirks) = {
        let mut world = world();
        if !allowed.iter().any(|name| name.to_bytes() == action) {
            world.violation(format!("clipGetImage was called in {:?}", doing.action));
            return kOfxStatFailed;
        }
        let Some(clip) = world.clips.get(&(clip as Id)).cloned() else { return kOfxStatErrBadHandle };
        (clip, world.quirks.clone())
    };
    if clip.name == "Output" {
        let Some(output) = doing.output else { return kOfxStatFailed };
        now(|now| now.images.push(output));
        return give(into, output as OfxPropertySetHandle);
    }
    let Some(frames) = &clip.frames else { return kOfxStatFailed };
    let time = if quirks.always_current_frame { doing.time } else { time };
    let frame = time.round() as i64;
    if !(0..i64::from(frames.count())).contains(&frame) {
        return kOfxStatFailed;
    }
    let image = image::of_frame(&**frames, frame, &doing.form);
    {
        let mut world = world();
        *world.fetched.entry((clip.name.clone(), frame)).or_default() += 1;
        world.in_host += start.elapsed();
    }
    now(|now| now.images.push(image));
    give(into, image as OfxPropertySetHandle)
}

unsafe extern "C" fn release(image: OfxPropertySetHandle) -> OfxStatus {
    let image = image as Id;
    let held = now(|now| {
        let at = now.images.iter().position(|held| *held == image);
        at.map(|at| now.images.remove(at));
        at.is_some().then_some(now.output)
    });
    let Some(output) = held else {
        world().violation("clipReleaseImage was called with an image that is not this action's".into());
        return kOfxStatErrBadHandle;
    };
    // The output is looked at after the render.
    if output != Some(image) {
        image::drop_image(image);
    }
    kOfxStatOK
}

unsafe extern "C" fn clip_region(clip: OfxImageClipHandle, _: OfxTime, into: *mut OfxRectD) -> OfxStatus {
    if let Some(status) = refused() {
        return status;
    }
    let form = now(|now| now.form.clone());
    let Some(clip) = world().clips.get(&(clip as Id)).cloned() else { return kOfxStatErrBadHandle };
    let Some(frames) = clip.frames else { return kOfxStatFailed };
    give(into, image::region(&*frames, &form))
}

unsafe extern "C" fn abort(_: OfxImageEffectHandle) -> c_int {
    0
}

unsafe extern "C" fn memory_alloc(
    _: OfxImageEffectHandle,
    _: usize,
    _: *mut OfxImageMemoryHandle,
) -> OfxStatus {
    kOfxStatErrMemory
}

unsafe extern "C" fn memory_free(_: OfxImageMemoryHandle) -> OfxStatus {
    kOfxStatErrBadHandle
}

unsafe extern "C" fn memory_lock(_: OfxImageMemoryHandle, _: *mut *mut c_void) -> OfxStatus {
    kOfxStatErrBadHandle
}

unsafe extern "C" fn memory_unlock(_: OfxImageMemoryHandle) -> OfxStatus {
    kOfxStatErrBadHandle
}
