//! One model on one thread, used by all cameras, and each camera's way to it.
//!
//! Pictures are prepared on the camera's thread; the engine's thread only runs the session and decodes. A failed or
//! panicking run costs the frame that caused it and no other.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver},
    },
    thread::JoinHandle,
    time::Duration,
};

use parapet_core::{BBox, CameraId, Clock, DetectError, Detection, Detector, Frame, SystemClock};

use crate::{
    config::{DetectorOptions, EngineConfig, InputSize, Precision, Provider},
    family::Candidate,
    fastest,
    features::FeatureExtractor,
    manifest::{Manifest, WeightsError},
    nms, part,
    preprocess::{Region, fill_tensor},
    queue::{Job, Queue, Refusal, Reply},
    runtime::RuntimeError,
    session::{Model, Output, Slot},
    tiles,
};

/// Why an engine does not start or a camera cannot use it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no runtime or no provider.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// There are no weights.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The configuration does not suit the model.
    #[error("model \"{model}\": {}", problems.join("; "))]
    Options {
        /// The model.
        model: String,
        /// Everything that is wrong, each with a hint.
        problems: Vec<String>,
    },
    /// The runtime refuses the model.
    #[error("cannot load model \"{model}\" with provider {provider}; hint: {hint}")]
    Session {
        /// The model.
        model: String,
        /// The provider that was asked for.
        provider: Provider,
        /// What to do.
        hint: &'static str,
        /// What the runtime said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The ONNX file has no tensor of a name that its manifest gives.
    #[error(
        "model \"{model}\" has no {kind} \"{missing}\"; hint: its {kind}s are \"{present}\", correct its manifest"
    )]
    NoTensor {
        /// The model.
        model: String,
        /// `input` or `output`.
        kind: &'static str,
        /// What the manifest says.
        missing: String,
        /// What the file has.
        present: String,
    },
    /// The system gave no thread.
    #[error("cannot start the thread of model \"{model}\"")]
    Thread {
        /// The model.
        model: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl EngineError {
    pub(crate) fn session(manifest: &Manifest, provider: Provider, error: ort::Error) -> Self {
        let hint = match provider {
            Provider::Cpu => "is the file an ONNX model of an opset that ONNX Runtime 1.24 knows?",
            Provider::Cuda => {
                "it needs a build of ONNX Runtime for CUDA, CUDA and cuDNN; provider = \"auto\" does without them"
            }
            Provider::Openvino | Provider::OpenvinoGpu | Provider::Auto => "provider = \"cpu\" may run it",
        };
        Self::Session { model: manifest.name().to_owned(), provider, hint, source: Box::new(error) }
    }
}

/// What an engine really is, for logs, metrics and reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// The model.
    pub model: String,
    /// The weights' hash.
    pub weights_sha256: String,
    /// The numbers that it computes in.
    pub precision: Precision,
    /// Who computes: never `auto`.
    pub provider: Provider,
    /// Threads within one run.
    pub threads: usize,
    /// Most pictures that are run together.
    pub max_batch: usize,
}

/// What an engine has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EngineCounts {
    /// Frames answered with a result.
    pub frames: u64,
    /// Frames shed.
    pub shed: u64,
    /// Frames on which the model failed.
    pub failed: u64,
    /// Runs of the session.
    pub runs: u64,
}

/// A model that runs. Dropping it stops its thread; detectors then answer [`DetectError::Stopped`].
#[derive(Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the engine's thread and the cameras have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) manifest: Arc<Manifest>,
    info: EngineInfo,
    queue: Queue,
    counts: Counts,
    spare: Spare,
    clock: SystemClock,
}

/// Input tensors of which no frame makes use at present. There are as many as frames were ever prepared at once, and not as
/// many as cameras: on patrol that are hundreds.
#[derive(Debug, Default)]
struct Spare(Mutex<Vec<Vec<Vec<f32>>>>);

impl Spare {
    fn take(&self) -> Vec<Vec<f32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn put_back(&self, tensors: Vec<Vec<f32>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(tensors);
    }
}

#[derive(Debug, Default)]
struct Counts {
    frames: AtomicU64,
    shed: AtomicU64,
    failed: AtomicU64,
    runs: AtomicU64,
}

impl Engine {
    /// Reads and checks the weights, builds the session and starts its thread.
    ///
    /// # Errors
    /// If the weights, the runtime or the provider are absent or do not fit each other.
    pub fn start(manifest: &Manifest, config: &EngineConfig) -> Result<Self, EngineError> {
        let problems = config.problems(manifest);
        if !problems.is_empty() {
            // Missing weights have their own error, which is the only problem that the model's user can't correct.
            manifest.variant(config.precision)?;
            return Err(EngineError::Options { model: manifest.name().to_owned(), problems });
        }
        let manifest = Arc::new(manifest.clone());
        let (mut model, provider, precision) =
            if config.fastest { fastest::open(&manifest, config) } else { Model::open(&manifest, config) }?;
        let info = EngineInfo {
            model: manifest.name().to_owned(),
            weights_sha256: manifest.variant(precision)?.sha256.clone(),
            precision,
            provider,
            threads: config.threads,
            max_batch: if manifest.batches() { config.max_batch } else { 1 },
        };
        tracing::info!(
            model = info.model,
            %precision,
            %provider,
            asked_precision = %config.precision,
            asked_provider = %config.provider,
            threads = info.threads,
            max_batch = info.max_batch,
            "model is loaded"
        );
        describe_metrics();
        metrics::gauge!("parapet_engine_info", "model" => info.model.clone(), "precision" => precision.as_str(), "provider" => provider.as_str()).set(1.0);
        let shared = Arc::new(Shared {
            manifest,
            info,
            queue: Queue::new(config.queue, config.overload),
            counts: Counts::default(),
            spare: Spare::default(),
            clock: SystemClock::new(),
        });
        let thread = std::thread::Builder::new().name(format!("infer-{}", shared.info.model)).spawn({
            let (shared, core) = (Arc::clone(&shared), config.core);
            move || {
                if let Some(core) = core {
                    stay_on(core, &shared.info.model);
                }
                shared.serve(|input, slots| model.run(input, slots).map_err(Into::into));
            }
        });
        let thread =
            thread.map_err(|source| EngineError::Thread { model: shared.info.model.clone(), source })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A camera's way to this model.
    ///
    /// # Errors
    /// If the options do not suit the model: all problems at once.
    pub fn detector(
        &self,
        camera: &CameraId,
        options: DetectorOptions,
    ) -> Result<EngineDetector, EngineError> {
        EngineDetector::new(Arc::clone(&self.shared), camera, options)
    }

    /// A camera's way to the feature maps of this model.
    ///
    /// # Errors
    /// If the model has none.
    pub fn extractor(
        &self,
        camera: &CameraId,
        input: Option<InputSize>,
    ) -> Result<FeatureExtractor, EngineError> {
        FeatureExtractor::new(Arc::clone(&self.shared), camera, input)
    }

    /// What it really is.
    pub fn info(&self) -> &EngineInfo {
        &self.shared.info
    }

    /// What it has done so far.
    pub fn counts(&self) -> EngineCounts {
        let counts = &self.shared.counts;
        let read = |c: &AtomicU64| c.load(Ordering::Relaxed);
        EngineCounts {
            frames: read(&counts.frames),
            shed: read(&counts.shed),
            failed: read(&counts.failed),
            runs: read(&counts.runs),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(model = self.shared.info.model, "the thread of the model panicked");
        }
    }
}

type RunResult = Result<Vec<Output>, Box<dyn std::error::Error + Send + Sync>>;

impl Shared {
    /// The engine's thread: batches in, answers out, until the queue is closed.
    fn serve(&self, mut run: impl FnMut((usize, usize), &[Slot<'_>]) -> RunResult) {
        // Whatever happens to this thread, no camera may wait for it.
        struct CloseOnExit<'a>(&'a Queue);
        impl Drop for CloseOnExit<'_> {
            fn drop(&mut self) {
                self.0.close();
            }
        }
        let _close = CloseOnExit(&self.queue);
        while let Some(jobs) = self.queue.take(self.info.max_batch) {
            let together = self.run_jobs(&jobs.iter().collect::<Vec<_>>(), &mut run);
            match together {
                Ok(outputs) => {
                    for (job, outputs) in jobs.into_iter().zip(outputs) {
                        self.finish(job, Ok(outputs));
                    }
                }
                Err(error) if jobs.len() == 1 => {
                    for job in jobs {
                        self.finish(job, Err(error.to_string().into()));
                    }
                }
                // One of them is to blame: each for itself.
                Err(_) => {
                    for job in jobs {
                        let alone = self.run_jobs(&[&job], &mut run);
                        self.finish(job, alone.map(|mut outputs| outputs.remove(0)));
                    }
                }
            }
        }
    }

    /// Runs the pictures of some jobs together, at most `max_batch` at a time; the outputs of each job.
    fn run_jobs(
        &self,
        jobs: &[&Job],
        run: &mut impl FnMut((usize, usize), &[Slot<'_>]) -> RunResult,
    ) -> Result<Vec<Vec<Output>>, Box<dyn std::error::Error + Send + Sync>> {
        let slots: Vec<Slot<'_>> = jobs
            .iter()
            .flat_map(|job| job.tensors.iter().map(|tensor| Slot { tensor, threshold: job.threshold }))
            .collect();
        let model = &self.info.model;
        let mut outputs = Vec::with_capacity(slots.len());
        for chunk in slots.chunks(self.info.max_batch) {
            let started = self.clock.monotonic();
            let result = catch_unwind(AssertUnwindSafe(|| run(jobs[0].input, chunk)));
            let took = self.clock.monotonic().saturating_sub(started);
            self.counts.runs.fetch_add(1, Ordering::Relaxed);
            metrics::histogram!("parapet_engine_run_seconds", "model" => model.clone()).record(took);
            metrics::histogram!("parapet_engine_batch_size", "model" => model.clone())
                .record(chunk.len() as f64);
            let found = result.unwrap_or_else(|panic| Err(message_of(panic.as_ref()).into()))?;
            if found.len() != chunk.len() {
                return Err("the model answered for another number of pictures".into());
            }
            outputs.extend(found);
        }
        let mut outputs = outputs.into_iter();
        Ok(jobs.iter().map(|job| outputs.by_ref().take(job.tensors.len()).collect()).collect())
    }

    fn finish(&self, job: Job, result: RunResult) {
        let (counter, outcome) = match &result {
            Ok(_) => (&self.counts.frames, "ok"),
            Err(error) => {
                tracing::warn!(model = self.info.model, camera = %job.camera, %error, "the model failed on a frame");
                (&self.counts.failed, "failed")
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("parapet_engine_frames_total", "model" => self.info.model.clone(), "outcome" => outcome)
            .increment(1);
        job.answer(result.map_err(Refusal::Failed));
    }

    /// Queues a job and waits for its outputs; gives its tensors back too.
    pub(crate) fn ask(
        &self,
        job: Job,
        answer: &Receiver<Reply>,
        sequence: u64,
    ) -> Result<(Vec<Output>, Vec<Vec<f32>>), DetectError> {
        let camera = job.camera.clone();
        let asked = self.clock.monotonic();
        if let Some(victim) = self.queue.push(job).map_err(|_| DetectError::Stopped)? {
            self.counts.shed.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("parapet_engine_shed_total", "model" => self.info.model.clone(), "camera" => victim.to_string())
                .increment(1);
        }
        metrics::gauge!("parapet_engine_waiting", "model" => self.info.model.clone())
            .set(self.queue.len() as f64);
        let reply = answer.recv().map_err(|_| DetectError::Stopped)?;
        let waited: Duration = self.clock.monotonic().saturating_sub(asked);
        metrics::histogram!("parapet_engine_latency_seconds", "model" => self.info.model.clone())
            .record(waited);
        match reply.result {
            Ok(outputs) => Ok((outputs, reply.tensors)),
            Err(Refusal::Shed) => Err(DetectError::Shed),
            Err(Refusal::Failed(source)) => Err(DetectError::Failed { camera, sequence, source }),
        }
    }
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref().cloned());
    format!("the model's thread panicked: {}", text.unwrap_or_else(|| "without a message".into()))
}

/// The calling thread runs on this core alone. Where the system does not allow it, it runs anywhere.
fn stay_on(core: usize, model: &str) {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    if let Err(error) = rustix::thread::sched_setaffinity(None, &cores) {
        tracing::warn!(model, core, %error, "the model's thread cannot be kept on its core");
    }
}

fn describe_metrics() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_gauge!(
        "parapet_engine_info",
        "1 for each model that runs, with its effective precision and provider"
    );
    describe_gauge!(
        "parapet_engine_measured_seconds",
        Unit::Seconds,
        "Quickest run of each precision and provider that could have been chosen"
    );
    describe_gauge!("parapet_engine_waiting", "Frames that wait for the model");
    describe_counter!("parapet_engine_frames_total", "Frames that the model answered, by outcome");
    describe_counter!("parapet_engine_shed_total", "Frames dropped because the model is behind, by camera");
    describe_histogram!("parapet_engine_run_seconds", Unit::Seconds, "Time of one run of the session");
    describe_histogram!("parapet_engine_latency_seconds", Unit::Seconds, "Time from asking to the answer");
    describe_histogram!("parapet_engine_batch_size", "Pictures in one run");
}

/// One camera's way to a model.
#[derive(Debug)]
pub struct EngineDetector {
    shared: Arc<Shared>,
    camera: CameraId,
    options: DetectorOptions,
    /// For each class its threshold; `None` for those that are not wanted.
    thresholds: Vec<Option<f32>>,
    nms_iou: Option<f32>,
    class_agnostic: bool,
}

impl EngineDetector {
    fn new(shared: Arc<Shared>, camera: &CameraId, options: DetectorOptions) -> Result<Self, EngineError> {
        let manifest = &shared.manifest;
        let problems = options.problems(manifest);
        let (true, Some(defaults)) = (problems.is_empty(), manifest.thresholds()) else {
            return Err(EngineError::Options { model: manifest.name().to_owned(), problems });
        };
        let common = options.score_threshold.unwrap_or(defaults.score);
        let wanted = |label| options.labels.as_ref().is_none_or(|labels| labels.contains(label));
        let threshold = |label| options.label_thresholds.get(label).copied().unwrap_or(common);
        let thresholds =
            manifest.classes().iter().map(|label| wanted(label).then(|| threshold(label))).collect();
        Ok(Self {
            camera: camera.clone(),
            thresholds,
            nms_iou: options.nms_iou.or(defaults.nms_iou),
            class_agnostic: defaults.class_agnostic,
            options,
            shared,
        })
    }

    /// The size (width, height) of the network's input for pictures of a size.
    pub fn input_size(&self, picture: (usize, usize)) -> (usize, usize) {
        self.options.input_size(&self.shared.manifest, picture)
    }

    fn keeps(&self, candidate: &Candidate) -> bool {
        let limit = self.thresholds.get(candidate.class).copied().flatten();
        // A box that is none would neither be reported nor may it drop others.
        limit.is_some_and(|limit| candidate.score > limit) && candidate.bbox.iter().all(|v| v.is_finite())
    }

    /// Looks at regions of a frame, each brought to an `input` (width, height).
    fn look(
        &self,
        frame: &Frame,
        regions: &[Region],
        input: (usize, usize),
    ) -> Result<Vec<Detection>, DetectError> {
        let picture = frame.picture.as_ref();
        let size = (picture.width(), picture.height());
        let manifest = &self.shared.manifest;
        let normalization = manifest.normalization();
        let mut tensors = self.shared.spare.take();
        tensors.resize_with(regions.len(), Vec::new);
        for (tensor, region) in tensors.iter_mut().zip(regions) {
            tensor.resize(3 * input.0 * input.1, 0.0);
            let placement = manifest.placement((region.width, region.height), input);
            fill_tensor(tensor, input, picture, *region, placement, &normalization);
        }
        let (reply, answer) = mpsc::channel();
        let threshold = self.thresholds.iter().flatten().copied().fold(1.0, f32::min);
        let job = Job { camera: self.camera.clone(), input, threshold, tensors, reply };
        let (outputs, tensors) = self.shared.ask(job, &answer, frame.sequence)?;
        self.shared.spare.put_back(tensors);

        let mut found: Vec<(usize, Candidate)> = Vec::new();
        for (tile, (output, region)) in outputs.into_iter().zip(regions).enumerate() {
            let Output::Candidates(candidates) = output else { continue };
            let place = self.shared.manifest.placement((region.width, region.height), input);
            found.extend(
                candidates
                    .into_iter()
                    .filter(|c| self.keeps(c))
                    .map(|c| (tile, Candidate { bbox: place.region_pixels(c.bbox, *region), ..c })),
            );
        }
        let kept = if regions.len() > 1 {
            tiles::merge(found, self.nms_iou, self.class_agnostic)
        } else {
            let mut candidates: Vec<Candidate> = found.into_iter().map(|(_, c)| c).collect();
            match self.nms_iou {
                Some(iou) => nms::suppress(&mut candidates, iou, self.class_agnostic),
                None => nms::sort(&mut candidates),
            }
            candidates
        };
        let classes = self.shared.manifest.classes();
        let detection = |c: Candidate| {
            let [x1, y1, x2, y2] = c.bbox;
            let (width, height) = (size.0 as f32, size.1 as f32);
            let bbox = BBox::new(x1 / width, y1 / height, x2 / width, y2 / height)?;
            Some(Detection { label: classes[c.class].clone(), score: c.score, bbox: bbox.clamped() })
        };
        Ok(kept.into_iter().filter_map(detection).collect())
    }
}

impl Detector for EngineDetector {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let picture = frame.picture.as_ref();
        let regions = match self.options.tiles {
            Some(tiling) => tiles::regions((picture.width(), picture.height()), tiling),
            None => vec![Region::whole(picture)],
        };
        let input = self.input_size((regions[0].width, regions[0].height));
        self.look(frame, &regions, input)
    }

    fn detect_in(&mut self, frame: &Frame, part: BBox) -> Result<Vec<Detection>, DetectError> {
        let manifest = &self.shared.manifest;
        let size = (frame.picture.width(), frame.picture.height());
        // Where inputs have one size, or the frame is seen in tiles, it is looked at as a whole.
        let step = manifest.multiple_of().filter(|_| self.options.tiles.is_none());
        let region = step.and_then(|step| {
            let whole = manifest.placement(size, self.input_size(size));
            part::around(part, size, whole, step)
        });
        match region {
            Some((region, input)) => self.look(frame, &[region], input),
            None => self.detect(frame),
        }
    }
}

#[cfg(test)]
mod tests;
