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
    RuleFacts { id: id.parse().unwrap(), kind: IncidentKind::MisparkedEbike, cool_down_seconds }
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
