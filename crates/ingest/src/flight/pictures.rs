//! The pictures of a flight, decoded one at a time.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

use gstreamer as gst;
use parapet_core::Picture;

use super::{FlightError, video::GroupGate};
use crate::{
    connection::{Connection, FramesWanted, Notice, Notify, Origin, Units, Wanted},
    decoder::Decoders,
    images, pixels,
    telemetry::still,
};

/// Longest time without any news from a decoder.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest time from a decoder's failure to the last picture before it.
const DRAIN: Duration = Duration::from_secs(5);
/// Containers round times.
const ROUNDING: Duration = Duration::from_millis(1);

/// A picture that cannot be decoded; the others still come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot decode {name}: {detail}")]
pub struct PictureError {
    /// Index of the shot.
    pub shot: usize,
    /// Its name.
    pub name: String,
    /// Why.
    pub detail: String,
}

/// Index and name of a shot.
type Named = (usize, String);

/// An iterator over pictures and the indices of their shots. Holds one picture, and a video two more.
pub struct Pictures(Kind);

enum Kind {
    Files(VecDeque<(Named, PathBuf)>),
    Video(VideoPictures),
}

impl std::fmt::Debug for Pictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let left = match &self.0 {
            Kind::Files(files) => files.len(),
            Kind::Video(video) => video.wanted.len(),
        };
        f.debug_struct("Pictures").field("left", &left).finish_non_exhaustive()
    }
}

impl Pictures {
    pub(super) fn of_files(files: VecDeque<(Named, PathBuf)>) -> Self {
        Self(Kind::Files(files))
    }

    pub(super) fn of_video(
        path: &Path,
        keyframes: &[Duration],
        wanted: VecDeque<(Named, Duration)>,
    ) -> Result<Self, FlightError> {
        Ok(Self(Kind::Video(VideoPictures::open(path, keyframes, wanted)?)))
    }
}

impl Iterator for Pictures {
    type Item = Result<(usize, Picture), PictureError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Kind::Files(files) => {
                let ((shot, name), path) = files.pop_front()?;
                Some(match whole(&path) {
                    Ok(picture) => Ok((shot, picture)),
                    Err(detail) => Err(PictureError { shot, name, detail }),
                })
            }
            Kind::Video(video) => video.next(),
        }
    }
}

/// Decodes a still that is not cut off.
fn whole(path: &Path) -> Result<Picture, String> {
    let bytes = fs::read(path).map_err(|e| format!("{e}; hint: check the disk"))?;
    if bytes.starts_with(&[0xff, 0xd8]) && !still::is_whole(&bytes) {
        return Err("it is cut off; hint: copy it from the drone again".to_owned());
    }
    images::decode(&bytes)
}

/// From the decoder's thread.
enum News {
    Picture(Duration, Box<Picture>),
    Failed(String),
    End,
}

struct VideoPictures {
    wanted: VecDeque<(Named, Duration)>,
    /// A picture that belongs to a later shot than those that are still to be reported as missing.
    ahead: Option<(Duration, Box<Picture>)>,
    failure: Option<String>,
    // First the receiver: a decoder that waits for room is let go before it is torn down.
    news: Option<mpsc::Receiver<News>>,
    _connection: Connection,
}

impl VideoPictures {
    fn open(
        path: &Path,
        keyframes: &[Duration],
        wanted: VecDeque<(Named, Duration)>,
    ) -> Result<Self, FlightError> {
        let (sender, news) = mpsc::sync_channel(1);
        let times: Vec<Duration> = wanted.iter().map(|(_, at)| *at).collect();
        let mut gate = GroupGate::new(keyframes.to_vec(), times.clone());
        let pictures = sender.clone();
        let sink = move |sample: &gst::Sample, _: Option<gst::ClockTime>| {
            let Some(at) = time_of(sample).filter(|at| is_near(&times, *at)) else { return true };
            let Some(picture) = pixels::picture_of(sample) else { return true };
            pictures.send(News::Picture(at, Box::new(picture))).is_ok()
        };
        let notify: Notify = Arc::new(move |notice| {
            // Fails only when nobody waits any more.
            let _ = match notice {
                Notice::Drained => sender.send(News::End),
                Notice::Failed(detail) => sender.send(News::Failed(detail)),
                Notice::Ended | Notice::Prerolled | Notice::Opened | Notice::Worked(_) => Ok(()),
            };
        });
        let request = Wanted {
            frames: Some(FramesWanted {
                sink: Box::new(sink),
                // All: the sink chooses.
                fps: 1e6,
                max_width: None,
                max_height: None,
            }),
            encoded: None,
            metadata: None,
            live: false,
            units: Units::Chosen(Box::new(move |at, keyframe| gate.passes(at, keyframe))),
            mode: Arc::default(),
            decoders: Decoders::software(),
            heard: Box::new(|_| {}),
            overrun: Box::new(|| {}),
        };
        let origin = Origin::File { path: path.to_owned(), paced: false };
        let connection = Connection::open(&origin, request, &notify)?;
        Ok(Self { wanted, ahead: None, failure: None, news: Some(news), _connection: connection })
    }

    fn next(&mut self) -> Option<Result<(usize, Picture), PictureError>> {
        loop {
            let (_, at) = self.wanted.front()?;
            let at = *at;
            if let Some((time, picture)) = self.ahead.take() {
                if time <= at + ROUNDING {
                    if time + ROUNDING < at {
                        // Twice the same time: the first one counted.
                        continue;
                    }
                    let ((shot, _), _) = self.wanted.pop_front()?;
                    return Some(Ok((shot, *picture)));
                }
                self.ahead = Some((time, picture));
                return self.missing("it does not come out of the decoder; hint: the video is damaged there");
            }
            let Some(news) = &self.news else {
                return self.missing("the video ends before it; hint: copy it from the drone again");
            };
            let patience = if self.failure.is_some() { DRAIN } else { PATIENCE };
            match news.recv_timeout(patience) {
                Ok(News::Picture(time, picture)) => self.ahead = Some((time, picture)),
                Ok(News::Failed(detail)) => self.failure = self.failure.take().or(Some(detail)),
                Ok(News::End) | Err(_) => self.news = None,
            }
        }
    }

    fn missing(&mut self, otherwise: &str) -> Option<Result<(usize, Picture), PictureError>> {
        let ((shot, name), _) = self.wanted.pop_front()?;
        let detail = self.failure.clone().unwrap_or_else(|| otherwise.to_owned());
        Some(Err(PictureError { shot, name, detail }))
    }
}

/// The time of a sample in its video.
pub(super) fn time_of(sample: &gst::Sample) -> Option<Duration> {
    let segment = sample.segment()?.downcast_ref::<gst::format::Time>()?;
    Some(segment.to_stream_time(sample.buffer()?.pts()?)?.into())
}

/// Whether a sorted list has this time.
pub(super) fn is_near(times: &[Duration], at: Duration) -> bool {
    let after = times.partition_point(|t| *t + ROUNDING < at);
    times.get(after).is_some_and(|t| *t <= at + ROUNDING)
}
