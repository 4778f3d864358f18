//! From the reports of a site to what is told of it: pure, so that the same reports tell the same to the byte.

use std::{collections::BTreeMap, path::PathBuf};

use parapet_core::{
    BBox, BuildingId, CameraId, EndReason, EventId, IncidentEvent, IncidentId, IncidentKind, Language, Phase,
    RoofHistory, RoofLook, RoofStructure, RunId, Severity, StructureSighting, StructureState, SurveyId,
    Timestamp,
    geo::Place,
    site::{Building, Name, Site},
};
use parapet_survey::{
    Finding, FindingId, FlightSummary, History, Milestone, RoofState, SurveyReport, timeline,
};

/// The rule of what surveys find.
pub(crate) const RULE: &str = "survey";

/// A report and the folder that it lies in.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) folder: PathBuf,
    pub(super) report: SurveyReport,
}

/// What is told of a site.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// One for each building of the site that a survey has looked at.
    pub(super) roofs: Vec<RoofHistory>,
    /// In the order of each incident's life.
    pub(super) events: Vec<Telling>,
}

/// An event and the pictures that prove it.
#[derive(Debug)]
pub(super) struct Telling {
    pub(super) event: IncidentEvent,
    /// The survey that showed it.
    pub(super) survey: SurveyId,
    /// The picture before and the one after.
    pub(super) pictures: Option<(PathBuf, PathBuf)>,
}

/// What these reports tell of the site; reports of other sites tell nothing.
pub(super) fn tell(site: &Site, camera: &CameraId, kept: &[Kept]) -> Told {
    let mut kept: Vec<&Kept> = kept.iter().filter(|k| k.report.site == site.id).collect();
    kept.sort_by_key(|k| (k.report.after.from, k.report.before.from));
    let reports: Vec<SurveyReport> = kept.iter().map(|k| k.report.clone()).collect();
    let findings: BTreeMap<FindingId, (&Kept, &Finding)> =
        kept.iter().flat_map(|k| k.report.findings.iter().map(move |f| (f.id, (*k, f)))).collect();
    let mut told = Told::default();
    let mut structures: BTreeMap<BuildingId, Vec<RoofStructure>> = BTreeMap::new();
    for history in &timeline(site, &reports).histories {
        let incident = raised(history)
            .then(|| IncidentId::derive(&["survey", site.id.as_str(), &history.id.to_string()]));
        if let Some(incident) = incident {
            told.events.extend(events(incident, history, camera, &findings));
        }
        structures.entry(history.building.clone()).or_default().push(structure(incident, history));
    }
    for building in &site.buildings {
        let looks = looks(building, &reports);
        if !looks.is_empty() {
            told.roofs.push(RoofHistory {
                building: building.id.clone(),
                name: building.name.clone(),
                footprint: building.footprint.corners().iter().map(|p| site.frame.geo(*p)).collect(),
                height_meters: building.height as f32,
                looks,
                structures: structures.remove(&building.id).unwrap_or_default(),
            });
        }
    }
    told
}

/// What goes without ever having been new is no suspicion.
fn raised(history: &History) -> bool {
    history.sightings.first().is_some_and(|s| s.milestone != Milestone::Removed && s.at.is_some())
}

fn looks(building: &Building, reports: &[SurveyReport]) -> Vec<RoofLook> {
    let mut looks: Vec<RoofLook> = Vec::new();
    for report in reports {
        let Some(roof) = report.roofs.iter().find(|r| r.building == building.id) else { continue };
        let refused = match &roof.state {
            RoofState::Judged { .. } => None,
            RoofState::NotJudged { reason } => {
                Some(Name { zh: Some(reason.text(Language::ZhCn)), en: Some(reason.text(Language::En)) })
            }
        };
        // The flight that is compared with was looked at too; if it is the later flight of another report, that one tells.
        for (flight, refused) in [(&report.before, None), (&report.after, refused)] {
            let (survey, Some(flown_at)) = (survey_id(flight), flight.from) else { continue };
            match looks.iter_mut().find(|look| look.survey == survey && look.flown_at == flown_at) {
                Some(known) => known.refused = known.refused.take().or(refused),
                None => looks.push(RoofLook { survey, flown_at, refused }),
            }
        }
    }
    looks.sort_by(|a, b| (a.flown_at, &a.survey).cmp(&(b.flown_at, &b.survey)));
    looks
}

fn structure(incident: Option<IncidentId>, history: &History) -> RoofStructure {
    let sighting = |s: &parapet_survey::Sighting| {
        Some(StructureSighting {
            survey: survey_id_of(&s.survey),
            at: s.at?,
            area_square_meters: s.area_m2,
            area_error_square_meters: s.area_error_m2,
            confidence: s.confidence,
        })
    };
    RoofStructure {
        incident,
        outline: history.polygon.clone(),
        state: match history.milestone {
            Milestone::FirstSign => StructureState::FirstSign,
            Milestone::Grown => StructureState::Grown,
            Milestone::Built => StructureState::Built,
            Milestone::Removed => StructureState::Removed,
        },
        unchanged_since: history.unchanged_since,
        sightings: history.sightings.iter().filter_map(sighting).collect(),
    }
}

fn events(
    incident: IncidentId,
    history: &History,
    camera: &CameraId,
    findings: &BTreeMap<FindingId, (&Kept, &Finding)>,
) -> Vec<Telling> {
    let mut told = Vec::new();
    let Some(since) = history.sightings.first().and_then(|s| s.at) else { return told };
    for (sequence, sighting) in history.sightings.iter().enumerate() {
        let (Some(at), Some((kept, finding))) = (sighting.at, findings.get(&sighting.finding)) else {
            continue;
        };
        let over = sighting.milestone == Milestone::Removed;
        let survey = survey_id_of(&sighting.survey);
        told.push(Telling {
            event: IncidentEvent {
                event_id: EventId::derive(&[&incident.to_string(), &sighting.finding.to_string()]),
                incident_id: incident,
                sequence: sequence as u32,
                phase: match (sequence, over) {
                    (_, true) => Phase::Ended,
                    (0, _) => Phase::Started,
                    _ => Phase::Updated,
                },
                kind: IncidentKind::RooftopStructure,
                severity: severity(sighting.area_m2),
                camera: camera.clone(),
                preset: None,
                run: RunId::derive(&["survey", survey.as_str(), &timestamp(at)]),
                rule: RULE.parse().expect("a slug"),
                zone: None,
                at,
                since,
                started_at: since,
                ended_at: over.then_some(at),
                end_reason: over.then_some(EndReason::Cleared),
                label: None,
                track: None,
                // The pictures of a finding show nothing else.
                bbox: BBox::new(0.0, 0.0, 1.0, 1.0).expect("the whole frame"),
                outline: None,
                count: 1,
                score: sighting.confidence.clamp(0.0, 1.0),
                covered: None,
                place: Some(Place {
                    position: finding.position,
                    building: Some(history.building.clone()),
                    area_square_meters: Some(sighting.area_m2),
                }),
            },
            survey,
            pictures: finding
                .crops
                .as_ref()
                .map(|crops| (kept.folder.join(&crops.before), kept.folder.join(&crops.after))),
        });
    }
    told
}

fn timestamp(at: Timestamp) -> String {
    at.as_microsecond().to_string()
}

/// A room is more pressing than a canopy.
fn severity(area: f32) -> Severity {
    if area >= 20.0 { Severity::High } else { Severity::Medium }
}

fn survey_id(flight: &FlightSummary) -> SurveyId {
    survey_id_of(&flight.name)
}

/// A flight is named after its folder or file: what an id may not hold becomes a dash.
fn survey_id_of(name: &str) -> SurveyId {
    let keep = |c: char| {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' }
    };
    let slug: String = name.chars().map(keep).collect();
    let slug: String = slug.trim_matches(['-', '_']).chars().take(64).collect();
    slug.parse().unwrap_or_else(|_| "survey".parse().expect("a slug"))
}

#[cfg(test)]
mod tests {
    use parapet_core::geo::{GeoPoint, GroundPoint, Position};
    use parapet_survey::{Change, Crops, REPORT_VERSION, Reason, RoofOutcome};

    use super::*;

    const SITE: &str = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{"kind":"site","id":"garden"},"geometry":{"type":"Polygon","coordinates":
         [[[120.68,30.53],[120.682,30.53],[120.682,30.532],[120.68,30.532],[120.68,30.53]]]}},
        {"type":"Feature","properties":{"kind":"building","id":"b1","name_zh":"1号楼","height_meters":18},"geometry":
         {"type":"Polygon","coordinates":[[[120.6805,30.5305],[120.681,30.5305],[120.681,30.5307],[120.6805,30.5307],[120.6805,30.5305]]]}}]}"#;

    fn site() -> Site {
        Site::from_geojson(SITE).unwrap()
    }

    fn flight(name: &str) -> FlightSummary {
        let at: Timestamp = format!("{name}-10T02:00:00Z").parse().unwrap();
        FlightSummary {
            name: name.to_owned(),
            from: Some(at),
            until: Some(at),
            pictures: 9,
            looked_at: 4,
            refused: None,
        }
    }

    /// A report on building b1 in which a square of `side` metres at `east` of the origin changed so.
    fn report(before: &str, after: &str, changes: &[(Change, f64, f64)]) -> SurveyReport {
        let site = site();
        let finding = |&(change, east, side): &(Change, f64, f64)| {
            let corner = |dx: f64, dy: f64| {
                site.frame.geo(GroundPoint { east: east + dx * side, north: -40.0 + dy * side })
            };
            let polygon: Vec<GeoPoint> =
                [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| corner(x, y)).to_vec();
            Finding {
                id: serde_json::from_value(serde_json::json!(IncidentId::derive(&[
                    before,
                    after,
                    &east.to_string()
                ])))
                .unwrap(),
                building: "b1".parse().unwrap(),
                change,
                position: Position { point: corner(0.5, 0.5), uncertainty_meters: 0.4 },
                polygon,
                outline: Vec::new(),
                area_m2: (side * side) as f32,
                area_error_m2: 1.0,
                confidence: 0.9,
                looks_asked: 4,
                looks_seen: 4,
                crops: Some(Crops { before: "b.jpg".into(), after: "a.jpg".into() }),
            }
        };
        let judged = RoofState::Judged {
            share: 1.0,
            looks_before: 4,
            looks_after: 4,
            residual_meters: 0.05,
            flights_apart_meters: 0.3,
        };
        SurveyReport {
            version: REPORT_VERSION,
            site: site.id.clone(),
            before: flight(before),
            after: flight(after),
            roofs: vec![RoofOutcome { building: "b1".parse().unwrap(), state: judged, pictures: None }],
            findings: changes.iter().map(finding).collect(),
        }
    }

    fn told(reports: Vec<SurveyReport>) -> Told {
        let kept: Vec<Kept> = reports
            .into_iter()
            .map(|report| Kept { folder: PathBuf::from(&report.after.name), report })
            .collect();
        tell(&site(), &"drone".parse().unwrap(), &kept)
    }

    #[test]
    fn a_structure_is_one_incident_from_its_first_sign_until_it_is_gone() {
        let reports = vec![
            report("2026-03", "2026-06", &[(Change::New, -20.0, 3.0)]),
            report("2026-06", "2026-09", &[(Change::Grown, -20.0, 5.0)]),
            report("2026-09", "2026-12", &[(Change::Removed, -20.0, 5.0)]),
        ];
        let told = self::told(reports.clone());
        let phases: Vec<_> = told.events.iter().map(|t| (t.event.phase, t.event.sequence)).collect();
        assert_eq!(phases, [(Phase::Started, 0), (Phase::Updated, 1), (Phase::Ended, 2)]);
        let areas: Vec<_> =
            told.events.iter().map(|t| t.event.place.as_ref().unwrap().area_square_meters.unwrap()).collect();
        assert_eq!(areas, [9.0, 25.0, 0.0]);
        let (first, last) = (&told.events[0], &told.events[2].event);
        assert_eq!(first.pictures, Some((PathBuf::from("2026-06/b.jpg"), PathBuf::from("2026-06/a.jpg"))));
        assert_eq!(last.ended_at, Some("2026-12-10T02:00:00Z".parse().unwrap()));
        assert_eq!(last.since, first.event.at);
        let roof = &told.roofs[0];
        assert_eq!(
            roof.looks.iter().map(|l| l.survey.as_str()).collect::<Vec<_>>(),
            ["2026-03", "2026-06", "2026-09", "2026-12"]
        );
        assert_eq!(roof.structures.len(), 1);
        assert_eq!(roof.structures[0].state, StructureState::Removed);
        assert_eq!(roof.structures[0].incident, Some(last.incident_id));
        // What was told after the first reports is told again in the same words after the next.
        let earlier = self::told(reports[..2].to_vec());
        for (a, b) in earlier.events.iter().zip(&told.events) {
            assert_eq!(a.event, b.event);
        }
    }

    #[test]
    fn what_goes_without_having_been_new_is_no_suspicion() {
        let told = told(vec![report("2026-03", "2026-06", &[(Change::Removed, -20.0, 4.0)])]);
        assert!(told.events.is_empty());
        assert_eq!(told.roofs[0].structures[0].incident, None);
    }

    #[test]
    fn a_roof_that_was_not_judged_says_why() {
        let mut report = report("2026-03", "2026-06", &[]);
        report.roofs[0].state = RoofState::NotJudged { reason: Reason::TooFoggy { sharpness: 0.2 } };
        let roof = &told(vec![report]).roofs[0];
        assert_eq!(roof.looks[0].refused, None);
        assert!(roof.looks[1].refused.as_ref().unwrap().zh.as_ref().unwrap().contains('雾'));
    }

    #[test]
    fn a_flight_has_an_id_whatever_its_name() {
        for (name, id) in
            [("2026-06", "2026-06"), ("DJI_0018.MP4", "dji_0018-mp4"), ("六月", "survey"), ("", "survey")]
        {
            assert_eq!(survey_id_of(name).as_str(), id);
        }
        assert_eq!(survey_id_of(&"x".repeat(200)).as_str().len(), 64);
    }
}
