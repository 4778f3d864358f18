//! Copies of evidence, named by their hash. A file is fetched from its node once, checked against the size and hash that
//! were registered when it was made, and only then shown; the longest unused copies go when the room is used up.

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
use parapet_core::{BBox, EvidenceItem};
use parapet_store::StoredEvidence;
use sha2::{Digest, Sha256};
use tokio::{fs, io::AsyncWriteExt, sync::Mutex};
use tracing::{debug, warn};

use crate::{
    blur::blurred,
    node::{NodeClient, NodeError},
};

/// Why evidence cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvidenceError {
    #[error("the node has deleted the file")]
    Gone,
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
        let item = &stored.item;
        if !is_hash(&item.sha256) {
            return Err(EvidenceError::Mismatch {
                path: item.path.clone(),
                what: "its registered hash is none",
            });
        }
        let path = self.path(&item.sha256, "");
        let lock = self.lock(&item.sha256);
        let _fetching = lock.lock().await;
        if fs::metadata(&path).await.is_ok_and(|meta| meta.len() == item.bytes) {
            touch(&path).await;
            return Ok(path);
        }
        self.fetch(item, stored.base_url.as_deref(), &path).await?;
        self.make_room(item.bytes, &path).await;
        Ok(path)
    }

    /// The picture as those see it who may not see it clear. Only of pictures.
    pub(crate) async fn blurred(&self, stored: &StoredEvidence) -> Result<PathBuf, EvidenceError> {
        let target = self.path(&stored.item.sha256, ".blurred.jpg");
        if is_hash(&stored.item.sha256) && fs::try_exists(&target).await.unwrap_or(false) {
            touch(&target).await;
            return Ok(target);
        }
        let picture = self.copy(stored).await?;
        let to = target.clone();
        let made = tokio::task::spawn_blocking(move || {
            let jpeg = blurred(&std::fs::read(&picture)?, &[])?;
            write_whole(&to, &jpeg)
        });
        self.made(made.await, target).await
    }

    /// A small picture of what `stored` shows, around `about`; out of the blurred one unless it may be `clear`.
    pub(crate) async fn thumbnail(
        &self,
        stored: &StoredEvidence,
        about: BBox,
        clear: bool,
    ) -> Result<PathBuf, EvidenceError> {
        let suffix = if clear { ".thumb.jpg" } else { ".blurred.thumb.jpg" };
        let thumbnail = self.path(&stored.item.sha256, suffix);
        if is_hash(&stored.item.sha256) && fs::try_exists(&thumbnail).await.unwrap_or(false) {
            touch(&thumbnail).await;
            return Ok(thumbnail);
        }
        let picture = if clear { self.copy(stored).await? } else { self.blurred(stored).await? };
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

    #[test]
    fn only_a_hash_names_a_copy() {
        assert!(is_hash(&"0a".repeat(32)));
        for bad in ["", "../../etc/passwd", &"0A".repeat(32), &"0a".repeat(33)] {
            assert!(!is_hash(bad), "{bad}");
        }
    }
}
