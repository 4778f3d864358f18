//! Trying a draft on what was recorded of a camera: the same assembly as live, offline over the segments with their true
//! times, and what it would have raised. One at a time, on at most half a core beside the live cameras, in memory only.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use parapet_core::{
    BBox, CameraId, Clock, Frame, HealthEvent, HealthState, IncidentEvent, IncidentId, IncidentKind, Phase,
    PresetId, RuleId, RunId, Severity, Timestamp, ZoneId, time::seconds_between,
};
use parapet_ingest::{CameraStream, FileConfig, SourceConfig, StreamEvent};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Desk, Setup,
    draft::failed,
    refusal::Refusal,
    routes::{Body, blocking, body},
};
use crate::{
    assembly::{Assembly, Engines},
    config::Pipeline,
    evidence::{Canvas, ZONE, encode_rgb, of_severity},
    node::chain,
    recording::{Segment, segments, spans},
    watch::{Looked, Watch},
};

/// Longest recording of one trial.
const LONGEST: Duration = Duration::from_hours(6);
/// Longest silence of GStreamer before a segment counts as broken.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is further apart is a new run, as after a reconnect.
const GAP_SECONDS: f64 = 5.0;
/// Incidents that are told, and those of them that have a picture.
const MOST: (usize, usize) = (500, 100);
/// Pictures are no wider.
const WIDTH: u32 = 960;
const QUALITY: u8 = 80;

/// An incident that would have been raised.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Raised {
    number: usize,
    at: Timestamp,
    ended_at: Option<Timestamp>,
    kind: IncidentKind,
    rule: RuleId,
    zone: Option<ZoneId>,
    preset: Option<PresetId>,
    bbox: BBox,
    confidence: f32,
    severity: Severity,
    picture: bool,
    #[serde(skip)]
    id: IncidentId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Course {
    Running,
    Done,
    Cancelled,
    Failed,
}

/// A trial as it is told.
#[derive(Debug, Clone, Serialize)]
struct Told {
    trial: Uuid,
    camera: CameraId,
    state: Course,
    detail: Option<String>,
    from: Timestamp,
    to: Timestamp,
    analysed_seconds: f64,
    total_seconds: f64,
    share: f64,
    draft: Vec<Raised>,
    current: Option<Vec<Raised>>,
}

/// Whose incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Of {
    Draft,
    Current,
}

struct Job {
    told: Told,
    pictures: BTreeMap<(Of, usize), Vec<u8>>,
}

/// The latest trial.
#[derive(Default)]
pub(super) struct TrialDesk {
    job: Arc<Mutex<Option<Job>>>,
    work: Mutex<Option<(Arc<AtomicBool>, JoinHandle<()>)>>,
}

impl TrialDesk {
    fn told(&self) -> Option<Told> {
        held(&self.job).as_ref().map(|job| job.told.clone())
    }

    /// Cancels what runs, and waits for its end.
    pub(super) fn stop(&self) {
        let work = held(&self.work).take();
        if let Some((cancelled, thread)) = work {
            cancelled.store(true, Ordering::Relaxed);
            if thread.join().is_err() {
                tracing::error!("a trial panicked");
            }
        }
    }

    fn start(&self, told: Told, work: impl FnOnce(&Progress) + Send + 'static) -> Result<Told, Refusal> {
        let mut running = held(&self.work);
        if running.as_ref().is_some_and(|(_, thread)| !thread.is_finished()) {
            return Err(Refusal::Busy);
        }
        *held(&self.job) = Some(Job { told: told.clone(), pictures: BTreeMap::new() });
        let cancelled = Arc::new(AtomicBool::new(false));
        let progress = Progress { job: self.job.clone(), cancelled: cancelled.clone() };
        let thread = std::thread::Builder::new().name("trial".into()).spawn(move || work(&progress));
        *running = Some((cancelled, thread.map_err(|error| failed(&error))?));
        Ok(told)
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Where a trial tells how far it is.
struct Progress {
    job: Arc<Mutex<Option<Job>>>,
    cancelled: Arc<AtomicBool>,
}

impl Progress {
    fn tell(&self, change: impl FnOnce(&mut Job)) {
        if let Some(job) = held(&self.job).as_mut() {
            change(job);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// What is tried, and on what.
struct Trial {
    camera: CameraId,
    segments: Vec<Segment>,
    from: Timestamp,
    to: Timestamp,
    clock: Arc<dyn Clock>,
}

impl Trial {
    /// Tries the pipelines in turn, and tells how it ended.
    fn run(&self, pipelines: &[(Of, Pipeline)], progress: &Progress) {
        let mut outcome = Ok(());
        for (of, pipeline) in pipelines {
            outcome = outcome.and_then(|()| self.look(*of, pipeline, progress));
        }
        progress.tell(|job| {
            (job.told.state, job.told.detail) = match outcome {
                Err(why) => (Course::Failed, Some(why)),
                Ok(()) if progress.is_cancelled() => (Course::Cancelled, None),
                Ok(()) => (Course::Done, None),
            };
            if job.told.state == Course::Done {
                job.told.share = 1.0;
            }
        });
    }

    /// Looks through all segments as the camera of a pipeline would have.
    fn look(&self, of: Of, pipeline: &Pipeline, progress: &Progress) -> Result<(), String> {
        let config = pipeline.cameras.get(&self.camera).ok_or("the camera is not in the file")?;
        let told = |error: &dyn std::error::Error| chain(error);
        let mut engines = Engines::default();
        let assembly = Assembly::new(pipeline, &self.camera, config, &mut engines, self.clock.clone(), true)
            .map_err(|error| told(&error))?;
        let mut watch = assembly.build().map_err(|error| told(&error))?.watch;
        let mut times = Times::default();
        for segment in &self.segments {
            let file = FileConfig {
                path: segment.path.clone(),
                paced: false,
                looped: false,
                start_at: Some(segment.from),
            };
            let source = SourceConfig {
                rtsp: None,
                rtmp: None,
                srt: None,
                images: None,
                device: None,
                test: None,
                file: Some(file),
                ..config.source.clone()
            };
            let mut stream = match CameraStream::open(self.camera.clone(), &source, self.clock.clone()) {
                Ok(stream) => stream,
                // The oldest may have gone meanwhile.
                Err(_) if !segment.path.exists() => continue,
                Err(error) => return Err(told(&error)),
            };
            loop {
                if progress.is_cancelled() {
                    return Ok(());
                }
                match stream.next(PATIENCE) {
                    Some(StreamEvent::Frame(frame)) if (self.from..=self.to).contains(&frame.captured_at) => {
                        self.step(of, &mut watch, &times.of(frame), config, progress)?;
                    }
                    Some(StreamEvent::Health(health))
                        if health.state == HealthState::Offline
                            && health.event != HealthEvent::EndOfStream =>
                    {
                        return Err(health.detail.unwrap_or_else(|| "the recording is broken".to_owned()));
                    }
                    Some(StreamEvent::Frame(_) | StreamEvent::Health(_)) => {}
                    Some(StreamEvent::Ended) => break,
                    None => return Err("nothing comes out of the recording any more".to_owned()),
                }
            }
            let seconds = self.seconds_of(segment);
            progress.tell(|job| {
                let told = &mut job.told;
                told.analysed_seconds += seconds;
                told.share = (told.analysed_seconds / told.total_seconds).clamp(0.0, 1.0);
            });
        }
        Ok(())
    }

    fn step(
        &self,
        of: Of,
        watch: &mut Watch,
        frame: &Frame,
        config: &crate::config::CameraConfig,
        progress: &Progress,
    ) -> Result<(), String> {
        let begun = self.clock.monotonic();
        let Looked { frame, step, .. } = watch.step(frame).map_err(|error| chain(&error))?;
        for event in &step.events {
            let picture = (event.phase == Phase::Started).then(|| drawn(&frame, event, config)).flatten();
            progress.tell(|job| job.take(of, event, picture));
        }
        // As long as it worked it leaves the machine to the live cameras.
        std::thread::sleep(self.clock.monotonic().saturating_sub(begun).min(Duration::from_secs(1)));
        Ok(())
    }

    /// How much of a segment is looked at.
    fn seconds_of(&self, segment: &Segment) -> f64 {
        seconds_between(segment.from.max(self.from), segment.to.min(self.to)).max(0.0)
    }
}

impl Job {
    fn take(&mut self, of: Of, event: &IncidentEvent, picture: Option<Vec<u8>>) {
        let list = match of {
            Of::Draft => &mut self.told.draft,
            Of::Current => self.told.current.get_or_insert_default(),
        };
        match event.phase {
            Phase::Started if list.len() < MOST.0 => {
                let number = list.len() + 1;
                let picture = picture.filter(|_| number <= MOST.1);
                list.push(Raised {
                    number,
                    at: event.at,
                    ended_at: None,
                    kind: event.kind,
                    rule: event.rule.clone(),
                    zone: event.zone.clone(),
                    preset: event.preset.clone(),
                    bbox: event.bbox,
                    confidence: event.score,
                    severity: event.severity,
                    picture: picture.is_some(),
                    id: event.incident_id,
                });
                if let Some(picture) = picture {
                    self.pictures.insert((of, number), picture);
                }
            }
            Phase::Ended => {
                if let Some(raised) = list.iter_mut().find(|raised| raised.id == event.incident_id) {
                    raised.ended_at = event.ended_at;
                }
            }
            Phase::Started | Phase::Updated => {}
        }
    }
}

/// Segments are one run, unless there is a gap between them.
#[derive(Default)]
struct Times {
    latest: Option<(Timestamp, RunId)>,
    sequence: u64,
}

impl Times {
    fn of(&mut self, frame: Frame) -> Frame {
        let at = frame.captured_at;
        let run = match self.latest {
            Some((before, run)) if seconds_between(before, at) <= GAP_SECONDS => run,
            _ => RunId::derive(&["trial", &at.to_string()]),
        };
        self.latest = Some((at, run));
        self.sequence += 1;
        Frame { run, sequence: self.sequence - 1, ..frame }
    }
}

/// The frame with the zones of its view and what was found in it.
fn drawn(frame: &Frame, event: &IncidentEvent, config: &crate::config::CameraConfig) -> Option<Vec<u8>> {
    let mut canvas = Canvas::new(&frame.picture);
    let zones = config.view(event.preset.as_ref()).map(|view| view.zones.values());
    for zone in zones.into_iter().flatten() {
        canvas.outline(zone.polygon.points(), ZONE);
    }
    canvas.labelled_box(event.bbox, event.kind.as_str(), of_severity(event.severity));
    canvas.footer(&format!("{} {:.1}", frame.camera, frame.captured_at));
    let image = canvas.into_image();
    let image = if image.width() > WIDTH {
        let height = (image.height() * WIDTH / image.width()).max(1);
        image::imageops::resize(&image, WIDTH, height, image::imageops::FilterType::Triangle)
    } else {
        image
    };
    encode_rgb(&image, QUALITY).ok()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrialAsked {
    text: String,
    camera: CameraId,
    from: Timestamp,
    to: Timestamp,
    #[serde(default)]
    compare: bool,
}

fn recorded(pipeline: &Pipeline, camera: &CameraId) -> Result<Vec<Segment>, Refusal> {
    segments(&pipeline.recordings_dir().join(camera.as_str())).map_err(|error| failed(&error))
}

impl Desk {
    fn try_out(&self, asked: TrialAsked) -> Result<Told, Refusal> {
        let TrialAsked { text, camera, from, to, compare } = asked;
        if to <= from || to.duration_since(from).unsigned_abs() > LONGEST {
            return Err(Refusal::refused(
                "时段应为 0 至 6 小时",
                "the time should be longer than 0 and at most 6 hours",
            ));
        }
        let draft = self.pipeline(&text)?;
        if !draft.cameras.contains_key(&camera) {
            return Err(Refusal::NotFound);
        }
        let in_force = self.in_force()?;
        let mut segments = recorded(&in_force, &camera)?;
        segments.retain(|segment| segment.to >= from && segment.from <= to);
        if segments.is_empty() {
            return Err(Refusal::refused("此时段没有录像", "nothing was recorded in this time"));
        }
        let mut pipelines = vec![(Of::Draft, draft)];
        let compare = compare && in_force.cameras.contains_key(&camera);
        if compare {
            pipelines.push((Of::Current, in_force));
        }
        let trial = Trial { camera: camera.clone(), segments, from, to, clock: self.clock.clone() };
        let seconds: f64 = trial.segments.iter().map(|segment| trial.seconds_of(segment)).sum();
        let told = Told {
            trial: Uuid::now_v7(),
            camera,
            state: Course::Running,
            detail: None,
            from,
            to,
            analysed_seconds: 0.0,
            total_seconds: seconds * pipelines.len() as f64,
            share: 0.0,
            draft: Vec::new(),
            current: compare.then(Vec::new),
        };
        self.trials.start(told, move |progress| trial.run(&pipelines, progress))
    }
}

#[derive(Serialize)]
pub(super) struct Recorded {
    recording: bool,
    bytes: u64,
    spans: Vec<Span>,
}

#[derive(Serialize)]
struct Span {
    from: Timestamp,
    to: Timestamp,
}

pub(super) async fn recording(
    State(setup): State<Setup>,
    Path(camera): Path<String>,
) -> Result<Json<Recorded>, Refusal> {
    let told = blocking(&setup, move |desk| {
        let pipeline = desk.in_force()?;
        let found = pipeline.cameras.iter().find(|(id, _)| id.as_str() == camera);
        let (id, config) = found.ok_or(Refusal::NotFound)?;
        let segments = recorded(&pipeline, id)?;
        let bytes = segments.iter().map(|segment| segment.bytes).sum();
        let spans = spans(&segments).into_iter().map(|(from, to)| Span { from, to }).collect();
        Ok(Recorded { recording: config.recording.is_some(), bytes, spans })
    });
    told.await.map(Json)
}

pub(super) async fn start(State(setup): State<Setup>, asked: Body<TrialAsked>) -> Result<Response, Refusal> {
    let asked = body(asked)?;
    let told = blocking(&setup, move |desk| desk.try_out(asked)).await?;
    Ok((StatusCode::ACCEPTED, Json(told)).into_response())
}

pub(super) async fn trial(State(setup): State<Setup>) -> Result<Response, Refusal> {
    setup.0.trials.told().map(|told| Json(told).into_response()).ok_or(Refusal::NotFound)
}

pub(super) async fn cancel(State(setup): State<Setup>) -> Result<Response, Refusal> {
    let told = blocking(&setup, |desk| {
        desk.trials.stop();
        desk.trials.told().ok_or(Refusal::NotFound)
    });
    Ok(Json(told.await?).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    of: Option<Of>,
}

pub(super) async fn picture(
    State(setup): State<Setup>,
    Path((trial, number)): Path<(String, String)>,
    Query(Whose { of }): Query<Whose>,
) -> Result<Response, Refusal> {
    let number: usize = number.parse().map_err(|_| Refusal::NotFound)?;
    let job = held(&setup.0.trials.job);
    let job = job.as_ref().filter(|job| job.told.trial.to_string() == trial).ok_or(Refusal::NotFound)?;
    let picture = job.pictures.get(&(of.unwrap_or(Of::Draft), number)).ok_or(Refusal::NotFound)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], picture.clone()).into_response())
}
