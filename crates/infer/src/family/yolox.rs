//! YOLOX: anchor-free cells with objectness, undecoded.
//!
//! Source: Ge et al., "YOLOX: Exceeding YOLO Series in 2021"; layout of github.com/Megvii-BaseDetection/YOLOX.

use serde::Deserialize;

use super::{Candidate, DecodeError, Decoding, Outputs, best, cells, corners};

/// `[family.yolox]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Yolox {
    pub(crate) strides: Vec<usize>,
    pub(crate) tensor: String,
}

impl Yolox {
    pub(super) fn decode(
        &self,
        outputs: &Outputs<'_>,
        item: usize,
        decoding: Decoding,
    ) -> Result<Vec<Candidate>, DecodeError> {
        let Decoding { classes, input, threshold } = decoding;
        let count = self.strides.iter().map(|s| cells(input, *s).len()).sum();
        let rows = outputs.rows(&self.tensor, item, Some(count), Some(5 + classes))?;
        let all = self.strides.iter().flat_map(|s| cells(input, *s).map(|c| (c, *s as f32)));
        let mut found = Vec::new();
        for (i, ((column, line), stride)) in all.enumerate() {
            let (place, scores) = rows.row(i).split_at(5);
            // No class score is above 1, so neither is the product above the objectness.
            if place[4] <= threshold {
                continue;
            }
            let (class, score) = best(scores);
            let score = score * place[4];
            if score > threshold {
                let (x, y) = ((column + place[0]) * stride, (line + place[1]) * stride);
                let bbox = corners(x, y, place[2].exp() * stride, place[3].exp() * stride);
                found.push(Candidate { class, score, bbox });
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Tensor, *};

    #[test]
    fn cells_become_boxes_and_objectness_weighs_the_class() {
        let yolox = Yolox { strides: vec![8, 16], tensor: "o".into() };
        let decoding = Decoding { classes: 2, input: (16, 16), threshold: 0.4 };
        let mut values = vec![0.0; 5 * 7];
        // Column 1, row 1 of stride 8.
        values[3 * 7..4 * 7].copy_from_slice(&[0.5, 0.25, 2f32.ln(), 0.0, 0.9, 0.1, 0.5]);
        // Objectness or class alone is not enough.
        values[0..7].copy_from_slice(&[0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.1]);
        values[4 * 7..].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, 1.0, 0.8, 0.0]);
        let outputs = Outputs::new(vec![("o", Tensor::f32(vec![1, 5, 7], &values))]);
        let found = yolox.decode(&outputs, 0, decoding).unwrap();
        assert_eq!(found.iter().map(|c| (c.class, c.score)).collect::<Vec<_>>(), [(1, 0.45), (0, 0.8)]);
        for (a, b) in found[0].bbox.iter().zip([4.0, 6.0, 20.0, 14.0]) {
            assert!((a - b).abs() < 1e-5, "{:?}", found[0].bbox);
        }
        assert_eq!(found[1].bbox, [0.0, 0.0, 16.0, 16.0]);
    }
}
