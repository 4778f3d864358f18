//! What is behind everything: a still picture, or a video of a fixed camera, whose median picture is the still scene
//! and whose people walk on behind and before what is put in.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use image::RgbImage;
use parapet_core::{Picture, SystemClock};
use parapet_ingest::{CameraStream, FileConfig, SourceConfig, StreamEvent, probe};

use super::{
    frame::{Frame, NOBODY, Owners},
    spec::{BackgroundSpec, ScenarioError},
};

/// How much of a video its median picture is made of: one frame a second of so many seconds.
const PLATE_SECONDS: u64 = 45;
/// Difference from the still scene, of 255, above which a pixel of the video is somebody.
const SOMEBODY: f32 = 26.0;
/// Side of the cells in which somebody is followed, in pixels.
const CELL: usize = 4;
/// Longest wait for a frame.
const PATIENCE: Duration = Duration::from_secs(20);

/// The scene behind a scenario.
pub(super) struct Backdrop {
    /// Without anybody in it.
    pub(super) still: Frame,
    playing: Option<Footage>,
    start_seconds: f64,
}

pub(super) fn open_picture(pictures: &Path, name: &Path) -> Result<RgbImage, ScenarioError> {
    let path: PathBuf = pictures.join(name);
    image::open(&path).map(|p| p.to_rgb8()).map_err(|source| ScenarioError::Picture { path, source })
}

impl Backdrop {
    pub(super) fn open(spec: &BackgroundSpec, pictures: &Path) -> Result<Self, ScenarioError> {
        let mut playing = None;
        let mut still = match (&spec.picture, &spec.video) {
            (_, Some(video)) => {
                let path = pictures.join(video);
                let plate = median(&path)?;
                if spec.playing {
                    playing = Some(Footage::open(&path)?);
                }
                Frame::clone(&plate)
            }
            (Some(picture), None) => {
                let picture = open_picture(pictures, picture)?;
                let [x, y, width, height] = spec.crop.unwrap_or([0, 0, picture.width(), picture.height()]);
                // A video in 4:2:0 has even sides: the last odd row or column is left out here, not by the encoder.
                Frame::of(&image::imageops::crop_imm(&picture, x, y, width & !1, height & !1).to_image())
            }
            (None, None) => unreachable!("a checked specification has a background"),
        };
        for patch in &spec.clone {
            still.clone_patch(patch.rectangle, patch.from, patch.feather_pixels);
        }
        Ok(Self { still, playing, start_seconds: spec.start_seconds })
    }

    /// The scene at an instant.
    pub(super) fn at(&mut self, seconds: f64) -> Result<Frame, ScenarioError> {
        match &mut self.playing {
            None => Ok(self.still.clone()),
            Some(footage) => {
                let picture = footage.at(seconds + self.start_seconds)?;
                Ok(Frame::of_rgb(picture.width(), picture.height(), &picture.to_rgb()))
            }
        }
    }

    /// Draws those of the video who stand nearer to the camera than a thing in front of whom they would be drawn:
    /// `feet[owner]` is the row of its foot.
    pub(super) fn bring_forward(&self, scene: &Frame, frame: &mut Frame, owners: &mut Owners, feet: &[f32]) {
        if self.playing.is_none() {
            return;
        }
        let width = frame.width;
        let difference = |i: usize| {
            let (a, b) = (scene.pixels[i], self.still.pixels[i]);
            (0..3).map(|c| (a[c] - b[c]).abs()).fold(0.0, f32::max)
        };
        let rows = lowest_rows(width, frame.height, &|i| difference(i) > SOMEBODY);
        let columns = width.div_ceil(CELL);
        for (i, owner) in owners.0.iter_mut().enumerate().filter(|(_, o)| **o != NOBODY) {
            let lowest = rows[i / width / CELL * columns + i % width / CELL];
            if lowest.is_none_or(|row| (row as f32) <= feet[*owner as usize]) {
                continue;
            }
            let a = ((difference(i) - SOMEBODY * 0.5) / SOMEBODY).clamp(0.0, 1.0);
            for c in 0..3 {
                frame.pixels[i][c] = frame.pixels[i][c] * (1.0 - a) + scene.pixels[i][c] * a;
            }
            if a > 0.5 {
                *owner = NOBODY;
            }
        }
    }
}

/// For each cell where somebody is, the lowest row of all cells that hang together with it: where their feet are.
fn lowest_rows(width: usize, height: usize, somebody: &dyn Fn(usize) -> bool) -> Vec<Option<usize>> {
    let (columns, rows) = (width.div_ceil(CELL), height.div_ceil(CELL));
    let mut count = vec![0; columns * rows];
    for i in (0..width * height).filter(|i| somebody(*i)) {
        count[i / width / CELL * columns + i % width / CELL] += 1;
    }
    let mut lowest = vec![None; columns * rows];
    for start in 0..columns * rows {
        if count[start] < CELL || lowest[start].is_some() {
            continue;
        }
        let (mut group, mut next) = (vec![start], 0);
        lowest[start] = Some(0);
        while let Some(&cell) = group.get(next) {
            next += 1;
            let (x, y) = (cell % columns, cell / columns);
            for ny in y.saturating_sub(1)..(y + 2).min(rows) {
                for nx in x.saturating_sub(1)..(x + 2).min(columns) {
                    let neighbour = ny * columns + nx;
                    if count[neighbour] >= CELL && lowest[neighbour].is_none() {
                        lowest[neighbour] = Some(0);
                        group.push(neighbour);
                    }
                }
            }
        }
        let row = group.iter().map(|c| (c / columns + 1) * CELL).max();
        for cell in group {
            lowest[cell] = row;
        }
    }
    lowest
}

/// Frames of a video by their time, fastest when asked for in order.
struct Footage {
    path: PathBuf,
    frames_per_second: f64,
    stream: Option<CameraStream>,
    last: Option<(u64, Arc<Picture>)>,
}

impl Footage {
    fn open(path: &Path) -> Result<Self, ScenarioError> {
        let info = probe(path)
            .map_err(|source| ScenarioError::Video { path: path.to_owned(), source: source.into() })?;
        let frames_per_second = info.frames_per_second.unwrap_or(25.0);
        Ok(Self { path: path.to_owned(), frames_per_second, stream: None, last: None })
    }

    fn failed(&self, what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ScenarioError {
        ScenarioError::Video { path: self.path.clone(), source: what.into() }
    }

    fn at(&mut self, seconds: f64) -> Result<Arc<Picture>, ScenarioError> {
        self.frame((seconds * self.frames_per_second).round().max(0.0) as u64)
    }

    /// Frame `number`, or the last one of a shorter video.
    fn frame(&mut self, number: u64) -> Result<Arc<Picture>, ScenarioError> {
        if self.last.as_ref().is_some_and(|(n, _)| *n > number) {
            (self.stream, self.last) = (None, None);
        }
        loop {
            if let Some((n, picture)) = &self.last
                && *n == number
            {
                return Ok(Arc::clone(picture));
            }
            if self.stream.is_none() {
                let config = SourceConfig {
                    file: Some(FileConfig {
                        path: self.path.clone(),
                        start_at: None,
                        paced: false,
                        looped: false,
                    }),
                    ..every_frame()
                };
                let camera = "backdrop".parse().expect("a valid name");
                let stream = CameraStream::open(camera, &config, Arc::new(SystemClock::new()))
                    .map_err(|e| self.failed(e))?;
                self.stream = Some(stream);
            }
            match self.stream.as_mut().and_then(|s| s.next(PATIENCE)) {
                Some(StreamEvent::Frame(frame)) => self.last = Some((frame.sequence, frame.picture)),
                Some(StreamEvent::Health(_)) => {}
                Some(StreamEvent::Ended) | None => {
                    let (_, picture) = self.last.as_ref().ok_or_else(|| self.failed("it has no frames"))?;
                    return Ok(Arc::clone(picture));
                }
            }
        }
    }
}

/// A source's options as the pipeline file has them by default, at the full rate.
fn every_frame() -> SourceConfig {
    SourceConfig { analysed_fps: 1000.0, preroll_seconds: 1.0, preroll_megabytes: 1, ..SourceConfig::empty() }
}

/// The median picture of a video, kept for the process: many scenarios have the same background.
fn median(path: &Path) -> Result<Arc<Frame>, ScenarioError> {
    static KEPT: Mutex<BTreeMap<PathBuf, Arc<Frame>>> = Mutex::new(BTreeMap::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(frame) = kept.get(path) {
        return Ok(Arc::clone(frame));
    }
    let mut footage = Footage::open(path)?;
    let mut samples: Vec<Vec<u8>> = Vec::new();
    let (mut width, mut height) = (0, 0);
    for second in 0..PLATE_SECONDS {
        let picture = footage.at(second as f64)?;
        (width, height) = (picture.width(), picture.height());
        samples.push(picture.to_rgb());
    }
    let mut column = vec![0; samples.len()];
    let middle = samples.len() / 2;
    let mut rgb = vec![0; width * height * 3];
    for (i, byte) in rgb.iter_mut().enumerate() {
        for (value, sample) in column.iter_mut().zip(&samples) {
            *value = sample[i];
        }
        *byte = *column.select_nth_unstable(middle).1;
    }
    let frame = Arc::new(Frame::of_rgb(width, height, &rgb));
    kept.insert(path.to_owned(), Arc::clone(&frame));
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_reaches_down_to_their_feet() {
        // One person of two columns, rows 8 to 39, and one far away to the right.
        let (width, height) = (80, 60);
        let somebody = |i: usize| {
            let (x, y) = (i % width, i / width);
            ((8..16).contains(&x) && (8..40).contains(&y)) || ((60..68).contains(&x) && (4..12).contains(&y))
        };
        let rows = lowest_rows(width, height, &somebody);
        let at = |x: usize, y: usize| rows[y / CELL * width.div_ceil(CELL) + x / CELL];
        assert_eq!(at(10, 10), Some(40));
        assert_eq!(at(62, 6), Some(12));
        assert_eq!(at(40, 10), None);
    }
}
