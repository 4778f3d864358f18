//! MISB ST 0601 (UAS Datalink Local Set): platform and sensor angles, positions and heights, as key, length and value.
//!
//! Layouts and ranges are those of ST 0601.8 to .19, which agree in the items that are read here; others are skipped.
//! A packet counts only if its checksum (item 1) is right.

use std::time::Duration;

use parapet_core::{Timestamp, geo::GeoPoint};

use super::{
    Reading, Sample,
    attitude::{Turn, composed},
    lens,
};

/// Universal label of the local set (ST 0601, 6.2).
pub const KEY: [u8; 16] =
    [0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x01, 0x00, 0x00, 0x00];

/// What a packet says, in degrees and metres.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Packet {
    /// When it was made (item 2).
    pub time: Option<Timestamp>,
    /// Heading, pitch and roll of the platform (items 5 to 7, or 90 and 91).
    pub platform: (Option<f64>, Option<f64>, Option<f64>),
    /// Latitude and longitude of the sensor (items 13 and 14).
    pub sensor: Option<GeoPoint>,
    /// Altitude of the sensor above the mean sea level (item 15).
    pub altitude: Option<f64>,
    /// Height of the sensor above the ellipsoid (item 75).
    pub ellipsoid_height: Option<f64>,
    /// Horizontal and vertical field of view (items 16 and 17).
    pub field_of_view: (Option<f64>, Option<f64>),
    /// Azimuth, elevation and roll of the sensor in the platform's frame (items 18 to 20).
    pub relative: (Option<f64>, Option<f64>, Option<f64>),
    /// From the sensor to the middle of the picture (item 21).
    pub slant_range: Option<f64>,
    /// The middle of the picture (items 23 and 24).
    pub frame_center: Option<GeoPoint>,
    /// Altitude of the middle of the picture above the mean sea level (item 25).
    pub frame_center_altitude: Option<f64>,
    /// Height of the middle of the picture above the ellipsoid (item 78).
    pub frame_center_ellipsoid_height: Option<f64>,
}

/// Why bytes are no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPacket {
    /// They end before the length that they state.
    #[error("the packet is cut off")]
    CutOff,
    /// There is no checksum, or another one.
    #[error("the packet's checksum is wrong")]
    Checksum,
}

/// The packets in a buffer: what stands before, between and after them, as the headers of metadata access units, is
/// skipped.
pub fn packets(mut bytes: &[u8]) -> impl Iterator<Item = Result<Packet, InvalidPacket>> {
    std::iter::from_fn(move || {
        let start = bytes.windows(KEY.len()).position(|window| window == KEY)?;
        let packet = &bytes[start..];
        let Some((body, end)) = body_of(packet) else {
            bytes = &packet[KEY.len()..];
            return Some(Err(InvalidPacket::CutOff));
        };
        bytes = &packet[end..];
        Some(checked(&packet[..end], body))
    })
}

/// Where the items begin in a packet, and its end.
fn body_of(packet: &[u8]) -> Option<(usize, usize)> {
    let mut rest = &packet[KEY.len()..];
    let length = ber_length(&mut rest)?;
    let start = packet.len() - rest.len();
    let end = start.checked_add(length)?;
    (end <= packet.len()).then_some((start, end))
}

fn checked(packet: &[u8], body: usize) -> Result<Packet, InvalidPacket> {
    // Item 1 is the last: tag, length, two bytes; the sum goes over all before these two (ST 0601, 6.4).
    let sum_at = packet.len() - 2;
    if packet.len() < body + 4 || packet[sum_at - 2..sum_at] != [1, 2] {
        return Err(InvalidPacket::Checksum);
    }
    let written = u16::from_be_bytes([packet[sum_at], packet[sum_at + 1]]);
    if checksum(&packet[..sum_at]) != written {
        return Err(InvalidPacket::Checksum);
    }
    let mut parts = Parts::default();
    let mut rest = &packet[body..];
    while let Some((tag, value)) = item(&mut rest) {
        parts.take(tag, value);
    }
    Ok(parts.packet())
}

/// The running 16-bit sum over pairs of bytes (ST 0601, item 1).
pub fn checksum(bytes: &[u8]) -> u16 {
    bytes
        .iter()
        .enumerate()
        .fold(0u16, |sum, (i, byte)| sum.wrapping_add(u16::from(*byte) << (8 * ((i + 1) % 2))))
}

fn item<'a>(rest: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let tag = ber_oid(rest)?;
    let length = ber_length(rest)?;
    let (value, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some((tag, value))
}

/// A length in BER: one byte below 128, or the number of bytes that hold it.
fn ber_length(rest: &mut &[u8]) -> Option<usize> {
    let (&first, after) = rest.split_first()?;
    *rest = after;
    if first < 0x80 {
        return Some(first.into());
    }
    let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
    *rest = after;
    // More than four bytes are longer than any file.
    (1..=4).contains(&bytes.len()).then(|| bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b)))
}

/// A tag in BER-OID: seven bits a byte, the highest bit says that more come.
fn ber_oid(rest: &mut &[u8]) -> Option<u64> {
    let mut tag = 0u64;
    for _ in 0..9 {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        tag = tag << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some(tag);
        }
    }
    None
}

/// Items that are joined to one place.
#[derive(Default)]
struct Parts {
    packet: Packet,
    sensor: (Option<f64>, Option<f64>),
    frame_center: (Option<f64>, Option<f64>),
}

impl Parts {
    fn take(&mut self, tag: u64, value: &[u8]) {
        let packet = &mut self.packet;
        match tag {
            2 => {
                let micros = <[u8; 8]>::try_from(value).ok().map(u64::from_be_bytes);
                packet.time = micros
                    .and_then(|m| i64::try_from(m).ok())
                    .and_then(|m| Timestamp::from_microsecond(m).ok());
            }
            5 => packet.platform.0 = unsigned(value, 2, 0.0, 360.0),
            // The full-range items 90 and 91 are finer and go further; whichever comes first, they win.
            6 => packet.platform.1 = packet.platform.1.or(signed(value, 2, 20.0)),
            7 => packet.platform.2 = packet.platform.2.or(signed(value, 2, 50.0)),
            90 => packet.platform.1 = signed(value, 4, 90.0).or(packet.platform.1),
            91 => packet.platform.2 = signed(value, 4, 90.0).or(packet.platform.2),
            13 => self.sensor.0 = signed(value, 4, 90.0),
            14 => self.sensor.1 = signed(value, 4, 180.0),
            15 => packet.altitude = unsigned(value, 2, -900.0, 19_000.0),
            16 => packet.field_of_view.0 = unsigned(value, 2, 0.0, 180.0),
            17 => packet.field_of_view.1 = unsigned(value, 2, 0.0, 180.0),
            18 => packet.relative.0 = unsigned(value, 4, 0.0, 360.0),
            19 => packet.relative.1 = signed(value, 4, 180.0),
            20 => packet.relative.2 = unsigned(value, 4, 0.0, 360.0),
            21 => packet.slant_range = unsigned(value, 4, 0.0, 5_000_000.0),
            23 => self.frame_center.0 = signed(value, 4, 90.0),
            24 => self.frame_center.1 = signed(value, 4, 180.0),
            25 => packet.frame_center_altitude = unsigned(value, 2, -900.0, 19_000.0),
            75 => packet.ellipsoid_height = unsigned(value, 2, -900.0, 19_000.0),
            78 => packet.frame_center_ellipsoid_height = unsigned(value, 2, -900.0, 19_000.0),
            _ => {}
        }
    }

    fn packet(self) -> Packet {
        let place =
            |(latitude, longitude): (Option<f64>, Option<f64>)| GeoPoint::new(latitude?, longitude?).ok();
        Packet { sensor: place(self.sensor), frame_center: place(self.frame_center), ..self.packet }
    }
}

/// An integer of `bytes` bytes as a part of `low..=high`.
fn unsigned(value: &[u8], bytes: usize, low: f64, high: f64) -> Option<f64> {
    let full = (1u64 << (8 * bytes)) - 1;
    let n = integer(value, bytes)?;
    Some(low + n as f64 * (high - low) / full as f64)
}

/// A signed integer of `bytes` bytes as a part of `−limit..=limit`; its lowest value says "out of range".
fn signed(value: &[u8], bytes: usize, limit: f64) -> Option<f64> {
    let shift = 64 - 8 * bytes as u32;
    let n = (integer(value, bytes)? << shift).cast_signed() >> shift;
    let full = (1i64 << (8 * bytes - 1)) - 1;
    (n >= -full).then(|| n as f64 * limit / full as f64)
}

fn integer(value: &[u8], bytes: usize) -> Option<u64> {
    (value.len() == bytes).then(|| value.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
}

impl Packet {
    /// The sample at this time of a recording. Without the sensor's own angles there is no attitude: where a gimbal
    /// looks does not follow from how its platform flies.
    pub fn sample(&self, at: Duration) -> Sample {
        let turn = |(yaw, pitch, roll): (Option<f64>, Option<f64>, Option<f64>)| {
            // Many sensors have no roll of their own and leave it out.
            Some(Turn { yaw: yaw?, pitch: pitch?, roll: roll.unwrap_or(0.0) })
        };
        let platform = turn((self.platform.0, self.platform.1, self.platform.2));
        Sample {
            at,
            recorded_at: self.time,
            position: self.sensor,
            height: None,
            altitude: self.altitude.or(self.ellipsoid_height),
            attitude: platform.zip(turn(self.relative)).map(|(p, s)| composed(p, s)),
            focal: self.field_of_view.0.and_then(lens::of_field_of_view),
        }
    }
}

/// Reads buffers of a metadata stream, each with its time.
pub fn read<'a>(buffers: impl IntoIterator<Item = (Duration, &'a [u8])>) -> Reading {
    let mut reading = Reading::default();
    for (at, bytes) in buffers {
        for packet in packets(bytes) {
            match packet {
                Ok(packet) => reading.samples.push(packet.sample(at)),
                Err(_) => reading.unreadable.push(at),
            }
        }
    }
    reading
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet_of(items: &[(u8, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (tag, value) in items {
            body.extend([*tag, value.len() as u8]);
            body.extend(*value);
        }
        body.extend([1, 2]);
        let mut packet = KEY.to_vec();
        // The long form, as most encoders write it.
        packet.extend([0x81, body.len() as u8 + 2]);
        packet.extend(body);
        let sum = checksum(&packet);
        packet.extend(sum.to_be_bytes());
        packet
    }

    fn one(bytes: &[u8]) -> Result<Packet, InvalidPacket> {
        let all: Vec<_> = packets(bytes).collect();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0]
    }

    #[test]
    fn items_have_the_standards_values() {
        // The examples of ST 0601, item by item.
        let packet = one(&packet_of(&[
            (2, &0x0004_59F4_A6AA_4AA8_u64.to_be_bytes()),
            (5, &[0x71, 0xc2]),
            (6, &[0xfd, 0x3d]),
            (7, &[0x08, 0xb8]),
            (13, &[0x55, 0x95, 0xb6, 0x6d]),
            (14, &[0x5b, 0x53, 0x60, 0xc4]),
            (15, &[0xc2, 0x21]),
            (16, &[0xcd, 0x9c]),
            (17, &[0xd9, 0x17]),
            (18, &[0x72, 0x4a, 0x0a, 0x20]),
            (19, &[0x87, 0xf8, 0x4b, 0x86]),
            (20, &[0x00, 0x00, 0x00, 0x00]),
            (21, &[0x03, 0x83, 0x09, 0x26]),
            (23, &[0xf1, 0x01, 0xa2, 0x29]),
            (24, &[0x14, 0xbc, 0x08, 0x2b]),
            (25, &[0x34, 0xf3]),
            (75, &[0xc2, 0x21]),
            (110, &[1, 2, 3]),
        ]))
        .unwrap();
        let near = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-4 * b.abs().max(1.0);
        assert_eq!(packet.time.unwrap().to_string(), "2008-10-24T00:13:29.913Z");
        assert!(near(packet.platform.0, 159.9744), "{packet:?}");
        assert!(near(packet.platform.1, -0.431_531_7), "{packet:?}");
        assert!(near(packet.platform.2, 3.405_81), "{packet:?}");
        let sensor = packet.sensor.unwrap();
        assert!((sensor.latitude - 60.176_822_966_978_335).abs() < 1e-9, "{packet:?}");
        assert!((sensor.longitude - 128.426_759_042_045_84).abs() < 1e-9, "{packet:?}");
        assert!(near(packet.altitude, 14_190.719_5), "{packet:?}");
        assert!(near(packet.field_of_view.0, 144.571_3), "{packet:?}");
        assert!(near(packet.field_of_view.1, 152.643_6), "{packet:?}");
        assert!(near(packet.relative.0, 160.719_211_474_396), "{packet:?}");
        assert!(near(packet.relative.1, -168.792_324_833_941), "{packet:?}");
        assert!(near(packet.slant_range, 68_590.983_29), "{packet:?}");
        let center = packet.frame_center.unwrap();
        assert!((center.latitude + 10.542_388_633_146_132).abs() < 1e-9, "{packet:?}");
        assert!((center.longitude - 29.157_890_122_923_014).abs() < 1e-9, "{packet:?}");
        assert!(near(packet.frame_center_altitude, 3_216.037), "{packet:?}");
    }

    #[test]
    fn a_value_out_of_range_is_no_value() {
        let packet =
            one(&packet_of(&[(6, &[0x80, 0]), (13, &[0x80, 0, 0, 0]), (14, &[0; 4]), (5, &[1])])).unwrap();
        assert_eq!(packet, Packet::default());
    }

    #[test]
    fn a_wrong_checksum_is_told_and_the_next_packet_is_read() {
        let good = packet_of(&[(5, &[0x40, 0])]);
        let mut bad = good.clone();
        bad[20] ^= 1;
        // An access unit's header before each (ISO 13818-1, metadata_AU_cell).
        let stream =
            [&[0, 0, 0xdf, 0, 30][..], &bad, &[0, 1, 0xdf, 0, 30], &good, &good[..good.len() - 3]].concat();
        let read: Vec<_> = packets(&stream).collect();
        assert_eq!(read.len(), 3);
        assert_eq!((read[0], read[2]), (Err(InvalidPacket::Checksum), Err(InvalidPacket::CutOff)));
        assert!(read[1].is_ok());
    }

    #[test]
    fn angles_of_platform_and_sensor_are_composed() {
        let packet = Packet {
            platform: (Some(90.0), Some(0.0), Some(30.0)),
            relative: (Some(0.0), Some(-90.0), None),
            ..Packet::default()
        };
        let attitude = packet.sample(Duration::ZERO).attitude.unwrap();
        assert!((attitude.pitch + 60.0).abs() < 1e-9, "not −90: {attitude:?}");
        let fixed = Packet { relative: (None, None, None), ..packet };
        assert_eq!(fixed.sample(Duration::ZERO).attitude, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0u8.., 0..300)) {
            let _ = packets(&bytes).count();
        }

        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(0u8.., 0..100)) {
            let mut packet = KEY.to_vec();
            packet.push(body.len() as u8 + 4);
            packet.extend(body);
            packet.extend([1, 2]);
            packet.extend(checksum(&packet).to_be_bytes());
            prop_assert_eq!(packets(&packet).flatten().count(), 1);
        }
    }
}
