//! The messages of the live feed. Frames go as binary messages: four bytes big-endian length, a [`FrameHeader`] of that
//! many bytes as JSON, and the JPEG of the same frame.

use parapet_core::{BBox, Point, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    case_shape::Case,
    shape::{Camera, Incident, Node},
};

/// A text message from the center to a page.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum LiveMessage {
    /// The first message of a connection.
    Hello {
        /// The center's clock.
        #[schema(value_type = String, format = DateTime)]
        server_time: Timestamp,
        /// Version of the center.
        version: String,
    },
    /// An incident is new or has changed, by its node or by a person.
    Incident {
        /// As it stands now.
        incident: Box<Incident>,
    },
    /// A case is new or has changed.
    Case {
        /// As it stands now.
        case: Box<Case>,
    },
    /// A camera is new or its state has changed.
    Camera {
        /// As it stands now.
        camera: Box<Camera>,
    },
    /// A camera was taken out.
    CameraRemoved {
        /// Its site.
        site: String,
        /// Its id.
        camera: String,
    },
    /// A node is new or its state has changed.
    Node {
        /// As it stands now.
        node: Node,
    },
    /// Surveys told something new of a roof.
    Roof {
        /// The site.
        site: String,
        /// The building.
        building: String,
    },
    /// The page was too slow and has missed news: it must read the lists again.
    Resync,
}

impl LiveMessage {
    /// What the message is about: only who may see that may have it. `None`: it tells nothing of any place.
    pub(crate) fn about(&self) -> Option<About> {
        let about = |site: &str, camera: Option<&str>| {
            Some(About { site: site.to_owned(), camera: camera.map(str::to_owned) })
        };
        match self {
            Self::Hello { .. } | Self::Resync => None,
            Self::Incident { incident } => about(&incident.site, Some(&incident.camera)),
            Self::Case { case } => about(&case.site, case.camera.as_deref()),
            Self::Camera { camera } => about(&camera.site, Some(&camera.camera)),
            Self::CameraRemoved { site, camera } => about(site, Some(camera)),
            Self::Node { node } => about(&node.site, None),
            Self::Roof { site, .. } => about(site, None),
        }
    }
}

/// Site and camera that a message is about; without a camera it is about the whole site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) site: String,
    pub(crate) camera: Option<String>,
}

impl About {
    /// Whether a page with this scope may have it.
    pub(crate) fn is_in(&self, scope: &Scope) -> bool {
        scope.contains(Some(&self.site), self.camera.as_deref())
    }
}

/// A text message from a page to the center.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum LiveRequest {
    /// Send frames of these cameras and of no others.
    Watch {
        /// At most 64.
        cameras: Vec<WatchedCamera>,
    },
}

/// A camera whose frames a page wants.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
pub(crate) struct WatchedCamera {
    /// Its id.
    pub(crate) camera: String,
    /// Large pictures rather than small ones.
    #[serde(default)]
    #[schema(required)]
    pub(crate) large: bool,
}

/// What is drawn over a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct FrameHeader {
    /// The camera.
    pub(crate) camera: String,
    /// The preset that a dome looks from; `null` for a fixed camera, and while a dome turns.
    #[serde(default)]
    #[schema(required)]
    pub(crate) preset: Option<String>,
    /// Number of the frame in its run.
    pub(crate) sequence: u64,
    /// When it was taken.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) captured_at: Timestamp,
    /// Width of the analysed picture in pixels.
    pub(crate) width: u32,
    /// Height of the analysed picture in pixels.
    pub(crate) height: u32,
    /// Objects that are followed.
    #[serde(default)]
    #[schema(required)]
    pub(crate) tracks: Vec<FrameTrack>,
    /// Things that were put down and stay, and differences to the baseline.
    #[serde(default)]
    #[schema(required)]
    pub(crate) regions: Vec<FrameRegion>,
    /// Incidents that go on.
    #[serde(default)]
    #[schema(required)]
    pub(crate) open: Vec<FrameIncident>,
    /// The light changed as a whole.
    #[serde(default)]
    #[schema(required)]
    pub(crate) light_changed: bool,
    /// The camera is not where it was.
    #[serde(default)]
    #[schema(required)]
    pub(crate) view_shifted: bool,
}

/// An object that is followed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct FrameTrack {
    /// Its number in the run.
    pub(crate) id: u64,
    /// Its class.
    pub(crate) label: String,
    /// `tentative`, `confirmed` or `lost`.
    pub(crate) state: String,
    /// Score of its latest detection.
    pub(crate) score: f32,
    /// Where it is, normalized.
    #[schema(value_type = [f32; 4])]
    pub(crate) bbox: BBox,
    /// How long it has stood; `null` while it moves.
    #[serde(default)]
    #[schema(required)]
    pub(crate) standing_seconds: Option<f64>,
}

/// A region that is new in the view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct FrameRegion {
    /// Its number.
    pub(crate) number: u64,
    /// Where it is, normalized.
    #[schema(value_type = [f32; 4])]
    pub(crate) bbox: BBox,
    /// Its outline, normalized.
    #[schema(value_type = Vec<[f32; 2]>)]
    pub(crate) outline: Vec<Point>,
    /// `stationary` or `baseline`.
    pub(crate) source: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) since: Timestamp,
}

/// An incident that goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct FrameIncident {
    /// Its id (UUID).
    pub(crate) incident_id: String,
    /// Code of its kind.
    pub(crate) kind: String,
    /// Where it is, normalized.
    #[schema(value_type = [f32; 4])]
    pub(crate) bbox: BBox,
    /// Its outline, normalized.
    #[serde(default)]
    #[schema(value_type = Option<Vec<[f32; 2]>>, required)]
    pub(crate) outline: Option<Vec<Point>>,
}
