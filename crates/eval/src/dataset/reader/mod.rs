//! Readers of label files, one file each. A reader takes text and gives truth; what it cannot read it tells as a
//! problem with its line, and goes on.

pub mod boxes_csv;
pub mod coco;
pub mod events;
#[cfg(test)]
pub(crate) mod fixture;
pub mod masks;
pub mod mot;
#[cfg(test)]
mod properties;
pub mod scenario;
pub mod uavdt;
pub mod visdrone;
pub mod voc;
pub mod yolo;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    classes::{ClassMap, Meaning},
    problem::{Fault, Problems},
};
use crate::truth::{FoundBox, Rect, TruthBox};

/// What a reader needs to know about a label file.
#[derive(Debug, Clone, Copy)]
pub struct LabelFile<'a> {
    /// Its path, for problems.
    pub path: &'a Path,
    /// What its class ids mean.
    pub classes: &'a ClassMap,
    /// Size of its pictures, where known.
    pub size: Option<(u32, u32)>,
}

/// Labels of one picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Labels {
    /// Objects.
    pub boxes: Vec<TruthBox>,
    /// Parts in which nothing is labelled.
    pub regions: Vec<Rect>,
}

/// Labels of a sequence.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tracks {
    /// By the number of the frame, from 0. Only frames that the file names.
    pub frames: BTreeMap<u64, Labels>,
    /// Frames with a mistake: they cannot be scored.
    pub bad_frames: BTreeSet<u64>,
    /// Lines of which not even the frame can be told: with one of these, no frame can be trusted.
    pub lost_lines: usize,
}

/// What an outside program found in a sequence: by the number of the frame, from 0.
pub type FoundFrames = BTreeMap<u64, Vec<FoundBox>>;

impl Labels {
    /// Adds an object as its meaning says.
    pub(crate) fn add(&mut self, meaning: Meaning, rect: Rect, track: Option<u64>, ignored: bool) {
        let (label, ignored) = match meaning {
            Meaning::Class(label) => (label, ignored),
            Meaning::Ignored(label) => (label, true),
            Meaning::Region => return self.regions.push(rect),
            Meaning::Unused => return,
        };
        self.boxes.push(TruthBox { label, rect, area: rect.area(), track, crowd: false, ignored });
    }
}

/// A box between two corners.
pub(crate) fn between(x0: f64, y0: f64, x1: f64, y1: f64) -> Rect {
    Rect { x: x0, y: y0, width: x1 - x0, height: y1 - y0 }
}

/// Refuses boxes that cannot be: not finite, without area, or wholly outside of the picture.
pub(crate) fn check_rect(rect: Rect, size: Option<(u32, u32)>) -> Result<Rect, Fault> {
    let Rect { x, y, width, height } = rect;
    if ![x, y, width, height].iter().all(|v| v.is_finite()) {
        return Err(Fault::new("the box is not finite", "give numbers"));
    }
    if width <= 0.0 || height <= 0.0 {
        return Err(Fault::new(
            format!("the box has no area: {width} × {height}"),
            "width and height must be above 0",
        ));
    }
    if let Some((w, h)) = size
        && (x >= f64::from(w) || y >= f64::from(h) || x + width <= 0.0 || y + height <= 0.0)
    {
        return Err(Fault::new(
            format!("the box at {x}, {y} with {width} × {height} is wholly outside of the {w} × {h} picture"),
            "check that the labels belong to this picture and its size",
        ));
    }
    Ok(rect)
}

/// A text of a file: without byte order mark; bytes that are no UTF-8 become marks that no number has.
pub(crate) fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned()
}

/// A line of a text file, cut into its fields.
pub(crate) struct Row<'a> {
    /// Its number from 1.
    pub(crate) line: usize,
    fields: Vec<&'a str>,
}

/// Lines that are not blank, cut at `separator`. A comma at the end of a line adds no field.
pub(crate) fn rows(text: &str, separator: Separator) -> impl Iterator<Item = Row<'_>> {
    text.lines().enumerate().filter_map(move |(index, line)| {
        let line = line.trim();
        let fields = match separator {
            Separator::Space => line.split_whitespace().collect(),
            Separator::Comma => line.trim_end_matches(',').split(',').map(str::trim).collect(),
        };
        (!line.is_empty()).then_some(Row { line: index + 1, fields })
    })
}

/// What is between fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separator {
    Space,
    Comma,
}

impl<'a> Row<'a> {
    /// Refuses a wrong number of fields.
    pub(crate) fn columns(&self, allowed: &[usize], form: &str) -> Result<(), Fault> {
        let count = self.fields.len();
        if allowed.contains(&count) {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        Err(Fault::new(
            format!("{count} field{plural} where {} belong", allowed.join(" or ")),
            format!("a line is `{form}`"),
        ))
    }

    pub(crate) fn text(&self, index: usize) -> &'a str {
        self.fields.get(index).copied().unwrap_or_default()
    }

    /// A finite number.
    pub(crate) fn number(&self, index: usize, name: &str) -> Result<f64, Fault> {
        number(self.text(index), name)
    }

    /// A whole number; `3.0` is one.
    pub(crate) fn whole(&self, index: usize, name: &str) -> Result<i64, Fault> {
        whole(self.text(index), name)
    }

    /// A box as left, top, width, height in four fields from `index`, checked.
    pub(crate) fn rect(&self, index: usize, size: Option<(u32, u32)>) -> Result<Rect, Fault> {
        let rect = Rect {
            x: self.number(index, "left")?,
            y: self.number(index + 1, "top")?,
            width: self.number(index + 2, "width")?,
            height: self.number(index + 3, "height")?,
        };
        check_rect(rect, size)
    }
}

pub(crate) fn number(text: &str, name: &str) -> Result<f64, Fault> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(Fault::new(format!("{name} \"{text}\" is not a number"), "give a finite number")),
    }
}

pub(crate) fn whole(text: &str, name: &str) -> Result<i64, Fault> {
    let fault = || Fault::new(format!("{name} \"{text}\" is not a whole number"), "give a whole number");
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    match text.parse::<f64>() {
        Ok(value) if value.fract() == 0.0 && value.abs() < 9e15 => Ok(value as i64),
        _ => Err(fault()),
    }
}

/// A frame number as written, counted from `first`, as one from 0.
pub(crate) fn frame_number(written: i64, first: i64) -> Result<u64, Fault> {
    written.checked_sub(first).and_then(|number| u64::try_from(number).ok()).ok_or_else(|| {
        Fault::new(format!("frame {written} does not exist"), format!("frames are counted from {first}"))
    })
}

/// Goes over the lines of a sequence's label file: `frame_of` tells the frame of a line, `read` puts it there. Lines that
/// fail are told, and their frame is marked as bad.
pub(crate) fn read_tracks(
    text: &str,
    file: &LabelFile<'_>,
    problems: &mut Problems,
    first_frame: i64,
    mut read: impl FnMut(&Row<'_>, &mut Labels) -> Result<(), Fault>,
) -> Tracks {
    let mut tracks = Tracks::default();
    for row in rows(text, Separator::Comma) {
        let frame = match row.whole(0, "frame").and_then(|n| frame_number(n, first_frame)) {
            Ok(frame) => frame,
            Err(fault) => {
                problems.add(file.path, row.line, fault);
                tracks.lost_lines += 1;
                continue;
            }
        };
        if let Err(fault) = read(&row, tracks.frames.entry(frame).or_default()) {
            problems.add(file.path, row.line, fault);
            tracks.bad_frames.insert(frame);
        }
    }
    refuse_twins(&mut tracks, file, problems);
    tracks
}

/// A track cannot be at two places in one frame.
fn refuse_twins(tracks: &mut Tracks, file: &LabelFile<'_>, problems: &mut Problems) {
    for (frame, labels) in &tracks.frames {
        let mut seen = BTreeSet::new();
        for track in labels.boxes.iter().filter_map(|b| b.track) {
            if !seen.insert(track) {
                let what = format!("track {track} is twice in frame {frame} (from 0)");
                problems.add(file.path, None, Fault::new(what, "give each thing its own track"));
                tracks.bad_frames.insert(*frame);
            }
        }
    }
}
