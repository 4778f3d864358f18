//! What proves an incident: snapshot, annotated snapshot, before/after pair and clip, each with its hash, in
//! `YYYY-MM-DD/INCIDENT/`. A full disk costs evidence, never detection, and is said aloud.
//!
//! Nothing is blurred here: originals prove something by their hash, and the center hides in them what their reader may not
//! see.

mod before;
mod draw;
mod font;
mod jpeg;
mod recorder;
mod retention;
mod serve;

pub(crate) use before::{PastPicture, PastPictures};
pub(crate) use draw::{Canvas, REGION, TRACK, ZONE, of_severity};
pub(crate) use jpeg::{encode as encode_jpeg, encode_rgb};
pub use recorder::EvidenceConfig;
pub(crate) use recorder::{ClipSource, Ready, Recorder, RecorderHandle, Suspicion};
pub(crate) use serve::{Located, locate, media_type};
