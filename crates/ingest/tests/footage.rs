//! Real recordings of many kinds: all frames come, in order, and clips of them play. Skipped, saying so, where the
//! footage is missing (see `PARAPET_FOOTAGE`).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::{path::PathBuf, sync::Arc, time::Duration};

use parapet_core::{Frame, HealthEvent, SystemClock, Timestamp};
use parapet_ingest::{CameraStream, Codec, SourceConfig, StreamEvent, probe};

fn footage() -> Option<PathBuf> {
    let folder = std::env::var_os("PARAPET_FOOTAGE").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/footage")),
        PathBuf::from,
    );
    let video = folder.join("video");
    if !video.is_dir() {
        println!("skipped: no footage at {}; set PARAPET_FOOTAGE", folder.display());
        return None;
    }
    Some(video)
}

fn play(config: &SourceConfig) -> Vec<Frame> {
    let mut stream =
        CameraStream::open("gate".parse().unwrap(), config, Arc::new(SystemClock::new())).unwrap();
    let mut frames = Vec::new();
    loop {
        match stream.next(Duration::from_mins(1)) {
            Some(StreamEvent::Frame(frame)) => frames.push(frame),
            Some(StreamEvent::Health(health)) => assert_eq!(health.event, HealthEvent::Connected),
            Some(StreamEvent::Ended) => return frames,
            None => panic!("nothing came"),
        }
    }
}

fn micros(frame: &Frame) -> i64 {
    frame.captured_at.as_microsecond()
}

#[test]
fn every_picture_of_a_recording_comes_in_order() {
    let Some(folder) = footage() else { return };
    // Number of pictures as counted by `ffprobe -count_frames`.
    for (name, pictures, codec) in [
        ("aboda_video4_left_bag.avi", 1169, "mpeg"),
        ("bikes.mp4", 250, "h264"),
        ("drone_street_a.mp4", 176, "h264"),
        ("highway1.avi", 500, "mpeg"),
        ("vtest.avi", 795, "divx"),
    ] {
        let path = folder.join(name);
        let media = probe(&path).unwrap();
        assert_eq!(media.codec, codec, "{name}");
        assert!(media.frames().unwrap().abs_diff(pictures) <= 1, "{name}: {media:?}");
        let mut config = SourceConfig { analysed_fps: 1000.0, ..SourceConfig::of_file(&path) };
        config.max_width = Some(160);
        let frames = play(&config);
        assert_eq!(frames.len() as u64, pictures, "{name}");
        assert!(frames.windows(2).all(|p| p[0].captured_at < p[1].captured_at), "{name}");
        assert!(frames.iter().all(|f| f.picture.width() == 160), "{name}");
        assert!(micros(&frames[0]) < 100_000, "{name} begins at {}", frames[0].captured_at);
        let length = (micros(frames.last().unwrap()) as f64) / 1e6;
        assert!((length - media.duration.unwrap().as_secs_f64()).abs() < 0.3, "{name}: {length} {media:?}");
    }
}

#[test]
fn a_clip_of_a_recording_shows_what_analysis_saw() {
    let Some(folder) = footage() else { return };
    let out = tempfile::tempdir().unwrap();
    for name in ["bikes.mp4", "tvstore.mp4", "vtest.avi", "person-bicycle-car.mp4"] {
        let config = SourceConfig { analysed_fps: 1000.0, ..SourceConfig::of_file(folder.join(name)) };
        let stream =
            CameraStream::open("gate".parse().unwrap(), &config, Arc::new(SystemClock::new())).unwrap();
        let preroll = stream.preroll();
        stream.stop();
        let clip = out.path().join("clip.mp4");
        let (from, to) = (Timestamp::from_second(5).unwrap(), Timestamp::from_second(8).unwrap());
        let info = preroll.write_clip(from, to, &clip).unwrap();
        assert_eq!(info.codec, Codec::H264);
        assert!(info.from <= from, "{name}: {info:?}");
        // Pictures that others refer to come before them, and with them into the clip.
        assert!(to.duration_since(info.to).as_secs_f64().abs() < 0.3, "{name}: {info:?}");
        let shown = play(&SourceConfig { analysed_fps: 1000.0, ..SourceConfig::of_file(&clip) });
        assert!(micros(&shown[0]) < 300_000, "{name}: the clip begins at {}", shown[0].captured_at);
        let seen = play(&config);
        // The last picture of the clip is the one that analysis saw at that time.
        let last = seen.iter().min_by_key(|f| f.captured_at.duration_since(info.to).abs()).unwrap();
        let difference = |a: &Frame, b: &Frame| {
            let (a, b) = (a.picture.y(), b.picture.y());
            let differences =
                a.rows().flatten().zip(b.rows().flatten()).map(|(a, b)| u64::from(a.abs_diff(*b)));
            differences.sum::<u64>() as f64 / (a.width() * a.height()) as f64
        };
        assert!(difference(last, shown.last().unwrap()) < 4.0, "{name}");
    }
}
