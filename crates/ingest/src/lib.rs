//! Turns a camera, a file or a drone feed into frames, and keeps the encoded pre-roll for clips.
//!
//! [`CameraStream`] is the door: it owns the threads of one camera, connects it again whenever it breaks, and hands
//! out [`StreamEvent`]s. [`flight::Flight`] opens what a drone brought home: pictures with poses out of [`telemetry`].
//! [`PrerollHandle`] cuts clips out of the encoded past, [`VideoWriter`] makes videos out of
//! pictures, [`probe`] looks into a file, and [`serve`] turns files into RTSP cameras.

mod backoff;
mod clip;
mod clock;
mod codec;
mod config;
mod connection;
mod cpu;
mod decoder;
mod elements;
mod error;
pub mod flight;
mod glance;
mod health;
mod images;
mod intake;
mod pixels;
mod preroll;
mod probe;
mod queue;
mod recording;
mod ring;
pub mod serve;
mod still;
mod stream;
mod supervisor;
pub mod telemetry;
mod thin;
mod url;
mod writer;

pub use clip::ClipInfo;
pub use codec::Codec;
pub use config::{
    BackoffConfig, ConfigProblem, DeviceConfig, FileConfig, ImagesConfig, RtmpConfig, RtspConfig,
    SourceConfig, SrtConfig, SrtMode, TestConfig, Transport, WatchdogConfig,
};
pub use cpu::{CpuTime, thread_cpu_time};
pub use decoder::DecoderChoice;
pub use error::{ClipError, OpenError};
pub use glance::{GlanceAt, GlanceError, first_picture, glance};
pub use preroll::PrerollHandle;
pub use probe::{MediaInfo, probe};
pub use queue::StreamEvent;
pub use still::StillWatch;
pub use stream::CameraStream;
pub use thin::{DecodeMode, KeyframeGate, Passage, UnitFacts};
pub use url::{InvalidUrl, RtmpUrl, SrtUrl, StreamUrl, redact, split_credentials};
pub use writer::{VideoInfo, VideoOptions, VideoWriter};

/// What GStreamer says of its version.
pub fn gstreamer_version() -> String {
    gstreamer::version_string().to_string()
}
