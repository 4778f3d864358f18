//! The last hours of a camera on disk, as they came: segments of the main stream's encoded pictures out of the ring that
//! clips come from. For trying drafts; evidence has clips of its own, and nothing here is sent anywhere.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use parapet_core::{CameraId, Clock, Timestamp};
use parapet_ingest::{ClipError, PrerollHandle};
use serde::{Deserialize, Serialize};
use tracing::{error, warn};

/// Segments are written this often, at the longest.
const EVERY: Duration = Duration::from_secs(10);
/// Segments that are no further apart follow each other without a gap.
const GAP: Duration = Duration::from_secs(2);

/// How much of a camera is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecordingConfig {
    /// Hours that are kept, so that a changed rule can be tried on them before it goes live.
    pub hours: f64,
    /// Room that they may take, in megabytes; the oldest goes first.
    pub megabytes: u32,
}

impl Default for RecordingConfig {
    fn default() -> Self {
        Self { hours: 4.0, megabytes: 4000 }
    }
}

impl RecordingConfig {
    /// What is wrong with it.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(self.hours > 0.0 && self.hours <= 168.0) {
            problems.push(format!("hours {} is out of range; hint: above 0, at most 168", self.hours));
        }
        if self.megabytes == 0 {
            problems
                .push("megabytes 0 keeps nothing; hint: leave the table out to record nothing".to_owned());
        }
        problems
    }
}

/// A file of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    /// When its first picture was taken.
    pub(crate) from: Timestamp,
    /// When its last one was.
    pub(crate) to: Timestamp,
    pub(crate) bytes: u64,
}

/// Writes a camera's segments until it is dropped.
pub(crate) struct CameraRecorder {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl CameraRecorder {
    /// Starts to write what comes into the ring to `dir`.
    pub(crate) fn start(
        camera: &CameraId,
        dir: PathBuf,
        config: RecordingConfig,
        ring: PrerollHandle,
        ring_seconds: f64,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        let (stop, orders) = channel::<()>();
        // What leaves the ring before it is written would be lost.
        let every = EVERY.min(Duration::from_secs_f64(ring_seconds / 2.0));
        let mut writer = Writer { camera: camera.clone(), dir, config, ring, next: None, failing: false };
        let thread = std::thread::Builder::new().name(format!("record:{camera}")).spawn(move || {
            while orders.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                writer.write(clock.now());
            }
            writer.write(clock.now());
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for CameraRecorder {
    fn drop(&mut self) {
        self.stop.take();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the recorder of a camera panicked");
        }
    }
}

struct Writer {
    camera: CameraId,
    dir: PathBuf,
    config: RecordingConfig,
    ring: PrerollHandle,
    /// The keyframe with which the next segment begins.
    next: Option<Timestamp>,
    failing: bool,
}

impl Writer {
    fn write(&mut self, now: Timestamp) {
        let written = self.write_all().and_then(|()| Ok(forget(&self.dir, &self.config, now)?));
        if let Err(error) = &written
            && !self.failing
        {
            warn!(camera = %self.camera, %error, "the camera is not recorded");
        }
        self.failing = written.is_err();
    }

    fn write_all(&mut self) -> Result<(), Trouble> {
        let unnamed = self.dir.join("latest.mp4");
        while let Some((clip, next)) = self.ring.write_groups(self.next, &unnamed)? {
            self.next = Some(next);
            fs::rename(&clip.path, self.dir.join(name_of(clip.from, clip.to)))?;
        }
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Clip(#[from] ClipError),
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// Segments tell in their names what is in them: they are looked through often.
fn name_of(from: Timestamp, to: Timestamp) -> String {
    let named = |at: Timestamp| at.strftime("%Y%m%dT%H%M%S.%6fZ").to_string();
    format!("{}_{}.mp4", named(from), named(to))
}

/// The segments in a folder, oldest first.
pub(crate) fn segments(dir: &Path) -> io::Result<Vec<Segment>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut segments = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let times = name.to_str().and_then(|name| name.strip_suffix(".mp4")?.split_once('_'));
        if let Some((from, to)) = times
            && let (Ok(from), Ok(to)) = (from.parse(), to.parse())
            // The oldest may go while they are listed.
            && let Ok(about) = entry.metadata()
        {
            segments.push(Segment { path: entry.path(), from, to, bytes: about.len() });
        }
    }
    segments.sort_by_key(|segment| segment.from);
    Ok(segments)
}

/// From when to when there is a recording without a gap.
pub(crate) fn spans(segments: &[Segment]) -> Vec<(Timestamp, Timestamp)> {
    let mut spans: Vec<(Timestamp, Timestamp)> = Vec::new();
    for segment in segments {
        match spans.last_mut() {
            Some((_, to)) if segment.from.duration_since(*to) <= GAP.try_into().expect("two seconds") => {
                *to = segment.to.max(*to);
            }
            _ => spans.push((segment.from, segment.to)),
        }
    }
    spans
}

/// Removes what is older or more than is kept.
fn forget(dir: &Path, config: &RecordingConfig, now: Timestamp) -> io::Result<()> {
    let segments = segments(dir)?;
    let oldest = now - Duration::from_secs_f64(config.hours * 3600.0);
    let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let room = u64::from(config.megabytes) * 1_000_000;
    for segment in segments {
        if segment.to >= oldest && bytes <= room {
            break;
        }
        fs::remove_file(&segment.path)?;
        bytes -= segment.bytes;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn put(dir: &Path, from: i64, to: i64, bytes: usize) {
        fs::write(dir.join(name_of(at(from), at(to))), vec![0; bytes]).unwrap();
    }

    #[test]
    fn a_recording_keeps_its_hours_and_its_room_and_knows_its_gaps() {
        let dir = tempfile::tempdir().unwrap();
        let kept = || {
            let segments = segments(dir.path()).unwrap();
            spans(&segments)
                .iter()
                .map(|(from, to)| (from.as_second() - 1_700_000_000, to.as_second() - 1_700_000_000))
                .collect::<Vec<_>>()
        };
        for n in 0..6 {
            put(dir.path(), n * 10, n * 10 + 9, 400_000);
        }
        put(dir.path(), 100, 109, 400_000);
        fs::write(dir.path().join("latest.mp4.unfinished"), b"x").unwrap();
        assert_eq!(kept(), [(0, 59), (100, 109)]);
        let config = RecordingConfig { hours: 1.0, megabytes: 2 };
        forget(dir.path(), &config, at(120)).unwrap();
        assert_eq!(kept(), [(20, 59), (100, 109)], "2 MB");
        forget(dir.path(), &config, at(3600 + 45)).unwrap();
        assert_eq!(kept(), [(40, 59), (100, 109)], "an hour");
        assert!(segments(&dir.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn what_keeps_nothing_is_a_mistake() {
        assert!(RecordingConfig::default().problems().is_empty());
        assert_eq!(RecordingConfig { hours: 0.0, megabytes: 0 }.problems().len(), 2);
    }
}
