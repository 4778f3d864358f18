//! The committed models against their golden outputs: session and decoder, without a picture.

use std::path::PathBuf;

use serde_json::Value;

use super::*;
use crate::nms;

fn models() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|v| v as usize).collect()
}

/// The tensor of the golden file's formula.
fn input(shape: &[usize]) -> Vec<f32> {
    let mut values = Vec::new();
    for n in 0..shape[0] {
        for c in 0..shape[1] {
            for j in 0..shape[2] {
                for i in 0..shape[3] {
                    let (n, c, j, i) = (n as f64, c as f64, j as f64, i as f64);
                    let wave =
                        2.0 * (0.11 * i + 0.07 * j + 1.3 * c + 0.5 * n).sin() * (0.05 * j - 0.03 * i).cos();
                    values.push(wave as f32);
                }
            }
        }
    }
    values
}

fn at(shape: &[usize], index: &[usize]) -> usize {
    shape.iter().zip(index).fold(0, |offset, (size, i)| offset * size + i)
}

#[test]
fn sessions_and_decoders_answer_as_the_golden_files_say() {
    for name in ["nanodet-g", "efficientnet-lite0"] {
        let manifest = Arc::new(Manifest::load(&models().join(name)).unwrap());
        let text = std::fs::read_to_string(manifest.golden().unwrap()).unwrap();
        let golden: Value = serde_json::from_str(&text).unwrap();
        let mut compared = 0;
        for case in golden["raw"].as_array().unwrap() {
            let precision = if case["variant"] == "int8" { Precision::Int8 } else { Precision::Fp32 };
            let config = EngineConfig { precision, ..EngineConfig::default() };
            let (mut model, ..) = Model::open(&manifest, &config).unwrap();
            let shape = indices(&case["shape"]);
            let values = input(&shape);
            for sample in case["input"].as_array().unwrap() {
                let found = values[at(&shape, &indices(&sample["at"]))];
                assert!(
                    (f64::from(found) - sample["value"].as_f64().unwrap()).abs() < 1e-4,
                    "{name}: {sample}"
                );
            }
            let tensor = TensorRef::from_array_view((shape.clone(), &values[..])).unwrap();
            let results = model.session.run(ort::inputs![manifest.input_tensor() => tensor]).unwrap();
            for (output, expected) in case["outputs"].as_object().unwrap() {
                let (found_shape, found) = results[output.as_str()].try_extract_tensor::<f32>().unwrap();
                let output_shape = indices(&expected["shape"]);
                assert!(found_shape.iter().map(|d| *d as usize).eq(output_shape.iter().copied()));
                let tolerance = expected["tolerance"].as_f64().unwrap();
                for sample in expected["values"].as_array().unwrap() {
                    let value = f64::from(found[at(&output_shape, &indices(&sample["at"]))]);
                    let difference = (value - sample["value"].as_f64().unwrap()).abs();
                    assert!(difference <= tolerance, "{name} {precision} {output} {sample}: {value}");
                    compared += 1;
                }
            }
            drop(results);
            if let Some(pictures) = case["detections"].as_array() {
                let threshold = case["threshold"].as_f64().unwrap() as f32;
                let slots: Vec<_> =
                    values.chunks(values.len() / shape[0]).map(|tensor| Slot { tensor, threshold }).collect();
                let outputs = model.run((shape[3], shape[2]), &slots).unwrap();
                compare_detections(&manifest, outputs, pictures);
            }
        }
        assert!(compared >= 16, "{name}: only {compared} values were compared");
    }
}

fn compare_detections(manifest: &Manifest, outputs: Vec<Output>, pictures: &[Value]) {
    assert_eq!(outputs.len(), pictures.len());
    for (output, expected) in outputs.into_iter().zip(pictures) {
        let Output::Candidates(mut found) = output else { panic!("a detector gave feature maps") };
        let thresholds = manifest.thresholds().unwrap();
        nms::suppress(&mut found, thresholds.nms_iou.unwrap(), thresholds.class_agnostic);
        let expected = expected.as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(manifest.classes()[found.class].as_str(), expected["class"]);
            assert!((f64::from(found.score) - expected["score"].as_f64().unwrap()).abs() < 1e-3);
            for (a, b) in found.bbox.iter().zip(numbers(&expected["box"])) {
                assert!((f64::from(*a) - b).abs() < 0.05, "{found:?} is not {expected}");
            }
        }
    }
}

#[test]
fn a_picture_gives_the_same_alone_and_in_a_batch() {
    let manifest = Arc::new(Manifest::load(&models().join("nanodet-g")).unwrap());
    for precision in [Precision::Fp32, Precision::Int8] {
        let config = EngineConfig { precision, ..EngineConfig::default() };
        let (mut model, ..) = Model::open(&manifest, &config).unwrap();
        let values = input(&[4, 3, 96, 160]);
        let slots: Vec<_> =
            values.chunks(values.len() / 4).map(|tensor| Slot { tensor, threshold: 0.02 }).collect();
        let together = model.run((160, 96), &slots).unwrap();
        let alone: Vec<_> = slots.iter().map(|s| model.run((160, 96), &[*s]).unwrap().remove(0)).collect();
        assert!(matches!(&alone[0], Output::Candidates(c) if !c.is_empty()));
        assert_eq!(together, alone, "{precision}");
    }
}

#[test]
fn a_manifest_that_names_a_tensor_that_is_not_there_is_refused_with_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("nanodet-g");
    std::fs::create_dir(&directory).unwrap();
    let source = models().join("nanodet-g");
    let manifest = std::fs::read_to_string(source.join("model.toml"))
        .unwrap()
        .replace("dist_s{stride}", "reg_s{stride}");
    std::fs::write(directory.join("model.toml"), manifest).unwrap();
    std::fs::copy(source.join("model.onnx"), directory.join("model.onnx")).unwrap();
    let manifest = Arc::new(Manifest::load(&directory).unwrap());
    let error = Model::open(&manifest, &EngineConfig::default()).err().unwrap().to_string();
    assert!(error.contains("reg_s8") && error.contains("dist_s8"), "{error}");
}
