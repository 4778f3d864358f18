//! Violations as events: what started, goes on, and ended. An incident is a suspicion for a person to check.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    BBox, CameraId, EventId, IncidentId, Label, Language, Point, PresetId, RuleId, RunId, Timestamp, TrackId,
    ZoneId, geo::Place, id::InvalidName,
};

/// The four kinds that models and rules flag by themselves.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// Something on a roof that the approved baseline does not have.
    RooftopStructure,
    /// A roadway, sidewalk or fire lane is taken up.
    OccupiedRoadway,
    /// A dog without a person.
    StrayDog,
    /// A bike outside its bays.
    MisparkedEbike,
}

impl IncidentKind {
    /// All four.
    pub const ALL: [Self; 4] =
        [Self::RooftopStructure, Self::OccupiedRoadway, Self::StrayDog, Self::MisparkedEbike];

    /// Its code in the catalogue.
    pub fn code(self) -> KindCode {
        KindCode(self.as_str().into())
    }

    /// Its code as text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RooftopStructure => "rooftop_structure",
            Self::OccupiedRoadway => "occupied_roadway",
            Self::StrayDog => "stray_dog",
            Self::MisparkedEbike => "misparked_ebike",
        }
    }

    /// Its name for people.
    pub fn name(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::RooftopStructure, Language::ZhCn) => "疑似楼顶违建",
            (Self::RooftopStructure, Language::En) => "Suspected rooftop structure",
            (Self::OccupiedRoadway, Language::ZhCn) => "疑似占道",
            (Self::OccupiedRoadway, Language::En) => "Suspected occupied roadway",
            (Self::StrayDog, Language::ZhCn) => "疑似流浪犬只",
            (Self::StrayDog, Language::En) => "Suspected stray dog",
            (Self::MisparkedEbike, Language::ZhCn) => "疑似电动车乱停放",
            (Self::MisparkedEbike, Language::En) => "Suspected misparked e-bike",
        }
    }
}

/// Code of a kind in the catalogue, which an administrator can extend: one of [`IncidentKind`] or another.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct KindCode(#[schemars(with = "String")] Arc<str>);

impl KindCode {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KindCode {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let ok = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if ok { Ok(Self(text.into())) } else { Err(InvalidName(text.to_owned())) }
    }
}

impl TryFrom<String> for KindCode {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<KindCode> for String {
    fn from(code: KindCode) -> Self {
        code.0.as_ref().to_owned()
    }
}

impl fmt::Display for KindCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an incident is in its life, as the edge sees it. Only the edge writes it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It has just been decided. Exactly once.
    Started,
    /// It goes on and something about it changed. Any number of times.
    Updated,
    /// It is over. Exactly once.
    Ended,
}

/// Where an incident is in people's work. Only the center writes it; [`Phase`] never changes it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has judged it.
    New,
    /// An operator says it is a violation.
    Confirmed,
    /// An operator says it is not.
    Dismissed,
    /// It became a case.
    Filed,
    /// The case was sent to a department.
    Dispatched,
    /// The department says it is done.
    Handled,
    /// A check on the spot agrees.
    Verified,
    /// Done.
    Closed,
}

/// How pressing an incident is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For the record.
    Low,
    /// The ordinary case.
    #[default]
    Medium,
    /// Look now.
    High,
}

/// Why an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The thing left, or what made it a violation no longer holds.
    Cleared,
    /// The rule's hours ended.
    OutOfSchedule,
    /// The node was restarted and does not know.
    Interrupted,
    /// The rule, the zone or the camera was changed or removed.
    Reconfigured,
    /// The recording ended while it still stood (offline analysis only, and only when asked for).
    EndOfRecording,
}

/// One event in the life of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentEvent {
    /// Identity of the event, derived: a replay gives the same one.
    pub event_id: EventId,
    /// The incident, derived: a replay gives the same one.
    pub incident_id: IncidentId,
    /// Number of the event in its incident, from 0 (`Started`).
    pub sequence: u32,
    /// What happened to it.
    pub phase: Phase,
    /// What kind of violation it is.
    pub kind: IncidentKind,
    /// How pressing it is.
    pub severity: Severity,
    /// The camera.
    pub camera: CameraId,
    /// The preset of a dome.
    pub preset: Option<PresetId>,
    /// The run of the frame that decided this event.
    pub run: RunId,
    /// The rule that found it.
    pub rule: RuleId,
    /// The zone, if the rule has zones.
    pub zone: Option<ZoneId>,
    /// Capture time of the frame that decided this event.
    pub at: Timestamp,
    /// Since when it has held: when the bike came to rest, before the limit ran out.
    pub since: Timestamp,
    /// Capture time of the frame that decided `Started`.
    pub started_at: Timestamp,
    /// When it ended; only in `Ended`.
    pub ended_at: Option<Timestamp>,
    /// Why it ended; only in `Ended`.
    pub end_reason: Option<EndReason>,
    /// Class of the thing, if it is known.
    pub label: Option<Label>,
    /// Track of the thing at this event, if it has one.
    pub track: Option<TrackId>,
    /// Where it is, normalized.
    pub bbox: BBox,
    /// Its outline, normalized, where it is known better than by its box.
    pub outline: Option<Vec<Point>>,
    /// How many things of this kind it stands for (dogs at one place).
    pub count: u32,
    /// Confidence, 0..=1.
    pub score: f32,
    /// Fraction of the zone that is covered, 0..=1 (`occupied_roadway`).
    pub covered: Option<f32>,
    /// Where on the earth it is, if that is known.
    #[serde(default)]
    pub place: Option<Place>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_its_code_on_the_wire() {
        for kind in IncidentKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.code().as_str());
        }
    }
}
