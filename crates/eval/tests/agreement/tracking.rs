//! Against `TrackEval`.

use super::random::Random;
use super::{TOLERANCE, original};
use parapet_core::Label;
use parapet_eval::metric::tracking::{ALPHAS, HotaAt, Sequence, TrackedFrame, TrackingFigures};
use parapet_eval::truth::{FoundBox, Rect, TruthBox};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The frames of one sequence.
pub(crate) type Frames = Vec<(Vec<TruthBox>, Vec<FoundBox>)>;

#[derive(Serialize)]
struct Wire {
    truth: Vec<(u64, f64, f64, f64, f64, u8)>,
    found: Vec<(u64, f64, f64, f64, f64)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Figure {
    One(f64),
    PerAlpha(Vec<f64>),
}

#[derive(Deserialize)]
struct Figures {
    sequences: Vec<BTreeMap<String, Figure>>,
    combined: BTreeMap<String, Figure>,
}

pub(crate) fn label() -> Label {
    Label::new("thing")
}

pub(crate) fn truth(track: u64, rect: Rect, ignored: bool) -> TruthBox {
    TruthBox { label: label(), rect, area: rect.area(), track: Some(track), crowd: false, ignored }
}

pub(crate) fn found(track: u64, rect: Rect) -> FoundBox {
    FoundBox { label: label(), rect, score: 0.9, track: Some(track) }
}

/// Scores the cases, each of some sequences, with both and compares all figures.
pub(crate) fn compare(cases: &[Vec<Frames>]) {
    let wires: Vec<Vec<Vec<Wire>>> = cases
        .iter()
        .map(|case| case.iter().map(|frames| frames.iter().map(wire).collect()).collect())
        .collect();
    let figures: Vec<Figures> = original("tracking.py", &wires);
    assert_eq!(figures.len(), cases.len());
    for (number, (case, theirs)) in cases.iter().zip(figures).enumerate() {
        let ours: Vec<TrackingFigures> = (case.iter())
            .map(|frames| frames.iter().map(|(truth, found)| TrackedFrame { truth, found }))
            .map(|frames| TrackingFigures::of(&Sequence::new(frames, &label()).unwrap()))
            .collect();
        for (index, (ours, theirs)) in ours.iter().zip(&theirs.sequences).enumerate() {
            assert_figures(&format!("case {number}, sequence {index}"), ours, theirs);
            let alone = TrackingFigures::combined([ours]);
            assert_figures(&format!("case {number}, sequence {index} alone"), &alone, theirs);
        }
        assert_figures(
            &format!("case {number}, combined"),
            &TrackingFigures::combined(&ours),
            &theirs.combined,
        );
    }
}

fn wire((truth, found): &(Vec<TruthBox>, Vec<FoundBox>)) -> Wire {
    Wire {
        truth: (truth.iter())
            .map(|one| {
                let rect = one.rect;
                (one.track.unwrap(), rect.x, rect.y, rect.width, rect.height, u8::from(one.ignored))
            })
            .collect(),
        found: (found.iter())
            .map(|one| (one.track.unwrap(), one.rect.x, one.rect.y, one.rect.width, one.rect.height))
            .collect(),
    }
}

type AtAlpha<T> = fn(&HotaAt) -> T;

fn assert_figures(what: &str, ours: &TrackingFigures, theirs: &BTreeMap<String, Figure>) {
    let (hota, clear, identity) = (&ours.hota, &ours.clear, &ours.identity);
    let per_alpha: [(&str, AtAlpha<f64>, f64); 8] = [
        ("HOTA", HotaAt::hota, hota.hota()),
        ("DetA", HotaAt::det_a, hota.det_a()),
        ("DetRe", HotaAt::det_re, hota.det_re()),
        ("DetPr", HotaAt::det_pr, hota.det_pr()),
        ("AssA", |at| at.ass_a, hota.ass_a()),
        ("AssRe", |at| at.ass_re, hota.ass_re()),
        ("AssPr", |at| at.ass_pr, hota.ass_pr()),
        ("LocA", |at| at.loc_a, hota.loc_a()),
    ];
    let same = |name: &str, ours: f64, theirs: f64| {
        assert!((ours - theirs).abs() <= TOLERANCE, "{what}, {name}: {ours}, the original {theirs}");
    };
    for (name, figure, mean) in per_alpha {
        let Figure::PerAlpha(theirs) = &theirs[name] else { panic!("{name} is one number") };
        assert_eq!(theirs.len(), ALPHAS.len());
        for (at, theirs) in hota.at.iter().zip(theirs) {
            same(name, figure(at), *theirs);
        }
        same(name, mean, theirs.iter().sum::<f64>() / theirs.len() as f64);
    }
    let counts: [(&str, AtAlpha<u64>); 3] =
        [("HOTA_TP", |at| at.hits), ("HOTA_FN", |at| at.misses), ("HOTA_FP", |at| at.false_alarms)];
    for (name, count) in counts {
        let Figure::PerAlpha(theirs) = &theirs[name] else { panic!("{name} is one number") };
        hota.at.iter().zip(theirs).for_each(|(at, theirs)| same(name, count(at) as f64, *theirs));
    }
    let single = [
        ("CLR_TP", clear.hits as f64),
        ("CLR_FN", clear.misses as f64),
        ("CLR_FP", clear.false_alarms as f64),
        ("IDSW", clear.id_switches as f64),
        ("MT", clear.mostly_tracked as f64),
        ("PT", clear.partly_tracked as f64),
        ("ML", clear.mostly_lost as f64),
        ("Frag", clear.fragmentations as f64),
        ("MOTA", clear.mota()),
        ("MOTP", clear.motp()),
        ("sMOTA", clear.smota()),
        ("CLR_Re", clear.recall()),
        ("CLR_Pr", clear.precision()),
        ("IDTP", identity.hits as f64),
        ("IDFN", identity.misses as f64),
        ("IDFP", identity.false_alarms as f64),
        ("IDF1", identity.idf1()),
        ("IDP", identity.idp()),
        ("IDR", identity.idr()),
    ];
    for (name, ours) in single {
        let Figure::One(theirs) = &theirs[name] else { panic!("{name} is an array") };
        same(name, ours, *theirs);
    }
}

/// A thing that moves, and the track that follows it for now.
struct Mover {
    track: u64,
    rect: Rect,
    speed: (f64, f64),
    ignored: bool,
    followed_as: u64,
}

fn sequence(random: &mut Random) -> Frames {
    let whole = random.chance(0.5);
    let no_area = if random.chance(0.15) { 0.1 } else { 0.0 };
    let ignored = if random.chance(0.3) { 0.3 } else { 0.0 };
    let (missed, false_alarms) = (random.between(0.0, 0.5), random.below(3));
    let (switches, jitter) = (random.between(0.0, 0.3), random.between(0.0, 0.3));
    let (no_truth, no_findings) = (random.chance(0.06), random.chance(0.06));
    // Things in one place tie with each other.
    let stacked = random.chance(0.15);
    let mut movers: Vec<Mover> = Vec::new();
    for number in 0..=random.below(6) {
        let mut rect = random.rect(whole, no_area);
        (rect.x, rect.y) = (rect.x / 3.0, rect.y / 3.0);
        if let Some(first) = movers.first().filter(|_| stacked) {
            rect = first.rect;
        }
        let mut step = || (random.between(-6.0, 6.0)).round();
        let speed = if stacked { (0.0, 0.0) } else { (step(), step()) };
        let track = 3 * number as u64 + 1;
        movers.push(Mover {
            track,
            rect,
            speed,
            ignored: random.chance(ignored),
            followed_as: number as u64,
        });
    }
    let mut new_track = 100;
    let mut frames = Vec::new();
    for _ in 0..random.below(13) {
        let (mut truths, mut findings) = (Vec::new(), Vec::new());
        for mover in &mut movers {
            (mover.rect.x, mover.rect.y) = (mover.rect.x + mover.speed.0, mover.rect.y + mover.speed.1);
            if random.chance(0.15) {
                continue;
            }
            if !no_truth {
                truths.push(truth(mover.track, mover.rect, mover.ignored));
            }
            if random.chance(switches) {
                new_track += 1;
                mover.followed_as = new_track;
            }
            if !no_findings && !random.chance(missed) {
                findings.push(found(mover.followed_as, random.jittered(&mover.rect, jitter, whole)));
            }
        }
        // Tracks change places.
        if movers.len() > 1 && random.chance(switches) {
            let other = 1 + random.below(movers.len() - 1);
            let track = movers[other].followed_as;
            movers[other].followed_as = movers[0].followed_as;
            movers[0].followed_as = track;
        }
        if !no_findings {
            for extra in 0..random.below(false_alarms + 1) {
                findings.push(found(50 + extra as u64, random.rect(whole, no_area)));
            }
        }
        if random.chance(0.1) {
            truths.clear();
        }
        if random.chance(0.1) {
            findings.clear();
        }
        for index in (1..findings.len()).rev() {
            findings.swap(index, random.below(index + 1));
        }
        frames.push((truths, findings));
    }
    frames
}

#[test]
fn tracking_is_as_trackeval_has_it_on_a_thousand_generated_cases() {
    let cases: Vec<Vec<Frames>> = (0..1000)
        .map(|seed| {
            let mut random = Random::new(seed);
            (0..=random.below(3)).map(|_| sequence(&mut random)).collect()
        })
        .collect();
    compare(&cases);
}
