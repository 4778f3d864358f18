//! What operators say about incidents, as figures: labelled event sets in, precision with intervals out, as JSON and as a
//! page. The sets hold what was raised and judged; what was missed is not in them, so nothing here is a recall.

pub mod figures;
mod page;
pub mod reader;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use jiff::tz::{TimeZone, TimeZoneDatabase};
use parapet_core::{IncidentId, JudgedIncident};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    dataset::{Fault, Problems, reader::text_of},
    report::ReportProblem,
};
pub use figures::{Figures, Scope};
pub use page::page;

/// Version of the JSON; readers refuse another.
pub const VERSION: u32 = 1;

/// Figures of verdicts, and what they were made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerdictReport {
    /// [`VERSION`].
    pub version: u32,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// Version of Parapet.
    pub parapet: String,
    /// The time zone of the hours.
    pub time_zone: String,
    /// The labelled event sets.
    pub files: Vec<FileFacts>,
    /// Lines about incidents that other lines are about, too: of those the latest verdict counts.
    pub repeated: usize,
    /// The figures.
    pub figures: Figures,
    /// What could not be read.
    pub problems: Vec<ReportProblem>,
}

/// A labelled event set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Its path.
    pub file: String,
    /// Of its bytes; none if it could not be read.
    pub sha256: Option<String>,
    /// Lines below the header.
    pub lines: usize,
    /// Those of them that could be read.
    pub read: usize,
}

/// How to score.
#[derive(Debug, Clone)]
pub struct ScoreOptions {
    /// Which verdicts count.
    pub scope: Scope,
    /// Name of the scope's time zone, for people.
    pub time_zone: String,
    /// What the clock says, RFC 3339.
    pub now: String,
}

/// There is no such time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone \"{0}\"; hint: an IANA name such as \"Asia/Shanghai\" or \"UTC\"")]
pub struct UnknownTimeZone(pub String);

/// A time zone by its IANA name, out of the database inside the program.
///
/// # Errors
/// When there is none of this name.
pub fn time_zone(name: &str) -> Result<TimeZone, UnknownTimeZone> {
    TimeZoneDatabase::bundled().get(name).map_err(|_| UnknownTimeZone(name.to_owned()))
}

/// Reads labelled event sets and scores what is in them. What cannot be read is among the problems. An incident that is in
/// several sets, or in one several times, counts once: with the verdict that was given last.
pub fn score(files: &[PathBuf], options: &ScoreOptions) -> VerdictReport {
    let mut problems = Problems::default();
    let mut facts = Vec::with_capacity(files.len());
    let mut latest: BTreeMap<IncidentId, JudgedIncident> = BTreeMap::new();
    let mut lines = 0;
    for path in files {
        let (bytes, fault) = match fs::read(path) {
            Ok(bytes) => (Some(bytes), None),
            Err(error) => {
                (None, Some(Fault::new(format!("cannot be read: {error}"), "check the path and its rights")))
            }
        };
        if let Some(fault) = fault {
            problems.add(path, None, fault);
        }
        let (judged, of_file) = bytes
            .as_ref()
            .map(|bytes| reader::read(&text_of(bytes), path, &mut problems))
            .unwrap_or_default();
        lines += judged.len();
        facts.push(FileFacts {
            file: path.display().to_string(),
            sha256: bytes.map(|bytes| hex::encode(Sha256::digest(bytes))),
            lines: of_file,
            read: judged.len(),
        });
        for incident in judged {
            let known = latest.get(&incident.incident);
            if known.is_none_or(|known| known.judged_at < incident.judged_at) {
                latest.insert(incident.incident, incident);
            }
        }
    }
    let repeated = lines - latest.len();
    let judged: Vec<JudgedIncident> = latest.into_values().collect();
    VerdictReport {
        version: VERSION,
        made_at: options.now.clone(),
        parapet: env!("CARGO_PKG_VERSION").to_owned(),
        time_zone: options.time_zone.clone(),
        files: facts,
        repeated,
        figures: Figures::of(&judged, &options.scope),
        problems: problems
            .finish()
            .into_iter()
            .map(|problem| ReportProblem { place: problem.place(), what: problem.what, hint: problem.hint })
            .collect(),
    }
}

/// Writes `report.json` and `index.html` into a directory, which is made if it is not there.
///
/// # Errors
/// When a file cannot be written.
pub fn write(report: &VerdictReport, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    fs::write(directory.join("report.json"), serde_json::to_vec_pretty(report)?)?;
    fs::write(directory.join("index.html"), page(report))
}

#[cfg(test)]
pub(crate) mod fixture {
    use parapet_core::{BBox, IncidentId, JudgedIncident, Severity, Verdict};

    /// A dog at the gate of the harbour, judged a minute later.
    pub(crate) fn judged(name: &str, verdict: Verdict, score: f32) -> JudgedIncident {
        JudgedIncident {
            incident: IncidentId::derive(&[name]),
            site: "harbour".parse().unwrap(),
            node: "n1".parse().unwrap(),
            camera: "gate".parse().unwrap(),
            preset: None,
            rule: "dogs".parse().unwrap(),
            kind: "stray_dog".parse().unwrap(),
            zone: None,
            label: None,
            severity: Severity::Medium,
            score,
            since: "2026-11-22T08:00:00Z".parse().unwrap(),
            started_at: "2026-11-22T08:00:10Z".parse().unwrap(),
            ended_at: None,
            bbox: BBox::new(0.1, 0.2, 0.3, 0.4).unwrap(),
            verdict,
            reason: (verdict == Verdict::Dismissed).then(|| "wrong_object".to_owned()),
            judged_at: "2026-11-22T08:01:10Z".parse().unwrap(),
            judged_by: None,
            note: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::{Verdict, verdict::header};

    use super::{fixture::judged, *};

    fn options() -> ScoreOptions {
        ScoreOptions {
            scope: Scope { from: None, to: None, time_zone: TimeZone::UTC },
            time_zone: "UTC".to_owned(),
            now: "2026-11-22T09:00:00Z".to_owned(),
        }
    }

    #[test]
    fn an_incident_of_several_sets_counts_once_with_its_latest_verdict() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, set: &[JudgedIncident]| {
            let path = directory.path().join(name);
            let lines: String = set.iter().map(|incident| incident.line(false)).collect();
            fs::write(&path, header(false) + &lines).unwrap();
            path
        };
        let old = judged("a", Verdict::Dismissed, 0.5);
        let mut new = judged("a", Verdict::Confirmed, 0.5);
        new.judged_at = "2026-11-22T08:30:00Z".parse().unwrap();
        let other = judged("b", Verdict::Dismissed, 0.5);
        let later = write("later.tsv", &[new, other.clone()]);
        let earlier = write("earlier.tsv", &[old, other]);
        for files in [[later.clone(), earlier.clone()], [earlier, later]] {
            let report = score(&files, &options());
            assert_eq!((report.figures.all.confirmed, report.figures.all.dismissed), (1, 1));
            assert_eq!((report.repeated, report.problems.len()), (2, 0));
        }
    }

    #[test]
    fn a_bad_file_and_a_bad_line_are_told_and_the_others_count() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("set.tsv");
        let line = judged("a", Verdict::Confirmed, 0.5).line(false);
        fs::write(&path, header(false) + &line.replace("confirmed", "yes") + &line).unwrap();
        let missing = directory.path().join("missing.tsv");
        let report = score(&[missing, path.clone()], &options());
        assert_eq!(report.figures.all.confirmed, 1);
        assert_eq!(
            (report.files[0].sha256.is_none(), report.files[1].lines, report.files[1].read),
            (true, 2, 1)
        );
        assert_eq!(report.problems.len(), 2);
        assert_eq!(report.problems[1].place, format!("{}:2", path.display()));

        let out = directory.path().join("new/report");
        write(&report, &out).unwrap();
        let json = fs::read(out.join("report.json")).unwrap();
        assert_eq!(serde_json::from_slice::<VerdictReport>(&json).unwrap(), report);
        let page = fs::read_to_string(out.join("index.html")).unwrap();
        assert!(page.contains("set.tsv:2") && page.contains("there is no verdict"), "{page}");
    }

    #[test]
    fn a_time_zone_has_an_iana_name() {
        assert!(time_zone("Asia/Shanghai").is_ok());
        let error = time_zone("Beijing").unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no time zone \"Beijing\"; hint: an IANA name such as \"Asia/Shanghai\" or \"UTC\""
        );
    }
}
