//! A camera's stream, for as long as the camera is wanted: opened once, connected again whenever it breaks.

use std::{
    path::Path,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use parapet_core::{CameraId, Clock, RunId, Timestamp};

use crate::{
    config::{ConfigProblem, RtmpConfig, RtspConfig, SourceConfig, SrtConfig},
    connection::{ModeSwitch, Origin, RtmpOrigin, RtspOrigin, SrtOrigin},
    cpu::CpuTime,
    decoder::Decoders,
    error::OpenError,
    health::HealthDesk,
    images,
    preroll::PrerollHandle,
    queue::{FrameQueue, StreamEvent},
    ring::Ring,
    supervisor::{Appetite, Errand, Inbox, Supervisor},
    telemetry::LiveTelemetry,
    thin::DecodeMode,
    url::StreamUrl,
};

/// Frames that wait for analysis. Live: the freshest two. Offline: enough to decode while analysis works.
const LIVE_FRAMES: usize = 2;
const OFFLINE_FRAMES: usize = 4;

/// The frames and the health of one camera. Owns its threads; dropping it stops and joins them.
///
/// Live sources are supervised: the end of the stream, an error, silence and a frozen picture each give a
/// [`StreamEvent::Health`] and, with back-off, a new connection with a new [`RunId`]. Offline sources (a file that is not
/// paced, pictures, a test picture of so many frames) deliver every analysed frame, waiting for the reader, with
/// times and run derived from the source alone, and then [`StreamEvent::Ended`].
#[derive(Debug)]
pub struct CameraStream {
    queue: Arc<FrameQueue>,
    preroll: PrerollHandle,
    telemetry: LiveTelemetry,
    mode: Arc<ModeSwitch>,
    cpu: CpuTime,
    appetite: Option<Arc<Appetite>>,
    supervisors: Vec<(mpsc::Sender<Errand>, JoinHandle<()>)>,
}

impl CameraStream {
    /// Starts to connect. A live camera need not answer yet: its trouble comes as [`StreamEvent::Health`].
    ///
    /// # Errors
    /// The configuration has mistakes, the password, file or folder cannot be read, or a part of GStreamer is missing.
    pub fn open(camera: CameraId, config: &SourceConfig, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::start(camera, config, clock, false)
    }

    /// Opens a live camera for a short look: one keyframe is decoded, and another when [`Self::look_again`] asks for it.
    /// Nothing is kept for clips, and of its health only the reader is told, neither log nor metrics.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn visit(camera: CameraId, config: &SourceConfig, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::start(camera, config, clock, true)
    }

    fn start(
        camera: CameraId,
        config: &SourceConfig,
        clock: Arc<dyn Clock>,
        visit: bool,
    ) -> Result<Self, OpenError> {
        let problems = config.check();
        if !problems.is_empty() {
            return Err(OpenError::Config(problems));
        }
        crate::elements::start_library()?;
        let live = config.is_live();
        let queue = Arc::new(FrameQueue::new(if live { LIVE_FRAMES } else { OFFLINE_FRAMES }, live));
        let desk = if visit { HealthDesk::quiet } else { HealthDesk::new };
        let desk = Arc::new(desk(camera.clone(), Arc::clone(&queue)));
        let limit = Duration::from_secs_f64(config.preroll_seconds);
        let ring = Arc::new(Ring::new(limit, config.preroll_megabytes as usize * 1_000_000));
        let origin = origin_of(config)?;

        let start_at = start_of(config);
        let preroll = match &origin {
            Origin::File { paced: false, .. } | Origin::Images { .. } => {
                PrerollHandle::of_recording(origin.clone(), start_at)
            }
            _ => PrerollHandle::of_ring(Arc::clone(&ring)),
        };
        let needs_ring = preroll.is_ring() && !visit;
        let main = match (&config.rtsp, &origin) {
            (Some(rtsp), Origin::Rtsp(_)) if rtsp.substream_url.is_some() && !visit => {
                Some(Origin::Rtsp(rtsp_origin(rtsp, &rtsp.url, config)?))
            }
            _ => None,
        };
        let telemetry = LiveTelemetry::default();
        let mode = Arc::<ModeSwitch>::default();
        let cpu = CpuTime::default();
        let appetite = visit.then(|| Arc::new(Appetite::for_one()));
        let analysis = Supervisor {
            run: (!live).then(|| offline_run(&camera, &origin)),
            camera: camera.clone(),
            config: config.clone(),
            origin,
            clock: Arc::clone(&clock),
            frames_to: Some((Arc::clone(&queue), desk)),
            ring: (needs_ring && main.is_none()).then(|| Arc::clone(&ring)),
            telemetry: telemetry.clone(),
            mode: Arc::clone(&mode),
            decoders: Decoders::of(&camera, config.decoder, live),
            start_at,
            cpu: cpu.clone(),
            appetite: appetite.clone(),
        };
        let mut stream =
            Self { queue, preroll, telemetry, mode, cpu: cpu.clone(), appetite, supervisors: Vec::new() };
        stream.supervise("ingest", analysis)?;
        if let Some(origin) = main {
            let keeper = Supervisor {
                run: None,
                camera,
                config: config.clone(),
                origin,
                clock,
                frames_to: None,
                ring: Some(ring),
                telemetry: LiveTelemetry::default(),
                mode: Arc::default(),
                decoders: Decoders::software(),
                start_at,
                cpu,
                appetite: None,
            };
            stream.supervise("preroll", keeper)?;
        }
        Ok(stream)
    }

    /// The next event; `None` if none comes within `timeout`, and at once when an offline stream has ended and all
    /// was taken.
    pub fn next(&mut self, timeout: Duration) -> Option<StreamEvent> {
        self.queue.take(timeout)
    }

    /// The encoded past, for clips.
    pub fn preroll(&self) -> PrerollHandle {
        self.preroll.clone()
    }

    /// What a drone's feed says about its camera; empty for sources without metadata.
    pub fn telemetry(&self) -> LiveTelemetry {
        self.telemetry.clone()
    }

    /// What is decoded from now on. Back at [`DecodeMode::Full`] the group of pictures that runs is decoded from its
    /// keyframe on. Only for live sources: what comes of a recording must not hang on when somebody asked.
    pub fn set_mode(&self, mode: DecodeMode) {
        self.mode.set(mode);
    }

    /// On a visit: the next keyframe is decoded too.
    pub fn look_again(&self) {
        if let Some(appetite) = &self.appetite {
            appetite.for_another();
        }
    }

    /// What the stream's threads take of the processors, and on a visit its part of those that all streams share; complete
    /// once it was stopped.
    pub fn cpu_time(&self) -> CpuTime {
        self.cpu.clone()
    }

    /// How far apart the latest two keyframes of a live source were; `None` until there were two.
    pub fn keyframes_apart(&self) -> Option<Duration> {
        self.mode.keyframes_apart()
    }

    /// Disconnects and waits for the threads.
    pub fn stop(self) {
        drop(self);
    }

    fn supervise(&mut self, role: &str, supervisor: Supervisor) -> Result<(), OpenError> {
        let (errands, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name(format!("{role}:{}", supervisor.camera))
            .spawn({
                let inbox = Inbox::new(errands.clone(), inbox);
                move || supervisor.run(&inbox)
            })
            .map_err(OpenError::Thread)?;
        self.supervisors.push((errands, thread));
        Ok(())
    }
}

impl Drop for CameraStream {
    fn drop(&mut self) {
        // First the queue: a source that waits for room must be let go.
        self.queue.close();
        for (errands, _) in &self.supervisors {
            let _ = errands.send(Errand::Stop);
        }
        for (_, thread) in self.supervisors.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a camera's ingest thread panicked");
            }
        }
    }
}

fn origin_of(config: &SourceConfig) -> Result<Origin, OpenError> {
    if let Some(rtsp) = &config.rtsp {
        let url = rtsp.substream_url.as_ref().unwrap_or(&rtsp.url);
        return Ok(Origin::Rtsp(rtsp_origin(rtsp, url, config)?));
    }
    if let Some(rtmp) = &config.rtmp {
        return Ok(Origin::Rtmp(rtmp_origin(rtmp, config)?));
    }
    if let Some(srt) = &config.srt {
        return Ok(Origin::Srt(srt_origin(srt)?));
    }
    if let Some(file) = &config.file {
        let read = |source| OpenError::Read { path: file.path.clone(), source };
        if std::fs::File::open(&file.path).and_then(|f| f.metadata()).map_err(read)?.is_dir() {
            return Err(read(std::io::ErrorKind::IsADirectory.into()));
        }
        return Ok(Origin::File { path: file.path.clone(), paced: file.paced });
    }
    if let Some(images) = &config.images {
        return Ok(Origin::Images {
            files: images::list(images)?,
            frames_per_second: images.frames_per_second,
        });
    }
    if let Some(device) = &config.device {
        std::fs::metadata(&device.path)
            .map_err(|source| OpenError::Read { path: device.path.clone(), source })?;
        return Ok(Origin::Device { path: device.path.clone() });
    }
    let test = config.test.clone().expect("checked: there is one source");
    if !crate::connection::is_test_pattern(&test.pattern)? {
        return Err(OpenError::Config(vec![ConfigProblem {
            field: "test.pattern".to_owned(),
            problem: format!("there is no pattern \"{}\"", test.pattern),
            hint: "see `gst-inspect-1.0 videotestsrc`; ball, smpte and snow are usual".to_owned(),
        }]));
    }
    Ok(Origin::Test(test))
}

fn rtsp_origin(rtsp: &RtspConfig, url: &StreamUrl, config: &SourceConfig) -> Result<RtspOrigin, OpenError> {
    let (user, password) = url.credentials();
    Ok(RtspOrigin {
        url: url.clone(),
        user: rtsp.username.clone().or_else(|| user.map(str::to_owned)),
        password: secret_of(rtsp.password_file.as_deref(), rtsp.password_env.as_deref())?
            .or_else(|| password.map(str::to_owned)),
        transport: rtsp.transport,
        latency_milliseconds: rtsp.latency_milliseconds,
        timeout: Duration::from_secs_f64(config.watchdog.connect_seconds),
    })
}

fn rtmp_origin(rtmp: &RtmpConfig, config: &SourceConfig) -> Result<RtmpOrigin, OpenError> {
    let (user, password) = rtmp.url.credentials();
    let written = secret_of(rtmp.password_file.as_deref(), rtmp.password_env.as_deref())?;
    Ok(RtmpOrigin {
        url: rtmp.url.clone(),
        user: rtmp.username.clone().or_else(|| user.map(str::to_owned)),
        password: written.or_else(|| password.map(str::to_owned)),
        timeout: Duration::from_secs_f64(config.watchdog.connect_seconds),
    })
}

fn srt_origin(srt: &SrtConfig) -> Result<SrtOrigin, OpenError> {
    let passphrase = secret_of(srt.passphrase_file.as_deref(), srt.passphrase_env.as_deref())?;
    if passphrase.as_ref().is_some_and(|p| !(10..=79).contains(&p.len())) {
        return Err(OpenError::Password {
            from: "the passphrase of SRT".to_owned(),
            hint: "it has 10 to 79 characters, the same on both sides",
        });
    }
    Ok(SrtOrigin {
        url: srt.url.clone(),
        mode: srt.mode,
        stream_id: srt.stream_id.clone(),
        passphrase,
        latency_milliseconds: srt.latency_milliseconds,
    })
}

/// What stands in the first line of a file or in an environment variable.
fn secret_of(file: Option<&Path>, env: Option<&str>) -> Result<Option<String>, OpenError> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|e| OpenError::Password {
            from: format!("{} ({e})", path.display()),
            hint: "write it into the first line of that file, readable for this user only",
        })?;
        return Ok(text.lines().next().map(str::to_owned));
    }
    if let Some(name) = env {
        let missing = |_| OpenError::Password {
            from: format!("the environment variable {name}"),
            hint: "set it, or name a file instead",
        };
        return std::env::var(name).map(Some).map_err(missing);
    }
    Ok(None)
}

fn start_of(config: &SourceConfig) -> Timestamp {
    let file = config.file.as_ref().and_then(|f| f.start_at);
    let images = config.images.as_ref().and_then(|i| i.start_at);
    file.or(images).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Depends on the camera and the source's name and size, not on the folder that it lies in: the same anywhere.
fn offline_run(camera: &CameraId, origin: &Origin) -> RunId {
    let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let (kind, source) = match origin {
        Origin::File { path, .. } => {
            ("file", format!("{}:{}", name(path), std::fs::metadata(path).map_or(0, |m| m.len())))
        }
        Origin::Images { files, .. } => {
            ("images", format!("{}:{}", files.first().map(|f| name(f)).unwrap_or_default(), files.len()))
        }
        other => ("test", format!("{other:?}")),
    };
    RunId::derive(&[camera.as_str(), kind, &source])
}
