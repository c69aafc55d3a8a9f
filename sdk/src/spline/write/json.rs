//! Our own JSON, which holds all there is. `docs/splines.md` describes it.

use serde_json::{Value, json};

use super::super::shape::{Animation, Kind, Point, Shape};

/// The version of the form.
const VERSION: u32 = 1;

pub(super) fn write(animation: &Animation) -> String {
    let measured = &animation.measured;
    let document = json!({
        "rotomask_splines": VERSION,
        "width_px": animation.size.width_px,
        "height_px": animation.size.height_px,
        "first": animation.frames.map_or(0, |(first, _)| first),
        "last": animation.frames.map_or(0, |(_, last)| last),
        "frames_per_second": animation.frames_per_second,
        "rms_px": rounded(measured.rms_px()),
        "worst_px": rounded(measured.worst_px),
        "shapes": animation.shapes.iter().map(shape).collect::<Vec<_>>(),
    });
    document.to_string() + "\n"
}

fn shape(shape: &Shape) -> Value {
    let keys: Vec<Value> = shape
        .keys
        .iter()
        .map(|key| json!({ "frame": key.frame, "points": key.points.iter().map(point).collect::<Vec<_>>() }))
        .collect();
    let kind = if shape.kind == Kind::Hole { "hole" } else { "outer" };
    json!({
        "name": shape.name, "kind": kind, "depth": shape.depth, "first": shape.first, "last": shape.last, "keys": keys,
    })
}

/// `[x, y, incoming x, y, outgoing x, y, inner, outer]`, in pixels; handles relative to their point.
fn point(point: &Point) -> Value {
    let Point { at, incoming, outgoing, inner_px, outer_px } = point;
    let all = [at.x, at.y, incoming.x, incoming.y, outgoing.x, outgoing.y, *inner_px, *outer_px];
    Value::Array(all.map(rounded).to_vec())
}

/// To a thousandth of a pixel. JSON has no number that is none: 0 then.
fn rounded(value: f64) -> Value {
    let value = (value * 1000.0).round() / 1000.0;
    json!(if value.is_finite() { value + 0.0 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::super::samples::ring;
    use super::*;

    #[test]
    fn a_ring_is_written_with_its_hole_after_it() {
        let told: Value = serde_json::from_str(&write(&ring([0.0, 2.5]))).unwrap();
        assert_eq!((&told["rotomask_splines"], &told["width_px"]), (&json!(1), &json!(200)));
        let kinds: Vec<_> = told["shapes"].as_array().unwrap().iter().map(|s| s["kind"].clone()).collect();
        assert_eq!(kinds, [json!("outer"), json!("hole")]);
        let key = &told["shapes"][0]["keys"][1];
        assert_eq!(key["frame"], json!(8));
        assert_eq!(key["points"][1], json!([140.0, 20.0, -10.0, 0.0, 0.0, 10.0, 0.0, 2.5]));
    }
}
