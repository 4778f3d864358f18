//! A video in memory, encoded, that plays round and round without a seam.

use std::{
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use gstreamer as gst;
use parapet_core::EventId;

use super::ServeError;
use crate::{clip, codec::Codec, probe, recording};

/// Encoded pictures in the order of decoding.
#[derive(Debug)]
pub(super) struct Tape {
    pub(super) codec: Codec,
    pub(super) units: Vec<TapeUnit>,
    /// After so long it begins again.
    pub(super) length: Duration,
}

#[derive(Debug)]
pub(super) struct TapeUnit {
    /// When it is shown.
    pub(super) pts: Duration,
    /// When it is sent.
    pub(super) due: Duration,
    pub(super) keyframe: bool,
    pub(super) data: gst::Buffer,
}

impl Tape {
    /// Reads a video; what is neither H.264 nor H.265 is encoded once and kept in `cache`.
    pub(super) fn read(path: &Path, cache: &Path) -> Result<Self, ServeError> {
        let media = probe(path)?;
        let units = if matches!(media.codec.as_str(), "h264" | "h265") {
            recording::read_file(path)?
        } else {
            let cached = cached_name(path, cache)
                .map_err(|source| ServeError::Cache { path: cache.to_owned(), source })?;
            if !cached.exists() {
                tracing::info!(path = %path.display(), codec = media.codec, "encoding once for serving");
                std::fs::create_dir_all(cache)
                    .map_err(|source| ServeError::Cache { path: cache.to_owned(), source })?;
                clip::write(&recording::read_file(path)?, &cached)?;
            }
            recording::read_file(&cached)?
        };
        let codec = units.first().map_or(Codec::H264, |u| u.codec);
        let zero = units.iter().map(|u| u.pts).min().unwrap_or_default();
        let mut order: Vec<Duration> = units.iter().map(|u| u.pts.saturating_sub(zero)).collect();
        order.sort_unstable();
        let last = order.last().copied().unwrap_or_default();
        let step = last / u32::try_from(order.len().saturating_sub(1).max(1)).unwrap_or(u32::MAX);
        let units = units
            .into_iter()
            .zip(&order)
            .map(|(u, due)| TapeUnit {
                pts: u.pts.saturating_sub(zero),
                due: *due,
                keyframe: u.keyframe,
                data: u.data,
            })
            .collect();
        Ok(Self { codec, units, length: last + step.max(Duration::from_millis(1)) })
    }

    /// The last keyframe that is due at or before `position`.
    pub(super) fn keyframe_before(&self, position: Duration) -> usize {
        self.units.iter().rposition(|u| u.keyframe && u.due <= position).unwrap_or(0)
    }

    /// The first keyframe that is due after `position`; the tape's first, if that is in the next round.
    pub(super) fn keyframe_after(&self, position: Duration) -> usize {
        self.units.iter().position(|u| u.keyframe && u.due > position).unwrap_or(0)
    }
}

/// Changes with the file's path, size and time.
fn cached_name(path: &Path, cache: &Path) -> std::io::Result<PathBuf> {
    let about = std::fs::metadata(path)?;
    let age = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let full = std::fs::canonicalize(path)?;
    let key = EventId::derive(&[&full.to_string_lossy(), &about.len().to_string(), &age.to_string()]);
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(cache.join(format!("{stem}-{key}.mp4")))
}
