//! One annotated frame: a PNG picture whose numbers are objects.

use std::{fs::File, io::BufReader, path::Path};

use png::{ColorType, Decoder, Transformations};

use super::{MAX_SIDE, Region};
use crate::{Error, Result};

/// The number that marks pixels to be left alone in palette annotations. They count as background.
const VOID: u8 = 255;

/// From this grey on a pixel belongs to the object.
const INSIDE: u8 = 128;

/// The objects of one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    objects: Vec<u8>,
}

impl Annotation {
    /// Reads a PNG picture: a palette's numbers, or grey. A palette's 255 is void, which is no object. Grey is one
    /// object of 128 and above; where all of it is darker, its levels are the objects' numbers.
    ///
    /// # Errors
    /// If it can't be read, or is in colour without a palette.
    pub fn read(path: &Path) -> Result<Self> {
        let (mut annotation, palette) = Self::levels(path)?;
        let mask = !palette && annotation.objects.iter().any(|&level| level >= INSIDE);
        for object in &mut annotation.objects {
            *object = match *object {
                VOID if palette => 0,
                level if mask => u8::from(level >= INSIDE),
                number => number,
            };
        }
        Ok(annotation)
    }

    /// Reads a PNG picture of one object alone, which is whatever is not 0.
    ///
    /// # Errors
    /// As [`Annotation::read`].
    pub fn read_single(path: &Path) -> Result<Self> {
        let (mut annotation, _) = Self::levels(path)?;
        annotation.objects.iter_mut().for_each(|level| *level = u8::from(*level != 0));
        Ok(annotation)
    }

    /// What the file has for each pixel, and whether that has a palette.
    fn levels(path: &Path) -> Result<(Self, bool)> {
        let file = File::open(path).map_err(|error| Error::file(path, error))?;
        let unreadable = |error| Error::file(path, format!("it can't be read as a PNG picture: {error}"));
        let mut decoder = Decoder::new(BufReader::new(file));
        decoder.set_transformations(Transformations::IDENTITY);
        let mut reader = decoder.read_info().map_err(unreadable)?;
        let (width, height) = (reader.info().width, reader.info().height);
        if width.max(height) > MAX_SIDE {
            let problem = format!("its size is {width}x{height}, expected sides up to {MAX_SIDE} pixels");
            return Err(Error::file(path, problem));
        }
        let (colour, depth) = reader.output_color_type();
        let palette = match (colour, depth as u8) {
            (ColorType::Indexed, _) => true,
            (ColorType::Grayscale, _) if depth as u8 <= 8 => false,
            _ => return Err(Error::file(path, "it is in colour or in 16 bits, expected a palette or grey")),
        };
        let size = reader.output_buffer_size().ok_or_else(|| Error::file(path, "it is too large"))?;
        let mut packed = vec![0; size];
        let info = reader.next_frame(&mut packed).map_err(unreadable)?;
        let bits = depth as u8;
        let mut objects = Vec::with_capacity(info.width as usize * info.height as usize);
        for row in packed.chunks_exact(info.line_size.max(1)).take(info.height as usize) {
            objects.extend(numbers(row, bits).take(info.width as usize));
        }
        Ok((Self { width: info.width, height: info.height, objects }, palette))
    }

    /// The objects' numbers, ascending.
    pub fn numbers(&self) -> Vec<u8> {
        let mut present = [false; 256];
        self.objects.iter().for_each(|&object| present[usize::from(object)] = true);
        (1..=u8::MAX).filter(|&object| present[usize::from(object)]).collect()
    }

    /// Where one object is.
    pub fn region(&self, number: u8) -> Region {
        Region::new(self.width, self.objects.iter().map(|&object| object == number).collect())
    }

    /// Where any object is.
    pub fn any(&self) -> Region {
        Region::from_mask(self.width, &self.objects)
    }
}

/// The numbers of a row that packs several into a byte, the leftmost in the highest bits.
fn numbers(row: &[u8], bits: u8) -> impl Iterator<Item = u8> {
    row.iter().flat_map(move |&byte| {
        let mask = u8::MAX >> (8 - bits);
        (0..8 / bits).map(move |place| (byte >> (8 - bits * (place + 1))) & mask)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use png::{BitDepth, Encoder};

    use super::*;

    /// Writes a 5x2 PNG whose rows are already packed.
    fn write(path: &Path, colour: ColorType, depth: BitDepth, packed: &[u8]) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut encoder = Encoder::new(File::create(path).unwrap(), 5, 2);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if colour == ColorType::Indexed {
            encoder.set_palette(
                (0..=255).flat_map(|n| [n, 0, 255 - n]).take(3 << depth as u8).collect::<Vec<_>>(),
            );
        }
        encoder.write_header().unwrap().write_image_data(packed).unwrap();
    }

    fn annotation(colour: ColorType, depth: BitDepth, packed: &[u8]) -> Result<Annotation> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        write(&path, colour, depth, packed);
        Annotation::read(&path)
    }

    #[test]
    fn a_palettes_numbers_are_objects_and_void_is_none() {
        let packed = [0, 1, 2, 255, 2, 0, 0, 7, 0, 1];
        let read = annotation(ColorType::Indexed, BitDepth::Eight, &packed).unwrap();
        assert_eq!((read.width, read.height), (5, 2));
        assert_eq!(read.numbers(), [1, 2, 7]);
        assert_eq!(read.region(2).pixels(), packed.map(|number| number == 2));
    }

    #[test]
    fn small_palettes_are_unpacked_from_the_left() {
        let read =
            annotation(ColorType::Indexed, BitDepth::Two, &[0b00_01_10_11, 0b01_000000, 0, 0]).unwrap();
        assert_eq!(read.objects, [0, 1, 2, 3, 1, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn grey_is_one_object_split_at_half() {
        let packed = [0, 127, 128, 255, 64, 0, 0, 0, 0, 200];
        let read = annotation(ColorType::Grayscale, BitDepth::Eight, &packed).unwrap();
        assert_eq!(read.objects, [0, 0, 1, 1, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn dark_grey_levels_are_numbers() {
        let packed = [0, 1, 58, 3, 0, 0, 0, 0, 0, 3];
        assert_eq!(annotation(ColorType::Grayscale, BitDepth::Eight, &packed).unwrap().numbers(), [1, 3, 58]);
        // A mask of one bit a pixel.
        let read = annotation(ColorType::Grayscale, BitDepth::One, &[0b0110_0000, 0b1000_0000]).unwrap();
        assert_eq!(read.objects, [0, 1, 1, 0, 0, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn colours_without_a_palette_are_refused() {
        let said = annotation(ColorType::Rgb, BitDepth::Eight, &[9; 30]).unwrap_err().to_string();
        assert!(said.ends_with("expected a palette or grey"), "{said}");
    }
}
