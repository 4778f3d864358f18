//! Telemetry that DJI drones write as subtitles beside their videos, one cue a frame or a second.
//!
//! The forms differ by model and firmware; all are names followed by numbers, so one scanner reads them:
//! `[latitude: 22.5] [longitude: 113.9] [rel_alt: 1.3 abs_alt: 20.1] [gb_yaw: -12.3 gb_pitch: -90.0 gb_roll: 0.0]`
//! (Mini, Air, Mavic 3, Matrice 30), `[longtitude : 113.9] [altitude: 36.6]` (Mavic 2, Air 2), `HOME(…)`
//! `GPS(113.9,22.5,16) BAROMETER:1.9` (Phantom 3 and 4, Mavic Pro), `GPS(22.5,113.9,0.0M) BAROMETER:1.9M`
//! (Matrice 300: latitude first), `GPS (113.9, 22.5, 15), … H 36.60m, … G.PRY (-90.0°, 0.0°, 25.3°)` (Phantom 4 RTK,
//! Matrice 200).

use std::{collections::HashMap, time::Duration};

use jiff::{civil, tz::TimeZone};
use parapet_core::{
    Timestamp,
    geo::{Attitude, GeoPoint},
};

use super::{Reading, Sample, TelemetryError, lens};

/// Metres of one degree of latitude, for the resolution of written positions.
const METERS_PER_DEGREE: f64 = 111_000.0;

/// Reads subtitles. Times of day in them are those of the place, told by `zone`.
///
/// # Errors
/// There are no cues, or none has a position.
pub fn read(text: &str, zone: &TimeZone) -> Result<Reading, TelemetryError> {
    let mut reading = Reading::default();
    let mut decimals = 0;
    let (mut cues, mut places) = (0, 0);
    for (at, cue) in cues_of(text) {
        cues += 1;
        let fields = Fields::of(&cue);
        let sample = fields.sample(at, &cue, zone);
        if sample.position.is_some() {
            places += 1;
            decimals = decimals.max(fields.decimals);
        }
        reading.samples.push(sample);
    }
    if cues == 0 {
        return Err(TelemetryError::NoCues);
    }
    if places == 0 {
        return Err(TelemetryError::NoPositions);
    }
    let step = METERS_PER_DEGREE * 10f64.powi(-decimals);
    reading.resolution = (step >= 1.0).then_some(step);
    Ok(reading)
}

/// The start of each cue and its text, without tags.
fn cues_of(text: &str) -> impl Iterator<Item = (Duration, String)> {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        let at = loop {
            if let Some((from, _)) = lines.next()?.split_once("-->")
                && let Some(at) = time_of(from)
            {
                break at;
            }
        };
        let mut cue = String::new();
        while let Some(line) = lines.next_if(|line| !line.contains("-->")) {
            push_without_tags(&mut cue, line);
            cue.push('\n');
        }
        Some((at, cue))
    })
}

fn push_without_tags(out: &mut String, line: &str) {
    let mut rest = line;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        match tag.split_once('>') {
            Some((_, after)) => rest = after,
            None => return,
        }
    }
    out.push_str(rest);
}

/// `HH:MM:SS,mmm`.
fn time_of(text: &str) -> Option<Duration> {
    let (clock, millis) = text.trim().trim_start_matches('\u{feff}').split_once([',', '.'])?;
    let mut seconds = 0u64;
    for part in clock.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.trim().parse::<u32>().ok()?.into())?;
    }
    let millis: u32 = millis.trim().parse().ok()?;
    Duration::from_secs(seconds).checked_add(Duration::from_millis(millis.into()))
}

/// The numbers of a cue by the name before them.
struct Fields {
    numbers: HashMap<String, Vec<f64>>,
    /// Names whose first number has a unit `M`, as the Matrice 300 writes them.
    in_capital_meters: bool,
    /// Digits after the point of the position.
    decimals: i32,
}

impl Fields {
    fn of(cue: &str) -> Self {
        let mut fields = Self { numbers: HashMap::new(), in_capital_meters: false, decimals: 0 };
        for line in cue.lines() {
            fields.scan(line);
        }
        fields
    }

    /// Takes each name, with or without a colon, that a number or a list in round brackets follows.
    fn scan(&mut self, line: &str) {
        let mut rest = line;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic()) {
            rest = &rest[start..];
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.')))
                .unwrap_or(rest.len());
            let name = rest[..end].to_ascii_lowercase();
            rest = rest[end..].trim_start();
            rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
            let is_position = matches!(name.as_str(), "latitude" | "longitude" | "longtitude" | "gps");
            let listed = rest.strip_prefix('(').and_then(|list| list.split_once(')'));
            let mut values = Vec::new();
            let text = match listed {
                Some((list, after)) => {
                    rest = after;
                    list
                }
                None => rest.split([',', ']', ' ', '\t']).next().unwrap_or(""),
            };
            for (i, part) in text.split(',').enumerate() {
                let Some((value, decimals, unit)) = number_of(part.trim()) else { break };
                values.push(value);
                if is_position && i < 2 {
                    self.decimals = self.decimals.max(decimals);
                }
                self.in_capital_meters |= name == "gps" && i == 2 && unit.starts_with('M');
            }
            if !values.is_empty() {
                self.numbers.entry(name).or_insert(values);
            }
        }
    }

    fn one(&self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| self.numbers.get(*name)?.first().copied())
    }

    fn sample(&self, at: Duration, cue: &str, zone: &TimeZone) -> Sample {
        Sample {
            at,
            recorded_at: recorded_at(cue, zone),
            position: self.position(),
            height: self.one(&["rel_alt", "barometer", "hb", "h"]),
            altitude: self.one(&["abs_alt", "altitude"]),
            attitude: self.attitude(),
            focal: self.focal(),
        }
    }

    fn position(&self) -> Option<GeoPoint> {
        let named = self.one(&["latitude"]).zip(self.one(&["longitude", "longtitude"]));
        let (latitude, longitude) = named.or_else(|| match self.numbers.get("gps")?.as_slice() {
            [a, b, ..] if self.in_capital_meters => Some((*a, *b)),
            [a, b, ..] => Some((*b, *a)),
            _ => None,
        })?;
        GeoPoint::new(latitude, longitude).ok()
    }

    fn attitude(&self) -> Option<Attitude> {
        let named = || Some((self.one(&["gb_pitch"])?, self.one(&["gb_roll"])?, self.one(&["gb_yaw"])?));
        let listed = || match self.numbers.get("g.pry")?.as_slice() {
            [pitch, roll, yaw] => Some((*pitch, *roll, *yaw)),
            _ => None,
        };
        named().or_else(listed).map(|(pitch, roll, yaw)| Attitude { yaw, pitch, roll })
    }

    /// `focal_len` is the 35 mm equivalent in millimetres or, in older firmware, in tenths (240 is 24 mm).
    fn focal(&self) -> Option<f64> {
        let written = self.one(&["focal_len"])?;
        let millimeters = if written >= 100.0 && written.fract() == 0.0 { written / 10.0 } else { written };
        let zoom = self.one(&["dzoom_ratio", "dzoom"]).unwrap_or(1.0);
        // Mavic 2 and Air 2 write the ratio times 10,000.
        let zoom = if zoom >= 100.0 { zoom / 10_000.0 } else { zoom };
        lens::of_35mm(millimeters * zoom.max(1.0))
    }
}

/// A number at the beginning of the text, its digits after the point, and what follows.
fn number_of(text: &str) -> Option<(f64, i32, &str)> {
    let end = text
        .char_indices()
        .find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || (*i == 0 && matches!(c, '+' | '-'))))
        .map_or(text.len(), |(i, _)| i);
    let value: f64 = text[..end].parse().ok()?;
    let decimals = text[..end].split_once('.').map_or(0, |(_, digits)| digits.len());
    value.is_finite().then_some((value, i32::try_from(decimals).ok()?, &text[end..]))
}

/// The date and time of day in a cue: `2023-01-18 10:59:13.126`, `2020-05-18 11:13:06,523,467` or
/// `2017.08.05 14:11:51`.
fn recorded_at(cue: &str, zone: &TimeZone) -> Option<Timestamp> {
    cue.lines().find_map(|line| {
        let mut words = line.split_whitespace().rev().take(6).collect::<Vec<_>>();
        words.reverse();
        words.windows(2).find_map(|pair| instant_of(pair[0], pair[1], zone))
    })
}

fn instant_of(date: &str, time: &str, zone: &TimeZone) -> Option<Timestamp> {
    let mut day = date.split(['-', '.']).map(|part| part.parse::<i16>().ok());
    let (year, month, day) = (day.next()??, day.next()??, day.next()??);
    let (time, fraction) = time.split_once(['.', ',']).unwrap_or((time, ""));
    let mut clock = time.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let digits: String = fraction.chars().filter(char::is_ascii_digit).take(9).collect();
    let nanos = if digits.is_empty() { 0 } else { format!("{digits:0<9}").parse().ok()? };
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let civil = civil::DateTime::new(year, month, day, hour, minute, second, nanos).ok()?;
    Some(civil.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shanghai() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

    fn cue(text: &str) -> Sample {
        let subtitles = format!("1\n00:00:01,500 --> 00:00:01,533\n{text}\n\n");
        let reading = read(&subtitles, &shanghai()).unwrap();
        assert_eq!(reading.samples.len(), 1);
        assert_eq!(reading.samples[0].at, Duration::from_millis(1500));
        reading.samples[0]
    }

    fn at(latitude: f64, longitude: f64) -> Option<GeoPoint> {
        GeoPoint::new(latitude, longitude).ok()
    }

    #[test]
    fn the_newest_form_has_all() {
        let sample = cue(
            "<font size=\"28\">FrameCnt: 46, DiffTime: 33ms\n2023-01-18 10:59:13.126\n[iso: 100] [shutter: 1/800.0] \
             [fnum: 2.8] [ev: 0] [color_md : default] [focal_len: 24.00] [latitude: 30.529981] [longitude: 120.679213] \
             [rel_alt: 61.300 abs_alt: 127.553] [ct: 5896] [gb_yaw: -12.3 gb_pitch: -89.9 gb_roll: 0.1] </font>",
        );
        assert_eq!(sample.position, at(30.529_981, 120.679_213));
        assert_eq!((sample.height, sample.altitude), (Some(61.3), Some(127.553)));
        assert_eq!(sample.attitude, Some(Attitude { yaw: -12.3, pitch: -89.9, roll: 0.1 }));
        assert_eq!(sample.focal, Some(24.0 / 36.0));
        assert_eq!(sample.recorded_at, Some("2023-01-18T02:59:13.126Z".parse().unwrap()));
    }

    #[test]
    fn the_form_of_mavic_2_and_air_2_with_its_typing_mistake() {
        let sample = cue(
            "<font size=\"36\">SrtCnt : 1, DiffTime : 33ms\n2020-05-18 11:13:06,523,467\n[iso : 100] [shutter : 1/80.0] \
             [fnum : 280] [ev : 0] [ct : 5744] [color_md : default] [focal_len : 240] [dzoom_ratio: 20000, delta:0] \
             [latitude : 30.529981] [longtitude : 120.679213] [altitude: 117.100000] </font>",
        );
        assert_eq!(sample.position, at(30.529_981, 120.679_213));
        assert_eq!((sample.height, sample.altitude, sample.attitude), (None, Some(117.1), None));
        assert_eq!(sample.focal, Some(48.0 / 36.0));
        assert_eq!(sample.recorded_at, Some("2020-05-18T03:13:06.523467Z".parse().unwrap()));
    }

    #[test]
    fn the_form_of_phantom_4_and_mavic_pro_lists_the_longitude_first() {
        let sample = cue(
            "HOME(120.6791,30.5299) 2017.08.05 14:11:51\nGPS(120.6792,30.5300,16) BAROMETER:61.9\nISO:100 Shutter:60 EV: Fnum:2.2",
        );
        assert_eq!((sample.position, sample.height), (at(30.53, 120.6792), Some(61.9)));
        assert_eq!(sample.recorded_at, Some("2017-08-05T06:11:51Z".parse().unwrap()));
    }

    #[test]
    fn the_form_of_matrice_300_lists_the_latitude_first() {
        let sample = cue("2022.06.21 16:06:22\nGPS(30.5299,120.6791,0.0M) BAROMETER:8.4M");
        assert_eq!((sample.position, sample.height), (at(30.5299, 120.6791), Some(8.4)));
    }

    #[test]
    fn the_form_of_phantom_4_rtk_and_matrice_200_has_the_gimbal() {
        let sample = cue(
            "F/5.6, SS 320, ISO 100, EV +0.7, DZOOM 1.000, GPS (120.679213, 30.529981, 15), D 13.15m, H 36.60m, \
             H.S 4.10m/s, V.S -0.20m/s, F.PRY (-4.5°, -0.1°, 25.2°), G.PRY (-90.0°, 0.0°, 25.3°)",
        );
        assert_eq!((sample.position, sample.height), (at(30.529_981, 120.679_213), Some(36.6)));
        assert_eq!(sample.attitude, Some(Attitude { yaw: 25.3, pitch: -90.0, roll: 0.0 }));
    }

    #[test]
    fn an_empty_field_does_not_take_the_number_of_the_next_cue() {
        let text = "1\n00:00:00,000 --> 00:00:01,000\nGPS(120.6792,30.5300,16) BAROMETER:\n\n2\n\
                    00:00:59,000 --> 00:00:60,000\nGPS(0.0,0.0,0) BAROMETER:3\n\n3\n00:01:00,000 --> 00:01:01,000\nno signal\n";
        let reading = read(text, &TimeZone::UTC).unwrap();
        assert_eq!(reading.samples[0].height, None);
        assert_eq!(reading.samples[1].at, Duration::from_secs(59));
        assert_eq!(reading.samples[2].position, None);
        // Four digits are 11 m.
        assert!((reading.resolution.unwrap() - 11.1).abs() < 0.01);
    }

    #[test]
    fn what_is_no_telemetry_is_refused_with_a_hint() {
        assert_eq!(read("a film", &TimeZone::UTC), Err(TelemetryError::NoCues));
        let film = "1\n00:00:00,000 --> 00:00:01,000\nHello\n";
        let error = read(film, &TimeZone::UTC).unwrap_err();
        assert_eq!(error, TelemetryError::NoPositions);
        assert!(error.to_string().contains("hint:"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[\\PC\\n]{0,400}") {
            let _ = read(&text, &TimeZone::UTC);
        }

        #[test]
        fn any_cue_is_read_or_refused(text in "(\\[?(latitude|longitude|GPS|gb_yaw|G\\.PRY|focal_len|dzoom)[ :(]{0,3}[-+.,0-9M°)\\] ]{0,30}){0,8}") {
            let _ = read(&format!("00:00:00,000 --> x\n{text}"), &TimeZone::UTC);
        }
    }
}
