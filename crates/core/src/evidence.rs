//! What proves an incident: files, named by their hash. The files themselves live where the node keeps them.

use serde::{Deserialize, Serialize};

use crate::BBox;

/// What a file of evidence shows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceRole {
    /// The frame at the decision, untouched.
    Snapshot,
    /// The same frame with the suspicion drawn on it.
    Annotated,
    /// The place before.
    Before,
    /// The place after, at the decision.
    After,
    /// Video from before the start until after it.
    Clip,
}

/// One file of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EvidenceItem {
    /// What it shows.
    pub role: EvidenceRole,
    /// Path below the node's evidence directory, with `/` (`2026-11-22/INCIDENT/snapshot.jpg`).
    pub path: String,
    /// MIME type.
    pub media_type: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
}

/// What a JPEG's comment begins with that says which part of the view it shows.
const PART: &str = "parapet part ";

/// The JPEG with a comment that it shows only this part of the camera's view: who hides what is private in the view has to
/// know. Bytes that are no JPEG come back as they are.
pub fn with_part(jpeg: &[u8], part: BBox) -> Vec<u8> {
    let text = format!("{PART}{} {} {} {}", part.x_min(), part.y_min(), part.x_max(), part.y_max());
    let Some(after) = segments(jpeg).next().map(|first| match first.marker {
        // The header of JFIF comes first.
        0xe0 => first.end,
        _ => 2,
    }) else {
        return jpeg.to_vec();
    };
    let length = (text.len() + 2) as u16;
    let [high, low] = length.to_be_bytes();
    [&jpeg[..after], &[0xff, 0xfe, high, low], text.as_bytes(), &jpeg[after..]].concat()
}

/// Which part of the camera's view a JPEG shows, if it says so.
pub fn part_of(jpeg: &[u8]) -> Option<BBox> {
    let comments = segments(jpeg).filter(|segment| segment.marker == 0xfe);
    let mut texts = comments.filter_map(|segment| std::str::from_utf8(segment.content).ok());
    let text = texts.find_map(|text| text.strip_prefix(PART))?;
    let numbers: Vec<f32> = text.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    let part = BBox::try_from(<[f32; 4]>::try_from(numbers).ok()?).ok()?;
    (part == part.clamped() && part.width() > 0.0 && part.height() > 0.0).then_some(part)
}

struct Segment<'a> {
    marker: u8,
    content: &'a [u8],
    /// Where the next one begins.
    end: usize,
}

/// The segments of a JPEG before its pixels.
fn segments(jpeg: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut at = if jpeg.starts_with(&[0xff, 0xd8]) { 2 } else { jpeg.len() };
    std::iter::from_fn(move || {
        let [0xff, marker, high, low] = *jpeg.get(at..at + 4)?.first_chunk::<4>()? else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let content = jpeg.get(at + 4..at + 2 + length).filter(|_| marker != 0xda)?;
        at += 2 + length;
        Some(Segment { marker, content, end: at })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Start, header of JFIF, a table, and pixels that look like a comment.
    const JPEG: &[u8] =
        b"\xff\xd8\xff\xe0\x00\x04ab\xff\xdb\x00\x03t\xff\xda\x00\x02\xff\xfe\x00\x0fparapet part ";

    #[test]
    fn a_jpeg_says_which_part_of_the_view_it_shows() {
        let part = BBox::new(0.1, 0.25, 0.7, 1.0).unwrap();
        let told = with_part(JPEG, part);
        assert_eq!(part_of(&told), Some(part));
        assert_eq!((part_of(JPEG), &told[..8]), (None, &JPEG[..8]));
        assert!(told.ends_with(&JPEG[8..]), "nothing else has changed");
    }

    #[test]
    fn what_is_no_jpeg_or_says_nonsense_tells_no_part() {
        let part = BBox::new(0.0, 0.0, 1.0, 1.0).unwrap();
        for bytes in [&b""[..], b"\xff", b"\xff\xd8\xff", b"no jpeg", b"\xff\xd8\xff\xe0\xff\xff"] {
            assert_eq!(part_of(&with_part(bytes, part)), None, "{bytes:?}");
        }
        for text in ["0 0 1", "0 0 1 2", "0.5 0 0.5 1", "NaN 0 1 1", "1 1 0 0"] {
            let comment = format!("{PART}{text}");
            let head = [0xff, 0xd8, 0xff, 0xfe, 0x00, comment.len() as u8 + 2];
            let jpeg = [&head[..], comment.as_bytes()].concat();
            assert_eq!(part_of(&jpeg), None, "{text}");
        }
    }
}
