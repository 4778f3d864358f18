//! A whole evaluation, small: the committed model on pictures of a Debian package, with a mistake among the labels.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, outside of test functions")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use parapet_eval::{
    gate::{Gate, Verdict},
    metric::interval::Bootstrap,
    report::Report,
    run::{Cache, Listener, Options, Plan, SubjectConfig, evaluate, read_findings, write_findings},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Counts the steps that were begun and done.
#[derive(Default)]
struct Count(AtomicU64, AtomicU64);

impl Listener for Count {
    fn begins(&self, _: &str, steps: u64) {
        self.0.fetch_add(steps, Ordering::Relaxed);
    }

    fn advanced(&self, steps: u64) {
        self.1.fetch_add(steps, Ordering::Relaxed);
    }
}

/// Two pictures with YOLO labels in `data/set`, as the labels are given; the manifest beside.
fn dataset(directory: &Path, dog: &str, person: &str) -> Option<PathBuf> {
    let pictures = root().join(".cache/footage/darknet");
    if !pictures.is_dir() {
        println!("skipped: there is no {}; hint: make setup", pictures.display());
        return None;
    }
    let set = directory.join("data/set");
    fs::create_dir_all(set.join("images")).unwrap();
    fs::create_dir_all(set.join("labels")).unwrap();
    for (name, labels) in [("dog", dog), ("person", person)] {
        fs::copy(pictures.join(format!("{name}.jpg")), set.join(format!("images/{name}.jpg"))).unwrap();
        fs::write(set.join(format!("labels/{name}.txt")), labels).unwrap();
    }
    let manifest = directory.join("set.toml");
    fs::write(
        &manifest,
        "name = 'set'\ntitle = 'Two pictures'\nkind = 'real'\nlicence = 'MIT'\nsource = 'deb:darknet'\n\
         root = 'set'\nclass_table = 'coco80'\n[labelled]\nclasses = ['dog', 'bicycle', 'person']\n\
         [truth.yolo]\nimages = 'images'\nlabels = 'labels'\n",
    )
    .unwrap();
    Some(manifest)
}

fn run(directory: &Path, manifest: PathBuf) -> (Report, Count) {
    let mut subject = SubjectConfig::of_model(&root().join("models/nanodet-g"));
    subject.engine.precision = parapet_infer::Precision::Int8;
    let plan = Plan { datasets: vec![manifest], subjects: vec![subject], threshold_dataset: None };
    let options = Options {
        data: directory.join("data"),
        pipeline: None,
        cache: Cache::new(&directory.join("cache")).unwrap(),
        bootstrap: Bootstrap { resamples: 50, ..Bootstrap::default() },
        command: "test".into(),
        now: "2026-11-22T00:00:00Z".into(),
    };
    let count = Count::default();
    let (report, findings) = evaluate(&plan, Vec::new(), &options, &count);
    write_findings(directory, &findings).unwrap();
    let earlier = read_findings(directory).unwrap();
    assert_eq!(earlier[0].of_sets, findings[0].of_sets);
    // The same findings once more beside themselves: no difference, and no significance.
    let (compared, _) = evaluate(&plan, earlier, &options, &count);
    assert!(compared.comparisons.iter().all(|c| c.difference.value == Some(0.0) && c.p_value == Some(1.0)));
    assert_eq!(compared.subjects.len(), 2);
    (report, count)
}

/// Centre, width and height as fractions: a dog and a bicycle in one picture, a person and a dog in the other.
const DOG: &str = "16 0.29 0.66 0.24 0.56\n1 0.45 0.47 0.58 0.49\n";
const PERSON: &str = "0 0.36 0.56 0.13 0.66\n16 0.21 0.72 0.22 0.21\n";

#[test]
fn a_small_set_is_scored_and_the_second_time_comes_from_the_cache() {
    let directory = tempfile::tempdir().unwrap();
    let Some(manifest) = dataset(directory.path(), DOG, PERSON) else { return };
    let (report, count) = run(directory.path(), manifest.clone());
    assert_eq!(report.problems, []);
    assert_eq!(count.0.load(Ordering::Relaxed), count.1.load(Ordering::Relaxed));
    let figures = &report.results[0].figures;
    let ap50 = figures["detection.ap50"].value.unwrap();
    assert!(ap50 > 0.5, "the detector that ships finds dog, bicycle and person: {ap50}");
    let kept = fs::read_dir(directory.path().join("cache")).unwrap().count();
    assert!(kept > 0);
    let (again, _) = run(directory.path(), manifest);
    assert_eq!(again, report);
    let gate = Gate::of(&report);
    assert!(gate.check(&report).iter().all(|(_, verdict)| matches!(verdict, Verdict::Held(_))));
    let mut higher = gate.clone();
    higher.figures.iter_mut().for_each(|bar| bar.value += 0.5);
    assert!(higher.check(&report).iter().all(|(_, verdict)| matches!(verdict, Verdict::Fell(_))));
    higher.figures.iter_mut().for_each(|bar| bar.dataset = "elsewhere".into());
    assert!(higher.check(&report).iter().all(|(_, verdict)| *verdict == Verdict::Missing));
}

#[test]
fn a_wrong_label_file_is_named_with_its_line_and_the_rest_is_scored() {
    let directory = tempfile::tempdir().unwrap();
    let Some(manifest) = dataset(directory.path(), "16 0.29 0.66 0.24 0.56\n99 0.5 0.5 0.1 0.1\n", PERSON)
    else {
        return;
    };
    let (report, _) = run(directory.path(), manifest);
    assert_eq!(report.problems.len(), 1);
    let problem = &report.problems[0];
    assert!(problem.place.ends_with("labels/dog.txt:2"), "{problem:?}");
    assert!(problem.what.contains("\"99\"") && problem.hint.contains("[classes]"), "{problem:?}");
    assert_eq!(report.datasets[0].images, 1);
    assert!(report.results[0].figures["detection.ap50.person"].value.is_some());
}
