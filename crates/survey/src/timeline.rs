//! What became of each finding over the surveys of a site: its first sign, how it grew, when it stood, when it went.

use parapet_core::{
    BuildingId, Language, SiteId, Timestamp,
    geo::{GeoPoint, GroundPolygon, Position},
    site::Site,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::{Change, Finding, FindingId, REPORT_VERSION, RoofState, SurveyReport};

/// All that happened on a site's roofs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The site.
    pub site: SiteId,
    /// The later flights of all reports, the oldest first.
    pub surveys: Vec<SurveyDate>,
    /// Each structure, by building and first sign.
    pub histories: Vec<History>,
}

/// One survey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveyDate {
    /// The flight.
    pub name: String,
    /// When it was flown, if known.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
}

/// One structure over the surveys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The id of the finding that was its first sign.
    pub id: FindingId,
    /// The building.
    pub building: BuildingId,
    /// Its middle at its last sighting.
    pub position: Position,
    /// Its outline at its last sighting.
    pub polygon: Vec<GeoPoint>,
    /// What is known of it now.
    pub milestone: Milestone,
    /// The first survey after which nothing of it has changed any more.
    #[schemars(with = "Option<String>")]
    pub unchanged_since: Option<Timestamp>,
    /// Each survey in which something of it changed, the oldest first.
    pub sightings: Vec<Sighting>,
}

/// A survey in which something changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// The finding.
    pub finding: FindingId,
    /// The flight that showed it.
    pub survey: String,
    /// When it was flown, if known.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// What had happened.
    pub milestone: Milestone,
    /// Its whole area after that, square metres; 0 when it had gone.
    pub area_m2: f32,
    /// Standard deviation of the area, square metres.
    pub area_error_m2: f32,
    /// Of the finding.
    pub confidence: f32,
}

/// A step in the life of a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// It is new: what may become of it is not known yet.
    FirstSign,
    /// There is more of it than at the last survey.
    Grown,
    /// It stands, and a later survey has shown no change.
    Built,
    /// It has gone.
    Removed,
}

impl Milestone {
    /// As it is written in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstSign => "first_sign",
            Self::Grown => "grown",
            Self::Built => "built",
            Self::Removed => "removed",
        }
    }

    /// For people.
    pub fn text(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::FirstSign, Language::ZhCn) => "违建苗头",
            (Self::FirstSign, Language::En) => "first sign",
            (Self::Grown, Language::ZhCn) => "扩建",
            (Self::Grown, Language::En) => "grown",
            (Self::Built, Language::ZhCn) => "已建成",
            (Self::Built, Language::En) => "built",
            (Self::Removed, Language::ZhCn) => "已拆除",
            (Self::Removed, Language::En) => "removed",
        }
    }
}

/// Follows the findings of several reports on one site. Reports are taken in the order of their later flights; reports
/// on other sites are left out.
pub fn timeline(site: &Site, reports: &[SurveyReport]) -> Timeline {
    let mut reports: Vec<&SurveyReport> = reports.iter().filter(|r| r.site == site.id).collect();
    reports.sort_by_key(|r| (r.after.from, r.before.from));
    let mut histories: Vec<History> = Vec::new();
    for report in &reports {
        let mut told = Vec::new();
        for finding in &report.findings {
            let known = histories.iter().position(|h| h.takes(finding, site));
            let index = known.unwrap_or_else(|| {
                histories.push(History::begun(finding));
                histories.len() - 1
            });
            histories[index].sees(finding, report, site, known.is_some());
            told.push(index);
        }
        for (index, history) in histories.iter_mut().enumerate() {
            if !told.contains(&index) && is_judged(report, &history.building) {
                history.stays(report);
            }
        }
    }
    histories.sort_by(|a, b| {
        let first = |h: &History| h.sightings.first().and_then(|s| s.at);
        a.building.cmp(&b.building).then(first(a).cmp(&first(b))).then(a.id.cmp(&b.id))
    });
    let mut surveys: Vec<SurveyDate> = Vec::new();
    for flight in reports.iter().flat_map(|r| [&r.before, &r.after]) {
        let date = SurveyDate { name: flight.name.clone(), at: flight.from };
        if !surveys.contains(&date) {
            surveys.push(date);
        }
    }
    surveys.sort_by(|a, b| a.at.cmp(&b.at).then(a.name.cmp(&b.name)));
    Timeline { version: REPORT_VERSION, site: site.id.clone(), surveys, histories }
}

fn is_judged(report: &SurveyReport, building: &BuildingId) -> bool {
    report.roofs.iter().any(|r| r.building == *building && matches!(r.state, RoofState::Judged { .. }))
}

fn shape(polygon: &[GeoPoint], site: &Site) -> Option<GroundPolygon> {
    GroundPolygon::new(polygon.iter().map(|p| site.frame.local(*p)).collect()).ok()
}

/// The share of `of` that lies in `within`, by its corners, its middle and the middles between them.
fn share(of: &GroundPolygon, within: &GroundPolygon) -> f64 {
    const STEPS: u32 = 12;
    let (low, high) = of.bounds();
    let at = |a: f64, b: f64, k: u32| a + (b - a) * (f64::from(k) + 0.5) / f64::from(STEPS);
    let (mut all, mut shared) = (0.0, 0.0);
    for i in 0..STEPS * STEPS {
        let east = at(low.east, high.east, i % STEPS);
        let place = parapet_core::geo::GroundPoint { east, north: at(low.north, high.north, i / STEPS) };
        if of.contains(place) {
            all += 1.0;
            shared += f64::from(u8::from(within.contains(place)));
        }
    }
    if all > 0.0 { shared / all } else { 0.0 }
}

impl History {
    fn begun(finding: &Finding) -> Self {
        Self {
            id: finding.id,
            building: finding.building.clone(),
            position: finding.position,
            polygon: finding.polygon.clone(),
            milestone: Milestone::FirstSign,
            unchanged_since: None,
            sightings: Vec::new(),
        }
    }

    /// Whether a finding is about this structure: they share ground, or lie nearer than they are sure of.
    fn takes(&self, finding: &Finding, site: &Site) -> bool {
        if self.building != finding.building || self.milestone == Milestone::Removed {
            return false;
        }
        let (Some(old), Some(new)) = (shape(&self.polygon, site), shape(&finding.polygon, site)) else {
            return false;
        };
        share(&new, &old).max(share(&old, &new)) > 0.2 || self.position.may_be(&finding.position, 0.5)
    }

    fn sees(&mut self, finding: &Finding, report: &SurveyReport, site: &Site, known: bool) {
        let last = self.sightings.last().map_or(0.0, |s| s.area_m2);
        // What is new beside a structure adds to it; what covers it is the whole of it.
        let covers = match (shape(&finding.polygon, site), shape(&self.polygon, site)) {
            (Some(new), Some(old)) => share(&old, &new) > 0.5,
            _ => true,
        };
        let (milestone, area) = match finding.change {
            Change::Removed => (Milestone::Removed, 0.0),
            Change::New | Change::Grown if covers => (
                if known || finding.change == Change::Grown {
                    Milestone::Grown
                } else {
                    Milestone::FirstSign
                },
                finding.area_m2,
            ),
            Change::New | Change::Grown => (Milestone::Grown, last + finding.area_m2),
        };
        if milestone != Milestone::Removed && covers {
            self.polygon.clone_from(&finding.polygon);
            self.position = finding.position;
        }
        self.milestone = milestone;
        self.unchanged_since = None;
        self.sightings.push(Sighting {
            finding: finding.id,
            survey: report.after.name.clone(),
            at: report.after.from,
            milestone,
            area_m2: area,
            area_error_m2: finding.area_error_m2,
            confidence: finding.confidence,
        });
    }

    /// A later comparison showed nothing of it: it stands as it stood.
    fn stays(&mut self, report: &SurveyReport) {
        let Some(last) = self.sightings.last() else { return };
        // A comparison of two flights before the last sighting, or over it, says nothing about the time since.
        if self.milestone == Milestone::Removed
            || report.before.from < last.at
            || report.after.from <= last.at
        {
            return;
        }
        self.milestone = Milestone::Built;
        self.unchanged_since = self.unchanged_since.or(last.at);
    }
}
