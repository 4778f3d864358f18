//! `parapet verdicts`: what operators said about incidents, out of a store and into figures.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use jiff::tz::TimeZone;
use parapet_core::{CameraId, Clock, KindCode, NodeId, SiteId, SystemClock, Timestamp, verdict};
use parapet_eval::verdict::{Scope, ScoreOptions, score, time_zone, write};
use parapet_store::{Store, StoreError, VerdictQuery};

use crate::failure::Mistake;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Write the verdicts of a store as a labelled event set.
    Export(Export),
    /// Score labelled event sets: precision by kind, rule, camera, hour and score.
    Score(Score),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// Address of the store, `sqlite://PATH` or `postgres://USER@HOST/DATABASE`.
    #[arg(long, env = "PARAPET_STORE", hide_env_values = true, value_name = "URL")]
    store: String,
    #[command(flatten)]
    span: Span,
    /// On incidents of this kind only.
    #[arg(long, value_name = "CODE")]
    kind: Option<KindCode>,
    /// At this site only.
    #[arg(long, value_name = "ID")]
    site: Option<SiteId>,
    /// Of this node only.
    #[arg(long, value_name = "ID")]
    node: Option<NodeId>,
    /// Seen by this camera only.
    #[arg(long, value_name = "ID")]
    camera: Option<CameraId>,
    /// Add who judged, and in which words; both may name people.
    #[arg(long)]
    with_names: bool,
    /// Where the set goes; to standard output without it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Score {
    /// Labelled event sets; an incident that is in several counts once, with its latest verdict.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where the report goes: index.html and report.json.
    #[arg(long, value_name = "DIR")]
    report: PathBuf,
    /// Time zone of the hours of the day, an IANA name; the machine's without it.
    #[arg(long, value_name = "NAME")]
    time_zone: Option<String>,
    #[command(flatten)]
    span: Span,
}

/// When incidents started. With both ends, false alarms for each camera and day are told, too.
#[derive(Debug, clap::Args)]
struct Span {
    /// Incidents that started at or after, as 2026-11-22T00:00:00+08:00.
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Incidents that started before.
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
}

impl Span {
    fn check(&self) -> Result<(), Mistake> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => {
                Err(Mistake(format!("--to {to} is not after --from {from}; hint: exchange them")))
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Export(options) => super::block_on(run_export(options)),
        Command::Score(options) => run_score(&options),
    }
}

async fn run_export(options: Export) -> anyhow::Result<()> {
    options.span.check()?;
    let store = Store::open_existing(&options.store).await.map_err(|error| match error {
        StoreError::UnknownAddress(_) => Mistake(error.to_string()).into(),
        error => anyhow::Error::new(error),
    })?;
    let query = VerdictQuery {
        kind: options.kind,
        site: options.site,
        node: options.node,
        camera: options.camera,
        from: options.span.from,
        to: options.span.to,
        names: options.with_names,
        ..VerdictQuery::default()
    };
    let verdicts = match &options.out {
        None => export(&store, query, &mut std::io::stdout().lock()).await?,
        Some(path) => export_file(&store, query, path).await?,
    };
    store.close().await;
    tracing::info!(verdicts, "labelled event set written");
    Ok(())
}

/// A set that broke off never has the name of a whole one.
async fn export_file(store: &Store, query: VerdictQuery, path: &Path) -> anyhow::Result<usize> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let cannot = || format!("cannot write {}", path.display());
    let mut file = BufWriter::new(File::create(&part).with_context(cannot)?);
    let verdicts = export(store, query, &mut file).await?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(cannot)?;
    std::fs::rename(&part, path).with_context(cannot)?;
    Ok(verdicts)
}

/// Writes a set; how many verdicts are in it.
async fn export(store: &Store, mut query: VerdictQuery, out: &mut impl Write) -> anyhow::Result<usize> {
    let mut verdicts = 0;
    out.write_all(verdict::header(query.names).as_bytes()).context("cannot write the set")?;
    loop {
        let page = store.verdicts(&query).await?;
        for judged in &page.verdicts {
            out.write_all(judged.line(query.names).as_bytes()).context("cannot write the set")?;
        }
        verdicts += page.verdicts.len();
        query.cursor = page.next;
        if query.cursor.is_none() {
            out.flush().context("cannot write the set")?;
            return Ok(verdicts);
        }
    }
}

fn run_score(options: &Score) -> anyhow::Result<()> {
    options.span.check()?;
    let zone = match &options.time_zone {
        Some(name) => time_zone(name).map_err(|e| Mistake(e.to_string()))?,
        None => TimeZone::system(),
    };
    let how = ScoreOptions {
        time_zone: zone.iana_name().map_or_else(|| "the machine's".to_owned(), str::to_owned),
        scope: Scope { from: options.span.from, to: options.span.to, time_zone: zone },
        now: SystemClock::new().now().to_string(),
    };
    let report = score(&options.files, &how);
    write(&report, &options.report)
        .with_context(|| format!("cannot write the report to {}", options.report.display()))?;
    for problem in &report.problems {
        tracing::error!(place = problem.place, hint = problem.hint, "{}", problem.what);
    }
    let all = &report.figures.all;
    let precision = all.precision.map(|precision| (precision.estimate * 1000.0).round() / 10.0);
    let page = options.report.join("index.html");
    tracing::info!(
        confirmed = all.confirmed,
        dismissed = all.dismissed,
        precision_percent = precision,
        page = %page.display(),
        "report written"
    );
    if report.problems.is_empty() {
        return Ok(());
    }
    Err(Mistake(format!(
        "{} things could not be read, everything else counts; hint: they are named above and in the report",
        report.problems.len()
    ))
    .into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use parapet_core::{
        BBox, EventId, IncidentEvent, IncidentId, IncidentKind, Phase, RunId, Severity, Status,
    };
    use parapet_eval::verdict::VerdictReport;
    use parapet_store::{EventRecord, StatusChange};

    use super::*;
    use crate::failure::Mistake;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
    }

    fn run_line(arguments: &[&str]) -> anyhow::Result<()> {
        run(Line::try_parse_from(std::iter::once(&"verdicts").chain(arguments))?.command)
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Ten incidents of which seven are confirmed and two dismissed.
    async fn fill(url: &str) {
        let store = Store::open(url).await.unwrap();
        for n in 0..10 {
            let name = n.to_string();
            let event = IncidentEvent {
                event_id: EventId::derive(&[&name]),
                incident_id: IncidentId::derive(&[&name]),
                sequence: 0,
                phase: Phase::Started,
                kind: IncidentKind::StrayDog,
                severity: Severity::Medium,
                camera: "gate".parse().unwrap(),
                preset: None,
                run: RunId::derive(&["run"]),
                rule: "dogs".parse().unwrap(),
                zone: None,
                at: time("2026-11-22T00:00:20Z"),
                since: time("2026-11-22T00:00:10Z"),
                started_at: time("2026-11-22T00:00:20Z"),
                ended_at: None,
                end_reason: None,
                label: None,
                track: None,
                bbox: BBox::new(0.4, 0.4, 0.6, 0.6).unwrap(),
                outline: None,
                count: 1,
                score: 0.8,
                covered: None,
                place: None,
            };
            let record = EventRecord { site: "demo".parse().unwrap(), node: "n1".parse().unwrap(), event };
            store.apply_event(&record, time("2026-11-22T00:00:21Z")).await.unwrap();
            if n > 0 {
                let to = if n > 2 { Status::Confirmed } else { Status::Dismissed };
                let change = StatusChange {
                    to,
                    operator: "li-wei".to_owned(),
                    reason: Some("other: too\tdark".to_owned()),
                    at: time("2026-11-22T00:05:00Z"),
                };
                store.set_status(IncidentId::derive(&[&name]), &change).await.unwrap();
            }
        }
        store.close().await;
    }

    #[test]
    fn verdicts_go_out_of_the_store_and_come_to_figures() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        let url = format!("sqlite://{}", at("center.db"));
        super::super::block_on(async {
            fill(&url).await;
            Ok(())
        })
        .unwrap();
        run_line(&["export", "--store", &url, "--out", &at("all.tsv"), "--with-names"]).unwrap();
        run_line(&["export", "--store", &url, "--out", &at("plain.tsv"), "--camera", "gate"]).unwrap();
        run_line(&["export", "--store", &url, "--out", &at("none.tsv"), "--camera", "yard"]).unwrap();
        let read = |name: &str| std::fs::read_to_string(at(name)).unwrap();
        assert!(read("all.tsv").contains("\tli-wei\ttoo\\tdark\n"));
        assert!(read("plain.tsv").contains("\tother\t") && !read("plain.tsv").contains("li-wei"));
        assert_eq!(read("none.tsv"), verdict::header(false));
        assert!(!directory.path().join("all.tsv.part").exists());

        let span = ["--from", "2026-11-22T00:00:00+08:00", "--to", "2026-11-24T00:00:00+08:00"];
        let mut score = vec!["score"];
        let (files, out) = ([at("all.tsv"), at("plain.tsv"), at("none.tsv")], at("report"));
        score.extend(files.iter().map(String::as_str));
        score.extend(["--report", &out, "--time-zone", "Asia/Shanghai"].into_iter().chain(span));
        run_line(&score).unwrap();
        let report: VerdictReport = serde_json::from_str(&read("report/report.json")).unwrap();
        let figures = &report.figures;
        assert_eq!((figures.all.confirmed, figures.all.dismissed, report.repeated), (7, 2, 9));
        assert_eq!((figures.hours[8].judged(), report.time_zone.as_str()), (9, "Asia/Shanghai"));
        assert_eq!(figures.false_alarms_per_camera_day, Some(1.0));
        assert_eq!(figures.reasons[0].code.as_deref(), Some("other"));
        assert!(read("report/index.html").contains("Asia/Shanghai"));
    }

    #[test]
    fn mistakes_are_the_users_and_make_no_store() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        let url = format!("sqlite://{}", at("absent.db"));
        let absent = run_line(&["export", "--store", &url, "--out", &at("x.tsv")]).unwrap_err();
        assert!(absent.to_string().contains("hint:"), "{absent}");
        assert!(!Path::new(&at("absent.db")).exists() && !Path::new(&at("x.tsv")).exists());
        let span = ["--from", "2026-11-24T00:00:00Z", "--to", "2026-11-22T00:00:00Z"];
        let wrong = [
            vec!["export", "--store", "mysql://x"],
            [vec!["export", "--store", &url], span.to_vec()].concat(),
            vec!["score", "x.tsv", "--report", "r", "--time-zone", "Beijing"],
        ];
        for arguments in wrong {
            let error = run_line(&arguments).unwrap_err();
            assert!(error.is::<Mistake>() && error.to_string().contains("hint:"), "{error}");
        }
        // What cannot be read is the user's mistake, and the report is there all the same.
        std::fs::write(at("bad.tsv"), "nonsense\n").unwrap();
        let error = run_line(&["score", &at("bad.tsv"), "--report", &at("report")]).unwrap_err();
        assert!(error.is::<Mistake>(), "{error}");
        assert!(Path::new(&at("report/index.html")).exists());
    }
}
