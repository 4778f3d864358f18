//! The way from a node to the command center: what happened is committed to the outbox, then sent until the broker
//! has acknowledged it. What was committed survives a crash of node, broker and center.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use parapet_bus::{
    BrokerConfig, BrokerError, BusChoice, BusConfig, EmbeddedBroker, OutboxSource, Outgoing, Publisher,
    PublisherOptions, StatusBoard, wire,
};
use parapet_core::{CameraId, Clock, EndReason, EventId, IncidentEvent, IncidentId, Phase};
use parapet_store::{Outbox, OutboxMessage, StoreError};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::telemetry;

/// Batches that may wait for their commit. A camera thread that finds the queue full waits: an incident is worth it.
const QUEUE: usize = 256;
/// Acknowledged messages are kept this long, in case that the broker crashes and forgets them.
const KEEP_SENT: Duration = Duration::from_hours(24);
/// After a reconnect to a session that the broker kept, what it acknowledged within this time is sent again.
const RESEND: Duration = Duration::from_hours(1);
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// Why the way to the command center cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum UplinkError {
    /// The outbox.
    #[error("cannot open the outbox")]
    Outbox(#[source] StoreError),
    /// The broker in the process.
    #[error("cannot start the embedded broker")]
    Broker(#[source] BrokerError),
    /// The options of the bus.
    #[error("cannot use the options of the bus")]
    Config(#[source] parapet_bus::ConfigError),
}

/// The store's outbox as the publisher reads it.
#[derive(Clone)]
struct Source {
    outbox: Outbox,
    clock: Arc<dyn Clock>,
}

impl OutboxSource for Source {
    type Error = StoreError;

    async fn pending(&self, after: i64, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        let rows = self.outbox.pending(after, limit).await?;
        let outgoing = |row: parapet_store::OutboxRow| Outgoing {
            id: row.id,
            topic: row.topic,
            payload: row.payload,
            retain: row.retain,
        };
        Ok(rows.into_iter().map(outgoing).collect())
    }

    async fn mark_sent(&self, ids: &[i64]) -> Result<(), StoreError> {
        self.outbox.mark_sent(ids, self.clock.now()).await
    }

    async fn replay(&self, session_present: bool) -> Result<u64, StoreError> {
        let since = session_present.then(|| self.clock.now() - RESEND);
        self.outbox.replay(since).await
    }

    async fn changed(&self) {
        self.outbox.changed().await;
    }
}

/// What is committed in one transaction.
struct Batch {
    messages: Vec<wire::Message>,
    /// Who waits until it and all before it are on disk.
    committed: Option<oneshot::Sender<()>>,
}

/// Where the node's threads and tasks hand in what happened. Cloning is cheap.
#[derive(Clone)]
pub struct UplinkHandle {
    batches: mpsc::Sender<Batch>,
    outbox: Outbox,
    status: StatusBoard,
    clock: Arc<dyn Clock>,
}

impl UplinkHandle {
    /// From a thread: queues a batch that is committed in one transaction, in order. Waits while the queue is full.
    pub(crate) fn send(&self, messages: Vec<wire::Message>) {
        if !messages.is_empty() && self.batches.blocking_send(Batch { messages, committed: None }).is_err() {
            warn!("the uplink has stopped: a batch of messages was not recorded");
        }
    }

    /// Waits until all that was handed in before is on disk, or the uplink has stopped.
    pub(crate) async fn committed(&self) {
        let (done, committed) = oneshot::channel();
        let nothing = Batch { messages: Vec::new(), committed: Some(done) };
        if self.batches.send(nothing).await.is_ok() {
            // A writer that stopped has said so.
            let _ = committed.await;
        }
    }

    /// Commits messages and returns when they are on disk.
    ///
    /// # Errors
    /// The outbox's; nothing was recorded then.
    pub async fn record(&self, messages: &[wire::Message]) -> Result<(), StoreError> {
        let rows: Vec<OutboxMessage> = messages.iter().map(row).collect();
        self.outbox.record(&rows, self.clock.now()).await.map(drop)
    }

    /// As [`record`](Self::record), of incidents that nobody follows: a restart of the node does not end them.
    ///
    /// # Errors
    /// The outbox's; nothing was recorded then.
    pub(crate) async fn record_unfollowed(&self, messages: &[wire::Message]) -> Result<(), StoreError> {
        let rows: Vec<OutboxMessage> =
            messages.iter().map(|message| OutboxMessage { event: None, ..row(message) }).collect();
        self.outbox.record(&rows, self.clock.now()).await.map(drop)
    }

    /// The incidents that this node has told of and not ended, by their latest events.
    ///
    /// # Errors
    /// The outbox's.
    pub(crate) async fn open_incidents(&self) -> Result<Vec<IncidentEvent>, StoreError> {
        self.outbox.open_incidents().await
    }

    /// Messages that the broker has not acknowledged.
    ///
    /// # Errors
    /// The outbox's.
    pub(crate) async fn pending(&self) -> Result<u64, StoreError> {
        Ok(self.outbox.stats().await?.pending)
    }

    /// Another node has gone on with these incidents.
    ///
    /// # Errors
    /// The outbox's.
    pub(crate) async fn forget_open(&self, incidents: &[IncidentId]) -> Result<(), StoreError> {
        self.outbox.forget_open(incidents).await
    }

    /// Shows the present state of a camera or of the node; the latest wins and is sent again after a reconnect.
    pub(crate) fn show(&self, message: &wire::Message) {
        self.status.set(message);
    }
}

fn row(message: &wire::Message) -> OutboxMessage {
    let event = match message {
        wire::Message::Incident(incident) => Some(incident.event.clone()),
        _ => None,
    };
    OutboxMessage { topic: message.topic(), payload: message.encode(), retain: message.retained(), event }
}

/// Outbox, publisher and, if it is configured, the broker in the process.
pub struct Uplink {
    handle: UplinkHandle,
    broker: BrokerConfig,
    embedded: Option<EmbeddedBroker>,
    stop: CancellationToken,
    /// Cancelled when all is committed.
    farewell: CancellationToken,
    writer: JoinHandle<()>,
    publisher: JoinHandle<()>,
    housekeeper: JoinHandle<()>,
}

impl Uplink {
    /// Opens the outbox at `outbox`, ends what a crashed run left open, and starts to send. `status` is shown as the
    /// node's retained status and turned to offline by the broker when the connection breaks.
    ///
    /// # Errors
    /// See [`UplinkError`].
    pub async fn start(
        outbox: &Path,
        bus: &BusConfig,
        status: wire::NodeStatus,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, UplinkError> {
        Self::start_sharing(outbox, bus, status, clock, &BTreeSet::new()).await
    }

    /// As [`start`](Self::start), but what was left open of cameras that are `shared` is not ended: another node may
    /// have gone on with it, and whoever watches the camera next does.
    ///
    /// # Errors
    /// See [`UplinkError`].
    pub async fn start_sharing(
        outbox: &Path,
        bus: &BusConfig,
        status: wire::NodeStatus,
        clock: Arc<dyn Clock>,
        shared: &BTreeSet<CameraId>,
    ) -> Result<Self, UplinkError> {
        let outbox = Outbox::open(outbox).await.map_err(UplinkError::Outbox)?;
        end_interrupted(&outbox, &status, clock.as_ref(), shared).await.map_err(UplinkError::Outbox)?;
        let (embedded, broker) = match bus.choice().map_err(UplinkError::Config)? {
            BusChoice::Broker(broker) => (None, broker),
            BusChoice::Embedded(config) => {
                let embedded = EmbeddedBroker::start(&config).await.map_err(UplinkError::Broker)?;
                info!(address = %embedded.address(), "the embedded broker listens");
                let client = embedded.client_config();
                (Some(embedded), client)
            }
        };
        let source = Source { outbox: outbox.clone(), clock: clock.clone() };
        // Nodes that lose the broker together do not come back together.
        let seed = EventId::derive(&[status.site.as_str(), status.node.as_str()]).0.as_u64_pair().0;
        let options = PublisherOptions { seed, ..PublisherOptions::default() };
        let publisher = Publisher::new(&broker, status, source, options).map_err(UplinkError::Config)?;
        let (stop, farewell) = (CancellationToken::new(), CancellationToken::new());
        let (batches, inbox) = mpsc::channel(QUEUE);
        let handle = UplinkHandle {
            batches,
            outbox: outbox.clone(),
            status: publisher.status(),
            clock: clock.clone(),
        };
        Ok(Self {
            handle: handle.clone(),
            broker,
            embedded,
            writer: tokio::spawn(write(inbox, outbox.clone(), clock.clone(), stop.clone())),
            publisher: tokio::spawn(publisher.run(farewell.clone())),
            housekeeper: tokio::spawn(keep_house(outbox, clock, stop.clone())),
            stop,
            farewell,
        })
    }

    /// Where to hand in what happened.
    pub fn handle(&self) -> UplinkHandle {
        self.handle.clone()
    }

    /// How others in this process reach the broker.
    pub fn broker(&self) -> &BrokerConfig {
        &self.broker
    }

    /// Messages that the broker has not acknowledged.
    ///
    /// # Errors
    /// The outbox's.
    pub async fn pending(&self) -> Result<u64, StoreError> {
        self.handle.pending().await
    }

    /// Commits what is queued, sends it if the broker takes it soon, says goodbye, and ends every task.
    pub async fn stop(self) {
        let Self { embedded, stop, farewell, writer, publisher, housekeeper, .. } = self;
        let joined = |name, ended: Result<(), tokio::task::JoinError>| {
            if let Err(error) = ended {
                error!(task = name, %error, "a task of the uplink failed");
            }
        };
        stop.cancel();
        joined("writer", writer.await);
        joined("housekeeper", housekeeper.await);
        farewell.cancel();
        joined("publisher", publisher.await);
        if let Some(embedded) = embedded {
            embedded.stop().await;
        }
    }
}

/// Ends the incidents that were open when the node crashed: it cannot know what became of them.
async fn end_interrupted(
    outbox: &Outbox,
    status: &wire::NodeStatus,
    clock: &dyn Clock,
    shared: &BTreeSet<CameraId>,
) -> Result<(), StoreError> {
    let mut open = outbox.open_incidents().await?;
    open.retain(|event| !shared.contains(&event.camera));
    if open.is_empty() {
        return Ok(());
    }
    let at = clock.now();
    warn!(incidents = open.len(), "the last run left incidents open: they are ended as interrupted");
    let rows: Vec<OutboxMessage> = open
        .into_iter()
        .map(|last| {
            let event = interrupted(&last, at, EndReason::Interrupted);
            row(&wire::Message::Incident(wire::Incident {
                site: status.site.clone(),
                node: status.node.clone(),
                event,
            }))
        })
        .collect();
    outbox.record(&rows, at).await.map(drop)
}

/// The end of an incident that nobody follows any more.
pub(crate) fn interrupted(
    last: &IncidentEvent,
    at: parapet_core::Timestamp,
    reason: EndReason,
) -> IncidentEvent {
    // Time of the footage and of the machine may differ; an incident never ends before its latest event.
    let at = at.max(last.at);
    IncidentEvent {
        event_id: EventId::derive(&[&last.incident_id.to_string(), "interrupted"]),
        sequence: last.sequence + 1,
        phase: Phase::Ended,
        at,
        ended_at: Some(at),
        end_reason: Some(reason),
        ..last.clone()
    }
}

async fn write(
    mut inbox: mpsc::Receiver<Batch>,
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    loop {
        let batch = tokio::select! {
            biased;
            batch = inbox.recv() => batch,
            () = stop.cancelled() => {
                inbox.close();
                inbox.recv().await
            }
        };
        let Some(Batch { messages, committed }) = batch else { return };
        let rows: Vec<OutboxMessage> = messages.iter().map(row).collect();
        let mut wait = Duration::from_millis(100);
        while let Err(error) = outbox.record(&rows, clock.now()).await {
            telemetry::outbox_error();
            error!(%error, "cannot write to the outbox; trying again");
            if stop.is_cancelled() {
                error!(messages = rows.len(), "stopping with messages that could not be recorded");
                return;
            }
            sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(10));
        }
        if let Some(committed) = committed {
            // Whoever asked may wait no longer.
            let _ = committed.send(());
        }
    }
}

async fn keep_house(outbox: Outbox, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut tick = interval(HOUSEKEEPING);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match outbox.stats().await {
            Ok(stats) => telemetry::outbox_pending(stats.pending),
            Err(error) => warn!(%error, "cannot read the outbox"),
        }
        if let Err(error) = outbox.prune(clock.now() - KEEP_SENT).await {
            warn!(%error, "cannot remove old messages from the outbox");
        }
    }
}
