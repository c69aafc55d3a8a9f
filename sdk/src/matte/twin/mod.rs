//! The matte chain on the CPU: a plain twin of every kernel, equal to it bit by bit.

mod blur;
mod composite;
mod coverage;
mod grow;
mod plane;

use blur::{ColourBlur, PlaneBlur};
use composite::{Behind, composite, linear_row};
use grow::Contour;
use plane::Plane;
use rotomask_shaders::mode;

use super::plan::{Finish, Plan};
use super::{Finished, MatteJob};

/// The twins' memory, kept from frame to frame.
#[derive(Debug, Default)]
pub(super) struct Twin {
    coverage: Plane,
    grown: Plane,
    contour: Contour,
    feather: PlaneBlur,
    backdrop: ColourBlur,
    pixels: Vec<u8>,
}

impl Twin {
    /// Carries out a plan. It can't fail.
    pub fn render(&mut self, plan: &Plan, job: &MatteJob<'_>) -> Finished<'_> {
        self.coverage.resize(plan.size);
        coverage::coverage(&plan.coverage, &plan.coefficients, &plan.taps, &mut self.coverage);
        if let Some(grow) = &plan.grow {
            self.grown.resize(plan.size);
            grow::grow(&self.coverage, grow, &mut self.contour, &mut self.grown);
            std::mem::swap(&mut self.coverage, &mut self.grown);
        }
        if let Some(gaussian) = &plan.feather {
            self.feather.run(gaussian, &mut self.coverage);
        }
        let Finish::Pixels { mode, job: numbers } = &plan.finish else {
            return Finished::Coverage(&self.coverage.values);
        };
        let behind = match (&plan.blur, job.back()) {
            (Some(gaussian), _) => {
                let plate = job.plate;
                let linear = |y, into: &mut [u16]| linear_row(plate.row(y), plate.format(), into);
                Behind::Linear(self.backdrop.run(gaussian, plan.size, linear))
            }
            (None, Some(picture)) if *mode == mode::OVER_PICTURE => Behind::Picture(picture),
            _ => Behind::Colour,
        };
        self.pixels.resize(plan.size.area_px() * 4, 0);
        composite(*mode, numbers, job.plate, &self.coverage, behind, &mut self.pixels);
        Finished::Pixels(&self.pixels)
    }
}
