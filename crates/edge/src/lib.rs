//! Runs cameras: threads, supervision, evidence, outbox, telemetry.
