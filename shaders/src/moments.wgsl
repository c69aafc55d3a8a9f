// moments: the means over every square of pixels that a colour guided filter needs (He, Sun and Tang 2013, section 3;
// on fewer pixels as in He and Sun 2015), its first pass. They are blurred next.
//
// plate, tables  see guide
// coverage       16-bit samples, row-major
// first          out: the guide's red, green, blue; coverage, 0 to 1
// second         out: red*red, red*green, red*blue, green*green
// third          out: green*blue, blue*blue, red*coverage, green*coverage
// fourth         out: blue*coverage
//
// Beyond the border the last pixel counts. Colour and coverage are rounded to whole multiples of 1/4096: a product of two
// is then exact, whether or not a driver fuses it with its sum, and no compiler takes a root's square for what the root
// was of.

struct Moments {
    width_px: u32,
    height_px: u32,
    small_width: u32,
    small_height: u32,
    // Side of the square, pixels: a power of two.
    factor: u32,
    // What a pixel is, see `pixels`.
    kind: u32,
}

@group(0) @binding(0) var<uniform> job: Moments;
@group(0) @binding(4) var<storage, read_write> first: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> second: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> third: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> fourth: array<vec4<f32>>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.small_width || id.y >= job.small_height { return; }
    var a = vec4<f32>();
    var b = vec4<f32>();
    var c = vec4<f32>();
    var d = 0.0;
    for (var j = 0u; j < job.factor; j += 1u) {
        let y = min(id.y * job.factor + j, job.height_px - 1u);
        for (var i = 0u; i < job.factor; i += 1u) {
            let at = y * job.width_px + min(id.x * job.factor + i, job.width_px - 1u);
            let g = vec3<f32>(vec3<u32>(guide(at, job.kind) * 4096.0 + 0.5)) * (1.0 / 4096.0);
            let p = f32((coverage[at] * 4096u + 32767u) / 65535u) * (1.0 / 4096.0);
            a += vec4<f32>(g, p);
            b += vec4<f32>(g.r * g.r, g.r * g.g, g.r * g.b, g.g * g.g);
            c += vec4<f32>(g.g * g.b, g.b * g.b, g.r * p, g.g * p);
            d += g.b * p;
        }
    }
    let share = 1.0 / f32(job.factor * job.factor);
    let i = id.y * job.small_width + id.x;
    first[i] = a * share;
    second[i] = b * share;
    third[i] = c * share;
    fourth[i] = vec4<f32>(d * share, 0.0, 0.0, 0.0);
}
