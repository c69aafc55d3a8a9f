//! The last thread's work on a frame: finish the matte, encode, write the mask, report.

use std::time::Instant;

use serde_json::Value;

use super::{
    near::Near,
    observe::{Observation, Parcel, Seen},
    written,
};
use crate::{
    Outcome, Result,
    args::TrackArgs,
    library::{Badge, Library, MaskKind, MatteLayer, Model},
    masks::MaskFolders,
    progress::{self, Progress},
    render::{Render, Shown},
    report::{FrameReport, ObjectReport, Report, Stage, Summary, Timings, Versions},
};

/// All that a finished frame goes into.
pub struct Finisher {
    render: Option<Render>,
    masks: Option<MaskFolders>,
    report: Option<Report>,
    progress: Progress,
    sums: Timings,
}

impl Finisher {
    /// `total` frames are expected.
    pub fn new(
        render: Option<Render>,
        masks: Option<MaskFolders>,
        report: Option<Report>,
        total: Option<u64>,
    ) -> Self {
        Self { render, masks, report, progress: Progress::start(total), sums: Timings::default() }
    }

    /// Takes one frame, in order, with what was seen on the frames around it.
    pub fn take(&mut self, parcel: &mut Parcel, near: &Near<'_>) -> Result<()> {
        let Parcel { frame, picture, seen, timings } = parcel;
        if let Some(render) = &mut self.render {
            let layer = MatteLayer {
                kind: MaskKind::Logits,
                mask: seen.image()?,
                neighbours: near.masks()?,
                combine: Default::default(),
            };
            let shown = Shown { layers: vec![layer], badge: badge(seen), ..Shown::default() };
            let (matte, spent) = render.write(frame, picture, shown)?;
            timings.add(Stage::Matte, matte);
            timings.add(Stage::FromRgba, spent.convert);
            timings.add(Stage::Encode, spent.encode);
        }
        if let Some(masks) = &mut self.masks {
            let (start, size) = (Instant::now(), (picture.width(), picture.height()));
            let each = seen.objects.iter().map(|seen| (seen.object, seen.mask.as_slice()));
            masks.write(frame.index, &seen.mask, each, size)?;
            timings.add(Stage::Mask, start.elapsed());
        }
        self.sums.add_all(timings);
        if let Some(report) = &mut self.report {
            let only = seen.only();
            let each = |seen: &Seen| ObjectReport {
                id: seen.object,
                predicted_iou: seen.tracked.predicted_iou,
                object_score: seen.tracked.object_score,
                seen: seen.tracked.seen,
                prompted: seen.tracked.prompted,
                area_px: seen.area,
                r#box: seen.bounds,
            };
            report.frame(&FrameReport {
                index: frame.index,
                time: frame.seconds,
                predicted_iou: only.map(|t| t.predicted_iou),
                object_score: only.map(|t| t.object_score),
                seen: seen.objects.iter().any(|one| one.tracked.seen),
                prompted: seen.objects.iter().any(|one| one.tracked.prompted),
                area_px: seen.area,
                r#box: seen.bounds,
                objects: if seen.objects.len() > 1 {
                    seen.objects.iter().map(each).collect()
                } else {
                    vec![]
                },
                ms: timings,
            })?;
        }
        self.progress.advance();
        Ok(())
    }

    /// After the last frame.
    pub fn into_done(self, args: &TrackArgs, interrupted: bool) -> Done<'_> {
        Done { finisher: self, args, interrupted }
    }
}

/// All frames are in; what is left is to complete the files and give them their names.
pub struct Done<'a> {
    finisher: Finisher,
    args: &'a TrackArgs,
    interrupted: bool,
}

impl Done<'_> {
    /// How many frames were finished.
    pub fn frames(&self) -> u64 {
        self.finisher.progress.so_far().0
    }

    /// Completes the files.
    ///
    /// # Errors
    /// If one can't be written to its end; it then keeps what it had before.
    pub fn publish(self, library: &Library, model: &Model) -> Result<Outcome> {
        let Self { finisher, args, interrupted } = self;
        let Finisher { render, report, progress, sums, .. } = finisher;
        let (mut device, mut encoder) = (Value::Null, None);
        if let Some(render) = render {
            let (told, name) = render.describe()?;
            (device, encoder) = (json(&told), Some(name));
            render.finish()?;
        }
        let (frames, wall) = progress.so_far();
        let wall_seconds = wall.as_secs_f64();
        let fps = frames as f64 / wall_seconds.max(f64::MIN_POSITIVE);
        if let Some(report) = report {
            report.finish(&Summary {
                frames,
                interrupted,
                wall_seconds,
                fps,
                stages: sums.shares(frames),
                encoder,
                model: json(&model.describe()?),
                device,
                versions: Versions {
                    rotomask: env!("CARGO_PKG_VERSION"),
                    library: library.version(),
                    abi: library.abi_version(),
                },
            })?;
        }
        drop(progress);
        let names: Vec<String> = written(args).iter().map(|path| path.display().to_string()).collect();
        let stopped = if interrupted { "stopped early: " } else { "" };
        progress::say(&format!(
            "{stopped}{frames} frames in {wall_seconds:.1} s ({fps:.1} frames/s): {}",
            names.join(", ")
        ));
        Ok(if interrupted { Outcome::Interrupted } else { Outcome::Complete })
    }
}

fn badge(seen: &Observation) -> Badge {
    match seen.objects.as_slice() {
        [] => Badge::Untracked,
        objects if objects.iter().any(|one| one.tracked.prompted) => Badge::Prompted,
        _ => Badge::Tracked,
    }
}

/// The library's JSON, or its text if it should be none.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
