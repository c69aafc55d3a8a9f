//! Synthetic coverage for tests.

use crate::frame::{FrameView, Layout, PixelFormat, Size};

/// Coverage at each pixel's centre, cut to 0 to 1, row by row.
pub(super) fn coverage((width, height): (u32, u32), inside: impl Fn(f64, f64) -> f64) -> Vec<f32> {
    let centre = |n: u32| f64::from(n) + 0.5;
    let row = |y: u32| (0..width).map(move |x| (x, y));
    (0..height).flat_map(row).map(|(x, y)| inside(centre(x), centre(y)).clamp(0.0, 1.0) as f32).collect()
}

/// The pixels as a view.
pub(super) fn view((width, height): (u32, u32), pixels: &[f32]) -> FrameView<'_> {
    let layout = Layout::packed(Size::new(width, height).unwrap(), PixelFormat::GrayF32);
    FrameView::new(layout, bytemuck::cast_slice(pixels)).unwrap()
}

/// Coverage of a polygon, by 16 samples a pixel.
pub(super) fn polygon(size: (u32, u32), corners: &[[f64; 2]]) -> Vec<f32> {
    let inside = |x: f64, y: f64| {
        let edges = corners.iter().zip(corners.iter().cycle().skip(1));
        let passed = |&(a, b): &(&[f64; 2], &[f64; 2])| {
            (a[1] > y) != (b[1] > y) && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
        };
        edges.filter(passed).count() % 2 == 1
    };
    let parts = [-0.375, -0.125, 0.125, 0.375];
    coverage(size, |x, y| {
        let hit = |(u, v): (f64, f64)| f64::from(u8::from(inside(x + u, y + v)));
        parts.iter().flat_map(|v| parts.map(|u| hit((u, *v)))).sum::<f64>() / 16.0
    })
}

/// Corners turned about the origin by so many degrees, then moved.
pub(super) fn moved(corners: &[[f64; 2]], degrees: f64, by: [f64; 2]) -> Vec<[f64; 2]> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    corners.iter().map(|[x, y]| [x * cos - y * sin + by[0], x * sin + y * cos + by[1]]).collect()
}
