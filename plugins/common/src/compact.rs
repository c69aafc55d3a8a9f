//! Prompts as people write them on a command line, without a sign that any host reads as its own.
//!
//! Words joined by `_`: `p640x360@48` is a click on the object on frame 48, `n100x80@48` one beside it,
//! `b200x120x700x640@0` a box by its edges, `o2` says that what follows is about object 2. Without `@` it is frame 0.

use rotomask::prompt::{Box, Click};

use crate::prompts::Prompts;
use crate::{Error, Result};

/// Reads prompts as people write them.
///
/// # Errors
/// Names the first word that is none.
pub fn parse(text: &str) -> Result<Prompts> {
    let (mut prompts, mut object) = (Prompts::default(), 1);
    for word in text.split('_').map(str::trim).filter(|word| !word.is_empty()) {
        let wrong = || {
            Error::host(format!(
                "prompt: found {word:?}, expected p640x360@48 (on the object), n640x360@48 (beside it), \
                 b10x20x300x400@48 (a box) or o2 (about object 2), joined by _"
            ))
        };
        let mut letters = word.chars();
        let kind = letters.next().ok_or_else(wrong)?;
        let rest = letters.as_str();
        if kind == 'o' {
            object = rest.parse().map_err(|_| wrong())?;
            continue;
        }
        let (numbers, frame) = rest.split_once('@').unwrap_or((rest, "0"));
        let frame = frame.parse().map_err(|_| wrong())?;
        let numbers: Option<Vec<f32>> =
            numbers.split('x').map(|n| n.parse().ok().filter(|n: &f32| n.is_finite())).collect();
        let said = |prompts: &mut Prompts, change: &dyn Fn(&mut crate::prompts::Said)| {
            change(prompts.at(object, frame))
        };
        match (kind, numbers.as_deref()) {
            ('p' | 'n', Some(&[x_px, y_px])) => {
                said(&mut prompts, &|said| said.clicks.push(Click { x_px, y_px, positive: kind == 'p' }));
            }
            ('b', Some(&[x0_px, y0_px, x1_px, y1_px])) if x1_px > x0_px && y1_px > y0_px => {
                said(&mut prompts, &|said| said.bounds = Some(Box { x0_px, y0_px, x1_px, y1_px }));
            }
            _ => return Err(wrong()),
        }
    }
    Ok(prompts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_is_meant_on_which_frame_and_of_whom() {
        let prompts = parse("p640x360.5@48_n3x4_o2_b1x2x30x4@5").unwrap();
        assert_eq!(
            prompts.objects[&1].frames[&48].clicks,
            [Click { x_px: 640.0, y_px: 360.5, positive: true }]
        );
        assert!(!prompts.objects[&1].frames[&0].clicks[0].positive);
        assert_eq!(prompts.objects[&2].frames[&5].bounds.unwrap().x1_px, 30.0);
    }

    #[test]
    fn a_word_that_is_none_is_named() {
        for text in ["q1x2", "p1", "p1x2@-1", "p1x2x3", "pNaNx2", "b5x5x1x9", "o", "p1x2_?"] {
            let said = parse(text).unwrap_err().to_string();
            assert!(said.starts_with("prompt: found \"") && said.contains("expected p640x360@48"), "{said}");
        }
    }
}
