//! The plain twins of `combine.wgsl` and `curve.wgsl`, and mattes that a host gives.

use rotomask_shaders::{layout::Combine, op};

use super::plane::Plane;
use crate::frame::FrameView;
use crate::matte::light::{FULL, scale16};
use crate::matte::part::Part;
use crate::matte::prepare::samples_into;

/// `first` becomes what the two make.
pub fn combine(job: &Combine, first: &mut Plane, second: &Plane) {
    // Each operation has its own loop.
    match job.op {
        op::ADD => merge(first, second, |a, b| (a + b).min(FULL)),
        op::SUBTRACT => merge(first, second, u32::saturating_sub),
        op::INTERSECT => merge(first, second, |a, b| (a + b).saturating_sub(FULL)),
        op::MIN => merge(first, second, u32::min),
        op::MAX => merge(first, second, u32::max),
        op::MULTIPLY => merge(first, second, scale16),
        _ => merge(first, second, |a, b| scale16(a, FULL - b)),
    }
}

#[inline(always)]
fn merge(first: &mut Plane, second: &Plane, sample: impl Fn(u32, u32) -> u32 + Copy + Sync) {
    let sample = move |a: u16, b: u16| sample(u32::from(a), u32::from(b)) as u16;
    first.merge(second, |a, b| Some(sample(a?, b?)), sample);
}

/// `plane` becomes what it alone makes.
pub fn change(job: &Combine, plane: &mut Plane) {
    if job.op == op::INVERT {
        return plane.map(|v| u16::MAX - v);
    }
    let (low, span) = (job.low, job.high - job.low);
    plane.map(|v| {
        let above = u32::from(v).saturating_sub(low);
        let level = if above >= span { FULL } else { (above * FULL + span / 2) / span };
        level as u16
    });
}

/// Coverage through a curve of 1,025 points.
pub fn curve(points: &[u32], plane: &mut Plane) {
    plane.map(|v| {
        let place = u32::from(v) + u32::from(v >= 32768);
        let (at, part) = ((place >> 6) as usize, place & 63);
        ((points[at] * (64 - part) + points[(at + 1).min(1024)] * part + 32) >> 6) as u16
    });
}

/// A host's coverage, already the part's.
pub fn from_view(view: FrameView<'_>, into: &mut Plane) {
    let width = into.size.width();
    into.each_band(|y, band| {
        for (i, out) in band.chunks_exact_mut(width).enumerate() {
            samples_into(view, y + i, out);
        }
    });
}

/// Samples of the whole frame, `frame_width` a row.
pub fn from_samples(samples: &[u16], frame_width: usize, part: &Part, into: &mut Plane) {
    let width = into.size.width();
    let (left, top) = (part.outer.x_px as usize, part.outer.y_px as usize);
    into.each_band(|y, band| {
        for (i, out) in band.chunks_exact_mut(width).enumerate() {
            out.copy_from_slice(&samples[(top + y + i) * frame_width + left..][..width]);
        }
    });
}
