//! The report as page, as Markdown and as file. The pages are left in cargo's scratch folder, for looking at.

mod markup;
mod sample;

use std::fs;
use std::path::{Path, PathBuf};

use parapet_core::Language;
use parapet_eval::report::{self, Figure, Origin, Outcome, Report, Span, markdown, page};

const HOSTILE: &str =
    "<script src=https://evil.example/x.js></script>\"'><img onerror=alert(1)> & | `x` {{ }}";

fn kept(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("cargo's scratch folder can be written");
    path
}

#[test]
fn the_largest_page_is_well_formed_in_both_languages_and_fetches_nothing() {
    let report = sample::report(8, 12);
    for (name, language) in [("report-en.html", Language::En), ("report-zh.html", Language::ZhCn)] {
        let page = page::page(&report, language);
        let path = kept(name, &page);
        println!("{}", path.display());
        let tags = markup::tags(&page).unwrap();
        for tag in &tags {
            assert!(tag.name != "script" && tag.name != "link" && tag.name != "iframe", "{tag:?}");
            for (attribute, value) in &tag.attributes {
                if matches!(attribute.as_str(), "src" | "href" | "xlink:href" | "action") {
                    assert!(
                        value.starts_with('#') || value.starts_with("data:image/jpeg;base64,"),
                        "{value}"
                    );
                }
                assert!(!attribute.starts_with("on"), "{attribute}");
            }
        }
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        assert!(!style.contains("@import") && !style.contains("://"));
        for address in style.split("url(").skip(1) {
            assert!(address.starts_with('#'), "{address:.30}");
        }
    }
}

#[test]
fn every_link_leads_to_one_place_and_no_id_is_used_twice() {
    let tags = markup::tags(&page::page(&sample::report(3, 12), Language::En)).unwrap();
    let values = |of: &str| -> Vec<&str> {
        (tags.iter().flat_map(|tag| &tag.attributes))
            .filter(|(name, _)| name == of)
            .map(|(_, value)| value.as_str())
            .collect()
    };
    let mut ids = values("id");
    for target in values("href").into_iter().filter_map(|href| href.strip_prefix('#')) {
        assert!(ids.contains(&target), "{target}");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

/// Words in English that have no Chinese beside them would stay English on the Chinese page.
#[test]
fn no_text_exists_in_one_language_only() {
    let page = page::page(&sample::report(8, 12), Language::En);
    for language in ["en", "zh-CN"] {
        let texts = markup::texts_of(&page, language);
        assert!(texts.len() > 200, "{}", texts.len());
        assert!(texts.iter().all(|text| !text.trim().is_empty()));
    }
    assert_eq!(markup::texts_of(&page, "en").len(), markup::texts_of(&page, "zh-CN").len());
    assert!(markup::texts_of(&page, "zh-CN").iter().any(|text| text.contains("真实素材")));
    assert!(
        !markup::texts_of(&page, "en")
            .iter()
            .any(|text| text.chars().any(|letter| ('一'..='鿿').contains(&letter)))
    );
}

#[test]
fn hostile_names_stay_text() {
    let mut report = sample::report(2, 5);
    report.subjects[0].name = HOSTILE.into();
    report.subjects[0].settings.insert(HOSTILE.into(), HOSTILE.into());
    report.datasets[0].title = HOSTILE.into();
    report.datasets[0].licence = HOSTILE.into();
    report.datasets[0].labelled[0] = HOSTILE.into();
    report.provenance.command = HOSTILE.into();
    report.provenance.parapet = HOSTILE.into();
    report.problems[0].place = HOSTILE.into();
    let result = &mut report.results[0];
    result
        .figures
        .insert(format!("detection.ap50.{HOSTILE}"), Figure { value: Some(0.1), low: None, high: None });
    result.curves[0].label = HOSTILE.into();
    result.confusion.as_mut().unwrap().labels[0] = HOSTILE.into();
    result.worst[0].name = HOSTILE.into();
    result.worst[0].boxes[0].text = HOSTILE.into();
    result.worst[0].jpeg = format!("\"{HOSTILE}");
    let timeline = report.results.iter_mut().flat_map(|it| &mut it.timelines).next().unwrap();
    timeline.name = HOSTILE.into();
    timeline.truth.push(Span {
        kind: HOSTILE.into(),
        from: 1.0,
        to: 40.0,
        due: None,
        outcome: Outcome::Missed,
    });
    timeline.thumbnails[0].jpeg = HOSTILE.into();
    let page = page::page(&report, Language::En);
    let tags = markup::tags(&page).unwrap();
    assert!(tags.iter().all(|tag| tag.name != "script" && tag.name != "img"));
    assert!(tags.iter().flat_map(|tag| &tag.attributes).all(|(name, _)| name != "onerror"));
    let markdown = markdown::summary(&report);
    let (command, rest) = markdown.split_once('\n').unwrap();
    assert!(
        command.starts_with('`') && command.ends_with('`') && command.matches('`').count() == 2,
        "{command}"
    );
    assert!(!rest.contains("<script") && !rest.contains("<img"));
    for row in markdown.lines().filter(|line| line.starts_with('|')) {
        assert!(row.ends_with('|'), "{row}");
    }
}

#[test]
fn what_is_not_a_number_is_shown_as_a_dash() {
    let mut report = sample::report(2, 5);
    for figure in report.results.iter_mut().flat_map(|result| result.figures.values_mut()) {
        *figure = Figure { value: Some(f64::NAN), low: Some(f64::NEG_INFINITY), high: None };
    }
    for comparison in &mut report.comparisons {
        comparison.difference.value = Some(f64::NAN);
        comparison.p_value = Some(f64::NAN);
    }
    for result in &mut report.results {
        for point in result.curves.iter_mut().flat_map(|curve| curve.points.iter_mut().take(9)) {
            point.precision = f64::NAN;
        }
        for point in &mut result.miss_curve {
            point.false_alarms_per_camera_day = f64::INFINITY;
        }
        for timeline in &mut result.timelines {
            timeline.seconds = f64::NAN;
            timeline.truth[0].due = Some(f64::NAN);
        }
        for exhibit in &mut result.worst {
            (exhibit.width, exhibit.score) = (0.0, Some(f64::NAN));
            exhibit.boxes[0].rect[2] = f64::NAN;
        }
    }
    let page = page::page(&report, Language::En);
    let shown = markup::without_pictures(&page);
    for bad in ["NaN", "inf\"", ">inf", "inf "] {
        assert!(!shown.contains(bad), "{bad}");
    }
    assert!(shown.contains('—'));
    let markdown = markdown::summary(&report);
    assert!(!markdown.contains("NaN") && !markdown.contains("inf") && markdown.contains("| — |"));
}

#[test]
fn every_figure_is_on_the_page_known_or_not() {
    let mut report = sample::report(1, 12);
    let names =
        ["detection.quite_new", "weather.wetness", "incident.f1.fly_tipping", "tracking.hota.dog", "bare"];
    for (index, name) in names.iter().enumerate() {
        let value = Some(0.111_11 + index as f64 / 1000.0);
        report.results[0].figures.insert((*name).into(), Figure { value, low: None, high: None });
    }
    let page = page::page(&report, Language::En);
    for name in
        ["detection.quite_new", "weather.wetness", "tracking.hota.dog", "bare", "detection.calibration_error"]
    {
        assert!(page.contains(&format!("<code>{name}</code>")), "{name}");
    }
    assert!(page.contains("fly tipping"));
}

#[test]
fn synthetic_sets_are_marked_and_never_share_a_table_with_real_ones() {
    let report = sample::report(2, 12);
    let page = page::page(&report, Language::En);
    for table in page.split("<table").skip(1).map(|rest| rest.split("</table>").next().unwrap()) {
        if !table.starts_with(" class=\"figures\"") || table.contains("As they stand in the JSON") {
            continue;
        }
        let has = |origin: Origin| {
            (report.datasets.iter())
                .any(|it| it.origin == origin && table.contains(&format!("{}<", it.title)))
        };
        assert!(!(has(Origin::Real) && (has(Origin::Composite) || has(Origin::Rendered))));
        assert!(!(has(Origin::Composite) && has(Origin::Rendered)));
    }
    assert!(page.contains("synthetic: composited") && page.contains("synthetic: rendered"));
    let markdown = markdown::summary(&report);
    assert!(
        markdown.contains("## Incidents: synthetic (composited)")
            && markdown.contains("## Change: synthetic (rendered)")
    );
}

#[test]
fn the_markdown_has_a_row_for_each_subject_and_class_columns_where_they_are_few() {
    let report = sample::report(8, 12);
    let markdown = markdown::summary(&report);
    kept("report.md", &markdown);
    let coco = markdown.split("**COCO, 128").nth(1).unwrap().split("\n\n").nth(1).unwrap();
    assert!(coco.starts_with("| subject | AP50 | AP |") && !coco.contains("AP50 dog"), "{coco}");
    assert_eq!(coco.lines().count(), 2 + 8);
    let few = markdown.split("**Bicycles in the street").nth(1).unwrap();
    assert!(few.lines().nth(2).unwrap().contains("AP50 bicycle"), "{few:.300}");
    let columns = |line: &str| line.matches(" |").count();
    assert!(
        coco.lines()
            .filter(|line| !line.starts_with("|---"))
            .map(columns)
            .all(|it| it == columns(coco.lines().next().unwrap()))
    );
    assert!(markdown.starts_with("`parapet eval "));
}

#[test]
fn an_empty_report_is_a_page_too() {
    let report: Report = sample::report(0, 0);
    let page = page::page(&report, Language::ZhCn);
    markup::tags(&page).unwrap();
    assert!(page.contains("<html lang=\"zh-CN\""));
}

#[test]
fn a_report_comes_back_from_its_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let written = sample::report(2, 5);
    report::write(&written, &path).unwrap();
    assert_eq!(report::read(&path).unwrap(), written);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn another_version_a_cut_file_and_an_index_to_nowhere_are_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let refused = |text: &str| {
        fs::write(&path, text).unwrap();
        report::read(&path).unwrap_err().to_string()
    };
    let mut changed = sample::report(1, 1);
    changed.results[0].dataset = 4;
    let dangling = refused(&serde_json::to_string(&changed).unwrap());
    assert!(dangling.contains("results[0] is about dataset 4") && dangling.contains("hint:"), "{dangling}");
    let newer = refused("{\"version\": 2, \"shape\": \"unknown\"}");
    assert!(
        newer.contains("has version 2, this program reads version 1") && newer.contains("hint:"),
        "{newer}"
    );
    let cut = refused("{\"version\": 1, \"finished_at\": \"20");
    assert!(cut.contains("no complete report") && cut.contains("hint:"), "{cut}");
    let missing = report::read(folder.path().join("none.json")).unwrap_err().to_string();
    assert!(missing.contains("none.json"), "{missing}");
}
