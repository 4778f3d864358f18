//! What a person should look at: timelines of truth against incidents, and the worst misses and false alarms as pictures.

use std::cmp::Reverse;

use parapet_core::{IncidentKind, Picture};

use super::{
    end_of,
    images::decode,
    sequence::{SequenceFindings, jpeg_of_rgb},
};
use crate::{
    dataset::{ImageTruth, SequenceTruth},
    metric::incident::{FoundFate, SequenceFates, TruthFate},
    report::{Exhibit, ExhibitBox, Outcome, SequenceTimeline, Span},
    truth::{FoundBox, Rect},
};

/// Pictures of each sort that are shown of a dataset.
const SHOWN: usize = 6;
/// Longest side of a shown picture.
const SIDE: usize = 480;
/// IoU from which a finding is the object.
const SAME: f64 = 0.5;

/// The surest false alarms and the largest misses.
pub(super) fn of_images<'a>(
    images: impl Iterator<Item = (&'a ImageTruth, &'a [FoundBox])>,
    score: f64,
    every_instance: bool,
) -> Vec<Exhibit> {
    let (mut surplus, mut missed) = (Vec::new(), Vec::new());
    let images: Vec<_> = images.collect();
    for (index, (image, found)) in images.iter().enumerate() {
        let (met, used) = pair(image, found, score);
        for (number, finding) in found.iter().enumerate().filter(|(n, f)| !used[*n] && f.score >= score) {
            surplus.push((finding.score, index, number));
        }
        for (number, truth) in image.boxes.iter().enumerate().filter(|(n, _)| !met[*n]) {
            if !truth.ignored && !truth.crowd {
                missed.push((truth.rect.area(), index, number));
            }
        }
    }
    let by_first = |a: &(f64, usize, usize), b: &(f64, usize, usize)| b.0.total_cmp(&a.0);
    surplus.sort_by(by_first);
    missed.sort_by(by_first);
    let mut shown = Vec::new();
    if every_instance {
        for (_, index, number) in surplus.into_iter().take(SHOWN) {
            let (image, found) = images[index];
            shown.extend(picture(image, found, score, Outcome::False, number));
        }
    }
    for (_, index, number) in missed.into_iter().take(SHOWN) {
        let (image, found) = images[index];
        shown.extend(picture(image, found, score, Outcome::Missed, number));
    }
    shown
}

/// Which truths are met and which findings are of one: by falling score, as COCO does at one threshold.
fn pair(image: &ImageTruth, found: &[FoundBox], score: f64) -> (Vec<bool>, Vec<bool>) {
    let (mut met, mut used) = (vec![false; image.boxes.len()], vec![false; found.len()]);
    let mut order: Vec<usize> = (0..found.len()).filter(|n| found[*n].score >= score).collect();
    order.sort_by(|a, b| found[*b].score.total_cmp(&found[*a].score));
    for number in order {
        let finding = &found[number];
        let best = image
            .boxes
            .iter()
            .enumerate()
            .filter(|(n, truth)| truth.label == finding.label && (truth.crowd || !met[*n]))
            .map(|(n, truth)| (truth.rect.iou(&finding.rect), n))
            .filter(|(iou, _)| *iou >= SAME)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, n)) = best {
            (met[n], used[number]) = (true, true);
        }
    }
    (met, used)
}

fn rect(r: &Rect) -> [f64; 4] {
    [r.x, r.y, r.width, r.height]
}

fn picture(
    image: &ImageTruth,
    found: &[FoundBox],
    score: f64,
    outcome: Outcome,
    number: usize,
) -> Option<Exhibit> {
    let truth = image.boxes.iter().enumerate().map(|(n, b)| ExhibitBox {
        rect: rect(&b.rect),
        text: b.label.to_string(),
        truth: true,
        subject: outcome == Outcome::Missed && n == number,
    });
    let findings = found.iter().enumerate().filter(|(_, f)| f.score >= score).map(|(n, f)| ExhibitBox {
        rect: rect(&f.rect),
        text: format!("{} {:.0} %", f.label, 100.0 * f.score),
        truth: false,
        subject: outcome == Outcome::False && n == number,
    });
    let (label, score) = match outcome {
        Outcome::Missed => (image.boxes[number].label.to_string(), None),
        _ => (found[number].label.to_string(), Some(found[number].score)),
    };
    Some(Exhibit {
        name: image.name.clone(),
        outcome,
        label,
        score,
        width: f64::from(image.width),
        height: f64::from(image.height),
        jpeg: small(&decode(&image.path).ok()?),
        boxes: truth.chain(findings).collect(),
    })
}

fn small(picture: &Picture) -> String {
    let (width, height) = (picture.width(), picture.height());
    let scale = (SIDE as f64 / width.max(height) as f64).min(1.0);
    let side = |n: usize| ((n as f64 * scale) as usize & !1).max(2);
    jpeg_of_rgb(side(width), side(height), &picture.resized(side(width), side(height)).to_rgb())
}

/// Truth against incidents.
pub(super) fn timeline(
    truth: &SequenceTruth,
    findings: &SequenceFindings,
    fates: &SequenceFates,
) -> SequenceTimeline {
    let span = |kind: IncidentKind, from, to, due, outcome| Span {
        kind: kind.as_str().to_owned(),
        from,
        to,
        due,
        outcome,
    };
    let of_truth = truth.incidents.iter().zip(&fates.truth).filter_map(|(t, fate)| {
        let outcome = match fate {
            TruthFate::Found { .. } => Outcome::Matched,
            TruthFate::Missed => Outcome::Missed,
            TruthFate::NotDue | TruthFate::NotScored => return None,
        };
        Some(span(t.kind, t.since, end_of(t, findings.seconds), Some(t.due), outcome))
    });
    let of_found = findings.incidents.iter().zip(&fates.found).filter_map(|(f, fate)| {
        let outcome = match fate {
            FoundFate::Hit(_) | FoundFate::Excused(_) => Outcome::Matched,
            FoundFate::Duplicate(_) => Outcome::Duplicate,
            FoundFate::FalseAlarm => Outcome::False,
            FoundFate::NotScored => return None,
        };
        Some(span(f.kind, f.started_at, f.ended_at.unwrap_or(findings.seconds), None, outcome))
    });
    SequenceTimeline {
        name: truth.name.clone(),
        seconds: findings.seconds,
        truth: of_truth.collect(),
        found: of_found.collect(),
        thumbnails: findings.thumbnails.clone(),
    }
}

/// Missed violations and false alarms of a sequence.
pub(super) fn of_incidents(
    truth: &SequenceTruth,
    findings: &SequenceFindings,
    fates: &SequenceFates,
) -> Vec<Exhibit> {
    let (width, height) = (f64::from(findings.size.0), f64::from(findings.size.1));
    let exhibit = |kind: IncidentKind, at: f64, outcome, score, rect_of: Option<Rect>, jpeg: &str| Exhibit {
        name: format!("{} · {at:.1} s", truth.name),
        outcome,
        label: kind.as_str().to_owned(),
        score,
        width,
        height,
        jpeg: jpeg.to_owned(),
        boxes: rect_of
            .iter()
            .map(|r| ExhibitBox {
                rect: rect(r),
                text: kind.as_str().to_owned(),
                truth: outcome == Outcome::Missed,
                subject: true,
            })
            .collect(),
    };
    let mut shown = Vec::new();
    for ((found, fate), jpeg) in findings.incidents.iter().zip(&fates.found).zip(&findings.pictures) {
        if *fate == FoundFate::FalseAlarm {
            let score = Some(found.score);
            shown.push(exhibit(found.kind, found.started_at, Outcome::False, score, found.rect, jpeg));
        }
    }
    for (missed, fate) in truth.incidents.iter().zip(&fates.truth) {
        let at = missed.due.min(end_of(missed, findings.seconds));
        let near = findings.thumbnails.iter().min_by_key(|t| Reverse(-((t.at - at).abs() * 1e3) as i64));
        if let (TruthFate::Missed, Some(near)) = (fate, near) {
            shown.push(exhibit(missed.kind, near.at, Outcome::Missed, None, missed.rect, &near.jpeg));
        }
    }
    shown
}
