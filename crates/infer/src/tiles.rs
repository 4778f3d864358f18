//! Looking at a large picture tile by tile.

use crate::{config::Tiling, family::Candidate, nms, preprocess::Region};

/// A smaller box that lies in a better one of another tile by more than this part is a piece of the same object.
const PIECE: f32 = 0.6;

/// The tiles of a picture (width, height), row by row, then the whole if it is wanted.
pub(crate) fn regions(picture: (usize, usize), tiling: Tiling) -> Vec<Region> {
    let columns = spans(picture.0, tiling.columns, tiling.overlap);
    let rows = spans(picture.1, tiling.rows, tiling.overlap);
    let mut regions: Vec<Region> = rows
        .iter()
        .flat_map(|(y, height)| {
            columns.iter().map(|(x, width)| Region { x: *x, y: *y, width: *width, height: *height })
        })
        .collect();
    if tiling.whole && regions.len() > 1 {
        regions.push(Region { x: 0, y: 0, width: picture.0, height: picture.1 });
    }
    regions
}

/// `count` spans of equal length over `0..size`, neighbours sharing a part `overlap`: (start, length).
fn spans(size: usize, count: usize, overlap: f32) -> Vec<(usize, usize)> {
    let count = count.clamp(1, size);
    let exact = size as f64 / (count as f64 - (count - 1) as f64 * f64::from(overlap));
    let length = (exact.ceil() as usize).clamp(1, size);
    (0..count)
        .map(|i| {
            let start = if count == 1 { 0 } else { i * (size - length) / (count - 1) };
            (start, length)
        })
        .collect()
}

/// Joins what the tiles found (tile number, candidate, all in one space): suppression as for one picture, and boxes of
/// different tiles of which one is a piece of the other grow together.
pub(crate) fn merge(
    found: Vec<(usize, Candidate)>,
    iou: Option<f32>,
    class_agnostic: bool,
) -> Vec<Candidate> {
    let mut found = found;
    found.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    let mut kept: Vec<(usize, Candidate)> = Vec::new();
    for (tile, candidate) in found {
        let rival = kept.iter_mut().find(|(other, k)| {
            let of_a_kind = class_agnostic || k.class == candidate.class;
            let piece = *other != tile && nms::overlap_of_smaller(k.bbox, candidate.bbox) > PIECE;
            of_a_kind && (piece || iou.is_some_and(|iou| nms::overlaps(k.bbox, candidate.bbox, iou)))
        });
        match rival {
            Some((other, k)) if *other != tile => {
                let (a, b) = (k.bbox, candidate.bbox);
                k.bbox = [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])];
            }
            Some(_) => {}
            None => kept.push((tile, candidate)),
        }
    }
    kept.into_iter().map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tiles_overlap_and_reach_the_edges() {
        let tiling = Tiling { columns: 3, rows: 1, overlap: 0.25, whole: true };
        let regions = regions((1000, 300), tiling);
        let starts: Vec<_> = regions.iter().map(|r| (r.x, r.width)).collect();
        assert_eq!(starts, [(0, 400), (300, 400), (600, 400), (0, 1000)]);
        assert!(regions.iter().all(|r| r.y == 0 && r.height == 300));
    }

    proptest! {
        #[test]
        fn every_pixel_is_in_a_tile(
            size in (1usize..3000, 1usize..3000), columns in 1usize..8, rows in 1usize..8, overlap in 0.0f32..=0.5,
        ) {
            let regions = regions(size, Tiling { columns, rows, overlap, whole: false });
            let (mut right, mut bottom) = (0, 0);
            for r in &regions {
                prop_assert!(r.x <= right && r.y <= bottom.max(r.y.min(bottom)), "a gap before {r:?}");
                prop_assert!(r.x + r.width <= size.0 && r.y + r.height <= size.1);
                right = right.max(r.x + r.width);
                bottom = bottom.max(r.y + r.height);
            }
            prop_assert_eq!((right, bottom), size);
        }
    }

    #[test]
    fn an_object_cut_by_a_tiles_edge_becomes_whole() {
        let candidate = |score, bbox| Candidate { class: 2, score, bbox };
        let found = vec![
            (0, candidate(0.8, [90.0, 0.0, 120.0, 20.0])),
            (1, candidate(0.9, [100.0, 0.0, 150.0, 20.0])),
            (1, candidate(0.5, [300.0, 0.0, 320.0, 20.0])),
        ];
        let merged = merge(found, Some(0.6), false);
        assert_eq!(
            merged,
            [candidate(0.9, [90.0, 0.0, 150.0, 20.0]), candidate(0.5, [300.0, 0.0, 320.0, 20.0])]
        );
    }

    #[test]
    fn neighbours_within_a_tile_stay_apart() {
        let candidate = |score, bbox| Candidate { class: 2, score, bbox };
        let found =
            vec![(0, candidate(0.9, [0.0, 0.0, 100.0, 100.0])), (0, candidate(0.8, [0.0, 0.0, 30.0, 30.0]))];
        assert_eq!(merge(found, Some(0.6), false).len(), 2);
    }
}
