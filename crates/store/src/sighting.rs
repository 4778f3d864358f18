//! When two cameras' incidents are one thing: of one kind, at one place, at one time.

use parapet_core::{IncidentKind, Timestamp, geo::Position};

use crate::IncidentRow;

/// Longest time between the end of one sighting and the start of the next that is the same thing: a drone passes a few
/// minutes after the bike was taken out of a fixed camera's view.
pub(crate) const GAP_SECONDS: i64 = 30 * 60;

/// Metres within which two places can be one thing of a kind, beside what is not known about the places: half its length,
/// for each camera sees another side of it, and for a dog what it walks between two looks.
pub(crate) fn extent_meters(kind: IncidentKind) -> f64 {
    match kind {
        IncidentKind::MisparkedEbike => 1.5,
        IncidentKind::OccupiedRoadway => 4.0,
        IncidentKind::StrayDog => 15.0,
        IncidentKind::RooftopStructure => 5.0,
    }
}

/// Places that are known worse than this are not searched for in the other direction.
pub(crate) const LARGEST_UNCERTAINTY_METERS: f64 = 30.0;

/// Overlap of two boxes of one view (intersection over union) from which they mean one place.
const SAME_BOX: f32 = 0.3;

/// Whether two incidents are at one place, whenever that was: by their coordinates where both have them, else by their boxes in
/// one view.
pub(crate) fn at_one_place(one: &IncidentRow, other: &IncidentRow) -> bool {
    match (&one.place, &other.place) {
        (Some(a), Some(b)) => a.position.may_be(&b.position, extent_of(one)),
        _ => one.camera == other.camera && one.preset == other.preset && one.bbox.iou(other.bbox) >= SAME_BOX,
    }
}

/// Degrees of latitude within which all that is at an incident's place lies.
pub(crate) fn reach_degrees(incident: &IncidentRow) -> f64 {
    let sigma = incident.place.as_ref().map_or(0.0, |place| f64::from(place.position.uncertainty_meters));
    reach(extent_of(incident), sigma.hypot(LARGEST_UNCERTAINTY_METERS))
}

fn extent_of(incident: &IncidentRow) -> f64 {
    let kind = IncidentKind::ALL.into_iter().find(|kind| kind.as_str() == incident.kind.as_str());
    kind.map_or(3.0, extent_meters)
}

/// A degree is never shorter than 110 km.
fn reach(extent_meters: f64, sigma_meters: f64) -> f64 {
    (extent_meters + 3.0 * sigma_meters) / 110_000.0
}

/// An incident's place and time, as far as they tell whether another one is the same thing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sighting {
    pub(crate) kind: IncidentKind,
    pub(crate) position: Position,
    pub(crate) since: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

impl Sighting {
    /// Whether a sighting that starts now can be of the thing of an earlier one.
    pub(crate) fn continues(&self, earlier: &Self) -> bool {
        let gap = earlier.ended_at.map_or(0, |ended| self.since.as_second() - ended.as_second());
        self.kind == earlier.kind
            && gap <= GAP_SECONDS
            && self.position.may_be(&earlier.position, extent_meters(self.kind))
    }

    /// Degrees of latitude within which all that it can be the same as lies, for another one's uncertainty of up to
    /// `other_meters`.
    pub(crate) fn reach_degrees(&self, other_meters: f64) -> f64 {
        let sigma = f64::from(self.position.uncertainty_meters).hypot(other_meters);
        reach(extent_meters(self.kind), sigma)
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::geo::GeoPoint;

    use super::*;

    fn bike(latitude: f64, since: &str, ended_at: Option<&str>) -> Sighting {
        let point = GeoPoint::new(latitude, 120.68).unwrap();
        Sighting {
            kind: IncidentKind::MisparkedEbike,
            position: Position { point, uncertainty_meters: 0.5 },
            since: since.parse().unwrap(),
            ended_at: ended_at.map(|at| at.parse().unwrap()),
        }
    }

    #[test]
    fn one_bike_is_one_bike_while_it_stands_and_shortly_after() {
        let fixed = bike(30.53, "2026-11-22T08:00:00Z", None);
        let gone = bike(30.53, "2026-11-22T08:00:00Z", Some("2026-11-22T08:10:00Z"));
        let beside = bike(30.530_02, "2026-11-22T08:39:00Z", None);
        assert!(beside.continues(&fixed) && beside.continues(&gone));
        let later = bike(30.53, "2026-11-22T08:41:00Z", None);
        assert!(later.continues(&fixed) && !later.continues(&gone));
        let elsewhere = bike(30.530_05, "2026-11-22T08:05:00Z", None);
        assert!(!elsewhere.continues(&fixed), "5.5 m away");
        let dog = Sighting { kind: IncidentKind::StrayDog, ..beside };
        assert!(!dog.continues(&fixed));
    }
}
