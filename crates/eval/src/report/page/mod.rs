//! The report as one HTML file: no script, no outside resource, both languages in it, for the screen (bright and dark),
//! the phone and A4 paper. Charts are inline SVG; what colour says is said by pattern, dash or word as well.

mod chart;
mod detection;
mod exhibit;
mod facts;
mod incident;
mod overview;
mod table;
mod timeline;

use std::collections::HashMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use parapet_core::Language;

use super::catalogue::{self, Text, text};
use super::{Comparison, DatasetFacts, Origin, Report, SetResult};

const STYLE: &str = include_str!("style.css");
/// Nothing is fetched, nothing is run: even a report made by a stranger cannot phone home.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";

/// The page of `report` as HTML. It holds both languages; `language` is the one that it opens in.
pub fn page(report: &Report, language: Language) -> String {
    let view = View::of(report);
    let sections: Vec<Section> = [
        overview::problems(&view),
        overview::summary(&view),
        detection::section(&view),
        table::section(&view, "tracking", text("Tracking", "跟踪")),
        incident::section(&view),
        timeline::section(&view),
        exhibit::section(&view),
        table::section(&view, "change", text("Change", "变化检测")),
        table::section(&view, "speed", text("Speed", "速度")),
        facts::others(&view),
        Some(facts::meanings(&view)),
        facts::datasets(&view),
        Some(facts::provenance(&view)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (tag, other) = match language {
        Language::En => ("en", "zh-CN"),
        Language::ZhCn => ("zh-CN", "en"),
    };
    html! {
        (DOCTYPE)
        html lang=(tag) data-other=(other) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "parapet " (report.provenance.parapet) };
                title { (TITLE.to(language)) " · " (report.finished_at) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { (both(text("Skip to the report", "跳到正文"))) }
                nav.side aria-label=(text("Contents", "目录").to(language)) {
                    (language_switch(language))
                    ol {
                        @for section in &sections {
                            li {
                                a href={ "#" (section.id) } { (both(section.title)) }
                                @if !section.parts.is_empty() {
                                    ol { @for (id, title) in &section.parts { li { a href={ "#" (id) } { (title) } } } }
                                }
                            }
                        }
                    }
                    (subject_key(&view))
                }
                main #main {
                    (overview::header(&view))
                    @for section in &sections {
                        section id=(section.id) { h2 { (both(section.title)) } (section.body) }
                    }
                }
                (timeline::patterns())
            }
        }
    }
    .into_string()
}

const TITLE: Text = text("Parapet evaluation", "Parapet 评测报告");

/// A section of the page, with the parts of it that the navigation names.
struct Section {
    id: &'static str,
    title: Text,
    parts: Vec<(String, Markup)>,
    body: Markup,
}

/// The report with its entries by index.
struct View<'a> {
    report: &'a Report,
    results: HashMap<(usize, usize), &'a SetResult>,
    comparisons: HashMap<(usize, usize, &'a str), &'a Comparison>,
}

impl<'a> View<'a> {
    fn of(report: &'a Report) -> Self {
        let results =
            report.results.iter().map(|result| ((result.subject, result.dataset), result)).collect();
        let comparisons =
            report.comparisons.iter().map(|it| ((it.subject, it.dataset, it.figure.as_str()), it)).collect();
        Self { report, results, comparisons }
    }

    fn result(&self, subject: usize, dataset: usize) -> Option<&'a SetResult> {
        self.results.get(&(subject, dataset)).copied()
    }

    /// What was measured on `dataset`, with the subject's index.
    fn results_on(&self, dataset: usize) -> impl Iterator<Item = (usize, &'a SetResult)> {
        (0..self.report.subjects.len())
            .filter_map(move |subject| Some((subject, self.result(subject, dataset)?)))
    }

    /// Datasets for which `has` holds of a result, real ones first, with their origin apart.
    fn datasets(&self, has: impl Fn(&SetResult) -> bool) -> Vec<(usize, &'a DatasetFacts)> {
        let mut found: Vec<_> = (self.report.datasets.iter().enumerate())
            .filter(|(dataset, _)| self.results_on(*dataset).any(|(_, result)| has(result)))
            .collect();
        found.sort_by_key(|(dataset, facts)| (facts.origin, *dataset));
        found
    }

    /// Datasets with a figure of `part` (`detection`).
    fn datasets_of(&self, part: &str) -> Vec<(usize, &'a DatasetFacts)> {
        self.datasets(|result| result.figures.keys().any(|name| in_part(name, part)))
    }

    /// Names of all figures on `dataset` that belong to `part` and are known, in the order of the catalogue; within a
    /// figure by class.
    fn figures(&self, dataset: usize, part: &str) -> Vec<&'a str> {
        let mut names: Vec<&str> = self
            .results_on(dataset)
            .flat_map(|(_, result)| result.figures.keys())
            .map(String::as_str)
            .collect();
        names.retain(|name| in_part(name, part));
        let rank = |name: &str| {
            let known = catalogue::split(name).map(|(known, _)| known.name);
            catalogue::KNOWN.iter().position(|candidate| Some(candidate.name) == known)
        };
        names.sort_by(|a, b| rank(a).cmp(&rank(b)).then(a.cmp(b)));
        names.dedup();
        names
    }
}

/// Whether the page's table of `part` shows the figure of that name; what no table shows comes under "other figures".
fn in_part(name: &str, part: &str) -> bool {
    catalogue::split(name).is_some_and(|(known, class)| {
        let of_part = known.name.strip_prefix(part).is_some_and(|rest| rest.starts_with('.'));
        let by_class = match part {
            "detection" => matches!(known.name, "detection.ap" | "detection.ap50"),
            "incident" => true,
            _ => false,
        };
        of_part && (class.is_none() || by_class)
    })
}

/// The text in both languages; the style sheet shows one.
fn both(text: Text) -> Markup {
    either(text.en, text.zh)
}

/// Two words for one thing; said once where they are the same.
fn either(en: &str, zh: &str) -> Markup {
    html! { @if en == zh { (en) } @else { span lang="en" { (en) } span lang="zh-CN" { (zh) } } }
}

/// Class or kind in both languages.
fn label(id: &str) -> Markup {
    either(&catalogue::label_name(id, Language::En), &catalogue::label_name(id, Language::ZhCn))
}

/// The dataset's title in both languages, and a mark where its pictures were made.
fn dataset_title(facts: &DatasetFacts) -> Markup {
    let or_name = |title: &str| if title.is_empty() { facts.name.clone() } else { title.to_owned() };
    html! { (either(&or_name(&facts.title), &or_name(&facts.title_zh))) (origin_mark(facts.origin)) }
}

fn origin_mark(origin: Origin) -> Markup {
    html! { @if origin != Origin::Real { " " span.synthetic { (both(origin_name(origin))) } } }
}

const fn origin_name(origin: Origin) -> Text {
    match origin {
        Origin::Real => text("real recordings", "真实素材"),
        Origin::Composite => text("synthetic: composited", "合成数据：抠图合成"),
        Origin::Rendered => text("synthetic: rendered", "合成数据：渲染"),
    }
}

fn language_switch(language: Language) -> Markup {
    html! {
        fieldset.language {
            legend { "Language · 语言" }
            @for (id, name, this) in [("lang-zh", "中文", Language::ZhCn), ("lang-en", "English", Language::En)] {
                input id=(id) type="radio" name="language" autocomplete="off" checked[this == language];
                label for=(id) { (name) }
            }
        }
    }
}

/// Number and line of every subject, as charts draw it.
fn subject_key(view: &View<'_>) -> Markup {
    html! {
        div.key {
            p { (both(text("Subjects", "评测对象"))) }
            ol { @for subject in 0..view.report.subjects.len() { li { (subject_name(view, subject)) } } }
        }
    }
}

/// A subject's line sample, number and name.
fn subject_name(view: &View<'_>, subject: usize) -> Markup {
    html! {
        span.subject {
            (line_sample(subject))
            span.ordinal { (subject + 1) }
            span.name title=(view.report.subjects[subject].name) { (view.report.subjects[subject].name) }
        }
    }
}

fn line_sample(subject: usize) -> Markup {
    html! {
        svg.sample width="28" height="8" viewBox="0 0 28 8" aria-hidden="true" {
            line.(line_class(subject)) x1="1" x2="27" y1="4" y2="4" {}
        }
    }
}

/// Class of the style sheet that gives a subject its colour and dashes.
fn line_class(subject: usize) -> String {
    format!("s{}", subject % 8)
}
