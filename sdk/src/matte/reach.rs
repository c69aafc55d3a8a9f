//! How far a plan's pixels look, which says how far its parts overlap.

use super::plan::{Around, Extra, Finish, Plan, Step};

impl Plan<'_> {
    /// How far from a pixel anything lies that it depends on, in pixels of the frame.
    pub fn reach_px(&self) -> u32 {
        let shapes = self.layers.iter().map(|layer| {
            let around = layer.shape.around.as_ref();
            let measured =
                around.map_or(0, |Around { measure: [_, far], .. }| far.reach_x.max(far.reach_y) + 2);
            layer.shape.steps.iter().map(Step::reach_px).sum::<u32>() + measured
        });
        let finish = match &self.finish {
            Finish::Matte => 0,
            Finish::Pixels(pixels) => {
                let spreads = pixels.backdrop.iter().chain(pixels.sides.iter().flatten());
                let blurs = spreads.map(|spread| spread.gaussian.reach_px()).max().unwrap_or(0);
                let extra = match &pixels.extra {
                    Extra::Distance(grow) => grow.reach_x.max(grow.reach_y) + 1,
                    Extra::Wrap(spread) => spread.gaussian.reach_px(),
                    Extra::None | Extra::Confidence(..) => 0,
                };
                // The edge view's line is two pixels wide to each side.
                blurs.max(extra).max(2)
            }
        };
        shapes.max().unwrap_or(0) + finish
    }
}

impl Step {
    fn reach_px(&self) -> u32 {
        match self {
            Self::Levels(_) | Self::Curve(_) => 0,
            Self::Grow(grow) => grow.reach_x.max(grow.reach_y) + 1,
            Self::Smooth(gaussian) => gaussian.reach_px() + 1,
            Self::Refine(refine) => 2 * refine.gaussian.reach_px() + 1,
            Self::Feather(gaussian) => gaussian.reach_px(),
            // Pixels between whole ones need the next.
            Self::Drift(drift) => drift.reach_px as u32 + 1,
        }
    }
}
