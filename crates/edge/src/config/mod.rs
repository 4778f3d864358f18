//! The pipeline file: what a node watches and how. Each component's options live beside its code; here is how they
//! hang together, and [`check`], which names every mistake in a file at once.

mod check;
mod dome;
mod problem;
mod reference;
mod tree;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use parapet_analytics::{GateConfig, PresenceConfig, RuleConfig, StandingConfig, TrackerConfig, schedule};
use parapet_bus::BusConfig;
use parapet_change::ChangeConfig;
use parapet_core::{
    CameraId, Label, Line, Membership, NodeId, Polygon, PresetId, PrivateAreas, PrivateView, RuleId, SiteId,
    Zone, ZoneId, ZonePurpose,
    geo::{GroundMap, GroundReference},
};
use parapet_infer::{DetectorOptions, EngineConfig};
use parapet_ingest::SourceConfig;
use serde::Deserialize;

pub use check::{LoadError, check, load};
pub use dome::{DomeConfig, OnvifConfig, PatrolConfig, PresetConfig, StopConfig};
pub use problem::{Problem, render_all};
pub use reference::{reference, schema};

use crate::{
    evidence::EvidenceConfig,
    http::HttpConfig,
    patrol::{CameraPatrolConfig, NodePatrolConfig},
    recording::RecordingConfig,
    setup::SetupConfig,
    share::ShareConfig,
    surveys::SurveysConfig,
};

/// A pipeline file, right as a whole. Paths in it are relative to the directory of the file; here they are resolved.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// The machine that runs the cameras.
    pub node: NodeConfig,
    /// The broker that incidents are sent to.
    #[serde(default)]
    pub bus: BusConfig,
    /// Models, by a name of your choice.
    #[serde(default)]
    pub models: BTreeMap<String, ModelConfig>,
    /// Cameras, by their id.
    #[serde(default)]
    pub cameras: BTreeMap<CameraId, CameraConfig>,
}

/// The machine that runs the cameras.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Its name, unique on the bus.
    pub id: NodeId,
    /// The compound that it watches.
    pub site: SiteId,
    /// Directory for outbox and evidence; made if it is not there.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// Live pictures, evidence and metrics over HTTP.
    #[serde(default)]
    pub http: HttpConfig,
    /// Pictures and clips of incidents.
    #[serde(default)]
    pub evidence: EvidenceConfig,
    /// Drone surveys that are told to the command center.
    #[serde(default)]
    pub surveys: Option<SurveysConfig>,
    /// Setting the node up from the command center.
    #[serde(default)]
    pub setup: SetupConfig,
    /// How the cameras with a `patrol` are looked at in turn.
    #[serde(default)]
    pub patrol: NodePatrolConfig,
    /// Sharing the cameras of the file with other nodes.
    #[serde(default)]
    pub share: Option<ShareConfig>,
    /// Time zone of the compound: baselines are kept by the time of its day. Rules have their own.
    #[serde(default)]
    pub time_zone: schedule::Zone,
    /// Read the file again when it changes, and touch only the cameras that changed.
    #[serde(default = "yes")]
    pub hot_reload: bool,
}

/// A model and how it is run. Cameras that name the same model share one engine.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Folder with the model's `model.toml`.
    pub manifest: PathBuf,
    /// How it is run.
    #[serde(default)]
    pub engine: EngineConfig,
}

/// A camera: where its pictures come from, what its view shows, and what may not happen there.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CameraConfig {
    /// Its name for people.
    pub name: Option<String>,
    /// Leave it out without deleting its options.
    #[serde(default)]
    pub disabled: bool,
    /// Its pictures are made up (a demo or a test); shown with each picture.
    #[serde(default)]
    pub synthetic: bool,
    /// The compound, if it is another than the node's.
    pub site: Option<SiteId>,
    /// Where the pictures come from.
    pub source: SourceConfig,
    /// Record its last hours, so that a changed rule can be tried on them; clips need none of it.
    pub recording: Option<RecordingConfig>,
    /// The model that looks at them; may be left out when there is only one.
    pub model: Option<String>,
    /// How the model is used here.
    #[serde(default)]
    pub detector: DetectorOptions,
    /// Areas of the view, by name.
    #[serde(default)]
    pub zones: BTreeMap<ZoneId, ZoneConfig>,
    /// Lines whose crossing is counted, by name.
    #[serde(default)]
    pub lines: BTreeMap<ZoneId, LineConfig>,
    /// What may not happen, by name.
    #[serde(default)]
    pub rules: BTreeMap<RuleId, RuleConfig>,
    /// Detection of what is new in the view, whatever it is.
    #[serde(default)]
    pub change: ChangeConfig,
    /// Approved pictures of the view that `change.baseline` compares with; several for different light.
    #[serde(default)]
    pub baseline_pictures: Vec<PathBuf>,
    /// Where the view shows the ground: at least four points of it, far apart, each with its place on the picture and on the
    /// earth (`{ at = [0.1, 0.9], place = { latitude = 30.53, longitude = 120.68 } }`). With it an incident has a place,
    /// and what a drone sees there too is one incident.
    #[schemars(with = "Option<Vec<GroundReference>>")]
    pub ground: Option<GroundMap>,
    /// How objects are followed.
    #[serde(default)]
    pub tracker: TrackerConfig,
    /// How standing things are remembered.
    #[serde(default)]
    pub standing: StandingConfig,
    /// When something counts as being in a zone.
    #[serde(default)]
    pub presence: PresenceConfig,
    /// Have the model look only while something moves, and every few seconds; every frame is looked at when left out.
    pub gate: Option<GateConfig>,
    /// The camera is looked at in turn with others (轮巡) instead of all the time.
    pub patrol: Option<CameraPatrolConfig>,
    /// The camera is a PTZ dome.
    pub dome: Option<DomeConfig>,
    /// The places that a dome returns to, by name.
    #[serde(default)]
    pub presets: BTreeMap<PresetId, PresetConfig>,
    /// The rounds on which a dome is sent, by name.
    #[serde(default)]
    pub patrols: BTreeMap<String, PatrolConfig>,
}

/// What one view shows and what may not happen there: a fixed camera's own options, or those of a dome's preset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ViewOptions<'a> {
    /// Areas of the view.
    pub zones: &'a BTreeMap<ZoneId, ZoneConfig>,
    /// Lines whose crossing is counted.
    pub lines: &'a BTreeMap<ZoneId, LineConfig>,
    /// What may not happen.
    pub rules: &'a BTreeMap<RuleId, RuleConfig>,
    /// Detection of what is new.
    pub change: &'a ChangeConfig,
    /// Approved pictures of the view.
    pub baseline_pictures: &'a [PathBuf],
    /// Where it shows the ground.
    pub ground: Option<&'a GroundMap>,
}

/// An area of a camera's view.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneConfig {
    /// Its corners in order, as fractions of the frame: `[[x, y], [x, y], [x, y]]`, y down.
    pub polygon: Polygon,
    /// What the ground is for.
    pub purpose: ZonePurpose,
    /// When an object is in it: `"foot_point"`, or `{ overlap = 0.5 }` for a part of its box.
    #[serde(default)]
    pub membership: Membership,
    /// Only these classes count; all by default.
    pub labels: Option<BTreeSet<Label>>,
}

/// A line in a camera's view.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineConfig {
    /// From where to where, as fractions of the frame: `[[x, y], [x, y]]`.
    pub points: Line,
}

fn default_data_dir() -> PathBuf {
    PathBuf::from("data")
}

fn yes() -> bool {
    true
}

impl Pipeline {
    /// The site of one of its cameras.
    pub(crate) fn site_of<'a>(&'a self, camera: &'a CameraConfig) -> &'a SiteId {
        camera.site.as_ref().unwrap_or(&self.node.site)
    }

    /// The model that the camera uses, and its name.
    pub fn model_of(&self, camera: &CameraConfig) -> Option<(&str, &ModelConfig)> {
        let found = match &camera.model {
            Some(name) => self.models.get_key_value(name),
            None if self.models.len() == 1 => self.models.first_key_value(),
            None => None,
        };
        found.map(|(name, model)| (name.as_str(), model))
    }

    /// Where approved pictures of views are kept, with their history.
    pub fn baselines_dir(&self) -> PathBuf {
        self.node.data_dir.join("baselines")
    }

    /// Where cameras are recorded, a folder for each.
    pub fn recordings_dir(&self) -> PathBuf {
        self.node.data_dir.join("recordings")
    }

    /// Where evidence is kept.
    pub fn evidence_dir(&self) -> PathBuf {
        self.node.data_dir.join(&self.node.evidence.dir)
    }

    /// Makes relative paths relative to `base`.
    fn resolve(&mut self, base: &Path) {
        let fix = |path: &mut PathBuf| *path = base.join(&*path);
        fix(&mut self.node.data_dir);
        self.node.http.token_file.as_mut().map(fix);
        if let Some(surveys) = &mut self.node.surveys {
            fix(&mut surveys.site);
        }
        if let Some(share) = &mut self.node.share {
            share.store_file.as_mut().map(fix);
            if let Some(path) = share.store.as_ref().and_then(|store| store.strip_prefix("sqlite://")) {
                share.store = Some(format!("sqlite://{}", base.join(path).display()));
            }
        }
        if let Some(embedded) = &mut self.bus.embedded {
            embedded.password_file.as_mut().map(fix);
        }
        if let Some(broker) = &mut self.bus.broker {
            broker.password_file.as_mut().map(fix);
            if let Some(tls) = &mut broker.tls {
                for file in [&mut tls.ca_file, &mut tls.client_certificate_file, &mut tls.client_key_file] {
                    file.as_mut().map(fix);
                }
            }
        }
        for model in self.models.values_mut() {
            fix(&mut model.manifest);
            model.engine.library.as_mut().map(fix);
            model.engine.openvino_library.as_mut().map(fix);
        }
        for camera in self.cameras.values_mut() {
            camera.baseline_pictures.iter_mut().for_each(fix);
            for preset in camera.presets.values_mut() {
                preset.reference_pictures.iter_mut().chain(&mut preset.baseline_pictures).for_each(fix);
            }
            if let Some(onvif) = camera.dome.as_mut().and_then(|dome| dome.onvif.as_mut()) {
                onvif.password_file.as_mut().map(fix);
            }
            let source = &mut camera.source;
            if let Some(rtsp) = &mut source.rtsp {
                rtsp.password_file.as_mut().map(fix);
            }
            if let Some(rtmp) = &mut source.rtmp {
                rtmp.password_file.as_mut().map(fix);
            }
            if let Some(srt) = &mut source.srt {
                srt.passphrase_file.as_mut().map(fix);
            }
            if let Some(file) = &mut source.file {
                fix(&mut file.path);
            }
            if let Some(images) = &mut source.images {
                images.directory.as_mut().map(fix);
                if let Some(pattern) = &mut images.pattern {
                    *pattern = base.join(&*pattern).to_string_lossy().into_owned();
                }
            }
        }
    }
}

impl CameraConfig {
    /// What is watched: a fixed camera's whole view (`None`), or a preset of a dome. `None` if there is no such preset.
    pub fn view(&self, preset: Option<&PresetId>) -> Option<ViewOptions<'_>> {
        match preset {
            Some(preset) => self.presets.get(preset).map(PresetConfig::view),
            None => Some(ViewOptions {
                zones: &self.zones,
                lines: &self.lines,
                rules: &self.rules,
                change: &self.change,
                baseline_pictures: &self.baseline_pictures,
                ground: self.ground.as_ref(),
            }),
        }
    }

    /// The views, each with its preset: one without for a fixed camera, one for each preset of a dome.
    pub fn views(&self) -> impl Iterator<Item = (Option<&PresetId>, ViewOptions<'_>)> {
        let fixed = self.dome.is_none().then(|| self.view(None)).flatten().map(|view| (None, view));
        let presets = self.presets.iter().filter(|_| self.dome.is_some());
        fixed.into_iter().chain(presets.map(|(id, preset)| (Some(id), preset.view())))
    }

    /// What people are not to see, by view.
    pub fn private_areas(&self) -> PrivateAreas {
        let of = |(preset, view): (Option<&PresetId>, ViewOptions<'_>)| {
            let zones = view.zones.values().filter(|zone| zone.purpose == ZonePurpose::Private);
            PrivateView { preset: preset.cloned(), areas: zones.map(|zone| zone.polygon.clone()).collect() }
        };
        PrivateAreas::new(self.views().map(of).collect())
    }
}

impl ViewOptions<'_> {
    /// The zones that the analysis knows of, in core's form: what is private is only hidden from people.
    pub fn core_zones(&self) -> Vec<Zone> {
        let mut zones = self.all_zones();
        zones.retain(|zone| zone.purpose != ZonePurpose::Private);
        zones
    }

    /// All zones in core's form.
    pub(crate) fn all_zones(&self) -> Vec<Zone> {
        let zone = |(id, zone): (&ZoneId, &ZoneConfig)| Zone {
            id: id.clone(),
            purpose: zone.purpose,
            polygon: zone.polygon.clone(),
            membership: zone.membership,
            labels: zone.labels.clone(),
        };
        self.zones.iter().map(zone).collect()
    }
}
