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
