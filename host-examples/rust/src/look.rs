//! How mattes are finished and shown: what the command line and a preset say, put together.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use clap::Args;
use image::imageops::FilterType;
use serde_json::Value;

use crate::{
    Error, Result,
    args::Background,
    library::{Library, MatteSettings},
    picture::Picture,
    source::{ClipInfo, read_picture},
};

/// What the output shows.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Look")]
pub struct LookArgs {
    /// Parameters of the matte chain and their keyframes, as JSON
    #[arg(long, value_name = "FILE")]
    pub preset: Option<PathBuf>,
    /// A parameter for all frames, whatever the preset says; `rotomask parameters` lists them
    #[arg(long, value_name = "ID=VALUE")]
    pub set: Vec<Assignment>,
    /// What OUTPUT shows, such as composite, matte, overlay, cutout or status; by default the cutout where there is
    /// alpha and no --background, otherwise the composite
    #[arg(long, value_name = "VIEW")]
    pub view: Option<String>,
    /// Behind the object; #rgb, #rrggbb, #rrggbbaa, a name such as green, plate, blur for the plate out of focus, or a
    /// picture
    #[arg(long, value_name = "COLOUR|plate|blur|FILE")]
    pub background: Option<Background>,
    /// Softness of --background blur, in pixels
    #[arg(long, value_name = "PX", allow_hyphen_values = true)]
    pub background_blur: Option<String>,
    /// Softness of the edge to both sides, in pixels
    #[arg(long, value_name = "PX", allow_hyphen_values = true)]
    pub feather: Option<String>,
    /// Grow the matte by so many pixels; below 0 it shrinks
    #[arg(long, value_name = "PX", allow_hyphen_values = true)]
    pub grow: Option<String>,
    /// Where the matte is finished: auto, off (on the CPU), software, an adapter's place or a part of its name
    #[arg(long, value_name = "DEVICE", default_value = "auto", help_heading = "Engine")]
    pub gpu: String,
    /// The most memory that finishing a frame may take, in MiB, of the computer's and of the GPU's
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Engine")]
    pub matte_memory: Option<u32>,
}

/// `ID=VALUE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    id: String,
    value: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (id, value) = text.split_once('=').ok_or_else(|| format!("found {text}, expected ID=VALUE"))?;
        Ok(Self { id: id.trim().to_owned(), value: value.to_owned() })
    }
}

impl LookArgs {
    /// The settings for an output that has alpha, or has none.
    ///
    /// # Errors
    /// If the preset can't be read, there is no such parameter, or a value doesn't fit its parameter or the output.
    pub fn settings(&self, library: &Arc<Library>, has_alpha: bool) -> Result<MatteSettings> {
        let mut settings = preset(library, self.preset.as_deref())?;
        for (option, id, value) in self.shortcuts() {
            set(&mut settings, &option, id, &value)?;
        }
        assign(&mut settings, &self.set)?;
        if has_alpha && self.background.is_none() && values(&settings, "view")?.is_empty() {
            settings.set("view", "cutout")?;
        }
        self.check(&settings, has_alpha)?;
        Ok(settings)
    }

    /// Options that stand for parameters: the option as it was given, the parameter and its value.
    fn shortcuts(&self) -> Vec<(String, &'static str, String)> {
        let mut all = Vec::new();
        let mut add = |option: &str, given: &Option<String>, ids: &[&'static str]| {
            if let Some(value) = given {
                all.extend(ids.iter().map(|id| (format!("--{option} {value}"), *id, value.clone())));
            }
        };
        add("view", &self.view, &["view"]);
        add("background-blur", &self.background_blur, &["background_blur_px"]);
        add("feather", &self.feather, &["feather_inner_px", "feather_outer_px"]);
        add("grow", &self.grow, &["grow_px"]);
        let mut behind = |id, value: String| all.push(("--background".to_owned(), id, value));
        match &self.background {
            Some(Background::Colour([r, g, b, a])) => {
                behind("background", "colour".into());
                behind("background_colour", format!("{r},{g},{b},{a}"));
            }
            Some(Background::Blur) => behind("background", "blur".into()),
            Some(Background::Plate) => behind("background", "plate".into()),
            Some(Background::Picture(_)) => behind("background", "picture".into()),
            None => {}
        }
        all
    }

    fn check(&self, settings: &MatteSettings, has_alpha: bool) -> Result<()> {
        let views = values(settings, "view")?;
        if let Some(view) = views.iter().find(|view| matches!(view.as_str(), "cutout" | "erase"))
            && !has_alpha
        {
            return Err(Error::Usage(format!(
                "-o: it has no alpha for the view {view}, expected .mov, .webm, .mkv or %05d.png"
            )));
        }
        let given = matches!(self.background, Some(Background::Picture(_)));
        if values(settings, "background")?.iter().any(|value| value == "picture") && !given {
            return Err(Error::Usage("the background is a picture, expected --background FILE".into()));
        }
        Ok(())
    }

    /// The background picture, scaled to cover the frame; what is too much is cut off on both sides.
    ///
    /// # Errors
    /// If there is no such picture, or it can't be read.
    pub fn background(&self, clip: &ClipInfo) -> Result<Option<Picture>> {
        let Some(Background::Picture(path)) = &self.background else { return Ok(None) };
        if !path.exists() {
            return Err(Error::Usage(format!(
                "--background {}: neither a file, nor blur, nor plate, nor a colour such as #20c040 or one of {}",
                path.display(),
                Background::colour_names()
            )));
        }
        cover(path, clip).map(Some)
    }

    /// In bytes.
    pub fn memory_bytes(&self) -> Option<u64> {
        self.matte_memory.map(|mib| u64::from(mib) << 20)
    }
}

/// The settings of a preset's file, or without one the defaults.
///
/// # Errors
/// If it can't be read, or is no preset.
pub(crate) fn preset(library: &Arc<Library>, path: Option<&Path>) -> Result<MatteSettings> {
    let Some(path) = path else { return MatteSettings::open(library, None) };
    let text = fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
    MatteSettings::open(library, Some(&text)).map_err(|e| match e {
        Error::Call { message, .. } => Error::file(path, message),
        other => other,
    })
}

/// Sets what `--set` says, in its order.
///
/// # Errors
/// If there is no such parameter, or the text is no value of it.
pub(crate) fn assign(settings: &mut MatteSettings, all: &[Assignment]) -> Result<()> {
    all.iter()
        .try_for_each(|Assignment { id, value }| set(settings, &format!("--set {id}={value}"), id, value))
}

/// Sets a parameter, and names the option that asked for it in what goes wrong.
fn set(settings: &mut MatteSettings, option: &str, id: &str, value: &str) -> Result<()> {
    settings.set(id, value).map_err(|e| match e {
        Error::Call { message, .. } => Error::Usage(format!("{option}: {message}")),
        other => other,
    })
}

fn cover(path: &Path, clip: &ClipInfo) -> Result<Picture> {
    let picture = read_picture(path)?.resize_to_fill(clip.width, clip.height, FilterType::CatmullRom);
    Ok(Picture::from_packed(clip.width, clip.height, picture.into_rgba8().as_raw()))
}

/// What a parameter with choices is at some frame, as far as something was set.
pub(crate) fn values(settings: &MatteSettings, id: &str) -> Result<Vec<String>> {
    let preset: Value = serde_json::from_str(&settings.preset()?)
        .map_err(|_| Error::Bug("librotomask wrote a preset in no known way"))?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Ok(match &preset[id] {
        Value::Object(keys) => keys.values().filter_map(text).collect(),
        value => text(value).into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_split_at_its_first_equals_sign() {
        let read = |text: &str| text.parse::<Assignment>();
        let wanted = Assignment { id: "grow_px".into(), value: "-2.5".into() };
        assert_eq!(read("grow_px=-2.5"), Ok(wanted));
        assert_eq!(read("a=b=c").unwrap().value, "b=c");
        assert_eq!(read("grow_px").unwrap_err(), "found grow_px, expected ID=VALUE");
    }
}
