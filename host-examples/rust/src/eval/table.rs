//! The figures, as rows for people and as JSON.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::{EvalArgs, PromptKind, measure::Statistics};

/// How well one object was followed.
#[derive(Clone, Debug)]
pub struct Score {
    /// The sequence, and the object's number where it has several.
    pub name: String,
    /// In the library.
    pub spent: Duration,
    /// How many frames that was for.
    pub frames: usize,
    /// Without the first and the last annotated frame.
    pub measured: Vec<FrameScore>,
}

/// How well one frame's mask fits.
#[derive(Clone, Debug, Serialize)]
pub struct FrameScore {
    /// The file's name without its suffix.
    pub name: String,
    /// Region similarity, 0 to 1.
    pub j: f64,
    /// Boundary accuracy, 0 to 1.
    pub f: f64,
}

impl Score {
    /// J and F over the frames measured; `None` if there are none.
    fn statistics(&self) -> Option<[Statistics; 2]> {
        let over = |value: fn(&FrameScore) -> f64| {
            Statistics::of(&self.measured.iter().map(value).collect::<Vec<_>>())
        };
        Some([over(|frame| frame.j)?, over(|frame| frame.f)?])
    }

    fn rate(&self) -> f64 {
        self.frames as f64 / self.spent.as_secs_f64()
    }
}

/// The heading.
pub fn head() -> String {
    format!(
        "{:<24} {:>7} {:>7} {:>7}  {:>7} {:>7} {:>7}  {:>7} {:>8}\n",
        "sequence", "J mean", "recall", "decay", "F mean", "recall", "decay", "J&F", "frames/s"
    )
}

/// One object's figures.
pub fn row(score: &Score) -> String {
    match score.statistics() {
        Some(statistics) => line(&score.name, statistics, score.rate()),
        None => format!("{:<24} nothing to measure between its first and its last annotation\n", score.name),
    }
}

/// The means over all objects, as DAVIS takes them; nothing where none was measured.
pub fn mean(scores: &[Score]) -> String {
    mean_statistics(scores).map(|means| line("mean", means, mean_rate(scores))).unwrap_or_default()
}

fn line(name: &str, [j, f]: [Statistics; 2], rate: f64) -> String {
    format!(
        "{name:<24} {:>7.4} {:>7.4} {:>7.4}  {:>7.4} {:>7.4} {:>7.4}  {:>7.4} {rate:>8.1}\n",
        j.mean,
        j.recall,
        j.decay,
        f.mean,
        f.recall,
        f.decay,
        both(&j, &f),
    )
}

/// J&F.
fn both(j: &Statistics, f: &Statistics) -> f64 {
    (j.mean + f.mean) / 2.0
}

fn mean_statistics(scores: &[Score]) -> Option<[Statistics; 2]> {
    let all: Vec<[Statistics; 2]> = scores.iter().filter_map(Score::statistics).collect();
    if all.is_empty() {
        return None;
    }
    let over = |which: usize, value: fn(&Statistics) -> f64| {
        all.iter().map(|statistics| value(&statistics[which])).sum::<f64>() / all.len() as f64
    };
    Some([0, 1].map(|which| Statistics {
        mean: over(which, |s| s.mean),
        recall: over(which, |s| s.recall),
        decay: over(which, |s| s.decay),
    }))
}

fn mean_rate(scores: &[Score]) -> f64 {
    let frames: usize = scores.iter().map(|score| score.frames).sum();
    frames as f64 / scores.iter().map(|score| score.spent.as_secs_f64()).sum::<f64>()
}

/// All of it.
pub fn json(args: &EvalArgs, scores: &[Score]) -> Value {
    let figures = |[j, f]: [Statistics; 2]| {
        let one = |s: Statistics| json!({ "mean": s.mean, "recall": s.recall, "decay": s.decay });
        json!({ "j": one(j), "f": one(f), "j_and_f": both(&j, &f) })
    };
    let object = |score: &Score| {
        json!({
            "name": score.name,
            "figures": score.statistics().map(figures),
            "frames_per_second": score.rate(),
            "frames": score.measured,
        })
    };
    json!({
        "root": args.root.display().to_string(),
        "prompt": match args.prompt {
            PromptKind::Mask => "mask",
            PromptKind::Click1 => "click1",
            PromptKind::Box => "box",
        },
        "mean": mean_statistics(scores).map(figures),
        "frames_per_second": mean_rate(scores),
        "objects": scores.iter().map(object).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(name: &str, measured: &[(f64, f64)]) -> Score {
        let frame = |&(j, f): &(f64, f64)| FrameScore { name: "00001".into(), j, f };
        let measured = measured.iter().map(frame).collect();
        Score { name: name.into(), spent: Duration::from_millis(500), frames: 10, measured }
    }

    #[test]
    fn a_row_shows_both_measures_and_their_mean() {
        let row = row(&score("bear", &[(0.75, 0.25), (0.25, 0.25)]));
        let numbers: Vec<_> = row.split_whitespace().collect();
        assert_eq!(numbers[..2], ["bear", "0.5000"]);
        assert_eq!(numbers[7..], ["0.3750", "20.0"]);
        assert_eq!(row.len(), head().len());
    }

    #[test]
    fn objects_weigh_the_same_however_long_their_sequences_are() {
        let scores = [score("a", &[(1.0, 0.0); 3]), score("b", &[(0.0, 0.0)]), score("short", &[])];
        let [j, _] = mean_statistics(&scores).unwrap();
        assert_eq!((j.mean, j.recall), (0.5, 0.5));
        assert!(row(&scores[2]).contains("nothing to measure"));
        assert_eq!(mean(&scores[2..]), "");
    }
}
