//! Which layout a folder has, and the clips in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{Marks, Pictures, Sequence};
use crate::{Error, Result, source::natural_order};

const PICTURES: [&str; 3] = ["jpg", "jpeg", "png"];
const PHOTOS: [&str; 2] = ["jpg", "jpeg"];
const MOVIES: [&str; 6] = ["mp4", "mov", "mkv", "webm", "avi", "m4v"];

/// SA-V's suffixes, those that people made before those that a model made.
const SAV_FILES: [&str; 2] = ["_manual.json", "_auto.json"];

/// DAVIS's resolutions, the usual one first.
const RESOLUTIONS: [&str; 2] = ["480p", "Full-Resolution"];

const WANTED: &str = "expected a folder as DAVIS (JPEGImages, Annotations), YouTube-VOS (the same and meta.json) or \
     SA-V (JPEGImages_24fps, Annotations_6fps; or NAME.mp4 with NAME_manual.json) has, or pairs NAME.jpg, NAME.png";

/// Finds the clips with masks under `root`, by name.
///
/// # Errors
/// If the folder has none of the layouts, or an annotation belongs to no picture.
pub fn sequences(root: &Path) -> Result<Vec<Sequence>> {
    let found = laid_out(root)?.ok_or_else(|| Error::file(root, WANTED))?;
    Ok(found.into_iter().filter(|sequence| sequence.marks != Marks::None).collect())
}

/// Finds the clips under `root`, by name, whether they have masks or not: in one of the layouts, or just movies
/// and folders of pictures.
///
/// # Errors
/// As [`sequences`]; if there are no clips.
pub fn clips(root: &Path) -> Result<Vec<Sequence>> {
    let mut clips = match laid_out(root)? {
        Some(clips) if clips.iter().all(|clip| clip.pictures.len() != Some(1)) => clips,
        _ => loose_clips(root)?,
    };
    clips.sort_by(|a, b| natural_order(&a.name, &b.name));
    if clips.is_empty() {
        return Err(Error::file(root, "it has no clips, expected movies or folders of pictures"));
    }
    Ok(clips)
}

fn laid_out(root: &Path) -> Result<Option<Vec<Sequence>>> {
    if !root.is_dir() {
        return Err(Error::file(root, "there is no such folder"));
    }
    let sav = [root.join("JPEGImages_24fps"), root.join("Annotations_6fps")];
    if sav.iter().all(|folder| folder.is_dir()) {
        return marked(root, &sav[0], &sav[1]).map(Some);
    }
    let davis = [root.join("JPEGImages"), root.join("Annotations")];
    if davis.iter().all(|folder| folder.is_dir()) {
        let inner = |folder: &Path| {
            let resolutions = RESOLUTIONS.map(|name| folder.join(name));
            resolutions.into_iter().find(|inner| inner.is_dir()).unwrap_or_else(|| folder.to_owned())
        };
        return marked(root, &inner(&davis[0]), &inner(&davis[1])).map(Some);
    }
    let masklets = masklet_files(root)?;
    if !masklets.is_empty() {
        return Ok(Some(masklets));
    }
    let pairs = pairs(root)?;
    Ok((!pairs.is_empty()).then_some(pairs))
}

/// A folder of pictures and one of annotations, with a folder for each clip, or with a single clip's files.
fn marked(root: &Path, pictures: &Path, annotations: &Path) -> Result<Vec<Sequence>> {
    let meta = root.join("meta.json");
    let meta = if meta.is_file() { Some(Meta::read(&meta)?) } else { None };
    let folders = folders(pictures)?;
    if folders.is_empty() {
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(vec![read_clip(name, pictures, annotations, None)?]);
    }
    if let Some(alone) = self::folders(annotations)?.into_iter().find(|name| !folders.contains(name)) {
        let problem = format!("there is no folder of that name in {}", pictures.display());
        return Err(Error::file(&annotations.join(alone), problem));
    }
    let read = |name: String| {
        let listed = meta.as_ref().and_then(|meta| meta.listed(&name));
        let (pictures, annotations) = (pictures.join(&name), annotations.join(&name));
        read_clip(name, &pictures, &annotations, listed)
    };
    folders.into_iter().map(read).collect()
}

fn read_clip(
    name: String,
    pictures: &Path,
    annotations: &Path,
    listed: Option<BTreeMap<u8, BTreeSet<String>>>,
) -> Result<Sequence> {
    let pictures_folder = pictures;
    let pictures = files(pictures, &PICTURES)?;
    let places: BTreeMap<&str, usize> =
        pictures.iter().enumerate().map(|(place, (name, _))| (name.as_str(), place)).collect();
    let placed = |folder: &Path| -> Result<BTreeMap<usize, PathBuf>> {
        let place = |(name, path): (String, PathBuf)| match places.get(name.as_str()) {
            Some(&place) => Ok((place, path)),
            None => {
                let problem = format!("no picture of that name is in {}", pictures_folder.display());
                Err(Error::file(&path, problem))
            }
        };
        files(folder, &["png"])?.into_iter().map(place).collect()
    };
    let objects = if annotations.is_dir() { folders(annotations)? } else { Vec::new() };
    let marks = if !annotations.is_dir() {
        Marks::None
    } else if objects.is_empty() {
        match placed(annotations)? {
            files if files.is_empty() => {
                let problem = "it has no annotation of any frame, expected NAME.png for NAME.jpg";
                return Err(Error::file(annotations, problem));
            }
            files => Marks::Numbers { files, listed },
        }
    } else {
        let read = |object: String| Ok((object.clone(), placed(&annotations.join(&object))?));
        Marks::Folders(objects.into_iter().map(read).collect::<Result<_>>()?)
    };
    Ok(Sequence { name, pictures: Pictures::Files(pictures), marks })
}

/// SA-V's masklet files in a folder or one below it, each with its movie or a folder of the movie's frames.
fn masklet_files(root: &Path) -> Result<Vec<Sequence>> {
    let mut found: Vec<Sequence> = Vec::new();
    let below = folders(root)?.into_iter().map(|name| root.join(name));
    for folder in [root.to_owned()].into_iter().chain(below) {
        let names = names(&folder)?;
        for suffix in SAV_FILES {
            for name in names.iter().filter_map(|name| name.strip_suffix(suffix)) {
                if found.iter().any(|sequence| sequence.name == name) {
                    continue;
                }
                let path = folder.join(format!("{name}{suffix}"));
                let (movie, frames) = (folder.join(format!("{name}.mp4")), folder.join(name));
                let pictures = if movie.is_file() {
                    Pictures::Movie(movie)
                } else if frames.is_dir() {
                    Pictures::Files(files(&frames, &PICTURES)?)
                } else {
                    return Err(Error::file(&path, format!("expected {name}.mp4 beside it")));
                };
                found.push(Sequence { name: name.to_owned(), pictures, marks: Marks::Masklets(path) });
            }
        }
    }
    Ok(found)
}

fn pairs(root: &Path) -> Result<Vec<Sequence>> {
    let masks: BTreeMap<String, PathBuf> = files(root, &["png"])?.into_iter().collect();
    let pair = |(name, picture): (String, PathBuf)| {
        let mask = masks.get(&name)?.clone();
        let marks = Marks::Numbers { files: BTreeMap::from([(0, mask)]), listed: None };
        Some(Sequence { pictures: Pictures::Files(vec![(name.clone(), picture)]), name, marks })
    };
    Ok(files(root, &PHOTOS)?.into_iter().filter_map(pair).collect())
}

fn loose_clips(root: &Path) -> Result<Vec<Sequence>> {
    let mut clips: Vec<Sequence> = files(root, &MOVIES)?
        .into_iter()
        .map(|(name, path)| Sequence { name, pictures: Pictures::Movie(path), marks: Marks::None })
        .collect();
    let jpegs = root.join("JPEGImages");
    let root = if jpegs.is_dir() { &jpegs } else { root };
    for name in folders(root)? {
        let pictures = files(&root.join(&name), &PICTURES)?;
        if !pictures.is_empty() {
            clips.push(Sequence { name, pictures: Pictures::Files(pictures), marks: Marks::None });
        }
    }
    Ok(clips)
}

impl Pictures {
    /// How many frames, where that is known without reading them.
    pub fn len(&self) -> Option<usize> {
        match self {
            Self::Files(files) => Some(files.len()),
            Self::Movie(_) => None,
        }
    }

    /// Whether there are certainly no frames.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

/// YouTube-VOS's `meta.json`: on which frames an object is to be measured.
#[derive(Deserialize)]
struct Meta {
    videos: BTreeMap<String, Video>,
}

#[derive(Deserialize)]
struct Video {
    objects: BTreeMap<String, Listed>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    frames: BTreeSet<String>,
}

impl Meta {
    fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::file(path, error))?;
        serde_json::from_reader(BufReader::new(file))
            .map_err(|error| Error::file(path, format!("it is no meta.json as YouTube-VOS has: {error}")))
    }

    fn listed(&self, name: &str) -> Option<BTreeMap<u8, BTreeSet<String>>> {
        let video = self.videos.get(name)?;
        let number = |(name, listed): (&String, &Listed)| Some((name.parse().ok()?, listed.frames.clone()));
        Some(video.objects.iter().filter_map(number).collect())
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

fn folders(folder: &Path) -> Result<Vec<String>> {
    Ok(names(folder)?.into_iter().filter(|name| folder.join(name).is_dir()).collect())
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

#[cfg(test)]
mod tests {
    use super::{super::*, *};

    /// Empty pictures and annotations of 4x2, whose one object fills the columns from the left.
    struct Root(tempfile::TempDir);

    impl Root {
        fn new(pictures: &[&str]) -> Self {
            let root = Self(tempfile::tempdir().unwrap());
            pictures.iter().for_each(|path| drop(root.file(path, "")));
            root
        }

        fn file(&self, path: &str, text: &str) -> PathBuf {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        }

        /// A grey picture whose dark levels are numbers.
        fn numbers(&self, path: &str, levels: [u8; 4]) -> &Self {
            let path = self.file(path, "");
            image::GrayImage::from_fn(4, 2, |x, _| image::Luma([levels[x as usize]])).save(path).unwrap();
            self
        }

        fn sequences(&self) -> Vec<Sequence> {
            sequences(self.0.path()).unwrap()
        }

        fn said(&self) -> String {
            sequences(self.0.path()).unwrap_err().to_string()
        }
    }

    fn objects(sequence: &Sequence) -> Vec<(String, usize)> {
        let truth = Truth::open(sequence, Targets::Parts).unwrap();
        truth.objects.iter().map(|object| (object.name.clone(), object.first)).collect()
    }

    #[test]
    fn clips_as_davis_has_them_are_found_with_and_without_inner_folders() {
        for (inner, name) in [("", "bear/"), ("480p/", "bear/"), ("", "")] {
            let picture = |frame| format!("JPEGImages/{inner}{name}{frame}.jpg");
            let root = Root::new(&["00000", "00002", "00010"].map(picture).each_ref().map(String::as_str));
            root.numbers(&format!("Annotations/{inner}{name}00002.png"), [0, 255, 255, 0]);
            let found = root.sequences();
            assert_eq!(found.len(), 1, "{inner}{name}");
            assert_eq!(objects(&found[0]), [("1".to_owned(), 1)]);
            assert_eq!(found[0].frame_name(2), "00010");
        }
    }

    #[test]
    fn objects_that_come_later_begin_later_and_hidden_masks_are_not_taken_for_empty_ones() {
        let root = Root::new(&["JPEGImages/v/00000.jpg", "JPEGImages/v/00005.jpg", "JPEGImages/v/00010.jpg"]);
        root.numbers("Annotations/v/00000.png", [1, 1, 0, 0])
            .numbers("Annotations/v/00005.png", [0, 0, 2, 2]);
        let sequence = &root.sequences()[0];
        assert_eq!(objects(sequence), [("1".to_owned(), 0), ("2".to_owned(), 1)]);
        let known = |sequence: &Sequence| {
            let mut truth = Truth::open(sequence, Targets::Parts).unwrap();
            let object = truth.objects[0].clone();
            [0, 1, 2].map(|frame| truth.region(frame, &object).unwrap().map(|region| region.area()))
        };
        assert_eq!(known(sequence), [Some(4), Some(0), None]);
        let meta =
            r#"{"videos": {"v": {"objects": {"1": {"category": "x", "frames": ["00000", "00005"]}}}}}"#;
        root.file("meta.json", meta);
        assert_eq!(known(&root.sequences()[0]), [Some(4), None, None]);
        root.file("meta.json", "[]");
        assert!(root.said().contains("meta.json: it is no meta.json as YouTube-VOS has"), "{}", root.said());
    }

    #[test]
    fn sa_v_has_a_folder_for_each_object_and_they_may_overlap() {
        let root = Root::new(&["JPEGImages_24fps/s/00000.jpg", "JPEGImages_24fps/s/00004.jpg"]);
        root.numbers("Annotations_6fps/s/000/00000.png", [0, 0, 0, 0])
            .numbers("Annotations_6fps/s/000/00004.png", [1, 1, 0, 0])
            .numbers("Annotations_6fps/s/001/00000.png", [0, 255, 255, 0]);
        let sequence = &root.sequences()[0];
        assert_eq!(objects(sequence), [("000".to_owned(), 1), ("001".to_owned(), 0)]);
        let mut whole = Truth::open(sequence, Targets::Whole).unwrap();
        let object = whole.objects[0].clone();
        assert_eq!((object.first, whole.region(0, &object).unwrap().unwrap().area()), (0, 4));
    }

    #[test]
    fn sa_vs_masklet_files_are_found_beside_a_movie_or_its_frames() {
        let rle = Rle::of(&Region::from_mask(4, &[0, 1, 1, 0, 0, 0, 0, 0]));
        let file = SavFile {
            video_id: "sav_1".into(),
            video_frame_count: 5.0,
            video_height: 2.0,
            video_width: 4.0,
            masklet: vec![vec![None, Some(rle.clone())], vec![Some(rle.clone()), Some(rle)]],
            masklet_id: vec![0, 3],
            ..SavFile::default()
        };
        let root = Root::new(&["sav_000/sav_1.mp4", "sav_2/00000.jpg"]);
        root.file("sav_000/sav_1_manual.json", &serde_json::to_string(&file).unwrap());
        root.file("sav_000/sav_1_auto.json", "unread, since people's come first");
        root.file("sav_2_auto.json", &serde_json::to_string(&file).unwrap());
        let found = root.sequences();
        assert_eq!(found.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["sav_2", "sav_1"]);
        assert_eq!(objects(&found[1]), [("000".to_owned(), 4), ("003".to_owned(), 0)]);
        assert!(matches!(&found[1].pictures, Pictures::Movie(path) if path.ends_with("sav_000/sav_1.mp4")));

        let mut broken = file;
        broken.masklet[1][0] = Some(Rle { size: [2, 4], counts: Counts::Text("3".into()) });
        root.file("sav_2_auto.json", &serde_json::to_string(&broken).unwrap());
        let said = Truth::open(&root.sequences()[0], Targets::Parts).unwrap_err().to_string();
        assert!(said.ends_with("masklet 000 on frame 4: its runs fill 3 pixels, expected 4x2 = 8"), "{said}");
        root.file("alone_auto.json", "{}");
        assert!(root.said().ends_with("alone_auto.json: expected alone.mp4 beside it"), "{}", root.said());
    }

    #[test]
    fn a_picture_beside_its_labels_is_a_sequence_of_its_own() {
        let root = Root::new(&["0905.jpg", "0906.jpg", "0907.jpg"]);
        root.numbers("0905.png", [0, 5, 58, 58]).numbers("0906.png", [255, 0, 0, 0]);
        let found = root.sequences();
        assert_eq!(found.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["0905", "0906"]);
        assert_eq!(objects(&found[0]), [("5".to_owned(), 0), ("58".to_owned(), 0)]);
    }

    #[test]
    fn annotations_without_pictures_and_of_other_sizes_are_named() {
        let root = Root::new(&["JPEGImages/b/2.jpg", "JPEGImages/b/3.jpg"]);
        root.numbers("Annotations/b/1.png", [0; 4]);
        assert!(root.said().contains("1.png: no picture of that name is in"), "{}", root.said());
        let root = Root::new(&["JPEGImages/b/2.jpg", "JPEGImages/b/3.jpg"]);
        root.numbers("Annotations/b/2.png", [1; 4]);
        image::GrayImage::new(2, 4).save(root.file("Annotations/b/3.png", "")).unwrap();
        let said = Truth::open(&root.sequences()[0], Targets::Parts).unwrap_err().to_string();
        assert!(said.ends_with("3.png: its size is 2x4, expected 4x2 as the first annotation"), "{said}");
        root.numbers("Annotations/c/2.png", [1; 4]);
        assert!(root.said().contains("c: there is no folder of that name in"), "{}", root.said());
    }

    #[test]
    fn a_folder_of_none_of_the_layouts_is_refused_and_may_still_hold_clips() {
        let root = Root::new(&["a/1.jpg", "a/2.jpg", "b.mp4", "notes/read.txt"]);
        assert!(
            root.said().contains("expected a folder as DAVIS (JPEGImages, Annotations)"),
            "{}",
            root.said()
        );
        let clips = clips(root.0.path()).unwrap();
        assert_eq!(clips.iter().map(|clip| clip.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(
            super::clips(&root.0.path().join("notes")).unwrap_err().to_string().contains("it has no clips")
        );
        assert!(
            sequences(Path::new("/no/such")).unwrap_err().to_string().contains("there is no such folder")
        );
    }
}
