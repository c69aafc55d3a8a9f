//! `rotomask eval`: follows objects whose true masks are known, and measures how well.
//!
//! Four protocols, after DAVIS and after SAM 2's paper: an object shown on its first frame and followed; clicks in
//! several rounds, over the whole clip or while it runs; and clicks on single pictures. The frame on which an
//! object begins and the clip's last annotated one are not measured, as DAVIS has it.

mod chart;
mod groups;
mod interactive;
pub mod measure;
mod pictures;
mod prompt;
mod raster;
mod report;
mod score;
mod semi;
mod sheet;
mod svg;
mod table;
mod tracker;

use std::{collections::HashSet, io::Write, path::PathBuf, sync::Arc};

use clap::ValueEnum;

use crate::{
    Error, Result,
    args::EngineArgs,
    dataset::{self, Region, Sequence, Targets, Truth},
    library::{Library, Model},
    partial::{Partial, check_place},
    picture::Picture,
    progress,
};
use groups::Groups;
pub use prompt::PromptKind;
use report::Report;
use score::{FrameScore, Score};
use sheet::Sheet;
use table::Table;

/// The most clicks on one picture.
const MOST_CLICKS: i64 = 32;

/// How objects are shown and followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// One prompt on an object's first frame
    SemiSupervised,
    /// Rounds of three clicks on the worst frame of the clip, which is tracked anew with all of them
    InteractiveOffline,
    /// One pass that pauses for three clicks where the overlap is below 0.75
    InteractiveOnline,
    /// Clicks on each annotated frame by itself
    Image,
}

impl Protocol {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::SemiSupervised => "semi-supervised",
            Self::InteractiveOffline => "interactive-offline",
            Self::InteractiveOnline => "interactive-online",
            Self::Image => "image",
        }
    }
}

/// The arguments of `rotomask eval`.
#[derive(Debug, clap::Args)]
pub struct EvalArgs {
    /// A folder as DAVIS, YouTube-VOS or SA-V has it, or one of pairs NAME.jpg, NAME.png
    pub root: PathBuf,
    /// How objects are shown and followed
    #[arg(long, value_name = "NAME", default_value = "semi-supervised")]
    pub protocol: Protocol,
    /// semi-supervised: what is shown of each object on its first frame [default: mask]
    #[arg(long, value_name = "KIND")]
    pub prompt: Option<PromptKind>,
    /// semi-supervised: follow each object by itself instead of all at once
    #[arg(long)]
    pub separately: bool,
    /// interactive: on how many frames to click at most
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub rounds: u32,
    /// image: measure after so many clicks [default: 1,5]
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=MOST_CLICKS))]
    pub clicks: Vec<u32>,
    /// What counts as one object
    #[arg(long, value_name = "WHAT", default_value = "parts")]
    pub targets: Targets,
    /// Only these sequences
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub sequences: Vec<String>,
    /// Only sequences or pairs whose names are numbers from A to B
    #[arg(long, value_name = "A-B", value_parser = range)]
    pub range: Option<(u64, u64)>,
    /// A table with a column `sequence`, perhaps `object`, and others to group by
    #[arg(long, value_name = "FILE.csv", requires = "by")]
    pub metadata: Option<PathBuf>,
    /// Also give the figures for each value of this column of --metadata
    #[arg(long, value_name = "COLUMN", requires = "metadata")]
    pub by: Option<String>,

    /// semi-supervised: folder for the masks found, SEQUENCE/NAME.png, or SEQUENCE/OBJECT/NAME.png where there are
    /// several objects
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub masks: Option<PathBuf>,
    /// File for all figures, those of each frame included
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub json: Option<PathBuf>,
    /// File for a row of figures for each object and number of interactions
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub csv: Option<PathBuf>,
    /// File for curves: by interactions and by frame number
    #[arg(long, value_name = "FILE.svg|png", help_heading = "Output")]
    pub plot: Option<PathBuf>,
    /// Draw the curves of an earlier --json into --plot as well, named by the file
    #[arg(long, value_name = "FILE", requires = "plot", help_heading = "Output")]
    pub against: Vec<PathBuf>,
    /// File for the worst frames: plate, truth, and what was found
    #[arg(long, value_name = "FILE.png", help_heading = "Output")]
    pub contact_sheet: Option<PathBuf>,
    /// How many frames a contact sheet has
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=200), help_heading = "Output")]
    pub worst: u32,

    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// What a protocol works with.
struct Run<'a> {
    args: &'a EvalArgs,
    prompt: PromptKind,
    clicks: Vec<u32>,
    model: &'a Arc<Model>,
    sheet: Option<Sheet>,
}

impl Run<'_> {
    /// Lets the contact sheet have a look at a frame that was measured.
    fn look(&mut self, of: &Score, frame: &FrameScore, plate: &Picture, truth: &Region, found: &Region) {
        if let Some(sheet) = &mut self.sheet {
            sheet.look(&of.name(), frame, plate, truth, found);
        }
    }

    fn measure(&mut self, sequence: &Sequence) -> Result<Vec<Score>> {
        let mut truth = Truth::open(sequence, self.args.targets)?;
        if truth.objects.is_empty() {
            progress::warn(&format!("{}: its annotations mark no object", sequence.name));
        }
        match self.args.protocol {
            Protocol::SemiSupervised => semi::follow(self, sequence, &mut truth),
            Protocol::InteractiveOffline => interactive::offline(self, sequence, &mut truth),
            Protocol::InteractiveOnline => interactive::online(self, sequence, &mut truth),
            Protocol::Image => pictures::segment(self, sequence, &mut truth),
        }
    }
}

/// Follows and measures every object of every sequence, and prints a table.
///
/// # Errors
/// If arguments contradict each other, the folder has no known layout, a file in it can't be read, or the model
/// fails.
pub fn run(args: EvalArgs) -> Result<()> {
    let (prompt, clicks) = check(&args)?;
    let sequences = chosen(dataset::sequences(&args.root)?, &args)?;
    let groups = match (&args.metadata, &args.by) {
        (Some(path), Some(column)) => Some(Groups::read(path, column)?),
        _ => None,
    };
    let earlier = args.against.iter().map(|path| report::read_curves(path)).collect::<Result<Vec<_>>>()?;
    // Hours may lie between these checks and the results.
    for path in [&args.json, &args.csv, &args.plot, &args.contact_sheet].into_iter().flatten() {
        check_place(path)?;
    }
    let library = Library::open(args.engine.library.as_deref())?;
    let model = Model::open(&library, args.engine.model.as_deref(), args.engine.options())?;

    let sheet = args.contact_sheet.is_some().then(|| Sheet::new(args.worst as usize));
    let mut run = Run { args: &args, prompt, clicks, model: &model, sheet };
    let table = Table::new(&args, &run.clicks);
    let mut scores = Vec::new();
    print!("{}", table.head());
    for sequence in &sequences {
        let found = run.measure(sequence)?;
        print!("{}", table.rows(&found));
        // A row each few seconds should be seen as it comes, also through a pipe.
        std::io::stdout().flush().map_err(|e| Error::file("standard output".as_ref(), e))?;
        scores.extend(found);
    }
    let report = Report { args: &args, prompt, scores, groups };
    print!("{}{}", table.mean(&report.scores), table.groups(&report));
    if let Some(path) = &args.json {
        write(path, format!("{:#}\n", report.json()).as_bytes())?;
    }
    if let Some(path) = &args.csv {
        write(path, &report.csv()?)?;
    }
    if let Some(path) = &args.plot {
        write(path, &report.chart(&earlier).draw(path)?)?;
    }
    if let (Some(path), Some(sheet)) = (&args.contact_sheet, run.sheet) {
        write(path, &sheet.png()?)?;
    }
    Ok(())
}

fn write(path: &std::path::Path, bytes: &[u8]) -> Result<()> {
    let partial = Partial::create(path)?;
    std::fs::write(partial.path(), bytes).map_err(|error| Error::file(path, error))?;
    partial.publish()
}

/// What belongs to another protocol is refused, and what was left out filled in.
fn check(args: &EvalArgs) -> Result<(PromptKind, Vec<u32>)> {
    let refuse = |option: &str, of: &str| {
        let protocol = args.protocol.name();
        Err(Error::Usage(format!("{option} belongs to --protocol {of}, found --protocol {protocol}")))
    };
    if args.protocol != Protocol::SemiSupervised {
        for (option, given) in [
            ("--prompt", args.prompt.is_some()),
            ("--masks", args.masks.is_some()),
            ("--separately", args.separately),
        ] {
            if given {
                return refuse(option, "semi-supervised");
            }
        }
    }
    if args.protocol != Protocol::Image && !args.clicks.is_empty() {
        return refuse("--clicks", "image");
    }
    if let Some(path) = &args.plot {
        chart::Format::of(path)?;
    }
    let clicks = if args.clicks.is_empty() { vec![1, 5] } else { args.clicks.clone() };
    Ok((args.prompt.unwrap_or(PromptKind::Mask), clicks))
}

fn range(text: &str) -> std::result::Result<(u64, u64), String> {
    let parsed = text.split_once('-').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    parsed.filter(|(a, b)| a <= b).ok_or_else(|| format!("found {text}, expected A-B, such as 905-1004"))
}

fn chosen(mut found: Vec<Sequence>, args: &EvalArgs) -> Result<Vec<Sequence>> {
    let wanted = &args.sequences;
    if let Some(unknown) = wanted.iter().find(|name| !found.iter().any(|s| s.name == **name)) {
        const SHOWN: usize = 20;
        let mut known: Vec<_> = found.iter().take(SHOWN).map(|sequence| sequence.name.as_str()).collect();
        if found.len() > SHOWN {
            known.push("...");
        }
        return Err(Error::Usage(format!("--sequences {unknown}: expected some of {}", known.join(", "))));
    }
    let wanted: HashSet<_> = wanted.iter().collect();
    found.retain(|sequence| wanted.is_empty() || wanted.contains(&sequence.name));
    if let Some((from, to)) = args.range {
        let number = |name: &str| name.parse::<u64>().ok();
        found.retain(|sequence| number(&sequence.name).is_some_and(|n| (from..=to).contains(&n)));
    }
    if found.is_empty() {
        progress::warn("there are no sequences to measure");
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::{
        args::{Cli, Command},
        dataset::{Marks, Pictures},
    };

    fn args(arguments: &[&str]) -> EvalArgs {
        let all = ["rotomask", "eval", "ROOT"].iter().chain(arguments);
        match Cli::try_parse_from(all).unwrap().command {
            Command::Eval(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    fn named(name: &str) -> Sequence {
        Sequence { name: name.into(), pictures: Pictures::Files(Vec::new()), marks: Marks::None }
    }

    #[test]
    fn sequences_are_chosen_by_name_and_an_unknown_one_is_refused() {
        let all = || vec![named("bear"), named("lucia"), named("tennis")];
        let kept = chosen(all(), &args(&["--sequences", "tennis,bear"])).unwrap();
        assert_eq!(kept, [named("bear"), named("tennis")]);
        assert_eq!(chosen(all(), &args(&[])).unwrap().len(), 3);
        let said = chosen(all(), &args(&["--sequences", "cow"])).unwrap_err().to_string();
        assert_eq!(said, "--sequences cow: expected some of bear, lucia, tennis");
    }

    #[test]
    fn a_range_takes_the_names_that_are_numbers_in_it() {
        let all = vec![named("0904"), named("0905"), named("1004"), named("notes")];
        let kept = chosen(all, &args(&["--range", "905-1004"])).unwrap();
        assert_eq!(kept, [named("0905"), named("1004")]);
        assert!(range("9-5").is_err() && range("5").is_err() && range("a-b").is_err());
    }

    #[test]
    fn old_and_new_spellings_of_a_prompt_mean_the_same() {
        let prompt = |name| args(&["--prompt", name]).prompt;
        assert_eq!(prompt("click"), prompt("click1"));
        assert_eq!(check(&args(&[])).unwrap(), (PromptKind::Mask, vec![1, 5]));
    }

    #[test]
    fn what_belongs_to_another_protocol_is_refused() {
        let said = |arguments: &[&str]| check(&args(arguments)).unwrap_err().to_string();
        assert_eq!(
            said(&["--protocol", "image", "--prompt", "box"]),
            "--prompt belongs to --protocol semi-supervised, found --protocol image"
        );
        assert_eq!(
            said(&["--clicks", "1,3"]),
            "--clicks belongs to --protocol image, found --protocol semi-supervised"
        );
        assert_eq!(said(&["--plot", "a.jpg"]), "a.jpg: a plot is written as .svg or .png");
    }
}
