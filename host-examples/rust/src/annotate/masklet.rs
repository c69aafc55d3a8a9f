//! A masklet: one object's masks through a clip, how sure the model was of them, and whether to trust it.

use crate::dataset::{Region, Rle};

/// Consecutive masks that overlap less than this are taken for a jump to something else.
const JUMP: f64 = 0.3;

/// A masklet that shows on fewer of the frames since its first is to be reviewed: it was lost, or came and went.
const SHOWN: f64 = 0.9;

/// A masklet of an object.
#[derive(Clone, Debug)]
pub struct Masklet {
    /// As people or the data set call it, otherwise its number.
    pub name: String,
    /// Whether nobody asked for it.
    pub automatic: bool,
    /// The annotated frames since its first, ascending.
    pub marks: Vec<Mark>,
    /// Areas and overlaps, summed up as marks come.
    area_sum: f64,
    least_overlap: f64,
    last: Option<Region>,
}

/// A masklet on one frame.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The frame.
    pub frame: usize,
    /// The mask.
    pub rle: Rle,
    /// Whether it has a pixel.
    pub shown: bool,
    /// How well the model believes to have met the object, 0 to 1.
    pub predicted_iou: f32,
}

/// Whether a masklet can be used as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It can.
    Accepted,
    /// A person should look: the model wasn't sure of it.
    Unsure,
    /// A person should look: it was lost.
    Lost,
    /// A person should look: it jumped.
    Jumps,
}

impl Status {
    /// `accepted` or `review`.
    pub fn name(self) -> &'static str {
        if self == Self::Accepted { "accepted" } else { "review" }
    }

    /// Why it is to be reviewed.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Accepted => "",
            Self::Unsure => "unsure",
            Self::Lost => "lost",
            Self::Jumps => "jumps",
        }
    }
}

impl Masklet {
    /// Without masks yet.
    pub fn new(name: String, automatic: bool) -> Self {
        Self { name, automatic, marks: Vec::new(), area_sum: 0.0, least_overlap: 1.0, last: None }
    }

    /// Adds a frame's mask.
    pub fn add(&mut self, frame: usize, region: &Region, predicted_iou: f32) {
        let area = region.area();
        let shown = area > 0;
        if shown {
            self.area_sum += area as f64;
            if let Some(last) = &self.last {
                let both = region.combine(last, |a, b| a && b).area();
                let either = region.combine(last, |a, b| a || b).area();
                self.least_overlap = self.least_overlap.min(both as f64 / either as f64);
            }
            self.last = Some(region.clone());
        }
        self.marks.push(Mark { frame, rle: Rle::of(region), shown, predicted_iou });
    }

    /// Frees what is only needed while masks come.
    pub fn close(&mut self) {
        self.last = None;
    }

    /// The mask added last that had a pixel.
    pub fn last(&self) -> Option<&Region> {
        self.last.as_ref()
    }

    /// How many frames show it.
    pub fn shown(&self) -> usize {
        self.marks.iter().filter(|mark| mark.shown).count()
    }

    /// Mean area over the frames that show it, in pixels.
    pub fn area(&self) -> f64 {
        self.area_sum / self.shown().max(1) as f64
    }

    /// Mean predicted overlap over the frames that show it.
    pub fn predicted_iou(&self) -> f32 {
        let shown = self.marks.iter().filter(|mark| mark.shown);
        shown.map(|mark| mark.predicted_iou).sum::<f32>() / self.shown().max(1) as f32
    }

    /// Whether it can be used as it is, if a mean predicted overlap of `accept` is enough.
    pub fn status(&self, accept: f32) -> Status {
        let share = self.shown() as f64 / self.marks.len().max(1) as f64;
        if share < SHOWN {
            Status::Lost
        } else if self.least_overlap < JUMP {
            Status::Jumps
        } else if self.predicted_iou() < accept {
            Status::Unsure
        } else {
            Status::Accepted
        }
    }

    /// Its row of the table that is printed.
    pub fn row(&self, clip: &str, accept: f32) -> String {
        let status = self.status(accept);
        format!(
            "{clip:<24} {:>10} {:>7} {:>7} {:>9.0} {:>7.3} {:>7.3}  {} {}\n",
            self.name,
            self.marks.len(),
            self.shown(),
            self.area(),
            self.predicted_iou(),
            self.least_overlap,
            status.name(),
            status.reason(),
        )
    }

    /// Its row of the table that is written.
    pub fn record(&self, clip: &str, number: usize, accept: f32) -> [String; 10] {
        let status = self.status(accept);
        [
            clip.to_owned(),
            number.to_string(),
            self.name.clone(),
            if self.automatic { "auto" } else { "manual" }.to_owned(),
            status.name().to_owned(),
            status.reason().to_owned(),
            self.marks.len().to_string(),
            self.shown().to_string(),
            format!("{:.1}", self.area()),
            format!("{:.4}", self.predicted_iou()),
        ]
    }
}

/// The headings of [`Masklet::record`].
pub const HEADINGS: [&str; 10] =
    ["sequence", "object", "name", "type", "status", "reason", "frames", "shown", "area", "predicted_iou"];

/// The heading of [`Masklet::row`].
pub fn head() -> String {
    format!(
        "{:<24} {:>10} {:>7} {:>7} {:>9} {:>7} {:>7}  status\n",
        "clip", "object", "frames", "shown", "area", "pred", "overlap"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masklet(places: &[Option<usize>], predicted_iou: f32) -> Masklet {
        let mut masklet = Masklet::new("1".into(), true);
        for (frame, place) in places.iter().enumerate() {
            let inside = (0..60).map(|at| place.is_some_and(|from| (from..from + 10).contains(&(at % 30))));
            masklet.add(frame, &Region::new(30, inside.collect()), predicted_iou);
        }
        masklet
    }

    #[test]
    fn a_steady_masklet_that_the_model_is_sure_of_is_accepted() {
        let steady = masklet(&[Some(3), Some(4), Some(6)], 0.9);
        assert_eq!((steady.status(0.8), steady.status(0.95)), (Status::Accepted, Status::Unsure));
        assert_eq!((steady.area(), steady.shown()), (20.0, 3));
    }

    #[test]
    fn what_is_lost_or_jumps_is_to_be_reviewed() {
        assert_eq!(masklet(&[Some(3), None, None], 0.9).status(0.8), Status::Lost);
        assert_eq!(masklet(&[Some(3), Some(18), Some(18)], 0.9).status(0.8), Status::Jumps);
        assert_eq!(masklet(&[], 0.9).status(0.8), Status::Lost);
    }
}
