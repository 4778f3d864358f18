//! What the center knows about cameras and nodes at this moment: the store's rows, joined with what the nodes say about
//! zones and rules. In memory, because every tile of every page asks for it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{PoisonError, RwLock},
};

use parapet_bus::wire;
use parapet_core::{CameraHealth, CameraId, NodeId, PrivateAreas, Scope, SiteId, Timestamp};
use parapet_store::{CameraRow, NodeRow};

use crate::{
    api::shape::{Camera, CameraRule, CameraZone, Node},
    node::CameraView,
};

/// A node is named within its site.
pub(crate) type NodeKey = (String, String);

#[derive(Debug, Default)]
pub(crate) struct Roster(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    cameras: BTreeMap<String, Known>,
    nodes: BTreeMap<NodeKey, NodeRow>,
    /// What is private, by site and camera; also of cameras that were taken out, whose evidence is still here.
    private: BTreeMap<(String, String), Private>,
}

#[derive(Debug)]
struct Private {
    node: NodeId,
    at: Timestamp,
    removed: bool,
    areas: PrivateAreas,
}

#[derive(Debug)]
struct Known {
    row: CameraRow,
    health: Option<CameraHealth>,
    zones: Vec<CameraZone>,
    rules: Vec<CameraRule>,
}

impl Roster {
    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes in what is private in the pictures of a camera. One that moved to another node has left what was said of it at
    /// the first; one that is gone keeps it.
    pub(crate) fn put_private(&self, row: &CameraRow) {
        self.write(|state| {
            let key = (row.site.to_string(), row.camera.to_string());
            let said = Private {
                node: row.node.clone(),
                at: row.at,
                removed: row.removed,
                areas: row.private.clone(),
            };
            match state.private.get_mut(&key) {
                Some(known) if known.node == said.node || !known.is_better_than(&said) => *known = said,
                Some(_) => {}
                None => drop(state.private.insert(key, said)),
            }
        });
    }

    /// What is private in the pictures of a camera.
    pub(crate) fn private_areas(&self, site: &SiteId, camera: &CameraId) -> PrivateAreas {
        self.read(|state| {
            let known = state.private.get(&(site.to_string(), camera.to_string()));
            known.map(|known| known.areas.clone()).unwrap_or_default()
        })
    }

    /// Takes in a camera's row, unless a better one is known; `None` if nothing changed for a page. Of two nodes that tell
    /// of one camera, the one that is connected counts, and then the one that spoke later: a node that died has left what
    /// it said last on the bus.
    pub(crate) fn put_camera(&self, row: CameraRow) -> Option<Camera> {
        self.write(|state| {
            let id = row.camera.as_str().to_owned();
            let before = state.camera(&id);
            let is_online = |row: &CameraRow| {
                state.nodes.get(&(row.site.to_string(), row.node.to_string())).is_some_and(|node| node.online)
            };
            let rank =
                |row: &CameraRow, other: &CameraRow| (row.node == other.node || is_online(row), row.at);
            if let Some(Known { row: known, .. }) = state.cameras.get(&id)
                && rank(known, &row) > rank(&row, known)
            {
                return None;
            }
            if let Some(known) = state.cameras.get_mut(&id) {
                known.row = row;
            } else {
                let known = Known { row, health: None, zones: Vec::new(), rules: Vec::new() };
                state.cameras.insert(id.clone(), known);
            }
            let after = state.camera(&id);
            if before == after { None } else { after }
        })
    }

    /// Forgets a camera, unless another node has it by now; whether it was known.
    pub(crate) fn remove_camera(&self, gone: &CameraRow) -> bool {
        self.write(|state| {
            let is_it = |known: &Known| (&known.row.site, &known.row.node) == (&gone.site, &gone.node);
            state.cameras.get(gone.camera.as_str()).is_some_and(is_it)
                && state.cameras.remove(gone.camera.as_str()).is_some()
        })
    }

    /// Takes in what led to a camera's state; `None` if the camera is not known yet or nothing changed.
    pub(crate) fn put_health(&self, health: &CameraHealth) -> Option<Camera> {
        self.write(|state| {
            let id = health.camera.as_str();
            let before = state.camera(id)?;
            let known = state.cameras.get_mut(id)?;
            if known.health.as_ref().is_none_or(|old| old.at <= health.at) {
                known.health = Some(health.clone());
                if known.row.at <= health.at {
                    known.row.at = health.at;
                    known.row.state = health.state;
                    known.row.reconnects = health.reconnects;
                    known.row.detail.clone_from(&health.detail);
                }
            }
            state.camera(id).filter(|after| *after != before)
        })
    }

    /// Takes in a node's row; gives the node and every camera whose picture it changes.
    pub(crate) fn put_node(&self, row: NodeRow) -> (Node, Vec<Camera>) {
        self.write(|state| {
            let key = (row.site.to_string(), row.node.to_string());
            let before = state.nodes.insert(key.clone(), row).map(|old| old.online);
            let now = state.nodes[&key].online;
            let cameras = if before == Some(now) {
                Vec::new()
            } else {
                state
                    .cameras
                    .keys()
                    .filter(|id| state.key_of(id).as_ref() == Some(&key))
                    .filter_map(|id| state.camera(id))
                    .collect()
            };
            (node(&state.nodes[&key]), cameras)
        })
    }

    /// Takes in what a node says about its cameras; gives those that it changes.
    pub(crate) fn put_views(&self, key: &NodeKey, views: Vec<CameraView>) -> Vec<Camera> {
        self.write(|state| {
            let mut changed = Vec::new();
            for view in views {
                if state.key_of(&view.camera).as_ref() != Some(key) {
                    continue;
                }
                let before = state.camera(&view.camera);
                if let Some(known) = state.cameras.get_mut(&view.camera) {
                    known.zones = view.zones;
                    known.rules = view.rules;
                }
                let after = state.camera(&view.camera);
                if before != after {
                    changed.extend(after);
                }
            }
            changed
        })
    }

    /// The cameras that are in the scope.
    pub(crate) fn cameras(&self, scope: &Scope) -> Vec<Camera> {
        self.read(|state| {
            let within = |row: &CameraRow| scope.contains(Some(row.site.as_str()), Some(row.camera.as_str()));
            let cameras = state.cameras.iter().filter(|(_, known)| within(&known.row));
            cameras.filter_map(|(id, _)| state.camera(id)).collect()
        })
    }

    /// Site and name of a camera, if it is known.
    pub(crate) fn place_of(&self, id: &str) -> Option<(SiteId, CameraId)> {
        self.read(|state| {
            state.cameras.get(id).map(|known| (known.row.site.clone(), known.row.camera.clone()))
        })
    }

    /// The nodes that have anything in the scope, each with those of its cameras that are.
    pub(crate) fn nodes(&self, scope: &Scope) -> Vec<Node> {
        let within = |row: &NodeRow| {
            let mut node = node(row);
            if scope.contains(Some(row.site.as_str()), None) {
                return Some(node);
            }
            node.cameras.retain(|camera| scope.contains(Some(row.site.as_str()), Some(camera)));
            (!node.cameras.is_empty()).then_some(node)
        };
        self.read(|state| state.nodes.values().filter_map(within).collect())
    }

    /// HTTP address of the node that runs a camera.
    pub(crate) fn url_of_camera(&self, id: &str) -> Option<String> {
        self.read(|state| state.nodes.get(&state.key_of(id)?)?.base_url.clone())
    }

    /// HTTP address of a node, if it has said one; `None` if there is no such node.
    #[expect(clippy::option_option, reason = "a node that is not there is not one without an address")]
    pub(crate) fn url_of_node(&self, site: &str, node: &str) -> Option<Option<String>> {
        self.read(|state| Some(state.nodes.get(&(site.to_owned(), node.to_owned()))?.base_url.clone()))
    }

    /// HTTP addresses of all nodes that are connected.
    pub(crate) fn urls(&self) -> HashMap<NodeKey, String> {
        self.read(|state| {
            let online = state.nodes.iter().filter(|(_, row)| row.online);
            online.filter_map(|(key, row)| Some((key.clone(), row.base_url.clone()?))).collect()
        })
    }
}

impl Private {
    /// Whether it counts rather than what another node says.
    fn is_better_than(&self, other: &Self) -> bool {
        (!self.removed, self.at) > (!other.removed, other.at)
    }
}

impl State {
    fn key_of(&self, camera: &str) -> Option<NodeKey> {
        let row = &self.cameras.get(camera)?.row;
        Some((row.site.to_string(), row.node.to_string()))
    }

    fn camera(&self, id: &str) -> Option<Camera> {
        let Known { row, health, zones, rules } = self.cameras.get(id)?;
        let node = self.nodes.get(&self.key_of(id)?);
        Some(Camera {
            camera: row.camera.to_string(),
            site: row.site.to_string(),
            node: row.node.to_string(),
            name: row.name.clone(),
            state: row.state.into(),
            // What led to another state than the present one explains nothing.
            event: health
                .as_ref()
                .filter(|health| health.state == row.state)
                .map(|health| health.event.into()),
            at: row.at,
            reconnects: row.reconnects,
            detail: row.detail.clone(),
            node_online: node.is_some_and(|node| node.online),
            width: row.width,
            height: row.height,
            // One decimal: the measured rate flutters, and each change is news for every page.
            analysed_fps: row.analysed_fps.map(|fps| (fps * 10.0).round() / 10.0),
            synthetic: row.synthetic,
            private: !row.private.is_empty(),
            zones: zones.clone(),
            rules: rules.clone(),
        })
    }
}

fn node(row: &NodeRow) -> Node {
    Node {
        node: row.node.to_string(),
        site: row.site.to_string(),
        online: row.online,
        at: row.at,
        started_at: row.started_at,
        version: row.version.clone(),
        cameras: row.cameras.iter().map(ToString::to_string).collect(),
    }
}

/// A camera's row out of its status on the bus.
pub(crate) fn camera_row(status: &wire::CameraStatus) -> CameraRow {
    CameraRow {
        site: status.site.clone(),
        node: status.node.clone(),
        camera: status.camera.clone(),
        name: status.name.clone(),
        state: status.state,
        at: status.at,
        run: status.run,
        reconnects: status.reconnects,
        detail: status.detail.clone(),
        analysed_fps: status.analysed_fps,
        width: status.width,
        height: status.height,
        synthetic: status.synthetic,
        removed: status.removed,
        private: status.private.clone(),
    }
}

/// A node's row out of its status on the bus.
pub(crate) fn node_row(status: &wire::NodeStatus) -> NodeRow {
    NodeRow {
        site: status.site.clone(),
        node: status.node.clone(),
        online: status.online,
        at: status.at,
        started_at: status.started_at,
        version: status.version.clone(),
        base_url: status.base_url.clone(),
        cameras: status.cameras.clone(),
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::{BBox, HealthEvent, HealthState, Polygon, PrivateView};

    use super::*;

    fn row(state: HealthState, at: &str) -> CameraRow {
        CameraRow {
            site: "demo".parse().unwrap(),
            node: "n1".parse().unwrap(),
            camera: "gate".parse().unwrap(),
            name: None,
            state,
            at: at.parse().unwrap(),
            run: None,
            reconnects: 0,
            detail: Some("connection refused".to_owned()),
            analysed_fps: Some(4.96),
            width: None,
            height: None,
            synthetic: false,
            removed: false,
            private: PrivateAreas::default(),
        }
    }

    fn node_is(online: bool) -> NodeRow {
        NodeRow {
            site: "demo".parse().unwrap(),
            node: "n1".parse().unwrap(),
            online,
            at: "2026-11-22T00:00:00Z".parse().unwrap(),
            started_at: "2026-11-22T00:00:00Z".parse().unwrap(),
            version: "0.1.0".to_owned(),
            base_url: Some("http://127.0.0.1:8091/".to_owned()),
            cameras: vec!["gate".parse().unwrap()],
        }
    }

    #[test]
    fn an_old_status_does_not_overwrite_a_newer_one() {
        let roster = Roster::default();
        assert!(roster.put_camera(row(HealthState::Offline, "2026-11-22T00:00:09Z")).is_some());
        assert!(roster.put_camera(row(HealthState::Streaming, "2026-11-22T00:00:05Z")).is_none());
        assert_eq!(roster.cameras(&Scope::All)[0].detail.as_deref(), Some("connection refused"));
        assert!(
            roster.put_camera(row(HealthState::Offline, "2026-11-22T00:00:09Z")).is_none(),
            "nothing new"
        );
    }

    #[test]
    fn a_camera_that_another_node_has_taken_over_is_shown_once_and_as_that_one_tells_it() {
        let roster = Roster::default();
        let of =
            |node: &str, at| CameraRow { node: node.parse().unwrap(), ..row(HealthState::Streaming, at) };
        let speaks = |name: &str, online| {
            let id = name.parse().unwrap();
            roster.put_node(NodeRow { node: id, ..node_is(online) });
        };
        let shown = || {
            let cameras = roster.cameras(&Scope::All);
            cameras.iter().map(|camera| (camera.node.clone(), camera.node_online)).collect::<Vec<_>>()
        };
        speaks("n1", true);
        speaks("n2", true);
        roster.put_camera(of("n1", "2026-11-22T00:00:05Z"));
        // The first node dies; the clock of the second is behind.
        speaks("n1", false);
        assert_eq!(shown(), [("n1".to_owned(), false)]);
        roster.put_camera(of("n2", "2026-11-22T00:00:03Z"));
        assert_eq!(shown(), [("n2".to_owned(), true)]);
        // The bus keeps what the dead one said last, and repeats it.
        assert!(roster.put_camera(of("n1", "2026-11-22T00:00:05Z")).is_none());
        // It comes back without the camera, and says so.
        speaks("n1", true);
        assert!(!roster.remove_camera(&of("n1", "2026-11-22T00:00:09Z")));
        assert_eq!(shown(), [("n2".to_owned(), true)]);
        // Given back: the one lets go, the other speaks.
        assert!(roster.remove_camera(&of("n2", "2026-11-22T00:00:10Z")));
        roster.put_camera(of("n1", "2026-11-22T00:00:11Z"));
        assert_eq!(shown(), [("n1".to_owned(), true)]);
    }

    #[test]
    fn a_node_that_goes_takes_its_cameras_word_with_it() {
        let roster = Roster::default();
        roster.put_camera(row(HealthState::Streaming, "2026-11-22T00:00:05Z"));
        assert!(!roster.cameras(&Scope::All)[0].node_online);
        assert!(roster.put_node(node_is(true)).1[0].node_online);
        assert!(roster.put_node(node_is(true)).1.is_empty(), "nothing new");
        assert!(!roster.put_node(node_is(false)).1[0].node_online);
        assert_eq!(roster.url_of_camera("gate").as_deref(), Some("http://127.0.0.1:8091/"));
        assert!(roster.urls().is_empty(), "a node that is gone is not asked");
    }

    #[test]
    fn the_event_is_shown_only_while_it_explains_the_state() {
        let roster = Roster::default();
        roster.put_camera(row(HealthState::Streaming, "2026-11-22T00:00:05Z"));
        let health = CameraHealth {
            camera: "gate".parse().unwrap(),
            state: HealthState::Frozen,
            event: HealthEvent::Froze,
            at: "2026-11-22T00:00:06Z".parse().unwrap(),
            run: None,
            reconnects: 2,
            detail: None,
        };
        let camera = roster.put_health(&health).unwrap();
        assert_eq!((camera.event, camera.reconnects), (Some(crate::api::shape::HealthEvent::Froze), 2));
        let camera = roster.put_camera(row(HealthState::Streaming, "2026-11-22T00:00:07Z")).unwrap();
        assert_eq!(camera.event, None);
    }

    #[test]
    fn what_is_private_stays_so_when_the_camera_is_gone_and_moves_with_it() {
        let roster = Roster::default();
        let area = |edge: f32| {
            let polygon = Polygon::from_bbox(BBox::new(0.0, 0.0, edge, edge).unwrap()).unwrap();
            PrivateAreas::new(vec![PrivateView { preset: None, areas: vec![polygon] }])
        };
        let says = |node: &str, second: u32, removed, private: PrivateAreas| {
            let at = format!("2026-11-22T00:00:{second:02}Z");
            let row = row(HealthState::Streaming, &at);
            roster.put_private(&CameraRow { node: node.parse().unwrap(), removed, private, ..row });
            roster.private_areas(&"demo".parse().unwrap(), &"gate".parse().unwrap())
        };
        assert_eq!(says("n1", 1, false, area(0.5)), area(0.5));
        assert_eq!(says("n1", 2, true, area(0.5)), area(0.5), "its evidence is still here");
        assert_eq!(says("n2", 1, false, area(0.2)), area(0.2), "another node has it now");
        assert_eq!(says("n1", 3, true, area(0.5)), area(0.2));
        assert_eq!(says("n2", 4, false, PrivateAreas::default()), PrivateAreas::default(), "not any more");
        assert!(roster.private_areas(&"hill".parse().unwrap(), &"gate".parse().unwrap()).is_empty());
    }
}
