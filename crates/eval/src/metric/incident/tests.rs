//! Small cases by hand.

use super::*;
use crate::metric::Counts;
use crate::truth::Rect;
use parapet_core::ZoneId;

const DOG: IncidentKind = IncidentKind::StrayDog;
const ROAD: IncidentKind = IncidentKind::OccupiedRoadway;

fn truth(since: f64, until: f64) -> TruthIncident {
    TruthIncident { kind: DOG, zone: None, since, until: Some(until), due: since + 10.0, rect: None }
}

fn found(started_at: f64) -> FoundIncident {
    FoundIncident { kind: DOG, zone: None, started_at, ended_at: None, rect: None, score: 0.5 }
}

fn zone(name: &str) -> ZoneId {
    name.parse().unwrap()
}

fn rect(x: f64) -> Rect {
    Rect { x, y: 0.0, width: 10.0, height: 10.0 }
}

fn matched(truth: &[TruthIncident], found: &[FoundIncident], options: &IncidentOptions) -> IncidentMatches {
    IncidentMatches::new([IncidentSequence { truth, found, kinds: &[DOG], watched: 3600.0 }], options)
}

fn fates(truth: &[TruthIncident], found: &[FoundIncident]) -> Vec<FoundFate> {
    matched(truth, found, &IncidentOptions::default()).sequences.remove(0).found
}

#[test]
fn an_alarm_while_the_thing_is_there_is_a_hit_and_its_delay_is_from_when_it_was_due() {
    let alarm = FoundIncident { ended_at: Some(107.0), ..found(13.0) };
    let matches = matched(&[truth(0.0, 100.0)], &[alarm], &IncidentOptions::default());
    let fate = TruthFate::Found { found: 0, duplicates: 0, delay: 3.0, end_error: Some(7.0) };
    assert_eq!(matches.sequences[0].truth, [fate]);
    let figures = matches.figures(None);
    assert_eq!(
        (figures.delay_p50, figures.delay_max, figures.end_error_p95),
        (Some(3.0), Some(3.0), Some(7.0))
    );
}

#[test]
fn an_alarm_outside_the_time_and_its_slack_is_a_false_alarm_and_the_truth_is_missed() {
    assert_eq!(fates(&[truth(50.0, 100.0)], &[found(47.9)]), [FoundFate::FalseAlarm]);
    assert_eq!(fates(&[truth(50.0, 100.0)], &[found(48.0)]), [FoundFate::Hit(0)]);
    assert_eq!(fates(&[truth(50.0, 100.0)], &[found(102.0)]), [FoundFate::Hit(0)]);
    let matches = matched(&[truth(50.0, 100.0)], &[found(102.1)], &IncidentOptions::default());
    assert_eq!(matches.figures(Some(DOG)).counts, Counts { hits: 0, false_alarms: 1, misses: 1 });
    assert_eq!(matches.figures(Some(DOG)).false_alarms_per_camera_day, Some(24.0));
}

#[test]
fn an_alarm_too_long_after_it_was_due_does_not_count_if_so_asked() {
    let strict = IncidentOptions { most_delay: Some(10.0), ..IncidentOptions::default() };
    assert_eq!(matched(&[truth(0.0, 100.0)], &[found(20.0)], &strict).figures(None).counts.hits, 1);
    assert_eq!(matched(&[truth(0.0, 100.0)], &[found(20.1)], &strict).figures(None).counts.hits, 0);
}

#[test]
fn zones_must_agree_only_where_both_are_told() {
    let lane = TruthIncident { zone: Some(zone("lane")), ..truth(0.0, 100.0) };
    let alarm = |name| FoundIncident { zone: Some(zone(name)), ..found(12.0) };
    assert_eq!(fates(std::slice::from_ref(&lane), &[alarm("lane")]), [FoundFate::Hit(0)]);
    assert_eq!(fates(std::slice::from_ref(&lane), &[alarm("gate")]), [FoundFate::FalseAlarm]);
    assert_eq!(fates(&[lane], &[found(12.0)]), [FoundFate::Hit(0)]);
}

#[test]
fn boxes_must_meet_only_where_both_are_told() {
    let here = TruthIncident { rect: Some(rect(0.0)), ..truth(0.0, 100.0) };
    let alarm = |x| FoundIncident { rect: Some(rect(x)), ..found(12.0) };
    // IoU 2/18 and 1/19.
    assert_eq!(fates(std::slice::from_ref(&here), &[alarm(8.0)]), [FoundFate::Hit(0)]);
    assert_eq!(fates(std::slice::from_ref(&here), &[alarm(9.0)]), [FoundFate::FalseAlarm]);
    assert_eq!(fates(&[here], &[found(12.0)]), [FoundFate::Hit(0)]);
}

#[test]
fn a_further_alarm_of_the_same_thing_is_a_duplicate_and_no_false_alarm() {
    let matches =
        matched(&[truth(0.0, 100.0)], &[found(50.0), found(12.0), found(80.0)], &IncidentOptions::default());
    let duplicate = FoundFate::Duplicate(0);
    assert_eq!(
        matches.sequences[0].found,
        [duplicate, FoundFate::Hit(0), duplicate],
        "the earliest is the hit"
    );
    let figures = matches.figures(None);
    assert_eq!((figures.counts, figures.duplicates), (Counts { hits: 1, ..Counts::default() }, 2));
    assert_eq!(figures.duplicates_per_hit, Some(2.0));
}

#[test]
fn the_better_box_is_chosen_and_no_pair_is_lost_by_choosing_early() {
    let (left, right) = (
        TruthIncident { rect: Some(rect(0.0)), ..truth(0.0, 100.0) },
        TruthIncident { rect: Some(rect(4.0)), ..truth(0.0, 100.0) },
    );
    // The first alarm fits both and the left one better; the second fits the left one only.
    let alarms = [
        FoundIncident { rect: Some(rect(1.0)), ..found(11.0) },
        FoundIncident { rect: Some(rect(-6.0)), ..found(12.0) },
    ];
    assert_eq!(fates(&[left.clone(), right.clone()], &alarms[..1]), [FoundFate::Hit(0)]);
    assert_eq!(fates(&[left, right], &alarms), [FoundFate::Hit(1), FoundFate::Hit(0)]);
}

#[test]
fn a_kind_that_the_sequence_does_not_label_is_not_scored_and_not_watched() {
    let road = FoundIncident { kind: ROAD, ..found(12.0) };
    let matches =
        matched(&[TruthIncident { kind: ROAD, ..truth(0.0, 100.0) }], &[road], &IncidentOptions::default());
    assert_eq!(matches.sequences[0].found, [FoundFate::NotScored]);
    assert_eq!(matches.sequences[0].truth, [TruthFate::NotScored]);
    assert_eq!(matches.figures(None).counts, Counts::default());
    assert_eq!(matches.figures(Some(ROAD)).false_alarms_per_camera_day, None);
    assert_eq!(matches.figures(Some(DOG)).watched, 3600.0);
}

#[test]
fn what_is_gone_before_an_alarm_is_due_asks_for_none_and_excuses_one() {
    let matches = matched(&[truth(0.0, 9.0)], &[found(9.5)], &IncidentOptions::default());
    assert_eq!(matches.sequences[0].truth, [TruthFate::NotDue]);
    assert_eq!(matches.sequences[0].found, [FoundFate::Excused(0)]);
    let at_the_end = TruthIncident { until: None, ..truth(3595.0, 0.0) };
    assert_eq!(
        matched(&[at_the_end], &[], &IncidentOptions::default()).figures(None).counts,
        Counts::default()
    );
}

#[test]
fn the_recall_bias_weighs_recall() {
    // P 0.8, R 0.5.
    let counts = Counts { hits: 4, false_alarms: 1, misses: 4 };
    let f1 = |alpha| f1_with_recall_bias(&counts, alpha).unwrap();
    assert!((f1(1.0) - counts.f1().unwrap()).abs() < 1e-12);
    assert!((f1(0.0) - 0.8).abs() < 1e-12);
    assert!((f1(60.0) - 61.0 * 0.4 / 48.5).abs() < 1e-12);
    assert_eq!(f1_with_recall_bias(&Counts::default(), 1.0), None);
}

#[test]
fn the_curve_trades_misses_for_false_alarms() {
    let truth = [truth(0.0, 100.0), truth(200.0, 300.0)];
    let alarm = |started_at, score| FoundIncident { score, ..found(started_at) };
    let found = [alarm(12.0, 0.9), alarm(500.0, 0.6), alarm(212.0, 0.3)];
    let sequence = IncidentSequence { truth: &truth, found: &found, kinds: &[DOG], watched: 43_200.0 };
    let curve = IncidentMatches::curve(&[sequence], Some(DOG), &IncidentOptions::default());
    let points: Vec<_> = curve
        .iter()
        .map(|point| (point.threshold, point.miss_rate, point.false_alarms_per_camera_day))
        .collect();
    assert_eq!(
        points,
        [(0.9, Some(0.5), Some(0.0)), (0.6, Some(0.5), Some(2.0)), (0.3, Some(0.0), Some(2.0))]
    );
}

#[test]
fn a_sequence_drawn_twice_counts_twice() {
    let (truth, found) = ([truth(0.0, 100.0)], [found(12.0), found(500.0)]);
    let sequence = |found| IncidentSequence { truth: &truth, found, kinds: &[DOG], watched: 3600.0 };
    let matches = IncidentMatches::new([sequence(&found), sequence(&[])], &IncidentOptions::default());
    let figures = matches.figures_of(None, &[2, 1]);
    assert_eq!(figures.counts, Counts { hits: 2, false_alarms: 2, misses: 1 });
    assert_eq!(figures.watched, 10_800.0);
}
