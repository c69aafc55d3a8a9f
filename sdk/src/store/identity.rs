//! What a session belongs to: one model, frames of one size, logits of one precision.

use half::f16;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::{Asked, Fault};
use super::number;
use crate::frame::Size;

/// How exactly logits are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// As the model gave them.
    Single,
    /// Rounded to half precision before anything is made of them, so that what is read back is what was used.
    Half,
}

/// What a session belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The manifest's name.
    pub(crate) model_name: String,
    /// The manifest's version of the weights.
    pub(crate) model_version: String,
    /// SHA-256 of `model.json`, which names the graphs by theirs: lower-case hexadecimal.
    pub(crate) model_sha256: String,
    /// The frames' size.
    pub(crate) size: Size,
    /// Columns and rows of a mask's logits.
    pub(crate) logit_side: u32,
    /// Numbers in a memory: tokens times channels.
    pub(crate) memory_len: u32,
    /// Numbers in an object pointer.
    pub(crate) pointer_len: u32,
    /// How exactly logits are kept.
    pub(crate) precision: Precision,
}

/// The longest name or version, in bytes.
const MAX_TEXT_BYTES: usize = 1024;
/// An encoder's square has at most 4096 pixels a side, a mask a quarter of it.
const MAX_LOGIT_SIDE: u32 = 1024;
/// 256 x 256 tokens of 1024 channels.
const MAX_MEMORY_LEN: u32 = 1 << 26;
/// The manifest's limit on channels.
const MAX_POINTER_LEN: u32 = 4096;

impl Precision {
    /// Rounds to what is kept of it.
    pub(crate) fn round(self, values: &mut [f32]) {
        if self == Self::Half {
            values.iter_mut().for_each(|v| *v = f16::from_f32(*v).to_f32());
        }
    }

    /// Bits that a logit is kept with.
    pub(super) fn bits(self) -> u32 {
        match self {
            Self::Single => 32,
            Self::Half => 16,
        }
    }
}

impl Identity {
    /// Whether a session of this identity can go on as `wanted`; otherwise a sentence of what differs.
    pub(crate) fn matches(&self, wanted: &Self) -> Result<(), String> {
        let differ = |subject: &str, found: &dyn std::fmt::Display, want: &dyn std::fmt::Display| {
            Err(format!("its {subject} is {found}, expected {want}"))
        };
        let model = |i: &Self| format!("{} {}", i.model_name, i.model_version);
        let precision = |i: &Self| format!("{} bits", i.precision.bits());
        if (&self.model_name, &self.model_version) != (&wanted.model_name, &wanted.model_version) {
            return differ("model", &model(self), &model(wanted));
        }
        if self.model_sha256 != wanted.model_sha256 {
            return differ("model's hash", &self.model_sha256, &wanted.model_sha256);
        }
        if self.size != wanted.size {
            return differ("frames' size", &self.size, &wanted.size);
        }
        if self.precision != wanted.precision {
            return differ("logits' precision", &precision(self), &precision(wanted));
        }
        for (subject, found, want) in [
            ("masks' side", self.logit_side, wanted.logit_side),
            ("memories' length", self.memory_len, wanted.memory_len),
            ("pointers' length", self.pointer_len, wanted.pointer_len),
        ] {
            if found != want {
                return differ(subject, &found, &want);
            }
        }
        Ok(())
    }

    /// Numbers in a mask's plane.
    pub(super) fn cells(&self) -> usize {
        (self.logit_side as usize).pow(2)
    }

    /// Whether these are numbers that a model and its frames can have, so that they may size allocations.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, text) in [("model's name", &self.model_name), ("model's version", &self.model_version)] {
            if text.len() > MAX_TEXT_BYTES {
                return Err(format!("its {name} has {} bytes, expected up to {MAX_TEXT_BYTES}", text.len()));
            }
        }
        let hash = &self.model_sha256;
        if hash.len() != 64 || !hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err("its model's hash is no SHA-256, expected 64 lower-case hexadecimal digits".into());
        }
        Size::new(self.size.width_px, self.size.height_px).map_err(|e| e.to_string())?;
        for (name, found, most) in [
            ("masks' side", self.logit_side, MAX_LOGIT_SIDE),
            ("memories' length", self.memory_len, MAX_MEMORY_LEN),
            ("pointers' length", self.pointer_len, MAX_POINTER_LEN),
        ] {
            if found == 0 || found > most {
                return Err(format!("its {name} is {found}, expected 1 to {most}"));
            }
        }
        Ok(())
    }

    pub(super) fn put(&self, connection: &Connection) -> Asked<()> {
        self.check().map_err(Fault::Said)?;
        connection.execute(
            "INSERT INTO identity VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            params![
                self.model_name,
                self.model_version,
                self.model_sha256,
                self.size.width_px,
                self.size.height_px,
                self.logit_side,
                self.memory_len,
                self.pointer_len,
                self.precision.bits()
            ],
        )?;
        Ok(())
    }

    pub(super) fn get(connection: &Connection) -> Asked<Self> {
        let query = "SELECT model_name, model_version, model_sha256, width_px, height_px, logit_side, \
                     memory_len, pointer_len, precision FROM identity WHERE only = 1";
        let row = connection.query_row(query, [], |row| {
            let number = |at: usize| row.get::<_, i64>(at);
            let numbers = [number(3)?, number(4)?, number(5)?, number(6)?, number(7)?, number(8)?];
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, numbers))
        });
        let (model_name, model_version, model_sha256, n) = row
            .optional()?
            .ok_or_else(|| Fault::Damaged("it doesn't say which model and frames it belongs to".into()))?;
        let identity = Self {
            model_name,
            model_version,
            model_sha256,
            size: Size { width_px: number(n[0], "its width")?, height_px: number(n[1], "its height")? },
            logit_side: number(n[2], "its masks' side")?,
            memory_len: number(n[3], "its memories' length")?,
            pointer_len: number(n[4], "its pointers' length")?,
            precision: match n[5] {
                32 => Precision::Single,
                16 => Precision::Half,
                other => return Err(Fault::Damaged(format!("its precision is {other}, expected 16 or 32"))),
            },
        };
        identity.check().map_err(Fault::Damaged)?;
        Ok(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::identity;
    use super::*;

    #[test]
    fn another_model_size_or_precision_is_told_with_both_sides() {
        let ours = identity();
        assert_eq!(ours.matches(&ours.clone()), Ok(()));
        let said = |change: &dyn Fn(&mut Identity)| {
            let mut other = identity();
            change(&mut other);
            ours.matches(&other).unwrap_err()
        };
        assert_eq!(said(&|i| i.model_version = "9".into()), "its model is nano 1, expected nano 9");
        assert_eq!(
            said(&|i| i.size = Size::new(801, 1921).unwrap()),
            "its frames' size is 1921x801, expected 801x1921"
        );
        assert_eq!(
            said(&|i| i.precision = Precision::Half),
            "its logits' precision is 32 bits, expected 16 bits"
        );
        assert_eq!(said(&|i| i.pointer_len = 9), "its pointers' length is 5, expected 9");
        assert!(said(&|i| i.model_sha256 = "b".repeat(64)).starts_with("its model's hash is aaaa"));
    }

    #[test]
    fn rounding_to_half_is_done_once_and_for_all() {
        let mut values = [0.1f32, -1024.0, 33.333, 0.0];
        Precision::Single.round(&mut values);
        assert_eq!(values[0], 0.1);
        Precision::Half.round(&mut values);
        let once = values;
        Precision::Half.round(&mut values);
        assert_eq!((values, values[1]), (once, -1024.0));
        assert_ne!(values[0], 0.1);
    }
}
