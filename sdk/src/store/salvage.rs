//! What can be read of a damaged session, copied into a new one. The damaged file stays as it is.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

use super::answers::{self, Place};
use super::fault::{Asked, Fault};
use super::identity::Identity;
use super::{FrameRow, ObjectRow, Store, history, number, open, prompts, schema};
use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::prompt::FramePrompts;

/// What came out of a damaged session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Objects, those without a name of their own as well.
    pub objects: u64,
    /// Frames with prompts, summed over objects.
    pub prompts: u64,
    /// Answers, summed over objects.
    pub answers: u64,
    /// Rows that could not be read. Rows of pages that are gone altogether can't be counted.
    pub lost: u64,
    /// Places where a table could not be read on.
    pub gaps: u64,
}

/// The note that tells the session that answers may be missing.
const SALVAGED: &str = "salvaged";

/// A table with more gaps than this is given up.
const MAX_GAPS: u64 = 4096;
/// Rows that are put in one transaction.
const PUT_AT_ONCE: usize = 64;

impl Store {
    /// Copies what can be read of a damaged session into a new file.
    ///
    /// # Errors
    /// [`Error::Session`](crate::Error::Session) if not even its beginning can be read, or the new file exists
    /// or can't be written.
    pub(crate) fn salvage(damaged: &Path, new: &Path) -> Result<Salvaged> {
        let (from, identity) = begin(damaged).map_err(|fault| fault.at(damaged))?;
        let mut rescue = Rescue { to: Self::create(new, &identity)?, done: Salvaged::default() };
        rescue.small(&from, &identity)?;
        rescue.answers(&from, &identity)?;
        rescue.history(&from, &identity)?;
        if rescue.done.lost + rescue.done.gaps > 0 {
            rescue.to.write(|batch| batch.put_note(SALVAGED, b""))?;
        }
        Ok(rescue.done)
    }
}

impl Store {
    /// Whether it was salvaged, and something lost: what objects know of themselves may not be true any more.
    pub(crate) fn is_salvaged(&self) -> Result<bool> {
        Ok(self.note(SALVAGED)?.is_some())
    }
}

fn begin(path: &Path) -> Asked<(Connection, Identity)> {
    let from = open::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    schema::check_format(&from)?;
    let identity = Identity::get(&from)?;
    open::limit(&from, &identity)?;
    Ok((from, identity))
}

struct Rescue {
    to: Store,
    done: Salvaged,
}

impl Rescue {
    fn small(&mut self, from: &Connection, identity: &Identity) -> Result<()> {
        let size = identity.size;
        self.each(from, "objects", "object, place, name, state", |rescue, row| {
            let read = || {
                let object = number(row.get(0)?, "an object")?;
                Ok::<_, Fault>(ObjectRow {
                    object,
                    place: row.get(1)?,
                    name: row.get(2)?,
                    state: row.get(3)?,
                })
            };
            let Ok(object) = read() else { return Ok(false) };
            rescue.done.objects += 1;
            rescue.to.write(|batch| batch.put_object(&object)).map(|()| true)
        })?;
        self.each(from, "prompts", "object, frame, clicks, bounds, mask", |rescue, row| {
            let Ok((prompt, mask)) = prompts::whole(row, size) else { return Ok(false) };
            let all = FramePrompts {
                mask: mask.map(std::sync::Arc::new),
                bounds: prompt.bounds,
                clicks: prompt.clicks,
            };
            rescue.done.prompts += 1;
            rescue.to.write(|batch| batch.put_prompts(prompt.object, prompt.frame, &all)).map(|()| true)
        })?;
        self.each(from, "frames", "frame, hash, signature", |rescue, row| {
            let read = || {
                let frame: u64 = number(row.get(0)?, "a frame")?;
                Ok::<_, Fault>((frame, FrameRow { hash: row.get(1)?, signature: row.get(2)? }))
            };
            let Ok((frame, known)) = read() else { return Ok(false) };
            rescue.to.write(|batch| batch.put_frame(frame, &known)).map(|()| true)
        })?;
        self.each(from, "cuts", "frame", |rescue, row| {
            let read = || number(row.get(0)?, "a cut");
            let Ok(frame) = read() else { return Ok(false) };
            rescue.to.write(|batch| batch.put_cut(frame, true)).map(|()| true)
        })?;
        self.each(from, "notes", "name, value", |rescue, row| {
            let read = || Ok::<_, rusqlite::Error>((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?));
            let Ok((name, value)) = read() else { return Ok(false) };
            rescue.to.write(|batch| batch.put_note(&name, &value)).map(|()| true)
        })
    }

    fn answers(&mut self, from: &Connection, identity: &Identity) -> Result<()> {
        let loaded = self.to.load()?;
        let known: BTreeSet<u32> = loaded.objects.iter().map(|row| row.object).collect();
        let prompted = loaded.prompts.iter().map(|row| row.object);
        let mut strangers: BTreeSet<u32> = prompted.filter(|object| !known.contains(object)).collect();
        let mut waiting = Vec::new();
        let columns =
            "id, frame, origin, predicted_iou, object_score, stability, area_cells, x0, y0, x1, y1, object";
        self.each(from, "answers", columns, |rescue, row| {
            let read = || {
                let known = answers::confidence(row)?;
                let object: u32 = number(row.get(11)?, "an object")?;
                let place = Place { id: row.get(0)?, object, frame: known.frame };
                // A memory can be made again from the frame and its logits.
                let answer = answers::body(from, identity, place, known)
                    .or_else(|_| answers::without_memory(from, identity, place, known))?;
                Ok::<_, Fault>((place, answer))
            };
            let Ok((place, answer)) = read() else { return Ok(false) };
            if !known.contains(&place.object) {
                strangers.insert(place.object);
            }
            waiting.push((place, answer));
            if waiting.len() == PUT_AT_ONCE {
                rescue.put(&mut waiting)?;
            }
            Ok(true)
        })?;
        self.put(&mut waiting)?;
        self.done.objects += strangers.len() as u64;
        // Prompts and answers whose object's row is gone belong to an object without a name.
        self.to.write(|batch| {
            strangers.iter().try_for_each(|&object| {
                let (place, name, state) = (i64::from(object), String::new(), Vec::new());
                batch.put_object(&ObjectRow { object, place, name, state })
            })
        })
    }

    fn put(&mut self, waiting: &mut Vec<(Place, Answer)>) -> Result<()> {
        self.done.answers += waiting.len() as u64;
        self.to.write(|batch| {
            let mut put = waiting.drain(..);
            put.try_for_each(|(place, answer)| batch.put_answer(place.object, place.frame, &answer))
        })
    }

    /// Steps lead back to how things were, so they are of use only if nothing is lost.
    fn history(&mut self, from: &Connection, identity: &Identity) -> Result<()> {
        if self.done.lost + self.done.gaps > 0 {
            return Ok(());
        }
        let Ok((steps, done)) = history::all(from, identity) else {
            self.done.gaps += 1;
            return Ok(());
        };
        self.to.write(|batch| {
            steps.iter().try_for_each(|past| batch.push_history(past).map(drop))?;
            batch.set_history_at(done)
        })
    }

    /// Gives `take` each row of a table that can be read, in the order of row ids, and steps over those that
    /// can't. `take` says whether it could use the row.
    fn each(
        &mut self,
        from: &Connection,
        table: &str,
        columns: &str,
        mut take: impl FnMut(&mut Self, &Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        // The row's id comes last, so that rows are read as they are elsewhere.
        let id_at = columns.split(", ").count();
        let scan = Scan {
            from,
            id_at,
            query: format!(
                "SELECT {columns}, rowid FROM {table} NOT INDEXED WHERE rowid >= ? ORDER BY rowid"
            ),
        };
        // No number that was ever given is below zero.
        let mut start = 0;
        for gaps in 0..=MAX_GAPS {
            self.done.gaps += u64::from(gaps > 0);
            if start == i64::MAX {
                break;
            }
            let walked = scan.walk(start, |id, row| {
                if !take(self, row)? {
                    self.done.lost += 1;
                }
                start = id.saturating_add(1);
                Ok(())
            });
            match walked {
                Walked::End => return Ok(()),
                Walked::Stopped(error) => return Err(error),
                Walked::Gap => start = scan.behind(start),
            }
        }
        Ok(())
    }
}

/// A table that is read in the order of its row ids as far as that goes.
struct Scan<'a> {
    from: &'a Connection,
    query: String,
    id_at: usize,
}

enum Walked {
    End,
    Gap,
    Stopped(Error),
}

impl Scan<'_> {
    /// Reads rows from an id on until the end, a gap, or until `take` fails.
    fn walk(&self, start: i64, mut take: impl FnMut(i64, &Row<'_>) -> Result<()>) -> Walked {
        let Ok(mut statement) = self.from.prepare_cached(&self.query) else { return Walked::Gap };
        let Ok(mut rows) = statement.query([start]) else { return Walked::Gap };
        let mut least = Some(start);
        loop {
            let row = match rows.next() {
                Ok(None) => return Walked::End,
                Ok(Some(row)) => row,
                Err(_) => return Walked::Gap,
            };
            // Ids that don't rise come from a page that stands where it doesn't belong.
            match row.get::<_, i64>(self.id_at) {
                Ok(id) if least.is_some_and(|least| id >= least) => {
                    if let Err(error) = take(id, row) {
                        return Walked::Stopped(error);
                    }
                    least = id.checked_add(1);
                }
                _ => return Walked::Gap,
            }
        }
    }

    /// The nearest id behind a gap from which rows can be read again.
    fn behind(&self, gap: i64) -> i64 {
        let mut bad = gap;
        let mut step = 1i64;
        let mut good = gap.saturating_add(step);
        while good < i64::MAX && !self.begins(good) {
            (bad, step) = (good, step.saturating_mul(2));
            good = gap.saturating_add(step);
        }
        while good.abs_diff(bad) > 1 {
            let middle = bad + (good.abs_diff(bad) / 2) as i64;
            if self.begins(middle) { good = middle } else { bad = middle }
        }
        good
    }

    /// Whether a walk from there reads at least one row, or rightly none.
    fn begins(&self, start: i64) -> bool {
        let mut read = false;
        // The sentinel failure ends the walk after its first row.
        let walked = self.walk(start, |_, _| {
            read = true;
            Err(Error::Cancelled)
        });
        read || matches!(walked, Walked::End)
    }
}
