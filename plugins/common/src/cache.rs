//! Sessions that are read, open once a process. A file that has changed since is opened anew.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use rotomask::frame::Size;
use rotomask::mask::LogitPlane;
use rotomask::matte::Status;
use rotomask::review::Thresholds;
use rotomask::store::{SessionFile, Summary};

use crate::Result;

/// Sessions that are kept open.
const MOST_SESSIONS: usize = 16;
/// Frames of a session whose masks are kept.
const MOST_FRAMES: usize = 16;

/// All objects' masks on one frame.
#[derive(Debug)]
pub struct FrameMasks {
    /// For the status view.
    pub status: Status,
    /// In the order of the session's list.
    pub masks: Vec<LogitPlane>,
}

/// A session's file, to read from any thread.
#[derive(Debug)]
pub struct Reader {
    size: Size,
    summary: Summary,
    file: Mutex<SessionFile>,
    recent: Mutex<VecDeque<(u64, Arc<FrameMasks>)>>,
    review: OnceLock<Vec<(u64, u64)>>,
}

impl Reader {
    fn open(path: &Path) -> Result<Self> {
        let file = SessionFile::open(path)?;
        let (size, summary) = (file.size(), file.summary()?);
        Ok(Self { size, summary, file: Mutex::new(file), recent: Mutex::default(), review: OnceLock::new() })
    }

    /// The frames' size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// What is in it.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Whether any object has a mask on a frame.
    pub fn has(&self, frame: u64) -> bool {
        self.summary.objects.iter().any(|object| origin(object, frame).is_some())
    }

    /// The masks on a frame; `None` if there are none.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn frame(&self, frame: u64) -> Result<Option<Arc<FrameMasks>>> {
        if !self.has(frame) {
            return Ok(None);
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, masks)) = recent.iter().find(|(known, _)| *known == frame) {
            return Ok(Some(masks.clone()));
        }
        let mut masks = FrameMasks { status: Status::Tracked, masks: Vec::new() };
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        for object in &self.summary.objects {
            let Some(origin) = origin(object, frame) else { continue };
            if origin == "prompted" {
                masks.status = Status::Prompted;
            }
            masks.masks.push(file.mask(object.id, frame)?);
        }
        drop(file);
        let masks = Arc::new(masks);
        if recent.len() == MOST_FRAMES {
            recent.pop_front();
        }
        recent.push_back((frame, masks.clone()));
        Ok(Some(masks))
    }

    /// What the status view's badge tells of a frame.
    pub fn status(&self, frame: u64, masks: &FrameMasks) -> Status {
        let worth_a_look = || self.to_review().iter().any(|(first, last)| (*first..=*last).contains(&frame));
        match masks.status {
            Status::Tracked if worth_a_look() => Status::Review,
            status => status,
        }
    }

    /// First and last frame of what is worth a look, in order; ranges of several objects may overlap. Whether objects touch
    /// isn't looked at here: it would take every mask.
    pub fn to_review(&self) -> &[(u64, u64)] {
        self.review.get_or_init(|| {
            let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            let of = |object| file.review(object, Thresholds::default()).unwrap_or_default();
            let ranges = self.summary.objects.iter().flat_map(|object| of(object.id));
            let mut ranges: Vec<_> = ranges.map(|range| (range.first, range.last)).collect();
            ranges.sort_unstable();
            ranges
        })
    }
}

/// How an object came to its mask on a frame.
fn origin(object: &rotomask::store::ObjectSummary, frame: u64) -> Option<&'static str> {
    let at = object.ranges.partition_point(|range| range.last < frame);
    object.ranges.get(at).filter(|range| range.first <= frame).map(|range| range.origin)
}

/// What a file and its write-ahead log were when they were looked at.
type Stamp = [Option<(SystemTime, u64)>; 2];

fn stamp(path: &Path) -> Stamp {
    let of = |path: &Path| {
        let file = std::fs::metadata(path).ok()?;
        Some((file.modified().ok()?, file.len()))
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // A log that is empty says nothing, and readers make one.
    [of(path), of(Path::new(&log)).filter(|(_, length)| *length > 0)]
}

static OPEN: Mutex<Vec<(PathBuf, Stamp, Arc<Reader>)>> = Mutex::new(Vec::new());

/// The session's reader, opened if it isn't, or if the file has changed since.
///
/// # Errors
/// If the file can't be read as a session.
pub fn open(path: &Path) -> Result<Arc<Reader>> {
    let now = stamp(path);
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(at) = open.iter().position(|(known, _, _)| known == path) {
        let entry = open.remove(at);
        if entry.1 == now {
            let reader = entry.2.clone();
            open.push(entry);
            return Ok(reader);
        }
    }
    let reader = Arc::new(Reader::open(path)?);
    if open.len() == MOST_SESSIONS {
        open.remove(0);
    }
    open.push((path.to_path_buf(), now, reader.clone()));
    Ok(reader)
}

/// Lets go of a session's reader, as before the file is written, moved or removed.
pub fn forget(path: &Path) {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _, _)| known != path);
}
