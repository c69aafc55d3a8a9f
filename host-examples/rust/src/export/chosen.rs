//! Which objects and which frames are exported.

use crate::{
    Error, Result,
    session::listing::{Contents, Object},
};

/// The objects that were asked for, by number or name, in the session's order; all of them if none was. Those that were never
/// answered are left out unless they were asked for.
///
/// # Errors
/// If there is no such object, or two have the name.
pub fn objects<'a>(contents: &'a Contents, asked: &[String]) -> Result<Vec<&'a Object>> {
    if asked.is_empty() {
        return Ok(contents.objects.iter().filter(|object| !object.ranges.is_empty()).collect());
    }
    let wanted: Vec<u32> = asked.iter().map(|text| find(contents, text)).collect::<Result<_>>()?;
    Ok(contents.objects.iter().filter(|object| wanted.contains(&object.id)).collect())
}

fn find(contents: &Contents, text: &str) -> Result<u32> {
    let problem = |found: &str| {
        let known = contents.objects.iter().map(|object| format!("{} ({})", object.id, object.name));
        let known = known.collect::<Vec<_>>().join(", ");
        Err(Error::Usage(format!("--object {text}: {found}, expected one of {known}")))
    };
    let named: Vec<u32> =
        contents.objects.iter().filter(|object| object.name == text).map(|object| object.id).collect();
    let number = text.parse().ok().filter(|id| contents.objects.iter().any(|object| object.id == *id));
    match (number, named.as_slice()) {
        (Some(id), _) => Ok(id),
        (None, [id]) => Ok(*id),
        (None, []) => problem("there is no such object"),
        (None, _) => problem("several objects have this name"),
    }
}

/// First and last frame: what was asked for, and otherwise all from the first to the last frame with an answer.
///
/// # Errors
/// If there is none, or the first comes after the last.
pub fn frames(objects: &[&Object], first: Option<u64>, last: Option<u64>) -> Result<(u64, u64)> {
    let ranges = || objects.iter().flat_map(|object| &object.ranges);
    let ends = ranges().map(|range| range.first).min().zip(ranges().map(|range| range.last).max());
    let Some((least, most)) = ends else {
        return Err(Error::Usage("there is nothing to export: no object was followed yet".into()));
    };
    let (first, last) = (first.unwrap_or(least), last.unwrap_or(most));
    if first > last {
        return Err(Error::Usage(format!(
            "nothing lies from frame {first} to {last}: the objects have masks from {least} to {most}"
        )));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents() -> Contents {
        let range = |first: u64, last: u64| {
            serde_json::json!({
                "first": first, "last": last, "origin": "forward", "seen": 1, "predicted_iou": 0.9,
                "worst": [first, 0.9], "least_seen": [first, 1.0]
            })
        };
        let object = |id: u32, name: &str, ranges: Vec<serde_json::Value>| serde_json::json!({ "id": id, "name": name, "prompts": [], "ranges": ranges });
        let told = serde_json::json!({
            "path": "", "file_bytes": 0, "model": "", "model_version": "", "width_px": 5, "height_px": 3,
            "mask_side": 64, "precision_bits": 32, "cuts": [], "undo_steps": 0, "redo_steps": 0,
            "objects": [
                object(1, "ball", vec![range(4, 9)]), object(2, "ball", vec![range(2, 3), range(12, 20)]),
                object(3, "2", vec![range(5, 5)]), object(4, "idle", vec![])
            ]
        });
        Contents::read(&told.to_string()).unwrap()
    }

    #[test]
    fn objects_are_found_by_number_first_and_then_by_name() {
        let contents = contents();
        let ids = |asked: &[&str]| {
            let asked: Vec<String> = asked.iter().map(|text| (*text).to_owned()).collect();
            objects(&contents, &asked).map(|all| all.iter().map(|object| object.id).collect::<Vec<_>>())
        };
        assert_eq!(ids(&[]).unwrap(), [1, 2, 3]);
        assert_eq!(ids(&["idle", "2"]).unwrap(), [2, 4]);
        let said = ids(&["ball"]).unwrap_err().to_string();
        assert!(
            said.starts_with("--object ball: several objects have this name, expected one of 1 (ball), 2"),
            "{said}"
        );
        assert!(ids(&["9"]).unwrap_err().to_string().contains("there is no such object"));
    }

    #[test]
    fn frames_reach_from_the_first_answer_to_the_last_unless_said() {
        let contents = contents();
        let all: Vec<&Object> = contents.objects.iter().collect();
        assert_eq!(frames(&all, None, None).unwrap(), (2, 20));
        assert_eq!(frames(&all[..1], Some(0), Some(5)).unwrap(), (0, 5));
        let said = frames(&all[..1], Some(11), None).unwrap_err().to_string();
        assert_eq!(said, "nothing lies from frame 11 to 9: the objects have masks from 4 to 9");
        assert!(frames(&all[3..], Some(0), Some(5)).is_err());
    }
}
