//! DETR-like: RT-DETR, D-FINE, DEIM, RF-DETR; a set of boxes, no suppression needed.
//!
//! Source: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020.

use serde::Deserialize;

use super::{Candidate, DecodeError, Decoding, Outputs, best, corners, sigmoid};

/// `[family.detr]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Detr {
    /// The graph picks the best boxes and scales them.
    Selected { labels: String, boxes: String, scores: String, sizes: Option<String> },
    /// Class scores and boxes of all queries.
    Raw { logits: String, boxes: String, activation: Activation },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Activation {
    Sigmoid,
    /// With one more column, the last, for "nothing".
    Softmax,
}

impl Detr {
    pub(super) fn output_names(&self) -> Vec<String> {
        match self {
            Self::Selected { labels, boxes, scores, .. } => {
                vec![labels.clone(), boxes.clone(), scores.clone()]
            }
            Self::Raw { logits, boxes, .. } => vec![logits.clone(), boxes.clone()],
        }
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs<'_>,
        item: usize,
        decoding: Decoding,
    ) -> Result<Vec<Candidate>, DecodeError> {
        let Decoding { classes, input, threshold } = decoding;
        match self {
            Self::Selected { labels, boxes, scores, .. } => {
                let labels = outputs.classes(labels, item)?;
                let boxes = outputs.rows(boxes, item, Some(labels.len()), Some(4))?;
                let scores = outputs.rows(scores, item, Some(labels.len()), Some(1))?;
                Ok((0..labels.len())
                    .filter(|i| scores.values[*i] > threshold)
                    .map(|i| {
                        let b = boxes.row(i);
                        Candidate {
                            class: labels[i],
                            score: scores.values[i],
                            bbox: [b[0], b[1], b[2], b[3]],
                        }
                    })
                    .collect())
            }
            Self::Raw { logits, boxes, activation } => {
                let columns = classes + usize::from(*activation == Activation::Softmax);
                let logits = outputs.rows(logits, item, None, Some(columns))?;
                let boxes = outputs.rows(boxes, item, Some(logits.count), Some(4))?;
                let (width, height) = (input.0 as f32, input.1 as f32);
                let candidate = |i: usize| {
                    let row = logits.row(i);
                    let (class, logit) = best(&row[..classes]);
                    let score = match activation {
                        Activation::Sigmoid => sigmoid(logit),
                        Activation::Softmax => 1.0 / row.iter().map(|l| (l - logit).exp()).sum::<f32>(),
                    };
                    let b = boxes.row(i);
                    let bbox = corners(b[0] * width, b[1] * height, b[2] * width, b[3] * height);
                    (score > threshold).then_some(Candidate { class, score, bbox })
                };
                Ok((0..logits.count).filter_map(candidate).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Tensor, Values},
        *,
    };

    const DECODING: Decoding = Decoding { classes: 2, input: (200, 100), threshold: 0.5 };

    #[test]
    fn selected_boxes_come_as_they_are() {
        let (labels, boxes, scores) = ([1i64, 0], [1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0], [0.9, 0.1]);
        let outputs = Outputs::new(vec![
            ("labels", Tensor::new(vec![1, 2], Values::I64(&labels))),
            ("boxes", Tensor::f32(vec![1, 2, 4], &boxes)),
            ("scores", Tensor::f32(vec![1, 2], &scores)),
        ]);
        let detr = Detr::Selected {
            labels: "labels".into(),
            boxes: "boxes".into(),
            scores: "scores".into(),
            sizes: None,
        };
        let found = detr.decode(&outputs, 0, DECODING).unwrap();
        assert_eq!(found, [Candidate { class: 1, score: 0.9, bbox: [1.0, 2.0, 3.0, 4.0] }]);
    }

    #[test]
    fn raw_queries_are_parts_of_the_input() {
        let boxes = [0.5, 0.5, 0.1, 0.2, 0.5, 0.5, 0.1, 0.2];
        let raw = |activation| Detr::Raw { logits: "l".into(), boxes: "b".into(), activation };
        let run = |activation, logits: &[f32]| {
            let outputs = Outputs::new(vec![
                ("l", Tensor::f32(vec![1, 2, logits.len() / 2], logits)),
                ("b", Tensor::f32(vec![1, 2, 4], &boxes)),
            ]);
            raw(activation).decode(&outputs, 0, DECODING).unwrap()
        };
        let found = run(Activation::Sigmoid, &[0.0, 2.0, -1.0, -1.0]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].class, found[0].bbox), (1, [90.0, 40.0, 110.0, 60.0]));
        assert!((found[0].score - sigmoid(2.0)).abs() < 1e-6);
        // The last column is "nothing": it takes its share and is never a class.
        let found = run(Activation::Softmax, &[3.0, 0.0, 0.0, 1.0, 0.0, 9.0]);
        assert_eq!(found.len(), 1);
        assert!((found[0].score - 3f32.exp() / (3f32.exp() + 2.0)).abs() < 1e-6);
    }
}
