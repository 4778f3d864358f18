//! A broker inside the process (rumqttd), for one machine and for tests. MQTT 3.1.1 in the clear, nothing on disk.
//!
//! rumqttd's own `Broker::start` never returns, so its server runs here in a runtime of ours that can be dropped, which
//! closes listener and connections. Its router thread holds a sender to itself and cannot be ended: after [`stop`] it
//! sleeps, without work, until the process ends.
//!
//! Its limits: a subscriber gets 100 messages in flight and, with `QoS` 1, at most 100 retained ones (our own subscriber
//! asks for states with `QoS` 0, which has no such limit); the log of a filter holds [`LOG_BYTES`], the oldest goes first.
//!
//! [`stop`]: EmbeddedBroker::stop

use std::{collections::HashMap, io, net::SocketAddr, thread, time::Duration};

use rumqttd::{ConnectionSettings, LinkType, Router, RouterConfig, Server, ServerSettings, protocol::v4::V4};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::{
    Topics,
    config::{BrokerConfig, ConfigError, EmbeddedConfig, credentials},
};

/// Messages kept for each filter, in bytes.
const LOG_BYTES: usize = 64 << 20;
/// Parts of it; the oldest is dropped as a whole.
const SEGMENTS: usize = 8;

/// A running broker. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct EmbeddedBroker {
    address: SocketAddr,
    config: EmbeddedConfig,
    stop: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

/// Why the broker does not run.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// A mistake in the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address} for MQTT; hint: another broker may be running there, choose another port"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The thread cannot be started.
    #[error("cannot start the broker's thread")]
    Thread(#[source] io::Error),
    /// The broker ended before it was ready.
    #[error("the broker ended before it was ready: {0}")]
    Ended(String),
}

impl EmbeddedBroker {
    /// Starts a broker and returns when it accepts connections.
    ///
    /// # Errors
    /// See [`BrokerError`].
    pub async fn start(config: &EmbeddedConfig) -> Result<Self, BrokerError> {
        let login = credentials(
            config.username.as_deref(),
            config.password_file.as_ref(),
            config.password_env.as_deref(),
        )?;
        let address = free_address(config.listen).await?;
        let settings = ServerSettings {
            name: "embedded".to_owned(),
            listen: address,
            tls: None,
            next_connection_delay_ms: 0,
            connections: ConnectionSettings {
                connection_timeout_ms: 5_000,
                max_payload_size: 16 << 20,
                max_inflight_count: 1_000,
                auth: login.map(|login| HashMap::from([login])),
                external_auth: None,
                // A message for which nobody has subscribed yet is no reason to throw its sender out.
                dynamic_filters: true,
            },
        };
        let router = RouterConfig {
            max_connections: 1_000,
            max_outgoing_packet_count: 100_000,
            max_segment_size: LOG_BYTES / SEGMENTS,
            max_segment_count: SEGMENTS,
            initialized_filters: Some(Topics::all_filters().map(String::from).to_vec()),
            ..RouterConfig::default()
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (report, ready) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("mqtt-broker".to_owned())
            .spawn(move || run(settings, router, &stopped, report))
            .map_err(BrokerError::Thread)?;
        let broker = Self { address, config: config.clone(), stop, thread: Some(thread) };
        match ready.await {
            Ok(Ok(())) => {
                info!(%address, "the embedded broker listens");
                Ok(broker)
            }
            Ok(Err(source)) => Err(BrokerError::Listen { address, source }),
            Err(_) => Err(BrokerError::Ended("its thread panicked".to_owned())),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How a client in this process reaches it.
    pub fn client_config(&self) -> BrokerConfig {
        let host = if self.address.ip().is_unspecified() {
            "127.0.0.1".to_owned()
        } else {
            self.address.ip().to_string()
        };
        BrokerConfig {
            username: self.config.username.clone(),
            password_file: self.config.password_file.clone(),
            password_env: self.config.password_env.clone(),
            ..BrokerConfig::at(&host, self.address.port())
        }
    }

    /// Closes all connections and the listener, and waits until they are closed. Everything that it held is gone.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // The join is a matter of milliseconds, but it is not for an async thread to wait.
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
        }
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// rumqttd binds by itself and does not tell which port it got, so a free one is chosen beforehand. Another process can
/// take it in between; then starting fails with `Listen`.
async fn free_address(listen: SocketAddr) -> Result<SocketAddr, BrokerError> {
    let refused = |source| BrokerError::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    listener.local_addr().map_err(refused)
}

fn run(
    settings: ServerSettings,
    router: RouterConfig,
    stop: &CancellationToken,
    report: oneshot::Sender<io::Result<()>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(report.send(Err(error))),
    };
    let address = settings.listen;
    let mut server = Server::new(settings, Router::new(0, router).spawn(), V4);
    runtime.block_on(async {
        let mut report = Some(report);
        let mut serve = std::pin::pin!(server.start(LinkType::Remote));
        let mut accepts = std::pin::pin!(TcpStream::connect(address));
        loop {
            tokio::select! {
                // Polled first, so the listener is bound before the attempt to connect.
                biased;
                end = &mut serve => {
                    let reason = end.err().map_or_else(|| "it ended".to_owned(), |error| error.to_string());
                    if let Some(report) = report.take() {
                        drop(report.send(Err(io::Error::other(reason))));
                    } else {
                        tracing::error!(reason, "the embedded broker ended");
                    }
                    return;
                }
                connected = &mut accepts, if report.is_some() => {
                    if let Some(report) = report.take() {
                        drop(report.send(connected.map(drop)));
                    }
                }
                () = stop.cancelled() => return,
            }
        }
    });
    // Drops the connections' tasks too, which closes their sockets.
    runtime.shutdown_timeout(Duration::from_secs(1));
}
