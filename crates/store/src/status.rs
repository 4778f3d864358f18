//! Which status may follow which. Only people change a status; the edge's phase never does.

use parapet_core::{Status, Timestamp};

/// A person's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// What the incident is to become.
    pub to: Status,
    /// Who says so.
    pub operator: String,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Whether `to` may follow `from`: a verdict on what is new, and taking a verdict back. What comes after `Confirmed` is
/// the work on cases, which moves their incidents with them.
pub fn allowed(from: Status, to: Status) -> bool {
    matches!(
        (from, to),
        (Status::New, Status::Confirmed | Status::Dismissed)
            | (Status::Confirmed | Status::Dismissed, Status::New)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_given_once_and_can_be_taken_back() {
        assert!(allowed(Status::New, Status::Confirmed));
        assert!(!allowed(Status::Confirmed, Status::Confirmed));
        assert!(!allowed(Status::Confirmed, Status::Dismissed));
        assert!(allowed(Status::Dismissed, Status::New));
        assert!(!allowed(Status::New, Status::Closed));
    }
}
