//! Scores detection, tracking, change and incidents on recorded footage; makes scenarios with exact truth.
