//! What an operator said about an incident, and the labelled event set that such verdicts make: text, a header and one
//! line for each incident that a person has confirmed or dismissed, with tabs between the fields.
//!
//! | column | what it holds |
//! |---|---|
//! | `incident` | id of the incident (UUID); the same in every export |
//! | `site`, `node`, `camera`, `preset` | where it was seen; `preset` is empty for a fixed camera |
//! | `rule`, `kind`, `zone`, `label` | the rule that raised it, the code of its kind, the rule's zone, the thing's class; the last two may be empty |
//! | `severity`, `score` | `low`, `medium` or `high`; confidence 0 to 1 at its latest event |
//! | `since`, `started_at`, `ended_at` | since when the thing stood there, when the alarm came, when it ended (empty while open); RFC 3339, UTC |
//! | `x_min`, `y_min`, `x_max`, `y_max` | its box at its latest event, normalized 0..=1, y down |
//! | `verdict`, `reason` | `confirmed` or `dismissed`; code of the reason of a dismissal, if one was given |
//! | `judged_at` | when the verdict was given |
//! | `judged_by`, `note` | only on request, for they may name people: who judged, in which words |
//!
//! A tab, line feed, carriage return or backslash in a field is `\t`, `\n`, `\r` or `\\`. Incidents that nobody has judged
//! and verdicts that were withdrawn are not in it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    BBox, CameraId, IncidentId, KindCode, NodeId, PresetId, RuleId, Severity, SiteId, Status, Timestamp,
    ZoneId,
};

/// The columns of a labelled event set.
pub const COLUMNS: [&str; 21] = [
    "incident",
    "site",
    "node",
    "camera",
    "preset",
    "rule",
    "kind",
    "zone",
    "label",
    "severity",
    "score",
    "since",
    "started_at",
    "ended_at",
    "x_min",
    "y_min",
    "x_max",
    "y_max",
    "verdict",
    "reason",
    "judged_at",
];

/// The columns that follow in a set with names.
pub const NAME_COLUMNS: [&str; 2] = ["judged_by", "note"];

/// An operator's yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is a violation.
    Confirmed,
    /// It is not.
    Dismissed,
}

impl Verdict {
    /// The verdict behind a status: all work on a case follows a confirmation. `None` while nobody has judged.
    pub fn of(status: Status) -> Option<Self> {
        match status {
            Status::New => None,
            Status::Dismissed => Some(Self::Dismissed),
            Status::Confirmed
            | Status::Filed
            | Status::Dispatched
            | Status::Handled
            | Status::Verified
            | Status::Closed => Some(Self::Confirmed),
        }
    }

    /// Its word in a labelled event set.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
        }
    }
}

/// An incident that a person has judged: one line of a labelled event set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedIncident {
    /// Its identity.
    pub incident: IncidentId,
    /// The site.
    pub site: SiteId,
    /// The node that decided it.
    pub node: NodeId,
    /// The camera.
    pub camera: CameraId,
    /// The preset of a dome.
    pub preset: Option<PresetId>,
    /// The rule that raised it.
    pub rule: RuleId,
    /// Its kind.
    pub kind: KindCode,
    /// The zone, if the rule has zones.
    pub zone: Option<ZoneId>,
    /// Class of the thing, if it is known.
    pub label: Option<String>,
    /// How pressing it is.
    pub severity: Severity,
    /// Confidence at its latest event, 0..=1.
    pub score: f32,
    /// Since when it has held.
    pub since: Timestamp,
    /// When the alarm came.
    pub started_at: Timestamp,
    /// When it ended; `None` while it is open.
    pub ended_at: Option<Timestamp>,
    /// Where it was at its latest event, normalized.
    pub bbox: BBox,
    /// Whether it was a violation.
    pub verdict: Verdict,
    /// Code of the reason of a dismissal (`a-z 0-9 _`), if one was given.
    pub reason: Option<String>,
    /// When it was judged.
    pub judged_at: Timestamp,
    /// Who judged it.
    pub judged_by: Option<String>,
    /// In the operator's words.
    pub note: Option<String>,
}

/// The first line of a labelled event set, with its line feed.
pub fn header(names: bool) -> String {
    let mut line = COLUMNS.join("\t");
    for column in NAME_COLUMNS.iter().filter(|_| names) {
        line.push('\t');
        line.push_str(column);
    }
    line.push('\n');
    line
}

impl JudgedIncident {
    /// Its line of a labelled event set, with its line feed. With `names`, who judged it and in which words.
    pub fn line(&self, names: bool) -> String {
        let name = |id: Option<&str>| id.unwrap_or_default().to_owned();
        let severity = match self.severity {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        };
        let mut fields = vec![
            self.incident.to_string(),
            name(Some(self.site.as_str())),
            name(Some(self.node.as_str())),
            name(Some(self.camera.as_str())),
            name(self.preset.as_ref().map(PresetId::as_str)),
            name(Some(self.rule.as_str())),
            name(Some(self.kind.as_str())),
            name(self.zone.as_ref().map(ZoneId::as_str)),
            name(self.label.as_deref()),
            name(Some(severity)),
            self.score.to_string(),
            self.since.to_string(),
            self.started_at.to_string(),
            self.ended_at.map(|at| at.to_string()).unwrap_or_default(),
            self.bbox.x_min().to_string(),
            self.bbox.y_min().to_string(),
            self.bbox.x_max().to_string(),
            self.bbox.y_max().to_string(),
            name(Some(self.verdict.as_str())),
            name(self.reason.as_deref()),
            self.judged_at.to_string(),
        ];
        if names {
            fields.extend([name(self.judged_by.as_deref()), name(self.note.as_deref())]);
        }
        let fields: Vec<Cow<'_, str>> = fields.iter().map(|field| escaped(field)).collect();
        fields.join("\t") + "\n"
    }
}

/// Text as a field holds it.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\t', '\n', '\r', '\\']) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
    out.into()
}

/// The text that a field holds; `None` if a backslash in it is followed by none of `t`, `n`, `r` and `\\`.
pub fn unescaped(field: &str) -> Option<Cow<'_, str>> {
    if !field.contains('\\') {
        return Some(field.into());
    }
    let mut out = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '\\' => match characters.next()? {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                '\\' => '\\',
                _ => return None,
            },
            other => other,
        });
    }
    Some(out.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judged() -> JudgedIncident {
        JudgedIncident {
            incident: IncidentId::derive(&["dog"]),
            site: "harbour".parse().unwrap(),
            node: "n1".parse().unwrap(),
            camera: "gate".parse().unwrap(),
            preset: None,
            rule: "dogs".parse().unwrap(),
            kind: "stray_dog".parse().unwrap(),
            zone: Some("lawn".parse().unwrap()),
            label: Some("dog".to_owned()),
            severity: Severity::Medium,
            score: 0.35,
            since: "2026-11-22T08:00:00.5+08:00".parse().unwrap(),
            started_at: "2026-11-22T08:00:10+08:00".parse().unwrap(),
            ended_at: None,
            bbox: BBox::new(0.1, 0.2, 0.3, 1.0).unwrap(),
            verdict: Verdict::Dismissed,
            reason: Some("permitted".to_owned()),
            judged_at: "2026-11-22T08:01:00+08:00".parse().unwrap(),
            judged_by: Some("li-wei".to_owned()),
            note: Some("guide dog\tof\nMr Li".to_owned()),
        }
    }

    #[test]
    fn a_line_has_a_field_for_each_column_and_names_only_on_request() {
        let incident = judged();
        assert_eq!(
            incident.line(false),
            format!(
                "{}\tharbour\tn1\tgate\t\tdogs\tstray_dog\tlawn\tdog\tmedium\t0.35\t2026-11-22T00:00:00.5Z\t\
                 2026-11-22T00:00:10Z\t\t0.1\t0.2\t0.3\t1\tdismissed\tpermitted\t2026-11-22T00:01:00Z\n",
                incident.incident
            )
        );
        for names in [false, true] {
            let tabs = |line: &str| line.matches('\t').count();
            assert_eq!(tabs(&header(names)), tabs(&incident.line(names)));
            assert_eq!(incident.line(names).contains("li-wei"), names);
        }
        assert!(incident.line(true).ends_with("\tli-wei\tguide dog\\tof\\nMr Li\n"));
    }

    #[test]
    fn work_on_a_case_stands_on_a_confirmation() {
        assert_eq!(Verdict::of(Status::New), None);
        assert_eq!(Verdict::of(Status::Dismissed), Some(Verdict::Dismissed));
        for status in [Status::Confirmed, Status::Filed, Status::Dispatched, Status::Handled, Status::Closed]
        {
            assert_eq!(Verdict::of(status), Some(Verdict::Confirmed));
        }
    }

    proptest! {
        #[test]
        fn any_text_survives_its_field(text in any::<String>()) {
            let field = escaped(&text);
            prop_assert!(!field.contains(['\t', '\n', '\r']));
            let back = unescaped(&field).unwrap();
            prop_assert_eq!(back.as_ref(), text.as_str());
        }
    }
}
