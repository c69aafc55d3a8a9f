//! What the user points at: clicks, a box, a mask, each on a frame.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

use crate::{
    Error, Result,
    args::TrackArgs,
    library::{Image, Knowledge, KnownPrompts, Session},
    masks::{self, Mask},
};

/// The object that prompts on the command line are about.
pub const OBJECT: u32 = 1;

/// Something on a frame; `None` is the first frame that is processed.
#[derive(Clone, Debug, PartialEq)]
pub struct At<T> {
    /// What is there.
    pub what: T,
    /// Counted from the clip's first frame, 0.
    pub frame: Option<u64>,
}

/// A place in a frame, in pixels from its top left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// A box with its corners in pixels; the right and lower edge lie beyond the left and upper one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left, top, right, bottom.
    pub edges: [f32; 4],
}

impl FromStr for At<Point> {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (numbers, frame) = split_frame(text, "X,Y[@FRAME]")?;
        let [x, y] = floats(numbers, text, "X,Y[@FRAME]")?;
        Ok(Self { what: Point { x, y }, frame })
    }
}

impl FromStr for At<Rect> {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (numbers, frame) = split_frame(text, "X0,Y0,X1,Y1[@FRAME]")?;
        let edges @ [x0, y0, x1, y1] = floats(numbers, text, "X0,Y0,X1,Y1[@FRAME]")?;
        if x0 >= x1 || y0 >= y1 {
            return Err(format!("box {text}: it has no area, expected X0 < X1 and Y0 < Y1"));
        }
        Ok(Self { what: Rect { edges }, frame })
    }
}

impl FromStr for At<PathBuf> {
    type Err = String;

    /// A file's name may have an `@` of its own: only a number after the last one is a frame.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let split = text.rsplit_once('@').and_then(|(file, frame)| Some((file, frame.parse().ok()?)));
        Ok(match split {
            Some((file, frame)) => Self { what: file.into(), frame: Some(frame) },
            None => Self { what: text.into(), frame: None },
        })
    }
}

fn split_frame<'a>(text: &'a str, form: &str) -> std::result::Result<(&'a str, Option<u64>), String> {
    let Some((numbers, frame)) = text.split_once('@') else { return Ok((text, None)) };
    let frame =
        frame.parse().map_err(|_| format!("{text}: `{frame}` is no frame number, expected {form}"))?;
    Ok((numbers, Some(frame)))
}

fn floats<const N: usize>(numbers: &str, text: &str, form: &str) -> std::result::Result<[f32; N], String> {
    let parsed: Vec<f32> = numbers
        .split(',')
        .map(|n| n.trim().parse().ok().filter(|n: &f32| n.is_finite()))
        .collect::<Option<_>>()
        .ok_or_else(|| format!("{text}: not all numbers, expected {form}"))?;
    let found = parsed.len();
    parsed.try_into().map_err(|_| format!("{text}: {found} numbers, expected {form}"))
}

enum Prompt {
    Mask { name: String, mask: Mask },
    Box(Rect),
    Click { point: Point, positive: bool },
}

/// All prompts of a job, by frame. There is at least one, unless a session is gone on with or objects are searched for.
pub struct Prompts(BTreeMap<u64, Vec<Prompt>>);

impl Prompts {
    /// Collects the prompts and reads the mask's file.
    ///
    /// # Errors
    /// If there are none, one lies outside `--start` to `--end`, or the mask can't be read.
    pub fn gather(args: &TrackArgs) -> Result<Self> {
        let mut prompts = Self(BTreeMap::new());
        // A mask is the coarsest answer and clicks the finest, so that is the order in which they are given.
        if let Some(At { what: path, frame }) = &args.mask {
            let prompt = Prompt::Mask { name: path.display().to_string(), mask: masks::read(path)? };
            prompts.add(args, *frame, prompt)?;
        }
        if let Some(At { what, frame }) = &args.r#box {
            prompts.add(args, *frame, Prompt::Box(*what))?;
        }
        for (clicks, positive) in [(&args.point, true), (&args.negative, false)] {
            for At { what, frame } in clicks {
                prompts.add(args, *frame, Prompt::Click { point: *what, positive })?;
            }
        }
        let gone_on_with = args.session.as_ref().is_some_and(|session| session.exists());
        if prompts.0.is_empty() && !gone_on_with && !args.automatic {
            return Err(Error::Usage(
                "nothing to follow, expected at least one --point, --box or --mask, or --automatic".into(),
            ));
        }
        Ok(prompts)
    }

    fn add(&mut self, args: &TrackArgs, frame: Option<u64>, prompt: Prompt) -> Result<()> {
        let frame = frame.unwrap_or(args.start);
        if frame < args.start || args.end.is_some_and(|end| frame > end) {
            let end = args.end.map_or("the last".to_owned(), |end| end.to_string());
            return Err(Error::Usage(format!(
                "{} on frame {frame}: expected a frame from {} to {end}, which are processed",
                prompt.name(),
                args.start
            )));
        }
        self.0.entry(frame).or_default().push(prompt);
        Ok(())
    }

    /// Checks every prompt against the size of the clip's frames.
    ///
    /// # Errors
    /// If one reaches out of the frame, or the mask has another size.
    pub fn check(&self, width: u32, height: u32) -> Result<()> {
        for (frame, prompt) in self.0.iter().flat_map(|(f, prompts)| prompts.iter().map(move |p| (f, p))) {
            let (name, right, bottom) = (prompt.name(), width as f32, height as f32);
            let problem = match prompt {
                Prompt::Click { point: Point { x, y }, .. } => {
                    let inside = (0.0..right).contains(x) && (0.0..bottom).contains(y);
                    (!inside).then(|| format!("it lies outside the frame, which is {width}x{height}"))
                }
                Prompt::Box(Rect { edges: [x0, y0, x1, y1] }) => {
                    let inside = *x0 >= 0.0 && *y0 >= 0.0 && *x1 <= right && *y1 <= bottom;
                    (!inside).then(|| format!("it reaches out of the frame, which is {width}x{height}"))
                }
                Prompt::Mask { mask, .. } => ((mask.width, mask.height) != (width, height)).then(|| {
                    format!(
                        "its size is {}x{}, expected {width}x{height} as the frame",
                        mask.width, mask.height
                    )
                }),
            };
            if let Some(problem) = problem {
                return Err(Error::Prompt(format!("{name} on frame {frame}: {problem}")));
            }
        }
        Ok(())
    }

    /// The frames that have prompts, in order.
    pub fn frames(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.0.keys().copied()
    }

    /// The latest frame with a prompt.
    pub fn last(&self) -> u64 {
        self.frames().next_back().unwrap_or(0)
    }

    /// Tells the session all prompts that it does not know already, before any frame is pushed.
    ///
    /// # Errors
    /// If the library refuses one.
    pub fn give(&self, session: &mut Session, known: &Knowledge) -> Result<()> {
        for (&frame, prompts) in &self.0 {
            let known = known.said(OBJECT, frame);
            for prompt in prompts.iter().filter(|prompt| !known.is_some_and(|known| prompt.is_in(known))) {
                match prompt {
                    Prompt::Mask { mask, .. } => {
                        let image = Image::gray(mask.width, mask.height, &mask.pixels)?;
                        session.mask(OBJECT, frame, &image)?;
                    }
                    Prompt::Box(Rect { edges }) => session.r#box(OBJECT, frame, *edges)?,
                    Prompt::Click { point, positive } => {
                        session.click(OBJECT, frame, [point.x, point.y], *positive)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Prompt {
    /// Whether a session knows it. Of masks it only says that there is one.
    fn is_in(&self, known: &KnownPrompts) -> bool {
        match self {
            Self::Mask { .. } => known.masked,
            Self::Box(Rect { edges }) => known.r#box == Some(*edges),
            Self::Click { point, positive } => known.clicks.contains(&(point.x, point.y, *positive)),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Mask { name, .. } => format!("mask {name}"),
            Self::Box(Rect { edges: [x0, y0, x1, y1] }) => format!("box {x0},{y0},{x1},{y1}"),
            Self::Click { point: Point { x, y }, positive: true } => format!("point {x},{y}"),
            Self::Click { point: Point { x, y }, positive: false } => format!("negative {x},{y}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(text: &str) -> std::result::Result<At<Point>, String> {
        text.parse()
    }

    #[test]
    fn a_point_may_name_its_frame() {
        let what = Point { x: 480.25, y: 600.0 };
        assert_eq!(point("480.25,600"), Ok(At { what, frame: None }));
        assert_eq!(point("480.25,600@37"), Ok(At { what, frame: Some(37) }));
        assert_eq!(point("-3,5").unwrap().what.x, -3.0);
    }

    #[test]
    fn a_point_that_is_not_two_numbers_is_refused() {
        for (text, said) in [
            ("5", "5: 1 numbers, expected X,Y[@FRAME]"),
            ("1,2,3", "1,2,3: 3 numbers, expected X,Y[@FRAME]"),
            ("1,x", "1,x: not all numbers, expected X,Y[@FRAME]"),
            ("NaN,2", "NaN,2: not all numbers, expected X,Y[@FRAME]"),
            ("1,inf", "1,inf: not all numbers, expected X,Y[@FRAME]"),
            ("1,2@x", "1,2@x: `x` is no frame number, expected X,Y[@FRAME]"),
            ("1,2@-1", "1,2@-1: `-1` is no frame number, expected X,Y[@FRAME]"),
        ] {
            assert_eq!(point(text), Err(said.to_owned()));
        }
    }

    #[test]
    fn a_box_keeps_its_corners_and_needs_an_area() {
        let parse = |text: &str| text.parse::<At<Rect>>();
        let parsed = parse("1,2,30,4.5@9").unwrap();
        assert_eq!((parsed.what.edges, parsed.frame), ([1.0, 2.0, 30.0, 4.5], Some(9)));
        for text in ["1,2,1,4", "1,2,3,2", "5,2,3,4"] {
            assert!(parse(text).unwrap_err().contains("it has no area"), "{text}");
        }
    }

    #[test]
    fn a_mask_file_may_have_an_at_sign_of_its_own() {
        let parse = |text: &str| text.parse::<At<PathBuf>>().unwrap();
        assert_eq!(parse("a@b.png"), At { what: "a@b.png".into(), frame: None });
        assert_eq!(parse("a@b.png@12"), At { what: "a@b.png".into(), frame: Some(12) });
    }
}
