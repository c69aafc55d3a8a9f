//! What an artist reads of a session: one line of status, and a list of objects.

use crate::cache::Reader;
use crate::engine;

/// The status line: the model and who runs it, frames that are tracked, frames to review.
pub fn line(session: Option<&Reader>) -> String {
    let Some(session) = session else {
        return "Nothing tracked yet: add a point on the object, then track.".into();
    };
    let summary = session.summary();
    let provider = engine::loaded().map_or(String::new(), |model| {
        let used = model.provider_report().used.to_string();
        if model.manifest().name == summary.model { format!(" on {used}") } else { String::new() }
    });
    let tracked =
        count(summary.objects.iter().flat_map(|o| o.ranges.iter().map(|r| (r.first, r.last))).collect());
    let review = count(session.to_review().to_vec());
    format!(
        "{} {}{provider}: {} of {}x{} tracked, {} to review",
        summary.model,
        summary.model_version,
        frames(tracked),
        summary.width_px,
        summary.height_px,
        if review == 0 { "none".to_owned() } else { review.to_string() }
    )
}

/// The objects, one a line: number, name, prompts, frames.
pub fn objects(session: Option<&Reader>) -> String {
    let Some(session) = session else { return String::new() };
    let line = |object: &rotomask::store::ObjectSummary| {
        let said = object.prompts.len();
        let ranges: Vec<_> = merged(object.ranges.iter().map(|r| (r.first, r.last)).collect())
            .into_iter()
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
            .collect();
        let where_to = if ranges.is_empty() {
            "not tracked".to_owned()
        } else {
            format!("frames {}", ranges.join(", "))
        };
        format!("{} {}: prompts on {}, {where_to}", object.id, object.name, frames(said as u64))
    };
    session.summary().objects.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn frames(count: u64) -> String {
    if count == 1 { "1 frame".into() } else { format!("{count} frames") }
}

/// How many frames ranges have together.
fn count(ranges: Vec<(u64, u64)>) -> u64 {
    merged(ranges).iter().map(|(first, last)| last - first + 1).sum()
}

/// Ranges in order, those that touch joined.
fn merged(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_or_overlap_are_one() {
        assert_eq!(merged(vec![(5, 9), (0, 2), (3, 3), (8, 12)]), [(0, 3), (5, 12)]);
        assert_eq!(count(vec![(0, 2), (2, 4), (10, 10)]), 6);
    }

    #[test]
    fn without_a_session_the_artist_is_told_what_to_do() {
        assert!(line(None).starts_with("Nothing tracked yet"));
        assert_eq!(objects(None), "");
    }
}
