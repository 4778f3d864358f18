//! The verbs: tracker, rules and incident book; pure functions of detections, changes and their times.
