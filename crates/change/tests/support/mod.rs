//! Real footage for the tests: clips decoded by ffmpeg, with person boxes that a detector found in them once
//! (`tests/data`, boxes only). Clips that are not there are skipped.
#![expect(dead_code, reason = "each test file uses its part")]
#![expect(clippy::print_stderr, clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use parapet_core::{BBox, CameraId, ColorSpace, Frame, Picture, Plane, RunId, Timestamp};

/// Where the footage lies, if it is there.
pub(crate) fn footage(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PARAPET_FOOTAGE")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/footage"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no footage {name} (PARAPET_FOOTAGE)");
    None
}

/// The clip at `fps` pictures a second.
pub(crate) fn decode(path: &Path, fps: f64) -> Vec<Arc<Picture>> {
    let probe = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v",
            "-show_entries",
            "stream=width,height",
            "-of",
            "csv=p=0",
        ])
        .arg(path)
        .output()
        .expect("ffprobe runs");
    let text = String::from_utf8(probe.stdout).unwrap();
    let mut numbers = text.trim().split(',').map(|n| n.parse::<usize>().unwrap());
    let (w, h) = (numbers.next().unwrap(), numbers.next().unwrap());
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-vf", &format!("fps={fps}"), "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg runs");
    let mut out = child.stdout.take().unwrap();
    let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
    let mut pictures = Vec::new();
    let mut bytes = vec![0; w * h + 2 * cw * ch];
    while out.read_exact(&mut bytes).is_ok() {
        let (y, rest) = bytes.split_at(w * h);
        let (u, v) = rest.split_at(cw * ch);
        let picture = Picture::new(
            Plane::new(w, h, y.to_vec()).unwrap(),
            Plane::new(cw, ch, u.to_vec()).unwrap(),
            Plane::new(cw, ch, v.to_vec()).unwrap(),
            ColorSpace::of_video(h),
        );
        pictures.push(Arc::new(picture.unwrap()));
    }
    child.wait().unwrap();
    pictures
}

/// Boxes of persons per frame at 5 frames a second, as a detector found them (loose, with gaps and errors).
pub(crate) fn persons(clip: &str) -> Vec<Vec<BBox>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(format!("{clip}.boxes.csv"));
    let mut frames = Vec::new();
    for line in std::fs::read_to_string(path).unwrap().lines().skip(1) {
        let cells: Vec<f32> = line.split(',').map(|c| c.parse().unwrap()).collect();
        if cells[1] != 0.0 || cells[2] < 0.35 {
            continue;
        }
        let frame = cells[0] as usize;
        if frames.len() <= frame {
            frames.resize(frame + 1, Vec::new());
        }
        frames[frame].push(BBox::new(cells[3], cells[4], cells[5], cells[6]).unwrap());
    }
    frames
}

/// The instant `seconds` into a clip.
pub(crate) fn at(seconds: f64) -> Timestamp {
    Timestamp::from_microsecond(1_700_000_000_000_000 + (seconds * 1e6).round() as i64).unwrap()
}

pub(crate) fn frame(picture: Arc<Picture>, sequence: u64, seconds: f64) -> Frame {
    Frame {
        camera: "test".parse::<CameraId>().unwrap(),
        preset: None,
        run: RunId::derive(&["test"]),
        sequence,
        captured_at: at(seconds),
        picture,
    }
}
