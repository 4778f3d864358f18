//! One picture of one camera at one instant.

use std::sync::Arc;

use crate::{CameraId, Picture, PresetId, RunId, Timestamp};

/// A decoded frame. Cloning shares the pixels.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The camera that took it.
    pub camera: CameraId,
    /// The PTZ preset that the camera looked from; `None` for a fixed camera.
    pub preset: Option<PresetId>,
    /// The connection that it came over.
    pub run: RunId,
    /// Number of the frame in its run, from 0, counting the frames offered to analysis.
    pub sequence: u64,
    /// When the light fell on the sensor, as well as the source can tell: the only time that analytics knows.
    pub captured_at: Timestamp,
    /// The pixels.
    pub picture: Arc<Picture>,
}
