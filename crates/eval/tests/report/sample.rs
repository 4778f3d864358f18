//! A made-up report of any size, the same at every call: figures with intervals, curves, timelines and real little JPEGs.

use std::collections::BTreeMap;
use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use parapet_eval::report::{
    Comparison, Confusion, DatasetFacts, Exhibit, ExhibitBox, Figure, MissPoint, Origin, Outcome,
    PrecisionRecall, Provenance, Report, ReportProblem, ScoredPoint, SequenceTimeline, SetResult, Span,
    Subject, Thumbnail, VERSION,
};

const CLASSES: [&str; 10] =
    ["person", "bicycle", "car", "motorcycle", "bus", "truck", "dog", "bag", "umbrella", "traffic light"];
const KINDS: [&str; 4] = ["misparked_ebike", "occupied_roadway", "rooftop_structure", "stray_dog"];
const SUBJECTS: [&str; 8] = [
    "NanoDet-g 416 fp32",
    "NanoDet-g 416 int8",
    "NanoDet-g 640 int8",
    "nanodet_plus_m_1.5x_416-openvino-bf16-tiled-3x2-overlap-0.2",
    "YOLO26n 416",
    "YOLO26n 640",
    "a model of which somebody gave an uncommonly long name with spaces",
    "recorded findings",
];
/// Name, title in both languages, origin, part.
const DATASETS: [(&str, &str, &str, Origin, &str); 12] = [
    ("coco128", "COCO, 128 pictures, all classes", "COCO 128 张，全部类别", Origin::Real, "detection"),
    ("bicycle_street", "Bicycles in the street", "街道自行车", Origin::Real, "detection"),
    ("drone_cars", "Cars from straight above", "俯视车辆", Origin::Real, "detection"),
    ("clips", "Fixed cameras, real clips", "固定摄像机实拍", Origin::Real, "incident"),
    ("scenarios", "Scenario set", "场景集", Origin::Composite, "incident"),
    ("lotcam", "Car park, tracks", "停车场轨迹", Origin::Real, "tracking"),
    ("davis", "Hand-held clips", "手持短片", Origin::Real, "tracking"),
    ("change_levir", "Buildings before and after", "建筑前后对比", Origin::Real, "change"),
    ("roof_rendered", "Roofs, rendered", "渲染屋顶", Origin::Rendered, "change"),
    ("ebike_elevator", "E-bikes in lifts", "电梯电动车", Origin::Real, "detection"),
    ("night_rain", "Night and rain", "夜间与雨天", Origin::Composite, "detection"),
    (
        "street_motorbike_car_bus",
        "Motorbikes, cars and buses in the street",
        "街道摩托车、汽车与公交车",
        Origin::Real,
        "detection",
    ),
];

/// A report of the first `subjects` subjects on the first `datasets` datasets (at most 8 and 12).
pub(crate) fn report(subjects: usize, datasets: usize) -> Report {
    let mut dice = Dice(7);
    let mut results = Vec::new();
    let mut comparisons = Vec::new();
    for dataset in 0..datasets {
        let mut first: Option<BTreeMap<String, Figure>> = None;
        for subject in 0..subjects {
            let result = result(&mut dice, subject, dataset);
            match &first {
                None => first = Some(result.figures.clone()),
                Some(first) => comparisons.extend(compare(&mut dice, first, &result)),
            }
            results.push(result);
        }
    }
    let libraries = [("gstreamer", "1.22.0"), ("onnxruntime", "1.31.1"), ("openvino", "2026.1")];
    Report {
        version: VERSION,
        finished_at: "2026-11-22T06:30:00Z".into(),
        provenance: Provenance {
            parapet: "0.1.0".into(),
            libraries: libraries.map(|(name, version)| (name.into(), version.into())).into(),
            machine: "Intel Xeon (4th generation), 2 cores, Linux 6.1".into(),
            resamples: 1000,
            seed: 7,
            command: "parapet eval sets/*.toml --model nanodet-g --model nanodet-g-int8 --report out".into(),
        },
        subjects: (0..subjects).map(subject_of).collect(),
        datasets: (0..datasets).map(dataset_of).collect(),
        results,
        comparisons,
        problems: vec![ReportProblem {
            place: "clips, truncated.mp4".into(),
            what: "the video ends after 12.4 s, its labels go on to 39.0 s".into(),
            hint: "fetch the file again; its sequence was left out".into(),
        }],
    }
}

fn subject_of(index: usize) -> Subject {
    let precision = ["fp32", "int8", "int8", "bf16"][index % 4];
    Subject {
        name: SUBJECTS[index].into(),
        settings: [("precision".into(), precision.into()), ("input".into(), "416 × 416".into())].into(),
        weights_sha256: (index != 7).then(|| format!("{:02x}", index * 31 + 16).repeat(32)),
    }
}

fn dataset_of(index: usize) -> DatasetFacts {
    let (name, title, title_zh, origin, part) = DATASETS[index];
    let labelled: Vec<String> = match part {
        "incident" => KINDS.map(String::from).into(),
        "change" => vec!["change".into()],
        _ => CLASSES[..classes_of(index)].iter().map(|class| (*class).into()).collect(),
    };
    DatasetFacts {
        name: name.into(),
        title: title.into(),
        title_zh: title_zh.into(),
        origin,
        licence: "CC BY 4.0".into(),
        labelled,
        images: 128 + index * 40,
        sequences: if part == "detection" { 0 } else { 4 + index },
        sha256: format!("{:02x}", index * 17 + 3).repeat(32),
    }
}

fn classes_of(dataset: usize) -> usize {
    if dataset == 0 { CLASSES.len() } else { 2 + dataset % 3 }
}

fn result(dice: &mut Dice, subject: usize, dataset: usize) -> SetResult {
    let part = DATASETS[dataset].4;
    let mut it = SetResult {
        subject,
        dataset,
        figures: BTreeMap::new(),
        curves: Vec::new(),
        confusion: None,
        miss_curve: Vec::new(),
        timelines: Vec::new(),
        worst: Vec::new(),
    };
    let mut put = |name: &str, value: f64, spread: f64| {
        it.figures.insert(
            name.into(),
            Figure { value: Some(value), low: Some(value - spread), high: Some(value + spread) },
        );
    };
    match part {
        "detection" => {
            for name in [
                "ap",
                "ap50",
                "ap75",
                "ap_medium",
                "ap_large",
                "ar1",
                "ar10",
                "ar100",
                "precision",
                "recall",
                "f1",
            ] {
                put(&format!("detection.{name}"), dice.between(0.2, 0.8), 0.03);
            }
            for class in &CLASSES[..classes_of(dataset)] {
                put(&format!("detection.ap50.{class}"), dice.between(0.1, 0.9), 0.06);
            }
            put("detection.threshold", 0.35, 0.0);
            put("detection.calibration_error", 0.0821, 0.01);
            it.figures.insert("detection.ap_small".into(), Figure { value: None, low: None, high: None });
            it.curves = CLASSES[..classes_of(dataset)].iter().map(|class| curve(dice, class)).collect();
            it.confusion = Some(confusion(dice, &CLASSES[..classes_of(dataset)]));
        }
        "tracking" => {
            for name in ["hota", "deta", "assa", "loca", "mota", "motp", "idf1"] {
                put(&format!("tracking.{name}"), dice.between(0.3, 0.9), 0.05);
            }
            put("tracking.mota", -0.12, 0.2);
            put("tracking.id_switches", (subject * 3 + 2) as f64, 2.0);
        }
        "incident" => {
            for kind in ["", ".misparked_ebike", ".stray_dog", ".occupied_roadway"] {
                for name in ["precision", "recall", "f1", "f1_ilids"] {
                    put(&format!("incident.{name}{kind}"), dice.between(0.5, 1.0), 0.08);
                }
                put(&format!("incident.delay_p50_seconds{kind}"), dice.between(0.3, 3.0), 0.4);
                put(&format!("incident.delay_p95_seconds{kind}"), dice.between(3.0, 12.0), 2.0);
                put(&format!("incident.false_alarms_per_camera_day{kind}"), dice.between(0.0, 20.0), 4.0);
                put(&format!("incident.truths{kind}"), 31.0, 0.0);
            }
            put("speed.real_time_factor", dice.between(2.0, 9.0), 0.2);
            put("speed.cpu_seconds_per_video_second", dice.between(0.2, 0.6), 0.02);
            put("speed.peak_memory_megabytes", dice.between(200.0, 400.0), 10.0);
            put("speed.step_p95_seconds", 0.0412, 0.003);
            it.miss_curve = (0..40).map(|step| miss_point(f64::from(step) / 40.0, subject)).collect();
            it.timelines = (0..3).map(|sequence| timeline(dice, sequence)).collect();
        }
        _ => {
            for name in ["pixel_precision", "pixel_recall", "pixel_f1", "pixel_iou", "object_f1"] {
                put(&format!("change.{name}"), dice.between(0.3, 0.9), 0.05);
            }
        }
    }
    if matches!(part, "detection" | "incident") && subject < 2 {
        it.worst = (0..3).map(exhibit).collect();
    }
    it
}

fn compare(dice: &mut Dice, first: &BTreeMap<String, Figure>, result: &SetResult) -> Vec<Comparison> {
    let difference = |name: &str, figure: &Figure| {
        let value = figure.value? - first.get(name)?.value?;
        Some(Figure { value: Some(value), low: Some(value - 0.02), high: Some(value + 0.02) })
    };
    (result.figures.iter())
        .filter_map(|(name, figure)| {
            let difference = difference(name, figure)?;
            let p_value = Some(dice.between(0.0, 0.12));
            Some(Comparison {
                subject: result.subject,
                dataset: result.dataset,
                figure: name.clone(),
                difference,
                p_value,
            })
        })
        .collect()
}

fn curve(dice: &mut Dice, class: &str) -> PrecisionRecall {
    let (top, bend) = (dice.between(0.8, 1.0), dice.between(1.5, 5.0));
    let points = (0..200).map(|step| {
        let recall = f64::from(step) / 200.0 * 0.92;
        ScoredPoint {
            score: 1.0 - f64::from(step) / 200.0,
            precision: top * (1.0 - recall.powf(bend)),
            recall,
        }
    });
    PrecisionRecall { label: class.into(), points: points.collect(), best_f1_score: Some(0.41) }
}

fn confusion(dice: &mut Dice, classes: &[&str]) -> Confusion {
    let side = classes.len() + 1;
    let count = |dice: &mut Dice, row: usize, column: usize| {
        let most = if row == column { 120.0 } else { 9.0 };
        if row == column && row + 1 == side { 0 } else { dice.between(0.0, most) as u64 }
    };
    let counts = (0..side).map(|row| (0..side).map(|column| count(dice, row, column)).collect()).collect();
    Confusion { labels: classes.iter().map(|class| (*class).into()).collect(), counts, score: 0.35 }
}

fn miss_point(score: f64, subject: usize) -> MissPoint {
    MissPoint {
        score,
        miss_rate: (score * 0.8 + subject as f64 * 0.02).min(1.0),
        false_alarms_per_camera_day: 300.0 * (1.0 - score).powi(4) / (subject + 1) as f64,
    }
}

fn timeline(dice: &mut Dice, sequence: usize) -> SequenceTimeline {
    let seconds = 60.0 + sequence as f64 * 120.0;
    let span = |kind: usize, from: f64, to: f64, due: Option<f64>, outcome| Span {
        kind: KINDS[kind].into(),
        from: from * seconds,
        to: to * seconds,
        due: due.map(|due| due * seconds),
        outcome,
    };
    let late = dice.between(0.24, 0.3);
    SequenceTimeline {
        name: format!("gate-north/sequence-{sequence}"),
        seconds,
        truth: vec![
            span(0, 0.12, 0.62, Some(0.22), Outcome::Matched),
            span(3, 0.4, 0.55, Some(0.45), Outcome::Missed),
        ],
        found: vec![
            span(0, late, 0.6, None, Outcome::Matched),
            span(0, 0.45, 0.58, None, Outcome::Duplicate),
            span(1, 0.7, 0.95, None, Outcome::False),
        ],
        thumbnails: (0..6)
            .map(|index| Thumbnail {
                at: seconds * f64::from(index) / 6.0,
                jpeg: picture(96, 72, index * 12),
            })
            .collect(),
    }
}

fn exhibit(index: u32) -> Exhibit {
    let outcome = [Outcome::Missed, Outcome::False, Outcome::Duplicate][index as usize % 3];
    let rect = |x: f64, text: &str, truth, subject| ExhibitBox {
        rect: [x, 180.0, 160.0, 220.0],
        text: text.into(),
        truth,
        subject,
    };
    Exhibit {
        name: format!("street/a-rather-long-file-name-as-cameras-write-them-2026-11-22T06-30-{index:02}.jpg"),
        outcome,
        label: "dog".into(),
        score: (outcome != Outcome::Missed).then_some(0.87),
        width: 640.0,
        height: 480.0,
        jpeg: picture(320, 240, index * 40),
        boxes: vec![
            rect(120.0, "dog", true, true),
            rect(136.0, "sheep 0.87", false, false),
            rect(420.0, "person 0.6", false, true),
        ],
    }
}

/// A street under a sky with a dark thing at `at`, as JPEG in base64.
pub(crate) fn picture(width: u32, height: u32, at: u32) -> String {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let thing =
            x > width / 5 + at && x < width / 5 + at + width / 6 && y > height * 2 / 5 && y < height * 4 / 5;
        match (thing, y * 5 < height * 2) {
            (true, _) => Rgb([60, 50, 45]),
            (false, true) => Rgb([170, 190, 210 - (y % 40) as u8]),
            (false, false) => Rgb([120, 118, 112 + (x % 8) as u8]),
        }
    });
    let mut jpeg = Cursor::new(Vec::new());
    picture.write_to(&mut jpeg, ImageFormat::Jpeg).expect("a buffer takes any picture");
    base64(&jpeg.into_inner())
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let three = (0..3).fold(0u32, |all, at| all << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let letter = LETTERS[(three >> (18 - 6 * at) & 63) as usize] as char;
            out.push(if at <= chunk.len() { letter } else { '=' });
        }
    }
    out
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (self.0 >> 33) as f64 / (1u64 << 31) as f64 * (high - low)
    }
}
