//! `VisDrone` text (Zhu et al., "Detection and Tracking Meet Drones Challenge", arXiv 2001.06303): pictures with 8 columns,
//! sequences with 10. A score of 0 means ignored; class 0 is a region in which nothing is labelled.

use super::{LabelFile, Labels, Row, Separator, Tracks, mot::track_of, read_tracks, rows};
use crate::dataset::{
    classes::Meaning,
    problem::{Fault, Problems},
};

/// Reads the labels of one picture: `left,top,width,height,score,class,truncation,occlusion`.
pub fn read(text: &str, file: &LabelFile<'_>, problems: &mut Problems) -> Labels {
    let mut labels = Labels::default();
    for row in rows(text, Separator::Comma) {
        let read = row
            .columns(&[8], "left,top,width,height,score,class,truncation,occlusion")
            .and_then(|()| add(&row, 0, None, file, &mut labels));
        if let Err(fault) = read {
            problems.add(file.path, row.line, fault);
        }
    }
    labels
}

/// Reads the labels of a sequence: `frame,id` and the columns of a picture. Frames are counted from 1 in the file.
pub fn read_sequence(text: &str, file: &LabelFile<'_>, problems: &mut Problems) -> Tracks {
    read_tracks(text, file, problems, 1, |row, labels| {
        row.columns(&[10], "frame,id,left,top,width,height,score,class,truncation,occlusion")?;
        let track = match file.classes.meaning(row.text(7))? {
            // Regions all have the same id.
            Meaning::Region | Meaning::Unused => None,
            _ => Some(track_of(row.whole(1, "id")?)?),
        };
        add(row, 2, track, file, labels)
    })
}

fn add(
    row: &Row<'_>,
    from: usize,
    track: Option<u64>,
    file: &LabelFile<'_>,
    labels: &mut Labels,
) -> Result<(), Fault> {
    let rect = row.rect(from, file.size)?;
    let considered = row.number(from + 4, "score")? != 0.0;
    labels.add(file.classes.meaning(row.text(from + 5))?, rect, track, !considered);
    Ok(())
}
