//! Masks and what other libraries make of them, for tests: `sdk/tests/data/masks`.

use serde_json::Value;

use crate::frame::Size;

pub(crate) struct Golden {
    pub(crate) size: Size,
    /// 0 or 1, row by row.
    pub(crate) inside: Vec<u8>,
    pub(crate) golden: Value,
}

pub(crate) fn read(name: &str) -> Value {
    let path = format!("{}/tests/data/masks/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn masks() -> Vec<Golden> {
    let all = read("masks.json");
    let golden = |golden: &Value| {
        let rows = golden["rows"].as_array().unwrap();
        let inside = rows.iter().flat_map(|row| row.as_str().unwrap().bytes().map(|b| b - b'0')).collect();
        let width = rows[0].as_str().unwrap().len() as u32;
        Golden { size: Size::new(width, rows.len() as u32).unwrap(), inside, golden: golden.clone() }
    };
    all.as_array().unwrap().iter().map(golden).collect()
}

pub(crate) fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|n| n.as_f64().unwrap() as u32).collect()
}

/// Xorshift: the same numbers everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % u64::from(limit)) as u32
    }
}
