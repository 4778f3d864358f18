//! Real labels.
