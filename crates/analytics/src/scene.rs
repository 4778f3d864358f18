//! All that is known about one frame when the rules look at it.

use parapet_core::{SceneChange, Timestamp, Track, TrackId, Zone};

use crate::{
    LineCrossing, StandingMemory, Thing,
    zone::{ZonePresence, is_inside},
};

/// One frame, understood.
#[derive(Debug)]
pub struct Scene<'a> {
    /// Its capture time.
    pub at: Timestamp,
    /// Width of the frame by its height.
    pub aspect: f32,
    /// The view's zones.
    pub zones: &'a [Zone],
    /// All tracks.
    pub tracks: &'a [Track],
    /// What stands.
    pub standing: &'a StandingMemory,
    /// What is new in the view.
    pub change: &'a SceneChange,
    /// Lines crossed in this frame.
    pub crossings: &'a [LineCrossing],
    pub(crate) track_zones: &'a ZonePresence<TrackId>,
    pub(crate) thing_zones: &'a ZonePresence<u64>,
}

impl Scene<'_> {
    /// Settled things.
    pub fn standing_things(&self) -> impl Iterator<Item = &Thing> {
        self.standing.things().iter().filter(|t| t.settled)
    }

    /// Zones that a thing stands in, with hysteresis, by rising index.
    pub fn zones_of_thing(&self, thing: &Thing) -> impl Iterator<Item = usize> + '_ {
        self.thing_zones.of(thing.number)
    }

    /// Zones that a track is in, with hysteresis, by rising index.
    pub fn zones_of_track(&self, track: TrackId) -> impl Iterator<Item = usize> + '_ {
        self.track_zones.of(track)
    }

    /// The zones among `among` that a box without a number is in; no hysteresis.
    pub fn zones_of_box<'b>(
        &'b self,
        bbox: parapet_core::BBox,
        among: &'b [usize],
    ) -> impl Iterator<Item = usize> + 'b {
        among.iter().copied().filter(move |zone| is_inside(&self.zones[*zone], bbox, false, 0.0))
    }
}
