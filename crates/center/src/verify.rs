//! Checks, without a running center, that what was kept is what was stored: the chains of a store against signed
//! checkpoints, files against their registered hashes; or an exported archive by itself. Whatever is not as it was is named.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use parapet_core::{
    Language, Timestamp,
    ledger::{ChainRow, Checkpoint, Fault, PublicKey, Record, Value, Walk},
};
use parapet_store::{Chain, Store};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::archive::{ArchiveError, CONTENTS, Contents, Line, Registered, copy_of};

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A row.
    Row(Fault),
    /// A file does not have the hash that was registered for it.
    File {
        /// Its path as it was registered.
        path: String,
        /// Where it lies.
        copy: String,
        /// The hash that was registered.
        expected: String,
        /// The hash that it has.
        found: String,
    },
    /// A file is on record as kept in the vault, and no copy of it is here.
    Lost {
        /// Its path as it was registered.
        path: String,
        /// The hash that was registered.
        sha256: String,
    },
    /// A line of the file of checkpoints is none.
    Line {
        /// Its number, from 1.
        number: usize,
    },
    /// There is no checkpoint of a chain that has rows: nothing vouches for it.
    Unsigned {
        /// The chain.
        chain: String,
        /// Its rows.
        rows: u64,
    },
}

impl Finding {
    /// What it is, for people.
    pub fn text(&self, language: Language) -> String {
        let zh = language == Language::ZhCn;
        match self {
            Self::Row(fault) => fault.text(language),
            Self::File { path, copy, expected, found } if zh => {
                format!("文件被修改：{path}（{copy}）；登记值 {expected}，现为 {found}")
            }
            Self::File { path, copy, expected, found } => {
                format!("file changed: {path} ({copy}): expected {expected}, found {found}")
            }
            Self::Lost { path, sha256 } if zh => {
                format!("保全的文件缺失：{path}；登记值 {sha256}")
            }
            Self::Lost { path, sha256 } => format!("held file lost: {path}: expected {sha256}"),
            Self::Line { number } if zh => format!("检查点文件第 {number} 行无法读取"),
            Self::Line { number } => format!("line {number} of the checkpoints cannot be read"),
            Self::Unsigned { chain, rows } if zh => format!("{chain} 有 {rows} 行，但没有任何签名检查点"),
            Self::Unsigned { chain, rows } => format!("{chain} has {rows} rows and no signed checkpoint"),
        }
    }
}

/// A file that two people have deleted, as the audit tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedFile {
    /// Its path as it was registered.
    pub path: String,
    /// Who asked for it.
    pub asked_by: String,
    /// Who approved.
    pub approved_by: String,
    /// When it was approved.
    pub at: Timestamp,
}

impl DeletedFile {
    /// What became of it, for people.
    pub fn text(&self, language: Language) -> String {
        let Self { path, asked_by, approved_by, at } = self;
        match language {
            Language::ZhCn => format!("已删除：{path}；{asked_by} 申请，{approved_by} 批准，{at}"),
            Language::En => format!("deleted: {path} by {asked_by} and {approved_by} on {at}"),
        }
    }
}

/// What the audit tells of files: which were deleted, and which must be in the vault.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// By incident (hex) and path.
    deleted: HashMap<(String, String), DeletedFile>,
    /// By hash.
    kept: HashSet<String>,
}

impl Told {
    /// Takes in one deed; those that are not about files are passed over.
    pub(crate) fn hear(&mut self, record: &Record) {
        use Value::{Integer, Text};
        let (
            "audit",
            [
                Integer(_),
                Integer(at),
                Text(Some(actor)),
                Text(Some(action)),
                Text(_),
                Text(Some(subject)),
                Text(Some(detail)),
            ],
        ) = (record.kind.as_str(), record.values.as_slice())
        else {
            return;
        };
        if !action.starts_with("evidence.") {
            return;
        }
        let (Ok(at), Ok(detail)) =
            (Timestamp::from_microsecond(*at), serde_json::from_str::<serde_json::Value>(detail))
        else {
            return;
        };
        let text = |of: &serde_json::Value, name: &str| of[name].as_str().unwrap_or_default().to_owned();
        let files = detail["files"].as_array().into_iter().flatten();
        match action.as_str() {
            "evidence.kept" => self.kept.extend(files.map(|file| text(file, "sha256"))),
            "evidence.let_go" => drop(self.kept.remove(subject)),
            "evidence.deleted" => {
                for file in files {
                    let path = text(file, "path");
                    self.kept.remove(&text(file, "sha256"));
                    let deleted = DeletedFile {
                        path: path.clone(),
                        asked_by: text(&detail, "asked_by"),
                        approved_by: actor.clone(),
                        at,
                    };
                    self.deleted.insert((subject.replace('-', ""), path), deleted);
                }
            }
            _ => {}
        }
    }

    /// That a file was deleted.
    pub(crate) fn deletion(&self, file: &Registered) -> Option<&DeletedFile> {
        self.deleted.get(&(file.incident.clone(), file.path.clone()))
    }
}

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows of each chain, and up to which row a checkpoint vouches for them.
    pub chains: BTreeMap<String, (u64, u64)>,
    /// Files whose hash was computed.
    pub files: u64,
    /// Files that were registered and of which there is no copy here, but for those that were deleted.
    pub absent: u64,
    /// Files that two people have deleted.
    pub deleted: Vec<DeletedFile>,
    /// What is not as it was.
    pub findings: Vec<Finding>,
}

/// Checks a store, with the checkpoints in `file` beside those in the store itself, and copies of files in `evidence`.
///
/// # Errors
/// When something cannot be read.
pub async fn verify_store(
    store: &Store,
    file: Option<&Path>,
    evidence: &[PathBuf],
    key: Option<&PublicKey>,
) -> Result<Report, ArchiveError> {
    let mut report = Report::default();
    let mut checkpoints = store.checkpoints().await?;
    if let Some(file) = file {
        let text = fs::read_to_string(file)?;
        let lines: Vec<&str> = text.lines().collect();
        for (n, line) in lines.iter().enumerate() {
            match serde_json::from_str::<Checkpoint>(line) {
                Ok(checkpoint) if checkpoints.contains(&checkpoint) => {}
                Ok(checkpoint) => checkpoints.push(checkpoint),
                // A last line without its end is a power cut.
                Err(_) if n + 1 == lines.len() && !text.ends_with('\n') => {}
                Err(_) => report.findings.push(Finding::Line { number: n + 1 }),
            }
        }
    }
    let (mut told, mut absent) = (Told::default(), Vec::new());
    for chain in Chain::ALL {
        let mut walk = Walk::new(chain.as_str(), &checkpoints, key);
        let mut after = 0;
        loop {
            let rows = store.chain_rows(chain, after, 500).await?;
            let Some((last, _)) = rows.last() else { break };
            after = last.position;
            for (row, record) in &rows {
                walk.step(row);
                let Some(record) = record else { continue };
                told.hear(record);
                let Some(file) = Registered::of(record) else { continue };
                match copy_of(evidence, &file.path, &file.sha256) {
                    Some(copy) => {
                        let found = hash_of(fs::File::open(&copy)?)?;
                        compare(&mut report, &file.path, copy.display().to_string(), &file.sha256, found);
                    }
                    None => absent.push(file),
                }
            }
        }
        for stray in store.strays(chain).await? {
            walk.stray(stray);
        }
        let length = store.chain(chain).await?.length;
        take(&mut report, walk, Some(length));
    }
    explain(&mut report, &told, absent);
    Ok(report)
}

/// Files without a copy: deleted, lost, or (still) at their nodes.
fn explain(report: &mut Report, told: &Told, absent: Vec<Registered>) {
    for file in absent {
        match told.deletion(&file) {
            Some(deleted) => report.deleted.push(deleted.clone()),
            None if told.kept.contains(&file.sha256) => {
                report.findings.push(Finding::Lost { path: file.path, sha256: file.sha256 });
            }
            None => report.absent += 1,
        }
    }
}

fn take(report: &mut Report, walk: Walk, length: Option<u64>) {
    let walked = walk.finish(length);
    if walked.length > 0 && walked.checkpoints == 0 {
        report.findings.push(Finding::Unsigned { chain: walked.chain.clone(), rows: walked.length });
    }
    report.chains.insert(walked.chain, (walked.length, walked.certain));
    report.findings.extend(walked.faults.into_iter().map(Finding::Row));
}

fn compare(report: &mut Report, path: &str, copy: String, expected: &str, found: String) {
    report.files += 1;
    if found != expected {
        let (path, expected) = (path.to_owned(), expected.to_owned());
        report.findings.push(Finding::File { path, copy, expected, found });
    }
}

/// SHA-256 of a file, in hex.
pub(crate) fn hash_of(mut file: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Checks an archive; with `key`, that this key has signed it.
///
/// # Errors
/// When it is no archive, or cannot be read.
pub fn verify_archive(path: &Path, key: Option<&PublicKey>) -> Result<Report, ArchiveError> {
    let mut zip = ZipArchive::new(BufReader::new(fs::File::open(path)?))?;
    let contents: Contents = serde_json::from_reader(zip.by_name(CONTENTS)?).map_err(io::Error::from)?;
    let key = key.unwrap_or(&contents.key);
    let mut report = Report::default();
    let (mut files, mut told, mut absent) = (Vec::new(), Told::default(), Vec::new());
    for segment in &contents.segments {
        let mut walk =
            Walk::from(&segment.chain, segment.after, segment.head, &segment.checkpoints, Some(key));
        let begins_well = segment.after == 0
            || segment.checkpoints.iter().any(|c| c.length == segment.after && c.is_signed_by(key));
        if !begins_well
            || (segment.after == 0 && segment.head != parapet_core::ledger::beginning(&segment.chain))
        {
            report
                .findings
                .push(Finding::Row(Fault::Forged { chain: segment.chain.clone(), length: segment.after }));
        }
        for line in BufReader::new(zip.by_name(&format!("{}.jsonl", segment.chain))?).lines() {
            let Line { position, subject, leaf, link, record } =
                serde_json::from_str(&line?).map_err(io::Error::from)?;
            // What is not about the chosen incidents is known by its leaf alone.
            let found = record.as_ref().map_or(Some(leaf), parapet_core::ledger::Record::leaf);
            walk.step(&ChainRow { position, subject, leaf, link, found });
            if let Some(record) = &record {
                told.hear(record);
                files.extend(Registered::of(record));
            }
        }
        take(&mut report, walk, None);
    }
    files.sort_by(|a, b| a.sha256.cmp(&b.sha256));
    for file in files {
        let name = format!("evidence/{}", file.sha256);
        match zip.by_name(&name) {
            Ok(content) => {
                let found = hash_of(content)?;
                compare(&mut report, &file.path, name, &file.sha256, found);
            }
            Err(zip::result::ZipError::FileNotFound) => absent.push(file),
            Err(error) => return Err(error.into()),
        }
    }
    // That a file was let go later is not in here; what is missing, the archive says itself.
    told.kept.clear();
    explain(&mut report, &told, absent);
    Ok(report)
}
