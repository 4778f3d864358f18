//! The two models of each pixel: the clean reference, learned slowly, and the candidate, which is what stands in front
//! of it now and for how long (dual foregrounds: Porikli, Ivanov and Haga 2008). A stirring pixel (leaves, water)
//! widens its own tolerance and never becomes a stable candidate.

use crate::{
    config::BackgroundConfig,
    raster::{Size, box_mean, dilated, gradients},
    small::Small,
};

/// Seconds for which a place stays masked after its person has left: detectors blink.
const MASK_MEMORY: f32 = 1.5;
/// Variance of luma that a pixel starts with.
const START_VARIANCE: f32 = 9.0;

pub(super) struct Pixels {
    pub(super) size: Size,
    /// The clean view, in its own light.
    pub(super) reference: Small,
    variance: Vec<f32>,
    /// Never seen without a person before it.
    pub(super) unknown: Vec<bool>,
    /// Difference of luma that is noise, renewed with the reference.
    tolerance: Vec<f32>,
    tolerance_at: f32,
    /// What stands in front of the reference.
    pub(super) candidate: Small,
    /// When the candidate came, seconds of the model's time.
    pub(super) came_at: Vec<f32>,
    /// How long the candidate has been seen.
    pub(super) seen: Vec<f32>,
    missed: Vec<f32>,
    masked_until: Vec<f32>,
    /// Foreground to the reference in the present frame.
    pub(super) foreground: Vec<bool>,
    /// Not to be judged in the present frame: ignored, or a person is or was just there.
    pub(super) masked: Vec<bool>,
    /// Part of a held region: its reference stays.
    pub(super) held: Vec<bool>,
}

impl Pixels {
    pub(super) fn new(size: Size, reference: Small, variance: Vec<f32>, unknown: Vec<bool>) -> Self {
        let n = size.len();
        Self {
            size,
            candidate: reference.clone(),
            reference,
            variance,
            unknown,
            tolerance: vec![0.0; n],
            tolerance_at: f32::NEG_INFINITY,
            came_at: vec![0.0; n],
            seen: vec![0.0; n],
            missed: vec![0.0; n],
            masked_until: vec![f32::NEG_INFINITY; n],
            foreground: vec![false; n],
            masked: vec![false; n],
            held: vec![false; n],
        }
    }

    /// Takes a new reference and forgets the candidates.
    pub(super) fn relearn(&mut self, reference: Small, variance: Vec<f32>) {
        self.reference = reference;
        self.variance = variance;
        self.tolerance_at = f32::NEG_INFINITY;
        self.seen.fill(0.0);
        self.missed.fill(0.0);
        self.foreground.fill(false);
    }

    /// Moves the zero of time.
    pub(super) fn rebase(&mut self, by: f32) {
        self.tolerance_at -= by;
        self.came_at.iter_mut().for_each(|t| *t -= by);
        self.masked_until.iter_mut().for_each(|t| *t -= by);
    }

    /// Sets the mask of this frame from what is ignored and the pixels that persons occupy.
    pub(super) fn mask(&mut self, ignored: &[bool], occupied: &[bool], t: f32) {
        for i in 0..self.masked.len() {
            if occupied[i] {
                self.masked_until[i] = t + MASK_MEMORY;
            }
            self.masked[i] = ignored[i] || occupied[i] || t < self.masked_until[i];
        }
    }

    /// How different two colours are, in multiples of what noise explains.
    pub(super) fn distance(&self, i: usize, config: &BackgroundConfig, dy: f32, du: f32, dv: f32) -> f32 {
        let chroma = (du.abs() + dv.abs()) / config.chroma_difference;
        let luma = dy.abs() / self.tolerance[i];
        (chroma * chroma + luma * luma).sqrt()
    }

    /// Finds the foreground of a frame that is already in the reference's place and light.
    pub(super) fn classify(&mut self, current: &Small, config: &BackgroundConfig, t: f32) {
        let n = self.size.len();
        if t - self.tolerance_at > 1.0 || self.tolerance_at > t {
            self.tolerance_at = t;
            let (gx, gy) = gradients(&self.reference.y, self.size);
            for i in 0..n {
                self.tolerance[i] = config.luma_difference
                    + 2.5 * self.variance[i].sqrt()
                    + 0.3 * (gx[i].abs() + gy[i].abs());
            }
        }
        let chroma_scale = 1.0 / config.chroma_difference;
        let mut scores = vec![0.0f32; n];
        let (cy, cu, cv) = (&current.y[..n], &current.u[..n], &current.v[..n]);
        let (ry, ru, rv) = (&self.reference.y[..n], &self.reference.u[..n], &self.reference.v[..n]);
        let tolerance = &self.tolerance[..n];
        for i in 0..n {
            let luma = (cy[i] - ry[i]) / tolerance[i];
            let chroma = ((cu[i] - ru[i]).abs() + (cv[i] - rv[i]).abs()) * chroma_scale;
            scores[i] = (luma * luma + chroma * chroma).sqrt().min(4.0);
        }
        let smooth = box_mean(&scores, self.size, 1);
        let strong: Vec<bool> = smooth.iter().map(|s| *s > 1.0).collect();
        let near = dilated(&strong, self.size, 3);
        for i in 0..n {
            self.foreground[i] = smooth[i] > 0.6 && near[i];
        }
    }

    /// Learns from the frame: the reference where it is seen, the candidate where it is not.
    pub(super) fn learn(&mut self, current: &Small, config: &BackgroundConfig, t: f32, dt: f32) {
        let learn = 1.0 - (-dt / config.reference_seconds).exp();
        let follow = 1.0 - (-dt / 2.0f32).exp();
        let patience_floor = 0.3f32.max(0.5 * dt);
        for i in 0..self.size.len() {
            if self.masked[i] {
                continue;
            }
            let (y, u, v) = (current.y[i], current.u[i], current.v[i]);
            if !self.foreground[i] && !self.unknown[i] {
                if self.seen[i] > 0.0 {
                    self.missed[i] += dt;
                    if self.missed[i] > 1.5f32.max(2.5 * dt) {
                        self.seen[i] = 0.0;
                    }
                }
                if !self.held[i] {
                    let d = y - self.reference.y[i];
                    self.reference.y[i] += d * learn;
                    self.reference.u[i] += (u - self.reference.u[i]) * learn;
                    self.reference.v[i] += (v - self.reference.v[i]) * learn;
                    self.variance[i] += (d * d - self.variance[i]) * learn;
                }
                continue;
            }
            let (dy, du, dv) = (y - self.candidate.y[i], u - self.candidate.u[i], v - self.candidate.v[i]);
            let same = self.seen[i] > 0.0 && self.distance(i, config, dy, du, dv) < 1.0;
            if same {
                self.candidate.y[i] += dy * follow;
                self.candidate.u[i] += du * follow;
                self.candidate.v[i] += dv * follow;
                self.seen[i] += dt;
                self.missed[i] = (self.missed[i] - 0.25 * dt).max(0.0);
                if self.unknown[i] && self.seen[i] > 3.0 {
                    self.absorb(i);
                }
            } else {
                self.missed[i] += dt;
                if self.missed[i] > (0.5 * self.seen[i]).clamp(patience_floor, 5.0) || self.seen[i] == 0.0 {
                    self.candidate.y[i] = y;
                    self.candidate.u[i] = u;
                    self.candidate.v[i] = v;
                    self.came_at[i] = t;
                    self.seen[i] = dt.max(1e-3);
                    self.missed[i] = 0.0;
                }
                if !self.held[i] && !self.unknown[i] {
                    let d = y - self.reference.y[i];
                    self.variance[i] += ((d * d).min(625.0) - self.variance[i]).max(0.0) * learn * 0.25;
                }
            }
        }
    }

    /// Whether the foreground at this pixel has stood for a while.
    pub(super) fn stands(&self, i: usize) -> bool {
        self.held[i] || self.seen[i] > 1.5
    }

    /// Makes the candidate the reference.
    pub(super) fn absorb(&mut self, i: usize) {
        self.reference.y[i] = self.candidate.y[i];
        self.reference.u[i] = self.candidate.u[i];
        self.reference.v[i] = self.candidate.v[i];
        self.variance[i] = START_VARIANCE;
        self.unknown[i] = false;
        self.foreground[i] = false;
        self.seen[i] = 0.0;
        self.missed[i] = 0.0;
    }
}

/// Gathers pictures for a while and takes their median, pixel by pixel, without the persons in them: the reference to
/// start with when people are in view.
pub(super) struct Sampler {
    pub(super) began_at: f32,
    next_at: f32,
    samples: Vec<(Small, Vec<bool>)>,
}

/// Most samples that a median is taken over.
const SAMPLES: usize = 21;

impl Sampler {
    pub(super) fn new(t: f32) -> Self {
        Self { began_at: t, next_at: t, samples: Vec::new() }
    }

    /// The first sample, on which the others are laid.
    pub(super) fn first(&self) -> Option<&Small> {
        self.samples.first().map(|(small, _)| small)
    }

    /// Takes a picture if one is due. `masked` pixels of it do not count.
    pub(super) fn offer(&mut self, small: Small, masked: Vec<bool>, t: f32, seconds: f32) {
        if t >= self.next_at && self.samples.len() < SAMPLES {
            self.samples.push((small, masked));
            self.next_at = t + seconds / SAMPLES as f32;
        }
    }

    pub(super) fn is_complete(&self, t: f32, seconds: f32) -> bool {
        t - self.began_at >= seconds && self.samples.len() >= 5
    }

    /// The median picture, the variance of its luma and where nothing but persons was seen.
    pub(super) fn median(&self, size: Size) -> (Small, Vec<f32>, Vec<bool>) {
        let n = size.len();
        let mut unknown = vec![false; n];
        let mut variance = vec![START_VARIANCE; n];
        let mut planes = [Vec::with_capacity(n), Vec::with_capacity(n), Vec::with_capacity(n)];
        let mut values = Vec::with_capacity(SAMPLES);
        for i in 0..n {
            for (channel, plane) in planes.iter_mut().enumerate() {
                values.clear();
                let of = |s: &Small| [s.y[i], s.u[i], s.v[i]][channel];
                values.extend(self.samples.iter().filter(|(_, masked)| !masked[i]).map(|(s, _)| of(s)));
                if values.len() < 2 {
                    unknown[i] = true;
                    values.extend(self.samples.iter().map(|(s, _)| of(s)));
                }
                values.sort_unstable_by(f32::total_cmp);
                let median = values[values.len() / 2];
                if channel == 0 && !unknown[i] {
                    // The middle half spans 1.35 deviations of a normal spread.
                    let spread = (values[values.len() * 3 / 4] - values[values.len() / 4]) / 1.35;
                    variance[i] = (spread * spread).clamp(START_VARIANCE, 625.0);
                }
                plane.push(median);
            }
        }
        let [y, u, v] = planes;
        (Small { y, u, v }, variance, unknown)
    }
}
