//! An instance: its parameters as the host sets them, and what a frame comes to by them.

use std::ffi::{CStr, CString};
use std::path::Path;

use plugin_common::pixels::AlphaIs;
use plugin_common::prompts::Prompts;
use plugin_common::render::{Request, look_up, render};
use plugin_common::{Error, Result, cache, locate, table};
use rotomask::frame::{FrameView, FrameViewMut, Layout, PixelFormat, Size};
use rotomask::matte::{MatteSettings, Status, Window};

use crate::causal::Causal;
use crate::clock::{Clock, Unit, is_libavfilter, parse_rate};
use crate::log;
use crate::params::*;

/// The longest text that a parameter takes, in bytes.
const MOST_TEXT_BYTES: usize = 32 << 20;

#[derive(Debug)]
pub struct Instance {
    size: Size,
    /// How rows lie in the host's memory.
    layout: Layout,
    texts: [CString; PARAMS.len()],
    clock: Clock,
    causal: Option<Causal>,
}

impl Instance {
    /// # Errors
    /// If the size is none that a frame can have.
    pub fn new(width: u32, height: u32) -> Result<Self> {
        let texts = std::array::from_fn(|at| PARAMS[at].default.to_owned());
        let size = Size::new(width, height)?;
        let layout = layout(size, is_libavfilter())?;
        Ok(Self { size, layout, texts, clock: Clock::default(), causal: None })
    }

    pub fn frame_bytes(&self) -> usize {
        self.layout.span_bytes()
    }

    /// Hosts set every parameter before every frame, so that the same again changes nothing.
    pub fn set(&mut self, index: usize, text: &CStr) {
        let Some(known) = self.texts.get_mut(index).filter(|known| known.as_c_str() != text) else { return };
        if text.count_bytes() > MOST_TEXT_BYTES {
            log::say(&format!(
                "parameter {index}: it is longer than {MOST_TEXT_BYTES} bytes, and left as it was"
            ));
            return;
        }
        text.clone_into(known);
        if index == PROMPT {
            self.causal = None;
        }
        if let Err(problem) = self.set_clock() {
            log::say(&problem);
        }
    }

    pub fn get(&self, index: usize) -> Option<&CStr> {
        self.texts.get(index).map(CString::as_c_str)
    }

    fn text(&self, index: usize) -> std::borrow::Cow<'_, str> {
        self.texts[index].to_string_lossy()
    }

    fn set_clock(&mut self) -> std::result::Result<(), String> {
        self.clock.unit = Unit::parse(&self.text(TIME_UNIT))?;
        self.clock.rate = parse_rate(&self.text(FPS))?;
        let offset = self.text(FRAME_OFFSET);
        let offset = offset.trim().parse::<f64>().ok().filter(|v| v.is_finite()).map(|v| v.round() as i64);
        self.clock.offset = offset.ok_or_else(|| {
            format!("frame_offset: found {:?}, expected a whole number", self.text(FRAME_OFFSET))
        })?;
        Ok(())
    }

    /// Writes the finished frame; the frame itself if it can't be finished, because the host can't be told.
    pub fn update(&mut self, time: f64, input: &[u8], output: &mut [u8]) {
        if let Err(problem) = self.finish(time, input, output) {
            log::say(&problem.to_string());
            output.copy_from_slice(input);
        }
    }

    fn finish(&mut self, time: f64, input: &[u8], output: &mut [u8]) -> Result<()> {
        let (frame, counted) = self.clock.frame(time);
        let plate = FrameView::new(self.layout, input)?;
        let settings = self.settings(frame.unwrap_or(0))?;
        let (session, prompt) = (self.text(SESSION).into_owned(), self.text(PROMPT).into_owned());
        let (masks, status) = if !session.is_empty() {
            let found = locate::find(Path::new(&session), Path::new("")).and_then(|path| cache::open(&path));
            match found {
                Ok(reader) => look_up(Some(&reader), frame)?,
                Err(problem) => {
                    log::say(&problem.to_string());
                    (None, Status::Missing)
                }
            }
        } else if !prompt.is_empty() {
            if self.causal.is_none() {
                self.causal = Some(Causal::open(self.size, Prompts::parse(&prompt)?)?);
            }
            match &mut self.causal {
                Some(causal) => causal.push(time, counted, plate)?,
                None => (None, Status::Untracked),
            }
        } else {
            (None, Status::Untracked)
        };
        let request = Request {
            plate,
            masks: masks.as_deref(),
            status,
            alpha: AlphaIs::Straight,
            settings: &settings,
            window: Window::whole(self.size),
            scale: self.proxy(&session),
            garbage: None,
            holdout: None,
            picture: None,
        };
        render(&request, FrameViewMut::new(self.layout, output)?)
    }

    /// The frame's pixels in one of the session's.
    fn proxy(&self, session: &str) -> plugin_common::render::Scale {
        let full = locate::find(Path::new(session), Path::new("")).and_then(|path| cache::open(&path));
        plugin_common::render::scale(
            self.size,
            full.ok().filter(|_| !session.is_empty()).map(|full| full.size()),
        )
    }

    fn settings(&self, frame: u64) -> Result<MatteSettings> {
        let mut settings = table::parse(&self.text(SETTINGS), frame)?;
        let view = self.text(VIEW);
        if !view.trim().is_empty() {
            let param = MatteSettings::param("view")?;
            settings.set("view", &param.parse(&view)?)?;
        }
        for id in ["background", "transfer"] {
            let param = MatteSettings::param(id)?;
            let offered = table::choices(param, false);
            if let Some(rotomask::matte::params::Value::Choice(found)) = settings.get(id)
                && !offered.contains(&found)
            {
                return Err(Error::host(format!(
                    "{id}: found {found}, expected one of {}",
                    offered.join(", ")
                )));
            }
        }
        Ok(settings)
    }
}

/// How rows lie in a host's memory. frei0r has them without gaps, and says that a width is a multiple of 8. libavfilter takes
/// any width, and gives each row room for a multiple of 16 pixels, whatever the processor.
fn layout(size: Size, libavfilter: bool) -> Result<Layout> {
    const PIXELS: usize = 16;
    let pixels = if libavfilter { size.width().next_multiple_of(PIXELS) } else { size.width() };
    Ok(Layout::new(size, PixelFormat::Rgba8, (4 * pixels) as isize)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_gaps_in_ffmpeg_where_the_width_is_no_multiple_of_sixteen() {
        let stride = |width, ffmpeg| layout(Size::new(width, 3).unwrap(), ffmpeg).unwrap().stride_bytes;
        // As seen in ffmpeg 5.1.
        assert_eq!([322, 854, 1280, 1998].map(|width| stride(width, true) / 4), [336, 864, 1280, 2000]);
        assert_eq!(stride(854, false), 3416);
    }

    #[test]
    fn a_parameter_that_makes_no_sense_leaves_the_picture_as_it_is() {
        let mut instance = Instance::new(4, 2).unwrap();
        let input: Vec<u8> = (0..instance.frame_bytes() as u8).collect();
        for (index, text) in
            [(VIEW, c"sideways"), (SETTINGS, c"grow"), (PROMPT, c"?"), (SESSION, c"/none.rotosession")]
        {
            let mut output = vec![0; input.len()];
            instance.set(index, text);
            instance.update(0.0, &input, &mut output);
            assert_eq!(output, input, "{text:?}");
            instance.set(index, PARAMS[index].default);
        }
        assert_eq!(instance.get(VIEW), Some(c"composite"));
    }
}
