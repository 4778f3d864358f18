//! What a dataset consists of: labelled pictures, pairs with a mask of change, and sequences with boxes and incidents.
//! Pictures are paths: nothing is decoded here.

use std::path::PathBuf;

use parapet_core::{CameraId, IncidentKind, Label};

use crate::truth::{Rect, TruthBox, TruthIncident};

/// A labelled picture.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageTruth {
    /// Its name: the file name, with the directories below the picture folder.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Its number in the label file, if pictures have numbers there (COCO).
    pub id: Option<u64>,
    /// Objects of the labelled classes, in the order of the label file.
    pub boxes: Vec<TruthBox>,
    /// Parts in which nothing is labelled.
    pub regions: Vec<Rect>,
}

/// Two pictures of one place and what changed between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePair {
    /// Its name.
    pub name: String,
    /// The picture before.
    pub before: PathBuf,
    /// The picture after.
    pub after: PathBuf,
    /// The mask: not black is changed.
    pub mask: PathBuf,
    /// Pixels across, of all three.
    pub width: u32,
    /// Pixels down, of all three.
    pub height: u32,
}

/// What is labelled; nothing else is scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// Classes, in order.
    pub classes: Vec<Label>,
    /// Whether every object of these classes is labelled. If not, a surplus finding is no false alarm.
    pub every_instance: bool,
    /// Kinds of incidents.
    pub incidents: Vec<IncidentKind>,
}

impl Labelled {
    /// Whether a finding of this class can be scored.
    pub fn has_class(&self, label: &Label) -> bool {
        self.classes.contains(label)
    }
}

/// Where the pictures of a sequence come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SequenceSource {
    /// A video file.
    Video(PathBuf),
    /// Picture files in their order.
    Images(Vec<PathBuf>),
}

/// The labels of one frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FrameTruth {
    /// Number of the frame in the video or the list of files, from 0.
    pub number: u64,
    /// Seconds from the beginning of the sequence.
    pub at: f64,
    /// Objects of the labelled classes.
    pub boxes: Vec<TruthBox>,
    /// Parts in which nothing is labelled.
    pub regions: Vec<Rect>,
}

/// How much of something can be scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// All.
    Whole,
    /// All but so many frames, whose labels have a mistake.
    Partly {
        /// How many frames are left out.
        frames_left_out: usize,
    },
    /// Nothing, for this reason.
    Not(String),
    /// Nothing, for it is not labelled.
    Unlabelled,
}

impl Coverage {
    /// Whether there is something to score.
    pub fn is_scored(&self) -> bool {
        matches!(self, Self::Whole | Self::Partly { .. })
    }
}

/// A labelled sequence. Times are seconds from its beginning, which is `start` seconds into the video.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceTruth {
    /// Its name, unique in the dataset.
    pub name: String,
    /// Its pictures.
    pub source: SequenceSource,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Frames a second, where known.
    pub frames_per_second: Option<f64>,
    /// Where in the video it begins, in seconds.
    pub start: f64,
    /// Its length in seconds, where known.
    pub length: Option<f64>,
    /// The pipeline file that is judged on it, with its camera.
    pub pipeline: Option<(PathBuf, CameraId)>,
    /// What is labelled.
    pub labelled: Labelled,
    /// Frames whose boxes are labelled, in order; a labelled frame may be empty. A frame that is not here isn't scored.
    pub frames: Vec<FrameTruth>,
    /// How far its boxes can be scored.
    pub boxes: Coverage,
    /// Incidents in order of their beginning.
    pub incidents: Vec<TruthIncident>,
    /// Whether its incidents can be scored.
    pub events: Coverage,
}

/// Something of a dataset that is not scored, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Name of the picture, pair or sequence.
    pub name: String,
    /// Its number in the label file, if pictures have numbers there (COCO).
    pub id: Option<u64>,
    /// Why: a lowercase fragment.
    pub why: String,
}

impl LeftOut {
    pub(super) fn new(name: &str, why: impl Into<String>) -> Self {
        Self { name: name.to_owned(), id: None, why: why.into() }
    }
}
