//! A script for After Effects (File > Scripts > Run Script File): masks on the selected layer, or on a new solid of
//! the shot's size.
//!
//! Written after the After Effects Scripting Guide (objects Shape, Property, MaskPropertyGroup) and never run in After
//! Effects. A Shape has `vertices`, and `inTangents` and `outTangents` relative to them; a layer's coordinates are
//! pixels, y down, from the top left corner of its top left pixel, as here. A frame's time is its number times the
//! composition's `frameDuration`. Between keyframes paths move evenly; a mask is opaque from its first frame to its
//! last one, by keys of its opacity that hold. Outer shapes are added, holes subtracted, in the order in which they are
//! drawn.
//!
//! Softness: where any point is soft, each vertex gets an outer and an inner feather point (`featherSegLocs` and what
//! belongs to it, since After Effects CS6); a version that refuses them gets the mean as the mask's own feather.

use std::fmt::Write;

use glam::DVec2;

use super::super::shape::{Animation, Key, Kind, Shape};
use super::number;

/// What the data below it are given to.
const SCRIPT: &str = r#"(function () {
  app.beginUndoGroup("rotomask splines");
  try {
    var comp = app.project.activeItem;
    if (!(comp instanceof CompItem)) {
      comp = app.project.items.addComp("rotomask", DATA.width, DATA.height, 1, DATA.frames / DATA.rate, DATA.rate);
    }
    var layer = comp.selectedLayers.length > 0
      ? comp.selectedLayers[0]
      : comp.layers.addSolid([1, 1, 1], "rotomask", DATA.width, DATA.height, 1);
    var time = function (frame) { return frame * comp.frameDuration; };
    var hold = KeyframeInterpolationType.HOLD, linear = KeyframeInterpolationType.LINEAR;
    var shapeOf = function (key, soft) {
      var shape = new Shape();
      shape.vertices = key.v;
      shape.inTangents = key.i;
      shape.outTangents = key.o;
      shape.closed = true;
      if (soft) {
        var seg = [], rel = [], radii = [], types = [], zeros = [];
        for (var n = 0; n < key.v.length; n++) {
          seg.push(n, n);
          rel.push(0, 0);
          radii.push(key.f[n][1], -key.f[n][0]);
          types.push(0, 1);
          zeros.push(0, 0);
        }
        shape.featherSegLocs = seg;
        shape.featherRelSegLocs = rel;
        shape.featherRadii = radii;
        shape.featherTypes = types;
        shape.featherInterps = zeros;
        shape.featherTensions = zeros;
        shape.featherRelCornerAngles = zeros;
      }
      return shape;
    };
    for (var m = 0; m < DATA.masks.length; m++) {
      var data = DATA.masks[m];
      var mask = layer.property("ADBE Mask Parade").addProperty("ADBE Mask Atom");
      mask.name = data.name;
      mask.maskMode = data.hole ? MaskMode.SUBTRACT : MaskMode.ADD;
      var path = mask.property("ADBE Mask Shape");
      var times = [];
      for (var k = 0; k < data.keys.length; k++) { times.push(time(data.keys[k].t)); }
      var setPaths = function (soft) {
        var shapes = [];
        for (var k = 0; k < data.keys.length; k++) { shapes.push(shapeOf(data.keys[k], soft)); }
        path.setValuesAtTimes(times, shapes);
      };
      try {
        setPaths(data.feather > 0);
      } catch (refused) {
        setPaths(false);
        mask.property("ADBE Mask Feather").setValue([data.feather, data.feather]);
      }
      for (var p = 1; p <= path.numKeys; p++) { path.setInterpolationTypeAtKey(p, linear, linear); }
      var opacity = mask.property("ADBE Mask Opacity");
      if (data.first > DATA.first) { opacity.setValueAtTime(time(DATA.first), 0); }
      opacity.setValueAtTime(time(data.first), 100);
      opacity.setValueAtTime(time(data.last + 1), 0);
      for (var q = 1; q <= opacity.numKeys; q++) { opacity.setInterpolationTypeAtKey(q, hold, hold); }
    }
  } finally {
    app.endUndoGroup();
  }
})();
"#;

pub(super) fn write(animation: &Animation) -> String {
    let (first, last) = animation.frames.unwrap_or_default();
    let mut text = format!(
        "// Splines of rotomask for After Effects: run it with a layer selected.\nvar DATA = {{width: {}, height: {}, first: \
         {first}, frames: {}, rate: {}, masks: [",
        animation.size.width_px,
        animation.size.height_px,
        last + 1,
        number(animation.frames_per_second, 6)
    );
    for (i, shape) in animation.shapes.iter().enumerate() {
        let _ = write!(
            text,
            "{}\n{{name: \"{}\", hole: {}, first: {}, last: {}, feather: {}, keys: [",
            if i > 0 { "," } else { "" },
            shape.name,
            shape.kind == Kind::Hole,
            shape.first,
            shape.last,
            number(feather(shape), 3)
        );
        for (k, key) in shape.keys.iter().enumerate() {
            text.push_str(if k > 0 { ",\n" } else { "\n" });
            key_into(&mut text, key);
        }
        text.push_str("]}");
    }
    text + "]};\n" + SCRIPT
}

fn key_into(text: &mut String, key: &Key) {
    let pair = |place: DVec2| format!("[{},{}]", number(place.x, 3), number(place.y, 3));
    let list = |all: Vec<String>| format!("[{}]", all.join(","));
    let _ = write!(
        text,
        "{{t: {}, v: {}, i: {}, o: {}, f: {}}}",
        key.frame,
        list(key.points.iter().map(|p| pair(p.at)).collect()),
        list(key.points.iter().map(|p| pair(p.incoming)).collect()),
        list(key.points.iter().map(|p| pair(p.outgoing)).collect()),
        list(key.points.iter().map(|p| pair(DVec2::new(p.inner_px, p.outer_px))).collect())
    );
}

/// The mean softness of all points; a mask's own feather lies half to each side, as it does.
fn feather(shape: &Shape) -> f64 {
    let points = || shape.keys.iter().flat_map(|key| &key.points);
    points().map(|p| p.inner_px + p.outer_px).sum::<f64>() / points().count().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::samples::ring;
    use super::*;

    #[test]
    fn a_key_has_vertices_and_tangents_relative_to_them() {
        let text = write(&ring([0.0; 2]));
        assert!(text.contains(
            "{name: \"Shape1\", hole: false, first: 2, last: 8, feather: 0, keys: [\n{t: 2, v: \
             [[40,20],[80,20],[80,60],[40,60]], i: [[0,10],[-10,0],[0,-10],[10,0]], o: [[10,0],[0,10],[-10,0],[0,-10]], f: \
             [[0,0],[0,0],[0,0],[0,0]]},\n{t: 8,"
        ), "{text}");
        assert!(text.contains("{name: \"Hole2\", hole: true, first: 4, last: 6"));
    }

    #[test]
    fn softness_is_told_for_each_vertex_and_for_the_mask() {
        let text = write(&ring([1.0, 2.5]));
        assert!(text.contains("f: [[1,2.5],[1,2.5],[1,2.5],[1,2.5]]"));
        assert!(text.contains("feather: 3.5, keys"));
    }

    #[test]
    fn brackets_are_closed_and_nothing_is_no_number() {
        let text = write(&ring([0.0; 2]));
        for (open, close) in [('{', '}'), ('[', ']'), ('(', ')')] {
            assert_eq!(text.matches(open).count(), text.matches(close).count(), "{open}");
        }
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }
}
