//! Every family with real weights, where they are: those of models whose files are not committed are looked for in
//! `PARAPET_MODELS_EXTRA`, else in `../shared/models` beside the repository.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::PathBuf;

use parapet_core::{Detector, Picture};
use parapet_infer::{DetectorOptions, Engine, EngineConfig, Manifest, Overload, Precision, Tiling};

mod support;

/// A model of `models/`, its weights brought together with its manifest; `None` if they are nowhere.
fn model(name: &str) -> Option<(tempfile::TempDir, Manifest)> {
    let manifest = Manifest::load(&support::root().join("models").join(name)).unwrap();
    let extra = std::env::var_os("PARAPET_MODELS_EXTRA")
        .map_or_else(|| support::root().join("../shared/models"), PathBuf::from);
    let file = &manifest.variant(Precision::Fp32).unwrap().file;
    let source = [manifest.directory().join(file), extra.join(file)].into_iter().find(|p| p.is_file())?;
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join(name);
    std::fs::create_dir(&directory).unwrap();
    std::fs::copy(manifest.directory().join("model.toml"), directory.join("model.toml")).unwrap();
    std::fs::copy(source, directory.join(file)).unwrap();
    let manifest = Manifest::load(&directory).unwrap();
    Some((folder, manifest))
}

#[test]
fn each_family_finds_the_dog_the_bicycle_and_the_truck() {
    let frame = support::frame(&support::root().join("models/nanodet-g/golden/dog.jpg"));
    // As anyone sees them, in parts of the picture.
    let truth = [
        (vec!["dog"], [0.165, 0.38, 0.41, 0.94]),
        (vec!["bicycle"], [0.16, 0.21, 0.74, 0.73]),
        (vec!["truck", "car"], [0.605, 0.13, 0.90, 0.30]),
    ];
    for name in ["nanodet-g", "nanodet-plus-m", "yolox-nano", "deimv2-femto", "deimv2-atto"] {
        let Some((_folder, manifest)) = model(name) else {
            println!("skipped {name}: its weights are not here");
            continue;
        };
        let engine = Engine::start(&manifest, &EngineConfig::default()).unwrap();
        let mut detector = engine.detector(&frame.camera, DetectorOptions::default()).unwrap();
        let found = detector.detect(&frame).unwrap();
        assert!(found.windows(2).all(|w| w[0].score >= w[1].score));
        for (labels, bbox) in &truth {
            let bbox = parapet_core::BBox::try_from(*bbox).unwrap();
            let hit = found.iter().any(|d| labels.contains(&d.label.as_str()) && d.bbox.iou(bbox) > 0.6);
            assert!(hit, "{name}: no {labels:?} in {found:#?}");
        }
        assert_eq!(
            detector.detect(&frame).unwrap(),
            found,
            "{name}: the same frame gives the same detections"
        );
    }
}

#[test]
fn feature_maps_have_the_shape_of_the_picture_and_differ_where_it_does() {
    let manifest = Manifest::load(&support::root().join("models/efficientnet-lite0")).unwrap();
    let engine = Engine::start(&manifest, &EngineConfig::default()).unwrap();
    let camera = "roof".parse().unwrap();
    let mut extractor = engine.extractor(&camera, Some(parapet_infer::InputSize::Size([256, 128]))).unwrap();
    let mut rgb = vec![110; 512 * 256 * 3];
    let before = extractor.extract(&Picture::from_rgb(512, 256, &rgb).unwrap()).unwrap();
    for y in 160..224 {
        for x in 384..448 {
            rgb[(y * 512 + x) * 3..][..3].copy_from_slice(&[200, 60, 40]);
        }
    }
    let after = extractor.extract(&Picture::from_rgb(512, 256, &rgb).unwrap()).unwrap();
    let shapes: Vec<_> = after.maps.iter().map(|m| (m.stride, m.channels, m.height, m.width)).collect();
    assert_eq!(shapes, [(8, 40, 16, 32), (16, 112, 8, 16)]);
    for (a, b) in before.maps.iter().zip(&after.maps) {
        let difference = |x: usize, y: usize| {
            (0..a.channels).map(|c| (a.at(c, x, y) - b.at(c, x, y)).abs()).sum::<f32>() / a.channels as f32
        };
        let (there, elsewhere) =
            (difference(208 / a.stride, 96 / a.stride), difference(16 / a.stride, 16 / a.stride));
        assert!(
            there > 20.0 * elsewhere.max(1e-3),
            "stride {}: {there} there, {elsewhere} elsewhere",
            a.stride
        );
    }
}

#[test]
fn cameras_share_an_engine_and_tiles_find_what_is_small() {
    let manifest = Manifest::load(&support::root().join("models/nanodet-g")).unwrap();
    let config = EngineConfig { overload: Overload::Wait, queue: 2, ..EngineConfig::default() };
    let engine = Engine::start(&manifest, &config).unwrap();
    let frame = support::frame(&support::root().join("models/nanodet-g/golden/dog.jpg"));
    // The picture in the middle of a view five times as wide: the dog is 50 pixels of 416.
    let (small, wide) = (frame.picture.to_rgb(), frame.picture.width() * 5);
    let rows = small.chunks(frame.picture.width() * 3);
    let padding = vec![120; frame.picture.width() * 2 * 3];
    let rgb: Vec<u8> = rows.flat_map(|row| [&padding[..], row, &padding[..]].concat()).collect();
    let mut view = frame.clone();
    view.picture = Picture::from_rgb(wide, frame.picture.height(), &rgb).unwrap().into();

    let tiles = Some(Tiling { columns: 5, rows: 1, overlap: 0.2, whole: false });
    let tiled = DetectorOptions {
        tiles,
        labels: Some(["dog"].map(parapet_core::Label::new).into()),
        ..DetectorOptions::default()
    };
    let run = |options: DetectorOptions| {
        let mut detector = engine.detector(&frame.camera, options).unwrap();
        detector.detect(&view).unwrap()
    };
    let (found, whole) = std::thread::scope(|scope| {
        let tiled = scope.spawn(|| run(tiled.clone()));
        let others: Vec<_> = (0..3).map(|_| scope.spawn(|| run(DetectorOptions::default()))).collect();
        let whole: Vec<_> = others.into_iter().map(|t| t.join().unwrap()).collect();
        (tiled.join().unwrap(), whole)
    });
    assert_eq!(found.len(), 1, "{found:#?}");
    let dog = parapet_core::BBox::new(0.4 + 0.165 / 5.0, 0.38, 0.4 + 0.41 / 5.0, 0.94).unwrap();
    assert!(found[0].bbox.iou(dog) > 0.7, "{found:#?}");
    assert!(whole.iter().all(|w| *w == whole[0]), "cameras see the same in the same picture");
    assert_eq!(engine.counts().frames, 4);
}
