//! Small cases by hand; the agreement test does the rest.

use super::*;
use crate::metric::Counts;
use crate::truth::Rect;

fn rect(x: f64, size: f64) -> Rect {
    Rect { x, y: 0.0, width: size, height: size }
}

fn truth(label: &str, x: f64, size: f64) -> TruthBox {
    let rect = rect(x, size);
    TruthBox { label: Label::new(label), rect, area: rect.area(), track: None, crowd: false, ignored: false }
}

fn found(label: &str, x: f64, size: f64, score: f64) -> FoundBox {
    FoundBox { label: Label::new(label), rect: rect(x, size), score, track: None }
}

fn classes(names: &[&str]) -> Vec<Label> {
    names.iter().map(|name| Label::new(name)).collect()
}

fn matches(images: &[(Vec<TruthBox>, Vec<FoundBox>)], names: &[&str]) -> DetectionMatches {
    let classes = classes(names);
    DetectionMatches::new(images.iter().map(|(truth, found)| LabelledImage {
        truth,
        found,
        classes: &classes,
    }))
}

#[test]
fn what_is_found_exactly_has_full_marks_at_its_size_and_none_at_others() {
    let figures =
        matches(&[(vec![truth("dog", 0.0, 20.0)], vec![found("dog", 0.0, 20.0, 0.9)])], &["dog"]).figures();
    assert!((figures.ap.unwrap() - 1.0).abs() < 1e-12);
    assert!((figures.ap_small.unwrap() - 1.0).abs() < 1e-12);
    assert_eq!(figures.ar_1, Some(1.0));
    assert_eq!((figures.ap_medium, figures.ap_large), (None, None));
}

#[test]
fn a_surer_false_alarm_halves_the_precision_of_the_only_hit() {
    let found = vec![found("dog", 0.0, 20.0, 0.5), found("dog", 500.0, 20.0, 0.9)];
    let figures = matches(&[(vec![truth("dog", 0.0, 20.0)], found)], &["dog"]).figures();
    assert!((figures.ap50.unwrap() - 0.5).abs() < 1e-12);
    assert_eq!(figures.ar_1, Some(0.0));
    assert_eq!(figures.ar_10, Some(1.0));
}

#[test]
fn a_class_that_is_not_labelled_is_never_a_false_alarm() {
    let image =
        (vec![truth("dog", 0.0, 20.0)], vec![found("dog", 0.0, 20.0, 0.5), found("cat", 0.0, 20.0, 0.9)]);
    let restricted = matches(std::slice::from_ref(&image), &["dog"]);
    assert_eq!(restricted.counts_of(None, 0.5, 0.0, &[1]), Counts { hits: 1, ..Counts::default() });
    assert_eq!(restricted.labels(), classes(&["dog"]));
    let both = matches(&[image], &["cat", "dog"]);
    assert_eq!(both.counts_of(None, 0.5, 0.0, &[1]), Counts { hits: 1, false_alarms: 1, misses: 0 });
    assert_eq!(both.figures().classes[0].ap, None, "without truth there is no figure");
}

#[test]
fn each_picture_is_scored_by_the_labels_of_its_own_set() {
    let (dogs, cats) = (classes(&["dog"]), classes(&["cat"]));
    let (truth, found) = (vec![truth("dog", 0.0, 20.0)], vec![found("cat", 0.0, 20.0, 0.9)]);
    let matches = DetectionMatches::new([
        LabelledImage { truth: &truth, found: &found, classes: &dogs },
        LabelledImage { truth: &truth, found: &found, classes: &cats },
    ]);
    let count = |name| matches.counts_of(Some(&Label::new(name)), 0.5, 0.0, &[1, 1]);
    assert_eq!(count("dog"), Counts { misses: 1, ..Counts::default() });
    assert_eq!(count("cat"), Counts { false_alarms: 1, ..Counts::default() });
}

#[test]
fn a_crowd_takes_any_number_of_findings_and_an_ignored_truth_one() {
    let crowd = TruthBox { crowd: true, ..truth("dog", 0.0, 100.0) };
    let ignored = TruthBox { ignored: true, ..truth("dog", 500.0, 20.0) };
    let found = vec![
        found("dog", 0.0, 20.0, 0.9),
        found("dog", 50.0, 20.0, 0.8),
        found("dog", 500.0, 20.0, 0.7),
        found("dog", 500.0, 20.0, 0.6),
    ];
    let counts = matches(&[(vec![crowd, ignored], found)], &["dog"]).counts_of(None, 0.5, 0.0, &[1]);
    assert_eq!(counts, Counts { false_alarms: 1, ..Counts::default() });
}

#[test]
fn the_curve_has_a_point_a_score_and_tells_the_threshold_of_best_f1() {
    let truth = vec![truth("dog", 0.0, 20.0), truth("dog", 100.0, 20.0), truth("dog", 200.0, 20.0)];
    let found = vec![
        found("dog", 0.0, 20.0, 0.9),
        found("dog", 100.0, 20.0, 0.7),
        found("dog", 900.0, 20.0, 0.7),
        found("dog", 950.0, 20.0, 0.3),
    ];
    let matches = matches(&[(truth, found)], &["dog"]);
    let curve = matches.curve(None, 0.5);
    let thresholds: Vec<f64> = curve.points.iter().map(|point| point.threshold).collect();
    assert_eq!(thresholds, [0.9, 0.7, 0.3]);
    // F1: 2/4, 4/6, 4/7.
    let best = curve.best_f1().unwrap();
    assert_eq!(best.threshold, 0.7);
    assert_eq!(best.counts, Counts { hits: 2, false_alarms: 1, misses: 1 });
    assert_eq!(curve.at(0.95), Counts { misses: 3, ..Counts::default() });
    for threshold in [0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.0] {
        assert_eq!(curve.at(threshold), matches.counts_of(None, 0.5, threshold, &[1]));
    }
}

#[test]
fn the_nearest_of_the_ten_iou_thresholds_is_taken() {
    // Boxes of 20 shifted by 4 share 16 of 24: IoU 0.667.
    let matches = matches(&[(vec![truth("dog", 0.0, 20.0)], vec![found("dog", 4.0, 20.0, 0.9)])], &["dog"]);
    assert_eq!(matches.counts_of(None, 0.65, 0.0, &[1]).hits, 1);
    assert_eq!(matches.counts_of(None, 0.7, 0.0, &[1]).hits, 0);
}

#[test]
fn a_picture_drawn_twice_counts_twice_and_one_not_drawn_not_at_all() {
    let hit = (vec![truth("dog", 0.0, 20.0)], vec![found("dog", 0.0, 20.0, 0.9)]);
    let miss = (vec![truth("dog", 0.0, 20.0)], vec![]);
    let matches = matches(&[hit, miss], &["dog"]);
    assert_eq!(matches.counts_of(None, 0.5, 0.0, &[2, 1]), Counts { hits: 2, false_alarms: 0, misses: 1 });
    assert_eq!(matches.figures_of(&[0, 1]).ap, Some(0.0));
    assert_eq!(matches.curve_of(None, 0.5, &[3, 0]).wanted, 3);
}

#[test]
fn the_confusion_tells_who_is_taken_for_whom_who_is_missed_and_what_is_made_up() {
    let classes = classes(&["cat", "dog"]);
    let truth = vec![truth("dog", 0.0, 20.0), truth("dog", 100.0, 20.0), truth("cat", 200.0, 20.0)];
    let found = vec![
        found("dog", 0.0, 20.0, 0.9),
        found("cat", 101.0, 20.0, 0.8),
        found("dog", 500.0, 20.0, 0.7),
        found("dog", 600.0, 20.0, 0.1),
    ];
    let confusion =
        Confusion::new([LabelledImage { truth: &truth, found: &found, classes: &classes }], 0.5, 0.3);
    let (cat, dog) = (Some(&classes[0]), Some(&classes[1]));
    assert_eq!(confusion.count(dog, dog), 1);
    assert_eq!(confusion.count(dog, cat), 1);
    assert_eq!(confusion.count(cat, None), 1);
    assert_eq!(confusion.count(None, dog), 1, "the one below the threshold is not counted");
    assert_eq!(confusion.counts.iter().sum::<u64>(), 4);
}

#[test]
fn the_confusion_prefers_the_right_class_among_equal_boxes_and_excuses_what_lies_in_a_crowd() {
    let classes = classes(&["cat", "dog"]);
    let crowd = TruthBox { crowd: true, ..truth("cat", 300.0, 100.0) };
    let truth = vec![truth("dog", 0.0, 20.0), crowd];
    let found =
        vec![found("cat", 0.0, 20.0, 0.9), found("dog", 0.0, 20.0, 0.5), found("cat", 320.0, 20.0, 0.9)];
    let confusion =
        Confusion::new([LabelledImage { truth: &truth, found: &found, classes: &classes }], 0.5, 0.3);
    let (cat, dog) = (Some(&classes[0]), Some(&classes[1]));
    assert_eq!(confusion.count(dog, dog), 1);
    assert_eq!(confusion.count(None, cat), 1);
    assert_eq!(confusion.counts.iter().sum::<u64>(), 2);
}
