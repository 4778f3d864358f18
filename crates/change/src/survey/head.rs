//! The small network that weighs the cues: how likely it is that a cell shows a structure that is new, or the place of
//! one that is gone. Learnt on rendered flights; the weights are a file of a few kilobytes.

use serde::{Deserialize, Serialize};

use super::{
    cue::{CUE_NAMES, CUES, Cues},
    fuse::Fused,
};
use crate::raster::Size;

/// A cell's own cues and the means over it and its neighbours.
pub const INPUTS: usize = 2 * CUES;
/// What a cell can be: as it was, new, gone.
pub const CLASSES: usize = 3;

/// Weights of a network with one hidden layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Names of the cues that it was made for, in order.
    pub cues: Vec<String>,
    /// What it was learnt on, for people.
    pub note: String,
    /// Of each input: the value that becomes 0.
    pub middle: Vec<f32>,
    /// Of each input: what one unit is.
    pub scale: Vec<f32>,
    /// Of each hidden cell: its bias, then a weight for each input.
    pub hidden: Vec<Vec<f32>>,
    /// Of each class: its bias, then a weight for each hidden cell.
    pub output: Vec<Vec<f32>>,
}

/// Why weights cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// Not JSON of the right form.
    #[error("the head's weights cannot be read")]
    Json(#[from] serde_json::Error),
    /// Made for other cues.
    #[error("the head was made for other cues than this program has; hint: train it again")]
    OtherCues,
    /// Numbers are missing.
    #[error("the head has {0} rows or columns too few or too many; hint: train it again")]
    Shape(&'static str),
}

impl Head {
    /// Reads weights.
    ///
    /// # Errors
    /// See [`HeadError`].
    pub fn read(json: &str) -> Result<Self, HeadError> {
        let head: Self = serde_json::from_str(json)?;
        if head.cues != CUE_NAMES {
            return Err(HeadError::OtherCues);
        }
        let wide = |rows: &[Vec<f32>], n: usize| rows.iter().all(|r| r.len() == n + 1);
        if head.middle.len() != INPUTS || head.scale.len() != INPUTS || !wide(&head.hidden, INPUTS) {
            return Err(HeadError::Shape("input"));
        }
        if head.output.len() != CLASSES || !wide(&head.output, head.hidden.len()) {
            return Err(HeadError::Shape("output"));
        }
        Ok(head)
    }

    /// Probabilities that a cell is as it was, new, gone.
    pub fn judge(&self, input: &[f32; INPUTS]) -> [f32; CLASSES] {
        let hidden: Vec<f32> = self
            .hidden
            .iter()
            .map(|row| {
                let scaled = (0..INPUTS).map(|i| row[i + 1] * (input[i] - self.middle[i]) / self.scale[i]);
                (row[0] + scaled.sum::<f32>()).tanh()
            })
            .collect();
        let mut out = [0.0f32; CLASSES];
        for (value, row) in out.iter_mut().zip(&self.output) {
            *value = row[0] + row[1..].iter().zip(&hidden).map(|(w, h)| w * h).sum::<f32>();
        }
        let top = out.iter().fold(f32::MIN, |a, b| a.max(*b));
        out.iter_mut().for_each(|v| *v = (*v - top).exp());
        let sum: f32 = out.iter().sum();
        out.map(|v| v / sum)
    }
}

/// The inputs of each cell of a map of cues.
pub(super) fn inputs(cells: &[Option<Cues>], size: Size) -> Vec<Option<[f32; INPUTS]>> {
    (0..size.len())
        .map(|i| {
            let own = cells[i]?;
            let (x, y) = (i % size.w, i / size.w);
            let (mut sum, mut n) = ([0.0f32; CUES], 0.0);
            for ny in y.saturating_sub(1)..=(y + 1).min(size.h - 1) {
                for nx in x.saturating_sub(1)..=(x + 1).min(size.w - 1) {
                    if let Some(cues) = &cells[ny * size.w + nx] {
                        sum.iter_mut().zip(cues).for_each(|(s, c)| *s += c);
                        n += 1.0;
                    }
                }
            }
            let mut input = [0.0; INPUTS];
            input[..CUES].copy_from_slice(&own);
            input[CUES..].iter_mut().zip(sum).for_each(|(v, s)| *v = s / n);
            Some(input)
        })
        .collect()
}

impl Fused {
    /// What the head is given, cell by cell: for training.
    pub fn inputs(&self) -> Vec<Option<[f32; INPUTS]>> {
        inputs(&self.cells, self.size)
    }
}
