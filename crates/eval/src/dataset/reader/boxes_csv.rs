//! Lists of boxes by frame, with a header. Columns: `frame` (from 0) or `t_s` (also `seconds`), the edges `xmin`, `ymin`,
//! `xmax`, `ymax` in pixels, a class (`label`, `class` or `coco_id`) and, if there is one, `track`. Others are not read.
//! A time belongs to the frame that is nearest to it; of several times that do, the nearest one is used.

use std::collections::{BTreeMap, BTreeSet};

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

    /// The frame of a line, and where the line's time lies, counted in frames.
    fn frame_of(&self, row: &StringRecord, form: BoxesForm) -> Result<(u64, f64), Fault> {
        if let Some(column) = self.frame {
            let frame = frame_number(whole(field(row, column), "frame")?, 0)?;
            return Ok((frame, frame as f64));
        }
        let column = self.seconds.ok_or_else(|| Fault::new("no frame", "add it"))?;
        let seconds = number(field(row, column), "time")?;
        let rate = form.frames_per_second.ok_or_else(|| {
            Fault::new("times without a frame rate", "number the frames: the video does not tell its rate")
        })?;
        let frame = seconds * rate;
        if !(0.0..9e15).contains(&frame) {
            return Err(Fault::new(format!("no frame lies at {seconds} s"), "times are seconds, 0 or more"));
        }
        Ok((frame.round() as u64, frame))
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
    let mut nearest: BTreeMap<u64, f64> = BTreeMap::new();
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
        let (frame, time) = match columns.frame_of(&row, form) {
            Ok(frame) => frame,
            Err(fault) => {
                problems.add(file.path, line, fault);
                tracks.lost_lines += 1;
                continue;
            }
        };
        // Of two times that are as near to the frame, the earlier line's stays.
        let known = *nearest.entry(frame).or_insert(time);
        let distance = |time: f64| (time - frame as f64).abs();
        if time != known && distance(time) >= distance(known) - 1e-6 {
            continue;
        }
        if time != known {
            nearest.insert(frame, time);
            tracks.frames.remove(&frame);
            things.retain(|(of, _)| *of != frame);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dataset::reader::fixture::with_file, truth::Rect};

    const FORM: BoxesForm = BoxesForm { frames_per_second: Some(8.0), one_thing: true };

    #[test]
    fn frames_or_times_say_where_a_box_belongs() {
        let text = "frame,xmin,ymin,xmax,ymax,coco_id\n0,151,11,512,305,16\n2,144,0,513,306,16\n";
        let (tracks, told) =
            with_file("b.csv", Some((854, 480)), |file, problems| read(text, file, FORM, problems));
        assert!(told.is_empty(), "{told:?}");
        let first = &tracks.frames[&0].boxes[0];
        assert_eq!((first.label.as_str(), first.track), ("dog", Some(1)));
        assert_eq!(first.rect, Rect { x: 151.0, y: 11.0, width: 361.0, height: 294.0 });
        assert_eq!(tracks.frames.keys().copied().collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn of_several_times_the_one_nearest_to_the_frame_counts() {
        // Frame 84 of 8 a second is at 10.5 s; 10.444 and 10.556 are as near.
        for (times, left) in [
            (["10.444", "10.500"], 2.0),
            (["10.500", "10.444"], 1.0),
            (["10.444", "10.556"], 1.0),
            (["10.480", "10.470"], 1.0),
        ] {
            let text = format!(
                "t_s,xmin,ymin,xmax,ymax,label,\"source, of it\"\n{},1,1,5,5,2,x\n{},2,1,5,5,2,x\n",
                times[0], times[1]
            );
            let (tracks, told) = with_file("b.csv", None, |file, problems| read(&text, file, FORM, problems));
            assert!(told.is_empty(), "{told:?}");
            assert_eq!(tracks.frames.keys().copied().collect::<Vec<_>>(), [84], "{times:?}");
            assert_eq!(tracks.frames[&84].boxes.len(), 1, "{times:?}");
            assert_eq!(tracks.frames[&84].boxes[0].rect.x, left, "{times:?}");
        }
    }

    #[test]
    fn each_mistake_is_told_with_its_line() {
        let text = "frame,xmin,ymin,xmax,ymax,label\n0,9,1,5,5,2\n1,1,1,5,5\n2,1,1,5,5,zebra\nx,1,1,5,5,2\n\
                    3,1,1,5,5,2\n3,2,2,5,5,2\n-1,2,2,5,5,2\n4,900,1,950,5,2\n";
        let (tracks, told) =
            with_file("b.csv", Some((854, 480)), |file, problems| read(text, file, FORM, problems));
        assert_eq!(tracks.bad_frames.iter().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(tracks.lost_lines, 2);
        assert_eq!(
            told,
            [
                "b.csv:2: the box has no area: -4 × 4; hint: width and height must be above 0",
                "b.csv:3: 5 fields where 6 belong; hint: give each column of the header a field",
                "b.csv:4: the class \"zebra\" is not in the manifest's class map; hint: add `\"zebra\" = \"…\"` to \
                 [classes], or \"zebra\" to unused_classes",
                "b.csv:5: frame \"x\" is not a whole number; hint: give a whole number",
                "b.csv:7: track 1 is twice in frame 3; hint: give each thing its own track",
                "b.csv:8: frame -1 does not exist; hint: frames are counted from 0",
                "b.csv:9: the box at 900, 1 with 50 × 4 is wholly outside of the 854 × 480 picture; hint: check that \
                 the labels belong to this picture and its size",
            ]
        );
        let (_, told) = with_file("b.csv", None, |file, problems| read("frame,xmin\n", file, FORM, problems));
        assert_eq!(
            told,
            [
                "b.csv:1: no column \"ymin\"; hint: the header needs frame (or t_s), xmin, ymin, xmax, ymax and label \
              (or class, coco_id)"
            ]
        );
    }
}
