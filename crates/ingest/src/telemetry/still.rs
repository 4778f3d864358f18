//! What a drone wrote into a JPEG: EXIF (camera, time, position) and DJI's XMP (heights, gimbal, calibrated lens).
//!
//! Reads the head of the file only; the picture is decoded elsewhere.

use std::{
    io::{self, Read, Seek, SeekFrom},
    time::Duration,
};

use exif::{Exif, In, Tag, Value};
use jiff::{
    civil,
    tz::{Offset, TimeZone},
};
use parapet_core::{
    Timestamp,
    geo::{Attitude, GeoPoint},
};

use super::{Sample, attitude::wrapped, lens};

/// DJI's namespace in XMP.
const DRONE_DJI: &str = "http://www.dji.com/drone-dji/1.0/";
/// How the segments begin that hold the two.
const EXIF_HEADER: &[u8] = b"Exif\0\0";
const XMP_HEADER: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// Files have tens of segments before the picture; this many are not a picture's.
const MAX_SEGMENTS: usize = 1000;

/// What a still says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct StillMetadata {
    /// Pixels across and down, as stored.
    pub size: (u32, u32),
    /// EXIF's `Model`.
    pub model: Option<String>,
    /// What was done to it after the flight, as far as it shows.
    pub edit: Edit,
    /// Time, place and direction; `at` is zero.
    pub sample: Sample,
}

/// What happened to a still after the flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// Nothing that shows.
    None,
    /// A program saved it again.
    Saved,
    /// Windows Photo Viewer saved it, which it does only to turn pictures, and its shape is still the sensor's: turned
    /// by 180°. The attitude is turned with it.
    UpsideDown,
    /// Its shape is not the one that the camera wrote, or EXIF says that it is stored turned or mirrored: the pose does
    /// not fit its pixels.
    Reshaped,
}

/// Why a file is no still.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    /// It is not there or not readable.
    #[error("it cannot be read: {0}; hint: check its permissions and the disk")]
    Read(#[from] io::Error),
    /// It is something else, or ends too early.
    #[error("it is no whole JPEG picture; hint: copy it from the drone again")]
    NotJpeg,
}

/// Reads the head of a JPEG. Times of day without an offset are those of the place, told by `zone`.
///
/// # Errors
/// See [`StillError`]. Missing telemetry is no error.
pub fn read(file: &mut (impl Read + Seek), zone: &TimeZone) -> Result<StillMetadata, StillError> {
    let head = Head::read(file)?;
    let exif = head.exif.and_then(|bytes| {
        let mut reader = exif::Reader::new();
        reader.continue_on_error(true);
        reader.read_raw(bytes).or_else(|e| e.distill_partial_result(|_| {})).ok()
    });
    let tags = Tags { exif: exif.as_ref() };
    let xmp = head.xmp.as_deref().map(Xmp::read).unwrap_or_default();
    let model = tags.text(Tag::Model);
    let width = tags.number(Tag::PixelXDimension).filter(|w| *w >= 1.0).unwrap_or(f64::from(head.size.0));
    let focal = xmp
        .number(&["CalibratedFocalLength"])
        .and_then(|pixels| lens::plausible(pixels / width))
        .or_else(|| model.as_deref().and_then(lens::of_model))
        .or_else(|| lens::of_35mm(tags.number(Tag::FocalLengthIn35mmFilm)?))
        .map(|focal| focal * tags.number(Tag::DigitalZoomRatio).filter(|z| *z > 1.0).unwrap_or(1.0));
    let (latitude, longitude) =
        (xmp.number(&["GpsLatitude"]), xmp.number(&["GpsLongitude", "GpsLongtitude"]));
    let position = latitude.zip(longitude).or_else(|| tags.position());
    let attitude = || {
        Some(Attitude {
            yaw: xmp.number(&["GimbalYawDegree"])?,
            pitch: xmp.number(&["GimbalPitchDegree"])?,
            roll: xmp.number(&["GimbalRollDegree"])?,
        })
    };
    let edit = tags.edit(head.size);
    let attitude = attitude().map(|a| match edit {
        Edit::UpsideDown => Attitude { roll: wrapped(a.roll + 180.0), ..a },
        _ => a,
    });
    Ok(StillMetadata {
        size: head.size,
        edit,
        sample: Sample {
            at: Duration::ZERO,
            recorded_at: tags.time(zone),
            position: position.and_then(|(latitude, longitude)| GeoPoint::new(latitude, longitude).ok()),
            height: xmp.number(&["RelativeAltitude"]),
            altitude: xmp.number(&["AbsoluteAltitude"]).or_else(|| tags.altitude()),
            attitude,
            focal,
        },
        model,
    })
}

/// Whether a JPEG has its end. Decoders fill what was cut off with grey and say nothing, and grey would be a change.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let [0xff, marker, high, low, ..] = *rest {
        let length = usize::from(u16::from_be_bytes([high, low]));
        rest = rest.get(2 + length..).unwrap_or_default();
        if marker == 0xda {
            // In the scan itself 0xff is followed by 0 or a restart marker.
            return rest.windows(2).any(|pair| pair == [0xff, 0xd9]);
        }
    }
    false
}

/// The segments before the picture.
struct Head {
    size: (u32, u32),
    exif: Option<Vec<u8>>,
    xmp: Option<Vec<u8>>,
}

impl Head {
    fn read(file: &mut (impl Read + Seek)) -> Result<Self, StillError> {
        let mut start = [0; 2];
        fill(file, &mut start)?;
        if start != [0xff, 0xd8] {
            return Err(StillError::NotJpeg);
        }
        let (mut exif, mut xmp) = (None, None);
        for _ in 0..MAX_SEGMENTS {
            let mut marker = [0; 4];
            fill(file, &mut marker)?;
            if marker[0] != 0xff {
                return Err(StillError::NotJpeg);
            }
            // The length counts its own two bytes.
            let length = u16::from_be_bytes([marker[2], marker[3]]);
            let length = length.checked_sub(2).ok_or(StillError::NotJpeg)?;
            match marker[1] {
                // Start of frame, but for the tables DHT, JPG and DAC in the same range.
                0xc0..=0xcf if !matches!(marker[1], 0xc4 | 0xc8 | 0xcc) => {
                    let mut frame = [0; 5];
                    fill(file, &mut frame)?;
                    let size = |i| u32::from(u16::from_be_bytes([frame[i], frame[i + 1]]));
                    let size = (size(3), size(1));
                    return if size.0 == 0 || size.1 == 0 {
                        Err(StillError::NotJpeg)
                    } else {
                        Ok(Self { size, exif, xmp })
                    };
                }
                0xe1 => {
                    let mut segment = vec![0; usize::from(length)];
                    fill(file, &mut segment)?;
                    if segment.starts_with(EXIF_HEADER) {
                        exif = exif.or(Some(segment.split_off(EXIF_HEADER.len())));
                    } else if segment.starts_with(XMP_HEADER) {
                        xmp = xmp.or(Some(segment.split_off(XMP_HEADER.len())));
                    }
                }
                0xd9 | 0xda => return Err(StillError::NotJpeg),
                _ => _ = file.seek(SeekFrom::Current(length.into()))?,
            }
        }
        Err(StillError::NotJpeg)
    }
}

/// A file that ends too early is no whole JPEG, not an error of the disk.
fn fill(file: &mut impl Read, bytes: &mut [u8]) -> Result<(), StillError> {
    file.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => StillError::NotJpeg,
        _ => StillError::Read(error),
    })
}

/// EXIF's tags, if there are any.
struct Tags<'a> {
    exif: Option<&'a Exif>,
}

impl Tags<'_> {
    fn value(&self, tag: Tag) -> Option<&Value> {
        Some(&self.exif?.get_field(tag, In::PRIMARY)?.value)
    }

    fn numbers(&self, tag: Tag) -> Option<Vec<f64>> {
        let numbers: Vec<f64> = match self.value(tag)? {
            Value::Rational(all) => all.iter().map(exif::Rational::to_f64).collect(),
            Value::SRational(all) => all.iter().map(exif::SRational::to_f64).collect(),
            Value::Byte(all) => all.iter().map(|n| f64::from(*n)).collect(),
            Value::Short(all) => all.iter().map(|n| f64::from(*n)).collect(),
            Value::Long(all) => all.iter().map(|n| f64::from(*n)).collect(),
            _ => return None,
        };
        numbers.iter().all(|n| n.is_finite()).then_some(numbers)
    }

    fn number(&self, tag: Tag) -> Option<f64> {
        self.numbers(tag)?.first().copied()
    }

    fn text(&self, tag: Tag) -> Option<String> {
        let Value::Ascii(lines) = self.value(tag)? else { return None };
        let text = String::from_utf8_lossy(lines.first()?);
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn edit(&self, size: (u32, u32)) -> Edit {
        let shape = |(width, height): (f64, f64)| width / height;
        let taken = self.number(Tag::PixelXDimension).zip(self.number(Tag::PixelYDimension));
        let stored = shape((f64::from(size.0), f64::from(size.1)));
        let is_reshaped = taken
            .filter(|(width, height)| *width >= 1.0 && *height >= 1.0)
            // Scaling rounds to whole pixels.
            .is_some_and(|taken| (stored / shape(taken) - 1.0).abs() > 0.01);
        if is_reshaped || self.number(Tag::Orientation).is_some_and(|o| o > 1.0) {
            return Edit::Reshaped;
        }
        let program = self.text(Tag::Software).unwrap_or_default();
        if program.contains("Windows Photo Viewer") {
            return if stored > 1.0 { Edit::UpsideDown } else { Edit::Reshaped };
        }
        match (self.text(Tag::DateTime), self.text(Tag::DateTimeOriginal)) {
            (Some(saved), Some(taken)) if saved != taken => Edit::Saved,
            _ => Edit::None,
        }
    }

    /// Latitude and longitude in degrees.
    fn position(&self) -> Option<(f64, f64)> {
        let degrees = |tag, reference, negative: &str| {
            let parts = self.numbers(tag)?;
            let sum = parts.iter().zip([1.0, 60.0, 3600.0]).map(|(part, unit)| part / unit).sum::<f64>();
            let sign = if self.text(reference)?.starts_with(negative) { -1.0 } else { 1.0 };
            Some(sign * sum)
        };
        Some((
            degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, "S")?,
            degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, "W")?,
        ))
    }

    fn altitude(&self) -> Option<f64> {
        let below = self.number(Tag::GPSAltitudeRef) == Some(1.0);
        self.number(Tag::GPSAltitude).map(|meters| if below { -meters } else { meters })
    }

    fn time(&self, zone: &TimeZone) -> Option<Timestamp> {
        let text = self.text(Tag::DateTimeOriginal)?;
        let exif = exif::DateTime::from_ascii(text.as_bytes()).ok()?;
        let small = |n: u8| i8::try_from(n).ok();
        let digits: String = self.text(Tag::SubSecTimeOriginal).unwrap_or_default();
        let digits: String = digits.chars().take_while(char::is_ascii_digit).take(9).collect();
        let nanos = if digits.is_empty() { 0 } else { format!("{digits:0<9}").parse().ok()? };
        let civil = civil::DateTime::new(
            i16::try_from(exif.year).ok()?,
            small(exif.month)?,
            small(exif.day)?,
            small(exif.hour)?,
            small(exif.minute)?,
            small(exif.second)?,
            nanos,
        )
        .ok()?;
        let zone = self.text(Tag::OffsetTimeOriginal).and_then(|o| offset_of(&o)).unwrap_or(zone.clone());
        Some(civil.to_zoned(zone).ok()?.timestamp())
    }
}

/// `+08:00`.
fn offset_of(text: &str) -> Option<TimeZone> {
    let (hours, minutes) = text.split_once(':')?;
    let sign = if hours.starts_with('-') { -1 } else { 1 };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = hours.checked_mul(3600)?.checked_add(sign * minutes.checked_mul(60)?)?;
    Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?))
}

/// DJI's fields of an XMP packet, which are attributes as the drone writes them and elements after some programs.
#[derive(Default)]
struct Xmp(Vec<(String, String)>);

impl Xmp {
    fn read(packet: &[u8]) -> Self {
        let text = String::from_utf8_lossy(packet);
        // Packets are padded, by drones with zeros.
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        let Ok(document) = roxmltree::Document::parse(text) else { return Self::default() };
        let mut fields = Vec::new();
        for node in document.descendants() {
            let own = node.attributes().filter(|a| a.namespace() == Some(DRONE_DJI));
            fields.extend(own.map(|a| (a.name().to_owned(), a.value().to_owned())));
            if node.tag_name().namespace() == Some(DRONE_DJI)
                && let Some(text) = node.text()
            {
                fields.push((node.tag_name().name().to_owned(), text.to_owned()));
            }
        }
        Self(fields)
    }

    fn number(&self, names: &[&str]) -> Option<f64> {
        let (_, text) = self.0.iter().find(|(name, _)| names.contains(&name.as_str()))?;
        text.trim().parse().ok().filter(|n: &f64| n.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// A JPEG's head with these segments of APP1.
    fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 9, 9];
        for segment in segments {
            file.extend([0xff, 0xe1]);
            file.extend((segment.len() as u16 + 2).to_be_bytes());
            file.extend(segment);
        }
        file.extend([0xff, 0xc0, 0, 11, 8, 0x04, 0x65, 0x07, 0xd0, 1, 1, 0x11, 0]);
        file
    }

    fn xmp(body: &str) -> Vec<u8> {
        let text = format!(
            "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
             <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">{body}</rdf:RDF></x:xmpmeta>"
        );
        [XMP_HEADER, text.as_bytes(), &[0; 30]].concat()
    }

    fn exif() -> Vec<u8> {
        exif_with(&[])
    }

    fn exif_with(more: &[exif::Field]) -> Vec<u8> {
        use exif::{Field, Rational, experimental::Writer};
        let ascii = |tag, text: &str| Field {
            tag,
            ifd_num: In::PRIMARY,
            value: Value::Ascii(vec![text.as_bytes().to_vec()]),
        };
        let number = |tag, value| Field { tag, ifd_num: In::PRIMARY, value };
        let ratio = |(num, denom)| Rational { num, denom };
        let fields = [
            ascii(Tag::Model, "FC9999"),
            ascii(Tag::DateTimeOriginal, "2026:03:14 09:15:30"),
            ascii(Tag::SubSecTimeOriginal, "25"),
            number(Tag::FocalLengthIn35mmFilm, Value::Short(vec![24])),
            ascii(Tag::GPSLatitudeRef, "N"),
            number(
                Tag::GPSLatitude,
                Value::Rational([(30, 1), (31, 1), (480_000, 10_000)].map(ratio).to_vec()),
            ),
            ascii(Tag::GPSLongitudeRef, "W"),
            number(Tag::GPSLongitude, Value::Rational([(120, 1), (40, 1), (3600, 100)].map(ratio).to_vec())),
            number(Tag::GPSAltitudeRef, Value::Byte(vec![0])),
            number(Tag::GPSAltitude, Value::Rational(vec![ratio((80_300, 1000))])),
        ];
        let mut writer = Writer::new();
        for field in fields.iter().chain(more) {
            writer.push_field(field);
        }
        let mut bytes = Cursor::new(Vec::new());
        writer.write(&mut bytes, false).unwrap();
        [EXIF_HEADER, &bytes.into_inner()].concat()
    }

    fn read_all(bytes: Vec<u8>) -> Result<StillMetadata, StillError> {
        read(&mut Cursor::new(bytes), &TimeZone::get("Asia/Shanghai").unwrap())
    }

    const AS_DJI_WRITES: &str = "<rdf:Description rdf:about=\"DJI Meta Data\" xmlns:drone-dji=\"http://www.dji.com/drone-dji/1.0/\" \
        drone-dji:AbsoluteAltitude=\"+80.30\" drone-dji:RelativeAltitude=\"+60.00\" drone-dji:GimbalRollDegree=\"+0.10\" \
        drone-dji:GimbalYawDegree=\"-45.00\" drone-dji:GimbalPitchDegree=\"-89.90\"/>";

    #[test]
    fn a_still_has_exif_and_the_drones_own_fields() {
        let still = read_all(jpeg(&[exif(), xmp(AS_DJI_WRITES)])).unwrap();
        assert_eq!(
            (still.size, still.edit, still.model.as_deref()),
            ((2000, 1125), Edit::None, Some("FC9999"))
        );
        let sample = still.sample;
        let place = sample.position.unwrap();
        assert!((place.latitude - 30.53).abs() < 1e-9 && (place.longitude + 120.676_666_667).abs() < 1e-9);
        assert_eq!((sample.height, sample.altitude), (Some(60.0), Some(80.3)));
        assert_eq!(sample.attitude, Some(Attitude { yaw: -45.0, pitch: -89.9, roll: 0.1 }));
        assert_eq!(sample.focal, Some(24.0 / 36.0));
        assert_eq!(sample.recorded_at, Some("2026-03-14T01:15:30.25Z".parse().unwrap()));
    }

    #[test]
    fn fields_may_be_elements_and_the_drones_position_and_lens_are_finer() {
        let body = "<rdf:Description xmlns:d=\"http://www.dji.com/drone-dji/1.0/\"><d:RelativeAltitude>+39.80</d:RelativeAltitude>\
            <d:GpsLatitude>30.5312345</d:GpsLatitude><d:GpsLongtitude>120.6712345</d:GpsLongtitude>\
            <d:CalibratedFocalLength>1420.0</d:CalibratedFocalLength></rdf:Description>";
        let sample = read_all(jpeg(&[xmp(body), exif()])).unwrap().sample;
        assert_eq!((sample.height, sample.attitude), (Some(39.8), None));
        assert_eq!(sample.position, Some(GeoPoint { latitude: 30.531_234_5, longitude: 120.671_234_5 }));
        assert_eq!(sample.focal, Some(0.71));
    }

    #[test]
    fn what_programs_did_to_a_still_shows() {
        use exif::Field;
        let text = |tag, text: &str| Field {
            tag,
            ifd_num: In::PRIMARY,
            value: Value::Ascii(vec![text.as_bytes().to_vec()]),
        };
        let number = |tag, n| Field { tag, ifd_num: In::PRIMARY, value: Value::Short(vec![n]) };
        let edit = |more: &[Field]| read_all(jpeg(&[exif_with(more), xmp(AS_DJI_WRITES)])).unwrap();
        let viewer = text(Tag::Software, "Microsoft Windows Photo Viewer 10.0.10240.16384");
        let turned = edit(&[viewer]);
        assert_eq!(turned.edit, Edit::UpsideDown);
        assert!((turned.sample.attitude.unwrap().roll + 179.9).abs() < 1e-9);
        let scaled = [number(Tag::PixelXDimension, 4000), number(Tag::PixelYDimension, 2250)];
        assert_eq!(edit(&scaled).edit, Edit::None);
        let cropped = [number(Tag::PixelXDimension, 4000), number(Tag::PixelYDimension, 3000)];
        assert_eq!(edit(&cropped).edit, Edit::Reshaped);
        assert_eq!(edit(&[number(Tag::Orientation, 6)]).edit, Edit::Reshaped);
        assert_eq!(edit(&[text(Tag::DateTime, "2026:03:15 20:00:00")]).edit, Edit::Saved);
    }

    #[test]
    fn a_picture_without_telemetry_says_nothing() {
        let still = read_all(jpeg(&[])).unwrap();
        assert_eq!(still.sample, Sample::default());
        let broken = read_all(jpeg(&[xmp("<rdf:Description"), [EXIF_HEADER, b"II*\0"].concat()])).unwrap();
        assert_eq!(broken.sample, Sample::default());
    }

    #[test]
    fn what_is_no_jpeg_is_refused() {
        for bad in [
            b"".to_vec(),
            b"GIF89a....".to_vec(),
            jpeg(&[])[..12].to_vec(),
            vec![0xff, 0xd8, 0xff, 0xd9, 0, 2],
        ] {
            assert!(matches!(read_all(bad), Err(StillError::NotJpeg)));
        }
    }

    proptest! {
        #[test]
        fn any_segments_are_read_or_refused(at in 0usize..600, bytes in proptest::collection::vec(0u8.., 0..40)) {
            let mut file = jpeg(&[exif(), xmp(AS_DJI_WRITES)]);
            let at = at.min(file.len());
            let end = (at + bytes.len()).min(file.len());
            file.splice(at..end, bytes);
            let _ = read_all(file);
        }

        #[test]
        fn any_bytes_have_an_end_or_not(bytes in proptest::collection::vec(0u8.., 0..60)) {
            let _ = is_whole(&[&jpeg(&[])[..], &bytes].concat());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0u8.., 0..200)) {
            let _ = read_all([&[0xff, 0xd8][..], &bytes].concat());
            let _ = read_all(jpeg(&[[EXIF_HEADER, b"II*\0\x08\0\0\0", &bytes].concat(), [XMP_HEADER, &bytes].concat()]));
        }
    }
}
