//! The weights of a manifest: which file runs at which precision, and whether it is the one that is meant.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::{Manifest, Variant};
use crate::config::Precision;

/// Why the weights of a variant cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The manifest has no such variant.
    #[error("model \"{model}\" has no {wanted} weights; hint: it has {present}")]
    NoVariant {
        /// The model.
        model: String,
        /// What was asked for.
        wanted: Precision,
        /// What it has.
        present: String,
    },
    /// The file is not there.
    #[error(
        "the weights \"{path}\" are missing; hint: {}",
        if *fetchable { format!("run `parapet models fetch {model}`") } else { format!("\"{model}/model.toml\" says where they come from") },
        path = path.display()
    )]
    Missing {
        /// The model.
        model: String,
        /// The file.
        path: PathBuf,
        /// The manifest says where to get it.
        fetchable: bool,
    },
    /// The file could not be read.
    #[error("cannot read the weights \"{path}\"", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not the one that the manifest means.
    #[error(
        "the weights \"{path}\" have the sha256 {found}, but the manifest says {expected}; hint: get the file again, or correct the manifest if you changed the model",
        path = path.display()
    )]
    Hash {
        /// The file.
        path: PathBuf,
        /// What the manifest says.
        expected: String,
        /// What the file has.
        found: String,
    },
}

impl Manifest {
    /// All variants, with the precision that asks for each.
    pub fn variants(&self) -> impl Iterator<Item = (Precision, &Variant)> {
        let v = &self.document.variants;
        [(Precision::Fp32, &v.fp32), (Precision::Fp16, &v.fp16), (Precision::Int8, &v.int8)]
            .into_iter()
            .filter_map(|(precision, variant)| Some((precision, variant.as_ref()?)))
    }
    /// The weights that run at a precision (`bf16` runs fp32 weights).
    ///
    /// # Errors
    /// If there are none.
    pub fn variant(&self, precision: Precision) -> Result<&Variant, WeightsError> {
        let variants = &self.document.variants;
        let found = match precision {
            Precision::Fp32 | Precision::Bf16 => &variants.fp32,
            Precision::Fp16 => &variants.fp16,
            Precision::Int8 => &variants.int8,
        };
        found.as_ref().ok_or_else(|| WeightsError::NoVariant {
            model: self.name().to_owned(),
            wanted: precision,
            present: self.variants().map(|(p, _)| p.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
    /// The file of a precision, whether it is there or not.
    ///
    /// # Errors
    /// If the manifest has none.
    pub fn weights_path(&self, precision: Precision) -> Result<PathBuf, WeightsError> {
        Ok(self.directory.join(&self.variant(precision)?.file))
    }
    /// Reads the weights of a precision and checks their hash.
    ///
    /// # Errors
    /// See [`WeightsError`].
    pub fn read(&self, precision: Precision) -> Result<Vec<u8>, WeightsError> {
        let variant = self.variant(precision)?;
        let path = self.directory.join(&variant.file);
        let bytes = std::fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => WeightsError::Missing {
                model: self.name().to_owned(),
                path: path.clone(),
                fetchable: variant.url.is_some(),
            },
            _ => WeightsError::Read { path: path.clone(), source },
        })?;
        self.verify_bytes(precision, &bytes)?;
        Ok(bytes)
    }
    /// Whether these are the weights of a precision, before they are written to their place.
    ///
    /// # Errors
    /// [`WeightsError::Hash`] or [`WeightsError::NoVariant`].
    pub fn verify_bytes(&self, precision: Precision, bytes: &[u8]) -> Result<(), WeightsError> {
        let variant = self.variant(precision)?;
        let found = hex::encode(Sha256::digest(bytes));
        if found == variant.sha256 {
            return Ok(());
        }
        let path = self.directory.join(&variant.file);
        Err(WeightsError::Hash { path, expected: variant.sha256.clone(), found })
    }
    /// Whether the weights of a precision are there and are the right ones.
    ///
    /// # Errors
    /// See [`WeightsError`].
    pub fn verify_file(&self, precision: Precision) -> Result<(), WeightsError> {
        self.read(precision).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{GOOD, folder},
        *,
    };

    #[test]
    fn weights_are_read_only_if_their_hash_is_right() {
        let root = folder(GOOD);
        let manifest = Manifest::load(&root.path().join("toy")).unwrap();
        assert!(matches!(
            manifest.read(Precision::Fp32),
            Err(WeightsError::Missing { fetchable: false, .. })
        ));
        assert!(matches!(manifest.read(Precision::Int8), Err(WeightsError::NoVariant { .. })));
        let path = manifest.weights_path(Precision::Fp32).unwrap();
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(manifest.read(Precision::Bf16).unwrap(), b"abc");
        assert!(manifest.verify_bytes(Precision::Fp32, b"abc").is_ok());
        assert!(matches!(manifest.verify_bytes(Precision::Fp32, b""), Err(WeightsError::Hash { .. })));
        std::fs::write(&path, "abd").unwrap();
        let error = manifest.verify_file(Precision::Fp32).unwrap_err().to_string();
        for part in ["model.onnx", "ba7816bf", "a52d159f"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
