//! Who crossed which line, and which way. A crossing is a fact for rules and counters; by itself it is no violation.

use std::collections::BTreeMap;

use parapet_core::{Label, Line, Point, Track, TrackId, TrackState, ZoneId, geometry::Crossing};

/// A believed track crossed a line with its foot point.
#[derive(Debug, Clone, PartialEq)]
pub struct LineCrossing {
    /// Name of the line.
    pub line: ZoneId,
    /// Which way.
    pub direction: Crossing,
    /// Who.
    pub track: TrackId,
    /// What it is taken for.
    pub label: Label,
}

/// Watches the lines of a view.
#[derive(Debug)]
pub(crate) struct LineWatch {
    lines: BTreeMap<ZoneId, Line>,
    last: BTreeMap<TrackId, Point>,
}

impl LineWatch {
    pub(crate) fn new(lines: BTreeMap<ZoneId, Line>) -> Self {
        Self { lines, last: BTreeMap::new() }
    }

    /// Forgets where the tracks were.
    pub(crate) fn restart(&mut self) {
        self.last.clear();
    }

    /// Crossings between each track's previous sighting and this one. A track counts once for each time that it
    /// passes; predictions do not count.
    pub(crate) fn update(&mut self, tracks: &[Track]) -> Vec<LineCrossing> {
        let mut crossings = Vec::new();
        if self.lines.is_empty() {
            return crossings;
        }
        self.last.retain(|id, _| tracks.binary_search_by_key(id, |t| t.id).is_ok());
        for track in tracks.iter().filter(|t| t.state == TrackState::Confirmed) {
            let foot = track.bbox.foot_point();
            if let Some(before) = self.last.insert(track.id, foot) {
                for (name, line) in &self.lines {
                    if let Some(direction) = line.crossing(before, foot) {
                        let (track, label) = (track.id, track.label.clone());
                        crossings.push(LineCrossing { line: name.clone(), direction, track, label });
                    }
                }
            }
        }
        crossings
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::{BBox, Detection, Timestamp};

    use super::*;
    use crate::{Tracker, TrackerConfig};

    #[test]
    fn a_walker_there_and_back_crosses_once_each_way() {
        let line = Line { a: Point::new(0.5, 1.0), b: Point::new(0.5, 0.0) };
        let mut watch = LineWatch::new([("gate".parse().unwrap(), line)].into());
        let mut tracker = Tracker::new(TrackerConfig::default());
        let mut directions = Vec::new();
        for i in 0i64..200 {
            let x = 0.5 + 0.3 * ((i as f32) / 100.0 * std::f32::consts::TAU - 1.6).sin();
            let bbox = BBox::new(x - 0.03, 0.4, x + 0.03, 0.6).unwrap();
            let person = Detection { label: Label::new("person"), score: 0.9, bbox };
            let at = Timestamp::from_millisecond(i * 200).unwrap();
            directions.extend(watch.update(tracker.update(&[person], at, 1.0)).iter().map(|c| c.direction));
        }
        assert_eq!(
            directions,
            [Crossing::LeftToRight, Crossing::RightToLeft, Crossing::LeftToRight, Crossing::RightToLeft]
        );
    }
}
