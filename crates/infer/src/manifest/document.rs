//! The tables of a `model.toml` as they are written. Whether they make sense together is checked elsewhere.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{family::Family, letterbox::Fit};

/// One file of weights.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The ONNX file, below the manifest's folder.
    pub file: String,
    /// Its SHA-256, lower-case hex.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Where `parapet models fetch` gets it.
    pub url: Option<String>,
    pub(super) calibration: Option<Calibration>,
}

/// Default thresholds of a detector.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Detections strictly above it are kept.
    pub score: f32,
    /// A box is dropped if its overlap with a better one is greater; `None`: no suppression.
    pub nms_iou: Option<f32>,
    /// Suppression over all classes at once.
    #[serde(default)]
    pub class_agnostic: bool,
}

/// One measured result.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccuracyResult {
    /// The pictures.
    pub set: String,
    /// The weights.
    pub variant: String,
    /// Width and height of the input.
    pub size: Option<[u32; 2]>,
    /// How many pictures.
    pub images: Option<u32>,
    /// Figures by name, 0..=1.
    pub values: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) format: u32,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) licence: String,
    pub(super) source: Source,
    pub(super) recipe: Option<Recipe>,
    pub(super) variants: Variants,
    pub(super) input: Input,
    pub(super) family: Family,
    pub(super) classes: Option<Classes>,
    pub(super) thresholds: Option<Thresholds>,
    pub(super) accuracy: Option<Accuracy>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) url: String,
    pub(super) package: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) path: Option<String>,
    pub(super) sha256: Option<String>,
    pub(super) changes: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipe {
    pub(super) script: Option<String>,
    pub(super) golden: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variants {
    pub(super) fp32: Option<Variant>,
    pub(super) fp16: Option<Variant>,
    pub(super) int8: Option<Variant>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calibration {
    pub(super) method: String,
    pub(super) note: Option<String>,
    #[serde(default)]
    pub(super) pictures: Vec<CalibrationPictures>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CalibrationPictures {
    pub(super) view: String,
    pub(super) count: u32,
    pub(super) source: String,
    pub(super) licence: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub(super) tensor: String,
    pub(super) size: [usize; 2],
    pub(super) multiple_of: Option<usize>,
    pub(super) batch: bool,
    pub(super) channels: Channels,
    #[serde(default = "one")]
    pub(super) scale: f32,
    #[serde(default)]
    pub(super) mean: [f32; 3],
    #[serde(default = "ones")]
    pub(super) std: [f32; 3],
    pub(super) fit: Fit,
    pub(super) pad: Option<f32>,
}

fn one() -> f32 {
    1.0
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Channels {
    Rgb,
    Bgr,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Classes {
    Set(ClassSet),
    Names(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ClassSet {
    Coco80,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accuracy {
    pub(super) command: Option<String>,
    pub(super) note: Option<String>,
    #[serde(default)]
    pub(super) results: Vec<AccuracyResult>,
}
