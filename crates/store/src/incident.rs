//! Incidents as the center knows them, and how to ask for them.

use std::{fmt, str::FromStr};

use parapet_core::{
    BBox, CameraId, CaseId, EndReason, EvidenceItem, IncidentEvent, IncidentId, JudgedIncident, KindCode,
    NodeId, Phase, Point, PresetId, RuleId, RunId, Scope, Severity, SiteId, Status, Timestamp, TrackId,
    Verdict, ZoneId, geo::Place,
};
use serde::Serialize;

/// An incident's present state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentRow {
    /// Its identity.
    pub id: IncidentId,
    /// The site.
    pub site: SiteId,
    /// The node that decided it.
    pub node: NodeId,
    /// The camera.
    pub camera: CameraId,
    /// The preset of a dome.
    pub preset: Option<PresetId>,
    /// Its kind.
    pub kind: KindCode,
    /// The rule that found it.
    pub rule: RuleId,
    /// The zone, if the rule has zones.
    pub zone: Option<ZoneId>,
    /// How pressing it is.
    pub severity: Severity,
    /// Where it is in its life.
    pub phase: Phase,
    /// Where it is in people's work.
    pub status: Status,
    /// Number of its latest event.
    pub sequence: u32,
    /// Since when it has held.
    pub since: Timestamp,
    /// When it was decided.
    pub started_at: Timestamp,
    /// Time of its latest event.
    pub updated_at: Timestamp,
    /// When it ended; `None` while it is open.
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// Class of the thing.
    pub label: Option<String>,
    /// Track of the thing at the latest event.
    pub track: Option<TrackId>,
    /// Where it is, normalized.
    pub bbox: BBox,
    /// Its outline, normalized.
    pub outline: Option<Vec<Point>>,
    /// How many things it stands for.
    pub count: u32,
    /// Confidence, 0..=1.
    pub score: f32,
    /// Fraction of the zone that is covered, 0..=1.
    pub covered: Option<f32>,
    /// Where on the earth it is.
    pub place: Option<Place>,
    /// The incident that this one is another sighting of: the same thing, told of by another camera before.
    pub same_as: Option<IncidentId>,
    /// The case that it is a part of.
    pub case: Option<CaseId>,
    /// The mute that keeps it out of the queue.
    pub muted_by: Option<uuid::Uuid>,
    /// The run of the latest event.
    pub run: RunId,
    /// When the center first heard of it.
    pub received_at: Timestamp,
    /// Who gave the latest verdict.
    pub judged_by: Option<String>,
    /// When.
    pub judged_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

impl IncidentRow {
    /// What a labelled event set says of it; `None` if nobody has judged it. Who judged and in which words is in it only
    /// with `names`.
    ///
    /// A dismissal's text is a reason's code, alone or followed by `: ` and a note; other texts are all note.
    pub fn judged(self, names: bool) -> Option<JudgedIncident> {
        let verdict = Verdict::of(self.status)?;
        let (reason, note) = match self.reason {
            Some(text) if verdict == Verdict::Dismissed => {
                let (code, note) = text.split_once(": ").map_or((text.as_str(), None), |(c, n)| (c, Some(n)));
                let is_code = (1..=64).contains(&code.len())
                    && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
                if is_code { (Some(code.to_owned()), note.map(str::to_owned)) } else { (None, Some(text)) }
            }
            text => (None, text),
        };
        Some(JudgedIncident {
            incident: self.id,
            site: self.site,
            node: self.node,
            camera: self.camera,
            preset: self.preset,
            rule: self.rule,
            kind: self.kind,
            zone: self.zone,
            label: self.label,
            severity: self.severity,
            score: self.score,
            since: self.since,
            started_at: self.started_at,
            ended_at: self.ended_at,
            bbox: self.bbox,
            verdict,
            reason,
            judged_at: self.judged_at?,
            judged_by: self.judged_by.filter(|_| names),
            note: note.filter(|_| names),
        })
    }
}

/// Which verdicts. What is `None` does not narrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictQuery {
    /// On incidents of this kind.
    pub kind: Option<KindCode>,
    /// At this site.
    pub site: Option<SiteId>,
    /// Of this node.
    pub node: Option<NodeId>,
    /// Seen by this camera.
    pub camera: Option<CameraId>,
    /// On incidents that started at or after.
    pub from: Option<Timestamp>,
    /// On incidents that started before.
    pub to: Option<Timestamp>,
    /// Of what the reader may see.
    pub scope: Scope,
    /// Tell who judged and in which words.
    pub names: bool,
    /// At most so many, 1..=5000.
    pub limit: u32,
    /// After this place in the set.
    pub cursor: Option<Cursor>,
}

impl Default for VerdictQuery {
    /// All, 1,000 at a time, without names.
    fn default() -> Self {
        Self {
            kind: None,
            site: None,
            node: None,
            camera: None,
            from: None,
            to: None,
            scope: Scope::All,
            names: false,
            limit: 1000,
            cursor: None,
        }
    }
}

/// Some verdicts, by the start of their incidents, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictPage {
    /// The judged incidents.
    pub verdicts: Vec<JudgedIncident>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// An incident with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentDetail {
    /// What other cameras told of the same thing, oldest first.
    pub sightings: Vec<IncidentRow>,
    /// Its present state.
    pub incident: IncidentRow,
    /// Its events, by sequence.
    pub events: Vec<StoredEvent>,
    /// Its files.
    pub evidence: Vec<StoredEvidence>,
}

/// An event as it was stored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredEvent {
    /// The event.
    pub event: IncidentEvent,
    /// When the center received it.
    pub received_at: Timestamp,
}

/// A file of evidence and where it can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredEvidence {
    /// The file.
    pub item: EvidenceItem,
    /// HTTP address below which the node serves its path.
    pub base_url: Option<String>,
    /// The site of the node that keeps it.
    pub site: SiteId,
    /// The node that keeps it.
    pub node: NodeId,
    /// When it was complete.
    pub at: Timestamp,
    /// That two people have deleted it; looked up for an [`IncidentDetail`] only.
    pub deleted: Option<crate::Deleted>,
}

/// Which incidents. What is `None` does not narrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentQuery {
    /// Of this kind.
    pub kind: Option<KindCode>,
    /// At this site.
    pub site: Option<SiteId>,
    /// Of this node.
    pub node: Option<NodeId>,
    /// Seen by this camera.
    pub camera: Option<CameraId>,
    /// Judged so.
    pub status: Option<Status>,
    /// Still open, or ended.
    pub open: Option<bool>,
    /// Kept out of the queue by a mute, or not.
    pub muted: Option<bool>,
    /// Other sightings of an incident too; without, each thing is there once.
    pub sightings: bool,
    /// Started at or after.
    pub from: Option<Timestamp>,
    /// Started before.
    pub to: Option<Timestamp>,
    /// With this text in a name (site, node, camera, zone, rule, class, kind in both languages), in the verdict's reason
    /// or in the id. Upper and lower case are the same.
    pub text: Option<String>,
    /// Of what the reader may see.
    pub scope: Scope,
    /// At most so many, 1..=500.
    pub limit: u32,
    /// After this place in the list.
    pub cursor: Option<Cursor>,
}

impl Default for IncidentQuery {
    /// All, 50 at a time.
    fn default() -> Self {
        Self {
            kind: None,
            site: None,
            node: None,
            camera: None,
            status: None,
            open: None,
            muted: None,
            sightings: false,
            from: None,
            to: None,
            text: None,
            scope: Scope::All,
            limit: 50,
            cursor: None,
        }
    }
}

/// Some incidents, newest start first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The incidents.
    pub incidents: Vec<IncidentRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// A place in the list of incidents: stays where it is while new ones come. As text, `MICROSECONDS.ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) started_at: i64,
    pub(crate) id: IncidentId,
}

/// Text that is no place in a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a place in the list of incidents; hint: use the one that came with the page before")]
pub struct InvalidCursor(String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.started_at, self.id)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let parts = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
        let (started_at, id) = parts.ok_or_else(|| InvalidCursor(text.chars().take(80).collect()))?;
        Ok(Self { started_at, id })
    }
}

/// How many incidents of a kind are in a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The kind.
    pub kind: KindCode,
    /// The status.
    pub status: Status,
    /// Open or ended.
    pub open: bool,
    /// How many.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_and_nonsense_is_refused() {
        let cursor = Cursor { started_at: -5, id: IncidentId::derive(&["a"]) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", ".", "5", "5.x", "x.00000000-0000-0000-0000-000000000000"] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad}");
        }
    }
}
