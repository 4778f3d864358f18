//! Frames of one camera in one size, from its node to all pages that show it: one connection however many watch, none
//! while nobody does.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use futures::StreamExt;
use tokio::{net::TcpStream, sync::watch};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tracing::{Instrument, debug, info_span};

use crate::{
    api::live_shape::FrameHeader,
    node::{NodeClient, join},
    privacy::{Sight, seen},
    roster::Roster,
};

/// The newest frame as a whole binary message; `None` before the first.
pub(crate) type Newest = watch::Receiver<Option<Bytes>>;

const SMALL: (u32, u32) = (640, 8);
const LARGE: (u32, u32) = (1600, 15);
/// A frame is never larger.
const FRAME_BYTES: usize = 16 << 20;
/// A node that sends nothing for so long, not even a ping, is asked anew.
const SILENCE: Duration = Duration::from_secs(30);
const FIRST_WAIT: Duration = Duration::from_millis(300);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    camera: String,
    large: bool,
    view: View,
}

/// Which pictures a feed shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum View {
    /// A mosaic.
    Blurred,
    /// Clear but for what is private, as long as there is any.
    Masked,
    /// As they come.
    Unsealed,
}

/// One camera's frames in one size; the connection ends when the last holder drops it.
#[derive(Debug)]
pub(crate) struct Feed {
    newest: Newest,
    _running: DropGuard,
}

impl Feed {
    pub(crate) fn newest(&self) -> Newest {
        self.newest.clone()
    }
}

/// All feeds that somebody watches.
#[derive(Debug, Clone)]
pub(crate) struct Feeds(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    roster: Arc<Roster>,
    client: NodeClient,
    running: Mutex<HashMap<Key, Weak<Feed>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Feeds {
    pub(crate) fn new(roster: Arc<Roster>, client: NodeClient) -> Self {
        Self(Arc::new(Inner {
            roster,
            client,
            running: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }))
    }

    /// Frames of a camera; begins to fetch them if nobody else does.
    pub(crate) fn watch(&self, camera: &str, large: bool, view: View) -> Arc<Feed> {
        let key = Key { camera: camera.to_owned(), large, view };
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = running.get(&key).and_then(Weak::upgrade) {
            return feed;
        }
        running.retain(|_, feed| feed.strong_count() > 0);
        let stop = self.0.stop.child_token();
        let (sender, newest) = watch::channel(None);
        let feed = Arc::new(Feed { newest, _running: stop.clone().drop_guard() });
        running.insert(key.clone(), Arc::downgrade(&feed));
        let span = info_span!("feed", camera = key.camera, large);
        let inner = Arc::clone(&self.0);
        self.0.tasks.spawn(
            async move {
                stop.run_until_cancelled(Box::pin(fetch(&inner.roster, &inner.client, &key, &sender))).await
            }
            .instrument(span),
        );
        feed
    }

    /// Ends all connections and waits for their tasks.
    pub(crate) async fn close(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

/// Reads frames, again and again, until it is dropped.
async fn fetch(roster: &Roster, client: &NodeClient, key: &Key, newest: &watch::Sender<Option<Bytes>>) {
    let mut wait = FIRST_WAIT;
    loop {
        let outcome = match roster.url_of_camera(&key.camera) {
            Some(base) => read(&base, roster, client, key, newest).await,
            None => Err(FeedError::NoNode),
        };
        match outcome {
            Ok(()) => wait = FIRST_WAIT,
            Err(error) => {
                metrics::counter!("parapet_center_feed_failures_total").increment(1);
                debug!(%error, ?wait, "no frames from the node");
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error("the camera's node is not known")]
    NoNode,
    #[error(transparent)]
    Address(#[from] crate::node::NodeError),
    #[error("the connection to the node failed: {0}")]
    Socket(#[from] Box<tungstenite::Error>),
    #[error("the node sent nothing for {0:?}")]
    Silent(Duration),
    #[error("the node sent a frame that cannot be read: {0}")]
    Frame(#[from] serde_json::Error),
}

/// One connection: `Ok` when the node closed it after at least one frame.
async fn read(
    base: &str,
    roster: &Roster,
    client: &NodeClient,
    key: &Key,
    newest: &watch::Sender<Option<Bytes>>,
) -> Result<(), FeedError> {
    let mut socket = connect(base, client, key).await?;
    let mut header: Option<FrameHeader> = None;
    loop {
        let message = match tokio::time::timeout(SILENCE, socket.next()).await {
            Err(_) => return Err(FeedError::Silent(SILENCE)),
            Ok(None) => return Ok(()),
            Ok(Some(message)) => message.map_err(Box::new)?,
        };
        match message {
            Message::Text(text) => header = Some(serde_json::from_str(&text)?),
            Message::Binary(jpeg) => {
                // A picture without its overlay, or one of another camera, would be drawn wrong.
                let Some(header) = header.take().filter(|header| header.camera == key.camera) else {
                    continue;
                };
                let known = header.tracks.iter().filter(|track| hides(&track.label));
                let known = known.map(|track| track.bbox).collect();
                let Some(sight) = sight(roster, key, header.preset.as_deref()) else { continue };
                let Some(jpeg) = seen(jpeg, sight, known).await else { continue };
                newest.send_replace(Some(pack(&header, &jpeg)?));
            }
            Message::Close(_) => return Ok(()),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}

/// How a frame is shown: asked anew for each, for what is private can change. `None`: the camera has gone.
fn sight(roster: &Roster, key: &Key, preset: Option<&str>) -> Option<Sight> {
    let (site, camera) = roster.place_of(&key.camera)?;
    Some(match key.view {
        View::Blurred => Sight::Blurred,
        View::Unsealed => Sight::Unsealed,
        View::Masked => {
            let preset = preset.and_then(|preset| preset.parse().ok());
            match roster.private_areas(&site, &camera).of(preset.as_ref()) {
                areas if areas.is_empty() => Sight::Clear,
                areas => Sight::Masked(areas),
            }
        }
    })
}

/// Whether a class has faces or number plates.
fn hides(label: &str) -> bool {
    matches!(label, "person" | "car" | "truck" | "bus" | "motorcycle" | "e_bike" | "ebike")
}

async fn connect(
    base: &str,
    client: &NodeClient,
    key: &Key,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, FeedError> {
    let mut url = join(base, &["cameras", &key.camera, "stream"])?;
    let (width, fps) = if key.large { LARGE } else { SMALL };
    url.set_query(Some(&format!("max_width={width}&max_fps={fps}")));
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    if url.set_scheme(scheme).is_err() {
        return Err(crate::node::NodeError::Address(base.to_owned()).into());
    }
    let mut request = url.as_str().into_client_request().map_err(Box::new)?;
    if let Some(authorization) = client.authorization()
        && let Ok(value) = HeaderValue::from_str(&authorization)
    {
        request.headers_mut().insert("authorization", value);
    }
    let limits =
        WebSocketConfig::default().max_message_size(Some(FRAME_BYTES)).max_frame_size(Some(FRAME_BYTES));
    let connecting = connect_async_with_config(request, Some(limits), true);
    let connected = tokio::time::timeout(Duration::from_secs(5), connecting).await;
    let (socket, _) = connected.map_err(|_| FeedError::Silent(Duration::from_secs(5)))?.map_err(Box::new)?;
    Ok(socket)
}

/// A frame as pages get it: length of the header, header, JPEG.
fn pack(header: &FrameHeader, jpeg: &[u8]) -> Result<Bytes, serde_json::Error> {
    let header = serde_json::to_vec(header)?;
    let mut message = BytesMut::with_capacity(4 + header.len() + jpeg.len());
    message.put_u32(header.len() as u32);
    message.put_slice(&header);
    message.put_slice(jpeg);
    Ok(message.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_carries_its_overlay_before_its_picture() {
        let header: FrameHeader = serde_json::from_str(
            r#"{"camera":"gate","sequence":3,"captured_at":"2026-11-22T00:00:00Z","width":640,"height":360,
                "unknown":1,"tracks":[{"id":1,"label":"dog","state":"confirmed","score":0.5,"bbox":[0,0,1,1]}]}"#,
        )
        .unwrap();
        let message = pack(&header, b"JPEG").unwrap();
        let length = u32::from_be_bytes(message[..4].try_into().unwrap()) as usize;
        let back: FrameHeader = serde_json::from_slice(&message[4..4 + length]).unwrap();
        assert_eq!(back, header);
        assert_eq!(&message[4 + length..], b"JPEG");
    }
}
