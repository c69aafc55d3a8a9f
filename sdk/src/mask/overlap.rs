//! Several objects' masks, kept from overlapping: each cell belongs to the object of the highest logit
//! (`_apply_non_overlapping_constraints` of the reference). On a tie the first object wins.

use super::LogitPlane;
use super::enlarge::Enlarge;
use crate::error::{Error, Result};
use crate::frame::Size;

/// No logit of an object is above it where another object is stronger.
const SUPPRESSED: f32 = -10.0;

/// The most objects that are kept apart: as many as a session follows.
const MOST: usize = 256;

/// Lowers every plane to at most -10 wherever another plane is higher. One plane alone stays as it is.
///
/// # Errors
/// [`Error::Frame`] if the planes' sizes differ.
pub fn constrain_overlap(planes: &mut [&mut LogitPlane]) -> Result<()> {
    let Some(size) = planes.first().map(|plane| plane.size) else { return Ok(()) };
    if let Some(other) = planes.iter().find(|plane| plane.size != size) {
        let found = other.size;
        return Err(Error::Frame(format!("an object's logits are {found}, expected the others' {size}")));
    }
    for cell in 0..size.area_px() {
        let values = planes.iter().map(|plane| plane.values[cell]);
        let owner = strongest(values);
        for (_, plane) in planes.iter_mut().enumerate().filter(|(index, _)| *index != owner) {
            plane.values[cell] = plane.values[cell].min(SUPPRESSED);
        }
    }
    Ok(())
}

fn strongest(values: impl Iterator<Item = f32>) -> usize {
    let first = (0, f32::NEG_INFINITY);
    values.enumerate().fold(first, |best, this| if this.1 > best.1 { this } else { best }).0
}

/// Which of several objects each pixel of a frame belongs to, if to any: one byte a pixel, so that masks can be
/// written one after the other without holding every object's logits at the frame's size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owners {
    size: Size,
    index: Vec<u8>,
}

impl Owners {
    /// Holds the objects' logits, enlarged to the frame's size, against each other.
    ///
    /// # Errors
    /// [`Error::State`] for more than 256 objects.
    pub fn of(planes: &[&LogitPlane], frame: Size) -> Result<Self> {
        if planes.len() > MOST {
            let found = planes.len();
            return Err(Error::State(format!(
                "{found} objects are to be kept apart, expected at most {MOST}"
            )));
        }
        let mut index = vec![0; frame.area_px()];
        let enlarged: Vec<Enlarge<'_>> = planes.iter().map(|plane| Enlarge::new(plane, frame)).collect();
        let (mut line, mut highest) = (vec![0.0; frame.width()], vec![0.0; frame.width()]);
        for (y, owners) in index.chunks_exact_mut(frame.width()).enumerate() {
            for (object, enlarge) in enlarged.iter().enumerate() {
                if object == 0 {
                    enlarge.row(y, &mut highest);
                    continue;
                }
                enlarge.row(y, &mut line);
                for ((owner, high), &value) in owners.iter_mut().zip(&mut highest).zip(&line) {
                    if value > *high {
                        (*owner, *high) = (object as u8, value);
                    }
                }
            }
        }
        Ok(Self { size: frame, index })
    }

    /// The frame's size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Lowers a row of the object's logits where it is not the owner.
    pub(super) fn suppress_others(&self, object: usize, y: usize, line: &mut [f32]) {
        let owners = &self.index[y * self.size.width()..][..self.size.width()];
        for (value, &owner) in line.iter_mut().zip(owners) {
            if usize::from(owner) != object {
                *value = value.min(SUPPRESSED);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{FrameViewMut, Layout, PixelFormat};
    use crate::mask::Wanted;

    fn plane(values: [f32; 6]) -> LogitPlane {
        LogitPlane { size: Size::new(3, 2).unwrap(), values: values.to_vec() }
    }

    #[test]
    fn the_highest_keeps_its_cell_and_the_first_wins_a_tie() {
        let mut a = plane([1.0, 2.0, -3.0, 4.0, -20.0, 0.0]);
        let mut b = plane([2.0, 2.0, -2.0, -40.0, -21.0, -0.0]);
        constrain_overlap(&mut [&mut a, &mut b]).unwrap();
        assert_eq!(a.values, [-10.0, 2.0, -10.0, 4.0, -20.0, 0.0]);
        assert_eq!(b.values, [2.0, -10.0, -2.0, -40.0, -21.0, -10.0]);
    }

    #[test]
    fn one_object_alone_is_left_as_it_is_and_none_is_no_failure() {
        let mut a = plane([1.0, 2.0, -3.0, 4.0, -20.0, 0.0]);
        constrain_overlap(&mut [&mut a]).unwrap();
        assert_eq!(a, plane([1.0, 2.0, -3.0, 4.0, -20.0, 0.0]));
        constrain_overlap(&mut []).unwrap();
    }

    #[test]
    fn planes_of_different_sizes_are_refused_with_both_sizes() {
        let mut small = LogitPlane { size: Size::new(1, 1).unwrap(), values: vec![0.0] };
        let said = constrain_overlap(&mut [&mut plane([0.0; 6]), &mut small]).unwrap_err().to_string();
        assert_eq!(said, "frame: an object's logits are 1x1, expected the others' 3x2");
    }

    #[test]
    fn masks_written_apart_are_those_of_enlarged_and_constrained_planes() {
        let planes = [
            plane([1.0, -4.0, 3.0, -2.0, 5.0, 1.5]),
            plane([-3.0, 2.0, 2.0, 4.0, -1.0, 1.5]),
            plane([0.5, 0.0, 9.0, -7.0, 1.0, -6.0]),
        ];
        let frame = Size::new(17, 9).unwrap();
        let written = |plane: &LogitPlane, apart: Option<(&Owners, usize)>| {
            let mut out = vec![0f32; frame.area_px()];
            let layout = Layout::packed(frame, PixelFormat::GrayF32);
            let image = FrameViewMut::new(layout, bytemuck::cast_slice_mut(&mut out)).unwrap();
            match apart {
                Some((owners, index)) => plane.write_apart(Wanted::Binary, image, owners, index).unwrap(),
                None => plane.write(Wanted::Binary, image).unwrap(),
            }
            out
        };
        let enlarged = |plane: &LogitPlane| {
            let mut values = vec![0.0; frame.area_px()];
            let enlarge = Enlarge::new(plane, frame);
            values.chunks_exact_mut(17).enumerate().for_each(|(y, line)| enlarge.row(y, line));
            LogitPlane { size: frame, values }
        };
        let mut large = planes.each_ref().map(enlarged);
        constrain_overlap(&mut large.each_mut()).unwrap();
        let owners = Owners::of(&planes.each_ref(), frame).unwrap();
        for (index, (plane, large)) in planes.iter().zip(&large).enumerate() {
            assert_eq!(written(plane, Some((&owners, index))), written(large, None), "object {index}");
        }
    }

    #[test]
    fn owners_of_another_size_are_refused() {
        let owners = Owners::of(&[], Size::new(3, 2).unwrap()).unwrap();
        let mut out = [0u8; 2];
        let layout = Layout::packed(Size::new(2, 1).unwrap(), PixelFormat::Gray8);
        let image = FrameViewMut::new(layout, &mut out).unwrap();
        let said = plane([0.0; 6]).write_apart(Wanted::Binary, image, &owners, 0).unwrap_err().to_string();
        assert_eq!(said, "frame: the mask's image is 2x1, expected the owners' 3x2");
    }
}
