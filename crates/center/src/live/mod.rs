//! The live feed: one WebSocket per page, over which go news of incidents, cameras and nodes, and the frames of the
//! cameras that the page shows. A slow page misses frames, never news: when it falls behind it is told to read anew.

mod feed;
mod session;

use std::sync::Arc;

use tokio::sync::broadcast;
use tracing::error;

use crate::{
    api::live_shape::{About, LiveMessage},
    node::NodeClient,
    roster::Roster,
};

pub(crate) use feed::Feeds;
pub(crate) use session::{Page, run as run_session};

/// News that a page may be behind before it has to read anew.
const BEHIND: usize = 512;

/// A message as it is sent, and what it is about.
#[derive(Debug, Clone)]
pub(crate) struct News {
    pub(crate) text: Arc<str>,
    pub(crate) about: Option<Arc<About>>,
}

/// Tells news to all pages. Cloning gives the same hub.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    news: broadcast::Sender<News>,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self { news: broadcast::channel(BEHIND).0 }
    }

    pub(crate) fn has_listeners(&self) -> bool {
        self.news.receiver_count() > 0
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Tells every page whose person may know; without pages it costs nothing.
    pub(crate) fn tell(&self, message: &LiveMessage) {
        if !self.has_listeners() {
            return;
        }
        if let Some(text) = text_of(message) {
            // An error means that the last page has just gone.
            drop(self.news.send(News { text, about: message.about().map(Arc::new) }));
        }
    }
}

pub(crate) fn text_of(message: &LiveMessage) -> Option<Arc<str>> {
    match serde_json::to_string(message) {
        Ok(text) => Some(text.into()),
        Err(error) => {
            error!(%error, "cannot write a message of the live feed");
            None
        }
    }
}

/// Makes the feeds of a center.
pub(crate) fn feeds(roster: Arc<Roster>, client: NodeClient) -> Feeds {
    Feeds::new(roster, client)
}
