//! The gate: figures that must not fall. A file of figures with tolerances, checked against a report; written from one.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::report::Report;

/// A file of figures that must not fall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The figures.
    pub figures: Vec<Bar>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bar {
    /// Name of the subject.
    pub subject: String,
    /// Name of the dataset.
    pub dataset: String,
    /// Dotted name of the figure.
    pub figure: String,
    /// What it was.
    pub value: f64,
    /// By how much it may be worse.
    pub tolerance: f64,
}

/// How a figure stands to its bar.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// At least as good as asked.
    Held(f64),
    /// Worse than its tolerance allows.
    Fell(f64),
    /// It was not measured.
    Missing,
}

/// Why a gate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The file cannot be read or written.
    #[error("cannot open gate {}; hint: check the path, or write one with --write-gate", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file makes no sense.
    #[error("gate {} is not valid: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
}

/// Figures of which less is better.
const LESS_IS_BETTER: [&str; 5] = ["delay", "false_alarms", "duplicates", "end_error", "id_switches"];

fn less_is_better(figure: &str) -> bool {
    LESS_IS_BETTER.iter().any(|part| figure.contains(part))
}

impl Gate {
    /// Reads a gate.
    ///
    /// # Errors
    /// See [`GateError`].
    pub fn load(path: &Path) -> Result<Self, GateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| GateError::File { path: path.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|e| GateError::Invalid { path: path.to_owned(), message: e.to_string() })
    }

    /// The headline figures of a report as a gate: shares may fall by 0.02, delays may grow by 2 seconds, counts by none.
    pub fn of(report: &Report) -> Self {
        let mut figures = Vec::new();
        for result in &report.results {
            for (figure, value) in &result.figures {
                let tolerance = match figure.as_str() {
                    "detection.ap50" | "detection.ap" | "tracking.hota" | "change.pixel_f1" => 0.02,
                    "incident.precision" | "incident.recall" => 0.0,
                    "incident.delay_p95_seconds" => 2.0,
                    "incident.false_alarms_per_camera_day" => 0.5,
                    _ => continue,
                };
                if let Some(value) = value.value {
                    figures.push(Bar {
                        subject: report.subjects[result.subject].name.clone(),
                        dataset: report.datasets[result.dataset].name.clone(),
                        figure: figure.clone(),
                        value: (value * 1e4).round() / 1e4,
                        tolerance,
                    });
                }
            }
        }
        Self { figures }
    }

    /// Writes it, with what the file is.
    ///
    /// # Errors
    /// `File`.
    pub fn write(&self, path: &Path) -> Result<(), GateError> {
        let text = toml::to_string(self).expect("plain data");
        let head = "# Figures that must not fall by more than their tolerance; `parapet eval --write-gate` made it.\n";
        std::fs::write(path, format!("{head}{text}"))
            .map_err(|source| GateError::File { path: path.to_owned(), source })
    }

    /// Every bar with how the report stands to it.
    pub fn check(&self, report: &Report) -> Vec<(&Bar, Verdict)> {
        let verdict = |bar: &Bar| {
            let result = report.results.iter().find(|result| {
                report.subjects[result.subject].name == bar.subject
                    && report.datasets[result.dataset].name == bar.dataset
            });
            let value = result.and_then(|result| result.figures.get(&bar.figure)).and_then(|f| f.value);
            let Some(value) = value else { return Verdict::Missing };
            let worse = if less_is_better(&bar.figure) { value - bar.value } else { bar.value - value };
            if worse > bar.tolerance + 1e-9 { Verdict::Fell(value) } else { Verdict::Held(value) }
        };
        self.figures.iter().map(|bar| (bar, verdict(bar))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_reads_what_it_writes_and_knows_which_way_is_worse() {
        let bar = |figure: &str, value| Bar {
            subject: "a".into(),
            dataset: "b".into(),
            figure: figure.into(),
            value,
            tolerance: 0.1,
        };
        let gate = Gate { figures: vec![bar("detection.ap50", 0.5), bar("incident.delay_p95_seconds", 3.0)] };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gate.toml");
        gate.write(&path).unwrap();
        assert_eq!(Gate::load(&path).unwrap(), gate);
        assert!(less_is_better("incident.delay_p95_seconds") && !less_is_better("incident.recall"));
        std::fs::write(&path, "figures = 3").unwrap();
        assert!(Gate::load(&path).unwrap_err().to_string().contains("is not valid"));
    }
}
