//! The figures as rows for people.

use super::{
    EvalArgs, Protocol,
    report::Report,
    score::{self, Figures, Score},
};

/// What the rows of a protocol show.
pub struct Table {
    protocol: Protocol,
    /// A column for each: frames clicked on, or clicks.
    amounts: Vec<usize>,
}

impl Table {
    /// A table for one protocol.
    pub fn new(args: &EvalArgs, clicks: &[u32]) -> Self {
        let amounts = match args.protocol {
            Protocol::SemiSupervised => vec![1],
            Protocol::InteractiveOffline | Protocol::InteractiveOnline => {
                (1..=args.rounds as usize).collect()
            }
            Protocol::Image => {
                let mut amounts: Vec<usize> = clicks.iter().map(|&clicks| clicks as usize).collect();
                amounts.sort_unstable();
                amounts.dedup();
                amounts
            }
        };
        Self { protocol: args.protocol, amounts }
    }

    /// The heading.
    pub fn head(&self) -> String {
        let what = match self.protocol {
            Protocol::SemiSupervised => {
                return format!(
                    "{:<24} {:>7} {:>7} {:>7}  {:>7} {:>7} {:>7}  {:>7} {:>8}\n",
                    "sequence", "J mean", "recall", "decay", "F mean", "recall", "decay", "J&F", "frames/s"
                );
            }
            Protocol::InteractiveOffline | Protocol::InteractiveOnline => "J&F by frames clicked on",
            Protocol::Image => "IoU by clicks on a picture",
        };
        let columns: String = self.amounts.iter().map(|amount| format!(" {amount:>7}")).collect();
        format!("{what}\n{:<24}{columns} {:>8}\n", "sequence", "frames/s")
    }

    /// A sequence's rows: one for each object, or one for all of them where pictures are measured.
    pub fn rows(&self, scores: &[Score]) -> String {
        let Some(first) = scores.first() else { return String::new() };
        if self.protocol == Protocol::Image {
            // A picture that is a sequence by itself has no row of its own.
            let several = scores.iter().any(|score| score.measured.len() > 1);
            return if several {
                self.row(&first.sequence, &scores.iter().collect::<Vec<_>>())
            } else {
                String::new()
            };
        }
        let mut text = String::new();
        for object in scores.chunk_by(|a, b| a.object == b.object) {
            text += &self.row(&object[0].name(), &object.iter().collect::<Vec<_>>());
        }
        text
    }

    /// The means over all, as DAVIS takes them for clips, and over all masks for pictures.
    pub fn mean(&self, scores: &[Score]) -> String {
        if scores.iter().all(|score| score.measured.is_empty()) {
            return String::new();
        }
        self.row("mean", &scores.iter().collect::<Vec<_>>())
    }

    /// The means for each value of the column that was asked for.
    pub fn groups(&self, report: &Report<'_>) -> String {
        let Some(groups) = &report.groups else { return String::new() };
        let mut text = format!("\nby {}\n{}", groups.column, self.head());
        for (value, scores) in report.grouped() {
            text += &self.row(value, &scores);
        }
        text
    }

    fn row(&self, name: &str, scores: &[&Score]) -> String {
        let rate = score::mean_rate(scores.iter().copied());
        if self.protocol == Protocol::SemiSupervised {
            return match score::mean(scores.iter().copied()) {
                Some(figures) => line(name, &figures, rate),
                None => format!("{name:<24} nothing to measure between its first and its last annotation\n"),
            };
        }
        let cell = |amount: &usize| {
            let of = scores.iter().copied().filter(|score| score.interactions == *amount);
            let figure = if self.protocol == Protocol::Image {
                score::mean_of_masks(of).map(|figures| figures.j.mean)
            } else {
                score::mean(of).map(|figures| figures.both())
            };
            figure.map_or_else(|| format!(" {:>7}", "-"), |figure| format!(" {figure:>7.4}"))
        };
        format!("{name:<24}{} {rate:>8.1}\n", self.amounts.iter().map(cell).collect::<String>())
    }
}

fn line(name: &str, figures: &Figures, rate: f64) -> String {
    let Figures { j, f } = figures;
    format!(
        "{name:<24} {:>7.4} {:>7.4} {:>7.4}  {:>7.4} {:>7.4} {:>7.4}  {:>7.4} {rate:>8.1}\n",
        j.mean,
        j.recall,
        j.decay,
        f.mean,
        f.recall,
        f.decay,
        figures.both(),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::score::FrameScore, *};

    fn score(interactions: usize, measured: &[(f64, f64)]) -> Score {
        let frame = |&(j, f): &(f64, f64)| FrameScore { name: "00001".into(), after: 1, j, f };
        let measured = measured.iter().map(frame).collect();
        let spent = Duration::from_millis(500);
        Score { sequence: "bear".into(), interactions, spent, frames: 10, measured, ..Score::default() }
    }

    fn table(protocol: Protocol, amounts: &[usize]) -> Table {
        Table { protocol, amounts: amounts.to_vec() }
    }

    #[test]
    fn a_row_shows_both_measures_and_their_mean() {
        let table = table(Protocol::SemiSupervised, &[1]);
        let row = table.rows(&[score(1, &[(0.75, 0.25), (0.25, 0.25)])]);
        let numbers: Vec<_> = row.split_whitespace().collect();
        assert_eq!(numbers[..2], ["bear", "0.5000"]);
        assert_eq!(numbers[7..], ["0.3750", "20.0"]);
        assert_eq!(row.len(), table.head().len());
        assert!(table.rows(&[score(1, &[])]).contains("nothing to measure"));
        assert_eq!(table.mean(&[score(1, &[])]), "");
    }

    #[test]
    fn a_row_of_rounds_has_a_column_for_each() {
        let table = table(Protocol::InteractiveOnline, &[1, 2]);
        let row = table.rows(&[score(1, &[(0.5, 0.0)]), score(2, &[(1.0, 0.5)])]);
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["bear", "0.2500", "0.7500", "20.0"]);
    }

    #[test]
    fn pictures_are_averaged_mask_by_mask() {
        let table = table(Protocol::Image, &[1, 5]);
        let scores = [score(1, &[(0.9, 0.0); 3]), score(1, &[(0.1, 0.0)])];
        assert_eq!(table.rows(&scores[1..]), "");
        let row = table.mean(&scores);
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["mean", "0.7000", "-", "20.0"]);
    }
}
