//! The report as Markdown tables, for a file in a repository. One table for each group of datasets; pictures, curves and
//! timelines are on the page only.

use std::fmt::Write as _;

use super::catalogue::{self, Unit};
use super::{DatasetFacts, Origin, Report, SetResult};

/// A class gets a column of its own up to so many classes.
const MAX_CLASS_COLUMNS: usize = 8;

/// The tables of `report`, with command and provenance on top. Figures are × 100 where they are shares; a difference to
/// the first subject with p < 0.05 is marked `▲` or `▼` by its sign.
pub fn summary(report: &Report) -> String {
    let mut out = String::new();
    provenance(&mut out, report);
    problems(&mut out, report);
    for part in ["detection", "tracking", "incident", "change", "speed"] {
        for origin in [Origin::Real, Origin::Composite, Origin::Rendered] {
            group(&mut out, report, part, origin);
        }
    }
    facts(&mut out, report);
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn provenance(out: &mut String, report: &Report) {
    let it = &report.provenance;
    let _ = writeln!(out, "`{}`\n", it.command.replace('`', "'").replace(['\n', '\r'], " "));
    let libraries: Vec<String> =
        it.libraries.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let _ = write!(out, "{}, Parapet {}", plain(&report.finished_at), plain(&it.parapet));
    for library in libraries {
        let _ = write!(out, ", {}", plain(&library));
    }
    let _ = writeln!(out, "; {}.", plain(&it.machine));
    let _ = writeln!(
        out,
        "Shares × 100; in brackets the 95 % interval (bootstrap, {} resamples, seed {}); ▲▼ higher or lower than the first subject with p < 0.05; — not defined.\n",
        it.resamples, it.seed
    );
}

fn problems(out: &mut String, report: &Report) {
    if report.problems.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "**{} could not be read or scored**; the figures are without them:\n",
        report.problems.len()
    );
    for problem in &report.problems {
        let _ = writeln!(out, "- {}: {}", plain(&problem.place), plain(&problem.what));
    }
    out.push('\n');
}

/// All datasets of one part and origin, each with its table.
fn group(out: &mut String, report: &Report, part: &str, origin: Origin) {
    let mut headed = false;
    for (dataset, facts) in report.datasets.iter().enumerate().filter(|(_, facts)| facts.origin == origin) {
        let mut results: Vec<&SetResult> = (report.results.iter())
            .filter(|result| result.dataset == dataset && result.figures.keys().any(|name| is_of(name, part)))
            .collect();
        results.sort_by_key(|result| result.subject);
        let columns = columns(part, &results);
        if columns.is_empty() {
            continue;
        }
        if !headed {
            let _ = writeln!(out, "## {}\n", heading(part, origin));
            headed = true;
        }
        table(out, report, facts, &results, &columns);
    }
}

fn is_of(name: &str, part: &str) -> bool {
    name.strip_prefix(part).is_some_and(|rest| rest.starts_with('.'))
}

fn heading(part: &str, origin: Origin) -> String {
    let part = match part {
        "detection" => "Detection",
        "tracking" => "Tracking",
        "incident" => "Incidents",
        "change" => "Change",
        _ => "Speed",
    };
    let origin = match origin {
        Origin::Real => "real recordings",
        Origin::Composite => "synthetic (composited)",
        Origin::Rendered => "synthetic (rendered)",
    };
    format!("{part}: {origin}")
}

/// Dotted names of the figures that get a column: the part's own, then its classes or kinds where they are few.
fn columns(part: &str, results: &[&SetResult]) -> Vec<String> {
    let has = |name: &str| results.iter().any(|result| result.figures.contains_key(name));
    let (overall, by_class): (&[&str], &str) = match part {
        "detection" => (
            &[
                "ap50",
                "ap",
                "ap75",
                "ap_small",
                "ap_medium",
                "ap_large",
                "precision",
                "recall",
                "f1",
                "threshold",
            ],
            "detection.ap50.",
        ),
        "tracking" => (&["hota", "deta", "assa", "mota", "idf1", "id_switches"], ""),
        "incident" => (
            &[
                "f1",
                "f1_ilids",
                "precision",
                "recall",
                "delay_p50_seconds",
                "delay_p95_seconds",
                "false_alarms_per_camera_day",
                "duplicates_per_truth",
                "truths",
                "found",
                "matched",
            ],
            "incident.f1.",
        ),
        "change" => (&["pixel_f1", "pixel_iou", "pixel_precision", "pixel_recall", "object_f1"], ""),
        _ => (
            &[
                "real_time_factor",
                "cpu_seconds_per_video_second",
                "step_p50_seconds",
                "step_p95_seconds",
                "step_p99_seconds",
                "peak_memory_megabytes",
                "images_per_second",
            ],
            "",
        ),
    };
    let mut columns: Vec<String> =
        overall.iter().map(|figure| format!("{part}.{figure}")).filter(|name| has(name)).collect();
    if !by_class.is_empty() {
        let mut classes: Vec<&String> = results
            .iter()
            .flat_map(|it| it.figures.keys())
            .filter(|name| name.starts_with(by_class))
            .collect();
        classes.sort();
        classes.dedup();
        if classes.len() <= MAX_CLASS_COLUMNS {
            columns.extend(classes.into_iter().cloned());
        }
    }
    columns
}

fn table(
    out: &mut String,
    report: &Report,
    facts: &DatasetFacts,
    results: &[&SetResult],
    columns: &[String],
) {
    let title = if facts.title.is_empty() { &facts.name } else { &facts.title };
    let size = match facts.sequences {
        0 => format!("{} pictures", facts.images),
        sequences => format!("{} pictures, {sequences} sequences", facts.images),
    };
    let _ = writeln!(out, "**{}** ({size})\n", plain(title));
    let heads: Vec<String> = columns.iter().map(|name| column_head(name)).collect();
    line(out, &format!("| subject | {} |", heads.join(" | ")));
    line(out, &format!("|---|{}", "---|".repeat(columns.len())));
    for result in results {
        let Some(subject) = report.subjects.get(result.subject) else { continue };
        let cells: Vec<String> = columns.iter().map(|name| cell(report, result, name)).collect();
        line(out, &format!("| {} | {} |", plain(&subject.name), cells.join(" | ")));
    }
    out.push('\n');
}

fn column_head(name: &str) -> String {
    match catalogue::split(name) {
        Some((known, None)) => plain(known.label.en),
        Some((known, Some(class))) => format!("{} {}", plain(known.label.en), plain(class)),
        None => plain(name),
    }
}

fn cell(report: &Report, result: &SetResult, name: &str) -> String {
    let Some(figure) = result.figures.get(name) else { return String::new() };
    let unit = catalogue::split(name).map_or(Unit::Plain, |(known, _)| known.unit);
    let value = figure.value.filter(|value| value.is_finite());
    let mut text = catalogue::number(value, unit);
    if value.is_none() {
        return text;
    }
    text.push_str(catalogue::suffix(unit));
    if let Some(interval) = catalogue::interval(figure, unit) {
        let _ = write!(text, " ({interval})");
    }
    let comparison = (report.comparisons.iter())
        .find(|it| (it.subject, it.dataset, it.figure.as_str()) == (result.subject, result.dataset, name));
    let significant = comparison.filter(|it| it.p_value.is_some_and(|p| p < 0.05));
    match significant.and_then(|it| it.difference.value) {
        Some(difference) if difference > 0.0 => text.push_str(" ▲"),
        Some(difference) if difference < 0.0 => text.push_str(" ▼"),
        _ => {}
    }
    text
}

fn facts(out: &mut String, report: &Report) {
    line(out, "## Datasets\n");
    line(out, "| dataset | origin | licence | pictures | sequences | labelled | sha256 |");
    line(out, "|---|---|---|---|---|---|---|");
    for facts in &report.datasets {
        let origin = match facts.origin {
            Origin::Real => "real",
            Origin::Composite => "synthetic (composited)",
            Origin::Rendered => "synthetic (rendered)",
        };
        let labelled = match facts.labelled.len() {
            many if many > 12 => format!("{many} classes"),
            _ => facts.labelled.join(", "),
        };
        let hash: String = facts.sha256.chars().take(12).collect();
        let _ = writeln!(
            out,
            "| {} | {origin} | {} | {} | {} | {} | `{}` |",
            plain(&facts.name),
            plain(&facts.licence),
            facts.images,
            facts.sequences,
            plain(&labelled),
            plain(&hash)
        );
    }
}

/// Text that stays text in a table of Markdown.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '|' | '`' | '*' | '[' | ']' | '\\' => out.extend(['\\', letter]),
            _ => out.push(letter),
        }
    }
    out
}
