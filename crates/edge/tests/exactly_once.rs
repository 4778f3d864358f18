//! The broker is killed and started again, the node is killed with `kill -9`: every incident that was committed to
//! the outbox reaches the command center's store exactly once. Counted.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use parapet_bus::{
    BrokerConfig, BusConfig, DeadLetter, Handler, Received, Subscriber, SubscriberOptions,
    wire::{self, Message},
};
use parapet_core::{
    BBox, Clock, EventId, IncidentEvent, IncidentId, IncidentKind, Phase, RunId, Severity, SystemClock,
    Timestamp,
};
use parapet_edge::Uplink;
use parapet_store::{Applied, EventRecord, IncidentQuery, Outbox, Store, StoreError};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until something outside of this process has come about.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds() {
            // Other processes give no notice.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "in vain waited for: {what}");
}

/// A mosquitto with persistence; killed without a chance to write when it is dropped.
struct Mosquitto {
    dir: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Mosquitto {
    fn program() -> Option<&'static str> {
        ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"]
            .into_iter()
            .find(|path| Path::new(path).exists())
    }

    fn start(dir: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
             autosave_interval 1\nmax_queued_messages 0\n",
            dir.display()
        );
        fs::write(dir.join("mosquitto.conf"), config).unwrap();
        let mut mosquitto = Self { dir: dir.to_owned(), port, child: None };
        mosquitto.run();
        mosquitto
    }

    fn run(&mut self) {
        let mut command = Command::new(Self::program().unwrap());
        command.arg("-c").arg(self.dir.join("mosquitto.conf")).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The node in a process of its own: this test program, told to be one.
struct NodeProcess(Child);

impl NodeProcess {
    /// `upto`: stop by itself once so many incidents were committed and all that waits is acknowledged.
    fn start(dir: &Path, port: u16, upto: Option<usize>) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "a_node", "--ignored", "--nocapture"]);
        command.env("PARAPET_TEST_NODE", dir).env("PARAPET_TEST_PORT", port.to_string());
        command.env("PARAPET_TEST_UPTO", upto.unwrap_or(usize::MAX).to_string());
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn event(name: &str, phase: Phase, at: Timestamp) -> IncidentEvent {
    let sequence = u32::from(phase == Phase::Ended);
    IncidentEvent {
        event_id: EventId::derive(&[name, &sequence.to_string()]),
        incident_id: IncidentId::derive(&[name]),
        sequence,
        phase,
        kind: IncidentKind::MisparkedEbike,
        severity: Severity::Medium,
        camera: "gate".parse().unwrap(),
        preset: None,
        run: RunId::derive(&["run"]),
        rule: "bikes".parse().unwrap(),
        zone: None,
        at,
        since: at,
        started_at: at,
        ended_at: (phase == Phase::Ended).then_some(at),
        end_reason: (phase == Phase::Ended).then_some(parapet_core::EndReason::Cleared),
        label: None,
        track: None,
        bbox: BBox::new(0.1, 0.1, 0.2, 0.2).unwrap(),
        outline: None,
        count: 1,
        score: 0.9,
        covered: None,
        place: None,
    }
}

/// Commits incident after incident, and writes down each that is committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process of the test below"]
async fn a_node() {
    let Some(dir) = env::var_os("PARAPET_TEST_NODE").map(PathBuf::from) else { return };
    let port = env::var("PARAPET_TEST_PORT").unwrap().parse().unwrap();
    let upto: usize = env::var("PARAPET_TEST_UPTO").unwrap().parse().unwrap();
    let clock = Arc::new(SystemClock::new());
    let bus = BusConfig { embedded: None, broker: Some(BrokerConfig::at("127.0.0.1", port)) };
    let status = wire::NodeStatus {
        site: "site".parse().unwrap(),
        node: "node".parse().unwrap(),
        online: true,
        at: clock.now(),
        started_at: clock.now(),
        version: "0".into(),
        base_url: None,
        cameras: vec!["gate".parse().unwrap()],
    };
    let uplink = Uplink::start(&dir.join("outbox.db"), &bus, status, clock.clone()).await.unwrap();
    let handle = uplink.handle();
    let mut log = fs::File::options().append(true).create(true).open(dir.join("committed")).unwrap();
    let process = std::process::id();
    for number in 0..upto {
        let name = format!("{process}-{number}");
        for phase in [Phase::Started, Phase::Ended] {
            let event = event(&name, phase, clock.now());
            let incident =
                wire::Incident { site: "site".parse().unwrap(), node: "node".parse().unwrap(), event };
            handle.record(&[Message::Incident(incident)]).await.unwrap();
        }
        writeln!(log, "{}", IncidentId::derive(&[&name])).unwrap();
    }
    while uplink.pending().await.unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    uplink.stop().await;
}

/// What the node has written down as committed; a last line that was cut off does not count.
fn committed(dir: &Path) -> Vec<IncidentId> {
    let text = fs::read_to_string(dir.join("committed")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| line.parse().unwrap()).collect()
}

/// The center's intake, which counts how often each event was new.
struct Intake {
    store: Store,
    new: Arc<Mutex<BTreeMap<EventId, u32>>>,
    clock: SystemClock,
}

impl Handler for Intake {
    type Error = StoreError;

    async fn handle(&mut self, batch: &[Received]) -> Result<(), StoreError> {
        for received in batch {
            let Message::Incident(incident) = &received.message else { continue };
            let wire::Incident { site, node, event } = incident.clone();
            let id = event.event_id;
            let applied =
                self.store.apply_event(&EventRecord { site, node, event }, self.clock.now()).await?;
            if applied == Applied::New {
                *self.new.lock().unwrap().entry(id).or_default() += 1;
            }
        }
        Ok(())
    }

    async fn dead_letter(&mut self, letter: &DeadLetter) -> Result<(), StoreError> {
        panic!("undecodable: {letter:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_committed_reaches_the_store_exactly_once_whatever_is_killed() {
    if Mosquitto::program().is_none() {
        println!("skipped: mosquitto is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut broker = Mosquitto::start(dir);
    let store = Store::open(&format!("sqlite://{}", dir.join("center.db").display())).await.unwrap();
    let new = Arc::new(Mutex::new(BTreeMap::new()));
    let intake = Intake { store: store.clone(), new: new.clone(), clock: SystemClock::new() };
    let shutdown = CancellationToken::new();
    let options = SubscriberOptions {
        backoff_first: Duration::from_millis(50),
        backoff_longest: Duration::from_millis(500),
        ..SubscriberOptions::default()
    };
    let subscriber =
        Subscriber::new(&BrokerConfig::at("127.0.0.1", broker.port), "center", intake, options).unwrap();
    let center = tokio::spawn(subscriber.run(shutdown.clone()));
    let arrived = || new.lock().unwrap().len();
    let noted = || committed(dir).len();

    let mut node = NodeProcess::start(dir, broker.port, None);
    until("the first incidents in the store", || arrived() >= 60).await;
    // The broker dies in the middle of the stream, twice; the node goes on committing.
    for _ in 0..2 {
        broker.kill();
        let before = noted();
        until("commits without a broker", || noted() >= before + 40).await;
        broker.run();
        let before = arrived();
        until("incidents after the broker's return", || arrived() >= before + 40).await;
    }
    // The node dies, three times, once together with the broker.
    for round in 0..3 {
        node.kill();
        if round == 1 {
            broker.kill();
        }
        let before = noted();
        node = NodeProcess::start(dir, broker.port, None);
        if round == 1 {
            broker.run();
        }
        until("commits after the node's return", || noted() >= before + 40).await;
    }
    node.kill();
    let mut last = NodeProcess::start(dir, broker.port, Some(20));
    let mut left = None;
    until("the last node to have sent everything", || {
        left = left.or(last.0.try_wait().unwrap());
        left.is_some()
    })
    .await;
    assert!(left.unwrap().success());

    // The outbox keeps what was sent for a while: all that was ever committed.
    let outbox = Outbox::open(&dir.join("outbox.db")).await.unwrap();
    assert_eq!(outbox.stats().await.unwrap().pending, 0);
    outbox.replay(None).await.unwrap();
    let rows = outbox.pending(0, u32::MAX).await.unwrap();
    let events: Vec<IncidentEvent> = rows
        .iter()
        .filter_map(|row| match Message::decode(&row.payload).unwrap() {
            Message::Incident(incident) => Some(incident.event),
            _ => None,
        })
        .collect();
    let wanted_events: BTreeSet<EventId> = events.iter().map(|event| event.event_id).collect();
    let wanted: BTreeSet<IncidentId> = events.iter().map(|event| event.incident_id).collect();
    let noted_ids: BTreeSet<IncidentId> = committed(dir).into_iter().collect();
    assert!(noted_ids.is_subset(&wanted), "the outbox lost what it said it had committed");
    // At each of the four kills, one incident may have been committed and not noted.
    assert!(wanted.len() <= noted_ids.len() + 4);
    until("every event in the store", || arrived() >= wanted_events.len()).await;
    shutdown.cancel();
    center.await.unwrap();

    let counts = new.lock().unwrap().clone();
    assert!(counts.values().all(|times| *times == 1), "an event was taken for new twice");
    assert_eq!(counts.keys().copied().collect::<BTreeSet<_>>(), wanted_events);
    let mut kept = Vec::new();
    let mut query = IncidentQuery { limit: 500, ..IncidentQuery::default() };
    loop {
        let page = store.incidents(&query).await.unwrap();
        kept.extend(page.incidents);
        match page.next {
            Some(cursor) => query.cursor = Some(cursor),
            None => break,
        }
    }
    let ids: BTreeSet<IncidentId> = kept.iter().map(|incident| incident.id).collect();
    assert_eq!(ids.len(), kept.len(), "an incident stands in the store twice");
    assert_eq!(ids, wanted, "the store has other incidents than were committed");
    assert!(kept.iter().all(|incident| incident.phase == Phase::Ended));
    println!("{} incidents committed, {} events, each once in the store", wanted.len(), counts.len());
}
