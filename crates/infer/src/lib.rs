//! Turns frames into detections and feature maps with ONNX models.
//!
//! [`Manifest`] says what a model is, [`Engine`] runs it on one thread for all cameras, [`EngineDetector`] is one
//! camera's way in. Nothing here tracks, judges or downloads.

pub mod config;
pub mod engine;
mod family;
mod fastest;
mod features;
mod letterbox;
pub mod manifest;
mod nms;
mod part;
mod preprocess;
mod queue;
pub mod runtime;
mod session;
mod tiles;

pub use config::{DetectorOptions, EngineConfig, InputSize, Overload, Precision, Provider, Tiling};
pub use engine::{Engine, EngineCounts, EngineDetector, EngineError, EngineInfo};
pub use family::{Candidate, DecodeError};
pub use features::{FeatureExtractor, FeatureMap, Features};
pub use letterbox::Placement;
pub use manifest::{
    COCO80, Manifest, ManifestError, ModelEntry, ModelStore, Problem, Thresholds, Variant, WeightsError,
};
pub use preprocess::{Normalization, Region, fill_tensor};
pub use runtime::{Runtime, RuntimeError};
