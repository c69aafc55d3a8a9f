//! Places as hosts count them, to the pixels that the engine counts in.

use engine::frame::Size;

use crate::session::unknown;
use crate::status::Failure;
use crate::types::{ROTOMASK_UNITS_NORMALISED, ROTOMASK_UNITS_PIXELS, rotomask_units};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Units {
    Pixels,
    Normalised,
}

impl Units {
    pub(crate) fn of(units: rotomask_units) -> Result<Self, Failure> {
        match units {
            ROTOMASK_UNITS_PIXELS => Ok(Self::Pixels),
            ROTOMASK_UNITS_NORMALISED => Ok(Self::Normalised),
            other => Err(unknown("units", other, "a ROTOMASK_UNITS_*")),
        }
    }

    pub(crate) fn pixels(self, frame: Size, [x, y]: [f32; 2]) -> [f32; 2] {
        match self {
            Self::Pixels => [x, y],
            Self::Normalised => [x * frame.width_px as f32, y * frame.height_px as f32],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_wide_frame_keep_their_axes() {
        let frame = Size { width_px: 1920, height_px: 800 };
        assert_eq!(Units::Normalised.pixels(frame, [0.25, 0.75]), [480.0, 600.0]);
        assert_eq!(Units::Pixels.pixels(frame, [0.25, 0.75]), [0.25, 0.75]);
        assert!(Units::of(2).unwrap_err().message.contains("units: found 2"));
    }
}
