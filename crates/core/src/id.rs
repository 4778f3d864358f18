//! Identities. Names that people write in a pipeline file are slugs; ids that the program makes are UUIDs,
//! derived (version 5) wherever a replay must give the same ones.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a name cannot be an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a valid name; hint: 1 to 64 of a-z, 0-9, \"-\" and \"_\", starting with a letter or digit"
)]
pub struct InvalidName(pub String);

fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=64).contains(&bytes.len())
        && !matches!(bytes[0], b'-' | b'_')
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

macro_rules! name_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(#[schemars(with = "String")] Arc<str>);

        impl $name {
            /// The name as it stands in the pipeline file.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                if is_slug(text) { Ok(Self(text.into())) } else { Err(InvalidName(text.to_owned())) }
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )+};
}

name_id! {
    /// A compound with its streets, as named in the pipeline file.
    SiteId,
    /// A machine that runs cameras.
    NodeId,
    /// Nodes that share their cameras.
    FleetId,
    /// A fixed camera, a dome or a drone feed.
    CameraId,
    /// A place to which a PTZ dome returns.
    PresetId,
    /// A building of a site, unique within it.
    BuildingId,
    /// One drone flight over a site.
    SurveyId,
    /// A zone, unique within its camera.
    ZoneId,
    /// A rule, unique within its camera.
    RuleId,
    /// An office that handles cases.
    DepartmentId,
    /// A person who signs in.
    UserName,
}

/// Everything that Parapet derives lives in this namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0x7061_7261_7065_742d_6e61_6d65_7370_6163);

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(#[schemars(with = "String")] pub Uuid);

        impl $name {
            /// The id that these parts always give. Parts are separated, so `["ab", "c"]` is not `["a", "bc"]`.
            pub fn derive(parts: &[&str]) -> Self {
                let mut name = String::from(stringify!($name));
                for part in parts {
                    name.push('\u{1f}');
                    name.push_str(part);
                }
                Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )+};
}

uuid_id! {
    /// One connection to one source: from the first frame to the end of the stream. A reconnect starts a new run.
    RunId,
    /// One violation, from its start to its end.
    IncidentId,
    /// One event in the life of an incident; intake is idempotent by it.
    EventId,
    /// One case of the command center.
    CaseId,
}

impl RunId {
    /// The run of a live connection: ordered by time, different at each connection.
    pub fn live() -> Self {
        Self(Uuid::now_v7())
    }
}

/// A track within a camera: numbers start at 1 in each run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct TrackId(pub u64);

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_slug() {
        assert!("gate-north_2".parse::<CameraId>().is_ok());
        for bad in ["", "-gate", "Gate", "north gate", "北门", &"x".repeat(65)] {
            assert!(bad.parse::<CameraId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn derived_ids_are_stable_and_keep_parts_apart() {
        assert_eq!(IncidentId::derive(&["a", "b"]), IncidentId::derive(&["a", "b"]));
        assert_ne!(IncidentId::derive(&["ab", "c"]), IncidentId::derive(&["a", "bc"]));
        assert_ne!(IncidentId::derive(&["a"]).0, EventId::derive(&["a"]).0);
    }
}
