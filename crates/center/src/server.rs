//! Puts the center together, starts its tasks and joins them.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::middleware;
use metrics_exporter_prometheus::PrometheusHandle;
use parapet_bus::{BrokerConfig, BusChoice, EmbeddedBroker, Subscriber, SubscriberOptions};
use parapet_core::Clock;
use parapet_store::Store;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::compression::{
    CompressionLayer, Predicate, predicate::NotForContentType, predicate::SizeAbove,
};
use tracing::{Instrument, debug, error, info, info_span, warn};

use crate::{
    CenterConfig, ConfigError, FirstError, ProofError,
    api::{self, App, live_shape::LiveMessage, session::Cookies},
    cases::{Cases, Courier},
    evidence::EvidenceCache,
    intake::Intake,
    live::{self, Hub},
    mutes::Mutes,
    node::NodeClient,
    people::{Oidc, People, make_first},
    proof::Keeper,
    roster::Roster,
    security::{Names, guard},
    vault::Vault,
};

/// Client name of the center's durable session at the broker.
const CLIENT: &str = "center";
/// Zones may be edited at a node without any message; they are asked for again this often.
const REFRESH_EVERY: Duration = Duration::from_secs(30);
/// Statuses come in bursts when a node connects: one question for all of them.
const REFRESH_DELAY: Duration = Duration::from_millis(300);

/// Why the center does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A mistake in the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be opened.
    #[error("cannot open the center's store")]
    Store(#[from] parapet_store::StoreError),
    /// The directory of an SQLite store cannot be made.
    #[error("cannot make the directory {}; hint: check the path in store and who may write there", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The broker inside the process does not run.
    #[error("cannot start the bus")]
    Broker(#[from] parapet_bus::BrokerError),
    /// The directory for evidence cannot be used.
    #[error("cannot use the directory {} for evidence; hint: check evidence_dir and who may write there", path.display())]
    Evidence {
        /// The directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is nobody who could sign in, and nobody can be made.
    #[error("cannot make the first administrator")]
    First(#[from] FirstError),
    /// The chains of the store cannot be signed.
    #[error("cannot vouch for what the center keeps")]
    Proof(#[from] ProofError),
    /// There is no HTTP client.
    #[error("cannot set up HTTP towards the nodes")]
    Http(#[source] reqwest::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; hint: another program may be running there, choose another port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// The command center.
#[derive(Debug)]
pub struct Center;

impl Center {
    /// Starts the center and returns when its page can be opened. It stops when `shutdown` is cancelled; then
    /// [`RunningCenter::join`] waits for it. `metrics` is the process's recorder, shown at `/metrics`.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is left running.
    pub async fn start(
        config: CenterConfig,
        clock: Arc<dyn Clock>,
        metrics: Option<PrometheusHandle>,
        shutdown: CancellationToken,
    ) -> Result<RunningCenter, StartError> {
        let token = config.node_token()?;
        let choice = config.bus.choice().map_err(ConfigError::Bus)?;
        install_crypto();
        make_directory_of(&config.store)?;
        let store = Store::open(&config.store).await?;
        let data = config.data_directory();
        make_first(&store, clock.as_ref(), &config.sign_in, &data, &config.first_users).await?;
        let people = People::new(store.clone(), Arc::clone(&clock), &config.sign_in);
        let oidc = config.sign_in.oidc.as_ref();
        let oidc = oidc.map(|oidc| Oidc::new(oidc, Arc::clone(&clock))).transpose()?.map(Arc::new);
        let keeper = Keeper::open(store.clone(), Arc::clone(&clock), &data).await?;
        let client = NodeClient::new(token).map_err(StartError::Http)?;
        let room = config.evidence_megabytes.saturating_mul(1_000_000);
        let evidence =
            EvidenceCache::open(config.evidence_dir.clone(), room, client.clone()).map_err(|error| {
                StartError::Evidence { path: config.evidence_dir.clone(), source: Box::new(error) }
            })?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|source| StartError::Listen { address: config.listen, source })?;
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address: config.listen, source })?;
        let roster = Arc::new(Roster::default());
        load(&store, &roster).await?;
        let hub = Hub::new();
        let refresh = Refresh::default();
        let (broker, bus) = match choice {
            BusChoice::Embedded(embedded) => {
                let broker = EmbeddedBroker::start(&embedded).await?;
                let bus = broker.client_config();
                (Some(broker), bus)
            }
            BusChoice::Broker(bus) => (None, bus),
        };
        let courier = Courier::new(config.webhook_secret()?, bus.clone()).map_err(StartError::Http)?;
        let answers = config.data_directory().join("answers");
        let wake = Arc::new(Notify::new());
        let evidence = Arc::new(evidence);
        let vault = Vault::new(store.clone(), Arc::clone(&evidence), Arc::clone(&clock), Arc::clone(&wake));
        let cases = Cases::open(store.clone(), hub.clone(), Arc::clone(&clock), courier, answers, wake);
        let cases = cases.await?;
        let mutes = Arc::new(Mutes::load(&store, &*clock).await?);
        let intake = Intake {
            store: store.clone(),
            cases: cases.clone(),
            mutes: Arc::clone(&mutes),
            roster: Arc::clone(&roster),
            hub: hub.clone(),
            clock: Arc::clone(&clock),
            refresh: refresh.clone(),
        };
        let subscriber =
            Subscriber::new(&bus, CLIENT, intake, SubscriberOptions::default()).map_err(ConfigError::Bus)?;
        let feeds = live::feeds(Arc::clone(&roster), client.clone());
        let sessions = TaskTracker::new();
        let app = App {
            store: store.clone(),
            roster: Arc::clone(&roster),
            hub: hub.clone(),
            feeds: feeds.clone(),
            client: client.clone(),
            evidence,
            vault: vault.clone(),
            people,
            oidc,
            cases: cases.clone(),
            claims: Arc::default(),
            mutes,
            keeper: keeper.clone(),
            cookies: Cookies {
                longest_seconds: u64::from(config.sign_in.longest_hours) * 60 * 60,
                plain_http: config.sign_in.plain_http,
            },
            behind_proxy: !config.public_hosts.is_empty(),
            clock,
            metrics,
            shutdown: shutdown.clone(),
            sessions: sessions.clone(),
        };
        let names = Names::new(address, &config.public_hosts);
        let router = api::router(app)
            .layer(
                CompressionLayer::new().compress_when(
                    SizeAbove::new(1024)
                        .and(NotForContentType::IMAGES)
                        .and(NotForContentType::const_new("video/")),
                ),
            )
            .layer(middleware::from_fn_with_state(names, guard));

        let mut tasks = Vec::new();
        let mut spawn = |name: &'static str, task: JoinHandle<()>| tasks.push((name, task));
        let stop = shutdown.clone();
        spawn(
            "intake",
            tokio::spawn(async move { drop(subscriber.run(stop).await) }.instrument(info_span!("intake"))),
        );
        spawn("cases", tokio::spawn(cases.run(shutdown.clone()).instrument(info_span!("cases"))));
        let stop = shutdown.clone();
        spawn(
            "refresh",
            tokio::spawn(async move {
                stop.run_until_cancelled(refresh.run(&roster, &client, &hub)).await;
            }),
        );
        let stop = shutdown.clone();
        let keep = async move {
            stop.run_until_cancelled(vault.run()).await;
        };
        spawn("vault", tokio::spawn(keep.instrument(info_span!("vault"))));
        let (stop, signer) = (shutdown.clone(), keeper.clone());
        spawn(
            "checkpoints",
            tokio::spawn(async move {
                stop.run_until_cancelled(signer.run()).await;
            }),
        );
        let stop = shutdown.clone();
        spawn(
            "http",
            tokio::spawn(async move {
                let service = router.into_make_service_with_connect_info::<SocketAddr>();
                let served =
                    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await;
                if let Err(error) = served {
                    error!(%error, "the center's HTTP server ended");
                }
            }),
        );
        if !address.ip().is_loopback() {
            warn!(%address, "the center speaks plain HTTP: passwords and pictures can be read on the way; hint: listen on 127.0.0.1 and put a proxy with TLS before it");
        }
        info!(
            url = format!("http://{address}/"),
            bus = format!("{}:{}", bus.host, bus.port_or_default()),
            "the center runs"
        );
        Ok(RunningCenter { address, bus, broker, store, keeper, tasks, feeds, sessions, shutdown })
    }
}

/// A center that runs.
#[derive(Debug)]
pub struct RunningCenter {
    address: SocketAddr,
    bus: BrokerConfig,
    broker: Option<EmbeddedBroker>,
    store: Store,
    keeper: Keeper,
    tasks: Vec<(&'static str, JoinHandle<()>)>,
    feeds: live::Feeds,
    sessions: TaskTracker,
    shutdown: CancellationToken,
}

impl RunningCenter {
    /// Where the page and the API are.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// How clients reach the bus that the center listens to (its own broker, if it runs one).
    pub fn bus(&self) -> &BrokerConfig {
        &self.bus
    }

    /// The center's store, for those who watch over it in the same process.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Waits until the center was told to stop and everything has ended.
    pub async fn join(self) {
        self.shutdown.cancelled().await;
        self.sessions.close();
        self.sessions.wait().await;
        self.feeds.close().await;
        for (name, task) in self.tasks {
            if let Err(error) = task.await {
                error!(task = name, %error, "a task of the center did not end well");
            }
        }
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
        // After everybody else, so that nothing that they wrote is left unsigned.
        if let Err(error) = self.keeper.sign(true).await {
            error!(error = &error as &dyn std::error::Error, "cannot sign a last checkpoint");
        }
        self.store.close().await;
        debug!("the center has ended");
    }
}

/// Asks the nodes about their cameras' zones and rules, when told to and from time to time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refresh(Arc<Notify>);

impl Refresh {
    /// Soon; asking again before that changes nothing.
    pub(crate) fn ask(&self) {
        self.0.notify_one();
    }

    async fn run(&self, roster: &Roster, client: &NodeClient, hub: &Hub) {
        loop {
            for (key, url) in roster.urls() {
                match client.cameras(&url).await {
                    Ok(views) => {
                        for camera in roster.put_views(&key, views) {
                            hub.tell(&LiveMessage::Camera { camera: Box::new(camera) });
                        }
                    }
                    Err(error) => debug!(node = key.1, %error, "a node does not tell its zones"),
                }
            }
            // Either way it is time to ask again.
            drop(tokio::time::timeout(REFRESH_EVERY, self.0.notified()).await);
            tokio::time::sleep(REFRESH_DELAY).await;
        }
    }
}

async fn load(store: &Store, roster: &Roster) -> Result<(), StartError> {
    for mut node in store.nodes().await? {
        // Until it says so again on the bus, nobody knows.
        node.online = false;
        roster.put_node(node);
    }
    for camera in store.all_cameras().await? {
        roster.put_private(&camera);
    }
    for camera in store.cameras().await? {
        let id = camera.camera.clone();
        roster.put_camera(camera);
        for record in store.health(Some(&id), 1).await? {
            roster.put_health(&record.health);
        }
    }
    Ok(())
}

/// rustls has no provider of its own choice in this workspace; another part of the process may have set it already.
fn install_crypto() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// SQLite makes the file, not the directory round it.
fn make_directory_of(store: &str) -> Result<(), StartError> {
    let Some(path) = store.strip_prefix("sqlite://") else { return Ok(()) };
    let path = path.split('?').next().unwrap_or_default();
    match Path::new(path).parent() {
        Some(parent) if !path.starts_with(':') && !parent.as_os_str().is_empty() => {
            std::fs::create_dir_all(parent)
                .map_err(|source| StartError::Directory { path: parent.to_owned(), source })
        }
        _ => Ok(()),
    }
}
