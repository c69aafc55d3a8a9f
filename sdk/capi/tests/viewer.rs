//! The viewer in C++ on a virtual display: real events of mouse and keyboard, and what its window shows.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod common;

use common::disc;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// How much larger a clip's pixel is in the window.
const ENLARGED: usize = 4;

/// A process that doesn't outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn started(command: &mut Command) -> (Running, BufReader<ChildStdout>) {
    let name = command.get_program().to_owned();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo xtask setup` installs what is needed", name.display())
    });
    let output = BufReader::new(child.stdout.take().unwrap());
    (Running(child), output)
}

struct Viewer {
    display: String,
    window: String,
    lines: BufReader<ChildStdout>,
    viewer: Running,
    _server: Running,
}

impl Viewer {
    fn open(folder: &Path) -> Self {
        let program = folder.join("viewer");
        let source = common::root().join("host-examples/cpp/viewer.cpp");
        // As every example, it is watched by AddressSanitizer.
        let more = ["-isystem", "/usr/include/SDL2", "-lSDL2", "-g", "-fsanitize=address,undefined"];
        common::build(
            "g++",
            "c++17",
            &source,
            &program,
            &[more.as_slice(), &["-fno-sanitize-recover=all"]].concat(),
        );
        let screen = ["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"];
        let (server, mut number) = started(Command::new("Xvfb").args(screen).stderr(Stdio::null()));
        let mut display = String::new();
        number.read_line(&mut display).unwrap();
        let display = format!(":{}", display.trim());
        let mut viewer = Command::new(&program);
        viewer.args(["clip.mkv", "gpu=off"]).current_dir(folder);
        viewer.env("DISPLAY", &display).env("SDL_VIDEODRIVER", "x11");
        viewer.env("ASAN_OPTIONS", "detect_leaks=1:exitcode=0:log_path=found");
        let (viewer, lines) = started(&mut viewer);
        let mut viewer = Self { display, window: String::new(), lines, viewer, _server: server };
        viewer.wait_for("frame 0, overlay: no mask");
        viewer.window = viewer.xdotool(&["search", "--name", "rotomask"]);
        viewer
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let output = Command::new("xdotool").args(arguments).env("DISPLAY", &self.display).output().unwrap();
        assert!(output.status.success(), "xdotool {arguments:?}: {}", common::said(&output));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Reads what the viewer tells until a line holds `text`.
    fn wait_for(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "the viewer ended before {text:?}");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The pointer to the middle of a clip's pixel.
    fn point(&self, x: usize, y: usize) {
        let [x, y] = [x, y].map(|place| (place * ENLARGED + ENLARGED / 2).to_string());
        self.xdotool(&["mousemove", "--window", &self.window, &x, &y]);
    }

    fn click(&self, x: usize, y: usize, button: &str) {
        self.point(x, y);
        self.xdotool(&["click", button]);
    }

    fn key(&self, key: &str) {
        self.xdotool(&["key", key]);
    }

    /// The window's pixels at places of the clip.
    fn shot<const N: usize>(&mut self, folder: &Path, at: [(usize, usize); N]) -> [[u8; 3]; N] {
        self.key("s");
        let line = self.wait_for("saved ");
        let name = line.trim().strip_prefix("saved ").unwrap();
        let bytes = fs::read(folder.join(name)).unwrap();
        let (width, height) = (disc::CLIP.0 * ENLARGED, disc::CLIP.1 * ENLARGED);
        let head = format!("P6\n{width} {height}\n255\n");
        let pixels = bytes.strip_prefix(head.as_bytes()).expect("a PPM of the window's size");
        at.map(|(x, y)| {
            let place = ((y * ENLARGED + 1) * width + x * ENLARGED + 1) * 3;
            pixels[place..place + 3].try_into().unwrap()
        })
    }
}

fn near(found: [u8; 3], wanted: [u8; 3]) -> bool {
    found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) <= 24)
}

/// Looks through what AddressSanitizer has written: SDL and what it loads, and unloads, leave a little behind, which is
/// no affair of ours.
fn assert_nothing_of_ours_was_found(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("found") {
            let report = fs::read_to_string(path).unwrap();
            let ours = ["rotomask", "host-examples", "ERROR: AddressSanitizer", "runtime error"];
            assert!(!ours.iter().any(|ours| report.contains(ours)), "{report}");
        }
    }
}

/// The disc's colour, the tinted disc's, and the ground's, each to within what is uneven.
const DISC: [u8; 3] = [241, 211, 86];
const TINTED: [u8; 3] = [247, 152, 62];
const GROUND: [u8; 3] = [31, 46, 66];

#[test]
fn a_thing_that_is_clicked_on_is_tinted_followed_corrected_and_cut_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    disc::write_clip(&folder.join("clip.mkv"), 6);
    let mut viewer = Viewer::open(folder);

    // Inside the disc but beside the click, whose dot is drawn; and on the ground.
    let places = [(64, 62), (120, 100)];
    let [inside, outside] = viewer.shot(folder, places);
    assert!(near(inside, DISC) && near(outside, GROUND), "{inside:?} {outside:?}");
    viewer.click(52, 55, "1");
    viewer.wait_for("frame 0, overlay: prompted");
    let [inside, outside, dot] = viewer.shot(folder, [places[0], places[1], (52, 55)]);
    assert!(near(inside, TINTED) && near(outside, GROUND), "{inside:?} {outside:?}");
    assert!(near(dot, [40, 255, 40]), "the click is marked: {dot:?}");

    // Play to the end: the disc is followed to where it has moved, five times three pixels on.
    viewer.key("space");
    viewer.wait_for("frame 5, overlay: tracked");
    let [followed, left_behind] = viewer.shot(folder, [(87, 55), (30, 55)]);
    assert!(near(followed, TINTED) && near(left_behind, GROUND), "{followed:?} {left_behind:?}");

    for (view, wanted) in [("matte", [[255; 3], [0; 3]]), ("cutout", [DISC, [90; 3]])] {
        viewer.key("v");
        viewer.wait_for(&format!("frame 5, {view}: tracked"));
        let found = viewer.shot(folder, [(67, 55), (2, 2)]);
        assert!(near(found[0], wanted[0]) && near(found[1], wanted[1]), "{view}: {found:?}");
    }
    viewer.key("v");
    viewer.wait_for("frame 5, edge: tracked");
    viewer.key("v");
    viewer.wait_for("frame 5, overlay: tracked");

    // A click that subtracts, taken back, said again, taken back.
    viewer.click(10, 100, "3");
    viewer.wait_for("frame 5, overlay: prompted");
    for (key, wanted) in [("u", "tracked"), ("r", "prompted"), ("u", "tracked")] {
        viewer.key(key);
        viewer.wait_for(&format!("frame 5, overlay: {wanted}"));
    }
    viewer.key("Left");
    viewer.wait_for("frame 4, overlay: tracked");
    viewer.key("u");
    viewer.wait_for("frame 4, overlay: no mask");

    // A box is dragged around the disc.
    viewer.point(36, 27);
    viewer.xdotool(&["mousedown", "1"]);
    viewer.point(70, 70);
    viewer.point(92, 83);
    viewer.xdotool(&["mouseup", "1"]);
    viewer.wait_for("frame 4, overlay: prompted");
    let [inside] = viewer.shot(folder, [(64, 55)]);
    assert!(near(inside, TINTED), "{inside:?}");

    viewer.key("q");
    assert!(viewer.viewer.0.wait().unwrap().success());
    assert_nothing_of_ours_was_found(folder);
}
