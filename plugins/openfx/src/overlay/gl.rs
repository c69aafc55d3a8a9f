//! Just enough of OpenGL 1 for an overlay, out of the library that the host has loaded: the host has made its context
//! current before it asks to draw.

use std::sync::OnceLock;

use super::canvas::Colour;

const GL_LINES: u32 = 1;
const GL_LINE_LOOP: u32 = 2;
const GL_CURRENT_LINE_AND_ENABLE_BITS: u32 = 0x0001 | 0x0004 | 0x2000;

pub struct Gl {
    begin: unsafe extern "system" fn(u32),
    end: unsafe extern "system" fn(),
    vertex: unsafe extern "system" fn(f64, f64),
    colour: unsafe extern "system" fn(f32, f32, f32, f32),
    width: unsafe extern "system" fn(f32),
    push: unsafe extern "system" fn(u32),
    pop: unsafe extern "system" fn(),
    _library: libloading::Library,
}

impl Gl {
    /// OpenGL, if there is any.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Gl>> = OnceLock::new();
        SHARED.get_or_init(Self::load).as_ref()
    }

    fn load() -> Option<Self> {
        let name = if cfg!(windows) {
            "opengl32.dll"
        } else if cfg!(target_os = "macos") {
            "/System/Library/Frameworks/OpenGL.framework/OpenGL"
        } else {
            "libGL.so.1"
        };
        // SAFETY: the system's OpenGL, which the host that draws has loaded already.
        let library = unsafe { libloading::Library::new(name) }.ok()?;
        // SAFETY: OpenGL's functions have these types on every system; the library is kept.
        unsafe {
            Some(Self {
                begin: *library.get(b"glBegin\0").ok()?,
                end: *library.get(b"glEnd\0").ok()?,
                vertex: *library.get(b"glVertex2d\0").ok()?,
                colour: *library.get(b"glColor4f\0").ok()?,
                width: *library.get(b"glLineWidth\0").ok()?,
                push: *library.get(b"glPushAttrib\0").ok()?,
                pop: *library.get(b"glPopAttrib\0").ok()?,
                _library: library,
            })
        }
    }

    pub fn ring(&self, colour: Colour, width: f32, points: &[[f64; 2]]) {
        self.draw(GL_LINE_LOOP, colour, width, points);
    }

    pub fn lines(&self, colour: Colour, width: f32, points: &[[f64; 2]]) {
        self.draw(GL_LINES, colour, width, points);
    }

    fn draw(&self, kind: u32, [r, g, b, a]: Colour, width: f32, points: &[[f64; 2]]) {
        // SAFETY: called in a draw action, in which the host's context is current; state is put back.
        unsafe {
            (self.push)(GL_CURRENT_LINE_AND_ENABLE_BITS);
            (self.colour)(r, g, b, a);
            (self.width)(width);
            (self.begin)(kind);
            points.iter().for_each(|&[x, y]| (self.vertex)(x, y));
            (self.end)();
            (self.pop)();
        }
    }
}
