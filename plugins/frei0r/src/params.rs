//! The effect's parameters, all of them strings. In ffmpeg they are given in this order, with `|` between.

use std::ffi::CStr;

/// A parameter.
pub struct Param {
    pub name: &'static CStr,
    pub explanation: &'static CStr,
    pub default: &'static CStr,
}

pub const SESSION: usize = 0;
pub const PROMPT: usize = 1;
pub const VIEW: usize = 2;
pub const TIME_UNIT: usize = 3;
pub const FPS: usize = 4;
pub const FRAME_OFFSET: usize = 5;
pub const SETTINGS: usize = 6;

pub static PARAMS: [Param; 7] = [
    Param {
        name: c"session",
        explanation: c"The session's file, as `rotomask track --session` or the OpenFX effect makes it",
        default: c"",
    },
    Param {
        name: c"prompt",
        explanation: c"Without a session: what to follow, such as p640x360@0_n100x80@0_b10x20x300x400@5; only in hosts with \
                       one instance that gives frames in order",
        default: c"",
    },
    Param {
        name: c"view",
        explanation: c"composite, matte, overlay, cutout, erase, edge, trimap, confidence or status",
        default: c"composite",
    },
    Param {
        name: c"time_unit",
        explanation: c"What the host's time counts: auto, s, ms or frames",
        default: c"auto",
    },
    Param {
        name: c"fps",
        explanation: c"The clip's frames per second, such as 25 or 30000/1001; auto: what the times come to",
        default: c"auto",
    },
    Param {
        name: c"frame_offset",
        explanation: c"Added to the frame's number to get the session's",
        default: c"0",
    },
    Param {
        name: c"settings",
        explanation: c"The matte's settings as id/value with spaces between, such as grow_px/-2 invert/on, or a preset's file",
        default: c"",
    },
];
