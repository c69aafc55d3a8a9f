// pixels: a host's 8-bit pixels, four bytes in a u32, sRGB-encoded and straight.

// Bytes of `pixel` as red, green, blue, alpha.
fn bytes(pixel: u32, bgra: u32) -> vec4<u32> {
    let b = (vec4<u32>(pixel) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
    return select(b, b.zyxw, bgra != 0u);
}

fn pixel(bytes: vec4<u32>, bgra: u32) -> u32 {
    let b = select(bytes, bytes.zyxw, bgra != 0u);
    return b.x | b.y << 8u | b.z << 16u | b.w << 24u;
}
