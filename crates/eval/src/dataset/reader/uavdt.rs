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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{ClassTable, reader::fixture::with_table};

    #[test]
    fn vehicles_and_regions_are_read() {
        let (tracks, told) = with_table(ClassTable::Uavdt, Some((1024, 540)), |file, problems| {
            read(
                "1,1,1005,305,36,36,1,1,1\n1,2,600,305,36,36,1,1,3\n2,1,1000,305,36,36,1,1,1\n",
                file,
                problems,
            )
        });
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(tracks.frames[&0].boxes[1].label.as_str(), "bus");
        assert_eq!(tracks.frames[&1].boxes[0].track, Some(1));
        let (tracks, told) = with_table(ClassTable::Uavdt, Some((1024, 540)), |file, problems| {
            read_regions("1,-1,0,0,36,36,1,-1,-1\n1,-1,0,900,36,36,1,-1,-1\n", file, problems)
        });
        assert_eq!(tracks.frames[&0].regions.len(), 1);
        assert_eq!(told.len(), 1, "{told:?}");
    }
}
