//! What an administrator may choose about the center.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use parapet_bus::BusConfig;
use parapet_core::{CameraId, Role, SiteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{people::FirstUser, security::is_loopback_name};

/// The center.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CenterConfig {
    /// Address of the page and the API. Port 0 takes a free one. The center itself speaks plain HTTP: where others than
    /// this machine reach it, put a proxy with TLS before it.
    pub listen: SocketAddr,
    /// Host names (`center.example.org`, or with a port) under which a proxy makes the center known; it must set
    /// `X-Forwarded-For`. Requests for any other name are refused while `listen` is on the loopback, and pages from elsewhere may not change anything.
    pub public_hosts: Vec<String>,
    /// Database: `sqlite://data/center.db` (made if it is not there) or `postgres://user@host/database`.
    pub store: String,
    /// Directory for copies of evidence; they can be fetched again from the nodes as long as those keep them. What is held
    /// lies in `vault` below it.
    pub evidence_dir: PathBuf,
    /// Copies of evidence are kept up to this size, in megabytes; the longest unused go first. What is held does
    /// not count and never goes.
    #[schemars(range(min = 16))]
    pub evidence_megabytes: u64,
    /// The bus. With `[..bus.embedded]`, or without any table, the center runs the broker.
    pub bus: BusConfig,
    /// File whose first line is the token that the nodes ask for over HTTP.
    pub node_token_file: Option<PathBuf>,
    /// Environment variable with that token.
    pub node_token_env: Option<String>,
    /// Directory for what else the center keeps: the first password, the key that signs checkpoints, the checkpoints.
    /// Beside an SQLite store, or else beside `evidence_dir`, without it.
    pub data_dir: Option<PathBuf>,
    /// File whose first line is the secret with which orders to other platforms are signed (HMAC-SHA256 of the body, in
    /// the header `x-parapet-signature`).
    pub webhook_secret_file: Option<PathBuf>,
    /// How people sign in.
    pub sign_in: SignInConfig,
    /// People who are there from the first start instead of one administrator: the demo's.
    #[serde(skip)]
    pub first_users: Vec<FirstUser>,
}

/// How people sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignInConfig {
    /// After so many minutes without use a browser has to sign in again.
    #[schemars(range(min = 1))]
    pub idle_minutes: u32,
    /// After so many hours a browser has to sign in again in any case.
    #[schemars(range(min = 1))]
    pub longest_hours: u32,
    /// File whose first line is the password of the first administrator, `admin`; without it one is made up and written
    /// to `admin-password` in the data directory. Only read while the store knows nobody.
    pub admin_password_file: Option<PathBuf>,
    /// Let browsers sign in over plain HTTP from other machines. Their passwords and all pictures then go over the
    /// network for everybody to read.
    pub plain_http: bool,
    /// An identity provider that people may sign in by, too.
    pub oidc: Option<OidcConfig>,
}

/// An identity provider (OpenID Connect). Register the center there as a confidential web application with the redirect
/// address `<public_url>/api/session/oidc/callback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OidcConfig {
    /// Address of the provider, as `https://id.example.org/realms/city`; what it says below
    /// `/.well-known/openid-configuration` counts. Plain `http://` only on this machine.
    pub issuer: String,
    /// The center's name at the provider.
    pub client_id: String,
    /// File whose first line is the center's secret at the provider; without it the center is a public client.
    pub client_secret_file: Option<PathBuf>,
    /// Address under which browsers reach the center, as `https://center.example.org`.
    pub public_url: String,
    /// The provider's name on the sign-in page.
    pub name: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that names the person here: `preferred_username`, `email` (only if verified), or another, also by a way
    /// with dots. The first time it finds the account of that name which has no password; from then on the provider's
    /// subject counts.
    pub user_claim: String,
    /// The claim that lists the person's groups, as `groups` or `realm_access.roles`.
    pub groups_claim: String,
    /// What members of a group may do. With any of these, people of such groups get an account by themselves, and what
    /// they may do is set anew at each sign-in; with none, an administrator adds people and grants.
    pub groups: Vec<GroupGrant>,
}

/// What members of a provider's group may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupGrant {
    /// The group, as the provider names it.
    pub group: String,
    /// Their role.
    pub role: Role,
    /// Only at this site.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// Only for this camera.
    #[serde(default)]
    pub camera: Option<CameraId>,
}

impl Default for OidcConfig {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_secret_file: None,
            public_url: String::new(),
            name: "OpenID Connect".to_owned(),
            scopes: vec!["profile".to_owned()],
            user_claim: "preferred_username".to_owned(),
            groups_claim: "groups".to_owned(),
            groups: Vec::new(),
        }
    }
}

impl OidcConfig {
    fn problems(&self) -> Vec<ConfigError> {
        let mut problems = Vec::new();
        for (option, url) in [("issuer", &self.issuer), ("public_url", &self.public_url)] {
            let host = |rest: &str| rest.split('/').next().is_some_and(is_loopback_name);
            let plain = url.strip_prefix("http://").is_some_and(host);
            if !plain && !url.starts_with("https://") {
                problems.push(ConfigError::Oidc(option, format!("\"{url}\" is no https:// address")));
            }
        }
        if self.client_id.is_empty() {
            problems.push(ConfigError::Oidc("client_id", "it is empty".to_owned()));
        }
        problems
    }
}

impl Default for SignInConfig {
    fn default() -> Self {
        Self {
            idle_minutes: 12 * 60,
            longest_hours: 7 * 24,
            admin_password_file: None,
            plain_http: false,
            oidc: None,
        }
    }
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
            data_dir: None,
            webhook_secret_file: None,
            sign_in: SignInConfig::default(),
            first_users: Vec::new(),
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
    /// Sessions that end before they begin.
    #[error("sign_in.{0} = 0 signs everybody out at once; hint: at least 1")]
    Session(&'static str),
    /// A mistake about the identity provider.
    #[error(
        "sign_in.oidc.{0}: {1}; hint: issuer and public_url are https:// addresses (http:// only on this machine), client_id \
         is what the provider calls the center"
    )]
    Oidc(&'static str, String),
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
        let spans =
            [("idle_minutes", self.sign_in.idle_minutes), ("longest_hours", self.sign_in.longest_hours)];
        problems
            .extend(spans.iter().filter(|(_, span)| *span == 0).map(|(name, _)| ConfigError::Session(name)));
        problems.extend(self.sign_in.oidc.iter().flat_map(OidcConfig::problems));
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

    /// Where the center keeps what is neither in the store nor evidence.
    pub fn data_directory(&self) -> PathBuf {
        let parent = |path: &Path| match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        match (&self.data_dir, self.store.strip_prefix("sqlite://")) {
            (Some(directory), _) => directory.clone(),
            (None, Some(path)) if !path.starts_with(':') => {
                parent(Path::new(path.split('?').next().unwrap_or_default()))
            }
            _ => parent(&self.evidence_dir),
        }
    }

    /// The secret that signs what goes to other platforms.
    pub(crate) fn webhook_secret(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        let Some(path) = &self.webhook_secret_file else { return Ok(None) };
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::TokenFile { path: path.clone(), source })?;
        let secret = text.lines().next().unwrap_or_default().trim();
        if secret.is_empty() { Err(ConfigError::Token) } else { Ok(Some(secret.as_bytes().to_vec())) }
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
            sign_in: SignInConfig {
                idle_minutes: 0,
                oidc: Some(OidcConfig {
                    issuer: "http://id.example.org".to_owned(),
                    client_id: "center".to_owned(),
                    public_url: "http://localhost:8080".to_owned(),
                    ..OidcConfig::default()
                }),
                ..SignInConfig::default()
            },
            ..CenterConfig::default()
        };
        let problems = config.problems();
        assert_eq!(problems.len(), 5, "{problems:?}");
        assert!(problems.iter().all(|problem| problem.to_string().contains("hint: ")));
    }

    #[test]
    fn the_default_has_no_mistake_and_an_unknown_option_is_one() {
        assert!(CenterConfig::default().problems().is_empty());
        assert!(serde_json::from_str::<CenterConfig>(r#"{"lisen":"127.0.0.1:1"}"#).is_err());
    }
}
