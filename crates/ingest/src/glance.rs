//! One look at a network camera before it is anybody's: the first picture that decodes, or why there is none.

use std::{sync::Arc, time::Duration};

use parapet_core::{CameraId, Clock, Frame, HealthEvent, HealthState};

use crate::{
    config::{SourceConfig, Transport},
    error::{OpenError, Reason},
    queue::StreamEvent,
    stream::CameraStream,
    url::{InvalidUrl, StreamUrl},
};

/// What is needed to look at a camera. `Debug` shows no password.
#[derive(Debug, Clone)]
pub struct GlanceAt {
    /// The address, with user and password if there are any.
    pub url: StreamUrl,
    /// How packets travel.
    pub transport: Transport,
}

impl GlanceAt {
    /// An address with user and password beside it.
    ///
    /// # Errors
    /// It is no RTSP address.
    pub fn new(
        url: &str,
        username: Option<&str>,
        password: Option<&str>,
        transport: Transport,
    ) -> Result<Self, InvalidUrl> {
        let mut url = StreamUrl::parse(url)?;
        if let Some(username) = username {
            url = url.with_credentials(username, password.unwrap_or_default());
        }
        Ok(Self { url, transport })
    }
}

/// Why a camera shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum GlanceError {
    /// The source is not set up right.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// User or password are wrong, or missing.
    #[error("the camera lets nobody in with this user and password")]
    Password,
    /// Nobody answers at the address.
    #[error("nothing answers at this address: {0}")]
    Unreachable(String),
    /// There is no such stream.
    #[error("the camera has no stream of this path: {0}")]
    NoStream(String),
    /// It cannot be decoded.
    #[error("the stream cannot be shown: {0}")]
    NoVideo(String),
    /// Nothing came in time.
    #[error("no picture came within {0:?}")]
    Silent(Duration),
}

/// The first picture of a network camera.
///
/// # Errors
/// See [`GlanceError`].
pub fn glance(at: GlanceAt, clock: &Arc<dyn Clock>, patience: Duration) -> Result<Frame, GlanceError> {
    let mut source = SourceConfig::of_rtsp(at.url);
    if let Some(rtsp) = &mut source.rtsp {
        rtsp.transport = at.transport;
    }
    first_picture(source, clock, patience)
}

/// The first picture of a source, however it is set up.
///
/// # Errors
/// See [`GlanceError`].
pub fn first_picture(
    mut source: SourceConfig,
    clock: &Arc<dyn Clock>,
    patience: Duration,
) -> Result<Frame, GlanceError> {
    source.watchdog.connect_seconds = source.watchdog.connect_seconds.min(patience.as_secs_f64());
    (source.max_width, source.max_height) = (None, None);
    let camera: CameraId = "glance".parse().expect("a slug");
    let begun = clock.monotonic();
    let mut stream = CameraStream::open(camera, &source, Arc::clone(clock))?;
    loop {
        let left = patience.saturating_sub(clock.monotonic().saturating_sub(begun));
        let event = if left.is_zero() { None } else { stream.next(left) };
        match event {
            Some(StreamEvent::Frame(frame)) => return Ok(frame),
            Some(StreamEvent::Health(health)) if health.state == HealthState::Offline => {
                let detail = health.detail.unwrap_or_default();
                return Err(match (health.event, Reason::of(&detail)) {
                    (HealthEvent::Silent, _) => GlanceError::Silent(patience),
                    (_, Some(Reason::Password)) => GlanceError::Password,
                    (_, Some(Reason::Path)) => GlanceError::NoStream(detail),
                    (_, Some(Reason::Address)) => GlanceError::Unreachable(detail),
                    _ => GlanceError::NoVideo(detail),
                });
            }
            Some(StreamEvent::Health(_)) => {}
            Some(StreamEvent::Ended) => return Err(GlanceError::NoVideo("it has no pictures".to_owned())),
            None => return Err(GlanceError::Silent(patience)),
        }
    }
}
