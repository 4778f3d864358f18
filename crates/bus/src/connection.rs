//! One MQTT connection: from connect to its first error. A lost connection is thrown away with everything that the
//! client library still held, because its `poll` would drop or resend on its own terms; outbox and broker know better.

use std::time::Duration;

use rumqttc::{AsyncClient, Event, LastWill, MqttOptions, Packet, TlsConfiguration, Transport};
use tokio::{sync::mpsc, task::JoinHandle};
use tracing::warn;

use crate::{
    config::{BrokerConfig, ConfigError},
    lost::{Lost, Stage},
};

/// Outlines and lists of cameras stay far below; a message beyond it would break every connection.
const LARGEST_PACKET_BYTES: usize = 16 << 20;

/// What each connection of a client starts from. Passwords and certificates are read again for each one, so that what is
/// renewed or corrected counts without a restart.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    config: BrokerConfig,
    client_id: String,
}

impl Template {
    /// Fails where a connection would fail before it has begun.
    pub(crate) fn new(config: &BrokerConfig, client: &str) -> Result<Self, ConfigError> {
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(problem);
        }
        if config.tls.as_ref().is_some_and(|tls| tls.insecure_skip_verification) {
            warn!(
                broker = config.address(),
                client, "nobody checks who the broker is: insecure_skip_verification"
            );
        }
        Ok(Self { config: config.clone(), client_id: format!("{}-{client}", config.client_id_prefix) })
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Host and port.
    pub(crate) fn broker(&self) -> String {
        self.config.address()
    }

    fn options(&self) -> Result<MqttOptions, ConfigError> {
        let config = &self.config;
        let mut options = MqttOptions::new(&self.client_id, &config.host, config.port_or_default());
        options
            .set_keep_alive(Duration::from_secs(config.keep_alive_seconds.into()))
            .set_max_packet_size(LARGEST_PACKET_BYTES, LARGEST_PACKET_BYTES)
            // A durable session: the broker keeps what comes while this client is away.
            .set_clean_session(false)
            .set_manual_acks(true)
            .set_inflight(IN_FLIGHT_LIMIT);
        if let Some((user, password)) = config.credentials()? {
            options.set_credentials(user, password);
        }
        if let Some(tls) = &config.tls {
            let tls = crate::tls::client_config(tls)?;
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
        }
        Ok(options)
    }
}

/// Packet ids that the client library cycles through. More than any window in use, so that an id that a broker acks late
/// does not block the next one.
const IN_FLIGHT_LIMIT: u16 = 1024;

/// A client and what happens to it.
pub(crate) struct Connection {
    pub(crate) client: AsyncClient,
    events: mpsc::Receiver<Result<Event, Lost>>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Starts connecting. `requests` and `events` bound the two queues between this client and its socket.
    pub(crate) fn open(
        template: &Template,
        will: Option<LastWill>,
        requests: usize,
        events: usize,
    ) -> Result<Self, Lost> {
        let mut options = template.options()?;
        if let Some(will) = will {
            options.set_last_will(will);
        }
        let tls = template.config.tls.is_some();
        let (client, mut event_loop) = AsyncClient::new(options, requests);
        let (sender, receiver) = mpsc::channel(events);
        // A task of its own, so that `poll` is never cancelled half-way and pings go out while a handler is slow.
        let task = tokio::spawn(async move {
            let mut stage = Stage::Connecting;
            loop {
                let event = event_loop.poll().await.map_err(|error| Lost::new(error, stage, tls));
                if matches!(event, Ok(Event::Incoming(Packet::ConnAck(_)))) {
                    stage = Stage::Connected;
                }
                let over = event.is_err();
                if sender.send(event).await.is_err() || over {
                    return;
                }
            }
        });
        Ok(Self { client, events: receiver, task })
    }

    /// The next event; nothing more comes after the first error.
    pub(crate) async fn event(&mut self) -> Result<Event, Lost> {
        self.events.recv().await.unwrap_or_else(|| Err("the connection ended".to_owned().into()))
    }

    /// An event that has already happened.
    pub(crate) fn event_at_hand(&mut self) -> Option<Result<Event, Lost>> {
        self.events.try_recv().ok()
    }

    /// Closes the socket and waits until it is closed.
    pub(crate) async fn close(self) {
        self.task.abort();
        // An aborted task answers with a cancellation; there is nothing else to learn from it.
        drop(self.task.await);
    }
}
