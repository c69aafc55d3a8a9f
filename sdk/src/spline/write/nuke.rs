//! A Nuke script with one Roto node.
//!
//! Written after "Roto serialisation format" of Foundry's NDK Developer Guide (the form since Nuke 7) and scripts
//! that Nuke wrote, and never loaded in Nuke. A `curvegroup` has two `cc`: the curve, and the feather's curve. Of
//! each point three pairs are listed: handle before, point, handle after; handles relative to their point, the
//! feather's points relative to the curve's. An animated number is a list of keys, `{frame value interpolation}`.
//!
//! Nuke's y points up: y is counted from the lower edge of the frame, and the first pixel lies from 0 to 1 in both
//! ways. Nuke's feather reaches outwards from a curve that is full: a soft point therefore lies where coverage is
//! 0.9, and its feather where it is 0.1. What is listed first is drawn last. A shape's lifetime is a range of frames.

use std::fmt::Write;

use glam::DVec2;

use super::super::shape::{Animation, Key, Kind, Point, Shape};
use super::number;

/// Linear between keys: 256 and the type, as public exporters read it; see decision 0103.
const LINEAR: u32 = 258;
/// `ltt`: seen on the frames from `ltn` to `ltm`.
const RANGE: u32 = 4;
/// `bm`: what the shape covers is subtracted from what is below it (`minus`).
const MINUS: u32 = 12;

pub(super) fn write(animation: &Animation) -> String {
    let (width, height) = (animation.size.width_px, animation.size.height_px);
    let mut text = format!(
        "# Splines of rotomask for a plate of {width}x{height}; paste or import it into a script.\nRoto {{\n inputs 0\n output \
         alpha\n format \"{width} {height} 0 0 {width} {height} 1 rotomask\"\n cliptype none\n curves {{{{{{v x3f99999a}}\n  \
         {{f 0}}\n  {{n\n   {{layer Root\n    {{f 0}}\n    {{t {} {}}}\n    {{a}}",
        number(f64::from(width) / 2.0, 1),
        number(f64::from(height) / 2.0, 1)
    );
    for shape in animation.shapes.iter().rev() {
        shape_into(&mut text, shape, f64::from(height));
    }
    // The layer, the tree's nodes, the tree, the knob; then the node.
    text + "}}}}\n name rotomask\n}\n"
}

fn shape_into(text: &mut String, shape: &Shape, height: f64) {
    let Some(first) = shape.keys.first() else { return };
    let _ = write!(
        text,
        "\n    {{curvegroup {} 512 bezier\n     {{{{cc\n       {{f 8192}}\n       {{p",
        shape.name
    );
    for i in 0..first.points.len() {
        point_into(text, &shape.keys, |key| {
            let point = &key.points[i];
            let at = point.at + softness(shape.kind, point)[0];
            [up(point.incoming), DVec2::new(at.x, height - at.y), up(point.outgoing)]
        });
    }
    text.push_str("}}\n      {cc\n       {f 8192}\n       {p");
    for i in 0..first.points.len() {
        point_into(text, &shape.keys, |key| {
            let point = &key.points[i];
            [up(point.incoming), up(softness(shape.kind, point)[1]), up(point.outgoing)]
        });
    }
    let centre: DVec2 = first.points.iter().map(|p| p.at).sum::<DVec2>() / first.points.len().max(1) as f64;
    let blend = if shape.kind == Kind::Hole { format!(" bm {MINUS}") } else { String::new() };
    let _ = write!(
        text,
        "}}}}}}\n     {{tx {} {} {}}}\n     {{a{blend} ltn {} ltm {} ltt {RANGE}}}}}",
        shape.first,
        number(centre.x, 3),
        number(height - centre.y, 3),
        shape.first,
        shape.last
    );
}

/// How far a point is moved to where what its shape does is full, and from there to where it does nothing: an outer
/// shape covers from 0.9 out to 0.1, and a hole takes away from 0.1 out, as seen from it, to 0.9.
fn softness(kind: Kind, point: &Point) -> [DVec2; 2] {
    let (outward, both) = (point.outward(), point.inner_px + point.outer_px);
    match kind {
        Kind::Outer => [outward * -point.inner_px, outward * both],
        Kind::Hole => [outward * point.outer_px, outward * -both],
    }
}

fn up(relative: DVec2) -> DVec2 {
    DVec2::new(relative.x, -relative.y)
}

/// A point's three pairs of animated numbers.
fn point_into(text: &mut String, keys: &[Key], pairs: impl Fn(&Key) -> [DVec2; 3]) {
    let all: Vec<(u64, [DVec2; 3])> = keys.iter().map(|key| (key.frame, pairs(key))).collect();
    for part in 0..3 {
        text.push_str("\n        {");
        for axis in 0..2 {
            text.push_str(if axis > 0 { " {" } else { "{" });
            for (frame, pairs) in &all {
                let value = if axis > 0 { pairs[part].y } else { pairs[part].x };
                let _ = write!(text, "{{{frame} {} {LINEAR}}}", number(value, 3));
            }
            text.push('}');
        }
        text.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{empty, ring};
    use super::*;

    #[test]
    fn y_points_up_and_handles_are_relative() {
        let text = write(&ring([0.0; 2]));
        // The corner at 40, 20 of 100 rows: 80 above the lower edge; its next handle to the right, its last one
        // below.
        let point = "{f 8192}\n       {p\n        {{{2 0 258}{8 0 258}} {{2 -10 258}{8 -10 258}}}\n        {{{2 40 258}{8 100 \
                     258}} {{2 80 258}{8 80 258}}}\n        {{{2 10 258}{8 10 258}} {{2 0 258}{8 0 258}}}";
        assert!(text.contains(point), "{text}");
    }

    #[test]
    fn a_hole_is_drawn_after_its_shape_and_each_lives_on_its_frames() {
        let text = write(&ring([0.0; 2]));
        let (hole, outer) = (text.find("curvegroup Hole2").unwrap(), text.find("curvegroup Shape1").unwrap());
        assert!(hole < outer);
        assert!(text[hole..outer].contains("{a bm 12 ltn 4 ltm 6 ltt 4}"));
        assert!(text[outer..].contains("{a ltn 2 ltm 8 ltt 4}"));
    }

    #[test]
    fn a_soft_point_lies_inside_and_its_feather_outside() {
        let text = write(&ring([2.0, 4.0]));
        // Outwards of the corner is up and to the left, by the square root of one half.
        assert!(text.contains("{{{2 41.414 258}{8 101.414 258}} {{2 78.586 258}{8 78.586 258}}}"), "{text}");
        assert!(text.contains("{{{2 -4.243 258}{8 -4.243 258}} {{2 4.243 258}{8 4.243 258}}}"), "{text}");
    }

    #[test]
    fn braces_are_closed_in_every_script() {
        for animation in [empty(), ring([0.0; 2]), ring([1.0, 3.0])] {
            let text = write(&animation);
            assert_eq!(text.matches('{').count(), text.matches('}').count(), "{text}");
            let mut depth = 0;
            for brace in text.chars() {
                depth += i32::from(brace == '{') - i32::from(brace == '}');
                assert!(depth >= 0, "{text}");
            }
        }
    }
}
