//! What the tracker promises.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

fn detection(label: &str, score: f32, center: [f32; 2], size: [f32; 2]) -> Detection {
    let ([x, y], [w, h]) = (center, size);
    let bbox = BBox::new(x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0).unwrap();
    Detection { label: Label::new(label), score, bbox }
}

fn at(seconds: f64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(seconds)
}

fn tracker() -> Tracker {
    Tracker::new(TrackerConfig::default())
}

/// The ids that were ever confirmed.
fn run(fps: f64, seconds: f64, scene: impl Fn(f64, u32) -> Vec<Detection>) -> (Tracker, BTreeSet<u64>) {
    let mut tracker = tracker();
    let mut ids = BTreeSet::new();
    for i in 0..=(seconds * fps) as u32 {
        let t = f64::from(i) / fps;
        let confirmed = |t: &&Track| t.state == TrackState::Confirmed;
        ids.extend(tracker.update(&scene(t, i), at(t), 16.0 / 9.0).iter().filter(confirmed).map(|t| t.id.0));
    }
    (tracker, ids)
}

#[test]
fn a_walker_is_one_track_at_any_frame_rate() {
    for fps in [1.0, 2.0, 5.0, 12.5, 25.0] {
        let walk = |t: f64, _| vec![detection("person", 0.8, [0.1 + 0.04 * t as f32, 0.5], [0.05, 0.2])];
        let (_, ids) = run(fps, 15.0, walk);
        assert_eq!(ids.len(), 1, "{fps} fps: {ids:?}");
    }
}

#[test]
fn two_who_cross_keep_their_numbers() {
    for fps in [2.0, 5.0, 25.0] {
        let cross = |t: f64, _| {
            let x = 0.1 + 0.08 * t as f32;
            let right = detection("person", 0.8, [x, 0.5], [0.05, 0.2]);
            let left = detection("person", 0.8, [1.0 - x, 0.52], [0.05, 0.2]);
            vec![right, left]
        };
        let (tracker, ids) = run(fps, 9.0, cross);
        assert_eq!(ids, [1, 2].into(), "{fps} fps");
        let right = tracker.tracks().iter().find(|t| t.velocity[0] > 0.0).unwrap();
        assert!(right.bbox.center().x > 0.7 && right.id.0 == 1, "{fps} fps");
    }
}

#[test]
fn a_short_occlusion_keeps_the_number() {
    let hidden = |t: f64, _| {
        let seen = !(4.0..6.0).contains(&t);
        seen.then(|| detection("car", 0.7, [0.1 + 0.03 * t as f32, 0.5], [0.1, 0.1])).into_iter().collect()
    };
    assert_eq!(run(5.0, 12.0, hidden).1.len(), 1);
}

#[test]
fn a_dog_that_flickers_between_classes_and_frames_is_one_track() {
    let labels = ["dog", "sheep", "dog", "cow", "person", "dog", "cat"];
    let flicker = |t: f64, i: u32| {
        let label = labels[(i / 3) as usize % labels.len()];
        let dog = detection(label, 0.5, [0.3 + 0.01 * t as f32, 0.6], [0.04, 0.05]);
        i.is_multiple_of(3).then_some(dog).into_iter().collect()
    };
    let (tracker, ids) = run(5.0, 12.0, flicker);
    assert_eq!(ids.len(), 1);
    assert_eq!(tracker.tracks()[0].label.as_str(), "dog");
    assert!(tracker.tracks()[0].label_evidence.len() >= 4);
}

#[test]
fn one_object_under_two_names_in_one_frame_is_one_track() {
    let twice = |_, _| {
        vec![
            detection("bicycle", 0.6, [0.5, 0.5], [0.1, 0.1]),
            detection("motorcycle", 0.5, [0.505, 0.5], [0.1, 0.1]),
            detection("person", 0.5, [0.5, 0.45], [0.05, 0.15]),
        ]
    };
    assert_eq!(run(5.0, 3.0, twice).1.len(), 2);
}

#[test]
fn low_scores_keep_a_track_but_start_none() {
    let fades = |t: f64, _| vec![detection("car", if t < 1.0 { 0.8 } else { 0.2 }, [0.5, 0.5], [0.1, 0.1])];
    let (tracker, ids) = run(5.0, 10.0, fades);
    assert_eq!((ids.len(), tracker.tracks()[0].state), (1, TrackState::Confirmed));
    assert!(run(5.0, 5.0, |_, _| vec![detection("car", 0.2, [0.5, 0.5], [0.1, 0.1])]).1.is_empty());
}

#[test]
fn a_restart_counts_from_one_again() {
    let mut tracker = tracker();
    let car = [detection("car", 0.9, [0.5, 0.5], [0.1, 0.1])];
    tracker.update(&car, at(0.0), 1.0);
    tracker.update(&[detection("car", 0.9, [0.1, 0.1], [0.1, 0.1])], at(0.2), 1.0);
    tracker.restart();
    assert_eq!(tracker.update(&car, at(9.0), 1.0)[0].id, TrackId(1));
}

#[test]
fn coasting_keeps_tracks_however_long() {
    let mut tracker = tracker();
    let car = [detection("car", 0.9, [0.5, 0.5], [0.1, 0.1])];
    for i in 0..5 {
        tracker.update(&car, at(f64::from(i) * 0.2), 1.0);
    }
    for i in 0..100 {
        assert_eq!(tracker.coast(at(1.0 + f64::from(i) * 0.2)).len(), 1);
    }
    assert_eq!(tracker.update(&car, at(21.2), 1.0)[0].id, TrackId(1));
}

prop_compose! {
    fn any_detection()(label in 0usize..6, score in 0.0f32..=1.0, x in -0.1f32..1.1, y in -0.1f32..1.1, w in 0.0f32..0.4, h in 0.0f32..0.4) -> Detection {
        let label = ["person", "dog", "cat", "bicycle", "car", "vase"][label];
        detection(label, score, [x, y], [w, h])
    }
}

proptest! {
    #[test]
    fn ids_are_unique_rise_and_are_never_reused(
        frames in proptest::collection::vec((proptest::collection::vec(any_detection(), 0..8), 0.0f64..40.0), 1..30),
    ) {
        let (mut a, mut b) = (tracker(), tracker());
        let (mut t, mut dead, mut alive) = (0.0, BTreeSet::new(), BTreeSet::new());
        for (detections, step) in &frames {
            t += step;
            let tracks = a.update(detections, at(t), 1.5).to_vec();
            prop_assert_eq!(&tracks[..], b.update(detections, at(t), 1.5));
            let now: BTreeSet<u64> = tracks.iter().map(|t| t.id.0).collect();
            prop_assert_eq!(now.len(), tracks.len());
            prop_assert!(tracks.is_sorted_by_key(|t| t.id));
            dead.extend(alive.difference(&now).copied());
            prop_assert!(now.is_disjoint(&dead));
            for track in &tracks {
                prop_assert!(track.hits >= 1 && track.first_seen_at <= track.last_seen_at);
                prop_assert!(track.label_evidence[0].0 == track.label);
            }
            alive = now;
        }
    }
}
