//! The end of the page: figures that no table knows, what each figure means, what the datasets are, what it ran on.

use std::collections::BTreeSet;

use maud::html;

use super::table::{self, Group};
use super::{Section, View, both, dataset_title, in_part, label};
use crate::report::catalogue::{self, text};

const PARTS: [&str; 5] = ["detection", "tracking", "incident", "change", "speed"];

/// Figures that no other table shows.
pub(super) fn others(view: &View<'_>) -> Option<Section> {
    let is_other = |name: &str| !PARTS.iter().any(|part| in_part(name, part));
    let datasets = view.datasets(|result| result.figures.keys().any(|name| is_other(name)));
    if datasets.is_empty() {
        return None;
    }
    let groups: Vec<Group<'_>> = (datasets.iter())
        .map(|(dataset, facts)| {
            let names: BTreeSet<&str> = (view.results_on(*dataset))
                .flat_map(|(_, result)| result.figures.keys())
                .map(String::as_str)
                .filter(|name| is_other(name))
                .collect();
            let mut rows = table::rows(*dataset, names);
            for row in &mut rows {
                row.head = html! { code { (row.figure) } };
            }
            Group { head: Some(dataset_title(facts)), rows }
        })
        .collect();
    let caption = both(text(
        "As they stand in the JSON; shares are × 100 where the figure is known",
        "与 JSON 中一致；已知的比例类指标乘以 100",
    ));
    let body = table::figure_table(view, &caption, &groups);
    Some(Section { id: "others", title: text("Other figures", "其他指标"), parts: Vec::new(), body })
}

/// One line for each figure that the page shows, and how intervals are made.
pub(super) fn meanings(view: &View<'_>) -> Section {
    let shown = |name: &str| {
        let is = |figure: &String| catalogue::split(figure).is_some_and(|(known, _)| known.name == name);
        view.report.results.iter().any(|result| result.figures.keys().any(is))
    };
    let provenance = &view.report.provenance;
    let body = html! {
        dl.meanings {
            @for known in catalogue::KNOWN.iter().filter(|known| shown(known.name)) {
                dt { (both(known.label)) br; code { (known.name) } }
                dd { (both(known.meaning)) }
            }
        }
        h3 { (both(text("Intervals and differences", "区间与差异"))) }
        p lang="en" {
            "Every interval holds the figure with 95 % confidence. It is made by bootstrap: the pictures (detection, change) or sequences (tracking, incidents) are drawn again with replacement "
            (provenance.resamples) " times (seed " (provenance.seed) "), the figure is computed on each draw, and the interval runs from the 2.5th to the 97.5th percentile. "
            "Differences are computed on the same draws for both subjects (paired); p is two-sided. With many rows, one in twenty is starred by chance. "
            "An interval tells how much the figure would move with other footage of this kind, not how it is on another site."
        }
        p lang="zh-CN" {
            "每个区间以 95 % 的置信度包含该指标。区间由自助法得到：对图像（检测、变化）或序列（跟踪、事件）有放回地重新抽样 "
            (provenance.resamples) " 次（随机种子 " (provenance.seed) "），每次重新计算指标，取第 2.5 至第 97.5 百分位。"
            "差异在两个对象相同的抽样上计算（配对），p 为双侧。行数很多时，平均每二十行会有一行偶然带星号。"
            "区间反映的是换用同类素材时数值的波动，并不代表在其他场地的表现。"
        }
        p { (both(text(
            "Shares are written × 100. A class or kind that is not labelled in a set is never held against a subject there.",
            "比例均乘以 100 表示。某数据集中未标注的类别或事件类型，不会在该数据集中计为误报。",
        ))) }
    };
    Section { id: "meanings", title: text("What the figures mean", "指标说明"), parts: Vec::new(), body }
}

/// Licence, size, labels and hash of each dataset.
pub(super) fn datasets(view: &View<'_>) -> Option<Section> {
    if view.report.datasets.is_empty() {
        return None;
    }
    let mut sorted: Vec<_> = view.report.datasets.iter().collect();
    sorted.sort_by_key(|facts| facts.origin);
    let body = html! {
        div.scroll tabindex="0" role="group" {
            table.datasets {
                thead { tr {
                    th scope="col" { (both(text("Dataset", "数据集"))) }
                    th scope="col" { (both(text("Licence", "许可"))) }
                    th scope="col" { (both(text("Pictures", "图像"))) }
                    th scope="col" { (both(text("Sequences", "序列"))) }
                    th scope="col" { (both(text("Labelled", "已标注"))) }
                    th scope="col" { "sha256" }
                } }
                tbody {
                    @for facts in sorted {
                        tr {
                            th scope="row" { (dataset_title(facts)) br; code { (facts.name) } }
                            td { (facts.licence) }
                            td.count { (facts.images) }
                            td.count { (facts.sequences) }
                            td.labelled { @for (index, class) in facts.labelled.iter().enumerate() { @if index > 0 { ", " } (label(class)) } }
                            td { code.hash { (facts.sha256) } }
                        }
                    }
                }
            }
        }
    };
    Some(Section { id: "datasets", title: text("Datasets", "数据集"), parts: Vec::new(), body })
}

/// Versions and machine.
pub(super) fn provenance(view: &View<'_>) -> Section {
    let provenance = &view.report.provenance;
    let body = html! {
        dl.provenance {
            dt { (both(text("Finished", "完成时间"))) } dd { (view.report.finished_at) }
            dt { "Parapet" } dd { (provenance.parapet) }
            @for (library, version) in &provenance.libraries { dt { (library) } dd { (version) } }
            dt { (both(text("Machine", "机器"))) } dd { (provenance.machine) }
            dt { (both(text("Bootstrap", "自助法"))) } dd { (provenance.resamples) " × · " (both(text("seed", "随机种子"))) " " (provenance.seed) }
            dt { (both(text("Command", "命令"))) } dd { code { (provenance.command) } }
            @for (index, subject) in view.report.subjects.iter().enumerate() {
                @if let Some(hash) = &subject.weights_sha256 {
                    dt { (both(text("Weights of ", "权重："))) (index + 1) } dd { code { (hash) } }
                }
            }
        }
    };
    Section { id: "provenance", title: text("Provenance", "来源"), parts: Vec::new(), body }
}
