//! Several looks at one roof made into one: a thing that is new must differ from every look before (or it was only
//! hidden or displaced by parallax), and in most looks after (or it was a person, a bird, a reflection).

use super::cue::{Cues, View, compared};
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
    /// Compares all looks before with all looks after. `roof` says which pixels of the patches are roof. `None` when
    /// there is no look on one side or they are not of one size.
    pub fn new(before: Vec<View>, after: Vec<View>, roof: &[bool]) -> Option<Self> {
        let first = before.first()?;
        let size = first.cells();
        if after.is_empty() || before.iter().chain(&after).any(|v| v.cells() != size) {
            return None;
        }
        let on_roof = roof_cells(first, roof);
        let looks: Vec<_> = after
            .iter()
            .map(|after| {
                let pairs: Vec<_> = before.iter().map(|before| compared(before, after, &on_roof)).collect();
                (0..size.len())
                    .map(|i| {
                        let known = pairs.iter().filter(|p| p.cells[i].is_some());
                        let least = known.min_by(|p, q| p.difference[i].total_cmp(&q.difference[i]))?;
                        least.cells[i].filter(|_| on_roof[i]).map(|cues| (least.difference[i], cues))
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        let cells = (0..size.len())
            .map(|i| {
                let mut known: Vec<_> = looks.iter().filter_map(|look| look[i]).collect();
                known.sort_by(|a, b| a.0.total_cmp(&b.0));
                // Of an even number the lower: what half of the looks do not show is not there.
                known.get(known.len().saturating_sub(1) / 2).map(|(_, cues)| *cues)
            })
            .collect();
        let looks =
            looks.into_iter().map(|l| l.into_iter().map(|c| c.map(|(_, cues)| cues)).collect()).collect();
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

    /// The cues of a cell, in the order of [`super::CUE_NAMES`]; `None` where it is no roof or was not seen.
    pub fn cues(&self, x: usize, y: usize) -> Option<&Cues> {
        self.cells.get(y * self.size.w + x)?.as_ref()
    }
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
