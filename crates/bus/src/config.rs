//! How to reach the bus: the broker inside the process, or any MQTT 3.1.1 broker (which every MQTT 5 broker also is).

use std::{env, fs, net::SocketAddr, path::PathBuf};

use rustls::pki_types::ServerName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The bus: one of the two tables. Without any, the broker inside the process is used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusConfig {
    /// A broker inside this process. It forgets everything when the process ends; the outbox makes up for that.
    pub embedded: Option<EmbeddedConfig>,
    /// A broker elsewhere.
    pub broker: Option<BrokerConfig>,
}

impl BusConfig {
    /// The one table that is given, or the embedded broker.
    ///
    /// # Errors
    /// `Both` when both are given.
    pub fn choice(&self) -> Result<BusChoice, ConfigError> {
        match (&self.embedded, &self.broker) {
            (Some(_), Some(_)) => Err(ConfigError::Both),
            (None, Some(broker)) => Ok(BusChoice::Broker(broker.clone())),
            (embedded, None) => Ok(BusChoice::Embedded(embedded.clone().unwrap_or_default())),
        }
    }
}

/// What a [`BusConfig`] says.
#[derive(Debug, Clone, PartialEq)]
pub enum BusChoice {
    /// Start a broker in this process.
    Embedded(EmbeddedConfig),
    /// Use this one.
    Broker(BrokerConfig),
}

/// The broker inside the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddedConfig {
    /// Address to listen on. It speaks MQTT 3.1.1 without TLS: keep it on the loopback unless a password is set and the
    /// network is trusted. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// User that clients must name; none lets everyone in.
    pub username: Option<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// Environment variable with the password.
    pub password_env: Option<String>,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 1883)),
            username: None,
            password_file: None,
            password_env: None,
        }
    }
}

/// A broker elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrokerConfig {
    /// Host name or IP address. With TLS, the name in the broker's certificate.
    pub host: String,
    /// Port. By default 1883, with TLS 8883.
    pub port: Option<u16>,
    /// User name.
    pub username: Option<String>,
    /// File with the password; a line break at its end is left out. Read again at each connection.
    pub password_file: Option<PathBuf>,
    /// Environment variable with the password.
    pub password_env: Option<String>,
    /// Start of the client identifiers, which go on with what connects (`parapet-node-harbour-n1`, `parapet-center`).
    /// Needed where several installations share a broker.
    #[serde(default = "client_id_prefix")]
    pub client_id_prefix: String,
    /// Longest silence before a ping, in seconds.
    #[serde(default = "keep_alive_seconds")]
    #[schemars(range(min = 5))]
    pub keep_alive_seconds: u16,
    /// TLS; without this table the connection is in the clear.
    pub tls: Option<TlsConfig>,
}

fn client_id_prefix() -> String {
    "parapet".to_owned()
}

fn keep_alive_seconds() -> u16 {
    30
}

impl BrokerConfig {
    /// A broker at this address, without user and TLS.
    pub fn at(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port: Some(port),
            username: None,
            password_file: None,
            password_env: None,
            client_id_prefix: client_id_prefix(),
            keep_alive_seconds: keep_alive_seconds(),
            tls: None,
        }
    }

    /// The port, or the usual one.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.tls.is_some() { 8883 } else { 1883 })
    }

    /// Host and port, for people.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port_or_default())
    }

    pub(crate) fn credentials(&self) -> Result<Option<(String, String)>, ConfigError> {
        credentials(self.username.as_deref(), self.password_file.as_ref(), self.password_env.as_deref())
    }

    /// Every mistake that can be seen without connecting.
    pub fn problems(&self) -> Vec<ConfigError> {
        let mut problems = Vec::new();
        if self.host.is_empty() {
            problems.push(ConfigError::NoHost);
        } else if self.host.contains('/')
            || (self.tls.is_some() && ServerName::try_from(self.host.as_str()).is_err())
        {
            problems.push(ConfigError::NotAHost(self.host.clone()));
        }
        if self.keep_alive_seconds < 5 {
            problems.push(ConfigError::KeepAlive(self.keep_alive_seconds));
        }
        problems.extend(self.credentials().err());
        if let Some(tls) = &self.tls {
            problems.extend(crate::tls::client_config(tls).err());
        }
        problems
    }
}

/// TLS towards a broker. The files are read again at each connection, so that they can be renewed without a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file with the authorities to trust; by default those of the operating system.
    pub ca_file: Option<PathBuf>,
    /// PEM file with the client's certificate chain.
    pub client_certificate_file: Option<PathBuf>,
    /// PEM file with the client's key.
    pub client_key_file: Option<PathBuf>,
    /// Do not check who the broker is. For a first try on a bench only: anyone on the way can read and forge messages.
    #[serde(default)]
    pub insecure_skip_verification: bool,
}

pub(crate) fn credentials(
    username: Option<&str>,
    file: Option<&PathBuf>,
    variable: Option<&str>,
) -> Result<Option<(String, String)>, ConfigError> {
    let password = match (file, variable) {
        (Some(_), Some(_)) => return Err(ConfigError::TwoPasswords),
        (Some(path), None) => {
            let text = fs::read_to_string(path).map_err(|source| ConfigError::File {
                what: "password",
                path: path.clone(),
                source,
            })?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        (None, Some(name)) => Some(env::var(name).map_err(|_| ConfigError::NoVariable(name.to_owned()))?),
        (None, None) => None,
    };
    match (username, password) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(ConfigError::NoUsername),
        (Some(username), password) => Ok(Some((username.to_owned(), password.unwrap_or_default()))),
    }
}

/// A mistake in the configuration of the bus.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Two brokers.
    #[error("both [bus.embedded] and [bus.broker] are given; hint: keep one of them")]
    Both,
    /// No host.
    #[error("the broker's host is empty; hint: host = \"mqtt.example.org\"")]
    NoHost,
    /// An address of another form, or a name that no certificate can hold.
    #[error(
        "host = \"{0}\" is no host; hint: a plain name or IP address, with port and [bus.broker.tls] beside it"
    )]
    NotAHost(String),
    /// The keep-alive is too short.
    #[error("keep_alive_seconds = {0} is too short; hint: at least 5")]
    KeepAlive(u16),
    /// Two passwords.
    #[error("both password_file and password_env are given; hint: keep one of them")]
    TwoPasswords,
    /// A password without a user.
    #[error("a password is given without a username; hint: add username = \"…\"")]
    NoUsername,
    /// A variable is not set.
    #[error("environment variable {0} is not set; hint: set it to the password, or use password_file")]
    NoVariable(String),
    /// A file cannot be read.
    #[error("cannot read the {what} file {}; hint: check the path and who may read it", path.display())]
    File {
        /// What is in it.
        what: &'static str,
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A PEM file does not hold what it should.
    #[error("there is no {what} in {}; hint: it must be a PEM file", path.display())]
    NotPem {
        /// What is missing.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A certificate without its key or the other way round.
    #[error("client_certificate_file and client_key_file belong together; hint: give both or none")]
    HalfClientCertificate,
    /// TLS refuses certificate, key or authorities.
    #[error("cannot set up TLS; hint: check that certificate, key and authorities belong together")]
    Tls(#[source] rustls::Error),
    /// The operating system has no authorities.
    #[error(
        "the operating system has no certificate authorities; hint: install ca-certificates, or set ca_file"
    )]
    NoAuthorities,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_place_of_a_host_is_found_before_connecting() {
        let problems = |host: &str, tls: Option<TlsConfig>| {
            let problems = BrokerConfig { tls, ..BrokerConfig::at(host, 1883) }.problems();
            problems.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let tls = || Some(TlsConfig { insecure_skip_verification: true, ..TlsConfig::default() });
        for host in ["mqtt.example.org", "mqtt_broker", "192.0.2.1", "2001:db8::1"] {
            assert!(problems(host, None).is_empty() && problems(host, tls()).is_empty(), "{host}");
        }
        assert!(problems("mqtts://mqtt.example.org", None)[0].contains("hint: a plain name"));
        assert!(problems("mqtt.example.org:8883", tls())[0].contains("hint: a plain name"));
    }
}
