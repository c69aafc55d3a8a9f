//! COCO's run lengths: a mask as alternating runs of outside and inside, column after column.
//!
//! As text, each length is written in groups of five bits, the lowest first, each as a character from 48 on with
//! a sixth bit that says that more follow; from the third length on it is the difference to the length two
//! before. This is the format of COCO's own mask API, which SA-V uses.

use serde::{Deserialize, Serialize};

use super::{MAX_SIDE, Region};

/// Five bits a character; what is above the highest group is its sign.
const BITS: u32 = 5;

/// A mask in run lengths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rle {
    /// Rows, columns.
    pub size: [u32; 2],
    /// The lengths.
    pub counts: Counts,
}

/// The lengths as text or as numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Counts {
    /// Compressed.
    Text(String),
    /// As they are.
    Numbers(Vec<u32>),
}

impl Rle {
    /// Writes a region.
    pub fn of(region: &Region) -> Self {
        let (width, height) = (region.width(), region.height());
        let mut runs = Vec::new();
        let (mut inside, mut run) = (false, 0i64);
        for x in 0..width {
            for y in 0..height {
                if region.pixels()[y * width + x] != inside {
                    runs.push(run);
                    (inside, run) = (!inside, 0);
                }
                run += 1;
            }
        }
        runs.push(run);
        let mut text = String::new();
        for (place, &run) in runs.iter().enumerate() {
            write(&mut text, if place > 2 { run - runs[place - 2] } else { run });
        }
        Self { size: [height as u32, width as u32], counts: Counts::Text(text) }
    }

    /// Reads the region.
    ///
    /// # Errors
    /// Found and wanted, if the size is absurd or the runs don't fill it.
    pub fn region(&self) -> Result<Region, String> {
        let [height, width] = self.size;
        if height.max(width) > MAX_SIDE || height.min(width) == 0 {
            return Err(format!("its size is {width}x{height}, expected sides from 1 to {MAX_SIDE} pixels"));
        }
        let runs = match &self.counts {
            Counts::Text(text) => read(text)?,
            Counts::Numbers(numbers) => numbers.iter().map(|&n| i64::from(n)).collect(),
        };
        let wanted = i64::from(width) * i64::from(height);
        let filled = runs.iter().try_fold(0i64, |sum, &run| (run >= 0).then(|| sum.checked_add(run))?);
        match filled {
            Some(filled) if filled == wanted => {}
            Some(filled) => {
                return Err(format!("its runs fill {filled} pixels, expected {width}x{height} = {wanted}"));
            }
            None => return Err("one of its runs has a length below 0".into()),
        }
        let (width, height) = (width as usize, height as usize);
        let mut inside = vec![false; width * height];
        let (mut place, mut set) = (0usize, false);
        for run in runs {
            let end = place + run as usize;
            if set {
                (place..end).for_each(|n| inside[n % height * width + n / height] = true);
            }
            (place, set) = (end, !set);
        }
        Ok(Region::new(width as u32, inside))
    }
}

fn write(text: &mut String, mut number: i64) {
    loop {
        let group = (number & 0x1f) as u8;
        number >>= BITS;
        // Done when what is left is no more than the group's highest bit repeated.
        let more = if group & 0x10 == 0 { number != 0 } else { number != -1 };
        text.push(char::from(48 + group + if more { 0x20 } else { 0 }));
        if !more {
            return;
        }
    }
}

fn read(text: &str) -> Result<Vec<i64>, String> {
    let mut runs: Vec<i64> = Vec::new();
    let (mut number, mut shift) = (0i64, 0);
    for (place, &byte) in text.as_bytes().iter().enumerate() {
        let Some(group) = byte.checked_sub(48).filter(|group| *group < 64) else {
            return Err(format!("its counts have the byte {byte} at {place}, expected 48 to 111"));
        };
        if shift > 35 {
            return Err(format!("its counts have a number at {place} that is longer than any run"));
        }
        number |= i64::from(group & 0x1f) << shift;
        shift += BITS;
        if group & 0x20 != 0 {
            continue;
        }
        if group & 0x10 != 0 {
            number |= -1 << shift;
        }
        let before = if runs.len() > 2 { runs[runs.len() - 2] } else { 0 };
        runs.push(number.checked_add(before).ok_or("its counts grow without end")?);
        (number, shift) = (0, 0);
    }
    if shift != 0 {
        return Err("its counts end within a number".into());
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(counts: &str, height: u32, width: u32) -> Rle {
        Rle { size: [height, width], counts: Counts::Text(counts.into()) }
    }

    fn blob(width: i64, height: i64) -> Region {
        let inside = |x: i64, y: i64| (x - 9).pow(2) + (y - 40).pow(2) < 300 || (x + 2 * y) % 17 == 0;
        Region::new(width as u32, (0..height).flat_map(|y| (0..width).map(move |x| inside(x, y))).collect())
    }

    #[test]
    fn regions_come_back_whatever_their_shape() {
        for region in [
            blob(31, 77),
            Region::new(7, vec![true; 21]),
            Region::new(7, vec![false; 21]),
            Region::new(1, vec![true]),
        ] {
            assert_eq!(Rle::of(&region).region().unwrap(), region);
        }
    }

    #[test]
    fn text_is_that_of_cocos_own_code() {
        // By pycocotools: three rows of four, then a larger mask, told by its text's length and sum.
        let shape = Region::from_mask(4, &[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
        assert_eq!(Rle::of(&shape), text("321O30", 3, 4));
        assert_eq!(text("321O30", 3, 4).region().unwrap(), shape);
        let Counts::Text(found) = Rle::of(&blob(31, 77)).counts else { panic!("numbers") };
        assert_eq!((found.len(), found.bytes().map(u32::from).sum()), (285, 17892u32));
    }

    #[test]
    fn uncompressed_numbers_are_read_column_after_column() {
        let rle: Rle = serde_json::from_str(r#"{"size": [2, 3], "counts": [1, 2, 3]}"#).unwrap();
        assert_eq!(rle.region().unwrap().pixels(), [false, true, false, true, false, false]);
    }

    #[test]
    fn broken_counts_are_refused_with_what_is_wrong() {
        for (rle, said) in [
            (text("32", 3, 4), "its runs fill 5 pixels, expected 4x3 = 12"),
            (text("~", 3, 4), "the byte 126 at 0, expected 48 to 111"),
            (text("3P", 3, 4), "its counts end within a number"),
            (text("oooooooooooooooooooo", 3, 4), "longer than any run"),
            (text("O", 3, 4), "a length below 0"),
            (text("0", 4_000_000_000, 4_000_000_000), "expected sides from 1 to 16384 pixels"),
            (text("0", 0, 4), "expected sides from 1"),
        ] {
            let found = rle.region().unwrap_err();
            assert!(found.contains(said), "{found}");
        }
    }
}
