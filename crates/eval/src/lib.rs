//! Makes scenarios: clips composited from real pictures, with exact truth. (Scoring comes with its own issue.)

pub mod scenario;
