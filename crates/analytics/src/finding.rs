//! What a rule says holds now. Findings are restated at every frame; [`crate::book`] turns them into events.

use std::{fmt, sync::Arc};

use parapet_core::{BBox, Label, Point, Severity, Timestamp, TrackId, ZoneId};

/// What a finding is about, the same in every frame as long as it is the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A standing thing, by its number in the memory.
    Thing(u64),
    /// Something that was put down and that no model knows, by its number in the rule's memory.
    Region(u64),
    /// Dogs at one place, by the number of the group.
    Dogs(u64),
    /// A zone as a whole, by its place in the list.
    Zone(usize),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thing(n) => write!(f, "thing-{n}"),
            Self::Region(n) => write!(f, "region-{n}"),
            Self::Dogs(n) => write!(f, "dogs-{n}"),
            Self::Zone(n) => write!(f, "zone-{n}"),
        }
    }
}

/// A violation that holds in this frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// When the subject was first known: with `subject`, its identity.
    pub first_seen_at: Timestamp,
    /// How pressing it is.
    pub severity: Severity,
    /// The zone, if it is about one.
    pub zone: Option<ZoneId>,
    /// Since when it has held.
    pub since: Timestamp,
    /// When it was last seen to hold.
    pub held_at: Timestamp,
    /// Class, if known.
    pub label: Option<Label>,
    /// Track, if followed now.
    pub track: Option<TrackId>,
    /// Place.
    pub bbox: BBox,
    /// Outline where it is known better than by the box.
    pub outline: Option<Arc<[Point]>>,
    /// How many things.
    pub count: u32,
    /// Confidence, 0..=1.
    pub score: f32,
    /// Fraction of the zone that is covered.
    pub covered: Option<f32>,
}
