//! One thread that writes evidence to disk: pictures at once, clips when their post-roll has passed.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use image::{RgbImage, imageops};
use parapet_core::{
    BBox, CameraId, Clock, EvidenceItem, EvidenceRole, Frame, IncidentEvent, IncidentId, Picture, Point,
    Timestamp, with_part,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::{error, info, warn};

use super::{Canvas, PastPicture, ZONE, jpeg, of_severity, retention};
use crate::telemetry;

/// Jobs that may wait for the disk. More are dropped and counted: detection never waits for evidence.
const QUEUE: usize = 64;
/// Time between rounds of retention.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// What the network and the decoder may hold back of the end of a clip.
const CLIP_SLACK: Duration = Duration::from_secs(1);

/// What is kept as evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceConfig {
    /// Write pictures and clips of incidents.
    pub enabled: bool,
    /// Directory; below the node's `data_dir` unless absolute.
    pub dir: PathBuf,
    /// A clip begins this long before the incident starts. At most what the camera's pre-roll holds.
    pub pre_roll_seconds: f64,
    /// A clip ends this long after the incident has started.
    pub post_roll_seconds: f64,
    /// The picture "before" is from this long before the thing came to rest.
    pub before_seconds: f64,
    /// JPEG quality, 1 to 100.
    pub jpeg_quality: u8,
    /// Evidence is removed after this many days.
    pub max_age_days: u32,
    /// The oldest evidence is removed when all of it is larger than this (1 MB is 1,000,000 bytes).
    pub max_megabytes: u64,
    /// No evidence is written while less than this is free on the disk.
    pub min_free_megabytes: u64,
}

impl Default for EvidenceConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            dir: PathBuf::from("evidence"),
            pre_roll_seconds: 5.0,
            post_roll_seconds: 5.0,
            before_seconds: 3.0,
            jpeg_quality: 88,
            max_age_days: 30,
            max_megabytes: 20_000,
            min_free_megabytes: 500,
        }
    }
}

/// Writes the encoded video between two times to a file; the error says why there is none.
pub(crate) type ClipSource = Box<dyn Fn(Timestamp, Timestamp, &Path) -> Result<(), String> + Send>;

/// A suspicion that has just started, with what proves it.
pub(crate) struct Suspicion {
    pub(crate) event: IncidentEvent,
    /// The frame that decided it.
    pub(crate) frame: Frame,
    /// Outline of its zone.
    pub(crate) zone: Option<Vec<Point>>,
    /// The view before.
    pub(crate) before: Option<PastPicture>,
    /// The approved baseline, which is the better "before" for what grows slowly.
    pub(crate) baseline: Option<Arc<Picture>>,
    /// Where the clip comes from.
    pub(crate) clip: Option<ClipSource>,
}

/// Evidence that is on disk.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    pub(crate) camera: CameraId,
    pub(crate) incident: IncidentId,
    pub(crate) at: Timestamp,
    pub(crate) items: Vec<EvidenceItem>,
}

enum Job {
    Started(Box<Suspicion>),
    Ended(IncidentId),
    Stop,
}

/// Where cameras hand in their suspicions.
#[derive(Clone)]
pub(crate) struct RecorderHandle {
    jobs: SyncSender<Job>,
    trouble: Arc<Mutex<Option<String>>>,
}

impl RecorderHandle {
    /// Never blocks; a suspicion that finds the queue full goes without evidence, counted.
    pub(crate) fn started(&self, suspicion: Suspicion) {
        let camera = suspicion.event.camera.clone();
        if let Err(TrySendError::Full(_)) = self.jobs.try_send(Job::Started(Box::new(suspicion))) {
            telemetry::evidence_skipped(&camera, "behind");
            warn!(%camera, "the disk is behind: an incident goes without evidence");
        }
    }

    /// The incident is over: retention may remove it in its turn.
    pub(crate) fn ended(&self, incident: IncidentId) {
        // Lost only when the queue is full; the evidence is then kept longer than it must be, until a restart.
        let _ = self.jobs.try_send(Job::Ended(incident));
    }

    /// What keeps evidence from being written, if anything does.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().expect("no panic while the note is held").clone()
    }
}

/// The evidence thread.
pub(crate) struct Recorder {
    handle: RecorderHandle,
    thread: Option<JoinHandle<()>>,
}

/// Bytes that are free for us where this path is.
type FreeSpace = Box<dyn Fn(&Path) -> io::Result<u64> + Send>;

impl Recorder {
    /// Starts the thread. `open` are incidents that were open already; `ready` is called with each set of evidence.
    pub(crate) fn start(
        config: EvidenceConfig,
        root: PathBuf,
        clock: Arc<dyn Clock>,
        open: HashSet<IncidentId>,
        ready: impl Fn(Ready) + Send + 'static,
    ) -> io::Result<Self> {
        let free = Box::new(|path: &Path| {
            let stat = rustix::fs::statvfs(path)?;
            Ok(stat.f_bavail * stat.f_frsize)
        });
        Self::start_with(config, root, clock, open, free, ready)
    }

    fn start_with(
        config: EvidenceConfig,
        root: PathBuf,
        clock: Arc<dyn Clock>,
        open: HashSet<IncidentId>,
        free: FreeSpace,
        ready: impl Fn(Ready) + Send + 'static,
    ) -> io::Result<Self> {
        fs::create_dir_all(&root)?;
        let (jobs, inbox) = sync_channel(QUEUE);
        let trouble = Arc::new(Mutex::new(None));
        let writer = Writer {
            config,
            root,
            clock,
            open,
            free,
            ready: Box::new(ready),
            trouble: trouble.clone(),
            clips: Vec::new(),
            swept_at: None,
        };
        let thread = std::thread::Builder::new().name("evidence".into()).spawn(move || writer.run(&inbox))?;
        Ok(Self { handle: RecorderHandle { jobs, trouble }, thread: Some(thread) })
    }

    /// Where cameras hand in their suspicions.
    pub(crate) fn handle(&self) -> RecorderHandle {
        self.handle.clone()
    }

    /// Writes what is queued, cuts the clips short that still wait for their post-roll, and ends the thread.
    pub(crate) fn stop(mut self) {
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // Blocks while the queue is full: what was handed in is written.
            let _ = self.handle.jobs.send(Job::Stop);
            if thread.join().is_err() {
                error!("the evidence thread had panicked");
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.join();
    }
}

struct PendingClip {
    due: Duration,
    event: IncidentEvent,
    source: ClipSource,
}

struct Writer {
    config: EvidenceConfig,
    root: PathBuf,
    clock: Arc<dyn Clock>,
    open: HashSet<IncidentId>,
    free: FreeSpace,
    ready: Box<dyn Fn(Ready) + Send>,
    trouble: Arc<Mutex<Option<String>>>,
    clips: Vec<PendingClip>,
    swept_at: Option<Duration>,
}

impl Writer {
    fn run(mut self, inbox: &Receiver<Job>) {
        loop {
            self.sweep_if_due();
            let now = self.clock.monotonic();
            let next = self.clips.iter().map(|clip| clip.due).min();
            let wait = next.map_or(SWEEP_EVERY, |due| due.saturating_sub(now).min(SWEEP_EVERY));
            match inbox.recv_timeout(wait) {
                Ok(Job::Started(suspicion)) => self.start_incident(*suspicion),
                Ok(Job::Ended(incident)) => {
                    self.open.remove(&incident);
                }
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.write_clips(self.clock.monotonic());
        }
        self.write_clips(Duration::MAX);
    }

    fn start_incident(&mut self, mut suspicion: Suspicion) {
        self.open.insert(suspicion.event.incident_id);
        let source = suspicion.clip.take();
        if self.has_room(&suspicion.event.camera) {
            let result = self.save_pictures(&suspicion);
            self.report(&suspicion.event, result);
        }
        if let Some(source) = source {
            let wait = Duration::from_secs_f64(self.config.post_roll_seconds.max(0.0)) + CLIP_SLACK;
            self.clips.push(PendingClip {
                due: self.clock.monotonic() + wait,
                event: suspicion.event,
                source,
            });
        }
    }

    /// Snapshot, annotated snapshot, before and after. Each picture is decoded, drawn and hashed here and nowhere else.
    fn save_pictures(&self, suspicion: &Suspicion) -> io::Result<Vec<EvidenceItem>> {
        let Suspicion { event, frame, zone, before, baseline, .. } = suspicion;
        let quality = self.config.jpeg_quality.clamp(1, 100);
        let mut items = Vec::with_capacity(4);
        let mut save = |role, name: &str, bytes: image::ImageResult<Vec<u8>>| {
            let bytes = bytes.map_err(io::Error::other)?;
            items.push(self.write(event, role, name, &bytes)?);
            io::Result::Ok(())
        };
        save(EvidenceRole::Snapshot, "snapshot.jpg", jpeg::encode(&frame.picture, quality))?;
        let mut canvas = Canvas::new(&frame.picture);
        if let Some(zone) = zone {
            canvas.outline(zone, ZONE);
        }
        let color = of_severity(event.severity);
        if let Some(outline) = &event.outline {
            canvas.outline(outline, color);
        }
        let what = event.label.as_ref().map_or(String::new(), |label| format!(" {label}"));
        canvas.labelled_box(
            event.bbox,
            &format!("{}{what} {:.0}%", event.kind.as_str(), event.score * 100.0),
            color,
        );
        canvas.footer(&format!("{} {:.0}", event.camera, event.at));
        save(EvidenceRole::Annotated, "annotated.jpg", jpeg::encode_rgb(&canvas.into_image(), quality))?;

        let past = match (baseline, before) {
            (Some(baseline), _) => rgb(baseline),
            (None, Some(before)) => jpeg::decode(&before.jpeg).ok(),
            (None, None) => None,
        };
        if let Some(past) = past {
            let now = rgb(&frame.picture).ok_or_else(|| io::Error::other("the frame has no pixels"))?;
            let (past, now, part) = same_place(&past, &now, event.bbox);
            let encode = |image| {
                let jpeg = jpeg::encode_rgb(image, quality)?;
                Ok(match part {
                    Some(part) => with_part(&jpeg, part),
                    None => jpeg,
                })
            };
            save(EvidenceRole::Before, "before.jpg", encode(&past))?;
            save(EvidenceRole::After, "after.jpg", encode(&now))?;
        }
        Ok(items)
    }

    fn write_clips(&mut self, now: Duration) {
        let due: Vec<PendingClip> = self.clips.extract_if(.., |clip| clip.due <= now).collect();
        for PendingClip { event, source, .. } in due {
            if !self.has_room(&event.camera) {
                continue;
            }
            let seconds = |s: f64| Duration::from_secs_f64(s.max(0.0));
            let from = event.started_at - seconds(self.config.pre_roll_seconds);
            let to = event.started_at + seconds(self.config.post_roll_seconds);
            let result = self.save_clip(&event, &source, from, to);
            self.report(&event, result.map(|item| vec![item]));
        }
    }

    fn save_clip(
        &self,
        event: &IncidentEvent,
        source: &ClipSource,
        from: Timestamp,
        to: Timestamp,
    ) -> io::Result<EvidenceItem> {
        let (dir, relative) = self.dir_of(event)?;
        let part = dir.join("clip.part.mp4");
        source(from, to, &part).map_err(io::Error::other).inspect_err(|_| {
            let _ = fs::remove_file(&part);
        })?;
        let mut file = fs::File::open(&part)?;
        let mut hash = Sha256::new();
        let bytes = io::copy(&mut file, &mut hash)?;
        file.sync_all()?;
        fs::rename(&part, dir.join("clip.mp4"))?;
        Ok(EvidenceItem {
            role: EvidenceRole::Clip,
            path: format!("{relative}/clip.mp4"),
            media_type: "video/mp4".into(),
            bytes,
            sha256: hex::encode(hash.finalize()),
        })
    }

    fn write(
        &self,
        event: &IncidentEvent,
        role: EvidenceRole,
        name: &str,
        bytes: &[u8],
    ) -> io::Result<EvidenceItem> {
        let (dir, relative) = self.dir_of(event)?;
        let part = dir.join(format!("{name}.part"));
        let written = fs::write(&part, bytes).and_then(|()| fs::File::open(&part)?.sync_all());
        written.and_then(|()| fs::rename(&part, dir.join(name))).inspect_err(|_| {
            let _ = fs::remove_file(&part);
        })?;
        Ok(EvidenceItem {
            role,
            path: format!("{relative}/{name}"),
            media_type: super::media_type(Path::new(name)).into(),
            bytes: bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(bytes)),
        })
    }

    fn dir_of(&self, event: &IncidentEvent) -> io::Result<(PathBuf, String)> {
        let date = event.started_at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let relative = format!("{date}/{}", event.incident_id);
        let dir = self.root.join(&relative);
        fs::create_dir_all(&dir)?;
        Ok((dir, relative))
    }

    fn report(&self, event: &IncidentEvent, result: io::Result<Vec<EvidenceItem>>) {
        match result {
            Ok(items) => {
                telemetry::evidence_written(&event.camera, items.iter().map(|item| item.bytes).sum());
                let (camera, incident) = (event.camera.clone(), event.incident_id);
                (self.ready)(Ready { camera, incident, at: self.clock.now(), items });
            }
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                telemetry::evidence_skipped(&event.camera, "disk-full");
                self.set_trouble(Some("the disk is full".into()));
            }
            Err(error) => {
                telemetry::evidence_skipped(&event.camera, "failed");
                warn!(camera = %event.camera, incident = %event.incident_id, %error, "cannot write evidence");
            }
        }
    }

    /// Whether there is room on the disk, after retention has had its chance.
    fn has_room(&mut self, camera: &CameraId) -> bool {
        if !self.config.enabled {
            return false;
        }
        let enough = |writer: &Self| match (writer.free)(&writer.root) {
            Ok(free) => {
                telemetry::disk_free(free);
                free >= writer.config.min_free_megabytes * 1_000_000
            }
            Err(error) => {
                warn!(%error, "cannot ask for the free space of the disk");
                true
            }
        };
        if !enough(self) {
            self.sweep();
            if !enough(self) {
                telemetry::evidence_skipped(camera, "disk-full");
                self.set_trouble(Some(format!(
                    "less than {} MB are free on the disk",
                    self.config.min_free_megabytes
                )));
                return false;
            }
        }
        self.set_trouble(None);
        true
    }

    fn set_trouble(&self, trouble: Option<String>) {
        let mut noted = self.trouble.lock().expect("no panic while the note is held");
        match (&*noted, &trouble) {
            (None, Some(why)) => {
                error!(dir = %self.root.display(), why, "evidence is no longer written; detection goes on");
            }
            (Some(_), None) => info!(dir = %self.root.display(), "evidence is written again"),
            _ => {}
        }
        telemetry::evidence_degraded(trouble.is_some());
        *noted = trouble;
    }

    fn sweep_if_due(&mut self) {
        let now = self.clock.monotonic();
        if self.swept_at.is_none_or(|at| now.saturating_sub(at) >= SWEEP_EVERY) {
            self.swept_at = Some(now);
            self.sweep();
            if let Ok(free) = (self.free)(&self.root) {
                telemetry::disk_free(free);
            }
        }
    }

    fn sweep(&mut self) {
        let EvidenceConfig { max_age_days, max_megabytes, .. } = self.config;
        match retention::sweep(
            &self.root,
            self.clock.now(),
            max_age_days,
            max_megabytes * 1_000_000,
            &self.open,
        ) {
            Ok(swept) => {
                telemetry::evidence_kept(swept.bytes);
                if swept.removed > 0 {
                    info!(removed = swept.removed, bytes = swept.bytes, "old evidence was removed");
                }
            }
            Err(error) => warn!(%error, dir = %self.root.display(), "cannot remove old evidence"),
        }
    }
}

fn rgb(picture: &Picture) -> Option<RgbImage> {
    RgbImage::from_raw(picture.width() as u32, picture.height() as u32, picture.to_rgb())
}

/// The place of `bbox` with its surroundings, cut from two pictures of one view, both in the size of the sharper one; and
/// which part of the view that is.
fn same_place(before: &RgbImage, after: &RgbImage, bbox: BBox) -> (RgbImage, RgbImage, Option<BBox>) {
    let half = |length: f32| (length * 1.5).max(0.15);
    let c = bbox.center();
    let around = |c: f32, half: f32| {
        let low = (c - half).max(0.0).min((1.0 - 2.0 * half).max(0.0));
        (low, (low + 2.0 * half).min(1.0))
    };
    let (x, y) = (around(c.x, half(bbox.width())), around(c.y, half(bbox.height())));
    let cut = |image: &RgbImage| {
        let (w, h) = (image.width() as f32, image.height() as f32);
        let (width, height) = (((x.1 - x.0) * w).max(1.0), ((y.1 - y.0) * h).max(1.0));
        imageops::crop_imm(image, (x.0 * w) as u32, (y.0 * h) as u32, width as u32, height as u32).to_image()
    };
    let (mut before, mut after) = (cut(before), cut(after));
    let (w, h) = if after.width() >= before.width() { after.dimensions() } else { before.dimensions() };
    for image in [&mut before, &mut after] {
        if image.dimensions() != (w, h) {
            *image = imageops::resize(image, w, h, imageops::FilterType::Triangle);
        }
    }
    (before, after, BBox::new(x.0, y.0, x.1, y.1))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    };

    use parapet_core::{EventId, IncidentKind, ManualClock, Phase, RunId, Severity};

    use super::*;
    use EvidenceRole::{After, Annotated, Before, Clip, Snapshot};

    fn suspicion(name: &str, clip: Option<ClipSource>) -> Suspicion {
        let at: Timestamp = "2026-11-22T02:31:32.5Z".parse().unwrap();
        let picture = Arc::new(Picture::from_rgb(64, 48, &[120; 64 * 48 * 3]).unwrap());
        let before = jpeg::encode(&Picture::from_rgb(32, 24, &[20; 32 * 24 * 3]).unwrap(), 90).unwrap();
        Suspicion {
            event: IncidentEvent {
                event_id: EventId::derive(&[name]),
                incident_id: IncidentId::derive(&[name]),
                sequence: 0,
                phase: Phase::Started,
                kind: IncidentKind::OccupiedRoadway,
                severity: Severity::Medium,
                camera: "gate".parse().unwrap(),
                preset: None,
                run: RunId::derive(&["r"]),
                rule: "lane".parse().unwrap(),
                zone: None,
                at,
                since: at,
                started_at: at,
                ended_at: None,
                end_reason: None,
                label: None,
                track: None,
                bbox: BBox::new(0.4, 0.4, 0.6, 0.6).unwrap(),
                outline: None,
                count: 1,
                score: 0.8,
                covered: None,
                place: None,
            },
            frame: Frame {
                camera: "gate".parse().unwrap(),
                preset: None,
                run: RunId::derive(&["r"]),
                sequence: 1,
                captured_at: at,
                picture,
            },
            zone: Some(vec![Point::new(0.1, 0.1), Point::new(0.9, 0.1), Point::new(0.5, 0.9)]),
            before: Some(PastPicture { captured_at: at, jpeg: Arc::new(before) }),
            baseline: None,
            clip,
        }
    }

    fn recorder(root: &Path, free: Arc<AtomicU64>) -> (Recorder, mpsc::Receiver<Ready>) {
        let (sender, ready) = mpsc::channel();
        let clock = Arc::new(ManualClock::new("2026-11-22T02:31:40Z".parse().unwrap()));
        let recorder = Recorder::start_with(
            EvidenceConfig::default(),
            root.to_owned(),
            clock,
            HashSet::new(),
            Box::new(move |_| Ok(free.load(Ordering::Relaxed))),
            move |set| sender.send(set).unwrap(),
        )
        .unwrap();
        (recorder, ready)
    }

    #[test]
    fn an_incident_leaves_four_pictures_and_a_clip_with_true_hashes() {
        let dir = tempfile::tempdir().unwrap();
        let (recorder, ready) = recorder(dir.path(), Arc::new(AtomicU64::new(u64::MAX)));
        let clip: ClipSource = Box::new(|from, to, path| {
            fs::write(path, format!("{from} {to}")).map_err(|error| error.to_string())
        });
        recorder.handle().started(suspicion("a", Some(clip)));
        recorder.stop();
        let items: Vec<EvidenceItem> = ready.iter().flat_map(|set| set.items).collect();
        let roles: Vec<EvidenceRole> = items.iter().map(|item| item.role).collect();
        assert_eq!(roles, [Snapshot, Annotated, Before, After, Clip]);
        for item in &items {
            let bytes = fs::read(dir.path().join(&item.path)).unwrap();
            assert_eq!(bytes.len() as u64, item.bytes);
            assert_eq!(hex::encode(Sha256::digest(&bytes)), item.sha256);
        }
        let clip = fs::read_to_string(dir.path().join(&items[4].path)).unwrap();
        assert_eq!(clip, "2026-11-22T02:31:27.5Z 2026-11-22T02:31:37.5Z");
        let read = |i: usize| jpeg::decode(&fs::read(dir.path().join(&items[i].path)).unwrap()).unwrap();
        assert_eq!(read(2).dimensions(), read(3).dimensions());
        // Who hides what is private in the view has to know what they show of it.
        let part = |i: usize| parapet_core::part_of(&fs::read(dir.path().join(&items[i].path)).unwrap());
        assert!(part(2).is_some_and(|part| part.width() < 1.0) && part(2) == part(3));
        assert_eq!((part(0), part(1)), (None, None), "the whole view");
        assert!(read(2).get_pixel(1, 1)[0] < 60 && read(3).get_pixel(1, 1)[0] > 90);
    }

    #[test]
    fn a_full_disk_costs_evidence_and_says_so_until_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let free = Arc::new(AtomicU64::new(0));
        let (recorder, ready) = recorder(dir.path(), free.clone());
        let handle = recorder.handle();
        let troubled: ClipSource = Box::new({
            let free = free.clone();
            move |_, _, _| {
                free.store(u64::MAX, Ordering::Relaxed);
                Err("unused".into())
            }
        });
        handle.started(suspicion("a", Some(troubled)));
        handle.started(suspicion("b", None));
        // The thread works one job after the other: once it is gone, both were handled.
        recorder.stop();
        assert_eq!(ready.iter().count(), 0);
        assert!(handle.trouble().is_some());

        free.store(u64::MAX, Ordering::Relaxed);
        let (recorder, ready) = self::recorder(dir.path(), free);
        let handle = recorder.handle();
        handle.started(suspicion("c", None));
        recorder.stop();
        assert_eq!(ready.iter().count(), 1);
        assert!(handle.trouble().is_none());
    }
}
