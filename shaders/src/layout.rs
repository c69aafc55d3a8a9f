//! The kernels' structs, laid out for Rust as WGSL lays them out. Units are in the kernels' own files.

use bytemuck::{Pod, Zeroable};

macro_rules! layouts {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
        #[allow(missing_docs)]
        pub struct $name { $(pub $field: $type),+ }

        impl $name {
            /// Each field's name and offset in bytes.
            pub fn offsets() -> Vec<(&'static str, usize)> {
                vec![$((stringify!($field), std::mem::offset_of!($name, $field))),+]
            }
        }
    )+};
}

layouts! {
    /// `coverage`'s uniform.
    Coverage { width_px: u32, height_px: u32, logits_width: u32, logits_height: u32, raise: u32, lower: u32 }
    /// Where a column or row of the plate lies among the logits.
    Tap { weight: [i32; 4], slope: [i32; 4], first: i32, padding: [i32; 3] }
    /// `combine`'s uniform.
    Combine { width_px: u32, height_px: u32, op: u32, low: u32, high: u32 }
    /// `contour`'s and `grow`'s uniform.
    Grow {
        width_px: u32, height_px: u32, reach_x: u32, reach_y: u32, unit_x: u32, unit_y: u32, farthest: u32,
        grow: i32, per_distance: u32
    }
    /// `sharpen`'s uniform.
    Sharpen { width_px: u32, height_px: u32, soft: u32 }
    /// `moments`'s uniform.
    Moments { width_px: u32, height_px: u32, small_width: u32, small_height: u32, factor: u32, kind: u32 }
    /// `solve`'s uniform.
    Solve { width_px: u32, height_px: u32, least: f32 }
    /// `solid`'s uniform.
    Solid { width_px: u32, height_px: u32 }
    /// `refine`'s uniform.
    Refine {
        width_px: u32, height_px: u32, small_width: u32, small_height: u32, factor: u32, kind: u32, strength: u32
    }
    /// `drift`'s uniform.
    Drift {
        width_px: u32, height_px: u32, value_now: i32, value_a: i32, value_b: i32, value_c: i32, value_d: i32,
        slope_now: i32, slope_a: i32, slope_b: i32, slope_c: i32, slope_d: i32, far: i32, near: i32, limit: i32, steadied: i32,
        shutter: i32, reach_px: i32
    }
    /// `curve`'s uniform.
    Curve { width_px: u32, height_px: u32 }
    /// `reduce`'s uniform.
    Reduce {
        width_px: u32, height_px: u32, small_width: u32, small_height: u32, factor: u32, kind: u32, weight: u32
    }
    /// `blur`'s uniform.
    Blur { width_px: u32, height_px: u32, radius_px: u32 }
    /// `enlarge`'s uniform.
    Enlarge { width_px: u32, height_px: u32, small_width: u32, small_height: u32, factor: u32 }

    /// `composite`'s uniform.
    Composite {
        width_px: u32, height_px: u32, inner_x: u32, inner_y: u32, inner_width: u32, inner_height: u32,
        frame_x: u32, frame_y: u32, plate_kind: u32, back_kind: u32, result_kind: u32, premultiplied: u32,
        despill: u32, band: i32, badge_px: u32, despill_strength: f32, decontaminate: f32, wrap: f32,
        red: f32, green: f32, blue: f32, alpha: f32, badge_red: f32, badge_green: f32, badge_blue: f32
    }
}
