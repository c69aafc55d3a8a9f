//! How soft an edge is: from the contour to where coverage is nearly full, and to where there is nearly none.

use glam::Vec2;
use half::f16;

use super::contour::Plane;

/// Coverage that counts as full.
const FULL: f32 = 0.9;
/// Coverage that counts as none.
const NONE: f32 = 0.1;
/// How far is looked, in pixels.
const REACH_PX: f64 = 64.0;
/// How far apart samples are, in pixels.
const STEP_PX: f64 = 0.5;
/// A hard edge, drawn with anti-aliasing or not, measures up to this.
pub(super) const HARD_PX: f64 = 1.0;

/// For each vertex how far coverage takes to 0.9 inside and to 0.1 outside, along the normal. Where it turns back
/// before, as in a thin part, up to there.
pub(super) fn widths(plane: &Plane, vertices: &[Vec2]) -> Vec<[f16; 2]> {
    let count = vertices.len();
    (0..count)
        .map(|i| {
            // Over a few vertices, for those of a hard edge stand in steps.
            let along = vertices[(i + 2) % count] - vertices[(i + count - 2 % count) % count];
            let outward = Vec2::new(along.y, -along.x).normalize_or_zero().as_dvec2();
            let walk = |direction: f64, sign: f32, goal: f32| {
                let mut last = sign * super::contour::LEVEL;
                for step in 1..=(REACH_PX / STEP_PX) as u32 {
                    let far = STEP_PX * f64::from(step);
                    let here = sign * plane.at(vertices[i].as_dvec2() + outward * (direction * far));
                    if here >= sign * goal {
                        let part = f64::from((sign * goal - last) / (here - last));
                        return far - STEP_PX * (1.0 - part.clamp(0.0, 1.0));
                    }
                    if here < last - 0.02 {
                        return far - STEP_PX;
                    }
                    last = here;
                }
                REACH_PX
            };
            [walk(-1.0, 1.0, FULL), walk(1.0, -1.0, NONE)].map(f16::from_f64)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::contour::{Plane, outlines};
    use super::super::pictures::{coverage, view};

    fn mean(inside: impl Fn(f64, f64) -> f64) -> [f64; 2] {
        let pixels = coverage((81, 60), inside);
        let outline = outlines(&Plane::read(view((81, 60), &pixels)).unwrap(), 0.0).unwrap().remove(0);
        let sum = |i: usize| outline.widths.iter().map(|w| w[i].to_f64()).sum::<f64>();
        [0, 1].map(|i| sum(i) / outline.widths.len() as f64)
    }

    #[test]
    fn a_ramp_is_as_wide_as_it_was_made_and_wider_outside_than_inside() {
        // From 1 to one half over 5 pixels, from there to 0 over 10: 0.4 of both is 4 and 8.
        let [inner, outer] = mean(|x, y| {
            let far = (x - 40.0).hypot(y - 30.0) - 15.0;
            (0.5 - far / if far < 0.0 { 10.0 } else { 20.0 }).clamp(0.0, 1.0)
        });
        assert!((inner - 4.0).abs() < 0.3 && (outer - 8.0).abs() < 0.3, "{inner} {outer}");
    }

    #[test]
    fn a_hard_edge_is_no_wider_than_a_pixel() {
        let [inner, outer] = mean(|x, y| f64::from(u8::from((x - 40.0).hypot(y - 30.0) < 15.0)));
        assert!(inner < super::HARD_PX && outer < super::HARD_PX, "{inner} {outer}");
    }
}
