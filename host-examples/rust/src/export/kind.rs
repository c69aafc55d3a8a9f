//! What is written, as the output's suffix says.

use std::path::{Path, PathBuf};

use super::chain::Depth;
use crate::{Error, Result, sink::Pattern};

/// What a suffix asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Grey pictures of coverage, a file a frame; in a folder for each object if `apart`.
    Png {
        /// 8 or 16.
        bits: u8,
        /// A folder an object.
        apart: bool,
    },
    /// All in one file a frame.
    Exr(Pattern),
    /// ProRes 4444.
    Mov,
    /// VP9.
    WebM,
    /// FFV1.
    Mkv {
        /// 8 or 16.
        bits: u8,
    },
}

/// What the arguments say of the output.
pub struct Asked<'a> {
    /// `-o`.
    pub output: &'a Path,
    /// `--depth`.
    pub bits: Option<u8>,
    /// `--apart`.
    pub apart: bool,
}

impl Kind {
    /// Reads the suffix and what goes with it.
    ///
    /// # Errors
    /// If nothing of the suffix can be written, or an option means nothing for it.
    pub fn new(asked: &Asked<'_>) -> Result<Self> {
        let Asked { output, bits, apart } = *asked;
        let suffix = output.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let problem = |text: String| Err(Error::Usage(format!("{}: {text}", output.display())));
        let kind = match suffix.as_str() {
            "png" => {
                Pattern::new(output)?;
                Self::Png { bits: bits.unwrap_or(8), apart }
            }
            "exr" => Self::Exr(Pattern::new(output)?),
            "mov" => Self::Mov,
            "webm" => Self::WebM,
            "mkv" => Self::Mkv { bits: bits.unwrap_or(16) },
            _ => {
                return problem(
                    "its suffix says nothing that can be exported, expected %05d.png (coverage), %05d.exr (layers and \
                     Cryptomatte), .mov (ProRes with alpha), .mkv (FFV1, lossless) or .webm (VP9 with alpha)"
                        .into(),
                );
            }
        };
        if let Some(bits) = bits
            && !matches!(kind, Self::Png { .. } | Self::Mkv { .. })
        {
            return problem(format!("--depth {bits} is for .png and .mkv, others have one depth"));
        }
        if apart && !matches!(kind, Self::Png { .. }) {
            return problem(
                "--apart is for .png: .exr has a layer for each object, and --object picks one".into(),
            );
        }
        Ok(kind)
    }

    /// The depth in which the plate is cut out for it.
    pub fn depth(&self) -> Depth {
        match self {
            Self::Exr(_) => Depth::Floats,
            Self::Mov | Self::Mkv { bits: 16 } => Depth::Sixteen,
            _ => Depth::Eight,
        }
    }
}

/// The pattern of an object's own folder: `mattes/%05d.png` becomes `mattes/NAME/%05d.png`.
pub fn own_folder(output: &Path, name: &str) -> PathBuf {
    let folder = output.parent().unwrap_or(Path::new("")).join(name);
    folder.join(output.file_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(output: &str, bits: Option<u8>, apart: bool) -> Result<Kind> {
        Kind::new(&Asked { output: Path::new(output), bits, apart })
    }

    #[test]
    fn the_suffix_decides_what_is_written_and_how_deep() {
        assert_eq!(kind("a/%05d.png", None, true).unwrap(), Kind::Png { bits: 8, apart: true });
        assert_eq!(kind("a.MKV", None, false).unwrap(), Kind::Mkv { bits: 16 });
        assert_eq!(kind("a.mkv", Some(8), false).unwrap().depth(), Depth::Eight);
        assert_eq!(kind("a.%04d.exr", None, false).unwrap().depth(), Depth::Floats);
        assert_eq!(kind("a.mov", None, false).unwrap().depth(), Depth::Sixteen);
    }

    #[test]
    fn what_means_nothing_for_an_output_is_refused() {
        for (output, bits, apart, part) in [
            ("a.avi", None, false, "a.avi: its suffix says nothing that can be exported"),
            ("a.exr", None, false, "a.exr: expected one number in the file's name, such as %05d.exr"),
            ("a.mov", Some(16), false, "--depth 16 is for .png and .mkv"),
            ("%d.exr", None, true, "--apart is for .png"),
        ] {
            let error = kind(output, bits, apart).unwrap_err();
            assert_eq!(error.exit_status(), 2);
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn an_object_has_its_folder_beside_the_others() {
        assert_eq!(own_folder(Path::new("m/%05d.png"), "ball"), Path::new("m/ball/%05d.png"));
        assert_eq!(own_folder(Path::new("%05d.png"), "ball"), Path::new("ball/%05d.png"));
    }
}
