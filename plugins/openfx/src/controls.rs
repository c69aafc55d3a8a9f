//! The effect's own parameters, beside those of the matte chain. Names never change: projects are saved with them.

use std::ffi::CStr;

/// The optional second input.
pub const SECOND_CLIP: &CStr = c"Second";

/// Points that an artist sees as parameters; more are kept in the text of prompts.
pub const POINTS: usize = 8;

/// A point's five parameters.
pub struct PointNames {
    pub place: String,
    pub on: String,
    pub kind: String,
    pub frame: String,
    pub object: String,
}

/// The names of a point's parameters, counted from 0.
pub fn point(at: usize) -> PointNames {
    let name = |what: &str| format!("point{}{what}", at + 1);
    PointNames {
        place: name(""),
        on: name("On"),
        kind: name("Kind"),
        frame: name("Frame"),
        object: name("Object"),
    }
}

/// What a point's `Kind` counts: on the object, or not.
pub const POINT_KINDS: [&CStr; 2] = [c"On the object", c"Not on the object"];

pub const BOX_ON: &str = "boxOn";
pub const BOX_FROM: &str = "boxFrom";
pub const BOX_TO: &str = "boxTo";
pub const BOX_FRAME: &str = "boxFrame";
pub const BOX_OBJECT: &str = "boxObject";

pub const OBJECT: &str = "object";
pub const OBJECT_NAME: &str = "objectName";
pub const OBJECTS: &str = "objects";
pub const CLICKS: &str = "clicks";
/// What `CLICKS` counts.
pub const CLICK_KINDS: [&CStr; 2] = [c"On the object", c"Not on the object"];

pub const STATUS: &str = "status";
pub const SESSION: &str = "session";
pub const NEAR: &str = "projectFolder";
pub const FRAME_OFFSET: &str = "frameOffset";
pub const SECOND: &str = "second";
pub const MODEL: &str = "model";
pub const PROVIDERS: &str = "providers";
pub const PROMPTS: &str = "prompts";
/// Counts what was tracked, so that a host knows that pictures have changed.
pub const REVISION: &str = "revision";

/// What the second clip is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    Nothing,
    Prompt,
    Garbage,
    Holdout,
    Background,
}

impl Second {
    /// In the order of the choice.
    pub const ALL: [(Self, &CStr); 5] = [
        (Self::Garbage, c"Garbage matte"),
        (Self::Holdout, c"Hold-out matte"),
        (Self::Prompt, c"Mask of the object"),
        (Self::Background, c"Background"),
        (Self::Nothing, c"Nothing"),
    ];

    pub fn of(choice: Option<i32>) -> Self {
        let at = choice.and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| Self::ALL.get(at)).map_or(Self::Nothing, |(second, _)| *second)
    }
}

/// The buttons, with label and hint.
pub const BUTTONS: [(&str, &CStr, &CStr); 10] = [
    (SEGMENT, c"Segment this frame", c"Finds the objects on the current frame."),
    (TRACK_FORWARD, c"Track forward", c"Follows the objects from the current frame to the clip's last."),
    (TRACK_BACKWARD, c"Track backward", c"Follows the objects from the current frame to the clip's first."),
    (TRACK_BOTH, c"Track both ways", c"Follows the objects from the current frame to both ends of the clip."),
    (TRACK_ONE, c"Track one frame", c"Follows the objects to the next frame."),
    (STOP, c"Stop", c"Stops tracking after the frame at work. What is finished is kept."),
    (CLEAR_HERE, c"Clear here", c"Takes back what was said of the current object on the current frame."),
    (CLEAR_ALL, c"Clear all", c"Takes back everything that was said and tracked."),
    (ADD_OBJECT, c"New object", c"The next points are about an object of its own."),
    (REMOVE_OBJECT, c"Remove object", c"Forgets the current object: its points and what was tracked of it."),
];

pub const SEGMENT: &str = "segment";
pub const TRACK_FORWARD: &str = "trackForward";
pub const TRACK_BACKWARD: &str = "trackBackward";
pub const TRACK_BOTH: &str = "trackBoth";
pub const TRACK_ONE: &str = "trackOne";
pub const STOP: &str = "stop";
pub const CLEAR_HERE: &str = "clearHere";
pub const CLEAR_ALL: &str = "clearAll";
pub const ADD_OBJECT: &str = "addObject";
pub const REMOVE_OBJECT: &str = "removeObject";

/// The view in which the effect starts: the subject over nothing, which is what an editor composites.
pub const FIRST_VIEW: &str = "cutout";
