//! Videos that tests make for themselves.

use std::path::Path;

use parapet_core::Picture;
use parapet_ingest::{VideoOptions, VideoWriter};

/// A grey picture with a white block whose place is the frame's number: pictures tell which they are.
pub(crate) fn numbered(width: usize, height: usize, number: usize) -> Picture {
    let mut rgb = vec![90u8; width * height * 3];
    let columns = width / 16;
    let (x0, y0) = (number % columns * 16, number / columns * 16 % height);
    for y in y0..(y0 + 16).min(height) {
        for x in x0..x0 + 16 {
            rgb[(y * width + x) * 3..][..3].fill(250);
        }
    }
    Picture::from_rgb(width, height, &rgb).unwrap()
}

/// Which [`numbered`] picture this is.
pub(crate) fn number_of(picture: &Picture) -> usize {
    let columns = picture.width() / 16;
    let mean = |n: usize| {
        let (x0, y0) = (n % columns * 16, n / columns * 16);
        (y0 + 4..y0 + 12)
            .map(|y| picture.y().row(y)[x0 + 4..x0 + 12].iter().map(|s| u32::from(*s)).sum::<u32>())
            .sum::<u32>()
    };
    (0..columns * (picture.height() / 16)).max_by_key(|n| mean(*n)).unwrap()
}

/// A video of [`numbered`] pictures.
pub(crate) fn video(path: &Path, frames: usize, fps: f64, keyframe_interval: u32) {
    let options = VideoOptions { keyframe_interval: Some(keyframe_interval), ..VideoOptions::at_fps(fps) };
    let mut writer = VideoWriter::create(path, options).unwrap();
    for number in 0..frames {
        writer.push(&numbered(320, 192, number)).unwrap();
    }
    let info = writer.finish().unwrap();
    assert_eq!(info.frames, frames as u64);
    assert_eq!(info.bytes, std::fs::metadata(path).unwrap().len());
}
