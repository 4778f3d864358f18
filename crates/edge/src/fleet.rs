//! The cameras that run on this node: made to be those that the pipeline file names and, where nodes share them, that
//! this one holds a lease of, watched all the time or on patrol.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::Path,
    sync::Arc,
    time::Duration,
};

use parapet_bus::wire;
use parapet_core::{CameraId, Clock, EndReason, HealthState, IncidentEvent, SiteId};
use tracing::{error, info, warn};

use crate::{
    assembly::{Assembly, AssemblyError, Engines},
    camera::{CameraSpec, Order},
    config::{CameraConfig, ModelConfig, Pipeline},
    evidence::RecorderHandle,
    live::LiveCameras,
    node::chain,
    patrol::{Duty, Patrol},
    share::Leases,
    uplink::UplinkHandle,
};

/// The cameras of a pipeline that are not switched off.
pub(crate) fn watched(pipeline: &Pipeline) -> impl Iterator<Item = (&CameraId, &CameraConfig)> {
    pipeline.cameras.iter().filter(|(_, camera)| !camera.disabled)
}

/// What a camera was started with: if any of it changes, the camera is started anew.
#[derive(Clone, PartialEq)]
struct Setup {
    camera: CameraConfig,
    model: Option<ModelConfig>,
    site: SiteId,
}

impl Setup {
    fn new(pipeline: &Pipeline, camera: &CameraConfig) -> Self {
        Self {
            camera: camera.clone(),
            model: pipeline.model_of(camera).map(|(_, model)| model.clone()),
            site: pipeline.site_of(camera).clone(),
        }
    }
}

/// The cameras that run.
pub(crate) struct Fleet {
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
    /// What is to be watched, as it was read last.
    pipeline: Option<Pipeline>,
    /// Where nodes share cameras.
    sharing: Option<Sharing>,
}

/// Which cameras are this node's.
struct Sharing {
    leases: Leases,
    held: BTreeSet<CameraId>,
    /// Whether it was told of any share yet.
    told: bool,
}

impl Fleet {
    /// No cameras yet. With `leases`, none but those that [`hold`](Self::hold) names.
    pub(crate) fn new(
        uplink: UplinkHandle,
        recorder: Option<RecorderHandle>,
        live: LiveCameras,
        clock: Arc<dyn Clock>,
        status: wire::NodeStatus,
        patrol: Patrol,
        leases: Option<Leases>,
    ) -> Self {
        Self {
            cameras: BTreeMap::new(),
            patrol,
            model_times: BTreeMap::new(),
            engines: Engines::default(),
            failed: BTreeMap::new(),
            stale_file: None,
            uplink,
            recorder,
            live,
            clock,
            status,
            pipeline: None,
            sharing: leases.map(|leases| Sharing { leases, held: BTreeSet::new(), told: false }),
        }
    }

    /// How many cameras run.
    pub(crate) fn len(&self) -> usize {
        self.cameras.len()
    }

    /// Whether no camera runs.
    pub(crate) fn is_empty(&self) -> bool {
        self.cameras.is_empty()
    }

    /// The pipeline file can be used again, or why it cannot.
    pub(crate) fn set_stale_file(&mut self, why: Option<String>) {
        self.stale_file = why;
    }

    /// Makes the running cameras those of the pipeline, as far as they are this node's. Cameras that did not change go on
    /// undisturbed.
    pub(crate) fn apply(&mut self, pipeline: &Pipeline) -> Vec<(CameraId, AssemblyError)> {
        // What could not be started may be right now, and models may be others.
        self.failed.clear();
        self.model_times.clear();
        self.pipeline = Some(pipeline.clone());
        self.settle(pipeline)
    }

    /// Makes the running cameras those that this node holds, and has them go on with incidents that were left open.
    pub(crate) fn hold(&mut self, held: BTreeSet<CameraId>, left_open: Vec<IncidentEvent>) {
        let (Some(sharing), Some(pipeline)) = (&mut self.sharing, self.pipeline.clone()) else { return };
        sharing.held = held;
        let first = !std::mem::replace(&mut sharing.told, true);
        if first {
            // What an earlier life of this node said of cameras that are now another's holds no longer.
            for (id, camera) in watched(&pipeline).filter(|(id, _)| !self.is_ours(id)) {
                self.show_gone(id, &Setup::new(&pipeline, camera), None);
            }
        }
        self.settle(&pipeline);
        let mut by_camera: BTreeMap<CameraId, Vec<IncidentEvent>> = BTreeMap::new();
        for event in left_open {
            by_camera.entry(event.camera.clone()).or_default().push(event);
        }
        for (id, events) in by_camera {
            if let Some((_, thread)) = self.cameras.get(&id) {
                thread.tell(Order::Adopt(events));
            }
        }
    }

    fn is_ours(&self, camera: &CameraId) -> bool {
        self.sharing.as_ref().is_none_or(|sharing| sharing.held.contains(camera))
    }

    /// Whether the thread of a camera ends by itself, for its lease had run out.
    fn has_left(&self, camera: &CameraId) -> bool {
        self.sharing.as_ref().is_some_and(|sharing| sharing.leases.has_left(camera))
    }

    fn settle(&mut self, pipeline: &Pipeline) -> Vec<(CameraId, AssemblyError)> {
        let wanted: BTreeMap<CameraId, Setup> = watched(pipeline)
            .filter(|(id, _)| self.is_ours(id))
            .map(|(id, camera)| (id.clone(), Setup::new(pipeline, camera)))
            .collect();
        let leaving: Vec<CameraId> = self
            .cameras
            .iter()
            .filter(|(id, (setup, _))| wanted.get(*id) != Some(setup) || self.has_left(id))
            .map(|(id, _)| id.clone())
            .collect();
        // All are asked before the first is waited for.
        for id in &leaving {
            let goes_on = pipeline.cameras.get(id).is_some_and(|camera| !camera.disabled);
            let order = if goes_on && !self.is_ours(id) {
                Order::Leave
            } else {
                Order::Stop(EndReason::Reconfigured)
            };
            self.cameras[id].1.tell(order);
        }
        for id in &leaving {
            if let Some((setup, thread)) = self.cameras.remove(id) {
                thread.join();
                if let Some(sharing) = &self.sharing {
                    sharing.leases.ended(id);
                }
                if !wanted.contains_key(id) {
                    self.live.remove(id);
                    let kept = pipeline.cameras.get(id);
                    if kept.is_none() {
                        forget_recording(id, &pipeline.recordings_dir().join(id.as_str()));
                    }
                    let disabled = kept.is_some_and(|camera| camera.disabled);
                    self.show_gone(id, &setup, disabled.then_some(HealthState::Disabled));
                }
            }
        }
        let mut failed = Vec::new();
        if self.sharing.is_some() {
            failed.extend(self.warm_up(pipeline));
        }
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
        if let Some(sharing) = &self.sharing {
            // Others can perhaps watch what this node cannot.
            let able = watched(pipeline).filter(|(id, _)| !self.failed.contains_key(*id));
            let sites = able.map(|(id, camera)| (id.clone(), pipeline.site_of(camera).clone()));
            sharing.leases.offer(sites.collect());
        }
        self.status.cameras = self.cameras.keys().cloned().collect();
        self.status.at = self.clock.now();
        self.uplink.show(&wire::Message::NodeStatus(self.status.clone()));
        failed
    }

    /// Starts the engines of cameras that may become this node's: whoever takes over does not wait for a model.
    fn warm_up(&mut self, pipeline: &Pipeline) -> Vec<(CameraId, AssemblyError)> {
        let mut failed = Vec::new();
        for (id, camera) in watched(pipeline) {
            if let Some((name, model)) = pipeline.model_of(camera)
                && let Err(error) = self.engines.get(name, model)
            {
                self.failed.insert(id.clone(), chain(&error));
                failed.push((id.clone(), error));
            }
        }
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
            leases: self.sharing.as_ref().map(|sharing| sharing.leases.clone()),
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

    /// Cameras that are not watched yet, and why not.
    pub(crate) fn not_started(&self) -> Vec<String> {
        let waiting = self.cameras.iter().filter(|(_, (_, thread))| !thread.is_started());
        let waiting = waiting.map(|(id, _)| format!("camera {id} has not started"));
        let failed = self.failed.iter().map(|(id, why)| format!("camera {id}: {why}"));
        waiting.chain(failed).collect()
    }

    /// What an administrator should look at, though the node works.
    pub(crate) fn trouble(&self) -> Vec<String> {
        let failed = self.failed.iter().map(|(id, why)| format!("camera {id}: {why}"));
        let evidence = self.recorder.as_ref().and_then(RecorderHandle::trouble);
        let evidence = evidence.map(|why| format!("no evidence is written: {why}"));
        failed.chain(evidence).chain(self.stale_file.clone()).collect()
    }

    /// Stops and joins all cameras, and lets the engines go. `leave_open`: another node goes on with their incidents.
    pub(crate) fn stop_all(&mut self, leave_open: bool) {
        for (_, thread) in self.cameras.values() {
            thread.tell(if leave_open { Order::Leave } else { Order::Stop(EndReason::Interrupted) });
        }
        for (id, (setup, thread)) in std::mem::take(&mut self.cameras) {
            thread.join();
            if leave_open {
                self.show_gone(&id, &setup, None);
            }
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
