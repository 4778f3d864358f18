//! Live cameras: times, clips out of the ring, substreams, passwords, transports, loops.
#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not see as tests")]

#[path = "common/broken.rs"]
mod broken;
mod common;
#[path = "common/served.rs"]
mod served;
#[path = "common/watched.rs"]
mod watched;

use std::{net::TcpListener, sync::Arc, time::Duration};

use parapet_core::{CameraId, Clock, Frame, HealthEvent, HealthState, SystemClock};
use parapet_ingest::{
    DecodeMode, DecoderChoice, GlanceAt, GlanceError, RtspConfig, SourceConfig, StreamEvent, StreamUrl,
    TestConfig, Transport, WatchdogConfig, glance, probe,
    serve::{CameraServer, ServeOptions, ServedCamera},
};
use served::{config, served};
use watched::Watched;

#[test]
fn a_live_clip_is_cut_from_the_ring_without_decoding() {
    let folder = tempfile::tempdir().unwrap();
    let (server, name) = served(folder.path(), None);
    let mut camera = Watched::open(&config(&server.url(&name)));
    let first = camera.frame();
    let last = camera.until("two seconds", |event| match event {
        StreamEvent::Frame(f) if f.captured_at.duration_since(first.captured_at).as_secs_f64() > 2.0 => {
            Some(f.clone())
        }
        _ => None,
    });
    let clip = folder.path().join("clip.mp4");
    let info = camera.stream.preroll().write_clip(first.captured_at, last.captured_at, &clip).unwrap();
    assert!(info.from <= first.captured_at && info.to <= last.captured_at);
    let length = info.to.duration_since(info.from).as_secs_f64();
    assert!((1.5..3.5).contains(&length), "{length}");
    let media = probe(&clip).unwrap();
    assert_eq!((media.width, media.height, media.codec.as_str()), (320, 192, "h264"));
    assert!((media.duration.unwrap().as_secs_f64() - length).abs() < 0.2, "{media:?}");
    // Analysis and clip agree on the time: the picture at the analysed frame's time is that frame.
    let config = SourceConfig { analysed_fps: 1000.0, ..SourceConfig::of_file(&clip) };
    let mut replay = Watched::open(&config);
    let offset = last.captured_at.duration_since(info.from).as_secs_f64();
    let same = replay.until("the last frame", |event| match event {
        StreamEvent::Frame(f) if f.captured_at.as_microsecond() as f64 / 1e6 > offset - 0.01 => {
            Some(f.clone())
        }
        _ => None,
    });
    assert_eq!(common::number_of(&same.picture), common::number_of(&last.picture));
}

#[test]
fn times_of_live_frames_are_evenly_spaced_and_present() {
    let folder = tempfile::tempdir().unwrap();
    let (server, name) = served(folder.path(), None);
    let mut camera = Watched::open(&config(&server.url(&name)));
    let frames: Vec<Frame> = (0..12).map(|_| camera.frame()).collect();
    let age = camera.clock.now().duration_since(frames[11].captured_at).as_secs_f64();
    assert!((-0.5..3.0).contains(&age), "{age}");
    for pair in frames.windows(2).filter(|p| p[1].sequence == p[0].sequence + 1) {
        let step = pair[1].captured_at.duration_since(pair[0].captured_at).as_secs_f64();
        assert!((step - 0.2).abs() < 0.09, "{step}");
    }
}

#[test]
fn a_camera_decodes_keyframes_alone_while_that_is_wanted_and_everything_again_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, name) = served(folder.path(), None);
    let mut camera = Watched::open(&config(&server.url(&name)));
    // Each keyframe begins twelve pictures; what is on the way when the mode changes comes before what it asks for.
    let is_keyframe = |camera: &mut Watched| common::number_of(&camera.frame().picture).is_multiple_of(12);
    assert!((0..50).any(|_| !is_keyframe(&mut camera)));
    camera.stream.set_mode(DecodeMode::KeyframesOnly { apart: Duration::from_secs(1) });
    assert!((0..50).any(|_| (0..4).all(|_| is_keyframe(&mut camera))));
    camera.stream.set_mode(DecodeMode::Full);
    assert!((0..50).any(|_| !is_keyframe(&mut camera)));
}

#[test]
fn the_substream_is_analysed_and_the_main_stream_makes_the_clip() {
    let folder = tempfile::tempdir().unwrap();
    let (small, large) = (folder.path().join("small.mp4"), folder.path().join("large.mp4"));
    common::video(&small, 100, 25.0, 12);
    let options = parapet_ingest::VideoOptions {
        keyframe_interval: Some(12),
        ..parapet_ingest::VideoOptions::at_fps(25.0)
    };
    let mut writer = parapet_ingest::VideoWriter::create(&large, options).unwrap();
    for n in 0..100 {
        writer.push(&common::numbered(640, 384, n)).unwrap();
    }
    writer.finish().unwrap();
    let name = |n: &str| n.parse::<CameraId>().unwrap();
    let cameras =
        [ServedCamera { name: name("main"), file: large }, ServedCamera { name: name("sub"), file: small }];
    let options =
        ServeOptions { port: 0, credentials: None, cache: folder.path().join("cache"), spread: false };
    let server = CameraServer::start(options, &cameras).unwrap();
    let mut config = config(&server.url(&name("main")));
    let sub = StreamUrl::parse(&server.url(&name("sub"))).unwrap();
    config.rtsp = config.rtsp.map(|r| RtspConfig { substream_url: Some(sub), ..r });
    let mut camera = Watched::open(&config);
    let frame = camera.frame();
    assert_eq!(frame.picture.width(), 320);
    let preroll = camera.stream.preroll();
    let span = camera.until("main stream", |_| {
        preroll.span().filter(|(from, to)| to.duration_since(*from).as_secs_f64() > 1.0)
    });
    let clip = folder.path().join("clip.mp4");
    preroll.write_clip(span.0, span.1, &clip).unwrap();
    assert_eq!(probe(&clip).unwrap().width, 640);
}

#[test]
fn a_wrong_password_is_told_and_the_right_one_opens() {
    let folder = tempfile::tempdir().unwrap();
    let (server, name) = served(folder.path(), Some(("admin", "p@ss:word")));
    let address = server.url(&name);
    let mut wrong = Watched::open(&config(&address.replace("rtsp://", "rtsp://admin:guess@")));
    let told = wrong.health(HealthEvent::Failed);
    let detail = told.detail.unwrap();
    assert!(detail.contains("hint: check username and password") && !detail.contains("guess"), "{detail}");
    drop(wrong);
    let secret = folder.path().join("password");
    std::fs::write(&secret, "p@ss:word\n").unwrap();
    let mut right = config(&address);
    right.rtsp =
        right.rtsp.map(|r| RtspConfig { username: Some("admin".into()), password_file: Some(secret), ..r });
    Watched::open(&right).frame();
}

#[test]
fn a_refused_connection_is_told_once_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, name) = served(folder.path(), None);
    server.stop();
    let mut camera = Watched::open(&config(&server.url(&name)));
    let detail = camera.health(HealthEvent::Failed).detail.unwrap();
    assert!(detail.contains("hint: check address and port"), "{detail}");
    server.restart().unwrap();
    let connected = camera.health(HealthEvent::Connected);
    assert_eq!(connected.state, HealthState::Streaming);
    assert!(connected.reconnects >= 1);
    assert_eq!(camera.health.len(), 2, "{:?}", camera.health);
    // A path that the server does not know.
    let mut lost = Watched::open(&config(&server.url(&"nowhere".parse().unwrap())));
    let detail = lost.health(HealthEvent::Failed).detail.unwrap();
    assert!(detail.contains("hint: check the path"), "{detail}");
}

#[test]
fn datagrams_work_too() {
    let folder = tempfile::tempdir().unwrap();
    let (server, name) = served(folder.path(), None);
    let mut config = config(&server.url(&name));
    config.rtsp = config.rtsp.map(|r| RtspConfig { transport: parapet_ingest::Transport::Udp, ..r });
    let mut camera = Watched::open(&config);
    let first = camera.frame();
    camera.other_frame(&first);
}

#[test]
fn a_looped_file_goes_on_as_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.mp4");
    common::video(&path, 20, 25.0, 10);
    let file = parapet_ingest::FileConfig { path, paced: true, looped: true, start_at: None };
    let config = SourceConfig { file: Some(file), analysed_fps: 25.0, ..SourceConfig::empty() };
    let mut camera = Watched::open(&config);
    let frames: Vec<Frame> = (0..45).map(|_| camera.frame()).collect();
    assert!(frames.iter().all(|f| f.run == frames[0].run));
    assert!(frames.windows(2).all(|p| p[1].captured_at > p[0].captured_at && p[1].sequence > p[0].sequence));
    let begun =
        frames.windows(2).filter(|p| common::number_of(&p[1].picture) < common::number_of(&p[0].picture));
    assert!(begun.count() >= 2);
    let took = frames[44].captured_at.duration_since(frames[0].captured_at).as_secs_f64();
    assert!(took > 1.5, "{took}");
    assert_eq!(camera.health.len(), 1);
    let preroll = camera.stream.preroll();
    assert!(preroll.span().is_some());
}

#[test]
fn a_camera_without_a_codec_is_encoded_for_its_clips() {
    let test =
        TestConfig { pattern: "ball".into(), width: 320, height: 180, frames_per_second: 20, frames: None };
    let config = SourceConfig { test: Some(test), analysed_fps: 10.0, ..SourceConfig::empty() };
    let mut camera = Watched::open(&config);
    let first = camera.frame();
    let last = camera.until("two seconds", |event| match event {
        StreamEvent::Frame(f) if f.captured_at.duration_since(first.captured_at).as_secs_f64() > 2.0 => {
            Some(f.clone())
        }
        _ => None,
    });
    let preroll = camera.stream.preroll();
    assert!(preroll.bytes() > 0);
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    let info = preroll.write_clip(first.captured_at, last.captured_at, &clip).unwrap();
    assert!(info.to.duration_since(info.from).as_secs_f64() > 1.5, "{info:?}");
    assert_eq!(probe(&clip).unwrap().codec, "h264");
}

#[test]
fn a_reader_that_is_late_gets_the_freshest_frames() {
    let test =
        TestConfig { pattern: "ball".into(), width: 64, height: 48, frames_per_second: 100, frames: None };
    let config = SourceConfig { test: Some(test), analysed_fps: 1000.0, ..SourceConfig::empty() };
    let mut camera = Watched::open(&config);
    let first = camera.frame();
    let preroll = camera.stream.preroll();
    // Nobody reads until the ring holds half a second more.
    while preroll.span().is_none_or(|(_, to)| to.duration_since(first.captured_at).as_secs_f64() < 0.5) {
        std::thread::yield_now();
    }
    let second = camera.frame();
    assert!(second.sequence > first.sequence + 20, "{} {}", first.sequence, second.sequence);
    assert!(second.captured_at.duration_since(first.captured_at).as_secs_f64() > 0.2);
}

fn look(url: &str, login: Option<(&str, &str)>, seconds: u64) -> Result<(usize, usize), GlanceError> {
    let (user, password) = login.unzip();
    let at = GlanceAt::new(url, user, password, Transport::Tcp).unwrap();
    assert!(!format!("{at:?}").contains("p@ss"), "{at:?}");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let frame = glance(at, &clock, Duration::from_secs(seconds))?;
    Ok((frame.picture.width(), frame.picture.height()))
}

#[test]
fn a_camera_shows_its_picture_or_which_part_of_its_address_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (server, name) = served(folder.path(), Some(("viewer", "p@ss:w")));
    let url = server.url(&name);
    let login = Some(("viewer", "p@ss:w"));
    assert_eq!(look(&url, login, 10).unwrap(), (320, 192));
    assert!(matches!(look(&url, Some(("viewer", "wrong")), 10), Err(GlanceError::Password)));
    assert!(matches!(look(&url, None, 10), Err(GlanceError::Password)));
    let elsewhere = url.replace("/gate", "/nowhere");
    let refused = look(&elsewhere, login, 10);
    assert!(matches!(refused, Err(GlanceError::NoStream(_) | GlanceError::Password)), "{refused:?}");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = look(&format!("rtsp://127.0.0.1:{port}/x"), None, 10);
    assert!(matches!(nobody, Err(GlanceError::Unreachable(_))), "{nobody:?}");
    // Somebody who accepts and never says a word.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = look(&format!("rtsp://{}/x", mute.local_addr().unwrap()), None, 1);
    assert!(matches!(silent, Err(GlanceError::Silent(_))), "{silent:?}");
}

#[test]
fn where_hardware_gives_no_picture_software_does_and_goes_on_doing_so() {
    broken::register();
    let folder = tempfile::tempdir().unwrap();
    let (server, name) = served(folder.path(), None);

    // Unless it is asked for or ranked best, nobody makes one.
    let plain = config(&server.url(&name));
    Watched::open(&plain).frame();
    assert_eq!(broken::made(), 0);

    let watchdog = WatchdogConfig { connect_seconds: 1.0, stalled_seconds: 0.5, ..plain.watchdog };
    let wanted = SourceConfig { decoder: DecoderChoice::Hardware, watchdog, ..plain.clone() };
    let mut camera = Watched::open(&wanted);
    let told = camera.until("word of the decoder", |event| match event {
        StreamEvent::Health(health) if health.event != HealthEvent::Connected => health.detail.clone(),
        _ => None,
    });
    assert!(told.contains("software decodes from now on"), "{told}");
    camera.frame();
    assert_eq!(broken::made(), 1);
    // Another connection does not try it again, and another camera does.
    drop(camera);
    Watched::open(&wanted).frame();
    assert_eq!(broken::made(), 1);
    let mut camera = Watched::open_as("other", &wanted);
    let told = camera.until("word of the error", |event| match event {
        StreamEvent::Health(health) if health.event == HealthEvent::Failed => health.detail.clone(),
        _ => None,
    });
    assert!(told.contains("the chip is on fire") && told.contains("software"), "{told}");
    camera.frame();
    assert_eq!(broken::made(), 2);

    // A device that cannot be opened is passed over at once.
    broken::be_busy();
    Watched::open_as("third", &wanted).frame();
    assert_eq!(broken::made(), 3);

    // Recordings are decoded alike on every machine.
    let file = SourceConfig {
        decoder: DecoderChoice::Hardware,
        ..SourceConfig::of_file(folder.path().join("numbered.mp4"))
    };
    Watched::open(&file).frame();
    assert_eq!(broken::made(), 3);
}
