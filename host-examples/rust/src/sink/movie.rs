//! A movie file, encoded and written by FFmpeg.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use ffmpeg::{Packet, Rational, Rescale, ffi, format, frame};
use ffmpeg_next as ffmpeg;

use super::{
    Spent,
    encoder::{Opened, Recipe, open_first},
};
use crate::{
    Error, Result,
    convert::{Converter, Pixels},
    partial::Partial,
    picture::Picture,
    progress,
    source::{ClipInfo, Frame, start_ffmpeg},
};

pub struct Movie {
    path: PathBuf,
    // Before `partial`: the file is closed before it is removed.
    output: format::context::Output,
    partial: Partial,
    opened: Opened,
    converter: Converter,
    encoded: frame::Video,
    padded: Option<Picture>,
    clip_time_base: Rational,
    /// What a frame lasts if nothing else is known, in the encoder's time base.
    nominal: i64,
    origin: Option<i64>,
    last: Option<i64>,
}

impl Movie {
    /// A movie of pictures.
    pub fn create(path: &Path, clip: &ClipInfo, recipes: &'static [Recipe]) -> Result<Self> {
        Self::of_pixels(path, clip, recipes, format::Pixel::RGBA)
    }

    /// A movie of other pixels, all of them of the format `given`.
    pub fn of_pixels(
        path: &Path,
        clip: &ClipInfo,
        recipes: &'static [Recipe],
        given: format::Pixel,
    ) -> Result<Self> {
        start_ffmpeg()?;
        let opened = open_first(recipes, clip).map_err(|refusals| {
            Error::file(path, format!("this FFmpeg has no encoder for it that runs ({refusals})"))
        })?;
        let partial = Partial::create(path)?;
        if partial.path().to_str().is_none_or(|name| name.contains('\0')) {
            return Err(Error::file(path, "FFmpeg takes only names in UTF-8"));
        }
        let failed = |e: ffmpeg::Error| Error::file(path, e);
        let mut output = format::output(partial.path()).map_err(failed)?;
        {
            let mut stream = output.add_stream_with(&opened.encoder).map_err(failed)?;
            stream.set_time_base(opened.time_base);
            stream.set_avg_frame_rate(clip.rate);
        }
        output.write_header().map_err(failed)?;
        let Opened { recipe, colour, width, height, .. } = opened;
        let converter = Converter::from_pixels(given, width, height, recipe.format, colour)
            .ok_or_else(|| Error::file(path, format!("swscale can't make {:?}", recipe.format)))?;
        let padded = ((width, height) != (clip.width, clip.height)).then(|| Picture::new(width, height));
        if padded.is_some() {
            progress::warn(&format!(
                "{}: written as {width}x{height}, since this format takes no odd sides; the last row or \
                 column of {}x{} is repeated",
                path.display(),
                clip.width,
                clip.height
            ));
        }
        let nominal = 1.rescale(clip.rate.invert(), opened.time_base).max(1);
        Ok(Self {
            path: path.to_owned(),
            output,
            partial,
            converter,
            encoded: blank(&opened),
            padded,
            clip_time_base: clip.time_base,
            nominal,
            origin: None,
            last: None,
            opened,
        })
    }

    pub fn encoder(&self) -> &str {
        self.opened.recipe.name
    }

    /// Writes the next frame.
    pub fn write(&mut self, frame: &Frame, picture: &Picture) -> Result<Spent> {
        let Some(mut padded) = self.padded.take() else { return self.write_pixels(frame, picture) };
        repeat_edges(picture, &mut padded);
        let written = self.write_pixels(frame, &padded);
        self.padded = Some(padded);
        written
    }

    /// Writes the next frame of a movie that takes such pixels.
    pub fn write_pixels(&mut self, frame: &Frame, pixels: &impl Pixels) -> Result<Spent> {
        let start = Instant::now();
        self.fill(pixels)?;
        let at = self.stamp(frame);
        self.encoded.set_pts(Some(at));
        let convert = start.elapsed();

        let start = Instant::now();
        self.opened.encoder.send_frame(&self.encoded).map_err(|e| self.failed(e))?;
        self.drain()?;
        Ok(Spent { convert, encode: start.elapsed() })
    }

    pub fn finish(mut self) -> Result<()> {
        self.opened.encoder.send_eof().map_err(|e| self.failed(e))?;
        self.drain()?;
        self.output.write_trailer().map_err(|e| self.failed(e))?;
        let Self { path, output, partial, .. } = self;
        close(output).map_err(|e| Error::file(&path, e))?;
        partial.publish()
    }

    fn failed(&self, error: ffmpeg::Error) -> Error {
        Error::file(&self.path, format!("{} can't write it: {error}", self.opened.recipe.name))
    }

    fn fill(&mut self, pixels: &impl Pixels) -> Result<()> {
        // An encoder with threads may still hold the last frame's buffer; then FFmpeg gives this frame
        // another one.
        // SAFETY: the frame was allocated by FFmpeg and is ours alone.
        let writable = unsafe { ffi::av_frame_make_writable(self.encoded.as_mut_ptr()) };
        if writable >= 0 && self.converter.write(pixels, &mut self.encoded) {
            return Ok(());
        }
        let (width, height) = pixels.size();
        Err(Error::file(
            &self.path,
            format!(
                "a frame of {width}x{height} can't be written, expected {}x{}",
                self.opened.width, self.opened.height
            ),
        ))
    }

    /// The first frame of a whole clip keeps its place; a part of a clip begins at zero.
    fn stamp(&mut self, frame: &Frame) -> i64 {
        let origin = *self.origin.get_or_insert(if frame.index == 0 { 0 } else { frame.time });
        let at = (frame.time - origin).rescale(self.clip_time_base, self.opened.time_base);
        let at = self.last.map_or(at, |last| at.max(last + 1));
        self.last = Some(at);
        at
    }

    fn drain(&mut self) -> Result<()> {
        let mut packet = Packet::empty();
        loop {
            match self.opened.encoder.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => {
                    return Ok(());
                }
                Err(e) => return Err(self.failed(e)),
            }
            // Containers take a frame's length from the next frame's time; the last one needs its own.
            if packet.duration() <= 0 {
                packet.set_duration(self.nominal);
            }
            packet.set_stream(0);
            let stream = self.output.stream(0).map_or(self.opened.time_base, |s| s.time_base());
            packet.rescale_ts(self.opened.time_base, stream);
            packet.write_interleaved(&mut self.output).map_err(|e| self.failed(e))?;
        }
    }
}

/// A frame for the encoder. Some encoders read the colours' meaning from it and not from their own settings.
fn blank(opened: &Opened) -> frame::Video {
    let mut frame = frame::Video::new(opened.recipe.format, opened.width, opened.height);
    frame.set_color_space(opened.encoder.colorspace());
    frame.set_color_range(opened.encoder.color_range());
    frame.set_color_primaries(opened.encoder.color_primaries());
    frame.set_color_transfer_characteristic(opened.encoder.color_transfer_characteristic());
    frame
}

/// Closes the file, which may fail where dropping it would not tell: a full disk is often noticed only here.
fn close(mut output: format::context::Output) -> std::result::Result<(), ffmpeg::Error> {
    // SAFETY: the context is open; avio_closep also sets `pb` to null, so that dropping does not close twice.
    match unsafe { ffi::avio_closep(&mut (*output.as_mut_ptr()).pb) } {
        e if e < 0 => Err(ffmpeg::Error::from(e)),
        _ => Ok(()),
    }
}

/// Copies `picture` into the top left corner of `padded` and fills what is left with its last row and column.
fn repeat_edges(picture: &Picture, padded: &mut Picture) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    for y in 0..padded.height() as usize {
        let from = picture.row(y.min(height - 1));
        let to = padded.row_mut(y);
        to[..width * 4].copy_from_slice(from);
        for extra in to[width * 4..].chunks_exact_mut(4) {
            extra.copy_from_slice(&from[(width - 1) * 4..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_picture_grows_by_repeating_its_last_row_and_column() {
        let packed: Vec<u8> = (0..3u8).flat_map(|y| (0..5u8).flat_map(move |x| [x, y, 0, 255])).collect();
        let mut padded = Picture::new(6, 4);
        repeat_edges(&Picture::from_packed(5, 3, &packed), &mut padded);
        assert_eq!(padded.row(1)[5 * 4..], [4, 1, 0, 255]);
        assert_eq!(padded.row(3)[5 * 4..], [4, 2, 0, 255]);
        assert_eq!(padded.row(3)[..4], [0, 2, 0, 255]);
    }
}
