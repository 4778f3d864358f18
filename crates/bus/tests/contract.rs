//! The wire form: samples that must decode for ever, schemas and AsyncAPI that tell the truth, and bytes from strangers.
//!
//! `PARAPET_UPDATE=1 cargo test -p parapet-bus --test contract` rewrites the schemas and writes samples that are missing.

#![expect(clippy::unwrap_used, reason = "test helpers may fail the test and print")]

use std::{env, fs, path::PathBuf};

use parapet_bus::{
    Topics,
    wire::{self, DecodeError, Message, v1},
};
use parapet_core::{
    BBox, CameraHealth, EndReason, EventId, EvidenceItem, EvidenceRole, HealthEvent, HealthState,
    IncidentEvent, IncidentId, IncidentKind, Label, Phase, Point, Polygon, PrivateAreas, PrivateView,
    RoofHistory, RoofLook, RoofStructure, RunId, Severity, StructureSighting, StructureState, Timestamp,
    TrackId,
    geo::{GeoPoint, Place, Position},
    site::Name,
};
use proptest::prelude::*;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn updating() -> bool {
    env::var_os("PARAPET_UPDATE").is_some()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One message for each form that matters; the file of the same name in `fixtures/wire/v1` was written when the form was
/// new and is never rewritten.
fn samples() -> Vec<(&'static str, Message)> {
    let site = || "harbour-gardens".parse().unwrap();
    let node = || "north-1".parse().unwrap();
    let run = RunId::derive(&["gate-north", "1"]);
    let started = IncidentEvent {
        event_id: EventId::derive(&["sample", "0"]),
        incident_id: IncidentId::derive(&["sample"]),
        sequence: 0,
        phase: Phase::Started,
        kind: IncidentKind::OccupiedRoadway,
        severity: Severity::Medium,
        camera: "gate-north".parse().unwrap(),
        preset: None,
        run,
        rule: "keep-clear".parse().unwrap(),
        zone: Some("fire-lane".parse().unwrap()),
        at: at("2026-11-22T02:00:30.25Z"),
        since: at("2026-11-22T02:00:00.05Z"),
        started_at: at("2026-11-22T02:00:30.25Z"),
        ended_at: None,
        end_reason: None,
        label: Some(Label::new("car")),
        track: Some(TrackId(12)),
        bbox: BBox::new(0.25, 0.5, 0.4, 0.625).unwrap(),
        outline: None,
        count: 1,
        score: 0.82,
        covered: Some(0.35),
        place: None,
    };
    let ended = IncidentEvent {
        event_id: EventId::derive(&["sample", "2"]),
        sequence: 2,
        phase: Phase::Ended,
        preset: Some("east-roofs".parse().unwrap()),
        at: at("2026-11-22T02:07:00Z"),
        ended_at: Some(at("2026-11-22T02:06:55.5Z")),
        end_reason: Some(EndReason::Cleared),
        label: None,
        track: None,
        zone: None,
        outline: Some(vec![Point::new(0.25, 0.5), Point::new(0.4, 0.5), Point::new(0.3, 0.6)]),
        covered: None,
        ..started.clone()
    };
    let on_a_roof = IncidentEvent {
        event_id: EventId::derive(&["sample on a roof", "0"]),
        incident_id: IncidentId::derive(&["sample on a roof"]),
        kind: IncidentKind::RooftopStructure,
        place: Some(Place {
            position: Position {
                point: GeoPoint::new(30.530_125, 120.680_5).unwrap(),
                uncertainty_meters: 0.75,
            },
            building: Some("block-3".parse().unwrap()),
            area_square_meters: Some(12.5),
        }),
        ..started.clone()
    };
    let health = CameraHealth {
        camera: "gate-north".parse().unwrap(),
        state: HealthState::Offline,
        event: HealthEvent::Silent,
        at: at("2026-11-22T02:10:00Z"),
        run: Some(run),
        reconnects: 3,
        detail: Some("no frame for 5 s".to_owned()),
    };
    vec![
        (
            "incident-started",
            Message::Incident(wire::Incident { site: site(), node: node(), event: started }),
        ),
        ("incident-ended", Message::Incident(wire::Incident { site: site(), node: node(), event: ended })),
        (
            "incident-on-a-roof",
            Message::Incident(wire::Incident { site: site(), node: node(), event: on_a_roof }),
        ),
        (
            "evidence",
            Message::Evidence(wire::Evidence {
                site: site(),
                node: node(),
                camera: "gate-north".parse().unwrap(),
                incident: IncidentId::derive(&["sample"]),
                at: at("2026-11-22T02:00:41Z"),
                items: vec![
                    EvidenceItem {
                        role: EvidenceRole::Snapshot,
                        path: "2026-11-22/sample/snapshot.jpg".to_owned(),
                        media_type: "image/jpeg".to_owned(),
                        bytes: 184_211,
                        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
                    },
                    EvidenceItem {
                        role: EvidenceRole::Clip,
                        path: "2026-11-22/sample/clip.mp4".to_owned(),
                        media_type: "video/mp4".to_owned(),
                        bytes: 2_400_123,
                        sha256: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752".to_owned(),
                    },
                ],
                base_url: Some("http://192.0.2.7:8080/evidence/".to_owned()),
            }),
        ),
        ("health", Message::Health(wire::Health { site: site(), node: node(), health })),
        (
            "camera-status",
            Message::CameraStatus(wire::CameraStatus {
                site: site(),
                node: node(),
                camera: "gate-north".parse().unwrap(),
                name: Some("北门 North gate".to_owned()),
                state: HealthState::Streaming,
                at: at("2026-11-22T02:10:07Z"),
                run: Some(run),
                reconnects: 4,
                detail: None,
                analysed_fps: Some(4.9),
                width: Some(1280),
                height: Some(720),
                synthetic: false,
                removed: false,
                private: PrivateAreas::default(),
            }),
        ),
        (
            "camera-status-private",
            Message::CameraStatus(wire::CameraStatus {
                site: site(),
                node: node(),
                camera: "yard-dome".parse().unwrap(),
                name: None,
                state: HealthState::Streaming,
                at: at("2026-11-22T02:10:07Z"),
                run: Some(run),
                reconnects: 0,
                detail: None,
                analysed_fps: None,
                width: None,
                height: None,
                synthetic: false,
                removed: false,
                private: PrivateAreas::new(vec![
                    PrivateView { preset: Some("gate".parse().unwrap()), areas: vec![] },
                    PrivateView {
                        preset: Some("block-3".parse().unwrap()),
                        areas: vec![
                            Polygon::new(vec![
                                Point::new(0.5, 0.25),
                                Point::new(0.75, 0.25),
                                Point::new(0.625, 0.5),
                            ])
                            .unwrap(),
                        ],
                    },
                ]),
            }),
        ),
        (
            "node-status",
            Message::NodeStatus(wire::NodeStatus {
                site: site(),
                node: node(),
                online: true,
                at: at("2026-11-22T02:00:00Z"),
                started_at: at("2026-11-22T01:59:58Z"),
                version: "0.1.0".to_owned(),
                base_url: Some("http://192.0.2.7:8080/".to_owned()),
                cameras: vec!["gate-north".parse().unwrap(), "roof-dome".parse().unwrap()],
            }),
        ),
        (
            "roof",
            Message::Roof(wire::Roof {
                site: site(),
                node: node(),
                at: at("2026-11-22T03:00:00Z"),
                history: roof(),
            }),
        ),
    ]
}

fn roof() -> RoofHistory {
    let place = |latitude, longitude| GeoPoint::new(latitude, longitude).unwrap();
    let look =
        |survey: &str, flown_at, refused| RoofLook { survey: survey.parse().unwrap(), flown_at, refused };
    let (june, september) = (at("2026-06-10T02:00:00Z"), at("2026-09-12T02:00:00Z"));
    RoofHistory {
        building: "block-3".parse().unwrap(),
        name: Name { zh: Some("3号楼".to_owned()), en: None },
        footprint: vec![place(30.53, 120.68), place(30.53, 120.6805), place(30.5301, 120.6805)],
        height_meters: 17.5,
        looks: vec![
            look(
                "2026-03",
                at("2026-03-12T02:00:00Z"),
                Some(Name { zh: Some("画面模糊".to_owned()), en: Some("blurred".to_owned()) }),
            ),
            look("2026-06", june, None),
            look("2026-09", september, None),
        ],
        structures: vec![RoofStructure {
            incident: Some(IncidentId::derive(&["sample on a roof"])),
            outline: vec![
                place(30.530_02, 120.6801),
                place(30.530_02, 120.680_15),
                place(30.530_05, 120.680_15),
            ],
            state: StructureState::Grown,
            unchanged_since: None,
            sightings: [("2026-06", june, 8.25), ("2026-09", september, 24.5)]
                .map(|(survey, at, area_square_meters)| StructureSighting {
                    survey: survey.parse().unwrap(),
                    at,
                    area_square_meters,
                    area_error_square_meters: 1.5,
                    confidence: 0.75,
                })
                .to_vec(),
        }],
    }
}

#[test]
fn kept_samples_decode_to_what_they_meant() {
    let folder = root().join("../../fixtures/wire/v1");
    for (name, message) in samples() {
        let path = folder.join(format!("{name}.json"));
        if updating() && !path.exists() {
            fs::create_dir_all(&folder).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&message.encode()).unwrap();
            fs::write(&path, serde_json::to_string_pretty(&value).unwrap() + "\n").unwrap();
        }
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(Message::decode(&bytes).unwrap(), message, "{name}");
    }
    let kept = fs::read_dir(&folder).unwrap().count();
    assert_eq!(kept, samples().len(), "a sample without its meaning, or the other way round");
}

#[test]
fn a_message_comes_back_from_its_own_bytes_on_its_own_topic() {
    for (_, message) in samples() {
        let again = Message::decode(&message.encode()).unwrap();
        assert_eq!(again, message);
        assert!(message.topic().starts_with("parapet/v1/harbour-gardens/north-1/"), "{}", message.topic());
    }
}

#[test]
fn unknown_fields_are_ignored() {
    for (name, message) in samples() {
        let mut value: serde_json::Value = serde_json::from_slice(&message.encode()).unwrap();
        value["a_later_field"] = serde_json::json!({"nested": [1, 2]});
        assert_eq!(Message::decode(value.to_string().as_bytes()).unwrap(), message, "{name}");
    }
}

#[test]
fn another_version_is_named_in_the_error() {
    let error = Message::decode(br#"{"schema": "parapet.incident.v9", "brand_new": true}"#).unwrap_err();
    assert!(matches!(&error, DecodeError::UnknownSchema(schema) if schema == "parapet.incident.v9"));
    assert!(error.to_string().contains("hint:"), "{error}");
}

#[test]
fn a_wrong_field_is_named_in_the_error() {
    let wrong = [
        ("incident-started", "camera", serde_json::json!("Gate North")),
        ("incident-started", "bbox", serde_json::json!([0.9, 0.0, 0.1, 1.0])),
        ("incident-started", "phase", serde_json::json!("paused")),
        ("incident-started", "started_at", serde_json::json!("yesterday")),
        ("incident-started", "score", serde_json::json!(7.5)),
        ("incident-ended", "incident_id", serde_json::json!("17")),
        ("camera-status", "private", serde_json::json!([{"areas": [[[0.0, 0.0], [1.0, 1.0]]]}])),
        ("evidence", "base_url", serde_json::json!("javascript:alert(1)/")),
    ];
    for (name, field, value) in wrong {
        let (_, message) = samples().into_iter().find(|(n, _)| *n == name).unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&message.encode()).unwrap();
        json[field] = value;
        match Message::decode(json.to_string().as_bytes()) {
            Err(DecodeError::InvalidValue { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{name}.{field}: {other:?}"),
        }
    }
}

#[test]
fn evidence_never_points_out_of_its_directory() {
    let (_, message) = samples().into_iter().find(|(n, _)| *n == "evidence").unwrap();
    for path in ["../secret", "/etc/passwd", "a/../../b", "a//b", "", "a\\b", "a?b"] {
        let mut json: serde_json::Value = serde_json::from_slice(&message.encode()).unwrap();
        json["items"][0]["path"] = path.into();
        let error = Message::decode(json.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains("items.path"), "{path}: {error}");
    }
}

#[test]
fn text_that_a_database_cannot_store_does_not_pass() {
    for (name, field) in [("incident-started", "label"), ("health", "detail"), ("camera-status", "name")] {
        let (_, message) = samples().into_iter().find(|(n, _)| *n == name).unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&message.encode()).unwrap();
        json[field] = "a\0b".into();
        let decoded = Message::decode(json.to_string().as_bytes()).unwrap();
        assert!(!format!("{decoded:?}").contains("\\0"), "{decoded:?}");
        json["camera"] = "\0".into();
        let error = Message::decode(json.to_string().as_bytes()).unwrap_err();
        assert!(!error.to_string().contains('\0'), "{error:?}");
    }
}

#[test]
fn schemas_are_what_the_code_says() {
    let schemas = [
        (v1::INCIDENT, schemars::schema_for!(v1::Incident)),
        (v1::EVIDENCE, schemars::schema_for!(v1::Evidence)),
        (v1::HEALTH, schemars::schema_for!(v1::Health)),
        (v1::CAMERA_STATUS, schemars::schema_for!(v1::CameraStatus)),
        (v1::NODE_STATUS, schemars::schema_for!(v1::NodeStatus)),
        (v1::ROOF, schemars::schema_for!(v1::Roof)),
        (v1::RESYNC, schemars::schema_for!(v1::Resync)),
        (v1::ORDER, schemars::schema_for!(v1::Order)),
    ];
    for (name, schema) in schemas {
        let path = root().join(format!("schema/{name}.json"));
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if updating() {
            fs::write(&path, &text).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(kept, text, "{name}: run with PARAPET_UPDATE=1 and look at what changed");
    }
}

#[test]
fn asyncapi_names_every_channel_and_every_schema() {
    let text = fs::read_to_string(root().join("asyncapi.yaml")).unwrap();
    let (site, node, camera) = ("a".parse().unwrap(), "b".parse().unwrap(), "c".parse().unwrap());
    let addresses = [
        Topics::incident(&site, &node, &camera),
        Topics::evidence(&site, &node, &camera),
        Topics::health(&site, &node, &camera),
        Topics::camera_status(&site, &node, &camera),
        Topics::node_status(&site, &node),
        Topics::roof(&site, &node, &"d".parse().unwrap()),
        Topics::RESYNC.to_owned(),
        Topics::order(&site, &"e".parse().unwrap()),
    ];
    let named: Vec<String> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("address: "))
        .map(|a| {
            a.trim_matches('"')
                .replace("{site}", "a")
                .replace("{node}", "b")
                .replace("{camera}", "c")
                .replace("{building}", "d")
                .replace("{department}", "e")
        })
        .collect();
    assert_eq!(named, addresses);
    for schema in
        [v1::INCIDENT, v1::EVIDENCE, v1::HEALTH, v1::CAMERA_STATUS, v1::NODE_STATUS, v1::ROOF, v1::RESYNC]
    {
        assert!(text.contains(&format!("$ref: \"schema/{schema}.json\"")), "{schema}");
    }
}

#[test]
fn filters_match_every_topic() {
    let matches = |filter: &str, topic: &str| rumqttc::matches(topic, filter);
    for (name, message) in samples() {
        let filters: Vec<_> = if message.retained() {
            Topics::status_filters().to_vec()
        } else {
            Topics::event_filters().to_vec()
        };
        let hits = filters.iter().filter(|filter| matches(filter, &message.topic())).count();
        assert_eq!(hits, 1, "{name}: {}", message.topic());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(Message::decode(&bytes).is_err());
    }

    #[test]
    fn no_damaged_message_makes_it_panic(
        sample in 0..8_usize, cut in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>(), with in any::<u8>()
    ) {
        let mut bytes = samples()[sample].1.encode();
        let place = flip.index(bytes.len());
        bytes[place] = with;
        let decoded = Message::decode(&bytes);
        if let Ok(message) = decoded {
            prop_assert_eq!(Message::decode(&message.encode()).unwrap(), message);
        }
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(Message::decode(&bytes).is_err());
    }

    #[test]
    fn any_numbers_come_back(
        edges in proptest::array::uniform4(-2.0_f32..3.0), score in 0.0_f32..=1.0, sequence: u32, count: u32,
        micros in 0_i64..4_000_000_000_000_000
    ) {
        let (_, message) = samples().swap_remove(0);
        let Message::Incident(mut incident) = message else { unreachable!("the first sample is an incident") };
        let e = &mut incident.event;
        e.bbox = BBox::new(edges[0].min(edges[2]), edges[1].min(edges[3]), edges[0].max(edges[2]), edges[1].max(edges[3])).unwrap();
        (e.score, e.sequence, e.count) = (score, sequence, count);
        e.at = Timestamp::from_microsecond(micros).unwrap();
        let message = Message::Incident(incident);
        prop_assert_eq!(Message::decode(&message.encode()).unwrap(), message);
    }
}
