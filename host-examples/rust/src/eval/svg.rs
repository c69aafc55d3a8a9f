//! A drawing of lines. Letters are the reader's own.

use std::fmt::Write;

use super::chart::{Anchor, Colour, Pen};

/// The body of an SVG file.
pub struct Svg {
    text: String,
}

impl Svg {
    /// An empty drawing.
    pub fn new([width, height]: [f64; 2]) -> Self {
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#3c3c3c\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        );
        Self { text }
    }

    /// The whole file.
    pub fn finish(self) -> String {
        self.text + "</svg>\n"
    }

    fn add(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = self.text.write_fmt(line);
        self.text.push('\n');
    }
}

impl Pen for Svg {
    fn line(&mut self, points: &[[f64; 2]], [r, g, b]: Colour, width: f64) {
        let points: Vec<String> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
        let points = points.join(" ");
        self.add(format_args!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"#{r:02x}{g:02x}{b:02x}\" \
             stroke-width=\"{width}\" stroke-linejoin=\"round\"/>"
        ));
    }

    fn dot(&mut self, [x, y]: [f64; 2], radius: f64, [r, g, b]: Colour) {
        self.add(format_args!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"#{r:02x}{g:02x}{b:02x}\"/>"
        ));
    }

    fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.add(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"));
    }
}
