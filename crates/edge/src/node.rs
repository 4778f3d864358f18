//! A machine that runs cameras: the fleet, evidence, the way to the bus, HTTP, and the pipeline file that is read again
//! when it changes, put together and taken apart again.

use std::{
    collections::{BTreeSet, HashSet},
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use parapet_bus::{BrokerConfig, wire};
use parapet_core::{Clock, SiteId};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::{
    assembly::AssemblyError,
    config::Pipeline,
    evidence::{Ready, Recorder},
    fleet::{Fleet, watched},
    http::{self, HttpState},
    live::LiveCameras,
    patrol::Patrol,
    reload::Reload,
    setup,
    share::{AddressError, Leases, Share, ShareConfig, ShareParts, ShareTrouble},
    surveys::{SurveyWatch, SurveysError, Teller},
    telemetry,
    uplink::{Uplink, UplinkError},
};

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The data directory.
    #[error("cannot use the data directory {}; hint: [node] data_dir must be writable", path.display())]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The way to the bus.
    #[error(transparent)]
    Uplink(#[from] UplinkError),
    /// The HTTP address.
    #[error(
        "cannot listen on {address}; hint: is another node running? [node.http] listen names the address"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The token.
    #[error("cannot read the token file {}", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Surveys cannot be told.
    #[error("cannot tell surveys")]
    Surveys(#[source] SurveysError),
    /// The address of the store in which cameras are shared.
    #[error("cannot share cameras")]
    Share(#[from] AddressError),
    /// The pipeline file is to be set up from afar, but is not there.
    #[error("cannot find the pipeline file again; hint: [node.setup] changes it, it must stay where it is")]
    Setup(#[source] io::Error),
    /// No camera can be watched; the first reason.
    #[error("no camera can be watched")]
    Cameras(#[source] AssemblyError),
    /// A thread could not be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// A running node.
pub struct Node {
    http: SocketAddr,
    uplink: Uplink,
    recorder: Option<Recorder>,
    fleet: Arc<Mutex<Fleet>>,
    shutdown: CancellationToken,
    server: tokio::task::JoinHandle<io::Result<()>>,
    reload: Option<Reload>,
    share: Option<Share>,
    surveys: Option<SurveyWatch>,
    setup: Option<setup::Setup>,
}

impl Node {
    /// Starts everything that the pipeline says. `file`: where it was read from, to follow its changes.
    ///
    /// # Errors
    /// See [`NodeError`]; what was started by then is stopped.
    pub async fn start(
        pipeline: Pipeline,
        file: Option<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NodeError> {
        let metrics = telemetry::install();
        let data_dir = pipeline.node.data_dir.clone();
        let no_dir = |source| NodeError::DataDir { path: data_dir.clone(), source };
        fs::create_dir_all(&data_dir).map_err(no_dir)?;
        let setup = file
            .as_deref()
            .filter(|_| pipeline.node.setup.enabled)
            .map(|file| setup::Setup::new(&pipeline.node, file, clock.clone()));
        let setup = setup.transpose().map_err(NodeError::Setup)?;

        let address_of_share = pipeline.node.share.as_ref().map(ShareConfig::address).transpose()?;

        let listen = pipeline.node.http.listen;
        let no_listen = |source| NodeError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(no_listen)?;
        let address = listener.local_addr().map_err(no_listen)?;
        let base_url = pipeline.node.http.public_url.clone();
        let base_url = base_url
            .map_or_else(|| format!("http://{address}/"), |url| format!("{}/", url.trim_end_matches('/')));

        let status = wire::NodeStatus {
            site: pipeline.node.site.clone(),
            node: pipeline.node.id.clone(),
            online: true,
            at: clock.now(),
            started_at: clock.now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            base_url: Some(base_url.clone()),
            cameras: match pipeline.node.share {
                Some(_) => Vec::new(),
                None => watched(&pipeline).map(|(id, _)| id.clone()).collect(),
            },
        };
        let leases = pipeline.node.share.as_ref().map(|_| Leases::new(clock.clone()));
        let shared = match &leases {
            Some(_) => watched(&pipeline).map(|(id, _)| id.clone()).collect(),
            None => BTreeSet::new(),
        };
        let outbox = data_dir.join("outbox.db");
        let uplink =
            Uplink::start_sharing(&outbox, &pipeline.bus, status.clone(), clock.clone(), &shared).await?;

        let evidence_dir = pipeline.evidence_dir();
        let recorder = if pipeline.node.evidence.enabled {
            let (site, node) = (pipeline.node.site.clone(), pipeline.node.id.clone());
            let to = uplink.handle();
            let base_url = base_url.clone();
            let ready = move |ready: Ready| to.send(vec![evidence_message(ready, &site, &node, &base_url)]);
            let config = pipeline.node.evidence.clone();
            let recorder =
                Recorder::start(config, evidence_dir.clone(), clock.clone(), HashSet::new(), ready);
            Some(recorder.map_err(no_dir)?)
        } else {
            None
        };

        let live = LiveCameras::default();
        let recording = recorder.as_ref().map(Recorder::handle);
        let patrol = Patrol::new(&pipeline.node.patrol, clock.clone());
        let mut fleet = Fleet::new(
            uplink.handle(),
            recording,
            live.clone(),
            clock.clone(),
            status,
            patrol,
            leases.clone(),
        );
        let applied = tokio::task::spawn_blocking({
            let pipeline = pipeline.clone();
            move || {
                let failed = fleet.apply(&pipeline);
                (fleet, failed)
            }
        });
        let (mut fleet, failed) = applied.await.expect("starting cameras does not panic");
        if fleet.is_empty()
            && let Some((_, error)) = failed.into_iter().next()
        {
            fleet.stop_all(false);
            if let Some(recorder) = recorder {
                recorder.stop();
            }
            uplink.stop().await;
            return Err(NodeError::Cameras(error));
        }
        let fleet = Arc::new(Mutex::new(fleet));

        let share_trouble = ShareTrouble::default();
        let shutdown = CancellationToken::new();
        let surveys = pipeline.node.surveys.as_ref().map(|config| {
            let teller = Teller {
                node: pipeline.node.id.clone(),
                base_url: base_url.clone(),
                evidence: evidence_dir.clone(),
                clock: clock.clone(),
                uplink: uplink.handle(),
            };
            SurveyWatch::start(config, data_dir.join(&config.dir), teller, shutdown.clone())
        });
        let surveys = surveys.transpose().map_err(NodeError::Surveys)?;
        let token = pipeline.node.http.token_file.as_ref().map(|path| read_token(path)).transpose()?;
        let state = HttpState {
            node: pipeline.node.id.clone(),
            token: token.as_deref().map(http::hash_of_token),
            cameras: live,
            evidence: Arc::new(evidence_dir),
            metrics,
            readiness: Arc::new({
                let (fleet, share) = (fleet.clone(), share_trouble.clone());
                move || {
                    let mut reasons = fleet.lock().expect("no panic while the fleet is held").not_started();
                    reasons.extend(share.get());
                    reasons
                }
            }),
            trouble: Arc::new({
                let (fleet, share) = (fleet.clone(), share_trouble.clone());
                move || {
                    let mut reasons = fleet.lock().expect("no panic while the fleet is held").trouble();
                    reasons.extend(share.get());
                    reasons
                }
            }),
            setup: setup.clone(),
            shutdown: shutdown.clone(),
        };
        let server = tokio::spawn(http::serve(listener, state));
        info!(%address, cameras = fleet.lock().expect("nobody panicked").len(), "node runs");

        let share = match (&pipeline.node.share, leases, address_of_share) {
            (Some(config), Some(leases), Some(address)) => {
                let (config, node) = (config.clone(), pipeline.node.id.clone());
                let (fleet, uplink, clock) = (fleet.clone(), uplink.handle(), clock.clone());
                let parts = ShareParts { config, address, node, fleet, leases, uplink, clock };
                Some(Share::start(parts, share_trouble.clone()))
            }
            _ => None,
        };
        let reload = match file.filter(|_| pipeline.node.hot_reload) {
            Some(file) => {
                Some(Reload::start(&file, pipeline, fleet.clone(), &shutdown).map_err(NodeError::Thread)?)
            }
            None => None,
        };
        Ok(Self { http: address, uplink, recorder, fleet, shutdown, server, reload, share, surveys, setup })
    }

    /// Where the HTTP server listens.
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// How the broker is reached from this machine.
    pub fn broker(&self) -> &BrokerConfig {
        self.uplink.broker()
    }

    /// Messages that the broker has not acknowledged.
    ///
    /// # Errors
    /// The outbox's.
    pub async fn pending(&self) -> Result<u64, parapet_store::StoreError> {
        self.uplink.pending().await
    }

    /// Ends what is open, commits it, and stops and joins everything. Where others share the cameras, what is open is left
    /// to them, and their leases are let go.
    pub async fn stop(self) {
        let Self { uplink, recorder, fleet, shutdown, server, reload, share, surveys, setup, .. } = self;
        shutdown.cancel();
        let leaver = match share {
            Some(share) => share.stop().await,
            None => None,
        };
        let leave_open = leaver.as_ref().is_some_and(|leaver| !leaver.is_alone());
        if let Some(surveys) = surveys {
            surveys.join().await;
        }
        let threads = tokio::task::spawn_blocking(move || {
            if let Some(setup) = setup {
                setup.stop();
            }
            if let Some(reload) = reload {
                reload.join();
            }
            fleet.lock().expect("no panic while the fleet is held").stop_all(leave_open);
            if let Some(recorder) = recorder {
                recorder.stop();
            }
        });
        if threads.await.is_err() {
            error!("stopping the cameras panicked");
        }
        if let Some(leaver) = leaver {
            leaver.leave().await;
        }
        match server.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(%error, "the HTTP server failed"),
            Err(error) => error!(%error, "the HTTP server panicked"),
        }
        uplink.stop().await;
        info!("node has stopped");
    }
}

fn evidence_message(
    ready: Ready,
    site: &SiteId,
    node: &parapet_core::NodeId,
    base_url: &str,
) -> wire::Message {
    wire::Message::Evidence(wire::Evidence {
        site: site.clone(),
        node: node.clone(),
        camera: ready.camera,
        incident: ready.incident,
        at: ready.at,
        items: ready.items,
        base_url: Some(format!("{base_url}evidence/")),
    })
}

fn read_token(path: &Path) -> Result<String, NodeError> {
    let text =
        fs::read_to_string(path).map_err(|source| NodeError::Token { path: path.to_owned(), source })?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// An error with what caused it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
