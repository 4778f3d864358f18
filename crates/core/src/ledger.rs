//! What makes later changes visible: chains of hashes over rows, and checkpoints that are signed.
//!
//! Each row of a chain has a leaf, the hash of all that it says, and a link, the hash of the link before and the leaf. So
//! the last link hangs on every byte of every row. A [`Checkpoint`] signs a length and its link: after it, nobody without
//! the key can write the chain anew. [`Walk`] goes along a chain and names what does not fit. No I/O, no clock.

use std::{collections::BTreeMap, fmt, str::FromStr};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Language, Timestamp};

/// A SHA-256; lower-case hex as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The hash that these bytes are, if there are 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Text that is no hash, key or signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not lower-case hex of the right length")]
pub struct InvalidHex(String);

fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], InvalidHex> {
    let wrong = || InvalidHex(text.chars().take(80).collect());
    let mut bytes = [0; N];
    if text.len() != 2 * N || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(wrong());
    }
    hex::decode_to_slice(text, &mut bytes).map_err(|_| wrong())?;
    Ok(bytes)
}

macro_rules! hex_text {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), hex::encode(self.0))
            }
        }
        impl FromStr for $name {
            type Err = InvalidHex;
            fn from_str(text: &str) -> Result<Self, InvalidHex> {
                from_hex(text).map(Self)
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidHex;
            fn try_from(text: String) -> Result<Self, InvalidHex> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )+};
}

/// The public half of the key that signs checkpoints; hex as text.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(pub [u8; 32]);

/// An Ed25519 signature; hex as text.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignatureBytes(pub [u8; 64]);

hex_text!(Hash, PublicKey, SignatureBytes);

/// The key that signs checkpoints. Never printed.
#[derive(Clone)]
pub struct LedgerKey(SigningKey);

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerKey({})", self.public())
    }
}

impl LedgerKey {
    /// The key that grows from these random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }
}

/// Builds the leaf of a row: each value with its type and length, so that no two rows give the same bytes. The form is
/// version 1; another form gets another number, for old chains must be checked for ever.
#[derive(Debug, Clone)]
pub struct Leaf {
    hash: Sha256,
    record: Option<Record>,
}

/// What a row says, value by value, so that its leaf can be computed anew far from the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The kind of row.
    pub kind: String,
    /// Its values, in the order of the leaf.
    pub values: Vec<Value>,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A text, or none.
    Text(Option<String>),
    /// A whole number.
    Integer(i64),
    /// Bytes, in hex.
    Bytes(String),
}

impl Record {
    /// The leaf of the row; `None` if bytes in it are no hex.
    pub fn leaf(&self) -> Option<Hash> {
        let mut leaf = Leaf::new(&self.kind);
        for value in &self.values {
            leaf = match value {
                Value::Text(text) => leaf.text(text.as_deref()),
                Value::Integer(number) => leaf.integer(*number),
                Value::Bytes(hex) => leaf.bytes(&hex::decode(hex).ok()?),
            };
        }
        Some(leaf.finish())
    }
}

impl Leaf {
    /// The leaf of a row of this kind.
    pub fn new(kind: &str) -> Self {
        let leaf = Self { hash: Sha256::new().chain_update("parapet leaf 1\n"), record: None };
        leaf.value(b't', kind.as_bytes())
    }

    /// The same, and keeps what is added.
    pub fn recording(kind: &str) -> Self {
        Self { record: Some(Record { kind: kind.to_owned(), values: Vec::new() }), ..Self::new(kind) }
    }

    fn keep(mut self, value: impl FnOnce() -> Value) -> Self {
        if let Some(record) = &mut self.record {
            record.values.push(value());
        }
        self
    }

    /// Adds a text, or that there is none.
    #[must_use]
    pub fn text(self, text: Option<&str>) -> Self {
        let this = self.keep(|| Value::Text(text.map(str::to_owned)));
        match text {
            Some(text) => this.value(b't', text.as_bytes()),
            None => this.value(b'n', &[]),
        }
    }

    /// Adds a whole number.
    #[must_use]
    pub fn integer(self, number: i64) -> Self {
        self.keep(|| Value::Integer(number)).value(b'i', &number.to_be_bytes())
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.keep(|| Value::Bytes(hex::encode(bytes))).value(b'b', bytes)
    }

    fn value(mut self, tag: u8, bytes: &[u8]) -> Self {
        self.hash.update([tag]);
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
        self
    }

    /// The leaf.
    pub fn finish(self) -> Hash {
        self.finish_recorded().0
    }

    /// The leaf, and what was kept.
    pub fn finish_recorded(self) -> (Hash, Option<Record>) {
        (Hash(self.hash.finalize().into()), self.record)
    }
}

/// The link before the first row of a chain.
pub fn beginning(chain: &str) -> Hash {
    Hash(Sha256::new().chain_update("parapet chain 1\n").chain_update(chain).finalize().into())
}

/// The link of a row after `previous`.
pub fn link(previous: Hash, leaf: Hash) -> Hash {
    Hash(Sha256::new().chain_update(previous.0).chain_update(leaf.0).finalize().into())
}

/// A signed word on how long a chain was and which link it had there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The chain.
    pub chain: String,
    /// Rows up to here.
    pub length: u64,
    /// The link of the last of them.
    pub head: Hash,
    /// When it was signed, in whole microseconds.
    pub at: Timestamp,
    /// Who signed it.
    pub key: PublicKey,
    /// Over all of the above.
    pub signature: SignatureBytes,
}

impl Checkpoint {
    /// Signs.
    pub fn sign(key: &LedgerKey, chain: &str, length: u64, head: Hash, at: Timestamp) -> Self {
        let text = signed_text(chain, length, head, at);
        let signature = SignatureBytes(key.0.sign(text.as_bytes()).to_bytes());
        Self { chain: chain.to_owned(), length, head, at, key: key.public(), signature }
    }

    /// Whether this key has signed it.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let text = signed_text(&self.chain, self.length, self.head, self.at);
        let signature = Signature::from_bytes(&self.signature.0);
        self.key == *key
            && VerifyingKey::from_bytes(&key.0)
                .is_ok_and(|key| key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

fn signed_text(chain: &str, length: u64, head: Hash, at: Timestamp) -> String {
    format!("parapet checkpoint 1\n{chain}\n{length}\n{head}\n{}\n", at.as_microsecond())
}

/// A row of a chain as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainRow {
    /// Its number in the chain, from 1.
    pub position: u64,
    /// What it is about, for people (`event 1f0c…`).
    pub subject: String,
    /// The leaf that was recorded for it.
    pub leaf: Hash,
    /// Its link.
    pub link: Hash,
    /// The leaf of what is there now; `None` if it is gone.
    pub found: Option<Hash>,
}

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// What a row says is not what was recorded.
    Changed {
        /// The chain.
        chain: String,
        /// The row.
        position: u64,
        /// What it is about.
        subject: String,
        /// The leaf that was recorded.
        expected: Hash,
        /// The leaf of what is there.
        found: Hash,
    },
    /// What a row is about is not there any more.
    Gone {
        /// The chain.
        chain: String,
        /// The row.
        position: u64,
        /// What it was about.
        subject: String,
        /// The leaf that was recorded.
        expected: Hash,
    },
    /// The hashes themselves were changed, at this row or just before.
    Broken {
        /// The chain.
        chain: String,
        /// The row.
        position: u64,
        /// What it is about.
        subject: String,
        /// The link that follows from the row before.
        expected: Hash,
        /// The link that is there.
        found: Hash,
    },
    /// Rows were removed.
    Removed {
        /// The chain.
        chain: String,
        /// The last row before them.
        after: u64,
        /// How many.
        count: u64,
    },
    /// Rows were put in that the chain does not know.
    Added {
        /// The chain.
        chain: String,
        /// What it is about.
        subject: String,
    },
    /// A checkpoint says something else: all after the one before it may have been written anew.
    Rewritten {
        /// The chain.
        chain: String,
        /// The last row that is certain.
        after: u64,
        /// The row of the checkpoint.
        until: u64,
        /// The link that was signed.
        expected: Hash,
        /// The link that is there.
        found: Hash,
    },
    /// A checkpoint is not signed by the key.
    Forged {
        /// The chain.
        chain: String,
        /// Its row.
        length: u64,
    },
}

impl Fault {
    /// What it is, for people.
    pub fn text(&self, language: Language) -> String {
        let zh = language == Language::ZhCn;
        match self {
            Self::Changed { chain, position, subject, expected, found } if zh => {
                format!("被修改：{chain} 第 {position} 行（{subject}）；登记值 {expected}，现为 {found}")
            }
            Self::Changed { chain, position, subject, expected, found } => {
                format!("changed: {chain} row {position} ({subject}): expected {expected}, found {found}")
            }
            Self::Gone { chain, position, subject, expected } if zh => {
                format!("内容缺失：{chain} 第 {position} 行（{subject}）；登记值 {expected}")
            }
            Self::Gone { chain, position, subject, expected } => {
                format!("content gone: {chain} row {position} ({subject}): expected {expected}")
            }
            Self::Broken { chain, position, subject, expected, found } if zh => {
                format!(
                    "链断裂：{chain} 第 {position} 行或其前一行（{subject}）；应为 {expected}，现为 {found}"
                )
            }
            Self::Broken { chain, position, subject, expected, found } => format!(
                "chain broken: {chain} row {position} or the one before it ({subject}): expected {expected}, found {found}"
            ),
            Self::Removed { chain, after, count } if zh => {
                format!("被删除：{chain} 第 {after} 行之后缺少 {count} 行")
            }
            Self::Removed { chain, after, count } => {
                format!("removed: {count} rows of {chain} after row {after}")
            }
            Self::Added { chain, subject } if zh => format!("被添加：{chain} 中未登记的行（{subject}）"),
            Self::Added { chain, subject } => format!("added: a row that {chain} does not know ({subject})"),
            Self::Rewritten { chain, after, until, expected, found } if zh => format!(
                "被重写：{chain} 第 {after} 行之后至第 {until} 行与签名检查点不符；签名值 {expected}，现为 {found}"
            ),
            Self::Rewritten { chain, after, until, expected, found } => format!(
                "rewritten: {chain} after row {after} up to row {until} is not what the checkpoint signed: expected {expected}, found {found}"
            ),
            Self::Forged { chain, length } if zh => {
                format!("伪造：{chain} 第 {length} 行的检查点签名无效")
            }
            Self::Forged { chain, length } => {
                format!("forged: the checkpoint of {chain} at row {length} is not signed by the key")
            }
        }
    }
}

/// Goes along a chain, row by row, from its beginning or from a checkpoint.
#[derive(Debug, Clone)]
pub struct Walk {
    chain: String,
    position: u64,
    head: Hash,
    certain: u64,
    checkpoints: BTreeMap<u64, Checkpoint>,
    faults: Vec<Fault>,
}

impl Walk {
    /// A walk from the beginning. Checkpoints of other chains are left aside; those that the key has not signed are faults.
    pub fn new(chain: &str, checkpoints: &[Checkpoint], key: Option<&PublicKey>) -> Self {
        Self::from(chain, 0, beginning(chain), checkpoints, key)
    }

    /// A walk that begins after `position`, whose link is known.
    pub fn from(
        chain: &str,
        position: u64,
        head: Hash,
        checkpoints: &[Checkpoint],
        key: Option<&PublicKey>,
    ) -> Self {
        let mut walk = Self {
            chain: chain.to_owned(),
            position,
            head,
            certain: position,
            checkpoints: BTreeMap::new(),
            faults: Vec::new(),
        };
        for checkpoint in checkpoints.iter().filter(|checkpoint| checkpoint.chain == chain) {
            let genuine = checkpoint.is_signed_by(key.unwrap_or(&checkpoint.key));
            let known = walk.checkpoints.get(&checkpoint.length);
            if !genuine {
                let forged = Fault::Forged { chain: chain.to_owned(), length: checkpoint.length };
                if !walk.faults.contains(&forged) {
                    walk.faults.push(forged);
                }
            } else if known.is_none_or(|known| known.at > checkpoint.at) {
                // Of two words on one length, the earlier counts.
                walk.checkpoints.insert(checkpoint.length, checkpoint.clone());
            }
        }
        if let Some(checkpoint) = walk.checkpoints.get(&position).filter(|c| c.head != head) {
            let (expected, chain) = (checkpoint.head, chain.to_owned());
            walk.faults.push(Fault::Rewritten { chain, after: 0, until: position, expected, found: head });
        }
        walk
    }

    /// Takes the next row.
    pub fn step(&mut self, row: &ChainRow) {
        let chain = || self.chain.clone();
        if row.position <= self.position {
            self.faults.push(Fault::Added { chain: chain(), subject: row.subject.clone() });
            return;
        }
        let gap = row.position - self.position - 1;
        if gap > 0 {
            self.faults.push(Fault::Removed { chain: chain(), after: self.position, count: gap });
        }
        match row.found {
            Some(found) if found != row.leaf => self.faults.push(Fault::Changed {
                chain: chain(),
                position: row.position,
                subject: row.subject.clone(),
                expected: row.leaf,
                found,
            }),
            Some(_) => {}
            None => self.faults.push(Fault::Gone {
                chain: chain(),
                position: row.position,
                subject: row.subject.clone(),
                expected: row.leaf,
            }),
        }
        let expected = link(self.head, row.leaf);
        if gap == 0 && expected != row.link {
            self.faults.push(Fault::Broken {
                chain: chain(),
                position: row.position,
                subject: row.subject.clone(),
                expected,
                found: row.link,
            });
        }
        (self.position, self.head) = (row.position, row.link);
        if let Some(checkpoint) = self.checkpoints.get(&row.position) {
            if checkpoint.head != row.link {
                self.faults.push(Fault::Rewritten {
                    chain: chain(),
                    after: self.certain,
                    until: row.position,
                    expected: checkpoint.head,
                    found: row.link,
                });
            }
            self.certain = row.position;
        }
    }

    /// Takes a row that no row of the chain is about.
    pub fn stray(&mut self, subject: String) {
        self.faults.push(Fault::Added { chain: self.chain.clone(), subject });
    }

    /// The end of the chain, which by its own word, if that is known, has `length` rows. All that was found.
    pub fn finish(mut self, length: Option<u64>) -> Walked {
        let last = self.checkpoints.keys().next_back().copied().unwrap_or(0).max(length.unwrap_or(0));
        if last > self.position {
            let count = last - self.position;
            self.faults.push(Fault::Removed { chain: self.chain.clone(), after: self.position, count });
        }
        Walked {
            chain: self.chain,
            length: self.position,
            head: self.head,
            certain: self.certain,
            checkpoints: self.checkpoints.len() as u64,
            faults: self.faults,
        }
    }
}

/// What a walk has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// The chain.
    pub chain: String,
    /// Rows.
    pub length: u64,
    /// The last link.
    pub head: Hash,
    /// Rows up to the last checkpoint: after it, rows could have been removed by somebody who writes all tables.
    pub certain: u64,
    /// Checkpoints with a good signature.
    pub checkpoints: u64,
    /// What is not as it was.
    pub faults: Vec<Fault>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_312_800 + second).unwrap()
    }

    fn rows(count: u64) -> Vec<ChainRow> {
        let mut head = beginning("ledger");
        (1..=count)
            .map(|position| {
                let leaf = Leaf::new("event").integer(position.cast_signed()).finish();
                head = link(head, leaf);
                let subject = format!("event {position}");
                ChainRow { position, subject, leaf, link: head, found: Some(leaf) }
            })
            .collect()
    }

    fn key() -> LedgerKey {
        LedgerKey::from_seed(&[7; 32])
    }

    fn checkpoint(rows: &[ChainRow], length: usize) -> Checkpoint {
        Checkpoint::sign(&key(), "ledger", length as u64, rows[length - 1].link, at(30))
    }

    fn walk(rows: &[ChainRow], checkpoints: &[Checkpoint], length: Option<u64>) -> Vec<Fault> {
        let mut walk = Walk::new("ledger", checkpoints, Some(&key().public()));
        for row in rows {
            walk.step(row);
        }
        walk.finish(length).faults
    }

    #[test]
    fn an_untouched_chain_has_no_fault() {
        let rows = rows(20);
        let checkpoints = [checkpoint(&rows, 5), checkpoint(&rows, 20)];
        assert_eq!(walk(&rows, &checkpoints, Some(20)), []);
        let mut later = Walk::from("ledger", 5, rows[4].link, &checkpoints, None);
        for row in &rows[5..] {
            later.step(row);
        }
        assert_eq!(later.finish(None).faults, []);
    }

    #[test]
    fn one_changed_byte_names_its_row() {
        let mut changed = rows(20);
        changed[6].found = Some(Leaf::new("event").integer(8).finish());
        let faults = walk(&changed, &[], None);
        assert!(matches!(&faults[..], [Fault::Changed { position: 7, subject, .. }] if subject == "event 7"));
        let mut gone = rows(20);
        gone[6].found = None;
        assert!(matches!(&walk(&gone, &[], None)[..], [Fault::Gone { position: 7, .. }]));
        // With its leaf changed, too, the links tell.
        let mut leaf = rows(20);
        leaf[6].leaf = Hash([1; 32]);
        leaf[6].found = Some(Hash([1; 32]));
        assert!(matches!(&walk(&leaf, &[], None)[..], [Fault::Broken { position: 7, .. }]));
    }

    #[test]
    fn what_was_removed_added_or_written_anew_is_named() {
        let all = rows(20);
        let checkpoints = [checkpoint(&all, 12), checkpoint(&all, 20)];
        let removed = |after, count| Fault::Removed { chain: "ledger".to_owned(), after, count };
        assert_eq!(walk(&all[..10], &checkpoints, None), [removed(10, 10)]);
        assert_eq!(walk(&all[..10], &[], Some(20)), [removed(10, 10)], "by the chain's own word");
        let mut without = all.clone();
        without.drain(3..6);
        assert_eq!(walk(&without, &checkpoints, None), [removed(3, 3)]);
        let mut twice = all.clone();
        twice.insert(4, all[3].clone());
        assert!(matches!(&walk(&twice, &checkpoints, None)[..], [Fault::Added { .. }]));
        // Somebody who can write every table makes a good chain again, but cannot sign it.
        let mut anew = rows(20);
        let mut head = anew[13].link;
        for row in &mut anew[14..] {
            row.leaf = Leaf::new("event").integer(99).finish();
            row.found = Some(row.leaf);
            head = link(head, row.leaf);
            row.link = head;
        }
        let faults = walk(&anew, &checkpoints, Some(20));
        assert!(matches!(&faults[..], [Fault::Rewritten { after: 12, until: 20, .. }]), "{faults:?}");
        for fault in faults {
            assert!(!fault.text(Language::ZhCn).is_ascii() && fault.text(Language::En).is_ascii());
        }
    }

    #[test]
    fn a_checkpoint_that_the_key_has_not_signed_is_named() {
        let all = rows(4);
        let other = LedgerKey::from_seed(&[8; 32]);
        let foreign = Checkpoint::sign(&other, "ledger", 4, all[3].link, at(0));
        let mut bent = checkpoint(&all, 3);
        bent.length = 2;
        let faults = walk(&all, &[foreign.clone(), bent], None);
        let forged = |length| Fault::Forged { chain: "ledger".to_owned(), length };
        assert_eq!(faults, [forged(4), forged(2)]);
        let text = serde_json::to_string(&foreign).unwrap();
        assert_eq!(serde_json::from_str::<Checkpoint>(&text).unwrap(), foreign);
        assert!(!format!("{other:?}").contains(&hex::encode([8; 32])));
    }

    #[test]
    fn values_are_kept_apart_in_a_leaf() {
        let of = |a: Option<&str>, b: Option<&str>| Leaf::new("x").text(a).text(b).finish();
        assert_ne!(of(Some("ab"), Some("c")), of(Some("a"), Some("bc")));
        assert_ne!(of(Some(""), None), of(None, Some("")));
        let (leaf, record) =
            Leaf::recording("x").text(Some("a")).text(None).integer(-1).bytes(&[7]).finish_recorded();
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap().leaf(), Some(leaf));
        assert_ne!(Leaf::new("x").integer(1).finish(), Leaf::new("x").bytes(&1_i64.to_be_bytes()).finish());
        // For ever: chains that were written under version 1 must be read.
        assert_eq!(link(beginning("audit"), Leaf::new("x").integer(1).finish()).to_string().len(), 64);
    }
}
