//! What a pipeline file says about a camera's source. Parses and checks; opens nothing.

use std::path::PathBuf;

use parapet_core::Timestamp;
use serde::Deserialize;

use crate::{
    decoder::DecoderChoice,
    url::{RtmpUrl, SrtUrl, StreamUrl},
};

/// Where a camera's pictures come from. Exactly one of the tables `rtsp`, `rtmp`, `srt`, `file`,
/// `images`, `device`, `test`.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// A network camera.
    pub rtsp: Option<RtspConfig>,
    /// A drone's or an encoder's feed on an RTMP server.
    pub rtmp: Option<RtmpConfig>,
    /// A drone's or an encoder's feed over SRT, as an MPEG transport stream.
    pub srt: Option<SrtConfig>,
    /// A recorded video.
    pub file: Option<FileConfig>,
    /// Numbered pictures.
    pub images: Option<ImagesConfig>,
    /// A camera of this machine.
    pub device: Option<DeviceConfig>,
    /// A generated picture.
    pub test: Option<TestConfig>,
    /// Frames a second that go to analysis; a figure above the source's rate takes every frame.
    #[serde(default = "default_analysed_fps")]
    pub analysed_fps: f64,
    /// Who decodes.
    #[serde(default)]
    pub decoder: DecoderChoice,
    /// Decode keyframes only: the cheapest way to watch a scene in which things stand for minutes.
    #[serde(default)]
    pub keyframes_only: bool,
    /// Of a live source decode keyframes only, as long as looks at them are enough, and no more of them than the camera's rules
    /// ask for: one every second or two for what stands there for a while and until a dog is seen, and then every
    /// frame. Where lines are watched, or keyframes come more seldom, only while nothing moves; the camera's `gate` says
    /// when that is. When something moves then, the pictures since the latest keyframe are decoded after it, so that it is
    /// noticed at the next keyframe at the latest, mostly at once by the sizes of the encoded pictures. Full rate for some seconds
    /// before something is told of, so that it is told in time, and while somebody looks at the live picture.
    #[serde(default)]
    pub keyframes_when_enough: bool,
    /// Seconds of encoded video kept for clips: pre-roll and post-roll of the evidence together.
    #[serde(default = "default_preroll_seconds")]
    pub preroll_seconds: f64,
    /// Upper limit of the memory for that, in megabytes.
    #[serde(default = "default_preroll_megabytes")]
    pub preroll_megabytes: u32,
    /// Scale analysed frames down to at most this width, keeping their shape.
    pub max_width: Option<u32>,
    /// Scale analysed frames down to at most this height, keeping their shape.
    pub max_height: Option<u32>,
    /// When a live source counts as stuck.
    #[serde(default)]
    pub watchdog: WatchdogConfig,
    /// How long to wait before connecting again.
    #[serde(default)]
    pub backoff: BackoffConfig,
}

/// A network camera that speaks RTSP.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RtspConfig {
    /// Address of the stream; the main stream where `substream_url` is given. User and password may stand in it,
    /// percent-encoded, but belong into `username` and `password_file` or `password_env`.
    #[schemars(with = "String")]
    pub url: StreamUrl,
    /// Address of the camera's smaller stream. If given, analysis decodes this one and clips come from `url`.
    #[schemars(with = "Option<String>")]
    pub substream_url: Option<StreamUrl>,
    /// User name at the camera.
    pub username: Option<String>,
    /// File whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// Environment variable that holds the password.
    pub password_env: Option<String>,
    /// How packets travel.
    #[serde(default)]
    pub transport: Transport,
    /// How long datagrams are held back to put them in order, in milliseconds; over TCP nothing is held back.
    #[serde(default = "default_latency_milliseconds")]
    pub latency_milliseconds: u32,
}

/// How RTP packets travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Inside the RTSP connection: nothing is lost on the way, passes every firewall.
    #[default]
    Tcp,
    /// In datagrams: less delay, loss shows.
    Udp,
    /// Datagrams first; TCP if none come.
    Auto,
}

/// A feed that an RTMP server hands out: drones push to the server, Parapet plays from it.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RtmpConfig {
    /// Address of the stream, as `rtmp://server/application/stream`. User and password may stand in it,
    /// percent-encoded, but belong into `username` and `password_file` or `password_env`.
    #[schemars(with = "String")]
    pub url: RtmpUrl,
    /// User name at the server.
    pub username: Option<String>,
    /// File whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// Environment variable that holds the password.
    pub password_env: Option<String>,
}

/// A feed over SRT: an MPEG transport stream with H.264 or H.265, and with MISB ST 0601 metadata if the drone sends it
/// (as private data; synchronous metadata are read from recorded streams only).
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SrtConfig {
    /// Address, as `srt://server:9000`; for a listener the one to listen on, as `srt://0.0.0.0:9000`.
    #[schemars(with = "String")]
    pub url: SrtUrl,
    /// Who connects to whom.
    #[serde(default)]
    pub mode: SrtMode,
    /// What the server asks for to know which stream is meant.
    pub stream_id: Option<String>,
    /// File whose first line is the passphrase (10 to 79 characters): the stream is encrypted with it.
    pub passphrase_file: Option<PathBuf>,
    /// Environment variable that holds the passphrase.
    pub passphrase_env: Option<String>,
    /// How long packets are held back so that lost ones can be sent again, in milliseconds; the larger of both sides'.
    #[serde(default = "default_srt_latency_milliseconds")]
    pub latency_milliseconds: u32,
}

/// Who connects to whom over SRT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SrtMode {
    /// Parapet connects to a server.
    #[default]
    Caller,
    /// The drone's station connects to Parapet.
    Listener,
}

/// A recorded video in any container and codec that GStreamer reads.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// The video.
    pub path: PathBuf,
    /// Play in real time, as a camera would: frames that analysis cannot take are dropped. Otherwise every analysed
    /// frame is delivered, as fast as it can be.
    #[serde(default)]
    pub paced: bool,
    /// Begin again at the end; only with `paced`.
    #[serde(default)]
    pub looped: bool,
    /// When the first picture was taken (RFC 3339); without it, time starts at 1970-01-01T00:00:00Z. Not with `paced`,
    /// which takes the present.
    #[schemars(with = "Option<String>")]
    pub start_at: Option<Timestamp>,
}

/// JPEG or PNG pictures as frames, in the order of their names (numbers in them count as numbers).
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImagesConfig {
    /// A folder with pictures.
    pub directory: Option<PathBuf>,
    /// A path whose last part has wildcards, as `shots/roof_*.jpg` or `shots/%05d.png`.
    pub pattern: Option<String>,
    /// How many pictures make a second.
    pub frames_per_second: f64,
    /// When the first picture was taken (RFC 3339); without it, time starts at 1970-01-01T00:00:00Z.
    #[schemars(with = "Option<String>")]
    pub start_at: Option<Timestamp>,
}

/// A camera of this machine (`Video4Linux`).
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// The device, as `/dev/video0`.
    pub path: PathBuf,
}

/// A generated picture, for trying things out.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestConfig {
    /// A pattern of GStreamer's `videotestsrc`, as `ball`, `smpte` or `snow`.
    #[serde(default = "default_pattern")]
    pub pattern: String,
    /// Pixels across.
    #[serde(default = "default_test_width")]
    pub width: u32,
    /// Pixels down.
    #[serde(default = "default_test_height")]
    pub height: u32,
    /// Frames a second.
    #[serde(default = "default_test_fps")]
    pub frames_per_second: u32,
    /// Stop after so many frames and deliver each as fast as it can be; without it, run as a live camera.
    pub frames: Option<u32>,
}

/// When a live source counts as stuck and is connected anew.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WatchdogConfig {
    /// Longest time from the attempt to the first frame, in seconds.
    pub connect_seconds: f64,
    /// Longest time without anything from the source, in seconds.
    pub silent_seconds: f64,
    /// Longest time without a decoded frame while data still comes, in seconds; above the distance of keyframes.
    pub stalled_seconds: f64,
    /// Longest time with the same picture, in seconds.
    pub freeze_seconds: f64,
    /// How much the mean brightness (0 to 255) of any of the cells of a 64 × 36 grid may differ in the "same"
    /// picture. The digits of a burned-in clock change their cells by several units.
    pub freeze_tolerance: f64,
}

impl Default for WatchdogConfig {
    fn default() -> Self {
        Self {
            connect_seconds: 10.0,
            silent_seconds: 5.0,
            stalled_seconds: 30.0,
            freeze_seconds: 60.0,
            freeze_tolerance: 0.5,
        }
    }
}

/// How long to wait before connecting again: twice as long each time, from `initial_seconds` to `max_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BackoffConfig {
    /// First wait, in seconds.
    pub initial_seconds: f64,
    /// Longest wait, in seconds. Pictures are back at most this long, and the camera's own start, after the camera is.
    pub max_seconds: f64,
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self { initial_seconds: 0.25, max_seconds: 2.0 }
    }
}

/// One mistake in a [`SourceConfig`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}; hint: {hint}")]
pub struct ConfigProblem {
    /// Path of the option below the source, as `rtsp.password_env`; empty for the source itself.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub hint: String,
}

impl SourceConfig {
    /// The defaults around no source; set one table.
    pub fn empty() -> Self {
        Self {
            rtsp: None,
            rtmp: None,
            srt: None,
            file: None,
            images: None,
            device: None,
            test: None,
            analysed_fps: default_analysed_fps(),
            decoder: DecoderChoice::default(),
            keyframes_only: false,
            keyframes_when_enough: false,
            preroll_seconds: default_preroll_seconds(),
            preroll_megabytes: default_preroll_megabytes(),
            max_width: None,
            max_height: None,
            watchdog: WatchdogConfig::default(),
            backoff: BackoffConfig::default(),
        }
    }

    /// A recorded video with every analysed frame, starting at 1970-01-01T00:00:00Z.
    pub fn of_file(path: impl Into<PathBuf>) -> Self {
        let file = FileConfig { path: path.into(), paced: false, looped: false, start_at: None };
        Self { file: Some(file), ..Self::empty() }
    }

    /// A network camera without user and password of its own.
    pub fn of_rtsp(url: StreamUrl) -> Self {
        let rtsp = RtspConfig {
            url,
            substream_url: None,
            username: None,
            password_file: None,
            password_env: None,
            transport: Transport::default(),
            latency_milliseconds: default_latency_milliseconds(),
        };
        Self { rtsp: Some(rtsp), ..Self::empty() }
    }

    /// A feed on an RTMP server without user and password of its own.
    pub fn of_rtmp(url: RtmpUrl) -> Self {
        let rtmp = RtmpConfig { url, username: None, password_file: None, password_env: None };
        Self { rtmp: Some(rtmp), ..Self::empty() }
    }

    /// A feed over SRT from a server, not encrypted.
    pub fn of_srt(url: SrtUrl) -> Self {
        let srt = SrtConfig {
            url,
            mode: SrtMode::default(),
            stream_id: None,
            passphrase_file: None,
            passphrase_env: None,
            latency_milliseconds: default_srt_latency_milliseconds(),
        };
        Self { srt: Some(srt), ..Self::empty() }
    }

    /// Whether frames come in real time and are dropped when analysis is late. Otherwise all are delivered, their
    /// times depend on the source alone, and the stream ends.
    pub fn is_live(&self) -> bool {
        self.rtsp.is_some()
            || self.rtmp.is_some()
            || self.srt.is_some()
            || self.device.is_some()
            || self.file.as_ref().is_some_and(|f| f.paced)
            || self.test.as_ref().is_some_and(|t| t.frames.is_none())
    }

    /// Every mistake that shows without opening anything.
    pub fn check(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        let mut say = |field: &str, problem: String, hint: &str| {
            problems.push(ConfigProblem { field: field.to_owned(), problem, hint: hint.to_owned() });
        };
        let tables = [
            ("rtsp", self.rtsp.is_some()),
            ("rtmp", self.rtmp.is_some()),
            ("srt", self.srt.is_some()),
            ("file", self.file.is_some()),
            ("images", self.images.is_some()),
            ("device", self.device.is_some()),
            ("test", self.test.is_some()),
        ];
        let given: Vec<&str> = tables.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
        match given.as_slice() {
            [_] => {}
            [] => {
                say(
                    "",
                    "no source is given".into(),
                    "add one of the tables rtsp, rtmp, srt, file, images, device, test",
                );
            }
            many => say("", format!("several sources are given: {}", many.join(", ")), "keep one of them"),
        }
        let positive = [
            ("analysed_fps", Some(self.analysed_fps)),
            ("preroll_seconds", Some(self.preroll_seconds)),
            ("images.frames_per_second", self.images.as_ref().map(|i| i.frames_per_second)),
            ("watchdog.connect_seconds", Some(self.watchdog.connect_seconds)),
            ("watchdog.silent_seconds", Some(self.watchdog.silent_seconds)),
            ("watchdog.stalled_seconds", Some(self.watchdog.stalled_seconds)),
            ("watchdog.freeze_seconds", Some(self.watchdog.freeze_seconds)),
            ("watchdog.freeze_tolerance", Some(self.watchdog.freeze_tolerance)),
            ("backoff.initial_seconds", Some(self.backoff.initial_seconds)),
            ("backoff.max_seconds", Some(self.backoff.max_seconds)),
        ];
        for (field, value) in positive {
            if value.is_some_and(|v| !(v > 0.0 && v < 1e6)) {
                say(field, format!("{} is out of range", value.unwrap_or_default()), "a number above 0");
            }
        }
        if self.backoff.max_seconds < self.backoff.initial_seconds {
            say(
                "backoff.max_seconds",
                "is below backoff.initial_seconds".into(),
                "the wait grows from the first to the second",
            );
        }
        for (field, value) in [("max_width", self.max_width), ("max_height", self.max_height)] {
            if value.is_some_and(|v| v < 16) {
                say(field, "is below 16 pixels".into(), "leave it out to keep the source's size");
            }
        }
        let rtsp = self.rtsp.as_ref().map(|r| ("rtsp", &r.username, &r.password_file, &r.password_env));
        let rtmp = self.rtmp.as_ref().map(|r| ("rtmp", &r.username, &r.password_file, &r.password_env));
        for (table, username, file, env) in rtsp.into_iter().chain(rtmp) {
            if file.is_some() && env.is_some() {
                let beside = format!("stands beside {table}.password_file");
                say(&format!("{table}.password_env"), beside, "keep one of them");
            }
            if (file.is_some() || env.is_some()) && username.is_none() {
                say(&format!("{table}.username"), "is missing".into(), "a password needs its user name");
            }
        }
        if self.srt.as_ref().is_some_and(|s| s.passphrase_file.is_some() && s.passphrase_env.is_some()) {
            say("srt.passphrase_env", "stands beside srt.passphrase_file".into(), "keep one of them");
        }
        if let Some(file) = &self.file {
            if file.looped && !file.paced {
                say("file.looped", "would never end".into(), "set paced = true, or leave looped out");
            }
            if file.paced && file.start_at.is_some() {
                say("file.start_at", "has no meaning with paced = true".into(), "leave one of them out");
            }
        }
        if let Some(images) = &self.images
            && images.directory.is_some() == images.pattern.is_some()
        {
            say("images", "needs either a directory or a pattern".into(), "give one of the two");
        }
        if let Some(test) = &self.test
            && (test.width < 16 || test.height < 16 || test.frames_per_second == 0)
        {
            say("test", "the picture is too small or stands still".into(), "at least 16 × 16 at 1 fps");
        }
        problems
    }
}

fn default_analysed_fps() -> f64 {
    5.0
}
fn default_preroll_seconds() -> f64 {
    15.0
}
fn default_preroll_megabytes() -> u32 {
    64
}
fn default_latency_milliseconds() -> u32 {
    200
}
fn default_srt_latency_milliseconds() -> u32 {
    125
}
fn default_pattern() -> String {
    "ball".to_owned()
}
fn default_test_width() -> u32 {
    640
}
fn default_test_height() -> u32 {
    360
}
fn default_test_fps() -> u32 {
    25
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<SourceConfig, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_camera_needs_no_more_than_its_address() {
        let config = parse(r#"{"rtsp": {"url": "rtsp://10.0.0.5/main"}}"#).unwrap();
        assert_eq!(config, SourceConfig::of_rtsp(StreamUrl::parse("rtsp://10.0.0.5/main").unwrap()));
        assert_eq!((config.check(), config.is_live()), (vec![], true));
        assert!(!parse(r#"{"file": {"path": "a.mp4"}}"#).unwrap().is_live());
    }

    #[test]
    fn a_drones_feed_is_live_and_its_secrets_stand_in_one_place() {
        let rtmp = parse(r#"{"rtmp": {"url": "rtmp://10.0.0.5/live/drone1"}}"#).unwrap();
        assert_eq!((rtmp.check(), rtmp.is_live()), (vec![], true));
        let srt = parse(r#"{"srt": {"url": "srt://10.0.0.5:9000", "mode": "listener"}}"#).unwrap();
        assert_eq!((srt.check(), srt.is_live()), (vec![], true));
        let twice =
            r#"{"srt": {"url": "srt://10.0.0.5:9000", "passphrase_file": "x", "passphrase_env": "X"}}"#;
        assert_eq!(parse(twice).unwrap().check()[0].field, "srt.passphrase_env");
        let nobody = r#"{"rtmp": {"url": "rtmp://10.0.0.5/live/drone1", "password_env": "X"}}"#;
        assert_eq!(parse(nobody).unwrap().check()[0].field, "rtmp.username");
    }

    #[test]
    fn a_typo_is_an_error() {
        for bad in [
            r#"{"rtps": {}}"#,
            r#"{"file": {"path": "a", "loop": true}}"#,
            r#"{"test": {}, "watchdog": {"silence": 1}}"#,
            r#"{"rtsp": {"url": "10.0.0.5"}}"#,
            r#"{"rtsp": {"url": "rtsp://h/", "transport": "tpc"}}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let config = parse(
            r#"{"file": {"path": "a", "looped": true}, "rtsp": {"url": "rtsp://u:secret@h/", "password_env": "X", "password_file": "x"},
                "analysed_fps": 0, "max_width": 3, "backoff": {"initial_seconds": 3, "max_seconds": 1},
                "images": {"frames_per_second": -1}}"#,
        )
        .unwrap();
        let mut fields: Vec<String> = config.check().into_iter().map(|p| p.field).collect();
        fields.sort();
        assert_eq!(
            fields,
            [
                "",
                "analysed_fps",
                "backoff.max_seconds",
                "file.looped",
                "images",
                "images.frames_per_second",
                "max_width",
                "rtsp.password_env",
                "rtsp.username"
            ]
        );
        assert!(config.check().iter().all(|p| !p.hint.is_empty()));
        assert!(!format!("{config:?}").contains("secret"));
    }
}
