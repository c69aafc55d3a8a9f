//! The host's clip as a shot: frames are asked for one by one, and each once.

use std::collections::BTreeMap;

use openfx_abi::kOfxImageEffectPropTemporalClipAccess;
use plugin_common::pixels::{AlphaIs, Owned, Placed, Rect, for_model, framed};
use plugin_common::track::Shot;
use plugin_common::{Error, Result};
use rotomask::frame::{FrameView, PixelFormat, channel};

use crate::controls::SECOND_CLIP;
use crate::effect::{Clip, Effect};
use crate::geometry::Geometry;
use crate::props::Props;

pub struct HostShot<'a> {
    effect: &'a Effect,
    source: Clip,
    geometry: Geometry,
    /// Whether the host's numbers are light.
    linear: bool,
    range: [f64; 2],
    /// Fetched to see whether frames differ; each is used once.
    fetched: BTreeMap<u64, Owned>,
    current: Option<Owned>,
}

impl<'a> HostShot<'a> {
    /// # Errors
    /// If nothing is connected.
    pub fn open(effect: &'a Effect, geometry: Geometry, linear: bool, time: f64) -> Result<Self> {
        let source = effect.clip(c"Source").filter(Clip::is_connected);
        let source =
            source.ok_or_else(|| Error::host("the source is not connected: there is nothing to track"))?;
        let range = source.range().unwrap_or([time, time]);
        Ok(Self { effect, source, geometry, linear, range, fetched: BTreeMap::new(), current: None })
    }

    /// First and last frame of the session that the clip has.
    ///
    /// # Errors
    /// If even the last lies before the session's first.
    pub fn frames(&self) -> Result<[u64; 2]> {
        let last = self.geometry.frame(self.range[1])?;
        Ok([self.geometry.frame(self.range[0]).unwrap_or(0), last])
    }

    /// Whether the host gives other frames than the current one. Some hosts answer every time with the same picture, and
    /// some of them even say so.
    ///
    /// # Errors
    /// With what the artist can do instead, if it doesn't.
    pub fn check_access(&mut self, time: f64) -> Result<()> {
        const INSTEAD: &str =
            "track with the command `rotomask track --session FILE` and choose the file as Session here";
        let host = Props::new(self.effect.suites.host, self.effect.suites.property);
        if host.int(kOfxImageEffectPropTemporalClipAccess, 0) == Some(0) {
            return Err(Error::host(format!(
                "this host gives effects no frame but the current one: {INSTEAD}"
            )));
        }
        let here = self.geometry.frame(time)?;
        let [first, last] = self.frames()?;
        let beside = if here < last { here + 1 } else { here.saturating_sub(1).max(first) };
        if beside == here {
            return Ok(());
        }
        for frame in [here, beside] {
            if !self.fetched.contains_key(&frame)
                && let Some(pixels) = self.fetch(frame)?
            {
                self.fetched.insert(frame, pixels);
            }
        }
        if !self.same(here, beside)? {
            return Ok(());
        }
        // Two frames of a shot may be the same; the far end is too in a picture that stands still, or a host that lies.
        let far = if last - here > here - first { last } else { first };
        if far != here && far != beside {
            if let Some(pixels) = self.fetch(far)? {
                self.fetched.insert(far, pixels);
            }
            if !self.same(here, far)? {
                return Ok(());
            }
        }
        Err(Error::host(format!(
            "the host gives the same picture for frames {here}, {beside} and {far}, as hosts do that have only the current \
             one: {INSTEAD}"
        )))
    }

    fn same(&self, a: u64, b: u64) -> Result<bool> {
        let (Some(a), Some(b)) = (self.fetched.get(&a), self.fetched.get(&b)) else { return Ok(false) };
        let (a, b) = (a.view()?, b.view()?);
        Ok((0..a.size().height()).all(|y| a.row(y) == b.row(y)))
    }

    fn fetch(&self, frame: u64) -> Result<Option<Owned>> {
        let time = self.geometry.time(frame);
        if time < self.range[0].floor() || time > self.range[1].ceil() {
            return Ok(None);
        }
        let Some(image) = self.source.image(time)? else {
            return Err(Error::host(format!("the host gives no picture of frame {time}")));
        };
        let (picture, frame) = (image.placed()?, image.frame());
        self.check_scale(frame)?;
        if picture.bounds == frame {
            return for_model(picture, self.linear).map(Some);
        }
        let whole = framed(picture, frame, plugin_common::render::in_colour(image.format()))?;
        let whole = Placed { view: whole.view()?, bounds: frame, alpha: AlphaIs::Straight };
        for_model(whole, self.linear).map(Some)
    }

    /// # Errors
    /// If frames are given smaller than they are.
    fn check_scale(&self, frame: Rect) -> Result<()> {
        let (found, want) = (frame.size()?, self.geometry.size);
        if found == want {
            return Ok(());
        }
        Err(Error::host(format!(
            "the host gives frames of {found}, expected {want}: switch proxies and reduced resolution off to track"
        )))
    }
}

impl Shot for HostShot<'_> {
    fn frame(&mut self, frame: u64) -> Result<Option<FrameView<'_>>> {
        self.current = match self.fetched.remove(&frame) {
            Some(pixels) => Some(pixels),
            None => self.fetch(frame)?,
        };
        self.current.as_ref().map(Owned::view).transpose()
    }

    fn mask(&mut self, frame: u64) -> Result<Option<FrameView<'_>>> {
        let second = self.effect.clip(SECOND_CLIP).filter(Clip::is_connected);
        let image = match &second {
            Some(second) => second.image(self.geometry.time(frame))?,
            None => None,
        };
        let Some(image) = image else { return Ok(None) };
        self.check_scale(image.frame())?;
        let frame = image.frame();
        self.current = Some(as_matte(image.placed()?, frame, PixelFormat::Gray8)?);
        drop(image);
        self.current.as_ref().map(Owned::view).transpose()
    }
}

/// A second clip as a matte: its alpha, or the brightness of a picture that has none, or is opaque all over.
///
/// # Errors
/// If the frame has no size.
pub fn as_matte(picture: Placed<'_>, frame: Rect, grey: PixelFormat) -> Result<Owned> {
    let format = picture.view.format();
    let (step, depth) = (format.bytes_per_pixel(), format.depth());
    let Some(rgb) = format.rgb_offsets() else { return framed(picture, frame, grey) };
    let rows = || (0..picture.view.size().height()).map(|y| picture.view.row(y));
    if let Some(alpha) = format.alpha_offset()
        && rows().flat_map(|row| row.chunks_exact(step)).any(|pixel| channel(pixel, depth, alpha) < 1.0)
    {
        return framed(picture, frame, grey);
    }
    let mut bright = Owned::new(picture.view.size(), PixelFormat::GrayF32);
    let mut out = bright.view_mut()?;
    for (y, row) in rows().enumerate() {
        for (pixel, out) in row.chunks_exact(step).zip(out.row_mut(y).chunks_exact_mut(4)) {
            let [r, g, b] = rgb.map(|at| channel(pixel, depth, at));
            out.copy_from_slice(&(0.2126 * r + 0.7152 * g + 0.0722 * b).to_ne_bytes());
        }
    }
    let bright = Placed { view: bright.view()?, bounds: picture.bounds, alpha: AlphaIs::Straight };
    framed(bright, frame, grey)
}
