//! Who is in which zone, with hysteresis in space and time, so that a box that trembles on an edge does not come and
//! go with every frame.

use parapet_core::{BBox, Label, Membership, Point, Timestamp, Zone, ZonePurpose, time::seconds_between};
use serde::{Deserialize, Serialize};

use crate::{Fraction, Seconds};

/// When something comes into a zone and when it leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PresenceConfig {
    /// It is in once it was inside for so long.
    pub enter_seconds: Seconds,
    /// It is out once it was outside for so long.
    pub leave_seconds: Seconds,
    /// What is in stays in within this margin: a part of its box for foot points, of the overlap for overlaps.
    pub margin: Fraction,
}

impl Default for PresenceConfig {
    fn default() -> Self {
        Self {
            enter_seconds: Seconds::whole(0),
            leave_seconds: Seconds::whole(1),
            margin: Fraction::percent(10),
        }
    }
}

/// Whether an object of this class and place is in the zone by this one look; `was_in` widens it by `margin`.
pub fn is_member(zone: &Zone, label: &Label, bbox: BBox, was_in: bool, margin: f32) -> bool {
    zone.labels.as_ref().is_none_or(|labels| labels.contains(label)) && is_inside(zone, bbox, was_in, margin)
}

/// The same for an object of any class.
pub(crate) fn is_inside(zone: &Zone, bbox: BBox, was_in: bool, margin: f32) -> bool {
    match zone.membership {
        Membership::FootPoint => {
            let foot = bbox.foot_point();
            if zone.polygon.contains(foot) {
                return true;
            }
            let (dx, dy) = (margin * bbox.width(), margin * bbox.height());
            was_in
                && [(-dx, 0.0), (dx, 0.0), (0.0, -dy), (0.0, dy)]
                    .iter()
                    .any(|(x, y)| zone.polygon.contains(Point::new(foot.x + x, foot.y + y)))
        }
        Membership::Overlap(least) => {
            let least = if was_in { (least - margin).max(f32::EPSILON) } else { least };
            zone.polygon.fraction_of(bbox) >= least
        }
    }
}

/// Whether the object lies in a zone that is left out of everything.
pub(crate) fn is_ignored(zones: &[Zone], label: &Label, bbox: BBox) -> bool {
    zones
        .iter()
        .filter(|zone| zone.purpose == ZonePurpose::Ignore)
        .any(|zone| is_member(zone, label, bbox, false, 0.0))
}

#[derive(Debug, Clone, Copy)]
struct Presence {
    inside: bool,
    /// Since when single looks say the opposite.
    turning: Option<Timestamp>,
}

/// Presence of subjects with key `K` in the zones of a view. Only subjects in or near a zone cost anything.
#[derive(Debug)]
pub(crate) struct ZonePresence<K> {
    config: PresenceConfig,
    bounds: Vec<BBox>,
    /// By rising key.
    known: Vec<Subject<K>>,
}

/// The zones that a subject is in or turns from, by rising index.
#[derive(Debug)]
struct Subject<K> {
    key: K,
    zones: Vec<(usize, Presence)>,
}

impl<K: Ord + Copy> ZonePresence<K> {
    pub(crate) fn new(config: PresenceConfig, zones: &[Zone]) -> Self {
        Self { config, bounds: zones.iter().map(|z| z.polygon.bbox()).collect(), known: Vec::new() }
    }

    /// Takes in a look at a subject; `zones` are those given at the start.
    pub(crate) fn look(&mut self, key: K, zones: &[Zone], label: &Label, bbox: BBox, at: Timestamp) {
        let mut place = self.known.binary_search_by(|s| s.key.cmp(&key));
        for (index, zone) in zones.iter().enumerate() {
            let near = bbox.intersection(self.bounds[index]).is_some();
            let slot = place.map(|p| self.known[p].zones.binary_search_by_key(&index, |(zone, _)| *zone));
            let before = match (place, slot) {
                (Ok(p), Ok(Ok(slot))) => self.known[p].zones[slot].1,
                _ if !near => continue,
                _ => Presence { inside: false, turning: None },
            };
            let inside = is_member(zone, label, bbox, before.inside, self.config.margin.as_f32());
            let mut now = Presence { inside: before.inside, turning: None };
            if inside != before.inside {
                let since = before.turning.unwrap_or(at);
                let wait = if inside { self.config.enter_seconds } else { self.config.leave_seconds };
                if seconds_between(since, at) >= wait.as_f64() {
                    now.inside = inside;
                } else {
                    now.turning = Some(since);
                }
            }
            let counts = now.inside || now.turning.is_some();
            match (place, slot) {
                (Ok(p), Ok(Ok(slot))) if counts => self.known[p].zones[slot].1 = now,
                (Ok(p), Ok(Ok(slot))) => drop(self.known[p].zones.remove(slot)),
                (Ok(p), Ok(Err(slot))) if counts => self.known[p].zones.insert(slot, (index, now)),
                (Err(p), _) if counts => {
                    self.known.insert(p, Subject { key, zones: vec![(index, now)] });
                    place = Ok(p);
                }
                _ => {}
            }
        }
    }

    /// The zones that the subject is in, by rising index.
    pub(crate) fn of(&self, key: K) -> impl Iterator<Item = usize> + '_ {
        let subject = self.known.binary_search_by(|s| s.key.cmp(&key)).ok().map(|p| &self.known[p].zones);
        subject.into_iter().flatten().filter(|(_, p)| p.inside).map(|(zone, _)| *zone)
    }

    /// Forgets all subjects but these.
    pub(crate) fn retain(&mut self, keep: impl Fn(K) -> bool) {
        self.known.retain(|subject| keep(subject.key));
    }

    /// Forgets all subjects.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use parapet_core::Polygon;

    use super::*;

    fn zone(membership: Membership) -> Zone {
        let polygon = Polygon::from_bbox(BBox::new(0.2, 0.2, 0.6, 0.6).unwrap()).unwrap();
        Zone { id: "z".parse().unwrap(), purpose: ZonePurpose::Area, polygon, membership, labels: None }
    }

    fn at(seconds: f64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(seconds)
    }

    fn bbox(x: f32, foot: f32) -> BBox {
        BBox::new(x - 0.05, foot - 0.1, x + 0.05, foot).unwrap()
    }

    #[test]
    fn a_box_that_trembles_on_the_edge_stays_in() {
        let zones = [zone(Membership::FootPoint)];
        let car = Label::new("car");
        let mut presence = ZonePresence::new(PresenceConfig::default(), &zones);
        for i in 0..50 {
            let foot = if i % 2 == 0 { 0.595 } else { 0.605 };
            presence.look(1, &zones, &car, bbox(0.4, foot), at(f64::from(i) * 0.2));
            assert_eq!(presence.of(1).count(), 1, "frame {i}");
        }
        presence.look(1, &zones, &car, bbox(0.4, 0.7), at(10.0));
        presence.look(1, &zones, &car, bbox(0.4, 0.7), at(10.8));
        assert_eq!(presence.of(1).count(), 1);
        presence.look(1, &zones, &car, bbox(0.9, 0.9), at(11.0));
        assert_eq!((presence.of(1).count(), presence.known[0].zones.len()), (0, 0));
    }

    #[test]
    fn overlap_needs_its_fraction_to_enter_and_less_to_stay() {
        let zone = zone(Membership::Overlap(0.5));
        let car = Label::new("car");
        let near_half = BBox::new(0.555, 0.3, 0.655, 0.4).unwrap();
        assert!(!is_member(&zone, &car, near_half, false, 0.1));
        assert!(is_member(&zone, &car, near_half, true, 0.1));
    }

    #[test]
    fn a_zone_takes_only_its_classes() {
        let mut zone = zone(Membership::FootPoint);
        zone.labels = Some([Label::new("car")].into());
        assert!(is_member(&zone, &Label::new("car"), bbox(0.4, 0.4), false, 0.0));
        assert!(!is_member(&zone, &Label::new("dog"), bbox(0.4, 0.4), false, 0.0));
    }
}
