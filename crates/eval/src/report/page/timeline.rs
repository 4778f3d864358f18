//! What was there against what was raised, sequence by sequence: for each subject a lane of truth over a lane of
//! alarms. The outcome is said by fill pattern and outline as well as by colour.

use maud::{Markup, html};
use parapet_core::Language;

use super::chart::px;
use super::exhibit::jpeg;
use super::{Section, View, both, dataset_title};
use crate::report::catalogue::{Text, label_name, text};
use crate::report::{Outcome, SequenceTimeline, Span};

const WIDTH: f64 = 1000.0;
/// Left of the lanes, for the subject's number and the lanes' names.
const LEFT: f64 = 92.0;
const RIGHT: f64 = 14.0;
const BAR: f64 = 15.0;
const GAP: f64 = 3.0;
const BETWEEN: f64 = 9.0;
const AXIS: f64 = 22.0;
const THUMBNAIL: f64 = 96.0;

pub(super) fn section(view: &View<'_>) -> Option<Section> {
    let datasets = view.datasets(|result| !result.timelines.is_empty());
    if datasets.is_empty() {
        return None;
    }
    let parts =
        datasets.iter().map(|(index, facts)| (format!("timeline-{index}"), dataset_title(facts))).collect();
    let body = html! {
        (legend())
        @for (dataset, facts) in &datasets {
            article id={ "timeline-" (dataset) } {
                h3 { (dataset_title(facts)) }
                @for name in names(view, *dataset) { (sequence(view, *dataset, name)) }
            }
        }
    };
    Some(Section { id: "timelines", title: text("Timelines", "时间线"), parts, body })
}

fn names<'a>(view: &View<'a>, dataset: usize) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for timeline in view.results_on(dataset).flat_map(|(_, result)| &result.timelines) {
        if !names.contains(&timeline.name.as_str()) {
            names.push(&timeline.name);
        }
    }
    names
}

/// One sequence with all subjects that saw it.
fn sequence(view: &View<'_>, dataset: usize, name: &str) -> Markup {
    let lanes: Vec<(usize, &SequenceTimeline)> = (view.results_on(dataset))
        .filter_map(|(subject, result)| Some((subject, result.timelines.iter().find(|it| it.name == name)?)))
        .collect();
    let seconds =
        lanes.iter().map(|(_, lane)| lane.seconds).filter(|it| it.is_finite()).fold(0.001, f64::max);
    let x = |at: f64| LEFT + (at / seconds).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT);
    let mut height = 2.0;
    let mut blocks: Vec<Markup> = Vec::new();
    for (subject, lane) in &lanes {
        let ordinal = height + BAR - 3.0;
        let (truth, truth_height) = spans(&lane.truth, height, &x);
        let (found, found_height) = spans(&lane.found, height + truth_height, &x);
        blocks.push(html! {
            text.ordinal x="2" y=(px(ordinal)) { (subject + 1) }
            text.lane x=(px(LEFT - 6.0)) y=(px(ordinal)) text-anchor="end" { (in_svg(text("truth", "真实"))) }
            text.lane x=(px(LEFT - 6.0)) y=(px(ordinal + truth_height)) text-anchor="end" { (in_svg(text("alarms", "告警"))) }
            rect.lane x=(px(LEFT)) y=(px(height)) width=(px(WIDTH - LEFT - RIGHT)) height=(px(truth_height - GAP)) {}
            rect.lane x=(px(LEFT)) y=(px(height + truth_height)) width=(px(WIDTH - LEFT - RIGHT)) height=(px(found_height - GAP)) {}
            (truth) (found)
        });
        height += truth_height + found_height + BETWEEN;
    }
    let axis = height - BETWEEN + 2.0;
    let thumbnails = lanes.iter().map(|(_, lane)| &lane.thumbnails).find(|it| !it.is_empty());
    let pictures = thumbnails.map_or(&[][..], Vec::as_slice);
    let below = axis + AXIS;
    let total = if pictures.is_empty() { below } else { below + THUMBNAIL * 0.75 + 6.0 };
    html! {
        figure.timeline {
            figcaption { span.name { (name) } " " small { (px(seconds)) " s" } }
            div.scroll tabindex="0" role="group" {
                svg viewBox={ "0 0 " (WIDTH) " " (px(total)) } role="img" {
                    @for (at, words) in ticks(seconds) {
                        line.grid x1=(px(x(at))) x2=(px(x(at))) y1="0" y2=(px(axis)) {}
                        text.tick x=(px(x(at))) y=(px(axis + 12.0)) text-anchor="middle" { (words) }
                    }
                    @for block in &blocks { (block) }
                    @for (left, thumbnail) in placed(pictures.iter().map(|it| x(it.at))).into_iter().zip(pictures) {
                        @if let Some(left) = left {
                            line.pointer x1=(px(x(thumbnail.at))) x2=(px(x(thumbnail.at))) y1=(px(axis)) y2=(px(axis + 3.0)) {}
                            line.pointer x1=(px(x(thumbnail.at))) x2=(px(left + THUMBNAIL / 2.0)) y1=(px(axis + 15.0)) y2=(px(below)) {}
                            image href=(jpeg(&thumbnail.jpeg)) x=(px(left)) y=(px(below)) width=(px(THUMBNAIL)) height=(px(THUMBNAIL * 0.75)) preserveAspectRatio="xMidYMin meet" {
                                title { (px(thumbnail.at)) " s" }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Left edges of thumbnails at their times, moved aside so that none covers another; none for what has no room.
fn placed(centres: impl Iterator<Item = f64>) -> Vec<Option<f64>> {
    let mut free = 0.0;
    centres
        .map(|centre| {
            let left = (centre - THUMBNAIL / 2.0).clamp(0.0, WIDTH - THUMBNAIL).max(free);
            if !left.is_finite() || left > WIDTH - THUMBNAIL + 0.5 {
                return None;
            }
            free = left + THUMBNAIL + 4.0;
            Some(left)
        })
        .collect()
}

/// Bars of `spans` from `top` on, in as many rows as overlap needs, and the height that they take.
fn spans(spans: &[Span], top: f64, x: &impl Fn(f64) -> f64) -> (Markup, f64) {
    let mut order: Vec<&Span> =
        spans.iter().filter(|span| span.from.is_finite() && span.to.is_finite()).collect();
    order.sort_by(|a, b| a.from.total_cmp(&b.from));
    let mut rows: Vec<f64> = Vec::new();
    let mut bars: Vec<Markup> = Vec::new();
    for span in order {
        let row = rows.iter().position(|until| *until <= span.from).unwrap_or(rows.len());
        if row == rows.len() {
            rows.push(0.0);
        }
        rows[row] = span.to.max(span.from);
        bars.push(bar(span, top + row as f64 * (BAR + GAP), x));
    }
    (html! { @for bar in &bars { (bar) } }, rows.len().max(1) as f64 * (BAR + GAP))
}

fn bar(span: &Span, top: f64, x: &impl Fn(f64) -> f64) -> Markup {
    let (left, width) = (x(span.from), (x(span.to) - x(span.from)).max(3.0));
    let due = span.due.filter(|due| due.is_finite()).map(x);
    let words = || html! { (label_in_svg(&span.kind)) };
    html! {
        g {
            title { (span.kind) " · " (px(span.from)) "–" (px(span.to)) " s · " (outcome_name(span.outcome).en) " " (outcome_name(span.outcome).zh) }
            rect.bar.(outcome_class(span.outcome)) x=(px(left)) y=(px(top)) width=(px(width)) height=(px(BAR)) {}
            @if width > 130.0 { text.kind.(outcome_class(span.outcome)) x=(px(left + 5.0)) y=(px(top + BAR - 4.0)) { (words()) } }
        }
        @if let Some(due) = due {
            path.due d={ "M" (px(due)) " " (px(top - 2.0)) "v" (px(BAR + 4.0)) "M" (px(due - 4.0)) " " (px(top - 2.0)) "h8l-4 5z" } {}
        }
    }
}

fn label_in_svg(kind: &str) -> Markup {
    html! { tspan lang="en" { (label_name(kind, Language::En)) } tspan lang="zh-CN" { (label_name(kind, Language::ZhCn)) } }
}

fn in_svg(text: Text) -> Markup {
    html! { tspan lang="en" { (text.en) } tspan lang="zh-CN" { (text.zh) } }
}

pub(super) const fn outcome_name(outcome: Outcome) -> Text {
    match outcome {
        Outcome::Matched => text("matched", "匹配"),
        Outcome::Missed => text("missed", "漏报"),
        Outcome::False => text("false alarm", "误报"),
        Outcome::Duplicate => text("duplicate", "重复"),
    }
}

const fn outcome_class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Matched => "matched",
        Outcome::Missed => "missed",
        Outcome::False => "false",
        Outcome::Duplicate => "duplicate",
    }
}

/// About eight round times from 0 to `seconds`, in seconds or minutes.
fn ticks(seconds: f64) -> Vec<(f64, String)> {
    const STEPS: [f64; 15] =
        [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0];
    let step = STEPS.into_iter().find(|step| seconds / step <= 9.0).unwrap_or(86400.0);
    let count = (seconds / step).floor().min(60.0) as u32;
    let words = |at: f64| {
        if step < 60.0 || at == 0.0 { format!("{at} s") } else { format!("{} min", at / 60.0) }
    };
    (0..=count).map(|index| f64::from(index) * step).map(|at| (at, words(at))).collect()
}

fn legend() -> Markup {
    html! {
        p.legend {
            @for outcome in [Outcome::Matched, Outcome::Missed, Outcome::False, Outcome::Duplicate] {
                span {
                    svg width="34" height="15" viewBox="0 0 34 15" aria-hidden="true" {
                        rect.bar.(outcome_class(outcome)) x="1" y="1" width="32" height="13" {}
                    }
                    " " (both(outcome_name(outcome)))
                } " "
            }
            span {
                svg width="12" height="15" viewBox="0 0 12 15" aria-hidden="true" { path.due d="M6 1v14M2 1h8l-4 5z" {} }
                " " (both(text("alarm due", "应报时刻")))
            }
        }
    }
}

/// The fills that bars refer to.
pub(super) fn patterns() -> Markup {
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" {
            defs {
                pattern #hatch width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.paper width="6" height="6" {}
                    rect.ink width="2.6" height="6" {}
                }
                pattern #dots width="5" height="5" patternUnits="userSpaceOnUse" {
                    rect.paper width="5" height="5" {}
                    circle.ink cx="2.5" cy="2.5" r="1.4" {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_overlap_get_rows_of_their_own() {
        let span =
            |from, to| Span { kind: "stray_dog".into(), from, to, due: None, outcome: Outcome::Matched };
        let height = |all: &[Span]| spans(all, 0.0, &|at| at).1;
        assert_eq!(height(&[span(0.0, 5.0), span(5.0, 9.0)]), BAR + GAP);
        assert_eq!(height(&[span(0.0, 5.0), span(3.0, 9.0)]), 2.0 * (BAR + GAP));
        assert_eq!(height(&[]), BAR + GAP);
        assert_eq!(height(&[span(f64::NAN, 5.0)]), BAR + GAP);
    }

    #[test]
    fn thumbnails_do_not_cover_each_other() {
        let lefts: Vec<f64> = placed([0.0, 20.0, 500.0, 510.0].into_iter()).into_iter().flatten().collect();
        assert_eq!(lefts.len(), 4);
        assert!(lefts.windows(2).all(|pair| pair[1] - pair[0] >= THUMBNAIL));
        assert!(placed(std::iter::repeat_n(900.0, 3)).contains(&None));
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(38.0)[1].1, "5 s");
        assert_eq!(ticks(300.0)[1].1, "1 min");
        for seconds in [0.5, 7.0, 38.0, 300.0, 4000.0, 80000.0] {
            assert!((1..=10).contains(&ticks(seconds).len()), "{seconds}");
        }
    }
}
