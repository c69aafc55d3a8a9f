//! Three threads and the queues between them.

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
};

use super::{
    beyond_the_end,
    finish::{Done, Finisher},
    near::Waiting,
    observe::Parcel,
};
use crate::{
    Error, Result,
    args::TrackArgs,
    library::{AutomaticOptions, Image, Session},
    progress,
    prompt::Prompts,
    report::{Stage, Timings},
    source::Source,
};

/// Frames that may wait in a queue. Two even out what differs from frame to frame; more would only take memory.
const WAITING: usize = 2;

pub struct Job<'a> {
    pub args: &'a TrackArgs,
    pub prompts: &'a Prompts,
    /// The first frame that the session knows anything of.
    pub first: u64,
    /// What is followed.
    pub objects: Vec<u32>,
    pub session: Session,
    pub stop: &'a AtomicBool,
}

impl<'a> Job<'a> {
    /// Takes every frame through all threads. Nothing is published yet.
    pub fn run(mut self, source: Source, mut finisher: Finisher) -> Result<Done<'a>> {
        let (args, stop) = (self.args, self.stop);
        let measured = args.masks.is_some() || args.json.is_some();
        let objects = std::mem::take(&mut self.objects);
        let mut follower =
            Follower { session: &mut self.session, objects, first: self.first, measured, args, stop };
        let (decoded_to, decoded) = sync_channel(WAITING);
        let (observed_to, observed) = sync_channel(WAITING);
        // Empty parcels go back here. There are never more than the queues and the threads hold.
        let (spare_to, spare) = channel();
        let (read, followed, finished) = thread::scope(|scope| {
            let reading = scope.spawn(move || decode(source, args, stop, &spare, &decoded_to));
            let finishing =
                scope.spawn(move || finish(&mut finisher, &observed, &spare_to).map(|()| finisher));
            let followed = follower.run(decoded, observed_to);
            (reading.join(), followed, finishing.join())
        });
        let finisher = finished.map_err(|_| Error::Bug("the finishing thread panicked"))??;
        let source = read.map_err(|_| Error::Bug("the decoding thread panicked"))??;
        followed?;
        let interrupted = stop.load(Ordering::Relaxed);
        if !interrupted {
            self.check_range(&source)?;
        }
        if source.damaged() > 0 {
            progress::warn(&format!(
                "{}: {} packets were damaged; what the decoder made of them was used",
                args.input.display(),
                source.damaged()
            ));
        }
        Ok(finisher.into_done(args, interrupted))
    }

    /// Whether the clip was as long as the arguments take for granted. Containers guess at their number of
    /// frames, so this is known for sure only at the end.
    fn check_range(&self, source: &Source) -> Result<()> {
        let Self { args, prompts, .. } = self;
        if prompts.last() >= source.position() {
            let what = format!("a prompt is on frame {}", prompts.last());
            return Err(beyond_the_end(&args.input, &what, source));
        }
        if let Some(end) = args.end.filter(|&end| end >= source.position()) {
            let frames = source.position();
            progress::warn(&format!("--end {end} is beyond the clip's {frames} frames"));
        }
        Ok(())
    }
}

/// Reads frames until the clip, the range or the others' patience ends.
fn decode(
    mut source: Source,
    args: &TrackArgs,
    stop: &AtomicBool,
    spare: &Receiver<Parcel>,
    decoded: &SyncSender<Parcel>,
) -> Result<Source> {
    while args.end.is_none_or(|end| source.position() <= end) && !stop.load(Ordering::Relaxed) {
        let mut parcel = spare.try_recv().unwrap_or_default();
        let Some(frame) = source.next(&mut parcel.picture)? else { break };
        parcel.frame = frame;
        parcel.timings = Timings::default();
        parcel.timings.add(Stage::Decode, frame.decode);
        parcel.timings.add(Stage::ToRgba, frame.convert);
        if decoded.send(parcel).is_err() {
            break;
        }
    }
    Ok(source)
}

/// Has the model look at every frame from the first prompted one on, and measure its masks where that is wanted.
struct Follower<'a> {
    session: &'a mut Session,
    objects: Vec<u32>,
    first: u64,
    measured: bool,
    args: &'a TrackArgs,
    stop: &'a AtomicBool,
}

impl Follower<'_> {
    fn run(&mut self, decoded: Receiver<Parcel>, observed: SyncSender<Parcel>) -> Result<()> {
        let search = self.args.search.options();
        for mut parcel in decoded {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            match self.look(&mut parcel, &search) {
                // Ctrl-C: the frames before this one are whole.
                Err(error) if error.is_cancelled() => break,
                looked => looked?,
            }
            if observed.send(parcel).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn look(&mut self, parcel: &mut Parcel, search: &AutomaticOptions) -> Result<()> {
        let index = parcel.frame.index;
        if self.is_search_due(index) {
            self.search(parcel, search)?;
        }
        if index < self.first {
            parcel.observe_nothing();
            return Ok(());
        }
        parcel.observe(self.session, &self.objects, self.measured)
    }

    fn is_search_due(&self, index: u64) -> bool {
        let since = index - self.args.start;
        self.args.automatic
            && (since == 0 || self.args.every.is_some_and(|every| since.is_multiple_of(every)))
    }

    fn search(&mut self, parcel: &Parcel, search: &AutomaticOptions) -> Result<()> {
        let (index, most) = (parcel.frame.index, self.args.max_objects);
        let picture = Image::from(&parcel.picture);
        let found = self.session.add_automatic(index, &picture, search, most, self.stop)?;
        if !found.is_empty() {
            let numbers: Vec<String> = found.iter().map(u32::to_string).collect();
            progress::say(&format!("frame {index}: found {}", numbers.join(", ")));
        }
        self.objects.extend(found);
        if self.objects.is_empty() && self.args.every.is_none() {
            return Err(Error::Prompt(format!(
                "nothing was found on frame {index}, expected at least one object: try lower values of \
                 --pred-iou-thresh and --stability-score-thresh, or point at it"
            )));
        }
        Ok(())
    }
}

/// Finishes each frame when those after it are known.
fn finish(finisher: &mut Finisher, observed: &Receiver<Parcel>, spare: &Sender<Parcel>) -> Result<()> {
    let mut waiting = Waiting::default();
    let mut take = |waiting: &mut Waiting, mut parcel: Parcel| {
        let near = waiting.near(parcel.frame.index);
        finisher.take(&mut parcel, &near)?;
        waiting.keep(&mut parcel);
        // At the end nobody reads any more.
        let _ = spare.send(parcel);
        Ok(())
    };
    for parcel in observed {
        if let Some(parcel) = waiting.push(parcel) {
            take(&mut waiting, parcel)?;
        }
    }
    while let Some(parcel) = waiting.pop() {
        take(&mut waiting, parcel)?;
    }
    Ok(())
}
