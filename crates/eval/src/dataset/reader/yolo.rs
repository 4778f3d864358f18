//! YOLO text labels: `class center_x center_y width height` per line, as fractions of the picture (Ultralytics'
//! "detect" form). Outlines ("segment" form) are refused.

use super::{LabelFile, Labels, Row, Separator, check_rect, rows};
use crate::{
    dataset::problem::{Fault, Problems},
    truth::Rect,
};

/// Reads the labels of one picture, whose size must be known.
pub fn read(text: &str, file: &LabelFile<'_>, problems: &mut Problems) -> Labels {
    let mut labels = Labels::default();
    for row in rows(text, Separator::Space) {
        if let Err(fault) = read_row(&row, file, &mut labels) {
            problems.add(file.path, row.line, fault);
        }
    }
    labels
}

fn read_row(row: &Row<'_>, file: &LabelFile<'_>, labels: &mut Labels) -> Result<(), Fault> {
    row.columns(&[5], "class center_x center_y width height")?;
    let meaning = file.classes.meaning(row.text(0))?;
    let (w, h) = file.size.map_or((1.0, 1.0), |(w, h)| (f64::from(w), f64::from(h)));
    let (x, y) = (row.number(1, "center_x")?, row.number(2, "center_y")?);
    let (width, height) = (row.number(3, "width")?, row.number(4, "height")?);
    // A rounding error over the edge is no mistake; pixels instead of fractions are.
    if [x, y, width, height].iter().any(|v| *v > 1.01) {
        return Err(Fault::new(
            "a coordinate is above 1",
            "YOLO labels are fractions of the picture's width and height, not pixels",
        ));
    }
    let rect =
        Rect { x: (x - width / 2.0) * w, y: (y - height / 2.0) * h, width: width * w, height: height * h };
    labels.add(meaning, check_rect(rect, file.size)?, None, false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::reader::fixture::{classes, messages, with_file};

    #[test]
    fn fractions_become_pixels() {
        let (labels, told) = with_file("a.txt", Some((200, 100)), |file, problems| {
            read("2 0.5 0.5 0.25 0.5\r\n\n0 0.1 0.2 0.2 0.4\n", file, problems)
        });
        assert!(told.is_empty(), "{told:?}");
        let first = &labels.boxes[0];
        assert_eq!(first.label.as_str(), "car");
        assert_eq!(first.rect, Rect { x: 75.0, y: 25.0, width: 50.0, height: 50.0 });
        assert_eq!((first.area, first.track, first.crowd, first.ignored), (2500.0, None, false, false));
        assert_eq!(labels.boxes.len(), 2);
    }

    #[test]
    fn each_mistake_is_told_with_its_line() {
        let text = "2 0.5 0.5 0.25\n9 0.5 0.5 0.2 0.2\n2 nan 0.5 0.2 0.2\n2 0.5 0.5 -0.2 0.2\n2 320 240 50 50\n\
                    2 0.5 0.5 0.2 0.2\n2 -0.5 0.5 0.2 0.2\n";
        let mut problems = Problems::default();
        let map = classes();
        let file = LabelFile { path: std::path::Path::new("l/a.txt"), classes: &map, size: Some((200, 100)) };
        let labels = read(text, &file, &mut problems);
        assert_eq!(labels.boxes.len(), 1);
        assert_eq!(
            messages(problems),
            [
                "l/a.txt:1: 4 fields where 5 belong; hint: a line is `class center_x center_y width height`",
                "l/a.txt:2: the class \"9\" is not in the manifest's class map; hint: add `\"9\" = \"…\"` to \
                 [classes], or \"9\" to unused_classes",
                "l/a.txt:3: center_x \"nan\" is not a number; hint: give a finite number",
                "l/a.txt:4: the box has no area: -40 × 20; hint: width and height must be above 0",
                "l/a.txt:5: a coordinate is above 1; hint: YOLO labels are fractions of the picture's width and \
                 height, not pixels",
                "l/a.txt:7: the box at -120, 40 with 40 × 20 is wholly outside of the 200 × 100 picture; hint: \
                 check that the labels belong to this picture and its size",
            ]
        );
    }
}
