//! YOLO v5 to v12, 26 and kin: boxes decoded in the graph, with or without suppression after it.
//!
//! Layouts as the usual exporters write them; see `models/README.md`.

use serde::Deserialize;

use super::{Candidate, DecodeError, Decoding, Outputs, best, corners};

/// `[family.yolo]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Yolo {
    Raw {
        tensor: String,
        layout: Layout,
        #[serde(default)]
        objectness: bool,
    },
    EndToEnd {
        tensor: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Layout {
    Rows,
    Columns,
}

impl Yolo {
    pub(super) fn tensor(&self) -> &str {
        match self {
            Self::Raw { tensor, .. } | Self::EndToEnd { tensor } => tensor,
        }
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs<'_>,
        item: usize,
        decoding: Decoding,
    ) -> Result<Vec<Candidate>, DecodeError> {
        let Decoding { classes, threshold, .. } = decoding;
        match self {
            Self::EndToEnd { tensor } => {
                let rows = outputs.rows(tensor, item, None, Some(6))?;
                Ok((0..rows.count)
                    .map(|i| rows.row(i))
                    .filter(|r| r[4] > threshold)
                    .map(|r| Candidate { class: r[5] as usize, score: r[4], bbox: [r[0], r[1], r[2], r[3]] })
                    .collect())
            }
            Self::Raw { tensor, layout: Layout::Rows, objectness } => {
                let extra = usize::from(*objectness);
                let rows = outputs.rows(tensor, item, None, Some(4 + extra + classes))?;
                let candidate = |row: &[f32]| {
                    let objectness = if extra == 1 { row[4] } else { 1.0 };
                    let (class, score) = best(&row[4 + extra..]);
                    let (score, bbox) = (score * objectness, corners(row[0], row[1], row[2], row[3]));
                    (score > threshold).then_some(Candidate { class, score, bbox })
                };
                Ok((0..rows.count).filter_map(|i| candidate(rows.row(i))).collect())
            }
            Self::Raw { tensor, layout: Layout::Columns, objectness } => {
                let extra = usize::from(*objectness);
                let lines = outputs.rows(tensor, item, Some(4 + extra + classes), None)?;
                // Class by class over all boxes: the memory is read in its order.
                let mut best = vec![(0, f32::NEG_INFINITY); lines.length];
                for class in 0..classes {
                    for (best, score) in best.iter_mut().zip(lines.row(4 + extra + class)) {
                        if *score > best.1 {
                            *best = (class, *score);
                        }
                    }
                }
                let value = |line: usize, i: usize| lines.row(line)[i];
                let candidate = |(i, (class, score)): (usize, (usize, f32))| {
                    let score = if extra == 1 { score * value(4, i) } else { score };
                    let bbox = || corners(value(0, i), value(1, i), value(2, i), value(3, i));
                    (score > threshold).then(|| Candidate { class, score, bbox: bbox() })
                };
                Ok(best.into_iter().enumerate().filter_map(candidate).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Tensor, *};

    const DECODING: Decoding = Decoding { classes: 3, input: (64, 64), threshold: 0.5 };

    fn transposed(values: &[f32], length: usize) -> Vec<f32> {
        (0..length).flat_map(|i| values.chunks(length).map(move |row| row[i])).collect()
    }

    #[test]
    fn rows_and_columns_say_the_same() {
        let rows = [
            [10.0, 20.0, 4.0, 8.0, 0.1, 0.9, 0.2],
            [30.0, 30.0, 2.0, 2.0, 0.5, 0.4, 0.3],
            [40.0, 10.0, 6.0, 6.0, 0.7, 0.1, 0.7],
        ]
        .concat();
        let expected = [
            Candidate { class: 1, score: 0.9, bbox: [8.0, 16.0, 12.0, 24.0] },
            Candidate { class: 0, score: 0.7, bbox: [37.0, 7.0, 43.0, 13.0] },
        ];
        let columns = transposed(&rows, 7);
        for (layout, shape, values) in
            [(Layout::Rows, vec![1, 3, 7], &rows), (Layout::Columns, vec![1, 7, 3], &columns)]
        {
            let yolo = Yolo::Raw { tensor: "o".into(), layout, objectness: false };
            let outputs = Outputs::new(vec![("o", Tensor::f32(shape, values))]);
            assert_eq!(yolo.decode(&outputs, 0, DECODING).unwrap(), expected, "{layout:?}");
        }
    }

    #[test]
    fn objectness_weighs_the_class_in_both_layouts() {
        let rows = [[10.0, 20.0, 4.0, 8.0, 0.75, 0.1, 0.8, 0.2], [10.0, 20.0, 4.0, 8.0, 0.5, 0.1, 0.9, 0.2]]
            .concat();
        let columns = transposed(&rows, 8);
        for (layout, shape, values) in
            [(Layout::Rows, vec![1, 2, 8], &rows), (Layout::Columns, vec![1, 8, 2], &columns)]
        {
            let yolo = Yolo::Raw { tensor: "o".into(), layout, objectness: true };
            let outputs = Outputs::new(vec![("o", Tensor::f32(shape, values))]);
            let found = yolo.decode(&outputs, 0, DECODING).unwrap();
            assert_eq!(found.len(), 1, "{layout:?}");
            assert!((found[0].score - 0.6).abs() < 1e-6);
        }
    }

    #[test]
    fn end_to_end_rows_are_boxes_already() {
        let rows = [[1.0, 2.0, 3.0, 4.0, 0.9, 2.0], [1.0, 2.0, 3.0, 4.0, 0.2, 1.0]].concat();
        let outputs = Outputs::new(vec![("o", Tensor::f32(vec![1, 2, 6], &rows))]);
        let found = Yolo::EndToEnd { tensor: "o".into() }.decode(&outputs, 0, DECODING).unwrap();
        assert_eq!(found, [Candidate { class: 2, score: 0.9, bbox: [1.0, 2.0, 3.0, 4.0] }]);
    }

    #[test]
    fn a_wrong_number_of_classes_is_reported() {
        let outputs = Outputs::new(vec![("o", Tensor::f32(vec![1, 1, 84], &[0.0; 84]))]);
        let yolo = Yolo::Raw { tensor: "o".into(), layout: Layout::Rows, objectness: false };
        assert!(matches!(yolo.decode(&outputs, 0, DECODING), Err(DecodeError::Shape { .. })));
    }
}
