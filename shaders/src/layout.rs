//! The kernels' structs, laid out for Rust as WGSL lays them out. Units are in the kernels' own files.

use bytemuck::{Pod, Zeroable};

macro_rules! layouts {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
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
    /// `contour`'s and `grow`'s uniform.
    Grow { width_px: u32, height_px: u32, reach_px: u32, grow: i32 }
    /// `reduce`'s uniform.
    Reduce {
        width_px: u32, height_px: u32, small_width: u32, small_height: u32, factor: u32, bgra: u32
    }
    /// `blur`'s uniform.
    Blur { width_px: u32, height_px: u32, radius_px: u32 }
    /// `enlarge`'s uniform.
    Enlarge { width_px: u32, height_px: u32, small_width: u32, small_height: u32, factor: u32 }
    /// `composite`'s uniform.
    Composite {
        width_px: u32, height_px: u32, plate_bgra: u32, back_bgra: u32, result_bgra: u32, premultiplied: u32,
        red: u32, green: u32, blue: u32, alpha: u32
    }
}
