//! The top of the page: what it is, what went wrong, and the headline of each part.

use maud::{Markup, html};

use super::table::{self, Group, Row};
use super::{Section, TITLE, View, both, dataset_title, origin_name, subject_name};
use crate::report::Origin;
use crate::report::catalogue::{self, text};

/// Title, when, what, on which machine, and each subject with its settings.
pub(super) fn header(view: &View<'_>) -> Markup {
    let report = view.report;
    let count = |origin| report.datasets.iter().filter(|facts| facts.origin == origin).count();
    html! {
        header {
            h1 { (both(TITLE)) }
            p.lead {
                time datetime=(report.finished_at) { (report.finished_at) }
                " · Parapet " (report.provenance.parapet)
                " · " (report.subjects.len()) " " (both(text("subjects", "个评测对象")))
                @for origin in [Origin::Real, Origin::Composite, Origin::Rendered] {
                    @if count(origin) > 0 {
                        " · " (count(origin)) " " (both(sets_name(origin)))
                    }
                }
            }
            p.machine { (report.provenance.machine) }
            pre tabindex="0" { code { (report.provenance.command) } }
            div.scroll tabindex="0" role="group" {
                table.subjects {
                    thead { tr {
                        th scope="col" { (both(text("Subject", "评测对象"))) }
                        th scope="col" { (both(text("Settings", "设置"))) }
                        th scope="col" { (both(text("Weights (sha256)", "权重（sha256）"))) }
                    } }
                    tbody {
                        @for (index, subject) in report.subjects.iter().enumerate() {
                            tr {
                                th scope="row" { (subject_name(view, index)) }
                                td { @for (name, value) in &subject.settings { span.setting { (name) ": " b { (value) } } " " } }
                                td {
                                    @match &subject.weights_sha256 {
                                        Some(hash) => code title=(hash) { (hash.chars().take(12).collect::<String>()) "…" },
                                        None => (both(text("recorded findings", "已记录的结果"))),
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

const fn sets_name(origin: Origin) -> catalogue::Text {
    match origin {
        Origin::Real => text("real sets", "个真实数据集"),
        Origin::Composite => text("composited sets", "个合成数据集（抠图）"),
        Origin::Rendered => text("rendered sets", "个合成数据集（渲染）"),
    }
}

/// What could not be read or scored.
pub(super) fn problems(view: &View<'_>) -> Option<Section> {
    let problems = &view.report.problems;
    let body = html! {
        div.problems {
            p {
                strong { (problems.len()) " " (both(text("could not be read or scored; the figures below are without them.", "项无法读取或评分；以下数值未包含这些内容。"))) }
            }
            ol {
                @for problem in problems {
                    li {
                        code { (problem.place) }
                        p { (problem.what) }
                        @if !problem.hint.is_empty() { p.hint { (both(text("Hint: ", "提示："))) (problem.hint) } }
                    }
                }
            }
        }
    };
    (!problems.is_empty()).then(|| Section {
        id: "problems",
        title: text("Problems", "问题"),
        parts: Vec::new(),
        body,
    })
}

/// The figures that stand for their part.
const HEADLINES: [&str; 10] = [
    "detection.ap50",
    "detection.ap",
    "tracking.hota",
    "tracking.idf1",
    "incident.f1",
    "incident.delay_p95_seconds",
    "incident.false_alarms_per_camera_day",
    "change.pixel_f1",
    "change.object_f1",
    "speed.real_time_factor",
];

/// Subjects across, datasets down, a table for each origin.
pub(super) fn summary(view: &View<'_>) -> Option<Section> {
    let datasets = view.datasets(|_| true);
    if datasets.is_empty() {
        return None;
    }
    let tables = [Origin::Real, Origin::Composite, Origin::Rendered].into_iter().filter_map(|origin| {
        let of_origin = datasets.iter().filter(|(_, facts)| facts.origin == origin);
        let groups: Vec<Group<'_>> = of_origin
            .map(|(dataset, facts)| Group {
                head: Some(dataset_title(facts)),
                rows: (HEADLINES.into_iter())
                    .filter(|name| view.results_on(*dataset).any(|(_, it)| it.figures.contains_key(*name)))
                    .filter_map(|name| {
                        let known = catalogue::named(name)?;
                        let head = html! { (both(part_name(name))) " " (table::figure_head(known)) };
                        Some(Row { head, dataset: *dataset, figure: name })
                    })
                    .collect(),
            })
            .filter(|group| !group.rows.is_empty())
            .collect();
        (!groups.is_empty()).then(|| table::figure_table(view, &both(origin_name(origin)), &groups))
    });
    let body = html! {
        p.note { (both(table::READING)) }
        p.note { (both(text(
            "Sets of real recordings, composited and rendered sets are never mixed: no figure here is a mean over them.",
            "真实素材、抠图合成与渲染数据从不混合：此处没有任何跨来源的平均值。",
        ))) }
        @for table in tables { (table) }
    };
    Some(Section { id: "summary", title: text("Summary", "总览"), parts: Vec::new(), body })
}

fn part_name(figure: &str) -> catalogue::Text {
    match figure.split('.').next() {
        Some("detection") => text("Detection", "检测"),
        Some("tracking") => text("Tracking", "跟踪"),
        Some("incident") => text("Incidents", "事件"),
        Some("change") => text("Change", "变化"),
        _ => text("Speed", "速度"),
    }
}
