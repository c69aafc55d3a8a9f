// samples_colour: premultiplied linear red, green, blue, and alpha. Read by reduce, blur and enlarge.

alias Sample = vec4<f32>;
alias Stored = vec4<f32>;

fn unpacked(stored: Stored) -> Sample { return stored; }
// The sum of values times weights that add up to `total`.
fn packed(sum: Sample, total: u32) -> Stored { return sum * (1.0 / f32(total)); }
fn weighted(value: Sample, weight: u32) -> Sample { return value * f32(weight); }
