//! What has settled before the reference: found, judged, held as a thing as long as it stands, or taken into the view.

use parapet_core::Timestamp;

use super::{
    View,
    held::{Fate, Held},
    model::Pixels,
};
use crate::{
    config::BackgroundConfig,
    judge::{Evidence, Verdict, judge},
    raster::{components, dilated, eroded, fill_holes},
    small::Small,
};

impl View {
    pub(super) fn look_at_held(
        &mut self,
        model: &mut Pixels,
        normal: &Small,
        config: &BackgroundConfig,
        at: Timestamp,
        dt: f32,
    ) {
        let tend = self.t - self.tended_at >= 1.0;
        if tend {
            self.tended_at = self.t;
        }
        let smallest = config.min_area * self.size.len() as f32 * 0.5;
        self.held.retain_mut(|held| {
            let mut freed = Vec::new();
            let mut fate = held.look_at(model, normal, config, at, dt);
            if tend && fate == Fate::Stays {
                held.follow_light(model);
                freed = held.trim(model, config);
                if (held.pixels.len() as f32) < smallest {
                    fate = Fate::Gone;
                }
            }
            if fate == Fate::Gone {
                freed.extend(&held.pixels);
            }
            for i in freed {
                model.held[i as usize] = false;
                model.seen[i as usize] = 0.0;
            }
            fate == Fate::Stays
        });
    }

    /// Looks for regions that have settled, and lets the view take in what is no thing.
    pub(super) fn find(
        &mut self,
        model: &mut Pixels,
        config: &BackgroundConfig,
        at: Timestamp,
        next_number: &mut u64,
    ) {
        let size = self.size;
        let early = 0.6 * config.settle_seconds;
        let mut bits: Vec<bool> = (0..size.len())
            .map(|i| {
                !model.held[i]
                    && !model.unknown[i]
                    && !self.ignored[i]
                    && model.seen[i] >= early
                    && (model.masked[i] || model.foreground[i])
            })
            .collect();
        if !bits.iter().any(|b| *b) {
            return;
        }
        let raw = bits.clone();
        bits = dilated(&bits, size, 1);
        fill_holes(&mut bits, size);
        bits = dilated(&eroded(&bits, size, 2), size, 1);
        let mut waiting = vec![false; size.len()];
        for found in components(&bits, size) {
            let area = found.pixels.len() as f32 / size.len() as f32;
            if area < config.min_area || area > config.max_area {
                continue;
            }
            let settled = |limit: f32| {
                let n = found.pixels.iter().filter(|i| model.seen[**i as usize] >= limit).count();
                n * 5 >= found.pixels.len() * 3
            };
            if !settled(config.settle_seconds) {
                self.settling = true;
                continue;
            }
            if beside_movement(model, &bits, &found.pixels) && !settled(3.0 * config.settle_seconds) {
                // Perhaps a part of something large that passes slowly.
                self.settling = true;
                found.pixels.iter().for_each(|i| waiting[*i as usize] = true);
                continue;
            }
            let touching = found.pixels.iter().filter(|i| beside_mask(model, **i as usize)).count();
            if touching * 20 > found.pixels.len() && !settled(3.0 * config.settle_seconds) {
                // Perhaps a part of a person that the box leaves out.
                self.settling = true;
                found.pixels.iter().for_each(|i| waiting[*i as usize] = true);
                continue;
            }
            let scene = Evidence {
                size,
                reference: &model.reference,
                present: &model.candidate,
                known: &|i| model.seen[i] > 0.0,
                ground: &|i| !model.foreground[i],
            };
            match judge(&scene, &found.pixels, config.ignore_shadows) {
                Verdict::Thing => self.hold(&found.pixels, model, at, next_number),
                Verdict::Ghost => {
                    for i in &found.pixels {
                        if model.seen[*i as usize] > 0.0 {
                            model.absorb(*i as usize);
                        }
                    }
                }
                Verdict::Light | Verdict::Sway => {}
            }
        }
        for i in 0..size.len() {
            if raw[i] && !model.held[i] && !waiting[i] && model.seen[i] >= config.heal_seconds {
                model.absorb(i);
            }
        }
    }

    /// Holds a new thing, or adds it to the one that it touches.
    fn hold(&mut self, pixels: &[u32], model: &mut Pixels, at: Timestamp, next_number: &mut u64) {
        let mut near = vec![false; self.size.len()];
        for i in pixels {
            near[*i as usize] = true;
        }
        let near = dilated(&near, self.size, 2);
        let pixels: Vec<u32> = pixels.iter().copied().filter(|i| !model.held[*i as usize]).collect();
        let owner = self.held.iter_mut().find(|h| h.pixels.iter().any(|i| near[*i as usize]));
        for i in &pixels {
            model.held[*i as usize] = true;
        }
        if let Some(owner) = owner {
            owner.grow(&pixels, model);
            return;
        }
        let mut came: Vec<f32> = pixels
            .iter()
            .map(|i| *i as usize)
            .filter(|i| model.seen[*i] > 0.0)
            .map(|i| model.came_at[i])
            .collect();
        came.sort_unstable_by(f32::total_cmp);
        // What an owner hid at first came with the rest: the thing is as old as its first third.
        let ago = came.get(came.len() / 3).map_or(0.0, |came| self.t - came);
        let since = at - jiff::SignedDuration::from_millis((ago * 1000.0) as i64);
        self.held.push(Held::new(*next_number, pixels, model, since, at));
        *next_number += 1;
    }
}

/// Whether a good part of the region's border meets foreground that does not stand.
fn beside_movement(model: &Pixels, bits: &[bool], region: &[u32]) -> bool {
    let w = model.size.w;
    let (mut border, mut meets) = (0usize, 0usize);
    for i in region.iter().map(|i| *i as usize) {
        for (near, far) in
            [(-1isize, -3isize), (1, 3), (-(w as isize), -3 * w as isize), (w as isize, 3 * w as isize)]
        {
            let at = |step: isize| i.checked_add_signed(step).filter(|j| *j < bits.len());
            let (Some(near), Some(far)) = (at(near), at(far)) else { continue };
            if !bits[near] {
                border += 1;
                meets += usize::from(model.foreground[far] && !model.masked[far] && !model.stands(far));
            }
        }
    }
    meets * 5 > border
}

fn beside_mask(model: &Pixels, i: usize) -> bool {
    let w = model.size.w;
    [i.wrapping_sub(3), i + 3, i.wrapping_sub(3 * w), i + 3 * w]
        .iter()
        .any(|j| model.masked.get(*j).copied().unwrap_or(false))
}
