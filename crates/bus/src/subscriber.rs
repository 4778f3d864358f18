//! Receives messages and acknowledges each only after the handler has committed it.
//!
//! The session is durable, so what comes while nobody listens waits at the broker. But a broker can be killed and forget
//! the session, and what a node then sends before this subscriber is back goes nowhere. So each time it has subscribed it
//! asks the nodes to send again what it may have missed. A message can come twice; the handler must not mind.

use std::{future::Future, time::Duration};

use rumqttc::{Event, Packet, Publish, QoS, SubscribeFilter, SubscribeReasonCode};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::{
    Topics,
    backoff::Backoff,
    config::{BrokerConfig, ConfigError},
    connection::{Connection, Template},
    lost::Lost,
    wire::{DecodeError, Message, Resync},
};

/// A message as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Where it was published.
    pub topic: String,
    /// What.
    pub message: Message,
    /// The broker had kept it from before the subscription.
    pub retained: bool,
    /// The broker says that it has sent it before.
    pub duplicate: bool,
}

/// A payload that is no message.
#[derive(Debug)]
pub struct DeadLetter {
    /// Where it was published.
    pub topic: String,
    /// What, as it came.
    pub payload: Vec<u8>,
    /// Why it is no message.
    pub error: LetterError,
}

/// Why a payload is no message.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// It cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It belongs elsewhere: a client publishes in the name of another, or the contract is broken.
    #[error("a message for {expected} came to {topic}; hint: check who may publish where at the broker")]
    WrongTopic {
        /// Where it should be.
        expected: String,
        /// Where it came.
        topic: String,
    },
}

/// What to do with messages.
pub trait Handler: Send {
    /// What can go wrong.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Commits the messages, in the order in which they came. `Ok` means that they may be forgotten by the broker; after
    /// an error the same batch comes again, as long as it takes.
    fn handle(&mut self, batch: &[Received]) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Keeps a payload that is no message, for an administrator. After an error it comes again.
    fn dead_letter(&mut self, letter: &DeadLetter) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// How a [`Subscriber`] behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscriberOptions {
    /// Topic filters of what may not be lost.
    pub event_filters: Vec<String>,
    /// Topic filters of retained states.
    pub status_filters: Vec<String>,
    /// Messages in a batch, at most.
    pub batch: usize,
    /// First waiting time after a lost connection or a failed batch.
    pub backoff_first: Duration,
    /// Longest waiting time.
    pub backoff_longest: Duration,
    /// Seed of the jitter.
    pub seed: u64,
}

impl Default for SubscriberOptions {
    fn default() -> Self {
        Self {
            event_filters: Topics::event_filters().map(String::from).to_vec(),
            status_filters: Topics::status_filters().map(String::from).to_vec(),
            batch: 256,
            backoff_first: Duration::from_millis(500),
            backoff_longest: Duration::from_secs(30),
            seed: 0,
        }
    }
}

/// Packet ids are 16 bits, so the broker cannot have more unacknowledged than this.
const ACKS: usize = u16::MAX as usize;
/// Packets read ahead of the handler. Beyond it the socket waits; `QoS` 1 is bounded by the broker's own window.
const READ_AHEAD: usize = 4096;

/// Receives messages for a handler.
#[derive(Debug)]
pub struct Subscriber<H> {
    template: Template,
    handler: H,
    options: SubscriberOptions,
    session_present: bool,
}

impl<H: Handler> Subscriber<H> {
    /// A subscriber with the durable session `client` (such as `center`); connects when it runs.
    ///
    /// # Errors
    /// A mistake in `config`.
    pub fn new(
        config: &BrokerConfig,
        client: &str,
        handler: H,
        options: SubscriberOptions,
    ) -> Result<Self, ConfigError> {
        Ok(Self { template: Template::new(config, client)?, handler, options, session_present: false })
    }

    /// Receives until `shutdown`, and gives the handler back.
    pub async fn run(mut self, shutdown: CancellationToken) -> H {
        let SubscriberOptions { backoff_first, backoff_longest, seed, .. } = self.options;
        let mut backoff = Backoff::new(backoff_first, backoff_longest, seed);
        while !shutdown.is_cancelled() {
            let end = match Connection::open(&self.template, None, ACKS, READ_AHEAD) {
                Ok(mut connection) => {
                    let end = self.session(&mut connection, &shutdown, &mut backoff).await;
                    metrics::gauge!("parapet_bus_connected", "role" => "subscriber").set(0.0);
                    connection.close().await;
                    end
                }
                Err(lost) => Err(lost),
            };
            if let Err(lost) = end {
                let wait = backoff.next_delay();
                metrics::counter!("parapet_bus_connections_lost_total", "role" => "subscriber").increment(1);
                lost.log(self.template.client_id(), &self.template.broker(), backoff.attempt(), wait);
                pause(wait, &shutdown).await;
            }
        }
        self.handler
    }

    async fn session(
        &mut self,
        connection: &mut Connection,
        shutdown: &CancellationToken,
        backoff: &mut Backoff,
    ) -> Result<(), Lost> {
        loop {
            let first = tokio::select! {
                event = connection.event() => event,
                () = shutdown.cancelled() => {
                    // No farewell packet is needed: the session is to last.
                    return Ok(());
                }
            };
            let mut packets = Vec::new();
            let mut lost = None;
            let mut event = Some(first);
            while let Some(next) = event {
                match next {
                    Ok(Event::Incoming(packet)) => {
                        if let Some(publish) = self.on_packet(packet, connection, backoff)? {
                            packets.push(publish);
                        }
                    }
                    Ok(Event::Outgoing(_)) => {}
                    Err(error) => {
                        lost = Some(error);
                        break;
                    }
                }
                if packets.len() >= self.options.batch {
                    break;
                }
                event = connection.event_at_hand();
            }
            // What came before the connection broke is still worth committing; the broker's second copy is a duplicate.
            if !packets.is_empty() && !self.commit(&packets, shutdown).await {
                return Ok(());
            }
            if let Some(lost) = lost {
                return Err(lost);
            }
            for packet in &packets {
                connection.client.try_ack(packet).map_err(|error| error.to_string())?;
            }
        }
    }

    /// The publish in the packet, if it is one.
    fn on_packet(
        &mut self,
        packet: Packet,
        connection: &Connection,
        backoff: &mut Backoff,
    ) -> Result<Option<Publish>, Lost> {
        match packet {
            Packet::Publish(publish) => return Ok(Some(publish)),
            Packet::ConnAck(ack) => {
                self.session_present = ack.session_present;
                let client = self.template.client_id();
                info!(client, session_present = ack.session_present, "connected to the bus");
                // Also with a session: the broker may have restored one that is older than a new filter.
                let filter = |qos| move |path: &String| SubscribeFilter::new(path.clone(), qos);
                let events = self.options.event_filters.iter().map(filter(QoS::AtLeastOnce));
                let states = self.options.status_filters.iter().map(filter(QoS::AtMostOnce));
                connection
                    .client
                    .try_subscribe_many(events.chain(states))
                    .map_err(|error| error.to_string())?;
            }
            Packet::SubAck(ack) => {
                if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    error!(codes = ?ack.return_codes, "the broker refuses a subscription");
                    return Err("the broker refuses a subscription".to_owned().into());
                }
                let request = Resync { id: Uuid::now_v7(), full: !self.session_present }.encode();
                connection
                    .client
                    .try_publish(Topics::RESYNC, QoS::AtLeastOnce, true, request)
                    .map_err(|error| error.to_string())?;
                backoff.reset();
                metrics::gauge!("parapet_bus_connected", "role" => "subscriber").set(1.0);
            }
            _ => {}
        }
        Ok(None)
    }

    /// Hands the packets to the handler until it takes them; `false` if the shutdown came first.
    async fn commit(&mut self, packets: &[Publish], shutdown: &CancellationToken) -> bool {
        let mut batch = Vec::with_capacity(packets.len());
        let mut letters = Vec::new();
        for packet in packets {
            match read(packet) {
                Some(Ok(received)) => batch.push(received),
                Some(Err(letter)) => {
                    warn!(topic = letter.topic, bytes = letter.payload.len(), error = %letter.error, "not a message");
                    letters.push(letter);
                }
                None => {}
            }
        }
        let SubscriberOptions { backoff_first, backoff_longest, seed, .. } = self.options;
        let mut backoff = Backoff::new(backoff_first, backoff_longest, seed);
        let mut kept = 0;
        let mut handled = batch.is_empty();
        loop {
            let attempt = async {
                if !handled {
                    self.handler.handle(&batch).await?;
                    handled = true;
                }
                for letter in &letters[kept..] {
                    self.handler.dead_letter(letter).await?;
                    kept += 1;
                }
                Ok::<(), H::Error>(())
            };
            match attempt.await {
                Ok(()) => break,
                Err(error) => {
                    let wait = backoff.next_delay();
                    metrics::counter!("parapet_bus_handler_failures_total").increment(1);
                    error!(
                        error = &error as &dyn std::error::Error,
                        messages = batch.len(),
                        attempt = backoff.attempt(),
                        ?wait,
                        "cannot commit messages from the bus"
                    );
                    pause(wait, shutdown).await;
                    if shutdown.is_cancelled() {
                        return false;
                    }
                }
            }
        }
        let again = batch.iter().filter(|received| received.duplicate).count();
        metrics::counter!("parapet_bus_received_total").increment(batch.len() as u64);
        metrics::counter!("parapet_bus_redelivered_total").increment(again as u64);
        metrics::counter!("parapet_bus_dead_letters_total").increment(letters.len() as u64);
        true
    }
}

/// `None` for an empty payload, by which a retained state is taken back.
fn read(packet: &Publish) -> Option<Result<Received, DeadLetter>> {
    if packet.payload.is_empty() {
        return None;
    }
    let topic = packet.topic.clone();
    let message = Message::decode(&packet.payload).map_err(LetterError::from).and_then(|message| {
        let expected = message.topic();
        if expected == topic {
            Ok(message)
        } else {
            Err(LetterError::WrongTopic { expected, topic: topic.clone() })
        }
    });
    Some(match message {
        Ok(message) => Ok(Received { topic, message, retained: packet.retain, duplicate: packet.dup }),
        Err(error) => Err(DeadLetter { topic, payload: packet.payload.to_vec(), error }),
    })
}

async fn pause(wait: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = shutdown.cancelled() => {}
    }
}
