//! The providers beside ONNX Runtime's own: what happens without them, and, where `PARAPET_OPENVINO_EP` names OpenVINO's,
//! that it says the same.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::{Path, PathBuf};

use parapet_core::Detector;
use parapet_infer::{DetectorOptions, Engine, EngineConfig, Manifest, Precision, Provider};

mod support;

fn manifest() -> Manifest {
    Manifest::load(&support::root().join("models/nanodet-g")).unwrap()
}

fn config(provider: Provider, precision: Precision, library: &Path) -> EngineConfig {
    EngineConfig { provider, precision, openvino_library: Some(library.into()), ..EngineConfig::default() }
}

#[test]
fn absent_it_is_an_error_or_a_named_fallback_and_present_it_agrees() {
    // One test: a plugin is registered for the process.
    let nowhere = Path::new("/nowhere/openvino.so");
    let error =
        Engine::start(&manifest(), &config(Provider::Openvino, Precision::Fp32, nowhere)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("/nowhere/openvino.so") && text.contains("hint:"), "{text}");
    let graphics = config(Provider::Cuda, Precision::Int8, nowhere);
    let text = Engine::start(&manifest(), &graphics).unwrap_err().to_string();
    assert!(text.contains("cuda does not compute in int8; hint:"), "{text}");
    // Where there is one, nothing is wrong.
    if let Err(error) = Engine::start(&manifest(), &config(Provider::Cuda, Precision::Fp32, nowhere)) {
        let text = error.to_string();
        assert!(text.contains("provider cuda; hint: it needs a build of ONNX Runtime for CUDA"), "{text}");
    }
    let engine = Engine::start(&manifest(), &config(Provider::Auto, Precision::Bf16, nowhere)).unwrap();
    assert_eq!((engine.info().provider, engine.info().precision), (Provider::Cpu, Precision::Fp32));

    let Some(library) = std::env::var_os("PARAPET_OPENVINO_EP").map(PathBuf::from) else {
        println!("skipped: PARAPET_OPENVINO_EP names no OpenVINO provider");
        return;
    };
    let frame = support::frame(&support::root().join("models/nanodet-g/golden/dog.jpg"));
    let found = |provider, precision| {
        let engine = Engine::start(&manifest(), &config(provider, precision, &library)).unwrap();
        assert_eq!((engine.info().provider, engine.info().precision), (provider, precision));
        let mut detector = engine.detector(&frame.camera, DetectorOptions::default()).unwrap();
        detector.detect(&frame).unwrap()
    };
    let fastest = EngineConfig { fastest: true, ..config(Provider::Auto, Precision::Fp32, &library) };
    let chosen = Engine::start(&manifest(), &fastest).unwrap();
    println!("the fastest here: {:?}", chosen.info());
    if let Err(error) = Engine::start(&manifest(), &config(Provider::Openvino, Precision::Fp32, &library)) {
        let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(why.contains("no device for openvino"), "{error}: {why}");
        println!("skipped: {error}: {why}");
        return;
    }
    let expected = found(Provider::Cpu, Precision::Fp32);
    for (precision, tolerance) in [(Precision::Fp32, 1e-4), (Precision::Bf16, 0.02)] {
        let found = found(Provider::Openvino, precision);
        assert_eq!(found.len(), expected.len(), "{precision}");
        for (a, b) in found.iter().zip(&expected) {
            let same =
                a.label == b.label && (a.score - b.score).abs() <= tolerance && a.bbox.iou(b.bbox) > 0.95;
            assert!(same, "{precision}: {a:?} is not {b:?}");
        }
    }
}
