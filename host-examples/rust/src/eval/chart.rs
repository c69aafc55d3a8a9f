//! Curves in panels, drawn by a pen that knows nothing of them.

use std::path::Path;

use super::{raster::Raster, score::Curve, svg::Svg};
use crate::{Error, Result};

/// Panels side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// From left to right.
    pub panels: Vec<Panel>,
}

/// Curves over one pair of axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What goes up.
    pub title: String,
    /// What goes across.
    pub across: String,
    /// The curves.
    pub series: Vec<Series>,
}

/// A curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name.
    pub label: String,
    /// Across and up, from left to right.
    pub points: Curve,
}

/// Where a text's place is in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// At its left.
    Start,
    /// In its middle.
    Middle,
    /// At its right.
    End,
}

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Draws on white.
pub trait Pen {
    /// Joins points by a line of a width in pixels.
    fn line(&mut self, points: &[[f64; 2]], colour: Colour, width: f64);
    /// A filled disk.
    fn dot(&mut self, at: [f64; 2], radius: f64, colour: Colour);
    /// A text whose letters stand on a line through `at`.
    fn text(&mut self, at: [f64; 2], anchor: Anchor, text: &str);
}

/// How a chart is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines.
    Svg,
    /// Pixels.
    Png,
}

impl Format {
    /// By a file's suffix.
    ///
    /// # Errors
    /// If it is another.
    pub fn of(path: &Path) -> Result<Self> {
        match path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase()).as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(Error::Usage(format!("{}: a plot is written as .svg or .png", path.display()))),
        }
    }
}

const PANEL: [f64; 2] = [480.0, 300.0];
const MARGIN_LEFT: f64 = 52.0;
const MARGIN_RIGHT: f64 = 20.0;
const MARGIN_TOP: f64 = 34.0;
const MARGIN_BOTTOM: f64 = 44.0;
const LEGEND_ROW: f64 = 16.0;

const INK: Colour = [60, 60, 60];
const GRID: Colour = [224, 224, 224];

/// Told apart by people of any colour vision (Okabe and Ito).
const COLOURS: [Colour; 7] =
    [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [0, 0, 0]];

/// The least that goes from bottom to top, in units of J&F.
const LEAST_RANGE: f64 = 0.1;

/// Curves of up to so many points show them.
const MOST_DOTS: usize = 16;

impl Chart {
    /// The bytes of a picture file, in the format of its suffix.
    ///
    /// # Errors
    /// If there is no such format.
    pub fn draw(&self, path: &Path) -> Result<Vec<u8>> {
        let rows = self.panels.iter().map(|panel| panel.series.len()).max().unwrap_or(0);
        let height = PANEL[1] + rows as f64 * LEGEND_ROW;
        let size = [PANEL[0] * self.panels.len().max(1) as f64, height];
        match Format::of(path)? {
            Format::Svg => {
                let mut svg = Svg::new(size);
                self.draw_with(&mut svg);
                Ok(svg.finish().into_bytes())
            }
            Format::Png => {
                let mut raster = Raster::new(size);
                self.draw_with(&mut raster);
                raster.png()
            }
        }
    }

    fn draw_with(&self, pen: &mut impl Pen) {
        for (place, panel) in self.panels.iter().enumerate() {
            panel.draw(pen, place as f64 * PANEL[0]);
        }
    }
}

impl Panel {
    fn draw(&self, pen: &mut impl Pen, left: f64) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let range = |axis: usize| {
            let values = points().map(|point| point[axis]).filter(|value| value.is_finite());
            values.fold(None, |range: Option<[f64; 2]>, value| {
                let [low, high] = range.unwrap_or([value, value]);
                Some([low.min(value), high.max(value)])
            })
        };
        let across = ticks(range(0).unwrap_or([0.0, 1.0]), 8);
        let up = ticks(widened(range(1).unwrap_or([0.0, 1.0])), 6);
        let (x0, x1) = (left + MARGIN_LEFT, left + PANEL[0] - MARGIN_RIGHT);
        let (y0, y1) = (PANEL[1] - MARGIN_BOTTOM, MARGIN_TOP);
        let place = |value: f64, ticks: &[f64], from: f64, to: f64| {
            let (low, high) = (ticks[0], ticks[ticks.len() - 1]);
            from + (value - low) / (high - low) * (to - from)
        };
        for &tick in &up {
            let y = place(tick, &up, y0, y1);
            pen.line(&[[x0, y], [x1, y]], GRID, 1.0);
            pen.text([x0 - 6.0, y + 4.0], Anchor::End, &number(tick, &up));
        }
        for &tick in &across {
            let x = place(tick, &across, x0, x1);
            pen.line(&[[x, y0], [x, y0 + 4.0]], INK, 1.0);
            pen.text([x, y0 + 17.0], Anchor::Middle, &number(tick, &across));
        }
        pen.line(&[[x0, y0], [x1, y0]], INK, 1.0);
        pen.text([x0, MARGIN_TOP - 14.0], Anchor::Start, &self.title);
        pen.text([(x0 + x1) / 2.0, y0 + 35.0], Anchor::Middle, &self.across);
        for (row, series) in self.series.iter().enumerate() {
            let colour = COLOURS[row % COLOURS.len()];
            let points: Vec<[f64; 2]> = series
                .points
                .iter()
                .filter(|point| point.iter().all(|value| value.is_finite()))
                .map(|point| [place(point[0], &across, x0, x1), place(point[1], &up, y0, y1)])
                .collect();
            pen.line(&points, colour, 2.0);
            if points.len() <= MOST_DOTS {
                points.iter().for_each(|&point| pen.dot(point, 3.0, colour));
            }
            let y = PANEL[1] + row as f64 * LEGEND_ROW;
            pen.line(&[[x0, y], [x0 + 22.0, y]], colour, 2.0);
            pen.text([x0 + 30.0, y + 4.0], Anchor::Start, &series.label);
        }
    }
}

/// The range upwards, made so wide that differences without meaning don't look like mountains.
fn widened([low, high]: [f64; 2]) -> [f64; 2] {
    let missing = (LEAST_RANGE - (high - low)).max(0.0) / 2.0;
    [low - missing, high + missing]
}

/// Round numbers that enclose a range, about `wanted` of them; at least two.
fn ticks([low, high]: [f64; 2], wanted: usize) -> Vec<f64> {
    let (low, high) = if high > low { (low, high) } else { (low - 0.05, low + 0.05) };
    let rough = (high - low) / wanted as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((low / step + 1e-9).floor() as i64, (high / step - 1e-9).ceil() as i64);
    (first..=last.max(first + 1)).map(|n| n as f64 * step).collect()
}

fn number(value: f64, ticks: &[f64]) -> String {
    let step = ticks[1] - ticks[0];
    let digits = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart {
        let series =
            |label: &str, points: &[[f64; 2]]| Series { label: label.into(), points: points.to_vec() };
        let one = series("online <1>", &[[1.0, 0.5], [2.0, 0.61], [8.0, 0.7]]);
        let panel = |title: &str, series| Panel { title: title.into(), across: "frames".into(), series };
        Chart { panels: vec![panel("J&F", vec![one.clone(), one]), panel("nothing", Vec::new())] }
    }

    #[test]
    fn ticks_are_round_and_enclose_the_range() {
        let written = |range, wanted| {
            let ticks = ticks(range, wanted);
            ticks.iter().map(|&tick| number(tick, &ticks)).collect::<Vec<_>>()
        };
        assert_eq!(written([1.0, 8.0], 8), ["1", "2", "3", "4", "5", "6", "7", "8"]);
        assert_eq!(written([0.52, 0.71], 6), ["0.50", "0.55", "0.60", "0.65", "0.70", "0.75"]);
        assert_eq!(written([3.0, 87.0], 8), ["0", "20", "40", "60", "80", "100"]);
        assert!(written([0.5, 0.5], 6).len() >= 2);
    }

    #[test]
    fn a_drawing_of_lines_names_what_it_shows_and_escapes_it() {
        let svg = String::from_utf8(chart().draw(Path::new("a.svg")).unwrap()).unwrap();
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
        for text in ["J&amp;F", "online &lt;1&gt;", "frames", "0.70"] {
            assert!(svg.contains(text), "{text} in {svg}");
        }
    }

    #[test]
    fn a_drawing_of_pixels_has_the_curves_colours() {
        let png = chart().draw(Path::new("a.png")).unwrap();
        let picture = image::load_from_memory(&png).unwrap().into_rgb8();
        assert_eq!(picture.width(), 2 * 960);
        // The second curve lies on the first.
        for colour in [[213, 94, 0], [255, 255, 255]] {
            assert!(picture.pixels().any(|pixel| pixel.0 == colour), "{colour:?}");
        }
    }
}
