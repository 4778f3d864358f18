//! A dome for an hour of simulated time, and a dome that is talked to over HTTP.

use std::time::Duration;

use parapet_analytics::PipelineConfig;
use parapet_change::ViewChange;
use parapet_core::{BBox, Clock, Detection, Detector, IncidentKind, Label, ManualClock, Phase, ZonePurpose};
use tokio::time::timeout;

use super::{simulated::*, *};
use crate::{
    config::OnvifConfig,
    onvif::{OnvifClient, OnvifError},
};

const RED: [u8; 3] = [230, 30, 30];
const DARK: [u8; 3] = [35, 35, 40];
const FRAMES_PER_SECOND: f64 = 2.0;
const PRESETS: [(&str, Direction); 3] =
    [("gate", (0.0, 8.0)), ("yard", (95.0, 12.0)), ("roof", (200.0, 5.0))];

/// Finds red things, and nothing else.
struct RedThings;

impl Detector for RedThings {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let plane = frame.picture.v();
        let (w, h) = (plane.width(), plane.height());
        let mut left: Vec<bool> = plane.rows().flatten().map(|v| *v > 180).collect();
        let mut found = Vec::new();
        for start in 0..left.len() {
            if !std::mem::take(&mut left[start]) {
                continue;
            }
            let (mut next, mut low, mut high, mut n) = (vec![start], (w, h), (0, 0), 0);
            while let Some(i) = next.pop() {
                let (x, y) = (i % w, i / w);
                (low, high, n) =
                    ((low.0.min(x), low.1.min(y)), (high.0.max(x + 1), high.1.max(y + 1)), n + 1);
                let around = [
                    (x > 0, i.wrapping_sub(1)),
                    (x + 1 < w, i + 1),
                    (y > 0, i.wrapping_sub(w)),
                    (y + 1 < h, i + w),
                ];
                next.extend(
                    around
                        .into_iter()
                        .filter(|(inside, j)| *inside && std::mem::take(&mut left[*j]))
                        .map(|(_, j)| j),
                );
            }
            if n > 8 {
                let bbox = BBox::new(
                    low.0 as f32 / w as f32,
                    low.1 as f32 / h as f32,
                    high.0 as f32 / w as f32,
                    high.1 as f32 / h as f32,
                );
                found.push(Detection { label: Label::new("bicycle"), score: 0.9, bbox: bbox.unwrap() });
            }
        }
        Ok(found)
    }

    fn detect_in(&mut self, frame: &Frame, _: BBox) -> Result<Vec<Detection>, DetectError> {
        self.detect(frame)
    }
}

/// The part of a preset's view between two directions, as a polygon.
fn zone(preset: Direction, from: Direction, to: Direction) -> String {
    let corners = [(from.0, from.1), (to.0, from.1), (to.0, to.1), (from.0, to.1)].map(|at| {
        let (x, y) = project(preset, at).unwrap();
        format!("[{x:.4}, {y:.4}]")
    });
    format!("[{}]", corners.join(", "))
}

/// A camera with three presets: bikes may not stand in a small place at the gate and in the yard, nor anything on the
/// roof.
fn camera() -> CameraConfig {
    let preset = |name: &str| PRESETS.iter().find(|(preset, _)| *preset == name).unwrap().1;
    let text = format!(
        r#"
        source = {{ test = {{}} }}
        [dome]
        takeover_seconds = 30
        [patrols.round]
        stops = [{{ preset = "gate" }}, {{ preset = "yard", dwell_seconds = 20 }}, {{ preset = "roof", dwell_seconds = 40 }}]
        [presets.gate]
        reference_pictures = ["gate.jpg"]
        dwell_seconds = 30
        zones.kerb = {{ purpose = "forbidden", polygon = {} }}
        rules.bikes.misparked_ebike = {{ limit_seconds = 45 }}
        [presets.yard]
        reference_pictures = ["yard.jpg"]
        zones.kerb = {{ purpose = "forbidden", polygon = {} }}
        rules.bikes.misparked_ebike = {{ limit_seconds = 45 }}
        [presets.roof]
        reference_pictures = ["roof.jpg"]
        zones.roof = {{ purpose = "roof", polygon = {} }}
        rules.sheds.rooftop_structure = {{ limit_seconds = 240, min_visits = 3 }}
        change.baseline = {{ interval_seconds = 12 }}
        "#,
        zone(preset("gate"), (-3.0, 9.0), (3.0, 15.0)),
        zone(preset("yard"), (90.0, 12.0), (100.0, 20.0)),
        zone(preset("roof"), (180.0, -4.0), (220.0, 14.0)),
    );
    toml::from_str(&text).unwrap()
}

/// The dome of the camera, as [`crate::Assembly`] puts it together but for model and files.
fn dome_of(config: &CameraConfig, control: Box<dyn DomeControl>) -> Dome {
    let id: CameraId = "dome".parse().unwrap();
    let mut town = Town::new(Vec::new());
    let presets = config.presets.iter().map(|(preset, options)| {
        let direction = PRESETS.iter().find(|(name, _)| *name == preset.as_str()).unwrap().1;
        let reference = Arc::new(town.picture(direction, 0.0));
        let zones = options.view().core_zones();
        let roofs: Vec<_> =
            zones.iter().filter(|z| z.purpose == ZonePurpose::Roof).map(|z| z.polygon.clone()).collect();
        let change = ViewChange::new(&options.change, &[], &roofs, vec![reference.clone()]);
        let pipeline = PipelineConfig {
            preset: Some(preset.clone()),
            zones,
            rules: options.rules.clone(),
            ..PipelineConfig::new(id.clone())
        };
        let pipeline = View::new(pipeline, Box::new(RedThings), Some(Box::new(change)));
        DomePreset {
            id: preset.clone(),
            token: preset.to_string(),
            field_of_view_degrees: FIELD_OF_VIEW,
            references: vec![reference],
            view: WatchedView { pipeline, baseline: BaselineInUse::default() },
        }
    });
    let presets = presets.collect();
    let options = config.dome.as_ref().unwrap();
    Dome::new(id, options, Plan::new(config, options, false), presets, control)
}

fn bike(at: Direction, there: (f64, f64)) -> Thing {
    Thing { at, size: (2.4, 2.0), rgb: RED, there }
}

/// The acceptance test of patrols: three presets for an hour.
#[test]
fn a_dome_patrols_for_an_hour() {
    let always = (0.0, f64::INFINITY);
    let mut town = Town::new(vec![
        // Seen on the way from the gate to the yard, and by the operator.
        bike((48.0, 12.0), always),
        // In the gate's forbidden place for a while; its foot is 1.2° from the edge.
        bike((-1.4, 11.0), (300.0, 1000.0)),
        // In the yard, while the dome comes back 2° beside its presets: 1.2° inside, and 0.9° outside of the edge.
        bike((91.2, 15.0), (1700.0, 2300.0)),
        bike((101.0, 16.0), (1700.0, 2300.0)),
        // A shed on the roof.
        Thing { at: (203.0, 6.0), size: (7.0, 4.0), rgb: DARK, there: (1200.0, f64::INFINITY) },
        // In the gate's forbidden place, while the dome does not come back to the gate.
        bike((1.0, 11.0), (2550.0, 3000.0)),
    ]);
    let head = SimulatedDome::new(&PRESETS, 40.0);
    let mut dome = dome_of(&camera(), Box::new(head.clone()));
    let start: Timestamp = "2026-11-22T04:00:00Z".parse().unwrap();
    let run = RunId::derive(&["hour"]);
    let (mut events, mut notes) = (Vec::new(), Vec::new());
    let mut visits: BTreeMap<String, u32> = BTreeMap::new();
    let mut before = None;
    for i in 0..(3600.0 * FRAMES_PER_SECOND) as u64 {
        let seconds = i as f64 / FRAMES_PER_SECOND;
        {
            let mut head = head.head();
            head.advance(1.0 / FRAMES_PER_SECOND);
            head.errors = match seconds {
                ..1600.0 => BTreeMap::new(),
                ..2500.0 => PRESETS.map(|(preset, _)| (preset.to_owned(), (-1.9, 0.6))).into(),
                ..3100.0 => [("gate".to_owned(), (20.0, 0.0))].into(),
                _ => BTreeMap::new(),
            };
            // An operator turns to the bike between gate and yard, and lets go.
            if seconds == 1400.0 {
                head.turn_to((50.0, 10.0));
            }
        }
        let (looks, moving) = {
            let head = head.head();
            (head.looks(), head.is_moving())
        };
        let frame = Frame {
            camera: "dome".parse().unwrap(),
            preset: None,
            run,
            sequence: i,
            captured_at: start + Duration::from_secs_f64(seconds),
            picture: Arc::new(town.picture(looks, seconds)),
        };
        let looked = dome.step(&frame).unwrap();
        if looked.watched {
            let preset = looked.frame.preset.as_ref().expect("what is watched has its preset").to_string();
            let at = PRESETS.iter().find(|(name, _)| *name == preset).unwrap().1;
            assert!(!moving, "watched while turning, {seconds} s");
            assert!(
                (looks.0 - at.0).hypot(looks.1 - at.1) < 2.5,
                "{preset} watched from {looks:?}, {seconds} s"
            );
            if before.as_ref() != Some(&preset) {
                *visits.entry(preset.clone()).or_default() += 1;
            }
            before = Some(preset);
        } else {
            assert!(looked.step.events.is_empty(), "{:?}, {seconds} s", looked.step.events);
            before = None;
        }
        events.extend(looked.step.events.into_iter().map(|event| (seconds, event)));
        notes.extend(looked.notes.into_iter().map(|note| (seconds, note)));
    }

    let told: Vec<(String, IncidentKind, Phase)> = events
        .iter()
        .filter(|(_, event)| event.phase != Phase::Updated)
        .map(|(_, event)| (event.preset.as_ref().unwrap().to_string(), event.kind, event.phase))
        .collect();
    let (bikes, sheds) = (IncidentKind::MisparkedEbike, IncidentKind::RooftopStructure);
    let expected = [
        ("gate", bikes, Phase::Started),
        ("gate", bikes, Phase::Ended),
        ("roof", sheds, Phase::Started),
        ("yard", bikes, Phase::Started),
        ("yard", bikes, Phase::Ended),
    ]
    .map(|(preset, kind, phase)| (preset.to_owned(), kind, phase));
    assert_eq!(told, expected, "{events:#?}");
    // It stands from 300 s: it is an incident at the first visit at which it stood for 45 s, whoever looked in between.
    let (at, started) = &events[0];
    assert!((345.0..480.0).contains(at), "{at}");
    assert!((300.0..430.0).contains(&seconds_between(start, started.since)), "{}", started.since);
    let yard = events.iter().find(|(_, event)| event.preset.as_ref().unwrap().as_str() == "yard").unwrap();
    let truth = project(PRESETS[1].1, (91.2, 15.0)).unwrap();
    let found = yard.1.bbox.center();
    assert!((f64::from(found.x) - truth.0).hypot(f64::from(found.y) - truth.1) < 0.01, "{found:?} {truth:?}");

    let kinds: Vec<HealthEvent> = notes.iter().map(|(_, note)| note.event).collect();
    assert_eq!(kinds, [HealthEvent::OffPreset, HealthEvent::OnPreset], "{notes:?}");
    let (at, off) = &notes[0];
    let detail = off.detail.as_ref().unwrap();
    assert!((2500.0..2700.0).contains(at), "{at}");
    // 20° round the axis of the dome are 19.8° in a view 8° below the horizon.
    assert!(
        detail.starts_with("does not come back to preset \"gate\": it looks 19.8° beside it"),
        "{detail}"
    );
    assert!((3100.0..3300.0).contains(&notes[1].0), "{notes:?}");
    // About 110 s a round, less what the operator and the lost preset took.
    assert!(visits["gate"] >= 20 && visits["yard"] >= 24 && visits["roof"] >= 24, "{visits:?}");
}

#[test]
fn a_dome_with_a_patrol_of_its_own_is_recognised_from_the_picture() {
    let mut town = Town::new(vec![bike((48.0, 12.0), (0.0, 1e9))]);
    let head = SimulatedDome::new(&PRESETS, 40.0);
    let mut config = camera();
    config.patrols.clear();
    let mut dome = dome_of(&config, Box::new(Unled));
    let mut watched: Vec<(String, u32)> = Vec::new();
    for i in 0..240u64 {
        let seconds = i as f64 / FRAMES_PER_SECOND;
        {
            let mut head = head.head();
            head.advance(1.0 / FRAMES_PER_SECOND);
            // Gate, the place between, yard, roof, and gate again: each for 24 seconds.
            let places = [PRESETS[0].1, (48.0, 10.0), PRESETS[1].1, PRESETS[2].1, PRESETS[0].1];
            head.turn_to(places[i as usize / 48]);
        }
        let looks = head.head().looks();
        let frame = Frame {
            camera: "dome".parse().unwrap(),
            preset: None,
            run: RunId::derive(&["own"]),
            sequence: i,
            captured_at: "2026-11-22T04:00:00Z".parse::<Timestamp>().unwrap()
                + Duration::from_secs_f64(seconds),
            picture: Arc::new(town.picture(looks, seconds)),
        };
        let looked = dome.step(&frame).unwrap();
        if let Some(preset) = looked.frame.preset.filter(|_| looked.watched) {
            match watched.last_mut() {
                Some((last, frames)) if *last == preset.as_str() => *frames += 1,
                _ => watched.push((preset.to_string(), 1)),
            }
        }
    }
    let order: Vec<&str> = watched.iter().map(|(preset, _)| preset.as_str()).collect();
    assert_eq!(order, ["gate", "yard", "roof", "gate"], "{watched:?}");
    assert!(watched.iter().all(|(_, frames)| *frames >= 30), "{watched:?}");
    assert!(head.head().orders.is_empty());
}

/// A dome whose clock is an hour ahead.
async fn served(password: &'static str) -> (SimulatedDome, OnvifServer, Arc<dyn Clock>) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let head = SimulatedDome::new(&PRESETS, 40.0);
    let ours: Timestamp = "2026-11-22T04:00:00Z".parse().unwrap();
    let theirs = ManualClock::new(ours + Duration::from_hours(1));
    let server = OnvifServer::start(head.clone(), theirs, password).await;
    (head, server, Arc::new(ManualClock::new(ours)))
}

fn onvif(server: &OnvifServer, password_file: &std::path::Path) -> OnvifConfig {
    OnvifConfig {
        url: format!("http://{}/onvif/device", server.address),
        username: Some("viewer".into()),
        password_file: Some(password_file.to_owned()),
        password_env: None,
        profile: None,
    }
}

#[tokio::test]
async fn a_dome_is_asked_and_sent_over_onvif_whatever_its_clock_says() {
    let dir = tempfile::tempdir().unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, "userpassword\n").unwrap();
    let (head, server, clock) = served("userpassword").await;
    let client = OnvifClient::connect(&onvif(&server, &password), clock.clone()).await.unwrap();
    let presets = client.presets().await.unwrap();
    let names: Vec<(&str, &str)> = presets.iter().map(|p| (p.token.as_str(), p.name.as_str())).collect();
    assert_eq!(names, [("gate", "The gate"), ("roof", "The roof"), ("yard", "The yard")]);
    client.go_to("yard").await.unwrap();
    assert_eq!(client.status().await.unwrap().moving, Some(true));
    head.head().advance(60.0);
    let status = client.status().await.unwrap();
    assert_eq!(status.moving, Some(false));
    assert!((status.pan_tilt.unwrap()[0] - 95.0 / 180.0).abs() < 1e-9, "{status:?}");
    let refused = client.go_to("cellar").await.unwrap_err();
    assert!(
        matches!(&refused, OnvifError::Fault { reason, .. } if reason.contains("preset token")),
        "{refused}"
    );

    std::fs::write(&password, "wrong\n").unwrap();
    let refused = OnvifClient::connect(&onvif(&server, &password), clock).await.unwrap_err();
    assert!(matches!(refused, OnvifError::NotAuthorized { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_passed_on_by_a_thread_that_nobody_waits_for() {
    let dir = tempfile::tempdir().unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, "userpassword").unwrap();
    let (_, mut server, clock) = served("userpassword").await;
    let mut control =
        OnvifControl::start(&"dome".parse().unwrap(), &onvif(&server, &password), clock).unwrap();
    control.go_to("roof");
    let sent = timeout(Duration::from_secs(20), server.sent.recv()).await.expect("the order arrives");
    assert_eq!(sent.as_deref(), Some("roof"));
    tokio::task::spawn_blocking(move || drop(control)).await.unwrap();
}

#[tokio::test]
async fn a_device_says_what_it_is_and_where_its_streams_are() {
    let (_, server, clock) = served("geheim").await;
    let look = async |password| {
        let address = format!("{}", server.address);
        crate::onvif::look(&address, Some("viewer"), Some(password), clock.clone()).await
    };
    let device = look("geheim").await.unwrap();
    assert_eq!(
        (device.manufacturer.as_deref(), device.model.as_deref()),
        (Some("Simulated"), Some("Dome 1"))
    );
    assert!(device.turns && device.firmware.is_none());
    // The address that the device knows itself by is another, and it told its password.
    assert_eq!(device.url.as_deref(), Some("rtsp://127.0.0.1:554/turning"));
    assert_eq!(device.substream_url.as_deref(), Some("rtsp://127.0.0.1:554/still"));
    let told: Vec<_> = device
        .profiles
        .iter()
        .map(|p| (p.name.as_str(), p.codec.as_deref(), p.width, p.fps, p.url.is_some(), p.turns))
        .collect();
    assert_eq!(
        told,
        [
            ("subStream", Some("H264"), Some(640), Some(12.5), true, false),
            ("mainStream", Some("H265"), Some(2560), None, true, true),
            ("audio", None, None, None, false, false),
        ]
    );
    let refused = look("wrong").await.unwrap_err();
    assert!(matches!(refused, crate::onvif::OnvifError::NotAuthorized { .. }), "{refused}");
}
