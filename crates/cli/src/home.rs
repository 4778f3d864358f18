//! Where the program's models, pipelines and pictures are.

use std::path::{Path, PathBuf};

use crate::failure::Mistake;

/// Where Parapet is installed.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Home {
    /// Directory with `models` and `pipelines`; found by itself when the program runs inside it or was built in it.
    #[arg(long, env = "PARAPET_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
}

impl Home {
    /// The directory with `models` and `pipelines`.
    pub(crate) fn directory(&self) -> anyhow::Result<PathBuf> {
        let is_home = |path: &Path| path.join("models").is_dir() && path.join("pipelines").is_dir();
        if let Some(home) = &self.home {
            if is_home(home) {
                return Ok(home.clone());
            }
            let text = format!(
                "--home {} has no models and pipelines; hint: name the repository's root",
                home.display()
            );
            return Err(Mistake(text).into());
        }
        let here = std::env::current_dir()?;
        let program = std::env::current_exe().unwrap_or_default();
        here.ancestors().chain(program.ancestors()).find(|path| is_home(path)).map(Path::to_owned).ok_or_else(|| {
            Mistake("cannot find the directories models and pipelines; hint: run inside the repository, or give --home".into())
                .into()
        })
    }
}
