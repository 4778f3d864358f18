//! Small cases by hand; the agreement test does the rest.

use super::*;

fn rect(x: f64) -> Rect {
    Rect { x, y: 0.0, width: 10.0, height: 10.0 }
}

fn truth(track: u64, x: f64) -> TruthBox {
    let rect = rect(x);
    TruthBox { label: Label::new("dog"), rect, area: 100.0, track: Some(track), crowd: false, ignored: false }
}

fn found(track: u64, x: f64) -> FoundBox {
    FoundBox { label: Label::new("dog"), rect: rect(x), score: 0.9, track: Some(track) }
}

type Frames = Vec<(Vec<TruthBox>, Vec<FoundBox>)>;

fn prepared(frames: &Frames) -> Result<Sequence, TrackingError> {
    Sequence::new(frames.iter().map(|(truth, found)| TrackedFrame { truth, found }), &Label::new("dog"))
}

fn figures(frames: &Frames) -> TrackingFigures {
    TrackingFigures::of(&prepared(frames).unwrap())
}

#[test]
fn a_track_that_is_followed_exactly_has_full_marks() {
    let figures =
        figures(&(0..5).map(|at| (vec![truth(7, f64::from(at))], vec![found(3, f64::from(at))])).collect());
    assert!((figures.hota.hota() - 1.0).abs() < 1e-12);
    assert_eq!((figures.clear.mota(), figures.clear.motp(), figures.clear.id_switches), (1.0, 1.0, 0));
    assert_eq!(figures.identity.idf1(), 1.0);
    assert_eq!((figures.clear.mostly_tracked, figures.clear.mostly_lost), (1, 0));
}

#[test]
fn a_track_whose_finding_changes_halfway_keeps_detection_and_halves_association() {
    let figures =
        figures(&(0..4).map(|at| (vec![truth(1, 0.0)], vec![found(u64::from(at >= 2), 0.0)])).collect());
    assert_eq!(figures.hota.det_a(), 1.0);
    // Each of the four hits: two together, of a truth with four boxes and a finding with two.
    assert!((figures.hota.ass_a() - 0.5).abs() < 1e-12);
    assert!((figures.hota.ass_re() - 0.5).abs() < 1e-12 && (figures.hota.ass_pr() - 1.0).abs() < 1e-12);
    assert!((figures.hota.hota() - 0.5_f64.sqrt()).abs() < 1e-12);
    assert_eq!((figures.clear.id_switches, figures.clear.mota()), (1, 0.75));
    assert_eq!(figures.identity.idf1(), 0.5);
}

#[test]
fn a_gap_is_a_fragmentation_and_a_miss() {
    let other = || truth(9, 500.0);
    let frames = (0..5)
        .map(|at| {
            (vec![truth(1, 0.0), other()], if at == 2 { vec![found(2, 500.0)] } else { vec![found(1, 0.0)] })
        })
        .collect();
    let clear = figures(&frames).clear;
    assert_eq!((clear.fragmentations, clear.misses, clear.false_alarms), (1, 5, 0));
    // Found in 4 of 5 frames (not more than 80 %) and in 1 of 5.
    assert_eq!((clear.mostly_tracked, clear.partly_tracked, clear.mostly_lost), (0, 2, 0));
}

#[test]
fn without_truth_mota_falls_by_one_a_finding_and_without_findings_it_is_zero() {
    let only_found = figures(&vec![(vec![], vec![found(1, 0.0), found(2, 50.0)])]);
    assert_eq!(
        (only_found.clear.mota(), only_found.identity.idf1(), only_found.hota.hota()),
        (-2.0, 0.0, 0.0)
    );
    let only_truth = figures(&vec![(vec![truth(1, 0.0)], vec![])]);
    assert_eq!(
        (only_truth.clear.mota(), only_truth.clear.mostly_lost, only_truth.hota.loc_a()),
        (0.0, 1, 1.0)
    );
}

#[test]
fn sequences_combine_by_their_boxes() {
    let whole: Frames = (0..3).map(|_| (vec![truth(1, 0.0)], vec![found(1, 0.0)])).collect();
    let lost: Frames = vec![(vec![truth(1, 0.0)], vec![])];
    let combined = TrackingFigures::combined(&[figures(&whole), figures(&lost)]);
    assert_eq!(combined.clear.mota(), 0.75);
    assert_eq!(combined.identity.idr(), 0.75);
    assert_eq!(combined.hota.ass_a(), 1.0);
    assert_eq!(combined.hota.det_a(), 0.75);
}

#[test]
fn a_finding_of_an_ignored_truth_or_in_a_crowd_is_neither_right_nor_wrong() {
    let ignored = TruthBox { ignored: true, track: None, ..truth(0, 100.0) };
    let mut crowd = TruthBox { crowd: true, track: None, ..truth(0, 200.0) };
    crowd.rect.width = 80.0;
    let findings = vec![found(1, 0.0), found(2, 102.0), found(3, 230.0), found(4, 276.0)];
    let clear = figures(&vec![(vec![truth(1, 0.0), ignored, crowd], findings)]).clear;
    assert_eq!(
        (clear.hits, clear.misses, clear.false_alarms),
        (1, 0, 1),
        "the last lies in the crowd by 0.4 only"
    );
}

#[test]
fn other_classes_are_not_looked_at() {
    let mut cat = found(1, 0.0);
    cat.label = Label::new("cat");
    let clear = figures(&vec![(vec![truth(1, 0.0)], vec![cat])]).clear;
    assert_eq!((clear.misses, clear.false_alarms), (1, 0));
}

#[test]
fn a_box_without_a_track_and_a_track_with_two_boxes_are_named_with_their_frame() {
    let nobody = FoundBox { track: None, ..found(0, 0.0) };
    let error = prepared(&vec![(vec![], vec![]), (vec![], vec![nobody])]).unwrap_err();
    assert!(error.to_string().contains("frame 1"), "{error}");
    let error = prepared(&vec![(vec![truth(4, 0.0), truth(4, 50.0)], vec![])]).unwrap_err();
    assert_eq!(error, TrackingError::Twice { frame: 0, what: "truth", track: 4 });
}
