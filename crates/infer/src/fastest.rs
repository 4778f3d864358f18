//! Which precision on which provider is the fastest for a model on this machine: found by running them when the engine
//! starts, among those that the manifest has measured to be as accurate. It looks at no picture of a camera.

use std::{sync::Arc, time::Duration};

use parapet_core::{Clock, SystemClock};

use crate::{
    config::{EngineConfig, Precision, Provider},
    engine::EngineError,
    manifest::Manifest,
    session::{Model, Slot, chain},
};

/// Mean AP50 that a precision may lose against the one that is asked for.
const MOST_LOST: f64 = 0.01;
/// Part of the time within which a candidate counts as faster than those before it: two measurements of one thing differ.
const FASTER: f64 = 0.95;
const WARM_UP_RUNS: usize = 2;
/// The quickest counts: the machine does other things as well.
const RUNS: usize = 8;

/// Opens the fastest; the provider and precision that it has. Memory holds two models at most meanwhile.
///
/// # Errors
/// Of the first candidate, if none can be run.
pub(crate) fn open(
    manifest: &Arc<Manifest>,
    config: &EngineConfig,
) -> Result<(Model, Provider, Precision), EngineError> {
    let mut best: Option<(Duration, (Model, Provider, Precision))> = None;
    let mut refused = None;
    for (provider, precision) in candidates(manifest, config) {
        let model = manifest.name();
        let alone = EngineConfig { provider, precision, fastest: false, ..config.clone() };
        let timed = Model::open(manifest, &alone).and_then(|(mut opened, ..)| {
            let took = time(&mut opened, manifest, provider)?;
            Ok((took, opened))
        });
        match timed {
            Ok((took, opened)) => {
                let microseconds = took.as_micros() as u64;
                tracing::info!(model, %provider, %precision, microseconds, "measured");
                let labels = [
                    ("model", model.to_owned()),
                    ("precision", precision.as_str().to_owned()),
                    ("provider", provider.as_str().to_owned()),
                ];
                metrics::gauge!("parapet_engine_measured_seconds", &labels).set(took.as_secs_f64());
                if best.as_ref().is_none_or(|(than, _)| is_faster(took, *than)) {
                    best = Some((took, (opened, provider, precision)));
                }
            }
            Err(error) => {
                tracing::info!(model, %provider, %precision, reason = chain(&error), "cannot be chosen");
                refused.get_or_insert(error);
            }
        }
    }
    match (best, refused) {
        (Some((_, chosen)), _) => Ok(chosen),
        (None, Some(error)) if config.provider != Provider::Auto => Err(error),
        // It knows what to do where nothing is there that was asked for.
        (None, _) => Model::open(manifest, config),
    }
}

/// What is asked for first, so that it stays where nothing is faster.
fn candidates(manifest: &Manifest, config: &EngineConfig) -> Vec<(Provider, Precision)> {
    let asked = config.precision;
    let as_accurate = |precision: &Precision| {
        *precision != asked
            && manifest.variant(*precision).is_ok()
            && lost(manifest, asked, *precision).is_some_and(|lost| lost <= MOST_LOST)
    };
    let others = [Precision::Fp32, Precision::Fp16, Precision::Bf16, Precision::Int8];
    let precisions: Vec<Precision> =
        std::iter::once(asked).chain(others.into_iter().filter(as_accurate)).collect();
    let providers = match config.provider {
        Provider::Auto => Provider::all().to_vec(),
        one => vec![one],
    };
    let all = providers.into_iter().flat_map(|provider| precisions.iter().map(move |p| (provider, *p)));
    all.filter(|(provider, precision)| provider.computes(*precision)).collect()
}

/// How much AP50 a precision loses against another at the model's own input size: the mean over the sets on which the
/// manifest has both. `None` if there are none.
fn lost(manifest: &Manifest, from: Precision, to: Precision) -> Option<f64> {
    let (width, height) = manifest.input_size();
    let of = |precision: Precision| {
        let measured = manifest.accuracy().iter().filter(move |result| {
            let own_size = result.size.is_none_or(|[w, h]| (w as usize, h as usize) == (width, height));
            result.variant == precision.as_str() && own_size
        });
        measured.filter_map(|result| Some((&result.set, *result.values.get("ap50")?)))
    };
    let pairs = of(from).filter_map(|(set, before)| {
        let (_, after) = of(to).find(|(other, _)| *other == set)?;
        Some(before - after)
    });
    let losses: Vec<f64> = pairs.collect();
    (!losses.is_empty()).then(|| losses.iter().sum::<f64>() / losses.len() as f64)
}

fn is_faster(took: Duration, than: Duration) -> bool {
    took.as_secs_f64() < than.as_secs_f64() * FASTER
}

/// The quickest of some runs on noise.
fn time(model: &mut Model, manifest: &Manifest, provider: Provider) -> Result<Duration, EngineError> {
    let size = manifest.input_size();
    let mut noise = 1_u32;
    let tensor: Vec<f32> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as f32 / 128.0 - 1.0
    })
    .take(3 * size.0 * size.1)
    .collect();
    // No score is as high: what is measured is the network, not what is in the noise.
    let slots = [Slot { tensor: &tensor, threshold: 2.0 }];
    let clock = SystemClock::new();
    let mut quickest = Duration::MAX;
    for run in 0..WARM_UP_RUNS + RUNS {
        let started = clock.monotonic();
        model.run(size, &slots).map_err(|error| EngineError::Session {
            model: manifest.name().to_owned(),
            provider,
            hint: "another provider or precision may run it",
            source: Box::new(error),
        })?;
        if run >= WARM_UP_RUNS {
            quickest = quickest.min(clock.monotonic().saturating_sub(started));
        }
    }
    Ok(quickest)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::engine::Engine;

    fn manifest() -> Manifest {
        Manifest::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g")).unwrap()
    }

    fn config(provider: Provider, precision: Precision) -> EngineConfig {
        EngineConfig { provider, precision, fastest: true, ..EngineConfig::default() }
    }

    #[test]
    fn candidates_are_what_is_asked_for_and_what_is_measured_to_be_as_accurate() {
        use Precision::{Bf16, Fp32, Int8};
        use Provider::{Auto, Cpu, Cuda, Openvino, OpenvinoGpu};
        let manifest = manifest();
        assert_eq!(candidates(&manifest, &config(Cpu, Fp32)), [(Cpu, Fp32), (Cpu, Int8)]);
        assert_eq!(
            candidates(&manifest, &config(Auto, Fp32)),
            [
                (Cpu, Fp32),
                (Cpu, Int8),
                (Openvino, Fp32),
                (Openvino, Bf16),
                (Openvino, Int8),
                (OpenvinoGpu, Fp32),
                (Cuda, Fp32)
            ]
        );
        assert!(lost(&manifest, Fp32, Precision::Fp16).is_none(), "nobody has measured it");
    }

    #[test]
    fn a_candidate_must_be_clearly_faster_than_those_before_it() {
        let milliseconds = Duration::from_millis;
        assert!(!is_faster(milliseconds(96), milliseconds(100)));
        assert!(is_faster(milliseconds(94), milliseconds(100)));
    }

    #[test]
    fn an_engine_says_what_it_has_chosen() {
        let engine = match Engine::start(&manifest(), &config(Provider::Cpu, Precision::Fp32)) {
            Ok(engine) => engine,
            Err(EngineError::Runtime(error)) => {
                println!("skipped: {error}");
                return;
            }
            Err(error) => panic!("{error}"),
        };
        let info = engine.info();
        assert_eq!(info.provider, Provider::Cpu);
        let weights = manifest().variant(info.precision).unwrap().sha256.clone();
        assert_eq!(info.weights_sha256, weights, "{info:?}");
    }
}
