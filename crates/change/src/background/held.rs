//! A thing that was put down: held, with its number and its time, until its place looks empty again.

use parapet_core::{StationaryRegion, Timestamp};

use super::model::Pixels;
use crate::{
    config::BackgroundConfig,
    raster::{bbox_of, dilated, outline_of},
    small::Small,
};

pub(super) struct Held {
    number: u64,
    pub(super) pixels: Vec<u32>,
    look: Vec<[f32; 3]>,
    /// For how long each pixel has looked empty.
    empty: Vec<f32>,
    empty_for: f32,
    since: Timestamp,
    last_seen_at: Timestamp,
    ring: Vec<u32>,
    ring_light: [f32; 3],
    shape: StationaryRegion,
}

/// What became of a held thing in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    Gone,
}

impl Held {
    pub(super) fn new(
        number: u64,
        pixels: Vec<u32>,
        model: &Pixels,
        since: Timestamp,
        at: Timestamp,
    ) -> Self {
        let bbox = bbox_of(&pixels, model.size);
        let shape =
            StationaryRegion { number, bbox, outline: Vec::new(), area: 0.0, since, last_seen_at: at };
        let mut held = Self {
            number,
            look: Vec::new(),
            empty: Vec::new(),
            empty_for: 0.0,
            since,
            last_seen_at: at,
            ring: Vec::new(),
            ring_light: [1.0, 0.0, 0.0],
            shape,
            pixels,
        };
        held.renew(model);
        held.look = held.pixels.iter().map(|i| candidate(model, *i as usize)).collect();
        held.empty = vec![0.0; held.pixels.len()];
        held
    }

    /// Adds pixels that belong to it.
    pub(super) fn grow(&mut self, pixels: &[u32], model: &Pixels) {
        let mut own = vec![false; model.size.len()];
        for i in &self.pixels {
            own[*i as usize] = true;
        }
        for i in pixels.iter().filter(|i| !own[**i as usize]) {
            self.pixels.push(*i);
            self.look.push(candidate(model, *i as usize));
            self.empty.push(0.0);
        }
        self.renew(model);
    }

    fn renew(&mut self, model: &Pixels) {
        let size = model.size;
        let mut bits = vec![false; size.len()];
        for i in &self.pixels {
            bits[*i as usize] = true;
        }
        let (near, far) = (dilated(&bits, size, 2), dilated(&bits, size, 6));
        self.ring = (0..size.len()).filter(|i| far[*i] && !near[*i]).map(|i| i as u32).collect();
        self.ring_light = self.light(model);
        self.shape = StationaryRegion {
            number: self.number,
            bbox: bbox_of(&self.pixels, size),
            outline: outline_of(&self.pixels, size),
            area: self.pixels.len() as f32 / size.len() as f32,
            since: self.since,
            last_seen_at: self.last_seen_at,
        };
    }

    /// Its place has begun to look empty.
    pub(super) fn seems_gone(&self) -> bool {
        self.empty_for > 0.0
    }

    pub(super) fn region(&self) -> StationaryRegion {
        StationaryRegion { last_seen_at: self.last_seen_at, ..self.shape.clone() }
    }

    fn light(&self, model: &Pixels) -> [f32; 3] {
        let ring = self.ring.iter().map(|i| *i as usize).filter(|i| !model.held[*i]);
        let (mut n, mut sums) = (0.0f32, [0.0f32; 3]);
        for i in ring {
            n += 1.0;
            sums[0] += model.reference.y[i];
            sums[1] += model.reference.u[i];
            sums[2] += model.reference.v[i];
        }
        if n < 8.0 { self.ring_light } else { [(sums[0] / n).max(1.0), sums[1] / n, sums[2] / n] }
    }

    /// Carries what is hidden behind the thing, and its look, along with the light around it.
    pub(super) fn follow_light(&mut self, model: &mut Pixels) {
        let now = self.light(model);
        let factor = (now[0] / self.ring_light[0]).clamp(0.25, 4.0);
        let (du, dv) = (now[1] - self.ring_light[1], now[2] - self.ring_light[2]);
        for (i, look) in self.pixels.iter().map(|i| *i as usize).zip(&mut self.look) {
            model.reference.y[i] *= factor;
            model.reference.u[i] += du;
            model.reference.v[i] += dv;
            *look = [look[0] * factor, look[1] + du, look[2] + dv];
        }
        self.ring_light = now;
    }

    /// Looks whether the thing is still there.
    pub(super) fn look_at(
        &mut self,
        model: &Pixels,
        current: &Small,
        config: &BackgroundConfig,
        at: Timestamp,
        dt: f32,
    ) -> Fate {
        let (mut visible, mut thing, mut ground, mut settled) = (0usize, 0usize, 0usize, 0usize);
        let follow = 1.0 - (-dt / config.reference_seconds.min(20.0)).exp();
        for ((i, look), empty) in self.pixels.iter().zip(&mut self.look).zip(&mut self.empty) {
            let i = *i as usize;
            if model.masked[i] {
                continue;
            }
            visible += 1;
            let now = [current.y[i], current.u[i], current.v[i]];
            let to = |c: [f32; 3]| model.distance(i, config, now[0] - c[0], now[1] - c[1], now[2] - c[2]);
            let to_look = to(*look);
            let to_ground = to([model.reference.y[i], model.reference.u[i], model.reference.v[i]]);
            if to_look < to_ground && to_look < 1.6 {
                thing += 1;
                *empty = 0.0;
                for (l, n) in look.iter_mut().zip(now) {
                    *l += (n - *l) * follow;
                }
            } else if to_ground < 1.6 {
                ground += 1;
                *empty += dt;
            } else if model.seen[i] >= config.settle_seconds {
                settled += 1;
            }
        }
        if visible * 10 < self.pixels.len() * 3 {
            return Fate::Stays;
        }
        if thing * 2 >= visible {
            self.last_seen_at = at;
            self.empty_for = 0.0;
        } else if ground * 2 > visible {
            self.empty_for += dt;
            if self.empty_for >= config.removal_seconds {
                return Fate::Gone;
            }
        } else {
            self.empty_for = 0.0;
            if settled * 2 > visible {
                // Turned, swapped or in other light: still something that stands there.
                for (i, look) in self.pixels.iter().zip(&mut self.look) {
                    if model.seen[*i as usize] >= config.settle_seconds {
                        *look = candidate(model, *i as usize);
                    }
                }
                self.last_seen_at = at;
            }
        }
        Fate::Stays
    }

    /// Lets go of the parts that have looked empty for long while the rest stands. Returns the freed pixels.
    pub(super) fn trim(&mut self, model: &Pixels, config: &BackgroundConfig) -> Vec<u32> {
        let limit = 2.0 * config.removal_seconds + 2.0;
        let freed: Vec<u32> =
            self.pixels.iter().zip(&self.empty).filter(|(_, e)| **e > limit).map(|(i, _)| *i).collect();
        if freed.len() * 20 < self.pixels.len() {
            return Vec::new();
        }
        let keep: Vec<bool> = self.empty.iter().map(|e| *e <= limit).collect();
        let mut kept = keep.iter();
        self.pixels.retain(|_| *kept.next().expect("one flag each"));
        let mut kept = keep.iter();
        self.look.retain(|_| *kept.next().expect("one flag each"));
        self.empty.retain(|e| *e <= limit);
        if !self.pixels.is_empty() {
            self.renew(model);
        }
        freed
    }
}

fn candidate(model: &Pixels, i: usize) -> [f32; 3] {
    if model.seen[i] > 0.0 {
        [model.candidate.y[i], model.candidate.u[i], model.candidate.v[i]]
    } else {
        [model.reference.y[i], model.reference.u[i], model.reference.v[i]]
    }
}
