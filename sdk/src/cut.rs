//! Where one shot ends and another begins, so that no memory crosses.
//!
//! A frame is kept as a small picture of 24 by 24 cells. Two frames are of one shot if each cell of the one is found
//! in the other, near its place, after exposure and colour were made alike; how far they are from that is their
//! [`distance`]. Fast motion, fades, flashes, exposure and white balance leave it small.

use crate::error::{Error, Result};
use crate::frame::FrameView;
use crate::preprocess::{EncoderInput, InputSpec};

/// Cells of a signature's side in brightness.
const SIDE: usize = 24;
/// Cells of a signature's side in colour.
const COLOUR_SIDE: usize = SIDE / 2;
const CELLS: usize = SIDE * SIDE;
const COLOUR_CELLS: usize = COLOUR_SIDE * COLOUR_SIDE;

/// A signature's length in bytes.
pub const SIGNATURE_BYTES: usize = CELLS + 2 * COLOUR_CELLS;

/// The sensitivity that finds hard cuts and nothing else: see [`is_cut`].
pub const DEFAULT_SENSITIVITY: f32 = 0.5;

/// The distance from which on two frames are of different shots, at the default sensitivity. Neighbours in
/// quick shots were seen up to 0.08, one in a hundred pairs of unrelated shots down to 0.1.
const CUT_DISTANCE: f32 = 0.1;

/// How far a cell may have moved between two frames, in cells: a sixth of the frame.
const REACH: usize = 4;
/// How much a difference in colour weighs beside one in brightness.
const COLOUR_WEIGHT: f32 = 0.5;
/// The least contrast that distances are held against, as a standard deviation of brightness from 0 to 255.
const LEAST_CONTRAST: f32 = 12.0;
/// Below this contrast a frame shows nothing that could be told from another: black, white, fog.
const FLAT_CONTRAST: f32 = 4.0;
/// The width, as a standard deviation in cells, of brightenings that count as light and not as content.
const LIGHT_CELLS: f32 = 6.0;

/// A frame in little, to tell shots apart by.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    /// Brightness `[24, 24]`, then blue less brightness and red less brightness, `[12, 12]` each, halved around 128.
    bytes: [u8; SIGNATURE_BYTES],
}

impl Signature {
    /// The signature of a frame of any size.
    ///
    /// # Errors
    /// [`Error::Frame`] if the format has no colour.
    pub fn of(frame: FrameView<'_>) -> Result<Self> {
        let Some(rgb) = frame.format().rgb_offsets() else {
            return Err(Error::Frame(format!(
                "its format is {:?}, expected one with colour",
                frame.format()
            )));
        };
        Ok(frame.with_8_bits(|frame| {
            let (size, step) = (frame.size(), frame.format().bytes_per_pixel());
            Self::of_cells(size.width(), size.height(), |y, columns, sums| {
                for pixel in frame.row(y)[columns.start * step..columns.end * step].chunks_exact(step) {
                    sums.iter_mut().zip(rgb).for_each(|(sum, at)| *sum += f32::from(pixel[at]));
                }
            })
        }))
    }

    /// The signature of a frame that was squeezed into the encoder's square already.
    #[allow(dead_code, reason = "for sessions, which squeeze every frame anyway")]
    pub(crate) fn of_input(input: &EncoderInput, spec: &InputSpec) -> Self {
        let side = input.side;
        Self::of_cells(side, side, |y, columns, sums| {
            for (channel, plane) in input.values.chunks_exact(side * side).enumerate() {
                let row = &plane[y * side..][columns.clone()];
                let normalised = row.iter().sum::<f32>();
                sums[channel] += 255.0
                    * (normalised * spec.deviation[channel] + spec.mean[channel] * columns.len() as f32);
            }
        })
    }

    /// Reads a signature that was stored.
    ///
    /// # Errors
    /// [`Error::Frame`] for another length than [`SIGNATURE_BYTES`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let found = bytes.len();
        let bytes = bytes.try_into().map_err(|_| {
            Error::Frame(format!("its signature has {found} bytes, expected {SIGNATURE_BYTES}"))
        })?;
        Ok(Self { bytes })
    }

    /// The signature, to store.
    pub fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.bytes
    }

    /// Whether the frame shows nothing to tell it by: black, white, one colour.
    pub fn is_flat(&self) -> bool {
        let brightness: Vec<f32> = self.brightness().iter().map(|&v| f32::from(v)).collect();
        deviation(&brightness) < FLAT_CONTRAST
    }

    fn brightness(&self) -> &[u8] {
        &self.bytes[..CELLS]
    }

    fn colours(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes[CELLS..].chunks_exact(COLOUR_CELLS)
    }

    /// `add` adds the red, green and blue of a part of a row.
    fn of_cells(
        width: usize,
        height: usize,
        add: impl Fn(usize, std::ops::Range<usize>, &mut [f32; 3]),
    ) -> Self {
        let span = |cell: usize, length: usize| {
            let first = (cell * length / SIDE).min(length - 1);
            first..((cell + 1) * length / SIDE).max(first + 1)
        };
        let mut means = [[0.0; 3]; CELLS];
        for (at, mean) in means.iter_mut().enumerate() {
            let (columns, rows) = (span(at % SIDE, width), span(at / SIDE, height));
            let pixels = (columns.len() * rows.len()) as f32;
            rows.for_each(|y| add(y, columns.clone(), mean));
            mean.iter_mut().for_each(|sum| *sum /= pixels);
        }
        let mut bytes = [0; SIGNATURE_BYTES];
        let (brightness, colours) = bytes.split_at_mut(CELLS);
        brightness.iter_mut().zip(&means).for_each(|(byte, rgb)| *byte = luma(*rgb).round() as u8);
        let (blue, red) = colours.split_at_mut(COLOUR_CELLS);
        for at in 0..COLOUR_CELLS {
            let corner = at / COLOUR_SIDE * 2 * SIDE + at % COLOUR_SIDE * 2;
            let cells = [0, 1, SIDE, SIDE + 1].map(|next| means[corner + next]);
            let rgb = [0, 1, 2].map(|channel| cells.iter().map(|cell| cell[channel]).sum::<f32>() / 4.0);
            let y = luma(rgb);
            // Halved so that it fits: blue less brightness lies within +-226.
            blue[at] = ((rgb[2] - y) / 2.0 + 128.0).round() as u8;
            red[at] = ((rgb[0] - y) / 2.0 + 128.0).round() as u8;
        }
        Self { bytes }
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signature").finish_non_exhaustive()
    }
}

/// ITU-R BT.601, on encoded values.
fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

/// Whether a cut lies between two frames that follow each other. It does not where either is flat.
///
/// `sensitivity` goes from 0 (only between frames that share next to nothing) to 1; beyond, it is taken as the
/// nearer end. At [`DEFAULT_SENSITIVITY`] a dissolve is no cut, nor are two takes of one scene from one place.
pub fn is_cut(a: &Signature, b: &Signature, sensitivity: f32) -> bool {
    if a.is_flat() || b.is_flat() {
        return false;
    }
    // Each end is a factor of two from the default.
    distance(a, b) > CUT_DISTANCE * (2.0 * (DEFAULT_SENSITIVITY - sensitivity.clamp(0.0, 1.0))).exp2()
}

/// How little two frames show the same: 0 for equal ones, about 0.3 for unrelated ones.
///
/// Symmetric. Between frames of one shot it is mostly below 0.03.
pub fn distance(a: &Signature, b: &Signature) -> f32 {
    let (mut first, mut second) = alike(a, b);
    let contrast = (deviation(&first.brightness) + deviation(&second.brightness)) / 2.0;
    take_light_away(&mut first.brightness, &mut second.brightness);
    first.moved(&second).max(second.moved(&first)) / contrast.max(LEAST_CONTRAST)
}

/// Finds the cuts of a stream of frames. Flat frames are passed over, so that a cut through black is found where
/// the next shot shows itself, and a white flash in a shot is none.
#[derive(Clone, Debug)]
pub struct CutDetector {
    sensitivity: f32,
    last: Option<Signature>,
}

impl CutDetector {
    /// Sensitivity as [`is_cut`] takes it.
    pub fn new(sensitivity: f32) -> Self {
        Self { sensitivity, last: None }
    }

    /// Takes the next frame; `true` if a new shot begins with it.
    pub fn push(&mut self, frame: Signature) -> bool {
        if frame.is_flat() {
            return false;
        }
        let cut = self.last.as_ref().is_some_and(|last| is_cut(last, &frame, self.sensitivity));
        self.last = Some(frame);
        cut
    }
}

/// A signature on its way to being compared.
struct Cells {
    brightness: [f32; CELLS],
    /// Blue and red, at the resolution of brightness, weighed.
    colours: [[f32; CELLS]; 2],
}

/// Gives both frames the exposure and the colours midway between them: the darkest cell of the one becomes as dark as
/// the darkest of the other, and so on by rank.
fn alike(a: &Signature, b: &Signature) -> (Cells, Cells) {
    let mut cells = [a, b].map(|_| Cells { brightness: [0.0; CELLS], colours: [[0.0; CELLS]; 2] });
    let [first, second] = &mut cells;
    let tables = midway(a.brightness(), b.brightness());
    for (table, signature, cells) in [(&tables[0], a, &mut *first), (&tables[1], b, &mut *second)] {
        for (cell, &value) in cells.brightness.iter_mut().zip(signature.brightness()) {
            *cell = table[value as usize];
        }
    }
    for (channel, (from_a, from_b)) in a.colours().zip(b.colours()).enumerate() {
        let tables = midway(from_a, from_b);
        for (table, values, cells) in [(&tables[0], from_a, &mut *first), (&tables[1], from_b, &mut *second)]
        {
            for (at, cell) in cells.colours[channel].iter_mut().enumerate() {
                let value = values[at / SIDE / 2 * COLOUR_SIDE + at % SIDE / 2];
                *cell = table[value as usize] * COLOUR_WEIGHT;
            }
        }
    }
    let [first, second] = cells;
    (first, second)
}

/// For each of two lists of the same length, what a value becomes: the mean of what the cells of its ranks would
/// be, halfway between both lists.
fn midway(a: &[u8], b: &[u8]) -> [[f32; 256]; 2] {
    let sorted = [a, b].map(|values| {
        let mut values = values.to_vec();
        values.sort_unstable();
        values
    });
    let mut sums = vec![0.0];
    for (a, b) in sorted[0].iter().zip(&sorted[1]) {
        sums.push(sums[sums.len() - 1] + (f32::from(*a) + f32::from(*b)) / 2.0);
    }
    sorted.map(|values| {
        let mut table = [0.0; 256];
        let mut first = 0;
        for same in values.chunk_by(|a, b| a == b) {
            let end = first + same.len();
            table[same[0] as usize] = (sums[end] - sums[first]) / same.len() as f32;
            first = end;
        }
        table
    })
}

/// Wide differences in brightness, such as a flash from the side, are halved away from both.
fn take_light_away(a: &mut [f32; CELLS], b: &mut [f32; CELLS]) {
    let mut light: [f32; CELLS] = std::array::from_fn(|at| a[at] - b[at]);
    blur(&mut light);
    for ((a, b), light) in a.iter_mut().zip(b).zip(light) {
        *a -= light / 2.0;
        *b += light / 2.0;
    }
}

/// A Gaussian along rows, then along columns; at the border the cells are mirrored.
fn blur(cells: &mut [f32; CELLS]) {
    let weight = |distance: usize| (-((distance as f32 / LIGHT_CELLS).powi(2)) / 2.0).exp();
    let weights: [f32; SIDE] = std::array::from_fn(weight);
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    let mirrored = |at: isize| {
        let at = at.rem_euclid(2 * SIDE as isize) as usize;
        at.min(2 * SIDE - 1 - at)
    };
    for (step, across) in [(1, SIDE), (SIDE, 1)] {
        let from = *cells;
        for line in 0..SIDE {
            for at in 0..SIDE {
                let value = |at: isize| from[line * across + mirrored(at) * step];
                let sides = (1..SIDE as isize)
                    .map(|d| weights[d as usize] * (value(at as isize - d) + value(at as isize + d)));
                cells[line * across + at * step] =
                    (weights[0] * value(at as isize) + sides.sum::<f32>()) / total;
            }
        }
    }
}

impl Cells {
    /// The mean over these cells of how unlike the most alike cell near their place in the other frame is.
    fn moved(&self, other: &Self) -> f32 {
        let mut sum = 0.0;
        for at in 0..CELLS {
            let (x, y) = (at % SIDE, at / SIDE);
            let mut least = f32::INFINITY;
            for row in y.saturating_sub(REACH)..(y + REACH + 1).min(SIDE) {
                for to in row * SIDE + x.saturating_sub(REACH)..row * SIDE + (x + REACH + 1).min(SIDE) {
                    let brightness = self.brightness[at] - other.brightness[to];
                    let [blue, red] = [0, 1].map(|c| self.colours[c][at] - other.colours[c][to]);
                    least = least.min(brightness * brightness + blue * blue + red * red);
                }
            }
            sum += least.sqrt();
        }
        sum / CELLS as f32
    }
}

fn deviation(values: &[f32]) -> f32 {
    let count = values.len() as f32;
    let mean = values.iter().sum::<f32>() / count;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Layout, PixelFormat, Size};
    use crate::preprocess::{Resize, to_encoder_input};

    const WIDTH: usize = 161;
    const HEIGHT: usize = 77;

    /// A made-up scene, seen from a place `dx` pixels further to the right.
    fn scene(seed: f32, dx: f32) -> Vec<[f32; 3]> {
        let pixel = |at: usize| {
            let (x, y) = ((at % WIDTH) as f32 + dx, (at / WIDTH) as f32);
            let wave =
                |a: f32, b: f32, c: f32| ((x * a + seed * 7.0).sin() * (y * b + seed * c).cos() + 1.0) / 2.0;
            let y = wave(0.05 + 0.02 * seed, 0.07, 3.0) * 0.6 + wave(0.13, 0.11 + 0.03 * seed, 5.0) * 0.4;
            [y * 220.0, y * 180.0 + 30.0 * wave(0.04, 0.05, 2.0), 60.0 + y * 100.0 * seed.fract()]
        };
        (0..WIDTH * HEIGHT).map(pixel).collect()
    }

    fn signature(pixels: &[[f32; 3]]) -> Signature {
        let bytes: Vec<u8> = pixels.iter().flatten().map(|v| v.round() as u8).collect();
        let size = Size::new(WIDTH as u32, HEIGHT as u32).unwrap();
        Signature::of(FrameView::new(Layout::packed(size, PixelFormat::Rgb8), &bytes).unwrap()).unwrap()
    }

    fn changed(pixels: &[[f32; 3]], change: impl Fn(usize, f32) -> f32) -> Signature {
        let pixel = |(at, rgb): (usize, &[f32; 3])| rgb.map(|v| change(at, v).clamp(0.0, 255.0));
        signature(&pixels.iter().enumerate().map(pixel).collect::<Vec<_>>())
    }

    #[test]
    fn scenes_that_differ_are_cut_and_a_quick_pan_is_not() {
        let seeds = [0.3, 1.1, 1.9, 2.6, 3.4];
        for a in seeds {
            for b in seeds.into_iter().filter(|b| *b != a) {
                let (first, second) = (signature(&scene(a, 0.0)), signature(&scene(b, 0.0)));
                assert!(is_cut(&first, &second, DEFAULT_SENSITIVITY), "{a} to {b}");
                assert_eq!(distance(&first, &second), distance(&second, &first));
            }
            let pan = [0.0, 12.0].map(|dx| signature(&scene(a, dx)));
            assert!(!is_cut(&pan[0], &pan[1], DEFAULT_SENSITIVITY), "{a}: {}", distance(&pan[0], &pan[1]));
        }
    }

    #[test]
    fn exposure_flashes_and_fades_are_no_cuts() {
        let pixels = scene(1.1, 0.0);
        let plain = signature(&pixels);
        let side = |at: usize| (at % WIDTH) as f32 / WIDTH as f32;
        let lights: [(&str, Signature); 6] = [
            ("a stop up", changed(&pixels, |_, v| v * 2.0)),
            ("two stops down", changed(&pixels, |_, v| v / 4.0)),
            ("gamma", changed(&pixels, |_, v| 255.0 * (v / 255.0).powf(0.5))),
            ("flash", changed(&pixels, |_, v| v + 80.0)),
            ("flash from the side", changed(&pixels, |at, v| v + 90.0 * side(at))),
            ("fog", changed(&pixels, |_, v| v + (255.0 - v) * 0.7)),
        ];
        for (name, light) in lights {
            assert!(!is_cut(&plain, &light, DEFAULT_SENSITIVITY), "{name}: {}", distance(&plain, &light));
        }
        for steps in [6, 12, 24] {
            for target in [0.0, 255.0] {
                let faded = |step: i32| {
                    let share = step as f32 / steps as f32;
                    changed(&pixels, move |_, v| v + (target - v) * share)
                };
                for step in 0..steps {
                    assert!(
                        !is_cut(&faded(step), &faded(step + 1), DEFAULT_SENSITIVITY),
                        "{step} of {steps}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_cut_through_black_is_found_behind_it_and_a_white_frame_is_passed_over() {
        let [first, second] = [0.3, 2.6].map(|seed| signature(&scene(seed, 0.0)));
        let flat = |value: f32| signature(&vec![[value; 3]; WIDTH * HEIGHT]);
        let cuts = |frames: &[&Signature]| {
            let mut detector = CutDetector::new(DEFAULT_SENSITIVITY);
            frames.iter().map(|frame| detector.push((*frame).clone())).collect::<Vec<_>>()
        };
        assert_eq!(cuts(&[&first, &flat(0.0), &flat(0.0), &second]), [false, false, false, true]);
        assert_eq!(cuts(&[&first, &flat(255.0), &first]), [false; 3]);
        assert_eq!(cuts(&[&flat(0.0), &first, &second, &second]), [false, false, true, false]);
    }

    #[test]
    fn sensitivity_moves_the_limit_by_a_factor_of_two_each_way() {
        let [first, second] = [0.3, 2.6].map(|seed| signature(&scene(seed, 0.0)));
        let far = distance(&first, &second);
        for (sensitivity, limit) in [(-1.0, 0.2), (0.0, 0.2), (0.5, 0.1), (1.0, 0.05), (9.0, 0.05)] {
            assert_eq!(is_cut(&first, &second, sensitivity), far > limit, "{far} at {sensitivity}");
        }
    }

    #[test]
    fn the_encoders_square_gives_the_signature_of_its_frame() {
        let pixels = scene(1.9, 0.0);
        let bytes: Vec<u8> = pixels.iter().flatten().map(|v| v.round() as u8).collect();
        let size = Size::new(WIDTH as u32, HEIGHT as u32).unwrap();
        let view = FrameView::new(Layout::packed(size, PixelFormat::Rgb8), &bytes).unwrap();
        let spec = InputSpec {
            size: 96,
            mean: [0.485, 0.456, 0.406],
            deviation: [0.229, 0.224, 0.225],
            resize: Resize::Area,
        };
        let squeezed = Signature::of_input(&to_encoder_input(view, &spec).unwrap(), &spec);
        let apart = distance(&squeezed, &Signature::of(view).unwrap());
        assert!(apart < 0.04, "{apart}");
    }

    #[test]
    fn a_frame_smaller_than_a_signature_has_one_too() {
        let size = Size::new(3, 1).unwrap();
        let bytes = [0, 0, 0, 255, 0, 0, 255, 255, 255];
        let view = FrameView::new(Layout::packed(size, PixelFormat::Rgb8), &bytes).unwrap();
        let signature = Signature::of(view).unwrap();
        assert_eq!(signature.as_bytes()[..CELLS][23 * SIDE + 7..][..2], [0, 76]);
        assert!(!signature.is_flat());
    }

    #[test]
    fn a_stored_signature_comes_back_and_one_of_another_length_is_refused() {
        let signature = signature(&scene(0.3, 0.0));
        assert_eq!(Signature::from_bytes(signature.as_bytes()).unwrap(), signature);
        let said = Signature::from_bytes(&[0; 5]).unwrap_err().to_string();
        assert_eq!(said, "frame: its signature has 5 bytes, expected 864");
    }
}
