//! ONNX Runtime in this process: finding its library, opening it once, adding the OpenVINO plugin.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use ort::{environment::Environment, logging::LogLevel};

const LIBRARY: &str = "libonnxruntime.so";
const OPENVINO_LIBRARY: &str = "libonnxruntime_providers_openvino_plugin.so";

/// Why there is no runtime or no provider.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The library is nowhere.
    #[error(
        "ONNX Runtime's library is not there (tried {tried}); hint: run `make setup`, or set ORT_DYLIB_PATH to a libonnxruntime.so of version 1.24 or newer"
    )]
    NotFound {
        /// Where it was looked for.
        tried: String,
    },
    /// The library cannot be used.
    #[error("cannot use \"{path}\" as ONNX Runtime; hint: run `make setup`, it must be version 1.24 or newer", path = path.display())]
    Unusable {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The plugin is nowhere.
    #[error(
        "the OpenVINO provider's library is not there (tried {tried}); hint: install onnxruntime-ep-openvino and set PARAPET_OPENVINO_EP to its {OPENVINO_LIBRARY}, or choose provider = \"cpu\""
    )]
    NoOpenvino {
        /// Where it was looked for.
        tried: String,
    },
    /// The plugin cannot be used.
    #[error("cannot use the OpenVINO provider \"{path}\"; hint: provider = \"cpu\" does without it", path = path.display())]
    OpenvinoUnusable {
        /// The library.
        path: PathBuf,
        /// What the runtime said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The runtime of this process: there is one, opened by the first who needs it.
#[derive(Debug)]
pub struct Runtime {
    environment: Environment,
    library: PathBuf,
    openvino: Mutex<Option<PathBuf>>,
}

static RUNTIME: OnceLock<Runtime> = OnceLock::new();
static OPENING: Mutex<()> = Mutex::new(());

impl Runtime {
    /// The runtime, opened from `library`, else from `ORT_DYLIB_PATH`, else from `.cache/onnxruntime/lib/` above the
    /// program or the working folder, else from `../lib/parapet/` beside the program. Once open, it stays.
    ///
    /// # Errors
    /// If the library is nowhere or cannot be used.
    pub fn open(library: Option<&Path>) -> Result<&'static Self, RuntimeError> {
        let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = RUNTIME.get() {
            return Ok(runtime);
        }
        let path = find(library, "ORT_DYLIB_PATH", "onnxruntime", LIBRARY)
            .map_err(|tried| RuntimeError::NotFound { tried })?;
        let unusable = |source| RuntimeError::Unusable { path: path.clone(), source };
        let builder = ort::init_from(&path).map_err(|e| unusable(e.to_string().into()))?;
        let environment =
            builder.with_name("parapet").with_telemetry(false).build().map_err(|e| unusable(Box::new(e)))?;
        environment.set_log_level(LogLevel::Warning);
        tracing::info!(library = %path.display(), build = ort::info(), "onnx runtime is open");
        Ok(RUNTIME.get_or_init(|| Self { environment, library: path, openvino: Mutex::new(None) }))
    }

    /// Its library.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// What it says of its version and build.
    pub fn build(&self) -> &'static str {
        ort::info()
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Adds the OpenVINO plugin, once.
    pub(crate) fn add_openvino(&self, library: Option<&Path>) -> Result<(), RuntimeError> {
        let mut added = self.openvino.lock().unwrap_or_else(PoisonError::into_inner);
        if added.is_none() {
            let path = find(library, "PARAPET_OPENVINO_EP", "openvino", OPENVINO_LIBRARY)
                .map_err(|tried| RuntimeError::NoOpenvino { tried })?;
            self.environment
                .register_ep_library("openvino", &path)
                .map_err(|e| RuntimeError::OpenvinoUnusable { path: path.clone(), source: Box::new(e) })?;
            tracing::info!(library = %path.display(), "openvino provider is registered");
            *added = Some(path);
        }
        Ok(())
    }
}

/// The first of the places that is a file, made absolute; or all of them as text. A place that was named must hold it.
fn find(named: Option<&Path>, variable: &str, folder: &str, file: &str) -> Result<PathBuf, String> {
    let from_environment = std::env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
    let places = match named.map(Path::to_owned).or(from_environment) {
        Some(path) => vec![path],
        None => usual_places(folder, file),
    };
    let found = places.iter().find(|p| p.is_file());
    let absolute = found.and_then(|p| std::path::absolute(p).ok());
    absolute
        .ok_or_else(|| places.iter().map(|p| format!("\"{}\"", p.display())).collect::<Vec<_>>().join(", "))
}

fn usual_places(folder: &str, file: &str) -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let program_folder = program.as_deref().and_then(Path::parent);
    let working_folder = std::env::current_dir().ok();
    let mut places: Vec<PathBuf> = Vec::new();
    for start in [program_folder, working_folder.as_deref()].into_iter().flatten() {
        // The workspace is the first folder above that has a `.cache`.
        let workspace = start.ancestors().map(|a| a.join(".cache")).find(|c| c.is_dir());
        places.extend(workspace.map(|c| c.join(folder).join("lib").join(file)));
    }
    places.extend(program_folder.map(|p| p.join("../lib/parapet").join(file)));
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_library_that_is_absent_is_not_replaced_by_another() {
        let error = find(Some(Path::new("/nowhere/lib.so")), "PARAPET_UNSET", "onnxruntime", LIBRARY);
        assert_eq!(error.unwrap_err(), "\"/nowhere/lib.so\"");
    }

    #[test]
    fn the_error_says_where_it_looked_and_what_to_do() {
        let tried = find(None, "PARAPET_UNSET", "no-such-folder", "no-such-file").unwrap_err();
        let error = RuntimeError::NotFound { tried }.to_string();
        assert!(
            error.contains("../lib/parapet/no-such-file") && error.contains("hint: run `make setup`"),
            "{error}"
        );
    }
}
