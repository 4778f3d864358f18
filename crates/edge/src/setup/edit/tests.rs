use super::*;

const TEXT: &str = r#"# The gate house.
[node]
id = "n"   # unique

# ---- a gate ----
[cameras.gate]
name = "东门"   # east
[cameras.gate.source]
analysed_fps = 4
rtsp.url = "rtsp://127.0.0.1:8554/gate"   # main

[cameras.gate.zones.entrance]
# as drawn in spring
purpose = "forbidden"
polygon = [[0.02, 0.62], [0.98, 0.62], [0.98, 0.98]] # three corners

[cameras.gate.rules.bikes.misparked_ebike]
limit_seconds = 12 # short

# ---- a tower ----
[cameras.tower]
source.test = {}
[cameras.tower.presets.roof]
reference_pictures = []
zones.roof = { purpose = "roof", polygon = [[0.1, 0.3], [0.9, 0.3], [0.9, 0.9]] } # inline
"#;

fn edits(json: serde_json::Value) -> Vec<Edit> {
    serde_json::from_value(json).unwrap()
}

fn after(json: serde_json::Value) -> String {
    let mut keep = |camera: &CameraId, password: &str| {
        assert_eq!(password, "p@ss:w");
        Ok(format!("secrets/{camera}.password"))
    };
    edited(TEXT, &edits(json), &mut keep).unwrap()
}

/// Lines that are only in the first, then those that are only in the second.
fn changed(before: &str, now: &str) -> String {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (before, now) = (lines(before), lines(now));
    let gone = before.iter().filter(|line| !now.contains(line)).map(|line| format!("- {line}"));
    let come = now.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(come).collect::<Vec<_>>().join("\n")
}

#[test]
fn drawing_a_zone_anew_keeps_every_comment() {
    let now = after(serde_json::json!([
        { "op": "put_zone", "camera": "gate", "zone": "entrance", "purpose": "bay", "polygon": [[0.123_456, 0], [1, 0.5], [1, 1]] },
    ]));
    insta::assert_snapshot!(changed(TEXT, &now), @r#"
    - purpose = "forbidden"
    - polygon = [[0.02, 0.62], [0.98, 0.62], [0.98, 0.98]] # three corners
    + purpose = "bay"
    + polygon = [[0.1235, 0.0], [1.0, 0.5], [1.0, 1.0]] # three corners
    "#);
}

#[test]
fn what_is_new_stands_with_its_camera_and_what_goes_takes_nothing_else_along() {
    let now = after(serde_json::json!([
        { "op": "put_zone", "camera": "gate", "zone": "mask", "purpose": "ignore", "polygon": [[0, 0], [0.2, 0], [0.2, 0.2]], "labels": ["car"] },
        { "op": "put_line", "camera": "gate", "line": "in", "points": [[0.1, 0.5], [0.9, 0.5]] },
        { "op": "put_rule", "camera": "gate", "rule": "bikes", "kind": "misparked_ebike", "options": { "limit_seconds": 30, "cool_down_seconds": 2.5 } },
        { "op": "put_rule", "camera": "gate", "rule": "dogs", "kind": "stray_dog" },
        { "op": "put_zone", "camera": "tower", "preset": "roof", "zone": "hatch", "purpose": "ignore", "polygon": [[0, 0], [0.2, 0], [0.2, 0.2]], "membership": { "overlap": 0.5 } },
        { "op": "set", "path": ["cameras", "gate", "change", "background"], "value": {} },
    ]));
    insta::assert_snapshot!(now);
    let table: toml::Table = now.parse().unwrap();
    assert_eq!(table["cameras"]["tower"]["presets"]["roof"]["zones"].as_table().unwrap().len(), 2);
    let back = edited(
        &now,
        &edits(serde_json::json!([
            { "op": "remove_zone", "camera": "gate", "zone": "mask" },
            { "op": "remove_line", "camera": "gate", "line": "in" },
            { "op": "remove_rule", "camera": "gate", "rule": "dogs" },
            { "op": "put_rule", "camera": "gate", "rule": "bikes", "kind": "misparked_ebike", "options": { "limit_seconds": 12, "cool_down_seconds": null } },
            { "op": "remove_zone", "camera": "tower", "preset": "roof", "zone": "hatch" },
            { "op": "unset", "path": ["cameras", "gate", "change"] },
        ])),
        &mut |_, _| unreachable!(),
    )
    .unwrap();
    assert_eq!(back, TEXT);
}

#[test]
fn a_camera_by_address_has_its_password_elsewhere() {
    let now = after(serde_json::json!([
        { "op": "put_camera", "camera": "west", "name": "西门", "url": "rtsp://admin:p%40ss%3Aw@10.0.0.5/main",
          "substream_url": "rtsp://10.0.0.5/sub", "analysed_fps": 5, "spared": true, "recording": { "hours": 4 } },
        { "op": "put_camera", "camera": "gate", "name": null, "username": "viewer", "password": "p@ss:w", "disabled": true },
        { "op": "remove_camera", "camera": "tower" },
    ]));
    assert!(!now.contains("p@ss") && !now.contains("p%40ss"));
    insta::assert_snapshot!(changed(TEXT, &now));
    // A second look changes nothing but what is said.
    let again = edited(
        &now,
        &edits(serde_json::json!([
            { "op": "put_camera", "camera": "west", "url": "rtsp://10.0.0.6/main", "password": null, "spared": false, "recording": null },
        ])),
        &mut |_, _| unreachable!(),
    )
    .unwrap();
    insta::assert_snapshot!(changed(&now, &again), @r#"
    - keyframes_when_enough = true
    - url = "rtsp://10.0.0.5/main"
    - password_file = "secrets/west.password"
    - [cameras.west.gate]
    - [cameras.west.recording]
    - hours = 4
    + url = "rtsp://10.0.0.6/main"
    "#);
}

#[test]
fn another_kind_of_rule_replaces_the_first_and_a_generated_source_becomes_an_address() {
    let now = after(serde_json::json!([
        { "op": "put_rule", "camera": "gate", "rule": "bikes", "kind": "stray_dog", "options": { "limit_seconds": 8 } },
        { "op": "put_camera", "camera": "tower", "url": "rtsp://10.0.0.7/1" },
    ]));
    let table: toml::Table = now.parse().unwrap();
    let rule = table["cameras"]["gate"]["rules"]["bikes"].as_table().unwrap();
    assert_eq!(rule.keys().collect::<Vec<_>>(), ["stray_dog"]);
    let source = table["cameras"]["tower"]["source"].as_table().unwrap();
    assert_eq!(source.keys().collect::<Vec<_>>(), ["rtsp"]);
}

#[test]
fn what_cannot_be_edited_is_said_in_both_languages() {
    for (edit, en) in [
        (
            serde_json::json!({ "op": "remove_zone", "camera": "gate", "zone": "x" }),
            "there is no cameras.gate.zones.x",
        ),
        (
            serde_json::json!({ "op": "put_line", "camera": "x", "line": "a", "points": [] }),
            "there is no camera \"x\"",
        ),
        (
            serde_json::json!({ "op": "put_line", "camera": "gate", "preset": "p", "line": "a", "points": [] }),
            "camera \"gate\" has no preset \"p\"",
        ),
        (
            serde_json::json!({ "op": "set", "path": ["node", "id"], "value": "x" }),
            "only options of cameras can be changed here (cameras.NAME.…)",
        ),
        (
            serde_json::json!({ "op": "set", "path": ["cameras", "gate", "name", "x"], "value": 1 }),
            "cameras.gate.name is no table",
        ),
        (
            serde_json::json!({ "op": "put_camera", "camera": "gate", "password": "a\nb" }),
            "the password is empty or has control characters",
        ),
    ] {
        let refusal =
            edited(TEXT, &edits(serde_json::json!([edit])), &mut |_, _| unreachable!()).unwrap_err();
        let Refusal::Refused { zh, en: told } = refusal else { panic!("{refusal:?}") };
        assert!(told == en && !zh.is_ascii(), "{told} / {zh}");
    }
    assert!(
        serde_json::from_value::<Edit>(serde_json::json!({ "op": "remove_camera", "camera": "x", "y": 1 }))
            .is_err()
    );
}
