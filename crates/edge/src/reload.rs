//! The pipeline file, read again when it changes.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    config::{self, Pipeline},
    fleet::Fleet,
    telemetry,
};

/// Editors write a file in several steps: it is read when nothing came for so long.
const SETTLE: Duration = Duration::from_millis(200);

/// Follows the pipeline file.
pub(crate) struct Reload {
    // Dropped first: the channel closes, and the thread ends.
    watcher: RecommendedWatcher,
    thread: JoinHandle<()>,
}

impl Reload {
    /// Begins to follow `file`, which `pipeline` was read from.
    pub(crate) fn start(
        file: &Path,
        pipeline: Pipeline,
        fleet: Arc<Mutex<Fleet>>,
        shutdown: &CancellationToken,
    ) -> io::Result<Self> {
        let (events, inbox) = channel();
        let file = file.canonicalize()?;
        let name = file.file_name().map(ToOwned::to_owned);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading the file is an event, too, but changes nothing.
            let changes = event.is_ok_and(|event| {
                !event.kind.is_access() && event.paths.iter().any(|path| path.file_name() == name.as_deref())
            });
            if changes {
                // The thread may have ended.
                let _ = events.send(());
            }
        })
        .map_err(io::Error::other)?;
        // Editors replace the file: its directory is what stays.
        let dir = file.parent().unwrap_or(Path::new("/"));
        watcher.watch(dir, RecursiveMode::NonRecursive).map_err(io::Error::other)?;
        let shutdown = shutdown.clone();
        let thread = std::thread::Builder::new()
            .name("reload".into())
            .spawn(move || follow(&inbox, &file, &pipeline, &fleet, &shutdown))?;
        Ok(Self { watcher, thread })
    }

    /// Waits for the end of the thread.
    pub(crate) fn join(self) {
        drop(self.watcher);
        if self.thread.join().is_err() {
            error!("the reload thread had panicked");
        }
    }
}

fn follow(
    inbox: &Receiver<()>,
    file: &Path,
    running: &Pipeline,
    fleet: &Mutex<Fleet>,
    shutdown: &CancellationToken,
) {
    let started_with = (running.node.clone(), running.bus.clone());
    while inbox.recv().is_ok() {
        while !matches!(
            inbox.recv_timeout(SETTLE),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)
        ) {}
        if shutdown.is_cancelled() {
            return;
        }
        match config::load(file) {
            Ok(pipeline) => {
                if (&pipeline.node, &pipeline.bus) != (&started_with.0, &started_with.1) {
                    warn!("[node] and [bus] are read at the start only: restart the node for their changes");
                }
                let pipeline =
                    Pipeline { node: started_with.0.clone(), bus: started_with.1.clone(), ..pipeline };
                let mut fleet = fleet.lock().expect("no panic while the fleet is held");
                fleet.set_stale_file(None);
                fleet.apply(&pipeline);
                telemetry::config_reloaded("ok");
                info!(file = %file.display(), cameras = fleet.len(), "pipeline file was read again");
            }
            Err(problem) => {
                telemetry::config_reloaded("broken");
                error!(file = %file.display(), %problem, "the changed pipeline file cannot be used; the cameras go on as they were");
                let why = format!("the changed pipeline file {} cannot be used", file.display());
                fleet.lock().expect("no panic while the fleet is held").set_stale_file(Some(why));
            }
        }
    }
}
