//! A camera that is killed, silenced and frozen again and again: each time a health event, frames again within five
//! seconds of its return, and no thread or file descriptor is left behind.

mod common;

use std::{path::Path, sync::Arc, time::Duration};

use parapet_core::{CameraHealth, CameraId, Clock, Frame, HealthEvent, HealthState, RunId, SystemClock};
use parapet_ingest::{
    CameraStream, RtspConfig, SourceConfig, StreamEvent, StreamUrl, WatchdogConfig, probe,
    serve::{CameraServer, Fault, ServeOptions, ServedCamera},
};

const PATIENCE: Duration = Duration::from_secs(30);
const RETURN: Duration = Duration::from_secs(5);

fn served(folder: &Path, credentials: Option<(&str, &str)>) -> (CameraServer, CameraId) {
    let file = folder.join("numbered.mp4");
    common::video(&file, 150, 25.0, 12);
    let name: CameraId = "gate".parse().unwrap();
    let options = ServeOptions {
        port: 0,
        credentials: credentials.map(|(u, p)| (u.to_owned(), p.to_owned())),
        cache: folder.join("cache"),
    };
    let cameras = [ServedCamera { name: name.clone(), file }];
    (CameraServer::start(options, &cameras).unwrap(), name)
}

fn config(url: &str) -> SourceConfig {
    let watchdog = WatchdogConfig {
        connect_seconds: 3.0,
        silent_seconds: 0.8,
        stalled_seconds: 5.0,
        freeze_seconds: 0.8,
        ..WatchdogConfig::default()
    };
    SourceConfig { watchdog, ..SourceConfig::of_rtsp(StreamUrl::parse(url).unwrap()) }
}

struct Watched {
    stream: CameraStream,
    clock: SystemClock,
    health: Vec<CameraHealth>,
}

impl Watched {
    fn open(config: &SourceConfig) -> Self {
        let clock = SystemClock::new();
        let stream = CameraStream::open("gate".parse().unwrap(), config, Arc::new(clock)).unwrap();
        Self { stream, clock, health: Vec::new() }
    }

    /// Reads on until this is found.
    fn until<T>(&mut self, what: &str, mut found: impl FnMut(&StreamEvent) -> Option<T>) -> T {
        let deadline = self.clock.monotonic() + PATIENCE;
        while self.clock.monotonic() < deadline {
            let Some(event) = self.stream.next(deadline.saturating_sub(self.clock.monotonic())) else {
                break;
            };
            if let StreamEvent::Health(health) = &event {
                self.health.push(health.clone());
            }
            if let Some(found) = found(&event) {
                return found;
            }
        }
        panic!("no {what}; health so far: {:#?}", self.health);
    }

    fn health(&mut self, wanted: HealthEvent) -> CameraHealth {
        self.until(&format!("{wanted:?}"), |event| match event {
            StreamEvent::Health(health) if health.event == wanted => Some(health.clone()),
            _ => None,
        })
    }

    fn any_health(&mut self, wanted: &[HealthEvent]) -> CameraHealth {
        self.until(&format!("{wanted:?}"), |event| match event {
            StreamEvent::Health(health) if wanted.contains(&health.event) => Some(health.clone()),
            _ => None,
        })
    }

    fn frame(&mut self) -> Frame {
        self.until("frame", |event| match event {
            StreamEvent::Frame(frame) => Some(frame.clone()),
            _ => None,
        })
    }

    /// A frame that shows another picture than `old`.
    fn other_frame(&mut self, old: &Frame) -> Frame {
        let old = common::number_of(&old.picture);
        self.until("moving frame", |event| match event {
            StreamEvent::Frame(frame) if common::number_of(&frame.picture) != old => Some(frame.clone()),
            _ => None,
        })
    }
}

/// Threads and open files of this process.
fn census() -> (usize, usize) {
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    (count("task"), count("fd"))
}

#[test]
fn twenty_troubles_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, name) = served(folder.path(), None);
    let mut camera = Watched::open(&config(&server.url(&name)));
    camera.health(HealthEvent::Connected);
    let mut runs: Vec<RunId> = vec![camera.frame().run];
    let mut censuses = Vec::new();
    let mut slowest = Duration::ZERO;
    for round in 0..20 {
        let last = camera.frame();
        let returned = match round % 3 {
            0 => {
                server.stop();
                let told = camera.any_health(&[HealthEvent::EndOfStream, HealthEvent::Failed]);
                assert_eq!(told.state, HealthState::Offline);
                server.restart().unwrap();
                camera.clock.monotonic()
            }
            1 => {
                server.set_fault(&name, Fault::Silent).unwrap();
                assert_eq!(camera.health(HealthEvent::Silent).state, HealthState::Offline);
                server.set_fault(&name, Fault::None).unwrap();
                camera.clock.monotonic()
            }
            _ => {
                server.set_fault(&name, Fault::Frozen).unwrap();
                assert_eq!(camera.health(HealthEvent::Froze).state, HealthState::Frozen);
                server.set_fault(&name, Fault::None).unwrap();
                camera.clock.monotonic()
            }
        };
        let seen = camera.health.len();
        let mut frame = camera.other_frame(&last);
        // The picture may have moved once more in the run that froze; what counts is the one after it.
        while frame.run == last.run && round % 3 != 2 {
            frame = camera.other_frame(&frame);
        }
        let took = camera.clock.monotonic() - returned;
        slowest = slowest.max(took);
        assert!(took < RETURN, "round {round}: frames only after {took:?}");
        assert!(camera.health.len() >= seen);
        if frame.run != *runs.last().unwrap() {
            runs.push(frame.run);
        }
        // At rest: streaming, with the run settled.
        camera.frame();
        censuses.push(census());
    }
    println!("slowest return {slowest:?}; threads and descriptors {censuses:?}");
    assert!(runs.len() > 12, "a reconnect starts a new run: {}", runs.len());
    let mut distinct = runs.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), runs.len());
    let most = |of: &[(usize, usize)]| {
        (of.iter().map(|c| c.0).max().unwrap(), of.iter().map(|c| c.1).max().unwrap())
    };
    // Each kind of trouble has happened in the first six rounds: nothing may be added after.
    let (early, late) = (most(&censuses[..8]), most(&censuses[8..]));
    assert!(late.0 <= early.0 && late.1 <= early.1, "grew from {early:?} to {late:?}: {censuses:?}");
    assert!(camera.health.iter().any(|h| h.reconnects >= 12));
}

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
fn the_substream_is_analysed_and_the_main_stream_makes_the_clip() {
    let folder = tempfile::tempdir().unwrap();
    let (small, large) = (folder.path().join("small.mp4"), folder.path().join("large.mp4"));
    common::video(&small, 100, 25.0, 12);
    let options = parapet_ingest::VideoOptions { frames_per_second: 25.0, keyframe_interval: Some(12) };
    let mut writer = parapet_ingest::VideoWriter::create(&large, options).unwrap();
    for n in 0..100 {
        writer.push(&common::numbered(640, 384, n)).unwrap();
    }
    writer.finish().unwrap();
    let name = |n: &str| n.parse::<CameraId>().unwrap();
    let cameras =
        [ServedCamera { name: name("main"), file: large }, ServedCamera { name: name("sub"), file: small }];
    let options = ServeOptions { port: 0, credentials: None, cache: folder.path().join("cache") };
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
fn stopping_joins_every_thread() {
    let folder = tempfile::tempdir().unwrap();
    let (server, name) = served(folder.path(), None);
    let mut camera = Watched::open(&config(&server.url(&name)));
    camera.frame();
    camera.stream.stop();
    let names: Vec<String> = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|t| std::fs::read_to_string(t.ok()?.path().join("comm")).ok())
        .collect();
    drop(server);
    assert!(!names.iter().any(|n| n.starts_with("ingest:stop")), "{names:?}");
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
