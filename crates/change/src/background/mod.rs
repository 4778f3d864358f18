//! Things that were put down and stay, found by what they hide: a clean reference of the view, learned slowly, against
//! what stands before it now. No class is known and none is needed. Persons and moving things are for the caller to name.

mod find;
mod held;
mod learn;
mod model;

use parapet_core::{BBox, Mask, Picture, Polygon, StationaryRegion, Timestamp, time::seconds_between};

use self::{
    held::Held,
    model::{Pixels, Sampler},
};
use crate::{
    config::BackgroundConfig,
    light::Light,
    raster::{Size, gradients},
    register::{Flattened, Shift, unshifted},
    small::{Small, working_size},
};

/// Longest step of time between two frames that counts: nothing is known about a gap.
const LONGEST_STEP: f32 = 3.0;

/// What the background model says about a frame. Regions are in the place of the reference: a shaking camera does
/// not shake them.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Things that were put down and stay.
    pub regions: Vec<StationaryRegion>,
    /// Cells that they cover; `None` while the model is learning the view.
    pub mask: Option<Mask>,
    /// Fraction of the frame that moves.
    pub moving_fraction: f32,
    /// The light changed as a whole, and the model is learning it.
    pub light_changed: bool,
    /// The camera looks elsewhere.
    pub view_shifted: bool,
}

/// The background model of one fixed view.
pub struct Background {
    config: BackgroundConfig,
    ignore: Vec<Polygon>,
    view: Option<View>,
    last_at: Option<Timestamp>,
    next_number: u64,
}

struct View {
    size: Size,
    ignored: Vec<bool>,
    /// Seconds of footage that count, since the view began.
    t: f32,
    learning: Learning,
    model: Option<Pixels>,
    flattened: Option<(f32, Flattened)>,
    shift: Shift,
    held: Vec<Held>,
    /// In the latest frame something large enough had begun to settle.
    settling: bool,
    /// Luma of the frame before.
    previous: Option<Vec<f32>>,
    frozen_for: f32,
    shifted_for: f32,
    tended_at: f32,
}

enum Learning {
    /// Gathering pictures for a first reference, or for a new one in another light or of another view.
    Sampling(Sampler),
    Settled,
}

impl Background {
    /// A model that has seen nothing. What lies in `ignore` is never reported.
    pub fn new(config: BackgroundConfig, ignore: &[Polygon]) -> Self {
        Self { config, ignore: ignore.to_vec(), view: None, last_at: None, next_number: 1 }
    }

    /// A new connection begins: the time since the last frame says nothing.
    pub fn begin_run(&mut self) {
        self.last_at = None;
    }

    /// Whether something large enough settles that is no held thing yet, or one of those seems to have gone.
    pub fn is_undecided(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.settling || view.held.iter().any(Held::seems_gone))
    }

    /// Looks at the next frame. `occupied` are boxes of persons and moving things.
    pub fn update(&mut self, picture: &Picture, at: Timestamp, occupied: &[BBox]) -> Standing {
        let size = working_size(picture, self.config.width);
        let small = Small::new(picture, size);
        let dt = self.last_at.map_or(0.0, |last| seconds_between(last, at) as f32).clamp(0.0, LONGEST_STEP);
        self.last_at = Some(at);
        if self.view.as_ref().is_none_or(|view| view.size != size) {
            self.view = Some(View::new(size, size.fill(&self.ignore)));
        }
        let view = self.view.as_mut().expect("set above");
        view.update(small, at, dt, occupied, &self.config, &mut self.next_number)
    }
}

impl View {
    fn new(size: Size, ignored: Vec<bool>) -> Self {
        Self {
            size,
            ignored,
            t: 0.0,
            learning: Learning::Sampling(Sampler::new(0.0)),
            model: None,
            flattened: None,
            shift: Shift::default(),
            held: Vec::new(),
            settling: false,
            previous: None,
            frozen_for: 0.0,
            shifted_for: 0.0,
            tended_at: 0.0,
        }
    }

    fn update(
        &mut self,
        small: Small,
        at: Timestamp,
        dt: f32,
        occupied: &[BBox],
        config: &BackgroundConfig,
        next_number: &mut u64,
    ) -> Standing {
        self.settling = false;
        let dt = self.counted(&small, dt, config);
        self.t += dt;
        self.rebase();
        let occupied = self.occupied(occupied);
        let Some(mut model) = self.model.take() else {
            self.bootstrap(small, &occupied, config);
            return self.standing(None, 0.0, false, false);
        };
        let small = self.aligned(small, &model, &occupied, config);
        model.mask(&self.ignored, &occupied, self.t);
        self.mask_margin(&mut model);
        let normal = Light::between(&model.reference, &small, |i| {
            model.masked[i] || model.foreground[i] || model.held[i]
        })
        .normalized(&small);
        model.classify(&normal, config, self.t);

        let (foreground, fit) = self.fit(&model, &normal);
        let shifted = self.shift.length() > config.max_shift * self.size.w as f32
            || (foreground > 0.3 && fit.is_some_and(|fit| fit < 0.35) && !self.is_dark(&model, &small));
        let relit = !shifted
            && foreground > 0.4
            && (fit.is_some_and(|fit| fit < 0.35)
                || self.fit_of_foreground(&model, &normal).map_or(foreground > 0.7, |fit| fit > 0.6));

        if shifted {
            self.shifted_for += dt;
            self.new_view(small, &mut model, &occupied, config);
            return self.standing(Some(model), 0.0, false, true);
        }
        if self.shifted_for > 0.0 {
            self.shifted_for = 0.0;
            self.learning = Learning::Settled;
        }
        if relit && matches!(self.learning, Learning::Settled) {
            self.learning = Learning::Sampling(Sampler::new(self.t));
        }
        if matches!(self.learning, Learning::Sampling(_)) {
            self.relight(small, &mut model, config);
            return self.standing(Some(model), 0.0, true, false);
        }
        model.learn(&normal, config, self.t, dt);
        self.look_at_held(&mut model, &normal, config, at, dt);
        self.find(&mut model, config, at, next_number);
        let moving = (0..model.size.len()).filter(|i| model.foreground[*i] && !model.stands(*i)).count()
            as f32
            / self.size.len() as f32;
        self.standing(Some(model), moving, false, false)
    }

    /// Keeps the seconds small, so that they stay exact to milliseconds over months.
    fn rebase(&mut self) {
        const EPOCH: f32 = 16_384.0;
        if self.t < 2.0 * EPOCH || !matches!(self.learning, Learning::Settled) {
            return;
        }
        self.t -= EPOCH;
        self.tended_at -= EPOCH;
        if let Some((since, _)) = &mut self.flattened {
            *since -= EPOCH;
        }
        if let Some(model) = &mut self.model {
            model.rebase(EPOCH);
        }
    }

    /// The part of the step that counts: a picture that repeats exactly is a frozen stream, not a still scene.
    fn counted(&mut self, small: &Small, dt: f32, config: &BackgroundConfig) -> f32 {
        let differs = self.previous.as_ref().is_none_or(|previous| {
            let rows = previous.chunks(self.size.w).zip(small.y.chunks(self.size.w));
            rows.map(|(a, b)| mean_difference(a, b)).sum::<f32>() / self.size.h as f32 > 0.02
        });
        let previous = self.previous.get_or_insert_default();
        previous.clear();
        previous.extend_from_slice(&small.y);
        if differs {
            self.frozen_for = 0.0;
            return dt;
        }
        let left = (config.freeze_seconds - self.frozen_for).max(0.0);
        self.frozen_for += dt;
        dt.min(left)
    }

    /// The pixels in the boxes, which are taken a little larger: boxes are loose and persons cast shadows.
    fn occupied(&self, boxes: &[BBox]) -> Vec<bool> {
        let mut bits = vec![false; self.size.len()];
        for bbox in boxes {
            let margin = 2.0 / self.size.w as f32;
            let (dx, dy) = (bbox.width() * 0.1 + margin, bbox.height() * 0.06 + margin);
            let Some(grown) = bbox.inflated(dx, dy) else { continue };
            let (columns, rows) = self.size.pixels_in(grown);
            for y in rows {
                bits[y * self.size.w..][columns.clone()].fill(true);
            }
        }
        bits
    }

    /// Lays the frame on the reference.
    fn aligned(
        &mut self,
        small: Small,
        model: &Pixels,
        occupied: &[bool],
        config: &BackgroundConfig,
    ) -> Small {
        if self.flattened.as_ref().is_none_or(|(since, _)| self.t - since > 2.0) {
            self.flattened = Some((self.t, Flattened::new(&model.reference.y, self.size)));
        }
        let (_, flattened) = self.flattened.as_ref().expect("set above");
        let reach = config.max_shift * self.size.w as f32;
        self.shift = flattened.shift_to(&small.y, occupied, self.shift, reach);
        if self.shift.length() > 2.0 * reach {
            self.shift = Shift::default();
        }
        moved(small, self.size, self.shift)
    }

    /// What the shift brought in from outside the frame is not to be judged.
    fn mask_margin(&self, model: &mut Pixels) {
        let Size { w, h } = self.size;
        let margin = |d: f32| if d.abs() > 0.05 { d.abs().ceil() as usize + 1 } else { 0 };
        let (mx, my) = (margin(self.shift.dx).min(w / 2), margin(self.shift.dy).min(h / 2));
        for y in 0..h {
            let row = &mut model.masked[y * w..(y + 1) * w];
            if y < my || y + my >= h {
                row.fill(true);
            } else {
                row[..mx].fill(true);
                row[w - mx..].fill(true);
            }
        }
    }

    /// Fraction of the judged frame that is foreground and, when that is much, how much of its structure still fits.
    fn fit(&self, model: &Pixels, normal: &Small) -> (f32, Option<f32>) {
        let (mut judged, mut foreground) = (0usize, 0usize);
        for i in 0..self.size.len() {
            if !model.masked[i] && !model.held[i] {
                judged += 1;
                foreground += usize::from(model.foreground[i]);
            }
        }
        let fraction = foreground as f32 / judged.max(1) as f32;
        if judged * 5 < self.size.len() || fraction < 0.2 {
            return (if judged * 5 < self.size.len() { 0.0 } else { fraction }, Some(1.0));
        }
        let (_, flattened) = self.flattened.as_ref().expect("the frame was aligned");
        (fraction, flattened.share_of_fitting_blocks(&normal.y, &model.masked))
    }

    /// The same, but only where there is foreground: what a change of light changes is still there.
    fn fit_of_foreground(&self, model: &Pixels, normal: &Small) -> Option<f32> {
        let skipped: Vec<bool> = model
            .masked
            .iter()
            .zip(&model.foreground)
            .map(|(masked, foreground)| *masked || !foreground)
            .collect();
        let (_, flattened) = self.flattened.as_ref().expect("the frame was aligned");
        flattened.share_of_fitting_blocks(&normal.y, &skipped)
    }

    /// The structure is not elsewhere but gone: night, or a lamp went out.
    fn is_dark(&self, model: &Pixels, small: &Small) -> bool {
        let energy = |y: &[f32]| {
            let (gx, gy) = gradients(y, self.size);
            gx.iter().zip(&gy).map(|(x, y)| x.abs() + y.abs()).sum::<f32>()
        };
        energy(&small.y) < 0.3 * energy(&model.reference.y)
    }

    fn standing(
        &mut self,
        model: Option<Pixels>,
        moving_fraction: f32,
        light_changed: bool,
        view_shifted: bool,
    ) -> Standing {
        let mask = model.as_ref().map(|model| {
            let (w, h) = (self.size.w.div_ceil(2), self.size.h.div_ceil(2));
            let mut cells = vec![0u8; w * h];
            for (y, row) in model.held.chunks_exact(self.size.w).enumerate() {
                for (cell, pair) in cells[y / 2 * w..][..w].iter_mut().zip(row.chunks(2)) {
                    *cell += pair.iter().map(|held| u8::from(*held)).sum::<u8>();
                }
            }
            Mask::from_cells(w, h, cells.into_iter().map(|n| n >= 2).collect()).expect("sized above")
        });
        if model.is_some() {
            self.model = model;
        }
        let regions = self.held.iter().map(Held::region).collect();
        Standing { regions, mask, moving_fraction, light_changed, view_shifted }
    }
}

/// Mean of the differences of two rows, in lanes that vector instructions can add.
fn mean_difference(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += (a - b).abs();
        }
    }
    sums.iter().sum::<f32>() / a.len() as f32
}

fn moved(small: Small, size: Size, shift: Shift) -> Small {
    if shift.length() < 0.05 {
        return small;
    }
    Small {
        y: unshifted(&small.y, size, shift),
        u: unshifted(&small.u, size, shift),
        v: unshifted(&small.v, size, shift),
    }
}
