//! Sequences of pictures with true masks, laid out as DAVIS lays them out.
//!
//! `ROOT/JPEGImages[/480p]/SEQUENCE/*.jpg` and `ROOT/Annotations[/480p]/SEQUENCE/*.png`; or one sequence without
//! a folder of its own, `ROOT/JPEGImages/*.jpg` and `ROOT/Annotations/*.png`. An annotation has the name of its
//! picture and is grey, with one object of 128 and above, or has a palette, with an object for each number.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
};

use png::{ColorType, Decoder, Transformations};

use super::measure::Region;
use crate::{Error, Result, source::natural_order};

/// The number that marks pixels to be left alone in palette annotations. They count as background.
const VOID: u8 = 255;

/// From this grey on a pixel belongs to the object.
const INSIDE: u8 = 128;

/// The longest side that is taken, in pixels, as of pictures.
const MAX_SIDE: u32 = 16384;

/// A sequence's frames, from the first annotated one on.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Its folder's name.
    pub name: String,
    /// In order.
    pub frames: Vec<Frame>,
}

/// One picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The file's name without its suffix.
    pub name: String,
    /// The picture.
    pub picture: PathBuf,
    /// The true masks, where they are known.
    pub annotation: Option<PathBuf>,
}

/// Finds the sequences under `root`, by name.
///
/// # Errors
/// If the folders are not laid out so, or a sequence has no annotated frame.
pub fn sequences(root: &Path) -> Result<Vec<Sequence>> {
    let [pictures, annotations] = ["JPEGImages", "Annotations"].map(|name| root.join(name));
    if !pictures.is_dir() || !annotations.is_dir() {
        return Err(Error::file(root, "it has no folders JPEGImages and Annotations, as DAVIS has"));
    }
    let [pictures, annotations] = [pictures, annotations].map(|folder| {
        let inner = folder.join("480p");
        if inner.is_dir() { inner } else { folder }
    });
    let folders: Vec<String> =
        names(&annotations)?.into_iter().filter(|name| annotations.join(name).is_dir()).collect();
    if folders.is_empty() {
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(vec![Sequence::read(name, &pictures, &annotations)?]);
    }
    let read = |name: String| {
        let (pictures, annotations) = (pictures.join(&name), annotations.join(&name));
        Sequence::read(name, &pictures, &annotations)
    };
    folders.into_iter().map(read).collect()
}

impl Sequence {
    fn read(name: String, pictures: &Path, annotations: &Path) -> Result<Self> {
        let mut known: BTreeMap<String, PathBuf> = files(annotations, &["png"])?.into_iter().collect();
        let mut frames: Vec<Frame> = files(pictures, &["jpg", "jpeg", "png"])?
            .into_iter()
            .map(|(name, picture)| Frame { annotation: known.remove(&name), name, picture })
            .collect();
        if let Some(alone) = known.values().next() {
            return Err(Error::file(alone, format!("no picture of that name is in {}", pictures.display())));
        }
        let first = frames.iter().position(|frame| frame.annotation.is_some()).ok_or_else(|| {
            Error::file(annotations, "it has no annotation of any frame, expected NAME.png for NAME.jpg")
        })?;
        frames.drain(..first);
        Ok(Self { name, frames })
    }
}

/// Names in a folder, in natural order; hidden ones are passed over.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|error| Error::file(folder, error))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| Error::file(folder, error))?.file_name();
        names.extend(name.into_string().ok().filter(|name| !name.starts_with('.')));
    }
    names.sort_by(|a, b| natural_order(a, b));
    Ok(names)
}

/// (name without suffix, path) of a folder's files with one of the suffixes.
fn files(folder: &Path, suffixes: &[&str]) -> Result<Vec<(String, PathBuf)>> {
    let split = |name: &String| {
        let (stem, suffix) = name.rsplit_once('.')?;
        let wanted = suffixes.contains(&suffix.to_lowercase().as_str());
        wanted.then(|| (stem.to_owned(), folder.join(name)))
    };
    Ok(names(folder)?.iter().filter_map(split).collect())
}

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
    /// Reads a PNG picture: a palette's numbers, or grey.
    ///
    /// # Errors
    /// If it can't be read, or is in colour without a palette.
    pub fn read(path: &Path) -> Result<Self> {
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
            (ColorType::Grayscale, 1 | 8) => false,
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
        let threshold = if bits == 1 { 1 } else { INSIDE };
        for object in &mut objects {
            *object = match (*object, palette) {
                (VOID, true) => 0,
                (number, true) => number,
                (grey, false) => u8::from(grey >= threshold),
            };
        }
        Ok(Self { width: info.width, height: info.height, objects })
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
    fn colours_without_a_palette_are_refused() {
        let said = annotation(ColorType::Rgb, BitDepth::Eight, &[9; 30]).unwrap_err().to_string();
        assert!(said.ends_with("expected a palette or grey"), "{said}");
    }

    #[test]
    fn sequences_are_found_in_every_layout() {
        for (inner, name) in [("", "bear"), ("480p", "bear"), ("", "")] {
            let root = tempfile::tempdir().unwrap();
            let [pictures, annotations] =
                ["JPEGImages", "Annotations"].map(|top| root.path().join(top).join(inner).join(name));
            write(&annotations.join("00002.png"), ColorType::Grayscale, BitDepth::Eight, &[0; 10]);
            fs::create_dir_all(&pictures).unwrap();
            for frame in ["00000", "00002", "00010"] {
                fs::write(pictures.join(format!("{frame}.jpg")), "").unwrap();
            }
            let found = sequences(root.path()).unwrap();
            assert_eq!(found.len(), 1, "{inner} {name}");
            // The first picture has no annotation, so there is nothing to begin with.
            let frames: Vec<_> = found[0].frames.iter().map(|frame| frame.name.as_str()).collect();
            assert_eq!(frames, ["00002", "00010"]);
            assert!(found[0].frames[0].annotation.is_some() && found[0].frames[1].annotation.is_none());
        }
    }

    #[test]
    fn an_annotation_without_a_picture_is_named() {
        let root = tempfile::tempdir().unwrap();
        write(&root.path().join("Annotations/b/1.png"), ColorType::Grayscale, BitDepth::Eight, &[0; 10]);
        fs::create_dir_all(root.path().join("JPEGImages/b")).unwrap();
        let said = sequences(root.path()).unwrap_err().to_string();
        assert!(said.contains("1.png: no picture of that name is in"), "{said}");
    }

    #[test]
    fn another_folder_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let said = sequences(root.path()).unwrap_err().to_string();
        assert!(said.ends_with("it has no folders JPEGImages and Annotations, as DAVIS has"), "{said}");
    }
}
