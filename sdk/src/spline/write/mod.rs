//! Splines as files: one writer a format, each gives text.
//!
//! Numbers are written with a point whatever the locale, rounded to what the format can use, never as infinite or as
//! none.

mod after_effects;
mod json;
mod mlt;
mod nuke;
mod svg;
mod xml;

use super::shape::Animation;
use crate::error::{Error, Result};

/// What a file of splines is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A Nuke script with a Roto node, `.nk`.
    Nuke,
    /// A script for After Effects that makes masks, `.jsx`.
    AfterEffects,
    /// A JSON array of MLT's `rotoscoping` filters, one a shape: what Kdenlive and Shotcut keep, `.mlt.json`.
    MltJson,
    /// The same filters on a white clip, as an MLT document, `.mlt`.
    Mlt,
    /// A matte that moves, white on black, `.svg`.
    Svg,
    /// All there is, `.json`.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Nuke, Self::AfterEffects, Self::MltJson, Self::Mlt, Self::Svg, Self::Json];
}

impl Animation {
    /// The splines as a file's text, UTF-8.
    ///
    /// # Errors
    /// [`Error::State`] if no frame was added, for a frame number above 2,147,483,647, or if the format can't hold a
    /// shape.
    pub fn write(&self, format: Format) -> Result<String> {
        let Some((_, last)) = self.frames else {
            return Err(Error::State("spline: no frame was added, expected at least one".to_owned()));
        };
        if i32::try_from(last).is_err() {
            let most = i32::MAX;
            return Err(Error::State(format!("spline: frame {last}, expected at most {most} in a file")));
        }
        match format {
            Format::Nuke => Ok(nuke::write(self)),
            Format::AfterEffects => Ok(after_effects::write(self)),
            Format::MltJson => mlt::json(self),
            Format::Mlt => mlt::document(self),
            Format::Svg => Ok(svg::write(self)),
            Format::Json => Ok(json::write(self)),
        }
    }
}

/// A number with at most so many decimals, without zeros at its end. What is no number becomes 0.
fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_finite() {
        let told: Vec<String> =
            [1.0, -0.0004, 0.25, 1234.5678, 100.0, f64::NAN, f64::INFINITY].map(|n| number(n, 3)).to_vec();
        assert_eq!(told, ["1", "0", "0.25", "1234.568", "100", "0", "0"]);
        assert_eq!(number(2.6, 0), "3");
    }

    #[test]
    fn nothing_that_was_seen_is_a_file_and_no_frame_is_none() {
        for format in Format::ALL {
            assert!(samples::empty().write(format).unwrap().len() > 2, "{format:?}");
            let none = Animation { frames: None, ..samples::empty() };
            assert_eq!(
                none.write(format).unwrap_err().to_string(),
                "spline: no frame was added, expected at least one"
            );
            let late = Animation { frames: Some((0, 1 << 40)), ..samples::empty() };
            assert!(late.write(format).unwrap_err().to_string().contains("frame 1099511627776"));
        }
    }
}
