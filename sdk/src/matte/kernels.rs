//! The chain's kernels for hosts with GPU code of their own: in their language, with a table of what is bound.

pub use rotomask_shaders::translate::{Language, Translation};
use rotomask_shaders::{KERNELS, WORKGROUP_SIDE, translate::Parsed};
use serde_json::{Value as Json, json};

use crate::error::{Error, Result};

/// All kernels as JSON, in the order in which a frame passes through them: each with its variants and bindings.
///
/// ```json
/// [{ "name": "blur plane", "workgroup": [8, 8, 1], "constant": "VERTICAL", "variants": 2,
///    "metal_sizes": 4, "entry": { "wgsl": "main", "spirv": "main", "glsl": "main", "hlsl": "main", "msl": "main_" },
///    "bindings": [{ "binding": 0, "name": "job", "access": "uniform", "register": "b0", "bytes": 12,
///                   "fields": [{ "name": "width_px", "offset": 0, "type": "u32" }] }] }]
/// ```
///
/// One invocation makes one pixel of the output; `bytes` are those of a uniform's struct, or of a buffer's element.
/// `metal_sizes` is the index of a further constant buffer in Metal: the bytes of each storage buffer, a `u32` each, in
/// the order in which they are declared.
///
/// # Errors
/// [`Error::Device`] if a kernel can't be translated, which tests rule out.
pub fn kernels() -> Result<String> {
    let all: Vec<Json> = KERNELS.iter().map(|kernel| describe(*kernel)).collect::<Result<_>>()?;
    Ok(format!("{:#}\n", Json::Array(all)))
}

fn describe(kernel: rotomask_shaders::Kernel) -> Result<Json> {
    let parsed = Parsed::new(kernel).map_err(Error::Device)?;
    let mut entries = serde_json::Map::new();
    for language in Language::ALL {
        let made = parsed.translate(0, language).map_err(Error::Device)?;
        entries.insert(language.id().into(), made.entry.into());
    }
    let bindings = parsed.bindings().map_err(Error::Device)?.into_iter().map(|binding| {
        let fields = binding
            .fields
            .into_iter()
            .map(|field| json!({ "name": field.name, "offset": field.offset, "type": field.kind }));
        json!({
            "binding": binding.binding,
            "name": binding.name,
            "access": binding.access.id(),
            "register": format!("{}{}", binding.access.register(), binding.binding),
            "bytes": binding.bytes,
            "fields": fields.collect::<Vec<_>>(),
        })
    });
    let variants = parsed.variants();
    Ok(json!({
        "name": kernel.name,
        "workgroup": [WORKGROUP_SIDE, WORKGROUP_SIDE, 1],
        "constant": variants.constant,
        "variants": variants.count,
        "metal_sizes": parsed.sizes_index(),
        "entry": entries,
        "bindings": bindings.collect::<Vec<_>>(),
    }))
}

/// One kernel, or one of its variants, in a language.
///
/// # Errors
/// [`Error::Setting`] if there is no kernel of this name, or no such variant of it.
pub fn kernel(name: &str, variant: u32, language: Language) -> Result<Translation> {
    let known = KERNELS.iter().find(|kernel| kernel.name == name).ok_or_else(|| Error::Setting {
        name: "kernel",
        found: format!("{name:?}"),
        want: format!("one of {}", KERNELS.iter().map(|kernel| kernel.name).collect::<Vec<_>>().join(", ")),
    })?;
    let parsed = Parsed::new(*known).map_err(Error::Device)?;
    let count = parsed.variants().count;
    if variant >= count {
        let want = format!("0 to {}", count - 1);
        return Err(Error::Setting { name: "variant", found: variant.to_string(), want });
    }
    parsed.translate(variant, language).map_err(Error::Device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_every_kernel_with_its_struct() {
        let table: Json = serde_json::from_str(&kernels().unwrap()).unwrap();
        assert_eq!(table.as_array().unwrap().len(), KERNELS.len());
        let blur = table.as_array().unwrap().iter().find(|kernel| kernel["name"] == "blur plane").unwrap();
        assert_eq!((&blur["variants"], &blur["constant"]), (&2.into(), &"VERTICAL".into()));
        let fields: Vec<_> =
            blur["bindings"][0]["fields"].as_array().unwrap().iter().map(|f| f["name"].clone()).collect();
        assert_eq!(fields, ["width_px", "height_px", "radius_px"]);
        assert_eq!(blur["bindings"][0]["bytes"], size_of::<rotomask_shaders::layout::Blur>());
    }

    #[test]
    fn a_kernel_or_variant_that_there_is_not_is_named_with_those_there_are() {
        let said = kernel("blurr", 0, Language::Msl).unwrap_err().to_string();
        assert!(said.starts_with("kernel: found \"blurr\", expected one of coverage, combine,"), "{said}");
        let said = kernel("grow", 2, Language::Glsl).unwrap_err().to_string();
        assert_eq!(said, "variant: found 2, expected 0 to 1");
    }
}
