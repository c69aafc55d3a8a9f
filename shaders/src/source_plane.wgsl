// source_plane: reduce takes coverage, 16-bit samples.

@group(0) @binding(1) var<storage, read> source: array<u32>;

fn source_at(i: u32) -> Sample { return source[i]; }
