//! The cameras that run on this node: made to be those that the pipeline file names, one thread each.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
    sync::Arc,
};

use parapet_bus::wire;
use parapet_core::{CameraId, Clock, EndReason, HealthState, SiteId};
use tracing::{error, info, warn};

use crate::{
    assembly::{Assembly, AssemblyError, Engines},
    camera::{CameraSpec, CameraThread},
    config::{CameraConfig, ModelConfig, Pipeline},
    evidence::RecorderHandle,
    live::LiveCameras,
    node::chain,
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

/// The cameras that run.
pub(crate) struct Fleet {
    cameras: BTreeMap<CameraId, (Setup, CameraThread)>,
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
    /// No cameras yet.
    pub(crate) fn new(
        uplink: UplinkHandle,
        recorder: Option<RecorderHandle>,
        live: LiveCameras,
        clock: Arc<dyn Clock>,
        status: wire::NodeStatus,
    ) -> Self {
        Self {
            cameras: BTreeMap::new(),
            engines: Engines::default(),
            failed: BTreeMap::new(),
            stale_file: None,
            uplink,
            recorder,
            live,
            clock,
            status,
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

    /// Makes the running cameras those of the pipeline. Cameras that did not change go on undisturbed.
    pub(crate) fn apply(&mut self, pipeline: &Pipeline) -> Vec<(CameraId, AssemblyError)> {
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
        self.status.cameras = self.cameras.keys().cloned().collect();
        self.status.at = self.clock.now();
        self.uplink.show(&wire::Message::NodeStatus(self.status.clone()));
        failed
    }

    fn start(
        &mut self,
        id: &CameraId,
        setup: &Setup,
        pipeline: &Pipeline,
    ) -> Result<CameraThread, AssemblyError> {
        let assembly =
            Assembly::new(pipeline, id, &setup.camera, &mut self.engines, self.clock.clone(), false)?;
        let recordings = pipeline.recordings_dir().join(id.as_str());
        if setup.camera.recording.is_none() {
            forget_recording(id, &recordings);
        }
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
        CameraThread::start(spec).map_err(AssemblyError::Thread)
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

    /// Stops and joins all cameras, and lets the engines go.
    pub(crate) fn stop_all(&mut self) {
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
