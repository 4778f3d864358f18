//! Messages in core's types, and their way to and from JSON. The JSON itself is fixed in [`v1`].
//!
//! Decoding takes bytes from strangers: it answers with an error, never with a panic or a half-read message.

mod convert;
mod roof;
pub mod v1;

use parapet_core::{
    CameraHealth, CameraId, EvidenceItem, HealthState, IncidentEvent, IncidentId, NodeId, PrivateAreas,
    RoofHistory, RunId, SiteId, Timestamp,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use self::convert::{Fields, shortened};
use crate::Topics;

/// A message of the contract.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// An incident started, changed or ended.
    Incident(Incident),
    /// Files that prove an incident.
    Evidence(Evidence),
    /// A camera's state changed.
    Health(Health),
    /// A camera's present state (retained).
    CameraStatus(CameraStatus),
    /// A node's present state (retained, last will).
    NodeStatus(NodeStatus),
    /// What surveys have told of a roof (retained).
    Roof(Roof),
}

/// An incident's event and whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// The site.
    pub site: SiteId,
    /// The node that decided it.
    pub node: NodeId,
    /// The event.
    pub event: IncidentEvent,
}

/// Files that prove an incident, and where the node serves them.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The site.
    pub site: SiteId,
    /// The node that keeps the files.
    pub node: NodeId,
    /// The camera.
    pub camera: CameraId,
    /// The incident.
    pub incident: IncidentId,
    /// When the files were complete.
    pub at: Timestamp,
    /// The files.
    pub items: Vec<EvidenceItem>,
    /// HTTP address below which each item's path is served, ending in `/`.
    pub base_url: Option<String>,
}

/// A change in a camera's health and whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// The site.
    pub site: SiteId,
    /// The node that runs the camera.
    pub node: NodeId,
    /// The change.
    pub health: CameraHealth,
}

/// Present state of a camera.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraStatus {
    /// The site.
    pub site: SiteId,
    /// The node that runs the camera.
    pub node: NodeId,
    /// The camera.
    pub camera: CameraId,
    /// Its name for people.
    pub name: Option<String>,
    /// Its state.
    pub state: HealthState,
    /// Since when.
    pub at: Timestamp,
    /// Its present run.
    pub run: Option<RunId>,
    /// Reconnects since it was started.
    pub reconnects: u64,
    /// What the source said.
    pub detail: Option<String>,
    /// Frames analysed per second, of late.
    pub analysed_fps: Option<f32>,
    /// Width of the analysed picture in pixels.
    pub width: Option<u32>,
    /// Height of the analysed picture in pixels.
    pub height: Option<u32>,
    /// Composed rather than filmed.
    pub synthetic: bool,
    /// Taken out of the node's configuration.
    pub removed: bool,
    /// What people are not to see in its pictures.
    pub private: PrivateAreas,
}

/// Present state of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeStatus {
    /// The site.
    pub site: SiteId,
    /// The node.
    pub node: NodeId,
    /// Connected to the bus.
    pub online: bool,
    /// When it said so; a last will carries the time of the status before it.
    pub at: Timestamp,
    /// When the program was started.
    pub started_at: Timestamp,
    /// Version of the program.
    pub version: String,
    /// HTTP address of the node, ending in `/`.
    pub base_url: Option<String>,
    /// Its cameras.
    pub cameras: Vec<CameraId>,
}

/// What surveys have told of a roof, and who keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Roof {
    /// The site.
    pub site: SiteId,
    /// The node that keeps the surveys.
    pub node: NodeId,
    /// When it said so.
    pub at: Timestamp,
    /// What was told.
    pub history: RoofHistory,
}

/// A center's request to send again what it may have missed. Not a [`Message`]: it goes the other way, and publisher and
/// subscriber deal with it among themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resync {
    /// Identity of the request.
    pub id: Uuid,
    /// Everything that is kept, not only what was sent of late.
    pub full: bool,
}

impl Resync {
    /// The JSON of the request.
    pub fn encode(self) -> Vec<u8> {
        json(&v1::Resync { schema: v1::RESYNC.to_owned(), id: self.id.to_string(), full: self.full })
    }

    /// The request in these bytes.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let m: v1::Resync = read(v1::RESYNC, bytes)?;
        if m.schema != v1::RESYNC {
            return Err(DecodeError::UnknownSchema(shortened(&m.schema)));
        }
        Ok(Self { id: Fields(v1::RESYNC).text("id", &m.id)?, full: m.full })
    }
}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not an object with a `schema`.
    #[error(
        "the payload is not a JSON object with a \"schema\"; hint: only Parapet may publish below parapet/v1/"
    )]
    NotAMessage(#[source] serde_json::Error),
    /// A message of another version or of another product.
    #[error(
        "cannot read a message of schema \"{0}\"; hint: the sender is newer than this program, bring this one up to date"
    )]
    UnknownSchema(String),
    /// The fields do not have the form of the schema.
    #[error("cannot read a message of schema \"{schema}\"")]
    InvalidForm {
        /// The schema that it claims.
        schema: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A field has the right form, but no valid value.
    #[error("field \"{field}\" of a message of schema \"{schema}\" cannot be \"{value}\": {reason}")]
    InvalidValue {
        /// The schema that it claims.
        schema: &'static str,
        /// The field.
        field: &'static str,
        /// Its value, shortened.
        value: String,
        /// Why not.
        reason: String,
    },
}

impl Message {
    /// The JSON of the message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Incident(m) => json(&v1::Incident::from(m)),
            Self::Evidence(m) => json(&v1::Evidence::from(m)),
            Self::Health(m) => json(&v1::Health::from(m)),
            Self::CameraStatus(m) => json(&v1::CameraStatus::from(m)),
            Self::NodeStatus(m) => json(&v1::NodeStatus::from(m)),
            Self::Roof(m) => json(&v1::Roof::from(m)),
        }
    }

    /// The message in these bytes.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(DecodeError::NotAMessage)?;
        match head.schema.as_str() {
            v1::INCIDENT => read::<v1::Incident>(v1::INCIDENT, bytes)?.try_into().map(Self::Incident),
            v1::EVIDENCE => read::<v1::Evidence>(v1::EVIDENCE, bytes)?.try_into().map(Self::Evidence),
            v1::HEALTH => read::<v1::Health>(v1::HEALTH, bytes)?.try_into().map(Self::Health),
            v1::CAMERA_STATUS => {
                read::<v1::CameraStatus>(v1::CAMERA_STATUS, bytes)?.try_into().map(Self::CameraStatus)
            }
            v1::NODE_STATUS => {
                read::<v1::NodeStatus>(v1::NODE_STATUS, bytes)?.try_into().map(Self::NodeStatus)
            }
            v1::ROOF => read::<v1::Roof>(v1::ROOF, bytes)?.try_into().map(Self::Roof),
            other => Err(DecodeError::UnknownSchema(shortened(other))),
        }
    }

    /// Where the message belongs.
    pub fn topic(&self) -> String {
        match self {
            Self::Incident(m) => Topics::incident(&m.site, &m.node, &m.event.camera),
            Self::Evidence(m) => Topics::evidence(&m.site, &m.node, &m.camera),
            Self::Health(m) => Topics::health(&m.site, &m.node, &m.health.camera),
            Self::CameraStatus(m) => Topics::camera_status(&m.site, &m.node, &m.camera),
            Self::NodeStatus(m) => Topics::node_status(&m.site, &m.node),
            Self::Roof(m) => Topics::roof(&m.site, &m.node, &m.history.building),
        }
    }

    /// Whether the broker keeps the latest one for those who subscribe later.
    pub fn retained(&self) -> bool {
        matches!(self, Self::CameraStatus(_) | Self::NodeStatus(_) | Self::Roof(_))
    }
}

fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("structs of strings, numbers and lists are always JSON")
}

fn read<T: DeserializeOwned>(schema: &'static str, bytes: &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(bytes).map_err(|source| DecodeError::InvalidForm { schema, source })
}
