//! What a drone knows at an instant, and MISB ST 0601 as it sends it.

use parapet_core::{
    Timestamp,
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
}

impl Default for Written {
    fn default() -> Self {
        let attitude = Attitude { yaw: 0.0, pitch: -90.0, roll: 0.0 };
        Self { seconds: 0.0, east: 0.0, north: 0.0, height: 60.0, attitude, focal: Some(24) }
    }
}

impl Written {
    pub(crate) fn place(&self) -> GeoPoint {
        place(self.east, self.north)
    }

    pub(crate) fn time(&self) -> Timestamp {
        let start: Timestamp = START.parse().unwrap();
        Timestamp::from_microsecond(start.as_microsecond() + (self.seconds * 1e6).round() as i64).unwrap()
    }
}

/// The place at metres from [`HOME`].
pub(crate) fn place(east: f64, north: f64) -> GeoPoint {
    LocalFrame::at(HOME).geo(GroundPoint { east, north })
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
