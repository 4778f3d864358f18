//! Roofs to learn from: painted ones, and rendered compounds as they were flown, with exact telemetry, the other way
//! round, with few looks and without heights.

use std::{collections::BTreeSet, error::Error, path::Path};

use crate::cases::{
    Case, Telemetry, painted, rendered, reversed,
    roofs::{Roof, roofs},
};
use parapet_infer::{Engine, EngineConfig, ModelStore};
use parapet_survey::{CompareOptions, NetworkFeatures};

/// Parts of the compounds that are each left out once.
pub(crate) const FOLDS: usize = 4;
/// Rendered roofs count more than painted ones: they look more like real ones.
const RENDERED_WEIGHT: f32 = 3.0;

/// A roof to learn from.
pub(crate) struct Learnt {
    pub(crate) roof: Roof,
    /// All roofs of a compound go together.
    pub(crate) fold: usize,
    pub(crate) weight: f32,
    /// Whether its changes lie where their footprints are, so that cells can be learnt from it.
    pub(crate) clean: bool,
    /// Whether it is what a survey would see: for telling how good a head is.
    pub(crate) flown: bool,
    pub(crate) rendered: bool,
}

/// Where a pair of flights comes from and how it is looked at.
struct Job {
    case: Case,
    options: CompareOptions,
    fold: usize,
    flown: bool,
    rendered: bool,
}

/// All roofs.
#[expect(clippy::print_stderr, reason = "beside the report")]
pub(crate) fn gathered(painted_count: u64, folders: &[&Path]) -> Result<Vec<Learnt>, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = ModelStore::new(root.join("models")).load("efficientnet-lite0")?;
    let engine = Engine::start(&manifest, &EngineConfig::default())?;
    let mut features = NetworkFeatures::new(&engine)?;
    let mut learnt = Vec::new();
    for job in jobs(painted_count, folders)? {
        let clean = job.case.exact;
        let judged = roofs(job.case, &mut features, &job.options, &mut |why, truths| {
            if job.flown {
                eprintln!("not judged: {why}, {} changes", truths.len());
            }
        });
        learnt.extend(judged.into_iter().map(|roof| Learnt {
            roof,
            fold: job.fold,
            weight: if job.rendered { RENDERED_WEIGHT } else { 1.0 },
            clean,
            flown: job.flown,
            rendered: job.rendered,
        }));
    }
    Ok(learnt)
}

fn jobs(painted_count: u64, folders: &[&Path]) -> Result<Vec<Job>, Box<dyn Error>> {
    let full = CompareOptions::default();
    let mut jobs = Vec::new();
    for folder in folders {
        let flown = rendered(folder, Telemetry::AsFlown)?;
        let [mut exact, mut back, mut less] = [(); 3].map(|()| Vec::new());
        for cases in [&mut exact, &mut back, &mut less] {
            *cases = rendered(folder, Telemetry::Exact)?;
        }
        let sites: BTreeSet<_> = flown.iter().map(|c| c.site.id.clone()).collect();
        let fold = |case: &Case| sites.iter().position(|id| *id == case.site.id).unwrap_or(0) % FOLDS;
        let mut add = |case: Case, options: CompareOptions, flown: bool| {
            let fold = fold(&case);
            jobs.push(Job { case, options, fold, flown, rendered: true });
        };
        for (k, (((case, exact), back), less)) in flown.into_iter().zip(exact).zip(back).zip(less).enumerate()
        {
            if !case.exact {
                add(exact, full.clone(), false);
            }
            add(case, full.clone(), true);
            add(reversed(back), full.clone(), false);
            let fewer = if k % 2 == 0 {
                CompareOptions { looks: 2, ..full.clone() }
            } else {
                CompareOptions { heights: false, looks: 3, ..full.clone() }
            };
            add(less, fewer, false);
        }
    }
    for k in 0..painted_count {
        let fold = (k / 2) as usize % FOLDS;
        jobs.push(Job { case: painted(k), options: full.clone(), fold, flown: true, rendered: false });
    }
    Ok(jobs)
}
