//! Whether all of a session can be read.

use super::answers::{Place, body, confidence};
use super::fault::Fault;
use super::{Ends, Loaded, Store, number};
use crate::error::Result;

/// After so many, one more problem says nothing new.
const MAX_PROBLEMS: usize = 100;

impl Store {
    /// Reads everything, and answers what is not as it was written; nothing if all is well.
    pub(crate) fn check(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let looked = self.ask(|connection| {
            let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MAX_PROBLEMS})"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                problems.push(row.get::<_, String>(0)?);
            }
            Ok(())
        });
        problems.retain(|line| line != "ok");
        // Some damage ends the look itself.
        problems.extend(looked.err().map(|error| error.to_string()));
        let mut note = |found: Result<()>| {
            if let Err(error) = found {
                problems.push(error.to_string());
            }
            problems.len() < MAX_PROBLEMS
        };
        let mut loaded = Loaded::default();
        note(self.load().map(|found| loaded = found));
        let Loaded { prompts, history: Ends { oldest, newest, .. }, .. } = loaded;
        for row in prompts.iter().filter(|row| row.masked) {
            if !note(self.prompt_mask(row.object, row.frame).map(drop)) {
                break;
            }
        }
        for seq in oldest..=newest {
            let missing = || Fault::Damaged(format!("table history, step {seq}: there is no such row"));
            let step = self.history(seq).and_then(|past| past.ok_or_else(|| missing().at(&self.path)));
            if !note(step.map(drop)) {
                break;
            }
        }
        let mut after = i64::MIN;
        loop {
            let next = self.next_answer(after);
            let Ok(Some((id, readable))) = next else {
                note(next.map(drop));
                break;
            };
            after = id;
            if !note(readable) {
                break;
            }
        }
        problems
    }

    /// The answer of the next id, and whether it can be read.
    fn next_answer(&self, after: i64) -> Result<Option<(i64, Result<()>)>> {
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, frame, origin, predicted_iou, object_score, stability, area_cells, x0, y0, x1, y1, \
                 object FROM answers WHERE id > ? ORDER BY id LIMIT 1",
            )?;
            let mut rows = statement.query([after])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let id: i64 = row.get(0)?;
            if id <= after {
                return Err(Fault::Damaged("table answers: its rows are out of order".into()));
            }
            let readable = confidence(row).and_then(|known| {
                let object = number(row.get(11)?, "an object")?;
                body(connection, &self.identity, Place { id, object, frame: known.frame }, known)
            });
            Ok(Some((id, readable.map(drop).map_err(|fault| fault.at(&self.path)))))
        })
    }
}
