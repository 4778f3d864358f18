//! Whether a frame needs a look by the model: while nothing moves, what was seen is still there. Two halves, both pure:
//! [`Stir`] tells from sub-sampled luma where anything moves, and [`Gate`] decides from that and from the frames' times
//! when to look. A full look is taken every so often whatever they say, so nothing is overlooked for longer than that.

use parapet_core::{BBox, Picture, Timestamp, time::seconds_between};
use serde::{Deserialize, Serialize};

use crate::Seconds;

/// When frames are looked at by the model. While nothing moves, tracks, standing things and rules go on with what the
/// latest look found, at the frames' own times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// While nothing moves, a look is taken at least so often: the longest time for which something that comes without
    /// being noticed as a movement can be overlooked.
    pub look_seconds: Seconds,
    /// Every frame is looked at for so long after the latest movement; above the time that things take to settle.
    pub linger_seconds: Seconds,
    /// Difference of brightness (of 255) that a cell of the view must show, beyond its own noise, to count as moving.
    pub least_difference: f32,
    /// So many cells of the grid of 80 × 45 must move together.
    pub least_cells: u32,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            look_seconds: Seconds::whole(5),
            linger_seconds: Seconds::whole(8),
            least_difference: 4.0,
            least_cells: 1,
        }
    }
}

/// What is to be done with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Have the model look at it.
    Full,
    /// Only where something moves, for what runs about: every rule that waits for what stands is served by the next frame.
    Glance,
    /// Nothing moves: what the latest look found holds on.
    Held,
}

/// Frames that come less often than this are chosen ones, and none is there but for a rule that needs it.
const SPARED_SECONDS: f64 = 0.5;
/// Times of containers are rounded.
pub(crate) const ROUNDING_SECONDS: f64 = 0.02;

/// Decides which frames are looked at.
#[derive(Debug)]
pub struct Gate {
    look_seconds: f64,
    linger_seconds: f64,
    /// At least so often all of the view is wanted to be seen, where frames come seldom: between such looks a glance is
    /// enough. `None`: every look is one at all of it.
    apart_seconds: Option<f64>,
    /// Latest movement, or the first frame.
    moved_at: Option<Timestamp>,
    looked_at: Option<Timestamp>,
    /// The latest frame.
    came_at: Option<Timestamp>,
}

impl Gate {
    /// A gate that has let nothing pass.
    pub fn new(config: &GateConfig) -> Self {
        Self {
            look_seconds: config.look_seconds.as_f64(),
            linger_seconds: config.linger_seconds.as_f64(),
            apart_seconds: None,
            moved_at: None,
            looked_at: None,
            came_at: None,
        }
    }

    /// Where frames come seldom, all of the view is looked at so many seconds apart, and between these looks only what moves.
    #[must_use]
    pub fn with_glances(self, apart_seconds: f64) -> Self {
        Self { apart_seconds: Some(apart_seconds), ..self }
    }

    /// What is known of the view is void: look again for a while.
    pub fn restart(&mut self) {
        self.moved_at = None;
        self.looked_at = None;
        self.came_at = None;
    }

    /// Whether nothing has moved for long enough.
    pub fn is_quiet(&self, at: Timestamp) -> bool {
        self.moved_at.is_some_and(|moved| seconds_between(moved, at) >= self.linger_seconds)
    }

    /// What to do with the frame taken `at` a time. `moves`: something moves in it. `open`: something is not yet decided
    /// and needs more looks.
    pub fn decide(&mut self, at: Timestamp, moves: bool, open: bool) -> Look {
        if moves || self.moved_at.is_none_or(|moved| at < moved) {
            self.moved_at = Some(at);
        }
        let due = self.looked_at.is_none_or(|looked| {
            // Time that goes back is no time to rely on.
            at < looked || seconds_between(looked, at) >= self.look_seconds
        });
        let glance = self.is_between_looks(at);
        self.came_at = Some(at);
        match open || due || !self.is_quiet(at) {
            true if glance => Look::Glance,
            true => Look::Full,
            false => Look::Held,
        }
    }

    /// Whether the frame after this one comes soon enough for whoever wants to see all of the view.
    fn is_between_looks(&self, at: Timestamp) -> bool {
        let Some(((apart, looked), came)) = self.apart_seconds.zip(self.looked_at).zip(self.came_at) else {
            return false;
        };
        let (since, gap) = (seconds_between(looked, at), seconds_between(came, at));
        since >= 0.0 && gap >= SPARED_SECONDS && since + gap <= apart + ROUNDING_SECONDS
    }

    /// The model has looked at the frame of this time.
    pub fn looked(&mut self, at: Timestamp) {
        self.looked_at = Some(at);
    }

    /// The model shed a frame: nobody knows what it would have seen, so the next one is looked at.
    pub fn missed(&mut self) {
        self.looked_at = None;
    }
}

/// Cells across and down.
const GRID: (usize, usize) = (80, 45);
/// Samples across and down in each cell.
const SAMPLES: usize = 4;
/// Time constants with which a cell's usual brightness and its noise are followed.
const USUAL_SECONDS: f64 = 2.0;
const NOISE_SECONDS: f64 = 20.0;
/// A movement is so many times a cell's noise.
const BEYOND_NOISE: f32 = 4.0;

/// What differs in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Movement {
    /// The box around all that differs from the frame before too, normalized: what has come or gone since then. `None` if
    /// that is nothing.
    pub since_the_last: Option<BBox>,
}

/// Tells from samples of luma where anything moves. Slow enough to notice what creeps, quick enough to
/// forget what has stopped.
#[derive(Debug)]
pub struct Stir {
    least_difference: f32,
    least_cells: u32,
    size: (usize, usize),
    /// Where the samples are, in columns and rows.
    columns: Vec<usize>,
    rows: Vec<usize>,
    cells: Vec<Cell>,
    sums: Vec<u16>,
    at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    usual: f32,
    noise: f32,
    /// In the frame before.
    last: f32,
}

impl Stir {
    /// Nothing seen yet.
    pub fn new(config: &GateConfig) -> Self {
        Self {
            least_difference: config.least_difference,
            least_cells: config.least_cells,
            size: (0, 0),
            columns: Vec::new(),
            rows: Vec::new(),
            cells: vec![Cell::default(); GRID.0 * GRID.1],
            sums: vec![0; GRID.0],
            at: None,
        }
    }

    /// Forgets how the view looks.
    pub fn restart(&mut self) {
        self.at = None;
    }

    /// How the picture differs from how the view has looked of late; `None` if it does not. The first one does everywhere.
    pub fn movement(&mut self, picture: &Picture, at: Timestamp) -> Option<Movement> {
        let luma = picture.y();
        let size = (luma.width(), luma.height());
        if self.size != size {
            self.size = size;
            let spread = |cells: usize, n: usize| {
                let samples = cells * SAMPLES;
                (0..samples).map(|i| (2 * i + 1) * n / (2 * samples)).collect()
            };
            (self.columns, self.rows) = (spread(GRID.0, size.0), spread(GRID.1, size.1));
            self.at = None;
        }
        let before = self.at.replace(at);
        let elapsed = before.map_or(0.0, |before| seconds_between(before, at).max(0.0));
        let share = |seconds: f64| (1.0 - (-elapsed / seconds).exp()) as f32;
        let (follow, follow_noise) = (share(USUAL_SECONDS), share(NOISE_SECONDS));
        let mut moving = 0;
        let (mut left, mut right, mut top, mut bottom) = (GRID.0, 0, GRID.1, 0);
        let rows_of_cells = self.rows.chunks_exact(SAMPLES).zip(self.cells.chunks_exact_mut(GRID.0));
        for (y, (rows, cells)) in rows_of_cells.enumerate() {
            self.sums.fill(0);
            for &row in rows {
                let row = luma.row(row);
                for (sum, columns) in self.sums.iter_mut().zip(self.columns.chunks_exact(SAMPLES)) {
                    *sum += columns.iter().map(|x| u16::from(row[*x])).sum::<u16>();
                }
            }
            for (x, (cell, sum)) in cells.iter_mut().zip(&self.sums).enumerate() {
                let now = f32::from(*sum) / (SAMPLES * SAMPLES) as f32;
                if before.is_none() {
                    *cell = Cell { usual: now, noise: 0.5, last: now };
                    continue;
                }
                let off = (now - cell.usual).abs();
                let limit = self.least_difference.max(BEYOND_NOISE * cell.noise);
                if off > limit {
                    moving += 1;
                    if (now - cell.last).abs() > limit {
                        (left, right) = (left.min(x), right.max(x + 1));
                        (top, bottom) = (top.min(y), bottom.max(y + 1));
                    }
                }
                cell.last = now;
                cell.usual += (now - cell.usual) * follow;
                // What passes now and then is no noise; what never rests becomes it.
                cell.noise += (off.min(limit) - cell.noise) * follow_noise;
            }
        }
        if before.is_none() {
            return Some(Movement { since_the_last: BBox::new(0.0, 0.0, 1.0, 1.0) });
        }
        let part = |cell: usize, cells: usize| cell as f32 / cells as f32;
        let (x, y) = (|cell| part(cell, GRID.0), |cell| part(cell, GRID.1));
        let since_the_last =
            (left < right).then(|| BBox::new(x(left), y(top), x(right), y(bottom))).flatten();
        (moving >= self.least_cells.max(1)).then_some(Movement { since_the_last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs_f64(seconds)
    }

    /// A wall with noise of its own in each frame, and a dark thing of `side` pixels at a place.
    fn picture(frame: u32, thing: Option<(usize, usize)>, side: usize) -> Picture {
        let (w, h) = (640, 360);
        let rgb = (0..w * h).flat_map(|i| {
            let (x, y) = (i % w, i / w);
            let noise = ((i as u32).wrapping_mul(2_654_435_761) ^ frame.wrapping_mul(0x9e37_79b9)) >> 29;
            let wall = 90 + ((x / 16 * 7919) ^ (y / 9 * 104_729)) % 60;
            let inside = thing.is_some_and(|(left, top)| {
                (left..left + side).contains(&x) && (top..top + side).contains(&y)
            });
            [if inside { 30 } else { wall as u8 + noise as u8 }; 3]
        });
        Picture::from_rgb(w, h, &rgb.collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn noise_does_not_move_and_a_small_thing_that_creeps_does() {
        let mut stir = Stir::new(&GateConfig::default());
        let everywhere = Movement { since_the_last: BBox::new(0.0, 0.0, 1.0, 1.0) };
        assert_eq!(stir.movement(&picture(0, None, 0), at(0.0)), Some(everywhere));
        for i in 1..50 {
            assert_eq!(stir.movement(&picture(i, None, 0), at(f64::from(i) * 0.2)), None, "frame {i}");
        }
        let mut noticed = 0;
        for i in 50..100 {
            // Two pixels a second, 14 pixels across: a dog far away.
            let place = (200 + (i as usize - 50) * 2 / 5, 150);
            noticed +=
                u32::from(stir.movement(&picture(i, Some(place), 14), at(f64::from(i) * 0.2)).is_some());
        }
        assert!(noticed >= 20, "{noticed}");
    }

    #[test]
    fn what_has_stopped_is_forgotten_in_seconds() {
        let mut stir = Stir::new(&GateConfig::default());
        for i in 0..50 {
            stir.movement(&picture(i, None, 0), at(f64::from(i) * 0.2));
        }
        let last = (50..150)
            .filter(|i| stir.movement(&picture(*i, Some((300, 200)), 40), at(f64::from(*i) * 0.2)).is_some())
            .last();
        assert!(last.is_some_and(|last| (55..90).contains(&last)), "{last:?}");
    }

    #[test]
    fn what_came_since_the_frame_before_is_told_from_what_it_left_behind() {
        let mut stir = Stir::new(&GateConfig::default());
        let mut at_place = |i: u32, x: usize| {
            let place = (x < 640).then_some((x, 160));
            stir.movement(&picture(i, place, 40), at(f64::from(i)))
        };
        let around =
            |movement: Option<Movement>| movement.unwrap().since_the_last.map(|b| (b.x_min(), b.x_max()));
        for i in 0..20 {
            at_place(i, 640);
        }
        assert_eq!(around(at_place(20, 80)), Some((0.125, 0.1875)));
        assert_eq!(around(at_place(21, 240)), Some((0.125, 0.4375)));
        // It stays, and where it was before still looks other than usual.
        assert_eq!(around(at_place(22, 240)), None);
        assert_eq!(around(at_place(23, 400)), Some((0.375, 0.6875)));
    }

    #[test]
    fn it_looks_at_the_start_at_movement_and_every_so_often() {
        let mut gate = Gate::new(&GateConfig::default());
        let mut looks = Vec::new();
        for i in 0..300 {
            let t = f64::from(i) * 0.2;
            // Something passes from 30 s to 31 s.
            if gate.decide(at(t), (30.0..=31.0).contains(&t), false) == Look::Full {
                gate.looked(at(t));
                looks.push(t);
            }
        }
        let between = |from: f64, to: f64| looks.iter().filter(|t| (from..to).contains(*t)).count();
        assert_eq!(between(0.0, 8.0), 40);
        assert_eq!(between(8.0, 30.0), 4);
        assert_eq!(between(30.0, 39.0), 45);
        assert!(between(39.0, 60.0) <= 5);
        assert!(looks.windows(2).all(|pair| pair[1] - pair[0] < 5.2), "{looks:?}");
    }

    #[test]
    fn between_looks_at_all_of_it_seldom_frames_are_glanced_at() {
        let looks = |apart: f64, wanted: f64| {
            let mut gate = Gate::new(&GateConfig::default()).with_glances(wanted);
            let mut decide = |i: u32| {
                let at = at(f64::from(i) * apart);
                let look = gate.decide(at, true, false);
                if look == Look::Full {
                    gate.looked(at);
                }
                look
            };
            (0..6).map(|i| if decide(i) == Look::Full { 'F' } else { 'g' }).collect::<String>()
        };
        assert_eq!(looks(1.0, 2.0), "FgFgFg");
        assert_eq!(looks(1.0, 1.9), "FFFFFF");
        assert_eq!(looks(1.0, 3.0), "FggFgg");
        // Not where frames come as often as they can, and where nobody asks for less.
        assert_eq!(looks(0.2, 2.0), "FFFFFF");
        assert_eq!(looks(2.0, 2.0), "FFFFFF");
    }

    #[test]
    fn what_is_undecided_or_was_shed_is_looked_at_again() {
        let mut gate = Gate::new(&GateConfig::default());
        gate.decide(at(0.0), false, false);
        gate.looked(at(0.0));
        gate.looked(at(19.9));
        assert_eq!(gate.decide(at(20.0), false, false), Look::Held);
        assert_eq!(gate.decide(at(20.2), false, true), Look::Full);
        gate.missed();
        assert_eq!(gate.decide(at(20.4), false, false), Look::Full, "shed");
        gate.looked(at(20.4));
        assert_eq!(gate.decide(at(25.3), false, false), Look::Held);
        assert_eq!(gate.decide(at(25.4), false, false), Look::Full, "due");
        gate.looked(at(25.4));
        assert_eq!(gate.decide(at(3.0), false, false), Look::Full, "time went back");
        gate.restart();
        assert_eq!(gate.decide(at(60.0), false, false), Look::Full);
    }
}
