//! What objects are called in files whose readers don't take every name.

use std::collections::HashSet;

use super::cryptomatte;

/// Channels of OpenEXR may have 255 bytes. So much is left for what is added.
const MOST_CHARACTERS: usize = 200;

/// Layers that compositors have themselves (Nuke's built-in ones): a matte there would be taken for something else.
const TAKEN: [&str; 9] =
    ["rgb", "rgba", "alpha", "depth", "mask", "motion", "forward", "backward", cryptomatte::TYPE_LOWER];

/// An object that is exported.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Its number in the session.
    pub id: u32,
    /// What people call it, and no other object: Cryptomatte's name.
    pub name: String,
    /// The same in ASCII letters, digits and underscores: the name of a layer, or of a folder.
    pub layer: String,
}

/// Finds names for objects, given by number and name, in their order. Each is found for all of a session's objects, so that
/// it doesn't depend on which of them are chosen.
pub fn named<'a>(objects: impl IntoIterator<Item = (u32, &'a str)>) -> Vec<Named> {
    let (mut ids, mut layers) = (HashSet::new(), HashSet::new());
    let name = |(id, given): (u32, &str)| {
        let mut name = if given.is_empty() { format!("Object {id}") } else { given.to_owned() };
        // The number of Cryptomatte decides: two names with one number would be one object.
        while !ids.insert(cryptomatte::id(&name).to_bits()) {
            name = format!("{name} ({id})");
        }
        let mut layer = layer_of(&name, id);
        // Folders of Windows and macOS don't tell large letters from small ones.
        while is_taken(&layer) || !layers.insert(layer.to_lowercase()) {
            layer = format!("{layer}_{id}");
        }
        Named { id, name, layer }
    };
    objects.into_iter().map(name).collect()
}

fn is_taken(layer: &str) -> bool {
    let layer = layer.to_lowercase();
    // Cryptomatte's own layers are numbered: `CryptoObject00`.
    TAKEN.contains(&layer.trim_end_matches(|c: char| c.is_ascii_digit())) || TAKEN.contains(&layer.as_str())
}

/// Nuke takes letters, digits and underscores, and no digit in front; a dot ends the layer's name in OpenEXR.
fn layer_of(name: &str, id: u32) -> String {
    let mut layer = String::new();
    for c in name.chars().take(MOST_CHARACTERS) {
        if c.is_ascii_alphanumeric() {
            layer.push(c);
        } else if !layer.is_empty() && !layer.ends_with('_') {
            layer.push('_');
        }
    }
    let layer = layer.trim_end_matches('_');
    match layer.chars().next() {
        None => format!("object_{id}"),
        Some(first) if first.is_ascii_digit() => format!("_{layer}"),
        Some(_) => layer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(objects: &[(u32, &str)]) -> Vec<String> {
        named(objects.iter().copied()).into_iter().map(|named| named.layer).collect()
    }

    #[test]
    fn a_name_becomes_a_layer_that_every_compositor_takes() {
        let found =
            layers(&[(1, "Object 1"), (2, "arm.left"), (3, "  große Kugel "), (4, "3rd man"), (5, "мяч")]);
        assert_eq!(found, ["Object_1", "arm_left", "gro_e_Kugel", "_3rd_man", "object_5"]);
        assert_eq!(
            layers(&[(6, "../../etc/passwd"), (7, "."), (8, "")]),
            ["etc_passwd", "object_7", "Object_8"]
        );
        assert_eq!(layers(&[(9, &"x".repeat(255))])[0].len(), 200);
    }

    #[test]
    fn layers_that_would_be_one_are_told_apart_by_their_numbers() {
        assert_eq!(layers(&[(1, "a.b"), (2, "a b"), (3, "A_B")]), ["a_b", "a_b_2", "A_B_3"]);
        let found =
            layers(&[(1, "rgba"), (2, "Depth"), (3, "CryptoObject"), (4, "cryptoobject00"), (5, "rgbas")]);
        assert_eq!(found, ["rgba_1", "Depth_2", "CryptoObject_3", "cryptoobject00_4", "rgbas"]);
    }

    #[test]
    fn objects_of_one_name_stay_two_objects() {
        let found = named([(1, "ball"), (7, "ball")]);
        assert_eq!([&found[0].name, &found[1].name], ["ball", "ball (7)"]);
        assert_eq!([&found[0].layer, &found[1].layer], ["ball", "ball_7"]);
    }
}
