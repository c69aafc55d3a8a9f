// What both passes of grow share.

// Distances are in 1/512 pixel of the full-resolution frame, whose pixels are square; this frame's may be larger, or
// wider than high.
struct Grow {
    width_px: u32,
    height_px: u32,
    // How far to look along rows and along columns, pixels.
    reach_x: u32,
    reach_y: u32,
    // A pixel's width and height, distance units.
    unit_x: u32,
    unit_y: u32,
    // The farthest distance that counts.
    farthest: u32,
    // How far the edge moves outwards, 1/65536 pixel.
    grow: i32,
    // 1/65536 pixel in 16 distance units.
    per_distance: u32,
}

// Farther than any contour that counts. Twice its square fits.
const FAR: u32 = 46000u;

@group(0) @binding(0) var<uniform> job: Grow;
@group(0) @binding(1) var<storage, read> coverage: array<u32>;
