//! What the gate, and looks at keyframes alone, cost in accuracy and spare in time, against a look at every frame: a
//! measurement, not a test of every run. `cargo test -p parapet-edge --test gate -- --ignored --nocapture`; it takes the recordings that are there.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "all of this file is a measurement")]

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use parapet_analytics::GateConfig;
use parapet_core::{IncidentEvent, IncidentKind, Phase, Timestamp, time::seconds_between};
use parapet_edge::{AnalyzeOptions, Recording, analyze, config::load};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A recording with the pipeline and the camera that watch it.
struct Watched {
    video: PathBuf,
    pipeline: PathBuf,
    camera: String,
}

/// The composites that are made, and real footage.
fn recordings() -> Vec<Watched> {
    let mut all = Vec::new();
    for (folder, specs) in
        [(".cache/demo", "fixtures/scenarios/demo"), (".cache/scenarios", "fixtures/scenarios/composite")]
    {
        let Ok(entries) = fs::read_dir(root().join(folder)) else { continue };
        let mut truths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        truths.retain(|path| path.to_string_lossy().ends_with(".truth.json"));
        truths.sort();
        for path in truths {
            let truth: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let Some(camera) = truth["watch"]["camera"].as_str() else { continue };
            all.push(Watched {
                video: path.with_extension("").with_extension("mp4"),
                pipeline: root().join(specs).join(truth["watch"]["pipeline"].as_str().unwrap()),
                camera: camera.to_owned(),
            });
        }
    }
    let footage =
        env::var_os("PARAPET_FOOTAGE").map_or_else(|| root().join("../shared/footage"), PathBuf::from);
    for (name, pipeline, camera) in [
        ("aboda_video4_left_bag.avi", "sidewalk.toml", "sidewalk"),
        ("person-bicycle-car.mp4", "carpark.toml", "corner"),
        ("vtest.avi", "street.toml", "crossing"),
        ("lotcam_1030_134520_fedex_truck.mp4", "carpark.toml", "lot"),
        ("lotcam_1103_094051_fedex_truck.mp4", "carpark.toml", "lot"),
    ] {
        let video = footage.join("video").join(name);
        if video.exists() {
            let pipeline = root().join("pipelines").join(pipeline);
            all.push(Watched { video, pipeline, camera: camera.to_owned() });
        }
    }
    all
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

struct Outcome {
    cpu: f64,
    /// Looks by the model, for each second of video.
    looks: f64,
    seconds: f64,
    /// What started, where, and when.
    starts: Vec<(IncidentKind, Option<String>, f64)>,
}

/// How a recording is watched.
#[derive(Clone, Copy, PartialEq)]
enum How {
    EveryFrame,
    Gated,
    /// What a live camera with a keyframe a second and `keyframes_when_enough` decodes, and gated.
    Keyframes,
}

fn run(watched: &Watched, how: How) -> Outcome {
    let mut pipeline = load(&watched.pipeline).unwrap();
    let camera = watched.camera.parse().unwrap();
    let config = pipeline.cameras.get_mut(&camera).unwrap();
    config.gate = (how != How::EveryFrame).then(GateConfig::default);
    let keyframes_every = (how == How::Keyframes).then_some(Duration::from_secs(1));
    let options = AnalyzeOptions { keyframes_every, ..AnalyzeOptions::default() };
    let (mut log, before) = (Vec::new(), cpu_seconds());
    let recording = Recording::Video(watched.video.clone());
    let summary = analyze(&pipeline, &camera, &recording, &mut log, &options, &mut |_| {}).unwrap();
    let cpu = cpu_seconds() - before;
    let events = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| {
        match parapet_bus::wire::Message::decode(line).unwrap() {
            parapet_bus::wire::Message::Incident(incident) => incident.event,
            other => panic!("no incident: {other:?}"),
        }
    });
    let started = |event: IncidentEvent| {
        let at = seconds_between(Timestamp::UNIX_EPOCH, event.at);
        (event.phase == Phase::Started).then(|| (event.kind, event.zone.map(|zone| zone.to_string()), at))
    };
    let seconds = summary.video.as_secs_f64();
    let looks = (summary.frames - summary.held) as f64 / seconds;
    Outcome { cpu, looks, seconds, starts: events.filter_map(started).collect() }
}

#[test]
#[ignore = "a measurement of minutes, of recordings that may not be there"]
fn what_the_gate_costs_and_spares() {
    against_every_frame(How::Gated);
}

#[test]
#[ignore = "a measurement of minutes, of recordings that may not be there"]
fn what_keyframes_cost_and_spare() {
    against_every_frame(How::Keyframes);
}

fn against_every_frame(how: How) {
    let only = env::var("ONLY").unwrap_or_default();
    let (mut cpu, mut seconds, mut starts, mut lost, mut new) = ((0.0, 0.0), 0.0, 0, 0, 0);
    let mut later: Vec<f64> = Vec::new();
    for watched in recordings().into_iter().filter(|w| w.video.to_string_lossy().contains(&only)) {
        let gated = run(&watched, how);
        let all = run(&watched, How::EveryFrame);
        let mut left = gated.starts.clone();
        let mut told = String::new();
        for (kind, zone, at) in &all.starts {
            let same = left.iter().position(|(k, z, t)| k == kind && z == zone && (t - at).abs() <= 30.0);
            if let Some(place) = same {
                later.push(left.remove(place).2 - at);
                write!(told, " {}{:+.1}s", kind.as_str(), later.last().unwrap()).unwrap();
            } else {
                lost += 1;
                write!(told, " LOST {}@{at:.1}s", kind.as_str()).unwrap();
            }
        }
        for (kind, _, at) in &left {
            write!(told, " NEW {}@{at:.1}s", kind.as_str()).unwrap();
        }
        starts += all.starts.len();
        new += left.len();
        seconds += all.seconds;
        cpu = (cpu.0 + all.cpu, cpu.1 + gated.cpu);
        println!(
            "{:45} {:5.0} s  looks {:4.1} → {:4.1}  CPU {:6.3} → {:6.3} a second ({:.2}){told}",
            watched.video.file_name().unwrap().to_string_lossy(),
            all.seconds,
            all.looks,
            gated.looks,
            all.cpu / all.seconds,
            gated.cpu / all.seconds,
            gated.cpu / all.cpu,
        );
    }
    later.sort_by(f64::total_cmp);
    println!(
        "in all {seconds:.0} s: CPU {:.3} → {:.3} a second ({:.2}); {starts} starts, {lost} lost, {new} new; later by {:?} s at most, {:?} s at least",
        cpu.0 / seconds,
        cpu.1 / seconds,
        cpu.1 / cpu.0,
        later.last(),
        later.first(),
    );
}
