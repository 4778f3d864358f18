//! Learns a [`Head`]: stochastic gradient steps (Adam, Kingma and Ba 2015) on cross-entropy, in a fixed order, so that
//! the same samples give the same weights.

use super::{
    cue::CUE_NAMES,
    head::{CLASSES, Head, INPUTS},
};

/// One cell to learn from.
#[derive(Debug, Clone)]
pub struct Sample {
    /// As [`super::Fused::inputs`] gives it.
    pub input: [f32; INPUTS],
    /// 0 as it was, 1 new, 2 gone.
    pub class: usize,
    /// How much it counts.
    pub weight: f32,
}

/// How to learn.
#[derive(Debug, Clone, Copy)]
pub struct Training {
    /// Cells of the hidden layer.
    pub hidden: usize,
    /// Times that all samples are seen.
    pub rounds: usize,
    /// First length of a step; falls to nothing along a cosine.
    pub step: f32,
    /// Pull of the weights to 0.
    pub decay: f32,
}

impl Default for Training {
    fn default() -> Self {
        Self { hidden: 16, rounds: 30, step: 0.01, decay: 1e-4 }
    }
}

/// Samples for one step.
const BATCH: usize = 256;

/// Learns a head from samples; `None` when there are none. `note` goes into its file.
pub fn train(samples: &[Sample], options: &Training, note: &str) -> Option<Head> {
    let (middle, scale) = normalization(samples)?;
    let mut draw = 0x5EED_u64;
    let mut random = || {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (draw >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let mut rows = |n: usize, inputs: usize| -> Vec<Vec<f32>> {
        let size = (3.0 / inputs as f32).sqrt();
        (0..n)
            .map(|_| (0..=inputs).map(|k| if k == 0 { 0.0 } else { 2.0 * size * random() }).collect())
            .collect()
    };
    let mut head = Head {
        cues: CUE_NAMES.map(str::to_owned).to_vec(),
        note: note.to_owned(),
        hidden: rows(options.hidden, INPUTS),
        output: rows(CLASSES, options.hidden),
        middle,
        scale,
    };
    let mut order: Vec<usize> = (0..samples.len()).collect();
    let mut steps = (Moments::new(&head.hidden), Moments::new(&head.output));
    let total = options.rounds * samples.len().div_ceil(BATCH);
    let mut step = 0usize;
    for _ in 0..options.rounds {
        for i in (1..order.len()).rev() {
            let j = ((random() + 0.5) * (i + 1) as f32) as usize;
            order.swap(i, j.min(i));
        }
        for batch in order.chunks(BATCH) {
            let (hidden, output) = slopes(&head, batch.iter().map(|i| &samples[*i]));
            step += 1;
            let length =
                options.step * 0.5 * (1.0 + (std::f32::consts::PI * step as f32 / total as f32).cos());
            steps.0.take(&mut head.hidden, &hidden, length, options.decay, step);
            steps.1.take(&mut head.output, &output, length, options.decay, step);
        }
    }
    Some(head)
}

fn normalization(samples: &[Sample]) -> Option<(Vec<f32>, Vec<f32>)> {
    let n = samples.len() as f32;
    (n > 0.0).then(|| {
        let mean = |f: &dyn Fn(&Sample) -> f32| samples.iter().map(f).sum::<f32>() / n;
        (0..INPUTS)
            .map(|k| {
                let middle = mean(&|s| s.input[k]);
                (middle, mean(&|s| (s.input[k] - middle).powi(2)).sqrt().max(1e-3))
            })
            .unzip()
    })
}

type Rows = Vec<Vec<f32>>;

fn slopes<'a>(head: &Head, batch: impl Iterator<Item = &'a Sample>) -> (Rows, Rows) {
    let zeros = |rows: &Rows| rows.iter().map(|r| vec![0.0f32; r.len()]).collect::<Rows>();
    let (mut in_hidden, mut in_output) = (zeros(&head.hidden), zeros(&head.output));
    let mut total = 0.0f32;
    for sample in batch {
        let scaled: Vec<f32> =
            (0..INPUTS).map(|i| (sample.input[i] - head.middle[i]) / head.scale[i]).collect();
        let hidden: Vec<f32> = head
            .hidden
            .iter()
            .map(|row| (row[0] + row[1..].iter().zip(&scaled).map(|(w, v)| w * v).sum::<f32>()).tanh())
            .collect();
        let guess = head.judge(&sample.input);
        total += sample.weight;
        let mut back = vec![0.0f32; hidden.len()];
        for (class, row) in in_output.iter_mut().enumerate() {
            let error = (guess[class] - f32::from(u8::from(class == sample.class))) * sample.weight;
            row[0] += error;
            for (k, h) in hidden.iter().enumerate() {
                row[k + 1] += error * h;
                back[k] += error * head.output[class][k + 1];
            }
        }
        for ((row, h), b) in in_hidden.iter_mut().zip(&hidden).zip(&back) {
            let error = b * (1.0 - h * h);
            row[0] += error;
            row[1..].iter_mut().zip(&scaled).for_each(|(w, v)| *w += error * v);
        }
    }
    for row in in_hidden.iter_mut().chain(&mut in_output) {
        row.iter_mut().for_each(|v| *v /= total.max(1e-6));
    }
    (in_hidden, in_output)
}

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
    fn what_one_line_cannot_part_is_learnt() {
        // New where two cues have the same sign, gone where a third is large.
        let samples: Vec<Sample> = (0..2000)
            .map(|i| {
                let value = |k: usize| ((i * (k * 2 + 7919) + k * 31) % 97) as f32 / 48.5 - 1.0;
                let mut input = [0.0; INPUTS];
                (0..INPUTS).for_each(|k| input[k] = value(k));
                let class = if value(2) > 0.6 { 2 } else { usize::from(value(0) * value(1) > 0.0) };
                Sample { input, class, weight: 1.0 }
            })
            .collect();
        let head = train(&samples, &Training { rounds: 60, ..Training::default() }, "test").unwrap();
        let right = samples.iter().filter(|s| head.judge(&s.input)[s.class] > 0.5).count();
        assert!(right > 1850, "{right}");
        assert_eq!(head, train(&samples, &Training { rounds: 60, ..Training::default() }, "test").unwrap());
        let json = serde_json::to_string(&head).unwrap();
        assert_eq!(Head::read(&json).unwrap(), head);
        assert!(matches!(
            Head::read(&json.replace("new_s8", "old")),
            Err(super::super::HeadError::OtherCues)
        ));
    }
}
