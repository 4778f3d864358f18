//! Why a scenario cannot be made.

use std::path::PathBuf;

/// Why a scenario cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The specification cannot be read.
    #[error("cannot read scenario {path}; hint: check the path")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The specification is not one.
    #[error("scenario {path} is not valid: {message}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// A picture that it names cannot be used.
    #[error("cannot use picture {path}; hint: `make setup` fetches the pictures that the demo needs")]
    Picture {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        #[source]
        source: image::ImageError,
    },
    /// A video that it names cannot be used.
    #[error("cannot use video {path}; hint: `make setup` fetches the footage that the demo needs")]
    Video {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The clip cannot be written.
    #[error("cannot write scenario clip {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
