//! `rotomask kernels`: the matte chain's kernels as files, for programs with GPU code of their own.

use std::{fs, path::PathBuf};

use clap::Args;
use serde::Deserialize;

use crate::{
    Error, Result,
    library::{Language, Library},
};

/// The arguments of `rotomask kernels`.
#[derive(Debug, Args)]
pub struct KernelsArgs {
    /// In which language
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Language,
    /// Folder for one file per kernel and variant, such as blur_plane.1.spv, and kernels.json: what each binds
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// librotomask; otherwise ROTOMASK_LIBRARY, otherwise the one beside this program
    #[arg(long, value_name = "PATH")]
    pub library: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Kernel {
    name: String,
    variants: u32,
}

/// Writes the files. The folder is made inside one that exists.
///
/// # Errors
/// If the library can't be opened, or a file can't be written.
pub fn run(args: &KernelsArgs) -> Result<()> {
    let library = Library::open(args.library.as_deref())?;
    let table = library.kernels()?;
    let kernels: Vec<Kernel> = serde_json::from_str(&table)
        .map_err(|_| Error::Bug("librotomask told its kernels in no known way"))?;
    let folder = &args.output;
    if !folder.is_dir() {
        fs::create_dir(folder).map_err(|e| Error::file(folder, format!("no folder for kernels: {e}")))?;
    }
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|e| Error::file(&path, e))
    };
    for Kernel { name, variants } in &kernels {
        // WGSL leaves the variant's constant to the pipeline, so one text serves all.
        let count = if args.language == Language::Wgsl { 1 } else { *variants };
        for variant in 0..count {
            let number = if count > 1 { format!(".{variant}") } else { String::new() };
            let file = format!("{}{number}.{}", name.replace(' ', "_"), args.language.suffix());
            write(&file, &library.kernel_code(name, variant, args.language)?)?;
        }
    }
    write("kernels.json", table.as_bytes())
}
