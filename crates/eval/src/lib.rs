//! Scores detection, tracking, change and incidents on recorded footage, and makes scenarios: clips composited from
//! real pictures, with exact truth. The incidents are those of the same assembly that runs live.

pub mod dataset;
pub mod gate;
pub mod metric;
pub mod report;
pub mod run;
pub mod scenario;
pub mod truth;
pub mod verdict;
