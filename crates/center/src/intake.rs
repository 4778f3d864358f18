//! From the bus into the store. A message is acknowledged only after its row is committed; what was committed is then
//! told to the pages. Repeated messages change nothing.

use std::{collections::BTreeSet, sync::Arc};

use parapet_bus::{DeadLetter, Handler, Received, wire::Message};
use parapet_core::{Clock, IncidentId, Phase};
use parapet_store::{Applied, EventRecord, EvidenceRecord, HealthRecord, RoofRow, Store, StoreError};
use tracing::debug;

use crate::{
    api::{live_shape::LiveMessage, shape::Incident},
    cases::Cases,
    live::Hub,
    mutes::Mutes,
    roster::{Roster, camera_row, node_row},
    server::Refresh,
};

#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) store: Store,
    pub(crate) cases: Cases,
    pub(crate) mutes: Arc<Mutes>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) hub: Hub,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) refresh: Refresh,
}

impl Handler for Intake {
    type Error = StoreError;

    async fn handle(&mut self, batch: &[Received]) -> Result<(), StoreError> {
        let now = self.clock.now();
        let events: Vec<EventRecord> = batch
            .iter()
            .filter_map(|received| match &received.message {
                Message::Incident(m) => {
                    Some(EventRecord { site: m.site.clone(), node: m.node.clone(), event: m.event.clone() })
                }
                _ => None,
            })
            .collect();
        let mut changed: BTreeSet<IncidentId> = BTreeSet::new();
        let mut started = Vec::new();

        let applied = self.store.apply_events(&events, now).await?;
        for (record, applied) in events.iter().zip(applied) {
            if count("incident", applied) {
                changed.insert(record.event.incident_id);
                if record.event.phase == Phase::Started {
                    started.push(record.event.incident_id);
                }
            }
        }
        for received in batch {
            match &received.message {
                Message::Incident(_) => {}
                Message::Evidence(m) => {
                    let record = EvidenceRecord {
                        site: m.site.clone(),
                        node: m.node.clone(),
                        camera: m.camera.clone(),
                        incident: m.incident,
                        at: m.at,
                        items: m.items.clone(),
                        base_url: m.base_url.clone(),
                    };
                    if count("evidence", self.store.apply_evidence(&record, now).await?) {
                        changed.insert(m.incident);
                    }
                }
                Message::Health(m) => {
                    let record =
                        HealthRecord { site: m.site.clone(), node: m.node.clone(), health: m.health.clone() };
                    if count("health", self.store.apply_health(&record, now).await?) {
                        self.tell_camera(self.roster.put_health(&m.health));
                    }
                }
                Message::CameraStatus(m) => {
                    let row = camera_row(m);
                    // Before it is stored: nobody is to see in between what is not to be seen.
                    self.roster.put_private(&row);
                    self.store.put_camera(&row).await?;
                    if m.removed {
                        if self.roster.remove_camera(&row) {
                            let (site, camera) = (m.site.to_string(), m.camera.to_string());
                            self.hub.tell(&LiveMessage::CameraRemoved { site, camera });
                        }
                    } else {
                        self.tell_camera(self.roster.put_camera(row));
                        self.refresh.ask();
                    }
                }
                Message::Roof(m) => {
                    let row = RoofRow {
                        site: m.site.clone(),
                        node: m.node.clone(),
                        at: m.at,
                        history: m.history.clone(),
                    };
                    self.store.put_roof(&row).await?;
                    let (site, building) = (m.site.to_string(), m.history.building.to_string());
                    self.hub.tell(&LiveMessage::Roof { site, building });
                }
                Message::NodeStatus(m) => {
                    let row = node_row(m);
                    self.store.put_node(&row).await?;
                    let (node, cameras) = self.roster.put_node(row);
                    self.hub.tell(&LiveMessage::Node { node });
                    for camera in cameras {
                        self.tell_camera(Some(camera));
                    }
                    if m.online {
                        self.refresh.ask();
                    }
                }
            }
        }
        if let Err(error) = self.mute_and_file(&started).await {
            debug!(%error, "cannot look at mutes and filing rules; the incidents stay for a person");
        }
        // Committed: from here on nothing may make the batch come again.
        if let Err(error) = self.tell_incidents(changed).await {
            debug!(%error, "cannot read what was just stored; pages learn of it at their next look");
            self.hub.tell(&LiveMessage::Resync);
        }
        Ok(())
    }

    async fn dead_letter(&mut self, letter: &DeadLetter) -> Result<(), StoreError> {
        metrics::counter!("parapet_center_dead_letters_total").increment(1);
        self.store
            .dead_letter(&letter.topic, &letter.payload, &letter.error.to_string(), self.clock.now())
            .await
    }
}

impl Intake {
    fn tell_camera(&self, camera: Option<crate::api::shape::Camera>) {
        if let Some(camera) = camera {
            self.hub.tell(&LiveMessage::Camera { camera: Box::new(camera) });
        }
    }

    /// What has just started may be muted, or filed by a rule.
    async fn mute_and_file(&self, started: &[IncidentId]) -> Result<(), StoreError> {
        let rules = self.cases.has_filing_rules();
        if !rules && self.mutes.is_empty() {
            return Ok(());
        }
        for id in started {
            let Some(detail) = self.store.incident(*id).await? else { continue };
            // Another sighting goes the way of the first.
            if detail.incident.same_as.is_some() {
                continue;
            }
            if let Some(mute) = self.mutes.covering(&detail.incident) {
                self.store.mute_incident(*id, mute).await?;
            } else if rules {
                self.cases.file_by_rule(&detail.incident).await;
            }
        }
        Ok(())
    }

    async fn tell_incidents(&self, changed: BTreeSet<IncidentId>) -> Result<(), StoreError> {
        if !self.hub.has_listeners() {
            return Ok(());
        }
        // A flood (a node that was away for hours) is cheaper to read as a list than to hear one by one.
        if changed.len() > 100 {
            self.hub.tell(&LiveMessage::Resync);
            return Ok(());
        }
        for id in changed {
            // Evidence can come before its incident; then there is nothing to show yet.
            let Some(mut detail) = self.store.incident(id).await? else { continue };
            // A sighting is shown under the incident that it belongs to.
            if let Some(first) = detail.incident.same_as {
                let Some(of) = self.store.incident(first).await? else { continue };
                detail = of;
            }
            let incident = Incident::new(detail.incident, &detail.evidence);
            self.hub.tell(&LiveMessage::Incident { incident: Box::new(incident) });
        }
        Ok(())
    }
}

/// Counts a message; whether it was news.
fn count(kind: &'static str, applied: Applied) -> bool {
    let result = match applied {
        Applied::New => "new",
        Applied::Duplicate => "duplicate",
    };
    metrics::counter!("parapet_center_intake_total", "message" => kind, "result" => result).increment(1);
    applied == Applied::New
}
