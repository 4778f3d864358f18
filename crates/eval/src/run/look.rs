//! What a subject finds: in the pictures, pairs and sequences of each dataset that it is measured on.

use std::{collections::BTreeMap, path::Path, time::Duration};

use parapet_change::BaselineConfig;
use parapet_core::CameraId;
use parapet_edge::{Pipeline, choose_camera, config};

use super::{
    Findings, Found, Listener, Loaded, Options, SequenceFindings, Subject, SubjectConfig, change,
    images::Eyes, problem, report_subject, sequence,
};
use crate::{
    dataset::{MediaHashes, SequenceSource, SequenceTruth},
    metric::{Counts, change::ObjectCounts},
    report::ReportProblem,
    truth::FoundBox,
};

/// What a subject finds in all datasets that it is measured on; nothing if it cannot be run here.
pub(super) fn look(
    config: &SubjectConfig,
    datasets: &[Loaded],
    options: &Options,
    problems: &mut Vec<ReportProblem>,
    listener: &dyn Listener,
) -> Option<Findings> {
    let wanted: Vec<&Loaded> =
        datasets.iter().filter(|loaded| config.wants(&loaded.dataset.manifest.name)).collect();
    let mut of_sets = BTreeMap::new();
    let mut keep = |loaded: &Loaded, found: Found| {
        if !found.is_empty() {
            of_sets.insert(loaded.dataset.manifest.name.clone(), found);
        }
    };
    if let Some(how) = &config.change {
        for loaded in wanted {
            let pairs = compare_pairs(how, loaded, problems, listener);
            keep(loaded, Found { pairs, ..Found::default() });
        }
        return Some(Findings { subject: report_subject(config, None), of_sets });
    }
    let place = format!("subject \"{}\"", config.name);
    let subject = match Subject::load(config.clone()) {
        Ok(subject) => subject,
        Err(error) => {
            problems.push(problem(place, &error));
            return None;
        }
    };
    let eyes = match Eyes::start(&subject) {
        Ok(eyes) => eyes,
        Err(error) => {
            if config.optional {
                tracing::warn!(subject = config.name, %error, "left out: this machine cannot run it");
            } else {
                problems.push(problem(place, &error));
            }
            return None;
        }
    };
    for loaded in wanted {
        let images = look_at_images(&subject, &eyes, loaded, options, problems, listener);
        let sequences = look_at_sequences(&subject, loaded, options, problems, listener);
        keep(loaded, Found { images, sequences, ..Found::default() });
    }
    Some(Findings { subject: report_subject(config, Some(&subject)), of_sets })
}

fn compare_pairs(
    how: &BaselineConfig,
    loaded: &Loaded,
    problems: &mut Vec<ReportProblem>,
    listener: &dyn Listener,
) -> BTreeMap<String, (Counts, ObjectCounts)> {
    let pairs = &loaded.dataset.pairs;
    if !pairs.is_empty() {
        listener.begins(&loaded.dataset.manifest.name, pairs.len() as u64);
    }
    let mut counted = BTreeMap::new();
    for pair in pairs {
        match change::compare(pair, how) {
            Ok(counts) => {
                counted.insert(pair.name.clone(), counts);
            }
            Err(error) => problems.push(problem(pair.name.clone(), &error)),
        }
        listener.advanced(1);
    }
    counted
}

fn look_at_images(
    subject: &Subject,
    eyes: &Eyes,
    loaded: &Loaded,
    options: &Options,
    problems: &mut Vec<ReportProblem>,
    listener: &dyn Listener,
) -> BTreeMap<String, Vec<FoundBox>> {
    let dataset = &loaded.dataset;
    if dataset.images.is_empty() {
        return BTreeMap::new();
    }
    listener
        .begins(&format!("{} · {}", subject.config.name, dataset.manifest.name), dataset.images.len() as u64);
    let hash = |path: &Path| loaded.hashes.get(path).map_or("", String::as_str);
    let pictures: Vec<(&Path, &str)> =
        dataset.images.iter().map(|image| (image.path.as_path(), hash(&image.path))).collect();
    match eyes.look(subject, &pictures, &options.cache, &|| listener.advanced(1)) {
        Ok(found) => {
            let mut of_images = BTreeMap::new();
            for (found, image) in found.into_iter().zip(&dataset.images) {
                match found {
                    Ok(found) => {
                        of_images.insert(image.name.clone(), found);
                    }
                    Err(error) => problems.push(problem(image.path.display().to_string(), &error)),
                }
            }
            of_images
        }
        Err(error) => {
            problems.push(problem(format!("subject \"{}\"", subject.config.name), &error));
            BTreeMap::new()
        }
    }
}

fn look_at_sequences(
    subject: &Subject,
    loaded: &Loaded,
    options: &Options,
    problems: &mut Vec<ReportProblem>,
    listener: &dyn Listener,
) -> BTreeMap<String, SequenceFindings> {
    let mut found = BTreeMap::new();
    if !subject.config.watch {
        return found;
    }
    for truth in &loaded.dataset.sequences {
        if !truth.boxes.is_scored() && !truth.events.is_scored() {
            continue;
        }
        let name = format!("{} · {}/{}", subject.config.name, loaded.dataset.manifest.name, truth.name);
        listener.begins(&name, 1000);
        let mut told = 0;
        let mut progress = |analysed: Duration, length: Option<Duration>| {
            let Some(length) = length.filter(|l| !l.is_zero()) else { return };
            let now = (1000.0 * analysed.as_secs_f64() / length.as_secs_f64()).min(1000.0) as u64;
            listener.advanced(now - told);
            told = now;
        };
        match watch(subject, truth, loaded, options, &mut progress) {
            Ok(findings) => {
                let short = truth.length.is_some_and(|length| findings.seconds < 0.9 * length - 1.0);
                if short {
                    problems.push(ReportProblem {
                        place: name.clone(),
                        what: format!(
                            "the video ends after {:.1} s of {:.1} s: it is cut off; it is not scored",
                            findings.seconds,
                            truth.length.unwrap_or_default()
                        ),
                        hint: "fetch the video anew, or mend the length in the manifest".into(),
                    });
                } else {
                    found.insert(truth.name.clone(), findings);
                }
            }
            Err(error) => problems.push(problem(name, error.as_ref())),
        }
        listener.advanced(1000 - told);
    }
    found
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn watch(
    subject: &Subject,
    truth: &SequenceTruth,
    loaded: &Loaded,
    options: &Options,
    progress: &mut dyn FnMut(Duration, Option<Duration>),
) -> Result<SequenceFindings, AnyError> {
    let (mut pipeline, camera, text) = pipeline_of(subject, truth, options)?;
    subject.put_into(&mut pipeline);
    let recording = sequence::recording_of(&truth.source, truth.frames_per_second)
        .ok_or("the sequence has no pictures; hint: mend its manifest")?;
    let media = match &truth.source {
        SequenceSource::Video(path) => loaded.hashes.get(path).cloned().unwrap_or_default(),
        SequenceSource::Images(paths) => {
            paths.iter().filter_map(|path| loaded.hashes.get(path).cloned()).collect::<Vec<_>>().join(" ")
        }
    };
    let key = options.cache.key(&["sequence", &subject.identity, &media, &text, camera.as_str()]);
    if let Some(kept) = options.cache.get(&key) {
        return Ok(kept);
    }
    let keyframes_every =
        subject.config.keyframes_every.map(|every| Duration::from_secs_f64(every.as_f64().max(0.01)));
    let findings = sequence::watch(&pipeline, &camera, &recording, keyframes_every, progress)?;
    options.cache.put(&key, &findings)?;
    Ok(findings)
}

/// The pipeline that watches a sequence, its camera, and all that its findings hang on.
fn pipeline_of(
    subject: &Subject,
    truth: &SequenceTruth,
    options: &Options,
) -> Result<(Pipeline, CameraId, String), AnyError> {
    let (file, camera) = match (&options.pipeline, &truth.pipeline) {
        (Some(file), of_sequence) => (file, of_sequence.as_ref().map(|(_, camera)| camera.clone())),
        (None, Some((file, camera))) => (file, Some(camera.clone())),
        (None, None) => return Ok((subject.bare_pipeline(), "view".parse()?, String::new())),
    };
    let pipeline = config::load(file)?;
    let camera = match camera {
        Some(camera) if pipeline.cameras.contains_key(&camera) => camera,
        _ => choose_camera(&pipeline, None)?,
    };
    let mut text = std::fs::read_to_string(file)?;
    for picture in &pipeline.cameras[&camera].baseline_pictures {
        text.push_str(&MediaHashes::default().of(picture).unwrap_or_default());
    }
    Ok((pipeline, camera, text))
}
