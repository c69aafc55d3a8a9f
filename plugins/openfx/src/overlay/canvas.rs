//! What overlays draw with: the host's DrawSuite, or OpenGL.

use std::ffi::CString;

use openfx_abi::*;

use super::gl::Gl;

pub type Colour = [f32; 4];

pub struct Canvas(Kind);

enum Kind {
    Suite(&'static OfxDrawSuiteV1, OfxDrawContextHandle),
    Gl(&'static Gl),
}

impl Canvas {
    pub fn suite(suite: &'static OfxDrawSuiteV1, context: OfxDrawContextHandle) -> Self {
        Self(Kind::Suite(suite, context))
    }

    pub fn gl(gl: &'static Gl) -> Self {
        Self(Kind::Gl(gl))
    }

    /// A ring of lines.
    pub fn ring(&self, colour: Colour, width: f32, points: &[[f64; 2]]) {
        match self.0 {
            Kind::Suite(suite, context) => {
                self.pen(suite, context, colour, width);
                draw(suite, context, kOfxDrawPrimitiveLineLoop, points);
            }
            Kind::Gl(gl) => gl.ring(colour, width, points),
        }
    }

    /// Lines from each even point to the next.
    pub fn lines(&self, colour: Colour, width: f32, points: &[[f64; 2]]) {
        match self.0 {
            Kind::Suite(suite, context) => {
                self.pen(suite, context, colour, width);
                draw(suite, context, kOfxDrawPrimitiveLines, points);
            }
            Kind::Gl(gl) => gl.lines(colour, width, points),
        }
    }

    /// A word. OpenGL has none.
    pub fn text(&self, colour: Colour, at: [f64; 2], text: &str) {
        let Kind::Suite(suite, context) = self.0 else { return };
        let (Some(write), Ok(text)) = (suite.drawText, CString::new(text)) else { return };
        self.pen(suite, context, colour, 1.0);
        let at = OfxPointD { x: at[0], y: at[1] };
        let alignment = kOfxDrawTextAlignmentLeft | kOfxDrawTextAlignmentBottom;
        // SAFETY: the suite's function, with the context of this action, a string and a place.
        unsafe { write(context, text.as_ptr(), &at, alignment) };
    }

    fn pen(&self, suite: &OfxDrawSuiteV1, context: OfxDrawContextHandle, [r, g, b, a]: Colour, width: f32) {
        let colour = OfxRGBAColourF { r, g, b, a };
        if let Some(set) = suite.setColour {
            // SAFETY: the suite's function, with the context of this action and a colour.
            unsafe { set(context, &colour) };
        }
        if let Some(set) = suite.setLineWidth {
            // SAFETY: as above, with a number.
            unsafe { set(context, width) };
        }
    }
}

fn draw(suite: &OfxDrawSuiteV1, context: OfxDrawContextHandle, primitive: u32, points: &[[f64; 2]]) {
    let points: Vec<_> = points.iter().map(|&[x, y]| OfxPointD { x, y }).collect();
    let (Some(draw), Ok(count)) = (suite.draw, i32::try_from(points.len())) else { return };
    // SAFETY: the suite's function, with the context of this action, and as many points as is said.
    unsafe { draw(context, primitive, points.as_ptr(), count) };
}
