// samples_plane: one 16-bit sample a pixel, such as coverage. Read by reduce, blur and enlarge.

alias Sample = u32;
alias Stored = u32;

fn unpacked(stored: Stored) -> Sample { return stored; }
// The sum of values times weights that add up to `total`, rounded.
fn packed(sum: Sample, total: u32) -> Stored { return (sum + total / 2u) / total; }
fn weighted(value: Sample, weight: u32) -> Sample { return value * weight; }
