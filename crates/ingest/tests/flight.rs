//! Flights of every kind, made here and opened: their pictures come with the poses that were written beside them.
#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not see as tests")]

mod common;
#[path = "common/drone.rs"]
mod drone;
#[path = "common/records.rs"]
mod records;

use std::{fs, path::Path, time::Duration};

use common::{number_of, numbered, video};
use drone::{HOME, Written, place};
use jiff::{SignedDuration, tz::TimeZone};
use parapet_core::{
    Language,
    geo::{Attitude, GroundPoint, GroundPolygon, LocalFrame},
};
use parapet_ingest::{
    flight::{Flight, FlightError, FlightKind, FlightOptions, Pick, Sight, SiteArea},
    telemetry::Trouble,
};
use records::{srt, still, transport_stream};

fn options() -> FlightOptions {
    FlightOptions { time_zone: TimeZone::get("Asia/Shanghai").unwrap(), ..FlightOptions::default() }
}

fn site(east: f64) -> SiteArea {
    let frame = LocalFrame::at(HOME);
    let corners = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)];
    let corners = corners.map(|(x, y)| GroundPoint { east: east + x, north: y }).to_vec();
    SiteArea { outline: GroundPolygon::new(corners).unwrap(), frame, margin_meters: 200.0 }
}

/// Flies north at 10 m/s, 60 m high, looking straight down.
fn northward(seconds: f64) -> Written {
    Written { north: 10.0 * seconds, seconds, ..Written::default() }
}

fn decoded(flight: &Flight, wanted: &[usize]) -> Vec<(usize, usize)> {
    let pictures = flight.pictures(wanted).unwrap();
    pictures.map(|p| p.map(|(shot, picture)| (shot, number_of(&picture))).unwrap()).collect()
}

fn north_of(flight: &Flight, shot: usize) -> f64 {
    LocalFrame::at(HOME).local(flight.shots()[shot].pose().unwrap().position).north
}

#[test]
fn a_video_with_subtitles_has_a_pose_for_each_picture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("DJI_0001.MP4");
    video(&path, 100, 25.0, 25);
    let cues: Vec<Written> = (0..100).map(|n| northward(f64::from(n) / 25.0)).collect();
    fs::write(folder.path().join("DJI_0001.SRT"), srt(&cues, 25.0)).unwrap();
    let pick = Pick::Every(Duration::from_millis(500));
    let flight = Flight::open(&path, &FlightOptions { pick, site: Some(site(0.0)), ..options() }).unwrap();
    assert_eq!((flight.kind(), flight.shots().len()), (FlightKind::SubtitledVideo, 8));
    assert!(flight.report().problems.is_empty(), "{}", flight.report().text(Language::En));
    let shot = &flight.shots()[3];
    assert_eq!((shot.at, shot.name.as_str()), (Duration::from_millis(1520), "DJI_0001.MP4@1.520s"));
    assert_eq!(shot.captured_at.unwrap().to_string(), "2026-03-14T01:15:31.52Z");
    let (pose, lens) = (shot.pose().unwrap(), shot.lens().unwrap());
    assert!((north_of(&flight, 3) - 15.2).abs() < 0.3, "{}", north_of(&flight, 3));
    assert_eq!((pose.height, pose.attitude.pitch), (60.0, -90.0));
    assert!((lens.focal - 24.0 / 36.0).abs() < 1e-9 && (lens.aspect - 192.0 / 320.0).abs() < 1e-9);
    // Any of them, in the order of time, whatever the order of asking; 0.5 s is picture 13.
    assert_eq!(decoded(&flight, &[5, 1, 99, 5]), [(1, 13), (5, 63)]);

    let keyframes = FlightOptions { pick: Pick::Keyframes, ..options() };
    let flight = Flight::open(&path, &keyframes).unwrap();
    assert_eq!(decoded(&flight, &[0, 1, 2, 3]), [(0, 0), (1, 25), (2, 50), (3, 75)]);
    let nth = FlightOptions { pick: Pick::EveryNth(40), ..options() };
    assert_eq!(decoded(&Flight::open(&path, &nth).unwrap(), &[0, 1, 2]), [(0, 0), (1, 40), (2, 80)]);
}

#[test]
fn where_the_telemetry_does_not_hold_there_is_no_pose() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flight.mp4");
    video(&path, 150, 25.0, 25);
    let mut cues: Vec<Written> = (0..150).map(|n| northward(f64::from(n) / 25.0)).collect();
    cues.drain(25..100);
    cues[30].north += 800.0;
    fs::write(path.with_extension("srt"), srt(&cues, 25.0)).unwrap();
    let flight = Flight::open(&path, &options()).unwrap();
    let posed: Vec<bool> = flight.shots().iter().map(|s| s.pose().is_some()).collect();
    assert_eq!(posed, [true, false, false, false, true, true]);
    assert!(flight.report().has(|t| *t == Trouble::Gap));
    assert!(flight.report().has(|t| matches!(t, Trouble::Jump(_))));
    assert!(
        flight.report().text(Language::ZhCn).contains("没有遥测数据"),
        "{}",
        flight.report().text(Language::ZhCn)
    );
    assert!(flight.shots()[2].captured_at.is_some(), "the video runs on");
}

#[test]
fn a_transport_stream_carries_its_poses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uas.ts");
    let packets: Vec<Written> = (0..20).map(|n| northward(f64::from(n) / 5.0)).collect();
    transport_stream(&path, 100, 25, &packets);
    let pick = Pick::Every(Duration::from_secs(1));
    let flight =
        Flight::open(&path, &FlightOptions { pick, ground_altitude: Some(15.0), ..options() }).unwrap();
    assert_eq!((flight.kind(), flight.shots().len()), (FlightKind::TransportStream, 4));
    assert!(flight.report().problems.is_empty(), "{}", flight.report().text(Language::En));
    for (n, shot) in flight.shots().iter().enumerate().take(3) {
        let pose = shot.pose().unwrap();
        assert!((north_of(&flight, n) - 10.0 * n as f64).abs() < 0.1, "{}", north_of(&flight, n));
        assert!((pose.height - 60.0).abs() < 0.4 && (pose.attitude.pitch + 90.0).abs() < 0.01, "{pose:?}");
        assert!((shot.lens().unwrap().focal - 24.0 / 36.0).abs() < 1e-3);
        let time = shot.captured_at.unwrap().duration_since(drone::START.parse().unwrap());
        assert!((time.as_secs_f64() - n as f64).abs() < 0.01, "{time}");
    }
    assert_eq!(decoded(&flight, &[2, 0]), [(0, 0), (2, 50)]);
    // Altitudes alone give no height above the ground.
    let Err(FlightError::NothingUsable { why, .. }) = Flight::open(&path, &options()) else { panic!() };
    assert!(why[0].contains("state the ground's altitude"), "{why:?}");
}

#[test]
fn stills_come_in_the_order_of_time_and_bad_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, n: usize, written: &Written| {
        fs::write(folder.path().join(name), still(&numbered(320, 192, n), written)).unwrap();
    };
    write("DJI_0001.JPG", 7, &northward(8.0));
    write("DJI_0002.JPG", 3, &northward(2.0));
    write("DJI_0003.JPG", 5, &northward(5.0));
    write("no_lens.jpg", 9, &Written { focal: None, ..northward(9.0) });
    fs::write(folder.path().join("broken.jpg"), b"\xff\xd8 and no more").unwrap();
    fs::write(folder.path().join("notes.txt"), "no picture").unwrap();
    let corrected =
        FlightOptions { clock_correction: SignedDuration::from_secs(60), site: Some(site(0.0)), ..options() };
    let flight = Flight::open(folder.path(), &corrected).unwrap();
    let names: Vec<&str> = flight.shots().iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["DJI_0002.JPG", "DJI_0003.JPG", "DJI_0001.JPG"]);
    assert_eq!(flight.shots()[1].at, Duration::from_secs(3));
    assert_eq!(flight.shots()[1].captured_at.unwrap().to_string(), "2026-03-14T01:16:35Z");
    assert!((north_of(&flight, 2) - 80.0).abs() < 0.1);
    assert_eq!(decoded(&flight, &[0, 1, 2]), [(0, 3), (1, 5), (2, 7)]);
    let skipped: Vec<&str> = flight.skipped().iter().map(|s| s.name.as_str()).collect();
    assert_eq!(skipped, ["broken.jpg", "no_lens.jpg"]);
    assert!(flight.skipped().iter().all(|s| s.reason.contains("hint:")), "{:?}", flight.skipped());
    // A picture that breaks off after its head fails alone.
    let whole = fs::read(folder.path().join("DJI_0003.JPG")).unwrap();
    fs::write(folder.path().join("DJI_0003.JPG"), &whole[..1400]).unwrap();
    let came: Vec<_> = flight.pictures(&[0, 1, 2]).unwrap().map(|p| p.map(|(shot, _)| shot)).collect();
    assert_eq!((came[0].clone(), came[2].clone()), (Ok(0), Ok(2)));
    assert_eq!(came[1].as_ref().unwrap_err().name, "DJI_0003.JPG");
}

#[test]
fn a_flight_elsewhere_or_without_poses_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.jpg"), still(&numbered(320, 192, 0), &northward(0.0))).unwrap();
    let elsewhere =
        Flight::open(folder.path(), &FlightOptions { site: Some(site(3200.0)), ..options() }).unwrap_err();
    let text = elsewhere.to_string();
    assert!(text.contains("over another place: 3.2 km from the site") && text.contains("hint:"), "{text}");

    let lost = Written { attitude: Attitude { yaw: 0.0, pitch: 60.0, roll: 0.0 }, ..northward(0.0) };
    fs::write(folder.path().join("a.jpg"), still(&numbered(320, 192, 0), &lost)).unwrap();
    fs::write(folder.path().join("b.jpg"), b"").unwrap();
    let text = Flight::open(folder.path(), &options()).unwrap_err().to_string();
    assert!(
        text.contains("b.jpg: it is no whole JPEG") && text.contains("the camera looks 60° up"),
        "{text}"
    );
}

#[test]
fn what_is_no_flight_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &Path| {
        let text = Flight::open(path, &options()).unwrap_err().to_string();
        assert!(text.contains("hint:") || text.contains("cannot take"), "{text}");
        text
    };
    assert!(error(&folder.path().join("missing.mp4")).contains("cannot read the flight"));
    assert!(error(folder.path()).contains("is no flight"));
    let bare = folder.path().join("bare.mp4");
    video(&bare, 10, 25.0, 5);
    assert!(error(&bare).contains("no telemetry beside it"));
    fs::write(bare.with_extension("SRT"), "1\n00:00:00,000 --> 00:00:01,000\nHello\n").unwrap();
    error(&bare);
    let without_lens = [0.0, 0.04].map(|t| Written { focal: None, ..northward(t) });
    fs::write(bare.with_extension("SRT"), srt(&without_lens, 25.0)).unwrap();
    assert!(error(&bare).contains("focal length"));
    let stream = folder.path().join("plain.ts");
    transport_stream(&stream, 25, 25, &[]);
    assert!(error(&stream).contains("no MISB ST 0601 metadata"));
}

#[test]
fn a_damaged_video_gives_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uas.ts");
    let packets: Vec<Written> = (0..20).map(|n| northward(f64::from(n) / 5.0)).collect();
    transport_stream(&path, 100, 25, &packets);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let options = FlightOptions { ground_altitude: Some(15.0), pick: Pick::EveryNth(5), ..options() };
    let flight = Flight::open(&path, &options).unwrap();
    let all: Vec<usize> = (0..flight.shots().len()).collect();
    assert!((4..18).contains(&all.len()), "{}", all.len());
    let came = flight.pictures(&all).unwrap().flatten().count();
    assert!(came + 1 >= all.len(), "{came} of {}", all.len());
}

#[test]
fn an_orthophoto_is_a_map() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ortho.png");
    let picture = numbered(320, 192, 4);
    image::save_buffer(&path, &picture.to_rgb(), 320, 192, image::ExtendedColorType::Rgb8).unwrap();
    let text = Flight::open(&path, &options()).unwrap_err().to_string();
    assert!(text.contains("cannot place the orthophoto"), "{text}");
    let world = format!("0.000001\n0\n0\n-0.000001\n{}\n{}\n", HOME.longitude, HOME.latitude);
    fs::write(folder.path().join("ortho.pgw"), world).unwrap();
    let flight = Flight::open(&path, &FlightOptions { site: Some(site(0.0)), ..options() }).unwrap();
    let Sight::Map(map) = flight.shots()[0].sight else { panic!() };
    let corner = map.place(parapet_core::Point::new(0.0, 0.0)).unwrap();
    assert!(LocalFrame::at(HOME).local(corner).distance(GroundPoint::default()) < 0.1);
    assert_eq!(decoded(&flight, &[0]), [(0, 4)]);
    assert!(matches!(
        Flight::open(&path, &FlightOptions { site: Some(site(9000.0)), ..options() }),
        Err(FlightError::OtherPlace { .. })
    ));
    assert_eq!(place(0.0, 0.0), HOME);
}
