//! Whole shots, from masks to shapes.

use glam::DVec2;

use super::pictures::{coverage, moved, polygon, view};
use super::*;

const SIZE: (u32, u32) = (160, 120);

fn splines(settings: Settings) -> Splines {
    Splines::new(Size::new(SIZE.0, SIZE.1).unwrap(), settings).unwrap()
}

/// What a shot of `frames` frames comes to.
fn shot(frames: u64, settings: Settings, picture: impl Fn(u64) -> Vec<f32>) -> Animation {
    let mut splines = splines(settings);
    for frame in 0..frames {
        splines.add(frame, view(SIZE, &picture(frame))).unwrap();
    }
    splines.finish()
}

fn disc(x: f64, y: f64, radius: f64) -> impl Fn(f64, f64) -> f64 {
    move |u, v| radius + 0.5 - (u - x).hypot(v - y)
}

/// What lives when, and how many points and keys it has.
fn lives(animation: &Animation) -> Vec<(Kind, u64, u64)> {
    animation.shapes.iter().map(|shape| (shape.kind, shape.first, shape.last)).collect()
}

#[test]
fn a_circle_that_moves_evenly_has_few_points_and_two_keys() {
    let animation =
        shot(13, Settings::default(), |n| coverage(SIZE, disc(40.0 + 5.0 * n as f64, 60.0, 25.0)));
    assert_eq!(lives(&animation), [(Kind::Outer, 0, 12)]);
    let shape = &animation.shapes[0];
    assert_eq!(shape.keys.iter().map(|key| key.frame).collect::<Vec<_>>(), [0, 12]);
    assert!(shape.keys[0].points.len() <= 6, "{}", shape.keys[0].points.len());
    assert!(animation.measured.rms_px() < 0.3, "{:?}", animation.measured);
    assert!(animation.measured.share() < 0.1);
    // Between the keys it is where it was.
    let points = shape.at(6).unwrap();
    let centre: DVec2 = points.iter().map(|p| p.at).sum::<DVec2>() / points.len() as f64;
    assert!((centre - DVec2::new(70.0, 60.0)).length() < 1.5, "{centre}");
    assert!(shape.at(13).is_none());
}

#[test]
fn a_square_has_its_corners() {
    let corners = [[-30.0, -20.0], [30.0, -20.0], [30.0, 20.0], [-30.0, 20.0]];
    let animation = shot(1, Settings::default(), |_| polygon(SIZE, &moved(&corners, 0.0, [80.25, 60.5])));
    let points = &animation.shapes[0].keys[0].points;
    assert!(points.len() <= 8, "{}", points.len());
    for [x, y] in moved(&corners, 0.0, [80.25, 60.5]) {
        let near = points.iter().map(|p| p.at.distance(DVec2::new(x, y))).fold(f64::MAX, f64::min);
        assert!(near < 1.0, "no point near {x}, {y}: {points:?}");
    }
    assert!(animation.measured.worst_px < 1.0, "{:?}", animation.measured);
}

#[test]
fn a_ring_is_a_shape_and_a_hole_that_is_drawn_after_it() {
    let ring = |x: f64, y: f64| disc(80.0, 60.0, 40.0)(x, y).min(1.0 - disc(80.0, 60.0, 15.0)(x, y));
    let animation = shot(3, Settings::default(), |_| coverage(SIZE, ring));
    assert_eq!(lives(&animation), [(Kind::Outer, 0, 2), (Kind::Hole, 0, 2)]);
    assert_eq!((animation.shapes[1].depth, animation.shapes[1].name.as_str()), (1, "Hole2"));
    // Away from what is covered: out of the ring, and into its hole.
    for (shape, sign) in animation.shapes.iter().zip([1.0, -1.0]) {
        for point in &shape.keys[0].points {
            assert!(sign * point.outward().dot(point.at - DVec2::new(80.0, 60.0)) > 0.0);
        }
    }
}

#[test]
fn a_small_thing_that_meets_a_large_one_ends_there() {
    let picture = |n: u64| {
        let (large, small) = (disc(60.0, 60.0, 32.0), disc(140.0 - 6.0 * n as f64, 60.0, 10.0));
        coverage(SIZE, move |x, y| large(x, y).max(small(x, y)))
    };
    let animation = shot(10, Settings::default(), picture);
    let of = |index: usize| (animation.shapes[index].first, animation.shapes[index].last);
    assert!(animation.shapes.len() >= 2, "{:?}", lives(&animation));
    assert!(animation.shapes.iter().all(|shape| shape.kind == Kind::Outer));
    // One of them is on all frames, or goes on where one that was cut left off; the small one ends when they meet.
    let small = (0..animation.shapes.len()).find(|i| of(*i) != (0, 9) && of(*i).0 == 0).unwrap();
    assert!((5..=7).contains(&of(small).1), "{:?}", lives(&animation));
}

#[test]
fn a_point_of_a_thing_that_turns_and_moves_stays_on_its_place() {
    let thing = [[-30.0, -25.0], [-8.0, -25.0], [-8.0, 10.0], [30.0, 10.0], [30.0, 25.0], [-30.0, 25.0]];
    let pose = |n: u64| (3.0 * n as f64, [65.0 + n as f64, 58.0]);
    let settings = Settings { key_tolerance_px: 0.0, ..Settings::default() };
    let animation = shot(31, settings, |n| polygon(SIZE, &moved(&thing, pose(n).0, pose(n).1)));
    assert_eq!(lives(&animation), [(Kind::Outer, 0, 30)]);
    let on_thing = |n: u64, at: DVec2| {
        let (degrees, by) = pose(n);
        DVec2::from_angle(-degrees.to_radians()).rotate(at - DVec2::from(by))
    };
    let [first, last] = [0, 30].map(|n| animation.shapes[0].at(n).unwrap());
    for (a, b) in first.iter().zip(&last) {
        let slipped = on_thing(0, a.at).distance(on_thing(30, b.at));
        assert!(slipped < 5.0, "by {slipped} px from {}", a.at);
    }
    assert!(animation.measured.rms_px() < 0.5, "{:?}", animation.measured);
}

#[test]
fn a_thing_that_comes_late_and_goes_early_is_seen_on_its_frames_only() {
    let picture = |n: u64| match n {
        3..=6 => coverage(SIZE, disc(50.0, 60.0, 20.0)),
        _ => coverage(SIZE, |_, _| 0.0),
    };
    let animation = shot(10, Settings::default(), picture);
    assert_eq!(lives(&animation), [(Kind::Outer, 3, 6)]);
    assert_eq!(animation.frames, Some((0, 9)));
    assert_eq!(animation.shapes[0].keys.len(), 2);
}

#[test]
fn empty_frames_have_no_shape_and_a_speck_is_left_out() {
    let animation = shot(3, Settings::default(), |_| coverage(SIZE, disc(50.0, 60.0, 1.5)));
    assert!(animation.shapes.is_empty());
    assert_eq!(animation.measured, Measured::default());
}

#[test]
fn a_thing_at_the_frames_edge_is_closed_along_it() {
    let animation = shot(2, Settings::default(), |_| coverage(SIZE, disc(0.0, 119.0, 40.0)));
    let points = &animation.shapes[0].keys[0].points;
    assert!(points.iter().all(|p| p.at.x > -0.6 && p.at.y < 120.6), "{points:?}");
    let corner = points.iter().map(|p| p.at.distance(DVec2::new(0.0, 120.0))).fold(f64::MAX, f64::min);
    assert!(corner < 1.5, "{points:?}");
}

#[test]
fn a_soft_edge_gives_its_points_widths_and_a_hard_one_does_not() {
    let soft = shot(1, Settings::default(), |_| {
        coverage(SIZE, |x, y| 0.5 - ((x - 80.0).hypot(y - 60.0) - 30.0) / 12.0)
    });
    for point in &soft.shapes[0].keys[0].points {
        assert!((point.inner_px - 4.8).abs() < 0.6 && (point.outer_px - 4.8).abs() < 0.6, "{point:?}");
    }
    let hard = shot(1, Settings::default(), |_| coverage(SIZE, disc(80.0, 60.0, 30.0)));
    assert!(hard.shapes[0].keys[0].points.iter().all(|p| p.inner_px == 0.0 && p.outer_px == 0.0));
}

#[test]
fn frames_come_in_order_and_of_one_size() {
    let mut splines = splines(Settings::default());
    let pixels = coverage(SIZE, disc(80.0, 60.0, 30.0));
    splines.add(5, view(SIZE, &pixels)).unwrap();
    let said = splines.add(5, view(SIZE, &pixels)).unwrap_err().to_string();
    assert_eq!(said, "spline: frame 5 was added after 5, expected a later one");
    let said = splines.add(6, view((120, 160), &pixels)).unwrap_err().to_string();
    assert_eq!(said, "frame: the coverage is 120x160, expected 160x120, the shot's size");
    let mut holed = pixels.clone();
    holed[161] = f32::INFINITY;
    assert!(splines.add(6, view(SIZE, &holed)).is_err());
    // Nothing of a refused frame is left.
    splines.add(6, view(SIZE, &pixels)).unwrap();
    assert_eq!(lives(&splines.finish()), [(Kind::Outer, 5, 6)]);
}

#[test]
fn settings_outside_their_range_are_refused_by_name() {
    let size = Size::new(8, 8).unwrap();
    for (settings, part) in [
        (
            Settings { tolerance_px: 0.0, ..Settings::default() },
            "tolerance_px: found 0, expected 0.05 to 64 px",
        ),
        (Settings { key_tolerance_px: f64::NAN, ..Settings::default() }, "key_tolerance_px: found NaN"),
        (Settings { min_area_px2: -1.0, ..Settings::default() }, "min_area_px2: found -1"),
        (Settings { frames_per_second: 0.0, ..Settings::default() }, "frames_per_second: found 0"),
    ] {
        let said = Splines::new(size, settings).unwrap_err().to_string();
        assert!(said.starts_with(part), "{said}");
    }
}

#[test]
fn the_least_frames_give_the_least_shapes() {
    // A single pixel, and a frame of one pixel.
    let all = Settings { min_area_px2: 0.0, ..Settings::default() };
    let mut splines = Splines::new(Size::new(1, 1).unwrap(), all).unwrap();
    splines.add(0, view((1, 1), &[1.0])).unwrap();
    splines.add(1, view((1, 1), &[0.6])).unwrap();
    let animation = splines.finish();
    assert!(
        animation.shapes.iter().all(|s| s.keys.iter().all(|k| k.points.iter().all(|p| p.at.is_finite())))
    );
    for format in Format::ALL {
        let text = animation.write(format).unwrap();
        assert!(!text.contains("NaN") && !text.contains("inf"), "{format:?}");
    }
}
