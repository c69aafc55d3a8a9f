//! Following objects through a shot whose frames the caller hands out on request.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::Arc;

use super::change::{Change, Seen};
use super::object::Object;
use super::sight::{Ahead, LookAhead, Sight};
use super::trail::Step;
use super::{ObjectId, Outdated, Session};
use crate::cut::{DEFAULT_SENSITIVITY, is_cut};
use crate::error::{Error, Result};
use crate::frame::FrameView;
use crate::memory_bank::Direction;

/// The most objects beside which the next frame is encoded: more keep every thread busy by themselves.
const MOST_OBJECTS_BESIDE: usize = 2;

/// Where frames come from. Asked on the thread that tracks.
pub trait FrameSource {
    /// The frame of a number, counted from 0, or `None` beyond the last one. Mostly asked for in the order of
    /// tracking; now and then a frame further back, to make a memory anew. A frame may be asked for while the one before
    /// it is still to be answered, and isn't asked for again in its turn.
    ///
    /// # Errors
    /// [`Error::Frame`] if it can't be had; tracking stops there, and what was finished stays.
    fn frame(&mut self, index: u64) -> Result<Option<FrameView<'_>>>;
}

/// Which frames are tracked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// From the start to later frames.
    #[default]
    Forward,
    /// From the start to earlier frames.
    Reverse,
    /// To later frames, then to earlier ones.
    Both,
    /// What prompts have made wrong since it was tracked, each frame the way it was tracked before.
    Outdated,
}

/// What is to be tracked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackRequest {
    /// Which frames.
    pub way: Way,
    /// Where tracking starts; `None` for the first prompted frame (`start_frame_idx`).
    pub start: Option<u64>,
    /// No frame before it is tracked: the shot's in point.
    pub first: u64,
    /// No frame after it is tracked: the shot's out point. `None` for the shot's end.
    pub last: Option<u64>,
    /// How many frames beyond the start are tracked at most, to each side (`max_frame_num_to_track`).
    pub max_frames: Option<u64>,
    /// Track anew what was tracked and still holds. Otherwise it is passed over.
    pub overwrite: bool,
}

/// Why tracking ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// All that was asked for is done.
    Done,
    /// What comes next lies behind a cut, and nothing was said of anything there.
    AtCut {
        /// The first frame after the cut, in the direction of tracking.
        frame: u64,
    },
    /// The caller wanted no more.
    ByCaller,
}

/// What tracking did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackReport {
    /// What was tracked, by object: first and last frame of each stretch, and which way.
    pub tracked: Vec<Outdated>,
    /// Frames that were passed over because what was known of them holds.
    pub kept: u64,
    /// Why it ended.
    pub stopped: Stopped,
}

/// Told after each frame; it may look at the frame's masks.
pub type EachFrame<'a> = dyn FnMut(&mut Session, u64) -> ControlFlow<()> + 'a;

struct Run<'a> {
    source: &'a mut dyn FrameSource,
    each: &'a mut EachFrame<'a>,
    report: TrackReport,
    /// The frame that comes next, if it was looked at already.
    ahead: Option<Ahead>,
}

/// Where tracking goes on to after a frame, and for which objects.
struct Next<'a> {
    frame: u64,
    wanted: &'a dyn Fn(&Object, u64) -> bool,
}

impl Session {
    /// Tracks objects through a shot. Waiting prompts are answered first, wherever they are. Each finished frame
    /// stays, whatever becomes of the next.
    ///
    /// # Errors
    /// [`Error::State`] if nothing was said of any object, or a prompt lies beyond the shot's end; what
    /// [`Session::push`] answers; what the source answers.
    pub fn track<'a>(
        &mut self,
        request: &TrackRequest,
        source: &'a mut dyn FrameSource,
        each: &'a mut EachFrame<'a>,
    ) -> Result<TrackReport> {
        let report = TrackReport { tracked: Vec::new(), kept: 0, stopped: Stopped::Done };
        let mut run = Run { source, each, report, ahead: None };
        match self.run(request, &mut run) {
            Ok(ControlFlow::Break(stopped)) => run.report.stopped = stopped,
            Ok(ControlFlow::Continue(())) => {}
            Err(Error::Cancelled) => run.report.stopped = Stopped::ByCaller,
            Err(error) => return Err(error),
        }
        Ok(run.report)
    }

    fn run(&mut self, request: &TrackRequest, run: &mut Run<'_>) -> Result<ControlFlow<Stopped>> {
        for frame in self.waiting() {
            self.answer_waiting(frame, run)?;
        }
        if request.way == Way::Outdated {
            return self.run_outdated(request, run);
        }
        let first_prompted = self.objects.values().filter_map(|o| o.trail.conditioning().first()).min();
        let Some(start) = request.start.or(first_prompted.copied()) else {
            return Err(Error::State("nothing was said of any object yet: there is nothing to track".into()));
        };
        for direction in [Direction::Forward, Direction::Reverse] {
            let wanted = match direction {
                Direction::Forward => request.way != Way::Reverse,
                Direction::Reverse => request.way != Way::Forward,
            };
            let range = limits(request, start, direction);
            if wanted && !range.is_empty() {
                if request.overwrite {
                    self.outdate(&range)?;
                }
                if let ControlFlow::Break(stopped) = self.pass(range, direction, run, &|_, _| true)? {
                    // A cut on one side doesn't keep the other from being tracked.
                    if request.way != Way::Both || stopped == Stopped::ByCaller {
                        return Ok(ControlFlow::Break(stopped));
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn run_outdated(&mut self, request: &TrackRequest, run: &mut Run<'_>) -> Result<ControlFlow<Stopped>> {
        let (first, last) = (request.first, request.last.unwrap_or(u64::MAX));
        let mut parts: Vec<_> = self.outdated().into_iter().map(|o| (o.direction, o.frames)).collect();
        parts.sort_by_key(|(direction, frames)| match direction {
            Direction::Forward => (0, *frames.start()),
            Direction::Reverse => (1, u64::MAX - frames.end()),
        });
        for (direction, frames) in parts {
            let range = (*frames.start()).max(first)..=(*frames.end()).min(last);
            let outdated = |object: &Object, frame| object.trail.has(frame) && !object.trail.holds(frame);
            if let ControlFlow::Break(stopped) = self.pass(range, direction, run, &outdated)? {
                return Ok(ControlFlow::Break(stopped));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Goes over a range of frames in one direction.
    fn pass(
        &mut self,
        range: RangeInclusive<u64>,
        direction: Direction,
        run: &mut Run<'_>,
        wanted: &dyn Fn(&Object, u64) -> bool,
    ) -> Result<ControlFlow<Stopped>> {
        let (first, last) = range.into_inner();
        let mut next = (first <= last).then_some(match direction {
            Direction::Forward => first,
            Direction::Reverse => last,
        });
        while let Some(frame) = next.filter(|frame| (first..=last).contains(frame)) {
            next = match direction {
                Direction::Forward => frame.checked_add(1),
                Direction::Reverse => frame.checked_sub(1),
            };
            // What comes next may have become another frame since.
            run.ahead.take_if(|ahead| ahead.frame != frame);
            let scene = self.scene(frame);
            let steps: Vec<_> =
                self.objects.iter().map(|(&id, o)| (id, o.trail.step(frame, &scene))).collect();
            let wants = |&(id, step): &(ObjectId, Step)| {
                matches!(step, Step::Prompt | Step::Track) && wanted(&self.objects[&id], frame)
            };
            let todo: BTreeSet<_> = steps.iter().filter(|step| wants(step)).map(|&(id, _)| id).collect();
            if !todo.is_empty() {
                self.restore_memories(&todo, frame, direction, run)?;
                let next = next.filter(|next| (first..=last).contains(next));
                let next = next.map(|frame| Next { frame, wanted });
                if !self.visit(frame, direction, run, &|id, _| todo.contains(&id), next)? {
                    return Ok(ControlFlow::Continue(()));
                }
                if (run.each)(self, frame).is_break() {
                    return Ok(ControlFlow::Break(Stopped::ByCaller));
                }
            } else if steps.iter().any(|(_, step)| *step == Step::Stands) {
                self.pass_over(frame, direction, run)?;
            } else if !self.anything_ahead(frame, direction) {
                return Ok(ControlFlow::Break(Stopped::AtCut { frame }));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// A frame whose answers hold. Memories that the frames ahead need are made anew while it is at hand.
    fn pass_over(&mut self, frame: u64, direction: Direction, run: &mut Run<'_>) -> Result<()> {
        run.report.kept += 1;
        let mut gone = BTreeSet::new();
        for id in self.objects.keys().copied().collect::<Vec<_>>() {
            let trail = &self.objects[&id].trail;
            let near = trail.holds(frame) && trail.is_near_an_end(frame, self.reach);
            if near && self.keeping.get(id, frame)?.is_some_and(|answer| answer.memory.is_none()) {
                gone.insert(id);
            }
        }
        if !gone.is_empty() {
            self.visit(frame, direction, run, &|id, _| gone.contains(&id), None)?;
        }
        Ok(())
    }

    /// What was tracked in a range is to be tracked anew.
    fn outdate(&mut self, frames: &RangeInclusive<u64>) -> Result<()> {
        let mut change = Change::default();
        for (&id, object) in &self.objects {
            let mut trail = object.trail.clone();
            trail.outdate_range(frames);
            change.trails.insert(id, trail);
        }
        self.apply(change)
    }

    /// Makes memories anew that were let go and the frame recalls.
    fn restore_memories(
        &mut self,
        objects: &BTreeSet<ObjectId>,
        frame: u64,
        direction: Direction,
        run: &mut Run<'_>,
    ) -> Result<()> {
        let scene = self.scene(frame);
        let mut gone: BTreeSet<(u64, ObjectId)> = BTreeSet::new();
        for &id in objects {
            // A correction looks back the way its frame was tracked.
            let trail = &self.objects[&id].trail;
            let corrected = trail.waiting().contains(&frame).then(|| trail.passed(frame)).flatten();
            let recall = trail.recall(self.reach, frame, corrected.unwrap_or(direction), &scene);
            for (recalled, _) in recall.memories {
                if self.keeping.get(id, recalled)?.is_some_and(|answer| answer.memory.is_none()) {
                    gone.insert((recalled, id));
                }
            }
        }
        let frames: BTreeSet<_> = gone.iter().map(|&(frame, _)| frame).collect();
        for recalled in frames {
            self.visit(recalled, direction, run, &|id, _| gone.contains(&(recalled, id)), None)?;
        }
        Ok(())
    }

    /// Reads a frame and answers for the objects that are wanted, with a look at the frame that comes next where that
    /// pays. False beyond the shot's end.
    fn visit(
        &mut self,
        frame: u64,
        direction: Direction,
        run: &mut Run<'_>,
        wanted: &dyn Fn(ObjectId, Step) -> bool,
        next: Option<Next<'_>>,
    ) -> Result<bool> {
        let Some(sight) = self.sight(frame, run)? else { return Ok(false) };
        let (mut current, change) = self.arrive(frame, sight)?;
        let next = next.filter(|next| self.is_encoded_ahead(next, &change));
        let tracked = self.look_ahead(next, &current.seen.clone(), run, |session| {
            session.answer(&mut current, direction, wanted, true, change)
        })?;
        self.current = Some(current);
        tracked.into_iter().for_each(|id| run.report.add(id, frame, direction));
        Ok(true)
    }

    /// A frame that was looked at ahead, or is read now. `None` beyond the shot's end.
    fn sight(&self, frame: u64, run: &mut Run<'_>) -> Result<Option<Sight>> {
        if let Some(ahead) = run.ahead.take_if(|ahead| ahead.frame == frame) {
            return ahead.sight;
        }
        let Some(pixels) = run.source.frame(frame)? else { return Ok(None) };
        Sight::of(frame, pixels, self.size, &self.model).map(Some)
    }

    /// Whether the frame that comes next is encoded beside the work on this one, which changes what `change` says.
    fn is_encoded_ahead(&self, next: &Next<'_>, change: &Change) -> bool {
        let scene = self.scenes.around_with(next.frame, &change.cuts);
        let tracked = |object: &&Object| {
            object.trail.step(next.frame, &scene) == Step::Track && (next.wanted)(object, next.frame)
        };
        let objects: Vec<_> = self.objects.values().filter(tracked).collect();
        let prompted = objects.iter().map(|object| object.trail.conditioning().len()).max().unwrap_or(0);
        (1..=MOST_OBJECTS_BESIDE).contains(&objects.len())
            && self.options.has_room_ahead(self.model.manifest(), prompted + self.reach.slots as usize - 1)
            && self.model.encodes_beside()
    }

    /// Works on a frame that looks like `here`, and encodes the next one meanwhile. What is met there waits for its turn:
    /// nothing of it changes what becomes of this frame.
    fn look_ahead<T>(
        &mut self,
        next: Option<Next<'_>>,
        here: &Seen,
        run: &mut Run<'_>,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let Some(Next { frame, .. }) = next else { return work(self) };
        // Two frames' features are held at most.
        run.ahead = None;
        let pixels = match run.source.frame(frame) {
            Ok(Some(pixels)) => pixels,
            ended => {
                run.ahead = Some(Ahead { frame, sight: ended.map(|_| None) });
                return work(self);
            }
        };
        let (model, detect_cuts) = (Arc::clone(&self.model), self.options.detect_cuts);
        // Behind a cut nothing is tracked, and of the same picture the features are there.
        let wanted = |there: &Seen| {
            let cut = detect_cuts && is_cut(&here.signature, &there.signature, DEFAULT_SENSITIVITY);
            !cut && there.hash != here.hash
        };
        let look =
            LookAhead { model: &model, cancel: self.cancel.beside(), size: self.size, wanted: &wanted };
        let (done, sight) = look.beside(frame, pixels, || work(self));
        let done = done?;
        run.ahead = Some(Ahead { frame, sight: sight.map(Some) });
        Ok(done)
    }

    fn answer_waiting(&mut self, frame: u64, run: &mut Run<'_>) -> Result<()> {
        let waits =
            |(&id, object): (&ObjectId, &Object)| object.trail.waiting().contains(&frame).then_some(id);
        let corrected: BTreeSet<_> = self.objects.iter().filter_map(waits).collect();
        self.restore_memories(&corrected, frame, Direction::Forward, run)?;
        if !self.visit(frame, Direction::Forward, run, &|_, step| step == Step::Prompt, None)? {
            return Err(Error::State(format!("a prompt is on frame {frame}, which the shot does not have")));
        }
        Ok(())
    }

    /// Whether anything was said about a frame further on.
    fn anything_ahead(&self, frame: u64, direction: Direction) -> bool {
        let Some(beyond) = direction.beyond(frame) else { return false };
        self.objects.values().any(|o| o.trail.conditioning().range(beyond.clone()).next().is_some())
    }
}

impl TrackReport {
    fn add(&mut self, object: ObjectId, frame: u64, direction: Direction) {
        let last = self.tracked.iter_mut().rfind(|t| t.object == object && t.direction == direction);
        if let Some(stretch) = last {
            let (first, end) = stretch.frames.clone().into_inner();
            if end.checked_add(1) == Some(frame) || frame.checked_add(1) == Some(first) {
                stretch.frames = first.min(frame)..=end.max(frame);
                return;
            }
        }
        self.tracked.push(Outdated { object, frames: frame..=frame, direction });
    }
}

/// The frames that a request asks for on one side of its start.
fn limits(request: &TrackRequest, start: u64, direction: Direction) -> RangeInclusive<u64> {
    let (first, last) = (request.first, request.last.unwrap_or(u64::MAX));
    let most = request.max_frames.unwrap_or(u64::MAX);
    match direction {
        Direction::Forward => start.max(first)..=start.saturating_add(most).min(last),
        Direction::Reverse => start.saturating_sub(most).max(first)..=start.min(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(max_frames: Option<u64>, last: Option<u64>) -> TrackRequest {
        TrackRequest { first: 3, last, max_frames, ..TrackRequest::default() }
    }

    #[test]
    fn a_request_reaches_from_its_start_to_the_in_or_out_point_or_its_number_of_frames() {
        let both = |request: &TrackRequest, start| {
            [Direction::Forward, Direction::Reverse].map(|direction| limits(request, start, direction))
        };
        assert_eq!(both(&request(None, Some(20)), 10), [10..=20, 3..=10]);
        assert_eq!(both(&request(Some(1), None), 10), [10..=11, 9..=10]);
        let [forward, reverse] = both(&request(None, None), 1);
        assert_eq!((forward, reverse.is_empty()), (3..=u64::MAX, true));
    }

    #[test]
    fn a_report_joins_neighbouring_frames_whichever_way_they_came() {
        let mut report = TrackReport { tracked: vec![], kept: 0, stopped: Stopped::Done };
        [4, 5, 6].into_iter().for_each(|frame| report.add(1, frame, Direction::Forward));
        [3, 2, 9].into_iter().for_each(|frame| report.add(1, frame, Direction::Reverse));
        let frames: Vec<_> = report.tracked.into_iter().map(|t| t.frames).collect();
        assert_eq!(frames, [4..=6, 2..=3, 9..=9]);
    }
}
