//! Feature maps of a backbone: what two pictures of one roof are compared by.

use std::sync::{Arc, mpsc};

use parapet_core::{CameraId, DetectError, Picture};

use crate::{
    config::{DetectorOptions, InputSize},
    engine::{EngineError, Shared},
    family::{DecodeError, FeatureOutput, Outputs},
    letterbox::Placement,
    preprocess::{Region, fill_tensor},
    queue::Job,
    session::Output,
};

/// One map, channel by channel, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureMap {
    /// Pixels of the input for each cell.
    pub stride: usize,
    /// Numbers in each cell.
    pub channels: usize,
    /// Cells down.
    pub height: usize,
    /// Cells across.
    pub width: usize,
    /// `[channels, height, width]`.
    pub values: Vec<f32>,
}

impl FeatureMap {
    pub(crate) fn read(
        output: &FeatureOutput,
        outputs: &Outputs<'_>,
        item: usize,
    ) -> Result<Self, DecodeError> {
        let (shape, values) = outputs.item(&output.tensor, item)?;
        match *shape {
            [channels, height, width] if channels == output.channels => {
                Ok(Self { stride: output.stride, channels, height, width, values: values.to_vec() })
            }
            _ => Err(DecodeError::Shape {
                name: output.tensor.clone(),
                found: shape.to_vec(),
                expected: format!("[{}, height, width]", output.channels),
            }),
        }
    }

    /// The number of a channel at a cell.
    pub fn at(&self, channel: usize, x: usize, y: usize) -> f32 {
        self.values[(channel * self.height + y) * self.width + x]
    }
}

/// The maps of one picture and where the picture lies in the input that they describe.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// In the order of the manifest.
    pub maps: Vec<FeatureMap>,
    /// The picture's place in the input; cells outside it show padding.
    pub placement: Placement,
    /// Width and height of the input.
    pub input: (usize, usize),
}

/// One user's way to a model of feature maps.
#[derive(Debug)]
pub struct FeatureExtractor {
    shared: Arc<Shared>,
    camera: CameraId,
    options: DetectorOptions,
    tensors: Vec<Vec<f32>>,
}

impl FeatureExtractor {
    pub(crate) fn new(
        shared: Arc<Shared>,
        camera: &CameraId,
        input: Option<InputSize>,
    ) -> Result<Self, EngineError> {
        let manifest = &shared.manifest;
        if manifest.thresholds().is_some() {
            return Err(EngineError::Options {
                model: manifest.name().to_owned(),
                problems: vec![
                    "it detects and has no feature maps; hint: choose a model of the family features".into(),
                ],
            });
        }
        let options = DetectorOptions { input, ..DetectorOptions::default() };
        let camera = camera.clone();
        Ok(Self { shared, camera, options, tensors: Vec::new() })
    }

    /// The feature maps of a picture; blocks until the engine has answered.
    ///
    /// # Errors
    /// As [`parapet_core::Detector::detect`]; the frame's number is 0.
    pub fn extract(&mut self, picture: &Picture) -> Result<Features, DetectError> {
        let manifest = &self.shared.manifest;
        let size = (picture.width(), picture.height());
        let input = self.options.input_size(manifest, size);
        let placement = manifest.placement(size, input);
        let mut tensor = self.tensors.pop().unwrap_or_default();
        tensor.resize(3 * input.0 * input.1, 0.0);
        fill_tensor(
            &mut tensor,
            input,
            picture,
            Region::whole(picture),
            placement,
            &manifest.normalization(),
        );
        let (reply, answer) = mpsc::channel();
        let job = Job { camera: self.camera.clone(), input, threshold: 0.0, tensors: vec![tensor], reply };
        let (outputs, tensors) = self.shared.ask(job, &answer, 0)?;
        self.tensors = tensors;
        match outputs.into_iter().next() {
            Some(Output::Features(maps)) => Ok(Features { maps, placement, input }),
            _ => Err(DetectError::Stopped),
        }
    }
}
