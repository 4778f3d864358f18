//! Copies of evidence, named by their hash. A file is fetched from its node once, checked against the size and hash that
//! were registered when it was made, and only then shown; the longest unused copies go when the room is used up. What must
//! stay lies in the vault, where nothing makes room; what two people have deleted is neither fetched nor shown.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use image::{ImageFormat, imageops::FilterType};
use parapet_core::{BBox, EvidenceItem, EvidenceRole, part_of};
use parapet_store::{Deleted, StoredEvidence};
use sha2::{Digest, Sha256};
use tokio::{fs, io::AsyncWriteExt, sync::Mutex};
use tracing::{debug, warn};

use crate::{
    blur::{blurred, masked},
    node::{NodeClient, NodeError},
    privacy::Sight,
    verify::hash_of,
};

/// Why evidence cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvidenceError {
    #[error("the node has deleted the file")]
    Gone,
    #[error("it was deleted by {} and {}", .0.asked_by, .0.approved_by)]
    Deleted(Deleted),
    #[error("{path} does not match what was registered: {what}")]
    Mismatch { path: String, what: &'static str },
    #[error("the file cannot be had from its node")]
    Unreachable(#[source] Option<NodeError>),
    #[error("cannot keep a copy in {}; hint: check the disk", path.display())]
    Cache {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Width and height of a thumbnail: twice what a list shows, for sharp screens.
const THUMBNAIL: (u32, u32) = (256, 144);

/// Below the directory of copies: what must stay.
pub(crate) const VAULT: &str = "vault";
/// What is made out of a picture, beside it.
const BLURRED: &str = ".blurred";
const SMALL: &str = ".thumb.jpg";

#[derive(Debug)]
pub(crate) struct EvidenceCache {
    directory: PathBuf,
    room: u64,
    used: AtomicU64,
    client: NodeClient,
    /// One fetch for each file, however many pages ask for it at once.
    fetching: std::sync::Mutex<HashMap<String, Weak<Mutex<()>>>>,
}

impl EvidenceCache {
    pub(crate) fn open(directory: PathBuf, room: u64, client: NodeClient) -> Result<Self, EvidenceError> {
        std::fs::create_dir_all(&directory)
            .map_err(|source| EvidenceError::Cache { path: directory.clone(), source })?;
        let used = files(&directory).iter().map(|file| file.bytes).sum();
        Ok(Self {
            directory,
            room,
            used: AtomicU64::new(used),
            client,
            fetching: std::sync::Mutex::default(),
        })
    }

    /// Where the copies are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The copy of a file, fetched and checked if it is not there yet.
    pub(crate) async fn copy(&self, stored: &StoredEvidence) -> Result<PathBuf, EvidenceError> {
        usable(stored)?;
        let lock = self.lock(&stored.item.sha256);
        let _turn = lock.lock().await;
        self.copy_alone(stored).await
    }

    /// The same for who has the file's lock.
    async fn copy_alone(&self, stored: &StoredEvidence) -> Result<PathBuf, EvidenceError> {
        let item = &stored.item;
        let (path, kept) = (self.path(&item.sha256, ""), self.kept_path(&item.sha256));
        let is_there =
            async |path: &Path| fs::metadata(path).await.is_ok_and(|meta| meta.len() == item.bytes);
        if is_there(&kept).await {
            return Ok(kept);
        }
        if is_there(&path).await {
            touch(&path).await;
            return Ok(path);
        }
        self.fetch(item, stored.base_url.as_deref(), &path).await?;
        self.make_room(item.bytes, &path).await;
        Ok(path)
    }

    /// Whether there is a copy already.
    pub(crate) fn has(&self, stored: &StoredEvidence) -> bool {
        let sha256 = &stored.item.sha256;
        is_hash(sha256) && (self.kept_path(sha256).is_file() || self.path(sha256, "").is_file())
    }

    /// Moves a file into the vault, fetched if there is no copy yet, and checked once more.
    pub(crate) async fn keep(&self, stored: &StoredEvidence) -> Result<(), EvidenceError> {
        usable(stored)?;
        let item = &stored.item;
        let lock = self.lock(&item.sha256);
        let _turn = lock.lock().await;
        let kept = self.kept_path(&item.sha256);
        let cache = |source| EvidenceError::Cache { path: kept.clone(), source };
        for _ in 0..2 {
            let copy = self.copy_alone(stored).await?;
            if copy == kept {
                return Ok(());
            }
            let (of, wanted) = (copy.clone(), item.sha256.clone());
            let checked = tokio::task::spawn_blocking(move || {
                Ok::<_, io::Error>(hash_of(std::fs::File::open(of)?)? == wanted)
            });
            let is_right = checked.await.map_err(|panic| cache(io::Error::other(panic)))?.map_err(cache)?;
            if is_right {
                if let Some(parent) = kept.parent() {
                    fs::create_dir_all(parent).await.map_err(cache)?;
                }
                fs::rename(&copy, &kept).await.map_err(cache)?;
                self.take_off(item.bytes);
                return Ok(());
            }
            // It was damaged where it lay: the node may have a better one.
            fs::remove_file(&copy).await.map_err(cache)?;
            self.take_off(item.bytes);
        }
        Err(EvidenceError::Mismatch { path: item.path.clone(), what: "its hash is another" })
    }

    /// Moves a file from the vault back among the copies, which go when room is needed.
    pub(crate) async fn let_go(&self, sha256: &str) -> Result<(), EvidenceError> {
        let (kept, path) = (self.kept_path(sha256), self.path(sha256, ""));
        let lock = self.lock(sha256);
        let _turn = lock.lock().await;
        let cache = |source| EvidenceError::Cache { path: path.clone(), source };
        let bytes = match fs::metadata(&kept).await {
            Ok(meta) => meta.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(cache(source)),
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).await.map_err(cache)?;
        }
        fs::rename(&kept, &path).await.map_err(cache)?;
        self.make_room(bytes, &path).await;
        Ok(())
    }

    /// Deletes all copies of a file and what was made out of them.
    pub(crate) async fn delete(&self, sha256: &str) -> Result<(), EvidenceError> {
        if !is_hash(sha256) {
            return Ok(());
        }
        let lock = self.lock(sha256);
        let _turn = lock.lock().await;
        let copies = self.copies(sha256).await.into_iter().map(|path| (path, true));
        for (path, counts) in copies.chain([(self.kept_path(sha256), false)]) {
            let bytes = fs::metadata(&path).await.map_or(0, |meta| meta.len());
            match fs::remove_file(&path).await {
                Ok(()) if counts => self.take_off(bytes),
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(EvidenceError::Cache { path, source }),
            }
        }
        Ok(())
    }

    /// What was made out of a file, and its copy where nothing keeps it.
    async fn copies(&self, sha256: &str) -> Vec<PathBuf> {
        let directory = self.path(sha256, "");
        let directory = directory.parent().map(Path::to_owned).unwrap_or_default();
        let Ok(mut entries) = fs::read_dir(&directory).await else { return Vec::new() };
        let mut copies = Vec::new();
        while let Ok(Some(entry)) = entries.next_entry().await {
            if entry.file_name().to_string_lossy().starts_with(sha256) {
                copies.push(entry.path());
            }
        }
        copies
    }

    /// The picture as it is seen so; the file itself if that is clear. Of what is no picture nothing but the file.
    pub(crate) async fn seen(
        &self,
        stored: &StoredEvidence,
        sight: &Sight,
    ) -> Result<PathBuf, EvidenceError> {
        usable(stored)?;
        let Some(made) = made_for(sight) else { return self.copy(stored).await };
        // The same bytes under another role may be another part of the view.
        let made = format!("{made}{}", cut(stored.item.role));
        let target = self.path(&stored.item.sha256, &format!("{made}.jpg"));
        if fs::try_exists(&target).await.unwrap_or(false) {
            touch(&target).await;
            return Ok(target);
        }
        let picture = self.copy(stored).await?;
        let (to, role, sight) = (target.clone(), stored.item.role, sight.clone());
        let made = tokio::task::spawn_blocking(move || {
            let picture = std::fs::read(&picture)?;
            let part = match (part_of(&picture), role) {
                (Some(part), _) => Some(part),
                (None, EvidenceRole::Before | EvidenceRole::After) => None,
                (None, _) => BBox::new(0.0, 0.0, 1.0, 1.0),
            };
            let jpeg = match (sight, part) {
                (Sight::Masked(areas), Some(part)) => masked(&picture, &areas, part)?,
                // Cut from the view nobody knows where: all of it may be private.
                _ => blurred(&picture, &[])?,
            };
            write_whole(&to, &jpeg)
        });
        self.made(made.await, target).await
    }

    /// A small picture of what `stored` shows, around `about`, out of the one that is seen so.
    pub(crate) async fn thumbnail(
        &self,
        stored: &StoredEvidence,
        about: BBox,
        sight: &Sight,
    ) -> Result<PathBuf, EvidenceError> {
        usable(stored)?;
        let made =
            made_for(sight).map_or_else(String::new, |made| format!("{made}{}", cut(stored.item.role)));
        let thumbnail = self.path(&stored.item.sha256, &format!("{made}{SMALL}"));
        if fs::try_exists(&thumbnail).await.unwrap_or(false) {
            touch(&thumbnail).await;
            return Ok(thumbnail);
        }
        let picture = self.seen(stored, sight).await?;
        let target = thumbnail.clone();
        let made = tokio::task::spawn_blocking(move || shrink(&picture, &target, about)).await;
        self.made(made, thumbnail).await
    }

    async fn made(
        &self,
        made: Result<io::Result<u64>, tokio::task::JoinError>,
        path: PathBuf,
    ) -> Result<PathBuf, EvidenceError> {
        match made {
            Ok(Ok(bytes)) => {
                self.make_room(bytes, &path).await;
                Ok(path)
            }
            Ok(Err(source)) => Err(EvidenceError::Cache { path, source }),
            Err(panic) => Err(EvidenceError::Cache { path, source: io::Error::other(panic) }),
        }
    }

    async fn fetch(&self, item: &EvidenceItem, base: Option<&str>, path: &Path) -> Result<(), EvidenceError> {
        let base = base.ok_or(EvidenceError::Unreachable(None))?;
        let mut response = match self.client.file(base, &item.path).await {
            Ok(response) => response,
            Err(NodeError::Refused { status, .. }) if matches!(status.as_u16(), 404 | 410) => {
                return Err(EvidenceError::Gone);
            }
            Err(error) => return Err(EvidenceError::Unreachable(Some(error))),
        };
        let partial = path.with_extension("partial");
        let cache = |source| EvidenceError::Cache { path: partial.clone(), source };
        let mismatch = |what| EvidenceError::Mismatch { path: item.path.clone(), what };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).await.map_err(cache)?;
        }
        let mut file = fs::File::create(&partial).await.map_err(cache)?;
        let mut hash = Sha256::new();
        let mut bytes = 0_u64;
        let outcome = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    bytes += chunk.len() as u64;
                    if bytes > item.bytes {
                        break Err(mismatch("it is longer"));
                    }
                    hash.update(&chunk);
                    if let Err(source) = file.write_all(&chunk).await {
                        break Err(cache(source));
                    }
                }
                Ok(None) => break Ok(()),
                Err(source) => {
                    let url = response.url().clone();
                    break Err(EvidenceError::Unreachable(Some(NodeError::Request { url, source })));
                }
            }
        };
        let checked = match outcome {
            Err(error) => Err(error),
            Ok(()) if bytes != item.bytes => Err(mismatch("it is shorter")),
            Ok(()) if hex::encode(hash.finalize()) != item.sha256 => Err(mismatch("its hash is another")),
            Ok(()) => file.flush().await.map_err(cache),
        };
        drop(file);
        let kept = match checked {
            Ok(()) => fs::rename(&partial, path).await.map_err(cache),
            Err(error) => Err(error),
        };
        if kept.is_err() {
            // What is left of it is of no use to anyone; a failure to delete shows in the next attempt.
            drop(fs::remove_file(&partial).await);
        }
        kept
    }

    async fn make_room(&self, added: u64, newest: &Path) {
        let used = self.used.fetch_add(added, Ordering::Relaxed) + added;
        metrics::gauge!("parapet_center_evidence_cache_bytes").set(used as f64);
        if used <= self.room {
            return;
        }
        let (directory, room, newest) = (self.directory.clone(), self.room, newest.to_owned());
        let swept = tokio::task::spawn_blocking(move || sweep(&directory, room / 10 * 9, &newest)).await;
        if let Ok(left) = swept {
            self.used.store(left, Ordering::Relaxed);
        }
    }

    fn path(&self, sha256: &str, suffix: &str) -> PathBuf {
        self.directory.join(&sha256[..2.min(sha256.len())]).join(format!("{sha256}{suffix}"))
    }

    fn kept_path(&self, sha256: &str) -> PathBuf {
        self.directory.join(VAULT).join(&sha256[..2.min(sha256.len())]).join(sha256)
    }

    /// Bytes that are no longer among the copies.
    fn take_off(&self, bytes: u64) {
        // It always takes something off: there is no failure to look at.
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| Some(used.saturating_sub(bytes)))
            .ok();
    }

    fn lock(&self, sha256: &str) -> Arc<Mutex<()>> {
        let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = fetching.get(sha256).and_then(Weak::upgrade) {
            return lock;
        }
        fetching.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(Mutex::new(()));
        fetching.insert(sha256.to_owned(), Arc::downgrade(&lock));
        lock
    }
}

/// What the name of a picture ends in that was made for those who see it so; `None` if they see it as it is. Other areas
/// make another picture.
pub(crate) fn made_for(sight: &Sight) -> Option<String> {
    match sight {
        Sight::Clear | Sight::Unsealed => None,
        Sight::Blurred => Some(BLURRED.to_owned()),
        Sight::Masked(areas) => {
            let mut hash = Sha256::new();
            for area in areas {
                for corner in area.points() {
                    hash.update(corner.x.to_be_bytes());
                    hash.update(corner.y.to_be_bytes());
                }
                hash.update(b";");
            }
            Some(format!(".masked-{}", &hex::encode(hash.finalize())[..16]))
        }
    }
}

/// What sets pictures of these roles apart that are cut from the view.
fn cut(role: EvidenceRole) -> &'static str {
    if matches!(role, EvidenceRole::Before | EvidenceRole::After) { "-cut" } else { "" }
}

/// Refuses what was deleted, and what has a hash that is none and could name anything.
fn usable(stored: &StoredEvidence) -> Result<(), EvidenceError> {
    match &stored.deleted {
        Some(deleted) => Err(EvidenceError::Deleted(deleted.clone())),
        None if is_hash(&stored.item.sha256) => Ok(()),
        None => Err(EvidenceError::Mismatch {
            path: stored.item.path.clone(),
            what: "its registered hash is none",
        }),
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

struct CachedFile {
    path: PathBuf,
    bytes: u64,
    used_at: SystemTime,
}

fn files(directory: &Path) -> Vec<CachedFile> {
    let entries = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten().collect::<Vec<_>>();
    let below = entries(directory).into_iter().flat_map(|entry| entries(&entry.path()));
    below
        .filter_map(|entry| {
            let meta = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            let used_at = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            Some(CachedFile { path: entry.path(), bytes: meta.len(), used_at })
        })
        .collect()
}

/// Deletes the longest unused copies until `room` is enough; gives what is left.
fn sweep(directory: &Path, room: u64, newest: &Path) -> u64 {
    let mut files = files(directory);
    files.sort_by_key(|file| file.used_at);
    let mut left: u64 = files.iter().map(|file| file.bytes).sum();
    let mut deleted = 0_u32;
    for file in files {
        if left <= room {
            break;
        }
        if file.path == newest {
            continue;
        }
        match std::fs::remove_file(&file.path) {
            Ok(()) => {
                left -= file.bytes;
                deleted += 1;
            }
            Err(error) => warn!(path = %file.path.display(), %error, "cannot delete a copy of evidence"),
        }
    }
    debug!(deleted, left, "made room for evidence");
    left
}

/// Marks a copy as used, for the order in which copies go.
async fn touch(path: &Path) {
    let path = path.to_owned();
    let touched = tokio::task::spawn_blocking(move || {
        let file = std::fs::File::options().append(true).open(&path)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a file's own time, compared only with other files' times"
        )]
        file.set_modified(SystemTime::now())
    });
    // A copy that cannot be marked goes a little earlier.
    drop(touched.await);
}

fn shrink(picture: &Path, target: &Path, about: BBox) -> io::Result<u64> {
    let image =
        image::ImageReader::open(picture)?.with_guessed_format()?.decode().map_err(io::Error::other)?;
    let (x, y, width, height) = crop(image.width(), image.height(), about);
    let small =
        image.crop_imm(x, y, width, height).resize_to_fill(THUMBNAIL.0, THUMBNAIL.1, FilterType::Triangle);
    let mut jpeg = io::Cursor::new(Vec::new());
    small.to_rgb8().write_to(&mut jpeg, ImageFormat::Jpeg).map_err(io::Error::other)?;
    write_whole(target, jpeg.get_ref())
}

/// Writes a file so that nobody sees half of it; its size.
fn write_whole(target: &Path, content: &[u8]) -> io::Result<u64> {
    let partial = target.with_extension("partial");
    std::fs::write(&partial, content)?;
    std::fs::rename(&partial, target)?;
    Ok(content.len() as u64)
}

/// The part of a picture that shows what is at `about` and enough round it to know the place: 16:9, in pixels.
fn crop(width: u32, height: u32, about: BBox) -> (u32, u32, u32, u32) {
    let (full_width, full_height) = (f64::from(width), f64::from(height));
    let about = about.clamped();
    let wanted = (f64::from(about.width()) * full_width * 2.2)
        .max(f64::from(about.height()) * full_height * 2.2 * 16.0 / 9.0)
        .max(full_width * 0.4);
    let crop_width = wanted.min(full_width).min(full_height * 16.0 / 9.0);
    let crop_height = crop_width * 9.0 / 16.0;
    let center = about.center();
    let x = (f64::from(center.x) * full_width - crop_width / 2.0).clamp(0.0, full_width - crop_width);
    let y = (f64::from(center.y) * full_height - crop_height / 2.0).clamp(0.0, full_height - crop_height);
    (x as u32, y as u32, (crop_width as u32).max(1), (crop_height as u32).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_shows_the_thing_and_stays_inside_the_picture() {
        let whole = BBox::new(0.0, 0.0, 1.0, 1.0).unwrap();
        assert_eq!(crop(1280, 720, whole), (0, 0, 1280, 720));
        for (bbox, size) in [
            ([0.9, 0.9, 1.0, 1.0], (1280, 720)),
            ([0.0, 0.4, 0.02, 0.5], (640, 480)),
            ([1.2, 0.1, 1.4, 0.2], (720, 1280)),
        ] {
            let bbox = BBox::try_from(bbox).unwrap();
            let (x, y, width, height) = crop(size.0, size.1, bbox);
            assert!(x + width <= size.0 && y + height <= size.1, "{bbox:?}");
            assert!(f64::from(width) >= f64::from(size.0) * 0.39, "{bbox:?}: {width}");
        }
    }

    #[test]
    fn the_longest_unused_copies_go_first_and_the_newest_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = |n: u32| directory.path().join("ab").join(n.to_string());
        std::fs::create_dir(directory.path().join("ab")).unwrap();
        for n in 0..5 {
            std::fs::write(path(n), [0; 100]).unwrap();
            let file = std::fs::File::options().append(true).open(path(n)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(u64::from(n))).unwrap();
        }
        assert_eq!(sweep(directory.path(), 250, &path(0)), 200);
        assert!(path(0).exists() && path(4).exists());
        assert!(!path(1).exists() && !path(3).exists());
    }

    #[tokio::test]
    async fn nothing_makes_room_in_the_vault_and_what_is_let_go_counts_again() {
        let directory = tempfile::tempdir().unwrap();
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = NodeClient::new(None).unwrap();
        let cache = EvidenceCache::open(directory.path().to_owned(), 250, client).unwrap();
        let file = |n: u8| {
            let content = [n; 200];
            let sha256 = hex::encode(Sha256::digest(content));
            let path = cache.path(&sha256, "");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
            StoredEvidence {
                item: EvidenceItem {
                    role: parapet_core::EvidenceRole::Snapshot,
                    path: format!("{n}.jpg"),
                    media_type: "image/jpeg".to_owned(),
                    bytes: 200,
                    sha256,
                },
                base_url: None,
                site: "harbour".parse().unwrap(),
                node: "n1".parse().unwrap(),
                at: "2026-11-22T00:00:20Z".parse().unwrap(),
                deleted: None,
            }
        };
        let (first, second) = (file(1), file(2));
        cache.keep(&first).await.unwrap();
        cache.keep(&second).await.unwrap();
        cache.make_room(0, Path::new("")).await;
        let (kept, other) = (cache.kept_path(&first.item.sha256), cache.kept_path(&second.item.sha256));
        assert!(kept.is_file() && other.is_file(), "more than there is room for");
        assert_eq!(cache.copy(&first).await.unwrap(), kept);
        cache.let_go(&first.item.sha256).await.unwrap();
        let path = cache.path(&first.item.sha256, "");
        assert!(path.is_file() && !kept.exists());
        assert_eq!(cache.used.load(Ordering::Relaxed), 200);

        // A copy that was damaged where it lay does not go into the vault.
        std::fs::write(&path, [9; 200]).unwrap();
        assert!(matches!(cache.keep(&first).await, Err(EvidenceError::Unreachable(None))));
        assert!(!path.exists() && !kept.exists());
        cache.delete(&second.item.sha256).await.unwrap();
        assert!(!other.exists());
        let deleted = Deleted {
            asked_by: "wang".to_owned(),
            approved_by: "li".to_owned(),
            at: "2026-11-22T01:00:00Z".parse().unwrap(),
        };
        let second = StoredEvidence { deleted: Some(deleted), ..second };
        assert!(matches!(cache.seen(&second, &Sight::Blurred).await, Err(EvidenceError::Deleted(_))));
    }

    #[test]
    fn only_a_hash_names_a_copy() {
        assert!(is_hash(&"0a".repeat(32)));
        for bad in ["", "../../etc/passwd", &"0A".repeat(32), &"0a".repeat(33)] {
            assert!(!is_hash(bad), "{bad}");
        }
    }
}
