//! What `parapet check` says of whole files.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use parapet_edge::config::{check, load, render_all};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn ten_mistakes_are_named_at_once_each_with_a_hint() {
    let path = root().join("fixtures/pipelines/ten-mistakes.toml");
    let text = fs::read_to_string(&path).unwrap();
    let problems = check(&text, &path).unwrap_err();
    let shown = render_all(&problems, &text, Path::new("ten-mistakes.toml"));
    // Paths of missing files begin where the repository is.
    let shown = shown.replace(&path.parent().unwrap().display().to_string(), "DIR");
    insta::assert_snapshot!(shown);
    assert!(problems.iter().all(|problem| problem.hint.is_some()), "{problems:#?}");
    let lines_of_mistakes = text.lines().enumerate().filter(|(_, line)| {
        line.split_once('#')
            .is_some_and(|(_, comment)| comment.trim_start().starts_with(|c: char| c.is_ascii_digit()))
    });
    for (index, line) in lines_of_mistakes {
        assert!(problems.iter().any(|problem| problem.line == index + 1), "not found: {line}");
    }
}

#[test]
fn the_pipelines_that_ship_are_right() {
    for name in ["example.toml", "sidewalk.toml", "carpark.toml", "street.toml"] {
        if let Err(error) = load(&root().join("pipelines").join(name)) {
            panic!("{error}");
        }
    }
}

fn mistakes(text: &str) -> Vec<(String, String)> {
    let problems = check(text, Path::new("pipeline.toml")).unwrap_err();
    problems.into_iter().map(|problem| (problem.path, problem.message)).collect()
}

#[test]
fn all_that_is_missing_in_one_table_is_told() {
    let told = mistakes("[node]\nhot_reload = true\n");
    let told: Vec<&str> = told.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(told, ["\"id\" is missing", "\"site\" is missing"]);
}

#[test]
fn a_name_that_stands_twice_and_a_mistake_after_it_are_both_told() {
    let told = mistakes(
        "[node]\nid = \"n\"\nsite = \"s\"\n[cameras.a.source.test]\n[cameras.a.source.test]\n[cameras.b]\ncolour = 1\n[cameras.b.source.test]\n",
    );
    assert!(told.iter().any(|(_, message)| message.contains("duplicate key")), "{told:?}");
    assert!(told.iter().any(|(path, _)| path == "cameras.b.colour"), "{told:?}");
}

#[test]
fn a_camera_with_a_broken_source_still_has_its_other_mistakes_told() {
    let told = mistakes(
        "[node]\nid = \"n\"\nsite = \"s\"\n[cameras.a]\nmodel = \"x\"\ntracker = 3\n[cameras.a.source.rtsp]\nurl = \"10.0.0.1\"\n",
    );
    let paths: Vec<&str> = told.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["cameras.a.model", "cameras.a.tracker", "cameras.a.source.rtsp.url"], "{told:?}");
}

#[test]
fn the_mistakes_of_a_dome_are_all_told() {
    let told = mistakes(
        r#"
        [node]
        id = "n"
        site = "s"
        [models.default]
        manifest = "../../models/nanodet-g"
        [cameras.fixed]
        source.test = {}
        presets.gate.reference_pictures = ["none.jpg"]
        [cameras.own]
        source.test = {}
        dome = {}
        patrols.round.stops = [{ preset = "gate" }]
        presets.gate.reference_pictures = []
        [cameras.led]
        source.test = {}
        zones.lane = { purpose = "roadway", polygon = [[0, 0], [1, 0], [1, 1]] }
        [cameras.led.dome]
        max_offset_degrees = 90
        onvif = { url = "10.0.0.8", password_env = "DOME" }
        [cameras.led.presets.gate]
        reference_pictures = ["none.jpg"]
        field_of_view_degrees = 0
        rules.bikes.misparked_ebike.forbidden = ["kerb"]
        rules.sheds.rooftop_structure = {}
        [cameras.led.patrols]
        day.stops = [{ preset = "gat" }, { preset = "gate", dwell_seconds = 0 }]
        night = { stops = [], schedule.hours = ["22"] }
        "#,
    );
    let paths: Vec<&str> =
        told.iter().map(|(path, _)| path.as_str()).filter(|path| path.starts_with("cam")).collect();
    assert_eq!(
        paths,
        [
            "cameras.fixed.presets",
            "cameras.own.patrols",
            "cameras.own.presets.gate.reference_pictures",
            "cameras.led.zones",
            "cameras.led.dome.max_offset_degrees",
            "cameras.led.dome.onvif.username",
            "cameras.led.dome.onvif.url",
            "cameras.led.presets.gate.reference_pictures",
            "cameras.led.presets.gate.field_of_view_degrees",
            "cameras.led.presets.gate.rules.bikes.misparked_ebike.forbidden[0]",
            "cameras.led.presets.gate.rules.sheds.rooftop_structure.zones",
            "cameras.led.presets.gate.rules.sheds.rooftop_structure",
            "cameras.led.patrols.day.stops[0].preset",
            "cameras.led.patrols.day.stops[1].dwell_seconds",
            "cameras.led.patrols.night.stops",
            "cameras.led.patrols.night.schedule.hours[0]",
        ],
        "{told:#?}"
    );
}

const PRIVATE: &str = r#"
[node]
id = "n"
site = "s"
[models.m]
manifest = "m"
[cameras.yard]
source.test = {}
[cameras.yard.zones.window]
polygon = [[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]]
purpose = "private"
[cameras.yard.zones.lane]
polygon = [[0.1, 0.6], [0.9, 0.6], [0.9, 0.9]]
purpose = "fire_lane"
[cameras.yard.rules.lane.occupied_roadway]
zones = ["window"]
"#;

#[test]
fn no_rule_is_about_what_is_private() {
    let told = mistakes(PRIVATE);
    let wanted = "zone \"window\" is private, and no rule may be about what is private";
    assert!(told.iter().any(|(path, message)| path.contains("zones") && message == wanted), "{told:?}");
}

#[test]
fn each_mistake_of_a_manifest_keeps_its_hint() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g/model.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap().replacen("format = 1", "format = 3", 1);
    std::fs::write(folder.path().join("model.toml"), manifest).unwrap();
    let path = folder.path().display();
    let text = format!(
        "node = {{ id = \"n\", site = \"s\" }}\nbus.embedded = {{}}\nmodels.m.manifest = \"{path}\"\n"
    );
    let told = mistakes(&text);
    let (_, message) = told.iter().find(|(path, _)| path == "models.m.manifest").unwrap();
    assert!(message.contains("format 3 is not known; hint: ") && message.contains("mistake(s)"), "{message}");
}

#[test]
fn what_a_camera_on_patrol_cannot_do_is_told() {
    let told = mistakes(
        r#"
        [node]
        id = "n"
        site = "s"
        patrol = { at_once = 0 }
        [bus.embedded]
        [models.m]
        manifest = "m"
        [cameras.well]
        source.rtsp.url = "rtsp://10.0.0.1/"
        patrol = {}
        zones.kerb = { purpose = "forbidden", polygon = [[0, 0], [1, 0], [1, 1]] }
        rules.bikes.misparked_ebike = {}
        [cameras.busy]
        source.rtsp.url = "rtsp://10.0.0.2/"
        source.keyframes_when_enough = true
        patrol = { every_seconds = 40, looks = 0, patience_seconds = 30 }
        gate = {}
        recording = {}
        lines.in = { points = [[0, 0], [1, 1]] }
        zones.kerb = { purpose = "forbidden", polygon = [[0, 0], [1, 0], [1, 1]] }
        rules.bikes.misparked_ebike = { limit_seconds = 39, zone_limit_seconds = { kerb = 38 }, label_limit_seconds = { bicycle = 37, motorcycle = 60 } }
        rules.dogs.stray_dog = {}
        [cameras.film]
        source.file.path = "Cargo.toml"
        patrol.every_seconds = 3
        [cameras.called]
        source.srt = { url = "srt://0.0.0.0:9000", mode = "listener" }
        patrol = {}
        "#,
    );
    let mut paths: Vec<&str> = told.iter().map(|(path, _)| path.as_str()).collect();
    paths.retain(|path| !path.starts_with("models"));
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "cameras.busy.gate",
            "cameras.busy.lines",
            "cameras.busy.patrol.looks",
            "cameras.busy.patrol.patience_seconds",
            "cameras.busy.recording",
            "cameras.busy.rules.bikes.misparked_ebike.label_limit_seconds.bicycle",
            "cameras.busy.rules.bikes.misparked_ebike.limit_seconds",
            "cameras.busy.rules.bikes.misparked_ebike.zone_limit_seconds.kerb",
            "cameras.busy.rules.dogs.stray_dog",
            "cameras.busy.source.keyframes_when_enough",
            "cameras.called.source.srt.mode",
            "cameras.film.patrol.every_seconds",
            "cameras.film.patrol.patience_seconds",
            "cameras.film.source.file",
            "node.patrol.at_once",
        ],
        "{told:#?}"
    );
}
