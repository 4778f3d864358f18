//! What a model says is in a frame.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{BBox, Frame};

/// The name of an object class as the model's manifest gives it (`person`, `bicycle`, `dog`). Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Label(#[schemars(with = "String")] Arc<str>);

impl Label {
    /// A label of this name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Label {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({})", self.0)
    }
}

/// One object in one frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Class of the object.
    pub label: Label,
    /// Confidence, 0..=1.
    pub score: f32,
    /// Place in the frame, normalized.
    pub bbox: BBox,
}

/// Why a frame could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// The engine had more to do than it can and dropped this frame; the next one may go through.
    #[error("the model is behind and shed this frame")]
    Shed,
    /// The engine is shutting down.
    #[error("the inference engine has stopped")]
    Stopped,
    /// The model failed on this frame.
    #[error("cannot run the model on frame {sequence} of camera \"{camera}\"")]
    Failed {
        /// The camera.
        camera: crate::CameraId,
        /// The frame's number in its run.
        sequence: u64,
        /// What the runtime said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Finds objects in frames. Detections come sorted by falling score.
pub trait Detector: Send {
    /// Objects in `frame`; blocks until the engine has answered.
    ///
    /// # Errors
    /// See [`DetectError`]; after `Shed` and `Failed` the detector can be used again.
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError>;

    /// Objects in a `part` of `frame`, at the scale at which [`Self::detect`] sees them and in its coordinates; what
    /// reaches beyond the part is found in pieces or not at all. Has no body here, so that whoever wraps a detector does
    /// not look at the whole frame instead.
    ///
    /// # Errors
    /// As [`Self::detect`].
    fn detect_in(&mut self, frame: &Frame, part: BBox) -> Result<Vec<Detection>, DetectError>;
}
