//! One page's connection.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures::StreamExt;
use parapet_core::Permission;
use tokio::{sync::broadcast::error::RecvError, time::MissedTickBehavior};
use tokio_stream::{StreamMap, wrappers::WatchStream};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{
    Feeds, Hub,
    feed::{Feed, View},
    text_of,
};
use crate::{
    api::live_shape::{LiveMessage, LiveRequest, WatchedCamera},
    caller::Caller,
    people::People,
    privacy::Sight,
    roster::Roster,
};

/// What a page shows: each camera's size and view, and its frames.
type Watched = HashMap<String, (bool, View, Arc<Feed>)>;

/// Cameras that one page may show at once.
pub(crate) const CAMERAS: usize = 64;
const PING_EVERY: Duration = Duration::from_secs(15);
/// A page that takes longer than this for one message is gone.
const SEND_LIMIT: Duration = Duration::from_secs(20);

/// What a page's connection lives on.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) caller: Caller,
    pub(crate) people: People,
    pub(crate) hub: Hub,
    pub(crate) feeds: Feeds,
    pub(crate) roster: Arc<Roster>,
}

/// Serves one page until it goes, its person may no longer see anything, or `shutdown`.
pub(crate) async fn run(mut socket: WebSocket, hello: LiveMessage, page: Page, shutdown: CancellationToken) {
    let Page { caller, people, hub, feeds, roster } = page;
    let scope = caller.access.scope(Permission::See);
    let mut news = hub.listen();
    let mut watched: Watched = HashMap::new();
    let mut frames = StreamMap::new();
    let mut ping = tokio::time::interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    metrics::gauge!("parapet_center_pages").increment(1.0);
    if let Some(text) = text_of(&hello)
        && !send(&mut socket, Message::Text(as_utf8(&text))).await
    {
        metrics::gauge!("parapet_center_pages").decrement(1.0);
        return;
    }
    loop {
        // News before frames: an alarm must not wait behind pictures.
        let message = tokio::select! {
            biased;
            () = shutdown.cancelled() => {
                let bye = CloseFrame { code: close_code::AWAY, reason: Utf8Bytes::from_static("shutting down") };
                send(&mut socket, Message::Close(Some(bye))).await;
                break;
            }
            heard = news.recv() => match heard {
                Ok(news) if news.about.as_ref().is_none_or(|about| about.is_in(&scope)) => {
                    Message::Text(as_utf8(&news.text))
                }
                Ok(_) => continue,
                Err(RecvError::Lagged(missed)) => {
                    debug!(missed, "a page is behind");
                    match text_of(&LiveMessage::Resync) {
                        Some(text) => Message::Text(as_utf8(&text)),
                        None => continue,
                    }
                }
                Err(RecvError::Closed) => break,
            },
            request = socket.recv() => match request {
                Some(Ok(Message::Text(text))) => {
                    match serde_json::from_str(&text) {
                        Ok(LiveRequest::Watch { cameras }) => {
                            rewatch(cameras, &mut watched, &mut frames, &feeds, &roster, &caller);
                            for (camera, (_, view, _)) in &watched {
                                let told = match view {
                                    View::Blurred => Ok(()),
                                    View::Masked => people.saw(&caller, "camera", camera, "live").await,
                                    View::Unsealed => people.unsealed(&caller, "camera", camera, "live").await,
                                };
                                if let Err(error) = told {
                                    debug!(%error, "cannot put on record who sees a camera");
                                }
                            }
                        }
                        Err(error) => debug!(%error, "a page sent what is no request"),
                    }
                    continue;
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => continue,
            },
            Some((_, frame)) = frames.next(), if !frames.is_empty() => match frame {
                Some(frame) => {
                    metrics::counter!("parapet_center_frames_sent_total").increment(1);
                    Message::Binary(frame)
                }
                None => continue,
            },
            _ = ping.tick() => {
                // People go, and grants change, while a page is open: then it has to come again.
                match people.again(&caller).await {
                    Ok(Some(now)) if now.access == caller.access => {}
                    Ok(Some(_)) => {
                        let reason = Utf8Bytes::from_static("access changed");
                        send(&mut socket, Message::Close(Some(CloseFrame { code: close_code::AWAY, reason }))).await;
                        break;
                    }
                    Ok(None) => {
                        let reason = Utf8Bytes::from_static("signed out");
                        send(&mut socket, Message::Close(Some(CloseFrame { code: close_code::POLICY, reason }))).await;
                        break;
                    }
                    Err(error) => debug!(%error, "cannot ask whether a page may go on"),
                }
                Message::Ping(bytes::Bytes::new())
            }
        };
        if !send(&mut socket, message).await {
            break;
        }
    }
    metrics::gauge!("parapet_center_pages").decrement(1.0);
}

fn as_utf8(text: &Arc<str>) -> Utf8Bytes {
    Utf8Bytes::from(text.as_ref())
}

async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(tokio::time::timeout(SEND_LIMIT, socket.send(message)).await, Ok(Ok(())))
}

/// A camera that is not known is nobody's to watch.
fn may(roster: &Roster, caller: &Caller, permission: Permission, camera: &str) -> bool {
    let place = roster.place_of(camera);
    place.is_some_and(|(site, camera)| caller.access.may(permission, Some(&site), Some(&camera)))
}

/// Which pictures of a camera somebody sees. Who may unseal shares everybody's where nothing is private: what becomes so is
/// hidden from them, too, until they ask again.
fn view_of(roster: &Roster, caller: &Caller, camera: &str) -> View {
    let Some((site, camera)) = roster.place_of(camera) else { return View::Blurred };
    let areas = roster.private_areas(&site, &camera).all();
    match Sight::of(&caller.access, &site, &camera, areas) {
        Sight::Blurred => View::Blurred,
        Sight::Masked(_) | Sight::Clear => View::Masked,
        Sight::Unsealed => View::Unsealed,
    }
}

fn rewatch(
    cameras: Vec<WatchedCamera>,
    watched: &mut Watched,
    frames: &mut StreamMap<String, WatchStream<Option<bytes::Bytes>>>,
    feeds: &Feeds,
    roster: &Roster,
    caller: &Caller,
) {
    let wanted: HashMap<String, bool> = cameras
        .into_iter()
        .filter(|camera| may(roster, caller, Permission::See, &camera.camera))
        .take(CAMERAS)
        .map(|camera| (camera.camera, camera.large))
        .collect();
    let view = |camera: &str| view_of(roster, caller, camera);
    watched.retain(|camera, (large, seen, _)| {
        let stays = wanted.get(camera) == Some(large) && *seen == view(camera);
        if !stays {
            frames.remove(camera);
        }
        stays
    });
    for (camera, large) in wanted {
        watched.entry(camera.clone()).or_insert_with(|| {
            let view = view(&camera);
            let feed = feeds.watch(&camera, large, view);
            // The newest frame, if there is one, comes at once.
            frames.insert(camera, WatchStream::new(feed.newest()));
            (large, view, feed)
        });
    }
}
