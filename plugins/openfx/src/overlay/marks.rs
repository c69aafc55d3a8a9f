//! What is drawn: points and boxes, those of the current frame in full, those of others faint and with their frame.

use plugin_common::Result;
use rotomask::prompt::Box;

use super::canvas::{Canvas, Colour};
use crate::controls::{POINTS, point};
use crate::effect::Effect;
use crate::geometry::Geometry;
use crate::state;

const POSITIVE: Colour = [0.2, 0.9, 0.3, 1.0];
const NEGATIVE: Colour = [0.95, 0.25, 0.2, 1.0];
const BOX: Colour = [0.95, 0.8, 0.2, 1.0];
const SHADOW: Colour = [0.0, 0.0, 0.0, 0.7];
/// How much of a mark is seen on other frames than its own.
const FAINT: f32 = 0.3;
/// A point's radius, in pixels of the screen.
const RADIUS_PX: f64 = 5.0;
const CORNERS: usize = 16;

/// Where points are shown that the host may have handles for.
pub fn places(effect: &Effect) -> Vec<[f64; 2]> {
    let params = effect.params();
    let shown = (0..POINTS).map(point).filter(|names| params.int(&names.on, None) == Some(1));
    shown.filter_map(|names| params.point(&names.place)).collect()
}

/// Draws all marks.
///
/// # Errors
/// If what is said can't be read.
pub fn draw(
    effect: &Effect,
    canvas: &Canvas,
    time: f64,
    pixel: [f64; 2],
    drag: Option<[[f64; 2]; 2]>,
) -> Result<()> {
    if let Some([[ax, ay], [bx, by]]) = drag {
        canvas.ring(BOX, 1.0, &[[ax, ay], [bx, ay], [bx, by], [ax, by]]);
    }
    let geometry = Geometry::of(effect, time)?;
    let here = geometry.frame(time).ok();
    for (id, object) in &state::prompts(effect, &geometry)?.objects {
        for (&frame, said) in &object.frames {
            let strength = if Some(frame) == here { 1.0 } else { FAINT };
            let label = match (Some(frame) == here, id) {
                (true, 1) => String::new(),
                (true, id) => format!("object {id}"),
                (false, _) => format!("frame {}", geometry.time(frame)),
            };
            for click in &said.clicks {
                let at = geometry.canvas_of_click([click.x_px, click.y_px]);
                let colour = faded(if click.positive { POSITIVE } else { NEGATIVE }, strength);
                cross(canvas, at, pixel, colour, click.positive, strength);
                if !label.is_empty() {
                    canvas.text(colour, [at[0] + 8.0 * pixel[0], at[1] + 4.0 * pixel[1]], &label);
                }
            }
            if let Some(Box { x0_px, y0_px, x1_px, y1_px }) = said.bounds {
                let corners = [[x0_px, y0_px], [x1_px, y0_px], [x1_px, y1_px], [x0_px, y1_px]];
                let corners = corners.map(|corner| geometry.canvas_of_edge(corner));
                canvas.ring(faded(SHADOW, strength), 3.0, &corners);
                canvas.ring(faded(BOX, strength), 1.0, &corners);
                if !label.is_empty() {
                    canvas.text(faded(BOX, strength), corners[0], &label);
                }
            }
        }
    }
    Ok(())
}

fn faded([r, g, b, a]: Colour, strength: f32) -> Colour {
    [r, g, b, a * strength]
}

/// A circle with a plus or a minus in it.
fn cross(canvas: &Canvas, [x, y]: [f64; 2], [w, h]: [f64; 2], colour: Colour, plus: bool, strength: f32) {
    let circle = |radius: f64| -> Vec<[f64; 2]> {
        let angle = |i: usize| std::f64::consts::TAU * i as f64 / CORNERS as f64;
        (0..CORNERS).map(|i| [x + angle(i).cos() * radius * w, y + angle(i).sin() * radius * h]).collect()
    };
    canvas.ring(faded(SHADOW, strength), 3.0, &circle(RADIUS_PX));
    canvas.ring(colour, 1.5, &circle(RADIUS_PX));
    let (dx, dy) = (0.5 * RADIUS_PX * w, 0.5 * RADIUS_PX * h);
    let mut lines = vec![[x - dx, y], [x + dx, y]];
    if plus {
        lines.extend([[x, y - dy], [x, y + dy]]);
    }
    canvas.lines(colour, 1.5, &lines);
}
