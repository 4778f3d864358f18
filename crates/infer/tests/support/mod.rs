//! Pictures and models for the tests.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use parapet_core::{Frame, Picture, RunId, Timestamp};

/// The repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A frame of a picture file.
pub(crate) fn frame(path: &Path) -> Frame {
    let rgb = image::open(path).unwrap().to_rgb8();
    let picture = Picture::from_rgb(rgb.width() as usize, rgb.height() as usize, &rgb).unwrap();
    Frame {
        camera: "test".parse().unwrap(),
        preset: None,
        run: RunId::derive(&["test"]),
        sequence: 0,
        captured_at: Timestamp::UNIX_EPOCH,
        picture: Arc::new(picture),
    }
}
