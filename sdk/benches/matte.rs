//! What a frame costs in the matte chain, at 1280x720 from 64x64 logits, on the CPU's twins, on a software adapter and
//! on the machine's GPU where there are such. `RAYON_NUM_THREADS` sets the twins' threads.

use divan::{Bencher, counter::ItemsCount};
use rotomask::frame::{FrameView, FrameViewMut, Layout, PixelFormat, Size};
use rotomask::matte::{
    Background, DeviceKind, Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings, Neighbour, View,
};

fn main() {
    divan::main();
}

#[derive(Clone, Copy, Debug)]
enum Case {
    HardEdge,
    Feather2,
    Feather24,
    Grow4,
    Shrink32,
    Overlay,
    Cutout,
    BlurredPlate2,
    BlurredPlate16,
    Refine20,
    Dechatter,
    MotionBlur,
}

impl Case {
    const ALL: [Self; 12] = [
        Self::HardEdge,
        Self::Feather2,
        Self::Feather24,
        Self::Grow4,
        Self::Shrink32,
        Self::Overlay,
        Self::Cutout,
        Self::BlurredPlate2,
        Self::BlurredPlate16,
        Self::Refine20,
        Self::Dechatter,
        Self::MotionBlur,
    ];

    fn settings(self) -> MatteSettings {
        let feather = |px| MatteSettings { feather_inner_px: px, feather_outer_px: px, ..Default::default() };
        let base = feather(2.0);
        let blurred = |background_blur_px| MatteSettings {
            background: Background::BlurredPlate,
            background_blur_px,
            ..base.clone()
        };
        match self {
            Self::HardEdge => feather(0.0),
            Self::Feather2 => base,
            Self::Feather24 => feather(24.0),
            Self::Grow4 => MatteSettings { grow_px: 4.0, ..base },
            Self::Shrink32 => MatteSettings { grow_px: -32.0, ..base },
            Self::Overlay => MatteSettings { view: View::Overlay, ..base },
            Self::Cutout => MatteSettings { view: View::Cutout, ..base },
            Self::BlurredPlate2 => blurred(2.0),
            Self::BlurredPlate16 => blurred(16.0),
            Self::Refine20 => MatteSettings { refine_px: 20.0, ..base },
            Self::Dechatter => MatteSettings { dechatter: 100.0, ..base },
            Self::MotionBlur => MatteSettings { motion_blur: 180.0, ..base },
        }
    }
}

/// A person-sized subject: head, body and two arms, a sixth of the frame.
fn subject(size: Size) -> Vec<f32> {
    let part = |x: f32, y: f32, at: [f32; 2], half: [f32; 2]| {
        1.0 - (((x - at[0]) / half[0]).powi(2) + ((y - at[1]) / half[1]).powi(2)).sqrt()
    };
    (0..size.area_px())
        .map(|i| {
            let x = ((i % size.width()) as f32 + 0.5) / size.width() as f32;
            let y = ((i / size.width()) as f32 + 0.5) / size.height() as f32;
            let parts = [
                part(x, y, [0.5, 0.25], [0.06, 0.12]),
                part(x, y, [0.5, 0.65], [0.13, 0.35]),
                part(x, y, [0.36, 0.5], [0.12, 0.04]),
                part(x, y, [0.64, 0.5], [0.12, 0.04]),
            ];
            parts.into_iter().fold(f32::MIN, f32::max) * 12.0
        })
        .collect()
}

fn run(bencher: Bencher<'_, '_>, gpu: Gpu, case: Case) {
    let size = Size::new(1280, 720).expect("a size within limits");
    let mask = Size::new(64, 64).expect("a size within limits");
    let (plate_layout, result_layout) =
        (Layout::packed(size, PixelFormat::Rgb8), Layout::packed(size, PixelFormat::Rgba8));
    let plate: Vec<u8> =
        (0..plate_layout.span_bytes() as u32).map(|i| (i.wrapping_mul(0x9E37_79B9) >> 24) as u8).collect();
    let mut result = vec![0; result_layout.span_bytes()];
    let (logits, settings) = (subject(mask), case.settings());
    let mut chain = match MatteChain::open(gpu) {
        // Without a GPU, `Auto` is the twins again, which have their own figures.
        Ok(chain) if gpu == Gpu::Auto && chain.device().kind == DeviceKind::Twins => return,
        Ok(chain) => chain,
        Err(problem) => return eprintln!("skipped: {problem}"),
    };
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        let logits = Logits::new(mask, &logits).expect("the mask's own values");
        let mask = Mask::Logits(logits);
        let neighbours = [-2, -1, 1, 2].map(|frame| Neighbour { frame, mask });
        let layers = [Layer { neighbours: &neighbours, ..Layer::new(mask) }];
        let plate = FrameView::new(plate_layout, &plate).expect("the layout's own bytes");
        let job = MatteJob::new(plate, &layers, &settings);
        let result = FrameViewMut::new(result_layout, &mut result).expect("the layout's own bytes");
        chain.render(&job, result).expect("a sound job");
    });
}

#[divan::bench(args = Case::ALL, sample_count = 40)]
fn twins(bencher: Bencher<'_, '_>, case: Case) {
    run(bencher, Gpu::Off, case);
}

#[divan::bench(args = Case::ALL, sample_count = 20)]
fn software_adapter(bencher: Bencher<'_, '_>, case: Case) {
    run(bencher, Gpu::Software, case);
}

#[divan::bench(args = Case::ALL, sample_count = 40)]
fn gpu(bencher: Bencher<'_, '_>, case: Case) {
    run(bencher, Gpu::Auto, case);
}
