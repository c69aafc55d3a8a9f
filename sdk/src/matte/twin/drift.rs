//! The plain twin of `drift.wgsl`.

use rotomask_shaders::layout::Drift;

use super::plane::{Plane, around};

/// Moments at which the shutter is open.
const OPEN: i32 = 16;
/// Where distances change by less than this, squared, no more is read into it.
const FLAT: i32 = 4096;

/// Chatter as it is to be taken away, 1/1024 pixel.
fn steady(chatter: i32, job: &Drift) -> i32 {
    let size = chatter.abs();
    if size >= 2 * job.limit {
        return 0;
    }
    let kept = match size > job.limit {
        true => (chatter * ((2 * job.limit - size) >> 2)) / (job.limit >> 2).max(1),
        false => chatter,
    };
    (kept * job.steadied) >> 8
}

/// Coverage between pixels; the place is in 1/256 pixel.
fn sample(coverage: &Plane, [x, y]: [i32; 2]) -> u32 {
    let (columns, rows) = (coverage.size.width() as i32 - 1, coverage.size.height() as i32 - 1);
    let at = |v: i32, last: i32| v.clamp(0, last) as usize;
    let (left, right) = (at(x >> 8, columns), at((x >> 8) + 1, columns));
    let (part_x, part_y) = ((x & 255) as u32, (y & 255) as u32);
    let line = |y: i32| {
        let row = coverage.row(at(y, rows));
        (u32::from(row[left]) * (256 - part_x) + u32::from(row[right]) * part_x) >> 8
    };
    (line(y >> 8) * (256 - part_y) + line((y >> 8) + 1) * part_y + 128) >> 8
}

/// Moves the edge by what `times` say: signed distances of the frame itself, and of four around it, or of itself again
/// where there are fewer.
pub fn drift(job: &Drift, coverage: &Plane, times: [&[i32]; 5], into: &mut Plane) {
    let (width, height) = (coverage.size.width(), coverage.size.height());
    let [now, ..] = times;
    let values = [job.value_now, job.value_a, job.value_b, job.value_c, job.value_d];
    let slopes = [job.slope_now, job.slope_a, job.slope_b, job.slope_c, job.slope_d];
    let most = job.reach_px * 256;
    let pixel = |x: usize, y: usize| {
        let i = y * width + x;
        if (now[i] >> 6).abs() >= job.near {
            return coverage.values[i];
        }
        let fitted = |weights: [i32; 5]| {
            times.iter().zip(weights).map(|(time, weight)| (time[i] >> 6) * weight).sum::<i32>() >> 12
        };
        let row = y * width;
        let difference = |from: usize, to: usize| ((now[to] - now[from]) >> 6).clamp(-8191, 8191);
        let across = difference(row + x.saturating_sub(1), row + (x + 1).min(width - 1));
        let down = difference(y.saturating_sub(1) * width + x, (y + 1).min(height - 1) * width + x);
        let square = ((across * across + down * down) >> 8).max(FLAT);
        let along = [across, down].map(|v| v * 65536 / square);
        let moved = |by: i32| along.map(|v| ((by * v) >> 14).clamp(-most, most));
        let middle = [x as i32 * 256, y as i32 * 256];
        if job.shutter == 0 {
            let unseen = times[1..].iter().any(|time| (time[i] >> 6).abs() >= job.far);
            let chatter = if unseen { 0 } else { fitted(values) - (now[i] >> 6) };
            let [dx, dy] = moved(steady(chatter, job) >> 1);
            return sample(coverage, [middle[0] + dx, middle[1] + dy]) as u16;
        }
        let [dx, dy] = moved((fitted(slopes) * job.shutter) >> 9);
        let moment = |k: i32| {
            let place = |v: i32| (v * (2 * k + 1 - OPEN)) >> 5;
            sample(coverage, [middle[0] + place(dx), middle[1] + place(dy)])
        };
        (((0..OPEN).map(moment).sum::<u32>() + 8) >> 4) as u16
    };
    let margin = job.reach_px as usize + 1;
    into.each_tile(
        |x, y| coverage.flat_over(around(x, margin), around(y, margin)),
        |tile| {
            let start = tile.x.start;
            for y in tile.y.clone() {
                tile.row(y).iter_mut().enumerate().for_each(|(i, out)| *out = pixel(start + i, y));
            }
        },
    );
}
