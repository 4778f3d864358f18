//! The report as a JSON file. A report of another version is refused rather than half understood.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::{Report, VERSION};

/// Why a report could not be read or written.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file could not be read.
    #[error("cannot read report {path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file could not be written.
    #[error("cannot write report {path:?}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no JSON, or not that of a report.
    #[error(
        "cannot read report {path:?}: it is no complete report\nhint: a report is the JSON that `parapet eval --report` writes; run the evaluation again"
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// It is of another version.
    #[error(
        "cannot read report {path:?}: it has version {found}, this program reads version {VERSION}\nhint: run the evaluation again with this program (cached results are used where they still hold)"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The version in it.
        found: u64,
    },
    /// It points at a subject or dataset that it does not have.
    #[error(
        "cannot read report {path:?}: {what} is about {noun} {index}, which it does not list\nhint: the file was changed by hand or cut; run the evaluation again"
    )]
    Dangling {
        /// The file.
        path: PathBuf,
        /// Which entry (`results[3]`).
        what: String,
        /// `subject` or `dataset`.
        noun: &'static str,
        /// The index that leads nowhere.
        index: usize,
    },
}

#[derive(Deserialize)]
struct Envelope {
    version: u64,
}

/// The report in the JSON file `path`, with every index checked.
///
/// # Errors
/// The file cannot be read, is broken, of another version, or points at a subject or dataset that it does not list.
pub fn read(path: impl AsRef<Path>) -> Result<Report, FileError> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|source| FileError::Read { path: path.into(), source })?;
    let broken = |source| FileError::Broken { path: path.into(), source };
    let Envelope { version } = serde_json::from_slice(&bytes).map_err(broken)?;
    if version != u64::from(VERSION) {
        return Err(FileError::Version { path: path.into(), found: version });
    }
    let report: Report = serde_json::from_slice(&bytes).map_err(broken)?;
    let of_results = report.results.iter().map(|result| (result.subject, result.dataset));
    let of_comparisons = report.comparisons.iter().map(|comparison| (comparison.subject, comparison.dataset));
    let entries = (of_results.enumerate().map(|entry| ("results", entry)))
        .chain(of_comparisons.enumerate().map(|entry| ("comparisons", entry)));
    for (list, (at, (subject, dataset))) in entries {
        let dangling = |noun, index| FileError::Dangling {
            path: path.into(),
            what: format!("{list}[{at}]"),
            noun,
            index,
        };
        if subject >= report.subjects.len() {
            return Err(dangling("subject", subject));
        }
        if dataset >= report.datasets.len() {
            return Err(dangling("dataset", dataset));
        }
    }
    Ok(report)
}

/// Writes `report` as JSON to `path`: first beside it, then renamed, so that a reader never sees half a file.
///
/// # Errors
/// The file cannot be written.
pub fn write(report: &Report, path: impl AsRef<Path>) -> Result<(), FileError> {
    let path = path.as_ref();
    let failed = |source| FileError::Write { path: path.into(), source };
    let json = serde_json::to_vec_pretty(report).map_err(|error| failed(error.into()))?;
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    fs::write(&partial, json).map_err(failed)?;
    fs::rename(&partial, path).map_err(failed)
}
