//! What drones write, written by tests: subtitles, EXIF and XMP, MISB ST 0601 in transport streams.

use std::{fmt::Write as _, io::Cursor, path::Path};

use exif::{Field, In, Rational, Tag, Value, experimental::Writer};
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use parapet_core::{
    Picture, Timestamp,
    geo::{Attitude, GeoPoint, GroundPoint, LocalFrame},
};
use parapet_ingest::telemetry::klv;

/// The take-off place.
pub(crate) const HOME: GeoPoint = GeoPoint { latitude: 30.53, longitude: 120.68 };
/// When recordings begin.
pub(crate) const START: &str = "2026-03-14T09:15:30+08:00";

/// What is written about one instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) seconds: f64,
    pub(crate) east: f64,
    pub(crate) north: f64,
    pub(crate) height: f64,
    pub(crate) attitude: Attitude,
    /// 35 mm equivalent, millimetres.
    pub(crate) focal: Option<u16>,
    pub(crate) position: bool,
}

impl Default for Written {
    fn default() -> Self {
        let attitude = Attitude { yaw: 0.0, pitch: -90.0, roll: 0.0 };
        Self { seconds: 0.0, east: 0.0, north: 0.0, height: 60.0, attitude, focal: Some(24), position: true }
    }
}

impl Written {
    fn place(&self) -> GeoPoint {
        place(self.east, self.north)
    }

    fn time(&self) -> Timestamp {
        let start: Timestamp = START.parse().unwrap();
        Timestamp::from_microsecond(start.as_microsecond() + (self.seconds * 1e6).round() as i64).unwrap()
    }
}

/// The place at metres from [`HOME`].
pub(crate) fn place(east: f64, north: f64) -> GeoPoint {
    LocalFrame::at(HOME).geo(GroundPoint { east, north })
}

/// Subtitles in the newest form, one cue a frame.
pub(crate) fn srt(cues: &[Written], fps: f64) -> String {
    let mut text = String::new();
    for (n, cue) in cues.iter().enumerate() {
        let clock = |seconds: f64| {
            let ms = (seconds * 1000.0).round() as u64;
            format!("00:{:02}:{:02},{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000)
        };
        let local = cue.time().to_zoned(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap());
        let focal = cue.focal.map_or_else(String::new, |f| format!("[focal_len: {f}.00] "));
        let (place, a) = (cue.place(), cue.attitude);
        let _ = write!(
            text,
            "{}\n{} --> {}\n<font size=\"28\">FrameCnt: {}, DiffTime: 40ms\n{}\n{focal}[latitude: {:.7}] [longitude: {:.7}] \
             [rel_alt: {:.3} abs_alt: {:.3}] [gb_yaw: {} gb_pitch: {} gb_roll: {}] </font>\n\n",
            n + 1,
            clock(cue.seconds),
            clock(cue.seconds + 1.0 / fps),
            n + 1,
            local.strftime("%Y-%m-%d %H:%M:%S.%3f"),
            place.latitude,
            place.longitude,
            cue.height,
            cue.height + 15.0,
            a.yaw,
            a.pitch,
            a.roll,
        );
    }
    text
}

/// A JPEG with EXIF and XMP as DJI drones write them.
pub(crate) fn still(picture: &Picture, written: &Written) -> Vec<u8> {
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 90)
        .encode(
            &picture.to_rgb(),
            picture.width() as u32,
            picture.height() as u32,
            image::ExtendedColorType::Rgb8,
        )
        .unwrap();
    let segment =
        |bytes: Vec<u8>| [&[0xff, 0xe1][..], &(bytes.len() as u16 + 2).to_be_bytes(), &bytes].concat();
    let a = written.attitude;
    let xmp = format!(
        "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF \
         xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description \
         xmlns:drone-dji=\"http://www.dji.com/drone-dji/1.0/\" drone-dji:AbsoluteAltitude=\"+{:.2}\" \
         drone-dji:RelativeAltitude=\"+{:.2}\" drone-dji:GimbalYawDegree=\"{:+.2}\" drone-dji:GimbalPitchDegree=\"{:+.2}\" \
         drone-dji:GimbalRollDegree=\"{:+.2}\"/></rdf:RDF></x:xmpmeta>",
        written.height + 15.0,
        written.height,
        a.yaw,
        a.pitch,
        a.roll
    );
    [&jpeg[..2], &segment(exif(written)), &segment(xmp.into_bytes()), &jpeg[2..]].concat()
}

fn exif(written: &Written) -> Vec<u8> {
    let local = written.time().to_zoned(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap());
    let field = |tag, value| Field { tag, ifd_num: In::PRIMARY, value };
    let ascii = |tag, text: String| field(tag, Value::Ascii(vec![text.into_bytes()]));
    let degrees = |value: f64| {
        let seconds = (value.abs() * 3600.0 * 1e4).round() as u64;
        let ratio = |num: u64, denom| Rational { num: num as u32, denom };
        Value::Rational(vec![
            ratio(seconds / 36_000_000, 1),
            ratio(seconds / 600_000 % 60, 1),
            ratio(seconds % 600_000, 10_000),
        ])
    };
    let mut fields = vec![
        ascii(Tag::Make, "DJI".into()),
        ascii(Tag::DateTimeOriginal, local.strftime("%Y:%m:%d %H:%M:%S").to_string()),
    ];
    if let Some(focal) = written.focal {
        fields.push(field(Tag::FocalLengthIn35mmFilm, Value::Short(vec![focal])));
    }
    if written.position {
        fields.push(ascii(Tag::GPSLatitudeRef, "N".into()));
        fields.push(field(Tag::GPSLatitude, degrees(written.place().latitude)));
        fields.push(ascii(Tag::GPSLongitudeRef, "E".into()));
        fields.push(field(Tag::GPSLongitude, degrees(written.place().longitude)));
    }
    let mut writer = Writer::new();
    fields.iter().for_each(|f| writer.push_field(f));
    let mut bytes = Cursor::new(b"Exif\0\0".to_vec());
    let mut tiff = Cursor::new(Vec::new());
    writer.write(&mut tiff, false).unwrap();
    bytes.get_mut().extend(tiff.into_inner());
    bytes.into_inner()
}

/// A packet of MISB ST 0601: a platform that heads east and a gimbal that brings the camera to the wanted attitude.
pub(crate) fn packet(written: &Written) -> Vec<u8> {
    let place = written.place();
    let scaled =
        |value: f64, limit: f64, bits: u32| (value / limit * ((1u64 << (bits - 1)) - 1) as f64).round();
    let angle = |value: f64| (value.rem_euclid(360.0) / 360.0 * f64::from(u32::MAX)).round() as u32;
    let latitude = scaled(place.latitude, 90.0, 32) as i32;
    let longitude = scaled(place.longitude, 180.0, 32) as i32;
    let altitude = ((written.height + 15.0 + 900.0) / 19_900.0 * 65_535.0).round() as u16;
    let view = written
        .focal
        .map(|f| (2.0 * (18.0 / f64::from(f)).atan().to_degrees() / 180.0 * 65_535.0).round() as u16);
    let mut items: Vec<(u8, Vec<u8>)> = vec![
        (2, written.time().as_microsecond().cast_unsigned().to_be_bytes().to_vec()),
        (5, ((0.25 * 65_535.0_f64).round() as u16).to_be_bytes().to_vec()),
        (6, vec![0, 0]),
        (7, vec![0, 0]),
        (13, latitude.to_be_bytes().to_vec()),
        (14, longitude.to_be_bytes().to_vec()),
        (15, altitude.to_be_bytes().to_vec()),
        (18, angle(written.attitude.yaw - 90.0).to_be_bytes().to_vec()),
        (19, (scaled(written.attitude.pitch, 180.0, 32) as i32).to_be_bytes().to_vec()),
        (20, angle(written.attitude.roll).to_be_bytes().to_vec()),
        (65, vec![17]),
    ];
    items.extend(view.map(|v| (16, v.to_be_bytes().to_vec())));
    let mut body: Vec<u8> =
        items.into_iter().flat_map(|(tag, v)| [vec![tag, v.len() as u8], v].concat()).collect();
    body.extend([1, 2]);
    let mut packet = [&klv::KEY[..], &[0x81, body.len() as u8 + 2], &body].concat();
    packet.extend(klv::checksum(&packet).to_be_bytes());
    packet
}

/// An MPEG transport stream of numbered pictures at 25 a second, with a metadata stream if there are packets.
pub(crate) fn transport_stream(path: &Path, frames: usize, keyframe_interval: u32, packets: &[Written]) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(&format!(
        "appsrc name=video format=time caps=video/x-raw,format=I420,width=320,height=192,framerate=25/1 \
         ! x264enc key-int-max={keyframe_interval} bframes=2 speed-preset=ultrafast ! h264parse ! mpegtsmux name=mux ! filesink name=file {}",
        if packets.is_empty() { "" } else { "appsrc name=klv format=time caps=meta/x-klv,parsed=(boolean)true ! mux." },
    ))
    .unwrap()
    .downcast::<gst::Pipeline>()
    .unwrap();
    let named = |name: &str| pipeline.by_name(name);
    named("file").unwrap().set_property("location", path);
    let push = |source: &AppSrc, bytes: Vec<u8>, seconds: f64, length: f64| {
        let mut buffer = gst::Buffer::from_mut_slice(bytes);
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(gst::ClockTime::from_seconds_f64(seconds));
        writable.set_duration(gst::ClockTime::from_seconds_f64(length));
        source.push_buffer(buffer).unwrap();
    };
    pipeline.set_state(gst::State::Playing).unwrap();
    if let Some(source) = named("klv").map(|e| e.downcast::<AppSrc>().unwrap()) {
        for written in packets {
            push(&source, packet(written), written.seconds, 0.0);
        }
        source.end_of_stream().unwrap();
    }
    let source = named("video").unwrap().downcast::<AppSrc>().unwrap();
    for n in 0..frames {
        let picture = crate::common::numbered(320, 192, n);
        let planes = [picture.y(), picture.u(), picture.v()].map(|p| p.samples().to_vec()).concat();
        push(&source, planes, n as f64 / 25.0, 0.04);
    }
    source.end_of_stream().unwrap();
    let bus = pipeline.bus().unwrap();
    let message = bus.timed_pop_filtered(
        gst::ClockTime::from_seconds(60),
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    assert!(matches!(message.unwrap().view(), gst::MessageView::Eos(_)), "the stream could not be written");
    pipeline.set_state(gst::State::Null).unwrap();
}
