//! Planes and masks as bytes: as few as give every bit back, and never more than a bound known beforehand.
//!
//! Logits are smooth, so each is told as its distance from what its neighbours promise (JPEG-LS's median
//! predictor), counted in representable numbers; the distances' bytes are laid out by significance and given to
//! Zstandard. Numbers that are all exact in half precision take half the room, whatever the session's precision.

use half::{bf16, f16};

use crate::frame::Size;
use crate::mask::Bounds;

/// What bytes stand for, or why they stand for nothing.
pub(super) type Read<T> = Result<T, String>;

/// Higher levels gain one or two per cent for several times the time.
const LEVEL: i32 = 1;

/// How a blob is packed: its first byte.
mod pack {
    /// f32, little-endian.
    pub(super) const SINGLE: u8 = 0;
    /// f16, little-endian.
    pub(super) const HALF: u8 = 1;
    /// Predicted f32, packed.
    pub(super) const SINGLE_PREDICTED: u8 = 2;
    /// Predicted f16, packed.
    pub(super) const HALF_PREDICTED: u8 = 3;
    /// A bit a pixel.
    pub(super) const BITS: u8 = 4;
    /// Lengths of runs, the first of 0, as LEB128, packed.
    pub(super) const RUNS: u8 = 5;
}

/// The most bytes that [`floats`] or [`plane`] gives for so many numbers.
pub(super) fn longest_floats(count: usize) -> usize {
    1 + 4 * count
}

/// The most bytes that [`mask`] gives.
pub(super) fn longest_mask(size: Size) -> usize {
    1 + size.area_px().div_ceil(8)
}

/// A box of cells as a row keeps it: first and last column and row, `[x0, y0, x1, y1]`.
pub(super) fn corners(bounds: Option<Bounds>) -> Option<[u16; 4]> {
    bounds.map(|b| [b.x0_px, b.y0_px, b.x1_px.saturating_sub(1), b.y1_px.saturating_sub(1)].map(|v| v as u16))
}

/// A box that [`corners`] gave.
pub(super) fn bounds(corners: Option<[u16; 4]>) -> Read<Option<Bounds>> {
    let Some([x0, y0, x1, y1]) = corners else { return Ok(None) };
    if x1 < x0 || y1 < y0 {
        return Err(format!(
            "its box is {x0}, {y0} to {x1}, {y1}, expected a second corner that is no nearer"
        ));
    }
    let [x0_px, y0_px, x1_px, y1_px] = [x0, y0, x1, y1].map(u32::from);
    Ok(Some(Bounds { x0_px, y0_px, x1_px: x1_px + 1, y1_px: y1_px + 1 }))
}

/// Numbers in no order that could be used.
pub(super) fn floats(values: &[f32]) -> Vec<u8> {
    if values.iter().all(|v| is_half(*v)) {
        let halves = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes());
        return [pack::HALF].into_iter().chain(halves).collect();
    }
    [pack::SINGLE].into_iter().chain(values.iter().flat_map(|v| v.to_le_bytes())).collect()
}

/// Rows of `width` numbers each.
pub(super) fn plane(values: &[f32], width: usize) -> Vec<u8> {
    let (tag, told) = if values.iter().all(|v| is_half(*v)) {
        let ranks: Vec<u32> = values.iter().map(|v| u32::from(rank16(f16::from_f32(*v).to_bits()))).collect();
        (pack::HALF_PREDICTED, by_significance::<2>(&distances::<16>(&ranks, width)))
    } else {
        let ranks: Vec<u32> = values.iter().map(|v| rank32(v.to_bits())).collect();
        (pack::SINGLE_PREDICTED, by_significance::<4>(&distances::<32>(&ranks, width)))
    };
    squeezed(tag, &told).filter(|packed| packed.len() <= told.len()).unwrap_or_else(|| floats(values))
}

/// Gives `count` numbers back.
pub(super) fn read_floats(bytes: &[u8], count: usize, width: usize) -> Read<Vec<f32>> {
    let (tag, rest) = bytes.split_first().ok_or("it is empty")?;
    let exactly = |each: usize| {
        let (found, want) = (rest.len(), count * each);
        if found == want { Ok(()) } else { Err(format!("it has {found} bytes, expected {want}")) }
    };
    match *tag {
        pack::SINGLE => {
            exactly(4)?;
            Ok(rest.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
        }
        pack::HALF => {
            exactly(2)?;
            Ok(rest.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect())
        }
        pack::SINGLE_PREDICTED => {
            let told = from_significance::<4>(&unpacked(rest, count * 4)?);
            let bits = |rank: u32| if rank >> 31 == 1 { rank & !(1 << 31) } else { !rank };
            Ok(undo::<32>(&told, width).into_iter().map(|rank| f32::from_bits(bits(rank))).collect())
        }
        pack::HALF_PREDICTED => {
            let told = from_significance::<2>(&unpacked(rest, count * 2)?);
            let bits = |rank: u16| if rank >> 15 == 1 { rank & !(1 << 15) } else { !rank };
            let value = |rank: u32| f16::from_bits(bits(rank as u16)).to_f32();
            Ok(undo::<16>(&told, width).into_iter().map(value).collect())
        }
        other => Err(format!("it is packed in the way {other}, which is unknown")),
    }
}

/// A memory as it is: the rounding to bfloat16 has left little to squeeze.
pub(super) fn memory(values: &[bf16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Gives a memory back.
pub(super) fn read_memory(bytes: &[u8], count: usize) -> Read<Vec<bf16>> {
    if bytes.len() != count * 2 {
        return Err(format!("it has {} bytes, expected {}", bytes.len(), count * 2));
    }
    Ok(bytes.chunks_exact(2).map(|b| bf16::from_le_bytes([b[0], b[1]])).collect())
}

/// A mask of 0 and 1, row by row.
pub(super) fn mask(inside: &[u8]) -> Vec<u8> {
    let mut runs = Vec::new();
    let (mut current, mut length) = (0, 0u32);
    for &pixel in inside {
        if pixel != current {
            push_leb(&mut runs, length);
            (current, length) = (pixel, 0);
        }
        length += 1;
    }
    push_leb(&mut runs, length);
    let most = inside.len().div_ceil(8);
    let fits = (runs.len() <= most.max(16)).then(|| squeezed(pack::RUNS, &runs)).flatten();
    fits.filter(|packed| packed.len() <= most).unwrap_or_else(|| {
        let byte = |bits: &[u8]| bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | bit << at);
        [pack::BITS].into_iter().chain(inside.chunks(8).map(byte)).collect()
    })
}

/// Gives a mask of `area` pixels back.
pub(super) fn read_mask(bytes: &[u8], area: usize) -> Read<Vec<u8>> {
    let (tag, rest) = bytes.split_first().ok_or("it is empty")?;
    let most = area.div_ceil(8);
    match *tag {
        pack::BITS if rest.len() == most => Ok((0..area).map(|at| rest[at / 8] >> (at % 8) & 1).collect()),
        pack::BITS => Err(format!("it has {} bytes, expected {most}", rest.len())),
        pack::RUNS => {
            let runs = zstd::bulk::decompress(rest, most.max(16))
                .map_err(|e| format!("it can't be unpacked: {e}"))?;
            let mut inside = Vec::with_capacity(area);
            let (mut current, mut at) = (0, 0);
            while at < runs.len() {
                let length = read_leb(&runs, &mut at)? as usize;
                if length > area - inside.len() {
                    return Err(format!("its runs have more than {area} pixels"));
                }
                inside.resize(inside.len() + length, current);
                current ^= 1;
            }
            if inside.len() == area {
                Ok(inside)
            } else {
                Err(format!("its runs have {} pixels, expected {area}", inside.len()))
            }
        }
        other => Err(format!("it is packed in the way {other}, which is unknown")),
    }
}

fn is_half(value: f32) -> bool {
    f16::from_f32(value).to_f32().to_bits() == value.to_bits()
}

/// Numbers one apart in size are one apart in rank, below zero too.
fn rank32(bits: u32) -> u32 {
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn rank16(bits: u16) -> u16 {
    if bits >> 15 == 1 { !bits } else { bits | 1 << 15 }
}

/// What left, upper and upper left neighbour promise: the median of left, upper, and left + upper - upper left.
fn promise(ranks: &[u32], at: usize, width: usize) -> u32 {
    match (at.is_multiple_of(width), at < width) {
        (true, true) => 0,
        (false, true) => ranks[at - 1],
        (true, false) => ranks[at - width],
        (false, false) => {
            let (left, upper, corner) = (ranks[at - 1], ranks[at - width], ranks[at - width - 1]);
            let (low, high) = (left.min(upper), left.max(upper));
            // Between the two, the sum neither wraps nor leaves them.
            if corner >= high {
                low
            } else if corner <= low {
                high
            } else {
                low + (high - corner)
            }
        }
    }
}

/// Distances from the promises, modulo 2^BITS; small ones of either sign become small numbers.
fn distances<const BITS: u32>(ranks: &[u32], width: usize) -> Vec<u32> {
    let tell = |at: usize| {
        let signed = (ranks[at].wrapping_sub(promise(ranks, at, width)) << (32 - BITS)) as i32 >> (32 - BITS);
        ((signed << 1) ^ (signed >> 31)) as u32
    };
    (0..ranks.len()).map(tell).collect()
}

fn undo<const BITS: u32>(told: &[u32], width: usize) -> Vec<u32> {
    let mut ranks = Vec::with_capacity(told.len());
    for (at, &told) in told.iter().enumerate() {
        let signed = (told >> 1) ^ (told & 1).wrapping_neg();
        let rank = promise(&ranks, at, width).wrapping_add(signed);
        ranks.push(rank & (u32::MAX >> (32 - BITS)));
    }
    ranks
}

/// All most significant bytes first, then the next.
fn by_significance<const BYTES: usize>(values: &[u32]) -> Vec<u8> {
    (0..BYTES).rev().flat_map(|byte| values.iter().map(move |v| (v >> (8 * byte)) as u8)).collect()
}

fn from_significance<const BYTES: usize>(bytes: &[u8]) -> Vec<u32> {
    let count = bytes.len() / BYTES;
    let value =
        |at: usize| (0..BYTES).fold(0, |value, byte| value << 8 | u32::from(bytes[byte * count + at]));
    (0..count).map(value).collect()
}

fn squeezed(tag: u8, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packed = vec![tag; 1 + zstd::zstd_safe::compress_bound(bytes.len())];
    let length = zstd::bulk::compress_to_buffer(bytes, &mut packed[1..], LEVEL).ok()?;
    packed.truncate(1 + length);
    Some(packed)
}

fn unpacked(bytes: &[u8], want: usize) -> Read<Vec<u8>> {
    let found = zstd::bulk::decompress(bytes, want).map_err(|e| format!("it can't be unpacked: {e}"))?;
    if found.len() == want {
        Ok(found)
    } else {
        Err(format!("it has {} bytes, expected {want}", found.len()))
    }
}

fn push_leb(bytes: &mut Vec<u8>, mut value: u32) {
    while value > 127 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn read_leb(bytes: &[u8], at: &mut usize) -> Read<u32> {
    let mut value = 0u32;
    for shift in (0..32).step_by(7) {
        let byte = *bytes.get(*at).ok_or("a run's length is cut short")?;
        *at += 1;
        value |= u32::from(byte & 127) << shift;
        if byte < 128 {
            return Ok(value);
        }
    }
    Err("a run's length has too many bytes".into())
}

#[cfg(test)]
mod tests {
    use super::super::tests::Dice;
    use super::*;

    fn same_bits(a: &[f32], b: &[f32]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
    }

    fn comes_back(values: &[f32], width: usize) -> usize {
        let packed = plane(values, width);
        assert!(packed.len() <= longest_floats(values.len()));
        assert!(same_bits(&read_floats(&packed, values.len(), width).unwrap(), values));
        assert!(same_bits(&read_floats(&floats(values), values.len(), width).unwrap(), values));
        packed.len()
    }

    #[test]
    fn every_bit_of_every_number_comes_back() {
        let mut dice = Dice(7);
        for width in [1, 5, 64] {
            for _ in 0..20 {
                let any: Vec<f32> = (0..width * 7).map(|_| f32::from_bits(dice.next() as u32)).collect();
                comes_back(&any, width);
                let half: Vec<f32> =
                    (0..width * 7).map(|_| f16::from_bits(dice.next() as u16).to_f32()).collect();
                comes_back(&half, width);
                let logits: Vec<f32> = (0..width * 7).map(|_| dice.unit() * 60.0 - 30.0).collect();
                comes_back(&logits, width);
            }
        }
        let odd =
            [0.0, -0.0, f32::MIN_POSITIVE / 2.0, -1e-45, f32::MAX, f32::NEG_INFINITY, f32::NAN, -1024.0];
        comes_back(&odd, 4);
    }

    #[test]
    fn a_plane_without_the_object_takes_a_few_bytes() {
        assert!(comes_back(&[-1024.0; 4096], 64) < 40);
    }

    #[test]
    fn smooth_logits_take_less_than_they_are_and_half_precision_half_of_it() {
        let smooth =
            |x: usize, y: usize| 14.0 - ((x as f32 - 31.3).powi(2) + (y as f32 - 24.7).powi(2)).sqrt();
        let values: Vec<f32> = (0..4096).map(|at| smooth(at % 64, at / 64)).collect();
        let halves: Vec<f32> = values.iter().map(|v| f16::from_f32(*v).to_f32()).collect();
        let (single, half) = (comes_back(&values, 64), comes_back(&halves, 64));
        assert!(single < 12_000 && half < 4_500, "{single} and {half} bytes");
    }

    #[test]
    fn masks_come_back_and_never_take_more_than_a_bit_a_pixel() {
        let mut dice = Dice(3);
        let size = Size::new(37, 23).unwrap();
        for density in [0.0, 0.001, 0.1, 0.5, 1.0] {
            let inside: Vec<u8> = (0..size.area_px()).map(|_| u8::from(dice.unit() < density)).collect();
            let packed = mask(&inside);
            assert!(packed.len() <= longest_mask(size), "{density}: {} bytes", packed.len());
            assert_eq!(read_mask(&packed, size.area_px()).unwrap(), inside);
        }
        for area in 1..20 {
            let inside: Vec<u8> = (0..area).map(|at| at as u8 & 1).collect();
            assert_eq!(read_mask(&mask(&inside), area).unwrap(), inside);
        }
        let wide: Vec<u8> = (0..1921 * 801).map(|at| u8::from((500..900).contains(&(at % 1921)))).collect();
        assert!(mask(&wide).len() < 200, "{} bytes", mask(&wide).len());
    }

    #[test]
    fn bytes_that_were_never_written_are_refused_with_what_was_expected() {
        let said = |bytes: &[u8]| read_floats(bytes, 4096, 64).unwrap_err();
        assert_eq!(said(&[]), "it is empty");
        assert_eq!(said(&[0, 1, 2]), "it has 2 bytes, expected 16384");
        assert_eq!(said(&[9]), "it is packed in the way 9, which is unknown");
        assert!(said(&[2, 1, 2, 3]).starts_with("it can't be unpacked"));
        let short = squeezed(pack::HALF_PREDICTED, &[0; 100]).unwrap();
        assert_eq!(said(&short), "it has 100 bytes, expected 8192");
        // A thousand million zeros in a few bytes are not given room.
        let long = squeezed(pack::SINGLE_PREDICTED, &vec![0; 1 << 24]).unwrap();
        assert!(said(&long).starts_with("it can't be unpacked"));
        let mut runs = Vec::new();
        push_leb(&mut runs, u32::MAX);
        let said = |bytes: &[u8]| read_mask(bytes, 100).unwrap_err();
        assert_eq!(said(&squeezed(pack::RUNS, &runs).unwrap()), "its runs have more than 100 pixels");
        assert_eq!(said(&squeezed(pack::RUNS, &[50]).unwrap()), "its runs have 50 pixels, expected 100");
        assert_eq!(said(&squeezed(pack::RUNS, &[255; 4]).unwrap()), "a run's length is cut short");
        assert_eq!(said(&squeezed(pack::RUNS, &[255; 9]).unwrap()), "a run's length has too many bytes");
        assert_eq!(said(&[pack::BITS, 1]), "it has 1 bytes, expected 13");
        assert_eq!(read_memory(&[1, 2, 3], 2).unwrap_err(), "it has 3 bytes, expected 4");
    }
}
