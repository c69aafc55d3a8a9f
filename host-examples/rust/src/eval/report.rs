//! The figures as files: JSON, CSV, curves.

use std::{collections::BTreeMap, fs::File, io::BufReader, path::Path};

use serde_json::{Value, json};

use super::{
    EvalArgs, PromptKind, Protocol,
    chart::{Chart, Panel, Series},
    groups::Groups,
    score::{self, Curve, Figures, Score},
};
use crate::{Error, Result, source::natural_order};

/// What a run has found.
pub struct Report<'a> {
    /// What was asked for.
    pub args: &'a EvalArgs,
    /// What objects were shown by.
    pub prompt: PromptKind,
    /// An entry for each object and amount of help.
    pub scores: Vec<Score>,
    /// What to group them by.
    pub groups: Option<Groups>,
}

/// A run's curves.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    /// Of which run.
    pub label: String,
    /// By frames clicked on, or clicks.
    pub interactions: Curve,
    /// By frames since the prompt, with the most help.
    pub frames: Curve,
}

impl Report<'_> {
    /// Scores by the value that they are grouped by, in order.
    pub fn grouped(&self) -> Vec<(&str, Vec<&Score>)> {
        let Some(groups) = &self.groups else { return Vec::new() };
        let mut by: BTreeMap<&str, Vec<&Score>> = BTreeMap::new();
        for score in &self.scores {
            by.entry(groups.of(score)).or_default().push(score);
        }
        let mut grouped: Vec<_> = by.into_iter().collect();
        grouped.sort_by(|a, b| natural_order(a.0, b.0));
        grouped
    }

    fn pictures(&self) -> bool {
        self.args.protocol == Protocol::Image
    }

    fn mean_of<'s>(&self, scores: impl IntoIterator<Item = &'s Score>) -> Option<Figures> {
        if self.pictures() { score::mean_of_masks(scores) } else { score::mean(scores) }
    }

    /// Scores with the same amount of help, amounts ascending.
    fn by_amount<'s>(&self, scores: &[&'s Score]) -> Vec<(usize, Vec<&'s Score>)> {
        let mut by: BTreeMap<usize, Vec<&Score>> = BTreeMap::new();
        scores.iter().for_each(|score| by.entry(score.interactions).or_default().push(score));
        by.into_iter().collect()
    }

    fn curves(&self) -> Curves {
        let all: Vec<&Score> = self.scores.iter().collect();
        let by_amount = self.by_amount(&all);
        let point = |(amount, scores): &(usize, Vec<&Score>)| {
            let figures = self.mean_of(scores.iter().copied())?;
            let value = if self.pictures() { figures.j.mean } else { figures.both() };
            Some([*amount as f64, value])
        };
        let label = match self.args.protocol {
            Protocol::SemiSupervised => format!("{} {}", self.args.protocol.name(), self.prompt.name()),
            protocol => protocol.name().to_owned(),
        };
        let most = by_amount.last().map(|(_, scores)| scores.iter().copied());
        Curves {
            label,
            interactions: by_amount.iter().filter_map(point).collect(),
            frames: most.map(score::by_frame).unwrap_or_default(),
        }
    }

    /// The curves of this run and of earlier ones.
    pub fn chart(&self, earlier: &[Curves]) -> Chart {
        let curves: Vec<Curves> = earlier.iter().cloned().chain([self.curves()]).collect();
        let panel = |title: &str, across: &str, of: fn(&Curves) -> &Curve| {
            let series = curves.iter().filter(|curves| !of(curves).is_empty());
            let series =
                series.map(|curves| Series { label: curves.label.clone(), points: of(curves).clone() });
            Panel { title: title.into(), across: across.into(), series: series.collect() }
        };
        let by_help = match self.args.protocol {
            Protocol::Image => panel("mean IoU", "clicks on the picture", |curves| &curves.interactions),
            _ => panel("mean J&F", "frames clicked on", |curves| &curves.interactions),
        };
        let by_frame = panel("J&F", "frames since the object was shown", |curves| &curves.frames);
        // One prompt is no curve, and a picture has no frames to follow.
        let mut panels = Vec::new();
        if by_help.series.iter().any(|series| series.points.len() > 1) {
            panels.push(by_help);
        }
        if !self.pictures() {
            panels.push(by_frame);
        }
        Chart { panels }
    }

    /// All of it.
    pub fn json(&self) -> Value {
        let all: Vec<&Score> = self.scores.iter().collect();
        let means = |scores: &[&Score]| {
            let mean = |(amount, scores): (usize, Vec<&Score>)| {
                json!({
                    "interactions": amount,
                    "objects": scores.iter().filter(|score| !score.measured.is_empty()).count(),
                    "figures": self.mean_of(scores).map(figures),
                })
            };
            self.by_amount(scores).into_iter().map(mean).collect::<Vec<_>>()
        };
        let object = |score: &Score| {
            json!({
                "name": score.name(),
                "sequence": score.sequence,
                "object": score.object,
                "interactions": score.interactions,
                "figures": score.figures().map(figures),
                "frames_per_second": score.rate(),
                "frames": score.measured,
            })
        };
        let groups = self.groups.as_ref().map(|groups| {
            let value = |(value, scores): (&str, Vec<&Score>)| json!({ "value": value, "means": means(&scores) });
            json!({ "column": groups.column, "values": self.grouped().into_iter().map(value).collect::<Vec<_>>() })
        });
        let curves = self.curves();
        let last = self.by_amount(&all).pop().and_then(|(_, scores)| self.mean_of(scores));
        json!({
            "root": self.args.root.display().to_string(),
            "protocol": self.args.protocol.name(),
            "prompt": (self.args.protocol == Protocol::SemiSupervised).then(|| self.prompt.name()),
            "mean": last.map(figures),
            "means": means(&all),
            "frames_per_second": score::mean_rate(&self.scores),
            "groups": groups,
            "curves": { "label": curves.label, "interactions": curves.interactions, "frames": curves.frames },
            "objects": self.scores.iter().map(object).collect::<Vec<_>>(),
        })
    }

    /// A row for each object and amount of help.
    ///
    /// # Errors
    /// Never in practice: it is written to memory.
    pub fn csv(&self) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let lost = |_| Error::Bug("a table could not be written to memory");
        writer
            .write_record([
                "protocol",
                "sequence",
                "object",
                "interactions",
                "frames",
                "j_mean",
                "j_recall",
                "j_decay",
                "f_mean",
                "f_recall",
                "f_decay",
                "j_and_f",
                "frames_per_second",
                "group",
            ])
            .map_err(lost)?;
        for score in &self.scores {
            let Some(figures) = score.figures() else { continue };
            let numbers = [
                figures.j.mean,
                figures.j.recall,
                figures.j.decay,
                figures.f.mean,
                figures.f.recall,
                figures.f.decay,
                figures.both(),
                score.rate(),
            ];
            let mut record = vec![
                self.args.protocol.name().to_owned(),
                score.sequence.clone(),
                score.object.clone(),
                score.interactions.to_string(),
                score.measured.len().to_string(),
            ];
            record.extend(numbers.map(|number| format!("{number:.6}")));
            record.push(self.groups.as_ref().map_or(String::new(), |groups| groups.of(score).to_owned()));
            writer.write_record(record).map_err(lost)?;
        }
        writer.into_inner().map_err(|_| Error::Bug("a table could not be written to memory"))
    }
}

fn figures(figures: Figures) -> Value {
    json!({ "j": figures.j, "f": figures.f, "j_and_f": figures.both() })
}

/// The curves in a file that [`Report::json`] made, named by the file.
///
/// # Errors
/// If it is no such file.
pub fn read_curves(path: &Path) -> Result<Curves> {
    let file = File::open(path).map_err(|error| Error::file(path, error))?;
    let report: Value = serde_json::from_reader(BufReader::new(file))
        .map_err(|error| Error::file(path, format!("it can't be read as JSON: {error}")))?;
    let curve = |name: &str| serde_json::from_value::<Curve>(report["curves"][name].clone());
    match (curve("interactions"), curve("frames")) {
        (Ok(interactions), Ok(frames)) => {
            let label = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Ok(Curves { label, interactions, frames })
        }
        _ => Err(Error::file(path, "it has no curves, expected a file that `rotomask eval --json` wrote")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_without_curves_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.json");
        for (text, said) in [("{}", "it has no curves"), ("{", "it can't be read as JSON")] {
            fs::write(&path, text).unwrap();
            assert!(read_curves(&path).unwrap_err().to_string().contains(said));
        }
        fs::write(&path, r#"{"curves": {"interactions": [[1, 0.5]], "frames": []}}"#).unwrap();
        let curves = read_curves(&path).unwrap();
        assert_eq!((curves.label.as_str(), curves.interactions), ("old", vec![[1.0, 0.5]]));
    }
}
