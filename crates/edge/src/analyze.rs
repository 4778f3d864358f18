//! Offline: a recording in, its incidents as JSON Lines out, every frame looked at, as fast as the machine can. The same
//! assembly as live; the same recording gives the same bytes.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parapet_bus::wire;
use parapet_core::{
    CameraId, Clock, EndReason, Frame, HealthState, Phase, RunId, SystemClock, Timestamp,
    time::seconds_between,
};
use parapet_ingest::{
    CameraStream, ClipError, DecodeMode, FileConfig, ImagesConfig, KeyframeGate, OpenError, Passage,
    SourceConfig, StreamEvent, UnitFacts, VideoOptions, VideoWriter,
};

use crate::{
    assembly::{Assembly, AssemblyError, Engines},
    config::Pipeline,
    evidence::{Canvas, REGION, TRACK, ZONE, of_severity},
    telemetry::StageTimer,
    watch::{Looked, Watch},
};

/// Longest silence of GStreamer before a file counts as broken.
const PATIENCE: Duration = Duration::from_mins(1);

/// How a video is analysed.
#[derive(Debug, Clone, Default)]
pub struct AnalyzeOptions {
    /// When the first picture was taken; 1970-01-01T00:00:00Z if unknown.
    pub start_at: Option<Timestamp>,
    /// Write a video with tracks, regions, zones and incidents drawn on it.
    pub annotated: Option<PathBuf>,
    /// End what is open when the video ends, with the reason `end_of_recording`.
    pub end_open: bool,
    /// Look only at the frames that a live camera with `keyframes_when_enough` would have decoded, had it a keyframe so often
    /// and units that tell nothing by their sizes: a measurement of what that costs.
    pub keyframes_every: Option<Duration>,
}

/// Lets those frames of a recording through that a live camera would have decoded.
struct AsLive {
    gate: KeyframeGate<Frame>,
    every: Duration,
    mode: DecodeMode,
    first: Option<Timestamp>,
    groups: u128,
}

impl AsLive {
    fn new(every: Duration) -> Self {
        Self { gate: KeyframeGate::new(false), every, mode: DecodeMode::Full, first: None, groups: 0 }
    }

    fn pass(&mut self, frame: Frame) -> Vec<Frame> {
        let first = *self.first.get_or_insert(frame.captured_at);
        let at = since(first, frame.captured_at);
        let group = (at + Duration::from_millis(1)).as_micros() / self.every.as_micros().max(1) + 1;
        let keyframe = group > self.groups;
        self.groups = self.groups.max(group);
        let facts = UnitFacts { at: Some(at), bytes: 0, keyframe, gap: false };
        match self.gate.pass(&frame, facts, self.mode) {
            Passage::Dropped => Vec::new(),
            Passage::Through(mut frames) => {
                frames.push(frame);
                frames
            }
        }
    }

    fn looked(&mut self, watch: &Watch, at: Timestamp) {
        self.mode = watch.enough(at, self.gate.keyframes_apart());
    }
}

/// A recording of one camera.
#[derive(Debug, Clone, PartialEq)]
pub enum Recording {
    /// A video.
    Video(PathBuf),
    /// A folder of numbered pictures.
    Pictures {
        /// The folder.
        directory: PathBuf,
        /// How many pictures make a second.
        frames_per_second: f64,
    },
}

impl Recording {
    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Video(path) | Self::Pictures { directory: path, .. } => path,
        }
    }
}

/// How far an analysis is, and what the latest frame came to.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Time of the video that was analysed.
    pub analysed: Duration,
    /// Length of the video, if its container tells.
    pub length: Option<Duration>,
    /// Frames analysed.
    pub frames: u64,
    /// Incidents started.
    pub incidents: u64,
    /// The frame.
    pub frame: &'a Frame,
    /// What came of it.
    pub step: &'a parapet_analytics::Step,
    /// Time that it took, without waiting for the decoder.
    pub took: Duration,
}

/// What an analysis came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnalyzeSummary {
    /// Frames analysed.
    pub frames: u64,
    /// Of these, frames that the model was not asked about because nothing moved.
    pub held: u64,
    /// Events written.
    pub events: u64,
    /// Incidents started.
    pub incidents: u64,
    /// Time of the video between the first and the last frame.
    pub video: Duration,
    /// Time that it took.
    pub took: Duration,
    /// Part of it that was spent waiting for the decoder.
    pub decode: Duration,
    /// Part of it that was spent in the model.
    pub infer: Duration,
}

/// Why a video cannot be analysed.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzeError {
    /// The pipeline file has no such camera.
    #[error("the pipeline has no camera \"{camera}\"; hint: {hint}")]
    NoCamera {
        /// What was asked for.
        camera: String,
        /// What there is.
        hint: String,
    },
    /// The camera's pipeline.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    /// The video.
    #[error("cannot open the recording {}", path.display())]
    Open {
        /// The video.
        path: PathBuf,
        /// Why not.
        #[source]
        source: OpenError,
    },
    /// The video breaks off.
    #[error("the recording {} is broken after {after:?}: {detail}", path.display())]
    Broken {
        /// The video.
        path: PathBuf,
        /// Time of the video until there.
        after: Duration,
        /// What the decoder said.
        detail: String,
    },
    /// The model.
    #[error("the model failed")]
    Model(#[from] parapet_core::DetectError),
    /// The incident log.
    #[error("cannot write the incident log")]
    Log(#[source] io::Error),
    /// The annotated video.
    #[error("cannot write the annotated video")]
    Annotated(#[source] ClipError),
}

/// The camera of the pipeline whose options an analysis uses: the one named, or the only one.
///
/// # Errors
/// `NoCamera`.
pub fn choose_camera(pipeline: &Pipeline, named: Option<&str>) -> Result<CameraId, AnalyzeError> {
    let names: Vec<String> = pipeline.cameras.keys().map(ToString::to_string).collect();
    let found = match named {
        Some(name) => pipeline.cameras.keys().find(|id| id.as_str() == name),
        None if names.len() == 1 => pipeline.cameras.keys().next(),
        None => None,
    };
    found.cloned().ok_or_else(|| AnalyzeError::NoCamera {
        camera: named.unwrap_or_default().to_owned(),
        hint: format!("choose one of: {}", names.join(", ")),
    })
}

/// Analyses a recording as if `camera` had taken it. Each event is one line of `log`: the message that a node would send.
///
/// # Errors
/// See [`AnalyzeError`].
pub fn analyze(
    pipeline: &Pipeline,
    camera: &CameraId,
    recording: &Recording,
    log: &mut dyn Write,
    options: &AnalyzeOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<AnalyzeSummary, AnalyzeError> {
    let config = pipeline
        .cameras
        .get(camera)
        .map_or_else(|| Err(choose_camera(pipeline, Some(camera.as_str())).err()), Ok)
        .map_err(|error| error.expect("a camera that is absent gives an error"))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut engines = Engines::default();
    let assembly = Assembly::new(pipeline, camera, config, &mut engines, clock.clone(), true)?;
    let mut assembled = assembly.build()?;

    let video = recording.path();
    let (file, images) = match recording {
        Recording::Video(path) => {
            let start_at = options.start_at;
            (Some(FileConfig { path: path.clone(), paced: false, looped: false, start_at }), None)
        }
        Recording::Pictures { directory, frames_per_second } => {
            let (directory, start_at) = (Some(directory.clone()), options.start_at);
            let frames_per_second = *frames_per_second;
            (None, Some(ImagesConfig { directory, pattern: None, frames_per_second, start_at }))
        }
    };
    let source = SourceConfig {
        rtsp: None,
        rtmp: None,
        srt: None,
        device: None,
        test: None,
        file,
        images,
        ..config.source.clone()
    };
    let fps = source.analysed_fps;
    let no_video = |source| AnalyzeError::Open { path: video.to_owned(), source };
    let length = parapet_ingest::probe(video).ok().and_then(|info| info.duration);
    let mut stream = CameraStream::open(camera.clone(), &source, clock.clone()).map_err(no_video)?;

    let begun = clock.monotonic();
    let mut timer = StageTimer::new(clock.clone(), assembled.model_time.clone());
    let mut summary = AnalyzeSummary::default();
    let mut annotated: Option<VideoWriter> = None;
    let mut times: Option<(Timestamp, Timestamp, RunId)> = None;
    let site = pipeline.site_of(config).clone();
    let mut write = |events: &[parapet_core::IncidentEvent], summary: &mut AnalyzeSummary| {
        for event in events {
            let event = event.clone();
            summary.events += 1;
            summary.incidents += u64::from(event.phase == Phase::Started);
            let message = wire::Incident { site: site.clone(), node: pipeline.node.id.clone(), event };
            let mut line = wire::Message::Incident(message).encode();
            line.push(b'\n');
            log.write_all(&line).map_err(AnalyzeError::Log)?;
        }
        Ok::<_, AnalyzeError>(())
    };
    let mut as_live = options.keyframes_every.map(AsLive::new);
    loop {
        let event = stream.next(PATIENCE);
        let after = times.map_or(Duration::ZERO, |(first, last, _)| since(first, last));
        let broken = |detail: String| AnalyzeError::Broken { path: video.to_owned(), after, detail };
        match event {
            Some(StreamEvent::Frame(frame)) => {
                let frames = match &mut as_live {
                    Some(as_live) => as_live.pass(frame),
                    None => vec![frame],
                };
                for frame in frames {
                    timer.frame_came();
                    let at = frame.captured_at;
                    times = Some((times.map_or(at, |(first, _, _)| first), at, frame.run));
                    let Looked { frame, step, .. } = assembled.watch.step(&frame)?;
                    timer.step_done();
                    if let Some(as_live) = &mut as_live {
                        as_live.looked(&assembled.watch, at);
                    }
                    write(&step.events, &mut summary)?;
                    if let Some(path) = &options.annotated {
                        let picture = annotate(&frame, &step, config);
                        let (width, height) = picture.dimensions();
                        let writer = match annotated.take() {
                            Some(writer) => writer,
                            None => VideoWriter::create(path, VideoOptions::at_fps(fps))
                                .map_err(AnalyzeError::Annotated)?,
                        };
                        annotated
                            .insert(writer)
                            .push_rgb(width as usize, height as usize, picture.as_raw())
                            .map_err(AnalyzeError::Annotated)?;
                    }
                    summary.frames += 1;
                    summary.held += u64::from(step.held);
                    let spent = timer.finish();
                    summary.decode += spent.wait;
                    summary.infer += spent.infer;
                    progress(Progress {
                        analysed: times.map_or(Duration::ZERO, |(first, last, _)| since(first, last)),
                        length,
                        frames: summary.frames,
                        incidents: summary.incidents,
                        frame: &frame,
                        step: &step,
                        took: spent.infer + spent.analyse,
                    });
                }
            }
            Some(StreamEvent::Health(health)) if health.state == HealthState::Offline => {
                if health.event != parapet_core::HealthEvent::EndOfStream {
                    return Err(broken(health.detail.unwrap_or_default()));
                }
            }
            Some(StreamEvent::Health(_)) => {}
            Some(StreamEvent::Ended) => break,
            None => return Err(broken("nothing comes any more".into())),
        }
    }
    if let Some((first, last, _)) = times {
        summary.video = since(first, last);
        if options.end_open {
            write(&assembled.watch.end_all(EndReason::EndOfRecording, last), &mut summary)?;
        }
    }
    log.flush().map_err(AnalyzeError::Log)?;
    if let Some(writer) = annotated {
        writer.finish().map_err(AnalyzeError::Annotated)?;
    }
    summary.took = clock.monotonic().saturating_sub(begun);
    Ok(summary)
}

fn since(first: Timestamp, last: Timestamp) -> Duration {
    Duration::from_secs_f64(seconds_between(first, last).max(0.0))
}

/// The frame with all that was found drawn on it.
fn annotate(
    frame: &Frame,
    step: &parapet_analytics::Step,
    config: &crate::config::CameraConfig,
) -> image::RgbImage {
    let mut canvas = Canvas::new(&frame.picture);
    let zones = config.view(frame.preset.as_ref()).map(|view| view.zones.values());
    for zone in zones.into_iter().flatten() {
        canvas.outline(zone.polygon.points(), ZONE);
    }
    for region in &step.change.stationary {
        canvas.outline(&region.outline, REGION);
    }
    for region in &step.change.differences {
        canvas.outline(&region.outline, REGION);
    }
    for track in step.tracks.iter().filter(|track| track.state == parapet_core::TrackState::Confirmed) {
        let standing = if step.standing.contains(&track.id) { " stands" } else { "" };
        canvas.labelled_box(track.bbox, &format!("{} {}{standing}", track.label, track.id), TRACK);
    }
    for open in &step.open {
        let lasted = seconds_between(open.since, frame.captured_at);
        canvas.labelled_box(
            open.bbox,
            &format!("{} {lasted:.0} s", open.kind.as_str()),
            of_severity(open.severity),
        );
    }
    canvas.footer(&format!("{} {:.1}", frame.camera, frame.captured_at));
    canvas.into_image()
}
