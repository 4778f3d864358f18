//! What a detector finds in still pictures, several at a time, each one's findings kept as they come.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use parapet_core::{CameraId, DetectError, Detector, Frame, Picture, RunId, Timestamp};
use parapet_infer::{Engine, EngineError, Overload};

use super::{
    cache::Cache,
    subject::{Subject, found_box},
};
use crate::truth::FoundBox;

/// Score from which detections are kept: the precision–recall curve needs the weak ones too.
const LEAST_SCORE: f32 = 0.01;

/// Why a picture has no findings.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookError {
    /// It cannot be decoded.
    #[error("cannot decode the picture {}; hint: fetch it anew", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        #[source]
        source: image::ImageError,
    },
    /// The model failed on it.
    #[error("the model failed on {}", path.display())]
    Detect {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: DetectError,
    },
    /// The findings cannot be kept.
    #[error("cannot keep findings; hint: check the cache directory's space and rights")]
    Cache(#[source] std::io::Error),
}

/// What was found in one picture, or why nothing could be.
pub(super) type Look = Result<Vec<FoundBox>, LookError>;

/// Decodes a picture as a camera's decoder would give it.
///
/// # Errors
/// `Decode`.
pub(super) fn decode(path: &Path) -> Result<Picture, LookError> {
    let image =
        image::open(path).map_err(|source| LookError::Decode { path: path.to_owned(), source })?.into_rgb8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    Ok(Picture::from_rgb(width, height, image.as_raw()).expect("a decoded picture has pixels"))
}

/// One detector for each core, of one subject.
#[derive(Debug)]
pub(super) struct Eyes {
    engines: Vec<Engine>,
}

impl Eyes {
    /// Starts the subject's model once for each core.
    ///
    /// # Errors
    /// It cannot be run here.
    pub(super) fn start(subject: &Subject) -> Result<Self, EngineError> {
        let mut config = subject.config.engine.clone();
        config.overload = Overload::Wait;
        let cores = std::thread::available_parallelism().map_or(1, usize::from).div_ceil(config.threads);
        let start = |_| Engine::start(&subject.manifest, &config);
        Ok(Self { engines: (0..cores).map(start).collect::<Result<_, _>>()? })
    }

    /// What the subject finds in each picture, in their order. `hashes` belong to the pictures. `done` is told each time
    /// that a picture is.
    ///
    /// # Errors
    /// The detector's options do not suit the model. What befalls one picture stands in its place.
    pub(super) fn look(
        &self,
        subject: &Subject,
        pictures: &[(&Path, &str)],
        cache: &Cache,
        done: &(dyn Fn() + Sync),
    ) -> Result<Vec<Look>, EngineError> {
        let camera: CameraId = "pictures".parse().expect("a name");
        let mut options = subject.config.detector.clone();
        options.score_threshold = Some(options.score_threshold.unwrap_or(LEAST_SCORE));
        let detectors: Vec<_> = self
            .engines
            .iter()
            .map(|engine| engine.detector(&camera, options.clone()))
            .collect::<Result<_, _>>()?;
        let next = AtomicUsize::new(0);
        let found: Mutex<Vec<Option<Look>>> = Mutex::new(pictures.iter().map(|_| None).collect());
        std::thread::scope(|scope| {
            for mut detector in detectors {
                let (next, found) = (&next, &found);
                scope.spawn(move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some((path, hash)) = pictures.get(index) else { break };
                        let key = cache.key(&["picture", &subject.identity, hash]);
                        let findings = match cache.get(&key) {
                            Some(findings) => Ok(findings),
                            None => detect(&mut detector, path).and_then(|findings| {
                                cache.put(&key, &findings).map_err(LookError::Cache)?;
                                Ok(findings)
                            }),
                        };
                        found.lock().expect("nobody panics with it")[index] = Some(findings);
                        done();
                    }
                });
            }
        });
        let found = found.into_inner().expect("nobody panicked with it");
        Ok(found.into_iter().map(|f| f.expect("every picture was looked at")).collect())
    }
}

fn detect(detector: &mut dyn Detector, path: &Path) -> Result<Vec<FoundBox>, LookError> {
    let picture = decode(path)?;
    let (width, height) = (picture.width() as f64, picture.height() as f64);
    let frame = Frame {
        camera: "pictures".parse().expect("a name"),
        preset: None,
        run: RunId::derive(&["eval"]),
        sequence: 0,
        captured_at: Timestamp::UNIX_EPOCH,
        picture: Arc::new(picture),
    };
    let failed = |source| LookError::Detect { path: path.to_owned(), source };
    let detections = detector.detect(&frame).map_err(failed)?;
    Ok(detections.iter().map(|d| found_box(d, width, height)).collect())
}
