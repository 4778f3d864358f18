//! Which decoder takes a source's video: one of the machine's hardware where that is wanted and works, else software. What
//! is known of a camera's failing hardware decoder holds until the program ends, so that it is not tried at each visit.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use gstreamer::{self as gst, prelude::*};
use parapet_core::CameraId;
use serde::Deserialize;
use tracing::{info, warn};

use crate::error::OpenError;

/// Who decodes a live source. Recordings are decoded by software, so that they give the same pictures on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecoderChoice {
    /// The decoder that `GStreamer` ranks best for the format.
    #[default]
    Auto,
    /// Never the machine's hardware.
    Software,
    /// The machine's hardware (VA-API, NVDEC, `Video4Linux`) where `GStreamer` has a decoder for it, however it is ranked.
    Hardware,
}

/// Cameras whose hardware decoder gave no picture.
static GAVE_UP: Mutex<BTreeSet<CameraId>> = Mutex::new(BTreeSet::new());

/// Makes the decoders of one source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decoders {
    choice: DecoderChoice,
    camera: Option<CameraId>,
    latest: Arc<Latest>,
}

/// What is known of the decoder that was made last.
#[derive(Debug, Default)]
struct Latest {
    hardware: AtomicBool,
    /// A keyframe has gone to it.
    fed: AtomicBool,
}

impl Decoders {
    /// Software alone.
    pub(crate) fn software() -> Self {
        Self { choice: DecoderChoice::Software, ..Self::default() }
    }

    /// Those of a camera.
    pub(crate) fn of(camera: &CameraId, choice: DecoderChoice, live: bool) -> Self {
        let choice = if live { choice } else { DecoderChoice::Software };
        Self { choice, camera: Some(camera.clone()), ..Self::default() }
    }

    /// The decoder for these caps.
    pub(crate) fn make(&self, caps: &gst::Caps) -> Result<gst::Element, OpenError> {
        let choice = if self.gave_up() { DecoderChoice::Software } else { self.choice };
        let least = match choice {
            DecoderChoice::Hardware => gst::Rank::NONE,
            DecoderChoice::Auto | DecoderChoice::Software => gst::Rank::MARGINAL,
        };
        // Best rank first; one that takes only a special kind of this format is not meant.
        let of_format: Vec<gst::ElementFactory> = {
            let all = gst::ElementFactory::factories_with_type(gst::ElementFactoryType::DECODER, least);
            let (whole, part): (Vec<_>, Vec<_>) = all
                .into_iter()
                .filter(|factory| factory.can_sink_any_caps(caps))
                .partition(|factory| factory.can_sink_all_caps(caps));
            whole.into_iter().chain(part).collect()
        };
        let (hardware, software): (Vec<_>, Vec<_>) = of_format.iter().partition(|f| is_hardware(f));
        let ordered = match choice {
            DecoderChoice::Auto => of_format.iter().collect(),
            DecoderChoice::Software => software,
            // A rank of nothing is software that its makers do not want to be found.
            DecoderChoice::Hardware => hardware
                .into_iter()
                .chain(software.into_iter().filter(|f| f.rank() >= gst::Rank::MARGINAL))
                .collect(),
        };
        let made = ordered.into_iter().find_map(|factory| Some((factory, opened(factory)?)));
        let Some((factory, decoder)) = made else {
            let format = caps.structure(0).map_or_else(|| "nothing".to_owned(), |s| s.name().to_string());
            return Err(OpenError::MissingDecoder { format });
        };
        let hardware = is_hardware(factory);
        if hardware && let Some(camera) = &self.camera {
            info!(%camera, decoder = %factory.name(), "hardware decodes");
        }
        self.latest.hardware.store(hardware, Ordering::Relaxed);
        self.latest.fed.store(false, Ordering::Relaxed);
        Ok(decoder)
    }

    /// A keyframe goes to the decoder.
    pub(crate) fn keyframe(&self) {
        self.latest.fed.store(true, Ordering::Relaxed);
    }

    /// No picture came: if hardware got something to decode, software does it from now on. Whether that is so.
    pub(crate) fn gave_nothing(&self) -> bool {
        let was_fed = self.latest.hardware.load(Ordering::Relaxed) && self.latest.fed.load(Ordering::Relaxed);
        let Some(camera) = self.camera.as_ref().filter(|_| was_fed) else { return false };
        metrics::counter!("parapet_hardware_decoder_failed_total", "camera" => camera.to_string())
            .increment(1);
        GAVE_UP.lock().unwrap_or_else(PoisonError::into_inner).insert(camera.clone());
        true
    }

    fn gave_up(&self) -> bool {
        let gave_up = GAVE_UP.lock().unwrap_or_else(PoisonError::into_inner);
        self.camera.as_ref().is_some_and(|camera| gave_up.contains(camera))
    }
}

/// A decoder whose device can be opened: it may be in use, or not allowed to this user.
fn opened(factory: &gst::ElementFactory) -> Option<gst::Element> {
    let decoder = factory.create().build().ok()?;
    if decoder.set_state(gst::State::Ready).is_ok() {
        return Some(decoder);
    }
    warn!(decoder = %factory.name(), "the decoder cannot be opened; another one is taken");
    let _ = decoder.set_state(gst::State::Null);
    None
}

fn is_hardware(factory: &gst::ElementFactory) -> bool {
    factory.has_type(gst::ElementFactoryType::HARDWARE)
}
