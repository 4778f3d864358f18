//! What a pipeline file says about models: how an engine runs and what a camera wants of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
};

use parapet_core::Label;
use rustix::thread::{CpuSet, sched_getaffinity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{letterbox, manifest::Manifest};

/// In which numbers a model computes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    Fp32,
    /// 16-bit floats, from weights of their own.
    Fp16,
    /// 32-bit weights computed as bfloat16: only with `openvino`, on machines that have it (AMX).
    Bf16,
    /// 8-bit integers, from weights of their own.
    Int8,
}

impl Precision {
    /// As it is written in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// ONNX Runtime itself.
    #[default]
    Cpu,
    /// The OpenVINO plugin; an error where it is absent or cannot run the whole model.
    Openvino,
    /// The OpenVINO plugin on Intel's graphics processors. Not verified on hardware.
    #[serde(rename = "openvino-gpu")]
    OpenvinoGpu,
    /// NVIDIA's graphics processors: `library` must be a build of ONNX Runtime for CUDA. Not verified on hardware.
    Cuda,
    /// The OpenVINO plugin where it can, else ONNX Runtime itself; the log says which. With `fastest`, of all that are there
    /// what is fastest.
    Auto,
}

impl Provider {
    /// As it is written in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Openvino => "openvino",
            Self::OpenvinoGpu => "openvino-gpu",
            Self::Cuda => "cuda",
            Self::Auto => "auto",
        }
    }

    /// Whether it knows such numbers.
    pub(crate) fn computes(self, precision: Precision) -> bool {
        match self {
            Self::Cpu => precision != Precision::Bf16,
            Self::OpenvinoGpu | Self::Cuda => matches!(precision, Precision::Fp32 | Precision::Fp16),
            Self::Openvino | Self::Auto => true,
        }
    }

    /// Those that there may be, the plainest first.
    pub(crate) fn all() -> [Self; 4] {
        [Self::Cpu, Self::Openvino, Self::OpenvinoGpu, Self::Cuda]
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happens to frames that come faster than the model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overload {
    /// The oldest frame of the camera that has most waiting is dropped and counted: for live cameras.
    #[default]
    Shed,
    /// The camera waits: for files and evaluation, where every frame counts.
    Wait,
}

/// How an engine runs its model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// In which numbers to compute; the manifest must have weights for it.
    pub precision: Precision,
    /// Who computes.
    pub provider: Provider,
    /// Runs the model when it is loaded, in each precision that its manifest has measured to lose at most 0.01 of AP50
    /// against `precision` (in the mean over its sets, at the manifest's size of the input), on `provider` (with `auto`: on
    /// all that are there), and takes what is fastest on this machine.
    pub fastest: bool,
    /// Threads within one run. More than 1 makes one picture faster and all cameras together slower.
    pub threads: usize,
    /// Keeps the model's thread on this core, counted from 0: what it works with stays in that core's cache. For a machine
    /// that does little else; only with `threads = 1`, and each model on a core of its own.
    pub core: Option<usize>,
    /// Most pictures that are run together. On a CPU more than 1 costs time (NanoDet-g, four at a time: 1.2 of one by
    /// one in fp32, 2 in int8): it is for providers that gain by it.
    pub max_batch: usize,
    /// Most frames that wait before frames are shed or cameras wait. A camera has one waiting at a time, so this is how many
    /// cameras may ask in the same moment; 64 are about a second of the default model on one core.
    pub queue: usize,
    /// What happens to frames that come faster than the model is.
    pub overload: Overload,
    /// ONNX Runtime's library; without it `ORT_DYLIB_PATH` and the usual places are tried.
    pub library: Option<PathBuf>,
    /// The OpenVINO plugin's library; without it `PARAPET_OPENVINO_EP` and the usual places are tried.
    pub openvino_library: Option<PathBuf>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            precision: Precision::default(),
            provider: Provider::default(),
            fastest: false,
            threads: 1,
            core: None,
            max_batch: 1,
            queue: 64,
            overload: Overload::default(),
            library: None,
            openvino_library: None,
        }
    }
}

impl EngineConfig {
    /// Everything that is wrong with it for this model, each with a hint; nothing is opened.
    pub fn problems(&self, manifest: &Manifest) -> Vec<String> {
        let mut problems = Vec::new();
        let numbers = [("threads", self.threads), ("max_batch", self.max_batch), ("queue", self.queue)];
        for (key, _) in numbers.iter().filter(|(_, n)| *n == 0) {
            problems.push(format!("{key} must be at least 1"));
        }
        if let Some(core) = self.core.filter(|core| !is_usable(*core)) {
            problems.push(format!(
                "core = {core} is none that this program may run on; hint: `nproc` tells how many there are, counted from 0"
            ));
        }
        if self.core.is_some() && self.threads > 1 {
            problems.push(
                "core binds one thread, and threads asks for more; hint: threads = 1, or no core".into(),
            );
        }
        if self.precision == Precision::Bf16 && self.provider == Provider::Cpu {
            problems.push(
                "bf16 needs the OpenVINO provider; hint: provider = \"openvino\" or precision = \"fp32\""
                    .into(),
            );
        } else if !self.provider.computes(self.precision) {
            problems.push(format!(
                "{} does not compute in {}; hint: precision = \"fp32\"",
                self.provider, self.precision
            ));
        }
        problems.extend(manifest.variant(self.precision).err().map(|e| e.to_string()));
        problems
    }
}

fn is_usable(core: usize) -> bool {
    let usable = |cores: CpuSet| cores.is_set(core);
    core < CpuSet::MAX_CPU && sched_getaffinity(None).map_or(true, usable)
}

/// Size of the network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputSize {
    /// This longer side; the other as short as the picture's shape allows: a 16:9 picture costs 0.62 of a square. With
    /// NanoDet-g at 416 that took 1 to 3 points of AP50 on three sets, so it is a choice and not the default.
    LongSide(usize),
    /// This width and height, whatever the picture's shape.
    Size([usize; 2]),
}

/// Cuts the picture into overlapping tiles that the model looks at one by one: for small objects in large views.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tiling {
    /// Tiles across.
    pub columns: usize,
    /// Tiles down.
    pub rows: usize,
    /// Part of a tile that it shares with its neighbour, 0 to 0.5; at least the size of an object.
    #[serde(default = "default_overlap")]
    pub overlap: f32,
    /// Looks at the whole picture too, for objects that no tile holds.
    #[serde(default)]
    pub whole: bool,
}

fn default_overlap() -> f32 {
    0.2
}

/// What a camera wants of a detector.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DetectorOptions {
    /// Size of the network's input; without it the manifest's.
    pub input: Option<InputSize>,
    /// Detections strictly above it are kept, 0 to 1; without it the manifest's.
    pub score_threshold: Option<f32>,
    /// Thresholds of single classes that differ from it.
    pub label_thresholds: BTreeMap<Label, f32>,
    /// Only these classes are reported; without it all.
    pub labels: Option<BTreeSet<Label>>,
    /// A box is dropped if its intersection over union with a better one is greater; without it the manifest's.
    pub nms_iou: Option<f32>,
    /// Cuts the picture into tiles.
    pub tiles: Option<Tiling>,
}

impl DetectorOptions {
    /// Everything that is wrong with them for this model, each with a hint.
    pub fn problems(&self, manifest: &Manifest) -> Vec<String> {
        let mut problems = Vec::new();
        if manifest.thresholds().is_none() {
            problems.push(format!(
                "model \"{}\" gives feature maps, not detections; hint: choose a detector",
                manifest.name()
            ));
        }
        let multiple_of = manifest.multiple_of();
        let sides = match self.input {
            None => vec![],
            Some(InputSize::LongSide(n)) => vec![n],
            Some(InputSize::Size(size)) => size.to_vec(),
        };
        match multiple_of {
            Some(step) if sides.iter().any(|s| *s == 0 || s % step != 0) => {
                problems.push(format!("input {sides:?} does not suit the model; hint: multiples of {step}"));
            }
            None if !sides.is_empty()
                && self.input != Some(InputSize::Size(manifest.input_size().into())) =>
            {
                let (width, height) = manifest.input_size();
                problems.push(format!(
                    "the model has one input size; hint: leave it out, or size = [{width}, {height}]"
                ));
            }
            _ => {}
        }
        let fractions = [("score_threshold", self.score_threshold), ("nms_iou", self.nms_iou)];
        let labelled = self.label_thresholds.iter().map(|(l, v)| (l.as_str(), Some(*v)));
        for (key, value) in fractions.into_iter().chain(labelled) {
            if value.is_some_and(|v| !(0.0..=1.0).contains(&v)) {
                problems.push(format!("{key} = {} is not within 0 to 1", value.unwrap_or_default()));
            }
        }
        let named = self.labels.iter().flatten().chain(self.label_thresholds.keys());
        for label in named.collect::<BTreeSet<_>>() {
            if !manifest.classes().contains(label) {
                problems.push(format!(
                    "model \"{}\" knows no \"{label}\"; hint: {}",
                    manifest.name(),
                    nearest(label.as_str(), manifest.classes())
                ));
            }
        }
        if self.labels.as_ref().is_some_and(BTreeSet::is_empty) {
            problems.push("labels is empty, so nothing would be reported; hint: leave it out for all".into());
        }
        if let Some(tiles) = self.tiles {
            if !(1..=16).contains(&tiles.columns) || !(1..=16).contains(&tiles.rows) {
                problems.push("tiles: columns and rows must be 1 to 16".into());
            }
            if !(0.0..=0.5).contains(&tiles.overlap) {
                problems.push("tiles: overlap must be 0 to 0.5".into());
            }
        }
        problems
    }

    /// The size of the input for pictures (width, height).
    pub(crate) fn input_size(&self, manifest: &Manifest, picture: (usize, usize)) -> (usize, usize) {
        match (self.input, manifest.multiple_of()) {
            (Some(InputSize::Size(size)), Some(_)) => size.into(),
            (Some(InputSize::LongSide(side)), Some(step)) => {
                letterbox::input_of_long_side(picture, side, step)
            }
            (None, _) | (_, None) => manifest.input_size(),
        }
    }
}

/// The classes that are spelt most like `wanted`.
fn nearest(wanted: &str, classes: &[Label]) -> String {
    let shared = |name: &str| {
        let pairs = |s: &str| s.as_bytes().windows(2).map(<[u8]>::to_vec).collect::<BTreeSet<_>>();
        let (a, b) = (pairs(wanted), pairs(name));
        (2 * a.intersection(&b).count()) as f32 / (a.len() + b.len()).max(1) as f32
    };
    let best = classes.iter().max_by(|a, b| shared(a.as_str()).total_cmp(&shared(b.as_str())));
    match best {
        Some(label) if shared(label.as_str()) > 0.3 => format!("did you mean \"{label}\"?"),
        _ => "its manifest lists the classes".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::{GOOD, folder};

    #[test]
    fn every_mistake_in_the_options_is_named() {
        let root = folder(GOOD);
        let manifest = Manifest::load(&root.path().join("toy")).unwrap();
        let options: DetectorOptions = toml::from_str(
            "input.long_side = 50\nscore_threshold = 1.5\nlabels = [\"dogg\"]\nlabel_thresholds.car = 0.5\n\
             tiles = { columns = 0, rows = 2, overlap = 0.9 }",
        )
        .unwrap();
        let problems = options.problems(&manifest);
        assert_eq!(problems.len(), 6, "{problems:#?}");
        assert!(problems.iter().any(|p| p.contains("did you mean \"dog\"")), "{problems:#?}");
        assert!(DetectorOptions::default().problems(&manifest).is_empty());
        let config = EngineConfig { precision: Precision::Bf16, queue: 0, ..EngineConfig::default() };
        assert_eq!(config.problems(&manifest).len(), 2);
        let config = EngineConfig { precision: Precision::Int8, ..EngineConfig::default() };
        assert_eq!(config.problems(&manifest), ["model \"toy\" has no int8 weights; hint: it has fp32"]);
    }

    #[test]
    fn the_input_follows_the_picture_unless_it_is_fixed() {
        let root = folder(GOOD);
        let manifest = Manifest::load(&root.path().join("toy")).unwrap();
        let size = |input, picture| {
            DetectorOptions { input, ..DetectorOptions::default() }.input_size(&manifest, picture)
        };
        assert_eq!(size(None, (1920, 1080)), (64, 32));
        assert_eq!(size(Some(InputSize::LongSide(640)), (1920, 1080)), (640, 384));
        assert_eq!(size(Some(InputSize::Size([416, 416])), (1920, 1080)), (416, 416));
    }
}
