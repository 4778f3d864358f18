//! What a model is: `models/<name>/model.toml`, parsed and checked as a whole. `models/README.md` defines the format.
//!
//! Weights are hashed when they are read ([`Manifest::read`]), so that what runs is what was checked. Nothing here
//! downloads: a [`Variant`] says from where, and the program does it.

mod check;
mod classes;
mod parse;
mod store;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use parapet_core::Label;
use serde::Deserialize;
use sha2::{Digest, Sha256};

pub use self::{
    parse::Problem,
    store::{ModelEntry, ModelStore},
};
use crate::{
    config::Precision,
    family::{Candidate, DecodeError, Decoding, Family, Outputs, Tensor, Values},
    letterbox::{Fit, Placement},
    preprocess::Normalization,
};

/// A model, as its manifest describes it: checked, its weights not read yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    directory: PathBuf,
    document: Document,
    classes: Vec<Label>,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file could not be read.
    #[error("cannot read the manifest \"{path}\"; hint: name a folder that holds a model.toml", path = path.display())]
    Read {
        /// The manifest.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It says something that cannot be.
    #[error("{} mistake(s) in the manifest \"{}\":{}", problems.len(), path.display(), parse::list(problems))]
    Invalid {
        /// The manifest.
        path: PathBuf,
        /// Everything that is wrong, by line.
        problems: Vec<Problem>,
    },
}

/// Why the weights of a variant cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The manifest has no such variant.
    #[error("model \"{model}\" has no {wanted} weights; hint: it has {present}")]
    NoVariant {
        /// The model.
        model: String,
        /// What was asked for.
        wanted: Precision,
        /// What it has.
        present: String,
    },
    /// The file is not there.
    #[error(
        "the weights \"{path}\" are missing; hint: {}",
        if *fetchable { format!("run `parapet models fetch {model}`") } else { format!("\"{model}/model.toml\" says where they come from") },
        path = path.display()
    )]
    Missing {
        /// The model.
        model: String,
        /// The file.
        path: PathBuf,
        /// The manifest says where to get it.
        fetchable: bool,
    },
    /// The file could not be read.
    #[error("cannot read the weights \"{path}\"", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not the one that the manifest means.
    #[error(
        "the weights \"{path}\" have the sha256 {found}, but the manifest says {expected}; hint: get the file again, or correct the manifest if you changed the model",
        path = path.display()
    )]
    Hash {
        /// The file.
        path: PathBuf,
        /// What the manifest says.
        expected: String,
        /// What the file has.
        found: String,
    },
}

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
    calibration: Option<Calibration>,
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
struct Document {
    format: u32,
    name: String,
    description: String,
    licence: String,
    source: Source,
    recipe: Option<Recipe>,
    variants: Variants,
    input: Input,
    family: Family,
    classes: Option<Classes>,
    thresholds: Option<Thresholds>,
    accuracy: Option<Accuracy>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    url: String,
    package: Option<String>,
    commit: Option<String>,
    path: Option<String>,
    sha256: Option<String>,
    changes: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    script: Option<String>,
    golden: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variants {
    fp32: Option<Variant>,
    fp16: Option<Variant>,
    int8: Option<Variant>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Calibration {
    method: String,
    note: Option<String>,
    #[serde(default)]
    pictures: Vec<CalibrationPictures>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct CalibrationPictures {
    view: String,
    count: u32,
    source: String,
    licence: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    tensor: String,
    size: [usize; 2],
    multiple_of: Option<usize>,
    batch: bool,
    channels: Channels,
    #[serde(default = "one")]
    scale: f32,
    #[serde(default)]
    mean: [f32; 3],
    #[serde(default = "ones")]
    std: [f32; 3],
    fit: Fit,
    pad: Option<f32>,
}

fn one() -> f32 {
    1.0
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Channels {
    Rgb,
    Bgr,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Classes {
    Set(ClassSet),
    Names(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClassSet {
    Coco80,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accuracy {
    command: Option<String>,
    note: Option<String>,
    #[serde(default)]
    results: Vec<AccuracyResult>,
}

impl Manifest {
    /// Reads and checks `directory/model.toml`. The weights are neither needed nor read.
    ///
    /// # Errors
    /// If it cannot be read, or with everything that is wrong with it.
    pub fn load(directory: &Path) -> Result<Self, ManifestError> {
        let path = directory.join("model.toml");
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ManifestError::Read { path: path.clone(), source })?;
        let parsed = parse::parse(&text).and_then(|(document, located, mut problems)| {
            check::check(&document, directory, &located, &mut problems);
            problems.sort_by_key(|p| p.line);
            if problems.is_empty() { Ok(document) } else { Err(problems) }
        });
        let document = parsed.map_err(|problems| ManifestError::Invalid { path, problems })?;
        let classes = match &document.classes {
            None => Vec::new(),
            Some(Classes::Set(ClassSet::Coco80)) => classes::COCO80.iter().map(|n| Label::new(n)).collect(),
            Some(Classes::Names(names)) => names.iter().map(|n| Label::new(n)).collect(),
        };
        Ok(Self { directory: directory.to_owned(), document, classes })
    }

    /// Its name, which is its folder's.
    pub fn name(&self) -> &str {
        &self.document.name
    }
    /// What it is, for people.
    pub fn description(&self) -> &str {
        &self.document.description
    }
    /// SPDX expression of the weights.
    pub fn licence(&self) -> &str {
        &self.document.licence
    }
    /// Where the weights came from.
    pub fn source_url(&self) -> &str {
        &self.document.source.url
    }
    /// The family's name: `nanodet`, `yolox`, `yolo`, `detr` or `features`.
    pub fn family_name(&self) -> &'static str {
        self.document.family.name()
    }
    /// Its folder.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
    /// Classes in the order of the network; none for feature maps.
    pub fn classes(&self) -> &[Label] {
        &self.classes
    }
    /// Default thresholds; `None` for feature maps.
    pub fn thresholds(&self) -> Option<Thresholds> {
        self.document.thresholds
    }
    /// Measured accuracy.
    pub fn accuracy(&self) -> &[AccuracyResult] {
        self.document.accuracy.as_ref().map_or(&[], |a| &a.results)
    }
    /// The file of golden outputs.
    pub fn golden(&self) -> Option<PathBuf> {
        self.document.recipe.as_ref()?.golden.as_ref().map(|g| self.directory.join(g))
    }
    /// Width and height of the input unless the pipeline says otherwise.
    pub fn input_size(&self) -> (usize, usize) {
        self.document.input.size.into()
    }
    /// What width and height must be multiples of; `None`: [`Self::input_size`] is the only size.
    pub fn multiple_of(&self) -> Option<usize> {
        self.document.input.multiple_of
    }
    /// Whether pictures can be run together.
    pub fn batches(&self) -> bool {
        self.document.input.batch
    }
    /// How pixels become numbers.
    pub fn normalization(&self) -> Normalization {
        let input = &self.document.input;
        Normalization {
            bgr: input.channels == Channels::Bgr,
            scale: input.scale,
            mean: input.mean,
            std: input.std,
            pad: input.pad.unwrap_or(0.0),
        }
    }
    /// The place of a picture (width, height) in an input (width, height).
    pub fn placement(&self, picture: (usize, usize), input: (usize, usize)) -> Placement {
        Placement::new(picture, input, self.document.input.fit)
    }
    /// All variants, with the precision that asks for each.
    pub fn variants(&self) -> impl Iterator<Item = (Precision, &Variant)> {
        let v = &self.document.variants;
        [(Precision::Fp32, &v.fp32), (Precision::Fp16, &v.fp16), (Precision::Int8, &v.int8)]
            .into_iter()
            .filter_map(|(precision, variant)| Some((precision, variant.as_ref()?)))
    }
    /// The weights that run at a precision (`bf16` runs fp32 weights).
    ///
    /// # Errors
    /// If there are none.
    pub fn variant(&self, precision: Precision) -> Result<&Variant, WeightsError> {
        let variants = &self.document.variants;
        let found = match precision {
            Precision::Fp32 | Precision::Bf16 => &variants.fp32,
            Precision::Fp16 => &variants.fp16,
            Precision::Int8 => &variants.int8,
        };
        found.as_ref().ok_or_else(|| WeightsError::NoVariant {
            model: self.name().to_owned(),
            wanted: precision,
            present: self.variants().map(|(p, _)| p.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
    /// The file of a precision, whether it is there or not.
    ///
    /// # Errors
    /// If the manifest has none.
    pub fn weights_path(&self, precision: Precision) -> Result<PathBuf, WeightsError> {
        Ok(self.directory.join(&self.variant(precision)?.file))
    }
    /// Reads the weights of a precision and checks their hash.
    ///
    /// # Errors
    /// See [`WeightsError`].
    pub fn read(&self, precision: Precision) -> Result<Vec<u8>, WeightsError> {
        let variant = self.variant(precision)?;
        let path = self.directory.join(&variant.file);
        let bytes = std::fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => WeightsError::Missing {
                model: self.name().to_owned(),
                path: path.clone(),
                fetchable: variant.url.is_some(),
            },
            _ => WeightsError::Read { path: path.clone(), source },
        })?;
        self.verify_bytes(precision, &bytes)?;
        Ok(bytes)
    }
    /// Whether these are the weights of a precision, before they are written to their place.
    ///
    /// # Errors
    /// [`WeightsError::Hash`] or [`WeightsError::NoVariant`].
    pub fn verify_bytes(&self, precision: Precision, bytes: &[u8]) -> Result<(), WeightsError> {
        let variant = self.variant(precision)?;
        let found = hex::encode(Sha256::digest(bytes));
        if found == variant.sha256 {
            return Ok(());
        }
        let path = self.directory.join(&variant.file);
        Err(WeightsError::Hash { path, expected: variant.sha256.clone(), found })
    }
    /// Whether the weights of a precision are there and are the right ones.
    ///
    /// # Errors
    /// See [`WeightsError`].
    pub fn verify_file(&self, precision: Precision) -> Result<(), WeightsError> {
        self.read(precision).map(drop)
    }

    /// The candidates in outputs (name, shape with batch, numbers) of one picture, run with an `input` (width, height):
    /// what an engine does after each run, for tools that run the model elsewhere.
    ///
    /// # Errors
    /// If the outputs are not shaped as the manifest says.
    pub fn decode(
        &self,
        outputs: &[(&str, Vec<usize>, &[f32])],
        input: (usize, usize),
        threshold: f32,
    ) -> Result<Vec<Candidate>, DecodeError> {
        let tensors =
            outputs.iter().map(|(n, shape, v)| (*n, Tensor::new(shape.clone(), Values::F32(v)))).collect();
        let decoding = Decoding { classes: self.classes.len(), input, threshold };
        self.document.family.decode(&Outputs::new(tensors), 0, decoding)
    }

    pub(crate) fn family(&self) -> &Family {
        &self.document.family
    }
    pub(crate) fn input_tensor(&self) -> &str {
        &self.document.input.tensor
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const GOOD: &str = r#"format = 1
name = "toy"
description = "A toy."
licence = "Apache-2.0"
classes = { names = ["dog", "cat"] }

[source]
url = "https://example.org/toy"

[variants.fp32]
file = "model.onnx"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
bytes = 3

[input]
tensor = "images"
size = [64, 32]
multiple_of = 32
batch = true
channels = "bgr"
fit = "centred"
pad = 0

[family.yolo]
raw = { tensor = "o", layout = "rows" }

[thresholds]
score = 0.35
nms_iou = 0.6
"#;

    pub(crate) fn folder(text: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("toy")).unwrap();
        std::fs::write(root.path().join("toy/model.toml"), text).unwrap();
        root
    }

    fn load(text: &str) -> Result<Manifest, ManifestError> {
        Manifest::load(&folder(text).path().join("toy"))
    }

    fn problems(text: &str) -> Vec<Problem> {
        match load(text) {
            Err(ManifestError::Invalid { problems, .. }) => problems,
            other => panic!("{other:?} is not a list of problems"),
        }
    }

    #[test]
    fn a_good_manifest_is_read_with_its_defaults() {
        let manifest = load(GOOD).unwrap();
        assert_eq!(manifest.classes(), [Label::new("dog"), Label::new("cat")]);
        assert_eq!(manifest.input_size(), (64, 32));
        assert_eq!(manifest.family_name(), "yolo");
        let n = manifest.normalization();
        assert_eq!((n.bgr, n.scale, n.mean, n.std), (true, 1.0, [0.0; 3], [1.0; 3]));
        assert_eq!(manifest.thresholds().unwrap().nms_iou, Some(0.6));
    }

    #[test]
    fn every_mistake_is_named_at_once_with_its_line() {
        let bad = GOOD
            .replace("name = \"toy\"", "name = \"other\"\ncolour = \"red\"")
            .replace("size = [64, 32]", "size = [60, 32]\nshape = 3")
            .replace("score = 0.35", "score = 35")
            .replace("[\"dog\", \"cat\"]", "[\"dog\", \"dog\"]")
            .replace("file = \"model.onnx\"", "file = \"../model.onnx\"");
        let problems = problems(&bad);
        let lines: Vec<_> = problems.iter().filter_map(|p| p.line).collect();
        assert_eq!(lines, [2, 3, 6, 12, 18, 19, 30], "{problems:#?}");
        for (problem, word) in
            problems.iter().zip(["other", "colour", "dog", "..", "multiple", "shape", "score"])
        {
            assert!(problem.to_string().contains(word), "{problem} does not name {word}");
        }
    }

    #[test]
    fn text_that_is_no_toml_and_values_of_another_type_have_a_line_too() {
        assert_eq!(problems("format = = 1")[0].line, Some(1));
        let problems = problems(&GOOD.replace("batch = true", "batch = \"yes\""));
        assert_eq!(problems[0].line, Some(19), "{problems:?}");
    }

    #[test]
    fn weights_are_read_only_if_their_hash_is_right() {
        let root = folder(GOOD);
        let manifest = Manifest::load(&root.path().join("toy")).unwrap();
        assert!(matches!(
            manifest.read(Precision::Fp32),
            Err(WeightsError::Missing { fetchable: false, .. })
        ));
        assert!(matches!(manifest.read(Precision::Int8), Err(WeightsError::NoVariant { .. })));
        let path = manifest.weights_path(Precision::Fp32).unwrap();
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(manifest.read(Precision::Bf16).unwrap(), b"abc");
        assert!(manifest.verify_bytes(Precision::Fp32, b"abc").is_ok());
        assert!(matches!(manifest.verify_bytes(Precision::Fp32, b""), Err(WeightsError::Hash { .. })));
        std::fs::write(&path, "abd").unwrap();
        let error = manifest.verify_file(Precision::Fp32).unwrap_err().to_string();
        for part in ["model.onnx", "ba7816bf", "a52d159f"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
