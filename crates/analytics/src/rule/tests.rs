//! What the options of rules promise; what the rules promise is in `fixtures/scenarios`.

use parapet_core::{BBox, Membership, Polygon};

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Camera {
    rules: BTreeMap<RuleId, RuleConfig>,
}

fn zone(id: &str, purpose: ZonePurpose) -> Zone {
    let polygon = Polygon::from_bbox(BBox::new(0.2, 0.2, 0.6, 0.6).unwrap()).unwrap();
    Zone { id: id.parse().unwrap(), purpose, polygon, membership: Membership::FootPoint, labels: None }
}

#[test]
fn a_rule_is_a_nested_table() {
    let text = "
        [rules.bikes.misparked_ebike]
        limit_seconds = 30
        zone_limit_seconds = { gate = 5.5 }
        [rules.dogs.stray_dog]
        [rules.lane.occupied_roadway]
        covered_fraction = 0.4
        schedule = { hours = [\"07:00-19:00\"] }
        [rules.roofs.rooftop_structure]
        min_area = 0.002";
    let camera: Camera = toml::from_str(text).unwrap();
    let kinds: Vec<_> = camera.rules.values().map(RuleConfig::kind).collect();
    assert_eq!(
        kinds,
        [
            IncidentKind::MisparkedEbike,
            IncidentKind::StrayDog,
            IncidentKind::OccupiedRoadway,
            IncidentKind::RooftopStructure
        ]
    );
    let again = serde_json::to_string(&camera.rules["bikes"]).unwrap();
    assert_eq!(serde_json::from_str::<RuleConfig>(&again).unwrap(), camera.rules["bikes"]);
}

/// The message and the text at its span.
fn error(text: &str) -> (String, String) {
    let error = toml::from_str::<Camera>(text).unwrap_err();
    (error.message().to_owned(), text[error.span().expect("a span")].to_owned())
}

#[test]
fn a_mistake_is_shown_at_its_own_place() {
    let (message, place) = error("[rules.bikes.misparked_ebike]\nlimit_second = 3");
    assert!(
        message.starts_with("unknown field `limit_second`, expected one of `limit_seconds`"),
        "{message}"
    );
    assert_eq!(place, "limit_second");
    let (message, place) = error("[rules.bikes.misparked_ebike]\nlimit_seconds = -3.0");
    assert_eq!((&*message, &*place), ("-3 is not a number of seconds; hint: 0 or more", "-3.0"));
    let (message, place) = error("[rules.bikes.misparked_bike]\nlimit_seconds = 3");
    assert!(
        message.contains("unknown variant `misparked_bike`, expected one of `misparked_ebike`"),
        "{message}"
    );
    assert_eq!(place, "misparked_bike");
    let (message, place) = error("[rules.dogs.stray_dog.schedule]\nhours = [\"7-19\"]");
    assert!(message.contains("hint: \"07:00-19:00\""), "{message}");
    assert!(place.contains("7-19"), "{place}");
    let (message, _) = error("[rules.x.stray_dog]\n[rules.x.misparked_ebike]");
    assert!(message.contains("exactly 1 element"), "{message}");
}

#[test]
fn problems_with_zones_are_all_named() {
    let text = "
        [rules.bikes.misparked_ebike]
        forbidden = [\"gate\", \"kerb\"]
        zone_limit_seconds = { yard = 5 }
        [rules.lane.occupied_roadway]
        [rules.roofs.rooftop_structure]
        zones = [\"kerb\"]";
    let camera: Camera = toml::from_str(text).unwrap();
    let zones = [zone("kerb", ZonePurpose::Forbidden)];
    let problems: Vec<String> = camera
        .rules
        .values()
        .flat_map(|r| r.problems(&zones))
        .map(|p| format!("{}: {p}", p.option))
        .collect();
    assert_eq!(
        problems,
        [
            "forbidden: the camera has no zone \"gate\"; hint: it has \"kerb\"",
            "zone_limit_seconds: the camera has no zone \"yard\"; hint: it has \"kerb\"",
            "zones: the camera has no roadway, sidewalk or fire lane to keep free; hint: draw a zone with purpose = \
             \"roadway\", \"sidewalk\" or \"fire_lane\"",
        ]
    );
}

#[test]
fn the_shorter_of_zone_and_class_holds() {
    let zones = [zone("a", ZonePurpose::Roadway), zone("b", ZonePurpose::Roadway)];
    let seconds = Seconds::whole;
    let by_zone = [("a".parse().unwrap(), seconds(30))].into();
    let by_label = [(Label::new("truck"), seconds(300))].into();
    let limits = Limits::new(seconds(100), &by_zone, &by_label, &zones);
    let (truck, car) = (Label::new("truck"), Label::new("car"));
    assert_eq!(limits.seconds(Some(0), Some(&truck)), 30.0);
    assert_eq!(limits.seconds(Some(1), Some(&truck)), 300.0);
    assert_eq!(limits.seconds(Some(1), Some(&car)), 100.0);
    assert_eq!(limits.seconds(None, Some(&car)), 100.0);
}

#[test]
fn every_option_is_in_the_schema_with_its_text() {
    let schema = serde_json::to_value(schemars::schema_for!(RuleConfig)).unwrap();
    for config in
        ["MisparkedEbikeConfig", "OccupiedRoadwayConfig", "StrayDogConfig", "RooftopStructureConfig"]
    {
        let options = schema["$defs"][config]["properties"].as_object().unwrap();
        assert!(options.len() > 8, "{config}");
        for (name, option) in options {
            assert!(option["description"].is_string(), "{config}.{name}");
        }
    }
    assert_eq!(schema["$defs"]["Seconds"]["type"], "number");
    assert_eq!(schema["$defs"]["Hours"]["type"], "string");
}

#[test]
fn what_is_late_does_not_hide_what_comes_next_and_a_limit_without_end_is_no_time() {
    let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
    let mut findings = Findings::default();
    findings.begin(at(100));
    // Hidden since 60, so that it never came to its limit.
    assert!(!findings.reaches(at(50), at(60), 20.0));
    assert_eq!(findings.next_at, None);
    assert!(!findings.reaches(at(90), at(100), 1e20));
    assert!(!findings.reaches(at(90), at(100), 20.0) && findings.reaches(at(70), at(100), 20.0));
    assert_eq!(findings.next_at, Some(at(110)));
    // Just late.
    assert!(!findings.reaches(at(79), at(98), 20.0));
    assert_eq!(findings.next_at, Some(at(99)));
}

#[test]
fn what_stands_needs_a_look_every_second_or_two_and_a_dog_every_frame_while_it_is_there() {
    let rule = |text: &str| serde_json::from_str::<RuleConfig>(text).unwrap();
    let of = |text: &str| rule(text).look_seconds();
    assert_eq!(of(r#"{"misparked_ebike": {}}"#), 2.0);
    assert_eq!(of(r#"{"misparked_ebike": {"zone_limit_seconds": {"gate": 8}}}"#), 1.0);
    assert_eq!(
        of(r#"{"occupied_roadway": {"limit_seconds": 20, "label_limit_seconds": {"truck": 12}}}"#),
        1.5
    );
    assert_eq!(of(r#"{"rooftop_structure": {}}"#), 2.0);
    assert_eq!(of(r#"{"stray_dog": {}}"#), 2.0);
    assert_eq!(of(r#"{"stray_dog": {"find_seconds": 1}}"#), 1.0);
    assert_eq!(of(r#"{"stray_dog": {"find_seconds": 0}}"#), 0.0);
    assert_eq!(of(r#"{"stray_dog": {"limit_seconds": 4}}"#), 0.5);
    let dogs = rule(r#"{"stray_dog": {}}"#);
    let runners = dogs.runners().unwrap();
    assert!(runners.contains("dog") && runners.contains("sheep") && !runners.contains("person"));
    assert_eq!(rule(r#"{"misparked_ebike": {}}"#).runners(), None);
}
