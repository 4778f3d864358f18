//! From a picture file to detections: the default detector against its golden outputs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeMap;

use parapet_core::{BBox, Detection, Detector};
use parapet_infer::{DetectorOptions, Engine, EngineConfig, InputSize, Manifest, Precision};
use serde_json::Value;

mod support;

fn bbox(row: &Value) -> BBox {
    serde_json::from_value(row["box"].clone()).unwrap()
}

#[test]
fn pictures_give_the_golden_detections() {
    let folder = support::root().join("models/nanodet-g");
    let manifest = Manifest::load(&folder).unwrap();
    let golden: Value =
        serde_json::from_str(&std::fs::read_to_string(manifest.golden().unwrap()).unwrap()).unwrap();
    let threshold = golden["threshold"].as_f64().unwrap() as f32;
    let mut engines = BTreeMap::new();
    let mut matched = 0;
    for case in golden["pictures"].as_array().unwrap() {
        let variant = case["variant"].as_str().unwrap();
        let precision = if variant == "int8" { Precision::Int8 } else { Precision::Fp32 };
        let engine = engines.entry(precision).or_insert_with(|| {
            Engine::start(&manifest, &EngineConfig { precision, ..EngineConfig::default() }).unwrap()
        });
        let size: [usize; 2] = serde_json::from_value(case["size"].clone()).unwrap();
        let options = DetectorOptions {
            input: Some(InputSize::Size(size)),
            score_threshold: Some(threshold),
            nms_iou: Some(golden["nms_iou"].as_f64().unwrap() as f32),
            ..DetectorOptions::default()
        };
        let name = case["picture"].as_str().unwrap();
        let frame = support::frame(&folder.join("golden").join(name));
        let place = manifest.placement((frame.picture.width(), frame.picture.height()), size.into());
        let placed = [place.left, place.top, place.width, place.height];
        let expected =
            ["left", "top", "inner_width", "inner_height"].map(|k| case["letterbox"][k].as_u64().unwrap());
        assert_eq!(placed.map(|v| v as u64), expected, "{name} {size:?}");

        let found = engine.detector(&frame.camera, options).unwrap().detect(&frame).unwrap();
        let tolerance = &golden["tolerance"][variant];
        let (score, iou) =
            (tolerance["score"].as_f64().unwrap(), tolerance["iou_at_least"].as_f64().unwrap());
        let rows = case["detections"].as_array().unwrap();
        let same = |d: &Detection, row: &Value| {
            d.label.as_str() == row["class"].as_str().unwrap()
                && f64::from(d.bbox.iou(bbox(row))) >= iou
                && (f64::from(d.score) - row["score"].as_f64().unwrap()).abs() <= score
        };
        for row in rows.iter().filter(|r| r["required"] == true) {
            assert!(
                found.iter().any(|d| same(d, row)),
                "{name} {variant} {size:?}: {row} is not in {found:#?}"
            );
            matched += 1;
        }
        for detection in found.iter().filter(|d| f64::from(d.score) >= f64::from(threshold) + 2.0 * score) {
            assert!(
                rows.iter().any(|r| same(detection, r)),
                "{name} {variant} {size:?}: {detection:?} is new"
            );
        }
    }
    assert!(matched > 20, "only {matched} golden detections were asked for");
    let counts = engines[&Precision::Fp32].counts();
    assert_eq!((counts.shed, counts.failed), (0, 0));
}
