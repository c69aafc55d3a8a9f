//! sRGB codes and linear samples, as tables that the GPU and the CPU's twin share.

use std::sync::LazyLock;

/// A sample that is all of it.
pub(super) const FULL: u32 = 65535;

/// sRGB to linear light, both from 0 to 1.
pub(super) fn to_linear(encoded: f64) -> f64 {
    if encoded <= 0.04045 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) }
}

fn to_encoded(linear: f64) -> f64 {
    if linear <= 0.0031308 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

/// A number from 0 to 1 as a sample.
pub(super) fn sample(value: f64) -> u32 {
    (value.clamp(0.0, 1.0) * f64::from(FULL)).round() as u32
}

/// `a * b` where [`FULL`] means 1, rounded to the nearest.
pub(super) fn scale16(a: u32, b: u32) -> u32 {
    (a * b + 32767) / FULL
}

/// Made once a process.
pub(super) struct Tables {
    /// Linear sample of each code.
    pub decode: [u16; 256],
    /// The nearest code of each linear sample.
    pub encode: Box<[u8]>,
}

pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
    decode: std::array::from_fn(|code| sample(to_linear(code as f64 / 255.0)) as u16),
    encode: (0..=FULL)
        .map(|linear| (to_encoded(f64::from(linear) / f64::from(FULL)) * 255.0).round() as u8)
        .collect(),
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_linear_light() {
        for code in 0..=255u8 {
            assert_eq!(TABLES.encode[usize::from(TABLES.decode[usize::from(code)])], code);
        }
    }

    #[test]
    fn the_middle_code_is_a_fifth_of_the_light() {
        assert!((f64::from(TABLES.decode[128]) / 65535.0 - 0.2158605).abs() < 1e-5);
    }
}
