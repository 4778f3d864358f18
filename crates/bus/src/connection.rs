//! One MQTT connection: from connect to its first error. A lost connection is thrown away with everything that the
//! client library still held, because its `poll` would drop or resend on its own terms; outbox and broker know better.

use std::{fmt, time::Duration};

use rumqttc::{AsyncClient, ConnectionError, Event, LastWill, MqttOptions, TlsConfiguration, Transport};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::config::{BrokerConfig, ConfigError};

/// Outlines and lists of cameras stay far below; a message beyond it would break every connection.
const LARGEST_PACKET_BYTES: usize = 16 << 20;

/// Everything but the last will, read and checked once.
#[derive(Clone)]
pub(crate) struct Template(MqttOptions);

impl fmt::Debug for Template {
    /// Without the options, which hold the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.0.client_id()).finish()
    }
}

impl Template {
    pub(crate) fn new(config: &BrokerConfig, client: &str) -> Result<Self, ConfigError> {
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(problem);
        }
        let id = format!("{}-{client}", config.client_id_prefix);
        let mut options = MqttOptions::new(id, &config.host, config.port_or_default());
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
        Ok(Self(options))
    }

    pub(crate) fn client_id(&self) -> String {
        self.0.client_id()
    }

    pub(crate) fn with_will(mut self, will: LastWill) -> Self {
        self.0.set_last_will(will);
        self
    }
}

/// Packet ids that the client library cycles through. More than any window in use, so that an id that a broker acks late
/// does not block the next one.
const IN_FLIGHT_LIMIT: u16 = 1024;

/// A client and what happens to it.
pub(crate) struct Connection {
    pub(crate) client: AsyncClient,
    /// Ends after the first error.
    pub(crate) events: mpsc::Receiver<Result<Event, ConnectionError>>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Starts connecting. `requests` and `events` bound the two queues between this client and its socket.
    pub(crate) fn open(template: Template, requests: usize, events: usize) -> Self {
        let (client, mut event_loop) = AsyncClient::new(template.0, requests);
        let (sender, receiver) = mpsc::channel(events);
        // A task of its own, so that `poll` is never cancelled half-way and pings go out while a handler is slow.
        let task = tokio::spawn(async move {
            loop {
                let event = event_loop.poll().await;
                let over = event.is_err();
                if sender.send(event).await.is_err() || over {
                    return;
                }
            }
        });
        Self { client, events: receiver, task }
    }

    /// Closes the socket and waits until it is closed.
    pub(crate) async fn close(self) {
        self.task.abort();
        // An aborted task answers with a cancellation; there is nothing else to learn from it.
        drop(self.task.await);
    }
}
