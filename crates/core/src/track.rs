//! One object followed over frames of one run.

use serde::{Deserialize, Serialize};

use crate::{BBox, Label, Timestamp, TrackId};

/// How sure the tracker is of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackState {
    /// Seen too seldom to be believed.
    Tentative,
    /// Believed, and seen in the latest frame.
    Confirmed,
    /// Believed, but not seen in the latest frame; its box is a prediction.
    Lost,
}

/// An object followed over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Number of the track in its run.
    pub id: TrackId,
    /// The class with the most accumulated evidence.
    pub label: Label,
    /// Summed detection scores for each class that this track was taken for, strongest first.
    pub label_evidence: Vec<(Label, f32)>,
    /// Present state.
    pub state: TrackState,
    /// Filtered box, normalized.
    pub bbox: BBox,
    /// Velocity of the box centre, frame widths and heights per second.
    pub velocity: [f32; 2],
    /// Score of the latest detection, 0..=1.
    pub score: f32,
    /// Time of its first detection.
    pub first_seen_at: Timestamp,
    /// Time of its latest detection.
    pub last_seen_at: Timestamp,
    /// Number of detections.
    pub hits: u32,
}
