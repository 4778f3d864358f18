//! What the pipelines that ship find in real footage, kept as a regression. Skips, saying so, where it is absent.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, outside of test functions")]

use std::{
    env,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use parapet_core::{BBox, IncidentEvent, IncidentKind, Phase, Timestamp, time::seconds_between};
use parapet_edge::{AnalyzeOptions, Recording, analyze, config::load};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The clip, or `None` with a message.
fn clip(name: &str) -> Option<PathBuf> {
    let folder =
        env::var_os("PARAPET_FOOTAGE").map_or_else(|| root().join("../shared/footage"), PathBuf::from);
    let path = folder.join("video").join(name);
    if !path.exists() {
        println!("skipped: there is no {}; hint: PARAPET_FOOTAGE names the folder", path.display());
        return None;
    }
    Some(path)
}

/// The incident log of a clip, as bytes.
fn log_of(pipeline: &str, camera: &str, clip: &Path) -> Vec<u8> {
    let pipeline = load(&root().join("pipelines").join(pipeline)).unwrap();
    let mut log = Vec::new();
    let options = AnalyzeOptions::default();
    let summary = analyze(
        &pipeline,
        &camera.parse().unwrap(),
        &Recording::Video(clip.to_owned()),
        &mut log,
        &options,
        &mut |_| {},
    )
    .unwrap();
    println!(
        "{}: {} frames, {:.1} s of video in {:.1} s (model {:.1} s, decoding {:.1} s)",
        clip.file_name().unwrap().display(),
        summary.frames,
        summary.video.as_secs_f64(),
        summary.took.as_secs_f64(),
        summary.infer.as_secs_f64(),
        summary.decode.as_secs_f64(),
    );
    log
}

fn events(log: &[u8]) -> Vec<IncidentEvent> {
    log.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| match parapet_bus::wire::Message::decode(line).unwrap() {
            parapet_bus::wire::Message::Incident(incident) => incident.event,
            other => panic!("no incident: {other:?}"),
        })
        .collect()
}

fn seconds(at: Timestamp) -> f64 {
    seconds_between(Timestamp::UNIX_EPOCH, at)
}

fn told(events: &[IncidentEvent]) -> String {
    let mut text = String::new();
    for event in events {
        let [x0, y0, x1, y1]: [f32; 4] = event.bbox.into();
        let label = event.label.as_ref().map_or("unknown", |label| label.as_str());
        let _ = writeln!(
            text,
            "{:6.1} s {:?} {} ({label}) since {:.1} s at {x0:.2} {y0:.2} {x1:.2} {y1:.2}",
            seconds(event.at),
            event.phase,
            event.kind.as_str(),
            seconds(event.since),
        );
    }
    text
}

#[test]
fn the_bag_that_is_left_on_the_sidewalk_is_one_incident() {
    let Some(clip) = clip("aboda_video4_left_bag.avi") else { return };
    let log = log_of("sidewalk.toml", "sidewalk", &clip);
    assert_eq!(log, log_of("sidewalk.toml", "sidewalk", &clip), "two runs give different bytes");
    let events = events(&log);
    insta::assert_snapshot!("left_bag", told(&events));
    let started: Vec<_> = events.iter().filter(|event| event.phase == Phase::Started).collect();
    assert_eq!(started.len(), 1, "{}", told(&events));
    assert_eq!(started[0].kind, IncidentKind::OccupiedRoadway);
    // EVENTS.tsv: put down at 14.5 s (± 0.5 s) at 447,355,508,410 of 720 × 480; the limit is 15 s.
    let truth = BBox::new(447.0 / 720.0, 355.0 / 480.0, 508.0 / 720.0, 410.0 / 480.0).unwrap();
    let iou = started[0].bbox.iou(truth);
    assert!(iou >= 0.5, "the box has an overlap of {iou:.2}");
    let delay = seconds(started[0].started_at) - 14.5;
    // Limit and 5 s, and the half second to which the truth was read.
    assert!((14.5..=20.0).contains(&delay), "started {delay:.1} s after the bag was put down");
    assert!(events.iter().all(|event| event.phase != Phase::Ended), "{}", told(&events));
}

#[test]
fn nothing_that_only_passes_is_an_incident() {
    let clips = [
        ("person-bicycle-car.mp4", "carpark.toml", "corner"),
        ("vtest.avi", "street.toml", "crossing"),
        ("lotcam_1027_131028_jimmy_johns.mp4", "carpark.toml", "lot"),
        ("lotcam_1030_125856_jimmy_johns.mp4", "carpark.toml", "lot"),
        ("lotcam_1030_134520_fedex_truck.mp4", "carpark.toml", "lot"),
        ("lotcam_1101_094922_fedex_truck.mp4", "carpark.toml", "lot"),
        ("lotcam_1102_102732_ups_truck.mp4", "carpark.toml", "lot"),
        ("lotcam_1103_094051_fedex_truck.mp4", "carpark.toml", "lot"),
    ];
    let mut found = String::new();
    for (name, pipeline, camera) in clips {
        let Some(clip) = clip(name) else { return };
        let events = events(&log_of(pipeline, camera, &clip));
        if !events.is_empty() {
            let _ = write!(found, "{name}\n{}", told(&events));
        }
    }
    assert!(found.is_empty(), "\n{found}");
}
