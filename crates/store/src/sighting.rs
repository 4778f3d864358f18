//! When two cameras' incidents are one thing: of one kind, at one place, at one time.

use parapet_core::{IncidentKind, Timestamp, geo::Position};

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
    /// `other_meters`. A degree is never shorter than 110 km.
    pub(crate) fn reach_degrees(&self, other_meters: f64) -> f64 {
        let sigma = f64::from(self.position.uncertainty_meters).hypot(other_meters);
        (extent_meters(self.kind) + 3.0 * sigma) / 110_000.0
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
