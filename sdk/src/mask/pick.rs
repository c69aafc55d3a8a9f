//! The choice among the decoder's candidates.

use crate::model::{Constants, Decoded};

/// Which of the decoder's candidates count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) mask: usize,
    /// Not always the mask's own: see [`pick`].
    pub(crate) pointer: usize,
}

/// Chooses among the candidates as the reference does (`_use_multimask`, `dynamic_multimask_via_stability`).
///
/// With one point or none the meaning is ambiguous, so of masks 1 to 3 the one of highest predicted IoU is
/// taken, and its pointer. Otherwise it is mask 0, unless that is unstable: then the best of 1 to 3 again, while
/// the pointer stays mask 0's.
pub(crate) fn pick(decoded: &Decoded, points_given: usize, constants: &Constants) -> Pick {
    let best = (2..decoded.ious.len())
        .fold(1, |best, i| if decoded.ious[i] > decoded.ious[best] { i } else { best });
    if points_given <= 1 {
        return Pick { mask: best, pointer: best };
    }
    let first = &decoded.masks[..decoded.masks.len() / decoded.ious.len()];
    let above = |limit: f32| first.iter().filter(|&&v| v > limit).count() as f32;
    let (inner, outer) = (above(constants.stability_delta), above(-constants.stability_delta));
    let stability = if outer > 0.0 { inner / outer } else { 1.0 };
    Pick { mask: if stability >= constants.stability_threshold { 0 } else { best }, pointer: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(first: [f32; 4], ious: [f32; 4]) -> Decoded {
        let masks = first.into_iter().chain([0.0; 12]).collect();
        Decoded { masks, ious: ious.to_vec(), pointers: vec![0.0; 4], object_score: 1.0 }
    }

    fn constants() -> Constants {
        Constants {
            no_object_pointer: vec![],
            mask_downsample_weight: vec![],
            mask_downsample_bias: 0.0,
            mask_prompt_scale: 20.0,
            mask_prompt_bias: -10.0,
            dense_prompt_limit: 32.0,
            no_object_logit: -1024.0,
            stability_delta: 0.05,
            stability_threshold: 0.98,
        }
    }

    #[test]
    fn one_point_or_none_takes_the_best_of_the_three_and_its_pointer() {
        let decoded = decoded([9.0; 4], [0.99, 0.2, 0.7, 0.6]);
        for points in [0, 1] {
            assert_eq!(pick(&decoded, points, &constants()), Pick { mask: 2, pointer: 2 });
        }
    }

    #[test]
    fn several_points_take_the_first_mask_while_it_is_stable() {
        let stable = decoded([9.0, -9.0, 9.0, -9.0], [0.1, 0.2, 0.7, 0.6]);
        assert_eq!(pick(&stable, 2, &constants()), Pick { mask: 0, pointer: 0 });
        let empty = decoded([-9.0; 4], [0.1, 0.2, 0.7, 0.6]);
        assert_eq!(pick(&empty, 2, &constants()), Pick { mask: 0, pointer: 0 });
    }

    #[test]
    fn an_unstable_first_mask_gives_way_but_keeps_its_pointer() {
        let unstable = decoded([9.0, 0.01, 9.0, -9.0], [0.9, 0.2, 0.3, 0.6]);
        assert_eq!(pick(&unstable, 3, &constants()), Pick { mask: 3, pointer: 0 });
    }
}
