//! One frame to finish: what a host gives, and whether it makes sense.

use super::light::Curve;
use super::logits::Logits;
use super::params::choices;
use super::settings::{Alpha, Background, MatteSettings, Transfer, View};
use crate::error::{Error, Result};
use crate::frame::{Channels, FrameView, PixelFormat, Size};

/// A mask as the chain takes it. It covers the frame's whole area, whatever its own size.
#[derive(Clone, Copy, Debug)]
pub enum Mask<'a> {
    /// A model's, or any whose zero contour is the edge.
    Logits(Logits<'a>),
    /// Coverage of any depth, or the alpha of a picture. One that is smaller than the frame is read as a contour, at a
    /// half; one of the frame's size is taken as it is, soft edges and all.
    Coverage(FrameView<'a>),
}

impl Mask<'_> {
    pub(super) fn size(&self) -> Size {
        match self {
            Self::Logits(logits) => logits.size,
            Self::Coverage(view) => view.size(),
        }
    }
}

choices! {
    /// What an object does to those before it.
    Combine {
        /// The sum, at most full: objects that touch leave no seam.
        Add = "add",
        /// Takes the object away.
        Subtract = "subtract",
        /// Keeps what both cover.
        Intersect = "intersect",
        /// The lower of the two.
        Min = "min",
        /// The higher of the two.
        Max = "max",
        /// The product.
        Multiply = "multiply",
    }
}

/// An object's mask on a frame before or after the job's.
#[derive(Clone, Copy, Debug)]
pub struct Neighbour<'a> {
    /// Which one: -2 and -1 lie before the job's, 1 and 2 after it.
    pub frame: i32,
    /// There. It covers the same area as the job's own.
    pub mask: Mask<'a>,
}

/// One object's mask.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// On this frame.
    pub mask: Mask<'a>,
    /// What it does to the layers before it. The first begins with nothing.
    pub combine: Combine,
    /// Whether no later layer takes anything of it away.
    pub keep: bool,
    /// Its masks on frames around, as far as they are known: for [`MatteSettings::dechatter`] and
    /// [`MatteSettings::motion_blur`], which do nothing without. None for a frame across a cut.
    pub neighbours: &'a [Neighbour<'a>],
    /// How this object's edge is finished, if not as the job's are.
    pub settings: Option<&'a MatteSettings>,
}

impl<'a> Layer<'a> {
    /// An object that is added.
    pub fn new(mask: Mask<'a>) -> Self {
        Self { mask, combine: Combine::Add, keep: false, neighbours: &[], settings: None }
    }
}

choices! {
    /// What the status view's badge tells of the frame.
    Status {
        /// Nothing was tracked here: grey.
        Untracked = "untracked",
        /// Somebody said here what the object is: green.
        Prompted = "prompted",
        /// Tracked: blue.
        Tracked = "tracked",
        /// Tracked, and worth a look: amber.
        Review = "review",
        /// What should be here can't be read: red.
        Missing = "missing",
    }
}

/// A part of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its left column.
    pub x_px: u32,
    /// Its top row.
    pub y_px: u32,
    /// Columns and rows.
    pub size: Size,
}

impl Window {
    /// All of a frame.
    pub fn whole(size: Size) -> Self {
        Self { x_px: 0, y_px: 0, size }
    }

    fn fits(self, frame: Size) -> bool {
        let within = |at: u32, side: u32, all: u32| at.checked_add(side).is_some_and(|end| end <= all);
        within(self.x_px, self.size.width_px, frame.width_px)
            && within(self.y_px, self.size.height_px, frame.height_px)
    }
}

/// How far away a neighbour may be.
const NEIGHBOURS: std::ops::RangeInclusive<i32> = -2..=2;

/// The least and the most that a frame can be of the full-resolution one.
const SCALES: std::ops::RangeInclusive<f64> = 1.0 / 64.0..=8.0;

/// One frame to finish.
#[derive(Clone, Copy, Debug)]
pub struct MatteJob<'a> {
    /// The host's picture, in colour, of any depth.
    pub plate: FrameView<'a>,
    /// The objects, combined in this order. None: the matte is empty.
    pub layers: &'a [Layer<'a>],
    /// What is dropped: coverage or alpha, of the plate's size.
    pub garbage: Option<FrameView<'a>>,
    /// What stands before the subject: coverage or alpha, of the plate's size.
    pub holdout: Option<FrameView<'a>>,
    /// For [`Background::Picture`]: the plate's size and depth.
    pub picture: Option<FrameView<'a>>,
    /// For [`Transfer::Curve`].
    pub curve: Option<&'a Curve>,
    /// For [`View::Status`].
    pub status: Status,
    /// The part of the frame that the result is; all of it if not said.
    pub window: Option<Window>,
    /// The frame's pixels in one pixel of the full-resolution frame, across and down: below 1 for a proxy. Settings'
    /// lengths are the full frame's.
    pub scale: glam::DVec2,
    /// Whether the result's codes are multiplied by its alpha when all else is done, as OpenFX means premultiplied;
    /// [`Alpha::Premultiplied`](super::Alpha::Premultiplied) multiplies light.
    pub multiplies_codes: bool,
    /// How to finish and show it.
    pub settings: &'a MatteSettings,
}

impl<'a> MatteJob<'a> {
    /// A job with nothing but a plate and objects.
    pub fn new(plate: FrameView<'a>, layers: &'a [Layer<'a>], settings: &'a MatteSettings) -> Self {
        Self {
            plate,
            layers,
            garbage: None,
            holdout: None,
            picture: None,
            curve: None,
            status: Status::Untracked,
            window: None,
            scale: glam::DVec2::ONE,
            multiplies_codes: false,
            settings,
        }
    }

    pub(super) fn window(&self) -> Window {
        self.window.unwrap_or(Window::whole(self.plate.size()))
    }

    /// A layer's settings.
    pub(super) fn settings_of(&self, layer: &Layer<'a>) -> &'a MatteSettings {
        layer.settings.unwrap_or(self.settings)
    }

    /// The picture that shows where the subject doesn't, if any does.
    pub(super) fn back(&self) -> Option<FrameView<'a>> {
        match (self.settings.view, self.settings.background) {
            (View::Composite, Background::Picture) => self.picture,
            (View::Composite, Background::Plate | Background::BlurredPlate) => Some(self.plate),
            _ => None,
        }
    }

    /// # Errors
    /// [`Error::Setting`] or [`Error::Frame`], for the first thing that doesn't fit.
    pub(super) fn check(&self, result: Size, format: PixelFormat) -> Result<()> {
        self.settings.validate()?;
        let size = self.plate.size();
        let problem = |text: String| Err(Error::Frame(text));
        if !SCALES.contains(&self.scale.x) || !SCALES.contains(&self.scale.y) {
            return problem(format!("its scale is {} by {}, expected 1/64 to 8", self.scale.x, self.scale.y));
        }
        if self.multiplies_codes && self.settings.alpha == Alpha::Premultiplied {
            return problem(
                "its light and its codes are both to be multiplied by alpha, expected one of them".into(),
            );
        }
        colour("plate", self.plate)?;
        for (layer, i) in self.layers.iter().zip(1..) {
            check_layer(layer).map_err(|e| match e {
                Error::Frame(text) => Error::Frame(format!("layer {i}: {text}")),
                other => other,
            })?;
        }
        for (name, matte) in [("garbage matte", self.garbage), ("hold-out matte", self.holdout)] {
            if let Some(matte) = matte {
                same(name, matte, size)?;
                coverage(name, matte)?;
            }
        }
        if self.settings.transfer == Transfer::Curve && self.curve.is_none() {
            return problem("the transfer is a curve, and none is given".into());
        }
        if self.settings.view == View::Composite && self.settings.background == Background::Picture {
            let Some(picture) = self.picture else {
                return problem(format!(
                    "the background is a picture, and none is given: expected one of {size}, the plate's size"
                ));
            };
            same("background picture", picture, size)?;
            colour("background picture", picture)?;
            self.same_depth("background picture", picture.format())?;
        }
        let window = self.window();
        if !window.fits(size) {
            let Window { x_px, y_px, size: part } = window;
            return problem(format!("its window is {part} at {x_px}, {y_px}, expected one within {size}"));
        }
        if result != window.size {
            return problem(match self.window {
                None => format!("the result is {result}, expected {size}, the plate's size"),
                Some(_) => {
                    format!("the result is {result}, expected {}, the window's size", window.size)
                }
            });
        }
        match (self.settings.view, format.channels()) {
            (View::Matte, _) => Ok(()),
            (_, Channels::Gray) => {
                problem(format!("the result has {format:?} pixels, expected colour for this view"))
            }
            _ => self.same_depth("result", format),
        }
    }

    fn same_depth(&self, name: &str, found: PixelFormat) -> Result<()> {
        let want = self.plate.format();
        if found.depth() == want.depth() {
            return Ok(());
        }
        Err(Error::Frame(format!(
            "the {name} has {found:?} pixels, expected the plate's depth, as in {want:?}"
        )))
    }
}

fn check_layer(layer: &Layer<'_>) -> Result<()> {
    if let Some(settings) = layer.settings {
        settings.validate()?;
    }
    for (i, neighbour) in layer.neighbours.iter().enumerate() {
        let frame = neighbour.frame;
        if !NEIGHBOURS.contains(&frame) || frame == 0 {
            return Err(Error::Frame(format!("a neighbour is {frame} frames away, expected -2, -1, 1 or 2")));
        }
        if layer.neighbours[..i].iter().any(|other| other.frame == frame) {
            return Err(Error::Frame(format!("two neighbours are {frame} frames away, expected one")));
        }
    }
    let masks = std::iter::once(layer.mask).chain(layer.neighbours.iter().map(|neighbour| neighbour.mask));
    masks.into_iter().try_for_each(|mask| match mask {
        Mask::Logits(logits) => logits.check(),
        Mask::Coverage(view) => coverage("mask", view),
    })
}

fn same(name: &str, view: FrameView<'_>, size: Size) -> Result<()> {
    if view.size() == size {
        return Ok(());
    }
    Err(Error::Frame(format!("the {name} is {}, expected {size}, the plate's size", view.size())))
}

fn colour(name: &str, view: FrameView<'_>) -> Result<()> {
    if view.format().rgb_offsets().is_some() {
        return Ok(());
    }
    Err(Error::Frame(format!("the {name} has {:?} pixels, expected colour", view.format())))
}

fn coverage(name: &str, view: FrameView<'_>) -> Result<()> {
    if view.format().channels() != Channels::Rgb {
        return Ok(());
    }
    Err(Error::Frame(format!(
        "the {name} has {:?} pixels, expected grey, or a format with alpha",
        view.format()
    )))
}
