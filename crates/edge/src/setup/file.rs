//! The pipeline file on disk: read, replaced as a whole, its earlier texts kept beside it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use parapet_core::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// How earlier texts are named: by the time at which they were replaced.
const NAMED: &str = "%Y%m%dT%H%M%S.%3fZ";

/// The hash that names a text.
pub(super) fn revision_of(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// An earlier text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON")]
pub(super) struct Version {
    /// Its name.
    pub(super) version: String,
    /// When it was replaced.
    pub(super) saved_at: Timestamp,
    pub(super) revision: String,
    pub(super) bytes: u64,
}

/// Why a text was not saved.
#[derive(Debug)]
pub(super) enum SaveError {
    /// It is not based on what is there; the hash of what is there.
    Changed,
    Disk(io::Error),
}

impl From<io::Error> for SaveError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

pub(super) struct PipelineFile {
    path: PathBuf,
    keep: usize,
}

impl PipelineFile {
    /// The file behind `path`, whatever links lead to it.
    pub(super) fn new(path: &Path, keep: usize) -> io::Result<Self> {
        Ok(Self { path: path.canonicalize()?, keep })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn read(&self) -> io::Result<String> {
        fs::read_to_string(&self.path)
    }

    /// Replaces the text that has the hash `base`; what was there becomes a version. The file is never half written.
    pub(super) fn save(&self, base: &str, text: &str, at: Timestamp) -> Result<String, SaveError> {
        let before = self.read()?;
        if revision_of(&before) != base {
            return Err(SaveError::Changed);
        }
        let version = self.keep_version(&before, at)?;
        let beside = self.beside(".saving");
        let written = (|| {
            let mut file = File::create(&beside)?;
            // It may hold what only its owner should read.
            file.set_permissions(fs::metadata(&self.path)?.permissions())?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })();
        if let Err(error) = written.and_then(|()| fs::rename(&beside, &self.path)) {
            let _ = fs::remove_file(&beside);
            return Err(error.into());
        }
        sync(self.path.parent())?;
        self.forget()?;
        Ok(version)
    }

    /// Earlier texts, newest first.
    pub(super) fn versions(&self) -> io::Result<Vec<Version>> {
        let mut versions = Vec::new();
        for (version, saved_at) in self.names()? {
            let text = fs::read_to_string(self.version_path(&version))?;
            let (revision, bytes) = (revision_of(&text), text.len() as u64);
            versions.push(Version { version, saved_at, revision, bytes });
        }
        Ok(versions)
    }

    /// An earlier text; `None` if there is none of this name.
    pub(super) fn version(&self, name: &str) -> io::Result<Option<(Version, String)>> {
        let Some((version, saved_at)) = self.names()?.into_iter().find(|(version, _)| version == name) else {
            return Ok(None);
        };
        let text = fs::read_to_string(self.version_path(&version))?;
        let (revision, bytes) = (revision_of(&text), text.len() as u64);
        Ok(Some((Version { version, saved_at, revision, bytes }, text)))
    }

    fn keep_version(&self, text: &str, at: Timestamp) -> io::Result<String> {
        let dir = self.beside(".versions");
        fs::create_dir_all(&dir)?;
        let mut at = at;
        loop {
            let version = at.strftime(NAMED).to_string();
            let mut options = OpenOptions::new();
            match options.write(true).create_new(true).open(self.version_path(&version)) {
                Ok(mut file) => {
                    file.set_permissions(fs::metadata(&self.path)?.permissions())?;
                    file.write_all(text.as_bytes())?;
                    file.sync_all()?;
                    sync(Some(&dir))?;
                    return Ok(version);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    at += std::time::Duration::from_millis(1);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes versions beyond those that are kept.
    fn forget(&self) -> io::Result<()> {
        for (version, _) in self.names()?.into_iter().skip(self.keep) {
            fs::remove_file(self.version_path(&version))?;
        }
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<(String, Timestamp)>> {
        let entries = match fs::read_dir(self.beside(".versions")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let Some(version) = name.to_str().and_then(|name| name.strip_suffix(".toml")) else { continue };
            if let Ok(saved_at) = version.parse::<Timestamp>() {
                names.push((version.to_owned(), saved_at));
            }
        }
        names.sort_by_key(|(_, saved_at)| std::cmp::Reverse(*saved_at));
        Ok(names)
    }

    fn version_path(&self, version: &str) -> PathBuf {
        self.beside(".versions").join(format!("{version}.toml"))
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        self.path.with_file_name(name)
    }
}

/// A rename lasts once its directory is on disk.
fn sync(directory: Option<&Path>) -> io::Result<()> {
    directory.map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_save_replaces_the_whole_file_keeps_what_was_there_and_refuses_what_is_not_based_on_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.toml");
        fs::write(&path, "one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let file = PipelineFile::new(&path, 2).unwrap();
        let at: Timestamp = "2026-11-22T19:03:01.123Z".parse().unwrap();
        let version = file.save(&revision_of("one"), "two", at).unwrap();
        assert_eq!((version.as_str(), file.read().unwrap().as_str()), ("20261122T190301.123Z", "two"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        let (kept, text) = file.version(&version).unwrap().unwrap();
        assert_eq!((kept.saved_at, text.as_str(), kept.bytes), (at, "one", 3));
        assert!(matches!(file.save(&revision_of("one"), "three", at), Err(SaveError::Changed)));
        assert_eq!(file.read().unwrap(), "two");
        // Two at the same instant do not overwrite each other; the oldest goes.
        file.save(&revision_of("two"), "three", at).unwrap();
        file.save(&revision_of("three"), "four", at).unwrap();
        let texts: Vec<String> = file.versions().unwrap().into_iter().map(|v| v.revision).collect();
        assert_eq!(texts, [revision_of("three"), revision_of("two")]);
        assert!(file.version("../p").unwrap().is_none());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing half written is left");
    }
}
