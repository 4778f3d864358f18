//! Greedy non-maximum suppression: the best box of a heap of boxes stays.

use crate::family::Candidate;

/// Sorts candidates by falling score, the earlier first among equals, and drops each whose intersection over union
/// with a better one that stays is greater than `iou`: of the same class, or of any if `class_agnostic`.
pub(crate) fn suppress(candidates: &mut Vec<Candidate>, iou: f32, class_agnostic: bool) {
    sort(candidates);
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates.drain(..) {
        let rival = |k: &Candidate| {
            (class_agnostic || k.class == candidate.class) && overlaps(k.bbox, candidate.bbox, iou)
        };
        if !kept.iter().any(rival) {
            kept.push(candidate);
        }
    }
    *candidates = kept;
}

/// Sorts candidates by falling score, the earlier first among equals.
pub(crate) fn sort(candidates: &mut [Candidate]) {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
}

fn area(b: [f32; 4]) -> f32 {
    (b[2] - b[0]).max(0.0) * (b[3] - b[1]).max(0.0)
}

fn shared(a: [f32; 4], b: [f32; 4]) -> f32 {
    area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])])
}

/// Whether the intersection over union is greater than `iou`.
pub(crate) fn overlaps(a: [f32; 4], b: [f32; 4], iou: f32) -> bool {
    let both = shared(a, b);
    both > iou * (area(a) + area(b) - both).max(1e-12)
}

/// Part of the smaller box that lies in the other; 0 for an empty box.
pub(crate) fn overlap_of_smaller(a: [f32; 4], b: [f32; 4]) -> f32 {
    let smaller = area(a).min(area(b));
    if smaller > 0.0 { shared(a, b) / smaller } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(class: usize, score: f32, bbox: [f32; 4]) -> Candidate {
        Candidate { class, score, bbox }
    }

    fn survivors(mut candidates: Vec<Candidate>, iou: f32, class_agnostic: bool) -> Vec<(usize, f32)> {
        suppress(&mut candidates, iou, class_agnostic);
        candidates.into_iter().map(|c| (c.class, c.score)).collect()
    }

    #[test]
    fn the_best_of_a_heap_stays_and_neighbours_of_another_class_too() {
        let heap = vec![
            candidate(2, 0.6, [0.0, 0.0, 10.0, 10.0]),
            candidate(2, 0.9, [1.0, 0.0, 11.0, 10.0]),
            candidate(7, 0.5, [1.0, 0.0, 11.0, 10.0]),
            candidate(2, 0.4, [50.0, 0.0, 60.0, 10.0]),
        ];
        assert_eq!(survivors(heap.clone(), 0.5, false), [(2, 0.9), (7, 0.5), (2, 0.4)]);
        assert_eq!(survivors(heap, 0.5, true), [(2, 0.9), (2, 0.4)]);
    }

    #[test]
    fn what_a_dropped_box_covers_is_not_dropped_with_it() {
        let chain = vec![
            candidate(0, 0.9, [0.0, 0.0, 10.0, 10.0]),
            candidate(0, 0.8, [4.0, 0.0, 14.0, 10.0]),
            candidate(0, 0.7, [8.0, 0.0, 18.0, 10.0]),
        ];
        assert_eq!(survivors(chain, 0.4, false), [(0, 0.9), (0, 0.7)]);
    }

    #[test]
    fn equal_scores_keep_the_earlier() {
        let twins =
            vec![candidate(0, 0.5, [0.0, 0.0, 10.0, 10.0]), candidate(1, 0.5, [0.0, 0.0, 10.0, 10.0])];
        assert_eq!(survivors(twins, 0.5, true), [(0, 0.5)]);
    }

    #[test]
    fn an_empty_box_neither_drops_nor_divides_by_nothing() {
        let empty = vec![candidate(0, 0.9, [5.0; 4]), candidate(0, 0.8, [5.0; 4])];
        assert_eq!(survivors(empty, 0.5, false).len(), 2);
    }

    proptest! {
        #[test]
        fn no_two_survivors_of_a_class_overlap_and_scores_fall(
            boxes in proptest::collection::vec((0usize..3, 0.0f32..1.0, 0.0f32..50.0, 0.0f32..50.0, 1.0f32..30.0, 1.0f32..30.0), 0..60),
            iou in 0.1f32..0.9,
        ) {
            let mut kept: Vec<Candidate> =
                boxes.iter().map(|(c, s, x, y, w, h)| candidate(*c, *s, [*x, *y, x + w, y + h])).collect();
            suppress(&mut kept, iou, false);
            prop_assert!(kept.windows(2).all(|w| w[0].score >= w[1].score));
            for (i, a) in kept.iter().enumerate() {
                prop_assert!(kept[i + 1..].iter().all(|b| a.class != b.class || !overlaps(a.bbox, b.bbox, iou)));
            }
        }
    }
}
