//! What reading and writing a clip costs without any model: `cargo bench -p rotomask-cli --bench io -- CLIP [OUTPUT]...`
//!
//! Prints milliseconds per frame by stage. Stages run one after the other here; encoders and decoders may still
//! use threads of their own, so compare with the processor time that the last line gives.

use std::{env, path::PathBuf, time::Instant};

use ffmpeg_next::Rational;
use rotomask_cli::{
    Result,
    picture::Picture,
    sink::{Sink, Target},
    source::Source,
};

fn main() -> Result<()> {
    let mut paths = env::args_os().skip(1).filter(|a| a != "--bench").map(PathBuf::from);
    let Some(input) = paths.next() else {
        println!("give a clip, and outputs to write");
        return Ok(());
    };
    measure(&input, None)?;
    for output in paths {
        measure(&input, Some(Target::new(&output)?))?;
    }
    Ok(())
}

fn measure(input: &std::path::Path, target: Option<Target>) -> Result<()> {
    let cpu = cpu_seconds();
    let start = Instant::now();
    let mut source = Source::open(input, Rational(25, 1))?;
    let mut sink = target.as_ref().map(|target| Sink::create(target, source.info())).transpose()?;
    let mut picture = Picture::default();
    let (mut decode, mut to_rgba, mut from_rgba, mut encode) = (0.0, 0.0, 0.0, 0.0);
    while let Some(frame) = source.next(&mut picture)? {
        decode += frame.decode.as_secs_f64();
        to_rgba += frame.convert.as_secs_f64();
        if let Some(sink) = &mut sink {
            let spent = sink.write(&frame, &picture)?;
            from_rgba += spent.convert.as_secs_f64();
            encode += spent.encode.as_secs_f64();
        }
    }
    let encoder = sink.as_ref().map_or("none".to_owned(), |sink| sink.encoder().to_owned());
    sink.map(Sink::finish).transpose()?;
    let frames = source.position() as f64;
    let ms = |seconds: f64| seconds * 1e3 / frames;
    let info = source.info();
    println!("{} ({}x{}, {frames} frames), encoder {encoder}", input.display(), info.width, info.height);
    println!(
        "  decode {:.2}  to_rgba {:.2}  from_rgba {:.2}  encode {:.2}  all {:.2} ms a frame; processor time {:.2}",
        ms(decode),
        ms(to_rgba),
        ms(from_rgba),
        ms(encode),
        ms(start.elapsed().as_secs_f64()),
        ms(cpu_seconds() - cpu),
    );
    Ok(())
}

/// This process's own time on all processors, where the system has `/proc`; otherwise not a number.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = |field: usize| after_name.split_whitespace().nth(field).and_then(|t| t.parse::<f64>().ok());
    // Fields 14 and 15 of proc(5), in ticks of a hundredth of a second on every Linux.
    ticks(11).zip(ticks(12)).map_or(f64::NAN, |(user, system)| (user + system) / 100.0)
}
