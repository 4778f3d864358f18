//! What a frame costs: preparation, the default detector at 416 and 640 in fp32 and int8, decoding, and whether running
//! four pictures together pays. One thread.
//!
//! `cargo bench -p parapet-infer`

use std::{hint::black_box, path::Path, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use parapet_core::{ColorSpace, Detector, Frame, Picture, Plane, RunId, Timestamp};
use parapet_infer::{
    DetectorOptions, Engine, EngineConfig, InputSize, Manifest, Precision, Region, Tiling, fill_tensor,
};

fn plane(width: usize, height: usize) -> Plane {
    let samples = (0..width * height).map(|i| ((i % width) * 7 + (i / width) * 13) as u8).collect();
    Plane::new(width, height, samples).expect("the samples fill the plane")
}

fn frame(width: usize, height: usize) -> Frame {
    let chroma = plane(width / 2, height / 2);
    let color = ColorSpace::of_video(height);
    let picture = Picture::new(plane(width, height), chroma.clone(), chroma, color).expect("4:2:0");
    Frame {
        camera: "bench".parse().expect("a slug"),
        preset: None,
        run: RunId::derive(&["bench"]),
        sequence: 0,
        captured_at: Timestamp::UNIX_EPOCH,
        picture: Arc::new(picture),
    }
}

fn manifest() -> Manifest {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g");
    Manifest::load(&folder).expect("the default detector is in the repository")
}

fn prepare(c: &mut Criterion) {
    let manifest = manifest();
    let normalization = manifest.normalization();
    for (width, height) in [(1920, 1080), (640, 360)] {
        let frame = frame(width, height);
        for input in [(416, 256), (416, 416), (640, 384)] {
            let place = manifest.placement((width, height), input);
            let mut tensor = vec![0.0; 3 * input.0 * input.1];
            c.bench_function(&format!("prepare/{width}x{height} to {}x{}", input.0, input.1), |b| {
                b.iter(|| {
                    let region = Region::whole(&frame.picture);
                    fill_tensor(black_box(&mut tensor), input, &frame.picture, region, place, &normalization);
                });
            });
        }
    }
}

fn detect(c: &mut Criterion) {
    let manifest = manifest();
    let frame = frame(640, 360);
    for precision in [Precision::Fp32, Precision::Int8] {
        let config = EngineConfig { precision, ..EngineConfig::default() };
        let engine = Engine::start(&manifest, &config).expect("run `make setup`");
        for size in [[96, 96], [160, 160], [320, 320], [416, 256], [416, 416], [640, 384], [640, 640]] {
            let input = Some(InputSize::Size(size));
            let options = DetectorOptions { input, ..DetectorOptions::default() };
            let mut detector = engine.detector(&frame.camera, options).expect("the options suit the model");
            c.bench_function(&format!("detect/{precision} {}x{}", size[0], size[1]), |b| {
                b.iter(|| detector.detect(&frame).expect("the model runs"));
            });
        }
    }
}

fn batch(c: &mut Criterion) {
    let manifest = manifest();
    let frame = frame(1280, 720);
    for (precision, max_batch) in
        [(Precision::Fp32, 1), (Precision::Fp32, 4), (Precision::Int8, 1), (Precision::Int8, 4)]
    {
        let config = EngineConfig { precision, max_batch, ..EngineConfig::default() };
        let engine = Engine::start(&manifest, &config).expect("run `make setup`");
        let tiles = Some(Tiling { columns: 2, rows: 2, overlap: 0.0, whole: false });
        let options = DetectorOptions { tiles, ..DetectorOptions::default() };
        let mut detector = engine.detector(&frame.camera, options).expect("the options suit the model");
        c.bench_function(&format!("four pictures of 416x256/{precision} {max_batch} at a time"), |b| {
            b.iter(|| detector.detect(&frame).expect("the model runs"));
        });
    }
}

fn decode(c: &mut Criterion) {
    let manifest = manifest();
    let (width, height) = (416, 256);
    let mut outputs = Vec::new();
    for stride in [8, 16, 32] {
        let cells = (width / stride) * (height / stride);
        let number = |i: usize| (i.wrapping_mul(2_654_435_761) >> 7 & 1023) as f32 / 1023.0;
        outputs.push((
            format!("cls_s{stride}"),
            vec![1, cells, 80],
            (0..cells * 80).map(|i| number(i) * 0.352).collect(),
        ));
        outputs.push((
            format!("dist_s{stride}"),
            vec![1, cells, 44],
            (0..cells * 44).map(number).collect::<Vec<f32>>(),
        ));
    }
    let views: Vec<_> = outputs.iter().map(|(n, shape, v)| (n.as_str(), shape.clone(), &v[..])).collect();
    c.bench_function("decode/416x256", |b| {
        b.iter(|| manifest.decode(black_box(&views), (width, height), 0.35).expect("shapes fit"));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).without_plots();
    targets = prepare, decode, detect, batch
}
criterion_main!(benches);
