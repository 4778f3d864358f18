//! Where figures come from: the machine and the versions of what decodes and infers.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Processor, cores and system.
pub(super) fn description() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores, {}", cpu.as_deref().unwrap_or(std::env::consts::ARCH), std::env::consts::OS)
}

/// Versions of the libraries that findings hang on.
pub fn provenance_libraries() -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    versions.insert("gstreamer".to_owned(), parapet_ingest::gstreamer_version());
    if let Ok(runtime) = parapet_infer::Runtime::open(None) {
        versions.insert("onnxruntime".to_owned(), runtime.build().to_owned());
    }
    versions
}

/// sha256 over several hashes.
pub(super) fn hash_of<'a>(hashes: impl Iterator<Item = &'a String>) -> String {
    let mut sum = Sha256::new();
    for hash in hashes {
        sum.update(hash.as_bytes());
        sum.update(b"\n");
    }
    hex::encode(sum.finalize())
}
