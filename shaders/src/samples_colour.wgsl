// samples_colour: four 16-bit samples a pixel: premultiplied linear red, green, blue, and alpha.
// Read by reduce, blur and enlarge.

alias Sample = vec4<u32>;
alias Stored = vec2<u32>;

fn unpacked(stored: Stored) -> Sample {
    return vec4<u32>(stored.x & 0xffffu, stored.x >> 16u, stored.y & 0xffffu, stored.y >> 16u);
}
fn packed(sample: Sample) -> Stored {
    return vec2<u32>(sample.x | sample.y << 16u, sample.z | sample.w << 16u);
}
