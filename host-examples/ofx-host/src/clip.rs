//! Frames that clips give, and the forms in which a plugin may meet them.

use half::f16;

/// Frames of a clip: 8-bit RGBA, straight, the top row first, packed.
pub trait Frames: Send + Sync {
    /// Columns and rows.
    fn size(&self) -> [u32; 2];
    /// How many there are, from frame 0 on.
    fn count(&self) -> u32;
    /// A frame's pixels; the nearest one's outside.
    fn pixels(&self, frame: i64) -> &[u8];
}

/// Frames in memory.
pub struct Stored {
    /// Columns and rows.
    pub size: [u32; 2],
    /// All frames.
    pub frames: Vec<Vec<u8>>,
}

impl Frames for Stored {
    fn size(&self) -> [u32; 2] {
        self.size
    }

    fn count(&self) -> u32 {
        self.frames.len() as u32
    }

    fn pixels(&self, frame: i64) -> &[u8] {
        let last = self.frames.len() as i64 - 1;
        &self.frames[frame.clamp(0, last.max(0)) as usize]
    }
}

/// A channel's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "names say it")]
pub enum Depth {
    #[default]
    Byte,
    Short,
    Half,
    Float,
}

/// What a pixel has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "names say it")]
pub enum Components {
    #[default]
    Rgba,
    Rgb,
    Alpha,
}

/// How an image is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// Numbers.
    pub depth: Depth,
    /// Channels.
    pub components: Components,
    /// The bottom row comes last in memory, so that row bytes are negative.
    pub downwards: bool,
    /// Bytes between rows.
    pub padding: usize,
    /// Where the frame's lower left corner is, in pixels.
    pub offset: [i32; 2],
    /// Render scale.
    pub scale: f64,
    /// Width of a pixel to its height.
    pub aspect: f64,
    /// Codes are multiplied by alpha.
    pub premultiplied: bool,
    /// The source has this alpha, left to right from opaque; off: opaque.
    pub has_soft_alpha: bool,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            depth: Depth::Byte,
            components: Components::Rgba,
            downwards: false,
            padding: 0,
            offset: [0, 0],
            scale: 1.0,
            aspect: 1.0,
            premultiplied: false,
            has_soft_alpha: false,
        }
    }
}

impl Depth {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Byte, Self::Short, Self::Half, Self::Float];

    /// Bytes of a channel.
    pub fn bytes(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Short | Self::Half => 2,
            Self::Float => 4,
        }
    }

    /// Writes a channel from 0 to 1.
    pub fn put(self, value: f32, out: &mut [u8]) {
        match self {
            Self::Byte => out[0] = (value * 255.0 + 0.5).clamp(0.0, 255.0) as u8,
            Self::Short => {
                out.copy_from_slice(&((value * 65535.0 + 0.5).clamp(0.0, 65535.0) as u16).to_ne_bytes())
            }
            Self::Half => out.copy_from_slice(&f16::from_f32(value).to_ne_bytes()),
            Self::Float => out.copy_from_slice(&value.to_ne_bytes()),
        }
    }

    /// Reads a channel on a scale from 0 to 1.
    pub fn get(self, bytes: &[u8]) -> f32 {
        match self {
            Self::Byte => f32::from(bytes[0]) / 255.0,
            Self::Short => f32::from(u16::from_ne_bytes([bytes[0], bytes[1]])) / 65535.0,
            Self::Half => f16::from_ne_bytes([bytes[0], bytes[1]]).to_f32(),
            Self::Float => f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        }
    }
}

impl Components {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rgba, Self::Rgb, Self::Alpha];

    /// How many channels.
    pub fn count(self) -> usize {
        match self {
            Self::Rgba => 4,
            Self::Rgb => 3,
            Self::Alpha => 1,
        }
    }
}

impl Form {
    /// Bytes of a pixel.
    pub fn pixel_bytes(&self) -> usize {
        self.depth.bytes() * self.components.count()
    }

    /// Columns and rows of a frame at this scale.
    pub fn scaled(&self, [w, h]: [u32; 2]) -> [u32; 2] {
        [w, h].map(|side| ((f64::from(side) * self.scale).round() as u32).max(1))
    }

    /// A pixel of a frame in this form's numbers, from the top left: red, green, blue and alpha.
    pub fn pixel(&self, frame: &[u8], size: [u32; 2], x: u32, y: u32) -> [f32; 4] {
        let scaled = self.scaled(size);
        let at =
            |at: u32, scaled: u32, full: u32| (u64::from(at) * u64::from(full) / u64::from(scaled)) as usize;
        let (column, row) = (at(x, scaled[0], size[0]), at(y, scaled[1], size[1]));
        let from = (row * size[0] as usize + column) * 4;
        let mut rgba: [f32; 4] = std::array::from_fn(|c| f32::from(frame[from + c]) / 255.0);
        rgba[3] = 1.0;
        if self.has_soft_alpha && self.components == Components::Rgba {
            rgba[3] = 1.0 - 0.75 * x as f32 / scaled[0] as f32;
        }
        rgba
    }

    /// Writes a pixel as a plugin meets it.
    pub fn put(&self, mut rgba: [f32; 4], out: &mut [u8]) {
        if self.premultiplied {
            for c in 0..3 {
                rgba[c] *= rgba[3];
            }
        }
        let channels: &[f32] = match self.components {
            Components::Rgba => &rgba,
            Components::Rgb => &rgba[..3],
            Components::Alpha => &rgba[..1],
        };
        for (value, out) in channels.iter().zip(out.chunks_exact_mut(self.depth.bytes())) {
            self.depth.put(*value, out);
        }
    }
}
