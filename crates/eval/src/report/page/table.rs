//! The one table that all parts share: figures down, subjects across; under each figure its interval and its difference
//! to the first subject.

use maud::{Markup, html};

use super::{Section, View, both, dataset_title, label, origin_name, subject_name};
use crate::report::Origin;
use crate::report::catalogue::{self, Better, Known, Text, Unit, text};

/// Rows under one heading.
pub(super) struct Group<'a> {
    pub(super) head: Option<Markup>,
    pub(super) rows: Vec<Row<'a>>,
}

/// One figure on one dataset.
pub(super) struct Row<'a> {
    pub(super) head: Markup,
    pub(super) dataset: usize,
    pub(super) figure: &'a str,
}

/// The heading of a row: name of the figure, and which way is better where that is down.
pub(super) fn figure_head(known: &Known) -> Markup {
    html! {
        span title=(known.name) { (both(known.label)) }
        @if known.better == Better::Lower { " " span.lower { "↓" } }
    }
}

/// Rows of the figures `names` on `dataset`; a class or kind is the heading itself.
pub(super) fn rows<'a>(dataset: usize, names: impl IntoIterator<Item = &'a str>) -> Vec<Row<'a>> {
    (names.into_iter())
        .map(|figure| {
            let head = match catalogue::split(figure) {
                Some((_, Some(class))) => label(class),
                Some((known, None)) => figure_head(known),
                None => html! { code { (figure) } },
            };
            Row { head, dataset, figure }
        })
        .collect()
}

/// The table; subjects that were measured on none of its datasets have no column.
pub(super) fn figure_table(view: &View<'_>, caption: &Markup, groups: &[Group<'_>]) -> Markup {
    let all_rows = || groups.iter().flat_map(|group| &group.rows);
    let columns: Vec<usize> = (0..view.report.subjects.len())
        .filter(|subject| all_rows().any(|row| view.result(*subject, row.dataset).is_some()))
        .collect();
    html! {
        div.scroll tabindex="0" role="group" {
            table.figures {
                caption { (caption) }
                thead {
                    tr {
                        th scope="col" { (both(text("Figure", "指标"))) }
                        @for subject in &columns { th scope="col" { (subject_name(view, *subject)) } }
                    }
                }
                @for group in groups {
                    tbody {
                        @if let Some(head) = &group.head {
                            tr.group { th scope="rowgroup" colspan=(columns.len() + 1) { (head) } }
                        }
                        @for row in &group.rows {
                            tr {
                                th scope="row" { (row.head) }
                                @for subject in &columns { (cell(view, *subject, row)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Figure, interval, difference. A dash where the figure is not defined, nothing where it was not measured.
fn cell(view: &View<'_>, subject: usize, row: &Row<'_>) -> Markup {
    let (unit, better) = catalogue::split(row.figure)
        .map_or((Unit::Plain, Better::Neither), |(known, _)| (known.unit, known.better));
    let figure = view.result(subject, row.dataset).and_then(|result| result.figures.get(row.figure));
    let Some(figure) = figure else {
        return html! { td.absent {} };
    };
    let value = figure.value.filter(|value| value.is_finite());
    html! {
        td {
            span.value { (catalogue::number(value, unit)) @if value.is_some() { (catalogue::suffix(unit)) } }
            @if value.is_some() {
                @if let Some(interval) = catalogue::interval(figure, unit) { " " small.interval { (interval) } }
            }
            (difference(view, subject, row, unit, better))
        }
    }
}

fn difference(view: &View<'_>, subject: usize, row: &Row<'_>, unit: Unit, better: Better) -> Markup {
    let comparison = view.comparisons.get(&(subject, row.dataset, row.figure));
    let Some((comparison, value)) = comparison.and_then(|it| Some((it, it.difference.value?))) else {
        return html! {};
    };
    if !value.is_finite() {
        return html! {};
    }
    let p_value = comparison.p_value.filter(|p| p.is_finite());
    let significant = p_value.is_some_and(|p| p < 0.05);
    let verdict = match better {
        _ if !significant || value == 0.0 => "",
        Better::Neither => "",
        Better::Higher if value > 0.0 => "better",
        Better::Lower if value < 0.0 => "better",
        Better::Higher | Better::Lower => "worse",
    };
    html! {
        span.difference title=[p_value.map(|p| format!("p = {p:.3}"))] {
            span class=(verdict) {
                (catalogue::difference(Some(value), unit))
                @if significant { span.star { "*" } }
            }
            @if let Some(interval) = catalogue::interval(&comparison.difference, unit) {
                " " small.interval { (interval) }
            }
        }
    }
}

/// What the table's small print means.
pub(super) const READING: Text = text(
    "Figure, 95 % interval; below it the difference to subject 1 with its interval; * p < 0.05 (green better, red worse). ↓ less is better. — not defined. Empty: not measured.",
    "数值及 95 % 区间；下方为与对象 1 之差及其区间；* 表示 p < 0.05（绿色更好，红色更差）。↓ 越小越好。— 无定义。空白：未测。",
);

/// A part that is tables alone: one for each origin, a group of rows for each dataset.
pub(super) fn section(view: &View<'_>, part: &'static str, title: Text) -> Option<Section> {
    let datasets = view.datasets_of(part);
    if datasets.is_empty() {
        return None;
    }
    let body = html! {
        p.note { (both(READING)) }
        @for origin in [Origin::Real, Origin::Composite, Origin::Rendered] {
            @let groups: Vec<Group<'_>> = datasets.iter().filter(|(_, facts)| facts.origin == origin)
                .map(|(dataset, facts)| Group {
                    head: Some(dataset_title(facts)),
                    rows: rows(*dataset, view.figures(*dataset, part)),
                })
                .collect();
            @if !groups.is_empty() { (figure_table(view, &both(origin_name(origin)), &groups)) }
        }
    };
    Some(Section { id: part, title, parts: Vec::new(), body })
}
