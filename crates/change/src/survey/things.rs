//! Cells that have changed, joined to things with an outline, an area, a kind and a confidence.

use parapet_core::Point;

use super::{
    cue::{CELL_PIXELS, CUES, Cues, DISCORDS, PAIR_CUES},
    fuse::Fused,
    head::{CELL_INPUTS, Head, input},
    relief::{Relief, relief},
};
use crate::raster::{Size, components, dilated, eroded, fill_holes, outline_of};

/// By what roofs are judged.
#[derive(Debug, Clone, Copy)]
pub enum Measure<'a> {
    /// All cues, weighed by a learnt head.
    Head(&'a Head),
    /// Only the difference of brightness and colour (a baseline to compare with).
    Pixels,
    /// Only local correlation (a baseline to compare with).
    Correlation,
    /// Only deep features (a baseline to compare with).
    Deep,
}

impl Measure<'_> {
    /// Scores that a cell is new and that it is gone. A measure that cannot tell the two apart says new.
    fn scores(self, own: &Cues, input: &[f32; CELL_INPUTS]) -> (f32, f32) {
        match self {
            Self::Head(head) => {
                let classes = head.cells.judge(input);
                (classes[1], classes[2])
            }
            Self::Pixels => (own[6].max(own[7]).min(1.0), 0.0),
            Self::Correlation => (own[4], 0.0),
            Self::Deep => (own[0] + own[1], own[2] + own[3]),
        }
    }
}

/// What a thing is, as far as one comparison can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThingKind {
    /// It was not there before.
    New,
    /// It is not there any more.
    Gone,
    /// Something was there and there is more of it.
    Grown,
}

/// How cells become things.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThingOptions {
    /// A thing has cells of at least this score …
    pub seed: f32,
    /// … and all cells of at least this score that are joined to them.
    pub grow: f32,
    /// Smaller things are left out, square metres.
    pub min_area: f32,
    /// Metres across a pixel of the patch.
    pub meters_per_pixel: f32,
}

/// Something that has changed on a roof.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// What happened.
    pub kind: ThingKind,
    /// How likely it is a structure that came, went or grew, 0..=1. Measures without a head give their score.
    pub confidence: f32,
    /// Corners of its outline, in pixels of the patch from its upper left corner.
    pub outline: Vec<Point>,
    /// Square metres.
    pub area: f32,
    /// Standard deviation of the area: the whole outline too far out or in by [`EDGE_METERS`], square metres.
    pub area_error: f32,
    /// Its middle, pixels of the patch.
    pub middle: Point,
    /// Mean score of its cells, 0..=1.
    pub score: f32,
    /// Looks after in which most of it is seen …
    pub looks_asked: usize,
    /// … and in which it is there.
    pub looks_seen: usize,
    /// How high it stood before, where that can be told.
    pub relief_before: Option<Relief>,
    /// How high it stands now, where that can be told.
    pub relief_after: Option<Relief>,
    /// What the head is given: for learning.
    pub input: Vec<f32>,
    /// Its cells, by row.
    pub cells: Vec<u32>,
}

/// Standard deviation of an outline's place, metres: two of it took in 95 % of the areas on rendered training flights,
/// found by heads that had not seen these compounds.
pub const EDGE_METERS: f32 = 0.39;
/// Standard deviation of the place of a thing's middle in any direction, beside that of the roof: measured likewise.
pub const MIDDLE_METERS: f32 = 0.42;

/// Numbers that the head is given for a thing: see [`Draft::input`].
pub(super) const THING_INPUTS: usize = CUES_OF_THING + PAIR_CUES + (CUES - DISCORDS) + 4 + 8;
/// Where the cues on the roof's plane are among them.
pub(super) const CUES_OF_THING: usize = 7;

/// The things on a roof, the surest first.
pub fn things(fused: &Fused, measure: Measure<'_>, options: &ThingOptions) -> Vec<Thing> {
    let size = fused.size;
    let scores: Scores = (0..size.len()).map(|i| scored(&fused.cells, size, i, measure)).collect();
    let at_least = |limit: f32| -> Vec<bool> {
        scores.iter().map(|s| s.is_some_and(|(new, gone)| new + gone >= limit)).collect()
    };
    let (seeds, mut bits) = (at_least(options.seed), at_least(options.grow));
    // Close gaps of a cell, then drop threads.
    bits = eroded(&dilated(&bits, size, 1), size, 1);
    bits = dilated(&eroded(&bits, size, 1), size, 1);
    fill_holes(&mut bits, size);
    let cell_meters = options.meters_per_pixel * CELL_PIXELS as f32;
    let mut found: Vec<Thing> = components(&bits, size)
        .into_iter()
        .filter(|c| c.pixels.iter().any(|i| seeds[*i as usize]))
        .filter(|c| c.pixels.len() as f32 * cell_meters * cell_meters >= options.min_area)
        .map(|c| {
            Draft::new(core_of(c.pixels, &scores), fused, &scores, measure, options).thing(measure, options)
        })
        .collect();
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    found
}

type Scores = Vec<Option<(f32, f32)>>;

fn scored(cells: &[Option<Cues>], size: Size, i: usize, measure: Measure<'_>) -> Option<(f32, f32)> {
    Some(measure.scores(cells[i].as_ref()?, &input(cells, size, i)?))
}

/// The cells of a thing without its soft edge: those that score at least half of what its best tenth does. What is
/// hardly seen keeps all of its cells, what is plainly seen loses the shadow at its foot.
fn core_of(cells: Vec<u32>, scores: &Scores) -> Vec<u32> {
    const SHARE: f32 = 0.5;
    let limit = best_tenth(&cells, scores) * SHARE;
    cells.into_iter().filter(|i| score(*i, scores) >= limit).collect()
}

fn score(cell: u32, scores: &Scores) -> f32 {
    scores[cell as usize].map_or(0.0, |(new, gone)| new + gone)
}

/// The least score of the best tenth of some cells.
fn best_tenth(cells: &[u32], scores: &Scores) -> f32 {
    let mut sorted: Vec<f32> = cells.iter().map(|i| score(*i, scores)).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted.get(sorted.len() / 10).copied().unwrap_or_default()
}

/// A thing whose kind has not been judged.
struct Draft {
    size: Size,
    cells: Vec<u32>,
    new: f32,
    gone: f32,
    /// Score of its best tenth.
    best: f32,
    cues: [f32; CUES],
    /// Means over the cells around it.
    around: Option<[f32; CUES]>,
    looks_asked: usize,
    looks_seen: usize,
    relief_before: Option<Relief>,
    relief_after: Option<Relief>,
}

impl Draft {
    fn new(
        cells: Vec<u32>,
        fused: &Fused,
        scores: &Scores,
        measure: Measure<'_>,
        options: &ThingOptions,
    ) -> Self {
        let size = fused.size;
        let known: Vec<(f32, f32)> = cells.iter().filter_map(|i| scores[*i as usize]).collect();
        let (new, gone) = known.iter().fold((0.0, 0.0), |sum, s| (sum.0 + s.0, sum.1 + s.1));
        let n = known.len().max(1) as f32;
        let in_look = |look: &Vec<Option<Cues>>| {
            let seen: Vec<_> =
                cells.iter().filter_map(|i| scored(look, size, *i as usize, measure)).collect();
            let mean = seen.iter().map(|(n, g)| n + g).sum::<f32>() / seen.len().max(1) as f32;
            (seen.len() * 2 >= cells.len()).then_some(mean >= options.grow)
        };
        let answers: Vec<bool> = fused.looks.iter().filter_map(in_look).collect();
        let mut inside = vec![false; size.len()];
        for i in &cells {
            inside[*i as usize] = true;
        }
        let (near, far) = (dilated(&inside, size, 1), dilated(&inside, size, 3));
        let ring: Vec<u32> = (0..size.len()).filter(|i| far[*i] && !near[*i]).map(|i| i as u32).collect();
        let meters = f64::from(options.meters_per_pixel);
        Self {
            size,
            new: new / n,
            gone: gone / n,
            best: best_tenth(&cells, scores),
            cues: mean(&cells, &fused.cells).unwrap_or([0.0; CUES]),
            around: mean(&ring, &fused.cells),
            looks_asked: answers.len(),
            looks_seen: answers.iter().filter(|a| **a).count(),
            relief_before: relief(&fused.before, &cells, meters),
            relief_after: relief(&fused.after, &cells, meters),
            cells,
        }
    }

    fn input(&self, cell_meters: f32) -> Vec<f32> {
        let area = self.cells.len() as f32 * cell_meters * cell_meters;
        let (columns, rows) = self.extent();
        let (long, short) = (columns.max(rows) as f32, columns.min(rows) as f32);
        let mut input = vec![
            self.new + self.gone,
            self.new - self.gone,
            area.ln(),
            self.looks_seen as f32 / self.looks_asked.max(1) as f32,
            self.cells.len() as f32 / (long * short),
            (long / short).ln(),
            self.best,
        ];
        input.extend(&self.cues[..PAIR_CUES]);
        input.extend(&self.cues[DISCORDS..]);
        // How it stands out from what is around it: brightness and saturation, before and after.
        input.extend([13, 14, 15, 16].map(|k| self.around.map_or(0.0, |a| (self.cues[k] - a[k]).abs())));
        for relief in [self.relief_before, self.relief_after] {
            input.extend(relief.map_or([0.0; 4], |r| [1.0, r.height, r.fit, r.fit - r.flat_fit]));
        }
        input
    }

    /// Cells across and down the box around it.
    fn extent(&self) -> (usize, usize) {
        let fold = |value: &dyn Fn(usize) -> usize| {
            let values = self.cells.iter().map(|i| value(*i as usize));
            let (low, high) = values.fold((usize::MAX, 0), |(low, high), v| (low.min(v), high.max(v)));
            high - low + 1
        };
        (fold(&|i| i % self.size.w), fold(&|i| i / self.size.w))
    }

    fn thing(self, measure: Measure<'_>, options: &ThingOptions) -> Thing {
        let size = self.size;
        let cell_meters = options.meters_per_pixel * CELL_PIXELS as f32;
        let input = self.input(cell_meters);
        let score = self.new + self.gone;
        let (kind, confidence) = match measure {
            Measure::Head(head) => {
                let classes = head.things.judge(&input);
                let kinds = [ThingKind::New, ThingKind::Gone, ThingKind::Grown];
                let best = (1..classes.len()).max_by(|a, b| classes[*a].total_cmp(&classes[*b])).unwrap_or(1);
                (kinds[best - 1], 1.0 - classes[0])
            }
            _ if self.new >= self.gone => (ThingKind::New, score.min(1.0)),
            _ => (ThingKind::Gone, score.min(1.0)),
        };
        let pixels = (size.w as f32 * CELL_PIXELS as f32, size.h as f32 * CELL_PIXELS as f32);
        let outline: Vec<Point> = outline_of(&self.cells, size)
            .into_iter()
            .map(|p| Point::new(p.x * pixels.0, p.y * pixels.1))
            .collect();
        let n = outline.len();
        let around: f32 = (0..n).map(|i| outline[i].distance(outline[(i + 1) % n])).sum();
        let sum = self.cells.iter().fold((0.0f32, 0.0f32), |sum, i| {
            (sum.0 + (*i as usize % size.w) as f32 + 0.5, sum.1 + (*i as usize / size.w) as f32 + 0.5)
        });
        let per_cell = CELL_PIXELS as f32 / self.cells.len() as f32;
        Thing {
            kind,
            confidence,
            area: self.cells.len() as f32 * cell_meters * cell_meters,
            area_error: around * options.meters_per_pixel * EDGE_METERS,
            middle: Point::new(sum.0 * per_cell, sum.1 * per_cell),
            score,
            looks_asked: self.looks_asked,
            looks_seen: self.looks_seen,
            relief_before: self.relief_before,
            relief_after: self.relief_after,
            input,
            cells: self.cells,
            outline,
        }
    }
}

/// The outlines of the connected parts of a mask of `width` pixels across, in its pixels; parts of fewer than `least`
/// pixels are left out.
pub fn outlines(mask: &[bool], width: usize, least: usize) -> Vec<Vec<Point>> {
    let size = Size { w: width, h: mask.len() / width };
    let scaled = |p: Point| Point::new(p.x * size.w as f32, p.y * size.h as f32);
    components(mask, size)
        .into_iter()
        .filter(|c| c.pixels.len() >= least)
        .map(|c| outline_of(&c.pixels, size).into_iter().map(scaled).collect())
        .collect()
}

fn mean(cells: &[u32], of: &[Option<Cues>]) -> Option<[f32; CUES]> {
    let (mut sum, mut n) = ([0.0f32; CUES], 0.0f32);
    for cues in cells.iter().filter_map(|i| of[*i as usize].as_ref()) {
        sum.iter_mut().zip(cues).for_each(|(s, c)| *s += c);
        n += 1.0;
    }
    (n > 0.0).then(|| sum.map(|s| s / n))
}
