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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dataset::reader::fixture::with_mot, truth::Rect};

    #[test]
    fn frames_count_from_one_and_a_zero_mark_means_ignored() {
        let text = "1,7,10,20,30,40,1,1,0.9\n1,8,50,20,30,40,0,1,1\n3,7,11,20.5,30,40,1,1,1,-1\n\
                    3,9,0,0,5,5,1,7,1\n3,10,0,0,5,5,1,9,1\n";
        let (tracks, told) = with_mot(|file, problems| read(text, file, problems));
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(tracks.frames.keys().copied().collect::<Vec<_>>(), [0, 2]);
        let first = &tracks.frames[&0].boxes;
        assert_eq!(first[0].rect, Rect { x: 10.0, y: 20.0, width: 30.0, height: 40.0 });
        assert_eq!((first[0].track, first[0].ignored), (Some(7), false));
        assert_eq!((first[1].track, first[1].ignored), (Some(8), true));
        // A static person is an ignored person, an occluder is nothing.
        let third = &tracks.frames[&2].boxes;
        assert_eq!(third.len(), 2);
        assert_eq!((third[1].label.as_str(), third[1].ignored), ("person", true));
    }

    #[test]
    fn the_form_of_2015_knows_only_pedestrians() {
        let (tracks, told) = with_mot(|file, problems| read("1,1,10,20,30,40,1,-1,-1,-1\n", file, problems));
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(tracks.frames[&0].boxes[0].label.as_str(), "person");
    }

    #[test]
    fn a_bad_line_costs_its_frame_and_a_line_without_frame_costs_all() {
        let text = "1,1,10,20,30,40,1,1,1\n0,1,10,20,30,40,1,1,1\n2,1,10,20,-3,40,1,1,1\n2,2,9,9,9,9,1,1,1\n\
                    x,1,10,20,30,40,1,1,1\n4,1,1,1,1,1,1\n5,1,1,1,2,2,1,1,1\n5,1,5,5,2,2,1,1,1\n";
        let (tracks, told) = with_mot(|file, problems| read(text, file, problems));
        assert_eq!(tracks.bad_frames.iter().copied().collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(tracks.lost_lines, 2);
        assert_eq!(
            told,
            [
                "gt.txt:2: frame 0 does not exist; hint: frames are counted from 1",
                "gt.txt:3: the box has no area: -3 × 40; hint: width and height must be above 0",
                "gt.txt:5: frame \"x\" is not a whole number; hint: give a whole number",
                "gt.txt:6: 7 fields where 9 or 10 belong; hint: a line is `frame,id,left,top,width,height,\
                 considered,class,visibility[,…]`",
                "gt.txt: track 1 is twice in frame 4 (from 0); hint: give each thing its own track",
            ]
        );
    }

    #[test]
    fn results_are_findings() {
        let mut problems = Problems::default();
        let text = "1,3,1,2,3,4,0.5,-1,-1,-1\n1,-1,1,2,3,4,0.25\n2,3,1,2,3,4\n";
        let found = read_found(text, Path::new("r.txt"), &Label::new("person"), &mut problems);
        assert_eq!(found[&0].len(), 2);
        assert_eq!((found[&0][0].track, found[&0][0].score), (Some(3), 0.5));
        assert_eq!(found[&0][1].track, None);
        assert_eq!(problems.finish()[0].line, Some(3));
    }

    #[test]
    fn seqinfo_is_read_and_what_it_lacks_is_told() {
        let mut problems = Problems::default();
        let text = "[Sequence]\nname=MOT16-02\nimDir=img1\nframeRate=30\nseqLength=600\nimWidth=1920\nimHeight=1080\nimExt=.jpg\n";
        let info = read_info(text, Path::new("seqinfo.ini"), &mut problems).unwrap();
        let expected = SequenceInfo {
            frames: "img1".into(),
            frames_per_second: 30.0,
            length: 600,
            width: 1920,
            height: 1080,
        };
        assert_eq!(info, expected);
        let short = text.replace("frameRate=30\n", "").replace("600", "many");
        assert_eq!(read_info(&short, Path::new("seqinfo.ini"), &mut problems), None);
        let told: Vec<String> = problems.finish().iter().map(ToString::to_string).collect();
        assert_eq!(told, ["seqinfo.ini:4: seqLength \"many\" is not a number above 0; hint: mend the value"]);
    }
}
