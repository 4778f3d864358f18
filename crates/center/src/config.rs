//! What an administrator may choose about the center.

use std::{env, fs, net::SocketAddr, path::PathBuf};

use parapet_bus::BusConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The center.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CenterConfig {
    /// Address of the page and the API. Port 0 takes a free one. There is no sign-in yet: whoever reaches this address
    /// can see the pictures and judge incidents, so keep it on the loopback or behind a proxy that asks who comes.
    pub listen: SocketAddr,
    /// Host names (`center.example.org`, or with a port) under which a proxy makes the center known. Requests for any
    /// other name are refused while `listen` is on the loopback, and pages from elsewhere may not change anything.
    pub public_hosts: Vec<String>,
    /// Database: `sqlite://data/center.db` (made if it is not there) or `postgres://user@host/database`.
    pub store: String,
    /// Directory for copies of evidence; they can be fetched again from the nodes as long as those keep them.
    pub evidence_dir: PathBuf,
    /// Copies of evidence are kept up to this size, in megabytes; the longest unused go first.
    #[schemars(range(min = 16))]
    pub evidence_megabytes: u64,
    /// The bus. With `[..bus.embedded]`, or without any table, the center runs the broker.
    pub bus: BusConfig,
    /// File whose first line is the token that the nodes ask for over HTTP.
    pub node_token_file: Option<PathBuf>,
    /// Environment variable with that token.
    pub node_token_env: Option<String>,
}

impl Default for CenterConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_hosts: Vec::new(),
            store: "sqlite://data/center.db".to_owned(),
            evidence_dir: PathBuf::from("data/center-evidence"),
            evidence_megabytes: 4096,
            bus: BusConfig::default(),
            node_token_file: None,
            node_token_env: None,
        }
    }
}

/// A mistake in the configuration of the center.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Two tokens.
    #[error("both node_token_file and node_token_env are given; hint: keep one of them")]
    TwoTokens,
    /// The file with the token cannot be read.
    #[error("cannot read the token file {}; hint: check the path and who may read it", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The variable with the token is not set.
    #[error("environment variable {0} is not set; hint: set it to the nodes' token, or use node_token_file")]
    TokenVariable(String),
    /// The token is empty or cannot stand in a header.
    #[error("the nodes' token is not usable; hint: one line of visible ASCII characters")]
    Token,
    /// The store's address is of no known kind.
    #[error("store = \"{0}\" is no database; hint: sqlite://data/center.db or postgres://user@host/database")]
    Store(String),
    /// Too little room for evidence.
    #[error("evidence_megabytes = {0} holds not even a few clips; hint: at least 16")]
    EvidenceRoom(u64),
    /// A mistake in the configuration of the bus.
    #[error(transparent)]
    Bus(#[from] parapet_bus::ConfigError),
}

impl CenterConfig {
    /// Every mistake that can be seen without starting.
    pub fn problems(&self) -> Vec<ConfigError> {
        let mut problems = Vec::new();
        if !["sqlite://", "postgres://", "postgresql://"].iter().any(|scheme| self.store.starts_with(scheme))
        {
            problems.push(ConfigError::Store(self.store.clone()));
        }
        if self.evidence_megabytes < 16 {
            problems.push(ConfigError::EvidenceRoom(self.evidence_megabytes));
        }
        problems.extend(self.node_token().err());
        match self.bus.choice() {
            Err(error) => problems.push(error.into()),
            Ok(parapet_bus::BusChoice::Broker(broker)) => {
                problems.extend(broker.problems().into_iter().map(ConfigError::from));
            }
            Ok(parapet_bus::BusChoice::Embedded(_)) => {}
        }
        problems
    }

    pub(crate) fn node_token(&self) -> Result<Option<String>, ConfigError> {
        let token = match (&self.node_token_file, &self.node_token_env) {
            (Some(_), Some(_)) => return Err(ConfigError::TwoTokens),
            (Some(path), None) => {
                let text = fs::read_to_string(path)
                    .map_err(|source| ConfigError::TokenFile { path: path.clone(), source })?;
                text.lines().next().unwrap_or_default().trim().to_owned()
            }
            (None, Some(name)) => env::var(name).map_err(|_| ConfigError::TokenVariable(name.clone()))?,
            (None, None) => return Ok(None),
        };
        let usable = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
        if usable { Ok(Some(token)) } else { Err(ConfigError::Token) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_at_once() {
        let config = CenterConfig {
            store: "mysql://x".to_owned(),
            evidence_megabytes: 1,
            node_token_file: Some(PathBuf::from("/nowhere/token")),
            node_token_env: Some("TOKEN".to_owned()),
            ..CenterConfig::default()
        };
        let problems = config.problems();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems.iter().all(|problem| problem.to_string().contains("hint: ")));
    }

    #[test]
    fn the_default_has_no_mistake_and_an_unknown_option_is_one() {
        assert!(CenterConfig::default().problems().is_empty());
        assert!(serde_json::from_str::<CenterConfig>(r#"{"lisen":"127.0.0.1:1"}"#).is_err());
    }
}
