//! On real labels: what was labelled is the truth, and a seeded copy with mistakes is what was found.

use super::detection::{self, Case, label};
use super::random::Random;
use super::repository;
use super::tracking::{self, Frames, found, truth};
use parapet_eval::truth::{FoundBox, Rect, TruthBox};
use std::path::{Path, PathBuf};

/// The folder of real footage, if this machine has it.
fn footage() -> Option<PathBuf> {
    let folder = std::env::var_os("PARAPET_FOOTAGE")
        .map_or_else(|| repository().join("../shared/footage"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no footage at {}", folder.display());
    None
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = (entries.map(|entry| entry.unwrap().path()))
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(ending)))
        .collect();
    files.sort();
    files
}

/// The boxes of a YOLO label file, in pixels of its picture.
fn yolo(labels: &Path, picture: &Path) -> Vec<TruthBox> {
    let (width, height) = image::image_dimensions(picture).unwrap();
    let (width, height) = (f64::from(width), f64::from(height));
    let text = std::fs::read_to_string(labels).unwrap();
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let mut numbers = line.split_whitespace().map(|number| number.parse::<f64>().unwrap());
            let class = numbers.next().unwrap() as usize;
            let mut next = |size: f64| numbers.next().unwrap() * size;
            let (x, y, w, h) = (next(width), next(height), next(width), next(height));
            let rect = Rect { x: x - w / 2.0, y: y - h / 2.0, width: w, height: h };
            TruthBox {
                label: label(class),
                rect,
                area: rect.area(),
                track: None,
                crowd: false,
                ignored: false,
            }
        })
        .collect()
}

/// What a program with mistakes finds: misses, doubles, loose boxes, wrong classes, things that are not there.
fn mistaken(random: &mut Random, truths: &[TruthBox], classes: usize) -> Vec<FoundBox> {
    let mut found = Vec::new();
    for truth in truths {
        if random.chance(0.2) {
            continue;
        }
        for _ in 0..=usize::from(random.chance(0.15)) {
            let class = if random.chance(0.1) { label(random.below(classes)) } else { truth.label.clone() };
            let rect = random.jittered(&truth.rect, 0.15, false);
            // Two decimals: scores tie.
            let score = (random.between(0.2, 1.0) * 100.0).round() / 100.0;
            found.push(FoundBox { label: class, rect, score, track: None });
        }
    }
    for _ in 0..random.below(4) {
        let rect = random.rect(false, 0.0);
        found.push(FoundBox {
            label: label(random.below(classes)),
            rect,
            score: random.between(0.0, 0.8),
            track: None,
        });
    }
    found
}

#[test]
fn detection_is_as_pycocotools_has_it_on_real_labels() {
    let Some(footage) = footage() else { return };
    let mut cases = Vec::new();
    let mut boxes = 0;
    for set in files(&footage.join("labelled"), "").into_iter().chain(files(&footage.join("aerial"), "")) {
        let mut random = Random::new(17);
        let mut images = Vec::new();
        let mut labelled = Vec::new();
        for labels in files(&set.join("labels"), ".txt") {
            let stem = labels.file_stem().unwrap().to_str().unwrap();
            let mut pictures = [".jpg", ".png", ".jpeg"]
                .into_iter()
                .map(|end| set.join("images").join(format!("{stem}{end}")));
            let Some(picture) = pictures.find(|picture| picture.exists()) else { continue };
            let truths = yolo(&labels, &picture);
            boxes += truths.len();
            labelled.extend(truths.iter().map(|truth| truth.label.as_str().parse::<usize>().unwrap()));
            images.push(truths);
        }
        if images.is_empty() {
            continue;
        }
        labelled.sort_unstable();
        labelled.dedup();
        let images = images
            .into_iter()
            .map(|truths| {
                let found = mistaken(&mut random, &truths, 80);
                (truths, found)
            })
            .collect::<Vec<_>>();
        println!("{}: {} pictures, classes {labelled:?}", set.file_name().unwrap().display(), images.len());
        cases.push(Case { images, classes: 80, labelled, times: None });
    }
    println!("{} sets, {boxes} boxes", cases.len());
    assert!(!cases.is_empty(), "no labelled pictures in {}", footage.display());
    detection::compare(&cases);
}

/// The boxes of a `*.boxes.csv`, frame by frame: `frame|t_s, xmin, ymin, xmax, ymax, …`, one thing a file.
fn tracked(file: &Path, random: &mut Random) -> Frames {
    let text = std::fs::read_to_string(file).unwrap();
    let mut track = 1;
    (text.lines().skip(1))
        .filter_map(|line| {
            let numbers: Vec<f64> = line.split(',').take(5).map(str::parse).collect::<Result<_, _>>().ok()?;
            let &[_, left, top, right, bottom] = numbers.as_slice() else { return None };
            let rect = Rect { x: left, y: top, width: right - left, height: bottom - top };
            track += u64::from(random.chance(0.05));
            let mut findings = Vec::new();
            if !random.chance(0.15) {
                findings.push(found(track, random.jittered(&rect, 0.2, false)));
            }
            if random.chance(0.1) {
                findings.push(found(1000, random.rect(false, 0.0)));
            }
            Some((vec![truth(1, rect, false)], findings))
        })
        .collect()
}

#[test]
fn tracking_is_as_trackeval_has_it_on_real_boxes() {
    let Some(footage) = footage() else { return };
    let mut random = Random::new(23);
    let sequences: Vec<Frames> =
        files(&footage.join("video"), ".boxes.csv").iter().map(|file| tracked(file, &mut random)).collect();
    let frames: usize = sequences.iter().map(Vec::len).sum();
    println!("{} sequences, {frames} frames with boxes", sequences.len());
    assert!(frames > 0, "no boxes in {}", footage.display());
    tracking::compare(&[sequences]);
}
