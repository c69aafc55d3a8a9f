//! `model.json`: what a package says of itself, and every number that the code would otherwise have to guess.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::preprocess::InputSpec;

/// The manifest format that this library reads.
pub const FORMAT: u32 = 1;

/// The longest `model.json` that is read, in bytes. The default model's has 6 thousand.
pub(super) const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// The longest name and version, in bytes.
const MOST_NAME_BYTES: usize = 128;

/// No weight, threshold or pixel value is larger in a model that works.
const LARGEST: f32 = 1e6;

/// `model.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`]; a newer one is refused.
    pub format: u32,
    /// The model's name.
    pub name: String,
    /// `sam2`: the architecture whose graphs these are.
    pub family: String,
    /// The weights' version.
    pub version: String,
    /// The weights' licence, as an SPDX expression.
    pub licence: String,
    /// Where the weights come from.
    pub provenance: String,
    /// What the image encoder sees.
    pub input: InputSpec,
    /// Input pixels to a mask logit.
    pub mask_stride: usize,
    /// Channels of the encoder's coarsest feature (D).
    pub channels: usize,
    /// Channels of a memory.
    pub memory_channels: usize,
    /// Channels that the graphs hand to one another behind those of coarse features and of memories: only they know what
    /// these are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub carried_channels: usize,
    /// Memories an attention takes: `num_maskmem`.
    pub memory_slots: usize,
    /// Frames whose object pointers are recalled: `max_obj_ptrs_in_encoder`.
    pub pointers: usize,
    /// Tokens of a memory, where there aren't as many as cells of the coarsest feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_tokens: Option<usize>,
    /// How the graphs attend, where they say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<Variant>,
    /// What was given up for speed; nothing, unless it is written here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approximations: Vec<Approximation>,
    /// Weights and thresholds that live outside the graphs.
    pub constants: Constants,
    /// The four graphs.
    pub files: Files,
}

/// The form of the graphs' attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// ONNX Runtime's `MultiHeadAttention`, which never holds a matrix of scores on the CPU.
    Mha,
    /// Standard operators, which every provider has.
    Std,
}

/// A package that is faster than exact. Each costs masks: `models/README.md` says how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approximation {
    /// Matrix products of 8-bit whole numbers, scaled anew for each input.
    Int8,
    /// Attention over the means of 2x2 memory tokens.
    PooledMemory,
    /// Frames shrunk to a smaller square than the weights were trained at.
    SmallerInput,
}

/// What the reference keeps in code or in weights that no graph holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constants {
    /// `no_obj_ptr`, `[D]`: the pointer of a frame without the object.
    pub no_object_pointer: Vec<f32>,
    /// `mask_downsample`, `[4, 4]`: its one convolution, stride 4.
    pub mask_downsample_weight: Vec<f32>,
    /// Its bias.
    pub mask_downsample_bias: f32,
    /// A mask prompt's logits are `mask * scale + bias`, and so is its object score.
    pub mask_prompt_scale: f32,
    /// See [`Constants::mask_prompt_scale`].
    pub mask_prompt_bias: f32,
    /// Earlier logits are clamped to it, either sign, before they become a dense prompt.
    pub dense_prompt_limit: f32,
    /// The logits of a frame without the object: `NO_OBJ_SCORE`.
    pub no_object_logit: f32,
    /// `dynamic_multimask_stability_delta`
    pub stability_delta: f32,
    /// `dynamic_multimask_stability_thresh`
    pub stability_threshold: f32,
}

/// A graph's file and its contents' hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphFile {
    /// A file name without folders.
    pub name: String,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// The graphs of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Frame to features.
    pub image_encoder: GraphFile,
    /// Features and prompts to masks.
    pub mask_decoder: GraphFile,
    /// Features and a mask to a memory.
    pub memory_encoder: GraphFile,
    /// Features and memories to features that know them.
    pub memory_attention: GraphFile,
}

impl Manifest {
    /// Reads and checks a manifest. The answer to a bad one says what was found and what was wanted.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        // The version is looked at first: a newer format may well have fields that this one doesn't know.
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let version: Version = serde_json::from_str(text).map_err(|e| format!("model.json: {e}"))?;
        if version.format != FORMAT {
            return Err(format!("model.json: `format` is {}, expected {FORMAT}", version.format));
        }
        let manifest: Self = serde_json::from_str(text).map_err(|e| format!("model.json: {e}"))?;
        manifest.check().map_err(|problem| format!("model.json: {problem}"))?;
        Ok(manifest)
    }

    /// Side of the coarsest feature map, in cells.
    pub(crate) fn grid(&self) -> usize {
        self.input.size / 16
    }

    /// All channels of coarse features, as the graphs pass them on.
    pub(crate) fn feature_width(&self) -> usize {
        self.channels + self.carried_channels
    }

    /// All channels of a memory.
    pub(crate) fn memory_width(&self) -> usize {
        self.memory_channels + self.carried_channels
    }

    /// Tokens of a memory.
    pub(crate) fn tokens(&self) -> usize {
        self.memory_tokens.unwrap_or(self.grid() * self.grid())
    }

    /// Side of the mask logits.
    pub(crate) fn mask_side(&self) -> usize {
        self.input.size / self.mask_stride
    }

    /// SHA-256 of what the manifest says, the graphs' hashes included: lower-case hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        let said = serde_json::to_vec(self).expect("a manifest was JSON before");
        Sha256::digest(said).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn check(&self) -> Result<(), String> {
        if self.family != "sam2" {
            return Err(format!("`family` is \"{}\", expected \"sam2\"", self.family));
        }
        for (name, text) in [("name", &self.name), ("version", &self.version)] {
            if text.is_empty() || text.len() > MOST_NAME_BYTES || text.chars().any(char::is_control) {
                let found = text.len();
                return Err(format!(
                    "`{name}` has {found} bytes, expected 1 to {MOST_NAME_BYTES} without control characters"
                ));
            }
        }
        within("input.size", self.input.size, 64..=4096)?;
        if !self.input.size.is_multiple_of(64) {
            return Err(format!("`input.size` is {}, expected a multiple of 64", self.input.size));
        }
        if self.mask_stride != 4 {
            return Err(format!("`mask_stride` is {}, expected 4", self.mask_stride));
        }
        within("channels", self.channels, 8..=4096)?;
        within("memory_channels", self.memory_channels, 8..=4096)?;
        if !self.channels.is_multiple_of(8) || !self.channels.is_multiple_of(self.memory_channels) {
            let (d, c) = (self.channels, self.memory_channels);
            return Err(format!("`channels` is {d}, expected a multiple of 8 and of `memory_channels`, {c}"));
        }
        within("carried_channels", self.carried_channels, 0..=4096)?;
        within("memory_slots", self.memory_slots, 2..=64)?;
        within("pointers", self.pointers, 2..=256)?;
        within("memory_tokens", self.tokens(), 1..=self.grid() * self.grid())?;
        within("number of approximations", self.approximations.len(), 0..=8)?;
        self.check_constants()?;
        for file in [
            &self.files.image_encoder,
            &self.files.mask_decoder,
            &self.files.memory_encoder,
            &self.files.memory_attention,
        ] {
            file.check()?;
        }
        Ok(())
    }

    fn check_constants(&self) -> Result<(), String> {
        let c = &self.constants;
        length("constants.no_object_pointer", &c.no_object_pointer, self.channels)?;
        length("constants.mask_downsample_weight", &c.mask_downsample_weight, 16)?;
        let zero = self.input.deviation.iter().any(|&d| d <= 0.0);
        if zero || c.dense_prompt_limit <= 0.0 {
            return Err("`input.deviation` and `constants.dense_prompt_limit` must be above 0".into());
        }
        let singles = [
            c.mask_downsample_bias,
            c.mask_prompt_scale,
            c.mask_prompt_bias,
            c.dense_prompt_limit,
            c.no_object_logit,
            c.stability_delta,
            c.stability_threshold,
        ];
        let lists =
            [&self.input.mean[..], &self.input.deviation, &c.no_object_pointer, &c.mask_downsample_weight];
        match lists.into_iter().flatten().chain(&singles).find(|v| !(-LARGEST..=LARGEST).contains(*v)) {
            Some(found) => Err(format!("a number is {found}, expected -{LARGEST} to {LARGEST}")),
            None => Ok(()),
        }
    }
}

impl GraphFile {
    fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(plain) {
            return Err(format!("file name \"{}\", expected letters, digits, '.', '_' and '-'", self.name));
        }
        if self.sha256.len() != 64 || !self.sha256.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) {
            return Err(format!(
                "`sha256` of {} is \"{}\", expected 64 lower-case hexadecimal digits",
                self.name, self.sha256
            ));
        }
        Ok(())
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn within(name: &str, found: usize, want: RangeInclusive<usize>) -> Result<(), String> {
    if want.contains(&found) {
        return Ok(());
    }
    Err(format!("`{name}` is {found}, expected {} to {}", want.start(), want.end()))
}

fn length(name: &str, found: &[f32], want: usize) -> Result<(), String> {
    if found.len() != want {
        return Err(format!("`{name}` has {} numbers, expected {want}", found.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> serde_json::Value {
        let file = |name: &str| serde_json::json!({"name": name, "sha256": "0".repeat(64)});
        serde_json::json!({
            "format": 1, "name": "n", "family": "sam2", "version": "1", "licence": "MIT", "provenance": "p",
            "input": {"size": 128, "mean": [0.5, 0.5, 0.5], "deviation": [0.5, 0.5, 0.5], "resize": "area"},
            "mask_stride": 4, "channels": 16, "memory_channels": 8, "memory_slots": 7, "pointers": 16,
            "constants": {
                "no_object_pointer": vec![0.0; 16], "mask_downsample_weight": vec![0.0; 16],
                "mask_downsample_bias": 0.0, "mask_prompt_scale": 20.0, "mask_prompt_bias": -10.0,
                "dense_prompt_limit": 32.0, "no_object_logit": -1024.0, "stability_delta": 0.05,
                "stability_threshold": 0.98
            },
            "files": {
                "image_encoder": file("a.onnx"), "mask_decoder": file("b.onnx"),
                "memory_encoder": file("c.onnx"), "memory_attention": file("d.onnx")
            }
        })
    }

    fn refusal(change: impl Fn(&mut serde_json::Value)) -> String {
        let mut json = text();
        change(&mut json);
        Manifest::read(&json.to_string()).unwrap_err()
    }

    #[test]
    fn a_complete_manifest_is_read() {
        let manifest = Manifest::read(&text().to_string()).unwrap();
        assert_eq!((manifest.grid(), manifest.mask_side()), (8, 32));
    }

    #[test]
    fn a_package_says_how_its_graphs_attend_and_an_old_one_need_not() {
        assert_eq!(Manifest::read(&text().to_string()).unwrap().variant, None);
        for (said, variant) in [("mha", Variant::Mha), ("std", Variant::Std)] {
            let mut json = text();
            json["variant"] = said.into();
            assert_eq!(Manifest::read(&json.to_string()).unwrap().variant, Some(variant));
        }
        assert!(
            refusal(|m| m["variant"] = "fast".into())
                .contains("unknown variant `fast`, expected `mha` or `std`")
        );
    }

    #[test]
    fn a_newer_format_is_refused_even_if_it_has_unknown_fields() {
        let said = refusal(|m| {
            m["format"] = 2.into();
            m["novelty"] = 1.into();
        });
        assert_eq!(said, "model.json: `format` is 2, expected 1");
    }

    #[test]
    fn what_a_package_gave_up_for_speed_is_read_and_nothing_that_is_unknown() {
        let mut json = text();
        json["approximations"] = serde_json::json!(["int8", "pooled_memory", "smaller_input"]);
        (json["variant"], json["memory_tokens"]) = ("std".into(), 16.into());
        json["carried_channels"] = 12.into();
        let manifest = Manifest::read(&json.to_string()).unwrap();
        assert_eq!(
            manifest.approximations,
            [Approximation::Int8, Approximation::PooledMemory, Approximation::SmallerInput]
        );
        assert_eq!((manifest.variant, manifest.tokens()), (Some(Variant::Std), 16));
        assert_eq!((manifest.feature_width(), manifest.memory_width()), (28, 20));
        let said = refusal(|m| m["approximations"] = serde_json::json!(["int4"]));
        assert!(said.contains("unknown variant `int4`"), "{said}");
    }

    #[test]
    fn unknown_fields_are_refused_by_name() {
        assert!(refusal(|m| m["colour"] = 1.into()).contains("unknown field `colour`"));
    }

    #[test]
    fn numbers_out_of_range_are_refused_before_anything_is_allocated() {
        assert_eq!(
            refusal(|m| m["memory_slots"] = 1_000_000_000.into()),
            "model.json: `memory_slots` is 1000000000, expected 2 to 64"
        );
        assert!(refusal(|m| m["input"]["size"] = 100.into()).ends_with("expected a multiple of 64"));
        assert!(refusal(|m| m["carried_channels"] = 5000.into()).contains("is 5000, expected 0 to 4096"));
        assert!(refusal(|m| m["channels"] = 32.into()).contains("has 16 numbers, expected 32"));
        assert!(refusal(|m| m["input"]["deviation"][1] = 0.into()).contains("above 0"));
        assert!(refusal(|m| m["memory_tokens"] = 65.into()).contains("is 65, expected 1 to 64"));
        assert!(refusal(|m| m["memory_channels"] = 12.into()).contains("expected a multiple of 8"));
        assert!(refusal(|m| m["constants"]["stability_delta"] = 1e39.into()).contains("a number is inf"));
        assert!(refusal(|m| m["constants"]["no_object_pointer"][3] = (-1e7).into()).contains("-10000000"));
        assert!(refusal(|m| m["name"] = "x".repeat(200).into()).contains("`name` has 200 bytes"));
    }

    #[test]
    fn a_file_name_with_a_folder_or_a_bad_hash_is_refused() {
        for name in ["../a.onnx", "/etc/passwd", "", ".hidden", "a b"] {
            assert!(refusal(|m| m["files"]["image_encoder"]["name"] = name.into()).contains("file name"));
        }
        assert!(refusal(|m| m["files"]["image_encoder"]["sha256"] = "xyz".into()).contains("64 lower-case"));
    }
}
