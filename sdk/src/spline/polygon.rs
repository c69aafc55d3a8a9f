//! Closed polygons: area, centre, what lies in them, how much two have in common.

use glam::{DVec2, Vec2};

/// In square pixels; positive if it runs clockwise on the screen.
pub(super) fn area(vertices: &[Vec2]) -> f64 {
    let edges = edges(vertices);
    edges.map(|(a, b)| a.as_dvec2().perp_dot(b.as_dvec2())).sum::<f64>() / 2.0
}

/// The centre of gravity; that of the vertices where there is no area.
pub(super) fn centroid(vertices: &[Vec2]) -> DVec2 {
    let origin = vertices.first().copied().unwrap_or_default().as_dvec2();
    let (mut sum, mut twice) = (DVec2::ZERO, 0.0);
    for (a, b) in edges(vertices) {
        let (a, b) = (a.as_dvec2() - origin, b.as_dvec2() - origin);
        let cross = a.perp_dot(b);
        twice += cross;
        sum += (a + b) * cross;
    }
    if twice.abs() < 1e-9 {
        let sum: DVec2 = vertices.iter().map(|v| v.as_dvec2()).sum();
        return sum / vertices.len().max(1) as f64;
    }
    origin + sum / (3.0 * twice)
}

/// Whether a place lies within, by the number of edges to its right.
pub(super) fn contains(vertices: &[Vec2], place: Vec2) -> bool {
    let right = |&(a, b): &(Vec2, Vec2)| {
        (a.y > place.y) != (b.y > place.y) && place.x < a.x + (place.y - a.y) / (b.y - a.y) * (b.x - a.x)
    };
    edges(vertices).filter(right).count() % 2 == 1
}

fn edges(vertices: &[Vec2]) -> impl Iterator<Item = (Vec2, Vec2)> {
    vertices.iter().copied().zip(vertices.iter().copied().cycle().skip(1))
}

/// What a polygon covers of each row of pixels, along the row's middle.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    top: i64,
    /// Sorted: from the first to the second it is inside, from the third to the fourth, and so on.
    rows: Vec<Vec<f32>>,
    area: f64,
}

impl Spans {
    pub(super) fn new(vertices: &[Vec2]) -> Self {
        let ys = || vertices.iter().map(|v| v.y);
        let top = ys().fold(f32::MAX, f32::min).floor().max(-1.0) as i64;
        let bottom = ys().fold(f32::MIN, f32::max).ceil() as i64;
        let mut rows = vec![Vec::new(); usize::try_from(bottom - top).unwrap_or(0)];
        for (a, b) in edges(vertices) {
            let (high, low) = if a.y < b.y { (a, b) } else { (b, a) };
            // Rows whose middle lies in [high.y, low.y).
            let first = (high.y - 0.5).ceil() as i64;
            let end = (low.y - 0.5).ceil() as i64;
            for y in first..end {
                let t = (y as f32 + 0.5 - high.y) / (low.y - high.y);
                if let Some(row) = usize::try_from(y - top).ok().and_then(|y| rows.get_mut(y)) {
                    row.push(high.x + t * (low.x - high.x));
                }
            }
        }
        rows.iter_mut().for_each(|row| row.sort_by(f32::total_cmp));
        let length = |row: &Vec<f32>| row.chunks_exact(2).map(|s| f64::from(s[1] - s[0])).sum::<f64>();
        let area = rows.iter().map(length).sum();
        Self { top, rows, area }
    }

    /// Intersection over union, this one moved by so many pixels, whole ones downwards.
    pub(super) fn iou(&self, other: &Self, by: DVec2) -> f64 {
        let down = by.y.round() as i64;
        let mut common = 0.0;
        for (y, row) in (self.top + down..).zip(&self.rows) {
            let there = usize::try_from(y - other.top).ok().and_then(|y| other.rows.get(y));
            let Some(there) = there else { continue };
            let (mut i, mut j) = (0, 0);
            while i + 1 < row.len() && j + 1 < there.len() {
                let (a, b) = ([row[i] + by.x as f32, row[i + 1] + by.x as f32], [there[j], there[j + 1]]);
                common += f64::from((a[1].min(b[1]) - a[0].max(b[0])).max(0.0));
                if a[1] < b[1] { i += 2 } else { j += 2 }
            }
        }
        common / (self.area + other.area - common).max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Vec<Vec2> {
        [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
            .map(|(x, y)| Vec2::new(x, y))
            .to_vec()
    }

    #[test]
    fn a_rectangle_has_its_area_centre_and_inside() {
        let wide = rectangle(3.0, 5.0, 12.0, 4.0);
        assert_eq!(area(&wide), 48.0);
        assert!((centroid(&wide) - DVec2::new(9.0, 7.0)).length() < 1e-6);
        assert!(contains(&wide, Vec2::new(14.0, 6.0)) && !contains(&wide, Vec2::new(14.0, 9.5)));
        let back: Vec<Vec2> = wide.into_iter().rev().collect();
        assert_eq!(area(&back), -48.0);
    }

    #[test]
    fn what_two_have_in_common_is_measured_after_a_move() {
        let (a, b) =
            (Spans::new(&rectangle(0.0, 0.0, 10.0, 6.0)), Spans::new(&rectangle(5.0, 0.0, 10.0, 6.0)));
        assert!((a.iou(&b, DVec2::ZERO) - 1.0 / 3.0).abs() < 1e-6);
        assert!((a.iou(&b, DVec2::new(5.0, 0.0)) - 1.0).abs() < 1e-6);
        assert_eq!(a.iou(&b, DVec2::new(0.0, 40.0)), 0.0);
    }
}
