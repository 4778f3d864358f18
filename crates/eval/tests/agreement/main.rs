//! The figures are those of the Python originals, `pycocotools` and `trackeval`, to 1e-6: on generated cases, among them
//! every degenerate one that came to mind, and on real labels with seeded mistakes.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and says what it skips")]

mod detection;
mod footage;
mod random;
mod tracking;

use serde::{Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Largest difference of two figures that counts as none.
const TOLERANCE: f64 = 1e-6;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What the original in `originals/{script}` makes of the cases, in one process.
fn original<T: DeserializeOwned>(script: &str, cases: &impl Serialize) -> Vec<T> {
    let python = std::env::var_os("PARAPET_PYTHON")
        .map_or_else(|| repository().join(".cache/python/bin/python"), PathBuf::from);
    assert!(
        python.exists(),
        "no Python with the originals at {}; hint: run `make setup`, or set PARAPET_PYTHON",
        python.display()
    );
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("cases.json"), folder.path().join("figures.json"));
    std::fs::write(&input, serde_json::to_vec(cases).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/originals").join(script);
    let run = Command::new(python).arg("-I").arg(script).arg(&input).arg(&output).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&std::fs::read(&output).unwrap()).unwrap()
}

/// The originals write −1 where there is no figure.
#[track_caller]
fn assert_same(what: &str, ours: Option<f64>, original: f64) {
    let ours = ours.unwrap_or(-1.0);
    assert!((ours - original).abs() <= TOLERANCE, "{what}: {ours}, the original {original}");
}
