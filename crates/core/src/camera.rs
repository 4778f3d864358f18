//! How a camera is doing.

use serde::{Deserialize, Serialize};

use crate::{CameraId, RunId, Timestamp};

/// Present state of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Trying to connect for the first time or again.
    Connecting,
    /// Frames come and change.
    Streaming,
    /// Frames come, but the picture stands still.
    Frozen,
    /// No frames; waiting to try again.
    Offline,
    /// Switched off by the schedule or by an administrator.
    Disabled,
}

/// Why a camera's state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthEvent {
    /// The first frame of a run came.
    Connected,
    /// The source ended the stream.
    EndOfStream,
    /// The source or the network refused or broke the stream.
    Failed,
    /// Nothing came for longer than the limit.
    Silent,
    /// The same picture came for longer than the limit.
    Froze,
    /// The picture moves again.
    Thawed,
    /// A camera was added, changed or removed in the pipeline file.
    Reconfigured,
    /// The thread of the camera panicked and was started again.
    Crashed,
    /// A dome does not come back to a preset: nothing is analysed there.
    OffPreset,
    /// A dome comes back to all of its presets again.
    OnPreset,
}

/// A change in a camera's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CameraHealth {
    /// The camera.
    pub camera: CameraId,
    /// Its state from now on.
    pub state: HealthState,
    /// What led to it.
    pub event: HealthEvent,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The run that began or ended with it, if any.
    pub run: Option<RunId>,
    /// Reconnects since the camera was started.
    pub reconnects: u64,
    /// What the source said, for an administrator; never a password.
    pub detail: Option<String>,
}
