//! Finished frames into files.

use std::{fs, path::Path};

use ffmpeg_next::format::Pixel;
use image::ExtendedColorType;

use super::{
    chain::Chain,
    kind::{Kind, own_folder},
    masks::Masks,
    names::Named,
    openexr::{Content, OpenExr},
    samples::{Format, Grey8, Grey16, Rgba16, RgbaFloats},
};
use crate::{
    Error, Result,
    convert::Pixels,
    picture::Picture,
    sink::{Movie, Pattern, encoder, write_png},
    source::{ClipInfo, Frame},
};

/// An open output with the buffers for a frame.
pub struct Output {
    files: Files,
    /// Whether there is a plate to cut out.
    plate: bool,
    grey: Grey8,
    all: Grey16,
    each: Vec<Grey16>,
    picture: Picture,
    wide: Rgba16,
    light: RgbaFloats,
}

enum Files {
    Together(Pattern, u8),
    Apart(Vec<Pattern>, u8),
    Exr(Box<OpenExr>),
    /// Coverage as grey.
    Grey(Box<Movie>, u8),
    /// Colour and alpha of 8 or 16 bits.
    Colour(Box<Movie>, u8),
}

impl Output {
    /// Opens an output for these objects. `clip` tells size, rate and colours; `plate` whether its frames are cut out.
    ///
    /// # Errors
    /// If its place can't be written to, or FFmpeg has no encoder for it.
    pub fn create(path: &Path, kind: &Kind, objects: &[Named], clip: &ClipInfo, plate: bool) -> Result<Self> {
        let movie = |recipes, given| Movie::of_pixels(path, clip, recipes, given).map(Box::new);
        let files = match kind {
            Kind::Png { bits, apart: false } => {
                make_folder(path)?;
                Files::Together(Pattern::new(path)?, *bits)
            }
            Kind::Png { bits, apart: true } => {
                make_folder(path)?;
                let own = |object: &Named| {
                    let own = own_folder(path, &object.layer);
                    make_folder(&own)?;
                    Pattern::new(&own)
                };
                Files::Apart(objects.iter().map(own).collect::<Result<_>>()?, *bits)
            }
            Kind::Exr(pattern) => {
                make_folder(path)?;
                Files::Exr(Box::new(OpenExr::new(pattern.clone(), objects, clip.rate)))
            }
            Kind::Mov => Files::Colour(movie(encoder::PRORES, Rgba16::FORMAT)?, 16),
            Kind::WebM => Files::Colour(movie(encoder::VP9, Pixel::RGBA)?, 8),
            Kind::Mkv { bits: 8 } if plate => Files::Colour(movie(encoder::FFV1, Pixel::RGBA)?, 8),
            Kind::Mkv { .. } if plate => Files::Colour(movie(encoder::FFV1_DEEP, Rgba16::FORMAT)?, 16),
            Kind::Mkv { bits: 8 } => Files::Grey(movie(encoder::FFV1_GREY, Grey8::FORMAT)?, 8),
            Kind::Mkv { .. } => Files::Grey(movie(encoder::FFV1_GREY_DEEP, Grey16::FORMAT)?, 16),
        };
        Ok(Self {
            files,
            plate,
            grey: Grey8::default(),
            all: Grey16::default(),
            each: vec![Grey16::default(); objects.len()],
            picture: Picture::default(),
            wide: Rgba16::default(),
            light: RgbaFloats::default(),
        })
    }

    /// Finishes and writes a frame. `masks` are the objects' own, in the order of their names.
    ///
    /// # Errors
    /// If the frame can't be finished or written.
    pub fn write(&mut self, frame: &Frame, chain: &mut Chain, masks: &[Masks<'_>]) -> Result<()> {
        let (index, plate) = (frame.index, self.plate);
        match &mut self.files {
            Files::Together(pattern, bits) => {
                let path = pattern.path(index);
                write_coverage(&path, *bits, (index, chain, masks), (&mut self.grey, &mut self.all))
            }
            Files::Apart(patterns, bits) => {
                for (pattern, own) in patterns.iter().zip(masks.chunks(1)) {
                    let path = pattern.path(index);
                    write_coverage(&path, *bits, (index, chain, own), (&mut self.grey, &mut self.all))?;
                }
                Ok(())
            }
            Files::Exr(files) => {
                chain.coverage16(index, masks, &mut self.all)?;
                for (own, coverage) in masks.chunks(1).zip(&mut self.each) {
                    chain.coverage16(index, own, coverage)?;
                }
                if plate {
                    chain.cutout_light(index, masks, &mut self.light)?;
                }
                files.write(&Content {
                    size: Pixels::size(&self.all),
                    frame: index,
                    all: self.all.values(),
                    each: self.each.iter().map(Grey16::values).collect(),
                    colour: plate.then(|| self.light.values()),
                })
            }
            Files::Grey(movie, 8) => {
                chain.coverage8(index, masks, &mut self.grey)?;
                movie.write_pixels(frame, &self.grey).map(drop)
            }
            Files::Grey(movie, _) => {
                chain.coverage16(index, masks, &mut self.all)?;
                movie.write_pixels(frame, &self.all).map(drop)
            }
            Files::Colour(movie, 8) => {
                if plate {
                    chain.cutout8(index, masks, &mut self.picture)?;
                } else {
                    chain.coverage8(index, masks, &mut self.grey)?;
                    white8(&self.grey, &mut self.picture);
                }
                movie.write(frame, &self.picture).map(drop)
            }
            Files::Colour(movie, _) => {
                if plate {
                    chain.cutout16(index, masks, &mut self.wide)?;
                } else {
                    chain.coverage16(index, masks, &mut self.all)?;
                    white16(&self.all, &mut self.wide);
                }
                movie.write_pixels(frame, &self.wide).map(drop)
            }
        }
    }

    /// Completes the output and gives it its name.
    ///
    /// # Errors
    /// If the rest can't be written.
    pub fn finish(self) -> Result<()> {
        match self.files {
            Files::Grey(movie, _) | Files::Colour(movie, _) => movie.finish(),
            Files::Together(..) | Files::Apart(..) | Files::Exr(_) => Ok(()),
        }
    }
}

fn write_coverage(
    path: &Path,
    bits: u8,
    (frame, chain, masks): (u64, &mut Chain, &[Masks<'_>]),
    (grey, wide): (&mut Grey8, &mut Grey16),
) -> Result<()> {
    if bits == 8 {
        chain.coverage8(frame, masks, grey)?;
        return write_png(path, grey.values(), Pixels::size(grey), ExtendedColorType::L8);
    }
    chain.coverage16(frame, masks, wide)?;
    write_png(path, bytemuck::cast_slice(wide.values()), Pixels::size(wide), ExtendedColorType::L16)
}

/// White with the coverage as alpha.
fn white8(coverage: &Grey8, into: &mut Picture) {
    let (width, height) = Pixels::size(coverage);
    into.reshape(width, height);
    for (y, row) in coverage.values().chunks_exact((width as usize).max(1)).enumerate() {
        let pixels = into.row_mut(y).chunks_exact_mut(4);
        pixels.zip(row).for_each(|(pixel, alpha)| pixel.copy_from_slice(&[255, 255, 255, *alpha]));
    }
}

/// White with the coverage as alpha.
fn white16(coverage: &Grey16, into: &mut Rgba16) {
    into.reshape(Pixels::size(coverage));
    let pixels = into.values_mut().chunks_exact_mut(4);
    let full = u16::MAX;
    pixels
        .zip(coverage.values())
        .for_each(|(pixel, alpha)| pixel.copy_from_slice(&[full, full, full, *alpha]));
}

/// The folder around numbered files, made inside one that exists.
fn make_folder(file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    match folder {
        Some(folder) if !folder.is_dir() => {
            fs::create_dir(folder).map_err(|e| Error::file(folder, format!("no folder for mattes: {e}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matte_over_white_is_white_everywhere_and_has_its_coverage_as_alpha() {
        let mut coverage = Grey8::default();
        coverage.reshape((3, 2));
        coverage.values_mut().copy_from_slice(&[0, 1, 2, 3, 128, 255]);
        let mut picture = Picture::default();
        white8(&coverage, &mut picture);
        assert_eq!(picture.row(1), [255, 255, 255, 3, 255, 255, 255, 128, 255, 255, 255, 255]);
        let (mut deep, mut wide) = (Grey16::default(), Rgba16::default());
        deep.reshape((2, 1));
        deep.values_mut().copy_from_slice(&[7, 65535]);
        white16(&deep, &mut wide);
        assert_eq!(wide.values(), [65535, 65535, 65535, 7, 65535, 65535, 65535, 65535]);
    }
}
