//! `rotomask session`: what a session file holds, whether it is well, its masks, and what is left of a damaged one.

pub(crate) mod listing;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    Error, Result,
    library::{ImageMut, Library, SessionFile},
    masks::MaskFolder,
};
pub use listing::Contents;

/// The arguments of `rotomask session`.
#[derive(Debug, Args)]
pub struct SessionArgs {
    /// A NAME.rotosession file
    pub file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Read all of it and say what is damaged; the status is 1 then
    #[arg(long, conflicts_with_all = ["json", "export", "salvage"])]
    pub check: bool,
    /// Folder for the masks as they were tracked, 0 or 255: one folder for each object, named by its number, with a mask
    /// for each frame. `rotomask export` writes finished mattes
    #[arg(long, value_name = "DIR", conflicts_with_all = ["json", "salvage"])]
    pub export: Option<PathBuf>,
    /// A new file for what can be read of a damaged one
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub salvage: Option<PathBuf>,
    /// librotomask; otherwise ROTOMASK_LIBRARY, otherwise the one beside this program
    #[arg(long, value_name = "PATH")]
    pub library: Option<PathBuf>,
}

/// Does what is asked for; lists the file if nothing is.
///
/// # Errors
/// If the file can't be opened, is damaged, or the results can't be written.
pub fn run(args: SessionArgs) -> Result<()> {
    let library = Library::open(args.library.as_deref())?;
    if let Some(fresh) = &args.salvage {
        let done = library.salvage(&args.file, fresh)?;
        let mut said = format!(
            "{}: {} objects, {} prompted frames and {} masks are saved",
            fresh.display(),
            done.objects,
            done.prompts,
            done.answers
        );
        if done.lost + done.gaps > 0 {
            said += &format!("; {} rows were damaged, and {} places could not be read", done.lost, done.gaps);
        }
        print(&format!("{said}\n"));
        return Ok(());
    }
    let file = SessionFile::open(&library, &args.file)?;
    if args.check {
        return check(&file, &args);
    }
    let described = file.describe()?;
    let contents = Contents::read(&described)?;
    match &args.export {
        Some(folder) => export(&file, &contents, folder),
        None if args.json => {
            let pretty = serde_json::from_str::<serde_json::Value>(&described);
            print(&pretty.map_or(described, |all| format!("{all:#}\n")));
            Ok(())
        }
        None => {
            print(&contents.listing());
            Ok(())
        }
    }
}

fn check(file: &SessionFile, args: &SessionArgs) -> Result<()> {
    let problems: Vec<String> = serde_json::from_str(&file.check()?)
        .map_err(|_| Error::Bug("librotomask checks a session in words that are not its own"))?;
    if problems.is_empty() {
        print(&format!("{}: all of it can be read\n", args.file.display()));
        return Ok(());
    }
    print(&problems.iter().map(|problem| format!("{problem}\n")).collect::<String>());
    let count = problems.len();
    let more =
        if count == 1 { "one place is damaged".to_owned() } else { format!("{count} places are damaged") };
    Err(Error::file(&args.file, format!("{more}; --salvage FILE copies what can be read")))
}

fn export(file: &SessionFile, contents: &Contents, folder: &Path) -> Result<()> {
    // The outer folder, as for `--masks`, inside one that exists.
    MaskFolder::create(folder)?;
    let (width, height) = contents.size();
    let mut pixels = vec![0; width as usize * height as usize];
    let mut written = 0;
    for object in &contents.objects {
        let masks = MaskFolder::create(&folder.join(object.id.to_string()))?;
        for frame in object.ranges.iter().flat_map(|range| range.first..=range.last) {
            file.binary(object.id, frame, ImageMut::gray(width, height, &mut pixels)?)?;
            masks.write(frame, &pixels, (width, height))?;
            written += 1;
        }
    }
    print(&format!("{}: {written} masks\n", folder.display()));
    Ok(())
}

/// A reader who has seen enough and closed the pipe is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
