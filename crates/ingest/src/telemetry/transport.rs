//! The metadata stream of an MPEG transport stream (ISO 13818-1, MISB ST 1402): asynchronous (private data) and
//! synchronous (metadata access units), which GStreamer 1.22 does not hand out. Finds the buffers and their times;
//! what is in them is `klv`'s.

use std::{
    collections::{HashMap, HashSet},
    io::{self, Read},
    time::Duration,
};

const SYNC: u8 = 0x47;
const PACKET: usize = 188;
/// From packet to packet: as sent, with a time before each (Blu-ray and cameras), with error correction after each.
const SPACINGS: [usize; 3] = [PACKET, 192, 204];
/// Of descriptors that say "key, length, value by SMPTE".
const KLVA: &[u8] = b"KLVA";
/// Times count 90,000 a second in 33 bits.
const CLOCK: f64 = 90_000.0;
const WRAP: i64 = 1 << 33;
/// No metadata packet is as long.
const MAX_UNIT: usize = 1 << 20;

/// Buffers of the metadata streams, each with its time after the first picture that is shown.
pub(crate) fn read(mut from: impl Read) -> io::Result<Vec<(Duration, Vec<u8>)>> {
    let mut demuxer = Demuxer::new();
    let mut buffer = Vec::new();
    loop {
        let more = from.by_ref().take(1 << 16).read_to_end(&mut buffer)?;
        let used = demuxer.take(&buffer, more == 0);
        buffer.drain(..used);
        if more == 0 {
            return Ok(demuxer.finish());
        }
    }
}

struct Demuxer {
    /// From packet to packet, as it was last.
    spacing: usize,
    /// Streams that carry program maps, metadata, and pictures, by their ids.
    maps: HashMap<u16, Vec<u8>>,
    associations: Vec<u8>,
    metadata: HashMap<u16, Unit>,
    pictures: HashSet<u16>,
    /// Time of the first picture that came, and of the earliest and the newest after it, in ticks.
    first: Option<i64>,
    earliest: i64,
    newest: i64,
    /// Ticks after the first picture, and what came.
    units: Vec<(i64, Vec<u8>)>,
}

/// A packetized elementary stream's packet that is being put together.
#[derive(Default)]
struct Unit {
    bytes: Vec<u8>,
    /// Newest picture when it began.
    beside: i64,
}

impl Demuxer {
    fn new() -> Self {
        Self {
            spacing: PACKET,
            maps: HashMap::new(),
            associations: Vec::new(),
            metadata: HashMap::new(),
            pictures: HashSet::new(),
            first: None,
            earliest: 0,
            newest: 0,
            units: Vec::new(),
        }
    }

    /// Takes whole packets from the front; gives how many bytes are done with. `last`: no more will come.
    fn take(&mut self, bytes: &[u8], last: bool) -> usize {
        let mut at = 0;
        while let Some(packet) = bytes.get(at..at + PACKET) {
            if !last && bytes.len() <= at + SPACINGS[2] {
                break;
            }
            // Any byte may look like the beginning of a packet; it is one if the next stands where it must.
            let follows = |n: &usize| bytes.get(at + n) == Some(&SYNC);
            let spacing = [self.spacing].into_iter().chain(SPACINGS).find(follows);
            let ends = bytes.len() <= at + SPACINGS[2];
            if packet[0] == SYNC && (spacing.is_some() || ends) {
                self.packet(packet);
                self.spacing = spacing.unwrap_or(self.spacing);
                at += self.spacing;
            } else {
                at += 1;
            }
        }
        at.min(bytes.len())
    }

    fn packet(&mut self, packet: &[u8]) {
        let id = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        let (starts, damaged) = (packet[1] & 0x40 != 0, packet[1] & 0x80 != 0);
        let payload = match packet[3] >> 4 & 3 {
            1 => packet.get(4..),
            3 => packet.get(5 + usize::from(packet[4])..),
            _ => None,
        };
        let Some(payload) = payload.filter(|_| !damaged) else { return };
        if id == 0 {
            if let Some(section) = section(&mut self.associations, payload, starts) {
                // Programs of four bytes after eight of head; the last four are the checksum.
                let body = section.get(8..section.len().saturating_sub(4)).unwrap_or_default();
                for program in body.chunks_exact(4).filter(|p| p[..2] != [0, 0]) {
                    self.maps.entry(u16::from_be_bytes([program[2] & 0x1f, program[3]])).or_default();
                }
            }
        } else if let Some(kept) = self.maps.get_mut(&id) {
            if let Some(section) = section(kept, payload, starts) {
                self.map(&section);
            }
        } else if self.pictures.contains(&id) {
            if starts && let Some(time) = time_of(payload) {
                let first = *self.first.get_or_insert(time);
                self.newest = since(first, time);
                self.earliest = self.earliest.min(self.newest);
            }
        } else if self.metadata.contains_key(&id) {
            self.metadata_payload(id, payload, starts);
        }
    }

    /// Notes what a program map says about its streams.
    fn map(&mut self, section: &[u8]) {
        let length = |at: usize| {
            Some(usize::from(u16::from_be_bytes([section.get(at)? & 0x0f, *section.get(at + 1)?])))
        };
        let end = section.len().saturating_sub(4);
        let Some(mut at) = length(10).map(|about| 12 + about) else { return };
        while at + 5 <= end {
            let (kind, id) = (section[at], u16::from_be_bytes([section[at + 1] & 0x1f, section[at + 2]]));
            let Some(about) = length(at + 3) else { return };
            let descriptors = section.get(at + 5..(at + 5 + about).min(end)).unwrap_or_default();
            match kind {
                // MPEG-1, MPEG-2, MPEG-4, H.264, H.265.
                0x01 | 0x02 | 0x10 | 0x1b | 0x24 => {
                    self.pictures.insert(id);
                }
                // Private data and metadata access units.
                0x06 | 0x15 if descriptors.windows(KLVA.len()).any(|w| w == KLVA) => {
                    self.metadata.entry(id).or_default();
                }
                _ => {}
            }
            at += 5 + about;
        }
    }

    fn metadata_payload(&mut self, id: u16, payload: &[u8], starts: bool) {
        let newest = self.newest;
        let Some(unit) = self.metadata.get_mut(&id) else { return };
        let whole = starts.then(|| std::mem::replace(unit, Unit { bytes: Vec::new(), beside: newest }));
        if unit.bytes.len() + payload.len() <= MAX_UNIT && (starts || !unit.bytes.is_empty()) {
            unit.bytes.extend_from_slice(payload);
        }
        if let Some(whole) = whole {
            self.keep(&whole);
        }
    }

    fn keep(&mut self, unit: &Unit) {
        let bytes = &unit.bytes;
        let Some(start) = bytes.get(8).map(|head| 9 + usize::from(*head)) else { return };
        let Some(payload) = bytes.get(start..).filter(|p| !p.is_empty()) else { return };
        // Without a time of its own it belongs to the picture that came before it.
        let own = time_of(bytes).zip(self.first).map(|(time, first)| since(first, time));
        self.units.push((own.unwrap_or(unit.beside), payload.to_vec()));
    }

    fn finish(mut self) -> Vec<(Duration, Vec<u8>)> {
        for unit in std::mem::take(&mut self.metadata).into_values() {
            self.keep(&unit);
        }
        let earliest = self.earliest;
        let after = |ticks: i64| Duration::from_secs_f64((ticks - earliest).max(0) as f64 / CLOCK);
        self.units.into_iter().map(|(ticks, bytes)| (after(ticks), bytes)).collect()
    }
}

/// Ticks from one time to another, across the end of the clock's range.
fn since(first: i64, time: i64) -> i64 {
    (time - first + WRAP / 2).rem_euclid(WRAP) - WRAP / 2
}

/// The presentation time at the head of a packetized elementary stream's packet.
fn time_of(pes: &[u8]) -> Option<i64> {
    let head = pes.get(..14)?;
    if head[..3] != [0, 0, 1] || head[7] & 0x80 == 0 {
        return None;
    }
    let [a, b, c, d, e] = [9, 10, 11, 12, 13].map(|i| i64::from(head[i]));
    Some((a & 0x0e) << 29 | b << 22 | (c & 0xfe) << 14 | d << 7 | e >> 1)
}

/// Puts a table's section together; gives it once it is whole.
fn section(kept: &mut Vec<u8>, payload: &[u8], starts: bool) -> Option<Vec<u8>> {
    let mut payload = payload;
    if starts {
        // What stands before the pointer's place belongs to the section before; tables repeat, so it may be lost.
        payload = payload.get(1 + usize::from(*payload.first()?)..)?;
        kept.clear();
    } else if kept.is_empty() {
        return None;
    }
    kept.extend_from_slice(payload);
    let length = 3 + usize::from(u16::from_be_bytes([kept.get(1)? & 0x0f, *kept.get(2)?]));
    let whole = kept.get(..length).map(<[u8]>::to_vec);
    if whole.is_some() || kept.len() > 4096 {
        kept.clear();
    }
    whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(id: u16, starts: bool, payload: &[u8]) -> Vec<u8> {
        let [high, low] = id.to_be_bytes();
        let mut packet = vec![SYNC, high | if starts { 0x40 } else { 0 }, low, 0x30];
        // Stuffing in the adaptation field, as multiplexers do it.
        let stuffing = PACKET - 5 - payload.len();
        packet.push(stuffing as u8);
        packet.extend(std::iter::repeat_n(0xff, stuffing));
        packet.extend(payload);
        packet
    }

    fn table(body: &[u8]) -> Vec<u8> {
        let mut section = vec![0, 2, 0xb0, body.len() as u8 + 4];
        section.extend(body);
        section.extend([0; 4]);
        section
    }

    /// A program with pictures at 65 and metadata of this type and descriptors at 66.
    fn tables(kind: u8, descriptors: &[u8]) -> Vec<u8> {
        let associations = table(&[0, 1, 0xc1, 0, 0, 0, 1, 0xe0, 32]);
        let mut map =
            vec![0, 1, 0xc1, 0, 0, 0xe0, 65, 0xf0, 0, 0x1b, 0xe0, 65, 0xf0, 0, kind, 0xe0, 66, 0xf0];
        map.push(descriptors.len() as u8);
        map.extend(descriptors);
        [packet(0, true, &associations), packet(32, true, &table(&map))].concat()
    }

    fn pes(ticks: Option<i64>, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 1, 0xfc, 0, 0, 0x80];
        match ticks {
            Some(t) => {
                let part = |shift: u32| (t >> shift) as u8;
                bytes.extend([
                    0x80,
                    5,
                    0x21 | part(29) & 0x0e,
                    part(22),
                    1 | part(14) & 0xfe,
                    part(7),
                    1 | part(0) << 1,
                ]);
            }
            None => bytes.extend([0, 0]),
        }
        bytes.extend(payload);
        bytes
    }

    fn seconds(read: &[(Duration, Vec<u8>)]) -> Vec<f64> {
        read.iter().map(|(at, _)| (at.as_secs_f64() * 100.0).round() / 100.0).collect()
    }

    const REGISTRATION: &[u8] = b"\x05\x04KLVA";
    const METADATA: &[u8] = b"\x26\x09\x01\x00\xffKLVA\x00\x0f";

    #[test]
    fn both_kinds_of_metadata_streams_are_found() {
        for (kind, descriptors) in [(0x06, REGISTRATION), (0x15, METADATA)] {
            let long: Vec<u8> = (0..=255).cycle().take(300).collect();
            let second = pes(Some(90_000 * 3), &long);
            let stream = [
                packet(65, true, &pes(Some(0), b"before the tables")),
                tables(kind, descriptors),
                packet(65, true, &pes(Some(90_000), b"picture")),
                // Shown before the first that came.
                packet(65, true, &pes(Some(90_000 - 3600), b"picture")),
                packet(66, true, &pes(Some(90_000), b"one")),
                packet(66, true, &second[..180]),
                packet(66, false, &second[180..]),
                packet(65, true, &pes(Some(90_000 * 2), b"picture")),
                packet(66, true, &pes(None, b"no time")),
            ]
            .concat();
            let found = read(&stream[..]).unwrap();
            assert_eq!(seconds(&found), [0.04, 2.04, 1.04]);
            assert_eq!(
                (found[0].1.as_slice(), &found[1].1, found[2].1.as_slice()),
                (&b"one"[..], &long, &b"no time"[..])
            );
        }
    }

    #[test]
    fn other_private_data_is_left_alone() {
        let stream = [tables(0x06, b"\x05\x04AC-3"), packet(66, true, &pes(Some(0), b"sound"))].concat();
        assert!(read(&stream[..]).unwrap().is_empty());
    }

    #[test]
    fn times_go_on_when_the_clock_begins_anew() {
        let stream = [
            tables(0x06, REGISTRATION),
            packet(65, true, &pes(Some(WRAP - 45_000), b"picture")),
            packet(66, true, &pes(Some(45_000), b"after")),
        ]
        .concat();
        assert_eq!(seconds(&read(&stream[..]).unwrap()), [1.0]);
    }

    #[test]
    fn a_reader_that_gives_little_at_a_time_gives_the_same() {
        struct Slowly<'a>(&'a [u8]);
        impl Read for Slowly<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let n = into.len().min(7);
                self.0.read(&mut into[..n])
            }
        }
        let stream = [
            b"garbage".to_vec(),
            tables(0x15, METADATA),
            packet(65, true, &pes(Some(0), b"picture")),
            packet(66, true, &pes(Some(9_000), b"one")),
        ]
        .concat();
        assert_eq!(read(Slowly(&stream)).unwrap(), read(&stream[..]).unwrap());
        // With four bytes before each packet, one of which looks like the beginning of one.
        let spaced: Vec<u8> = stream[7..]
            .chunks(PACKET)
            .enumerate()
            .flat_map(|(n, packet)| [&[if n == 1 { SYNC } else { 9 }, n as u8, 7, 7], packet].concat())
            .collect();
        assert_eq!(read(&spaced[..]).unwrap(), read(&stream[..]).unwrap());
        assert_eq!(seconds(&read(&stream[..]).unwrap()), [0.1]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(at in 0usize..1200, bytes in proptest::collection::vec(0u8.., 0..60)) {
            let mut stream = [
                tables(0x15, METADATA),
                packet(65, true, &pes(Some(0), b"picture")),
                packet(66, true, &pes(Some(9_000), b"one")),
                packet(66, false, b"more"),
            ].concat();
            let at = at.min(stream.len());
            let end = (at + bytes.len()).min(stream.len());
            stream.splice(at..end, bytes);
            prop_assert!(read(&stream[..]).is_ok());
        }
    }
}
