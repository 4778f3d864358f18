//! Classes that a detector takes for each other, and that therefore are one thing to the tracker and the memory.

use parapet_core::Label;

/// A group of classes that flicker into each other from frame to frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// People.
    Person,
    /// Two-wheelers, whatever drives them.
    Bike,
    /// Cars, vans, trucks, buses and what is taken for them.
    Vehicle,
    /// Four-legged animals: a dog at a distance comes out as sheep, horse, cow, bear or cat.
    Animal,
    /// All the rest; its members are not told apart either.
    Other,
}

impl Group {
    /// The group of a class.
    pub fn of(label: &Label) -> Self {
        match label.as_str() {
            "person" | "pedestrian" | "people" | "rider" => Self::Person,
            "bicycle" | "bike" | "motorcycle" | "motorbike" | "motor" | "e-bike" | "ebike" | "scooter"
            | "kick_scooter" | "moped" => Self::Bike,
            "car" | "van" | "truck" | "bus" | "train" | "tricycle" | "awning-tricycle" | "vehicle" => {
                Self::Vehicle
            }
            "dog" | "cat" | "sheep" | "horse" | "cow" | "bear" => Self::Animal,
            _ => Self::Other,
        }
    }
}
