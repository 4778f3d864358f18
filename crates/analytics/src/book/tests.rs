//! What the book promises.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

fn at(seconds: f64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(seconds)
}

fn finding(subject: u64, seconds: f64, x: f32) -> Finding {
    Finding {
        subject: Subject::Thing(subject),
        first_seen_at: at(0.0),
        severity: Severity::Medium,
        zone: Some("kerb".parse().unwrap()),
        since: at(0.0),
        held_at: at(seconds),
        label: Some(Label::new("bicycle")),
        track: None,
        bbox: BBox::new(x, 0.4, x + 0.1, 0.5).unwrap(),
        outline: None,
        count: 1,
        score: 0.5,
        covered: None,
    }
}

fn rule(id: &str, cool_down_seconds: f64) -> RuleFacts {
    let id = id.parse().unwrap();
    RuleFacts { id, kind: IncidentKind::MisparkedEbike, cool_down_seconds, limit_seconds: 60.0 }
}

fn run() -> RunId {
    RunId::derive(&["test"])
}

fn book() -> IncidentBook {
    IncidentBook::new("gate".parse().unwrap(), None, None)
}

fn phases(events: &[IncidentEvent]) -> Vec<Phase> {
    events.iter().map(|e| e.phase).collect()
}

#[test]
fn one_missed_statement_ends_nothing() {
    let (mut book, rule) = (book(), rule("bikes", 0.0));
    let mut events = Vec::new();
    for i in 0..50 {
        let t = f64::from(i) * 0.2;
        let stated = if i % 4 == 3 { vec![] } else { vec![finding(1, t, 0.2)] };
        events.extend(book.apply(&rule, Some(stated), at(t), run()));
    }
    assert_eq!(phases(&events), [Phase::Started]);
}

#[test]
fn an_end_says_when_it_was_last_seen() {
    let (mut book, rule) = (book(), rule("bikes", 0.0));
    book.apply(&rule, Some(vec![finding(1, 5.0, 0.2)]), at(5.0), run());
    assert!(book.apply(&rule, Some(vec![]), at(6.0), run()).is_empty());
    let events = book.apply(&rule, Some(vec![]), at(7.0), run());
    assert_eq!(phases(&events), [Phase::Ended]);
    assert_eq!((events[0].at, events[0].ended_at), (at(7.0), Some(at(5.0))));
    assert_eq!(events[0].end_reason, Some(EndReason::Cleared));
}

#[test]
fn a_place_is_quiet_while_it_cools_down_and_another_is_not() {
    let (mut book, rule) = (book(), rule("bikes", 60.0));
    book.apply(&rule, Some(vec![finding(1, 0.0, 0.2)]), at(0.0), run());
    book.apply(&rule, Some(vec![]), at(1.0), run());
    assert_eq!(phases(&book.apply(&rule, Some(vec![]), at(2.0), run())), [Phase::Ended]);
    assert!(book.apply(&rule, Some(vec![finding(2, 10.0, 0.21)]), at(10.0), run()).is_empty());
    let elsewhere =
        book.apply(&rule, Some(vec![finding(2, 11.0, 0.21), finding(3, 11.0, 0.6)]), at(11.0), run());
    assert_eq!(phases(&elsewhere), [Phase::Started]);
    let later = book.apply(&rule, Some(vec![finding(2, 62.0, 0.21), finding(3, 62.0, 0.6)]), at(62.0), run());
    assert_eq!(phases(&later), [Phase::Started]);
}

#[test]
fn small_changes_are_not_told_and_great_ones_not_often() {
    let (mut book, rule) = (book(), rule("bikes", 0.0));
    let mut told = 0;
    for i in 0..=300 {
        let t = f64::from(i) * 0.2;
        let mut now = finding(1, t, 0.2 + 0.001 * (i % 3) as f32);
        now.score = (i % 10) as f32 / 10.0;
        if t > 20.0 {
            now.count = 1 + i % 2;
        }
        told += book
            .apply(&rule, Some(vec![now]), at(t), run())
            .iter()
            .filter(|e| e.phase == Phase::Updated)
            .count();
    }
    assert!((1..=4).contains(&told), "{told}");
}

#[test]
fn the_end_of_the_hours_ends_without_cooling_down() {
    let (mut book, rule) = (book(), rule("bikes", 60.0));
    let first = book.apply(&rule, Some(vec![finding(1, 0.0, 0.2)]), at(0.0), run());
    let ended = book.apply(&rule, None::<Vec<Finding>>, at(1.0), run());
    assert_eq!(ended[0].end_reason, Some(EndReason::OutOfSchedule));
    let again = book.apply(&rule, Some(vec![finding(1, 2.0, 0.2)]), at(2.0), run());
    assert_eq!(phases(&again), [Phase::Started]);
    assert_ne!(first[0].incident_id, again[0].incident_id);
}

/// What a book left open that was never told to end: the events of an incident that goes on.
fn left_open(x: f32) -> IncidentEvent {
    let (mut book, rule) = (book(), rule("bikes", 60.0));
    book.apply(&rule, Some(vec![finding(1, 5.0, x)]), at(5.0), run()).remove(0)
}

fn other_run() -> RunId {
    RunId::derive(&["the node that takes over"])
}

#[test]
fn what_was_left_open_goes_on_as_the_same_incident() {
    let (mut book, rule) = (book(), rule("bikes", 60.0));
    let left = left_open(0.2);
    book.adopt([left.clone(), left.clone()]);
    assert!(
        book.apply(&rule, Some(vec![finding(8, 100.0, 0.6)]), at(100.0), other_run())[0].phase
            == Phase::Started
    );
    let elsewhere = Finding { zone: None, ..finding(9, 101.0, 0.2) };
    assert_eq!(phases(&book.apply(&rule, Some(vec![elsewhere]), at(101.0), other_run())), [Phase::Started]);
    // The other node saw it come to rest later, and a little beside.
    let seen = Finding { since: at(40.0), ..finding(3, 101.6, 0.22) };
    let again = book.apply(&rule, Some(vec![seen.clone()]), at(101.6), other_run());
    assert_eq!(phases(&again), [Phase::Updated]);
    assert_eq!((again[0].incident_id, again[0].sequence), (left.incident_id, 100));
    assert_eq!(
        (again[0].since, again[0].started_at, again[0].run),
        (left.since, left.started_at, other_run())
    );
    assert!(book.apply(&rule, Some(vec![seen]), at(101.8), other_run()).is_empty(), "told once");
    assert!(book.open_incidents().iter().any(|open| open.since == left.since));
    for t in [103.0, 104.0] {
        book.apply(&rule, Some(vec![]), at(t), other_run());
    }
    let back = Finding { since: at(105.0), ..finding(4, 105.0, 0.2) };
    assert!(
        book.apply(&rule, Some(vec![back]), at(105.0), other_run()).is_empty(),
        "it was here before: it cools down"
    );
}

#[test]
fn what_is_not_found_again_is_ended_when_it_should_have_been() {
    let (mut book, rule) = (book(), rule("bikes", 0.0));
    let left = left_open(0.2);
    book.adopt([left.clone()]);
    let mut ended = Vec::new();
    // 60 s of its limit and 30 s more, counted from the first frame on.
    for t in 0..=90 {
        let t = 1_000.0 + f64::from(t);
        assert!(ended.is_empty(), "{t}");
        ended.extend(book.apply(&rule, Some(vec![]), at(t), other_run()));
    }
    assert_eq!(phases(&ended), [Phase::Ended]);
    assert_eq!((ended[0].incident_id, ended[0].sequence), (left.incident_id, 100));
    assert_eq!((ended[0].end_reason, ended[0].ended_at), (Some(EndReason::Interrupted), Some(at(1_090.0))));
    assert_eq!((ended[0].since, ended[0].bbox), (left.since, left.bbox));
    assert!(book.end_all(EndReason::Reconfigured, at(2_000.0)).is_empty());
}

#[test]
fn a_view_that_is_seldom_looked_at_is_given_time() {
    let (mut book, rule) = (book(), rule("bikes", 0.0));
    book.adopt([left_open(0.2)]);
    assert!(book.apply(&rule, Some(vec![]), at(0.0), other_run()).is_empty());
    // Back after ten minutes elsewhere: one frame says nothing.
    assert!(book.apply(&rule, Some(vec![]), at(600.0), other_run()).is_empty());
    let found = book.apply(&rule, Some(vec![finding(1, 601.0, 0.2)]), at(601.0), other_run());
    assert_eq!(phases(&found), [Phase::Updated]);
}

#[test]
fn what_has_no_rule_and_what_is_out_of_hours_is_ended_at_once() {
    let (mut book, rule) = (book(), rule("bikes", 0.0));
    let stranger = IncidentEvent {
        rule: "dogs".parse().unwrap(),
        incident_id: IncidentId::derive(&["stranger"]),
        ..left_open(0.2)
    };
    let over =
        IncidentEvent { phase: Phase::Ended, incident_id: IncidentId::derive(&["over"]), ..left_open(0.4) };
    book.adopt([stranger.clone(), left_open(0.2), over]);
    let gone = book.end_strangers(|id| *id == rule.id, at(50.0), other_run());
    assert_eq!(gone.iter().map(|e| e.incident_id).collect::<Vec<_>>(), [stranger.incident_id]);
    assert_eq!(gone[0].end_reason, Some(EndReason::Reconfigured));
    let closed = book.apply(&rule, None::<Vec<Finding>>, at(51.0), other_run());
    assert_eq!((phases(&closed), closed[0].end_reason), (vec![Phase::Ended], Some(EndReason::OutOfSchedule)));
}

#[test]
fn two_nodes_that_go_on_with_one_incident_say_different_things() {
    let rule = rule("bikes", 0.0);
    let left = left_open(0.2);
    let mut ids = vec![left.event_id];
    for run in [other_run(), RunId::derive(&["a third node"])] {
        let mut book = book();
        book.adopt([left.clone()]);
        let told = book.apply(&rule, Some(vec![finding(1, 9.0, 0.2)]), at(9.0), run);
        let ended = book.end_all(EndReason::Interrupted, at(10.0));
        assert_eq!((told[0].sequence, ended[0].sequence), (100, 101));
        ids.extend([told[0].event_id, ended[0].event_id]);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    let later = IncidentEvent { sequence: 117, ..left_open(0.2) };
    let mut book = book();
    book.adopt([later]);
    assert_eq!(book.end_all(EndReason::Interrupted, at(9.0))[0].sequence, 200);
}

#[test]
fn a_zone_as_a_whole_is_the_same_whatever_covers_it() {
    let (mut book, rule) = (book(), rule("bikes", 0.0));
    book.adopt([IncidentEvent { covered: Some(0.5), ..left_open(0.1) }]);
    let whole = Finding { subject: Subject::Zone(0), covered: Some(0.7), ..finding(0, 9.0, 0.8) };
    let told = book.apply(&rule, Some(vec![whole]), at(9.0), other_run());
    assert_eq!((phases(&told), told[0].covered), (vec![Phase::Updated], Some(0.7)));
}

proptest! {
    #[test]
    fn every_incident_starts_first_ends_last_and_counts_without_a_gap(
        frames in proptest::collection::vec((0.001f64..3.0, proptest::collection::vec((0u64..4, 0.0f32..0.9, 1u32..3), 0..4), 0u8..12), 1..60),
        cool_down in 0.0f64..20.0,
    ) {
        let replay = || {
            let mut book = book();
            let rules = [rule("a", cool_down), rule("b", 0.0)];
            let (mut t, mut events) = (0.0, Vec::new());
            for (step, stated, what) in &frames {
                t += step;
                for (r, rule) in rules.iter().enumerate() {
                    let findings = stated.iter().filter(|(s, _, _)| !(*s as usize + r).is_multiple_of(3)).map(|(s, x, count)| {
                        Finding { count: *count, ..finding(*s, t, *x) }
                    });
                    let findings = (*what != 0).then(|| findings.collect::<Vec<_>>());
                    events.extend(book.apply(rule, findings, at(t), run()));
                }
                if *what == 1 {
                    events.extend(book.end_all(EndReason::Reconfigured, at(t)));
                }
            }
            events.extend(book.end_all(EndReason::EndOfRecording, at(t)));
            prop_assert!(book.open_incidents().is_empty());
            Ok(events)
        };
        let events = replay()?;
        prop_assert_eq!(serde_json::to_string(&events).unwrap(), serde_json::to_string(&replay()?).unwrap());
        let mut by_incident: BTreeMap<IncidentId, Vec<&IncidentEvent>> = BTreeMap::new();
        for event in &events {
            by_incident.entry(event.incident_id).or_default().push(event);
        }
        for life in by_incident.values() {
            prop_assert_eq!(life[0].phase, Phase::Started);
            prop_assert_eq!(life.last().unwrap().phase, Phase::Ended);
            for (i, event) in life.iter().enumerate() {
                prop_assert_eq!(event.sequence as usize, i);
                prop_assert_eq!(event.phase == Phase::Started, i == 0);
                prop_assert_eq!(event.phase == Phase::Ended, i == life.len() - 1);
                prop_assert_eq!(event.ended_at.is_some() && event.end_reason.is_some(), event.phase == Phase::Ended);
                prop_assert!(event.started_at <= event.at && event.ended_at.is_none_or(|e| e <= event.at && e >= event.started_at));
            }
        }
        let ids: std::collections::BTreeSet<_> = events.iter().map(|e| e.event_id).collect();
        prop_assert_eq!(ids.len(), events.len());
    }
}
