//! Clips with masks, as the field lays them out in folders.
//!
//! | layout | is recognised by | masks |
//! |---|---|---|
//! | DAVIS 2016, 2017 | `JPEGImages[/480p]`, `Annotations[/480p]` | a PNG a frame: grey, or numbers by palette |
//! | YouTube-VOS | the same, and `meta.json` | numbers by palette; objects that come later, frames without a mask |
//! | SA-V val, test | `JPEGImages_24fps`, `Annotations_6fps` | a folder of PNGs for each object |
//! | SA-V train | `*_manual.json`, `*_auto.json` | run lengths; beside the movie, or a folder of its frames |
//! | pairs | `NAME.jpg` beside `NAME.png` | a PNG a picture, each a sequence of one frame |
//!
//! Nothing of a frame is read before it is asked for, and nothing of it is kept.

mod annotation;
mod folders;
mod frames;
mod region;
mod rle;
mod sav;
mod truth;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

pub use annotation::Annotation;
pub use folders::{clips, sequences};
pub use frames::FrameReader;
pub use region::Region;
pub use rle::{Counts, Rle};
pub use sav::{Masklets, SavFile};
pub use truth::{Object, Targets, Truth};

/// The longest side that is taken, in pixels, as of pictures.
const MAX_SIDE: u32 = 16384;

/// A clip, and what is known of its masks.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Its folder's or its file's name.
    pub name: String,
    /// Where its frames are.
    pub pictures: Pictures,
    /// Where its masks are.
    pub marks: Marks,
}

/// Where a clip's frames are.
#[derive(Clone, Debug, PartialEq)]
pub enum Pictures {
    /// A picture for each frame, with the file's name without its suffix.
    Files(Vec<(String, PathBuf)>),
    /// A movie. Its frames are named by their number, in five digits.
    Movie(PathBuf),
}

/// Where a clip's masks are. Frames are counted from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Marks {
    /// Nowhere.
    None,
    /// A PNG picture for some of the frames, with a number for each object.
    Numbers {
        /// By frame.
        files: BTreeMap<usize, PathBuf>,
        /// On which frames an object is to be measured, if that is stated.
        listed: Option<BTreeMap<u8, BTreeSet<String>>>,
    },
    /// For each object a name and a PNG picture for some of the frames.
    Folders(Vec<(String, BTreeMap<usize, PathBuf>)>),
    /// A file in SA-V's form.
    Masklets(PathBuf),
}

impl Sequence {
    /// A frame's name: what its mask's file is called, without the suffix.
    pub fn frame_name(&self, frame: usize) -> String {
        match &self.pictures {
            Pictures::Files(files) => files.get(frame).map(|(name, _)| name.clone()),
            Pictures::Movie(_) => None,
        }
        .unwrap_or_else(|| format!("{frame:05}"))
    }
}
