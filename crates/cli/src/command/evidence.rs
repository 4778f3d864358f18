//! `parapet evidence`: whether what was kept is what was stored, and archives that prove it elsewhere.

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

use anyhow::Context;
use parapet_center::{ArchiveError, Report, Selection, verify_archive, verify_store, write_archive};
use parapet_core::{IncidentId, Language, ledger::PublicKey};
use parapet_store::{Store, StoreError};

use crate::failure::{Mistake, Silent};

/// Where the center keeps copies of evidence, and a node its own, below their data directories.
const EVIDENCE: [&str; 2] = ["center-evidence", "evidence"];

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Check a center's data directory or an exported archive, offline. Names whatever was changed, removed or added, and
    /// then ends with 1.
    Verify(Verify),
    /// Write an archive that can be checked anywhere.
    Export(Export),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The center's data directory (center.db, checkpoints.jsonl, ledger.pub), or an archive.
    #[arg(value_name = "DIR|ARCHIVE")]
    path: PathBuf,
    /// The public key, from where it is kept safe; without it, the one that lies beside the data.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Address of the store, where it is not center.db in the directory.
    #[arg(long, env = "PARAPET_STORE", hide_env_values = true, value_name = "URL")]
    store: Option<String>,
    /// Further directories with files of evidence: the center's or a node's.
    #[arg(long, value_name = "DIR")]
    evidence: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true)))]
pub(crate) struct Export {
    /// This incident; can be given several times.
    #[arg(long, group = "what", value_name = "ID")]
    incident: Vec<IncidentId>,
    /// Everything.
    #[arg(long, group = "what")]
    all: bool,
    /// Address of the center's store, `sqlite://PATH` or `postgres://USER@HOST/DATABASE`.
    #[arg(long, env = "PARAPET_STORE", hide_env_values = true, value_name = "URL")]
    store: String,
    /// Directories with files of evidence: the center's or a node's.
    #[arg(long, value_name = "DIR")]
    evidence: Vec<PathBuf>,
    /// Where the archive goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Verify(options) => super::block_on(verify(options)),
        Command::Export(options) => super::block_on(export(options)),
    }
}

async fn open(url: &str) -> anyhow::Result<Store> {
    Store::open_read_only(url).await.map_err(|error| match error {
        StoreError::UnknownAddress(_) => Mistake(error.to_string()).into(),
        error => anyhow::Error::new(error),
    })
}

fn read_key(path: &Path) -> anyhow::Result<PublicKey> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Mistake(format!("cannot read the key {}: {error}; hint: check the path", path.display()))
    })?;
    Ok(text.trim().parse().map_err(|error| {
        Mistake(format!("{} holds no public key: {error}; hint: ledger.pub of the center", path.display()))
    })?)
}

async fn verify(options: Verify) -> anyhow::Result<()> {
    let given = options.key.as_deref().map(read_key).transpose()?;
    let report = if options.path.is_file() {
        verify_archive(&options.path, given.as_ref())?
    } else if options.path.is_dir() {
        let directory = &options.path;
        let beside = directory.join("ledger.pub");
        let key = match given {
            None if beside.is_file() => Some(read_key(&beside)?),
            given => given,
        };
        let url =
            options.store.unwrap_or_else(|| format!("sqlite://{}", directory.join("center.db").display()));
        let mut evidence = options.evidence;
        evidence.extend(EVIDENCE.map(|name| directory.join(name)));
        let checkpoints = directory.join("checkpoints.jsonl");
        let checkpoints = checkpoints.is_file().then_some(checkpoints);
        let store = open(&url).await?;
        let report = verify_store(&store, checkpoints.as_deref(), &evidence, key.as_ref()).await?;
        store.close().await;
        report
    } else {
        let text = format!(
            "there is no {}; hint: the center's data directory or an archive",
            options.path.display()
        );
        return Err(Mistake(text).into());
    };
    tell(&report, options.key.is_some());
    if report.findings.is_empty() { Ok(()) } else { Err(Silent(1).into()) }
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
fn tell(report: &Report, trusted: bool) {
    for finding in &report.findings {
        println!("{}\n  {}", finding.text(Language::ZhCn), finding.text(Language::En));
    }
    for deleted in &report.deleted {
        println!("{}\n  {}", deleted.text(Language::ZhCn), deleted.text(Language::En));
    }
    for (chain, (rows, signed)) in &report.chains {
        println!("{chain}: {rows} 行 rows，已签名至 signed up to {signed}");
    }
    println!(
        "文件 files: {} 已核验 checked, {} 无副本 no copy here, {} 已删除 deleted",
        report.files,
        report.absent,
        report.deleted.len()
    );
    if !trusted {
        println!(
            "未指定公钥，使用数据旁的公钥 · no --key was given: the key that lies beside the data was used"
        );
    }
    match report.findings.len() {
        0 => println!("完好 · nothing was changed"),
        n => println!("发现 {n} 处问题 · {n} finding(s)"),
    }
}

async fn export(options: Export) -> anyhow::Result<()> {
    let store = open(&options.store).await?;
    let selection = if options.all { Selection::All } else { Selection::Incidents(options.incident.clone()) };
    let mut part = options.out.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let cannot = || format!("cannot write {}", options.out.display());
    let out = BufWriter::new(File::create(&part).with_context(cannot)?);
    let written = write_archive(&store, &selection, &options.evidence, out).await;
    store.close().await;
    let files = match written {
        Ok(files) => files,
        Err(error) => {
            drop(std::fs::remove_file(&part));
            return Err(match error {
                ArchiveError::Unknown(_) | ArchiveError::Unsigned { .. } => Mistake::of(error).into(),
                error => anyhow::Error::new(error),
            });
        }
    };
    std::fs::rename(&part, &options.out).with_context(cannot)?;
    tracing::info!(files, archive = %options.out.display(), "archive written");
    Ok(())
}
