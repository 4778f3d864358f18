//! Clips of what a camera showed: from its ring of encoded video, or from the recording that is played.

use std::{path::Path, sync::Arc, time::Duration};

use parapet_core::Timestamp;

use crate::{
    clip::{self, ClipInfo},
    connection::Origin,
    error::ClipError,
    recording,
    ring::{self, Ring},
};

/// The encoded past of a camera. Cheap to clone; usable from any thread, also after the stream was stopped.
#[derive(Debug, Clone)]
pub struct PrerollHandle(Past);

#[derive(Debug, Clone)]
enum Past {
    Ring(Arc<Ring>),
    /// An offline source can be read again at any place.
    Recording {
        origin: Arc<Origin>,
        start_at: Timestamp,
    },
}

impl PrerollHandle {
    pub(crate) fn of_ring(ring: Arc<Ring>) -> Self {
        Self(Past::Ring(ring))
    }

    pub(crate) fn of_recording(origin: Origin, start_at: Timestamp) -> Self {
        Self(Past::Recording { origin: Arc::new(origin), start_at })
    }

    /// Writes what was seen from `from` to `to` as MP4 to `path`, replacing it. H.264 and H.265 are not decoded; the
    /// clip starts at the keyframe at or before `from` (a file must have an index to seek in). Ask when `to` has passed: what has not come yet is not in it.
    ///
    /// # Errors
    /// Nothing is kept of that time, the recording cannot be read, or the file cannot be written.
    pub fn write_clip(&self, from: Timestamp, to: Timestamp, path: &Path) -> Result<ClipInfo, ClipError> {
        let units = match &self.0 {
            Past::Ring(ring) => ring.between(from, to),
            Past::Recording { origin, start_at } => {
                let offset =
                    |at: Timestamp| Duration::try_from(at.duration_since(*start_at)).unwrap_or_default();
                if to < *start_at {
                    return Err(ClipError::NothingKept { from, to });
                }
                let units = recording::read(origin, offset(from), offset(to), *start_at)?;
                ring::cut(&units.iter(), from, to)
            }
        };
        if units.is_empty() {
            return Err(ClipError::NothingKept { from, to });
        }
        clip::write(&units, path)
    }

    /// Writes the whole groups of pictures that came since `from` (a keyframe; everything without it) as MP4 to `path`,
    /// without decoding, and tells with which keyframe the next begin; `None` until a whole group has come, and for
    /// recordings, which need not be recorded.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_groups(
        &self,
        from: Option<Timestamp>,
        path: &Path,
    ) -> Result<Option<(ClipInfo, Timestamp)>, ClipError> {
        let Past::Ring(ring) = &self.0 else { return Ok(None) };
        let Some((units, next)) = ring.groups(from) else { return Ok(None) };
        Ok(Some((clip::write(&units, path)?, next)))
    }

    pub(crate) fn is_ring(&self) -> bool {
        matches!(self.0, Past::Ring(_))
    }

    /// From the first to the last moment in the ring; `None` if it is empty, or if this is a recording.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        match &self.0 {
            Past::Ring(ring) => ring.span(),
            Past::Recording { .. } => None,
        }
    }

    /// Memory that the ring takes.
    pub fn bytes(&self) -> usize {
        match &self.0 {
            Past::Ring(ring) => ring.bytes(),
            Past::Recording { .. } => 0,
        }
    }
}
