//! A machine that runs cameras: engines, cameras, evidence, the way to the bus, HTTP, and the pipeline file that is
//! read again when it changes.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use parapet_bus::{BrokerConfig, wire};
use parapet_core::{CameraId, Clock, EndReason, HealthState, SiteId};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    assembly::{Assembly, AssemblyError, Engines},
    camera::CameraSpec,
    config::{self, CameraConfig, ModelConfig, Pipeline},
    evidence::{Ready, Recorder, RecorderHandle},
    http::{self, HttpState},
    live::LiveCameras,
    patrol::{Duty, Patrol},
    setup,
    surveys::{SurveyWatch, SurveysError, Teller},
    telemetry,
    uplink::{Uplink, UplinkError, UplinkHandle},
};

/// Editors write a file in several steps: it is read when nothing came for so long.
const SETTLE: Duration = Duration::from_millis(200);

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
            cameras: watched(&pipeline).map(|(id, _)| id.clone()).collect(),
        };
        let uplink =
            Uplink::start(&data_dir.join("outbox.db"), &pipeline.bus, status.clone(), clock.clone()).await?;

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
        let mut fleet = Fleet {
            cameras: BTreeMap::new(),
            patrol: Patrol::new(&pipeline.node.patrol, clock.clone()),
            model_times: BTreeMap::new(),
            engines: Engines::default(),
            failed: BTreeMap::new(),
            stale_file: None,
            uplink: uplink.handle(),
            recorder: recorder.as_ref().map(Recorder::handle),
            live: live.clone(),
            clock: clock.clone(),
            status,
        };
        let applied = tokio::task::spawn_blocking({
            let pipeline = pipeline.clone();
            move || {
                let failed = fleet.apply(&pipeline);
                (fleet, failed)
            }
        });
        let (mut fleet, failed) = applied.await.expect("starting cameras does not panic");
        if fleet.cameras.is_empty()
            && let Some((_, error)) = failed.into_iter().next()
        {
            fleet.engines = Engines::default();
            if let Some(recorder) = recorder {
                recorder.stop();
            }
            uplink.stop().await;
            return Err(NodeError::Cameras(error));
        }
        let fleet = Arc::new(Mutex::new(fleet));

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
                let fleet = fleet.clone();
                move || fleet.lock().expect("no panic while the fleet is held").not_started()
            }),
            trouble: Arc::new({
                let fleet = fleet.clone();
                move || fleet.lock().expect("no panic while the fleet is held").trouble()
            }),
            setup: setup.clone(),
            shutdown: shutdown.clone(),
        };
        let server = tokio::spawn(http::serve(listener, state));
        info!(%address, cameras = fleet.lock().expect("nobody panicked").cameras.len(), "node runs");

        let reload = match file.filter(|_| pipeline.node.hot_reload) {
            Some(file) => {
                Some(Reload::start(&file, pipeline, fleet.clone(), &shutdown).map_err(NodeError::Thread)?)
            }
            None => None,
        };
        Ok(Self { http: address, uplink, recorder, fleet, shutdown, server, reload, surveys, setup })
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

    /// Ends what is open, commits it, and stops and joins everything.
    pub async fn stop(self) {
        let Self { uplink, recorder, fleet, shutdown, server, reload, surveys, setup, .. } = self;
        shutdown.cancel();
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
            fleet.lock().expect("no panic while the fleet is held").stop_all();
            if let Some(recorder) = recorder {
                recorder.stop();
            }
        });
        if threads.await.is_err() {
            error!("stopping the cameras panicked");
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

fn watched(pipeline: &Pipeline) -> impl Iterator<Item = (&CameraId, &CameraConfig)> {
    pipeline.cameras.iter().filter(|(_, camera)| !camera.disabled)
}

/// What a camera was started with: if any of it changes, the camera is started anew.
#[derive(Clone, PartialEq)]
struct Setup {
    camera: CameraConfig,
    model: Option<ModelConfig>,
    site: SiteId,
}

/// The cameras that run.
struct Fleet {
    cameras: BTreeMap<CameraId, (Setup, Duty)>,
    /// Takes the turns of those on patrol.
    patrol: Patrol,
    /// What each model takes for a picture, as far as the patrol needs to know.
    model_times: BTreeMap<Option<String>, Option<Duration>>,
    engines: Engines,
    /// Cameras that could not be put together, and why.
    failed: BTreeMap<CameraId, String>,
    /// The pipeline file changed and cannot be used.
    stale_file: Option<String>,
    uplink: UplinkHandle,
    recorder: Option<RecorderHandle>,
    live: LiveCameras,
    clock: Arc<dyn Clock>,
    status: wire::NodeStatus,
}

impl Fleet {
    /// Makes the running cameras those of the pipeline. Cameras that did not change go on undisturbed.
    fn apply(&mut self, pipeline: &Pipeline) -> Vec<(CameraId, AssemblyError)> {
        let wanted: BTreeMap<CameraId, Setup> = watched(pipeline)
            .map(|(id, camera)| {
                let setup = Setup {
                    camera: camera.clone(),
                    model: pipeline.model_of(camera).map(|(_, model)| model.clone()),
                    site: camera.site.clone().unwrap_or_else(|| pipeline.node.site.clone()),
                };
                (id.clone(), setup)
            })
            .collect();
        let leaving: Vec<CameraId> = self
            .cameras
            .iter()
            .filter(|(id, (setup, _))| wanted.get(*id) != Some(setup))
            .map(|(id, _)| id.clone())
            .collect();
        // All are asked before the first is waited for.
        for id in &leaving {
            self.cameras[id].1.ask_to_stop(EndReason::Reconfigured);
        }
        for id in &leaving {
            if let Some((setup, thread)) = self.cameras.remove(id) {
                thread.join();
                if !wanted.contains_key(id) {
                    self.live.remove(id);
                    let is_kept = pipeline.cameras.contains_key(id);
                    let state = is_kept.then_some(HealthState::Disabled);
                    if !is_kept {
                        forget_recording(id, &pipeline.recordings_dir().join(id.as_str()));
                    }
                    self.show_gone(id, &setup, state);
                }
            }
        }
        self.failed.retain(|id, _| wanted.contains_key(id));
        let mut failed = Vec::new();
        for (id, setup) in wanted {
            if self.cameras.contains_key(&id) {
                continue;
            }
            match self.start(&id, &setup, pipeline) {
                Ok(thread) => {
                    info!(camera = %id, "camera is watched");
                    self.failed.remove(&id);
                    self.cameras.insert(id, (setup, thread));
                }
                Err(error) => {
                    error!(camera = %id, error = %chain(&error), "camera cannot be watched");
                    self.failed.insert(id.clone(), chain(&error));
                    failed.push((id, error));
                }
            }
        }
        let used: HashSet<String> = watched(pipeline)
            .filter_map(|(_, camera)| pipeline.model_of(camera).map(|(name, _)| name.to_owned()))
            .collect();
        self.engines.retain(|name| used.contains(name));
        self.patrol.admit();
        self.status.cameras = self.cameras.keys().cloned().collect();
        self.status.at = self.clock.now();
        self.uplink.show(&wire::Message::NodeStatus(self.status.clone()));
        failed
    }

    fn start(&mut self, id: &CameraId, setup: &Setup, pipeline: &Pipeline) -> Result<Duty, AssemblyError> {
        let assembly =
            Assembly::new(pipeline, id, &setup.camera, &mut self.engines, self.clock.clone(), false)?;
        let recordings = pipeline.recordings_dir().join(id.as_str());
        if setup.camera.recording.is_none() {
            forget_recording(id, &recordings);
        }
        let model_time = setup.camera.patrol.and_then(|_| {
            let measured = self.model_times.entry(setup.camera.model.clone());
            *measured.or_insert_with(|| assembly.model_time())
        });
        let spec = CameraSpec {
            id: id.clone(),
            node: pipeline.node.id.clone(),
            site: setup.site.clone(),
            config: setup.camera.clone(),
            build: Arc::new(move || assembly.build()),
            uplink: self.uplink.clone(),
            recorder: self.recorder.clone(),
            before_seconds: pipeline.node.evidence.before_seconds,
            recordings,
            live: self.live.clone(),
            clock: self.clock.clone(),
        };
        Duty::start(spec, &mut self.patrol, model_time).map_err(AssemblyError::Thread)
    }

    /// The retained status of a camera that is no longer watched: switched off, or (`None`) removed.
    fn show_gone(&self, id: &CameraId, setup: &Setup, state: Option<HealthState>) {
        self.uplink.show(&wire::Message::CameraStatus(wire::CameraStatus {
            site: setup.site.clone(),
            node: self.status.node.clone(),
            camera: id.clone(),
            name: setup.camera.name.clone(),
            state: state.unwrap_or(HealthState::Disabled),
            at: self.clock.now(),
            run: None,
            reconnects: 0,
            detail: None,
            analysed_fps: None,
            width: None,
            height: None,
            synthetic: setup.camera.synthetic,
            removed: state.is_none(),
            private: setup.camera.private_areas(),
        }));
    }

    fn not_started(&self) -> Vec<String> {
        let waiting = self.cameras.iter().filter(|(_, (_, thread))| !thread.is_started());
        let waiting = waiting.map(|(id, _)| format!("camera {id} has not started"));
        let failed = self.failed.iter().map(|(id, why)| format!("camera {id}: {why}"));
        waiting.chain(failed).collect()
    }

    fn trouble(&self) -> Vec<String> {
        let failed = self.failed.iter().map(|(id, why)| format!("camera {id}: {why}"));
        let evidence = self.recorder.as_ref().and_then(RecorderHandle::trouble);
        let evidence = evidence.map(|why| format!("no evidence is written: {why}"));
        failed.chain(evidence).chain(self.stale_file.clone()).collect()
    }

    fn stop_all(&mut self) {
        for (_, thread) in self.cameras.values() {
            thread.ask_to_stop(EndReason::Interrupted);
        }
        for (_, (_, thread)) in std::mem::take(&mut self.cameras) {
            thread.join();
        }
        self.engines = Engines::default();
    }
}

/// What should not be recorded should not be kept either.
fn forget_recording(camera: &CameraId, recordings: &Path) {
    if recordings.is_dir()
        && let Err(error) = fs::remove_dir_all(recordings)
    {
        warn!(%camera, %error, "the recording of a camera cannot be removed");
    }
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

/// Follows the pipeline file.
struct Reload {
    // Dropped first: the channel closes, and the thread ends.
    watcher: RecommendedWatcher,
    thread: JoinHandle<()>,
}

impl Reload {
    fn start(
        file: &Path,
        pipeline: Pipeline,
        fleet: Arc<Mutex<Fleet>>,
        shutdown: &CancellationToken,
    ) -> io::Result<Self> {
        let (events, inbox) = channel();
        let file = file.canonicalize()?;
        let name = file.file_name().map(ToOwned::to_owned);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading the file is an event, too, but changes nothing.
            let changes = event.is_ok_and(|event| {
                !event.kind.is_access() && event.paths.iter().any(|path| path.file_name() == name.as_deref())
            });
            if changes {
                // The thread may have ended.
                let _ = events.send(());
            }
        })
        .map_err(io::Error::other)?;
        // Editors replace the file: its directory is what stays.
        let dir = file.parent().unwrap_or(Path::new("/"));
        watcher.watch(dir, RecursiveMode::NonRecursive).map_err(io::Error::other)?;
        let shutdown = shutdown.clone();
        let thread = std::thread::Builder::new()
            .name("reload".into())
            .spawn(move || follow(&inbox, &file, &pipeline, &fleet, &shutdown))?;
        Ok(Self { watcher, thread })
    }

    fn join(self) {
        drop(self.watcher);
        if self.thread.join().is_err() {
            error!("the reload thread had panicked");
        }
    }
}

fn follow(
    inbox: &Receiver<()>,
    file: &Path,
    running: &Pipeline,
    fleet: &Mutex<Fleet>,
    shutdown: &CancellationToken,
) {
    let started_with = (running.node.clone(), running.bus.clone());
    while inbox.recv().is_ok() {
        while !matches!(
            inbox.recv_timeout(SETTLE),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)
        ) {}
        if shutdown.is_cancelled() {
            return;
        }
        match config::load(file) {
            Ok(pipeline) => {
                if (&pipeline.node, &pipeline.bus) != (&started_with.0, &started_with.1) {
                    warn!("[node] and [bus] are read at the start only: restart the node for their changes");
                }
                let pipeline =
                    Pipeline { node: started_with.0.clone(), bus: started_with.1.clone(), ..pipeline };
                let mut fleet = fleet.lock().expect("no panic while the fleet is held");
                fleet.stale_file = None;
                fleet.apply(&pipeline);
                telemetry::config_reloaded("ok");
                info!(file = %file.display(), cameras = fleet.cameras.len(), "pipeline file was read again");
            }
            Err(problem) => {
                telemetry::config_reloaded("broken");
                error!(file = %file.display(), %problem, "the changed pipeline file cannot be used; the cameras go on as they were");
                fleet.lock().expect("no panic while the fleet is held").stale_file =
                    Some(format!("the changed pipeline file {} cannot be used", file.display()));
            }
        }
    }
}
