// common: what every kernel shares.
//
// Samples are 16-bit whole numbers held in a u32: 0 is nothing, FULL is all. Kernels calculate in whole numbers
// only, so that a GPU, a software GPU and the CPU's twin give the same bits whatever their rounding.

const FULL: u32 = 65535u;
const HALF: u32 = 32768u;

// a * b where FULL means 1, rounded to the nearest.
fn scale16(a: u32, b: u32) -> u32 {
    return (a * b + 32767u) / FULL;
}

// The largest whole number whose square is not above `v`. `v` is below 65535 squared.
// The float square root is only a first guess, so its precision doesn't matter.
fn isqrt(v: u32) -> u32 {
    var root = min(u32(sqrt(f32(v))), 65534u);
    while root * root > v { root -= 1u; }
    while (root + 1u) * (root + 1u) <= v { root += 1u; }
    return root;
}
