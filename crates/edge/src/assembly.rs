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

use parapet_analytics::{Pipeline as View, PipelineConfig, schedule};
use parapet_change::ViewChange;
use parapet_core::{
    BBox, CameraId, ChangeDetector, Clock, DetectError, Detection, Detector, Frame, Picture, PresetId, RunId,
    Timestamp, Zone, ZonePurpose,
};
use parapet_infer::{Engine, EngineError, Manifest, ManifestError, Overload};

use crate::{
    baselines::{ApprovedChange, BaselineInUse, Shelf},
    config::{CameraConfig, ModelConfig, Pipeline, ViewOptions},
    dome::{Dome, DomeControl, DomePreset, OnvifControl, Plan, Unled},
    watch::{Watch, WatchedView},
};

/// Pictures with which the model is measured.
const MEASURED_SIZE: (usize, usize) = (1280, 720);
const MEASURED_RUNS: u64 = 4;

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
    /// A baseline or reference picture.
    #[error("cannot read the picture {}; hint: JPEG or PNG", path.display())]
    Picture {
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

/// What one camera's pipelines are made of; makes them anew after a crash.
#[derive(Clone)]
pub struct Assembly {
    camera: CameraId,
    config: CameraConfig,
    engine: Arc<Engine>,
    /// The pictures of each view, by preset.
    pictures: BTreeMap<Option<PresetId>, ViewPictures>,
    /// Where approved baselines are, and the time zone that they are kept by.
    baselines: (PathBuf, schedule::Zone),
    clock: Arc<dyn Clock>,
    offline: bool,
}

/// The pictures that a pipeline file names for a view.
#[derive(Clone, Default)]
struct ViewPictures {
    baselines: Vec<Arc<Picture>>,
    references: Vec<Arc<Picture>>,
}

/// What looks at a camera's frames, and the time that its model took.
pub struct Assembled {
    /// The pipeline, or a dome's pipelines.
    pub watch: Watch,
    /// Time spent waiting for the model.
    pub model_time: ModelTime,
}

impl Assembly {
    /// Loads what the camera's pipeline needs. `offline`: frames wait for the model, none is shed; a dome is not told
    /// anything but recognised from the picture; baselines are those of the pipeline file alone.
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
        let read = |paths: &[PathBuf]| {
            paths.iter().map(|path| read_picture(path).map(Arc::new)).collect::<Result<Vec<_>, _>>()
        };
        let mut pictures = BTreeMap::new();
        for (preset, view) in config.views() {
            let references = preset.and_then(|preset| config.presets.get(preset));
            let references = references.map_or(Ok(Vec::new()), |preset| read(&preset.reference_pictures))?;
            let baselines = read(view.baseline_pictures)?;
            pictures.insert(preset.cloned(), ViewPictures { baselines, references });
        }
        let baselines = (pipeline.baselines_dir(), pipeline.node.time_zone.clone());
        let (camera, config) = (camera.clone(), config.clone());
        Ok(Self { camera, config, engine, pictures, baselines, clock, offline })
    }

    /// Pipelines that have seen nothing.
    ///
    /// # Errors
    /// If the camera's detector options do not suit the model, or a dome's thread cannot be started.
    pub fn build(&self) -> Result<Assembled, AssemblyError> {
        let model_time = ModelTime::default();
        let Some(dome) = &self.config.dome else {
            let view = self.view(None, &model_time)?;
            return Ok(Assembled { watch: Watch::fixed(view), model_time });
        };
        let mut presets = Vec::new();
        for (id, preset) in &self.config.presets {
            presets.push(DomePreset {
                id: id.clone(),
                token: preset.token.clone().unwrap_or_else(|| id.to_string()),
                field_of_view_degrees: preset.field_of_view_degrees,
                references: self.pictures[&Some(id.clone())].references.clone(),
                view: self.view(Some(id), &model_time)?,
            });
        }
        let control: Box<dyn DomeControl> = match &dome.onvif {
            Some(onvif) if !self.offline => Box::new(
                OnvifControl::start(&self.camera, onvif, self.clock.clone())
                    .map_err(AssemblyError::Thread)?,
            ),
            _ => Box::new(Unled),
        };
        let plan = Plan::new(&self.config, dome, self.offline);
        let dome = Dome::new(self.camera.clone(), dome, plan, presets, control);
        Ok(Assembled { watch: Watch::dome(dome), model_time })
    }

    /// What the model takes for a picture on this machine at present: the quickest of a few.
    pub(crate) fn model_time(&self) -> Option<Duration> {
        let mut detector = self.engine.detector(&self.camera, self.config.detector.clone()).ok()?;
        let (w, h) = MEASURED_SIZE;
        let picture = Arc::new(Picture::from_rgb(w, h, &vec![114; w * h * 3])?);
        let mut quickest: Option<Duration> = None;
        for sequence in 0..MEASURED_RUNS {
            let frame = Frame {
                camera: self.camera.clone(),
                preset: None,
                run: RunId::derive(&["measure"]),
                sequence,
                captured_at: Timestamp::UNIX_EPOCH,
                picture: picture.clone(),
            };
            let begun = self.clock.monotonic();
            detector.detect(&frame).ok()?;
            let took = self.clock.monotonic().saturating_sub(begun);
            quickest = Some(quickest.map_or(took, |before| before.min(took)));
        }
        quickest
    }

    /// The pipeline of the whole view, or of a preset.
    fn view(&self, preset: Option<&PresetId>, model_time: &ModelTime) -> Result<WatchedView, AssemblyError> {
        let CameraConfig { detector, tracker, standing, presence, gate, patrol, .. } = &self.config;
        let options = self.config.view(preset).expect("asked for its own presets");
        let pictures = &self.pictures[&preset.cloned()];
        let detector = Timed {
            inner: self.engine.detector(&self.camera, detector.clone())?,
            spent: model_time.clone(),
            clock: self.clock.clone(),
        };
        let baseline = BaselineInUse::default();
        let config = PipelineConfig {
            camera: self.camera.clone(),
            preset: preset.cloned(),
            ground: options.ground.cloned(),
            zones: options.core_zones(),
            lines: options.lines.iter().map(|(id, line)| (id.clone(), line.points)).collect(),
            tracker: tracker.clone(),
            standing: standing.clone(),
            presence: presence.clone(),
            rules: options.rules.clone(),
            gate: gate.clone(),
            // In a recording every frame is there.
            longest_gap: patrol.filter(|_| !self.offline).map(|patrol| patrol.every_seconds),
        };
        let change = self.change(preset, options, &config.zones, pictures.baselines.clone(), &baseline);
        Ok(WatchedView { pipeline: View::new(config, Box::new(detector), change), baseline })
    }

    fn change(
        &self,
        preset: Option<&PresetId>,
        options: ViewOptions<'_>,
        zones: &[Zone],
        pictures: Vec<Arc<Picture>>,
        in_use: &BaselineInUse,
    ) -> Option<Box<dyn ChangeDetector>> {
        if options.change.background.is_none() && options.change.baseline.is_none() {
            return None;
        }
        let of = |purpose: ZonePurpose| {
            let zones = zones.iter().filter(|zone| zone.purpose == purpose);
            zones.map(|zone| zone.polygon.clone()).collect::<Vec<_>>()
        };
        let (ignore, roofs) = (of(ZonePurpose::Ignore), of(ZonePurpose::Roof));
        let view = ViewChange::new(options.change, &ignore, &roofs, pictures.clone());
        if options.change.baseline.is_none() || self.offline {
            return Some(Box::new(view));
        }
        let (root, time_zone) = &self.baselines;
        let shelf = Shelf::of(root, &self.camera, preset, time_zone.clone());
        Some(Box::new(ApprovedChange::new(self.camera.clone(), view, shelf, pictures, in_use.clone())))
    }
}

fn read_picture(path: &PathBuf) -> Result<Picture, AssemblyError> {
    let image = image::open(path).map_err(|source| AssemblyError::Picture { path: path.clone(), source })?;
    Ok(picture_from(image))
}

/// A decoded picture in our form.
pub(crate) fn picture_from(image: image::DynamicImage) -> Picture {
    let image = image.into_rgb8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    Picture::from_rgb(width, height, image.as_raw()).expect("a decoded picture has pixels")
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

impl<D> Timed<D> {
    fn time<R>(&mut self, look: impl FnOnce(&mut D) -> R) -> R {
        let begun = self.clock.monotonic();
        let result = look(&mut self.inner);
        let took = self.clock.monotonic().saturating_sub(begun);
        self.spent.0.fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
        result
    }
}

impl<D: Detector> Detector for Timed<D> {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        self.time(|detector| detector.detect(frame))
    }

    fn detect_in(&mut self, frame: &Frame, part: BBox) -> Result<Vec<Detection>, DetectError> {
        self.time(|detector| detector.detect_in(frame, part))
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::ManualClock;

    use super::*;

    /// Takes a second for all of a frame and a tenth of one for a part of it.
    struct Asked(ManualClock, Vec<Option<BBox>>);

    impl Detector for Asked {
        fn detect(&mut self, _: &Frame) -> Result<Vec<Detection>, DetectError> {
            self.0.advance(Duration::from_secs(1));
            self.1.push(None);
            Ok(Vec::new())
        }

        fn detect_in(&mut self, _: &Frame, part: BBox) -> Result<Vec<Detection>, DetectError> {
            self.0.advance(Duration::from_millis(100));
            self.1.push(Some(part));
            Ok(Vec::new())
        }
    }

    #[test]
    fn a_glance_at_a_part_reaches_the_model_as_one_and_is_timed() {
        let clock = ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap());
        let spent = ModelTime::default();
        let inner = Asked(clock.clone(), Vec::new());
        let mut timed = Timed { inner, spent: spent.clone(), clock: Arc::new(clock.clone()) };
        let frame = Frame {
            camera: "gate".parse().unwrap(),
            preset: None,
            run: RunId::live(),
            sequence: 0,
            captured_at: clock.now(),
            picture: Arc::new(Picture::from_rgb(64, 36, &[90; 64 * 36 * 3]).unwrap()),
        };
        let part = BBox::new(0.2, 0.2, 0.4, 0.5).unwrap();
        timed.detect(&frame).unwrap();
        timed.detect_in(&frame, part).unwrap();
        assert_eq!(timed.inner.1, [None, Some(part)]);
        assert_eq!(spent.total(), Duration::from_millis(1100));
    }
}
