//! How a view gets its reference: the first one, one in another light, and that of another view.

use super::{
    Learning, View,
    model::{Pixels, Sampler},
    moved,
};
use crate::{
    config::BackgroundConfig,
    register::{Flattened, Shift},
    small::Small,
};

impl View {
    pub(super) fn bootstrap(&mut self, small: Small, occupied: &[bool], config: &BackgroundConfig) {
        let Learning::Sampling(sampler) = &mut self.learning else { return };
        let small = match sampler.first() {
            None => small,
            Some(first) => {
                let flattened = Flattened::new(&first.y, self.size);
                let reach = config.max_shift * self.size.w as f32;
                let shift = flattened.shift_to(&small.y, occupied, Shift::default(), reach);
                moved(small, self.size, shift)
            }
        };
        sampler.offer(small, occupied.to_vec(), self.t, config.bootstrap_seconds);
        if sampler.is_complete(self.t, config.bootstrap_seconds) {
            let (reference, variance, unknown) = sampler.median(self.size);
            self.model = Some(Pixels::new(self.size, reference, variance, unknown));
            self.learning = Learning::Settled;
        }
    }

    pub(super) fn new_view(
        &mut self,
        small: Small,
        model: &mut Pixels,
        occupied: &[bool],
        config: &BackgroundConfig,
    ) {
        if !matches!(self.learning, Learning::Sampling(_)) {
            self.learning = Learning::Sampling(Sampler::new(self.t));
        }
        let Learning::Sampling(sampler) = &mut self.learning else { return };
        sampler.offer(small, occupied.to_vec(), self.t, config.new_view_seconds);
        if self.shifted_for >= config.new_view_seconds && sampler.is_complete(self.t, 0.0) {
            let (reference, variance, unknown) = sampler.median(self.size);
            *model = Pixels::new(self.size, reference, variance, unknown);
            self.forget_alignment();
            self.held.clear();
        }
    }

    fn forget_alignment(&mut self) {
        self.learning = Learning::Settled;
        self.flattened = None;
        self.shift = Shift::default();
        self.shifted_for = 0.0;
    }

    /// Learns the view in its new light; what is held stays, and with it what is known of the ground behind it.
    pub(super) fn relight(&mut self, small: Small, model: &mut Pixels, config: &BackgroundConfig) {
        let Learning::Sampling(sampler) = &mut self.learning else { return };
        let seconds = config.bootstrap_seconds * 0.5;
        sampler.offer(small, model.masked.clone(), self.t, seconds);
        if !sampler.is_complete(self.t, seconds) {
            return;
        }
        let (mut reference, variance, unknown) = sampler.median(self.size);
        for i in 0..self.size.len() {
            if model.held[i] || unknown[i] {
                reference.y[i] = model.reference.y[i];
                reference.u[i] = model.reference.u[i];
                reference.v[i] = model.reference.v[i];
            }
            if unknown[i] && !model.held[i] {
                model.unknown[i] = true;
            }
        }
        model.relearn(reference, variance);
        for held in &mut self.held {
            held.follow_light(model);
        }
        self.learning = Learning::Settled;
        self.flattened = None;
    }
}
