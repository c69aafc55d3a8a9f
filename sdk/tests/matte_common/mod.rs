//! Frames as hosts hold them, for the matte's tests.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use rotomask::frame::{FrameView, FrameViewMut, Layout, PixelFormat, Size};

/// What padding is filled with, so that a write to it shows.
pub const PADDING: u8 = 0xA5;

#[derive(Clone)]
pub struct Host {
    pub layout: Layout,
    pub bytes: Vec<u8>,
}

impl Host {
    /// `padding` bytes after each row; below 0, or -1 for none, the bottom row lies first.
    pub fn new(size: Size, format: PixelFormat, padding: isize) -> Self {
        let row = size.width() * format.bytes_per_pixel();
        let mut stride = (row + padding.unsigned_abs()) as isize;
        stride = (stride as usize).next_multiple_of(format.depth().bytes()) as isize;
        let layout = Layout::new(size, format, if padding < 0 { -stride } else { stride }).unwrap();
        Self { layout, bytes: vec![PADDING; layout.span_bytes()] }
    }

    pub fn view(&self) -> FrameView<'_> {
        FrameView::new(self.layout, &self.bytes).unwrap()
    }

    pub fn view_mut(&mut self) -> FrameViewMut<'_> {
        FrameViewMut::new(self.layout, &mut self.bytes).unwrap()
    }

    pub fn pixel(&self, x: usize, y: usize) -> &[u8] {
        let bytes = self.layout.format.bytes_per_pixel();
        &self.view().row(y)[x * bytes..][..bytes]
    }

    pub fn float(&self, x: usize, y: usize) -> f32 {
        f32::from_ne_bytes(self.pixel(x, y).try_into().unwrap())
    }
}

pub fn size(w: u32, h: u32) -> Size {
    Size::new(w, h).unwrap()
}

/// Fills the pixels, not the padding, with bytes that look like noise; alpha is often full.
pub fn noise(mut host: Host, seed: u32) -> Host {
    let (format, height) = (host.layout.format, host.layout.size.height());
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    for y in 0..height {
        for (i, byte) in host.view_mut().row_mut(y).iter_mut().enumerate() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let alpha = format != PixelFormat::Rgb8 && i % 4 == 3;
            *byte = if alpha && state >> 30 != 0 { 255 } else { (state >> 24) as u8 };
        }
    }
    host
}

/// A blob with a hole and a tail, and slopes of every strength.
pub fn round_logits(size: Size) -> Vec<f32> {
    let (w, h) = (size.width() as f32, size.height() as f32);
    (0..size.area_px())
        .map(|i| {
            let x = (i % size.width()) as f32 / w - 0.45;
            let y = (i / size.width()) as f32 / h - 0.5;
            let away = (x * x + y * y).sqrt();
            let ring = 0.3 - away + 0.06 * (5.0 * y.atan2(x)).sin();
            (ring.min(away - 0.08) * 40.0).max(6.0 - 90.0 * (y - 0.4 * x).abs() - 20.0 * (x - 0.2).abs())
        })
        .collect()
}
