//! Cells that have changed, joined to things with an outline, an area and a confidence.

use parapet_core::Point;

use super::{
    cue::{CELL_PIXELS, CUES, Cues},
    fuse::Fused,
    head::{Head, inputs},
};
use crate::raster::{Size, components, dilated, eroded, fill_holes, outline_of};

/// By what cells are judged.
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
    fn scores(self, own: &Cues, input: &[f32; super::head::INPUTS]) -> (f32, f32) {
        match self {
            Self::Head(head) => {
                let [_, new, gone] = head.judge(input);
                (new, gone)
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
    /// New or gone.
    pub kind: ThingKind,
    /// Corners of its outline, in pixels of the patch from its upper left corner.
    pub outline: Vec<Point>,
    /// Square metres.
    pub area: f32,
    /// Standard deviation of the area: half a cell along half of the outline, square metres.
    pub area_error: f32,
    /// Its middle, pixels of the patch.
    pub middle: Point,
    /// Mean score of its cells, 0..=1.
    pub score: f32,
    /// Looks after in which most of it is seen …
    pub looks_asked: usize,
    /// … and in which it is there.
    pub looks_seen: usize,
    /// Mean cues over it, in the order of [`super::CUE_NAMES`].
    pub cues: Vec<f32>,
    /// Its cells, by row.
    pub cells: Vec<u32>,
}

/// The things on a roof.
pub fn things(fused: &Fused, measure: Measure<'_>, options: &ThingOptions) -> Vec<Thing> {
    let size = fused.size;
    let scores = scores(&fused.cells, size, measure);
    let looks: Vec<_> = fused.looks.iter().map(|look| self::scores(look, size, measure)).collect();
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
        .map(|c| thing(c.pixels, fused, &scores, &looks, options, cell_meters))
        .collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

type Scores = Vec<Option<(f32, f32)>>;

fn scores(cells: &[Option<Cues>], size: Size, measure: Measure<'_>) -> Scores {
    let inputs = inputs(cells, size);
    cells
        .iter()
        .zip(&inputs)
        .map(|(own, input)| Some(measure.scores(own.as_ref()?, input.as_ref()?)))
        .collect()
}

fn thing(
    cells: Vec<u32>,
    fused: &Fused,
    scores: &Scores,
    looks: &[Scores],
    options: &ThingOptions,
    cell_meters: f32,
) -> Thing {
    let size = fused.size;
    let known: Vec<(f32, f32)> = cells.iter().filter_map(|i| scores[*i as usize]).collect();
    let (new, gone) = known.iter().fold((0.0, 0.0), |sum, s| (sum.0 + s.0, sum.1 + s.1));
    let n = known.len().max(1) as f32;
    let mut cues = vec![0.0f32; CUES];
    for cell in cells.iter().filter_map(|i| fused.cells[*i as usize].as_ref()) {
        cues.iter_mut().zip(cell).for_each(|(sum, c)| *sum += c / n);
    }
    let in_look = |look: &Scores| {
        let seen: Vec<_> = cells.iter().filter_map(|i| look[*i as usize]).collect();
        (seen.len() * 2 >= cells.len())
            .then(|| seen.iter().map(|(n, g)| n + g).sum::<f32>() / seen.len() as f32 >= options.grow)
    };
    let answers: Vec<bool> = looks.iter().filter_map(in_look).collect();
    let pixels = (size.w as f32 * CELL_PIXELS as f32, size.h as f32 * CELL_PIXELS as f32);
    let outline: Vec<Point> =
        outline_of(&cells, size).into_iter().map(|p| Point::new(p.x * pixels.0, p.y * pixels.1)).collect();
    let around: f32 = (0..outline.len()).map(|i| outline[i].distance(outline[(i + 1) % outline.len()])).sum();
    let middle = cells.iter().fold((0.0f32, 0.0f32), |sum, i| {
        (sum.0 + (*i as usize % size.w) as f32 + 0.5, sum.1 + (*i as usize / size.w) as f32 + 0.5)
    });
    let per_cell = CELL_PIXELS as f32 / cells.len() as f32;
    Thing {
        kind: if new >= gone { ThingKind::New } else { ThingKind::Gone },
        area: cells.len() as f32 * cell_meters * cell_meters,
        area_error: around * options.meters_per_pixel * cell_meters / 4.0,
        middle: Point::new(middle.0 * per_cell, middle.1 * per_cell),
        score: (new + gone) / n,
        looks_asked: answers.len(),
        looks_seen: answers.iter().filter(|a| **a).count(),
        cues,
        cells,
        outline,
    }
}
