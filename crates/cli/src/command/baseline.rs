//! `parapet baseline`: the approved pictures of views. A person proposes what the node has seen, a person approves it, and
//! all of it is on record.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use parapet_core::{CameraId, Clock, PresetId, SystemClock, Timestamp};
use parapet_edge::{
    Pipeline,
    baselines::{Actor, Baseline, BaselineError, Shelf, Standing},
};

use crate::failure::Mistake;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// All pictures of a view, or of all views, and where they stand.
    List(List),
    /// Put up the view as it was last seen (or a picture file) for approval.
    Propose(Propose),
    /// Make a picture the baseline of its time of day and season, from now on.
    Approve(Judge),
    /// Turn a picture down, be it proposed or in force.
    Reject(Judge),
    /// Who did what, when and why.
    History(View),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The pipeline file.
    #[arg(long, value_name = "FILE")]
    pipeline: PathBuf,
    /// Of this camera only.
    #[arg(long, value_name = "ID")]
    camera: Option<CameraId>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct View {
    /// The pipeline file.
    #[arg(long, value_name = "FILE")]
    pipeline: PathBuf,
    /// The camera.
    #[arg(long, value_name = "ID")]
    camera: CameraId,
    /// The preset of a dome.
    #[arg(long, value_name = "ID")]
    preset: Option<PresetId>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Person {
    /// Who says so.
    #[arg(long, value_name = "NAME", env = "PARAPET_USER")]
    by: String,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Propose {
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    person: Person,
    /// This picture rather than the view as it was last seen.
    #[arg(long, value_name = "FILE", requires = "captured_at")]
    picture: Option<PathBuf>,
    /// When the picture was taken (RFC 3339).
    #[arg(long, value_name = "TIME", requires = "picture")]
    captured_at: Option<Timestamp>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Judge {
    #[command(flatten)]
    view: View,
    /// The picture, as `parapet baseline list` names it.
    #[arg(value_name = "PICTURE")]
    id: String,
    #[command(flatten)]
    person: Person,
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match command {
        Command::List(List { pipeline, camera }) => {
            let pipeline = super::load_pipeline(&pipeline)?;
            list(&mut out, &pipeline, camera.as_ref())
        }
        Command::Propose(Propose { view, person, picture, captured_at }) => {
            let (_, shelf) = view.shelf()?;
            let file = picture.as_deref().zip(captured_at);
            let id = shelf.propose(person.actor(), file).map_err(told)?;
            writeln!(out, "{id} {}", shelf.picture_path(&id).display())?;
            Ok(())
        }
        Command::Approve(Judge { view, id, person }) => {
            let baseline = view.shelf()?.1.approve(&id, person.actor()).map_err(told)?;
            writeln!(out, "{} is the baseline of this view: {}", baseline.id, baseline.light)?;
            Ok(())
        }
        Command::Reject(Judge { view, id, person }) => {
            let baseline = view.shelf()?.1.reject(&id, person.actor()).map_err(told)?;
            writeln!(out, "{} is turned down", baseline.id)?;
            Ok(())
        }
        Command::History(view) => {
            for entry in view.shelf()?.1.history().map_err(told)? {
                let reason = if entry.reason.is_empty() { "-" } else { &entry.reason };
                let (at, by, act, picture) = (entry.at, entry.by, entry.act, entry.picture);
                writeln!(out, "{at:.0}  {by:<16} {act:<9} {picture}  {reason}")?;
            }
            Ok(())
        }
    }
}

fn list(out: &mut impl Write, pipeline: &Pipeline, only: Option<&CameraId>) -> anyhow::Result<()> {
    if let Some(only) = only {
        super::camera(pipeline, only)?;
    }
    writeln!(
        out,
        "{:<16} {:<12} {:<26} {:<16} {:<9} LATEST",
        "CAMERA", "PRESET", "PICTURE", "LIGHT", "STANDING"
    )?;
    for (camera, config) in pipeline.cameras.iter().filter(|(id, _)| only.is_none_or(|only| only == *id)) {
        for (preset, _) in config.views() {
            for baseline in shelf(pipeline, camera, preset).baselines().map_err(told)? {
                let Baseline { id, light, standing, latest, .. } = baseline;
                let (preset, standing) = (preset.map_or("-", PresetId::as_str), name(standing));
                writeln!(
                    out,
                    "{:<16} {preset:<12} {id:<26} {:<16} {standing:<9} {} by {} at {:.0}",
                    camera.as_str(),
                    light.to_string(),
                    latest.act,
                    latest.by,
                    latest.at
                )?;
            }
        }
    }
    Ok(())
}

impl View {
    fn shelf(&self) -> anyhow::Result<(Pipeline, Shelf)> {
        let pipeline = super::load_pipeline(&self.pipeline)?;
        let presets: Vec<Option<&PresetId>> =
            super::camera(&pipeline, &self.camera)?.views().map(|(preset, _)| preset).collect();
        if !presets.contains(&self.preset.as_ref()) {
            let names: Vec<&str> = presets.iter().flatten().map(|preset| preset.as_str()).collect();
            let what = match (&self.preset, names.is_empty()) {
                (_, true) => "is no dome; hint: leave --preset out".to_owned(),
                (None, false) => format!("is a dome; hint: add --preset, one of: {}", names.join(", ")),
                (Some(preset), false) => {
                    format!("has no preset \"{preset}\"; hint: one of: {}", names.join(", "))
                }
            };
            return Err(Mistake(format!("camera \"{}\" {what}", self.camera)).into());
        }
        let shelf = shelf(&pipeline, &self.camera, self.preset.as_ref());
        Ok((pipeline, shelf))
    }
}

impl Person {
    fn actor(&self) -> Actor<'_> {
        Actor { by: &self.by, reason: &self.reason, at: SystemClock::new().now() }
    }
}

fn shelf(pipeline: &Pipeline, camera: &CameraId, preset: Option<&PresetId>) -> Shelf {
    let root: &Path = &pipeline.baselines_dir();
    Shelf::of(root, camera, preset, pipeline.node.time_zone.clone())
}

fn name(standing: Standing) -> &'static str {
    match standing {
        Standing::Proposed => "proposed",
        Standing::InForce => "in force",
        Standing::Replaced => "replaced",
        Standing::Rejected => "rejected",
    }
}

/// What the person did wrong is a mistake; a disk that fails is not.
fn told(error: BaselineError) -> anyhow::Error {
    match error {
        error @ (BaselineError::NoCandidate
        | BaselineError::AlreadyProposed(_)
        | BaselineError::NotPending { .. }
        | BaselineError::Nobody(_)
        | BaselineError::Picture { .. }) => Mistake(error.to_string()).into(),
        error => error.into(),
    }
}
