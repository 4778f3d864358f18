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
use tracing::info;

use crate::error::OpenError;

/// Who decodes a live source. Recordings are decoded by software unless `hardware` is asked for: so they give the same
/// pictures on every machine.
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
    /// Whether the one that was made last is hardware.
    hardware: Arc<AtomicBool>,
}

impl Decoders {
    /// Software alone.
    pub(crate) fn software() -> Self {
        Self { choice: DecoderChoice::Software, ..Self::default() }
    }

    /// Those of a camera.
    pub(crate) fn of(camera: &CameraId, choice: DecoderChoice, live: bool) -> Self {
        let choice = match choice {
            DecoderChoice::Auto if !live => DecoderChoice::Software,
            choice => choice,
        };
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
        let made = ordered.into_iter().find_map(|factory| Some((factory, factory.create().build().ok()?)));
        let Some((factory, decoder)) = made else {
            let format = caps.structure(0).map_or_else(|| "nothing".to_owned(), |s| s.name().to_string());
            return Err(OpenError::MissingDecoder { format });
        };
        let hardware = is_hardware(factory);
        if hardware && let Some(camera) = &self.camera {
            info!(%camera, decoder = %factory.name(), "hardware decodes");
        }
        self.hardware.store(hardware, Ordering::Relaxed);
        Ok(decoder)
    }

    /// Data came and no picture: if hardware was to decode them, software does from now on. Whether that is so.
    pub(crate) fn gave_nothing(&self) -> bool {
        let Some(camera) = self.camera.as_ref().filter(|_| self.hardware.load(Ordering::Relaxed)) else {
            return false;
        };
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

fn is_hardware(factory: &gst::ElementFactory) -> bool {
    factory.has_type(gst::ElementFactoryType::HARDWARE)
}
