//! Turns findings, restated at every frame, into events: `Started` once, `Updated` when something material changed,
//! `Ended` once. Ids are derived, so the same frames give the same events to the byte.

mod adopt;

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use parapet_core::{
    BBox, CameraId, EndReason, EventId, IncidentEvent, IncidentId, IncidentKind, Label, Phase, Point,
    PresetId, RuleId, RunId, Severity, Timestamp, TrackId, ZoneId,
    geo::{GroundMap, Place},
    time::seconds_between,
};

use self::adopt::Adopted;
use crate::{Finding, Subject};

/// A finding that was not restated for so long is over.
const END_SECONDS: f64 = 1.0;
/// Least time between two updates of one incident.
const UPDATE_SECONDS: f64 = 10.0;
/// Change of the covered fraction that is worth telling.
const COVERED_STEP: f32 = 0.1;
/// Overlap with the box told last below which it moved or grew.
const MOVED_IOU: f32 = 0.6;
/// Overlap from which a new incident is at the place of an earlier one.
const SAME_PLACE_IOU: f32 = 0.3;

/// What the book must know of a rule.
#[derive(Debug, Clone)]
pub struct RuleFacts {
    /// Its name.
    pub id: RuleId,
    /// What it finds.
    pub kind: IncidentKind,
    /// How long it keeps quiet at a place after an incident there was over.
    pub cool_down_seconds: f64,
    /// The longest that something must hold before it is a violation.
    pub limit_seconds: f64,
}

/// An incident that goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIncident {
    /// Its id.
    pub incident_id: IncidentId,
    /// The rule.
    pub rule: RuleId,
    /// What kind.
    pub kind: IncidentKind,
    /// How pressing.
    pub severity: Severity,
    /// The zone, if it is about one.
    pub zone: Option<ZoneId>,
    /// Since when it has held.
    pub since: Timestamp,
    /// When it was decided.
    pub started_at: Timestamp,
    /// Class, if known.
    pub label: Option<Label>,
    /// Track, if followed now.
    pub track: Option<TrackId>,
    /// Present place.
    pub bbox: BBox,
    /// Present outline.
    pub outline: Option<Arc<[Point]>>,
    /// How many things.
    pub count: u32,
    /// Fraction of the zone that is covered.
    pub covered: Option<f32>,
}

#[derive(Debug)]
struct Open {
    incident_id: IncidentId,
    started_at: Timestamp,
    /// Since when it held, as an earlier run saw it.
    since: Option<Timestamp>,
    /// Others have told of it before.
    adopted: bool,
    zone: Option<ZoneId>,
    sequence: u32,
    kind: IncidentKind,
    cool_down_seconds: f64,
    /// As it is now.
    latest: Finding,
    /// As it was told last.
    told: Finding,
    told_at: Timestamp,
    /// When it was first not restated.
    missing_since: Option<Timestamp>,
}

impl Open {
    fn since(&self) -> Timestamp {
        self.since.map_or(self.latest.since, |since| since.min(self.latest.since))
    }
}

#[derive(Debug)]
struct Cooling {
    rule: RuleId,
    bbox: BBox,
    until: Timestamp,
}

/// What a rule states in this frame.
#[derive(Debug)]
struct Stated {
    finding: Finding,
    order: usize,
    /// An incident about its subject goes on.
    known: bool,
}

/// All open incidents of one view.
#[derive(Debug)]
pub struct IncidentBook {
    camera: CameraId,
    preset: Option<PresetId>,
    ground: Option<GroundMap>,
    /// A finding that was not restated for so many seconds is over.
    end_seconds: f64,
    run: Option<RunId>,
    open: BTreeMap<(RuleId, Subject), Open>,
    cooling: Vec<Cooling>,
    adopted: Vec<Adopted>,
    /// Used again at each frame.
    stated: Vec<Stated>,
}

impl IncidentBook {
    /// An empty book. With a map of the ground its events say where on the earth a thing stands: at the middle of its
    /// box's lower edge. What is on a roof does not stand on the ground.
    pub fn new(camera: CameraId, preset: Option<PresetId>, ground: Option<GroundMap>) -> Self {
        Self {
            camera,
            preset,
            ground,
            end_seconds: END_SECONDS,
            run: None,
            open: BTreeMap::new(),
            cooling: Vec::new(),
            adopted: Vec::new(),
            stated: Vec::new(),
        }
    }

    /// A finding is over only when it was not restated for more than so many seconds, however few frames come.
    pub(crate) fn waiting(mut self, seconds: f64) -> Self {
        self.end_seconds = self.end_seconds.max(seconds);
        self
    }

    /// Takes in what a rule found in a frame; `None` while the rule is out of its schedule. Returns what happened:
    /// ends, then updates, then starts.
    pub fn apply(
        &mut self,
        rule: &RuleFacts,
        findings: Option<impl IntoIterator<Item = Finding>>,
        at: Timestamp,
        run: RunId,
    ) -> Vec<IncidentEvent> {
        self.run = Some(run);
        let Some(findings) = findings else {
            let mut events = self.end_where(|id, _| *id == rule.id, EndReason::OutOfSchedule, at);
            self.look_in_vain(rule, false, at, &mut events);
            return events;
        };
        let mut stated = std::mem::take(&mut self.stated);
        let end_seconds = self.end_seconds;
        let findings = findings.into_iter().enumerate();
        stated.extend(findings.map(|(order, finding)| Stated { finding, order, known: false }));
        // Of two statements about one subject the later holds.
        stated.sort_unstable_by_key(|s| (s.finding.subject, Reverse(s.order)));
        stated.dedup_by_key(|s| s.finding.subject);
        let mut updates = Vec::new();
        for ((id, subject), open) in &mut self.open {
            if *id != rule.id {
                continue;
            }
            match stated.binary_search_by_key(subject, |s| s.finding.subject) {
                Ok(place) => {
                    stated[place].known = true;
                    open.missing_since = None;
                    std::mem::swap(&mut open.latest, &mut stated[place].finding);
                    // What was known before stands for it in the list, to be found by the same subject.
                    // What was not seen for a while is perhaps about to end: nothing new is known of it.
                    let seen = seconds_between(open.latest.held_at, at) < end_seconds;
                    let due = seen && seconds_between(open.told_at, at) >= UPDATE_SECONDS;
                    if due && is_material(&open.told, &open.latest) {
                        updates.push((id.clone(), *subject));
                    }
                }
                Err(_) => {
                    open.missing_since.get_or_insert(at);
                }
            }
        }
        let over =
            |open: &Open| open.missing_since.is_some_and(|since| seconds_between(since, at) >= end_seconds);
        let mut events = self.end_where(|id, open| *id == rule.id && over(open), EndReason::Cleared, at);
        for key in updates {
            let mut open = self.open.remove(&key).expect("collected above");
            open.sequence += 1;
            open.told = open.latest.clone();
            open.told_at = at;
            events.push(self.event(&key.0, &open, Phase::Updated, at, None));
            self.open.insert(key, open);
        }
        self.cooling.retain(|c| at < c.until);
        for Stated { finding, .. } in stated.drain(..).filter(|s| !s.known) {
            if let Some(event) = self.resume(rule, finding.subject, &finding, at) {
                events.push(event);
                continue;
            }
            let is_here = |c: &Cooling| c.rule == rule.id && c.bbox.iou(finding.bbox) >= SAME_PLACE_IOU;
            if !self.cooling.iter().any(is_here) {
                events.push(self.start(rule, finding.subject, finding, at));
            }
        }
        self.stated = stated;
        self.look_in_vain(rule, true, at, &mut events);
        events
    }

    /// Ends all that is open, also what was taken over and not found again yet.
    pub fn end_all(&mut self, reason: EndReason, at: Timestamp) -> Vec<IncidentEvent> {
        let mut events = self.end_where(|_, _| true, reason, at);
        self.end_adopted(|_| Some(reason), at, &mut events);
        events
    }

    /// Whether nothing goes on and nothing was taken over.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.adopted.is_empty()
    }

    /// What goes on, by rule and subject.
    pub fn open_incidents(&self) -> Vec<OpenIncident> {
        self.open
            .iter()
            .map(|((rule, _), open)| OpenIncident {
                incident_id: open.incident_id,
                rule: rule.clone(),
                kind: open.kind,
                severity: open.latest.severity,
                zone: open.zone.clone(),
                since: open.since(),
                started_at: open.started_at,
                label: open.latest.label.clone(),
                track: open.latest.track,
                bbox: open.latest.bbox,
                outline: open.latest.outline.clone(),
                count: open.latest.count,
                covered: open.latest.covered,
            })
            .collect()
    }

    /// Whether an incident about this subject is open.
    pub fn is_open(&self, rule: &RuleId, subject: Subject) -> bool {
        self.open.contains_key(&(rule.clone(), subject))
    }

    fn start(
        &mut self,
        rule: &RuleFacts,
        subject: Subject,
        finding: Finding,
        at: Timestamp,
    ) -> IncidentEvent {
        let open = Open {
            incident_id: IncidentId::derive(&[
                self.camera.as_str(),
                self.preset.as_ref().map_or("", PresetId::as_str),
                rule.id.as_str(),
                finding.zone.as_ref().map_or("", ZoneId::as_str),
                &subject.to_string(),
                &finding.first_seen_at.as_nanosecond().to_string(),
                &at.as_nanosecond().to_string(),
            ]),
            started_at: at,
            since: None,
            adopted: false,
            zone: finding.zone.clone(),
            sequence: 0,
            kind: rule.kind,
            cool_down_seconds: rule.cool_down_seconds,
            told: finding.clone(),
            latest: finding,
            told_at: at,
            missing_since: None,
        };
        let event = self.event(&rule.id, &open, Phase::Started, at, None);
        self.open.insert((rule.id.clone(), subject), open);
        event
    }

    fn end_where(
        &mut self,
        which: impl Fn(&RuleId, &Open) -> bool,
        reason: EndReason,
        at: Timestamp,
    ) -> Vec<IncidentEvent> {
        let keys: Vec<_> =
            self.open.iter().filter(|((id, _), o)| which(id, o)).map(|(key, _)| key.clone()).collect();
        let mut events = Vec::with_capacity(keys.len());
        for key in keys {
            let mut open = self.open.remove(&key).expect("collected above");
            open.sequence += 1;
            if reason == EndReason::Cleared
                && let Ok(until) = at.checked_add(jiff::SignedDuration::from_secs_f64(open.cool_down_seconds))
            {
                self.cooling.push(Cooling { rule: key.0.clone(), bbox: open.latest.bbox, until });
            }
            events.push(self.event(&key.0, &open, Phase::Ended, at, Some(reason)));
        }
        events
    }

    fn event(
        &self,
        rule: &RuleId,
        open: &Open,
        phase: Phase,
        at: Timestamp,
        end_reason: Option<EndReason>,
    ) -> IncidentEvent {
        let finding = &open.latest;
        // What cleared was over when it was last seen to hold; all else ends now.
        let ended_at = end_reason.map(|reason| match reason {
            EndReason::Cleared => finding.held_at.clamp(open.started_at.min(at), at),
            _ => at,
        });
        let run = self.run.expect("set by the first frame");
        let event_id = if open.adopted {
            adopt::event_id(open.incident_id, open.sequence, run)
        } else {
            EventId::derive(&[&open.incident_id.to_string(), &open.sequence.to_string()])
        };
        IncidentEvent {
            event_id,
            incident_id: open.incident_id,
            sequence: open.sequence,
            phase,
            kind: open.kind,
            severity: finding.severity,
            camera: self.camera.clone(),
            preset: self.preset.clone(),
            run,
            rule: rule.clone(),
            zone: open.zone.clone(),
            at,
            since: open.since(),
            started_at: open.started_at,
            ended_at,
            end_reason,
            label: finding.label.clone(),
            track: finding.track,
            bbox: finding.bbox.clamped(),
            outline: finding.outline.as_deref().map(<[Point]>::to_vec),
            count: finding.count,
            score: finding.score,
            covered: finding.covered,
            place: self.place(open.kind, finding.bbox),
        }
    }

    fn place(&self, kind: IncidentKind, bbox: BBox) -> Option<Place> {
        let ground = self.ground.as_ref().filter(|_| kind != IncidentKind::RooftopStructure)?;
        let position = ground.position(bbox.foot_point())?;
        Some(Place { position, building: None, area_square_meters: None })
    }
}

fn is_material(told: &Finding, now: &Finding) -> bool {
    let covered = match (told.covered, now.covered) {
        (Some(a), Some(b)) => (a - b).abs() >= COVERED_STEP,
        (a, b) => a.is_some() != b.is_some(),
    };
    covered
        || told.count != now.count
        || told.label != now.label
        || told.severity != now.severity
        || told.bbox.iou(now.bbox) < MOVED_IOU
}

#[cfg(test)]
mod tests;
