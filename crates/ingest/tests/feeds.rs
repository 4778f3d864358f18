//! Live feeds of drones over SRT and RTMP, from senders and servers that the tests start, with metadata as live
//! telemetry.
#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not see as tests")]

mod common;
#[path = "common/drone.rs"]
mod drone;
#[path = "common/rtmp.rs"]
mod rtmp;
#[path = "common/watched.rs"]
mod watched;

use std::{
    fs,
    net::{TcpListener, UdpSocket},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use drone::{HOME, Written, packet};
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use parapet_core::{
    HealthEvent,
    geo::{GroundPoint, LocalFrame},
};
use parapet_ingest::{
    RtmpUrl, SourceConfig, SrtConfig, SrtMode, SrtUrl, StreamEvent, WatchdogConfig, telemetry::TrackOptions,
};
use rtmp::RtmpServer;
use watched::Watched;

/// A configuration that finds trouble fast.
fn quick(config: SourceConfig) -> SourceConfig {
    let watchdog = WatchdogConfig {
        connect_seconds: 5.0,
        silent_seconds: 1.5,
        stalled_seconds: 8.0,
        ..WatchdogConfig::default()
    };
    SourceConfig { watchdog, ..config }
}

fn free_udp_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A drone's station: a moving picture with metadata ten times a second, over SRT.
struct Station(gst::Pipeline);

impl Station {
    fn start(sink: &str) -> Self {
        gst::init().unwrap();
        let pipeline = gst::parse::launch(&format!(
            "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=192,framerate=25/1 \
             ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=12 ! h264parse \
             ! mpegtsmux name=mux alignment=7 ! srtsink wait-for-connection=false {sink} \
             appsrc name=klv is-live=true do-timestamp=true format=time caps=meta/x-klv,parsed=(boolean)true ! mux."
        ))
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
        let klv = pipeline.by_name("klv").unwrap().downcast::<AppSrc>().unwrap();
        // Every other picture brings a packet.
        let count = AtomicU32::new(0);
        let encoder = pipeline.by_name("mux").unwrap().sink_pads()[0].clone();
        encoder.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            let n = count.fetch_add(1, Ordering::Relaxed);
            if n.is_multiple_of(2) {
                let written = Written { north: 12.0, seconds: f64::from(n) / 25.0, ..Written::default() };
                let _ = klv.push_buffer(gst::Buffer::from_mut_slice(packet(&written)));
            }
            gst::PadProbeReturn::Ok
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        Self(pipeline)
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.0.set_state(gst::State::Null).unwrap();
    }
}

fn srt(port: u16) -> SrtConfig {
    let url = SrtUrl::parse(&format!("srt://127.0.0.1:{port}")).unwrap();
    SourceConfig::of_srt(url).srt.unwrap()
}

fn over(srt: SrtConfig) -> SourceConfig {
    quick(SourceConfig { srt: Some(srt), ..SourceConfig::empty() })
}

#[test]
fn a_feed_over_srt_gives_frames_and_poses_and_comes_back() {
    let port = free_udp_port();
    let sink = format!("uri=srt://127.0.0.1:{port}?mode=listener");
    let station = Station::start(&sink);
    let mut camera = Watched::open(&over(srt(port)));
    let first = camera.frame();
    assert_eq!((first.picture.width(), first.picture.height()), (320, 192));
    let telemetry = camera.stream.telemetry();
    let options = TrackOptions { ground_altitude: Some(15.0), ..TrackOptions::default() };
    let pose = camera.until("a frame with a pose", |event| match event {
        StreamEvent::Frame(frame) => telemetry.pose(frame.captured_at, &options),
        StreamEvent::Health(_) | StreamEvent::Ended => None,
    });
    let place = LocalFrame::at(HOME).local(pose.position);
    assert!(place.distance(GroundPoint { east: 0.0, north: 12.0 }) < 0.1, "{place:?}");
    assert!((pose.height - 60.0).abs() < 0.4 && (pose.attitude.pitch + 90.0).abs() < 0.01, "{pose:?}");

    drop(station);
    camera.any_health(&[HealthEvent::EndOfStream, HealthEvent::Failed, HealthEvent::Silent]);
    let _station = Station::start(&sink);
    camera.health(HealthEvent::Connected);
    let again = camera.frame();
    assert_ne!(again.run, first.run, "a new connection is a new run");
}

#[test]
fn a_station_may_connect_to_us() {
    let port = free_udp_port();
    let config = over(SrtConfig { mode: SrtMode::Listener, ..srt(port) });
    let mut camera = Watched::open(&config);
    let _station = Station::start(&format!("uri=srt://127.0.0.1:{port}?mode=caller"));
    camera.frame();
}

#[test]
fn an_encrypted_feed_needs_its_passphrase() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_udp_port());
    let secret = folder.path().join("passphrase");
    fs::write(&secret, "a long secret\n").unwrap();
    let _station = Station::start(&format!(
        "uri=srt://127.0.0.1:{port}?mode=listener passphrase=\"a long secret\" pbkeylen=16"
    ));
    Watched::open(&over(SrtConfig { passphrase_file: Some(secret.clone()), ..srt(port) })).frame();
    fs::write(&secret, "another secret\n").unwrap();
    let mut wrong = Watched::open(&over(SrtConfig { passphrase_file: Some(secret), ..srt(port) }));
    let told = wrong.any_health(&[HealthEvent::Failed, HealthEvent::Silent, HealthEvent::EndOfStream]);
    assert!(!format!("{told:?}").contains("secret"), "{told:?}");
}

#[test]
fn nobody_there_is_told() {
    let mut camera = Watched::open(&over(srt(free_udp_port())));
    camera.any_health(&[HealthEvent::Failed, HealthEvent::Silent]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = RtmpUrl::parse(&format!("rtmp://127.0.0.1:{port}/live/drone1")).unwrap();
    let mut camera = Watched::open(&quick(SourceConfig::of_rtmp(url)));
    let detail = camera.health(HealthEvent::Failed).detail.unwrap();
    assert!(detail.contains("hint: check address and port"), "{detail}");
}

/// An FLV file of three seconds.
fn flv(path: &Path) {
    gst::init().unwrap();
    let video = path.with_extension("mp4");
    common::video(&video, 75, 25.0, 12);
    let pipeline =
        gst::parse::launch("filesrc name=video ! qtdemux ! h264parse ! flvmux ! filesink name=file")
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
    pipeline.by_name("video").unwrap().set_property("location", video);
    pipeline.by_name("file").unwrap().set_property("location", path);
    pipeline.set_state(gst::State::Playing).unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(60), &end);
    assert!(matches!(message.unwrap().view(), gst::MessageView::Eos(_)));
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn a_feed_on_an_rtmp_server_gives_frames_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("feed.flv");
    flv(&file);
    let server = RtmpServer::start(&file);
    let mut camera = Watched::open(&quick(SourceConfig::of_rtmp(RtmpUrl::parse(&server.url()).unwrap())));
    let first = camera.frame();
    assert_eq!((first.picture.width(), first.picture.height()), (320, 192));
    let second = camera.other_frame(&first);
    let step = second.captured_at.duration_since(first.captured_at).as_secs_f64();
    assert!((0.1..3.0).contains(&step), "{step}");
    // After the file the server is silent: it is connected anew, and hands the file out anew.
    camera.health(HealthEvent::Silent);
    camera.health(HealthEvent::Connected);
    assert_ne!(camera.frame().run, first.run);
    assert!(camera.stream.telemetry().newest().is_none());
    drop(server);
    camera.any_health(&[HealthEvent::Failed, HealthEvent::EndOfStream]);
}
