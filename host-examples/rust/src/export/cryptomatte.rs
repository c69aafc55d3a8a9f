//! Cryptomatte: which objects cover a pixel, and how much, by numbers that stand for names.
//!
//! After Psyop's specification, version 1.2.0 (github.com/Psyop/Cryptomatte): names are hashed by MurmurHash3, the hash's bits
//! are read as a float, and the objects of a pixel are ranked by their coverage, two to a layer of four channels.

use serde_json::{Map, Value};

/// The kind of name that is hashed, and the beginning of the layers' names.
pub const TYPE: &str = "CryptoObject";
/// The same in small letters.
pub const TYPE_LOWER: &str = "cryptoobject";

/// The most objects of a pixel that are kept: the number that the specification suggests.
const MOST_RANKS: usize = 6;
/// Objects in a layer of red, green, blue and alpha.
const RANKS_OF_A_LAYER: usize = 2;

/// What coverage is divided by.
const FULL: f32 = 65535.0;

/// An object's number: the hash of its name, with an exponent that makes it a number and not infinite.
pub fn id(name: &str) -> f32 {
    let hash = hash(name);
    let exponent = ((hash >> 23) & 0xff).clamp(1, 254);
    f32::from_bits(hash & 0x807f_ffff | exponent << 23)
}

fn hash(name: &str) -> u32 {
    murmur3::murmur3_32(&mut name.as_bytes(), 0).expect("reading from memory can't fail")
}

/// How an EXR file's mattes are encoded, the same for every frame of a shot.
#[derive(Clone, Debug)]
pub struct Cryptomatte {
    ids: Vec<f32>,
    layers: usize,
    manifest: String,
}

impl Cryptomatte {
    /// For objects of these names, no two of which have the same number.
    pub fn new(names: &[&str]) -> Self {
        let ids: Vec<f32> = names.iter().map(|name| id(name)).collect();
        let digits = |id: &f32| Value::String(format!("{:08x}", id.to_bits()));
        let table: Map<String, Value> =
            names.iter().zip(&ids).map(|(name, id)| ((*name).to_owned(), digits(id))).collect();
        let layers = ids.len().min(MOST_RANKS).div_ceil(RANKS_OF_A_LAYER).max(1);
        Self { ids, layers, manifest: ascii_json(&Value::Object(table)) }
    }

    /// The metadata that a file must have, by name.
    pub fn attributes(&self) -> Vec<(String, String)> {
        let key = &format!("{:08x}", hash(TYPE))[..7];
        let all = [
            ("name", TYPE),
            ("hash", "MurmurHash3_32"),
            ("conversion", "uint32_to_float32"),
            ("manifest", &self.manifest),
        ];
        all.map(|(name, value)| (format!("cryptomatte/{key}/{name}"), value.to_owned())).into()
    }

    /// Channels by name, each of `pixels` numbers; they must be kept as 32-bit floats. `mattes` are the objects' coverage, 0
    /// to 65535, in the order of their names.
    ///
    /// Each object has the coverage of its own matte, so that picking it gives the matte back; where mattes overlap, their
    /// sum is above 1. Of more than six objects on a pixel the least are left out.
    pub fn channels(&self, mattes: &[&[u16]], pixels: usize) -> Vec<(String, Vec<f32>)> {
        let mut channels: Vec<(String, Vec<f32>)> = Vec::new();
        for layer in 0..self.layers {
            // Number and coverage of one rank, then of the next.
            channels
                .extend(["R", "G", "B", "A"].map(|c| (format!("{TYPE}{layer:02}.{c}"), vec![0.0; pixels])));
        }
        let ranks = self.layers * RANKS_OF_A_LAYER;
        let mut found: Vec<(u16, f32)> = Vec::new();
        for pixel in 0..pixels {
            found.clear();
            let each =
                mattes.iter().zip(&self.ids).map(|(matte, id)| (matte.get(pixel).copied().unwrap_or(0), *id));
            found.extend(each.filter(|(coverage, _)| *coverage > 0));
            // Stable: of two with equal coverage, the first stays first from frame to frame.
            found.sort_by_key(|(coverage, _)| std::cmp::Reverse(*coverage));
            for (rank, (coverage, id)) in found.iter().take(ranks).enumerate() {
                channels[2 * rank].1[pixel] = *id;
                channels[2 * rank + 1].1[pixel] = f32::from(*coverage) / FULL;
            }
        }
        channels
    }
}

/// JSON with nothing but ASCII in it: readers of EXR metadata don't agree on what other bytes mean.
pub fn ascii_json(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            let mut units = [0; 2];
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Psyop's own tests expect of `mm3hash_float`.
    #[test]
    fn names_have_the_numbers_of_psyops_own_tests() {
        for (name, wanted) in [
            ("hello", 6.070_562_710_24e-17_f64),
            ("cube", -4.084_619_125_19e15),
            ("sphere", 2.790_186_043_83e15),
            ("plane", 3.665_575_617_593e-11),
            ("равнина", -1.319_263_121_24e-25),
            ("mädchen", 6.236_129_821_16e25),
        ] {
            let found = f64::from(id(name));
            assert!((found / wanted - 1.0).abs() < 1e-6, "{name}: {found:e}, wanted {wanted:e}");
        }
    }

    /// The examples of metadata that the specification prints.
    #[test]
    fn the_manifest_is_the_one_of_the_specifications_example() {
        let attributes = Cryptomatte::new(&["default", "bunny"]).attributes();
        let find = |end: &str| attributes.iter().find(|(name, _)| name.ends_with(end)).unwrap().clone();
        let manifest = find("/manifest");
        assert_eq!(manifest.1, r#"{"bunny":"13851a76","default":"42c9679f"}"#);
        // The key is any seven characters that stay the same; the specification suggests the type's hash.
        assert_eq!(manifest.0, "cryptomatte/3ae39a5/manifest");
        assert_eq!(find("/name").1, "CryptoObject");
        assert_eq!(format!("{:08x}", id("bunny_porcelain_mat").to_bits()), "b24b26d4");
    }

    #[test]
    fn no_name_is_infinite_or_no_number() {
        for n in 0..20_000 {
            assert!(id(&format!("object {n}")).is_normal());
        }
    }

    #[test]
    fn the_manifest_is_ascii_and_reads_back_as_it_was() {
        let name = "größe \"мяч\" 🐇";
        let manifest = Cryptomatte::new(&[name]).manifest;
        assert!(manifest.is_ascii(), "{manifest}");
        let back: Map<String, Value> = serde_json::from_str(&manifest).unwrap();
        assert_eq!(back.keys().collect::<Vec<_>>(), [name]);
    }

    #[test]
    fn objects_are_ranked_by_coverage_and_each_keeps_its_own() {
        let names = ["a", "b", "c"];
        let mattes: [&[u16]; 3] = [&[65535, 10, 0], &[0, 20, 0], &[65535, 30, 0]];
        let channels = Cryptomatte::new(&names).channels(&mattes, 3);
        let names: Vec<_> = channels.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names[..5],
            [
                "CryptoObject00.R",
                "CryptoObject00.G",
                "CryptoObject00.B",
                "CryptoObject00.A",
                "CryptoObject01.R"
            ]
        );
        assert_eq!(names.len(), 8);
        let at = |pixel: usize| channels.iter().map(|(_, values)| values[pixel]).collect::<Vec<f32>>();
        let share = |n: f32| n / 65535.0;
        assert_eq!(at(0), [id("a"), 1.0, id("c"), 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(at(1), [id("c"), share(30.0), id("b"), share(20.0), id("a"), share(10.0), 0.0, 0.0]);
        assert_eq!(at(2), [0.0; 8]);
    }

    #[test]
    fn six_ranks_are_kept_at_most() {
        let names: Vec<String> = (0..9).map(|n| format!("o{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mattes: Vec<Vec<u16>> = (0..9).map(|n| vec![n + 1]).collect();
        let mattes: Vec<&[u16]> = mattes.iter().map(Vec::as_slice).collect();
        let channels = Cryptomatte::new(&names).channels(&mattes, 1);
        assert_eq!(channels.len(), 12);
        assert_eq!(channels[0].1[0], id("o8"));
        assert_eq!(channels[10].1[0], id("o3"));
    }
}
