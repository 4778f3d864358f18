//! Small networks with one hidden layer, and how they are learnt: stochastic gradient steps (Adam, Kingma and Ba 2015)
//! on cross-entropy in a fixed order, so that the same samples give the same weights.

use serde::{Deserialize, Serialize};

/// Weights of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Of each input: the value that becomes 0.
    pub middle: Vec<f32>,
    /// Of each input: what one unit is.
    pub scale: Vec<f32>,
    /// Of each hidden cell: its bias, then a weight for each input.
    pub hidden: Vec<Vec<f32>>,
    /// Of each class: its bias, then a weight for each hidden cell.
    pub output: Vec<Vec<f32>>,
}

/// Inputs beyond this many units say no more: what was never learnt from must not decide.
const MOST_UNITS: f32 = 5.0;

impl Network {
    /// One that always gives the first of `classes`.
    pub(super) fn constant(inputs: usize, classes: usize) -> Self {
        let bias = |class: usize| vec![if class == 0 { 20.0 } else { 0.0 }];
        Self {
            middle: vec![0.0; inputs],
            scale: vec![1.0; inputs],
            hidden: Vec::new(),
            output: (0..classes).map(bias).collect(),
        }
    }

    /// Whether it has rows and columns for so many inputs and classes.
    pub(super) fn fits(&self, inputs: usize, classes: usize) -> bool {
        let wide = |rows: &[Vec<f32>], n: usize| rows.iter().all(|r| r.len() == n + 1);
        self.middle.len() == inputs
            && self.scale.len() == inputs
            && wide(&self.hidden, inputs)
            && self.output.len() == classes
            && wide(&self.output, self.hidden.len())
    }

    fn scaled<'a>(&'a self, input: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        (0..input.len()).map(|i| ((input[i] - self.middle[i]) / self.scale[i]).clamp(-MOST_UNITS, MOST_UNITS))
    }

    fn hidden(&self, scaled: &[f32]) -> Vec<f32> {
        self.hidden.iter().map(|row| (row[0] + dot(&row[1..], scaled)).tanh()).collect()
    }

    fn classes(&self, hidden: &[f32]) -> Vec<f32> {
        let mut out: Vec<f32> = self.output.iter().map(|row| row[0] + dot(&row[1..], hidden)).collect();
        let top = out.iter().fold(f32::MIN, |a, b| a.max(*b));
        for value in &mut out {
            *value = (*value - top).exp();
        }
        let sum: f32 = out.iter().sum();
        out.into_iter().map(|v| v / sum).collect()
    }

    /// The probability of each class.
    pub(super) fn judge(&self, input: &[f32]) -> Vec<f32> {
        let scaled: Vec<f32> = self.scaled(input).collect();
        self.classes(&self.hidden(&scaled))
    }

    fn slopes<'a>(&self, batch: impl Iterator<Item = &'a Sample>) -> (Rows, Rows) {
        let zeros = |rows: &Rows| rows.iter().map(|r| vec![0.0f32; r.len()]).collect::<Rows>();
        let (mut in_hidden, mut in_output) = (zeros(&self.hidden), zeros(&self.output));
        let mut total = 0.0f32;
        for sample in batch {
            let scaled: Vec<f32> = self.scaled(&sample.input).collect();
            let hidden = self.hidden(&scaled);
            let guess = self.classes(&hidden);
            total += sample.weight;
            let mut back = vec![0.0f32; hidden.len()];
            for (class, row) in in_output.iter_mut().enumerate() {
                let error = (guess[class] - f32::from(u8::from(class == sample.class))) * sample.weight;
                row[0] += error;
                for (k, h) in hidden.iter().enumerate() {
                    row[k + 1] += error * h;
                    back[k] += error * self.output[class][k + 1];
                }
            }
            for ((row, h), b) in in_hidden.iter_mut().zip(&hidden).zip(&back) {
                let error = b * (1.0 - h * h);
                row[0] += error;
                row[1..].iter_mut().zip(&scaled).for_each(|(w, v)| *w += error * v);
            }
        }
        for row in in_hidden.iter_mut().chain(&mut in_output) {
            for value in row {
                *value /= total.max(1e-6);
            }
        }
        (in_hidden, in_output)
    }
}

/// In eight sums at a time, which the processor adds at once.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0f32; 8];
    for (a, b) in a.zip(b) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    rest + sums.iter().sum::<f32>()
}

/// Something to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What the network is given.
    pub input: Vec<f32>,
    /// What it should say.
    pub class: usize,
    /// How much it counts.
    pub weight: f32,
}

/// How to learn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Training {
    /// Cells of the hidden layer.
    pub hidden: usize,
    /// Times that all samples are seen.
    pub rounds: usize,
    /// First length of a step; falls to nothing along a cosine.
    pub step: f32,
    /// Pull of the weights to 0, relative to the step.
    pub decay: f32,
}

/// Samples for one step.
const BATCH: usize = 128;

/// Learns a network from samples of one length; `None` when there are none.
pub fn train(samples: &[Sample], classes: usize, options: &Training) -> Option<Network> {
    let inputs = samples.first()?.input.len();
    let mut draw = 0x5EED_u64;
    let mut random = || {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (draw >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let mut rows = |n: usize, inputs: usize| -> Rows {
        let size = (3.0 / inputs as f32).sqrt();
        (0..n)
            .map(|_| (0..=inputs).map(|k| if k == 0 { 0.0 } else { 2.0 * size * random() }).collect())
            .collect()
    };
    let (middle, scale) = normalization(samples, inputs);
    let mut network = Network {
        hidden: rows(options.hidden, inputs),
        output: rows(classes, options.hidden),
        middle,
        scale,
    };
    let mut moments = (Moments::new(&network.hidden), Moments::new(&network.output));
    let mut order: Vec<usize> = (0..samples.len()).collect();
    let total = options.rounds * samples.len().div_ceil(BATCH);
    let mut step = 0usize;
    for _ in 0..options.rounds {
        for i in (1..order.len()).rev() {
            let j = ((random() + 0.5) * (i + 1) as f32) as usize;
            order.swap(i, j.min(i));
        }
        for batch in order.chunks(BATCH) {
            let (hidden, output) = network.slopes(batch.iter().map(|i| &samples[*i]));
            step += 1;
            let along = step as f32 / total as f32;
            let length = options.step * 0.5 * (1.0 + (std::f32::consts::PI * along).cos());
            moments.0.take(&mut network.hidden, &hidden, length, options.decay, step);
            moments.1.take(&mut network.output, &output, length, options.decay, step);
        }
    }
    Some(network)
}

fn normalization(samples: &[Sample], inputs: usize) -> (Vec<f32>, Vec<f32>) {
    let n = samples.len() as f32;
    let mean = |f: &dyn Fn(&Sample) -> f32| samples.iter().map(f).sum::<f32>() / n;
    (0..inputs)
        .map(|k| {
            let middle = mean(&|s| s.input[k]);
            (middle, mean(&|s| (s.input[k] - middle).powi(2)).sqrt().max(1e-3))
        })
        .unzip()
}

type Rows = Vec<Vec<f32>>;

/// Running means of slopes and of their squares.
struct Moments {
    first: Rows,
    second: Rows,
}

impl Moments {
    fn new(rows: &Rows) -> Self {
        let zeros: Rows = rows.iter().map(|r| vec![0.0; r.len()]).collect();
        Self { first: zeros.clone(), second: zeros }
    }

    fn take(&mut self, rows: &mut Rows, slopes: &Rows, length: f32, decay: f32, step: usize) {
        let corrected = |beta: f32| 1.0 - beta.powi(step.min(10_000) as i32);
        let (c1, c2) = (corrected(0.9), corrected(0.999));
        for (((row, slope), m), v) in rows.iter_mut().zip(slopes).zip(&mut self.first).zip(&mut self.second) {
            for k in 0..row.len() {
                let g = slope[k];
                m[k] = 0.9 * m[k] + 0.1 * g;
                v[k] = 0.999 * v[k] + 0.001 * g * g;
                let pull = if k == 0 { 0.0 } else { decay * row[k] };
                row[k] -= length * (m[k] / c1 / ((v[k] / c2).sqrt() + 1e-8) + pull);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_line_cannot_part_is_learnt_and_learnt_the_same_again() {
        // The second class where two inputs have the same sign, the third where another is large.
        let samples: Vec<Sample> = (0..2000)
            .map(|i: usize| {
                let input: Vec<f32> =
                    (0..5).map(|k| ((i * (k * 2 + 7919) + k * 31) % 97) as f32 / 48.5 - 1.0).collect();
                let class = if input[2] > 0.6 { 2 } else { usize::from(input[0] * input[1] > 0.0) };
                Sample { input, class, weight: 1.0 }
            })
            .collect();
        let options = Training { hidden: 12, rounds: 60, step: 0.02, decay: 1e-4 };
        let network = train(&samples, 3, &options).unwrap();
        let right = samples.iter().filter(|s| network.judge(&s.input)[s.class] > 0.5).count();
        assert!(right > 1900, "{right}");
        assert_eq!(network, train(&samples, 3, &options).unwrap());
        assert!(network.fits(5, 3) && !network.fits(4, 3));
        assert_eq!(train(&[], 3, &options), None);
    }
}
