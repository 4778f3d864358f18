//! Sends what the outbox holds, and marks a row as sent only when the broker has acknowledged that very packet.
//!
//! Delivery is at least once, even if the broker is killed after it has acknowledged: rows that were sent are kept for a
//! while, and [`OutboxSource::replay`] makes them pending again at each new connection, and when a center that has lost
//! its session asks for it (`parapet/v1/resync`).

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    future::Future,
    time::Duration,
};

use rumqttc::{ConnectReturnCode, Event, LastWill, Outgoing as Sent, Packet, QoS};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};
use uuid::Uuid;

use crate::{
    Topics,
    backoff::Backoff,
    config::{BrokerConfig, ConfigError},
    connection::{Connection, Template},
    lost::Lost,
    status::StatusBoard,
    wire::{Message, NodeStatus, Resync},
};

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its number; rows are sent in rising order.
    pub id: i64,
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// Whether the broker is to keep it for later subscribers.
    pub retain: bool,
}

/// Where the publisher gets its messages. Rows are committed before they appear here.
pub trait OutboxSource: Send + Sync + 'static {
    /// What can go wrong with it.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Rows that are not sent, with numbers greater than `after`, in rising order, at most `limit`.
    fn pending(
        &self,
        after: i64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Outgoing>, Self::Error>> + Send;

    /// The broker has these rows.
    fn mark_sent(&self, ids: &[i64]) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Rows that a broker may have acknowledged and then lost become pending again; answers how many. With
    /// `session_present` false, broker or center may have lost everything; otherwise what was sent of late, which the
    /// broker had not yet written to disk.
    fn replay(&self, session_present: bool) -> impl Future<Output = Result<u64, Self::Error>> + Send;

    /// Waits until a row may have been added. May return too often, but not too seldom: what was added while nobody
    /// waited counts.
    fn changed(&self) -> impl Future<Output = ()> + Send;
}

/// How a [`Publisher`] behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct PublisherOptions {
    /// Messages sent and not yet acknowledged, at most.
    pub window: usize,
    /// First waiting time after a lost connection.
    pub backoff_first: Duration,
    /// Longest waiting time.
    pub backoff_longest: Duration,
    /// Seed of the jitter; different for each node.
    pub seed: u64,
    /// How long a shutdown waits for outstanding acknowledgements.
    pub farewell: Duration,
}

impl Default for PublisherOptions {
    fn default() -> Self {
        Self {
            window: 100,
            backoff_first: Duration::from_millis(500),
            backoff_longest: Duration::from_secs(30),
            seed: 0,
            farewell: Duration::from_secs(2),
        }
    }
}

/// Sends the rows of an outbox and the states of a [`StatusBoard`].
#[derive(Debug)]
pub struct Publisher<S> {
    template: Template,
    board: StatusBoard,
    outbox: S,
    options: PublisherOptions,
}

impl<S: OutboxSource> Publisher<S> {
    /// A publisher for this node; connects when it runs.
    ///
    /// # Errors
    /// A mistake in `config`, such as a password file that cannot be read.
    pub fn new(
        config: &BrokerConfig,
        node: NodeStatus,
        outbox: S,
        options: PublisherOptions,
    ) -> Result<Self, ConfigError> {
        let template = Template::new(config, &format!("node-{}-{}", node.site, node.node))?;
        Ok(Self { template, board: StatusBoard::new(NodeStatus { online: true, ..node }), outbox, options })
    }

    /// Where to put present states.
    pub fn status(&self) -> StatusBoard {
        self.board.clone()
    }

    /// Sends until `shutdown`, over as many connections as it takes. Then sends what is left as far as that is shortly done,
    /// says that the node is offline and disconnects.
    pub async fn run(self, shutdown: CancellationToken) {
        let PublisherOptions { backoff_first, backoff_longest, seed, .. } = self.options;
        let mut backoff = Backoff::new(backoff_first, backoff_longest, seed);
        let mut answered = None;
        while !shutdown.is_cancelled() {
            let will = self.board.last_will();
            let message = Message::NodeStatus(will);
            let will = LastWill::new(message.topic(), message.encode(), QoS::AtLeastOnce, true);
            let window = self.options.window;
            let end = match Connection::open(&self.template, Some(will), window + 8, 2 * window + 8) {
                Ok(connection) => {
                    let mut session = Session::new(&self, connection, answered);
                    let end = session.run(&shutdown, &mut backoff).await;
                    metrics::gauge!("parapet_bus_connected", "role" => "publisher").set(0.0);
                    answered = session.answered;
                    session.connection.close().await;
                    end
                }
                Err(lost) => Err(lost),
            };
            if let Err(lost) = end {
                let wait = backoff.next_delay();
                metrics::counter!("parapet_bus_connections_lost_total", "role" => "publisher").increment(1);
                lost.log(self.template.client_id(), &self.template.broker(), backoff.attempt(), wait);
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = shutdown.cancelled() => {}
                }
            }
        }
    }
}

/// What a packet carries.
#[derive(Debug)]
enum Cargo {
    Row {
        id: i64,
        /// Replays on this connection before it was sent.
        replays: u32,
    },
    State,
}

/// One connection of a publisher.
struct Session<'a, S> {
    publisher: &'a Publisher<S>,
    connection: Connection,
    connected: bool,
    /// Handed to the client library, packet id not yet known; in the order of its `Outgoing::Publish` events.
    queued: VecDeque<Cargo>,
    /// By packet id.
    in_flight: HashMap<u16, Cargo>,
    /// Rows that are queued, in flight, or acknowledged and not yet marked: not to be sent once more on this connection.
    outstanding_rows: HashSet<i64>,
    replays: u32,
    /// The latest request to send again that was answered.
    answered: Option<Uuid>,
    /// Acknowledged, not yet marked.
    acknowledged: Vec<i64>,
    /// Highest row handed over on this connection.
    cursor: i64,
    /// The outbox had nothing more when it was last asked.
    drained: bool,
    published_states: BTreeMap<String, u64>,
}

impl<'a, S: OutboxSource> Session<'a, S> {
    fn new(publisher: &'a Publisher<S>, connection: Connection, answered: Option<Uuid>) -> Self {
        Self {
            publisher,
            connection,
            connected: false,
            queued: VecDeque::new(),
            in_flight: HashMap::new(),
            outstanding_rows: HashSet::new(),
            replays: 0,
            answered,
            acknowledged: Vec::new(),
            cursor: 0,
            drained: false,
            published_states: BTreeMap::new(),
        }
    }

    fn outstanding(&self) -> usize {
        self.queued.len() + self.in_flight.len()
    }

    /// Runs until the connection is lost (`Err` with the reason) or until the shutdown is done.
    async fn run(&mut self, shutdown: &CancellationToken, backoff: &mut Backoff) -> Result<(), Lost> {
        loop {
            let publisher = self.publisher;
            let waiting = self.connected && self.drained;
            tokio::select! {
                event = self.connection.event() => {
                    self.on_event(event?, backoff).await?;
                    // Acks come in bunches; one transaction marks them all.
                    while let Some(event) = self.connection.event_at_hand() {
                        self.on_event(event?, backoff).await?;
                    }
                    self.mark_sent().await?;
                }
                () = publisher.outbox.changed(), if waiting => self.drained = false,
                () = publisher.board.changed(), if self.connected => {}
                () = shutdown.cancelled() => return self.farewell(backoff).await,
            }
            if self.connected {
                self.send_states();
                self.send_rows().await?;
            }
            metrics::gauge!("parapet_bus_in_flight").set(self.outstanding() as f64);
        }
    }

    async fn on_event(&mut self, event: Event, backoff: &mut Backoff) -> Result<(), Lost> {
        match event {
            Event::Incoming(Packet::ConnAck(ack)) => {
                debug_assert_eq!(
                    ack.code,
                    ConnectReturnCode::Success,
                    "others are errors of the client library"
                );
                let replayed = self.replay(ack.session_present).await?;
                self.connected = true;
                // There is room for it: nothing else has been asked for yet.
                self.connection
                    .client
                    .try_subscribe(Topics::RESYNC, QoS::AtLeastOnce)
                    .map_err(|error| error.to_string())?;
                metrics::gauge!("parapet_bus_connected", "role" => "publisher").set(1.0);
                let client = self.publisher.template.client_id();
                info!(client, session_present = ack.session_present, replayed, "connected to the bus");
            }
            Event::Outgoing(Sent::Publish(packet)) => match self.queued.pop_front() {
                Some(cargo) => drop(self.in_flight.insert(packet, cargo)),
                None => return Err(format!("packet {packet} was sent, but nobody asked for it").into()),
            },
            Event::Incoming(Packet::PubAck(ack)) => {
                backoff.reset();
                match self.in_flight.remove(&ack.pkid) {
                    Some(Cargo::Row { id, replays }) if replays == self.replays => self.acknowledged.push(id),
                    Some(Cargo::Row { id, .. }) => {
                        // The broker may have taken it before the center that asked had subscribed: once more.
                        self.outstanding_rows.remove(&id);
                        self.cursor = self.cursor.min(id - 1);
                        self.drained = false;
                    }
                    Some(Cargo::State) => {}
                    None => debug!(packet = ack.pkid, "the broker acknowledged a packet twice"),
                }
            }
            Event::Incoming(Packet::Publish(publish)) => {
                match Resync::decode(&publish.payload) {
                    Ok(request) if self.answered == Some(request.id) => {}
                    Ok(request) => {
                        let replayed = self.replay(!request.full).await?;
                        self.answered = Some(request.id);
                        info!(replayed, full = request.full, "a center asks what it may have missed");
                    }
                    Err(error) => warn!(topic = publish.topic, %error, "not a request"),
                }
                self.connection.client.try_ack(&publish).map_err(|error| error.to_string())?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn replay(&mut self, session_present: bool) -> Result<u64, Lost> {
        // What is acknowledged has to be marked first, or it would be marked after the replay and not go out again.
        self.mark_sent().await?;
        self.replays += 1;
        let replayed = self.publisher.outbox.replay(session_present).await.map_err(outbox_failed)?;
        metrics::counter!("parapet_outbox_replayed_total").increment(replayed);
        self.cursor = 0;
        self.drained = false;
        Ok(replayed)
    }

    async fn mark_sent(&mut self) -> Result<(), Lost> {
        if !self.acknowledged.is_empty() {
            self.publisher.outbox.mark_sent(&self.acknowledged).await.map_err(outbox_failed)?;
            metrics::counter!("parapet_bus_published_total").increment(self.acknowledged.len() as u64);
            for id in self.acknowledged.drain(..) {
                self.outstanding_rows.remove(&id);
            }
        }
        Ok(())
    }

    fn send_states(&mut self) {
        for (topic, payload, change) in self.publisher.board.unpublished(&self.published_states) {
            if self.outstanding() >= self.publisher.options.window {
                return; // an ack makes room, and the loop comes back here
            }
            if self.send(&topic, payload, true, Cargo::State) {
                self.published_states.insert(topic, change);
            }
        }
    }

    async fn send_rows(&mut self) -> Result<(), Lost> {
        while !self.drained && self.outstanding() < self.publisher.options.window {
            let room = (self.publisher.options.window - self.outstanding()) as u32;
            let rows = self.publisher.outbox.pending(self.cursor, room).await.map_err(outbox_failed)?;
            self.drained = rows.len() < room as usize;
            for Outgoing { id, topic, payload, retain } in rows {
                self.cursor = id;
                if !self.outstanding_rows.contains(&id)
                    && self.send(&topic, payload, retain, Cargo::Row { id, replays: self.replays })
                {
                    self.outstanding_rows.insert(id);
                }
            }
        }
        Ok(())
    }

    /// Whether it was handed over. The queue has room for a full window, so only an impossible topic is refused.
    fn send(&mut self, topic: &str, payload: Vec<u8>, retain: bool, cargo: Cargo) -> bool {
        match self.connection.client.try_publish(topic, QoS::AtLeastOnce, retain, payload) {
            Ok(()) => {
                self.queued.push_back(cargo);
                true
            }
            Err(error) => {
                error!(topic, %error, ?cargo, "cannot publish; the message stays in the outbox");
                false
            }
        }
    }

    async fn farewell(&mut self, backoff: &mut Backoff) -> Result<(), Lost> {
        if !self.connected {
            return Ok(());
        }
        let limit = self.publisher.options.farewell / 2;
        // What was told last, as the end of what was open; what takes longer is sent by the next process.
        let told = tokio::time::timeout(limit, async {
            self.drained = false;
            loop {
                self.send_states();
                self.send_rows().await?;
                if self.drained && self.outstanding() == 0 {
                    return Ok::<(), Lost>(());
                }
                let event = self.connection.event().await?;
                self.on_event(event, backoff).await?;
                self.mark_sent().await?;
            }
        });
        told.await.unwrap_or(Ok(()))?;
        let offline = Message::NodeStatus(self.publisher.board.last_will());
        self.send(&offline.topic(), offline.encode(), true, Cargo::State);
        let acknowledged = async {
            while self.outstanding() > 0 {
                let event = self.connection.event().await?;
                self.on_event(event, backoff).await?;
                self.mark_sent().await?;
            }
            // A polite disconnect keeps the broker from publishing the last will on top.
            if self.connection.client.try_disconnect().is_ok() {
                while let Ok(event) = self.connection.event().await {
                    if event == Event::Outgoing(Sent::Disconnect) {
                        break;
                    }
                }
            }
            Ok(())
        };
        // Out of time: what was not acknowledged is sent again by the next process.
        tokio::time::timeout(limit, acknowledged).await.unwrap_or(Ok(()))
    }
}

fn outbox_failed(error: impl std::error::Error + 'static) -> Lost {
    error!(error = &error as &dyn std::error::Error, "the outbox does not work");
    format!("the outbox does not work: {error}").into()
}
