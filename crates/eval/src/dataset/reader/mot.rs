//! MOT Challenge text (Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", arXiv 1603.00831; Dendorfer et al.,
//! arXiv 1906.04567): ground truth, results, and `seqinfo.ini`. Frames are counted from 1 in the files and from 0 here.
//! Coordinates are taken as they stand, as `TrackEval` does.

use std::path::Path;

use parapet_core::Label;

use super::{FoundFrames, LabelFile, Separator, Tracks, frame_number, read_tracks, rows};
use crate::{
    dataset::problem::{Fault, Problems},
    truth::FoundBox,
};

const TRUTH_FORM: &str = "frame,id,left,top,width,height,considered,class,visibility[,…]";

/// Reads `gt.txt`: 9 columns, or 10 of which the last ones may be -1. A 0 in the seventh column means ignored. A class of
/// -1 (2D MOT 2015, which knows only pedestrians) is class 1.
pub fn read(text: &str, file: &LabelFile<'_>, problems: &mut Problems) -> Tracks {
    read_tracks(text, file, problems, 1, |row, labels| {
        row.columns(&[9, 10], TRUTH_FORM)?;
        let track = track_of(row.whole(1, "id")?)?;
        // MOT's boxes reach out of the picture on purpose, some wholly: people are labelled until they have left.
        let rect = row.rect(2, None)?;
        let considered = row.number(6, "considered")? != 0.0;
        let class = match row.whole(7, "class")? {
            -1 => 1,
            class => class,
        };
        row.number(8, "visibility")?;
        labels.add(file.classes.meaning(&class.to_string())?, rect, Some(track), !considered);
        Ok(())
    })
}

pub(super) fn track_of(id: i64) -> Result<u64, Fault> {
    u64::try_from(id).map_err(|_| Fault::new(format!("id {id} is below 0"), "tracks are counted from 0 or 1"))
}

/// Reads a result file of a tracker (or, with ids of -1, of a detector): `frame,id,left,top,width,height,score` and up to
/// three columns that are not read. All boxes are of the class `label`: the files do not tell.
pub fn read_found(text: &str, path: &Path, label: &Label, problems: &mut Problems) -> FoundFrames {
    let mut found = FoundFrames::new();
    for row in rows(text, Separator::Comma) {
        let read = || -> Result<(u64, FoundBox), Fault> {
            row.columns(&[7, 8, 9, 10], "frame,id,left,top,width,height,score[,-1,-1,-1]")?;
            let frame = frame_number(row.whole(0, "frame")?, 1)?;
            let track = match row.whole(1, "id")? {
                -1 => None,
                id => Some(track_of(id)?),
            };
            let rect = row.rect(2, None)?;
            let score = row.number(6, "score")?;
            Ok((frame, FoundBox { label: label.clone(), rect, score, track }))
        };
        match read() {
            Ok((frame, finding)) => found.entry(frame).or_default().push(finding),
            Err(fault) => problems.add(path, row.line, fault),
        }
    }
    found
}

/// What `seqinfo.ini` says.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceInfo {
    /// Directory of the frames, or the video file.
    pub frames: String,
    /// Frames a second.
    pub frames_per_second: f64,
    /// How many frames.
    pub length: u64,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Reads `seqinfo.ini`; `None`, told as problems, if something that is needed is not there.
pub fn read_info(text: &str, path: &Path, problems: &mut Problems) -> Option<SequenceInfo> {
    let before = problems.count();
    let (mut frames, mut rate, mut length, mut width, mut height) =
        ("img1".to_owned(), None, None, None, None);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['[', ';', '#']) {
            continue;
        }
        let Some((key, value)) = line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
            problems.add(path, index + 1, Fault::new("no `key=value`", "mend the line"));
            continue;
        };
        let positive = |limit: f64| match value.parse::<f64>() {
            Ok(number) if number > 0.0 && number <= limit => Ok(number),
            _ => Err(Fault::new(format!("{key} \"{value}\" is not a number above 0"), "mend the value")),
        };
        let outcome = match key {
            "imDir" => {
                value.clone_into(&mut frames);
                Ok(())
            }
            "frameRate" => positive(1e4).map(|v| rate = Some(v)),
            "seqLength" => positive(1e9).map(|v| length = Some(v as u64)),
            "imWidth" => positive(1e6).map(|v| width = Some(v as u32)),
            "imHeight" => positive(1e6).map(|v| height = Some(v as u32)),
            _ => Ok(()),
        };
        if let Err(fault) = outcome {
            problems.add(path, index + 1, fault);
        }
    }
    if problems.count() > before {
        return None;
    }
    for (key, missing) in [
        ("frameRate", rate.is_none()),
        ("seqLength", length.is_none()),
        ("imWidth", width.is_none()),
        ("imHeight", height.is_none()),
    ] {
        if missing {
            problems.add(path, None, Fault::new(format!("there is no {key}"), "add it under [Sequence]"));
        }
    }
    Some(SequenceInfo { frames, frames_per_second: rate?, length: length?, width: width?, height: height? })
}
