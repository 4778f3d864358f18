//! Several nodes watch the same cameras, each of them once: leases in the command center's store say which node watches
//! which, and run out by themselves when a node dies. Nodes never talk to each other.

mod adopt;
mod last_words;
mod leases;
mod task;

use std::{env, fs, io, path::PathBuf, time::Duration};

use parapet_core::FleetId;
use serde::Deserialize;

pub(crate) use leases::Leases;
pub(crate) use task::{Share, ShareParts, ShareTrouble};

/// Sharing the cameras of the file with other nodes. All nodes of a fleet have the same cameras in their files, and speak to
/// one broker; the command center keeps the store and must have been started with it once.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareConfig {
    /// Name of the nodes that share.
    pub fleet: FleetId,
    /// Address of the command center's store, as `postgres://parapet@10.0.0.5/parapet`. An SQLite file is only good for
    /// nodes of one machine.
    pub store: Option<String>,
    /// File whose first line is the address: for one with a password.
    pub store_file: Option<PathBuf>,
    /// Environment variable with the address.
    pub store_env: Option<String>,
    /// Longest time, in seconds, that a camera goes without a node when its node dies. Of these a lease runs four fifths;
    /// the rest is for taking over.
    #[serde(default = "default_lease_seconds")]
    #[schemars(range(min = 3, max = 300))]
    pub lease_seconds: u32,
    /// How much the node can take in comparison with the others: one of 2.0 gets twice the cameras of one of 1.0.
    #[serde(default = "default_capacity")]
    pub capacity: f64,
}

fn default_lease_seconds() -> u32 {
    15
}

fn default_capacity() -> f64 {
    1.0
}

/// Why there is no address of the store.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// The file.
    #[error("cannot read the address of the store from {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The variable.
    #[error("environment variable {0} is not set; hint: set it to the store's address, or use store_file")]
    Variable(String),
    /// None is given.
    #[error("no store is named; hint: one of store, store_file and store_env")]
    Nothing,
}

impl ShareConfig {
    /// What is wrong with it, each "option what; hint: what to do".
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let given = [self.store.is_some(), self.store_file.is_some(), self.store_env.is_some()];
        match given.iter().filter(|given| **given).count() {
            0 => problems.push("store is missing; hint: one of store, store_file and store_env".to_owned()),
            1 => {}
            _ => {
                problems
                    .push("store is given twice; hint: one of store, store_file and store_env".to_owned());
            }
        }
        if let Some(store) = &self.store {
            if !["sqlite://", "postgres://", "postgresql://"].iter().any(|scheme| store.starts_with(scheme)) {
                problems.push(
                    "store is no database; hint: postgres://user@host/database, the one of the command center"
                        .to_owned(),
                );
            } else if has_password(store) {
                problems.push(
                    "store has a password in it; hint: write the address into a file and name it as store_file"
                        .to_owned(),
                );
            }
        }
        if let Some(file) = self.store_file.as_ref().filter(|file| !file.exists()) {
            problems.push(format!(
                "store_file: there is no {}; hint: its first line is the address of the store",
                file.display()
            ));
        }
        if !(3..=300).contains(&self.lease_seconds) {
            problems.push(format!(
                "lease_seconds = {} is out of range; hint: 3 to 300; 15 is a good choice",
                self.lease_seconds
            ));
        }
        if !(self.capacity.is_finite() && self.capacity > 0.0) {
            problems.push(format!(
                "capacity = {} makes no sense; hint: 1.0 for a node like the others, 2.0 for twice as much",
                self.capacity
            ));
        }
        problems
    }

    /// The address of the store.
    pub(crate) fn address(&self) -> Result<String, AddressError> {
        match (&self.store, &self.store_file, &self.store_env) {
            (Some(address), ..) => Ok(address.clone()),
            (None, Some(path), _) => {
                let text = fs::read_to_string(path)
                    .map_err(|source| AddressError::File { path: path.clone(), source })?;
                Ok(text.lines().next().unwrap_or_default().trim().to_owned())
            }
            (None, None, Some(name)) => env::var(name).map_err(|_| AddressError::Variable(name.clone())),
            (None, None, None) => Err(AddressError::Nothing),
        }
    }

    pub(crate) fn timing(&self) -> Timing {
        let runs_for = Duration::from_secs(self.lease_seconds.into()) * 4 / 5;
        Timing { runs_for, margin: runs_for / 6, every: runs_for / 3, last_words: runs_for / 2 }
    }
}

/// How long things take, all made of `lease_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timing {
    /// A lease runs for so long after the request that renewed it.
    pub(crate) runs_for: Duration,
    /// A node stops so much earlier: clocks do not go alike, and a thread takes a moment to end.
    pub(crate) margin: Duration,
    /// Between two requests.
    pub(crate) every: Duration,
    /// A camera that is given back goes without a node for at most so long, until what was said of it has arrived.
    pub(crate) last_words: Duration,
}

fn has_password(address: &str) -> bool {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) || rest.contains("password=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> ShareConfig {
        toml::from_str(&format!("fleet = \"yard\"\n{text}")).unwrap()
    }

    #[test]
    fn every_mistake_is_named() {
        assert!(config("store = \"postgres://parapet@db/parapet\"").problems().is_empty());
        for (text, word) in [
            ("", "missing"),
            ("store = \"postgres://db/p\"\nstore_env = \"X\"", "twice"),
            ("store = \"mysql://db/p\"", "no database"),
            ("store = \"postgres://p:secret@db/p\"", "password"),
            ("store = \"postgres://db/p?password=secret\"", "password"),
            ("store_file = \"/nowhere/address\"", "there is no"),
            ("store_env = \"X\"\nlease_seconds = 2", "out of range"),
            ("store_env = \"X\"\ncapacity = 0.0", "makes no sense"),
        ] {
            let problems = config(text).problems();
            assert!(
                problems.len() == 1 && problems[0].contains(word) && problems[0].contains("; hint: "),
                "{problems:?}"
            );
            assert!(!problems[0].contains("secret"), "{problems:?}");
        }
    }

    #[test]
    fn a_lease_ends_early_enough_to_be_taken_over_in_time() {
        let timing = config("store_env = \"X\"").timing();
        assert_eq!(timing.runs_for, Duration::from_secs(12));
        assert!(timing.every * 2 + timing.margin <= timing.runs_for, "one request may fail");
    }
}
