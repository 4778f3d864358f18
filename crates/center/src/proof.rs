//! Signs how long the chains of the store are, again and again: into the store, and into a file beside it, so that rows
//! cannot be removed together with what says that they were there.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use parapet_core::{
    Clock,
    ledger::{Checkpoint, LedgerKey, PublicKey},
};
use parapet_store::{Chain, Store, StoreError};
use tracing::{error, info};

use crate::people::{random, write_secret};

/// The key that signs, in hex; its owner alone may read it.
const KEY: &str = "ledger.key";
/// Its public half, in hex: to be kept elsewhere, for whoever checks.
const PUBLIC_KEY: &str = "ledger.pub";
/// Checkpoints, one a line, as JSON.
const CHECKPOINTS: &str = "checkpoints.jsonl";
/// At the latest after this time what is new is signed.
const EVERY: Duration = Duration::from_mins(1);
/// How often it is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// So many rows are signed at once.
const ROWS: u64 = 1_000;

/// Why nothing can be signed.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// A file cannot be used.
    #[error("cannot use {}; hint: check who may read and write there", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The key's file holds no key.
    #[error("{} holds no key; hint: 64 hexadecimal digits, from a backup; a new key cannot vouch for what the old one signed", path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The store failed.
    #[error("cannot read the chains of the store")]
    Store(#[from] StoreError),
}

/// Signs checkpoints.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    store: Store,
    clock: Arc<dyn Clock>,
    key: LedgerKey,
    file: PathBuf,
    signed: Arc<Mutex<[Signed; 2]>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Signed {
    length: u64,
    at: Duration,
}

impl Keeper {
    /// Reads the key, or makes one at the first start, and looks whether the chains still hold what was signed last: if
    /// not, it says so loudly and goes on, for the incidents of today must not wait for the ones of yesterday.
    pub(crate) async fn open(store: Store, clock: Arc<dyn Clock>, data: &Path) -> Result<Self, ProofError> {
        let key = key(data)?;
        let file = data.join(CHECKPOINTS);
        let keeper = Self { store, clock, key, file, signed: Arc::default() };
        let mut latest: [Option<Checkpoint>; 2] = [None, None];
        for checkpoint in keeper.kept()? {
            for (chain, latest) in Chain::ALL.iter().zip(&mut latest) {
                if checkpoint.chain == chain.as_str() {
                    *latest = Some(checkpoint.clone());
                }
            }
        }
        let now = keeper.clock.monotonic();
        for (n, chain) in Chain::ALL.into_iter().enumerate() {
            let Some(checkpoint) = latest[n].take() else { continue };
            let link = match checkpoint.length {
                0 => None,
                length => keeper.store.link_at(chain, length).await?,
            };
            if checkpoint.length > 0 && link != Some(checkpoint.head) {
                error!(
                    chain = chain.as_str(), row = checkpoint.length, signed_at = %checkpoint.at,
                    "the store does not hold what was signed; hint: parapet evidence verify names what was changed"
                );
            }
            keeper.signed.lock().unwrap_or_else(PoisonError::into_inner)[n] =
                Signed { length: checkpoint.length, at: now };
        }
        Ok(keeper)
    }

    /// Who signs.
    pub(crate) fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    /// Signs what is due: a chain that is much longer than at its last checkpoint, or longer at all and some time after it.
    /// With `all`, everything that is new.
    pub(crate) async fn sign(&self, all: bool) -> Result<(), ProofError> {
        for (n, chain) in Chain::ALL.into_iter().enumerate() {
            let state = self.store.chain(chain).await?;
            let now = self.clock.monotonic();
            let last = self.signed.lock().unwrap_or_else(PoisonError::into_inner)[n];
            let new = state.length.saturating_sub(last.length);
            let due = all || new >= ROWS || now.saturating_sub(last.at) >= EVERY;
            if new == 0 || !due {
                continue;
            }
            let at = self.clock.now();
            let checkpoint = Checkpoint::sign(&self.key, chain.as_str(), state.length, state.head, at);
            // The file first: it is what the store is measured by.
            append(&self.file, &checkpoint)
                .map_err(|source| ProofError::File { path: self.file.clone(), source })?;
            self.store.put_checkpoint(&checkpoint).await?;
            self.signed.lock().unwrap_or_else(PoisonError::into_inner)[n] =
                Signed { length: state.length, at: now };
        }
        Ok(())
    }

    /// Signs what is due, until it is dropped.
    pub(crate) async fn run(self) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            if let Err(error) = self.sign(false).await {
                error!(error = &error as &dyn std::error::Error, "cannot sign a checkpoint");
            }
        }
    }

    /// The checkpoints of the file, oldest first.
    fn kept(&self) -> Result<Vec<Checkpoint>, ProofError> {
        let text = match fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(ProofError::File { path: self.file.clone(), source }),
        };
        // A line that broke off in a power cut is no checkpoint; verifying tells of it.
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

fn append(file: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
    let mut line = serde_json::to_vec(checkpoint)?;
    line.push(b'\n');
    let mut file = fs::OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(&line)?;
    file.sync_data()
}

fn key(data: &Path) -> Result<LedgerKey, ProofError> {
    let path = data.join(KEY);
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| ProofError::File { path, source }
    };
    let key = match fs::read_to_string(&path) {
        Ok(text) => {
            let mut seed = [0; 32];
            hex::decode_to_slice(text.trim(), &mut seed)
                .map_err(|_| ProofError::Key { path: path.clone() })?;
            LedgerKey::from_seed(&seed)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let seed = random::<32>();
            write_secret(&path, format!("{}\n", hex::encode(seed)).as_bytes()).map_err(fail(&path))?;
            info!(key = %path.display(), "made the key that signs checkpoints; hint: keep ledger.pub elsewhere, too");
            LedgerKey::from_seed(&seed)
        }
        Err(source) => return Err(fail(&path)(source)),
    };
    let public = data.join(PUBLIC_KEY);
    if !public.exists() {
        fs::write(&public, format!("{}\n", key.public())).map_err(fail(&public))?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use parapet_core::ManualClock;
    use parapet_store::AuditEntry;

    use super::*;

    async fn deeds(store: &Store, count: usize) {
        for n in 0..count {
            let entry = AuditEntry {
                at: "2026-11-22T00:00:00Z".parse().unwrap(),
                actor: "li".to_owned(),
                action: "test".to_owned(),
                subject_kind: "test".to_owned(),
                subject_id: n.to_string(),
                detail: serde_json::json!({}),
            };
            store.record_audit(&entry).await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_new_is_signed_after_a_minute_and_at_the_end() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite::memory:").await.unwrap();
        let clock = ManualClock::new("2026-11-22T00:00:00Z".parse().unwrap());
        clock.advance(EVERY);
        let open = || Keeper::open(store.clone(), Arc::new(clock.clone()), directory.path());
        let keeper = open().await.unwrap();
        let mode = fs::metadata(directory.path().join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        keeper.sign(false).await.unwrap();
        assert!(store.checkpoints().await.unwrap().is_empty(), "nothing to sign");
        deeds(&store, 3).await;
        keeper.sign(false).await.unwrap();
        deeds(&store, 2).await;
        keeper.sign(false).await.unwrap();
        let lengths = async || -> Vec<u64> {
            store.checkpoints().await.unwrap().iter().map(|checkpoint| checkpoint.length).collect()
        };
        assert_eq!(lengths().await, [3], "not yet");
        clock.advance(EVERY);
        keeper.sign(false).await.unwrap();
        deeds(&store, 1).await;
        keeper.sign(true).await.unwrap();
        assert_eq!(lengths().await, [3, 5, 6]);

        let again = open().await.unwrap();
        assert_eq!(again.public_key(), keeper.public_key());
        again.sign(true).await.unwrap();
        assert_eq!(lengths().await, [3, 5, 6]);
        assert_eq!(again.kept().unwrap(), store.checkpoints().await.unwrap());
        assert!(again.kept().unwrap().iter().all(|c| c.is_signed_by(&keeper.public_key())));
        fs::write(directory.path().join(KEY), "no key").unwrap();
        assert!(open().await.unwrap_err().to_string().contains("hint:"));
    }
}
