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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{ClassTable, reader::fixture::with_table};

    #[test]
    fn regions_ignored_objects_and_objects_are_told_apart() {
        let text = "684,8,273,116,0,0,0,0\n406,119,265,70,0,0,0,0\n255,22,119,128,0,10,1,1\n1,2,33,44,1,4,0,0,\n\
                    3,4,5,6,0,11,0,0\n";
        let (labels, told) =
            with_table(ClassTable::Visdrone, Some((1000, 600)), |file, problems| read(text, file, problems));
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(labels.regions.len(), 2);
        assert_eq!(labels.boxes.len(), 2);
        assert_eq!((labels.boxes[0].label.as_str(), labels.boxes[0].ignored), ("motorcycle", true));
        assert_eq!((labels.boxes[1].label.as_str(), labels.boxes[1].ignored), ("car", false));
    }

    #[test]
    fn a_sequence_has_tracks_and_regions_have_none() {
        let text =
            "1,0,10,20,30,40,1,1,0,0\n2,0,12,20,30,40,1,1,0,0\n2,0,0,0,9,9,0,0,0,0\n2,0,9,9,9,9,0,0,0,0\n";
        let (tracks, told) = with_table(ClassTable::Visdrone, Some((100, 100)), |file, problems| {
            read_sequence(text, file, problems)
        });
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(tracks.frames[&0].boxes[0].track, Some(0));
        assert_eq!((tracks.frames[&1].boxes.len(), tracks.frames[&1].regions.len()), (1, 2));
    }
}
