// What both passes of grow share.

struct Grow {
    width_px: u32,
    height_px: u32,
    // How far to look, pixels.
    reach_px: u32,
    // How far the edge moves outwards, 1/65536 pixel.
    grow: i32,
}

// Farther than any contour that counts, 1/512 pixel.
const FAR: u32 = 46000u;
const PIXEL: u32 = 512u;

@group(0) @binding(0) var<uniform> job: Grow;
@group(0) @binding(1) var<storage, read> coverage: array<u32>;
