//! The newest analysed frame of each camera, for whoever watches. Pictures are encoded when somebody asks, once for
//! each size, and never while nobody does.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use bytes::Bytes;
use parapet_analytics::{OpenIncident, RuleConfig, Step};
use parapet_core::{
    BBox, CameraHealth, CameraId, Frame, IncidentId, IncidentKind, Label, Point, PresetId, RuleId, RunId,
    Severity, SiteId, Timestamp, TrackId, TrackState, ZoneId, ZonePurpose, time::seconds_between,
};
use serde::Serialize;
use tokio::sync::watch;

use crate::{config::CameraConfig, evidence::encode_jpeg};

/// JPEG quality of live pictures.
const QUALITY: u8 = 78;

/// What is drawn over a live picture.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Overlay {
    pub(crate) camera: CameraId,
    /// The preset that a dome looks from; the picture is as its reference would see it.
    pub(crate) preset: Option<PresetId>,
    /// Whether the frame was analysed: not while a dome turns or looks elsewhere.
    pub(crate) watched: bool,
    pub(crate) run: RunId,
    pub(crate) sequence: u64,
    pub(crate) captured_at: Timestamp,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) tracks: Vec<LiveTrack>,
    pub(crate) regions: Vec<LiveRegion>,
    pub(crate) open: Vec<LiveIncident>,
    pub(crate) light_changed: bool,
    pub(crate) view_shifted: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct LiveTrack {
    pub(crate) id: TrackId,
    pub(crate) label: Label,
    pub(crate) state: TrackState,
    pub(crate) score: f32,
    pub(crate) bbox: BBox,
    pub(crate) standing_seconds: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct LiveRegion {
    pub(crate) number: u64,
    pub(crate) bbox: BBox,
    pub(crate) outline: Vec<Point>,
    pub(crate) source: &'static str,
    pub(crate) since: Timestamp,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct LiveIncident {
    pub(crate) incident_id: IncidentId,
    pub(crate) kind: IncidentKind,
    pub(crate) severity: Severity,
    pub(crate) bbox: BBox,
    pub(crate) outline: Option<Vec<Point>>,
    pub(crate) zone: Option<ZoneId>,
    pub(crate) since: Timestamp,
    pub(crate) started_at: Timestamp,
    pub(crate) count: u32,
    pub(crate) covered: Option<f32>,
}

impl From<&OpenIncident> for LiveIncident {
    fn from(event: &OpenIncident) -> Self {
        Self {
            incident_id: event.incident_id,
            kind: event.kind,
            severity: event.severity,
            bbox: event.bbox,
            outline: event.outline.as_deref().map(<[Point]>::to_vec),
            zone: event.zone.clone(),
            since: event.since,
            started_at: event.started_at,
            count: event.count,
            covered: event.covered,
        }
    }
}

impl Overlay {
    /// What was found in a frame.
    pub(crate) fn new(frame: &Frame, step: &Step, watched: bool) -> Self {
        let stationary = step.change.stationary.iter().map(|region| LiveRegion {
            number: region.number,
            bbox: region.bbox,
            outline: region.outline.clone(),
            source: "stationary",
            since: region.since,
        });
        let differences = step.change.differences.iter().map(|region| LiveRegion {
            number: region.number,
            bbox: region.bbox,
            outline: region.outline.clone(),
            source: "baseline",
            since: region.since,
        });
        let since_of = |id| step.open.iter().find(|open| open.track == Some(id)).map(|open| open.since);
        let tracks = step.tracks.iter().map(|track| LiveTrack {
            id: track.id,
            label: track.label.clone(),
            state: track.state,
            score: track.score,
            bbox: track.bbox,
            standing_seconds: step.standing.contains(&track.id).then(|| {
                seconds_between(since_of(track.id).unwrap_or(track.first_seen_at), frame.captured_at)
            }),
        });
        Self {
            camera: frame.camera.clone(),
            preset: frame.preset.clone(),
            watched,
            run: frame.run,
            sequence: frame.sequence,
            captured_at: frame.captured_at,
            width: frame.picture.width(),
            height: frame.picture.height(),
            tracks: tracks.collect(),
            regions: stationary.chain(differences).collect(),
            open: step.open.iter().map(Into::into).collect(),
            light_changed: step.change.light_changed,
            view_shifted: step.change.view_shifted,
        }
    }
}

/// One analysed frame with what was found in it.
#[derive(Debug)]
pub(crate) struct LiveFrame {
    pub(crate) frame: Frame,
    pub(crate) overlay: Overlay,
    encoded: Mutex<BTreeMap<u32, Bytes>>,
}

impl LiveFrame {
    pub(crate) fn new(frame: Frame, overlay: Overlay) -> Self {
        Self { frame, overlay, encoded: Mutex::default() }
    }

    /// The picture as JPEG, at most `max_width` wide. Blocks while it is encoded; readers of one size share the work.
    pub(crate) fn jpeg(&self, max_width: u32) -> Option<Bytes> {
        let width = max_width.clamp(16, self.frame.picture.width().max(16) as u32);
        let mut encoded = self.encoded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = encoded.get(&width) {
            return Some(bytes.clone());
        }
        let picture = self.frame.picture.fitted(width as usize, usize::from(u16::MAX));
        let bytes = Bytes::from(encode_jpeg(&picture, QUALITY).ok()?);
        encoded.insert(width, bytes.clone());
        Some(bytes)
    }
}

/// What a page needs to know about a camera.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CameraInfo {
    pub(crate) camera: CameraId,
    pub(crate) site: SiteId,
    pub(crate) name: Option<String>,
    pub(crate) width: Option<usize>,
    pub(crate) height: Option<usize>,
    pub(crate) analysed_fps: f64,
    pub(crate) synthetic: bool,
    pub(crate) zones: Vec<ZoneInfo>,
    pub(crate) rules: Vec<RuleInfo>,
    pub(crate) health: Option<CameraHealth>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ZoneInfo {
    pub(crate) id: ZoneId,
    pub(crate) purpose: ZonePurpose,
    pub(crate) polygon: Vec<Point>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct RuleInfo {
    pub(crate) id: RuleId,
    pub(crate) kind: IncidentKind,
    pub(crate) zones: Vec<ZoneId>,
    pub(crate) limit_seconds: Option<f64>,
}

impl CameraInfo {
    /// A camera that has shown nothing yet. The zones of a dome belong to its presets and are not among these.
    pub(crate) fn new(camera: &CameraId, site: &SiteId, config: &CameraConfig) -> Self {
        let rule = |(id, rule): (&RuleId, &RuleConfig)| {
            let options = serde_json::to_value(rule).unwrap_or_default();
            let options = &options[rule.kind().as_str()];
            let zones = ["zones", "forbidden"].into_iter().find_map(|key| options[key].as_array());
            RuleInfo {
                id: id.clone(),
                kind: rule.kind(),
                zones: zones.into_iter().flatten().filter_map(|zone| zone.as_str()?.parse().ok()).collect(),
                limit_seconds: options["limit_seconds"].as_f64(),
            }
        };
        Self {
            camera: camera.clone(),
            site: site.clone(),
            name: config.name.clone(),
            width: None,
            height: None,
            analysed_fps: match config.patrol {
                Some(patrol) => f64::from(patrol.looks) / patrol.every_seconds.as_f64().max(1e-3),
                None => config.source.analysed_fps,
            },
            synthetic: config.synthetic,
            zones: config
                .zones
                .iter()
                .map(|(id, zone)| ZoneInfo {
                    id: id.clone(),
                    purpose: zone.purpose,
                    polygon: zone.polygon.points().to_vec(),
                })
                .collect(),
            rules: config.views().flat_map(|(_, view)| view.rules).map(rule).collect(),
            health: None,
        }
    }
}

/// The newest frame; `None` before the first.
pub(crate) type LatestFrame = Option<Arc<LiveFrame>>;

struct Entry {
    info: CameraInfo,
    sender: watch::Sender<LatestFrame>,
}

/// All cameras of the node, as others may look at them.
#[derive(Clone, Default)]
pub(crate) struct LiveCameras(Arc<RwLock<BTreeMap<CameraId, Entry>>>);

impl LiveCameras {
    /// Adds or replaces a camera. Watchers of one that was replaced go on.
    pub(crate) fn insert(&self, info: CameraInfo) {
        let mut cameras = self.0.write().expect("no panic while the list is held");
        let old = cameras.remove(&info.camera);
        let sender = old.map_or_else(|| watch::channel(None).0, |entry| entry.sender);
        cameras.insert(info.camera.clone(), Entry { info, sender });
    }

    /// Takes a camera out; its watchers see the channel close.
    pub(crate) fn remove(&self, camera: &CameraId) {
        self.0.write().expect("no panic while the list is held").remove(camera);
    }

    /// Shows the newest frame.
    pub(crate) fn show(&self, frame: LiveFrame) {
        let cameras = self.0.read().expect("no panic while the list is held");
        if let Some(entry) = cameras.get(&frame.frame.camera) {
            entry.sender.send_replace(Some(Arc::new(frame)));
        }
    }

    /// Notes a camera's health.
    pub(crate) fn set_health(&self, health: &CameraHealth) {
        let mut cameras = self.0.write().expect("no panic while the list is held");
        if let Some(entry) = cameras.get_mut(&health.camera) {
            entry.info.health = Some(health.clone());
        }
    }

    /// Follows a camera's frames.
    pub(crate) fn watch(&self, camera: &str) -> Option<watch::Receiver<LatestFrame>> {
        let cameras = self.0.read().expect("no panic while the list is held");
        cameras.get(camera).map(|entry| entry.sender.subscribe())
    }

    /// Whether somebody follows a camera's frames now.
    pub(crate) fn is_watched(&self, camera: &CameraId) -> bool {
        let cameras = self.0.read().expect("no panic while the list is held");
        cameras.get(camera).is_some_and(|entry| entry.sender.receiver_count() > 0)
    }

    /// All cameras, with the size of their newest frame.
    pub(crate) fn list(&self) -> Vec<CameraInfo> {
        let cameras = self.0.read().expect("no panic while the list is held");
        cameras
            .values()
            .map(|entry| {
                let mut info = entry.info.clone();
                if let Some(latest) = entry.sender.borrow().as_ref() {
                    info.width = Some(latest.frame.picture.width());
                    info.height = Some(latest.frame.picture.height());
                }
                info
            })
            .collect()
    }
}
