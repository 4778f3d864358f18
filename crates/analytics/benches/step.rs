//! `Pipeline::step` with 100 tracks and 20 zones, without model and background model: what the rules cost.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

mod crowd;

fn step(criterion: &mut Criterion) {
    let mut view = crowd::View::new();
    criterion.bench_function("step: 100 tracks, 20 zones", |bencher| {
        bencher.iter(|| black_box(view.step()));
    });
}

criterion_group!(benches, step);
criterion_main!(benches);
