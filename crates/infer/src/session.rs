//! One ONNX session and what its manifest says: tensors in, candidates or feature maps out. Owned by one thread.

use std::sync::Arc;

use ort::{
    memory::DeviceType,
    session::{Session, SessionInputValue, SessionOutputs, builder::GraphOptimizationLevel},
    value::{Outlet, Tensor as OrtTensor, TensorElementType, TensorRef},
};

use crate::{
    config::{EngineConfig, Precision, Provider},
    engine::EngineError,
    family::{Candidate, DecodeError, Decoding, Family, Outputs, Tensor, Values},
    features::FeatureMap,
    manifest::Manifest,
    runtime::{Runtime, RuntimeError},
};

const OPENVINO: &str = "OpenVINOExecutionProvider";

/// What a network says about one picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Output {
    Candidates(Vec<Candidate>),
    Features(Vec<FeatureMap>),
}

/// One picture of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot<'a> {
    /// `[3, height, width]`.
    pub(crate) tensor: &'a [f32],
    /// Lowest score that is of interest.
    pub(crate) threshold: f32,
}

/// Why a batch has no outputs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("cannot run the model: {0}")]
    Runtime(#[from] ort::Error),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(
        "output \"{name}\" holds {kind}, which no family reads; hint: export the model with float outputs"
    )]
    Kind { name: String, kind: String },
}

/// A model that is ready to run.
pub(crate) struct Model {
    session: Session,
    manifest: Arc<Manifest>,
    /// The pictures of a batch, one after the other; kept to be used again.
    batch: Vec<f32>,
}

impl Model {
    /// Builds the session; the provider and precision that it really has.
    pub(crate) fn open(
        manifest: &Arc<Manifest>,
        config: &EngineConfig,
    ) -> Result<(Self, Provider, Precision), EngineError> {
        let runtime = Runtime::open(config.library.as_deref())?;
        let (session, provider, precision) = match config.provider {
            Provider::Auto => first_that_can(runtime, manifest, config)?,
            one => (on(one, runtime, manifest, config)?, one, config.precision),
        };
        let model = Self { session, manifest: Arc::clone(manifest), batch: Vec::new() };
        model.check_tensors()?;
        Ok((model, provider, precision))
    }

    fn check_tensors(&self) -> Result<(), EngineError> {
        let check = |kind, wanted: Vec<String>, present: Vec<&str>| match wanted
            .into_iter()
            .find(|w| !present.contains(&w.as_str()))
        {
            Some(missing) => Err(EngineError::NoTensor {
                model: self.manifest.name().to_owned(),
                kind,
                missing,
                present: present.join("\", \""),
            }),
            None => Ok(()),
        };
        let family = self.manifest.family();
        let inputs = [Some(self.manifest.input_tensor()), family.sizes_input()];
        let inputs = inputs.into_iter().flatten().map(str::to_owned).collect();
        check("input", inputs, self.session.inputs().iter().map(Outlet::name).collect())?;
        check("output", family.outputs(), self.session.outputs().iter().map(Outlet::name).collect())
    }

    /// Runs pictures of one input size (width, height) together; one output for each.
    pub(crate) fn run(&mut self, input: (usize, usize), slots: &[Slot<'_>]) -> Result<Vec<Output>, RunError> {
        let shape = [slots.len(), 3, input.1, input.0];
        let pictures: &[f32] = if let [only] = slots {
            only.tensor
        } else {
            self.batch.clear();
            for slot in slots {
                self.batch.extend_from_slice(slot.tensor);
            }
            &self.batch
        };
        let family = self.manifest.family();
        let images = TensorRef::from_array_view((shape, pictures))?;
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> =
            vec![(self.manifest.input_tensor(), images.into())];
        if let Some(sizes) = family.sizes_input() {
            let size = [input.0, input.1].map(|n| n.cast_signed() as i64).repeat(slots.len());
            inputs.push((sizes, OrtTensor::from_array(([slots.len(), 2], size))?.into()));
        }
        let results = self.session.run(inputs)?;
        let names = family.outputs();
        let outputs = outputs(&results, &names)?;
        let classes = self.manifest.classes().len();
        slots
            .iter()
            .enumerate()
            .map(|(item, slot)| {
                if let Family::Features(features) = family {
                    let maps = features.outputs.iter().map(|o| FeatureMap::read(o, &outputs, item));
                    return Ok(Output::Features(maps.collect::<Result<_, _>>()?));
                }
                let decoding = Decoding { classes, input, threshold: slot.threshold };
                Ok(Output::Candidates(family.decode(&outputs, item, decoding)?))
            })
            .collect()
    }
}

fn outputs<'a>(results: &'a SessionOutputs<'_>, names: &'a [String]) -> Result<Outputs<'a>, RunError> {
    let mut tensors = Vec::with_capacity(names.len());
    for name in names {
        let value = results.get(name).ok_or_else(|| DecodeError::Missing(name.clone()))?;
        let kind = value.dtype().tensor_type();
        let dimensions = |shape: &ort::value::Shape| shape.iter().map(|d| *d as usize).collect::<Vec<_>>();
        let tensor = match kind {
            Some(TensorElementType::Float32) => {
                let (shape, values) = value.try_extract_tensor::<f32>()?;
                Tensor::new(dimensions(shape), Values::F32(values))
            }
            Some(TensorElementType::Int64) => {
                let (shape, values) = value.try_extract_tensor::<i64>()?;
                Tensor::new(dimensions(shape), Values::I64(values))
            }
            Some(TensorElementType::Int32) => {
                let (shape, values) = value.try_extract_tensor::<i32>()?;
                Tensor::new(dimensions(shape), Values::I32(values))
            }
            other => return Err(RunError::Kind { name: name.clone(), kind: format!("{other:?}") }),
        };
        tensors.push((name.as_str(), tensor));
    }
    Ok(Outputs::new(tensors))
}

/// A session with OpenVINO where it is there and runs the model, else without. Graphics processors must be asked for, or be
/// found the fastest.
fn first_that_can(
    runtime: &Runtime,
    manifest: &Manifest,
    config: &EngineConfig,
) -> Result<(Session, Provider, Precision), EngineError> {
    let error = match on(Provider::Openvino, runtime, manifest, config) {
        Ok(session) => return Ok((session, Provider::Openvino, config.precision)),
        Err(EngineError::Weights(error)) => return Err(EngineError::Weights(error)),
        Err(error) => error,
    };
    let reason = chain(&error);
    tracing::warn!(model = manifest.name(), %reason, "openvino is not used, onnx runtime's own provider is");
    let precision = match config.precision {
        Precision::Bf16 => Precision::Fp32,
        other => other,
    };
    let config = EngineConfig { precision, ..config.clone() };
    Ok((on(Provider::Cpu, runtime, manifest, &config)?, Provider::Cpu, precision))
}

/// A session on this provider, and nothing else; never `auto`.
fn on(
    provider: Provider,
    runtime: &Runtime,
    manifest: &Manifest,
    config: &EngineConfig,
) -> Result<Session, EngineError> {
    match provider {
        Provider::Cpu | Provider::Auto => build(Provider::Cpu, runtime, manifest, config, Ok),
        Provider::Openvino => on_openvino(DeviceType::CPU, runtime, manifest, config),
        Provider::OpenvinoGpu => on_openvino(DeviceType::GPU, runtime, manifest, config),
        // The shapes between its parts are computed by the processor.
        Provider::Cuda => build(provider, runtime, manifest, config, |builder| {
            // What is asked for in fp32 is not computed in less.
            let cuda = ort::ep::CUDA::default().with_tf32(false).build().error_on_failure();
            let refused = |e: ort::Error| EngineError::session(manifest, Provider::Cuda, e);
            builder.with_execution_providers([cuda]).map_err(|e| refused(e.into()))
        }),
    }
}

fn on_openvino(
    device: DeviceType,
    runtime: &Runtime,
    manifest: &Manifest,
    config: &EngineConfig,
) -> Result<Session, EngineError> {
    runtime.add_openvino(config.openvino_library.as_deref())?;
    // Without the hint OpenVINO computes fp32 models as bf16 or fp16 where it can and does not say so.
    let hint = match config.precision {
        Precision::Bf16 => "bf16",
        Precision::Fp16 if device == DeviceType::GPU => "f16",
        _ => "f32",
    };
    let (provider, load_config) = if device == DeviceType::GPU {
        (Provider::OpenvinoGpu, format!("{{\"GPU\":{{\"INFERENCE_PRECISION_HINT\":\"{hint}\"}}}}"))
    } else {
        let threads = config.threads;
        let cpu = format!(
            "\"INFERENCE_PRECISION_HINT\":\"{hint}\",\"INFERENCE_NUM_THREADS\":{threads},\"NUM_STREAMS\":1"
        );
        (Provider::Openvino, format!("{{\"CPU\":{{{cpu}}}}}"))
    };
    let options = [(format!("{OPENVINO}.load_config"), load_config)];
    build(provider, runtime, manifest, config, |builder| {
        let devices = runtime.environment().devices().filter(|found| {
            found.ep().is_ok_and(|name| name == OPENVINO) && found.hardware_device().ty() == device
        });
        let devices: Vec<_> = devices.take(1).collect();
        if devices.is_empty() {
            return Err(EngineError::Runtime(RuntimeError::OpenvinoUnusable {
                path: config.openvino_library.clone().unwrap_or_default(),
                source: format!("it offers no device for {provider} on this machine").into(),
            }));
        }
        let refused = |e: ort::Error| EngineError::session(manifest, provider, e);
        // What OpenVINO cannot run must not run elsewhere in silence.
        builder
            .with_devices(devices, Some(&options))
            .map_err(|e| refused(e.into()))?
            .with_disable_cpu_fallback()
            .map_err(|e| refused(e.into()))
    })
}

type Builder = ort::session::builder::SessionBuilder;

fn build(
    provider: Provider,
    runtime: &Runtime,
    manifest: &Manifest,
    config: &EngineConfig,
    chosen: impl FnOnce(Builder) -> Result<Builder, EngineError>,
) -> Result<Session, EngineError> {
    let weights = manifest.read(config.precision)?;
    let refused = |e: ort::Error| EngineError::session(manifest, provider, e);
    let plain = || -> ort::Result<Builder> {
        Ok(Session::builder(runtime.environment())?
            .with_intra_threads(config.threads)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .with_optimization_level(GraphOptimizationLevel::All)?)
    };
    let mut builder = chosen(plain().map_err(refused)?)?;
    builder.commit_from_memory(&weights).map_err(refused)
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
