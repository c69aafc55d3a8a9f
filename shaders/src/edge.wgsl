// edge: coverage of a pixel that lies near the zero contour of some field.

// `value` is the field at the pixel, above 0 inside; `across` and `down` are its slopes per pixel, times 2^raise, over
// 2^lower; one of the two is 0. Coverage is half, plus the contour's distance in pixels: value over gradient.
fn from_contour(value: i32, across: i32, down: i32, raise: u32, lower: u32) -> u32 {
    let inside = value > 0;
    let flat = select(0u, FULL, inside);
    let size = u32(abs(value)) >> lower;
    let x = u32(abs(across));
    let y = u32(abs(down));
    if size > (x + y) >> (raise + 1u) { return flat; }
    let n = size << raise;
    let bits = 32u - countLeadingZeros(max(n, max(x, y)));
    let shift = max(bits, 15u) - 15u;
    let gx = x >> shift;
    let gy = y >> shift;
    let gradient = isqrt(gx * gx + gy * gy);
    // No slope at all: the sign alone decides.
    if gradient == 0u { return flat; }
    let distance = ((n >> shift) << 16u) / gradient;
    if distance >= HALF { return flat; }
    return select(HALF - distance, HALF + distance, inside);
}
