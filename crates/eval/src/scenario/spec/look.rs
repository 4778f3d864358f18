//! What a thing looks like: cut-outs of real pictures and simple renders.

use std::path::PathBuf;

use parapet_core::Label;
use serde::Deserialize;

use super::{default_feather, one};

/// What a thing looks like, put together of parts in the coordinates of its source picture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookSpec {
    /// What it is, in the truth; a thing without a label has no truth.
    pub label: Option<Label>,
    /// Height, from the ground to its top, for scenes whose ground is known.
    pub height_meters: Option<f32>,
    /// Brightness against the source picture, so that a thing cut out in the sun fits a dull street.
    #[serde(default = "one")]
    pub gain: f32,
    /// How much darker what is not white becomes, before `gain`: takes the glare out of an overexposed picture.
    #[serde(default = "one")]
    pub contrast: f32,
    /// Darkness of the soft shadow right under it, 0 (none) to 1.
    #[serde(default)]
    pub shadow: f32,
    /// Turned clockwise by so much, as where it was taken on a slope.
    #[serde(default)]
    pub turn_degrees: f32,
    /// Its parts, back to front.
    pub parts: Vec<PartSpec>,
}

/// A part of a look: either a cut-out or faces.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartSpec {
    /// Cut out of a picture.
    pub cutout: Option<CutoutSpec>,
    /// Drawn as flat faces, back to front.
    #[serde(default)]
    pub faces: Vec<FaceSpec>,
    /// How far from its place in the source picture.
    #[serde(default)]
    pub offset: [f32; 2],
}

/// A cut-out of a picture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutoutSpec {
    /// Path below the pictures directory; without it, the scenario's own background: what stands in the scene and
    /// hides what passes behind it.
    pub picture: Option<PathBuf>,
    /// Outline of the thing.
    pub outline: Vec<[f32; 2]>,
    /// Parts of the outline that are something else (what stands in front of it).
    #[serde(default)]
    pub without: Vec<Vec<[f32; 2]>>,
    /// Colours that are not the thing but what is seen through it.
    #[serde(default)]
    pub key_out: Vec<KeyOutSpec>,
    /// Width of the soft edge.
    #[serde(default = "default_feather")]
    pub feather_pixels: f32,
}

/// A colour that is cut away.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyOutSpec {
    /// RGB.
    pub color: [u8; 3],
    /// Distance in hue and saturation up to which a pixel goes, in units of chroma (of 255); what is darker than half
    /// of the colour stays.
    pub tolerance: f32,
}

/// A flat face of a rendered thing.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceSpec {
    /// Outline.
    pub outline: Vec<[f32; 2]>,
    /// RGB.
    pub color: [u8; 3],
    /// Distance between upright ribs, as of corrugated sheet; none without it.
    pub rib_pixels: Option<f32>,
}

impl LookSpec {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.parts.is_empty() {
            return Err("it has no parts; hint: parts = [{ cutout = … }]".into());
        }
        for part in &self.parts {
            if part.cutout.is_some() != part.faces.is_empty() {
                return Err("a part is drawn in no way or in two; hint: give either cutout or faces".into());
            }
            let mut outlines =
                part.cutout.iter().map(|c| &c.outline).chain(part.faces.iter().map(|f| &f.outline));
            if outlines.any(|o| o.len() < 3) {
                return Err("an outline has fewer than 3 points".into());
            }
        }
        Ok(())
    }
}
