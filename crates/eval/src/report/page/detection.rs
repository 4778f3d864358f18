//! Detection, dataset by dataset: the table, precision against recall and the effect of the threshold class by class,
//! and which class was taken for which.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::chart::{self, Frame, Line, Scale};
use super::table::{self, Group};
use super::{Section, View, both, dataset_title, label, subject_name};
use crate::report::catalogue::{Text, text};
use crate::report::{Confusion, PrecisionRecall, ScoredPoint};

/// Classes whose charts are open; the rest fold away.
const OPEN_CLASSES: usize = 6;
/// Classes with a row of their own in a confusion table.
const CONFUSION_CLASSES: usize = 16;

pub(super) fn section(view: &View<'_>) -> Option<Section> {
    let datasets = view.datasets(|it| {
        it.figures.keys().any(|name| super::in_part(name, "detection")) || !it.curves.is_empty()
    });
    if datasets.is_empty() {
        return None;
    }
    let parts =
        datasets.iter().map(|(index, facts)| (format!("detection-{index}"), dataset_title(facts))).collect();
    let body = html! {
        p.note { (both(table::READING)) }
        @for (dataset, facts) in &datasets {
            article id={ "detection-" (dataset) } {
                h3 { (dataset_title(facts)) }
                (figures(view, *dataset))
                (curves(view, *dataset))
                (confusions(view, *dataset))
            }
        }
    };
    Some(Section { id: "detection", title: text("Detection", "检测"), parts, body })
}

fn figures(view: &View<'_>, dataset: usize) -> Markup {
    let names = view.figures(dataset, "detection");
    let of_class = |base: &str| -> Vec<&str> {
        names
            .iter()
            .copied()
            .filter(|name| name.strip_prefix(base).is_some_and(|rest| rest.starts_with('.')))
            .collect()
    };
    let by_class = [
        ("detection.ap50", text("AP50 of each class", "各类别 AP50")),
        ("detection.ap", text("AP of each class", "各类别 AP")),
    ];
    let overall = names.iter().copied().filter(|name| name.matches('.').count() == 1);
    let mut groups = vec![Group { head: None, rows: table::rows(dataset, overall) }];
    for (base, head) in by_class {
        let rows = table::rows(dataset, of_class(base));
        if !rows.is_empty() {
            groups.push(Group { head: Some(both(head)), rows });
        }
    }
    html! {
        @if !names.is_empty() {
            (table::figure_table(view, &both(text("All labelled classes, then class by class", "全部已标注类别，其后为各类别")), &groups))
        }
    }
}

/// Charts of every class, subjects overlaid.
fn curves(view: &View<'_>, dataset: usize) -> Markup {
    let mut classes: Vec<&str> = Vec::new();
    for (_, result) in view.results_on(dataset) {
        for curve in &result.curves {
            if !classes.contains(&curve.label.as_str()) {
                classes.push(&curve.label);
            }
        }
    }
    let (open, folded) = classes.split_at(classes.len().min(OPEN_CLASSES));
    html! {
        @if !classes.is_empty() {
            h4 { (both(text("Precision against recall, and the effect of the threshold (IoU 0.50)", "精确率–召回率，以及阈值的影响（IoU 0.50）"))) }
            (line_key(view, dataset))
            @for class in open { (class_charts(view, dataset, class)) }
            @if !folded.is_empty() {
                details {
                    summary { (folded.len()) " " (both(text("more classes", "个其他类别"))) }
                    @for class in folded { (class_charts(view, dataset, class)) }
                }
            }
        }
    }
}

/// Which line is whose, beside the charts.
pub(super) fn line_key(view: &View<'_>, dataset: usize) -> Markup {
    html! { p.line-key { @for (subject, _) in view.results_on(dataset) { (subject_name(view, subject)) " " } } }
}

const SCORE: Text = text("score threshold", "分数阈值");

fn class_charts(view: &View<'_>, dataset: usize, class: &str) -> Markup {
    let curves: Vec<(usize, &PrecisionRecall)> = (view.results_on(dataset))
        .flat_map(|(subject, result)| result.curves.iter().map(move |curve| (subject, curve)))
        .filter(|(_, curve)| curve.label == class)
        .collect();
    let against_score = |value: fn(&ScoredPoint) -> f64| -> Vec<Line> {
        (curves.iter())
            .map(|(subject, curve)| Line {
                subject: *subject,
                points: curve.points.iter().map(|point| (point.score, value(point))).collect(),
                mark: best(curve).map(|point| ((point.score, value(point)), best_words(*subject, point))),
            })
            .collect()
    };
    let recall_precision: Vec<Line> = (curves.iter())
        .map(|(subject, curve)| Line {
            subject: *subject,
            points: curve.points.iter().map(|point| (point.recall, point.precision)).collect(),
            mark: best(curve).map(|point| ((point.recall, point.precision), best_words(*subject, point))),
        })
        .collect();
    let frame = |title, x| Frame { title, x: (x, Scale::Unit), y: (title, Scale::Unit) };
    html! {
        div.class-charts {
            h5 { (label(class)) }
            div.charts {
                (chart::lines(&frame(text("Precision / recall", "精确率／召回率"), text("recall", "召回率")), &recall_precision))
                (chart::lines(&frame(text("Precision", "精确率"), SCORE), &against_score(|point| point.precision)))
                (chart::lines(&frame(text("Recall", "召回率"), SCORE), &against_score(|point| point.recall)))
                (chart::lines(&frame(text("F1", "F1"), SCORE), &against_score(f1)))
            }
        }
    }
}

fn f1(point: &ScoredPoint) -> f64 {
    let sum = point.precision + point.recall;
    if sum > 0.0 { 2.0 * point.precision * point.recall / sum } else { 0.0 }
}

/// The point of the curve nearest to the score at which F1 is best.
fn best(curve: &PrecisionRecall) -> Option<&ScoredPoint> {
    let score = curve.best_f1_score?;
    curve.points.iter().min_by(|a, b| (a.score - score).abs().total_cmp(&(b.score - score).abs()))
}

fn best_words(subject: usize, point: &ScoredPoint) -> String {
    let (precision, recall) = (point.precision, point.recall);
    format!("{}: F1 {:.3} @ {:.2} · P {precision:.3} · R {recall:.3}", subject + 1, f1(point), point.score)
}

/// The confusion tables of all subjects on `dataset`.
fn confusions(view: &View<'_>, dataset: usize) -> Markup {
    let tables: Vec<(usize, &Confusion)> = view
        .results_on(dataset)
        .filter_map(|(subject, it)| Some((subject, it.confusion.as_ref()?)))
        .collect();
    html! {
        @if !tables.is_empty() {
            h4 { (both(text("What was taken for what", "混淆矩阵"))) }
            p.note { (both(text(
                "Rows: what is there. Columns: what was found there. Shade: share of the row. Last column: missed; last row: found where nothing is labelled.",
                "行：真实类别；列：检出类别；深浅：占该行的比例。末列为漏检，末行为无标注处的检出。",
            ))) }
            div.confusions { @for (subject, confusion) in tables { (confusion_table(view, subject, confusion)) } }
        }
    }
}

fn confusion_table(view: &View<'_>, subject: usize, confusion: &Confusion) -> Markup {
    let (heads, counts) = condensed(confusion);
    html! {
        div.scroll tabindex="0" role="group" {
            table.confusion {
                caption { (subject_name(view, subject)) br; (both(SCORE)) " " (format!("{:.2}", confusion.score)) }
                thead { tr { td {} @for head in &heads { th scope="col" { span { (head) } } } } }
                tbody {
                    @for (row, head) in counts.iter().zip(&heads) {
                        @let total: u64 = row.iter().sum();
                        tr {
                            th scope="row" { (head) }
                            @for count in row {
                                @if *count == 0 { td.zero { "·" } }
                                @else { td style=(shade(*count, total)) { (count) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn shade(count: u64, total: u64) -> String {
    format!("--share:{:.0}%", count as f64 / total.max(1) as f64 * 55.0)
}

/// The table with the most frequent classes, the rest as one, and nothing at the end.
fn condensed(confusion: &Confusion) -> (Vec<Markup>, Vec<Vec<u64>>) {
    let classes = confusion.labels.len();
    let count = |truth: usize, found: usize| -> u64 {
        confusion.counts.get(truth).and_then(|row| row.get(found)).copied().unwrap_or(0)
    };
    let weight =
        |class: usize| -> u64 { (0..=classes).map(|other| count(class, other) + count(other, class)).sum() };
    let mut by_weight: Vec<usize> = (0..classes).filter(|class| weight(*class) > 0).collect();
    by_weight.sort_by_key(|class| Reverse(weight(*class)));
    let rest = by_weight.split_off(by_weight.len().min(CONFUSION_CLASSES));
    by_weight.sort_unstable();
    let mut heads: Vec<Markup> = by_weight.iter().map(|class| label(&confusion.labels[*class])).collect();
    let mut groups: Vec<Vec<usize>> = by_weight.into_iter().map(|class| vec![class]).collect();
    if !rest.is_empty() {
        heads.push(html! { (rest.len()) " " (both(text("others", "其他类别"))) });
        groups.push(rest);
    }
    heads.push(html! { em { (both(text("nothing", "无"))) } });
    groups.push(vec![classes]);
    let sum = |truths: &[usize], founds: &[usize]| -> u64 {
        truths.iter().flat_map(|truth| founds.iter().map(move |found| count(*truth, *found))).sum()
    };
    let counts =
        groups.iter().map(|truths| groups.iter().map(|founds| sum(truths, founds)).collect()).collect();
    (heads, counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condensed_confusion_loses_no_count() {
        let classes = 40;
        let labels = (0..classes).map(|class| format!("class {class}")).collect();
        let counts: Vec<Vec<u64>> = (0..=classes)
            .map(|row| (0..=classes).map(|column| (row * 7 + column) as u64 % 5).collect())
            .collect();
        let total: u64 = counts.iter().flatten().sum();
        let (heads, condensed) = condensed(&Confusion { labels, counts, score: 0.3 });
        assert_eq!(heads.len(), CONFUSION_CLASSES + 2);
        assert_eq!(condensed.iter().flatten().sum::<u64>(), total);
    }

    #[test]
    fn f1_of_nothing_is_zero() {
        assert_eq!(f1(&ScoredPoint { score: 0.5, precision: 0.0, recall: 0.0 }), 0.0);
    }
}
