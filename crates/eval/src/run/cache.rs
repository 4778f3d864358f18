//! Findings that were computed before, by the hash of all that they hang on: so an evaluation that was interrupted goes
//! on where it was, and scoring again costs no inference.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// A directory of findings.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: Option<PathBuf>,
    /// Hash of the program: what another build found is not what this one finds.
    program: String,
}

/// What findings hang on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

impl Cache {
    /// A cache in this directory, made when something is kept.
    ///
    /// # Errors
    /// This program's file cannot be read.
    pub fn new(directory: &Path) -> io::Result<Self> {
        let mut sum = Sha256::new();
        io::copy(&mut fs::File::open(std::env::current_exe()?)?, &mut sum)?;
        Ok(Self { directory: Some(directory.to_owned()), program: hex::encode(sum.finalize()) })
    }

    /// A cache that keeps nothing.
    pub fn none() -> Self {
        Self { directory: None, program: String::new() }
    }

    /// The key of findings that hang on these parts and this program.
    pub fn key(&self, parts: &[&str]) -> Key {
        let mut sum = Sha256::new();
        for part in [self.program.as_str()].iter().chain(parts) {
            sum.update((part.len() as u64).to_le_bytes());
            sum.update(part.as_bytes());
        }
        Key(hex::encode(sum.finalize()))
    }

    fn path(&self, key: &Key) -> Option<PathBuf> {
        Some(self.directory.as_ref()?.join(&key.0[..2]).join(format!("{}.json", key.0)))
    }

    /// What was kept under this key; nothing if it cannot be read.
    pub fn get<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        serde_json::from_slice(&fs::read(self.path(key)?).ok()?).ok()
    }

    /// Keeps findings. A file is there as a whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put<T: Serialize>(&self, key: &Key, value: &T) -> io::Result<()> {
        let Some(path) = self.path(key) else { return Ok(()) };
        let directory = path.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(directory)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        serde_json::to_writer(&mut file, value)?;
        file.persist(path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_come_back_under_the_same_parts_only() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path()).unwrap();
        cache.put(&cache.key(&["a", "bc"]), &vec![1, 2]).unwrap();
        assert_eq!(cache.get::<Vec<i32>>(&cache.key(&["a", "bc"])), Some(vec![1, 2]));
        assert_eq!(cache.get::<Vec<i32>>(&cache.key(&["ab", "c"])), None);
    }

    #[test]
    fn a_broken_file_counts_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path()).unwrap();
        let key = cache.key(&["a"]);
        cache.put(&key, &vec![1, 2]).unwrap();
        fs::write(cache.path(&key).unwrap(), "[1, ").unwrap();
        assert_eq!(cache.get::<Vec<i32>>(&key), None);
    }
}
