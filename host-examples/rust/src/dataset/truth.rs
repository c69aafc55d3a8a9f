//! The true masks of a clip's objects.

use std::{collections::BTreeMap, path::Path};

use clap::ValueEnum;

use super::{Annotation, Marks, Masklets, Region, Sequence};
use crate::{Error, Result};

/// What counts as one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Targets {
    /// Each number or masklet
    Parts,
    /// All that is marked, together
    Whole,
}

/// Something to follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its number or its folder's name.
    pub name: String,
    /// The first frame that shows it.
    pub first: usize,
    /// In the picture's numbers, or among folders or masklets.
    key: usize,
}

/// A clip's objects and their masks, read when they are asked for.
#[derive(Debug)]
pub struct Truth<'a> {
    /// Columns and rows of every mask.
    pub size: (u32, u32),
    /// By number, or as their folders are sorted. Those that no frame shows are left out.
    pub objects: Vec<Object>,
    /// The annotated frames, ascending.
    pub annotated: Vec<usize>,
    sequence: &'a Sequence,
    targets: Targets,
    masklets: Option<Masklets>,
    /// The picture read last: several objects ask for the same one.
    last: Option<(usize, Annotation)>,
}

impl<'a> Truth<'a> {
    /// Looks which objects there are and when they first show. Reads each annotation once, and keeps none.
    ///
    /// # Errors
    /// If an annotation can't be read, or their sizes differ.
    pub fn open(sequence: &'a Sequence, targets: Targets) -> Result<Self> {
        let masklets = match &sequence.marks {
            Marks::Masklets(path) => Some(Masklets::read(path)?),
            _ => None,
        };
        let mut annotated: Vec<usize> = match &sequence.marks {
            Marks::None => Vec::new(),
            Marks::Numbers { files, .. } => files.keys().copied().collect(),
            Marks::Folders(objects) => objects.iter().flat_map(|(_, files)| files.keys().copied()).collect(),
            Marks::Masklets(_) => masklets.iter().flat_map(Masklets::frames).collect(),
        };
        annotated.sort_unstable();
        annotated.dedup();
        let size = masklets.as_ref().map_or((0, 0), |masklets| (masklets.width, masklets.height));
        let mut truth =
            Self { size, objects: Vec::new(), annotated, sequence, targets, masklets, last: None };
        truth.find_objects()?;
        if targets == Targets::Whole {
            let first = truth.objects.iter().map(|object| object.first).min();
            truth.objects =
                first.map(|first| Object { name: "whole".into(), first, key: 0 }).into_iter().collect();
        }
        Ok(truth)
    }

    fn find_objects(&mut self) -> Result<()> {
        let sequence = self.sequence;
        match &sequence.marks {
            Marks::None => {}
            Marks::Numbers { files, .. } => {
                let mut firsts = BTreeMap::new();
                for &frame in files.keys() {
                    for number in self.numbers(frame)?.numbers() {
                        firsts.entry(number).or_insert(frame);
                    }
                }
                let object = |(number, first): (u8, usize)| Object {
                    name: number.to_string(),
                    first,
                    key: usize::from(number),
                };
                self.objects = firsts.into_iter().map(object).collect();
            }
            Marks::Folders(folders) => {
                for (key, (name, files)) in folders.iter().enumerate() {
                    for (&frame, path) in files {
                        if !self.single(path)?.is_empty() {
                            self.objects.push(Object { name: name.clone(), first: frame, key });
                            break;
                        }
                    }
                }
            }
            Marks::Masklets(path) => {
                let Some(masklets) = &self.masklets else { return Ok(()) };
                for (key, name) in masklets.names.iter().enumerate() {
                    for frame in masklets.frames() {
                        let region =
                            masklets.region(frame, key).map_err(|problem| Error::file(path, problem))?;
                        if region.is_some_and(|region| !region.is_empty()) {
                            self.objects.push(Object { name: name.clone(), first: frame, key });
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Where an object is on a frame; `None` where that isn't known.
    ///
    /// # Errors
    /// If the annotation can't be read.
    pub fn region(&mut self, frame: usize, object: &Object) -> Result<Option<Region>> {
        let sequence = self.sequence;
        let whole = self.targets == Targets::Whole;
        match &sequence.marks {
            Marks::None => Ok(None),
            Marks::Numbers { files, .. } if !files.contains_key(&frame) => Ok(None),
            Marks::Numbers { .. } if whole => Ok(Some(self.numbers(frame)?.any())),
            Marks::Numbers { listed, .. } => {
                let region = self.numbers(frame)?.region(object.key as u8);
                let hidden = region.is_empty()
                    && listed
                        .as_ref()
                        .and_then(|listed| listed.get(&(object.key as u8)))
                        .is_some_and(|frames| frames.contains(&sequence.frame_name(frame)));
                // Listed but not marked: its mask is kept back, as those of YouTube-VOS's valid set are.
                Ok((!hidden).then_some(region))
            }
            Marks::Folders(folders) => {
                let of = |truth: &mut Self, key: usize| match folders[key].1.get(&frame) {
                    Some(path) => truth.single(path).map(Some),
                    None => Ok(None),
                };
                if whole { self.union(folders.len(), of) } else { of(self, object.key) }
            }
            Marks::Masklets(path) => {
                let of = |truth: &mut Self, key: usize| match &truth.masklets {
                    Some(masklets) => {
                        masklets.region(frame, key).map_err(|problem| Error::file(path, problem))
                    }
                    None => Ok(None),
                };
                let count = self.masklets.as_ref().map_or(0, |masklets| masklets.names.len());
                if whole { self.union(count, of) } else { of(self, object.key) }
            }
        }
    }

    fn union(
        &mut self,
        count: usize,
        of: impl Fn(&mut Self, usize) -> Result<Option<Region>>,
    ) -> Result<Option<Region>> {
        let mut all: Option<Region> = None;
        for key in 0..count {
            let Some(region) = of(self, key)? else { continue };
            all = Some(match all {
                Some(all) => all.combine(&region, |a, b| a || b),
                None => region,
            });
        }
        Ok(all)
    }

    fn numbers(&mut self, frame: usize) -> Result<&Annotation> {
        let sequence = self.sequence;
        let Marks::Numbers { files, .. } = &sequence.marks else {
            return Err(Error::Bug("a clip without numbers was asked for them"));
        };
        let path = files.get(&frame).ok_or(Error::Bug("a frame without annotation was asked for it"))?;
        let annotation = match self.last.take() {
            Some((last, annotation)) if last == frame => annotation,
            _ => {
                let annotation = Annotation::read(path)?;
                self.check_size(path, (annotation.width, annotation.height))?;
                annotation
            }
        };
        Ok(&self.last.insert((frame, annotation)).1)
    }

    fn single(&mut self, path: &Path) -> Result<Region> {
        let annotation = Annotation::read_single(path)?;
        self.check_size(path, (annotation.width, annotation.height))?;
        Ok(annotation.any())
    }

    fn check_size(&mut self, path: &Path, (width, height): (u32, u32)) -> Result<()> {
        if self.size == (0, 0) {
            self.size = (width, height);
        }
        if self.size == (width, height) {
            return Ok(());
        }
        let wanted = format!("expected {}x{} as the first annotation", self.size.0, self.size.1);
        Err(Error::file(path, format!("its size is {width}x{height}, {wanted}")))
    }
}
