//! What is kept and for how long: by age and by total size, oldest first, never the evidence of an open incident.
//!
//! Layout: `YYYY-MM-DD/INCIDENT/…`. Evidence that was removed leaves an empty file `YYYY-MM-DD/INCIDENT.removed`,
//! so that a page can say "no longer kept" rather than "never was".

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use parapet_core::{IncidentId, Timestamp};

/// Marks are kept this many days after their date.
const MARKS_KEPT_DAYS: i64 = 400;

/// One incident's evidence on disk.
#[derive(Debug)]
struct Kept {
    date: jiff::civil::Date,
    modified: std::time::SystemTime,
    incident: IncidentId,
    dir: PathBuf,
    bytes: u64,
}

/// What a round of retention did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Incidents whose evidence was removed.
    pub(crate) removed: usize,
    /// Bytes that are left.
    pub(crate) bytes: u64,
}

/// Removes evidence older than `max_age_days`, then the oldest until at most `max_bytes` are left.
pub(crate) fn sweep(
    root: &Path,
    now: Timestamp,
    max_age_days: u32,
    max_bytes: u64,
    open: &HashSet<IncidentId>,
) -> io::Result<Swept> {
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut kept = inventory(root, today)?;
    kept.sort_by_key(|k| (k.date, k.modified, k.incident));
    let mut bytes: u64 = kept.iter().map(|k| k.bytes).sum();
    let mut removed = 0;
    for k in kept {
        let age = (today - k.date).get_days();
        let due = i64::from(age) > i64::from(max_age_days) || bytes > max_bytes;
        if due && !open.contains(&k.incident) {
            let mark = k.dir.with_extension("removed");
            // The mark may not fit on a full disk; removing matters more.
            let _ = fs::File::create(&mark);
            fs::remove_dir_all(&k.dir)?;
            let _ = fs::File::create(&mark);
            bytes -= k.bytes;
            removed += 1;
        }
    }
    Ok(Swept { removed, bytes })
}

fn inventory(root: &Path, today: jiff::civil::Date) -> io::Result<Vec<Kept>> {
    let mut kept = Vec::new();
    if !root.exists() {
        return Ok(kept);
    }
    for day in fs::read_dir(root)? {
        let day = day?;
        let name = day.file_name();
        let Some(date) = name.to_str().and_then(|name| name.parse::<jiff::civil::Date>().ok()) else {
            continue;
        };
        let mut left = 0;
        for entry in fs::read_dir(day.path())? {
            let entry = entry?;
            let name = entry.file_name();
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "removed") {
                if i64::from((today - date).get_days()) > MARKS_KEPT_DAYS {
                    fs::remove_file(&path)?;
                } else {
                    left += 1;
                }
                continue;
            }
            left += 1;
            let Some(incident) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            let mut bytes = 0;
            for file in fs::read_dir(&path)? {
                bytes += file?.metadata()?.len();
            }
            kept.push(Kept { date, modified: entry.metadata()?.modified()?, incident, dir: path, bytes });
        }
        if left == 0 {
            fs::remove_dir(day.path())?;
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, date: &str, name: &str, bytes: usize) -> IncidentId {
        let incident = IncidentId::derive(&[name]);
        let dir = root.join(date).join(incident.to_string());
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("snapshot.jpg"), vec![0; bytes]).unwrap();
        incident
    }

    #[test]
    fn the_old_go_first_and_what_is_open_stays() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let ancient = put(root, "2026-08-01", "ancient", 10);
        let open = put(root, "2026-08-02", "open", 1000);
        let older = put(root, "2026-11-20", "older", 600);
        let newer = put(root, "2026-11-21", "newer", 600);
        let now = "2026-11-22T08:00:00Z".parse().unwrap();
        let swept = sweep(root, now, 30, 1700, &HashSet::from([open])).unwrap();
        assert_eq!(swept, Swept { removed: 2, bytes: 1600 });
        let exists = |date: &str, id: IncidentId| root.join(date).join(id.to_string()).exists();
        assert!(!exists("2026-08-01", ancient) && !exists("2026-11-20", older));
        assert!(exists("2026-08-02", open) && exists("2026-11-21", newer));
        assert!(root.join("2026-11-20").join(format!("{older}.removed")).exists());
        assert_eq!(sweep(root, now, 30, 1700, &HashSet::from([open])).unwrap().removed, 0);
    }
}
