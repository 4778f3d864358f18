//! NanoDet and NanoDet-Plus: anchor-free, sides as distributions.
//!
//! Source: Li et al., "Generalized Focal Loss", 2020; layouts of github.com/RangiLyu/nanodet.

use serde::Deserialize;

use super::{Candidate, DecodeError, Decoding, Outputs, best, cells, sigmoid};

/// `[family.nanodet]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nanodet {
    pub(crate) strides: Vec<usize>,
    pub(crate) reg_max: usize,
    pub(crate) centre: f32,
    pub(crate) scores: Scores,
    pub(crate) outputs: NanodetOutputs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scores {
    Probability,
    Logit,
}

/// One pair of outputs for each stride, or everything in one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum NanodetOutputs {
    PerStride { scores: String, distances: String },
    Joined { tensor: String },
}

impl Nanodet {
    pub(super) fn output_names(&self) -> Vec<String> {
        match &self.outputs {
            NanodetOutputs::PerStride { scores, distances } => {
                self.strides.iter().flat_map(|s| [named(scores, *s), named(distances, *s)]).collect()
            }
            NanodetOutputs::Joined { tensor } => vec![tensor.clone()],
        }
    }

    pub(super) fn decode(
        &self,
        outputs: &Outputs<'_>,
        item: usize,
        decoding: Decoding,
    ) -> Result<Vec<Candidate>, DecodeError> {
        let Decoding { classes, input, .. } = decoding;
        let sides = 4 * (self.reg_max + 1);
        let mut found = Vec::new();
        match &self.outputs {
            NanodetOutputs::PerStride { scores, distances } => {
                for stride in &self.strides {
                    let count = Some(cells(input, *stride).len());
                    let scores = outputs.rows(&named(scores, *stride), item, count, Some(classes))?;
                    let distances = outputs.rows(&named(distances, *stride), item, count, Some(sides))?;
                    for (i, cell) in cells(input, *stride).enumerate() {
                        found.extend(self.candidate(
                            scores.row(i),
                            distances.row(i),
                            cell,
                            *stride,
                            decoding,
                        ));
                    }
                }
            }
            NanodetOutputs::Joined { tensor } => {
                let count = self.strides.iter().map(|s| cells(input, *s).len()).sum();
                let rows = outputs.rows(tensor, item, Some(count), Some(classes + sides))?;
                let all = self.strides.iter().flat_map(|s| cells(input, *s).map(|c| (c, *s)));
                for (i, (cell, stride)) in all.enumerate() {
                    let (scores, distances) = rows.row(i).split_at(classes);
                    found.extend(self.candidate(scores, distances, cell, stride, decoding));
                }
            }
        }
        Ok(found)
    }

    fn candidate(
        &self,
        scores: &[f32],
        distances: &[f32],
        (column, row): (f32, f32),
        stride: usize,
        decoding: Decoding,
    ) -> Option<Candidate> {
        let (class, score) = best(scores);
        let score = if self.scores == Scores::Logit { sigmoid(score) } else { score };
        if score <= decoding.threshold || score.is_nan() {
            return None;
        }
        let stride = stride as f32;
        let mut sides = [0.0; 4];
        for (side, bins) in sides.iter_mut().zip(distances.chunks_exact(self.reg_max + 1)) {
            *side = expectation(bins) * stride;
        }
        let (x, y) = ((column + self.centre) * stride, (row + self.centre) * stride);
        Some(Candidate { class, score, bbox: [x - sides[0], y - sides[1], x + sides[2], y + sides[3]] })
    }
}

fn named(pattern: &str, stride: usize) -> String {
    pattern.replace("{stride}", &stride.to_string())
}

/// Mean of 0, 1, 2 … under the softmax of `bins`.
fn expectation(bins: &[f32]) -> f32 {
    let (_, greatest) = best(bins);
    let (mut total, mut weighted) = (0.0, 0.0);
    for (i, bin) in bins.iter().enumerate() {
        let weight = (bin - greatest).exp();
        total += weight;
        weighted += weight * i as f32;
    }
    weighted / total
}

#[cfg(test)]
mod tests {
    use super::{super::Tensor, *};

    fn model(centre: f32, scores: Scores, outputs: NanodetOutputs) -> Nanodet {
        Nanodet { strides: vec![8, 16], reg_max: 2, centre, scores, outputs }
    }

    /// A distribution that is certain of bin `n` of three.
    fn certain(n: usize) -> [f32; 3] {
        let mut bins = [-40.0; 3];
        bins[n] = 40.0;
        bins
    }

    #[test]
    fn each_side_is_the_expectation_of_its_distribution() {
        let per_stride =
            NanodetOutputs::PerStride { scores: "c{stride}".into(), distances: "d{stride}".into() };
        let decoding = Decoding { classes: 2, input: (32, 16), threshold: 0.5 };
        let (mut c8, mut d8) = (vec![0.0; 8 * 2], vec![0.0; 8 * 12]);
        // Column 1, row 1 of stride 8: centre (12, 12); left 1, top even between 0 and 1 and 2, right 2, bottom 0.
        c8[5 * 2 + 1] = 0.9;
        d8[5 * 12..6 * 12].copy_from_slice(&[certain(1), [0.0; 3], certain(2), certain(0)].concat());
        let (mut c16, d16) = (vec![0.0; 2 * 2], vec![0.0; 2 * 12]);
        c16[2] = 0.6;
        let outputs = Outputs::new(vec![
            ("c8", Tensor::f32(vec![1, 8, 2], &c8)),
            ("d8", Tensor::f32(vec![1, 8, 12], &d8)),
            ("c16", Tensor::f32(vec![1, 2, 2], &c16)),
            ("d16", Tensor::f32(vec![1, 2, 12], &d16)),
        ]);
        let found = model(0.5, Scores::Probability, per_stride).decode(&outputs, 0, decoding).unwrap();
        assert_eq!(
            found,
            [
                Candidate { class: 1, score: 0.9, bbox: [4.0, 4.0, 28.0, 12.0] },
                Candidate { class: 0, score: 0.6, bbox: [8.0, -8.0, 40.0, 24.0] },
            ]
        );
    }

    #[test]
    fn plus_has_everything_in_one_and_centres_on_the_grid() {
        let joined = NanodetOutputs::Joined { tensor: "o".into() };
        let decoding = Decoding { classes: 2, input: (16, 16), threshold: 0.5 };
        let mut values = vec![-9.0; 5 * 14];
        values[3 * 14] = 0.0;
        values[4 * 14 + 1] = 2.0;
        values[4 * 14 + 2..].copy_from_slice(&[certain(0), certain(0), certain(1), certain(1)].concat());
        let outputs = Outputs::new(vec![("o", Tensor::f32(vec![1, 5, 14], &values))]);
        let found = model(0.0, Scores::Logit, joined).decode(&outputs, 0, decoding).unwrap();
        assert_eq!(found.len(), 1, "a score equal to the threshold is not above it");
        assert_eq!((found[0].class, found[0].bbox.map(f32::round)), (1, [0.0, 0.0, 16.0, 16.0]));
        assert!((found[0].score - sigmoid(2.0)).abs() < 1e-6);
    }

    #[test]
    fn strides_that_do_not_fit_the_output_are_reported() {
        let joined = NanodetOutputs::Joined { tensor: "o".into() };
        let decoding = Decoding { classes: 2, input: (32, 16), threshold: 0.5 };
        let values = vec![0.0; 5 * 14];
        let outputs = Outputs::new(vec![("o", Tensor::f32(vec![1, 5, 14], &values))]);
        let error = model(0.0, Scores::Logit, joined).decode(&outputs, 0, decoding).unwrap_err();
        assert!(error.to_string().contains("[10, 14]"), "{error}");
    }
}
