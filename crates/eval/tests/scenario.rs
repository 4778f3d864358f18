//! The scenario maker on pictures drawn for it, and every specification in `fixtures/scenarios` on the real pictures;
//! the latter skips its pixels, saying so, where `make setup` has not fetched them.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use parapet_eval::scenario::{Composer, PlacedThing, ScenarioSpec, Split, make};
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A grey wall of 160 × 120 with a red post, and a specification over it.
fn drawn(body: &str) -> (TempDir, ScenarioSpec) {
    let folder = tempfile::tempdir().unwrap();
    let mut wall = image::RgbImage::from_pixel(160, 120, image::Rgb([120, 120, 124]));
    for (x, y) in (0..120).flat_map(|y| (100..110).map(move |x| (x, y))) {
        wall.put_pixel(x, y, image::Rgb([180, 30, 30]));
    }
    wall.save(folder.path().join("wall.png")).unwrap();
    let library = r#"
        [backgrounds.wall]
        picture = "wall.png"
        ground = { horizon_y = 20, foot_y = 120, pixels_per_meter = 50 }

        [things.box]
        label = "box"
        height_meters = 1.0
        shadow = 0.5
        parts = [{ faces = [{ outline = [[0, 0], [20, 0], [20, 20], [0, 20]], color = [250, 250, 250] }] }]

        [things.post]
        parts = [{ cutout = { outline = [[100, 0], [110, 0], [110, 118], [100, 118]], feather_pixels = 0.5 } }]
    "#;
    fs::write(folder.path().join("library.toml"), library).unwrap();
    let spec = folder.path().join("spec.toml");
    let head = "title = \"t\"\nframes_per_second = 5\nduration_seconds = 4\nlibrary = \"library.toml\"\n";
    fs::write(&spec, format!("{head}{body}\n[background]\nfrom = \"wall\"\n")).unwrap();
    let spec = ScenarioSpec::load(&spec).unwrap();
    (folder, spec)
}

fn frame(body: &str, number: u64) -> (Vec<u8>, Vec<PlacedThing>) {
    let (folder, spec) = drawn(body);
    Composer::new(spec, folder.path()).unwrap().frame(number).unwrap()
}

fn hash(spec: &ScenarioSpec, pictures: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut composer = Composer::new(spec.clone(), pictures).unwrap();
    for number in 0..spec.frame_count() {
        composer.frame(number).unwrap().0.hash(&mut hasher);
    }
    hasher.finish()
}

const WEATHER: &str = r#"
    seed = 7
    [things.a]
    thing = "box"
    keys = [{ at_seconds = 0, foot = [40, 100] }, { at_seconds = 4, foot = [60, 100] }]
    [camera]
    noise = 3.0
    shake_pixels = 2
    [light]
    night = [[0, 0.0], [4, 0.8]]
    [[light.patches]]
    radius = [30, 20]
    keys = [{ at_seconds = 1, at = [50, 90], level = 0.4 }, { at_seconds = 4, at = [90, 90], level = 0.4 }]
    [weather]
    rain = [[0, 0.8]]
    fog = { density = [[0, 0.3]] }
"#;

#[test]
fn the_same_specification_gives_the_same_pixels_and_another_seed_does_not() {
    let (folder, spec) = drawn(WEATHER);
    let first = hash(&spec, folder.path());
    assert_eq!(first, hash(&spec, folder.path()));
    let (folder, other) = drawn(&WEATHER.replace("seed = 7", "seed = 8"));
    assert_ne!(first, hash(&other, folder.path()));
    assert_ne!(spec.fingerprint(), other.fingerprint());
}

#[test]
fn a_thing_is_as_large_as_the_ground_says_where_its_foot_is() {
    let at = |y: u32| {
        let body = format!(
            "[things.a]\nthing = \"box\"\nkeys = [{{ at_seconds = 0, foot = [50, {y}] }}, \
             {{ at_seconds = 4, foot = [50, {y}] }}]"
        );
        let [_, top, _, bottom]: [f32; 4] = frame(&body, 2).1[0].bbox.into();
        (bottom - top) * 120.0
    };
    // 50 pixels a metre in row 120, none at the horizon in row 20.
    assert!((at(120) - 50.0).abs() <= 1.0, "{}", at(120));
    assert!((at(70) - 25.0).abs() <= 1.0, "{}", at(70));
}

#[test]
fn what_is_behind_the_post_is_less_visible_and_has_a_smaller_visible_box() {
    let body = r#"
        [things.a]
        thing = "box"
        keys = [{ at_seconds = 0, foot = [105, 100] }, { at_seconds = 4, foot = [105, 100] }]
        [things.b]
        thing = "box"
        keys = [{ at_seconds = 0, foot = [40, 100] }, { at_seconds = 4, foot = [40, 100] }]
        [things.z]
        thing = "post"
        scenery = true
        keys = [{ at_seconds = 0 }, { at_seconds = 4 }]
    "#;
    let (_, things) = frame(body, 3);
    let [a, b, z] = things.as_slice() else { panic!("{things:?}") };
    // The post hides 10 of the 40 pixels.
    assert!((a.visibility - 0.75).abs() < 0.03, "{}", a.visibility);
    assert_eq!(a.visible, Some(a.bbox), "both sides of it can be seen");
    assert!(b.visibility > 0.99);
    assert_eq!((a.label.is_some(), z.label.is_some()), (true, false), "scenery has no truth");
    assert_eq!((a.track, b.track), (1, 2));
}

#[test]
fn nearer_things_hide_farther_ones_whatever_their_names() {
    let body = |far: &str, near: &str| {
        format!(
            "[things.{far}]\nthing = \"box\"\nkeys = [{{ at_seconds = 0, foot = [50, 90] }}, {{ at_seconds = 4, \
             foot = [50, 90] }}]\n[things.{near}]\nthing = \"box\"\nkeys = [{{ at_seconds = 0, foot = [56, 100] \
             }}, {{ at_seconds = 4, foot = [56, 100] }}]"
        )
    };
    for (far, near) in [("a", "b"), ("b", "a")] {
        let (_, things) = frame(&body(far, near), 1);
        let seen = |name: &str| things.iter().find(|t| t.name == name).unwrap().visibility;
        assert!(seen(near) > 0.99 && seen(far) < 0.8, "{} {}", seen(near), seen(far));
    }
}

#[test]
fn a_mistake_in_a_specification_is_named() {
    let wrong = [
        ("[things.a]\nthing = \"bax\"\nkeys = [{ at_seconds = 0 }]", "the library has no thing \"bax\""),
        ("[things.a]\nkeys = [{ at_seconds = 0 }]", "things.a has no look or two"),
        ("[things.a]\nthing = \"box\"\nkeys = []", "things.a.keys are none or out of order"),
        (
            "[things.a]\nthing = \"box\"\nkeys = [{ at_seconds = 0 }, { at_seconds = 2, foot = [1, 2] }]",
            "give foot in all or in none",
        ),
        (
            "[things.a]\nthing = \"box\"\nkeys = [{ at_seconds = 0 }, { at_seconds = 2 }]\n[[incidents]]\n\
             kind = \"stray_dog\"\nthing = \"a\"\nsince_seconds = 1\nuntil_seconds = 3",
            "lasts from 1 to 3 s, but the thing is there from 0 to 2 s",
        ),
    ];
    for (body, message) in wrong {
        let (folder, _) = drawn("");
        let path = folder.path().join("wrong.toml");
        let head = "title = \"t\"\nframes_per_second = 5\nduration_seconds = 4\nlibrary = \"library.toml\"\n";
        fs::write(&path, format!("{head}{body}\n[background]\nfrom = \"wall\"\n")).unwrap();
        let error = ScenarioSpec::load(&path).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_clip_comes_with_its_truth_and_its_baseline() {
    let (folder, _) = drawn(
        "[things.a]\nthing = \"box\"\nkeys = [{ at_seconds = 1, foot = [50, 100] }, { at_seconds = 4, foot = [50, \
         100] }]\n[[incidents]]\nkind = \"occupied_roadway\"\nthing = \"a\"\nsince_seconds = 1\n[watch]\npipeline \
         = \"p.toml\"\ncamera = \"c\"\nlimit_seconds = 2\nbaseline = \"wall.baseline.png\"",
    );
    let made = make(&folder.path().join("spec.toml"), folder.path(), folder.path(), &mut |_, _| {}).unwrap();
    let truth: serde_json::Value = serde_json::from_slice(&fs::read(made.truth).unwrap()).unwrap();
    assert_eq!(truth["schema"], "parapet.scenario-truth.v1");
    assert_eq!(truth["incidents"][0]["due_seconds"], 3.0);
    assert_eq!(truth["incidents"][0]["box"], truth["frames"][15]["things"][0]["bbox"]);
    assert_eq!(truth["frames"].as_array().unwrap().len(), 20);
    assert_eq!(truth["frames"][4]["things"].as_array().unwrap().len(), 0, "it comes after one second");
    assert_eq!(parapet_ingest::probe(&made.clip).unwrap().width, 160);
    assert_eq!(fs::read(made.plate).unwrap(), fs::read(made.baseline.unwrap()).unwrap());
}

fn specifications() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for set in ["demo", "composite"] {
        for entry in fs::read_dir(root().join("fixtures/scenarios").join(set)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_specification_loads_and_the_measuring_set_is_split_in_halves() {
    let (mut tuning, mut held_out) = (0_usize, 0_usize);
    for path in specifications() {
        let spec = ScenarioSpec::load(&path).unwrap();
        match spec.split {
            Some(Split::Tuning) => tuning += 1,
            Some(Split::HeldOut) => held_out += 1,
            None => assert!(path.parent().unwrap().ends_with("demo"), "{}", path.display()),
        }
        let Some(watch) = &spec.watch else { continue };
        let pipeline = path.parent().unwrap().join(&watch.pipeline);
        let pipeline: toml::Table = toml::from_str(&fs::read_to_string(pipeline).unwrap()).unwrap();
        assert!(pipeline["cameras"].get(&watch.camera).is_some(), "{}: {}", path.display(), watch.camera);
        let rules = pipeline["cameras"][&watch.camera]["rules"].as_table().unwrap();
        for incident in &spec.incidents {
            let rule = rules.values().find_map(|rule| rule.get(incident.kind.as_str()));
            let limit =
                rule.unwrap_or_else(|| panic!("{}: no rule watches", path.display()))["limit_seconds"]
                    .as_integer()
                    .unwrap();
            assert_eq!(limit as f64, watch.limit_seconds, "{}", path.display());
            let until = incident.until_seconds.unwrap_or(spec.duration_seconds);
            let lasts = until - incident.since_seconds;
            assert!(lasts > watch.limit_seconds + 5.0, "{}: not due within the clip", path.display());
        }
    }
    assert!(tuning + held_out >= 32 && tuning.abs_diff(held_out) <= 6, "{tuning} and {held_out}");
}

#[test]
fn every_specification_composes_and_its_incidents_can_be_seen() {
    let pictures = root().join(".cache/footage");
    if !pictures.join("opencv/vtest.avi").is_file() {
        println!("skipped: there are no pictures in {}; hint: make setup", pictures.display());
        return;
    }
    for path in specifications() {
        let spec = ScenarioSpec::load(&path).unwrap();
        let last = spec.frame_count() - 1;
        let fps = f64::from(spec.frames_per_second);
        let mut composer = Composer::new(spec.clone(), &pictures).unwrap();
        let (width, height) = composer.size();
        assert!(width <= 768 && height <= 576, "{}", path.display());
        for number in [0, last / 2, last] {
            let (rgb, _) = composer.frame(number).unwrap();
            assert_eq!(rgb.len(), width * height * 3);
        }
        for incident in &spec.incidents {
            let until = incident.until_seconds.unwrap_or(spec.duration_seconds);
            let middle = f64::midpoint(incident.since_seconds, until) * fps;
            let (_, things) = composer.frame(middle as u64).unwrap();
            for name in std::iter::once(&incident.thing).chain(&incident.with) {
                let thing = things.iter().find(|t| t.name == *name);
                let thing = thing.unwrap_or_else(|| panic!("{}: {name} is not there", path.display()));
                assert!(thing.label.is_some(), "{}: {name} is scenery", path.display());
            }
        }
    }
}
