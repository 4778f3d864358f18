//! What has been learnt: how cues are weighed cell by cell, and which things are structures that are new, gone or
//! grown. Learnt on painted and rendered flights; the weights are a file of some kilobytes.

use serde::{Deserialize, Serialize};

use super::{
    cue::{CUE_NAMES, CUES, Cues, DISCORDS, PAIR_CUES},
    fuse::Fused,
    network::Network,
    plane::PLANES,
    things::{CUES_OF_THING, THING_INPUTS},
};
use crate::raster::Size;

/// Cells to each side over which a cell's cues are averaged: its own, its neighbours, a structure's worth.
const REACHES: [usize; 3] = [0, 1, 3];
/// Cues of what is there rather than of what differs. From a few dozen structures their colours would be learnt by heart,
/// so that they count once only: on the roof's plane, over the neighbours.
const SHOWN: std::ops::Range<usize> = 9..17;
/// A cell's own cues and the means around it.
pub(super) const CELL_INPUTS: usize =
    REACHES.len() * (CUES - PLANES.len() * (SHOWN.end - SHOWN.start)) + (SHOWN.end - SHOWN.start);
/// What a cell can be: as it was, new, gone.
pub const CELL_CLASSES: usize = 3;
/// What a thing can be: nothing that counts, new, gone, grown.
pub const THING_CLASSES: usize = 4;

/// The weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Names of the cues that it was made for, in order.
    pub cues: Vec<String>,
    /// What it was learnt on, for people.
    pub note: String,
    /// From a cell's cues to what the cell is.
    pub cells: Network,
    /// From a thing's looks to what it is.
    pub things: Network,
}

/// Why weights cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// Not JSON of the right form.
    #[error("the head's weights cannot be read")]
    Json(#[from] serde_json::Error),
    /// Made for other cues.
    #[error("the head was made for other cues than this program has; hint: learn it again")]
    OtherCues,
    /// Numbers are missing.
    #[error("the head's network of {0} has rows or columns too few or too many; hint: learn it again")]
    Shape(&'static str),
}

impl Head {
    /// The weights that ship with this program; `crates/survey/examples/roofs` makes them.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn built_in() -> Self {
        Self::read(include_str!("head.json")).expect("the weights that ship were made for these cues")
    }

    /// Reads weights.
    ///
    /// # Errors
    /// See [`HeadError`].
    pub fn read(json: &str) -> Result<Self, HeadError> {
        let head: Self = serde_json::from_str(json)?;
        if head.cues != CUE_NAMES {
            return Err(HeadError::OtherCues);
        }
        if !head.cells.fits(CELL_INPUTS, CELL_CLASSES) {
            return Err(HeadError::Shape("cells"));
        }
        if !head.things.fits(THING_INPUTS, THING_CLASSES) {
            return Err(HeadError::Shape("things"));
        }
        Ok(head)
    }

    /// A head of these networks.
    pub fn new(cells: Network, things: Network, note: &str) -> Self {
        Self { cues: CUE_NAMES.map(str::to_owned).to_vec(), note: note.to_owned(), cells, things }
    }

    /// The same without these cues: for measuring what they are worth.
    #[must_use]
    pub fn without(mut self, cues: &[&str]) -> Self {
        let named = |k: usize| k < DISCORDS && cues.contains(&CUE_NAMES[k % PAIR_CUES]);
        let given = REACHES.iter().flat_map(|reach| (0..CUES).filter(|k| is_given(*reach, *k)));
        for (i, _) in given.enumerate().filter(|(_, k)| named(*k)) {
            for row in &mut self.cells.hidden {
                row[1 + i] = 0.0;
            }
        }
        for row in &mut self.things.hidden {
            for k in (0..PAIR_CUES).filter(|k| named(*k)) {
                row[1 + CUES_OF_THING + k] = 0.0;
            }
        }
        self
    }

    /// A head that calls nothing changed: to gather what one is learnt from.
    pub fn untrained() -> Self {
        let (cells, things) =
            (Network::constant(CELL_INPUTS, CELL_CLASSES), Network::constant(THING_INPUTS, THING_CLASSES));
        Self::new(cells, things, "nothing")
    }

    /// A head whose cells are judged by `cells` and whose things are all kept: to gather what things are learnt from.
    pub fn of_cells(cells: Network) -> Self {
        Self { cells, ..Self::untrained() }
    }
}

/// Whether a cell's input has the mean of this cue over this reach.
fn is_given(reach: usize, cue: usize) -> bool {
    let shown = cue < DISCORDS && SHOWN.contains(&(cue % PAIR_CUES));
    !shown || (reach == REACHES[1] && cue < PAIR_CUES)
}

/// The input of a cell of a map of cues; `None` where it was not seen.
pub(super) fn input(cells: &[Option<Cues>], size: Size, i: usize) -> Option<[f32; CELL_INPUTS]> {
    cells[i]?;
    let (x, y) = (i % size.w, i / size.w);
    let mut input = [0.0; CELL_INPUTS];
    let mut next = input.iter_mut();
    for reach in REACHES {
        let (mut sums, mut n) = ([0.0f32; CUES], 0.0f32);
        for ny in y.saturating_sub(reach)..=(y + reach).min(size.h - 1) {
            let row = &cells[ny * size.w..][..size.w];
            for cues in row[x.saturating_sub(reach)..=(x + reach).min(size.w - 1)].iter().flatten() {
                sums.iter_mut().zip(cues).for_each(|(s, c)| *s += c);
                n += 1.0;
            }
        }
        let given = (0..CUES).filter(|k| is_given(reach, *k));
        given.zip(next.by_ref()).for_each(|(k, value)| *value = sums[k] / n);
    }
    Some(input)
}

impl Fused {
    /// What the head is given, cell by cell: for learning.
    pub fn inputs(&self) -> Vec<Option<Vec<f32>>> {
        (0..self.size.len()).map(|i| input(&self.cells, self.size, i).map(|i| i.to_vec())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_that_ship_can_be_read() {
        assert!(!Head::built_in().cells.hidden.is_empty());
    }

    #[test]
    fn what_is_there_counts_once_among_the_inputs() {
        let given: Vec<_> = REACHES
            .iter()
            .flat_map(|reach| (0..CUES).map(move |k| (*reach, k)))
            .filter(|(reach, k)| is_given(*reach, *k))
            .collect();
        assert_eq!(given.len(), CELL_INPUTS);
        let green = |k: usize| k < DISCORDS && CUE_NAMES[k % PAIR_CUES] == "green_after";
        assert_eq!(given.iter().filter(|(_, k)| green(*k)).count(), 1);
        // Two cells side by side: each has its own cues and the mean of both.
        let cells = [Some([1.0; CUES]), Some([3.0; CUES]), None];
        let input = input(&cells, Size { w: 3, h: 1 }, 0).unwrap();
        assert_eq!((input[0], input[CELL_INPUTS - 1]), (1.0, 2.0));
        assert!(super::input(&cells, Size { w: 3, h: 1 }, 2).is_none());
    }

    #[test]
    fn a_head_for_other_cues_is_refused() {
        let head = Head::untrained();
        let json = serde_json::to_string(&head).unwrap();
        assert_eq!(Head::read(&json).unwrap(), head);
        assert!(matches!(Head::read(&json.replace("new_s8", "old")), Err(HeadError::OtherCues)));
        let mut short = head;
        short.things.middle.pop();
        let json = serde_json::to_string(&short).unwrap();
        assert!(matches!(Head::read(&json), Err(HeadError::Shape("things"))));
    }
}
