//! A matte that moves: each shape a `path` whose `d` SMIL animates, white for what is added and black for what is
//! taken away, over black.
//!
//! SVG 1.1, chapter 19 (`animate`, `set`), and SVG 2, which lets `d` be animated where all values have the same
//! commands. SVG counts as this module does: y down, the first pixel from 0 to 1. Time 0 is the first frame that was
//! added, and a frame lasts from its time to the next one's; between keyframes the path moves on within a frame, as
//! an editor's motion blur would see it. Feather has no place here.

use std::fmt::Write;

use super::super::shape::{Animation, Key, Kind, Shape};
use super::number;

pub(super) fn write(animation: &Animation) -> String {
    let (width, height) = (animation.size.width_px, animation.size.height_px);
    let (first, last) = animation.frames.unwrap_or_default();
    let rate = animation.frames_per_second;
    let whole = number((last - first + 1) as f64 / rate, 6);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <!-- {whole} s, frames {first} to {last} at {} a second -->\n<rect width=\"100%\" height=\"100%\" fill=\"black\"/>\n",
        number(rate, 6)
    );
    for shape in &animation.shapes {
        shape_into(&mut text, shape, first, rate);
    }
    text + "</svg>\n"
}

fn shape_into(text: &mut String, shape: &Shape, first: u64, rate: f64) {
    let Some(key) = shape.keys.first() else { return };
    let fill = if shape.kind == Kind::Hole { "black" } else { "white" };
    let seconds = |frame: u64| (frame - first) as f64 / rate;
    let (begin, long) = (seconds(shape.first), (shape.last - shape.first + 1) as f64 / rate);
    let _ = writeln!(
        text,
        "<path id=\"{}\" fill=\"{fill}\" visibility=\"hidden\" d=\"{}\">\n<set attributeName=\"visibility\" to=\"visible\" \
         begin=\"{}s\" dur=\"{}s\"/>",
        shape.name,
        path(key),
        number(begin, 6),
        number(long, 6)
    );
    if shape.keys.len() > 1 {
        let span = seconds(shape.last) - begin;
        let times =
            shape.keys.iter().map(|key| number((seconds(key.frame) - begin) / span, 6)).collect::<Vec<_>>();
        let paths = shape.keys.iter().map(path).collect::<Vec<_>>();
        let _ = writeln!(
            text,
            "<animate attributeName=\"d\" begin=\"{}s\" dur=\"{}s\" fill=\"freeze\" keyTimes=\"{}\" values=\"{}\"/>",
            number(begin, 6),
            number(span, 6),
            times.join(";"),
            paths.join(";\n")
        );
    }
    text.push_str("</path>\n");
}

/// A key as path data: one `M`, a `C` for each point, `Z`.
fn path(key: &Key) -> String {
    let pair = |place: glam::DVec2| format!("{} {}", number(place.x, 3), number(place.y, 3));
    let mut text = key.points.first().map(|point| format!("M{}", pair(point.at))).unwrap_or_default();
    for (a, b) in key.points.iter().zip(key.points.iter().cycle().skip(1)) {
        let _ = write!(text, "C{} {} {}", pair(a.at + a.outgoing), pair(b.at + b.incoming), pair(b.at));
    }
    text + "Z"
}

#[cfg(test)]
mod tests {
    use super::super::samples::{empty, ring};
    use super::*;

    #[test]
    fn shapes_are_seen_in_their_time_and_holes_are_black() {
        let text = write(&ring([0.0; 2]));
        assert!(text.contains(
            "<path id=\"Shape1\" fill=\"white\" visibility=\"hidden\" d=\"M40 20C50 20 70 20 80 20C80 30 80 50 80 60C70 60 \
             50 60 40 60C40 50 40 30 40 20Z\">"
        ), "{text}");
        assert!(text.contains("to=\"visible\" begin=\"0.08s\" dur=\"0.28s\"/>"), "{text}");
        assert!(text.contains("<path id=\"Hole2\" fill=\"black\""));
        assert!(
            text.contains("begin=\"0.08s\" dur=\"0.24s\" fill=\"freeze\" keyTimes=\"0;1\" values=\"M40 20")
        );
        assert_eq!(text.matches("</path>").count(), 2);
    }

    #[test]
    fn an_empty_shot_is_black() {
        assert!(write(&empty()).ends_with("<rect width=\"100%\" height=\"100%\" fill=\"black\"/>\n</svg>\n"));
    }

    #[test]
    fn every_value_has_the_same_commands() {
        let shape = &ring([0.0; 2]).shapes[0];
        let commands = |text: String| text.chars().filter(char::is_ascii_alphabetic).collect::<String>();
        assert!(shape.keys.iter().all(|key| commands(path(key)) == "MCCCCZ"));
    }
}
