//! A camera that serves a file over RTSP, and how to watch it.

use std::path::Path;

use parapet_core::CameraId;
use parapet_ingest::{
    SourceConfig, StreamUrl, WatchdogConfig,
    serve::{CameraServer, ServeOptions, ServedCamera},
};

/// A served camera of 25 fps with a keyframe every half second.
pub(crate) fn served(folder: &Path, credentials: Option<(&str, &str)>) -> (CameraServer, CameraId) {
    let file = folder.join("numbered.mp4");
    crate::common::video(&file, 150, 25.0, 12);
    let name: CameraId = "gate".parse().unwrap();
    let options = ServeOptions {
        port: 0,
        credentials: credentials.map(|(u, p)| (u.to_owned(), p.to_owned())),
        cache: folder.join("cache"),
        spread: false,
    };
    let cameras = [ServedCamera { name: name.clone(), file }];
    (CameraServer::start(options, &cameras).unwrap(), name)
}

/// A configuration that finds trouble fast.
pub(crate) fn config(url: &str) -> SourceConfig {
    let watchdog = WatchdogConfig {
        connect_seconds: 3.0,
        silent_seconds: 0.8,
        stalled_seconds: 5.0,
        freeze_seconds: 0.8,
        ..WatchdogConfig::default()
    };
    SourceConfig { watchdog, ..SourceConfig::of_rtsp(StreamUrl::parse(url).unwrap()) }
}
