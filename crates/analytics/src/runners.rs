//! Whether something runs about that rules follow from frame to frame, so that looks a second or two apart are not enough.

use std::collections::BTreeSet;

use parapet_core::{BBox, Detection, Label, Timestamp, time::seconds_between};

use crate::RuleConfig;

/// What runs about is looked for at every frame for so long after it was at a new place, and before it is told of.
pub(crate) const FOLLOW_SECONDS: f64 = 10.0;
/// A place is known for so long after something was seen at it.
const KNOWN_SECONDS: f64 = 60.0;
/// What overlaps a known place so much is still there.
const SAME_PLACE_IOU: f32 = 0.5;

/// Remembers where such things were seen. What stays at its place (a dog that sleeps, a bush taken for one) runs nowhere.
#[derive(Debug)]
pub(crate) struct Runners {
    labels: BTreeSet<Label>,
    places: Vec<(BBox, Timestamp)>,
    ran_at: Option<Timestamp>,
}

impl Runners {
    pub(crate) fn new<'a>(rules: impl Iterator<Item = &'a RuleConfig>) -> Self {
        let labels = rules.filter_map(RuleConfig::runners).flatten().cloned().collect();
        Self { labels, places: Vec::new(), ran_at: None }
    }

    /// Takes in what a look saw; whether something is at a new place.
    pub(crate) fn look(&mut self, detections: &[Detection], at: Timestamp) -> bool {
        for detection in detections.iter().filter(|d| self.labels.contains(&d.label)) {
            let known = self.places.iter_mut().find(|(place, _)| place.iou(detection.bbox) >= SAME_PLACE_IOU);
            if let Some((_, seen_at)) = known {
                *seen_at = at;
            } else {
                self.places.push((detection.bbox, at));
                self.ran_at = Some(at);
            }
        }
        self.places.retain(|(_, seen_at)| seconds_between(*seen_at, at) < KNOWN_SECONDS);
        self.ran_at == Some(at)
    }

    /// Whether something runs about, or did a moment ago.
    pub(crate) fn run(&self, at: Timestamp) -> bool {
        self.ran_at.is_some_and(|ran| seconds_between(ran, at) < FOLLOW_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn seen(label: &str, x: f32) -> [Detection; 1] {
        let bbox = BBox::new(x, 0.5, x + 0.1, 0.6).unwrap();
        [Detection { label: Label::new(label), score: 0.4, bbox }]
    }

    #[test]
    fn what_comes_or_moves_is_followed_and_what_stays_is_not() {
        let rules: [RuleConfig; 2] = [r#"{"stray_dog": {}}"#, r#"{"misparked_ebike": {}}"#]
            .map(|rule| serde_json::from_str(rule).unwrap());
        let mut runners = Runners::new(rules.iter());
        runners.look(&seen("bicycle", 0.1), at(0));
        assert!(!runners.run(at(0)));
        assert!(runners.look(&seen("dog", 0.1), at(1)));
        assert!(runners.run(at(1)) && runners.run(at(10)) && !runners.run(at(11)));
        // It lies there, now and then taken for a sheep or not seen.
        for second in (2..120).step_by(3) {
            assert!(!runners.look(&seen("sheep", 0.11), at(second)));
        }
        assert!(!runners.run(at(120)));
        runners.look(&seen("dog", 0.2), at(121));
        assert!(runners.run(at(121)));
        // After an hour the old place is a new one.
        runners.look(&[], at(3700));
        runners.look(&seen("dog", 0.11), at(3701));
        assert!(runners.run(at(3701)));
    }
}
