//! What the engine promises, with a stand-in for the session: a closure.

use std::sync::mpsc;

use parapet_core::{BBox, Picture, RunId, Timestamp};

use super::*;
use crate::{
    config::{Overload, Tiling},
    manifest::tests::{GOOD, folder},
};

fn shared(overload: Overload) -> Arc<Shared> {
    let root = folder(GOOD);
    let manifest = Manifest::load(&root.path().join("toy")).unwrap();
    let info = EngineInfo {
        model: manifest.name().to_owned(),
        weights_sha256: String::new(),
        precision: Precision::Fp32,
        provider: Provider::Cpu,
        threads: 1,
        max_batch: 4,
    };
    Arc::new(Shared {
        manifest: Arc::new(manifest),
        info,
        queue: Queue::new(8, overload),
        counts: Counts::default(),
        spare: Spare::default(),
        clock: SystemClock::new(),
    })
}

/// A job whose tensor is one number, by which the stand-in tells frames apart.
fn job(number: f32) -> (Job, Receiver<Reply>) {
    let (reply, answer) = mpsc::channel();
    let camera = "gate".parse().unwrap();
    (Job { camera, input: (64, 64), threshold: 0.5, tensors: vec![vec![number]], reply }, answer)
}

fn frame(width: usize, height: usize) -> Frame {
    Frame {
        camera: "gate".parse().unwrap(),
        preset: None,
        run: RunId::derive(&["test"]),
        sequence: 7,
        captured_at: Timestamp::UNIX_EPOCH,
        picture: Arc::new(Picture::from_rgb(width, height, &vec![90; width * height * 3]).unwrap()),
    }
}

fn box_at(class: usize, score: f32, bbox: [f32; 4]) -> Candidate {
    Candidate { class, score, bbox }
}

#[test]
fn a_thread_stays_on_its_core() {
    let first = |cores: rustix::thread::CpuSet| {
        (0..rustix::thread::CpuSet::MAX_CPU).find(|core| cores.is_set(*core)).unwrap()
    };
    let core = first(rustix::thread::sched_getaffinity(None).unwrap());
    let cores = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            stay_on(core, "toy");
            rustix::thread::sched_getaffinity(None).unwrap()
        });
        thread.join().unwrap()
    });
    assert_eq!((cores.count(), first(cores)), (1, core));
    let root = folder(GOOD);
    let manifest = Manifest::load(&root.path().join("toy")).unwrap();
    let nowhere = EngineConfig { core: Some(usize::MAX), ..EngineConfig::default() };
    assert!(nowhere.problems(&manifest)[0].contains("hint: `nproc`"));
}

#[test]
fn a_frame_that_breaks_the_model_breaks_no_other() {
    let shared = shared(Overload::Shed);
    let jobs: Vec<_> = [1.0, 2.0, 3.0].into_iter().map(job).collect();
    let (jobs, answers): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
    for job in jobs {
        shared.queue.push(job).unwrap();
    }
    let mut runs = 0;
    shared.serve(|_, slots| {
        runs += 1;
        if runs == 4 {
            // All three have been answered after this one.
            shared.queue.close();
        }
        assert!(slots.iter().all(|s| s.tensor[0] != 2.0), "this picture breaks everything");
        Ok(slots.iter().map(|s| Output::Candidates(vec![box_at(0, s.tensor[0], [0.0; 4])])).collect())
    });
    let results: Vec<_> = answers.iter().map(|a| a.recv().unwrap().result).collect();
    assert!(results[0].is_ok() && results[2].is_ok());
    let Err(Refusal::Failed(error)) = &results[1] else { panic!("{results:?}") };
    assert!(error.to_string().contains("this picture breaks everything"), "{error}");
    let counts = [&shared.counts.frames, &shared.counts.failed, &shared.counts.runs];
    assert_eq!(counts.map(|c| c.load(Ordering::Relaxed)), [2, 1, 4]);
}

/// Runs a detector against a stand-in that answers every picture with `answer(number of the picture)`.
fn detect_with(
    options: DetectorOptions,
    frame: &Frame,
    answer: impl Fn(usize) -> RunResult + Send + Sync,
) -> Result<Vec<Detection>, DetectError> {
    ask_with(options, frame, answer, |detector| detector.detect(frame))
}

fn ask_with(
    options: DetectorOptions,
    frame: &Frame,
    answer: impl Fn(usize) -> RunResult + Send + Sync,
    ask: impl FnOnce(&mut EngineDetector) -> Result<Vec<Detection>, DetectError>,
) -> Result<Vec<Detection>, DetectError> {
    let shared = shared(Overload::Wait);
    let mut detector = EngineDetector::new(Arc::clone(&shared), &frame.camera, options).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            shared.serve(|_, slots| {
                let mut outputs = Vec::new();
                for _ in slots {
                    outputs.extend(answer(number)?);
                    number += 1;
                }
                Ok(outputs)
            });
        });
        let result = ask(&mut detector);
        shared.queue.close();
        result
    })
}

#[test]
fn boxes_come_back_in_parts_of_the_frame_and_only_those_that_are_wanted() {
    let options: DetectorOptions =
        toml::from_str("labels = [\"cat\"]\nlabel_thresholds.cat = 0.7\ninput.size = [64, 64]").unwrap();
    // A frame of 128 × 64 lies in rows 16 to 48 of the input.
    let found = detect_with(options, &frame(128, 64), |_| {
        Ok(vec![Output::Candidates(vec![
            box_at(1, 0.75, [16.0, 16.0, 32.0, 32.0]),
            box_at(0, 0.99, [16.0, 16.0, 32.0, 32.0]),
            box_at(1, 0.65, [48.0, 32.0, 64.0, 48.0]),
            box_at(1, 0.9, [32.0, 32.0, 80.0, 64.0]),
            box_at(1, 0.95, [f32::NAN, 32.0, 80.0, 64.0]),
        ])])
    })
    .unwrap();
    let found: Vec<_> = found.iter().map(|d| (d.label.as_str(), d.score, d.bbox)).collect();
    let expected = [
        ("cat", 0.9, BBox::new(0.5, 0.5, 1.0, 1.0).unwrap()),
        ("cat", 0.75, BBox::new(0.25, 0.0, 0.5, 0.5).unwrap()),
    ];
    assert_eq!(found, expected);
}

#[test]
fn tiles_find_in_the_space_of_the_frame() {
    let tiles = Some(Tiling { columns: 2, rows: 1, overlap: 0.0, whole: false });
    let input = Some(InputSize::Size([64, 64]));
    let options = DetectorOptions { input, tiles, ..DetectorOptions::default() };
    let found = detect_with(options, &frame(128, 64), |tile| {
        let bbox = if tile == 0 { [16.0, 16.0, 32.0, 32.0] } else { [32.0, 0.0, 64.0, 64.0] };
        Ok(vec![Output::Candidates(vec![box_at(0, 0.9 - tile as f32 * 0.1, bbox)])])
    })
    .unwrap();
    let boxes: Vec<[f32; 4]> = found.iter().map(|d| d.bbox.into()).collect();
    assert_eq!(boxes, [[0.125, 0.25, 0.25, 0.5], [0.75, 0.0, 1.0, 1.0]]);
}

#[test]
fn a_part_is_seen_at_the_scale_of_the_frame_and_found_in_its_space() {
    let options: DetectorOptions = toml::from_str("input.size = [512, 512]").unwrap();
    let frame = frame(1024, 512);
    let part = BBox::new(0.5, 0.5, 0.6, 0.6).unwrap();
    // 128 × 128 of the input show 256 × 256 of the frame, from column 435 and row 154 on.
    let found = ask_with(
        options,
        &frame,
        |_| Ok(vec![Output::Candidates(vec![box_at(0, 0.9, [0.0, 0.0, 64.0, 128.0])])]),
        |detector| detector.detect_in(&frame, part),
    )
    .unwrap();
    let boxes: Vec<[f32; 4]> = found.iter().map(|d| d.bbox.into()).collect();
    assert_eq!(boxes, [[435.0 / 1024.0, 154.0 / 512.0, 563.0 / 1024.0, 410.0 / 512.0]]);
}

#[test]
fn a_failure_names_the_camera_and_the_frame() {
    let error =
        detect_with(DetectorOptions::default(), &frame(64, 64), |_| Err("no memory".into())).unwrap_err();
    assert_eq!(error.to_string(), "cannot run the model on frame 7 of camera \"gate\"");
    assert!(matches!(error, DetectError::Failed { source, .. } if source.to_string() == "no memory"));
}

#[test]
fn an_engine_that_has_stopped_says_so() {
    let shared = shared(Overload::Shed);
    let mut detector =
        EngineDetector::new(Arc::clone(&shared), &"gate".parse().unwrap(), DetectorOptions::default())
            .unwrap();
    shared.queue.close();
    assert!(matches!(detector.detect(&frame(64, 64)), Err(DetectError::Stopped)));
}

#[test]
fn options_that_do_not_suit_the_model_are_refused_with_all_reasons() {
    let options: DetectorOptions = toml::from_str("labels = [\"dgo\"]\nnms_iou = 3.0").unwrap();
    let error = EngineDetector::new(shared(Overload::Shed), &"gate".parse().unwrap(), options).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("dgo") && text.contains("nms_iou"), "{text}");
}
