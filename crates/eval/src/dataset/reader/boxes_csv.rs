//! Lists of boxes by frame, with a header. Columns: `frame` (from 0) or `t_s` (also `seconds`), the edges `xmin`, `ymin`,
//! `xmax`, `ymax` in pixels, a class (`label`, `class` or `coco_id`) and, if there is one, `track`. Others are not read.

use std::collections::BTreeSet;

use csv::StringRecord;

use super::{LabelFile, Tracks, between, check_rect, frame_number, mot::track_of, number, whole};
use crate::dataset::problem::{Fault, Problems};

/// How a list is to be understood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxesForm {
    /// Frames a second, to turn seconds into frames.
    pub frames_per_second: Option<f64>,
    /// All boxes are of one thing: track 1.
    pub one_thing: bool,
}

struct Columns {
    frame: Option<usize>,
    seconds: Option<usize>,
    edges: [usize; 4],
    class: usize,
    track: Option<usize>,
}

const HEADER: &str = "frame (or t_s), xmin, ymin, xmax, ymax and label (or class, coco_id)";

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, Fault> {
        let find = |names: &[&str]| header.iter().position(|name| names.contains(&name.trim()));
        let need = |names: &[&str]| {
            find(names).ok_or_else(|| {
                Fault::new(
                    format!("no column \"{}\"", names.join("\" or \"")),
                    format!("the header needs {HEADER}"),
                )
            })
        };
        let (frame, seconds) = (find(&["frame"]), find(&["t_s", "seconds"]));
        if frame.is_none() {
            need(&["frame", "t_s", "seconds"])?;
        }
        Ok(Self {
            frame,
            seconds,
            edges: [need(&["xmin"])?, need(&["ymin"])?, need(&["xmax"])?, need(&["ymax"])?],
            class: need(&["label", "class", "coco_id"])?,
            track: find(&["track"]),
        })
    }

    fn frame_of(&self, row: &StringRecord, form: BoxesForm) -> Result<u64, Fault> {
        if let Some(column) = self.frame {
            return frame_number(whole(field(row, column), "frame")?, 0);
        }
        let column = self.seconds.ok_or_else(|| Fault::new("no frame", "add it"))?;
        let seconds = number(field(row, column), "time")?;
        let rate = form.frames_per_second.ok_or_else(|| {
            Fault::new("times without a frame rate", "number the frames: the video does not tell its rate")
        })?;
        let frame = seconds * rate;
        if seconds < 0.0 || (frame - frame.round()).abs() > 0.25 {
            return Err(Fault::new(
                format!("no frame lies at {seconds} s"),
                format!("the video has {rate:.3} frames a second"),
            ));
        }
        Ok(frame.round() as u64)
    }
}

fn field(row: &StringRecord, column: usize) -> &str {
    row.get(column).unwrap_or_default().trim()
}

/// Reads a list.
pub fn read(text: &str, file: &LabelFile<'_>, form: BoxesForm, problems: &mut Problems) -> Tracks {
    let mut tracks = Tracks::default();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let columns = match reader.headers().map_err(|e| csv_fault(&e)).and_then(Columns::of) {
        Ok(columns) => columns,
        Err(fault) => {
            problems.add(file.path, 1, fault);
            tracks.lost_lines += 1;
            return tracks;
        }
    };
    let width = reader.headers().map_or(0, StringRecord::len);
    let mut things = BTreeSet::new();
    for row in reader.records() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                problems.add(file.path, error.position().map(line_of), csv_fault(&error));
                tracks.lost_lines += 1;
                continue;
            }
        };
        let line = row.position().map(line_of);
        let frame = match columns.frame_of(&row, form) {
            Ok(frame) => frame,
            Err(fault) => {
                problems.add(file.path, line, fault);
                tracks.lost_lines += 1;
                continue;
            }
        };
        let mut read = || {
            if row.len() != width {
                return Err(Fault::new(
                    format!("{} fields where {width} belong", row.len()),
                    "give each column of the header a field",
                ));
            }
            let mut edges = [0.0; 4];
            for ((edge, column), name) in
                edges.iter_mut().zip(columns.edges).zip(["xmin", "ymin", "xmax", "ymax"])
            {
                *edge = number(field(&row, column), name)?;
            }
            let [x0, y0, x1, y1] = edges;
            let rect = check_rect(between(x0, y0, x1, y1), file.size)?;
            let meaning = file.classes.meaning(field(&row, columns.class))?;
            let track = match columns.track.map(|column| field(&row, column)).filter(|text| !text.is_empty())
            {
                Some(text) => Some(track_of(whole(text, "track")?)?),
                None => form.one_thing.then_some(1),
            };
            if let Some(track) = track
                && !things.insert((frame, track))
            {
                return Err(Fault::new(
                    format!("track {track} is twice in frame {frame}"),
                    "give each thing its own track",
                ));
            }
            tracks.frames.entry(frame).or_default().add(meaning, rect, track, false);
            Ok(())
        };
        if let Err(fault) = read() {
            problems.add(file.path, line, fault);
            tracks.bad_frames.insert(frame);
        }
    }
    tracks
}

pub(super) fn line_of(position: &csv::Position) -> usize {
    position.line() as usize
}

pub(super) fn csv_fault(error: &csv::Error) -> Fault {
    Fault::new(format!("not a list: {error}"), "save it as UTF-8 text with a header")
}
