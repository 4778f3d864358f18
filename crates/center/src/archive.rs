//! An archive that proves by itself what it holds: what the store says of some incidents, their files, and the part of the
//! chains between two signed checkpoints that they stand in. [`crate::verify`] checks it without the store.

use std::{
    io::{self, Seek, Write},
    path::{Path, PathBuf},
};

use parapet_core::{
    IncidentId,
    ledger::{ChainRow, Checkpoint, Hash, PublicKey, Record, beginning},
};
use parapet_store::{Chain, Store, StoreError};
use serde::{Deserialize, Serialize};
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

use crate::{evidence::VAULT, verify::Told};

/// Name of the file that says what is in an archive.
pub(crate) const CONTENTS: &str = "archive.json";
const README: &str = "\
本压缩包由 Parapet 导出，可离线核验：parapet evidence verify 本文件 --key 公钥文件
archive.json：内容清单与签名检查点；ledger.jsonl、audit.jsonl：两个检查点之间的哈希链，
其中与所选事件有关的行附有原文；evidence/：以 SHA-256 命名的证据文件。
masked/（如有）：隐私区域打码后的图片，其原件已封存，不在包内，列于 archive.json 的 missing。
公钥请从可信渠道另行取得，不要只用压缩包内的一份。

This archive was exported by Parapet and can be checked offline: parapet evidence verify THIS.zip --key LEDGER.pub
archive.json: what is in it, and the signed checkpoints; ledger.jsonl and audit.jsonl: the chains of hashes between two
checkpoints, in which the rows about the chosen incidents hold what they say; evidence/: the files, named by SHA-256.
masked/, if there: pictures with what is private as a mosaic, by the SHA-256 of their originals, which are sealed: they are
not in here, and archive.json lists them as missing.
Get the public key from somewhere that you trust; the one in here proves nothing by itself.
";

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store failed.
    #[error("cannot read the store")]
    Store(#[from] StoreError),
    /// The archive cannot be written.
    #[error("cannot write the archive")]
    Write(#[from] io::Error),
    /// The archive cannot be put together or read.
    #[error("cannot use the archive; hint: is it a whole file?")]
    Zip(#[from] ZipError),
    /// A row is not signed yet.
    #[error(
        "row {position} of the {chain} is not signed yet; hint: a running center signs within a minute, and when it ends"
    )]
    Unsigned {
        /// The chain.
        chain: &'static str,
        /// The row.
        position: u64,
    },
    /// There is nothing to export.
    #[error("the store knows nothing of incident {0}; hint: its id is on its page")]
    Unknown(IncidentId),
}

/// What goes into an archive.
#[derive(Debug, Clone)]
pub enum Selection {
    /// These incidents.
    Incidents(Vec<IncidentId>),
    /// Everything up to the last checkpoints.
    All,
}

/// What is in an archive.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Contents {
    /// Form of the archive.
    pub(crate) version: u32,
    /// The incidents; empty: all.
    pub(crate) incidents: Vec<IncidentId>,
    /// Who signed.
    pub(crate) key: PublicKey,
    /// The parts of the chains.
    pub(crate) segments: Vec<Segment>,
    /// Files that were registered and of which the center had no copy, or that are sealed for who asked for the archive.
    pub(crate) missing: Vec<String>,
}

/// A part of a chain.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Segment {
    /// The chain; its rows are in `CHAIN.jsonl`.
    pub(crate) chain: String,
    /// It begins after this row.
    pub(crate) after: u64,
    /// The link there.
    pub(crate) head: Hash,
    /// Signed words on its beginning (unless that is the chain's), its end and what lies between.
    pub(crate) checkpoints: Vec<Checkpoint>,
}

/// A line of a part of a chain.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) position: u64,
    pub(crate) subject: String,
    pub(crate) leaf: Hash,
    pub(crate) link: Hash,
    /// What the row says, if it is about what was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<Record>,
}

/// Writes an archive; how many files of evidence are in it. `evidence` are directories with copies of files.
///
/// # Errors
/// See [`ArchiveError`]; what was written so far is no archive.
pub async fn write_archive(
    store: &Store,
    selection: &Selection,
    evidence: &[PathBuf],
    out: impl Write + Seek,
) -> Result<u64, ArchiveError> {
    write_archive_without(store, selection, evidence, &|_| false, out).await
}

/// The same without the files that are sealed for its reader: they count as missing.
pub(crate) async fn write_archive_without(
    store: &Store,
    selection: &Selection,
    evidence: &[PathBuf],
    sealed: &(dyn Fn(&Registered) -> bool + Sync),
    out: impl Write + Seek,
) -> Result<u64, ArchiveError> {
    let mut zip = ZipWriter::new(out);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    zip.start_file("README.txt", options)?;
    zip.write_all(README.as_bytes())?;
    let all = store.checkpoints().await?;
    let key = all.last().map_or(PublicKey([0; 32]), |checkpoint| checkpoint.key);
    let mut contents = Contents {
        version: 1,
        incidents: match selection {
            Selection::Incidents(ids) => ids.clone(),
            Selection::All => Vec::new(),
        },
        key,
        segments: Vec::new(),
        missing: Vec::new(),
    };
    let (mut files, mut told) = (Vec::new(), Told::default());
    for chain in Chain::ALL {
        let wanted = match selection {
            Selection::All => None,
            Selection::Incidents(ids) => {
                let mut positions = Vec::new();
                for id in ids {
                    let of_it = store.positions_of(chain, *id).await?;
                    if of_it.is_empty() && chain == Chain::Ledger {
                        return Err(ArchiveError::Unknown(*id));
                    }
                    positions.extend(of_it);
                }
                positions.sort_unstable();
                Some(positions)
            }
        };
        let signed: Vec<&Checkpoint> = all.iter().filter(|c| c.chain == chain.as_str()).collect();
        let Some((segment, until)) = segment(chain, wanted.as_deref(), &signed)? else { continue };
        zip.start_file(format!("{}.jsonl", chain.as_str()), options)?;
        let mut after = segment.after;
        'rows: loop {
            let rows = store.chain_rows(chain, after, 500).await?;
            if rows.is_empty() {
                break;
            }
            for (row, record) in rows {
                if row.position > until {
                    break 'rows;
                }
                after = row.position;
                let is_wanted =
                    wanted.as_ref().is_none_or(|wanted| wanted.binary_search(&row.position).is_ok());
                let record = record.filter(|_| is_wanted);
                if let Some(record) = &record {
                    told.hear(record);
                    files.extend(Registered::of(record));
                }
                let ChainRow { position, subject, leaf, link, .. } = row;
                serde_json::to_writer(&mut zip, &Line { position, subject, leaf, link, record })
                    .map_err(io::Error::from)?;
                zip.write_all(b"\n")?;
            }
        }
        contents.segments.push(segment);
    }
    let mut written = std::collections::BTreeSet::new();
    for file in files {
        // A node may still have what two people have deleted here.
        let kept_back = told.deletion(&file).is_some() || sealed(&file);
        match copy_of(evidence, &file.path, &file.sha256).filter(|_| !kept_back) {
            Some(_) if written.contains(&file.sha256) => {}
            Some(copy) => {
                zip.start_file(format!("evidence/{}", file.sha256), options)?;
                io::copy(&mut std::fs::File::open(copy)?, &mut zip)?;
                written.insert(file.sha256);
            }
            None => contents.missing.push(file.path),
        }
    }
    zip.start_file(CONTENTS, options)?;
    serde_json::to_writer_pretty(&mut zip, &contents).map_err(io::Error::from)?;
    zip.finish()?.flush()?;
    Ok(written.len() as u64)
}

/// The part of a chain between the last checkpoint before what is wanted and the first one after it, and where it ends.
fn segment(
    chain: Chain,
    wanted: Option<&[u64]>,
    signed: &[&Checkpoint],
) -> Result<Option<(Segment, u64)>, ArchiveError> {
    let (first, last) = match wanted {
        None => match signed.last() {
            Some(last) => (1, last.length),
            None => return Ok(None),
        },
        Some(positions) => match (positions.first(), positions.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => return Ok(None),
        },
    };
    let before = signed.iter().rfind(|checkpoint| checkpoint.length < first);
    let after = before.map_or(0, |checkpoint| checkpoint.length);
    let end = signed.iter().find(|checkpoint| checkpoint.length >= last);
    let end = end.ok_or(ArchiveError::Unsigned { chain: chain.as_str(), position: last })?.length;
    let checkpoints = signed.iter().filter(|c| (after..=end).contains(&c.length));
    let segment = Segment {
        chain: chain.as_str().to_owned(),
        after,
        head: before.map_or_else(|| beginning(chain.as_str()), |checkpoint| checkpoint.head),
        checkpoints: checkpoints.map(|checkpoint| (*checkpoint).clone()).collect(),
    };
    Ok(Some((segment, end)))
}

/// The file that a row of evidence registers.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    /// The incident's id, in hex.
    pub(crate) incident: String,
    /// Its path at the node.
    pub(crate) path: String,
    /// Its hash, in hex.
    pub(crate) sha256: String,
}

impl Registered {
    pub(crate) fn of(record: &Record) -> Option<Self> {
        use parapet_core::ledger::Value::{Bytes, Text};
        match (record.kind.as_str(), record.values.as_slice()) {
            ("evidence", [Bytes(incident), Text(_), Text(Some(path)), Text(_), Text(Some(sha256)), ..]) => {
                Some(Self { incident: incident.clone(), path: path.clone(), sha256: sha256.clone() })
            }
            _ => None,
        }
    }
}

/// A copy of a file of evidence: by its hash, as the center keeps it (in the vault or not), or by its path, as a node does.
pub(crate) fn copy_of(evidence: &[PathBuf], path: &str, sha256: &str) -> Option<PathBuf> {
    let climbs = path.split('/').any(|part| part.is_empty() || part == "." || part == "..");
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
    let candidates = |directory: &PathBuf| {
        let below = |directory: &Path| directory.join(&sha256[..2]).join(sha256);
        let kept = is_hash.then(|| below(&directory.join(VAULT)));
        let by_hash = is_hash.then(|| below(directory));
        let by_path = (!climbs).then(|| directory.join(Path::new(path)));
        [kept, by_hash, by_path]
    };
    evidence.iter().flat_map(candidates).flatten().find(|copy| copy.is_file())
}
