//! The files of a dataset: directories, sizes of pictures by their heads, and hashes, so that results can be kept under
//! what they were made from.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    problem::{Fault, Problems},
    reader::masks::Named,
};

/// Reads label files and remembers the hash of each, by its path below the root.
#[derive(Debug)]
pub(super) struct LabelFiles {
    root: PathBuf,
    hashes: BTreeMap<String, [u8; 32]>,
}

impl LabelFiles {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, hashes: BTreeMap::new() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The text of a file that is needed; `None`, told as a problem, if it cannot be read.
    pub(super) fn read(&mut self, path: &Path, problems: &mut Problems) -> Option<String> {
        match fs::read(path) {
            Ok(bytes) => {
                let name = path.strip_prefix(&self.root).unwrap_or(path);
                self.hashes.insert(name.to_string_lossy().into_owned(), Sha256::digest(&bytes).into());
                Some(super::reader::text_of(&bytes))
            }
            Err(error) => {
                problems.add(path, None, cannot_read(&error));
                None
            }
        }
    }

    /// Hash of the manifest and of all label files that were read, with their names.
    pub(super) fn hash(&self, manifest: &[u8]) -> String {
        let mut sum = Sha256::new();
        sum.update(Sha256::digest(manifest));
        for (name, hash) in &self.hashes {
            sum.update((name.len() as u64).to_le_bytes());
            sum.update(name.as_bytes());
            sum.update(hash);
        }
        hex::encode(sum.finalize())
    }
}

pub(super) fn cannot_read(error: &io::Error) -> Fault {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "fetch it, or mend the path in the manifest",
        _ => "check the file and its rights",
    };
    let what = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    Fault::new(what, hint)
}

/// What a directory holds.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Files by their name without extension.
    pub(super) files: Named,
    /// Names that two files have: they are told, and in `files` no more.
    pub(super) twins: Vec<String>,
}

/// Files of a directory with one of the extensions; `None`, told as a problem, if it cannot be listed.
pub(super) fn named_files(directory: &Path, extensions: &[&str], problems: &mut Problems) -> Option<Listing> {
    let mut listing = Listing::default();
    for path in entries(directory, problems)? {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        if !extensions.contains(&extension.as_str()) || path.is_dir() {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(twin) = listing.files.get(&name) {
            let what = format!("the same name as {}", twin.file_name().unwrap_or_default().to_string_lossy());
            problems.add(&path, None, Fault::new(what, "labels belong to a name: keep one of the two"));
            listing.twins.push(name);
        } else {
            listing.files.insert(name, path);
        }
    }
    for name in &listing.twins {
        listing.files.remove(name);
    }
    Some(listing)
}

/// Directories in a directory, in the order of their names; none, told as a problem, if it cannot be listed.
pub(super) fn directories(directory: &Path, problems: &mut Problems) -> Vec<(String, PathBuf)> {
    let entries = entries(directory, problems).unwrap_or_default();
    let named = entries
        .into_iter()
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path));
    named.collect()
}

fn entries(directory: &Path, problems: &mut Problems) -> Option<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => {
            let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
            paths.sort();
            Some(paths)
        }
        Err(error) => {
            problems.add(directory, None, cannot_read(&error));
            None
        }
    }
}

/// Extensions of pictures that can be read.
pub(super) const PICTURES: [&str; 3] = ["jpg", "jpeg", "png"];

/// Size of a JPEG or PNG picture, as stored, from its head.
pub(super) fn picture_size(path: &Path) -> Result<(u32, u32), Fault> {
    let file = fs::File::open(path).map_err(|error| cannot_read(&error))?;
    match size_of(&mut BufReader::new(file)) {
        Ok(Some((width, height))) if width > 0 && height > 0 => Ok((width, height)),
        Ok(_) => Err(Fault::new("not a JPEG or PNG picture", "convert it or fetch it anew")),
        Err(error) => Err(Fault::new(format!("the picture's head is broken: {error}"), "fetch it anew")),
    }
}

fn size_of(reader: &mut (impl Read + Seek)) -> io::Result<Option<(u32, u32)>> {
    let mut head = [0; 24];
    reader.read_exact(&mut head)?;
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        return Ok((&head[12..16] == b"IHDR").then(|| (number(16), number(20))));
    }
    if !head.starts_with(&[0xff, 0xd8]) {
        return Ok(None);
    }
    // JPEG (ITU-T T.81, B.1.1): segments until the frame header, which is any SOFn but DHT, JPG and DAC.
    reader.seek(SeekFrom::Start(2))?;
    loop {
        let mut byte = [0];
        reader.read_exact(&mut byte)?;
        if byte[0] != 0xff {
            return Ok(None);
        }
        while byte[0] == 0xff {
            reader.read_exact(&mut byte)?;
        }
        let mut length = [0; 2];
        match byte[0] {
            0x01 | 0xd0..=0xd7 => continue,
            0xc4 | 0xc8 | 0xcc => reader.read_exact(&mut length)?,
            0xc0..=0xcf => {
                let mut frame = [0; 7];
                reader.read_exact(&mut frame)?;
                let number = |at: usize| u32::from(u16::from_be_bytes([frame[at], frame[at + 1]]));
                return Ok(Some((number(5), number(3))));
            }
            0xd9 | 0xda => return Ok(None),
            _ => reader.read_exact(&mut length)?,
        }
        let length = i64::from(u16::from_be_bytes(length));
        reader.seek_relative(length - 2)?;
    }
}

/// Refuses an MP4 or AVI file whose own lengths reach beyond its end: a download that broke off. Its head may well be
/// whole, and a program would see a video that is shorter than its labels. Other forms are let through.
pub(super) fn check_whole(path: &Path) -> Result<(), Fault> {
    let needed = fs::File::open(path).and_then(|file| {
        let length = file.metadata()?.len();
        Ok((length, told_length(&mut BufReader::new(file), length)?))
    });
    match needed {
        Ok((length, told)) if told > length => {
            Err(Fault::new(format!("the file is cut short: {length} bytes of {told}"), "fetch it anew"))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(cannot_read(&error)),
    }
}

/// Length that the boxes of an MP4 file (ISO/IEC 14496-12, 4.2) or the RIFF head of an AVI file add up to.
fn told_length(reader: &mut (impl Read + Seek), length: u64) -> io::Result<u64> {
    let mut at = 0;
    while at + 16 <= length {
        let mut head = [0; 16];
        reader.seek(SeekFrom::Start(at))?;
        reader.read_exact(&mut head)?;
        let word = |from: usize| [head[from], head[from + 1], head[from + 2], head[from + 3]];
        if at == 0 && &word(0) == b"RIFF" {
            return Ok(u64::from(u32::from_le_bytes(word(4))) + 8);
        }
        if at == 0 && &word(4) != b"ftyp" {
            break;
        }
        let size = match u64::from(u32::from_be_bytes(word(0))) {
            // To the end of the file.
            0 => return Ok(length),
            1 => (u64::from(u32::from_be_bytes(word(8))) << 32) | u64::from(u32::from_be_bytes(word(12))),
            size => size,
        };
        if size < 8 {
            break;
        }
        at = at.saturating_add(size);
    }
    Ok(at)
}

/// Hashes of pictures and videos, computed when they are asked for and kept as long as length and time of change stay.
#[derive(Debug, Default)]
pub struct MediaHashes {
    known: BTreeMap<PathBuf, (u64, Option<std::time::SystemTime>, String)>,
}

impl MediaHashes {
    /// SHA-256 of a file, as hexadecimal digits.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of(&mut self, path: &Path) -> io::Result<String> {
        let about = fs::metadata(path)?;
        let (length, changed) = (about.len(), about.modified().ok());
        if let Some((l, c, hash)) = self.known.get(path)
            && (*l, *c) == (length, changed)
        {
            return Ok(hash.clone());
        }
        let mut sum = Sha256::new();
        io::copy(&mut fs::File::open(path)?, &mut sum)?;
        let hash = hex::encode(sum.finalize());
        self.known.insert(path.to_owned(), (length, changed, hash.clone()));
        Ok(hash)
    }
}
