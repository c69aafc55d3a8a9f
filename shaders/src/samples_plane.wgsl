// samples_plane: one 16-bit sample a pixel, such as coverage. Read by reduce, blur and enlarge.

alias Sample = u32;
alias Stored = u32;

fn unpacked(stored: Stored) -> Sample { return stored; }
fn packed(sample: Sample) -> Stored { return sample; }
