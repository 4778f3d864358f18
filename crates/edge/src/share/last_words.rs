//! What a node has said of cameras that it lets go: whoever watches them next reads in the store what to go on with, so they
//! are let go when it has arrived there.

use std::{collections::BTreeSet, time::Duration};

use parapet_core::{CameraId, IncidentEvent, IncidentId, NodeId, Phase};
use parapet_store::{OpenIncidentRow, Store, StoreError};
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use crate::{node::chain, surveys, uplink::UplinkHandle};

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The last words of a node.
pub(super) struct LastWords {
    pub(super) store: Store,
    pub(super) uplink: UplinkHandle,
    pub(super) node: NodeId,
    /// Cameras go without a node for no longer than this.
    pub(super) longest: Duration,
}

impl LastWords {
    /// Waits until the store knows the last word on these cameras: what the next node does not find there it tells anew.
    pub(super) async fn arrive(&self, cameras: &BTreeSet<CameraId>) {
        let arrived = timeout(self.longest, async {
            self.uplink.committed().await;
            loop {
                match self.is_told(cameras).await {
                    Ok(true) => return,
                    Ok(false) => {}
                    Err(error) => {
                        debug!(error = %chain(&error), "cannot read yet whether the last words have arrived");
                    }
                }
                sleep(LOOK_AGAIN).await;
            }
        });
        if arrived.await.is_err() {
            warn!(
                cameras = cameras.len(),
                "cameras are let go though the command center does not know the last word on them: an incident may be \
                 told twice"
            );
        }
    }

    async fn is_told(&self, cameras: &BTreeSet<CameraId>) -> Result<bool, StoreError> {
        let mut own = self.uplink.open_incidents().await?;
        own.retain(|event| cameras.contains(&event.camera));
        let ids: Vec<IncidentId> = own.iter().map(|event| event.incident_id).collect();
        let standing = self.store.standing_of(&ids).await?;
        let open = self.store.open_incidents_of(cameras).await?;
        let all_sent = self.uplink.pending().await? == 0;
        Ok(has_arrived(&own, &standing, &open, &self.node, all_sent))
    }
}

/// Whether the store knows the last word on what this node left open, and on what it ended. What is open there under this
/// node's name and unknown to it, though all is sent, is of an earlier life whose outbox is gone: nothing more comes.
fn has_arrived(
    own: &[IncidentEvent],
    standing: &[(IncidentId, u32, Phase)],
    open: &[OpenIncidentRow],
    node: &NodeId,
    all_sent: bool,
) -> bool {
    let known = |event: &IncidentEvent| {
        standing.iter().any(|(id, sequence, _)| *id == event.incident_id && *sequence >= event.sequence)
    };
    let ended = |row: &OpenIncidentRow| {
        row.node == *node
            && row.event.rule.as_str() != surveys::RULE
            && own.iter().all(|event| event.incident_id != row.event.incident_id)
    };
    own.iter().all(known) && (all_sent || !open.iter().any(ended))
}

#[cfg(test)]
mod tests {
    use super::{
        super::adopt::tests::{event, row},
        *,
    };

    #[test]
    fn a_camera_is_let_go_when_the_last_word_on_it_has_arrived() {
        let node: NodeId = "a".parse().unwrap();
        let own = event("bike", "gate", 3);
        let arrived = |known: &[u32], open: &[OpenIncidentRow], all_sent| {
            let standing: Vec<_> =
                known.iter().map(|sequence| (own.incident_id, *sequence, Phase::Updated)).collect();
            has_arrived(std::slice::from_ref(&own), &standing, open, &node, all_sent)
        };
        assert!(!arrived(&[], &[], true), "its start is on its way from the broker");
        assert!(!arrived(&[2], &[], false), "its latest update is on its way");
        assert!(arrived(&[3], &[row("s", "a", own.clone())], false));
        assert!(arrived(&[100], &[row("s", "b", own.clone())], false), "another has gone on with it");
        let unknown = row("s", "a", event("ended", "gate", 0));
        assert!(!arrived(&[3], std::slice::from_ref(&unknown), false), "an end is on its way");
        assert!(arrived(&[3], &[unknown], true), "nobody will ever end it");
        assert!(arrived(&[3], &[row("s", "b", event("another's", "gate", 0))], false));
    }
}
