//! A video, by FFmpeg.

use std::{
    path::{Path, PathBuf},
    sync::Once,
    thread,
    time::{Duration, Instant},
};

use ffmpeg::{Packet, Rational, Rescale, codec, decoder, ffi, format, frame, mathematics::rescale, media};
use ffmpeg_next as ffmpeg;
use image::metadata::Orientation;

use super::{ClipInfo, Frame, check_size, orientation};
use crate::{
    Error, Result,
    convert::{Colour, Converter},
    picture::Picture,
};

/// Threads for decoding. Frame threads hold a frame each, and beyond this they only wait for the model.
const MAX_DECODER_THREADS: usize = 4;

/// How much of the stated length may be missing at the end before a file counts as cut short: containers
/// round, and sound may outlast the pictures. The larger of a time and a share.
const MISSING_SECONDS: f64 = 0.5;
const MISSING_SHARE: f64 = 0.01;

pub struct Video {
    path: PathBuf,
    input: format::context::Input,
    decoder: decoder::Video,
    stream: usize,
    info: ClipInfo,
    orientation: Orientation,
    converter: Option<Converter>,
    decoded: frame::Video,
    /// A frame that was decoded to see whether there is one, and the time it took. It waits to be asked for.
    waiting: Option<Duration>,
    origin: i64,
    last: Option<i64>,
    next_index: u64,
    draining: bool,
    damaged: u64,
    reading: Reading,
}

/// How far the file's packets reached, to be compared with how far the file says it goes.
#[derive(Default)]
struct Reading {
    stated_end: Option<f64>,
    stated_frames: Option<u64>,
    end: f64,
    packets: u64,
    failure: Option<ffmpeg::Error>,
}

impl Video {
    pub fn open(path: &Path) -> Result<Self> {
        start_ffmpeg()?;
        // ffmpeg-next takes paths for granted that C strings can't carry.
        if path.to_str().is_none_or(|name| name.contains('\0')) {
            return Err(Error::file(path, "FFmpeg takes only names in UTF-8"));
        }
        let input = format::input(path)
            .map_err(|e| Error::file(path, format!("FFmpeg can't read it as a video: {e}")))?;
        // FFmpeg would show plain text as an old terminal did, and call it a video.
        if input.format().name() == "tty" {
            return Err(Error::file(path, "it is text, expected a video"));
        }
        let stream = input
            .streams()
            .best(media::Type::Video)
            .ok_or_else(|| Error::file(path, "it has no video stream"))?;
        let orientation = orientation::of_stream(&stream).ok_or_else(|| {
            Error::file(path, "it asks to be shown at an odd angle, expected quarter turns or mirror images")
        })?;
        let decoder = open_decoder(&stream)
            .map_err(|e| Error::file(path, format!("its video stream can't be decoded: {e}")))?;
        let time_base = positive(stream.time_base()).unwrap_or(Rational(1, 90_000));
        let rate = [stream.avg_frame_rate(), stream.rate()].into_iter().find_map(positive);
        let rate = rate.unwrap_or(Rational(25, 1));
        let start = stated_start(&input);
        let reading = Reading {
            stated_end: stated_end(&input),
            stated_frames: u64::try_from(stream.frames()).ok().filter(|&frames| frames > 0),
            ..Reading::default()
        };
        let info = ClipInfo {
            width: 0,
            height: 0,
            frames: None,
            time_base,
            rate,
            pixel_aspect: Rational(1, 1),
            colour: Colour::srgb(),
        };
        let stream = stream.index();
        let mut video = Self {
            path: path.to_owned(),
            input,
            decoder,
            stream,
            info,
            orientation,
            converter: None,
            decoded: frame::Video::empty(),
            waiting: None,
            origin: start.rescale(rescale::TIME_BASE, time_base),
            last: None,
            next_index: 0,
            draining: false,
            damaged: 0,
            reading,
        };
        video.read_first()?;
        Ok(video)
    }

    pub fn info(&self) -> &ClipInfo {
        &self.info
    }

    pub fn position(&self) -> u64 {
        self.next_index
    }

    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    pub fn next(&mut self, picture: Option<&mut Picture>) -> Result<Option<Frame>> {
        if self.at_end()? {
            return Ok(None);
        }
        let decode = self.waiting.take().unwrap_or_default();
        let time = self.stamp();
        let start = Instant::now();
        if let Some(picture) = picture {
            self.convert(picture)?;
        }
        let index = self.next_index;
        self.next_index += 1;
        let seconds = time as f64 * f64::from(self.info.time_base);
        Ok(Some(Frame { index, time, seconds, decode, convert: start.elapsed() }))
    }

    pub fn at_end(&mut self) -> Result<bool> {
        if self.waiting.is_none() {
            let start = Instant::now();
            self.waiting = self.decode_one()?.then(|| start.elapsed());
        }
        Ok(self.waiting.is_none())
    }

    /// The first frame tells what the container may not know: size, colour, that there are frames at all.
    fn read_first(&mut self) -> Result<()> {
        if self.at_end()? {
            let problem = match self.reading.packets {
                0 => "it has no frames".into(),
                packets => format!("none of its {packets} packets could be decoded"),
            };
            return Err(Error::file(&self.path, problem));
        }
        let (mut width, mut height) = (self.decoded.width(), self.decoded.height());
        check_size(&self.path, width, height)?;
        let aspect = positive(self.decoded.aspect_ratio()).unwrap_or(Rational(1, 1));
        let mut pixel_aspect = aspect;
        if orientation::swaps_sides(self.orientation) {
            (width, height, pixel_aspect) = (height, width, aspect.invert());
        }
        let stated = self.reading.stated_end.map(|end| (end * f64::from(self.info.rate)).round() as u64);
        self.info = ClipInfo {
            width,
            height,
            frames: self.reading.stated_frames.or(stated),
            pixel_aspect,
            colour: Colour::of(&self.decoded),
            ..self.info
        };
        Ok(())
    }

    /// Decodes into `self.decoded`. False at the end of a whole file.
    fn decode_one(&mut self) -> Result<bool> {
        loop {
            match self.decoder.receive_frame(&mut self.decoded) {
                Ok(()) => return Ok(true),
                Err(ffmpeg::Error::Eof) => return self.check_whole().map(|()| false),
                Err(ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) if !self.draining => self.feed(),
                Err(_) if !self.draining => {
                    self.damaged += 1;
                    self.feed();
                }
                Err(_) => self.damaged += 1,
            }
        }
    }

    /// Gives the decoder one more packet, or tells it that there are no more.
    fn feed(&mut self) {
        loop {
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) => {}
                // A demuxer finds its feet again after damaged bytes.
                Err(ffmpeg::Error::InvalidData) if !self.at_end_of_bytes() => {
                    self.damaged += 1;
                    continue;
                }
                Err(e) => {
                    self.reading.failure = (e != ffmpeg::Error::Eof).then_some(e);
                    self.draining = true;
                    // It fails only if it was told before.
                    let _ = self.decoder.send_eof();
                    return;
                }
            }
            self.note(&packet);
            if packet.stream() != self.stream {
                continue;
            }
            self.reading.packets += 1;
            if self.decoder.send_packet(&packet).is_err() {
                self.damaged += 1;
            }
            return;
        }
    }

    fn at_end_of_bytes(&self) -> bool {
        // SAFETY: the context is open; `pb` is null for demuxers without a file, otherwise theirs.
        unsafe { (*self.input.as_ptr()).pb.as_ref().is_none_or(|pb| pb.eof_reached != 0 || pb.error != 0) }
    }

    fn note(&mut self, packet: &Packet) {
        let Some(stream) = self.input.stream(packet.stream()) else { return };
        let Some(at) = packet.pts().or(packet.dts()) else { return };
        let end = at.saturating_add(packet.duration()) as f64 * f64::from(stream.time_base());
        self.reading.end = self.reading.end.max(end);
    }

    /// # Errors
    /// If the file is shorter than it says.
    fn check_whole(&self) -> Result<()> {
        let Reading { stated_end, stated_frames, end, packets, failure } = &self.reading;
        let late = stated_end.is_some_and(|stated| {
            let start = stated_start(&self.input) as f64 / f64::from(ffi::AV_TIME_BASE);
            stated + start - end > (stated * MISSING_SHARE).max(MISSING_SECONDS)
        });
        let few = stated_frames.is_some_and(|stated| {
            let spare = (stated as f64 * MISSING_SHARE).max(2.0) as u64;
            packets.saturating_add(spare) < stated
        });
        if !late && !few && failure.is_none() {
            return Ok(());
        }
        let read = self.next_index;
        let wanted = match (stated_frames, stated_end, failure) {
            (Some(frames), ..) => format!(", expected {frames}"),
            (None, Some(seconds), _) => format!(", expected {seconds:.2} s of them"),
            (None, None, Some(failure)) => format!(", then: {failure}"),
            (None, None, None) => String::new(),
        };
        let way_out = match read {
            0 => String::new(),
            read => format!(" (--end {} takes what there is)", read - 1),
        };
        Err(Error::file(&self.path, format!("it is cut short: {read} frames could be read{wanted}{way_out}")))
    }

    /// The frame's time from the clip's start, always later than the frame's before it.
    fn stamp(&mut self) -> i64 {
        let step = 1.rescale(self.info.rate.invert(), self.info.time_base).max(1);
        let stated = self.decoded.timestamp().map(|at| at.saturating_sub(self.origin));
        let time = match (stated, self.last) {
            (Some(stated), Some(last)) => stated.max(last + 1),
            (Some(stated), None) => stated,
            (None, Some(last)) => last + step,
            (None, None) => 0,
        };
        self.last = Some(time);
        time
    }

    fn convert(&mut self, picture: &mut Picture) -> Result<()> {
        let (mut width, mut height) = (self.decoded.width(), self.decoded.height());
        if orientation::swaps_sides(self.orientation) {
            (width, height) = (height, width);
        }
        if (width, height) != (self.info.width, self.info.height) {
            let (index, info) = (self.next_index, self.info);
            return Err(Error::file(
                &self.path,
                format!(
                    "frame {index} is {width}x{height}, expected {}x{} as the first",
                    info.width, info.height
                ),
            ));
        }
        let colour = Colour::of(&self.decoded);
        if !self.converter.as_ref().is_some_and(|c| c.reads(&self.decoded, colour)) {
            self.converter = Converter::to_picture(&self.decoded, colour);
        }
        let read = self.converter.as_mut().is_some_and(|c| c.read(&self.decoded, picture));
        if !read {
            let found = self.decoded.format();
            return Err(Error::file(
                &self.path,
                format!("its pixels are {found:?}, expected some that swscale can turn into RGBA"),
            ));
        }
        orientation::apply(self.orientation, picture);
        Ok(())
    }
}

/// FFmpeg is started once; its own messages are silenced, since every failure is said here in one sentence.
pub(crate) fn start_ffmpeg() -> Result<()> {
    static ONCE: Once = Once::new();
    ffmpeg::init().map_err(|_| Error::Bug("FFmpeg could not be started"))?;
    ONCE.call_once(|| ffmpeg::log::set_level(ffmpeg::log::Level::Quiet));
    Ok(())
}

fn open_decoder(stream: &ffmpeg::Stream<'_>) -> std::result::Result<decoder::Video, ffmpeg::Error> {
    let mut context = codec::Context::from_parameters(stream.parameters())?;
    let count = thread::available_parallelism().map_or(1, usize::from).min(MAX_DECODER_THREADS);
    context.set_threading(codec::threading::Config {
        count,
        ..codec::threading::Config::kind(codec::threading::Type::Frame)
    });
    // FFmpeg's own VP8 and VP9 decoders leave alpha out; libvpx's keep it.
    let alpha = stream.metadata().get("alpha_mode") == Some("1");
    let with_alpha = match stream.parameters().id() {
        codec::Id::VP9 if alpha => decoder::find_by_name("libvpx-vp9"),
        codec::Id::VP8 if alpha => decoder::find_by_name("libvpx"),
        _ => None,
    };
    match with_alpha {
        Some(codec) => context.decoder().open_as(codec)?.video(),
        None => context.decoder().video(),
    }
}

fn positive(rational: Rational) -> Option<Rational> {
    (rational.numerator() > 0 && rational.denominator() > 0).then_some(rational)
}

/// In microseconds.
fn stated_start(input: &format::context::Input) -> i64 {
    // SAFETY: the context is open.
    let start = unsafe { (*input.as_ptr()).start_time };
    if start == ffi::AV_NOPTS_VALUE { 0 } else { start }
}

/// The clip's length in seconds, if the file states one. A length that FFmpeg made up from the bit rate or
/// took from the last timestamps says nothing on whether the file is whole.
fn stated_end(input: &format::context::Input) -> Option<f64> {
    // SAFETY: the context is open.
    let (duration, method) =
        unsafe { ((*input.as_ptr()).duration, (*input.as_ptr()).duration_estimation_method) };
    let stated = method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_STREAM;
    (stated && duration > 0).then(|| duration as f64 / f64::from(ffi::AV_TIME_BASE))
}
