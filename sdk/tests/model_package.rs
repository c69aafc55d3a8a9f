//! Packages that are not what they say: each is refused by what is wrong with it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::fs;
use std::path::Path;

use rotomask::model::{Model, ModelOptions};

const NANO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/rotomask-nano.rotomodel");

/// A copy of the default package, changed.
fn refusal(change: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(NANO).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    change(folder.path());
    let options = ModelOptions { folder: Some(folder.path().to_path_buf()), ..ModelOptions::default() };
    let said = Model::open(&options).unwrap_err().to_string();
    said.replace(&folder.path().display().to_string(), "DIR")
}

fn edit(folder: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = folder.join("model.json");
    let mut json = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut json);
    fs::write(path, json.to_string()).unwrap();
}

#[test]
fn the_folder_and_the_embedded_copy_are_the_same_model() {
    let embedded = Model::open(&ModelOptions::default()).unwrap();
    let options = ModelOptions { folder: Some(NANO.into()), ..ModelOptions::default() };
    assert_eq!(Model::open(&options).unwrap().manifest(), embedded.manifest());
}

#[test]
fn a_folder_without_a_manifest_is_refused_by_the_file_that_is_missing() {
    let said = refusal(|folder| fs::remove_file(folder.join("model.json")).unwrap());
    assert!(said.starts_with("DIR/model.json: "), "{said}");
}

#[test]
fn a_graph_that_is_missing_is_named() {
    let said = refusal(|folder| fs::remove_file(folder.join("mask_decoder.onnx")).unwrap());
    assert!(said.starts_with("DIR/mask_decoder.onnx: "), "{said}");
}

#[test]
fn a_graph_with_one_bit_turned_is_refused_by_its_hash() {
    let said = refusal(|folder| {
        let path = folder.join("memory_encoder.onnx");
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    });
    assert!(
        said.starts_with("DIR: memory_encoder.onnx: its SHA-256 is ") && said.contains(", expected "),
        "{said}"
    );
}

#[test]
fn a_file_that_is_no_graph_is_refused_even_with_the_right_hash() {
    let said = refusal(|folder| {
        fs::write(folder.join("image_encoder.onnx"), b"").unwrap();
        edit(folder, |m| {
            let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
            m["files"]["image_encoder"]["sha256"] = empty.into();
        });
    });
    assert!(said.contains("image_encoder.onnx: not a graph that ONNX Runtime takes"), "{said}");
}

#[test]
fn graphs_that_changed_places_are_refused_by_the_first_tensor_that_is_not_there() {
    let said = refusal(|folder| {
        edit(folder, |m| {
            let files = m["files"].clone();
            m["files"]["mask_decoder"] = files["memory_encoder"].clone();
            m["files"]["memory_encoder"] = files["mask_decoder"].clone();
        });
    });
    let want =
        "DIR/memory_encoder.onnx: input `pix_feat` has no counterpart, expected f32 [any, 176, 24, 24]";
    assert_eq!(said, want);
}

#[test]
fn a_manifest_whose_numbers_are_not_the_graphs_is_refused_with_both_shapes() {
    let said = refusal(|folder| edit(folder, |m| m["input"]["size"] = 512.into()));
    assert_eq!(
        said,
        "DIR/image_encoder.onnx: input `image` has f32 [1, 3, 384, 384], expected f32 [1, 3, 512, 512]"
    );
}
