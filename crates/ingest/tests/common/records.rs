//! What drones bring home, written by tests: subtitles, stills with EXIF and XMP, transport streams with metadata.

use std::{fmt::Write as _, io::Cursor, path::Path};

use exif::{Field, In, Rational, Tag, Value, experimental::Writer};
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use parapet_core::Picture;

use crate::drone::{Written, packet};

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
    fields.push(ascii(Tag::GPSLatitudeRef, "N".into()));
    fields.push(field(Tag::GPSLatitude, degrees(written.place().latitude)));
    fields.push(ascii(Tag::GPSLongitudeRef, "E".into()));
    fields.push(field(Tag::GPSLongitude, degrees(written.place().longitude)));
    let mut writer = Writer::new();
    for field in &fields {
        writer.push_field(field);
    }
    let mut bytes = Cursor::new(b"Exif\0\0".to_vec());
    let mut tiff = Cursor::new(Vec::new());
    writer.write(&mut tiff, false).unwrap();
    bytes.get_mut().extend(tiff.into_inner());
    bytes.into_inner()
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
        let planes =
            [picture.y(), picture.u(), picture.v()].map(|p| p.rows().collect::<Vec<_>>().concat()).concat();
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
