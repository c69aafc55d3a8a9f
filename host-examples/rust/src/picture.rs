//! The one kind of pixels that this program works on: 8-bit RGBA, straight alpha, top row first.

/// Rows begin at multiples of this many bytes, and as many follow the last row: swscale's vector loops write
/// and read past a row's end.
const PADDING: usize = 64;

/// Pixels with padded rows. Its buffer is kept when its size changes, so that pictures can be used again.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

impl Picture {
    /// A transparent black picture.
    pub fn new(width: u32, height: u32) -> Self {
        let mut picture = Self::default();
        picture.reshape(width, height);
        picture
    }

    /// Rows without gaps, as the `image` crate has them; its length is `width * height * 4`.
    pub fn from_packed(width: u32, height: u32, packed: &[u8]) -> Self {
        let mut picture = Self::new(width, height);
        for (y, row) in packed.chunks_exact((width as usize * 4).max(1)).take(height as usize).enumerate() {
            picture.row_mut(y).copy_from_slice(row);
        }
        picture
    }

    /// Takes another size. The pixels are whatever they were.
    pub fn reshape(&mut self, width: u32, height: u32) {
        (self.width, self.height) = (width, height);
        self.bytes.resize(self.stride() * height as usize + PADDING, 0);
    }

    /// Columns.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Bytes from a row to the next.
    pub fn stride(&self) -> usize {
        (self.width as usize * 4).next_multiple_of(PADDING)
    }

    /// All bytes: the first pixel of the top row first, padding included.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All bytes, to write.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// A row without its padding.
    pub fn row(&self, y: usize) -> &[u8] {
        &self.bytes[y * self.stride()..][..self.width as usize * 4]
    }

    /// A row without its padding, to write.
    pub fn row_mut(&mut self, y: usize) -> &mut [u8] {
        let (stride, width) = (self.stride(), self.width as usize);
        &mut self.bytes[y * stride..][..width * 4]
    }

    /// All rows without their padding.
    pub fn to_packed(&self) -> Vec<u8> {
        (0..self.height as usize).flat_map(|y| self.row(y)).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_odd_picture_survives_packing() {
        let packed: Vec<u8> = (0..5 * 3 * 4).collect();
        let picture = Picture::from_packed(5, 3, &packed);
        assert_eq!(picture.row(2), &packed[40..]);
        assert_eq!(picture.to_packed(), packed);
    }

    #[test]
    fn rows_are_padded_and_something_follows_the_last_one() {
        let picture = Picture::new(17, 3);
        assert_eq!(picture.stride(), 128);
        assert!(picture.bytes().len() > 128 * 3);
    }
}
