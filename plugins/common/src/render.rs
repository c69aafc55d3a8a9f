//! One finished frame out of a session. Nothing here runs the model or depends on the order of frames.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use rotomask::frame::{FrameView, FrameViewMut, PixelFormat, Size, premultiply_row};
use rotomask::matte::{Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings, Status, View, Window};

use crate::cache::{FrameMasks, Reader};
use crate::pixels::{AlphaIs, convert_row};
use crate::{Error, Result};

/// Chains that wait for their next frame. One a thread is enough, and more than this a host never runs.
const MOST_CHAINS: usize = 16;

static CHAINS: Mutex<Vec<MatteChain>> = Mutex::new(Vec::new());

/// A frame's pixels in one of the full-resolution frame's, across and down.
pub type Scale = glam::DVec2;

/// The scale of a frame, when the session's frames are the full resolution's; 1 without a session.
pub fn scale(frame: Size, full: Option<Size>) -> Scale {
    let Some(full) = full else { return Scale::ONE };
    let found = Scale::new(
        f64::from(frame.width_px) / f64::from(full.width_px),
        f64::from(frame.height_px) / f64::from(full.height_px),
    );
    within(found)
}

/// Within what the chain takes.
pub fn within(scale: Scale) -> Scale {
    scale.clamp(Scale::splat(1.0 / 64.0), Scale::splat(8.0))
}

/// A frame to finish.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// All of the frame, in colour, straight.
    pub plate: FrameView<'a>,
    /// Its masks, if there are any.
    pub masks: Option<&'a FrameMasks>,
    /// For the status view.
    pub status: Status,
    /// What is wanted of the result's colour.
    pub alpha: AlphaIs,
    /// How to finish and show it.
    pub settings: &'a MatteSettings,
    /// The part that the host wants.
    pub window: Window,
    /// The plate's pixels in one of the session's, across and down.
    pub scale: Scale,
    /// Of the plate's size: coverage or alpha.
    pub garbage: Option<FrameView<'a>>,
    /// Of the plate's size: coverage or alpha.
    pub holdout: Option<FrameView<'a>>,
    /// Of the plate's size and depth.
    pub picture: Option<FrameView<'a>>,
}

/// What a frame's masks are, and what the status view tells of it. A session that can't be read is told as missing.
///
/// # Errors
/// If the session's file is damaged.
pub fn look_up(
    session: Option<&Reader>,
    frame: Option<u64>,
) -> Result<(Option<std::sync::Arc<FrameMasks>>, Status)> {
    let (Some(session), Some(frame)) = (session, frame) else { return Ok((None, Status::Untracked)) };
    let masks = session.frame(frame)?;
    let status = masks.as_ref().map_or(Status::Untracked, |masks| session.status(frame, masks));
    Ok((masks, status))
}

/// Whether the source is what a frame comes to: there is no mask, and nothing else to show.
pub fn passes_through(masks: Option<&FrameMasks>, settings: &MatteSettings) -> bool {
    masks.is_none() && settings.view != View::Status
}

/// Writes the frame's window into `result`. Where there are no masks, that is the plate, with a badge in the
/// status view.
///
/// # Errors
/// If the settings or the pictures make no sense together.
pub fn render(request: &Request<'_>, mut result: FrameViewMut<'_>) -> Result<()> {
    if passes_through(request.masks, request.settings) {
        return pass(request, &mut result);
    }
    let mut layers = Vec::new();
    for plane in request.masks.iter().flat_map(|masks| &masks.masks) {
        layers.push(Layer::new(Mask::Logits(Logits::new(plane.size, &plane.values)?)));
    }
    let job = MatteJob {
        garbage: request.garbage,
        holdout: request.holdout,
        picture: request.picture,
        status: request.status,
        window: Some(request.window),
        scale: request.scale,
        multiplies_codes: request.alpha == AlphaIs::Premultiplied,
        ..MatteJob::new(request.plate, &layers, request.settings)
    };
    let waiting = CHAINS.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut chain = match waiting {
        Some(chain) => chain,
        None => MatteChain::open(gpu()?)?,
    };
    let done = chain.render(&job, result);
    let mut chains = CHAINS.lock().unwrap_or_else(PoisonError::into_inner);
    if chains.len() < MOST_CHAINS {
        chains.push(chain);
    }
    Ok(done?)
}

/// The plate as it is.
fn pass(request: &Request<'_>, result: &mut FrameViewMut<'_>) -> Result<()> {
    let Window { x_px, y_px, size } = request.window;
    let part = request.plate.crop(x_px, y_px, size)?;
    if result.size() != size {
        return Err(Error::host(format!("the result is {}, expected the window's {size}", result.size())));
    }
    let (format, straight) = (result.format(), AlphaIs::Straight);
    result.par_rows_mut().for_each(|(y, row)| {
        convert_row(part.row(y), part.format(), straight, row, format, straight);
        if request.alpha == AlphaIs::Premultiplied {
            premultiply_row(row, format);
        }
    });
    Ok(())
}

/// Where mattes are finished: `ROTOMASK_GPU` is `auto` (or not set), `off`, `software`, or an adapter's place or name.
fn gpu() -> Result<Gpu> {
    match std::env::var("ROTOMASK_GPU").as_deref() {
        Err(_) | Ok("" | "auto") => Ok(Gpu::Auto),
        Ok(other) => other.parse().map_err(|error| Error::host(format!("ROTOMASK_GPU: {error}"))),
    }
}

/// The format in which a frame is worked on when the host's own is grey: the same depth in colour.
pub fn in_colour(format: PixelFormat) -> PixelFormat {
    match format {
        PixelFormat::Gray8 => PixelFormat::Rgb8,
        PixelFormat::Gray16 => PixelFormat::Rgb16,
        PixelFormat::GrayF16 => PixelFormat::RgbF16,
        PixelFormat::GrayF32 => PixelFormat::RgbF32,
        colour => colour,
    }
}

#[cfg(test)]
mod tests {
    use rotomask::frame::Layout;
    use rotomask::mask::LogitPlane;

    use super::*;

    fn request<'a>(
        plate: FrameView<'a>,
        masks: Option<&'a FrameMasks>,
        settings: &'a MatteSettings,
    ) -> Request<'a> {
        Request {
            plate,
            masks,
            status: Status::Untracked,
            alpha: AlphaIs::Straight,
            settings,
            window: Window::whole(plate.size()),
            scale: Scale::ONE,
            garbage: None,
            holdout: None,
            picture: None,
        }
    }

    fn rendered(masks: Option<&FrameMasks>, settings: &MatteSettings) -> Vec<u8> {
        let size = Size::new(40, 30).unwrap();
        let plate: Vec<u8> =
            (0..size.area_px() * 4).map(|i| if i % 4 == 3 { 255 } else { i as u8 }).collect();
        let layout = Layout::packed(size, PixelFormat::Rgba8);
        let mut out = vec![0; plate.len()];
        let plate = FrameView::new(layout, &plate).unwrap();
        render(&request(plate, masks, settings), FrameViewMut::new(layout, &mut out).unwrap()).unwrap();
        out
    }

    #[test]
    fn the_plate_passes_where_there_is_no_mask_and_the_status_view_says_so() {
        let plain = rendered(None, &MatteSettings::default());
        assert_eq!(plain[4..8], [4, 5, 6, 255]);
        let told = rendered(None, &MatteSettings { view: View::Status, ..MatteSettings::default() });
        assert_ne!(told[..4], plain[..4]);
        assert_eq!(told[told.len() - 4..], plain[plain.len() - 4..]);
    }

    #[test]
    fn objects_are_added_up() {
        let plane = |values: &[f32]| LogitPlane { size: Size::new(2, 1).unwrap(), values: values.to_vec() };
        let masks =
            FrameMasks { status: Status::Tracked, masks: vec![plane(&[9.0, -9.0]), plane(&[-9.0, 9.0])] };
        let settings = MatteSettings { view: View::Matte, ..MatteSettings::default() };
        let out = rendered(Some(&masks), &settings);
        assert_eq!((out[0], out[39 * 4]), (255, 255));
    }
}
