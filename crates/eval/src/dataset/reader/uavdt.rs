//! UAVDT text (Du et al., "The Unmanned Aerial Vehicle Benchmark", arXiv 1804.00518): `NAME_gt_whole.txt` with the
//! vehicles and `NAME_gt_ignore.txt` with regions in which nothing is labelled. Frames are counted from 1 in the files.

use super::{LabelFile, Tracks, mot::track_of, read_tracks};
use crate::dataset::{classes::Meaning, problem::Problems};

const FORM: &str = "frame,id,left,top,width,height,out_of_view,occlusion,class";

/// Reads `NAME_gt_whole.txt`.
pub fn read(text: &str, file: &LabelFile<'_>, problems: &mut Problems) -> Tracks {
    read_tracks(text, file, problems, 1, |row, labels| {
        row.columns(&[9], FORM)?;
        let track = track_of(row.whole(1, "id")?)?;
        let rect = row.rect(2, file.size)?;
        labels.add(file.classes.meaning(row.text(8))?, rect, Some(track), false);
        Ok(())
    })
}

/// Reads `NAME_gt_ignore.txt`, which has the same columns with -1 where nothing is meant.
pub fn read_regions(text: &str, file: &LabelFile<'_>, problems: &mut Problems) -> Tracks {
    read_tracks(text, file, problems, 1, |row, labels| {
        row.columns(&[9], FORM)?;
        labels.add(Meaning::Region, row.rect(2, file.size)?, None, false);
        Ok(())
    })
}
