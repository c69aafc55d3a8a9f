//! An object's coverage over a shot as animated splines: closed cubic Béziers with the same points through time.
//!
//! The files stand in a frame's order. `contour` finds where coverage passes one half, `feather` how soft it is
//! there, `track` which contours of two frames are one thing; `align` says which place of a contour is which
//! place of the next one, `fit` puts as few points there as hold it, and `keys` drops the keyframes that can be
//! read off their neighbours. `write` has a writer a format. Masks are read once and not kept.
//!
//! Coordinates are pixels of the frame: (0, 0) is the top left corner of the top left pixel, whose centre is (0.5,
//! 0.5), and y points down. Writers turn that into what their format counts.

mod contour;
mod feather;
mod polygon;
mod track;
mod align;
mod path;
mod bezier;
mod fit;
mod keys;
mod measure;
mod shape;
pub mod write;
#[cfg(test)]
mod pictures;

pub use measure::Measured;
pub use shape::{Animation, Key, Kind, Point, Shape};
pub use write::Format;

use crate::error::{Error, Result};
use crate::frame::{FrameView, Size};
use contour::Plane;
use track::Tracks;

/// How closely shapes follow the matte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How far a curve may be from its contour: root mean square along each piece between two points, in pixels, 0.05
    /// to 64. No vertex of the contour is further away than three times that.
    pub tolerance_px: f64,
    /// How far a curve between two keyframes may be from the one that was fitted there: root mean square on each
    /// frame, in pixels, 0 to 64, and no place three times as far. At 0 hardly any keyframe is dropped.
    pub key_tolerance_px: f64,
    /// Contours of shapes and holes that enclose less are left out, frame by frame, in square pixels, 0 to 1e9.
    pub min_area_px2: f64,
    /// For formats that count in seconds, 1 to 1000.
    pub frames_per_second: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tolerance_px: 0.75, key_tolerance_px: 0.5, min_area_px2: 64.0, frames_per_second: 25.0 }
    }
}

impl Settings {
    fn check(&self) -> Result<()> {
        let within = |name, value: f64, least: f64, most: f64, unit| {
            if (least..=most).contains(&value) {
                return Ok(());
            }
            Err(Error::Setting { name, found: value.to_string(), want: format!("{least} to {most}{unit}") })
        };
        within("tolerance_px", self.tolerance_px, 0.05, 64.0, " px")?;
        within("key_tolerance_px", self.key_tolerance_px, 0.0, 64.0, " px")?;
        within("min_area_px2", self.min_area_px2, 0.0, 1e9, " px²")?;
        within("frames_per_second", self.frames_per_second, 1.0, 1000.0, "")
    }
}

/// Takes a shot's coverage frame by frame and gives its shapes.
///
/// What is held of a frame are its contours, and once a shape has ended, its keyframes alone.
#[derive(Debug)]
pub struct Splines {
    size: Size,
    settings: Settings,
    tracks: Tracks,
    shapes: Vec<Shape>,
    measured: Measured,
    /// The first and the last frame that was added.
    frames: Option<(u64, u64)>,
}

impl Splines {
    /// Begins a shot of frames of one size.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range.
    pub fn new(size: Size, settings: Settings) -> Result<Self> {
        settings.check()?;
        let (tracks, measured) = (Tracks::new(settings.min_area_px2), Measured::default());
        Ok(Self { size, settings, tracks, shapes: Vec::new(), measured, frames: None })
    }

    /// Adds a frame. Frames come in rising order; one that is left out lies between its neighbours.
    ///
    /// `coverage` has one channel, 0 to 1, and the shot's size. Numbers beyond that range are cut to it.
    ///
    /// # Errors
    /// [`Error::Frame`] for another size, for colour, for a value that is no number, and for noise: a contour of more
    /// than a million vertices. [`Error::State`] for a frame that does not come after the last one. Nothing is
    /// changed then.
    pub fn add(&mut self, frame: u64, coverage: FrameView<'_>) -> Result<()> {
        if coverage.size() != self.size {
            let (found, want) = (coverage.size(), self.size);
            return Err(Error::Frame(format!("the coverage is {found}, expected {want}, the shot's size")));
        }
        if let Some((_, last)) = self.frames.filter(|(_, last)| frame <= *last) {
            return Err(Error::State(format!(
                "spline: frame {frame} was added after {last}, expected a later one"
            )));
        }
        let plane = Plane::read(coverage)?;
        let outlines = contour::outlines(&plane, self.tracks.least_area_px2())?;
        let ended = self.tracks.add(frame, outlines);
        self.frames = Some((self.frames.map_or(frame, |(first, _)| first), frame));
        self.fit(ended);
        Ok(())
    }

    /// Ends the shot. Shapes come in the order in which they are drawn: each hole after what it is cut out of.
    pub fn finish(mut self) -> Animation {
        let rest = self.tracks.end();
        self.fit(rest);
        let mut shapes = self.shapes;
        shapes.sort_by_key(|shape| (shape.depth, shape.first, shape.last));
        for (number, shape) in (1..).zip(&mut shapes) {
            let kind = if shape.kind == Kind::Hole { "Hole" } else { "Shape" };
            shape.name = format!("{kind}{number}");
        }
        let (size, frames_per_second) = (self.size, self.settings.frames_per_second);
        Animation { size, frames: self.frames, frames_per_second, shapes, measured: self.measured }
    }

    fn fit(&mut self, ended: Vec<track::Track>) {
        for track in ended {
            for life in fit::lives(&track, self.settings.tolerance_px) {
                let keys = keys::thin(&life.keys, self.settings.key_tolerance_px);
                self.measured.count(&life, &keys);
                let Some((first, last)) = keys.first().zip(keys.last()) else { continue };
                let (first, last) = (first.frame, last.frame);
                let (kind, depth) = (track.kind, track.depth);
                self.shapes.push(Shape { name: String::new(), kind, depth, first, last, keys });
            }
        }
    }
}

#[cfg(test)]
mod tests;
