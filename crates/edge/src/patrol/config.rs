//! What a pipeline file says about cameras that are looked at in turn.

use parapet_analytics::{Fraction, Seconds};
use serde::{Deserialize, Serialize};

/// The camera is not watched all the time but looked at in turn with others (轮巡): a visit connects, takes a keyframe or a few
/// and disconnects. For what stands for minutes, on more cameras than the machine could watch. A violation is told at the
/// latest its limit and two intervals after it began. There is no clip of it, and what passes is not seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CameraPatrolConfig {
    /// The longest time between two looks at the camera. Where more is configured than the machine can look at, it grows
    /// by one factor for all cameras, which log, metrics and the camera's status say.
    pub every_seconds: Seconds,
    /// Most pictures that a visit takes. After the first, others are taken only while something that a rule is about has
    /// just come or may be gone.
    pub looks: u32,
    /// Longest wait for a picture on a visit, above the distance of the camera's keyframes. A camera that does not answer
    /// is given up after that, until its next turn.
    pub patience_seconds: Seconds,
}

impl Default for CameraPatrolConfig {
    fn default() -> Self {
        Self { every_seconds: Seconds::whole(30), looks: 2, patience_seconds: Seconds::whole(5) }
    }
}

/// How a node looks at its cameras with a `patrol`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NodePatrolConfig {
    /// Most visits at once; 16 for each processor when left out. A visit mostly waits for the network and the next keyframe.
    pub at_once: Option<u32>,
    /// The part of the machine's processors that visits may take together.
    pub share: Fraction,
}

impl Default for NodePatrolConfig {
    fn default() -> Self {
        Self { at_once: None, share: Fraction::percent(80) }
    }
}

/// Visits at once for each processor.
const AT_ONCE_EACH: usize = 16;

impl NodePatrolConfig {
    /// Most visits at once on a machine with so many processors.
    pub(crate) fn at_once_on(&self, processors: usize) -> usize {
        self.at_once.map_or(AT_ONCE_EACH * processors, |n| n as usize).max(1)
    }
}
