//! `parapet camera serve`: RTSP test cameras out of files.

use std::path::PathBuf;

use parapet_core::CameraId;
use parapet_ingest::serve::{CameraServer, ServeOptions, ServedCamera};

use crate::failure::Mistake;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Serve files as RTSP cameras on the loopback, looped, until interrupted.
    Serve {
        /// `NAME=FILE`, or a file, whose name without its ending is then the camera's.
        #[arg(required = true, value_name = "CAMERA")]
        cameras: Vec<String>,
        /// Port; 0 takes a free one.
        #[arg(long, default_value_t = 8554)]
        port: u16,
        /// `USER:PASSWORD` that clients must give.
        #[arg(long, env = "PARAPET_CAMERA_CREDENTIALS", hide_env_values = true)]
        credentials: Option<String>,
        /// Where videos that had to be encoded are kept.
        #[arg(long, default_value = ".cache/cameras", value_name = "DIR")]
        cache: PathBuf,
        /// Cameras of one file show different moments of it and send their keyframes at different times.
        #[arg(long)]
        spread: bool,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    let Command::Serve { cameras, port, credentials, cache, spread } = command;
    let cameras = cameras.iter().map(|text| parse(text)).collect::<Result<Vec<_>, Mistake>>()?;
    let credentials = match credentials {
        None => None,
        Some(text) => Some(
            text.split_once(':')
                .map(|(user, password)| (user.to_owned(), password.to_owned()))
                .ok_or_else(|| Mistake("--credentials has no colon; hint: USER:PASSWORD".into()))?,
        ),
    };
    let server = CameraServer::start(ServeOptions { port, credentials, cache, spread }, &cameras)?;
    for name in server.cameras() {
        tracing::info!(camera = %name, url = server.url(name), "camera served");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(super::interrupted())?;
    Ok(())
}

fn parse(text: &str) -> Result<ServedCamera, Mistake> {
    let (name, file) = if let Some((name, file)) = text.split_once('=') {
        (name.to_owned(), PathBuf::from(file))
    } else {
        let file = PathBuf::from(text);
        (file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase(), file)
    };
    let name: CameraId = name.parse().map_err(|error| Mistake(format!("{error}, or write NAME={text}")))?;
    Ok(ServedCamera { name, file })
}
