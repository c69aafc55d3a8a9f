//! A model package: the manifest and its graphs, embedded or in a folder, each graph's hash checked.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::{GraphFile, MAX_MANIFEST_BYTES, Manifest};
use crate::error::{Error, Result};

/// The largest graph that is read, in bytes: ONNX's own limit, that of a protobuf message.
const MAX_GRAPH_BYTES: u64 = (1 << 31) - 1;

macro_rules! embedded {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/rotomask-nano.rotomodel/", $file))
    };
}

/// The default model, compiled into the library so that no path is needed.
const EMBEDDED: [(&str, &[u8]); 5] = [
    ("model.json", embedded!("model.json")),
    ("image_encoder.onnx", embedded!("image_encoder.onnx")),
    ("mask_decoder.onnx", embedded!("mask_decoder.onnx")),
    ("memory_encoder.onnx", embedded!("memory_encoder.onnx")),
    ("memory_attention.onnx", embedded!("memory_attention.onnx")),
];

enum Place {
    Embedded,
    Folder(PathBuf),
}

/// Where the graphs come from, and what they claim to be.
pub(super) struct Package {
    place: Place,
    pub(super) manifest: Manifest,
}

impl Package {
    /// Opens the folder, or the embedded default without one.
    pub(super) fn open(folder: Option<&Path>) -> Result<Self> {
        let place = folder.map_or(Place::Embedded, |folder| Place::Folder(folder.to_path_buf()));
        let bytes = place.read("model.json", MAX_MANIFEST_BYTES)?;
        let problem = |problem| Error::ModelPackage { package: place.name(), problem };
        let text = std::str::from_utf8(&bytes).map_err(|e| problem(format!("model.json: {e}")))?;
        let manifest = Manifest::read(text).map_err(problem)?;
        Ok(Self { place, manifest })
    }

    /// The graph's bytes, if they are what the manifest says.
    pub(super) fn graph(&self, file: &GraphFile) -> Result<Cow<'static, [u8]>> {
        let bytes = self.place.read(&file.name, MAX_GRAPH_BYTES)?;
        let found = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
        if found != file.sha256 {
            let problem = format!("{}: its SHA-256 is {found}, expected {}", file.name, file.sha256);
            return Err(Error::ModelPackage { package: self.place.name(), problem });
        }
        Ok(bytes)
    }

    /// The graph's file as messages name it.
    pub(super) fn label(&self, file: &GraphFile) -> String {
        match &self.place {
            Place::Embedded => file.name.clone(),
            Place::Folder(folder) => folder.join(&file.name).display().to_string(),
        }
    }
}

impl Place {
    fn name(&self) -> String {
        match self {
            Self::Embedded => "the embedded model".into(),
            Self::Folder(folder) => folder.display().to_string(),
        }
    }

    fn read(&self, file: &str, most_bytes: u64) -> Result<Cow<'static, [u8]>> {
        match self {
            Self::Embedded => EMBEDDED
                .iter()
                .find(|(name, _)| *name == file)
                .map(|&(_, bytes)| Cow::Borrowed(bytes))
                .ok_or_else(|| Error::ModelPackage {
                    package: self.name(),
                    problem: format!("{file}: not there"),
                }),
            Self::Folder(folder) => read_file(&folder.join(file), most_bytes).map(Cow::Owned),
        }
    }
}

fn read_file(path: &Path, most_bytes: u64) -> Result<Vec<u8>> {
    let failed = |source| Error::ModelFile { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    // The file's own length is only believed up to the limit; one byte more shows that it is too long.
    file.take(most_bytes + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most_bytes {
        let problem = format!("it has more than {most_bytes} bytes, the most that is read");
        return Err(failed(std::io::Error::new(std::io::ErrorKind::FileTooLarge, problem)));
    }
    Ok(bytes)
}

/// Opens the bytes as a package: as many bytes of `model.json` as the first two say, and what each graph's file holds.
/// What the fuzzer runs.
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub fn fuzz(bytes: &[u8], folder: &Path) {
    let Some((&[low, high], rest)) = bytes.split_first_chunk() else { return };
    let (manifest, graph) = rest.split_at(usize::from(u16::from_le_bytes([low, high])).min(rest.len()));
    std::fs::write(folder.join("model.json"), manifest).expect("the folder can be written");
    let Ok(package) = Package::open(Some(folder)) else { return };
    let m = &package.manifest;
    assert!(m.tokens() <= 256 * 256 && m.mask_side() <= 1024);
    for file in
        [&m.files.image_encoder, &m.files.mask_decoder, &m.files.memory_encoder, &m.files.memory_attention]
    {
        assert!(!file.name.contains('/'), "a graph lies in the package's folder");
        std::fs::write(folder.join(&file.name), graph).expect("the folder can be written");
        let found = package.graph(file);
        assert!(found.is_err() || found.is_ok_and(|found| *found == *graph));
        let _ = package.label(file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_is_read_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/fuzz/model_package");
        let mut count = 0;
        for entry in std::fs::read_dir(corpus).unwrap() {
            fuzz(&std::fs::read(entry.unwrap().path()).unwrap(), folder.path());
            count += 1;
        }
        assert!(count > 0, "there is no corpus");
    }
}
