//! Two nodes share six cameras. One is killed with `kill -9`, comes back, and leaves; then the other leaves. At no moment
//! do two watch a camera, none goes without a node for longer than the lease, and what stands there is one incident all the
//! time. On PostgreSQL where that is installed, and on SQLite elsewhere. Skips, saying so, where ONNX Runtime is not set up.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, outside of test functions")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use image::imageops;
use parapet_bus::{
    BrokerConfig, DeadLetter, EmbeddedBroker, EmbeddedConfig, Handler, Received, Subscriber,
    SubscriberOptions,
    wire::{CameraStatus, Message},
};
use parapet_core::{
    CameraId, Clock, EndReason, FleetId, IncidentId, Phase, SystemClock, Timestamp, time::seconds_between,
};
use parapet_edge::{Node, NodeError, config::load};
use parapet_ingest::serve::{CameraServer, ServeOptions, ServedCamera};
use parapet_store::{
    EventRecord, IncidentDetail, IncidentQuery, LeaseRow, Store, StoreError,
    testing::{PostgresServer, TestServerError},
};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_mins(2);
const CAMERAS: usize = 6;
const LEASE_SECONDS: f64 = 8.0;

/// A node in a process of its own: this test program, told to be one.
struct NodeProcess {
    child: Child,
    log: PathBuf,
}

impl NodeProcess {
    fn start(dir: &Path) -> Self {
        let _ = fs::remove_file(dir.join("stop"));
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", "a_node", "--ignored", "--nocapture"])
            .env("PARAPET_TEST_NODE", dir)
            .env("RUST_BACKTRACE", "0");
        let log = dir.join("log");
        let errors = fs::File::options().append(true).create(true).open(&log).unwrap();
        Self { child: command.stdout(Stdio::null()).stderr(errors).spawn().unwrap(), log }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has.
    async fn stop(mut self, dir: &Path) {
        fs::write(dir.join("stop"), "").unwrap();
        until("the end of a node", async || self.child.try_wait().unwrap()).await;
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("{}: {}", self.log.display(), fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process of the test below"]
async fn a_node() {
    let Some(dir) = env::var_os("PARAPET_TEST_NODE").map(PathBuf::from) else { return };
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stderr).init();
    let pipeline = load(&dir.join("pipeline.toml")).unwrap();
    let node = match Node::start(pipeline, None, Arc::new(SystemClock::new())).await {
        Ok(node) => node,
        Err(NodeError::Cameras(error)) => {
            fs::write(dir.join("skipped"), error.to_string()).unwrap();
            return;
        }
        Err(error) => panic!("{error}"),
    };
    until("word to stop", async || dir.join("stop").exists().then_some(())).await;
    node.stop().await;
}

/// Waits until something outside of this process has come about.
async fn until<T>(what: &str, mut holds: impl AsyncFnMut() -> Option<T>) -> T {
    until_seen(what, async || holds().await.ok_or_else(String::new)).await
}

/// As [`until`]; in vain, it tells what was seen last instead.
async fn until_seen<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let mut seen = String::new();
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            match look().await {
                Ok(value) => return value,
                Err(instead) => seen = instead,
            }
            // Other processes give no notice.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("in vain waited for: {what}; {seen}"))
}

/// A bicycle that stands there all the time, in uncompressed video with a little noise.
fn video(file: &Path) {
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g/golden/dog.jpg");
    let picture = image::open(picture).unwrap().into_rgb8();
    let picture = imageops::resize(&picture, 512, 384, imageops::FilterType::Triangle);
    let (width, height) = picture.dimensions();
    let mut file = std::io::BufWriter::new(fs::File::create(file).unwrap());
    writeln!(file, "YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg").unwrap();
    let mut noise = 1_u32;
    for _ in 0..20 {
        let luma = picture.pixels().map(|pixel| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [r, g, b] = pixel.0.map(f32::from);
            let grain = (noise >> 24) as f32 / 64.0 - 2.0;
            (0.299 * r + 0.587 * g + 0.114 * b + grain).clamp(0.0, 255.0) as u8
        });
        let luma: Vec<u8> = luma.collect();
        let chroma = |of: fn([f32; 3]) -> f32| {
            let (across, down) = (width / 2, height / 2);
            let picture = &picture;
            let at = move |n: u32| picture.get_pixel(n % across * 2, n / across * 2).0.map(f32::from);
            (0..across * down).map(|n| (of(at(n)) + 128.0).clamp(0.0, 255.0) as u8).collect::<Vec<u8>>()
        };
        file.write_all(b"FRAME\n").unwrap();
        file.write_all(&luma).unwrap();
        file.write_all(&chroma(|[r, g, b]| -0.1687 * r - 0.3313 * g + 0.5 * b)).unwrap();
        file.write_all(&chroma(|[r, g, b]| 0.5 * r - 0.4187 * g - 0.0813 * b)).unwrap();
    }
}

fn camera(n: usize) -> CameraId {
    format!("c{n}").parse().unwrap()
}

/// The folder of a node with its pipeline file: the same cameras for all.
fn node_folder(
    dir: &Path,
    name: &str,
    cameras: &CameraServer,
    broker: &BrokerConfig,
    store: &str,
) -> PathBuf {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g");
    let mut text = format!(
        "[node]\nid = \"{name}\"\nsite = \"s\"\ndata_dir = \"data\"\nevidence.enabled = false\n\
         http.listen = \"127.0.0.1:0\"\n\
         [node.share]\nfleet = \"yard\"\nstore = \"{store}\"\nlease_seconds = {LEASE_SECONDS:.0}\n\
         [bus.broker]\nhost = \"{}\"\nport = {}\n[models.default]\nmanifest = \"{}\"\n",
        broker.host,
        broker.port_or_default(),
        models.display()
    );
    for n in 0..CAMERAS {
        let url = cameras.url(&camera(n));
        write!(
            text,
            "[cameras.c{n}]\nsynthetic = true\nsource = {{ rtsp.url = \"{url}\", analysed_fps = 2 }}\n\
             standing.settle_seconds = 1\n\
             zones.all = {{ purpose = \"forbidden\", polygon = [[0, 0], [1, 0], [1, 1], [0, 1]] }}\n\
             rules.bikes.misparked_ebike = {{ limit_seconds = 2 }}\n"
        )
        .unwrap();
    }
    let folder = dir.join(name);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("pipeline.toml"), text).unwrap();
    folder
}

/// The center's intake, as far as it matters here.
struct Intake {
    store: Store,
    statuses: Arc<Mutex<Vec<CameraStatus>>>,
    clock: SystemClock,
}

impl Handler for Intake {
    type Error = StoreError;

    async fn handle(&mut self, batch: &[Received]) -> Result<(), StoreError> {
        for received in batch {
            match &received.message {
                Message::Incident(m) => {
                    let (site, node, event) = (m.site.clone(), m.node.clone(), m.event.clone());
                    self.store.apply_event(&EventRecord { site, node, event }, self.clock.now()).await?;
                }
                Message::CameraStatus(status) => self.statuses.lock().unwrap().push(status.clone()),
                _ => {}
            }
        }
        Ok(())
    }

    async fn dead_letter(&mut self, letter: &DeadLetter) -> Result<(), StoreError> {
        panic!("undecodable: {letter:?}");
    }
}

struct Yard {
    store: Store,
    fleet: FleetId,
    clock: SystemClock,
}

impl Yard {
    /// How many leases run, by node.
    async fn shares(&self) -> BTreeMap<String, usize> {
        let now = self.clock.now();
        let mut shares = BTreeMap::new();
        for lease in self.leases().await.iter().filter(|lease| lease.ends_at > now) {
            *shares.entry(lease.node.to_string()).or_default() += 1;
        }
        shares
    }

    async fn leases(&self) -> Vec<LeaseRow> {
        self.store.leases(&self.fleet).await.unwrap()
    }

    async fn until_shared(&self, what: &str, shares: &[(&str, usize)]) {
        let wanted: BTreeMap<String, usize> =
            shares.iter().map(|(node, cameras)| ((*node).to_owned(), *cameras)).collect();
        until(what, async || (self.shares().await == wanted).then_some(())).await;
    }

    /// All incidents that ever were.
    async fn incidents(&self) -> Vec<IncidentDetail> {
        let query = IncidentQuery { limit: 500, ..IncidentQuery::default() };
        let mut all = Vec::new();
        for row in self.store.incidents(&query).await.unwrap().incidents {
            all.push(self.store.incident(row.id).await.unwrap().unwrap());
        }
        all
    }

    /// Waits until each camera's incident was last told of by the node that watches it.
    async fn until_told_by_holders(&self, what: &str) -> BTreeMap<CameraId, IncidentId> {
        until_seen(what, async || {
            let holders: BTreeMap<CameraId, String> =
                self.leases().await.into_iter().map(|row| (row.camera, row.node.to_string())).collect();
            let incidents = self.incidents().await;
            let told = incidents.iter().all(|detail| {
                let row = &detail.incident;
                holders.get(&row.camera).map(String::as_str) == Some(row.node.as_str())
            });
            let ids: BTreeMap<_, _> =
                incidents.iter().map(|detail| (detail.incident.camera.clone(), detail.incident.id)).collect();
            if told && ids.len() == CAMERAS {
                return Ok(ids);
            }
            let mut seen = format!("held by {holders:?}");
            for row in incidents.iter().map(|detail| &detail.incident) {
                let (camera, node, phase) = (&row.camera, &row.node, row.phase);
                write!(seen, "\n{camera} {} by {node}: {phase:?} at {}", row.id, row.updated_at).unwrap();
            }
            Err(seen)
        })
        .await
    }
}

/// No status says that a node watches a camera before the one that had it has let it go, or has died and its lease with
/// it. `dead`: node and the end of its leases.
fn nobody_watched_twice(statuses: &[CameraStatus], dead: (&str, Timestamp)) {
    let mut ordered: Vec<&CameraStatus> = statuses.iter().collect();
    ordered.sort_by_key(|status| (status.at, status.node.clone()));
    let mut watched_by: BTreeMap<&CameraId, &str> = BTreeMap::new();
    for status in ordered {
        let (camera, node) = (&status.camera, status.node.as_str());
        match watched_by.get(camera) {
            Some(holder) if *holder == node && status.removed => drop(watched_by.remove(camera)),
            Some(holder) if *holder != node && !status.removed => {
                assert!(
                    *holder == dead.0 && status.at >= dead.1,
                    "{camera} by {holder} and {node} at {}",
                    status.at
                );
                watched_by.insert(camera, node);
            }
            None if !status.removed => drop(watched_by.insert(camera, node)),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cameras_of_a_killed_node_are_watched_by_the_other_within_the_lease_and_each_incident_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = dir.join("bicycle.y4m");
    video(&file);
    let served: Vec<_> = (0..CAMERAS).map(|n| ServedCamera { name: camera(n), file: file.clone() }).collect();
    let options = ServeOptions { port: 0, credentials: None, cache: dir.join("cache"), spread: false };
    let server = CameraServer::start(options, &served).unwrap();
    let embedded = EmbeddedConfig { listen: ([127, 0, 0, 1], 0).into(), ..EmbeddedConfig::default() };
    let broker = EmbeddedBroker::start(&embedded).await.unwrap();
    let server_of_store = PostgresServer::start();
    let address = match &server_of_store {
        Ok(server) => server.database().unwrap(),
        Err(TestServerError::NotInstalled) => format!("sqlite://{}", dir.join("center.db").display()),
        Err(error) => panic!("{error}"),
    };
    let store = Store::open(&address).await.unwrap();
    let statuses = Arc::new(Mutex::new(Vec::new()));
    let intake = Intake { store: store.clone(), statuses: statuses.clone(), clock: SystemClock::new() };
    let shutdown = CancellationToken::new();
    let subscriber =
        Subscriber::new(&broker.client_config(), "center", intake, SubscriberOptions::default()).unwrap();
    let center = tokio::spawn(subscriber.run(shutdown.clone()));
    let folder = |name| node_folder(dir, name, &server, &broker.client_config(), &address);
    let (at_a, at_b) = (folder("a"), folder("b"));
    let yard = Yard { store, fleet: "yard".parse().unwrap(), clock: SystemClock::new() };

    let mut a = NodeProcess::start(&at_a);
    let first = until("the first node's share", async || {
        let skipped = fs::read_to_string(at_a.join("skipped")).ok().map(Err);
        skipped.or((yard.shares().await.get("a") == Some(&CAMERAS)).then_some(Ok(())))
    });
    if let Err(why) = first.await {
        println!("skipped: {why}; hint: make setup");
        return;
    }
    let ids = yard.until_told_by_holders("an incident at each camera").await;
    let b = NodeProcess::start(&at_b);
    yard.until_shared("an even share", &[("a", 3), ("b", 3)]).await;
    assert_eq!(yard.until_told_by_holders("the second node's word of what it was given").await, ids);

    // Killed without a chance to say anything.
    let of_a: Vec<LeaseRow> =
        yard.leases().await.into_iter().filter(|lease| lease.node.as_str() == "a").collect();
    a.kill();
    let killed_at = yard.clock.now();
    let ran_until =
        yard.leases().await.iter().filter(|l| l.node.as_str() == "a").map(|l| l.ends_at).max().unwrap();
    yard.until_shared("all cameras at the other node", &[("b", CAMERAS)]).await;
    let leases = yard.leases().await;
    for taken in leases.iter().filter(|lease| of_a.iter().any(|old| old.camera == lease.camera)) {
        assert!(taken.taken_at >= ran_until, "{taken:?} was taken while it ran");
        let alone = seconds_between(killed_at, taken.taken_at);
        assert!(alone <= LEASE_SECONDS, "{taken:?}: {alone:.2} s after the kill");
        println!("{} was taken {alone:.2} s after the kill", taken.camera);
    }
    assert_eq!(yard.until_told_by_holders("the other node's word of each incident").await, ids);

    // It comes back, and gets a share without ending what the other goes on with.
    let a = NodeProcess::start(&at_a);
    yard.until_shared("an even share again", &[("a", 3), ("b", 3)]).await;
    assert_eq!(yard.until_told_by_holders("word of each incident after the return").await, ids);
    // It leaves, and lets go at once.
    a.stop(&at_a).await;
    yard.until_shared("all cameras at the node that stays", &[("b", CAMERAS)]).await;
    assert_eq!(yard.until_told_by_holders("word of each incident after the first has left").await, ids);
    assert!(yard.incidents().await.iter().all(|detail| detail.incident.phase != Phase::Ended));
    // The last one ends what it leaves.
    b.stop(&at_b).await;
    let ended = until("the end of all incidents", async || {
        let all = yard.incidents().await;
        all.iter().all(|detail| detail.incident.phase == Phase::Ended).then_some(all)
    })
    .await;
    shutdown.cancel();
    center.await.unwrap();

    let each: BTreeSet<IncidentId> = ended.iter().map(|detail| detail.incident.id).collect();
    assert_eq!((ended.len(), each), (CAMERAS, ids.into_values().collect()), "each is one incident");
    for detail in &ended {
        let count = |phase| detail.events.iter().filter(|stored| stored.event.phase == phase).count();
        assert_eq!((count(Phase::Started), count(Phase::Ended)), (1, 1), "{detail:#?}");
        assert_eq!(detail.incident.end_reason, Some(EndReason::Interrupted));
    }
    nobody_watched_twice(&statuses.lock().unwrap(), ("a", ran_until));
    yard.store.close().await;
    broker.stop().await;
}
