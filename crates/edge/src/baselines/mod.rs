//! Approved pictures of views, by time of day and season. Nothing becomes a baseline by itself: the node keeps the view as
//! it was last seen, a person proposes it, a person approves it, and who did what, when and why is only ever added to a
//! log.
//!
//! `DATA_DIR/baselines/CAMERA[/PRESET]/` holds `log.jsonl`, one line for each act; `ID.jpg`, one picture for each
//! proposal; `latest.jpg` and `latest.json`, the view as it was last seen.

mod change;
mod light;

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use parapet_analytics::schedule;
use parapet_core::{CameraId, Picture, PresetId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) use change::{ApprovedChange, BaselineInUse};
pub use light::{Light, PartOfDay, Season};

use crate::{assembly::picture_from, evidence::encode_jpeg};

/// JPEG quality of kept pictures: they are compared with, so little may be lost.
const QUALITY: u8 = 95;

/// Why a baseline cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The disk.
    #[error("cannot {doing} {}", path.display())]
    Disk {
        /// What was attempted.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line of the log.
    #[error("cannot read line {line} of {}; hint: it is only ever added to; restore it from a backup", path.display())]
    Line {
        /// The log.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A picture.
    #[error("cannot read the picture {}; hint: JPEG or PNG", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: image::ImageError,
    },
    /// A picture is no longer what was approved.
    #[error("the picture {} is not the one that was proposed; hint: restore it, or approve another", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// Nothing was seen yet.
    #[error("the view has not been seen yet; hint: let the node run with change.baseline, or name a picture")]
    NoCandidate,
    /// The same picture twice.
    #[error(
        "the picture was proposed before, as \"{0}\"; hint: `parapet baseline history` tells what became of it"
    )]
    AlreadyProposed(String),
    /// No such proposal.
    #[error("there is no picture \"{id}\" that could be {wanted}; hint: {hint}")]
    NotPending {
        /// What was asked for.
        id: String,
        /// What should be done with it.
        wanted: Act,
        /// What there is.
        hint: String,
    },
    /// Nobody is named.
    #[error("nobody is named as the one who {0} it; hint: say who, with --by NAME")]
    Nobody(Act),
}

/// What can be done with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Put up for approval.
    Proposed,
    /// Made a baseline.
    Approved,
    /// Turned down, or no longer a baseline.
    Rejected,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        })
    }
}

/// One line of the log: who did what with which picture, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What.
    pub act: Act,
    /// Which picture.
    pub picture: String,
    /// When it was taken.
    pub captured_at: Timestamp,
    /// SHA-256 of its file, hexadecimal.
    pub sha256: String,
    /// Why.
    pub reason: String,
}

/// Where a picture stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Waits for a person.
    Proposed,
    /// Is compared with.
    InForce,
    /// Was approved, until another one of the same time of day and season was.
    Replaced,
    /// Was turned down.
    Rejected,
}

/// A picture and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// Its name.
    pub id: String,
    /// When it was taken.
    pub captured_at: Timestamp,
    /// In what light: at most one for each is in force.
    pub light: Light,
    /// Where it stands.
    pub standing: Standing,
    /// The latest act.
    pub latest: Entry,
}

/// Who acts, when and why.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// Name of the person.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
    /// When.
    pub at: Timestamp,
}

/// The pictures of one view.
#[derive(Debug, Clone)]
pub struct Shelf {
    dir: PathBuf,
    time_zone: schedule::Zone,
}

/// When the picture in `latest.jpg` was taken.
#[derive(Debug, Serialize, Deserialize)]
struct Latest {
    captured_at: Timestamp,
}

impl Shelf {
    /// The shelf of a camera's view, or of one of its presets, below the directory of all baselines. Times of day are
    /// those of `time_zone`.
    pub fn of(root: &Path, camera: &CameraId, preset: Option<&PresetId>, time_zone: schedule::Zone) -> Self {
        let mut dir = root.join(camera.as_str());
        dir.extend(preset.map(PresetId::as_str));
        Self { dir, time_zone }
    }

    /// The log, oldest first; empty if nothing was ever proposed.
    ///
    /// # Errors
    /// `Disk` or `Line`.
    pub fn history(&self) -> Result<Vec<Entry>, BaselineError> {
        let path = self.log();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(BaselineError::Disk { doing: "read", path, source }),
        };
        let read = |(index, line)| {
            serde_json::from_str(line).map_err(|source| BaselineError::Line {
                path: path.clone(),
                line: index + 1,
                source,
            })
        };
        text.lines().enumerate().map(read).collect()
    }

    /// All pictures and what became of them, in the order in which they were proposed.
    ///
    /// # Errors
    /// As [`Self::history`].
    pub fn baselines(&self) -> Result<Vec<Baseline>, BaselineError> {
        let mut baselines: Vec<Baseline> = Vec::new();
        for entry in self.history()? {
            let light = Light::at(entry.captured_at, &self.time_zone);
            if entry.act == Act::Approved {
                let before =
                    baselines.iter_mut().filter(|b| b.light == light && b.standing == Standing::InForce);
                before.for_each(|baseline| baseline.standing = Standing::Replaced);
            }
            let standing = match entry.act {
                Act::Proposed => Standing::Proposed,
                Act::Approved => Standing::InForce,
                Act::Rejected => Standing::Rejected,
            };
            match baselines.iter_mut().find(|baseline| baseline.id == entry.picture) {
                Some(baseline) => (baseline.standing, baseline.latest) = (standing, entry),
                None => baselines.push(Baseline {
                    id: entry.picture.clone(),
                    captured_at: entry.captured_at,
                    light,
                    standing,
                    latest: entry,
                }),
            }
        }
        Ok(baselines)
    }

    /// The baseline to compare a view with at an instant: of those in force, the one nearest in time of day and season.
    ///
    /// # Errors
    /// As [`Self::history`].
    pub fn nearest(&self, at: Timestamp) -> Result<Option<Baseline>, BaselineError> {
        let in_force =
            self.baselines()?.into_iter().filter(|baseline| baseline.standing == Standing::InForce);
        let distance = |baseline: &Baseline| light::distance(baseline.captured_at, at, &self.time_zone);
        Ok(in_force.min_by(|a, b| {
            distance(a).total_cmp(&distance(b)).then_with(|| b.captured_at.cmp(&a.captured_at))
        }))
    }

    /// The picture of a baseline, checked against the hash in the log.
    ///
    /// # Errors
    /// `Disk`, `Altered` or `Picture`.
    pub fn picture(&self, baseline: &Baseline) -> Result<Picture, BaselineError> {
        let path = self.picture_path(&baseline.id);
        let bytes = fs::read(&path).map_err(|source| BaselineError::Disk {
            doing: "read",
            path: path.clone(),
            source,
        })?;
        if hex::encode(Sha256::digest(&bytes)) != baseline.latest.sha256 {
            return Err(BaselineError::Altered { path });
        }
        let image =
            image::load_from_memory(&bytes).map_err(|source| BaselineError::Picture { path, source })?;
        Ok(picture_from(image))
    }

    /// Where a picture is.
    pub fn picture_path(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.jpg"))
    }

    /// Keeps the view as it is seen now, instead of the one before: what [`Self::propose`] takes.
    ///
    /// # Errors
    /// `Disk` or `Picture`.
    pub fn keep_latest(&self, picture: &Picture, captured_at: Timestamp) -> Result<(), BaselineError> {
        let path = self.dir.join("latest.jpg");
        let jpeg = encode_jpeg(picture, QUALITY)
            .map_err(|source| BaselineError::Picture { path: path.clone(), source })?;
        self.make_dir()?;
        replace(&path, &jpeg)?;
        let latest = serde_json::to_vec(&Latest { captured_at }).expect("a time is JSON");
        replace(&self.dir.join("latest.json"), &latest)
    }

    /// Whether the view was seen, so that [`Self::propose`] has a picture of it.
    pub fn has_latest(&self) -> bool {
        self.dir.join("latest.json").is_file() && self.dir.join("latest.jpg").is_file()
    }

    /// Puts up a picture for approval: the view as it was last seen, or a file and when it was taken. Gives its name.
    ///
    /// # Errors
    /// `NoCandidate`, `AlreadyProposed`, `Nobody`, `Disk`, `Picture`.
    pub fn propose(
        &self,
        actor: Actor<'_>,
        file: Option<(&Path, Timestamp)>,
    ) -> Result<String, BaselineError> {
        named(actor, Act::Proposed)?;
        let read = |path: &Path| fs::read(path);
        let (jpeg, captured_at) = if let Some((path, captured_at)) = file {
            let image = image::open(path)
                .map_err(|source| BaselineError::Picture { path: path.to_owned(), source })?;
            let jpeg = encode_jpeg(&picture_from(image), QUALITY)
                .map_err(|source| BaselineError::Picture { path: path.to_owned(), source })?;
            (jpeg, captured_at)
        } else {
            let noted = read(&self.dir.join("latest.json")).ok();
            let latest: Option<Latest> = noted.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let latest = latest.ok_or(BaselineError::NoCandidate)?;
            (read(&self.dir.join("latest.jpg")).map_err(|_| BaselineError::NoCandidate)?, latest.captured_at)
        };
        let sha256 = hex::encode(Sha256::digest(&jpeg));
        let id = format!("{}-{}", captured_at.strftime("%Y%m%dt%H%M%Sz"), &sha256[..8]);
        if self.baselines()?.iter().any(|baseline| baseline.id == id) {
            return Err(BaselineError::AlreadyProposed(id));
        }
        self.make_dir()?;
        replace(&self.picture_path(&id), &jpeg)?;
        self.add(&Entry {
            at: actor.at,
            by: actor.by.trim().to_owned(),
            act: Act::Proposed,
            picture: id.clone(),
            captured_at,
            sha256,
            reason: actor.reason.to_owned(),
        })?;
        Ok(id)
    }

    /// Makes a proposed picture (or one that was replaced or rejected) the baseline of its time of day and season.
    ///
    /// # Errors
    /// `NotPending`, `Nobody`, `Altered`, `Disk`.
    pub fn approve(&self, id: &str, actor: Actor<'_>) -> Result<Baseline, BaselineError> {
        self.act(id, Act::Approved, actor, |standing| standing != Standing::InForce)
    }

    /// Turns a picture down, be it proposed or in force.
    ///
    /// # Errors
    /// As [`Self::approve`].
    pub fn reject(&self, id: &str, actor: Actor<'_>) -> Result<Baseline, BaselineError> {
        self.act(id, Act::Rejected, actor, |standing| {
            matches!(standing, Standing::Proposed | Standing::InForce)
        })
    }

    fn act(
        &self,
        id: &str,
        act: Act,
        actor: Actor<'_>,
        possible: impl Fn(Standing) -> bool,
    ) -> Result<Baseline, BaselineError> {
        named(actor, act)?;
        let baselines = self.baselines()?;
        let Some(baseline) = baselines.iter().find(|b| b.id == id && possible(b.standing)) else {
            let others: Vec<&str> =
                baselines.iter().filter(|b| possible(b.standing)).map(|b| b.id.as_str()).collect();
            let same = baselines.iter().find(|b| b.id == id);
            let hint = match (same, others.as_slice()) {
                (Some(same), _) if same.latest.act == act => {
                    format!("{} did that at {:.0}", same.latest.by, same.latest.at)
                }
                (_, []) => "there is none; `parapet baseline propose` puts one up".to_owned(),
                (_, others) => format!("one of: {}", others.join(", ")),
            };
            return Err(BaselineError::NotPending { id: id.to_owned(), wanted: act, hint });
        };
        if act == Act::Approved {
            self.picture(baseline)?;
        }
        let entry = Entry {
            at: actor.at,
            by: actor.by.trim().to_owned(),
            act,
            picture: id.to_owned(),
            captured_at: baseline.captured_at,
            sha256: baseline.latest.sha256.clone(),
            reason: actor.reason.to_owned(),
        };
        self.add(&entry)?;
        let standing = if act == Act::Approved { Standing::InForce } else { Standing::Rejected };
        Ok(Baseline { standing, latest: entry, ..baseline.clone() })
    }

    fn add(&self, entry: &Entry) -> Result<(), BaselineError> {
        let path = self.log();
        let mut line = serde_json::to_vec(entry).expect("an entry is JSON");
        line.push(b'\n');
        let write = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(&line)?;
            file.sync_all()
        };
        write().map_err(|source| BaselineError::Disk { doing: "write", path: path.clone(), source })
    }

    fn log(&self) -> PathBuf {
        self.dir.join("log.jsonl")
    }

    fn make_dir(&self) -> Result<(), BaselineError> {
        fs::create_dir_all(&self.dir).map_err(|source| BaselineError::Disk {
            doing: "make the directory",
            path: self.dir.clone(),
            source,
        })
    }
}

fn named(actor: Actor<'_>, act: Act) -> Result<(), BaselineError> {
    if actor.by.trim().is_empty() { Err(BaselineError::Nobody(act)) } else { Ok(()) }
}

/// Writes a file so that readers see the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), BaselineError> {
    let beside = path.with_extension("part");
    fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path)).map_err(|source| BaselineError::Disk {
        doing: "write",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(root: &Path) -> Shelf {
        let (camera, preset) = ("dome".parse().unwrap(), "roof".parse().unwrap());
        Shelf::of(root, &camera, Some(&preset), "Asia/Shanghai".parse().unwrap())
    }

    fn actor(by: &str) -> Actor<'_> {
        Actor { by, reason: "clean roof", at: "2026-11-22T08:00:00Z".parse().unwrap() }
    }

    fn grey(level: u8) -> Picture {
        Picture::from_rgb(32, 24, &[level; 32 * 24 * 3]).unwrap()
    }

    /// The view at an instant, proposed and approved.
    fn approved(shelf: &Shelf, level: u8, captured_at: &str) -> String {
        shelf.keep_latest(&grey(level), captured_at.parse().unwrap()).unwrap();
        let id = shelf.propose(actor("li"), None).unwrap();
        shelf.approve(&id, actor("wang")).unwrap();
        id
    }

    #[test]
    fn nothing_is_compared_with_until_a_person_approved_it() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = shelf(dir.path());
        let noon: Timestamp = "2026-11-22T04:00:00Z".parse().unwrap();
        assert!(matches!(shelf.propose(actor("li"), None), Err(BaselineError::NoCandidate)));
        shelf.keep_latest(&grey(90), noon).unwrap();
        assert!(shelf.nearest(noon).unwrap().is_none());
        let id = shelf.propose(actor("li"), None).unwrap();
        assert!(shelf.nearest(noon).unwrap().is_none());
        assert!(matches!(shelf.propose(actor("li"), None), Err(BaselineError::AlreadyProposed(_))));
        assert!(matches!(shelf.approve(&id, actor(" ")), Err(BaselineError::Nobody(Act::Approved))));
        shelf.approve(&id, actor("wang")).unwrap();
        let baseline = shelf.nearest(noon).unwrap().unwrap();
        assert_eq!((baseline.id.as_str(), baseline.standing), (id.as_str(), Standing::InForce));
        assert_eq!(shelf.picture(&baseline).unwrap().width(), 32);
        let history: Vec<_> = shelf.history().unwrap().into_iter().map(|e| (e.by, e.act)).collect();
        assert_eq!(history, [("li".to_owned(), Act::Proposed), ("wang".to_owned(), Act::Approved)]);
        shelf.reject(&id, actor("wang")).unwrap();
        assert!(shelf.nearest(noon).unwrap().is_none());
        assert_eq!(shelf.history().unwrap().len(), 3);
    }

    #[test]
    fn the_nearest_in_time_of_day_and_season_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = shelf(dir.path());
        // Local time is eight hours ahead.
        let noon = approved(&shelf, 120, "2026-11-22T04:00:00Z");
        let night = approved(&shelf, 20, "2026-11-22T15:00:00Z");
        let summer = approved(&shelf, 140, "2026-07-01T04:00:00Z");
        let taken = |at: &str| shelf.nearest(at.parse().unwrap()).unwrap().unwrap().id;
        assert_eq!(taken("2027-01-10T03:00:00Z"), noon);
        assert_eq!(taken("2027-01-10T17:30:00Z"), night);
        assert_eq!(taken("2027-06-10T05:00:00Z"), summer);
        let newer = approved(&shelf, 121, "2026-12-02T04:30:00Z");
        let standing =
            |id: &str| shelf.baselines().unwrap().into_iter().find(|b| b.id == id).unwrap().standing;
        // Autumn's noon stays; December is winter.
        assert_eq!((standing(&noon), standing(&newer)), (Standing::InForce, Standing::InForce));
        let again = approved(&shelf, 122, "2026-12-05T04:30:00Z");
        assert_eq!((standing(&newer), standing(&again)), (Standing::Replaced, Standing::InForce));
    }

    #[test]
    fn a_picture_that_was_changed_on_disk_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = shelf(dir.path());
        let id = approved(&shelf, 120, "2026-11-22T04:00:00Z");
        fs::write(shelf.picture_path(&id), encode_jpeg(&grey(10), QUALITY).unwrap()).unwrap();
        let baseline = shelf.baselines().unwrap().remove(0);
        assert!(matches!(shelf.picture(&baseline), Err(BaselineError::Altered { .. })));
        fs::write(dir.path().join("dome/roof/log.jsonl"), "{}\n").unwrap();
        assert!(matches!(shelf.history(), Err(BaselineError::Line { line: 1, .. })));
    }

    #[test]
    fn who_asks_for_what_is_not_there_is_told_what_is() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = shelf(dir.path());
        shelf.keep_latest(&grey(90), "2026-11-22T04:00:00Z".parse().unwrap()).unwrap();
        let id = shelf.propose(actor("li"), None).unwrap();
        let error = shelf.approve("x", actor("li")).unwrap_err().to_string();
        assert!(error.contains("\"x\"") && error.contains("approved") && error.contains(&id), "{error}");
    }
}
