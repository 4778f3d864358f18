//! Incidents, dataset by dataset: the table overall and by kind, and misses against false alarms.

use maud::{Markup, html};

use super::chart::{self, Frame, Line, Scale};
use super::detection::line_key;
use super::table::{self, Group, Row};
use super::{Section, View, both, dataset_title, label};
use crate::report::catalogue::{self, text};

pub(super) fn section(view: &View<'_>) -> Option<Section> {
    let datasets = view.datasets(|it| {
        it.figures.keys().any(|name| super::in_part(name, "incident")) || !it.miss_curve.is_empty()
    });
    if datasets.is_empty() {
        return None;
    }
    let parts =
        datasets.iter().map(|(index, facts)| (format!("incident-{index}"), dataset_title(facts))).collect();
    let body = html! {
        p.note { (both(table::READING)) }
        @for (dataset, facts) in &datasets {
            article id={ "incident-" (dataset) } {
                h3 { (dataset_title(facts)) }
                (figures(view, *dataset))
                (miss_curve(view, *dataset))
            }
        }
    };
    Some(Section { id: "incident", title: text("Incidents", "事件"), parts, body })
}

fn figures(view: &View<'_>, dataset: usize) -> Markup {
    let names = view.figures(dataset, "incident");
    let mut groups: Vec<(Option<&str>, Group<'_>)> = Vec::new();
    for figure in names {
        let Some((known, kind)) = catalogue::split(figure) else { continue };
        let row = Row { head: table::figure_head(known), dataset, figure };
        if let Some((_, group)) = groups.iter_mut().find(|(of, _)| *of == kind) {
            group.rows.push(row);
        } else {
            let head = kind.map_or_else(|| both(text("All kinds", "全部类型")), label);
            groups.push((kind, Group { head: Some(head), rows: vec![row] }));
        }
    }
    groups.sort_by_key(|(kind, _)| *kind);
    let groups: Vec<Group<'_>> = groups.into_iter().map(|(_, group)| group).collect();
    html! {
        @if !groups.is_empty() {
            (table::figure_table(view, &both(text("All kinds, then kind by kind", "全部类型，其后为各类型")), &groups))
        }
    }
}

fn miss_curve(view: &View<'_>, dataset: usize) -> Markup {
    let curves: Vec<Line> = (view.results_on(dataset))
        .filter(|(_, result)| !result.miss_curve.is_empty())
        .map(|(subject, result)| Line {
            subject,
            points: result
                .miss_curve
                .iter()
                .map(|at| (at.false_alarms_per_camera_day, at.miss_rate))
                .collect(),
            mark: None,
        })
        .collect();
    let most = curves.iter().flat_map(|line| &line.points).map(|(alarms, _)| *alarms);
    let most = most.filter(|alarms| alarms.is_finite()).fold(1.0, f64::max);
    let scale = Scale::Decades { from: -1, to: (most.log10().ceil() as i32).clamp(1, 6) };
    let frame = Frame {
        title: text("Share of true incidents missed", "真实事件漏报率"),
        x: (text("false alarms per camera-day", "误报／摄像机·天"), scale),
        y: (text("missed", "漏报率"), Scale::Unit),
    };
    html! {
        @if !curves.is_empty() {
            h4 { (both(text("Misses against false alarms, over the score threshold", "漏报与误报随分数阈值的变化"))) }
            (line_key(view, dataset))
            div.charts.wide { (chart::lines(&frame, &curves)) }
        }
    }
}
