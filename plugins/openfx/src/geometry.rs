//! Between the host's places and times, and the session's pixels and frames.

use openfx_abi::kOfxImagePropPixelAspectRatio;
use plugin_common::{Error, Result};
use rotomask::frame::Size;

use crate::controls::FRAME_OFFSET;
use crate::effect::{Clip, Effect};

/// How a clip's canonical coordinates, y upwards, stand to pixels of the frame, y downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Geometry {
    /// Of the whole frame at full resolution.
    pub size: Size,
    left: f64,
    top: f64,
    aspect: f64,
    /// Added to a host's frame to get the session's.
    offset: i64,
}

impl Geometry {
    /// The geometry of the source at a time.
    ///
    /// # Errors
    /// If nothing is connected, or the host doesn't tell the clip's region.
    pub fn of(effect: &Effect, time: f64) -> Result<Self> {
        let source = effect.clip(c"Source").filter(Clip::is_connected);
        let source =
            source.ok_or_else(|| Error::host("the source is not connected: there is nothing to track"))?;
        let region =
            source.region(time).ok_or_else(|| Error::host("the host doesn't tell the source's size"))?;
        let aspect = source.props().double(kOfxImagePropPixelAspectRatio, 0);
        let aspect = aspect.filter(|aspect| aspect.is_finite() && *aspect > 0.0).unwrap_or(1.0);
        let side = |length: f64| length.round().clamp(0.0, f64::from(u32::MAX)) as u32;
        Ok(Self {
            size: Size::new(side((region.x2 - region.x1) / aspect), side(region.y2 - region.y1))?,
            left: region.x1,
            top: region.y2,
            aspect,
            offset: offset(effect),
        })
    }

    /// A place as a click counts: a pixel's middle is a whole number.
    pub fn click(&self, [x, y]: [f64; 2]) -> [f32; 2] {
        self.edge([x, y]).map(|v| v - 0.5)
    }

    /// A place as a box's corner counts: a pixel's edge is a whole number.
    pub fn edge(&self, [x, y]: [f64; 2]) -> [f32; 2] {
        [((x - self.left) / self.aspect) as f32, (self.top - y) as f32]
    }

    /// Where a click is on the host's canvas.
    pub fn canvas_of_click(&self, [x, y]: [f32; 2]) -> [f64; 2] {
        self.canvas_of_edge([x + 0.5, y + 0.5])
    }

    /// Where a box's corner is on the host's canvas.
    pub fn canvas_of_edge(&self, [x, y]: [f32; 2]) -> [f64; 2] {
        [self.left + f64::from(x) * self.aspect, self.top - f64::from(y)]
    }

    /// The session's frame at a host's time.
    ///
    /// # Errors
    /// If it would be before the session's first.
    pub fn frame(&self, time: f64) -> Result<u64> {
        frame(time, self.offset)
    }

    /// The host's time of a session's frame.
    pub fn time(&self, frame: u64) -> f64 {
        frame as f64 - self.offset as f64
    }
}

/// What is added to the host's frames.
pub fn offset(effect: &Effect) -> i64 {
    i64::from(effect.params().int(FRAME_OFFSET, None).unwrap_or(0))
}

/// The session's frame at a host's time.
///
/// # Errors
/// If it would be before the session's first.
pub fn frame(time: f64, offset: i64) -> Result<u64> {
    // Nine quadrillion frames are enough, and all of them are exact.
    let host = if time.is_finite() { time.round().clamp(-9e15, 9e15) as i64 } else { i64::MIN / 2 };
    u64::try_from(host + offset).map_err(|_| {
        Error::host(format!("frame {host} with an offset of {offset}: expected 0 or later, set Frame offset"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide() -> Geometry {
        let size = Size::new(720, 576).unwrap();
        Geometry { size, left: -10.0, top: 586.0, aspect: 1.067, offset: -1 }
    }

    #[test]
    fn a_place_on_the_canvas_is_a_pixel_counted_from_the_top() {
        let at = wide().canvas_of_click([300.0, 0.0]);
        assert!((at[0] - (300.5 * 1.067 - 10.0)).abs() < 1e-9 && at[1] == 585.5, "{at:?}");
        let back = wide().click(at);
        assert!((back[0] - 300.0).abs() < 1e-3 && back[1] == 0.0, "{back:?}");
        assert_eq!(wide().edge(wide().canvas_of_edge([720.0, 576.0])), [720.0, 576.0]);
    }

    #[test]
    fn frames_are_counted_with_the_offset_and_never_before_the_first() {
        assert_eq!(wide().frame(1.0).unwrap(), 0);
        assert_eq!(wide().time(0), 1.0);
        let said = wide().frame(0.0).unwrap_err().to_string();
        assert_eq!(said, "frame 0 with an offset of -1: expected 0 or later, set Frame offset");
        assert!(frame(f64::NAN, 5).is_err() && frame(f64::INFINITY, 0).is_err());
    }
}
