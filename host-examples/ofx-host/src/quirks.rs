//! How real hosts differ from the standard, played one by one. What was seen in which host stands in the documentation.

/// A host's ways.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "names and `mode` say it")]
pub struct Quirks {
    pub name: &'static str,
    /// What the host says of itself.
    pub says_temporal_access: bool,
    /// Answers every time with the current frame.
    pub always_current_frame: bool,
    pub draw_suite: bool,
    pub progress_v2: bool,
    pub progress_v1: bool,
    pub message_v2: bool,
    pub message_v1: bool,
    pub interact_suite: bool,
    pub other_suites: bool,
    /// Refuses the overlay of version 2 with status 3.
    pub refuses_overlay_v2: bool,
    /// Load, describe, create and destroy for every frame.
    pub anew_for_every_frame: bool,
    /// Secret, custom and byte parameters keep their defaults.
    pub hides_secrets: bool,
    /// Negative row bytes.
    pub rows_downwards: bool,
    pub float_only: bool,
    pub calls_instance_changed: bool,
    pub calls_is_identity: bool,
    /// Every property is unknown, every define is refused: the worst host that still calls.
    pub answers_nothing: Option<i32>,
    pub api: [i32; 2],
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            name: "strict",
            says_temporal_access: true,
            always_current_frame: false,
            draw_suite: true,
            progress_v2: true,
            progress_v1: true,
            message_v2: true,
            message_v1: true,
            interact_suite: true,
            other_suites: true,
            refuses_overlay_v2: false,
            anew_for_every_frame: false,
            hides_secrets: false,
            rows_downwards: false,
            float_only: false,
            calls_instance_changed: true,
            calls_is_identity: true,
            answers_nothing: None,
            api: [1, 5],
        }
    }
}

impl Quirks {
    /// The modes by name.
    pub const MODES: [&str; 5] = ["strict", "mlt", "natron", "nuke", "resolve"];

    /// A host's ways by its name.
    pub fn mode(name: &str) -> Option<Self> {
        let strict = Self::default();
        let old = Self { draw_suite: false, api: [1, 4], ..strict.clone() };
        Some(match name {
            "strict" => strict,
            "mlt" => Self {
                name: "mlt",
                says_temporal_access: false,
                always_current_frame: true,
                anew_for_every_frame: true,
                hides_secrets: true,
                rows_downwards: true,
                calls_instance_changed: false,
                calls_is_identity: false,
                interact_suite: false,
                ..old
            },
            "natron" => Self { name: "natron", refuses_overlay_v2: true, ..old },
            "nuke" => Self { name: "nuke", float_only: true, progress_v2: false, api: [1, 2], ..old },
            "resolve" => Self { name: "resolve", float_only: true, ..old },
            _ => return None,
        })
    }
}
