//! MLT's `rotoscoping` filter, one for each shape: as JSON for editors that keep it (Kdenlive, Shotcut), and as a
//! document that melt plays.
//!
//! Written after `filter_rotoscoping.yml` and `.c` of MLT's module plusgpl, and checked against melt 7.12. `spline`
//! is an object: for each keyframe, by its number, an array of `[handle before, point, handle after]`, each `[x, y]`
//! from 0 to 1 of the frame. The filter fills a row where its upper edge meets the spline, and a pixel if its right
//! edge is inside; places are moved by half a pixel each way, so that it is the pixel's centre. Between keyframes
//! every number moves evenly.
//!
//! The filter has no visibility: on frames without its shape, the points lie together outside the frame. The first
//! filter overwrites alpha, outer shapes after it add to it, holes take away. There is one blur for a whole filter, a
//! box: of the mean softness of all points.

use std::fmt::Write;

use glam::DVec2;

use super::super::shape::{Animation, Kind, Point, Shape};
use super::{number, xml::escaped};
use crate::error::{Error, Result};

/// A row's edges that the filter has room for; beyond it, it writes over its own stack.
const MOST_CROSSINGS: usize = 1024;
/// Where the points of a shape lie that is not seen: above the frame, to its left.
const AWAY: &str = "[-1,-1]";

/// The filters' properties, an array of objects.
pub(super) fn json(animation: &Animation) -> Result<String> {
    let mut text = String::from("[");
    for (i, filter) in filters(animation)?.iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma}\n{{\"name\":\"{}\",\"mlt_service\":\"rotoscoping\",\"mode\":\"alpha\",\"alpha_operation\":\"{}\",\
             \"invert\":0,\"feather\":{},\"feather_passes\":1,\"spline\":{}}}",
            filter.name, filter.operation, filter.feather, filter.spline
        );
    }
    Ok(text + "\n]\n")
}

/// A document: a white clip with the filters on it, whose alpha is the matte.
pub(super) fn document(animation: &Animation) -> Result<String> {
    let (width, height) = (animation.size.width_px, animation.size.height_px);
    let last = animation.frames.map_or(0, |(_, last)| last);
    // MLT counts in whole numbers: 23.976 as 23976 in 1000.
    let rate = (animation.frames_per_second * 1000.0).round();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<mlt LC_NUMERIC=\"C\">\n<profile description=\"shot\" width=\"{width}\" \
         height=\"{height}\" progressive=\"1\" sample_aspect_num=\"1\" sample_aspect_den=\"1\" display_aspect_num=\"{width}\" \
         display_aspect_den=\"{height}\" frame_rate_num=\"{rate}\" frame_rate_den=\"1000\" colorspace=\"709\"/>\n\
         <producer id=\"shot\" in=\"0\" out=\"{last}\">\n<property name=\"length\">{}</property>\n\
         <property name=\"mlt_service\">color</property>\n<property name=\"resource\">white</property>\n",
        last + 1
    );
    for filter in filters(animation)? {
        let properties = [
            ("mlt_service", "rotoscoping".to_owned()),
            ("mode", "alpha".to_owned()),
            ("alpha_operation", filter.operation.to_owned()),
            ("feather", filter.feather.to_string()),
            ("feather_passes", "1".to_owned()),
            ("spline", filter.spline),
        ];
        let _ = writeln!(text, "<filter id=\"{}\">", escaped(&filter.name));
        for (name, value) in properties {
            let _ = writeln!(text, "<property name=\"{name}\">{}</property>", escaped(&value));
        }
        text.push_str("</filter>\n");
    }
    Ok(text + "</producer>\n</mlt>\n")
}

struct Filter {
    name: String,
    operation: &'static str,
    /// The blur's radius, in pixels.
    feather: u32,
    spline: String,
}

fn filters(animation: &Animation) -> Result<Vec<Filter>> {
    let (first, last) = animation.frames.unwrap_or_default();
    let mut all = Vec::new();
    for (i, shape) in animation.shapes.iter().enumerate() {
        let operation = match (i, shape.kind) {
            (0, _) => "clear",
            (_, Kind::Outer) => "max",
            (_, Kind::Hole) => "sub",
        };
        check(shape)?;
        let size = DVec2::new(animation.size.width_px.into(), animation.size.height_px.into());
        let spline = spline(shape, size, (first, last));
        all.push(Filter { name: shape.name.clone(), operation, feather: feather(shape), spline });
    }
    if all.is_empty() {
        // Without a filter the clip would be seen whole.
        let spline = format!("{{\"0\":[{}]}}", away(3));
        all.push(Filter { name: "Nothing".to_owned(), operation: "clear", feather: 0, spline });
    }
    Ok(all)
}

fn away(points: usize) -> String {
    vec![format!("[{AWAY},{AWAY},{AWAY}]"); points].join(",")
}

fn spline(shape: &Shape, size: DVec2, (first, last): (u64, u64)) -> String {
    let count = shape.keys.first().map_or(0, |key| key.points.len());
    let mut keys = Vec::new();
    if shape.first > first {
        keys.push(format!("\"{}\":[{}]", shape.first - 1, away(count)));
    }
    let pair = |place: DVec2| {
        let place = (place + DVec2::new(0.5, -0.5)) / size;
        format!("[{},{}]", number(place.x, 6), number(place.y, 6))
    };
    let point =
        |p: &Point| format!("[{},{},{}]", pair(p.at + p.incoming), pair(p.at), pair(p.at + p.outgoing));
    for key in &shape.keys {
        let points: Vec<String> = key.points.iter().map(point).collect();
        keys.push(format!("\"{}\":[{}]", key.frame, points.join(",")));
    }
    if shape.last < last {
        keys.push(format!("\"{}\":[{}]", shape.last + 1, away(count)));
    }
    format!("{{{}}}", keys.join(","))
}

/// The radius of a box blur that takes as far from a tenth to nine tenths as the points do on average.
fn feather(shape: &Shape) -> u32 {
    let points = || shape.keys.iter().flat_map(|key| &key.points);
    let mean = points().map(|p| p.inner_px + p.outer_px).sum::<f64>() / points().count().max(1) as f64;
    ((mean / 0.8 - 1.0) / 2.0).round().clamp(0.0, 1000.0) as u32
}

/// Refuses a shape with more edges in a row than the filter has room for. A curve crosses a row no more often than
/// the polygon of its control points does.
fn check(shape: &Shape) -> Result<()> {
    for key in &shape.keys {
        let mut turns: Vec<(f64, i64)> = Vec::new();
        let mut edge = |a: DVec2, b: DVec2| {
            turns.push((a.y.min(b.y), 1));
            turns.push((a.y.max(b.y), -1));
        };
        for (a, b) in key.points.iter().zip(key.points.iter().cycle().skip(1)) {
            edge(a.at, a.at + a.outgoing);
            edge(a.at + a.outgoing, b.at + b.incoming);
            edge(b.at + b.incoming, b.at);
        }
        turns.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let (mut now, mut most) = (0i64, 0i64);
        for (_, turn) in turns {
            now += turn;
            most = most.max(now);
        }
        if most > MOST_CROSSINGS as i64 {
            return Err(Error::State(format!(
                "spline: {} crosses a row {most} times on frame {}, expected at most {MOST_CROSSINGS} for MLT",
                shape.name, key.frame
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::shape::Key;
    use super::super::samples::{empty, ring};
    use super::*;

    #[test]
    fn a_spline_is_an_object_of_frames_with_three_places_a_point() {
        let told: Value = serde_json::from_str(&super::json(&ring([0.0; 2])).unwrap()).unwrap();
        let spline = &told[0]["spline"];
        let frames: Vec<&String> = spline.as_object().unwrap().keys().collect();
        assert_eq!(frames, ["1", "2", "8", "9"]);
        assert_eq!(spline["1"][3], json!([[-1, -1], [-1, -1], [-1, -1]]));
        // 40.5 of 200 and 19.5 of 100; the handle before it is 10 pixels below, the one after 10 to the right.
        assert_eq!(spline["2"][0], json!([[0.2025, 0.295], [0.2025, 0.195], [0.2525, 0.195]]));
        assert_eq!(
            (&told[0]["alpha_operation"], &told[1]["alpha_operation"]),
            (&json!("clear"), &json!("sub"))
        );
        assert_eq!(told[0]["feather"], json!(0));
    }

    #[test]
    fn softness_becomes_a_box_of_the_same_width() {
        // 6 pixels from a tenth to nine tenths are 0.8 of a box of 7.5, whose radius is 3.25.
        let told: Value = serde_json::from_str(&super::json(&ring([2.0, 4.0])).unwrap()).unwrap();
        assert_eq!(told[0]["feather"], json!(3));
    }

    #[test]
    fn a_shot_without_shapes_is_empty_and_not_whole() {
        let text = document(&empty()).unwrap();
        assert_eq!(text.matches("<filter").count(), 1);
        assert!(text.contains("{&quot;0&quot;:[[[-1,-1],[-1,-1],[-1,-1]],"));
        assert!(text.contains("frame_rate_num=\"25000\" frame_rate_den=\"1000\""));
    }

    #[test]
    fn a_comb_that_the_filter_has_no_room_for_is_refused() {
        let mut comb = ring([0.0; 2]);
        let tooth = |n: u32| Point {
            at: DVec2::new(f64::from(n) / 10.0, f64::from(n % 2) * 50.0),
            incoming: DVec2::ZERO,
            outgoing: DVec2::ZERO,
            inner_px: 0.0,
            outer_px: 0.0,
        };
        comb.shapes[0].keys = vec![Key { frame: 2, points: (0..1100).map(tooth).collect() }];
        let said = document(&comb).unwrap_err().to_string();
        assert!(said.ends_with("on frame 2, expected at most 1024 for MLT"), "{said}");
    }
}
