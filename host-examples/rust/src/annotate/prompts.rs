//! What people say is to be followed: a table of clicks and boxes, and masks that a clip already has.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Deserialize;

use crate::{
    Error, Result,
    dataset::{Region, Sequence, Targets, Truth},
};

/// The most objects of a clip: a picture of numbers has no more.
pub const MOST_OBJECTS: usize = 254;

/// Something said of an object on a frame, in pixels of the frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Prompt {
    /// Left, top, right, bottom.
    Box([f32; 4]),
    /// A place on the object, or one that is not.
    Click([f32; 2], bool),
    /// All of it.
    Mask(Region),
}

/// An object, and by frame what is said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// As the table or the data set calls it.
    pub name: String,
    /// At least one prompt.
    pub prompts: BTreeMap<usize, Vec<Prompt>>,
}

/// A table of prompts, by clip and object.
#[derive(Clone, Debug, Default)]
pub struct Prompts {
    clips: BTreeMap<String, BTreeMap<String, BTreeMap<usize, Vec<Prompt>>>>,
}

#[derive(Deserialize)]
struct Row {
    clip: String,
    object: String,
    frame: u32,
    kind: Kind,
    x0: f32,
    y0: f32,
    x1: Option<f32>,
    y1: Option<f32>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Point,
    Negative,
    Box,
}

impl Prompts {
    /// Reads a table with the headings clip, object, frame, kind, x0, y0, and for boxes x1, y1.
    ///
    /// # Errors
    /// If it is no such table. Whether prompts lie on their frames is for the library to say.
    pub fn read(path: &Path) -> Result<Self> {
        let unreadable =
            |error: csv::Error| Error::file(path, format!("it can't be read as a table of prompts: {error}"));
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .flexible(true)
            .from_path(path)
            .map_err(unreadable)?;
        let mut prompts = Self::default();
        for row in reader.deserialize() {
            let row: Row = row.map_err(unreadable)?;
            let prompt = match (row.kind, row.x1, row.y1) {
                (Kind::Box, Some(x1), Some(y1)) => Prompt::Box([row.x0, row.y0, x1, y1]),
                (Kind::Box, ..) => {
                    let problem = format!(
                        "the box of {} on frame {} has one corner, expected two",
                        row.object, row.frame
                    );
                    return Err(Error::file(path, problem));
                }
                (kind, ..) => Prompt::Click([row.x0, row.y0], kind == Kind::Point),
            };
            let objects = prompts.clips.entry(row.clip).or_default();
            let frames = objects.entry(row.object).or_default();
            frames.entry(row.frame as usize).or_default().push(prompt);
        }
        Ok(prompts)
    }

    /// The clips that are named.
    pub fn clips(&self) -> impl Iterator<Item = &str> {
        self.clips.keys().map(String::as_str)
    }

    /// What is said of a clip: by the table, otherwise by the masks that it has.
    ///
    /// # Errors
    /// If its masks can't be read or have another size, or there are too many objects.
    pub fn of(&self, clip: &Sequence, size: (u32, u32)) -> Result<Vec<Given>> {
        let given = match self.clips.get(&clip.name) {
            Some(objects) => {
                let given = |(name, prompts): (&String, &BTreeMap<usize, Vec<Prompt>>)| Given {
                    name: name.clone(),
                    prompts: prompts.clone(),
                };
                objects.iter().map(given).collect()
            }
            None => masks_of(clip, size)?,
        };
        if given.len() > MOST_OBJECTS {
            let found = given.len();
            return Err(Error::Prompt(format!(
                "{}: {found} objects, expected up to {MOST_OBJECTS}",
                clip.name
            )));
        }
        Ok(given)
    }
}

/// The first mask of each object that a clip has.
fn masks_of(clip: &Sequence, size: (u32, u32)) -> Result<Vec<Given>> {
    let mut truth = Truth::open(clip, Targets::Parts)?;
    if !truth.objects.is_empty() && truth.size != size {
        let (found, wanted) = (truth.size, size);
        return Err(Error::Prompt(format!(
            "{}: its masks are {}x{}, expected {}x{} as its frames",
            clip.name, found.0, found.1, wanted.0, wanted.1
        )));
    }
    let mut given = Vec::new();
    for object in truth.objects.clone() {
        let Some(region) = truth.region(object.first, &object)? else { continue };
        let prompts = BTreeMap::from([(object.first, vec![Prompt::Mask(region)])]);
        given.push(Given { name: object.name, prompts });
    }
    Ok(given)
}

/// The frames on which anything is said.
pub fn frames(given: &[Given]) -> BTreeSet<usize> {
    given.iter().flat_map(|given| given.prompts.keys().copied()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::dataset::{Marks, Pictures};

    fn read(text: &str) -> Result<Prompts> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prompts.csv");
        fs::write(&path, text).unwrap();
        Prompts::read(&path)
    }

    #[test]
    fn a_table_names_clicks_and_boxes_of_several_objects() {
        let prompts = read(
            "clip,object,frame,kind,x0,y0,x1,y1\n\
             a,cat,0,point,5,6\na,cat,0,negative,1,2\na,dog,7,box,1,2,3.5,4\nb,cat,0,point,1,1\n",
        )
        .unwrap();
        assert_eq!(prompts.clips().collect::<Vec<_>>(), ["a", "b"]);
        let clip = Sequence { name: "a".into(), pictures: Pictures::Files(Vec::new()), marks: Marks::None };
        let given = prompts.of(&clip, (9, 9)).unwrap();
        assert_eq!(given[0].prompts[&0], [Prompt::Click([5.0, 6.0], true), Prompt::Click([1.0, 2.0], false)]);
        assert_eq!(given[1].prompts[&7], [Prompt::Box([1.0, 2.0, 3.5, 4.0])]);
        assert_eq!(frames(&given).into_iter().collect::<Vec<_>>(), [0, 7]);
    }

    #[test]
    fn rows_that_mean_nothing_are_refused() {
        for (rows, said) in [
            ("a,cat,0,box,1,2", "the box of cat on frame 0 has one corner, expected two"),
            ("a,cat,-1,point,1,2", "it can't be read as a table of prompts"),
            ("a,cat,0,circle,1,2", "it can't be read as a table of prompts"),
            ("a,cat", "it can't be read as a table of prompts"),
        ] {
            let found =
                read(&format!("clip,object,frame,kind,x0,y0,x1,y1\n{rows}\n")).unwrap_err().to_string();
            assert!(found.contains(said), "{found}");
        }
    }
}
