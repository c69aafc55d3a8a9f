//! From the masks of a picture to objects that can be followed: none covers another, and none is a trifle.

use super::AutomaticMask;
use super::options::within;
use crate::error::{Error, Result};
use crate::frame::Size;
use crate::mask::{Bounds, Rle};

/// Which masks become objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectOptions {
    /// At most so many, 1 to 256.
    pub max_objects: u32,
    /// Smaller ones are dropped, as a share of the picture, 0 to 1.
    pub min_area: f32,
    /// Larger ones are dropped as background, as a share of the picture, 0 to 1.
    pub max_area: f32,
    /// A mask is dropped if less than this share of it is left beside the objects before it, 0 to 1.
    pub min_uncovered: f32,
    /// How much a whole is preferred to its parts: masks are ranked by score times area to this power, 0 to 1. At 0
    /// the score alone counts, and a wheel may well come before its car.
    pub size_weight: f32,
    /// A mask that overlaps an object which is known already by at least this IoU is that object, and becomes none;
    /// 0 to 1.
    pub iou_threshold: f32,
}

impl Default for ObjectOptions {
    fn default() -> Self {
        Self {
            max_objects: 16,
            min_area: 0.002,
            max_area: 0.6,
            min_uncovered: 0.6,
            size_weight: 0.1,
            iou_threshold: 0.5,
        }
    }
}

/// An object to be followed: a mask prompt for a session, once [`Rle::decode`] has made pixels of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposedObject {
    /// What no object before it covers.
    pub rle: Rle,
    /// Its pixels.
    pub area_px: u64,
    /// The box around it.
    pub bounds: Bounds,
    /// Predicted IoU times stability, 0 to 1.
    pub score: f32,
    /// Which of the masks it comes from.
    pub mask: usize,
}

/// Chooses objects among the masks of one picture, the best first: each takes what those before it have left.
///
/// # Errors
/// [`Error::Setting`] for an option outside its range; [`Error::Frame`] if the masks are of different sizes.
pub fn propose_objects(masks: &[AutomaticMask], options: &ObjectOptions) -> Result<Vec<ProposedObject>> {
    propose_new_objects(masks, &[], options)
}

/// As [`propose_objects`], where some objects are known: those keep what they cover, and what overlaps one of them by
/// [`ObjectOptions::iou_threshold`] is left out. They don't count among [`ObjectOptions::max_objects`].
///
/// # Errors
/// As [`propose_objects`]; known objects are of the masks' size, too.
pub fn propose_new_objects(
    masks: &[AutomaticMask],
    known: &[Rle],
    options: &ObjectOptions,
) -> Result<Vec<ProposedObject>> {
    options.check()?;
    let Some(size) = masks.first().map(|mask| mask.rle.size()) else { return Ok(Vec::new()) };
    let picture = size.area_px() as f32;
    let score = |at: usize| masks[at].predicted_iou * masks[at].stability_score;
    let rank = |at: usize| score(at) * (masks[at].area_px as f32 / picture).powf(options.size_weight);
    let mut order: Vec<usize> = (0..masks.len()).collect();
    order.sort_by(|&a, &b| rank(b).total_cmp(&rank(a)));
    let (mut taken, mut objects) = (vec![0u8; size.area_px()], Vec::new());
    let take = |taken: &mut [u8], inside: &[u8]| taken.iter_mut().zip(inside).for_each(|(t, v)| *t |= v);
    for object in known {
        check_size(object.size(), size)?;
        take(&mut taken, &object.decode());
    }
    for at in order {
        if objects.len() == options.max_objects as usize {
            break;
        }
        let mask = &masks[at];
        check_size(mask.rle.size(), size)?;
        if is_known(&mask.rle, known, options.iou_threshold)? {
            continue;
        }
        let mut inside = mask.rle.decode();
        inside.iter_mut().zip(&taken).for_each(|(inside, taken)| *inside &= !taken);
        let rle = Rle::encode(size, &inside)?;
        let (area_px, left) = (rle.area_px(), rle.area_px() as f32);
        let large_enough = left >= options.min_area * picture && left <= options.max_area * picture;
        let mostly_left = left >= options.min_uncovered * mask.area_px as f32;
        let Some(bounds) = rle.bounds().filter(|_| large_enough && mostly_left) else { continue };
        take(&mut taken, &inside);
        objects.push(ProposedObject { rle, area_px, bounds, score: score(at), mask: at });
    }
    Ok(objects)
}

fn check_size(found: Size, want: Size) -> Result<()> {
    if found != want {
        return Err(Error::Frame(format!("a mask is {found}, expected the others' {want}")));
    }
    Ok(())
}

/// Whether a mask is one of the objects that are known.
fn is_known(mask: &Rle, known: &[Rle], iou_threshold: f32) -> Result<bool> {
    for object in known {
        let both = mask.common_px(object)?;
        let either = mask.area_px() + object.area_px() - both;
        if both > 0 && both as f64 >= f64::from(iou_threshold) * either as f64 {
            return Ok(true);
        }
    }
    Ok(false)
}

impl ObjectOptions {
    pub(crate) fn check(&self) -> Result<()> {
        within("max_objects", self.max_objects, 1..=256)?;
        for (name, share) in [
            ("min_area", self.min_area),
            ("max_area", self.max_area),
            ("min_uncovered", self.min_uncovered),
            ("size_weight", self.size_weight),
            ("iou_threshold", self.iou_threshold),
        ] {
            within(name, share, 0.0..=1.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of columns of a wide picture.
    fn block(columns: std::ops::Range<usize>, score: f32) -> AutomaticMask {
        let size = Size::new(20, 3).unwrap();
        let inside: Vec<u8> = (0..60).map(|at| u8::from(columns.contains(&(at % 20)))).collect();
        let rle = Rle::encode(size, &inside).unwrap();
        AutomaticMask {
            area_px: rle.area_px(),
            bounds: rle.bounds().unwrap_or(Bounds { x0_px: 0, y0_px: 0, x1_px: 0, y1_px: 0 }),
            rle,
            predicted_iou: score,
            stability_score: 1.0,
            point_coords: [0.0; 2],
            crop_box: Bounds { x0_px: 0, y0_px: 0, x1_px: 20, y1_px: 3 },
        }
    }

    fn columns(object: &ProposedObject) -> (u32, u32) {
        (object.bounds.x0_px, object.bounds.x1_px)
    }

    #[test]
    fn objects_never_cover_each_other_and_come_best_first() {
        let masks = [block(4..9, 0.9), block(0..5, 0.8), block(15..18, 0.99)];
        let objects =
            propose_objects(&masks, &ObjectOptions { size_weight: 0.0, ..Default::default() }).unwrap();
        assert_eq!(objects.iter().map(columns).collect::<Vec<_>>(), [(15, 18), (4, 9), (0, 4)]);
        assert_eq!(
            objects.iter().map(|o| (o.mask, o.area_px)).collect::<Vec<_>>(),
            [(2, 9), (0, 15), (1, 12)]
        );
    }

    #[test]
    fn a_whole_is_preferred_to_its_part_unless_it_is_much_less_sure() {
        let (part, whole) = (block(2..4, 0.9), block(0..8, 0.85));
        let objects = propose_objects(&[part.clone(), whole], &ObjectOptions::default()).unwrap();
        assert_eq!(objects.iter().map(columns).collect::<Vec<_>>(), [(0, 8)]);
        let objects = propose_objects(&[part, block(0..8, 0.6)], &ObjectOptions::default()).unwrap();
        assert_eq!(objects[0].mask, 0);
    }

    #[test]
    fn trifles_background_and_what_is_too_many_are_left_out() {
        let masks = [block(0..20, 0.99), block(3..4, 0.9), block(6..9, 0.8), block(11..14, 0.7)];
        let options = ObjectOptions { min_area: 0.1, max_objects: 1, ..Default::default() };
        let objects = propose_objects(&masks, &options).unwrap();
        assert_eq!(objects.iter().map(columns).collect::<Vec<_>>(), [(6, 9)]);
        assert!(propose_objects(&[], &options).unwrap().is_empty());
    }

    #[test]
    fn what_is_known_already_is_left_out_and_keeps_what_it_covers() {
        let masks = [block(0..8, 0.9), block(4..12, 0.8), block(7..14, 0.7)];
        let known = [block(0..7, 1.0).rle, block(19..19, 1.0).rle];
        let propose = |iou_threshold, min_uncovered| {
            let options = ObjectOptions { iou_threshold, min_uncovered, ..Default::default() };
            let objects = propose_new_objects(&masks, &known, &options).unwrap();
            objects.iter().map(columns).collect::<Vec<_>>()
        };
        // IoU with what is known: 7 of 8 columns, 3 of 12, none.
        assert_eq!(propose(0.5, 0.6), [(7, 12)]);
        assert_eq!(propose(0.2, 0.6), [(7, 14)]);
        assert_eq!(propose(1.0, 0.0), [(7, 8), (8, 12), (12, 14)]);
        let other = Rle::encode(Size::new(3, 3).unwrap(), &[0; 9]).unwrap();
        let said = propose_new_objects(&masks, &[other], &ObjectOptions::default()).unwrap_err();
        assert_eq!(said.to_string(), "frame: a mask is 3x3, expected the others' 20x3");
    }

    #[test]
    fn options_outside_their_range_are_refused() {
        let said = |options: ObjectOptions| propose_objects(&[], &options).unwrap_err().to_string();
        let none = ObjectOptions { max_objects: 0, ..Default::default() };
        assert_eq!(said(none), "max_objects: found 0, expected 1 to 256");
        assert!(said(ObjectOptions { min_area: f32::NAN, ..Default::default() }).starts_with("min_area"));
    }
}
