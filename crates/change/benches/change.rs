//! What one frame of 1280 × 720 costs: `cargo bench -p parapet-change`.

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use parapet_change::{Background, BackgroundConfig, Baseline, BaselineConfig, Motion, ReferenceView};
use parapet_core::{BBox, Picture, Polygon, Timestamp};

fn picture(frame: u32, thing: bool) -> Picture {
    let (w, h) = (1280u32, 720u32);
    let rgb: Vec<u8> = (0..w * h)
        .flat_map(|i| {
            let (x, y) = (i % w, i / w);
            let tile = ((x / 48 * 7919) ^ (y / 36 * 104_729)) % 97;
            let noise = (i.wrapping_mul(2_654_435_761) ^ frame.wrapping_mul(0x9e37_79b9)) >> 29;
            let inside = thing && (600..720).contains(&x) && (300..400).contains(&y);
            let v = if inside { 30 } else { 70 + tile + noise };
            [v as u8, (v + 4) as u8, v as u8]
        })
        .collect();
    Picture::from_rgb(w as usize, h as usize, &rgb).expect("sized above")
}

fn change(c: &mut Criterion) {
    let at = |seconds: f64| Timestamp::from_microsecond((seconds * 1e6) as i64).expect("in range");
    let person = [BBox::new(0.1, 0.2, 0.15, 0.5).expect("in order")];
    let empty: Vec<Picture> = (0..8).map(|i| picture(i, false)).collect();
    let taken: Vec<Picture> = (0..8).map(|i| picture(i, true)).collect();

    let mut background = Background::new(BackgroundConfig::default(), &[]);
    for i in 0..60 {
        background.update(&empty[i % 8], at(i as f64 * 0.2), &person);
    }
    for i in 60..120 {
        background.update(&taken[i % 8], at(i as f64 * 0.2), &person);
    }
    let mut i = 120usize;
    let standing = background.update(&taken[0], at(24.0), &person);
    assert_eq!(standing.regions.len(), 1, "the bench measures a view with a thing held");
    c.bench_function("background, 720p frame", |b| {
        b.iter(|| {
            i += 1;
            black_box(background.update(&taken[i % 8], at(i as f64 * 0.2), &person))
        });
    });

    let roof = Polygon::from_bbox(BBox::new(0.2, 0.2, 0.8, 0.8).expect("in order")).expect("has an area");
    let config = BaselineConfig { interval_seconds: 0.1, ..BaselineConfig::default() };
    let mut baseline = Baseline::new(config, &[roof], vec![Arc::new(empty[0].clone())]);
    let mut i = 0usize;
    c.bench_function("baseline, one comparison at 720p", |b| {
        b.iter(|| {
            i += 1;
            black_box(baseline.update(&taken[i % 8], at(i as f64), &person))
        });
    });
}

/// What a dome's frame costs: whether it moves at each, where it looks at each arrival, laying it back at each that is
/// displaced.
fn dome(c: &mut Criterion) {
    let panned = |pixels: u32| {
        let (w, h) = (1280u32, 720u32);
        let rgb: Vec<u8> = (0..w * h)
            .flat_map(|i| {
                let (x, y) = (i % w + pixels, i / w);
                let tile = ((x / 47 * 7919) ^ (y / 37 * 104_729)) % 97;
                let window = ((x / 13 * 104_729) ^ (y / 11 * 7919)) % 31;
                [(60 + tile + window) as u8; 3]
            })
            .collect();
        Picture::from_rgb(w as usize, h as usize, &rgb).expect("sized above")
    };
    let (straight, beside, far) = (panned(0), panned(40), panned(700));
    let mut motion = Motion::new();
    motion.is_still(&straight);
    c.bench_function("motion, 720p frame", |b| b.iter(|| assert!(motion.is_still(&straight))));
    let reference = ReferenceView::new(&straight, 60.0);
    let locate = |picture| reference.locate(picture, 25.0);
    let pose = locate(&beside).expect("there is structure");
    assert!(pose.fit > 0.8 && (1.5..2.5).contains(&pose.offset_degrees()), "{pose:?}");
    c.bench_function("pose, 720p frame 2° beside", |b| b.iter(|| black_box(locate(&beside))));
    c.bench_function("pose, 720p frame of another place", |b| b.iter(|| black_box(locate(&far))));
    c.bench_function("laying back, 720p frame", |b| b.iter(|| black_box(pose.straightened(&beside))));
}

criterion_group! { name = benches; config = Criterion::default().sample_size(20); targets = change, dome }
criterion_main!(benches);
