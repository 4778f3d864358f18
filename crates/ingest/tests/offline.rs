//! Recorded sources: every frame, the right times, the same twice, and clips out of them.
#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not see as tests")]

mod common;

use std::{path::Path, sync::Arc, time::Duration};

use common::{number_of, numbered, video};
use parapet_core::{Frame, HealthEvent, SystemClock, Timestamp};
use parapet_ingest::{
    CameraStream, Codec, FileConfig, ImagesConfig, OpenError, SourceConfig, StreamEvent, TestConfig, probe,
};

const PATIENCE: Duration = Duration::from_secs(30);

struct Played {
    frames: Vec<Frame>,
    failures: Vec<String>,
}

fn play(config: &SourceConfig) -> Played {
    let clock = Arc::new(SystemClock::new());
    let mut stream = CameraStream::open("gate".parse().unwrap(), config, clock).unwrap();
    let mut played = Played { frames: Vec::new(), failures: Vec::new() };
    loop {
        match stream.next(PATIENCE) {
            Some(StreamEvent::Frame(frame)) => played.frames.push(frame),
            Some(StreamEvent::Health(health)) if health.event == HealthEvent::Connected => {
                assert!(played.frames.is_empty());
            }
            Some(StreamEvent::Health(health)) => played.failures.push(health.detail.unwrap()),
            Some(StreamEvent::Ended) => break,
            None => panic!("nothing came"),
        }
    }
    assert!(stream.next(PATIENCE).is_none(), "something follows the end");
    played
}

fn at(second: f64) -> Timestamp {
    Timestamp::from_microsecond((second * 1e6).round() as i64).unwrap()
}

fn seconds(frame: &Frame) -> f64 {
    frame.captured_at.as_microsecond() as f64 / 1e6
}

#[test]
fn every_frame_of_a_file_comes_with_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbered.mp4");
    video(&path, 100, 25.0, 25);
    let mut config = SourceConfig { analysed_fps: 1000.0, ..SourceConfig::of_file(&path) };
    let played = play(&config);
    assert!(played.failures.is_empty(), "{:?}", played.failures);
    assert_eq!(played.frames.len(), 100);
    for (n, frame) in played.frames.iter().enumerate() {
        assert_eq!((frame.sequence, number_of(&frame.picture)), (n as u64, n));
        assert!((seconds(frame) - n as f64 / 25.0).abs() < 0.002, "{n}: {}", seconds(frame));
    }
    assert_eq!((played.frames[0].picture.width(), played.frames[0].picture.height()), (320, 192));

    let start_at: Timestamp = "2026-03-01T08:00:00+08:00".parse().unwrap();
    config.file = Some(FileConfig { path, paced: false, looped: false, start_at: Some(start_at) });
    config.analysed_fps = 5.0;
    config.max_width = Some(160);
    let played = play(&config);
    let numbers: Vec<i64> = played
        .frames
        .iter()
        .map(|f| (f.captured_at.as_millisecond() - start_at.as_millisecond()) / 200)
        .collect();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    assert_eq!((played.frames[0].picture.width(), played.frames[0].picture.height()), (160, 96));
}

#[test]
fn two_runs_give_the_same_frames_and_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbered.mp4");
    video(&path, 60, 12.0, 12);
    let (one, two) = (play(&SourceConfig::of_file(&path)).frames, play(&SourceConfig::of_file(&path)).frames);
    assert_eq!(one.len(), 25);
    for (a, b) in one.iter().zip(&two) {
        assert_eq!((a.run, a.sequence, a.captured_at), (b.run, b.sequence, b.captured_at));
        assert_eq!(a.picture, b.picture);
    }
    assert_eq!(one.len(), two.len());
}

#[test]
fn only_keyframes_are_decoded_where_that_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbered.mp4");
    video(&path, 100, 25.0, 25);
    let config = SourceConfig { keyframes_only: true, ..SourceConfig::of_file(&path) };
    let numbers: Vec<usize> = play(&config).frames.iter().map(|f| number_of(&f.picture)).collect();
    assert_eq!(numbers, [0, 25, 50, 75]);
}

#[test]
fn a_clip_of_a_file_starts_at_a_keyframe_and_plays() {
    let folder = tempfile::tempdir().unwrap();
    let (path, clip) = (folder.path().join("numbered.mp4"), folder.path().join("clip.mp4"));
    video(&path, 150, 25.0, 25);
    let config = SourceConfig::of_file(&path);
    let stream = CameraStream::open("gate".parse().unwrap(), &config, Arc::new(SystemClock::new())).unwrap();
    let preroll = stream.preroll();
    stream.stop();
    let info = preroll.write_clip(at(2.5), at(4.0), &clip).unwrap();
    assert_eq!((info.from, info.to, info.codec), (at(2.0), at(4.0), Codec::H264));
    assert_eq!(info.bytes, std::fs::metadata(&clip).unwrap().len());
    assert_eq!(probe(&clip).unwrap().codec, "h264");
    let played = play(&SourceConfig { analysed_fps: 1000.0, ..SourceConfig::of_file(&clip) });
    let numbers: Vec<usize> = played.frames.iter().map(|f| number_of(&f.picture)).collect();
    assert_eq!(numbers, (50..=100).collect::<Vec<_>>());
    assert!(seconds(&played.frames[0]).abs() < 0.001);
    assert_eq!(folder_of(&clip), ["clip.mp4", "numbered.mp4"]);
    let none = preroll.write_clip(at(60.0), at(61.0), &clip).unwrap_err().to_string();
    assert!(none.contains("hint:"), "{none}");
}

#[test]
fn pictures_in_a_folder_are_frames_and_make_a_clip() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..12 {
        let picture = numbered(320, 192, n);
        let path = folder.path().join(format!("shot{n}.png"));
        image::save_buffer(path, &picture.to_rgb(), 320, 192, image::ExtendedColorType::Rgb8).unwrap();
    }
    let images = ImagesConfig {
        directory: Some(folder.path().to_owned()),
        pattern: None,
        frames_per_second: 2.0,
        start_at: None,
    };
    let config = SourceConfig { images: Some(images), ..SourceConfig::empty() };
    let played = play(&config);
    assert!(played.failures.is_empty(), "{:?}", played.failures);
    let numbers: Vec<(usize, f64)> =
        played.frames.iter().map(|f| (number_of(&f.picture), seconds(f))).collect();
    assert_eq!(numbers, (0..12).map(|n| (n, n as f64 / 2.0)).collect::<Vec<_>>());

    let clip = folder.path().join("clip.mp4");
    let stream = CameraStream::open("gate".parse().unwrap(), &config, Arc::new(SystemClock::new())).unwrap();
    let info = stream.preroll().write_clip(at(2.0), at(4.0), &clip).unwrap();
    assert_eq!((info.from, info.to), (at(2.0), at(4.0)));
    let numbers: Vec<usize> =
        play(&SourceConfig::of_file(&clip)).frames.iter().map(|f| number_of(&f.picture)).collect();
    assert_eq!(numbers, [4, 5, 6, 7, 8]);
}

#[test]
fn a_test_picture_ends_after_its_frames() {
    let test = TestConfig {
        pattern: "ball".into(),
        width: 320,
        height: 180,
        frames_per_second: 10,
        frames: Some(30),
    };
    let config = SourceConfig { test: Some(test.clone()), ..SourceConfig::empty() };
    let played = play(&config);
    assert_eq!(played.frames.len(), 15);
    assert!((seconds(&played.frames[14]) - 2.8).abs() < 1e-6);
    let bad =
        SourceConfig { test: Some(TestConfig { pattern: "bal".into(), ..test }), ..SourceConfig::empty() };
    assert!(open_error(&bad).contains("no pattern \"bal\""));
}

#[test]
fn what_cannot_be_opened_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.mp4");
    assert!(open_error(&SourceConfig::of_file(&missing)).contains("hint: check the path"));
    assert!(matches!(probe(&missing), Err(OpenError::Read { .. })));
    assert!(open_error(&SourceConfig::empty()).contains("no source is given"));

    let text = folder.path().join("notes.mp4");
    std::fs::write(&text, "this is no video. ".repeat(200)).unwrap();
    let error = probe(&text).unwrap_err();
    assert!(matches!(error, OpenError::NotAVideo { .. }), "{error}");
    let played = play(&SourceConfig::of_file(&text));
    assert!(played.frames.is_empty());
    assert!(played.failures[0].contains("hint:"), "{:?}", played.failures);
}

#[test]
fn a_video_that_was_cut_off_gives_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole.mp4"), folder.path().join("cut.mp4"));
    video(&whole, 100, 25.0, 25);
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let (one, two) = (play(&SourceConfig::of_file(&cut)), play(&SourceConfig::of_file(&cut)));
    assert!((5..20).contains(&one.frames.len()), "{}", one.frames.len());
    assert_eq!(one.frames.len(), two.frames.len());
    assert_eq!(one.failures, two.failures);
}

fn open_error(config: &SourceConfig) -> String {
    CameraStream::open("gate".parse().unwrap(), config, Arc::new(SystemClock::new())).unwrap_err().to_string()
}

fn folder_of(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
