//! Where messages go: `parapet/v1/{site}/{node}/…`. Names are slugs, so they need no escaping in a topic.

use parapet_core::{BuildingId, CameraId, DepartmentId, NodeId, SiteId};

/// The addresses of the contract; `asyncapi.yaml` documents the same ones.
#[derive(Debug, Clone, Copy)]
pub struct Topics;

impl Topics {
    /// What an incident's start, update and end are published to.
    pub fn incident(site: &SiteId, node: &NodeId, camera: &CameraId) -> String {
        format!("parapet/v1/{site}/{node}/incidents/{camera}")
    }

    /// What the index of an incident's files is published to.
    pub fn evidence(site: &SiteId, node: &NodeId, camera: &CameraId) -> String {
        format!("parapet/v1/{site}/{node}/evidence/{camera}")
    }

    /// What changes in a camera's health are published to.
    pub fn health(site: &SiteId, node: &NodeId, camera: &CameraId) -> String {
        format!("parapet/v1/{site}/{node}/health/{camera}")
    }

    /// Where a camera's present state is retained.
    pub fn camera_status(site: &SiteId, node: &NodeId, camera: &CameraId) -> String {
        format!("parapet/v1/{site}/{node}/cameras/{camera}/status")
    }

    /// Where a node's present state is retained; its last will goes here too.
    pub fn node_status(site: &SiteId, node: &NodeId) -> String {
        format!("parapet/v1/{site}/{node}/status")
    }

    /// Where what surveys told of a roof is retained.
    pub fn roof(site: &SiteId, node: &NodeId, building: &BuildingId) -> String {
        format!("parapet/v1/{site}/{node}/roofs/{building}")
    }

    /// Where a center publishes a hand-over order to a department.
    pub fn order(site: &SiteId, department: &DepartmentId) -> String {
        format!("parapet/v1/{site}/center/orders/{department}")
    }

    /// Where a center asks all nodes to send again what it may have missed. Retained.
    pub const RESYNC: &str = "parapet/v1/resync";

    /// Filters for the messages that may not be lost; to be subscribed with `QoS` 1.
    pub fn event_filters() -> [&'static str; 3] {
        ["parapet/v1/+/+/incidents/+", "parapet/v1/+/+/evidence/+", "parapet/v1/+/+/health/+"]
    }

    /// Filters for the retained states, of which only the latest matters; to be subscribed with `QoS` 0.
    pub fn status_filters() -> [&'static str; 3] {
        ["parapet/v1/+/+/cameras/+/status", "parapet/v1/+/+/status", "parapet/v1/+/+/roofs/+"]
    }

    /// All filters.
    pub fn all_filters() -> [&'static str; 6] {
        let [a, b, c] = Self::event_filters();
        let [d, e, f] = Self::status_filters();
        [a, b, c, d, e, f]
    }
}
