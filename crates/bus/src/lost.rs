//! Why there is no connection, in the words of who must mend it: what happened, and what to do.

use std::{error::Error, io};

use rumqttc::{ConnectReturnCode, ConnectionError, StateError};
use rustls::{AlertDescription, CertificateError};
use tracing::{error, warn};

use crate::config::ConfigError;

/// The end of a connection, or of the attempt to make one.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub(crate) struct Lost {
    cause: Cause,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// How far the connection had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The broker has not let this client in yet.
    Connecting,
    /// The broker had let it in.
    Connected,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("nothing listens there; hint: does the broker run, and are host and port right?")]
    NothingListens,
    #[error("the host cannot be found; hint: host is a name or an IP address that this machine can resolve")]
    HostNotFound,
    #[error(
        "the broker did not answer in time; hint: look for a firewall, and whether the port is the one for {}",
        if *tls { "MQTT with TLS" } else { "MQTT without TLS" }
    )]
    Silent { tls: bool },
    #[error(
        "the broker closed the connection before it let this client in; hint: if the port is for TLS, add \
         [bus.broker.tls]"
    )]
    ClosedInTheClear,
    #[error(
        "the broker closed the connection before it let this client in; hint: does the port speak MQTT with TLS, and \
         does the broker ask for a client certificate (client_certificate_file, client_key_file)?"
    )]
    ClosedUnderTls,
    #[error(
        "what answers there does not speak MQTT; hint: check the port, and if it is for TLS, add [bus.broker.tls]"
    )]
    NotMqtt,
    #[error(
        "what answers there does not speak TLS; hint: use the broker's TLS port (8883 as a rule), or leave out \
         [bus.broker.tls]"
    )]
    NotTls,
    #[error(
        "the broker's certificate comes from no authority that is trusted here; hint: set ca_file in [bus.broker.tls] \
         to the certificate of the authority that signed it"
    )]
    UnknownAuthority,
    #[error(
        "the broker's certificate is for another host; hint: set host to a name in the certificate, or have the broker \
         certified for this one"
    )]
    OtherHost,
    #[error("the broker's certificate is out of date; hint: renew it, or set this machine's clock")]
    OutOfDate,
    #[error(
        "the broker's certificate is not accepted; hint: have the broker certified anew by the authority"
    )]
    BadServerCertificate,
    #[error(
        "the broker asks for a client certificate; hint: set client_certificate_file and client_key_file in \
         [bus.broker.tls]"
    )]
    NoClientCertificate,
    #[error(
        "the broker does not accept the client certificate; hint: it must be valid and signed by an authority that the \
         broker trusts"
    )]
    BadClientCertificate,
    #[error("the broker knows neither TLS 1.2 nor 1.3 as spoken here; hint: bring the broker up to date")]
    NoCommonTls,
    #[error("TLS failed; hint: the broker's log tells its side")]
    Tls,
    #[error("the broker refuses user and password; hint: check username, password_file or password_env")]
    BadLogin,
    #[error("the broker refuses the client identifier; hint: change client_id_prefix")]
    BadClientId,
    #[error("the broker does not speak MQTT 3.1.1; hint: allow it at the broker")]
    BadVersion,
    #[error("the broker is not available at present; hint: its log tells why")]
    Unavailable,
    #[error(
        "the broker closed the connection; hint: if this goes on, see its log, and whether another client uses the same \
         client identifier"
    )]
    Closed,
    #[error("the connection broke")]
    Broken,
    /// Not the connection's fault: what this side met with on the way.
    #[error("{0}")]
    Ours(String),
    /// A file that was good when the client was made is not so any more.
    #[error("{0}")]
    Config(String),
}

impl From<String> for Lost {
    fn from(reason: String) -> Self {
        Self { cause: Cause::Ours(reason), source: None }
    }
}

impl From<ConfigError> for Lost {
    fn from(error: ConfigError) -> Self {
        let cause = Cause::Config(error.to_string());
        // Only what is behind it says more.
        let source = if error.source().is_some() { Some(error.into()) } else { None };
        Self { cause, source }
    }
}

impl Lost {
    pub(crate) fn new(source: ConnectionError, stage: Stage, tls: bool) -> Self {
        let cause = match stage {
            Stage::Connecting => not_connected(&source, tls),
            Stage::Connected => disconnected(&source),
        };
        Self { cause, source: Some(Box::new(source)) }
    }

    /// Whether it goes on until somebody changes something; otherwise the broker may just be away for a while.
    fn needs_an_operator(&self) -> bool {
        !matches!(
            self.cause,
            Cause::NothingListens
                | Cause::HostNotFound
                | Cause::Silent { .. }
                | Cause::Unavailable
                | Cause::Closed
                | Cause::Broken
                | Cause::Ours(_)
        )
    }

    /// Says it once for each attempt.
    pub(crate) fn log(&self, client: &str, broker: &str, attempt: u32, wait: std::time::Duration) {
        // The client library repeats each cause in each of its layers: the innermost says it all.
        let detail = self.source.as_deref().map(|source| innermost(source).to_string());
        if self.needs_an_operator() {
            error!(broker, client, error = %self, detail, attempt, ?wait, "no connection to the bus");
        } else {
            warn!(broker, client, error = %self, detail, attempt, ?wait, "no connection to the bus");
        }
    }
}

fn not_connected(error: &ConnectionError, tls: bool) -> Cause {
    if let ConnectionError::ConnectionRefused(code) = error {
        return match code {
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => Cause::BadLogin,
            ConnectReturnCode::BadClientId => Cause::BadClientId,
            ConnectReturnCode::RefusedProtocolVersion => Cause::BadVersion,
            ConnectReturnCode::ServiceUnavailable | ConnectReturnCode::Success => Cause::Unavailable,
        };
    }
    if let Some(error) = find::<rustls::Error>(error) {
        return tls_failed(error);
    }
    if let Some(error) = find::<io::Error>(error) {
        return match error.kind() {
            io::ErrorKind::ConnectionRefused => Cause::NothingListens,
            io::ErrorKind::TimedOut => Cause::Silent { tls },
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                closed(tls)
            }
            // The resolver's errors have no kind of their own.
            _ if error.raw_os_error().is_none() => Cause::HostNotFound,
            _ => Cause::Broken,
        };
    }
    match error {
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => Cause::Silent { tls },
        ConnectionError::MqttState(StateError::ConnectionAborted) => closed(tls),
        ConnectionError::MqttState(_) | ConnectionError::NotConnAck(_) => Cause::NotMqtt,
        _ => Cause::Broken,
    }
}

fn closed(tls: bool) -> Cause {
    if tls { Cause::ClosedUnderTls } else { Cause::ClosedInTheClear }
}

fn disconnected(error: &ConnectionError) -> Cause {
    match error {
        ConnectionError::MqttState(StateError::ConnectionAborted) => Cause::Closed,
        _ => match find::<io::Error>(error).map(io::Error::kind) {
            Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => Cause::Closed,
            _ => Cause::Broken,
        },
    }
}

fn tls_failed(error: &rustls::Error) -> Cause {
    use AlertDescription as Alert;
    match error {
        rustls::Error::InvalidCertificate(problem) => match problem {
            CertificateError::UnknownIssuer => Cause::UnknownAuthority,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Cause::OtherHost
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Cause::OutOfDate,
            _ => Cause::BadServerCertificate,
        },
        rustls::Error::InvalidMessage(_) => Cause::NotTls,
        rustls::Error::PeerIncompatible(_) | rustls::Error::AlertReceived(Alert::ProtocolVersion) => {
            Cause::NoCommonTls
        }
        // TLS 1.2 has no word for it: OpenSSL says that the handshake failed.
        rustls::Error::AlertReceived(Alert::CertificateRequired | Alert::HandshakeFailure) => {
            Cause::NoClientCertificate
        }
        rustls::Error::AlertReceived(
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::AccessDenied
            | Alert::DecryptError,
        ) => Cause::BadClientCertificate,
        _ => Cause::Tls,
    }
}

/// The first error of this type in the chain.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref())
}

fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}

/// The error and all behind it. What an `io::Error` wraps is not its source, so it is looked into.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rumqttc::{AsyncClient, MqttOptions};

    use super::*;

    fn refused(code: ConnectReturnCode) -> Lost {
        Lost::new(ConnectionError::ConnectionRefused(code), Stage::Connecting, false)
    }

    #[test]
    fn what_a_broker_can_refuse_is_said_with_the_option_that_mends_it() {
        for (code, option) in [
            (ConnectReturnCode::BadUserNamePassword, "password_file"),
            (ConnectReturnCode::NotAuthorized, "password_file"),
            (ConnectReturnCode::BadClientId, "client_id_prefix"),
            (ConnectReturnCode::RefusedProtocolVersion, "MQTT 3.1.1"),
        ] {
            let lost = refused(code);
            assert!(lost.to_string().contains(option), "{lost}");
            assert!(lost.needs_an_operator(), "{lost}");
        }
        assert!(!refused(ConnectReturnCode::ServiceUnavailable).needs_an_operator());
    }

    #[tokio::test]
    async fn a_host_that_cannot_be_found_is_not_taken_for_a_refusal() {
        // No part of a name has 64 characters, so that nobody is asked.
        let options = MqttOptions::new("anyone", "x".repeat(64), 1883);
        let (_client, mut event_loop) = AsyncClient::new(options, 1);
        let error = event_loop.poll().await.unwrap_err();
        let lost = Lost::new(error, Stage::Connecting, true);
        assert!(lost.to_string().contains("cannot be found"), "{lost}");
    }

    #[test]
    fn silence_names_the_kind_of_port_that_is_looked_for() {
        let silent = |tls| Lost::new(ConnectionError::NetworkTimeout, Stage::Connecting, tls).to_string();
        assert!(silent(true).ends_with("MQTT with TLS"));
        assert!(silent(false).ends_with("MQTT without TLS"));
    }

    #[test]
    fn a_connection_that_ends_later_is_a_warning_that_thinks_of_a_second_client() {
        let error = ConnectionError::MqttState(StateError::ConnectionAborted);
        let lost = Lost::new(error, Stage::Connected, false);
        assert!(lost.to_string().contains("same client identifier"), "{lost}");
        assert!(!lost.needs_an_operator());
        lost.log("client", "broker", 1, Duration::ZERO);
    }
}
