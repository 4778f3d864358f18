//! `parapet models`: what models are there, whether their weights are the right ones, and fetching those that may be.

use std::{io::Write, path::Path};

use anyhow::Context;
use parapet_infer::{Manifest, ModelStore, Precision};

use crate::{
    failure::{Mistake, Silent},
    home,
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// One line for each model.
    List(home::Home),
    /// Hash all weights and compare them with the manifests; exit code 1 if any is wrong.
    Verify(home::Home),
    /// Get the weights that a manifest names an address for, and check their hash.
    Fetch {
        /// Name of the model.
        name: String,
        #[command(flatten)]
        home: home::Home,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List(home) => list(&store(&home)?),
        Command::Verify(home) => verify(&store(&home)?),
        Command::Fetch { name, home } => fetch(&store(&home)?, &name),
    }
}

fn store(home: &home::Home) -> anyhow::Result<ModelStore> {
    Ok(ModelStore::new(home.directory()?.join("models")))
}

fn list(store: &ModelStore) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<18} {:<9} {:<12} {:<10} WEIGHTS", "MODEL", "FAMILY", "LICENCE", "INPUT")?;
    for entry in store.list().context("cannot read the models")? {
        match &entry.manifest {
            Ok(m) => {
                let weights: Vec<String> = m
                    .variants()
                    .map(|(precision, variant)| {
                        let there = m.directory().join(&variant.file).is_file();
                        let state = match (there, &variant.url) {
                            (true, _) => "",
                            (false, Some(_)) => " (fetchable)",
                            (false, None) => " (not here)",
                        };
                        format!("{precision}{state}")
                    })
                    .collect();
                let (width, height) = m.input_size();
                let input = format!("{width}x{height}");
                let (family, licence) = (m.family_name(), m.licence());
                writeln!(
                    out,
                    "{:<18} {family:<9} {licence:<12} {input:<10} {}",
                    m.name(),
                    weights.join(", ")
                )?;
            }
            Err(error) => writeln!(out, "{:<18} {error}", entry.name)?,
        }
    }
    Ok(())
}

fn verify(store: &ModelStore) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut wrong = 0;
    for entry in store.list().context("cannot read the models")? {
        if let Err(error) = &entry.manifest {
            wrong += 1;
            writeln!(out, "{:<24} WRONG  {error}", entry.name)?;
        }
        for (precision, state) in entry.verify() {
            let name = format!("{}/{precision}", entry.name);
            match state {
                Ok(()) => writeln!(out, "{name:<24} ok")?,
                Err(parapet_infer::manifest::WeightsError::Missing { .. }) => {
                    writeln!(out, "{name:<24} not here")?;
                }
                Err(error) => {
                    wrong += 1;
                    writeln!(out, "{name:<24} WRONG  {error}")?;
                }
            }
        }
    }
    if wrong > 0 { Err(Silent(1).into()) } else { Ok(()) }
}

fn fetch(store: &ModelStore, name: &str) -> anyhow::Result<()> {
    let manifest = store.load(name).map_err(|error| Mistake(error.to_string()))?;
    let variants: Vec<(Precision, String, String)> = manifest
        .variants()
        .filter_map(|(precision, v)| Some((precision, v.file.clone(), v.url.clone()?)))
        .collect();
    if variants.is_empty() {
        let text = format!(
            "model \"{name}\" names no address for its weights; hint: its model.toml says where they come from"
        );
        return Err(Mistake(text).into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for (precision, file, url) in variants {
        let path = manifest.directory().join(&file);
        if manifest.verify_file(precision).is_ok() {
            tracing::info!(model = name, %precision, "weights are there");
            continue;
        }
        runtime
            .block_on(download(&url, &path, &manifest, precision))
            .with_context(|| format!("cannot fetch {url}"))?;
    }
    Ok(())
}

/// Downloads beside the target and moves into place only what has the right hash.
async fn download(url: &str, path: &Path, manifest: &Manifest, precision: Precision) -> anyhow::Result<()> {
    let mut answer = reqwest::get(url).await?.error_for_status()?;
    let bar = indicatif::ProgressBar::new(answer.content_length().unwrap_or(0))
        .with_style(indicatif::ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes}")?)
        .with_message(manifest.name().to_owned());
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        bar.inc(chunk.len() as u64);
        bytes.extend_from_slice(&chunk);
    }
    bar.finish_and_clear();
    manifest.verify_bytes(precision, &bytes)?;
    let part = path.with_extension("part");
    std::fs::write(&part, &bytes)?;
    std::fs::rename(&part, path)?;
    tracing::info!(model = manifest.name(), %precision, path = %path.display(), "weights fetched and verified");
    Ok(())
}
