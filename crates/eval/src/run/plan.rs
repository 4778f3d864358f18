//! What is to be evaluated: subjects (a model with its settings) and the datasets that they are measured on.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use parapet_analytics::{GateConfig, Seconds};
use parapet_change::BaselineConfig;
use parapet_infer::{DetectorOptions, EngineConfig, InputSize, Provider};
use serde::{Deserialize, Serialize};

/// A plan, as its TOML file describes it. Paths are relative to the directory of the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Manifests of datasets.
    pub datasets: Vec<PathBuf>,
    /// What is measured; the first one is what the others are compared with.
    pub subjects: Vec<SubjectConfig>,
    /// The dataset on which each subject's score threshold is chosen (best mean F1), for precision, recall and F1 on the
    /// others.
    pub threshold_dataset: Option<String>,
}

/// A model with its settings; or, with `change`, a comparison of picture pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectConfig {
    /// Its name in the report.
    pub name: String,
    /// Folder of its `model.toml`.
    #[serde(default)]
    pub model: PathBuf,
    /// How a picture is compared with an earlier one: then it is measured on picture pairs, and needs no model.
    pub change: Option<BaselineConfig>,
    /// How it is run.
    #[serde(default)]
    pub engine: EngineConfig,
    /// How it looks at a picture.
    #[serde(default)]
    pub detector: DetectorOptions,
    /// Cameras ask the model only while something moves; every frame is looked at without it.
    pub gate: Option<GateConfig>,
    /// Cameras see what live ones with `keyframes_when_enough` and keyframes so far apart would have decoded.
    pub keyframes_every: Option<Seconds>,
    /// Only on these datasets; on all without it.
    pub datasets: Option<BTreeSet<String>>,
    /// Sequences with a pipeline are watched by that pipeline with this model; if false, they are left out: for subjects
    /// that are only compared as detectors.
    #[serde(default = "yes")]
    pub watch: bool,
    /// It is left out, and named, where this machine cannot run it (a provider or weights that are not there).
    #[serde(default)]
    pub optional: bool,
}

fn yes() -> bool {
    true
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("cannot read plan {}; hint: check the path", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file makes no sense.
    #[error("plan {} is not valid: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
}

impl Plan {
    /// Reads and checks a plan.
    ///
    /// # Errors
    /// When the file cannot be read or makes no sense.
    pub fn load(path: &Path) -> Result<Self, PlanError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| PlanError::Read { path: path.to_owned(), source })?;
        let invalid = |message: String| PlanError::Invalid { path: path.to_owned(), message };
        let mut plan: Self = toml::from_str(&text).map_err(|e| invalid(e.to_string()))?;
        let base = path.parent().unwrap_or(Path::new(""));
        for file in plan.datasets.iter_mut().chain(plan.subjects.iter_mut().map(|s| &mut s.model)) {
            *file = base.join(&*file);
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = plan.subjects.iter().find(|s| !names.insert(&s.name)) {
            return Err(invalid(format!("two subjects are named \"{}\"; hint: rename one", twice.name)));
        }
        if let Some(of) = plan.subjects.iter().find(|s| s.change.is_none() && s.model == base) {
            return Err(invalid(format!(
                "subject \"{}\" has no model; hint: model = \"…/nanodet-g\"",
                of.name
            )));
        }
        if let Some(of) = plan.subjects.iter().find(|s| s.engine.fastest) {
            return Err(invalid(format!(
                "subject \"{}\" is whatever is fastest, which is another on each machine; hint: name a precision and a \
                 provider",
                of.name
            )));
        }
        if plan.subjects.is_empty() || plan.datasets.is_empty() {
            return Err(invalid(
                "it has no subjects or no datasets; hint: add [[subjects]] or datasets".into(),
            ));
        }
        Ok(plan)
    }
}

impl SubjectConfig {
    /// A model with its usual settings, named after its folder.
    pub fn of_model(model: &Path) -> Self {
        let name = model.file_name().unwrap_or(model.as_os_str()).to_string_lossy().into_owned();
        Self {
            name,
            model: model.to_owned(),
            change: None,
            engine: EngineConfig::default(),
            detector: DetectorOptions::default(),
            gate: None,
            keyframes_every: None,
            datasets: None,
            watch: true,
            optional: false,
        }
    }

    /// Whether it is measured on this dataset.
    pub fn wants(&self, dataset: &str) -> bool {
        self.datasets.as_ref().is_none_or(|only| only.contains(dataset))
    }

    /// Its settings, as a person would say them.
    pub fn settings(&self) -> BTreeMap<String, String> {
        if let Some(change) = &self.change {
            let width = ("width".to_owned(), format!("{} pixels", change.width));
            return [("method".to_owned(), "registered comparison of grey levels".to_owned()), width].into();
        }
        let model = self.model.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let provider = match self.engine.provider {
            Provider::Cpu => "ONNX Runtime".to_owned(),
            other => other.as_str().to_owned(),
        };
        let input = match self.detector.input {
            None => "as the manifest says".to_owned(),
            Some(InputSize::LongSide(side)) => format!("long side {side}"),
            Some(InputSize::Size([width, height])) => format!("{width} × {height}"),
        };
        let mut settings = vec![
            ("model", model),
            ("precision", self.engine.precision.as_str().to_owned()),
            ("provider", provider),
            ("input", input),
        ];
        if let Some(tiles) = self.detector.tiles {
            settings.push(("tiles", format!("{} × {}", tiles.columns, tiles.rows)));
        }
        if let Some(gate) = &self.gate {
            settings
                .push(("gate", format!("a look every {} s while nothing moves", gate.look_seconds.as_f64())));
        }
        if let Some(every) = self.keyframes_every {
            let seconds = every.as_f64();
            settings.push(("decoded", format!("keyframes when they are enough, {seconds} s apart")));
        }
        settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_and_names_its_mistakes() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("plan.toml");
        let write = |text: &str| std::fs::write(&file, text).unwrap();
        write(
            "datasets = ['a.toml']\n[[subjects]]\nname = 'g'\nmodel = 'g'\ndetector.input.size = [416, 416]\n",
        );
        let plan = Plan::load(&file).unwrap();
        assert_eq!(plan.datasets, [directory.path().join("a.toml")]);
        assert_eq!(plan.subjects[0].settings()["input"], "416 × 416");
        write(
            "datasets = ['a.toml']\n[[subjects]]\nname = 'g'\nmodel = 'g'\n[[subjects]]\nname = 'g'\nmodel = 'h'\n",
        );
        assert!(Plan::load(&file).unwrap_err().to_string().contains("two subjects are named \"g\""));
        write("datasets = ['a.toml']\n[[subjects]]\nname = 'g'\nmodel = 'g'\nengine.fastest = true\n");
        assert!(Plan::load(&file).unwrap_err().to_string().contains("another on each machine; hint:"));
        write("datasets = []\nsubjects = []\n");
        assert!(Plan::load(&file).unwrap_err().to_string().contains("hint: add"));
    }
}
