//! A subject of an evaluation: a model with its settings, ready to be run.

use std::path::Path;

use parapet_core::Detection;
use parapet_edge::{Pipeline, config};
use parapet_infer::{Manifest, ManifestError};

use super::plan::SubjectConfig;
use crate::truth::{FoundBox, Rect};

/// A model with its settings.
#[derive(Debug)]
pub struct Subject {
    /// As the plan says.
    pub config: SubjectConfig,
    /// Its model.
    pub manifest: Manifest,
    /// sha256 of its weights.
    pub weights_sha256: Option<String>,
    /// All that its findings hang on, as text.
    pub identity: String,
}

impl Subject {
    /// Reads the model's manifest.
    ///
    /// # Errors
    /// There is none, or it is wrong.
    pub fn load(config: SubjectConfig) -> Result<Self, ManifestError> {
        let manifest = Manifest::load(&config.model)?;
        let weights_sha256 = manifest.variant(config.engine.precision).ok().map(|v| v.sha256.clone());
        let SubjectConfig { engine, detector, gate, keyframes_every, .. } = &config;
        let settings = serde_json::to_string(&(engine, detector, gate, keyframes_every))
            .expect("options are plain data");
        let file = std::fs::read_to_string(config.model.join("model.toml")).unwrap_or_default();
        let identity = format!("{settings}\n{file}");
        Ok(Self { config, manifest, weights_sha256, identity })
    }

    /// A camera without zones and rules that looks at every frame: for boxes and tracks.
    ///
    /// # Panics
    /// Never: the text is right.
    pub fn bare_pipeline(&self) -> Pipeline {
        let text = format!(
            "[node]\nid = \"eval\"\nsite = \"eval\"\n[models.subject]\nmanifest = {}\n\
             [cameras.view.source]\nanalysed_fps = 240\ntest = {{}}\n",
            toml::Value::String(self.config.model.display().to_string())
        );
        let mut pipeline = config::check(&text, Path::new("")).expect("the text is right");
        self.put_into(&mut pipeline);
        pipeline
    }

    /// Makes all cameras of a pipeline look with this subject. What a camera says of its own detector (a threshold, a
    /// class) stays; how the model looks at a picture is the subject's.
    pub fn put_into(&self, pipeline: &mut Pipeline) {
        for model in pipeline.models.values_mut() {
            model.manifest.clone_from(&self.config.model);
            model.engine.clone_from(&self.config.engine);
        }
        let own = &self.config.detector;
        for camera in pipeline.cameras.values_mut() {
            camera.detector.input = own.input;
            camera.detector.tiles = own.tiles;
            if self.config.gate.is_some() {
                camera.gate.clone_from(&self.config.gate);
            }
            if own.score_threshold.is_some() {
                camera.detector.score_threshold = own.score_threshold;
            }
        }
    }
}

pub(super) fn found_box(detection: &Detection, width: f64, height: f64) -> FoundBox {
    FoundBox {
        label: detection.label.clone(),
        rect: Rect::in_pixels(detection.bbox, width, height),
        score: f64::from(detection.score),
        track: None,
    }
}
