//! The folder of models.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{Manifest, ManifestError, WeightsError};
use crate::config::Precision;

/// A folder whose folders are models.
#[derive(Debug, Clone)]
pub struct ModelStore {
    root: PathBuf,
}

/// One folder of a [`ModelStore`].
#[derive(Debug)]
pub struct ModelEntry {
    /// The folder's name.
    pub name: String,
    /// Its manifest, or what is wrong with it.
    pub manifest: Result<Manifest, ManifestError>,
}

impl ModelEntry {
    /// The state of each file of weights; reads and hashes them all.
    pub fn verify(&self) -> Vec<(Precision, Result<(), WeightsError>)> {
        let manifest = self.manifest.as_ref().ok();
        manifest.into_iter().flat_map(|m| m.variants().map(|(p, _)| (p, m.verify_file(p)))).collect()
    }
}

impl ModelStore {
    /// The models below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every folder that holds a `model.toml`, by name.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn list(&self) -> io::Result<Vec<ModelEntry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&self.root)? {
            let path = entry?.path();
            if path.join("model.toml").is_file() {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                entries.push(ModelEntry { name, manifest: Manifest::load(&path) });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// The model of this name.
    ///
    /// # Errors
    /// See [`Manifest::load`].
    pub fn load(&self, name: &str) -> Result<Manifest, ManifestError> {
        Manifest::load(&self.root.join(name))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::folder, *};
    use crate::manifest::tests::GOOD;

    #[test]
    fn a_broken_manifest_does_not_hide_the_others() {
        let root = folder(GOOD);
        std::fs::create_dir(root.path().join("broken")).unwrap();
        std::fs::write(root.path().join("broken/model.toml"), "format = 1").unwrap();
        std::fs::create_dir(root.path().join("tools")).unwrap();
        let entries = ModelStore::new(root.path()).list().unwrap();
        let names: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.manifest.is_ok())).collect();
        assert_eq!(names, [("broken", false), ("toy", true)]);
        assert!(matches!(entries[1].verify()[..], [(Precision::Fp32, Err(WeightsError::Missing { .. }))]));
    }
}
