//! What was said of an object on a frame.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::codec::Read;
use super::fault::{Asked, Fault};
use super::identity::Identity;
use super::{Batch, Store, codec, key, number};
use crate::error::Result;
use crate::frame::Size;
use crate::prompt::{Box, Click, FramePrompts, MAX_CLICKS, Mask};

/// What was said of an object on a frame. A mask may be large, so that it is read by itself:
/// [`Store::prompt_mask`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PromptRow {
    /// Whom it is about.
    pub(crate) object: u32,
    /// The frame.
    pub(crate) frame: u64,
    /// In the order in which they were given.
    pub(crate) clicks: Vec<Click>,
    /// The box.
    pub(crate) bounds: Option<Box>,
    /// Whether there is a mask.
    pub(crate) masked: bool,
}

/// x and y as f32, little-endian, and 1 for a positive click.
const CLICK_BYTES: usize = 9;
/// x0, y0, x1, y1 as f32, little-endian.
const BOX_BYTES: usize = 16;

impl Batch<'_> {
    /// Keeps all that is said of an object on a frame, in place of what was said before.
    pub(crate) fn put_prompts(&self, object: u32, frame: u64, prompts: &FramePrompts) -> Result<()> {
        self.ask(|connection| {
            let mask = prompts.mask.as_ref().map(|mask| packed(mask, &self.store.identity)).transpose()?;
            connection.prepare_cached("INSERT OR REPLACE INTO prompts VALUES (?, ?, ?, ?, ?)")?.execute(
                params![
                    object,
                    key(frame)?,
                    clicks_to_bytes(&prompts.clicks),
                    prompts.bounds.map(box_to_bytes),
                    mask
                ],
            )?;
            Ok(())
        })
    }

    /// Forgets what was said of an object on a frame.
    pub(crate) fn remove_prompts(&self, object: u32, frame: u64) -> Result<()> {
        self.ask(|connection| {
            let mut statement =
                connection.prepare_cached("DELETE FROM prompts WHERE object = ? AND frame = ?")?;
            statement.execute(params![object, key(frame)?])?;
            Ok(())
        })
    }
}

impl Store {
    /// The mask that was given for an object on a frame.
    pub(crate) fn prompt_mask(&self, object: u32, frame: u64) -> Result<Option<Mask>> {
        self.ask(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT mask FROM prompts WHERE object = ? AND frame = ?")?;
            let bytes: Option<Option<Vec<u8>>> =
                statement.query_row(params![object, key(frame)?], |row| row.get(0)).optional()?;
            let mask = |bytes: Vec<u8>| {
                unpacked(&bytes, self.identity.size).map_err(|problem| {
                    Fault::Damaged(format!("table prompts, object {object}, frame {frame}: mask: {problem}"))
                })
            };
            bytes.flatten().map(mask).transpose()
        })
    }
}

/// More prompts than this were never given by hand.
const MAX_PROMPTS: usize = 1 << 20;

/// All prompts without their masks, in the order of objects and frames.
pub(super) fn all(connection: &Connection, size: Size) -> Asked<Vec<PromptRow>> {
    let query =
        "SELECT object, frame, clicks, bounds, mask IS NOT NULL FROM prompts ORDER BY object, frame LIMIT ?";
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([MAX_PROMPTS as i64 + 1])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        if all.len() == MAX_PROMPTS {
            return Err(Fault::Damaged(format!("table prompts: more than {MAX_PROMPTS} rows")));
        }
        all.push(read(row, row.get(4)?, size)?);
    }
    Ok(all)
}

/// A prompt with its mask, from a row of object, frame, clicks, box and mask.
pub(super) fn whole(row: &Row<'_>, size: Size) -> Asked<(PromptRow, Option<Mask>)> {
    let mask = row.get_ref(4)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
    let prompt = read(row, mask.is_some(), size)?;
    let mask = mask.map(|bytes| unpacked(bytes, size)).transpose().map_err(|e| prompt.damaged(&e))?;
    Ok((prompt, mask))
}

/// Object, frame, clicks and box from a row's first columns.
fn read(row: &Row<'_>, masked: bool, size: Size) -> Asked<PromptRow> {
    let (object, frame) = (number(row.get(0)?, "an object")?, number(row.get(1)?, "a frame")?);
    let mut prompt = PromptRow { object, frame, clicks: Vec::new(), bounds: None, masked };
    let clicks = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
    prompt.clicks = clicks_of_bytes(clicks, size).map_err(|e| prompt.damaged(&e))?;
    let bounds = row.get_ref(3)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
    prompt.bounds = bounds.map(|b| box_of_bytes(b, size)).transpose().map_err(|e| prompt.damaged(&e))?;
    Ok(prompt)
}

impl PromptRow {
    fn damaged(&self, problem: &str) -> Fault {
        Fault::Damaged(format!("table prompts, object {}, frame {}: {problem}", self.object, self.frame))
    }
}

/// A mask of the frames' size as bytes.
pub(super) fn packed(mask: &Mask, identity: &Identity) -> Asked<Vec<u8>> {
    let area = mask.size.area_px();
    if mask.size != identity.size || mask.inside.len() != area {
        let (found, want) = (mask.size, identity.size);
        return Err(Fault::Said(format!("a mask is {found}, expected the frames' {want}")));
    }
    Ok(codec::mask(&mask.inside))
}

pub(super) fn unpacked(bytes: &[u8], size: Size) -> Read<Mask> {
    Ok(Mask { size, inside: codec::read_mask(bytes, size.area_px())? })
}

fn clicks_to_bytes(clicks: &[Click]) -> Vec<u8> {
    let bytes = |c: &Click| {
        let (x, y) = (c.x_px.to_le_bytes(), c.y_px.to_le_bytes());
        [x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3], u8::from(c.positive)]
    };
    clicks.iter().flat_map(bytes).collect()
}

fn clicks_of_bytes(bytes: &[u8], size: Size) -> Read<Vec<Click>> {
    if !bytes.len().is_multiple_of(CLICK_BYTES) || bytes.len() / CLICK_BYTES > MAX_CLICKS {
        let most = MAX_CLICKS * CLICK_BYTES;
        return Err(format!(
            "clicks: {} bytes, expected a multiple of {CLICK_BYTES} up to {most}",
            bytes.len()
        ));
    }
    let click = |b: &[u8]| {
        let click = Click { x_px: float(b, 0), y_px: float(b, 1), positive: b[8] == 1 };
        click.check(size).map(|()| click).map_err(|e| e.to_string())
    };
    bytes.chunks_exact(CLICK_BYTES).map(click).collect()
}

fn box_to_bytes(bounds: Box) -> Vec<u8> {
    let Box { x0_px, y0_px, x1_px, y1_px } = bounds;
    [x0_px, y0_px, x1_px, y1_px].iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn box_of_bytes(bytes: &[u8], size: Size) -> Read<Box> {
    if bytes.len() != BOX_BYTES {
        return Err(format!("box: {} bytes, expected {BOX_BYTES}", bytes.len()));
    }
    let [x0_px, y0_px, x1_px, y1_px] = [0, 1, 2, 3].map(|at| float(bytes, at));
    let bounds = Box { x0_px, y0_px, x1_px, y1_px };
    bounds.check(size).map(|()| bounds).map_err(|e| e.to_string())
}

fn float(bytes: &[u8], at: usize) -> f32 {
    let b = &bytes[4 * at..];
    f32::from_le_bytes([b[0], b[1], b[2], b[3]])
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(bytes: &[u8], size: Size) {
    if let Ok(clicks) = clicks_of_bytes(bytes, size) {
        assert_eq!(clicks_of_bytes(&clicks_to_bytes(&clicks), size), Ok(clicks));
    }
    if let Ok(bounds) = box_of_bytes(bytes, size) {
        assert_eq!(box_of_bytes(&box_to_bytes(bounds), size), Ok(bounds));
    }
}
