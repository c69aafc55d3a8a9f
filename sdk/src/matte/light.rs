//! Between codes and linear light, for the GPU and the CPU's twin alike. The functions are `light.wgsl`'s.

use std::sync::{Arc, Mutex, PoisonError};

use rotomask_shaders::tables;

use super::settings::{Range, Transfer};
use crate::error::{Error, Result};

/// A sample that is all of it.
pub(super) const FULL: u32 = 65535;

/// `a * b` where [`FULL`] means 1, rounded to the nearest.
pub(super) fn scale16(a: u32, b: u32) -> u32 {
    (a * b + 32767) / FULL
}

/// A host's own transfer function: linear light at even steps of the code from 0 to 1, such as a camera's logarithmic
/// curve. Between its points it is straight; codes beyond its ends have its ends' light.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    points: Vec<f32>,
}

impl Curve {
    /// # Errors
    /// [`Error::Frame`] unless there are 2 to 65,536 points that rise.
    pub fn new(points: Vec<f32>) -> Result<Self> {
        if !(2..=65_536).contains(&points.len()) {
            let found = points.len();
            return Err(Error::Frame(format!("the transfer curve has {found} points, expected 2 to 65536")));
        }
        let rises = |pair: &[f32]| pair[0] < pair[1] && pair[0].is_finite() && pair[1].is_finite();
        if let Some(at) = points.windows(2).position(|pair| !rises(pair)) {
            let (a, b) = (points[at], points[at + 1]);
            return Err(Error::Frame(format!(
                "the transfer curve goes from {a} to {b} at point {at}, expected one that rises"
            )));
        }
        Ok(Self { points })
    }
}

/// sRGB to linear light, both from 0 to 1.
pub(super) fn srgb_to_linear(encoded: f64) -> f64 {
    if encoded <= 0.04045 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) }
}

/// How codes stand to light.
#[derive(Debug, PartialEq)]
pub(super) struct Light {
    transfer: Transfer,
    range: Range,
    curve: Option<Curve>,
    /// From a normalised 16-bit code to the curve's own scale: times the first, plus the second.
    span: [f32; 2],
    /// Linear light of each 8-bit code.
    pub decode: [f32; 256],
    /// The nearest 8-bit code of each 16-bit linear sample.
    pub encode: Box<[u8; 65536]>,
}

impl Light {
    /// The light of these settings. Those of the last jobs are kept.
    pub fn shared(transfer: Transfer, range: Range, curve: Option<&Curve>) -> Arc<Self> {
        static KEPT: Mutex<Vec<Arc<Light>>> = Mutex::new(Vec::new());
        let curve = curve.filter(|_| transfer == Transfer::Curve);
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |light: &Arc<Light>| {
            light.transfer == transfer && light.range == range && light.curve.as_ref() == curve
        };
        if let Some(at) = kept.iter().position(same) {
            let light = kept.remove(at);
            kept.push(light.clone());
            return light;
        }
        if kept.len() == 8 {
            kept.remove(0);
        }
        let light = Arc::new(Self::new(transfer, range, curve.cloned()));
        kept.push(light.clone());
        light
    }

    fn new(transfer: Transfer, range: Range, curve: Option<Curve>) -> Self {
        let span = match range {
            Range::Full => [1.0, 0.0],
            Range::Legal => [65535.0 / 56064.0, -4096.0 / 56064.0],
        };
        let mut light =
            Self { transfer, range, curve, span, decode: [0.0; 256], encode: Box::new([0; 65536]) };
        let [black, white] = if range == Range::Full { [0.0, 255.0] } else { [16.0, 235.0] };
        for code in 0..256 {
            light.decode[code] = light.light_of((code as f32 - black) / (white - black));
        }
        for sample in 0..65536usize {
            let code = light.code_of(sample as f32 / FULL as f32) * (white - black) + black;
            light.encode[sample] = (code + 0.5).clamp(0.0, 255.0) as u8;
        }
        light
    }

    /// `tables` as the kernels want them.
    pub fn words(&self) -> Vec<u32> {
        let points = self.curve.as_ref().map_or(&[][..], |curve| &curve.points);
        let mut words = Vec::with_capacity(tables::CURVE + points.len());
        words.extend([
            self.transfer as u32,
            points.len() as u32,
            self.span[0].to_bits(),
            self.span[1].to_bits(),
        ]);
        words.extend(self.decode.iter().map(|v| v.to_bits()));
        words.extend(self.encode.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])));
        words.extend(points.iter().map(|v| v.to_bits()));
        words
    }

    /// A 16-bit code, on a scale from 0 to 1, to the curve's own scale.
    pub fn full_range(&self, code: f32) -> f32 {
        code * self.span[0] + self.span[1]
    }

    /// And back, cut to what 16 bits hold.
    pub fn legal_range(&self, code: f32) -> f32 {
        ((code - self.span[1]) / self.span[0]).clamp(0.0, 1.0)
    }

    pub fn light_of(&self, code: f32) -> f32 {
        let size = code.abs();
        let light = match (self.transfer, &self.curve) {
            (Transfer::Srgb, _) if size <= 0.04045 => size / 12.92,
            (Transfer::Srgb, _) => ((size + 0.055) / 1.055).powf(2.4),
            (Transfer::Rec709, _) if size < 0.081 => size / 4.5,
            (Transfer::Rec709, _) => ((size + 0.099) / 1.099).powf(1.0 / 0.45),
            (Transfer::Curve, Some(Curve { points })) => {
                let last = points.len() - 1;
                let place = code.clamp(0.0, 1.0) * last as f32;
                let at = (place as usize).min(last - 1);
                let part = place - at as f32;
                return points[at] * (1.0 - part) + points[at + 1] * part;
            }
            _ => size,
        };
        if code < 0.0 { -light } else { light }
    }

    pub fn code_of(&self, light: f32) -> f32 {
        let size = light.abs();
        let code = match (self.transfer, &self.curve) {
            (Transfer::Srgb, _) if size <= 0.0031308 => size * 12.92,
            (Transfer::Srgb, _) => 1.055 * size.powf(1.0 / 2.4) - 0.055,
            (Transfer::Rec709, _) if size < 0.018 => size * 4.5,
            (Transfer::Rec709, _) => 1.099 * size.powf(0.45) - 0.099,
            (Transfer::Curve, Some(Curve { points })) => {
                let high = points.partition_point(|p| *p <= light).clamp(1, points.len() - 1);
                let (below, above) = (points[high - 1], points[high]);
                let part = ((light - below) / (above - below).max(1e-20)).clamp(0.0, 1.0);
                return ((high - 1) as f32 + part) / (points.len() - 1) as f32;
            }
            _ => size,
        };
        if light < 0.0 { -code } else { code }
    }

    /// The 8-bit code of linear light.
    #[cfg(test)]
    fn byte_of(&self, light: f32) -> u8 {
        self.encode[(light.clamp(0.0, 1.0) * 65535.0 + 0.5) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_linear_light() {
        for transfer in [Transfer::Srgb, Transfer::Rec709] {
            let light = Light::shared(transfer, Range::Full, None);
            for code in 0..=255u8 {
                assert_eq!(light.byte_of(light.decode[usize::from(code)]), code, "{transfer:?}");
            }
        }
        let light = Light::shared(Transfer::Srgb, Range::Legal, None);
        for code in 16..=235u8 {
            assert_eq!(light.byte_of(light.decode[usize::from(code)]), code);
        }
    }

    #[test]
    fn the_middle_code_is_a_fifth_of_the_light() {
        let light = Light::shared(Transfer::Srgb, Range::Full, None);
        assert!((light.decode[128] - 0.2158605).abs() < 1e-6);
    }

    #[test]
    fn codes_come_back_from_light_below_black_and_above_white() {
        let log =
            Curve::new((0..=64).map(|i| 2f32.powf(i as f32 / 8.0) / 64.0 - 1.0 / 64.0).collect()).unwrap();
        for (transfer, ends) in [
            (Transfer::Srgb, -2.0..8.0),
            (Transfer::Rec709, -2.0..8.0),
            (Transfer::Linear, -2.0..8.0),
            (Transfer::Curve, 0.0..1.0),
        ] {
            let light = Light::shared(transfer, Range::Full, Some(&log));
            for i in 0..=100 {
                let code = ends.start + (ends.end - ends.start) * i as f32 / 100.0;
                let back = light.code_of(light.light_of(code));
                assert!((back - code).abs() < 2e-5, "{transfer:?} {code} {back}");
            }
        }
    }

    #[test]
    fn legal_white_of_16_bits_is_235_times_256() {
        let light = Light::shared(Transfer::Linear, Range::Legal, None);
        assert!((light.full_range(60160.0 / 65535.0) - 1.0).abs() < 1e-6);
        assert!(light.full_range(4096.0 / 65535.0).abs() < 1e-6);
    }

    #[test]
    fn a_curve_that_does_not_rise_is_refused() {
        assert!(Curve::new(vec![0.0]).unwrap_err().to_string().contains("has 1 points, expected 2 to 65536"));
        let said = Curve::new(vec![0.0, 1.0, 1.0]).unwrap_err().to_string();
        assert_eq!(said, "frame: the transfer curve goes from 1 to 1 at point 1, expected one that rises");
        assert!(Curve::new(vec![0.0, f32::NAN]).is_err());
    }
}
