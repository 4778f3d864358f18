//! The worst misses and false alarms as pictures, with what was there and what was found drawn over them.

use maud::{Markup, html};

use super::chart::px;
use super::timeline::outcome_name;
use super::{Section, View, both, dataset_title, label, subject_name};
use crate::report::catalogue::text;
use crate::report::{Exhibit, ExhibitBox};

pub(super) fn section(view: &View<'_>) -> Option<Section> {
    let datasets = view.datasets(|result| !result.worst.is_empty());
    if datasets.is_empty() {
        return None;
    }
    let parts =
        datasets.iter().map(|(index, facts)| (format!("worst-{index}"), dataset_title(facts))).collect();
    let body = html! {
        p.note {
            (both(text(
                "Solid: what is there. Dashed: what was found. Thick: what the picture is about.",
                "实线：真实标注；虚线：检出结果；粗线：本图所指。",
            )))
        }
        @for (dataset, facts) in &datasets {
            article id={ "worst-" (dataset) } {
                h3 { (dataset_title(facts)) }
                @for (subject, result) in view.results_on(*dataset) {
                    @if !result.worst.is_empty() {
                        h4 { (subject_name(view, subject)) }
                        div.exhibits { @for exhibit in &result.worst { (picture(exhibit)) } }
                    }
                }
            }
        }
    };
    Some(Section {
        id: "worst",
        title: text("Worst misses and false alarms", "最严重的漏报与误报"),
        parts,
        body,
    })
}

fn picture(exhibit: &Exhibit) -> Markup {
    let side = |length: f64| if length.is_finite() && length >= 1.0 { length } else { 1.0 };
    let (width, height) = (side(exhibit.width), side(exhibit.height));
    let letters = width / 26.0;
    let mut boxes: Vec<&ExhibitBox> =
        exhibit.boxes.iter().filter(|it| it.rect.iter().all(|side| side.is_finite())).collect();
    boxes.sort_by_key(|it| it.subject);
    html! {
        figure.exhibit {
            svg viewBox={ "0 0 " (px(width)) " " (px(height)) } role="img" {
                image href=(jpeg(&exhibit.jpeg)) width=(px(width)) height=(px(height)) preserveAspectRatio="none" {}
                @for it in &boxes { (framed(it, width, height, letters)) }
            }
            figcaption {
                b { (both(outcome_name(exhibit.outcome))) } " · " (label(&exhibit.label))
                @if let Some(score) = exhibit.score.filter(|score| score.is_finite()) { " · " (format!("{score:.2}")) }
                br;
                span.name { (exhibit.name) }
            }
        }
    }
}

fn framed(it: &ExhibitBox, width: f64, height: f64, letters: f64) -> Markup {
    let [left, top, wide, high] = it.rect;
    let class = match (it.truth, it.subject) {
        (true, true) => "truth subject",
        (true, false) => "truth",
        (false, true) => "found subject",
        (false, false) => "found",
    };
    // Findings are named below their box and truths above it, so that a pair that lies on each other can be read.
    let above = (top - letters * 0.3).max(letters);
    let below = (top + high + letters).min(height - letters * 0.2);
    let baseline = if it.truth { above } else { below };
    let x = left.clamp(0.0, (width - letters * 4.0).max(0.0));
    html! {
        @for layer in ["halo", "stroke"] {
            rect class={ (layer) " " (class) } x=(px(left)) y=(px(top)) width=(px(wide.max(0.0))) height=(px(high.max(0.0))) {}
        }
        text class=(class) x=(px(x)) y=(px(baseline)) style={ "font-size:" (px(letters)) "px" } { (it.text) }
    }
}

/// A JPEG in base64 as an address within the page; an empty one where it holds anything else.
pub(super) fn jpeg(base64: &str) -> String {
    let valid = base64.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    format!("data:image/jpeg;base64,{}", if valid { base64 } else { "" })
}
