//! A bright disc on a dark ground: a picture, a clip in which it moves, and how well a mask fits it.

use std::{fs, path::Path, process::Command};

pub const WIDTH: usize = 161;
pub const HEIGHT: usize = 119;
pub const CENTRE: (f64, f64) = (62.0, 55.0);
pub const RADIUS: f64 = 27.0;

/// Of clips: even, as their codecs want it.
pub const CLIP: (usize, usize) = (160, 120);

/// Where the disc is on a frame of a clip: three pixels further each time, and back from the right.
pub fn centre_on(frame: usize) -> (f64, f64) {
    let moved = frame % 40;
    (52.0 + 3.0 * moved.min(40 - moved) as f64, 55.0)
}

pub fn in_disc(place: usize, width: usize, centre: (f64, f64)) -> bool {
    let (x, y) = ((place % width) as f64, (place / width) as f64);
    (x - centre.0).hypot(y - centre.1) < RADIUS
}

/// Red, green, blue; a little uneven.
fn colour(place: usize, width: usize, centre: (f64, f64)) -> [u8; 3] {
    let uneven = (place * 7919 % 13) as u8;
    let [r, g, b] = if in_disc(place, width, centre) { [235, 205, 80] } else { [25, 40, 60] };
    [r + uneven, g + uneven, b + uneven]
}

/// A picture that is wide and odd.
pub fn write_ppm(path: &Path, comment: &str) {
    let mut bytes = format!("P6\n{comment}{WIDTH} {HEIGHT}\n255\n").into_bytes();
    (0..WIDTH * HEIGHT).for_each(|place| bytes.extend(colour(place, WIDTH, CENTRE)));
    fs::write(path, bytes).unwrap();
}

/// A clip of so many frames, without loss.
pub fn write_clip(path: &Path, frames: usize) {
    let (width, height) = CLIP;
    let raw = path.with_extension("rgb");
    let pixels = (0..frames)
        .flat_map(|frame| (0..width * height).flat_map(move |at| colour(at, width, centre_on(frame))));
    fs::write(&raw, pixels.collect::<Vec<u8>>()).unwrap();
    let size = format!("{width}x{height}");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args([
        "-v",
        "error",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-framerate",
        "25",
        "-video_size",
        &size,
    ]);
    ffmpeg.arg("-i").arg(&raw).args(["-c:v", "ffv1", "-pix_fmt", "bgr0"]).arg(path);
    let output = ffmpeg.output().unwrap();
    assert!(output.status.success(), "{}", super::said(&output));
}

/// All frames of a video as raw pixels.
pub fn read_raw(path: &Path, pixels: &str) -> Vec<u8> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-i"]).arg(path);
    let output = ffmpeg.args(["-f", "rawvideo", "-pix_fmt", pixels, "-"]).output().unwrap();
    assert!(output.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A binary PGM's pixels.
pub fn read_pgm(path: &Path, (width, height): (usize, usize)) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let head = format!("P5\n{width} {height}\n255\n");
    bytes.strip_prefix(head.as_bytes()).expect("a PGM of the picture's size").to_vec()
}

/// Intersection over union of a mask, 0 or 255, with the disc. Swapped axes or a missed click give under a half.
pub fn overlap(mask: &[u8], width: usize, centre: (f64, f64)) -> f64 {
    assert!(mask.iter().all(|&pixel| pixel == 0 || pixel == 255));
    let (mut both, mut either) = (0, 0);
    for (place, &pixel) in mask.iter().enumerate() {
        both += u32::from(in_disc(place, width, centre) && pixel == 255);
        either += u32::from(in_disc(place, width, centre) || pixel == 255);
    }
    f64::from(both) / f64::from(either)
}
