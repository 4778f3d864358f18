//! What has been learnt: how cues are weighed cell by cell, and which things are structures that are new, gone or
//! grown. Learnt on painted and rendered flights; the weights are a file of some kilobytes.

use serde::{Deserialize, Serialize};

use super::{
    cue::{CUE_NAMES, CUES, Cues},
    fuse::Fused,
    network::Network,
    things::{CUES_OF_THING, THING_INPUTS},
};
use crate::raster::Size;

/// A cell's own cues and the means over it and its neighbours.
pub(super) const CELL_INPUTS: usize = 2 * CUES;
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
    /// The weights that ship with this program; `crates/survey/examples/learn.rs` makes them.
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
        for k in (0..CUES).filter(|k| cues.contains(&CUE_NAMES[*k])) {
            for row in &mut self.cells.hidden {
                (row[1 + k], row[1 + CUES + k]) = (0.0, 0.0);
            }
            for row in &mut self.things.hidden {
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

/// The inputs of each cell of a map of cues.
pub(super) fn inputs(cells: &[Option<Cues>], size: Size) -> Vec<Option<[f32; CELL_INPUTS]>> {
    (0..size.len())
        .map(|i| {
            let own = cells[i]?;
            let (x, y) = (i % size.w, i / size.w);
            let (mut sum, mut n) = ([0.0f32; CUES], 0.0);
            for ny in y.saturating_sub(1)..=(y + 1).min(size.h - 1) {
                for nx in x.saturating_sub(1)..=(x + 1).min(size.w - 1) {
                    if let Some(cues) = &cells[ny * size.w + nx] {
                        sum.iter_mut().zip(cues).for_each(|(s, c)| *s += c);
                        n += 1.0;
                    }
                }
            }
            let mut input = [0.0; CELL_INPUTS];
            input[..CUES].copy_from_slice(&own);
            input[CUES..].iter_mut().zip(sum).for_each(|(v, s)| *v = s / n);
            Some(input)
        })
        .collect()
}

impl Fused {
    /// What the head is given, cell by cell: for learning.
    pub fn inputs(&self) -> Vec<Option<Vec<f32>>> {
        inputs(&self.cells, self.size).into_iter().map(|i| i.map(|i| i.to_vec())).collect()
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
