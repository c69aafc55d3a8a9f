//! How a session behaves. Options that the reference has carry its names.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::frame::Size;
use crate::mask::reference_hole_area;
use crate::memory_bank::Reach;
use crate::model::Manifest;
use crate::store::{Identity, Precision};

/// What is kept of frames that were answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// As much as tracking on needs: prompted frames, and a window around the frame that was pushed last. A stream
    /// of any length takes no more.
    #[default]
    Window,
    /// Every answer, in a temporary file that vanishes with the session. Memory stays bounded.
    Temporary,
    /// Every answer, in a file that outlives the session, whatever happens to the process. One that is there is
    /// gone on with.
    File(PathBuf),
}

/// How a session behaves. The defaults are the reference's, but where a reason says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionOptions {
    /// What is kept of frames that were answered.
    pub keep: Keep,
    /// How exactly logits are kept. [`Precision::Half`] takes half the file; masks are then made of rounded logits,
    /// so that what is read back is what was used.
    pub precision: Precision,
    /// The most bytes of host memory that the session's answers, features and recollections may take. What exceeds
    /// it is read back from the kept file, so [`Keep::Window`] can't have one. `None`: answers that a file has take
    /// up to 256 MiB, all else what it takes.
    pub memory_ceiling: Option<u64>,
    /// Holes of at most so many mask logits are filled; 0 fills none. The reference's predictor fills 8 on its
    /// 256x256 logits, so the default is as many in proportion: 8 for 256x256, none for 64x64.
    pub fill_hole_area: Option<usize>,
    /// Where masks of several objects overlap, only the likeliest keeps the pixel.
    pub non_overlap_masks: bool,
    /// Corrections on tracked frames condition every frame that is tracked from then on. The reference's default is
    /// `false`, with which propagation loses them; here it is `true`.
    pub add_all_frames_to_correct_as_cond: bool,
    /// What was tracked around a correction is forgotten: `num_maskmem` times the stride to both sides.
    pub clear_non_cond_mem_around_input: bool,
    /// The most prompted frames that a frame recalls as such, at least 2; `None` (the reference's -1) for all.
    pub max_cond_frames_in_attn: Option<usize>,
    /// Recent memories beyond the last frame are taken from every so-many-th frame; 1 to 64.
    pub memory_temporal_stride_for_eval: u64,
    /// Nothing is recalled across a cut. The reference knows no cuts; a mask that goes on into another shot is
    /// always wrong, so the default is `true`.
    pub detect_cuts: bool,
    /// [`Session::track`](super::Session::track) encodes the next frame while the one before it is answered, where that
    /// pays: on two threads or more of the CPU, for few objects, under a ceiling that has room for two frames' features.
    /// The encoder is loaded a second time for it, unless it is large. The masks are the same, bit for bit.
    pub encode_ahead: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            keep: Keep::Window,
            precision: Precision::Single,
            memory_ceiling: None,
            fill_hole_area: None,
            non_overlap_masks: false,
            add_all_frames_to_correct_as_cond: true,
            clear_non_cond_mem_around_input: false,
            max_cond_frames_in_attn: None,
            memory_temporal_stride_for_eval: 1,
            detect_cuts: true,
            encode_ahead: true,
        }
    }
}

impl SessionOptions {
    /// # Errors
    /// [`Error::Setting`] for a value outside its range.
    pub(super) fn check(&self, manifest: &Manifest) -> Result<()> {
        let setting =
            |name, found: String, want: &str| Err(Error::Setting { name, found, want: want.into() });
        if let Some(most) = self.max_cond_frames_in_attn.filter(|&most| most < 2) {
            return setting("max_cond_frames_in_attn", most.to_string(), "at least 2, or -1 for all");
        }
        let stride = self.memory_temporal_stride_for_eval;
        if !(1..=64).contains(&stride) {
            return setting("memory_temporal_stride_for_eval", stride.to_string(), "1 to 64");
        }
        let cells = manifest.mask_side().pow(2);
        if let Some(area) = self.fill_hole_area.filter(|&area| area > cells) {
            return setting("fill_hole_area", area.to_string(), &format!("0 to {cells}, the mask's logits"));
        }
        if let (Keep::Window, Some(bytes)) = (&self.keep, self.memory_ceiling) {
            let want = "none with a window of answers: a ceiling needs a file that the rest goes to";
            return setting("memory_ceiling", bytes.to_string(), want);
        }
        Ok(())
    }

    pub(super) fn reach(&self, manifest: &Manifest) -> Reach {
        Reach {
            slots: manifest.memory_slots as u64,
            pointers: manifest.pointers as u64,
            stride: self.memory_temporal_stride_for_eval,
            conditioning: self.max_cond_frames_in_attn,
        }
    }

    pub(super) fn hole_area(&self, manifest: &Manifest) -> usize {
        self.fill_hole_area.unwrap_or_else(|| reference_hole_area(manifest.mask_side().pow(2)))
    }

    /// What a session's file belongs to.
    pub(super) fn identity(&self, manifest: &Manifest, size: Size) -> Identity {
        Identity {
            model_name: manifest.name.clone(),
            model_version: manifest.version.clone(),
            model_sha256: manifest.sha256(),
            size,
            logit_side: manifest.mask_side() as u32,
            memory_len: (manifest.tokens() * manifest.memory_width()) as u32,
            pointer_len: manifest.channels as u32,
            precision: self.precision,
        }
    }

    /// What the ceiling leaves for answers, beside one recollection and the features of one frame, or of two where it has
    /// room for them; `None` without one.
    ///
    /// # Errors
    /// [`Error::Setting`] if it leaves too little to work at all, with the least that does.
    pub(super) fn room(&self, manifest: &Manifest) -> Result<Option<u64>> {
        let Some(ceiling) = self.memory_ceiling else { return Ok(None) };
        let least = least_bytes(manifest, manifest.memory_slots);
        let want = format!("at least {least} bytes, which one object on one frame takes");
        let answer = answer_bytes(manifest);
        match ceiling.checked_sub(least) {
            Some(spare) if self.has_room_ahead(manifest, manifest.memory_slots) => {
                Ok(Some(spare - frame_bytes(manifest) + answer))
            }
            Some(spare) => Ok(Some(spare + answer)),
            None => Err(Error::Setting { name: "memory_ceiling", found: format!("{ceiling} bytes"), want }),
        }
    }

    /// Whether the next frame may be encoded ahead, beside a recollection of so many memories.
    pub(super) fn has_room_ahead(&self, manifest: &Manifest, memories: usize) -> bool {
        let most = self.memory_ceiling.unwrap_or(u64::MAX);
        let memories = memories.max(manifest.memory_slots);
        self.encode_ahead && least_bytes(manifest, memories) + frame_bytes(manifest) <= most
    }

    /// # Errors
    /// [`Error::State`] if a recollection of so many memories exceeds the ceiling.
    pub(super) fn check_room(&self, manifest: &Manifest, memories: usize) -> Result<()> {
        let Some(ceiling) = self.memory_ceiling else { return Ok(()) };
        let least = least_bytes(manifest, memories);
        if least <= ceiling {
            return Ok(());
        }
        Err(Error::State(format!(
            "{memories} memories are recalled, which takes {least} bytes, expected at most the ceiling's {ceiling}: \
             raise memory_ceiling or set max_cond_frames_in_attn"
        )))
    }
}

/// One answer, with its memory.
fn answer_bytes(m: &Manifest) -> u64 {
    let floats = m.mask_side().pow(2) + m.channels;
    (floats * size_of::<f32>() + m.tokens() * m.memory_width() * 2 + size_of::<crate::answer::Answer>())
        as u64
}

/// A frame: the encoder's input, and its features.
fn frame_bytes(m: &Manifest) -> u64 {
    let (s, k, g, d) = (m.input.size, m.mask_side(), m.grid(), m.channels);
    let input = 3 * s * s;
    let features = d / 8 * k * k + d / 4 * (k / 2).pow(2) + 2 * m.feature_width() * g * g;
    ((input + features) * size_of::<f32>()) as u64
}

/// What one object takes on one frame at least: the frame, a recollection, an answer.
fn least_bytes(m: &Manifest, memories: usize) -> u64 {
    let (k, g, d) = (m.mask_side(), m.grid(), m.channels);
    let conditioned = m.feature_width() * g * g;
    let recollection = memories * m.tokens() * m.memory_width() + m.pointers * d;
    let decoded = 4 * k * k;
    let floats = conditioned + recollection + decoded;
    (floats * size_of::<f32>()) as u64 + frame_bytes(m) + answer_bytes(m)
}
