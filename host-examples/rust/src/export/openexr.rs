//! OpenEXR files: all mattes of a frame in one, as layers and as Cryptomatte.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use exr::{
    image::{AnyChannel, AnyChannels, Blocks, Encoding, FlatSamples, Image, Layer, write::WritableImage},
    meta::{
        attribute::{AttributeValue, LineOrder, Text},
        header::LayerAttributes,
    },
    prelude::{Compression, SmallVec, f16},
};
use ffmpeg_next::Rational;
use serde_json::{Map, Value};

use super::{
    cryptomatte::{Cryptomatte, ascii_json},
    names::Named,
};
use crate::{Error, Result, partial::Partial, sink::Pattern};

/// What coverage is divided by.
const FULL: f32 = 65535.0;

/// A file for each frame.
pub struct OpenExr {
    pattern: Pattern,
    layers: Vec<String>,
    cryptomatte: Cryptomatte,
    attributes: Vec<(String, String)>,
    rate: Rational,
}

/// What goes into a frame's file. All have as many pixels as the frame.
pub struct Content<'a> {
    /// Columns and rows.
    pub size: (u32, u32),
    /// The frame's number.
    pub frame: u64,
    /// Coverage of all objects together, 0 to 65535.
    pub all: &'a [u16],
    /// Coverage of each object, in the order of their names.
    pub each: Vec<&'a [u16]>,
    /// The cut-out, premultiplied, in linear light: red, green, blue and alpha.
    pub colour: Option<&'a [f32]>,
}

impl OpenExr {
    /// Files named by a pattern, of these objects, at so many frames per second.
    pub fn new(pattern: Pattern, objects: &[Named], rate: Rational) -> Self {
        let names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
        let cryptomatte = Cryptomatte::new(&names);
        let table: Map<String, Value> =
            objects.iter().map(|o| (o.layer.clone(), Value::String(o.name.clone()))).collect();
        let mut attributes = cryptomatte.attributes();
        attributes.push(("rotomask/layers".into(), ascii_json(&Value::Object(table))));
        let layers = objects.iter().map(|object| object.layer.clone()).collect();
        Self { pattern, layers, cryptomatte, attributes, rate }
    }

    /// Writes a frame's file, whole or not at all.
    ///
    /// # Errors
    /// If it can't be written. An older file of that name stays then.
    pub fn write(&self, content: &Content<'_>) -> Result<()> {
        let path = self.pattern.path(content.frame);
        let partial = Partial::create(&path)?;
        self.write_to(partial.path(), content).map_err(|problem| Error::file(&path, problem))?;
        partial.publish()
    }

    fn write_to(&self, path: &Path, content: &Content<'_>) -> std::result::Result<(), String> {
        let mut file = BufWriter::new(File::create(path).map_err(|e| e.to_string())?);
        self.image(content).write().to_buffered(&mut file).map_err(|e| e.to_string())?;
        file.flush().map_err(|e| e.to_string())
    }

    fn image(&self, content: &Content<'_>) -> Image<Layer<AnyChannels<FlatSamples>>> {
        let Content { size: (width, height), frame, all, each, colour } = content;
        let half = |coverage: &[u16]| {
            FlatSamples::F16(coverage.iter().map(|c| f16::from_f32(f32::from(*c) / FULL)).collect())
        };
        let mut list: SmallVec<[AnyChannel<FlatSamples>; 4]> = SmallVec::new();
        let mut add = |name: &str, samples: FlatSamples| list.push(AnyChannel::new(name, samples));
        add("A", half(all));
        for (channel, name) in ["R", "G", "B"].into_iter().enumerate() {
            add(
                name,
                match colour {
                    Some(colour) => {
                        let one = colour.chunks_exact(4).map(|pixel| f16::from_f32(pixel[channel]));
                        FlatSamples::F16(one.collect())
                    }
                    None => half(all),
                },
            );
        }
        for (layer, coverage) in self.layers.iter().zip(each) {
            add(&format!("{layer}.A"), half(coverage));
        }
        for (name, values) in self.cryptomatte.channels(each, all.len()) {
            add(&name, FlatSamples::F32(values));
        }
        let attributes = LayerAttributes {
            frames_per_second: u32::try_from(self.rate.denominator())
                .ok()
                .map(|seconds| (self.rate.numerator(), seconds)),
            software_name: Text::new_or_none(concat!("rotomask ", env!("CARGO_PKG_VERSION"))),
            ..LayerAttributes::default()
        };
        // Lossless, as Cryptomatte's numbers must be; blocks of 16 lines, in order: the same bytes in every run.
        let encoding = Encoding {
            compression: Compression::ZIP16,
            blocks: Blocks::ScanLines,
            line_order: LineOrder::Increasing,
        };
        let size = (*width as usize, *height as usize);
        let mut image = Image::from_layer(Layer::new(size, attributes, encoding, AnyChannels::sort(list)));
        for (name, value) in &self.attributes {
            // Both are ASCII, which every `Text` can hold.
            if let (Some(name), Some(value)) = (Text::new_or_none(name), Text::new_or_none(value)) {
                image.attributes.other.insert(name, AttributeValue::Text(value));
            }
        }
        if let (Some(name), Ok(frame)) = (Text::new_or_none("imageCounter"), i32::try_from(*frame)) {
            image.attributes.other.insert(name, AttributeValue::I32(frame));
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::names::named;
    use exr::prelude::{ReadChannels, ReadLayers, read};

    #[test]
    fn a_file_has_a_layer_for_each_object_and_their_names_survive() {
        let folder = tempfile::tempdir().unwrap();
        let objects = named([(1, "arm.left"), (2, "мяч")]);
        let pattern = Pattern::new(&folder.path().join("m.%04d.exr")).unwrap();
        let (wide, narrow) = (vec![65535u16; 35], (0..35u16).map(|n| n * 1000).collect::<Vec<_>>());
        let content =
            Content { size: (7, 5), frame: 1001, all: &wide, each: vec![&narrow, &wide], colour: None };
        OpenExr::new(pattern, &objects, Rational(24000, 1001)).write(&content).unwrap();

        let read = read().no_deep_data().largest_resolution_level().all_channels().first_valid_layer();
        let image = read.all_attributes().from_file(folder.path().join("m.1001.exr")).unwrap();
        let layer = &image.layer_data;
        let names: Vec<String> = layer.channel_data.list.iter().map(|c| c.name.to_string()).collect();
        let crypto = ["A", "B", "G", "R"].map(|c| format!("CryptoObject00.{c}"));
        let wanted = ["A", "B"].map(str::to_owned).into_iter().chain(crypto);
        let wanted: Vec<String> =
            wanted.chain(["G", "R", "arm_left.A", "object_2.A"].map(str::to_owned)).collect();
        assert_eq!(names, wanted);
        for channel in &layer.channel_data.list {
            let deep = matches!(channel.sample_data, FlatSamples::F32(_));
            assert_eq!(deep, channel.name.to_string().starts_with("Crypto"), "{}", channel.name);
        }
        let arm = layer.channel_data.list.iter().find(|c| c.name.to_string() == "arm_left.A").unwrap();
        for (found, wanted) in arm.sample_data.values_as_f32().zip(&narrow) {
            let wanted = f32::from(*wanted) / 65535.0;
            assert!((found - wanted).abs() <= wanted / 2048.0, "{found} {wanted}");
        }
        // A reader can't tell what belongs to the image from what belongs to its only layer.
        let other = &layer.attributes.other;
        let text = |name: &str| match &other[&Text::new_or_panic(name)] {
            AttributeValue::Text(text) => text.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text("rotomask/layers"), r#"{"arm_left":"arm.left","object_2":"\u043c\u044f\u0447"}"#);
        assert!(text("cryptomatte/3ae39a5/manifest").contains("arm.left"));
        assert_eq!(other[&Text::new_or_panic("imageCounter")], AttributeValue::I32(1001));
        assert_eq!(layer.attributes.frames_per_second, Some((24000, 1001)));
        assert_eq!(layer.encoding.compression, Compression::ZIP16);
    }

    #[test]
    fn a_folder_that_is_missing_is_told_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let pattern = Pattern::new(&folder.path().join("no/%d.exr")).unwrap();
        let content = Content { size: (1, 1), frame: 0, all: &[0], each: vec![&[0]], colour: None };
        let said = OpenExr::new(pattern, &named([(1, "a")]), Rational(25, 1)).write(&content).unwrap_err();
        assert!(said.to_string().contains("there is no folder"), "{said}");
    }
}
