//! Core's types to the fields of [`v1`] and back. On the way in every value is checked, since it comes from strangers.

use std::{fmt::Display, str::FromStr};

use parapet_core::{
    BBox, CameraHealth, EventId, EvidenceItem, IncidentEvent, IncidentId, Label, Point, Polygon,
    PrivateAreas, PrivateView, TrackId,
    geo::{GeoPoint, Place, Position},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{CameraStatus, DecodeError, Evidence, Health, Incident, NodeStatus, v1};

/// Free text without the one character that PostgreSQL cannot store: one such message must not hold up all others.
pub(super) fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

pub(super) fn shortened(text: &str) -> String {
    storable(text.chars().take(80).collect())
}

/// Reads the fields of one message, so that every error names schema and field.
#[derive(Clone, Copy)]
pub(super) struct Fields(pub(super) &'static str);

impl Fields {
    pub(super) fn refuse(self, field: &'static str, value: &str, reason: impl Display) -> DecodeError {
        let schema = self.0;
        DecodeError::InvalidValue {
            schema,
            field,
            value: shortened(value),
            reason: storable(reason.to_string()),
        }
    }

    pub(super) fn text<T: FromStr>(self, field: &'static str, value: &str) -> Result<T, DecodeError>
    where
        T::Err: Display,
    {
        value.parse().map_err(|reason| self.refuse(field, value, reason))
    }

    /// One of an enum's names.
    pub(super) fn choice<T: DeserializeOwned>(
        self,
        field: &'static str,
        value: &str,
    ) -> Result<T, DecodeError> {
        T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(value))
            .map_err(|reason| self.refuse(field, value, reason))
    }

    /// A length or an area.
    pub(super) fn length(self, field: &'static str, value: f32) -> Result<f32, DecodeError> {
        if value.is_finite() && value >= 0.0 {
            Ok(value)
        } else {
            Err(self.refuse(field, &value.to_string(), "it must be 0 or more"))
        }
    }

    pub(super) fn fraction(self, field: &'static str, value: f32) -> Result<f32, DecodeError> {
        if (0.0..=1.0).contains(&value) {
            Ok(value)
        } else {
            Err(self.refuse(field, &value.to_string(), "it must be from 0 to 1"))
        }
    }
}

/// The name that serde gives to an enum's variant.
pub(super) fn name(choice: impl Serialize) -> String {
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
            place: e.place.as_ref().map(Into::into),
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
                place: m.place.map(|v| place(f, v)).transpose()?,
            },
        })
    }
}

impl From<&Place> for v1::Place {
    fn from(place: &Place) -> Self {
        let Position { point, uncertainty_meters } = place.position;
        Self {
            latitude: point.latitude,
            longitude: point.longitude,
            uncertainty_meters,
            building: place.building.as_ref().map(ToString::to_string),
            area_square_meters: place.area_square_meters,
        }
    }
}

fn place(f: Fields, m: v1::Place) -> Result<Place, DecodeError> {
    let point = GeoPoint::new(m.latitude, m.longitude)
        .map_err(|reason| f.refuse("place", &format!("{}, {}", m.latitude, m.longitude), reason))?;
    Ok(Place {
        position: Position {
            point,
            uncertainty_meters: f.length("place.uncertainty_meters", m.uncertainty_meters)?,
        },
        building: m.building.map(|v| f.text("place.building", &v)).transpose()?,
        area_square_meters: m
            .area_square_meters
            .map(|v| f.length("place.area_square_meters", v))
            .transpose()?,
    })
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
            private: m.private.views().iter().map(Into::into).collect(),
        }
    }
}

impl From<&PrivateView> for v1::PrivateView {
    fn from(view: &PrivateView) -> Self {
        let corners = |area: &Polygon| area.points().iter().map(|p| [p.x, p.y]).collect();
        Self {
            preset: view.preset.as_ref().map(ToString::to_string),
            areas: view.areas.iter().map(corners).collect(),
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
            private: PrivateAreas::new(
                m.private.into_iter().map(|view| private_view(f, view)).collect::<Result<_, _>>()?,
            ),
        })
    }
}

fn private_view(f: Fields, view: v1::PrivateView) -> Result<PrivateView, DecodeError> {
    let area = |corners: Vec<[f32; 2]>| {
        let points = corners.iter().map(|[x, y]| Point::new(*x, *y)).collect();
        Polygon::new(points).map_err(|reason| f.refuse("private", &format!("{corners:?}"), reason))
    };
    Ok(PrivateView {
        preset: view.preset.map(|preset| f.text("private.preset", &preset)).transpose()?,
        areas: view.areas.into_iter().map(area).collect::<Result<_, _>>()?,
    })
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
