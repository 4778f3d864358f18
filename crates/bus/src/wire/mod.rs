//! Messages in core's types, and their way to and from JSON. The JSON itself is fixed in [`v1`].
//!
//! Decoding takes bytes from strangers: it answers with an error, never with a panic or a half-read message.

pub mod v1;

use std::{fmt::Display, str::FromStr};

use parapet_core::{
    BBox, CameraHealth, CameraId, EventId, EvidenceItem, HealthState, IncidentEvent, IncidentId, Label,
    NodeId, Point, RunId, SiteId, Timestamp, TrackId,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

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
        }
    }

    /// Whether the broker keeps the latest one for those who subscribe later.
    pub fn retained(&self) -> bool {
        matches!(self, Self::CameraStatus(_) | Self::NodeStatus(_))
    }
}

fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("structs of strings, numbers and lists are always JSON")
}

fn read<T: DeserializeOwned>(schema: &'static str, bytes: &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(bytes).map_err(|source| DecodeError::InvalidForm { schema, source })
}

/// Free text without the one character that PostgreSQL cannot store: one such message must not hold up all others.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

fn shortened(text: &str) -> String {
    storable(text.chars().take(80).collect())
}

/// Reads the fields of one message, so that every error names schema and field.
#[derive(Clone, Copy)]
struct Fields(&'static str);

impl Fields {
    fn refuse(self, field: &'static str, value: &str, reason: impl Display) -> DecodeError {
        let schema = self.0;
        DecodeError::InvalidValue {
            schema,
            field,
            value: shortened(value),
            reason: storable(reason.to_string()),
        }
    }

    fn text<T: FromStr>(self, field: &'static str, value: &str) -> Result<T, DecodeError>
    where
        T::Err: Display,
    {
        value.parse().map_err(|reason| self.refuse(field, value, reason))
    }

    /// One of an enum's names.
    fn choice<T: DeserializeOwned>(self, field: &'static str, value: &str) -> Result<T, DecodeError> {
        T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(value))
            .map_err(|reason| self.refuse(field, value, reason))
    }

    fn fraction(self, field: &'static str, value: f32) -> Result<f32, DecodeError> {
        if (0.0..=1.0).contains(&value) {
            Ok(value)
        } else {
            Err(self.refuse(field, &value.to_string(), "it must be from 0 to 1"))
        }
    }
}

/// The name that serde gives to an enum's variant.
fn name(choice: impl Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(serde_json::Value::String(name)) => name,
        other => unreachable!("core's plain enums are strings in JSON, not {other:?}"),
    }
}

impl From<&Incident> for v1::Incident {
    fn from(m: &Incident) -> Self {
        let e = &m.event;
        Self {
            schema: v1::INCIDENT.to_owned(),
            site: m.site.to_string(),
            node: m.node.to_string(),
            event_id: e.event_id.to_string(),
            incident_id: e.incident_id.to_string(),
            sequence: e.sequence,
            phase: name(e.phase),
            kind: e.kind.as_str().to_owned(),
            severity: name(e.severity),
            camera: e.camera.to_string(),
            preset: e.preset.as_ref().map(ToString::to_string),
            run_id: e.run.to_string(),
            rule: e.rule.to_string(),
            zone: e.zone.as_ref().map(ToString::to_string),
            at: e.at.to_string(),
            since_at: e.since.to_string(),
            started_at: e.started_at.to_string(),
            ended_at: e.ended_at.map(|at| at.to_string()),
            end_reason: e.end_reason.map(name),
            label: e.label.as_ref().map(ToString::to_string),
            track: e.track.map(|track| track.0),
            bbox: e.bbox.into(),
            outline: e.outline.as_ref().map(|points| points.iter().map(|p| [p.x, p.y]).collect()),
            count: e.count,
            score: e.score,
            covered_fraction: e.covered,
        }
    }
}

impl TryFrom<v1::Incident> for Incident {
    type Error = DecodeError;

    fn try_from(m: v1::Incident) -> Result<Self, DecodeError> {
        let f = Fields(v1::INCIDENT);
        let outline = match m.outline {
            None => None,
            Some(points) if points.iter().flatten().all(|v| v.is_finite()) => {
                Some(points.into_iter().map(Point::from).collect())
            }
            Some(_) => return Err(f.refuse("outline", "", "its coordinates must be finite")),
        };
        Ok(Self {
            site: f.text("site", &m.site)?,
            node: f.text("node", &m.node)?,
            event: IncidentEvent {
                event_id: f.text::<EventId>("event_id", &m.event_id)?,
                incident_id: f.text::<IncidentId>("incident_id", &m.incident_id)?,
                sequence: m.sequence,
                phase: f.choice("phase", &m.phase)?,
                kind: f.choice("kind", &m.kind)?,
                severity: f.choice("severity", &m.severity)?,
                camera: f.text("camera", &m.camera)?,
                preset: m.preset.map(|v| f.text("preset", &v)).transpose()?,
                run: f.text("run_id", &m.run_id)?,
                rule: f.text("rule", &m.rule)?,
                zone: m.zone.map(|v| f.text("zone", &v)).transpose()?,
                at: f.text("at", &m.at)?,
                since: f.text("since_at", &m.since_at)?,
                started_at: f.text("started_at", &m.started_at)?,
                ended_at: m.ended_at.map(|v| f.text("ended_at", &v)).transpose()?,
                end_reason: m.end_reason.map(|v| f.choice("end_reason", &v)).transpose()?,
                label: m.label.map(|v| Label::new(&storable(v))),
                track: m.track.map(TrackId),
                bbox: BBox::try_from(m.bbox)
                    .map_err(|reason| f.refuse("bbox", &format!("{:?}", m.bbox), reason))?,
                outline,
                count: m.count,
                score: f.fraction("score", m.score)?,
                covered: m.covered_fraction.map(|v| f.fraction("covered_fraction", v)).transpose()?,
            },
        })
    }
}

impl From<&Evidence> for v1::Evidence {
    fn from(m: &Evidence) -> Self {
        Self {
            schema: v1::EVIDENCE.to_owned(),
            site: m.site.to_string(),
            node: m.node.to_string(),
            camera: m.camera.to_string(),
            incident_id: m.incident.to_string(),
            at: m.at.to_string(),
            base_url: m.base_url.clone(),
            items: m
                .items
                .iter()
                .map(|item| v1::EvidenceItem {
                    role: name(item.role),
                    path: item.path.clone(),
                    media_type: item.media_type.clone(),
                    bytes: item.bytes,
                    sha256: item.sha256.clone(),
                })
                .collect(),
        }
    }
}

impl TryFrom<v1::Evidence> for Evidence {
    type Error = DecodeError;

    fn try_from(m: v1::Evidence) -> Result<Self, DecodeError> {
        let f = Fields(v1::EVIDENCE);
        let items = m.items.into_iter().map(|item| {
            // The path becomes part of an address at the center and of a file name at the node.
            let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
            if item.path.contains(['\\', '\0', '?', '#']) || !item.path.split('/').all(plain) {
                return Err(f.refuse("items.path", &item.path, "it must be a relative path without \"..\""));
            }
            let is_hash = item.sha256.len() == 64
                && item.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            if !is_hash {
                return Err(f.refuse("items.sha256", &item.sha256, "it must be 64 lower-case hex digits"));
            }
            Ok(EvidenceItem {
                role: f.choice("items.role", &item.role)?,
                path: item.path,
                media_type: storable(item.media_type),
                bytes: item.bytes,
                sha256: item.sha256,
            })
        });
        Ok(Self {
            site: f.text("site", &m.site)?,
            node: f.text("node", &m.node)?,
            camera: f.text("camera", &m.camera)?,
            incident: f.text("incident_id", &m.incident_id)?,
            at: f.text("at", &m.at)?,
            items: items.collect::<Result<_, _>>()?,
            base_url: m.base_url.map(|url| base_url(f, url)).transpose()?,
        })
    }
}

/// The center fetches from this address and shows it in a page, so nothing but HTTP passes.
fn base_url(f: Fields, url: String) -> Result<String, DecodeError> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    match rest {
        Some(rest) if rest.len() > 1 && rest.ends_with('/') && !rest.contains(['?', '#', '@', ' ', '\0']) => {
            Ok(url)
        }
        _ => Err(f.refuse("base_url", &url, "it must be an http or https address that ends in \"/\"")),
    }
}

impl From<&Health> for v1::Health {
    fn from(m: &Health) -> Self {
        let h = &m.health;
        Self {
            schema: v1::HEALTH.to_owned(),
            site: m.site.to_string(),
            node: m.node.to_string(),
            camera: h.camera.to_string(),
            state: name(h.state),
            event: name(h.event),
            at: h.at.to_string(),
            run_id: h.run.map(|run| run.to_string()),
            reconnects: h.reconnects,
            detail: h.detail.clone(),
        }
    }
}

impl TryFrom<v1::Health> for Health {
    type Error = DecodeError;

    fn try_from(m: v1::Health) -> Result<Self, DecodeError> {
        let f = Fields(v1::HEALTH);
        Ok(Self {
            site: f.text("site", &m.site)?,
            node: f.text("node", &m.node)?,
            health: CameraHealth {
                camera: f.text("camera", &m.camera)?,
                state: f.choice("state", &m.state)?,
                event: f.choice("event", &m.event)?,
                at: f.text("at", &m.at)?,
                run: m.run_id.map(|v| f.text("run_id", &v)).transpose()?,
                reconnects: m.reconnects,
                detail: m.detail.map(storable),
            },
        })
    }
}

impl From<&CameraStatus> for v1::CameraStatus {
    fn from(m: &CameraStatus) -> Self {
        Self {
            schema: v1::CAMERA_STATUS.to_owned(),
            site: m.site.to_string(),
            node: m.node.to_string(),
            camera: m.camera.to_string(),
            name: m.name.clone(),
            state: name(m.state),
            at: m.at.to_string(),
            run_id: m.run.map(|run| run.to_string()),
            reconnects: m.reconnects,
            detail: m.detail.clone(),
            analysed_frames_per_second: m.analysed_fps,
            width_pixels: m.width,
            height_pixels: m.height,
            synthetic: m.synthetic,
            removed: m.removed,
        }
    }
}

impl TryFrom<v1::CameraStatus> for CameraStatus {
    type Error = DecodeError;

    fn try_from(m: v1::CameraStatus) -> Result<Self, DecodeError> {
        let f = Fields(v1::CAMERA_STATUS);
        Ok(Self {
            site: f.text("site", &m.site)?,
            node: f.text("node", &m.node)?,
            camera: f.text("camera", &m.camera)?,
            name: m.name.map(storable),
            state: f.choice("state", &m.state)?,
            at: f.text("at", &m.at)?,
            run: m.run_id.map(|v| f.text("run_id", &v)).transpose()?,
            reconnects: m.reconnects,
            detail: m.detail.map(storable),
            analysed_fps: m.analysed_frames_per_second.filter(|fps| fps.is_finite()),
            width: m.width_pixels,
            height: m.height_pixels,
            synthetic: m.synthetic,
            removed: m.removed,
        })
    }
}

impl From<&NodeStatus> for v1::NodeStatus {
    fn from(m: &NodeStatus) -> Self {
        Self {
            schema: v1::NODE_STATUS.to_owned(),
            site: m.site.to_string(),
            node: m.node.to_string(),
            online: m.online,
            at: m.at.to_string(),
            started_at: m.started_at.to_string(),
            version: m.version.clone(),
            base_url: m.base_url.clone(),
            cameras: m.cameras.iter().map(ToString::to_string).collect(),
        }
    }
}

impl TryFrom<v1::NodeStatus> for NodeStatus {
    type Error = DecodeError;

    fn try_from(m: v1::NodeStatus) -> Result<Self, DecodeError> {
        let f = Fields(v1::NODE_STATUS);
        Ok(Self {
            site: f.text("site", &m.site)?,
            node: f.text("node", &m.node)?,
            online: m.online,
            at: f.text("at", &m.at)?,
            started_at: f.text("started_at", &m.started_at)?,
            version: storable(m.version),
            base_url: m.base_url.map(|url| base_url(f, url)).transpose()?,
            cameras: m.cameras.iter().map(|v| f.text("cameras", v)).collect::<Result<_, _>>()?,
        })
    }
}
