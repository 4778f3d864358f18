//! Findings beside a report, so that a later run (of another version, other settings) is compared with them.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter},
    path::{Path, PathBuf},
};

use super::Findings;

/// Why recorded findings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    /// A file cannot be read or written.
    #[error("cannot open {}; hint: name the directory of a report that `parapet eval` wrote", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is broken.
    #[error("the findings in {} are broken; hint: evaluate anew", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

fn file_in(directory: &Path) -> PathBuf {
    directory.join("findings.jsonl")
}

/// Writes `findings.jsonl` into the directory of a report: a line for each subject.
///
/// # Errors
/// It cannot be written.
pub fn write_findings(directory: &Path, findings: &[Findings]) -> Result<(), RecordedError> {
    let path = file_in(directory);
    let failed = |source| RecordedError::File { path: path.clone(), source };
    let mut file = BufWriter::new(File::create(&path).map_err(failed)?);
    for one in findings {
        serde_json::to_writer(&mut file, one).map_err(|e| failed(e.into()))?;
        io::Write::write_all(&mut file, b"\n").map_err(failed)?;
    }
    io::Write::flush(&mut file).map_err(failed)
}

/// Reads what [`write_findings`] wrote. Subjects are named after the directory, too: `NanoDet-g (report-1)`.
///
/// # Errors
/// See [`RecordedError`].
pub fn read_findings(directory: &Path) -> Result<Vec<Findings>, RecordedError> {
    let path = file_in(directory);
    let file = File::open(&path).map_err(|source| RecordedError::File { path: path.clone(), source })?;
    let run = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    serde_json::Deserializer::from_reader(BufReader::new(file))
        .into_iter::<Findings>()
        .map(|one| {
            let mut one = one.map_err(|source| RecordedError::Broken { path: path.clone(), source })?;
            one.subject.name = format!("{} ({run})", one.subject.name);
            Ok(one)
        })
        .collect()
}
