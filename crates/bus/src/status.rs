//! States of which only the latest matters: kept here, published as retained messages, and published again to a broker
//! that may have forgotten them. They need no outbox.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::Notify;

use crate::wire::{Message, NodeStatus};

/// The present states of a node and its cameras. Cloning shares them.
#[derive(Debug, Clone)]
pub struct StatusBoard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    board: Mutex<Board>,
    changed: Notify,
}

#[derive(Debug)]
struct Board {
    node: NodeStatus,
    /// By topic: payload and number of the change that made it.
    states: BTreeMap<String, (Vec<u8>, u64)>,
    changes: u64,
}

impl StatusBoard {
    pub(crate) fn new(node: NodeStatus) -> Self {
        let board = Board { node: node.clone(), states: BTreeMap::new(), changes: 0 };
        let this = Self(Arc::new(Inner { board: Mutex::new(board), changed: Notify::new() }));
        this.set(&Message::NodeStatus(node));
        this
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.board.lock().expect("nothing panics while the board is held")
    }

    /// Replaces the state that stood under the message's topic. Messages that are not retained belong into the outbox
    /// and are refused by an assertion in debug builds.
    pub fn set(&self, message: &Message) {
        debug_assert!(message.retained(), "only states belong on the board: {message:?}");
        let mut board = self.board();
        if let Message::NodeStatus(node) = message {
            board.node = node.clone();
        }
        let (topic, payload) = (message.topic(), message.encode());
        if board.states.get(&topic).is_none_or(|(known, _)| *known != payload) {
            board.changes += 1;
            let change = board.changes;
            board.states.insert(topic, (payload, change));
            drop(board);
            self.0.changed.notify_one();
        }
    }

    /// The node's state as it is to be when nobody is there to say it.
    pub(crate) fn last_will(&self) -> NodeStatus {
        NodeStatus { online: false, ..self.board().node.clone() }
    }

    /// Topic, payload and change of every state that is newer than what `published` knows.
    pub(crate) fn unpublished(&self, published: &BTreeMap<String, u64>) -> Vec<(String, Vec<u8>, u64)> {
        let board = self.board();
        let newer = board.states.iter().filter(|(topic, (_, change))| published.get(*topic) != Some(change));
        newer.map(|(topic, (payload, change))| (topic.clone(), payload.clone(), *change)).collect()
    }

    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }
}
