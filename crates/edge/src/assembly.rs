//! Puts a camera's pipeline together from its options. Live nodes, offline analysis and benches use this one.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parapet_analytics::{Pipeline as View, PipelineConfig};
use parapet_change::ViewChange;
use parapet_core::{
    CameraId, ChangeDetector, Clock, DetectError, Detection, Detector, Frame, Picture, ZonePurpose,
};
use parapet_infer::{Engine, EngineError, Manifest, ManifestError, Overload};

use crate::config::{CameraConfig, ModelConfig, Pipeline};

/// Why a camera's pipeline cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// No model for the camera.
    #[error("camera \"{0}\" has no model; hint: name one that the file has under [models]")]
    NoModel(CameraId),
    /// The manifest of a model.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The engine of a model.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The system gave no thread.
    #[error("cannot start the thread of the camera")]
    Thread(#[source] std::io::Error),
    /// The baseline picture.
    #[error("cannot read the baseline picture {}", path.display())]
    Baseline {
        /// The picture.
        path: PathBuf,
        /// Why not.
        #[source]
        source: image::ImageError,
    },
}

/// The engines that run, one for each model in use.
#[derive(Debug, Default)]
pub struct Engines(BTreeMap<String, (ModelConfig, Arc<Engine>)>);

impl Engines {
    /// The engine of a model; started if it does not run or its options changed.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn get(&mut self, name: &str, config: &ModelConfig) -> Result<Arc<Engine>, AssemblyError> {
        if let Some((running, engine)) = self.0.get(name)
            && running == config
        {
            return Ok(engine.clone());
        }
        let engine = Arc::new(Engine::start(&Manifest::load(&config.manifest)?, &config.engine)?);
        self.0.insert(name.to_owned(), (config.clone(), engine.clone()));
        Ok(engine)
    }

    /// Stops the engines that no camera uses.
    pub(crate) fn retain(&mut self, used: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| used(name));
    }
}

/// What one camera's pipeline is made of; makes it anew after a crash.
#[derive(Clone)]
pub struct Assembly {
    camera: CameraId,
    config: CameraConfig,
    engine: Arc<Engine>,
    baselines: Vec<Arc<Picture>>,
    clock: Arc<dyn Clock>,
}

/// A pipeline and the time that its model took.
pub struct Assembled {
    /// The pipeline.
    pub view: View,
    /// Time spent waiting for the model.
    pub model_time: ModelTime,
}

impl Assembly {
    /// Loads what the camera's pipeline needs. `offline`: frames wait for the model, none is shed.
    ///
    /// # Errors
    /// See [`AssemblyError`].
    pub fn new(
        pipeline: &Pipeline,
        camera: &CameraId,
        config: &CameraConfig,
        engines: &mut Engines,
        clock: Arc<dyn Clock>,
        offline: bool,
    ) -> Result<Self, AssemblyError> {
        let (name, model) =
            pipeline.model_of(config).ok_or_else(|| AssemblyError::NoModel(camera.clone()))?;
        let mut model = model.clone();
        if offline {
            model.engine.overload = Overload::Wait;
        }
        let engine = engines.get(name, &model)?;
        let baselines = config.baseline_pictures.iter().map(|path| read_picture(path).map(Arc::new));
        let baselines = baselines.collect::<Result<_, _>>()?;
        Ok(Self { camera: camera.clone(), config: config.clone(), engine, baselines, clock })
    }

    /// The first approved picture of the view.
    pub(crate) fn baseline(&self) -> Option<Arc<Picture>> {
        self.baselines.first().cloned()
    }

    /// A pipeline that has seen nothing.
    ///
    /// # Errors
    /// If the camera's detector options do not suit the model.
    pub fn build(&self) -> Result<Assembled, AssemblyError> {
        let CameraConfig { detector, zones: _, lines, rules, change, tracker, standing, presence, .. } =
            &self.config;
        let zones = self.config.zones();
        let model_time = ModelTime::default();
        let detector = Timed {
            inner: self.engine.detector(&self.camera, detector.clone())?,
            spent: model_time.clone(),
            clock: self.clock.clone(),
        };
        let of = |purpose: ZonePurpose| {
            zones
                .iter()
                .filter(move |zone| zone.purpose == purpose)
                .map(|zone| zone.polygon.clone())
                .collect::<Vec<_>>()
        };
        let change: Option<Box<dyn ChangeDetector>> =
            (change.background.is_some() || change.baseline.is_some()).then(|| {
                let (ignore, roofs) = (of(ZonePurpose::Ignore), of(ZonePurpose::Roof));
                let view = ViewChange::new(change, &ignore, &roofs, self.baselines.clone());
                Box::new(view) as Box<dyn ChangeDetector>
            });
        let config = PipelineConfig {
            camera: self.camera.clone(),
            preset: None,
            ground: None,
            zones,
            lines: lines.iter().map(|(id, line)| (id.clone(), line.points)).collect(),
            tracker: tracker.clone(),
            standing: standing.clone(),
            presence: presence.clone(),
            rules: rules.clone(),
        };
        Ok(Assembled { view: View::new(config, Box::new(detector), change), model_time })
    }
}

fn read_picture(path: &PathBuf) -> Result<Picture, AssemblyError> {
    let image = image::open(path).map_err(|source| AssemblyError::Baseline { path: path.clone(), source })?;
    let image = image.into_rgb8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    Ok(Picture::from_rgb(width, height, image.as_raw()).expect("a decoded picture has pixels"))
}

/// Time that a camera spent waiting for its model, in all.
#[derive(Debug, Clone, Default)]
pub struct ModelTime(Arc<AtomicU64>);

impl ModelTime {
    /// The sum so far.
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

struct Timed<D> {
    inner: D,
    spent: ModelTime,
    clock: Arc<dyn Clock>,
}

impl<D: Detector> Detector for Timed<D> {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let begun = self.clock.monotonic();
        let result = self.inner.detect(frame);
        let took = self.clock.monotonic().saturating_sub(begun);
        self.spent.0.fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
        result
    }
}
