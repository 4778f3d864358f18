//! The figures of verdicts as one HTML file: no script, nothing from elsewhere, Chinese and English in it, on the screen and
//! on paper. What colour says, a hatch, a dash or a word says as well.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use parapet_core::{IncidentKind, Language};

use super::{
    VerdictReport,
    figures::{Group, Reason, ScoreCurve, Share},
};
use crate::metric::interval::Interval;

const STYLE: &str = include_str!("page.css");
/// Nothing is fetched and nothing is run, whoever made the report.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";
const BAR: f64 = 160.0;

/// The page of `report`.
pub fn page(report: &VerdictReport) -> String {
    let figures = &report.figures;
    let camera_days = figures.false_alarms_per_camera_day;
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Parapet · 核查结论 · Verdicts · " (report.made_at) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                fieldset {
                    legend { "语言 Language" }
                    input #lang-zh type="radio" name="language" checked;
                    label for="lang-zh" { "中文" }
                    input #lang-en type="radio" name="language";
                    label for="lang-en" { "English" }
                }
                h1 { (both("报警有多准：人工核查结论", "How right the alarms were: operators' verdicts")) }
                (span_of(report))
                (problems(report))
                div.headline {
                    div { (both("准确率", "Precision")) b { (percent(figures.all.precision)) } (interval(figures.all.precision)) }
                    div { (both("已确认", "Confirmed")) b { (figures.all.confirmed) } }
                    div { (both("已排除", "Dismissed")) b { (figures.all.dismissed) } }
                    @if let Some(rate) = camera_days {
                        div { (both("每路摄像机每天误报", "False alarms per camera-day")) b { (format!("{rate:.2}")) } }
                    }
                }
                p.soft { (both(
                    "准确率＝已确认 ÷ 已核查。括号内为 95 % 置信区间（Wilson，1927）；次数少时区间宽，同一原因接连触发的报警使其偏窄。未核查和已撤回的事件不计入；漏报不在其中，因此这里没有查全率。",
                    "Precision is confirmed ÷ judged. In brackets: the 95 % interval (Wilson, 1927), wide where few were judged, and too narrow where one cause raised many alarms. Incidents that nobody judged and verdicts that were withdrawn do not count. What was missed is not in here: there is no recall.",
                )) }
                (hatch())
                (table(&both("按类型", "By kind"), &both("类型", "Kind"), &figures.kinds, &|name| kind(name)))
                (table(&both("按规则", "By rule"), &both("规则", "Rule"), &figures.rules, &plain))
                (table(&both("按摄像机", "By camera"), &both("小区/节点/摄像机", "Site/node/camera"), &figures.cameras, &plain))
                (table(
                    &both("按摄像机的规则", "By rule of a camera"),
                    &both("小区/节点/摄像机/规则", "Site/node/camera/rule"),
                    &figures.camera_rules,
                    &plain,
                ))
                (hours(&figures.hours, &report.time_zone))
                (reasons(&figures.reasons))
                (scores(&figures.scores))
                (sources(report))
            }
        }
    }
    .into_string()
}

fn both(zh: &str, en: &str) -> Markup {
    html! { span lang="zh-CN" { (zh) } span lang="en" { (en) } }
}

fn plain(name: &str) -> Markup {
    html! { (name) }
}

/// A kind by its names, where the program knows it.
fn kind(code: &str) -> Markup {
    match IncidentKind::ALL.into_iter().find(|kind| kind.as_str() == code) {
        Some(kind) => both(kind.name(Language::ZhCn), kind.name(Language::En)),
        None => plain(code),
    }
}

/// A reason by the words that the operators' page has for it.
fn reason(code: Option<&str>) -> Markup {
    match code {
        None => both("未说明", "None given"),
        Some("not_a_violation") => both("不构成违规", "Not a violation"),
        Some("wrong_object") => both("识别错误", "Taken for something else"),
        Some("permitted") => both("已批准或允许", "Permitted"),
        Some("duplicate") => both("重复事件", "Duplicate"),
        Some("poor_picture") => both("画面不清无法判断", "Picture too poor to tell"),
        Some("other") => both("其他", "Other"),
        Some(code) => plain(code),
    }
}

fn percent(share: Option<Interval>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share.estimate * 100.0))
}

fn interval(share: Option<Interval>) -> Markup {
    html! { @if let Some(share) = share {
        span.interval { (format!("[{:.1}–{:.1}]", share.low * 100.0, share.high * 100.0)) }
    } }
}

fn span_of(report: &VerdictReport) -> Markup {
    let figures = &report.figures;
    let time = |at: Option<jiff::Timestamp>| at.map_or_else(|| "…".to_owned(), |at| at.to_string());
    html! {
        @if figures.from.is_some() || figures.to.is_some() {
            p { (both("所选时段", "Span")) ": " (time(figures.from)) " – " (time(figures.to)) }
        }
        @if figures.first_started_at.is_some() {
            p.soft {
                (both("首个与最后一个已核查事件", "First and last judged incident")) ": "
                (time(figures.first_started_at)) " – " (time(figures.last_started_at))
            }
        } @else {
            p { (both("此时段没有已核查的事件。", "No incident of this span was judged.")) }
        }
    }
}

fn problems(report: &VerdictReport) -> Markup {
    html! { @if !report.problems.is_empty() {
        section.problems {
            h2 { (both("未能读取，未计入", "Could not be read, does not count")) }
            ul { @for problem in &report.problems {
                li { code { (problem.place) } ": " (problem.what) br; span.soft { "hint: " (problem.hint) } }
            } }
        }
    } }
}

/// The pattern of what was dismissed; drawn once.
fn hatch() -> Markup {
    html! { svg width="0" height="0" aria-hidden="true" { defs {
        pattern #hatch width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
            rect.hatch-paper width="5" height="5" {}
            line.hatch x1="0" y1="0" x2="0" y2="5" {}
        }
    } } }
}

fn key() -> Markup {
    html! { p.key {
        span { svg width="14" height="12" aria-hidden="true" { rect.yes width="14" height="12" {} } (both("已确认", "Confirmed")) }
        span { svg width="14" height="12" aria-hidden="true" { rect.no width="14" height="12" {} rect.edge width="14" height="12" {} } (both("已排除", "Dismissed")) }
    } }
}

/// A share of the full width with its interval as a whisker.
fn bar(share: Option<Interval>) -> Markup {
    html! { @if let Some(share) = share {
        svg width=(BAR) height="14" viewBox={ "0 0 " (BAR) " 14" } aria-hidden="true" {
            rect.no width=(BAR) height="14" {}
            rect.yes width=(share.estimate * BAR) height="14" {}
            line.whisker x1=(share.low * BAR) x2=(share.high * BAR) y1="7" y2="7" {}
            line.whisker x1=(share.low * BAR) x2=(share.low * BAR) y1="3" y2="11" {}
            line.whisker x1=(share.high * BAR) x2=(share.high * BAR) y1="3" y2="11" {}
        }
    } }
}

fn table(title: &Markup, of: &Markup, groups: &[Group], name: &dyn Fn(&str) -> Markup) -> Markup {
    let rates = groups.iter().any(|group| group.false_alarms_per_day.is_some());
    html! { @if !groups.is_empty() {
        section {
            h2 { (title) }
            div.scroll { table {
                thead { tr {
                    th scope="col" { (of) }
                    th.n scope="col" { (both("已确认", "Confirmed")) }
                    th.n scope="col" { (both("已排除", "Dismissed")) }
                    th.n scope="col" { (both("准确率", "Precision")) }
                    th scope="col" { "95 %" }
                    th {}
                    @if rates { th.n scope="col" { (both("每天误报", "False alarms a day")) } }
                } }
                tbody { @for group in groups { tr {
                    th scope="row" { (name(&group.name)) }
                    td.n { (group.share.confirmed) }
                    td.n { (group.share.dismissed) }
                    td.n { (percent(group.share.precision)) }
                    td { (interval(group.share.precision)) }
                    td { (bar(group.share.precision)) }
                    @if rates { td.n { @if let Some(rate) = group.false_alarms_per_day { (format!("{rate:.2}")) } } }
                } } }
            } }
        }
    } }
}

/// Bars that stand: confirmed below, dismissed on top.
fn stacks(counts: &[(String, u64, u64)], label: &str) -> Markup {
    const WIDTH: f64 = 720.0;
    const HEIGHT: f64 = 120.0;
    let most = counts.iter().map(|(_, yes, no)| yes + no).max().unwrap_or(0).max(1);
    let step = (WIDTH - 40.0) / counts.len().max(1) as f64;
    let height = |count: u64| count as f64 / most as f64 * HEIGHT;
    html! { svg viewBox={ "0 0 " (WIDTH) " 160" } width=(WIDTH) role="img" aria-label=(label) {
        text x="34" y="18" text-anchor="end" { (most) }
        text x="34" y="134" text-anchor="end" { "0" }
        line.axis x1="38" x2=(WIDTH) y1="130" y2="130" {}
        line.axis x1="38" x2=(WIDTH) y1="10" y2="10" {}
        @for (index, (name, yes, no)) in counts.iter().enumerate() {
            @let x = 40.0 + index as f64 * step;
            @let (yes_high, no_high) = (height(*yes), height(*no));
            @if *yes > 0 { rect.yes x=(x + 2.0) width=(step - 4.0) y=(130.0 - yes_high) height=(yes_high) {} }
            @if *no > 0 {
                rect.no x=(x + 2.0) width=(step - 4.0) y=(130.0 - yes_high - no_high) height=(no_high) {}
                rect.edge x=(x + 2.0) width=(step - 4.0) y=(130.0 - yes_high - no_high) height=(no_high) {}
            }
            text x=(x + step / 2.0) y="146" text-anchor="middle" { (name) }
        }
    } }
}

fn hours(hours: &[Share], time_zone: &str) -> Markup {
    let counts: Vec<_> = hours
        .iter()
        .enumerate()
        .map(|(hour, share)| (format!("{hour:02}"), share.confirmed, share.dismissed))
        .collect();
    html! { section {
        h2 { (both("按一天中的时刻", "By hour of the day")) }
        p.soft { (both("报警发出的时刻，时区：", "Hour at which the alarm came, time zone: ")) (time_zone) }
        (key())
        (stacks(&counts, "confirmed and dismissed by hour"))
        div.scroll { table {
            thead { tr {
                th.n scope="col" { (both("时", "Hour")) }
                th.n scope="col" { (both("已确认", "Confirmed")) }
                th.n scope="col" { (both("已排除", "Dismissed")) }
                th.n scope="col" { (both("准确率", "Precision")) }
                th scope="col" { "95 %" }
                th {}
            } }
            tbody { @for (hour, share) in hours.iter().enumerate().filter(|(_, share)| share.judged() > 0) { tr {
                th.n scope="row" { (format!("{hour:02}")) }
                td.n { (share.confirmed) }
                td.n { (share.dismissed) }
                td.n { (percent(share.precision)) }
                td { (interval(share.precision)) }
                td { (bar(share.precision)) }
            } } }
        } }
    } }
}

fn reasons(reasons: &[Reason]) -> Markup {
    html! { @if !reasons.is_empty() {
        section {
            h2 { (both("排除原因", "Why incidents were dismissed")) }
            div.scroll { table {
                thead { tr {
                    th scope="col" { (both("原因", "Reason")) }
                    th.n scope="col" { (both("已排除", "Dismissed")) }
                    th.n scope="col" { (both("占已核查", "Of all judged")) }
                    th scope="col" { "95 %" }
                } }
                tbody { @for of in reasons { tr {
                    th scope="row" { (reason(of.code.as_deref())) }
                    td.n { (of.dismissed) }
                    td.n { (percent(Some(of.of_judged))) }
                    td { (interval(Some(of.of_judged))) }
                } } }
            } }
        }
    } }
}

fn scores(curves: &[ScoreCurve]) -> Markup {
    // One kind alone is what all kinds are.
    let shown = if curves.len() == 2 { &curves[1..] } else { curves };
    html! { section {
        h2 { (both("按置信度：门槛设在哪里", "By score: where to put a threshold")) }
        p.soft { (both(
            "置信度为事件最后一次更新时的值。实线：只保留达到此门槛的事件时的准确率，浅色带为 95 % 置信区间；虚线：已确认的事件中能保留的比例。",
            "The score is that of the incident's latest event. Solid: precision if only incidents of at least this score were raised, with its 95 % band. Dashed: share of the confirmed ones that would be kept.",
        )) }
        (key())
        @for curve in shown.iter().filter(|curve| curve.steps.iter().any(|step| step.at_least.judged() > 0)) {
            h3 { @match &curve.kind { Some(code) => (kind(code)), None => (both("全部类型", "All kinds")) } }
            (threshold_chart(curve))
            (stacks(&score_counts(curve), "confirmed and dismissed by score"))
        }
    } }
}

fn score_counts(curve: &ScoreCurve) -> Vec<(String, u64, u64)> {
    curve.steps.iter().map(|step| (format!("{:.2}", step.score), step.confirmed, step.dismissed)).collect()
}

fn threshold_chart(curve: &ScoreCurve) -> Markup {
    // The place of a step is the one that it has in the bars below.
    let x = |index: usize| 40.0 + (index as f64 + 0.5) * 680.0 / curve.steps.len() as f64;
    let y = |share: f64| 130.0 - share * 120.0;
    let known: Vec<(usize, Interval)> = curve
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, step)| Some((index, step.at_least.precision?)))
        .collect();
    let path = |points: &mut dyn Iterator<Item = (f64, f64)>| -> String {
        points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
    };
    let line = path(&mut known.iter().map(|(index, share)| (x(*index), y(share.estimate))));
    let high = known.iter().map(|(index, share)| (x(*index), y(share.high)));
    let low = known.iter().rev().map(|(index, share)| (x(*index), y(share.low)));
    let band = path(&mut high.chain(low));
    let kept = curve.steps.iter().enumerate();
    let kept = path(&mut kept.filter_map(|(index, step)| Some((x(index), y(step.confirmed_kept?)))));
    html! { svg viewBox="0 0 720 140" width="720" role="img" aria-label="precision against threshold" {
        @for share in [0.0, 0.5, 1.0] {
            line.axis x1="38" x2="720" y1=(y(share)) y2=(y(share)) {}
            text x="34" y=(y(share) + 4.0) text-anchor="end" { (format!("{:.0} %", share * 100.0)) }
        }
        polygon.band points=(band) {}
        polyline.line points=(line) {}
        polyline.kept points=(kept) {}
    } }
}

fn sources(report: &VerdictReport) -> Markup {
    html! { section {
        h2 { (both("数据来源", "Made from")) }
        div.scroll { table {
            thead { tr {
                th scope="col" { (both("文件", "File")) }
                th.n scope="col" { (both("行数", "Lines")) }
                th.n scope="col" { (both("已读", "Read")) }
                th scope="col" { "SHA-256" }
            } }
            tbody { @for file in &report.files { tr {
                td { (file.file) }
                td.n { (file.lines) }
                td.n { (file.read) }
                td { code { (file.sha256.as_deref().unwrap_or("–")) } }
            } } }
        } }
        @if report.repeated > 0 {
            p { (both("重复出现的行（以最后的结论为准）：", "Lines about an incident that another line is about, too (the latest verdict counts): ")) (report.repeated) }
        }
        p.soft { "Parapet " (report.parapet) " · " (report.made_at) }
    } }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use parapet_core::{JudgedIncident, Verdict};

    use super::*;
    use crate::{
        report::ReportProblem,
        verdict::{Figures, FileFacts, Scope, VERSION, fixture::judged},
    };

    fn report(judged: &[JudgedIncident]) -> VerdictReport {
        VerdictReport {
            version: VERSION,
            made_at: "2026-11-22T09:00:00Z".to_owned(),
            parapet: "0.1.0".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            files: vec![FileFacts { file: "<a>&.tsv".to_owned(), sha256: None, lines: 1, read: 1 }],
            repeated: 0,
            figures: Figures::of(judged, &Scope { from: None, to: None, time_zone: TimeZone::UTC }),
            problems: vec![ReportProblem {
                place: "v.tsv:3".to_owned(),
                what: "<script>alert(1)</script>".to_owned(),
                hint: "mend it".to_owned(),
            }],
        }
    }

    #[test]
    fn the_page_has_the_figures_in_both_languages_and_runs_nothing() {
        let set: Vec<JudgedIncident> = (0..10)
            .map(|n| judged(&n.to_string(), if n < 8 { Verdict::Confirmed } else { Verdict::Dismissed }, 0.5))
            .collect();
        let page = page(&report(&set));
        for text in [
            "80.0 %",
            "[49.0–94.3]",
            "疑似流浪犬只",
            "Suspected stray dog",
            "harbour/n1/gate/dogs",
            "识别错误",
            "Asia/Shanghai",
        ] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("<script"), "what files say is escaped");
        assert!(page.contains("&lt;script&gt;") && page.contains("&lt;a&gt;&amp;.tsv"));
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("NaN"));
        assert_eq!(page.matches("lang=\"zh-CN\">").count() - 1, page.matches("lang=\"en\">").count());
    }

    #[test]
    fn nothing_judged_makes_a_page_all_the_same() {
        let page = page(&report(&[]));
        assert!(page.contains("No incident of this span was judged") && !page.contains("NaN"));
    }
}
