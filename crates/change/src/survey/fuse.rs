//! Several looks at one roof made into one: a thing that is new must differ from every look before (or it was only
//! hidden or displaced by parallax), and in most looks after (or it was a person, a bird, a reflection). This is asked on
//! the roof's plane and on planes above it, since a tall thing is in one place of all looks on its own plane only.

use super::{
    cue::{CUES, Cues, DISCORDS, PAIR_CUES, PairCues, View, compared},
    plane::{PLANES, discord},
};
use crate::raster::Size;

/// What all looks at a roof say together, cell by cell.
#[derive(Debug, Clone)]
pub struct Fused {
    pub(super) size: Size,
    pub(super) cells: Vec<Option<Cues>>,
    /// For each look after, against that look before which differs least.
    pub(super) looks: Vec<Vec<Option<Cues>>>,
    pub(super) before: Vec<View>,
    pub(super) after: Vec<View>,
}

impl Fused {
    /// Compares all looks before with all looks after. `roof` says which pixels of the patches are roof, and
    /// `meters_per_pixel` how large they are. `None` when there is no look on one side or they are not of one size.
    pub fn new(before: Vec<View>, after: Vec<View>, roof: &[bool], meters_per_pixel: f64) -> Option<Self> {
        let first = before.first()?;
        let size = first.cells();
        if after.is_empty() || before.iter().chain(&after).any(|v| v.cells() != size) {
            return None;
        }
        let on_roof = roof_cells(first, roof);
        let leaning = before.iter().chain(&after).any(|v| v.eye().is_some());
        let mut planes: Vec<Plane> = Vec::new();
        for height in PLANES {
            // Maps and pictures without a pose look the same on all planes.
            match planes.first() {
                Some(flat) if !leaning => planes.push(flat.clone()),
                _ => {
                    let up = height / meters_per_pixel;
                    let raised = |views: &[View]| views.iter().map(|v| v.raised(up)).collect::<Vec<_>>();
                    planes.push(Plane::new(&raised(&before), &raised(&after), &on_roof));
                }
            }
        }
        let all = |fused: &dyn Fn(&Plane, usize) -> Option<PairCues>| -> Vec<Option<Cues>> {
            (0..size.len()).map(|i| together(&planes, i, fused)).collect()
        };
        let cells = all(&|plane, i| plane.median(i));
        let looks = (0..after.len()).map(|k| all(&|plane, i| plane.looks[k][i].map(|(_, c)| c))).collect();
        // From here on only brightness is asked for: how high things stand.
        let slim = |views: Vec<View>| views.into_iter().map(View::slim).collect();
        Some(Self { size, cells, looks, before: slim(before), after: slim(after) })
    }

    /// Cells across and down.
    pub fn dimensions(&self) -> (usize, usize) {
        (self.size.w, self.size.h)
    }

    /// Square cells of the roof that could be judged.
    pub fn judged(&self) -> usize {
        self.cells.iter().flatten().count()
    }
}

/// The looks on one plane, compared.
#[derive(Clone)]
struct Plane {
    /// For each look after and cell: the difference from that look before which differs least, and its cues.
    looks: Vec<Vec<Option<(f32, PairCues)>>>,
    /// How much the looks before and those after are at odds with themselves.
    discord: [Vec<f32>; 2],
}

impl Plane {
    fn new(before: &[View], after: &[View], on_roof: &[bool]) -> Self {
        let looks = after
            .iter()
            .map(|after| {
                let pairs: Vec<_> = before.iter().map(|before| compared(before, after, on_roof)).collect();
                (0..on_roof.len())
                    .map(|i| {
                        let known = pairs.iter().filter(|p| p.cells[i].is_some());
                        let least = known.min_by(|p, q| p.difference[i].total_cmp(&q.difference[i]))?;
                        least.cells[i].filter(|_| on_roof[i]).map(|cues| (least.difference[i], cues))
                    })
                    .collect()
            })
            .collect();
        let cells = before[0].cells();
        Self { looks, discord: [before, after].map(|looks| discord(looks, cells)) }
    }

    /// Of the looks that show a cell the one whose difference is in the middle; of an even number the lower: what half of
    /// the looks do not show is not there.
    fn median(&self, i: usize) -> Option<PairCues> {
        let mut known: Vec<_> = self.looks.iter().filter_map(|look| look[i]).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        known.get(known.len().saturating_sub(1) / 2).map(|(_, cues)| *cues)
    }
}

/// A cell's cues on all planes; where one does not show it, those on the roof's plane stand for it.
fn together(planes: &[Plane], i: usize, fused: &dyn Fn(&Plane, usize) -> Option<PairCues>) -> Option<Cues> {
    let flat = fused(&planes[0], i)?;
    let mut cues = [0.0; CUES];
    for (k, plane) in planes.iter().enumerate() {
        cues[k * PAIR_CUES..][..PAIR_CUES].copy_from_slice(&fused(plane, i).unwrap_or(flat));
        cues[DISCORDS + 2 * k] = plane.discord[0][i];
        cues[DISCORDS + 2 * k + 1] = plane.discord[1][i];
    }
    Some(cues)
}

/// The cells that are roof for the most part.
fn roof_cells(view: &View, roof: &[bool]) -> Vec<bool> {
    const P: usize = super::cue::CELL_PIXELS;
    let size = view.cells();
    let width = view.patch_width();
    (0..size.len())
        .map(|i| {
            let (x, y) = (i % size.w * P, i / size.w * P);
            let set = (y..y + P).flat_map(|y| (x..x + P).map(move |x| (x, y)));
            set.filter(|(x, y)| roof.get(y * width + x).is_some_and(|r| *r && *x < width)).count() * 2
                >= P * P
        })
        .collect()
}
