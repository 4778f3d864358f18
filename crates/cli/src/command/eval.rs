//! `parapet eval`: how well models and pipelines do on labelled footage.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::Mutex,
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use parapet_core::{Clock, Language, SystemClock};
use parapet_eval::{
    dataset::DatasetManifest,
    gate::{Gate, Verdict},
    metric::interval::Bootstrap,
    report::{self, Report},
    run::{
        Cache, Listener, Options as RunOptions, Plan, SubjectConfig, evaluate, read_findings, write_findings,
    },
};
use parapet_infer::{InputSize, Precision};

use crate::failure::{Mistake, Silent};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Manifests of datasets.
    #[arg(required_unless_present = "plan", value_name = "DATASET")]
    datasets: Vec<PathBuf>,
    /// A plan of subjects and datasets, TOML; datasets named beside it restrict it.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Folder of a model; may be given several times, to be compared with the first.
    #[arg(long = "model", default_value = "models/nanodet-g", conflicts_with = "plan", value_name = "DIR")]
    models: Vec<PathBuf>,
    /// In which numbers the models compute.
    #[arg(long, default_value = "int8", conflicts_with = "plan")]
    precision: String,
    /// Side of the models' square input, in pixels; the manifests' without it.
    #[arg(long, conflicts_with = "plan", value_name = "PIXELS")]
    input: Option<usize>,
    /// Pipeline file that watches the sequences, in place of the one that each dataset names.
    #[arg(long, value_name = "FILE")]
    pipeline: Option<PathBuf>,
    /// Directory that datasets are below.
    #[arg(long, env = "PARAPET_FOOTAGE", default_value = "../shared/footage", value_name = "DIR")]
    data: PathBuf,
    /// Compare with an earlier run, too: the directory of its report. May be given several times.
    #[arg(long = "with", value_name = "DIR")]
    earlier: Vec<PathBuf>,
    /// Where the report goes: index.html, report.json and findings.jsonl.
    #[arg(long, value_name = "DIR")]
    report: PathBuf,
    /// Write the tables as Markdown, too.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Exit with 1 when a figure of this file has fallen by more than its tolerance.
    #[arg(long, value_name = "FILE")]
    gate: Option<PathBuf>,
    /// Write the headline figures as such a file.
    #[arg(long, value_name = "FILE")]
    write_gate: Option<PathBuf>,
    /// Datasets whose data is not on this machine are left out without complaint.
    #[arg(long)]
    skip_missing: bool,
    /// Resamples of the bootstrap behind each interval.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    resamples: usize,
    /// Where findings are kept, so that an interrupted evaluation goes on where it was.
    #[arg(long, default_value = ".cache/eval", value_name = "DIR")]
    cache: PathBuf,
    /// Look at everything anew.
    #[arg(long)]
    no_cache: bool,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let gate = options.gate.as_deref().map(Gate::load).transpose().map_err(|e| Mistake(e.to_string()))?;
    let mut plan = plan_of(options)?;
    if options.skip_missing {
        plan.datasets.retain(|manifest| has_data(manifest, &options.data));
    }
    let cache = if options.no_cache { Cache::none() } else { Cache::new(&options.cache)? };
    let how = RunOptions {
        data: options.data.clone(),
        pipeline: options.pipeline.clone(),
        cache,
        bootstrap: Bootstrap { resamples: options.resamples, ..Bootstrap::default() },
        command: std::env::args().collect::<Vec<_>>().join(" "),
        now: SystemClock::new().now().to_string(),
    };
    let mut earlier = Vec::new();
    for directory in &options.earlier {
        earlier.extend(read_findings(directory).map_err(|e| Mistake(e.to_string()))?);
    }
    let (report, findings) = evaluate(&plan, earlier, &how, &Bars::default());
    write(&report, options)?;
    write_findings(&options.report, &findings)?;
    if let Some(path) = &options.write_gate {
        Gate::of(&report).write(path)?;
    }
    let fell = gate.is_some_and(|gate| !holds(&gate, &report, options.skip_missing));
    for problem in &report.problems {
        tracing::error!(place = problem.place, hint = problem.hint, "{}", problem.what);
    }
    if fell {
        return Err(Silent(1).into());
    }
    if report.problems.is_empty() {
        return Ok(());
    }
    Err(Mistake(format!(
        "{} things could not be scored, everything else was; hint: they are named above and in the report",
        report.problems.len()
    ))
    .into())
}

fn plan_of(options: &Options) -> anyhow::Result<Plan> {
    if let Some(path) = &options.plan {
        let mut plan = Plan::load(path).map_err(|e| Mistake(e.to_string()))?;
        if !options.datasets.is_empty() {
            plan.datasets.clone_from(&options.datasets);
        }
        return Ok(plan);
    }
    let precision = [Precision::Fp32, Precision::Fp16, Precision::Bf16, Precision::Int8]
        .into_iter()
        .find(|p| p.as_str() == options.precision)
        .ok_or_else(|| {
            Mistake(format!("no precision \"{}\"; hint: fp32, fp16, bf16 or int8", options.precision))
        })?;
    let subject = |model: &PathBuf| {
        let mut subject = SubjectConfig::of_model(model);
        subject.engine.precision = precision;
        subject.detector.input = options.input.map(|side| InputSize::Size([side, side]));
        subject
    };
    Ok(Plan {
        datasets: options.datasets.clone(),
        subjects: options.models.iter().map(subject).collect(),
        threshold_dataset: None,
    })
}

/// Whether the data of a dataset is on this machine; a manifest that cannot be read is found out later.
fn has_data(manifest: &Path, data: &Path) -> bool {
    let Ok((of, _)) = DatasetManifest::load(manifest) else { return true };
    let there = of.directory(manifest, data).is_dir();
    if !there {
        tracing::warn!(dataset = of.name, "left out: its data is not here");
    }
    there
}

fn write(report: &Report, options: &Options) -> anyhow::Result<()> {
    let directory = &options.report;
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    report::write(report, directory.join("report.json"))?;
    let page = directory.join("index.html");
    std::fs::write(&page, report::page::page(report, Language::ZhCn))
        .with_context(|| format!("cannot write {}", page.display()))?;
    if let Some(path) = &options.markdown {
        std::fs::write(path, report::markdown::summary(report))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    tracing::info!(page = %page.display(), "report written");
    Ok(())
}

/// Says how every bar of the gate stands; whether all hold.
fn holds(gate: &Gate, report: &Report, skip_missing: bool) -> bool {
    let mut all = true;
    for (bar, verdict) in gate.check(report) {
        let (subject, dataset, figure) = (&bar.subject, &bar.dataset, &bar.figure);
        match verdict {
            Verdict::Held(value) => tracing::info!(subject, dataset, figure, value, "holds"),
            Verdict::Fell(value) => {
                all = false;
                tracing::error!(
                    subject,
                    dataset,
                    figure,
                    value,
                    was = bar.value,
                    tolerance = bar.tolerance,
                    "fell"
                );
            }
            Verdict::Missing if skip_missing => tracing::warn!(subject, dataset, figure, "was not measured"),
            Verdict::Missing => {
                all = false;
                tracing::error!(subject, dataset, figure, "was not measured");
            }
        }
    }
    all
}

/// Progress bars, one after the other.
#[derive(Default)]
struct Bars(Mutex<Option<ProgressBar>>);

impl Listener for Bars {
    fn begins(&self, what: &str, steps: u64) {
        let style = ProgressStyle::with_template("{msg:60!} {bar:30} {percent:>3}% {eta}")
            .expect("the template is right");
        let bar = ProgressBar::new(steps).with_style(style).with_message(what.to_owned());
        if !std::io::stderr().is_terminal() {
            tracing::info!("{what}");
        }
        if let Some(before) = self.0.lock().expect("nobody panics with it").replace(bar) {
            before.finish_and_clear();
        }
    }

    fn advanced(&self, steps: u64) {
        if let Some(bar) = self.0.lock().expect("nobody panics with it").as_ref() {
            bar.inc(steps);
        }
    }
}
