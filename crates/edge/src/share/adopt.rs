//! Which incidents a node takes over with a camera: those that others have left open in the store, and those that this node
//! itself had left open, if nobody went on with them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use parapet_core::{CameraId, IncidentEvent, IncidentId, NodeId, Phase, SiteId};
use parapet_store::{OpenIncidentRow, Store, StoreError};
use tracing::warn;

use crate::{surveys, uplink::UplinkHandle};

/// What was taken over so far.
#[derive(Debug, Default)]
pub(super) struct Adoption {
    /// By camera, as long as it is watched here.
    handed: BTreeMap<CameraId, HashSet<IncidentId>>,
}

impl Adoption {
    /// The incidents that the node should go on with, now that it watches these cameras; each once as long as it watches
    /// its camera. Also finds what came to the store late: the last words of a node that was away.
    ///
    /// # Errors
    /// The store's or the outbox's; then it can be asked again.
    pub(super) async fn find(
        &mut self,
        store: &Store,
        uplink: &UplinkHandle,
        node: &NodeId,
        offered: &BTreeMap<CameraId, SiteId>,
        watched: &BTreeSet<CameraId>,
    ) -> Result<Vec<IncidentEvent>, StoreError> {
        self.handed.retain(|camera, _| watched.contains(camera));
        if watched.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = of_others(store.open_incidents_of(watched).await?, node, offered);
        let new: BTreeSet<&CameraId> =
            watched.iter().filter(|camera| !self.handed.contains_key(*camera)).collect();
        if !new.is_empty() {
            let mut own = uplink.open_incidents().await?;
            own.retain(|event| new.contains(&event.camera));
            let ids: Vec<IncidentId> = own.iter().map(|event| event.incident_id).collect();
            let standing = store.standing_of(&ids).await?;
            let (own, gone) = still_own(own, &standing);
            if !gone.is_empty() {
                uplink.forget_open(&gone).await?;
            }
            found.extend(own);
        }
        for camera in watched {
            self.handed.entry(camera.clone()).or_default();
        }
        found.retain(|event| {
            self.handed.get_mut(&event.camera).is_some_and(|handed| handed.insert(event.incident_id))
        });
        if !found.is_empty() {
            warn!(incidents = found.len(), "going on with incidents that were left open");
        }
        Ok(found)
    }
}

/// What this node told itself is in its outbox, and better known there.
fn of_others(
    rows: Vec<OpenIncidentRow>,
    node: &NodeId,
    offered: &BTreeMap<CameraId, SiteId>,
) -> Vec<IncidentEvent> {
    let ours = |row: &OpenIncidentRow| {
        let same_place = offered.get(&row.event.camera) == Some(&row.site);
        // What surveys find is not a camera's to end.
        same_place && row.node != *node && row.event.rule.as_str() != surveys::RULE
    };
    rows.into_iter().filter(ours).map(|row| row.event).collect()
}

/// Of what this node left open: what nobody has gone on with, and the rest.
fn still_own(
    own: Vec<IncidentEvent>,
    standing: &[(IncidentId, u32, Phase)],
) -> (Vec<IncidentEvent>, Vec<IncidentId>) {
    let known: HashMap<IncidentId, (u32, Phase)> =
        standing.iter().map(|(id, sequence, phase)| (*id, (*sequence, *phase))).collect();
    // What the store does not know has not arrived yet.
    let (own, gone): (Vec<_>, Vec<_>) = own.into_iter().partition(|event| {
        known
            .get(&event.incident_id)
            .is_none_or(|(sequence, phase)| *sequence <= event.sequence && *phase != Phase::Ended)
    });
    (own, gone.into_iter().map(|event| event.incident_id).collect())
}

#[cfg(test)]
pub(super) mod tests {
    use parapet_core::{BBox, EventId, IncidentKind, RunId, Severity, Timestamp};

    use super::*;

    pub(crate) fn event(name: &str, camera: &str, sequence: u32) -> IncidentEvent {
        let at = Timestamp::UNIX_EPOCH;
        IncidentEvent {
            event_id: EventId::derive(&[name, &sequence.to_string()]),
            incident_id: IncidentId::derive(&[name]),
            sequence,
            phase: Phase::Started,
            kind: IncidentKind::MisparkedEbike,
            severity: Severity::Medium,
            camera: camera.parse().unwrap(),
            preset: None,
            run: RunId::derive(&["run"]),
            rule: "bikes".parse().unwrap(),
            zone: None,
            at,
            since: at,
            started_at: at,
            ended_at: None,
            end_reason: None,
            label: None,
            track: None,
            bbox: BBox::new(0.1, 0.1, 0.2, 0.2).unwrap(),
            outline: None,
            count: 1,
            score: 0.9,
            covered: None,
            place: None,
        }
    }

    pub(crate) fn row(site: &str, node: &str, event: IncidentEvent) -> OpenIncidentRow {
        OpenIncidentRow { site: site.parse().unwrap(), node: node.parse().unwrap(), event }
    }

    #[test]
    fn only_what_others_told_of_the_same_camera_is_theirs() {
        let survey = IncidentEvent { rule: surveys::RULE.parse().unwrap(), ..event("roof", "gate", 0) };
        let rows = vec![
            row("s", "b", event("theirs", "gate", 0)),
            row("s", "a", event("ours", "gate", 0)),
            row("t", "b", event("of another site", "gate", 0)),
            row("s", "b", survey),
        ];
        let offered = BTreeMap::from([("gate".parse().unwrap(), "s".parse().unwrap())]);
        let found = of_others(rows, &"a".parse().unwrap(), &offered);
        assert_eq!(found, [event("theirs", "gate", 0)]);
    }

    #[test]
    fn what_another_has_gone_on_with_is_not_ours_any_more() {
        let own = ["not arrived", "arrived", "gone on with", "ended"].map(|name| event(name, "gate", 1));
        let standing = [
            (own[1].incident_id, 1, Phase::Updated),
            (own[2].incident_id, 100, Phase::Updated),
            (own[3].incident_id, 1, Phase::Ended),
        ];
        let (left, gone) = still_own(own.to_vec(), &standing);
        assert_eq!(left, own[..2]);
        assert_eq!(gone, [own[2].incident_id, own[3].incident_id]);
    }
}
