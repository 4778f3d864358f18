//! Datasets: what a manifest says, read into labelled pictures, pairs and sequences. Mistakes are gathered with file and
//! line; what they spoil is left out and named, the rest is scored. Nothing is decoded and nothing is scored here.

mod classes;
mod files;
mod item;
mod load;
mod manifest;
mod problem;
pub mod reader;
mod sequence;

use std::path::{Path, PathBuf};

pub use classes::{ClassMap, ClassTable, Meaning};
pub use files::MediaHashes;
pub use item::{
    ChangePair, Coverage, FrameTruth, ImageTruth, Labelled, LeftOut, SequenceSource, SequenceTruth,
};
pub use manifest::{
    BoxesConfig, BoxesCsvConfig, CocoConfig, DatasetManifest, EventsConfig, FolderConfig, FrameFolderConfig,
    FramesConfig, IncidentConfig, LabelledConfig, MasksConfig, MotConfig, Origin, RootOf, ScenariosConfig,
    SequenceConfig, TrackFolderConfig, TruthConfig, VocConfig,
};
pub use problem::{Fault, Problem, Problems, TOLD_PER_FILE};

use crate::truth::FoundBox;

/// Why a dataset cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The manifest cannot be read.
    #[error("cannot read dataset manifest {path}; hint: check the path")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The manifest is wrong.
    #[error("the dataset manifest is not valid:{}", told(problems))]
    Manifest {
        /// All that is wrong with it.
        problems: Vec<Problem>,
    },
    /// The data is not there.
    #[error(
        "there is no directory {root} for dataset \"{name}\"; hint: fetch the data, or name the data directory"
    )]
    NoData {
        /// Name of the dataset.
        name: String,
        /// Where it should be.
        root: PathBuf,
    },
}

fn told(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |told, problem| told + "\n  " + &problem.to_string())
}

/// A dataset, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its manifest.
    pub manifest: DatasetManifest,
    /// The file of the manifest.
    pub manifest_path: PathBuf,
    /// The directory that it lies in.
    pub root: PathBuf,
    /// What is labelled in the pictures, and in sequences that do not say otherwise.
    pub labelled: Labelled,
    /// Labelled pictures, in the order of their names (COCO: of their numbers).
    pub images: Vec<ImageTruth>,
    /// Pairs, in the order of their names.
    pub pairs: Vec<ChangePair>,
    /// Sequences, in the order of their names.
    pub sequences: Vec<SequenceTruth>,
    /// What cannot be scored, and why. Frames of a sequence that cannot be are counted in its [`Coverage`].
    pub left_out: Vec<LeftOut>,
    /// SHA-256 of the manifest and all label files, as hexadecimal digits. Pictures and videos have their own hashes
    /// ([`MediaHashes`]).
    pub label_hash: String,
    /// What categories mean in the COCO file, by their number.
    pub categories: reader::coco::Categories,
}

impl Dataset {
    /// Reads the dataset of a manifest, whose root is below `data_dir` (or the manifest's directory, if it says so).
    /// Beside the dataset come all problems: with one, something of it is not scored, and [`Dataset::left_out`] or a
    /// [`Coverage`] says what.
    ///
    /// # Errors
    /// The manifest cannot be used, or there is no data.
    pub fn load(manifest_path: &Path, data_dir: &Path) -> Result<(Self, Vec<Problem>), DatasetError> {
        load::load(manifest_path, data_dir)
    }

    /// What another program found in the pictures, as COCO results: a list for each picture of [`Dataset::images`], empty
    /// where nothing was found. Only labelled classes are kept.
    pub fn found_coco(&self, path: &Path) -> (Vec<Vec<FoundBox>>, Vec<Problem>) {
        let mut problems = Problems::default();
        let mut files = files::LabelFiles::new(self.root.clone());
        let text = files.read(path, &mut problems);
        // Results for pictures that were left out are no mistake.
        let known = self.images.iter().filter_map(|image| image.id);
        let left_out = self.left_out.iter().filter_map(|left| left.id);
        let numbers = known.chain(left_out).collect();
        let mut found = text.map_or_else(Default::default, |text| {
            reader::coco::read_found(&text, path, &numbers, &self.categories, &mut problems)
        });
        let of_images = self.images.iter().map(|image| {
            let mut found = image.id.and_then(|id| found.remove(&id)).unwrap_or_default();
            found.retain(|finding| self.labelled.has_class(&finding.label));
            found
        });
        (of_images.collect(), problems.finish())
    }

    /// All pictures and videos, in the order of their use: what the results hang on beside the labels.
    pub fn media(&self) -> Vec<&Path> {
        let images = self.images.iter().map(|image| image.path.as_path());
        let pairs = self.pairs.iter().flat_map(|p| [&p.before, &p.after, &p.mask].map(PathBuf::as_path));
        let sequences = self.sequences.iter().flat_map(|sequence| match &sequence.source {
            SequenceSource::Video(path) => std::slice::from_ref(path).iter(),
            SequenceSource::Images(paths) => paths.iter(),
        });
        images.chain(pairs).chain(sequences.map(PathBuf::as_path)).collect()
    }
}
