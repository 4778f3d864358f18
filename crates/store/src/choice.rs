//! Values as the tables hold them: choices by their wire name, times in microseconds, documents with a version.

use std::str::FromStr;

use parapet_core::{IncidentEvent, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

use crate::StoreError;

/// Form of the documents in `incident_events` and `open_incidents`: core's JSON of an event. A change to it that old
/// documents do not decode under is a new number and a reader for the old one.
pub(crate) const EVENT_VERSION: i32 = 1;

pub(crate) fn name(choice: impl Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(serde_json::Value::String(name)) => name,
        other => unreachable!("core's plain enums are strings in JSON, not {other:?}"),
    }
}

pub(crate) fn choice<T: DeserializeOwned>(column: &'static str, value: &str) -> Result<T, StoreError> {
    T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(value))
        .map_err(|_| unreadable(column, value))
}

pub(crate) fn text<T: FromStr>(column: &'static str, value: &str) -> Result<T, StoreError> {
    value.parse().map_err(|_| unreadable(column, value))
}

pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(crate) fn instant(column: &'static str, micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|_| unreadable(column, micros))
}

pub(crate) fn number<T: TryFrom<i64>>(column: &'static str, value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| unreadable(column, value))
}

/// A count as the databases hold it. Beyond 2⁶³ there is nothing to count: a wrong message must not make rows unreadable.
pub(crate) fn column(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A pattern for `LIKE … ESCAPE '\\'` that finds these words anywhere in lower-case text.
pub(crate) fn containing(words: &str) -> String {
    let escaped = words.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// Text without the one character that PostgreSQL cannot store.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub(crate) fn event(version: i32, document: serde_json::Value) -> Result<IncidentEvent, StoreError> {
    if version != EVENT_VERSION {
        return Err(unreadable("version", version));
    }
    serde_json::from_value(document).map_err(|error| unreadable("document", error))
}

pub(crate) fn unreadable(column: &'static str, value: impl std::fmt::Display) -> StoreError {
    StoreError::Unreadable { column, value: value.to_string() }
}
