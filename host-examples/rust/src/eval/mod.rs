//! `rotomask eval`: follows objects whose true masks are known, and measures how well.
//!
//! DAVIS's semi-supervised task: the first frame's annotation says what to follow, the first and the last frame
//! are not measured, and each object is followed by itself.

mod dataset;
mod follow;
pub mod measure;
mod prompt;
mod table;

use std::{collections::HashSet, fs, io::Write, path::PathBuf};

use crate::{
    Error, Result,
    args::EngineArgs,
    library::{Library, Model},
    partial::Partial,
    progress,
};
use dataset::Sequence;
use follow::Follower;
pub use prompt::PromptKind;

/// The arguments of `rotomask eval`.
#[derive(Debug, clap::Args)]
pub struct EvalArgs {
    /// A folder laid out as DAVIS is: JPEGImages and Annotations
    pub root: PathBuf,
    /// What is shown of each object on the first frame
    #[arg(long, value_name = "KIND", default_value = "mask")]
    pub prompt: PromptKind,
    /// Only these sequences
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub sequences: Vec<String>,
    /// Folder for the masks found, SEQUENCE/NAME.png, or SEQUENCE/OBJECT/NAME.png where there are several objects
    #[arg(long, value_name = "DIR")]
    pub masks: Option<PathBuf>,
    /// File for all figures, those of each frame included
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Follows and measures every object of every sequence, and prints a table.
///
/// # Errors
/// If the folder is not laid out as expected, a file in it can't be read, or the model fails.
pub fn run(args: EvalArgs) -> Result<()> {
    let sequences = chosen(dataset::sequences(&args.root)?, &args.sequences)?;
    let json = args.json.as_deref().map(Partial::create).transpose()?;
    let library = Library::open(args.engine.library.as_deref())?;
    let model = Model::open(&library, args.engine.model.as_deref(), args.engine.options())?;

    let follower = Follower { model: &model, prompt: args.prompt, masks: args.masks.as_deref() };
    let mut scores = Vec::new();
    print!("{}", table::head());
    for sequence in &sequences {
        for score in follower.follow(sequence)? {
            print!("{}", table::row(&score));
            // A row each few seconds should be seen as it comes, also through a pipe.
            std::io::stdout().flush().map_err(|e| Error::file("standard output".as_ref(), e))?;
            scores.push(score);
        }
    }
    print!("{}", table::mean(&scores));
    if let Some(partial) = json {
        let path = partial.path();
        fs::write(path, format!("{:#}\n", table::json(&args, &scores))).map_err(|e| Error::file(path, e))?;
        partial.publish()?;
    }
    Ok(())
}

fn chosen(mut found: Vec<Sequence>, wanted: &[String]) -> Result<Vec<Sequence>> {
    if let Some(unknown) = wanted.iter().find(|name| !found.iter().any(|s| s.name == **name)) {
        let known: Vec<_> = found.iter().map(|sequence| sequence.name.as_str()).collect();
        return Err(Error::Usage(format!("--sequences {unknown}: expected some of {}", known.join(", "))));
    }
    let wanted: HashSet<_> = wanted.iter().collect();
    found.retain(|sequence| wanted.is_empty() || wanted.contains(&sequence.name));
    if found.is_empty() {
        progress::warn("there are no sequences to measure");
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Sequence {
        Sequence { name: name.into(), frames: Vec::new() }
    }

    #[test]
    fn sequences_are_chosen_by_name_and_an_unknown_one_is_refused() {
        let all = || vec![named("bear"), named("lucia"), named("tennis")];
        let kept = chosen(all(), &["tennis".into(), "bear".into()]).unwrap();
        assert_eq!(kept, [named("bear"), named("tennis")]);
        assert_eq!(chosen(all(), &[]).unwrap().len(), 3);
        let said = chosen(all(), &["cow".into()]).unwrap_err().to_string();
        assert_eq!(said, "--sequences cow: expected some of bear, lucia, tennis");
    }
}
