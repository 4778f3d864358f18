//! What a model is: `models/<name>/model.toml`, parsed and checked as a whole. `models/README.md` defines the format.
//!
//! Weights are hashed when they are read ([`Manifest::read`]), so that what runs is what was checked. Nothing here
//! downloads: a [`Variant`] says from where, and the program does it.

mod check;
mod classes;
mod document;
mod parse;
mod store;
mod weights;

use std::path::{Path, PathBuf};

use parapet_core::Label;

use self::document::{Channels, ClassSet, Classes, Document};
pub use self::{
    classes::COCO80,
    document::{AccuracyResult, Thresholds, Variant},
    parse::Problem,
    store::{ModelEntry, ModelStore},
    weights::WeightsError,
};
use crate::{
    family::{Candidate, DecodeError, Decoding, Family, Outputs, Tensor, Values},
    letterbox::Placement,
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
}
