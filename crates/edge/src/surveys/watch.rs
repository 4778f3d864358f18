//! The task that looks for new reports, copies their pictures to the evidence, and hands the messages in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use parapet_bus::wire;
use parapet_core::{
    CameraId, Clock, EventId, EvidenceItem, EvidenceRole, NodeId, SiteId,
    site::{Site, SiteError},
};
use parapet_survey::read_report;
use sha2::{Digest, Sha256};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    SurveysConfig,
    tell::{Kept, Telling, Told, tell},
};
use crate::uplink::UplinkHandle;

/// Time between two looks into the folder.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Pictures of surveys, below the evidence directory. No date: retention leaves them alone, for a structure stands for
/// years.
const EVIDENCE: &str = "surveys";
/// Events that were told, one id a line, below the folder of reports.
const TOLD: &str = "told.txt";

/// Why surveys cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum SurveysError {
    /// The site file cannot be read.
    #[error("cannot read the site file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no site.
    #[error("cannot use the site file {}", path.display())]
    Site {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: SiteError,
    },
    /// The folder of reports cannot be made or read.
    #[error("cannot use the folder of surveys {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Who tells and where everything lies.
pub(crate) struct Teller {
    pub(crate) node: NodeId,
    pub(crate) base_url: String,
    pub(crate) evidence: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) uplink: UplinkHandle,
}

/// The running task.
pub(crate) struct SurveyWatch {
    task: JoinHandle<()>,
}

impl SurveyWatch {
    /// Tells what is there, and then whatever comes.
    ///
    /// # Errors
    /// When the site file is wrong or the folder cannot be made.
    pub(crate) fn start(
        config: &SurveysConfig,
        folder: PathBuf,
        teller: Teller,
        stop: CancellationToken,
    ) -> Result<Self, SurveysError> {
        let site = read_site(&config.site)?;
        fs::create_dir_all(&folder)
            .map_err(|source| SurveysError::Folder { path: folder.clone(), source })?;
        let camera = config.camera.clone();
        Ok(Self { task: tokio::spawn(watch(site, camera, folder, teller, stop)) })
    }

    pub(crate) async fn join(self) {
        if let Err(error) = self.task.await {
            error!(%error, "the task that tells surveys panicked");
        }
    }
}

fn read_site(path: &Path) -> Result<Site, SurveysError> {
    let text =
        fs::read_to_string(path).map_err(|source| SurveysError::Read { path: path.to_owned(), source })?;
    Site::from_geojson(&text).map_err(|source| SurveysError::Site { path: path.to_owned(), source })
}

async fn watch(site: Site, camera: CameraId, folder: PathBuf, teller: Teller, stop: CancellationToken) {
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = BTreeMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match reports(&folder) {
            Ok(found) if found != known => known = found,
            Ok(_) => continue,
            Err(error) => {
                warn!(%error, folder = %folder.display(), "cannot look for surveys; trying again");
                continue;
            }
        }
        let kept = known.keys().filter_map(|path| read(path)).collect::<Vec<_>>();
        let told = tell(&site, &camera, &kept);
        if let Err(error) = teller.hand_in(&site.id, told, &folder).await {
            error!(%error, "cannot tell what the surveys found; trying again");
            known.clear();
        }
    }
}

/// The reports in the folder with their times of change.
fn reports(folder: &Path) -> io::Result<BTreeMap<PathBuf, SystemTime>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path().join("report.json");
        if let Ok(meta) = fs::metadata(&path) {
            found.insert(path, meta.modified()?);
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Option<Kept> {
    match read_report(path) {
        Ok(report) => Some(Kept { folder: path.parent()?.to_owned(), report }),
        Err(error) => {
            warn!(%error, "a survey's report is left out");
            None
        }
    }
}

/// Why something could not be told.
#[derive(Debug, thiserror::Error)]
enum TellError {
    #[error("cannot copy the pictures of a survey")]
    Pictures(#[source] io::Error),
    #[error("cannot write to the outbox")]
    Outbox(#[from] parapet_store::StoreError),
}

impl Teller {
    /// Shows the roofs, and records events that were not told yet with their pictures.
    async fn hand_in(&self, site: &SiteId, told: Told, folder: &Path) -> Result<(), TellError> {
        let at = self.clock.now();
        let list = folder.join(TOLD);
        let mut before: BTreeSet<String> =
            fs::read_to_string(&list).unwrap_or_default().lines().map(str::to_owned).collect();
        let mut messages = Vec::new();
        for telling in &told.events {
            if before.insert(telling.event.event_id.to_string()) {
                messages.extend(self.messages(site, telling).map_err(TellError::Pictures)?);
            }
        }
        if !messages.is_empty() {
            self.uplink.record_unfollowed(&messages).await?;
            let lines = before.iter().fold(String::new(), |text, id| text + id + "\n");
            fs::write(&list, lines).map_err(TellError::Pictures)?;
            info!(messages = messages.len(), "what surveys found was told");
        }
        for history in told.roofs {
            self.uplink.show(&wire::Message::Roof(wire::Roof {
                site: site.clone(),
                node: self.node.clone(),
                at,
                history,
            }));
        }
        Ok(())
    }

    fn messages(&self, site: &SiteId, telling: &Telling) -> io::Result<Vec<wire::Message>> {
        let event = &telling.event;
        let mut messages = vec![wire::Message::Incident(wire::Incident {
            site: site.clone(),
            node: self.node.clone(),
            event: event.clone(),
        })];
        if let Some((before, after)) = &telling.pictures {
            let before = self.copy(before, telling, EvidenceRole::Before, "before")?;
            let after = self.copy(after, telling, EvidenceRole::After, "after")?;
            // What is seen now is what the later flight saw: one file in two roles.
            let snapshot = EvidenceItem { role: EvidenceRole::Snapshot, ..after.clone() };
            let items = vec![snapshot, before, after];
            messages.push(wire::Message::Evidence(wire::Evidence {
                site: site.clone(),
                node: self.node.clone(),
                camera: event.camera.clone(),
                incident: event.incident_id,
                at: event.at,
                items,
                base_url: Some(format!("{}evidence/", self.base_url)),
            }));
        }
        Ok(messages)
    }

    /// Copies a picture to where evidence is served from.
    fn copy(
        &self,
        from: &Path,
        telling: &Telling,
        role: EvidenceRole,
        name: &str,
    ) -> io::Result<EvidenceItem> {
        let event: EventId = telling.event.event_id;
        let path = format!("{EVIDENCE}/{}/{event}-{name}.jpg", telling.survey);
        let to = self.evidence.join(&path);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        let bytes = fs::read(from)?;
        fs::write(&to, &bytes)?;
        Ok(EvidenceItem {
            role,
            path,
            media_type: "image/jpeg".to_owned(),
            bytes: bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(&bytes)),
        })
    }
}
