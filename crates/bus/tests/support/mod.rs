//! An outbox in memory, a handler that writes down what it gets, and a real mosquitto.

mod mosquitto;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use parapet_bus::{
    BrokerConfig, DeadLetter, Handler, OutboxSource, Outgoing, Publisher, PublisherOptions, Received,
    Subscriber, SubscriberOptions,
    wire::{self, Message},
};
use parapet_core::{
    BBox, EventId, IncidentEvent, IncidentId, IncidentKind, Phase, RunId, Severity, Timestamp,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::instrument::WithSubscriber;

pub(crate) use mosquitto::Mosquitto;

/// Longest wait for what must happen; only a broken program waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) fn incident(n: usize) -> Message {
    let at = Timestamp::from_microsecond(1_795_312_800_000_000 + i64::try_from(n).unwrap()).unwrap();
    Message::Incident(wire::Incident {
        site: "harbour".parse().unwrap(),
        node: "north-1".parse().unwrap(),
        event: IncidentEvent {
            event_id: EventId::derive(&["test", &n.to_string()]),
            incident_id: IncidentId::derive(&["test", &n.to_string()]),
            sequence: 0,
            phase: Phase::Started,
            kind: IncidentKind::StrayDog,
            severity: Severity::Medium,
            camera: "gate-north".parse().unwrap(),
            preset: None,
            run: RunId::derive(&["test"]),
            rule: "dogs".parse().unwrap(),
            zone: None,
            at,
            since: at,
            started_at: at,
            ended_at: None,
            end_reason: None,
            label: None,
            track: None,
            bbox: BBox::new(0.1, 0.1, 0.2, 0.2).unwrap(),
            outline: None,
            count: n as u32,
            score: 0.5,
            covered: None,
            place: None,
        },
    })
}

pub(crate) fn node() -> wire::NodeStatus {
    let at = Timestamp::from_microsecond(1_795_312_800_000_000).unwrap();
    wire::NodeStatus {
        site: "harbour".parse().unwrap(),
        node: "north-1".parse().unwrap(),
        online: true,
        at,
        started_at: at,
        version: "0.1.0".to_owned(),
        base_url: None,
        cameras: vec!["gate-north".parse().unwrap()],
    }
}

/// Keeps what an outbox on disk would keep: it outlives publishers.
#[derive(Clone, Default)]
pub(crate) struct MemoryOutbox(Arc<(Mutex<Rows>, Notify, Mutex<Vec<i64>>)>);

/// By id: the row, and whether it is sent.
type Rows = BTreeMap<i64, (Outgoing, bool)>;

impl MemoryOutbox {
    pub(crate) fn record(&self, message: &Message) {
        let mut rows = self.0.0.lock().unwrap();
        let id = i64::try_from(rows.len()).unwrap() + 1;
        let row = Outgoing { id, topic: message.topic(), payload: message.encode(), retain: false };
        rows.insert(id, (row, false));
        drop(rows);
        self.0.1.notify_one();
    }

    pub(crate) fn unsent(&self) -> usize {
        self.0.0.lock().unwrap().values().filter(|(_, sent)| !sent).count()
    }

    /// Every row that was marked, in order, again and again.
    pub(crate) fn marks(&self) -> Vec<i64> {
        self.0.2.lock().unwrap().clone()
    }
}

impl OutboxSource for MemoryOutbox {
    type Error = std::io::Error;

    async fn pending(&self, after: i64, limit: u32) -> Result<Vec<Outgoing>, Self::Error> {
        let rows = self.0.0.lock().unwrap();
        let unsent = rows.range(after + 1..).filter(|(_, (_, sent))| !sent).map(|(_, (row, _))| row.clone());
        Ok(unsent.take(limit as usize).collect())
    }

    async fn mark_sent(&self, ids: &[i64]) -> Result<(), Self::Error> {
        let mut rows = self.0.0.lock().unwrap();
        for id in ids {
            rows.get_mut(id).unwrap().1 = true;
        }
        self.0.2.lock().unwrap().extend(ids);
        Ok(())
    }

    async fn replay(&self, _session_present: bool) -> Result<u64, Self::Error> {
        let mut rows = self.0.0.lock().unwrap();
        let mut again = 0;
        for (_, sent) in rows.values_mut() {
            again += u64::from(std::mem::take(sent));
        }
        Ok(again)
    }

    async fn changed(&self) {
        self.0.1.notified().await;
    }
}

/// What a handler has committed.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Every incident's event, again each time that it came.
    pub(crate) events: Vec<EventId>,
    pub(crate) states: Vec<Message>,
    pub(crate) letters: Vec<(String, Vec<u8>)>,
    /// Batches still to be refused.
    pub(crate) refusals: usize,
    pub(crate) refused: usize,
}

impl Log {
    pub(crate) fn distinct(&self) -> usize {
        self.events.iter().collect::<std::collections::HashSet<_>>().len()
    }
}

/// Commits into a log that tests can watch.
#[derive(Clone)]
pub(crate) struct LogHandler(pub(crate) watch::Sender<Log>);

impl LogHandler {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Log::default()))
    }

    pub(crate) async fn until(&self, what: &str, done: impl FnMut(&Log) -> bool) {
        let mut log = self.0.subscribe();
        let waited = tokio::time::timeout(PATIENCE, log.wait_for(done)).await;
        assert!(
            waited.is_ok(),
            "{what}: {} events, {} distinct, {:?}",
            self.0.borrow().events.len(),
            self.0.borrow().distinct(),
            self.0.borrow().states
        );
        waited.unwrap().unwrap();
    }
}

impl Handler for LogHandler {
    type Error = std::io::Error;

    async fn handle(&mut self, batch: &[Received]) -> Result<(), Self::Error> {
        let mut result = Ok(());
        self.0.send_modify(|log| {
            if log.refusals > 0 {
                log.refusals -= 1;
                log.refused += 1;
                result = Err(std::io::Error::other("the store is away"));
                return;
            }
            for received in batch {
                match &received.message {
                    Message::Incident(incident) => log.events.push(incident.event.event_id),
                    state => log.states.push(state.clone()),
                }
            }
        });
        result
    }

    async fn dead_letter(&mut self, letter: &DeadLetter) -> Result<(), Self::Error> {
        self.0.send_modify(|log| log.letters.push((letter.topic.clone(), letter.payload.clone())));
        Ok(())
    }
}

pub(crate) fn publisher_options() -> PublisherOptions {
    PublisherOptions {
        backoff_first: Duration::from_millis(10),
        backoff_longest: Duration::from_millis(100),
        window: 20,
        ..PublisherOptions::default()
    }
}

pub(crate) fn subscriber_options() -> SubscriberOptions {
    SubscriberOptions {
        backoff_first: Duration::from_millis(10),
        backoff_longest: Duration::from_millis(100),
        ..SubscriberOptions::default()
    }
}

/// A running publisher or subscriber. Stopping it is polite; killing it is what a crash does.
pub(crate) struct Running(CancellationToken, Option<DropGuard>, JoinHandle<()>);

impl Running {
    pub(crate) async fn stop(self) {
        self.0.cancel();
        self.2.await.unwrap();
    }

    pub(crate) async fn kill(self) {
        self.2.abort();
        assert!(self.2.await.unwrap_err().is_cancelled());
        drop(self.1);
    }
}

pub(crate) fn running(start: impl FnOnce(CancellationToken) -> JoinHandle<()>) -> Running {
    let token = CancellationToken::new();
    let task = start(token.clone());
    Running(token.clone(), Some(token.drop_guard()), task)
}

pub(crate) fn publish(config: &BrokerConfig, outbox: &MemoryOutbox) -> Running {
    let publisher = Publisher::new(config, node(), outbox.clone(), publisher_options()).unwrap();
    running(|token| tokio::spawn(publisher.run(token).with_current_subscriber()))
}

pub(crate) fn subscribe(config: &BrokerConfig, handler: &LogHandler) -> Running {
    let subscriber = Subscriber::new(config, "center", handler.clone(), subscriber_options()).unwrap();
    running(|token| {
        let run = async move {
            subscriber.run(token).await;
        };
        tokio::spawn(run.with_current_subscriber())
    })
}

pub(crate) async fn all_sent(outbox: &MemoryOutbox) {
    tokio::time::timeout(PATIENCE, async {
        while outbox.unsent() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("every message is marked as sent");
}

pub(crate) async fn all_arrive(handler: &LogHandler, outbox: &MemoryOutbox, count: usize) {
    handler.until("every message arrives", |log| log.distinct() == count).await;
    let log = handler.0.borrow();
    println!("{count} recorded, {} received, {} twice", log.events.len(), log.events.len() - count);
    drop(log);
    // The last acknowledgements may still be on their way.
    all_sent(outbox).await;
}
