//! Deep features of patches: from a network of `infer`, or none.

use std::collections::BTreeMap;

use parapet_change::survey::FeatureGrid;
use parapet_core::{CameraId, DetectError, Picture};
use parapet_infer::{Engine, EngineError, FeatureExtractor, InputSize};

/// What gives the deep features of a picture, from fine to coarse.
pub trait DeepFeatures {
    /// The maps of a picture, whose cells count in its pixels.
    ///
    /// # Errors
    /// When the network fails.
    fn features(&mut self, picture: &Picture) -> Result<Vec<FeatureGrid>, DetectError>;
}

/// No features: for measures that do without.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFeatures;

impl DeepFeatures for NoFeatures {
    fn features(&mut self, _: &Picture) -> Result<Vec<FeatureGrid>, DetectError> {
        Ok(Vec::new())
    }
}

/// A network of the family `features`, run at each patch's own size.
pub struct NetworkFeatures<'a> {
    engine: &'a Engine,
    user: CameraId,
    extractors: BTreeMap<(usize, usize), FeatureExtractor>,
}

impl<'a> NetworkFeatures<'a> {
    /// A user of the network.
    ///
    /// # Errors
    /// When the model has no feature maps.
    pub fn new(engine: &'a Engine) -> Result<Self, EngineError> {
        let user: CameraId = "survey".parse().expect("a fixed name is a valid one");
        engine.extractor(&user, None)?;
        Ok(Self { engine, user, extractors: BTreeMap::new() })
    }
}

impl DeepFeatures for NetworkFeatures<'_> {
    fn features(&mut self, picture: &Picture) -> Result<Vec<FeatureGrid>, DetectError> {
        // The input is as large as the patch, so that a cell of stride 8 is 8 of its pixels wide.
        let size = (picture.width().next_multiple_of(16), picture.height().next_multiple_of(16));
        if !self.extractors.contains_key(&size) {
            let input = InputSize::Size([size.0, size.1]);
            let extractor = self.engine.extractor(&self.user, Some(input)).map_err(|e| {
                DetectError::Failed { camera: self.user.clone(), sequence: 0, source: Box::new(e) }
            })?;
            self.extractors.insert(size, extractor);
        }
        let extractor = self.extractors.get_mut(&size).expect("inserted above");
        let features = extractor.extract(picture)?;
        let scale = picture.width() as f32 / size.0 as f32;
        Ok(features
            .maps
            .iter()
            .filter_map(|m| {
                FeatureGrid::new(m.stride as f32 * scale, (m.channels, m.height, m.width), &m.values)
            })
            .collect())
    }
}
