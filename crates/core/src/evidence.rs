//! What proves an incident: files, named by their hash. The files themselves live where the node keeps them.

use serde::{Deserialize, Serialize};

/// What a file of evidence shows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceRole {
    /// The frame at the decision, untouched.
    Snapshot,
    /// The same frame with the suspicion drawn on it.
    Annotated,
    /// The place before.
    Before,
    /// The place after, at the decision.
    After,
    /// Video from before the start until after it.
    Clip,
}

/// One file of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EvidenceItem {
    /// What it shows.
    pub role: EvidenceRole,
    /// Path below the node's evidence directory, with `/` (`2026-11-22/INCIDENT/snapshot.jpg`).
    pub path: String,
    /// MIME type.
    pub media_type: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
}
