//! How the outputs of a network become boxes: one file for each family of models.
//!
//! Decoders take plain slices, so that they are tested without a runtime. `models/README.md` defines every layout.

mod detr;
mod nanodet;
mod tensor;
mod yolo;
mod yolox;

pub(crate) use detr::Detr;
pub(crate) use nanodet::{Nanodet, NanodetOutputs};
use serde::Deserialize;
pub use tensor::DecodeError;
pub(crate) use tensor::{Outputs, Tensor, Values};
pub(crate) use yolo::Yolo;
pub(crate) use yolox::Yolox;

/// A box that a network proposes, before thresholds by class and suppression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Index of its class.
    pub class: usize,
    /// Confidence, 0..=1.
    pub score: f32,
    /// `[x1, y1, x2, y2]` in pixels of the network's input.
    pub bbox: [f32; 4],
}

/// The families of models, with what the manifest says about each.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Family {
    Nanodet(Nanodet),
    Yolox(Yolox),
    Yolo(Yolo),
    Detr(Detr),
    Features(Features),
}

/// No detections: the maps of a backbone.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Features {
    pub(crate) outputs: Vec<FeatureOutput>,
}

/// One map.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeatureOutput {
    pub(crate) tensor: String,
    pub(crate) stride: usize,
    pub(crate) channels: usize,
}

/// What a decoder must know beside the outputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoding {
    /// Number of classes.
    pub(crate) classes: usize,
    /// Width and height of the network's input.
    pub(crate) input: (usize, usize),
    /// Only candidates strictly above it are wanted.
    pub(crate) threshold: f32,
}

impl Family {
    /// The name in the manifest.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Nanodet(_) => "nanodet",
            Self::Yolox(_) => "yolox",
            Self::Yolo(_) => "yolo",
            Self::Detr(_) => "detr",
            Self::Features(_) => "features",
        }
    }

    /// Names of the outputs that it reads.
    pub(crate) fn outputs(&self) -> Vec<String> {
        match self {
            Self::Nanodet(f) => f.output_names(),
            Self::Yolox(f) => vec![f.tensor.clone()],
            Self::Yolo(f) => vec![f.tensor().to_owned()],
            Self::Detr(f) => f.output_names(),
            Self::Features(f) => f.outputs.iter().map(|o| o.tensor.clone()).collect(),
        }
    }

    /// The input that takes the picture's size, if the graph scales the boxes itself.
    pub(crate) fn sizes_input(&self) -> Option<&str> {
        match self {
            Self::Detr(Detr::Selected { sizes, .. }) => sizes.as_deref(),
            _ => None,
        }
    }

    /// The candidates of one picture of a batch, in the order of the outputs; none for feature maps.
    ///
    /// # Errors
    /// If the outputs are not shaped as the manifest says.
    pub(crate) fn decode(
        &self,
        outputs: &Outputs<'_>,
        item: usize,
        decoding: Decoding,
    ) -> Result<Vec<Candidate>, DecodeError> {
        let found = match self {
            Self::Nanodet(f) => f.decode(outputs, item, decoding)?,
            Self::Yolox(f) => f.decode(outputs, item, decoding)?,
            Self::Yolo(f) => f.decode(outputs, item, decoding)?,
            Self::Detr(f) => f.decode(outputs, item, decoding)?,
            Self::Features(_) => Vec::new(),
        };
        match found.iter().find(|c| c.class >= decoding.classes) {
            Some(c) => Err(DecodeError::UnknownClass { class: c.class, classes: decoding.classes }),
            None => Ok(found),
        }
    }
}

/// Cells `(column, row)` of a stride, row by row.
fn cells(input: (usize, usize), stride: usize) -> impl ExactSizeIterator<Item = (f32, f32)> {
    let (columns, rows) = (input.0.div_ceil(stride), input.1.div_ceil(stride));
    (0..columns * rows).map(move |i| ((i % columns) as f32, (i / columns) as f32))
}

/// The first greatest value and its index; NaN is never the greatest.
fn best(scores: &[f32]) -> (usize, f32) {
    const LANES: usize = 8;
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = scores.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, score) in lanes.iter_mut().zip(chunk) {
            *lane = if *score > *lane { *score } else { *lane };
        }
    }
    let greatest = lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |a, b| if *b > a { *b } else { a });
    (scores.iter().position(|s| *s == greatest).unwrap_or(0), greatest)
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Corners of a box that is given by its centre and size.
fn corners(x: f32, y: f32, width: f32, height: f32) -> [f32; 4] {
    [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_greatest_wins() {
        assert_eq!(best(&[0.1, 0.9, 0.9]), (1, 0.9));
        let mut many = vec![0.0; 80];
        many[77] = 0.5;
        assert_eq!(best(&many), (77, 0.5));
        many[3] = 0.5;
        assert_eq!(best(&many), (3, 0.5));
        many[0] = f32::NAN;
        assert_eq!(best(&many), (3, 0.5));
    }

    #[test]
    fn a_class_that_the_manifest_does_not_know_is_an_error() {
        let family = Family::Yolo(Yolo::EndToEnd { tensor: "o".into() });
        let values = [0.0, 0.0, 4.0, 4.0, 0.9, 80.0];
        let outputs = Outputs::new(vec![("o", Tensor::f32(vec![1, 1, 6], &values))]);
        let decoding = Decoding { classes: 80, input: (32, 32), threshold: 0.5 };
        let error = family.decode(&outputs, 0, decoding).unwrap_err();
        assert!(error.to_string().contains("class 80"), "{error}");
    }
}
