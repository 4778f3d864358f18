//! Who turns a dome: nobody, or a thread that speaks ONVIF with it. Orders are left and answers are read; neither waits.

use std::{
    io,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use parapet_core::{CameraId, Clock};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{
    config::OnvifConfig,
    onvif::{OnvifClient, OnvifError},
};

/// Time between two questions after the dome's state.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// The same while the dome does not answer.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Turns a dome.
pub(crate) trait DomeControl: Send {
    /// Asks the dome to go to the preset with this token of its own. Returns at once.
    fn go_to(&mut self, token: &str);

    /// What is known of the dome by now.
    fn told(&self) -> Told;
}

/// What a dome last said of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Whether it moves; `None` where it does not say.
    pub(crate) moving: Option<bool>,
    /// Why it cannot be told anything.
    pub(crate) trouble: Option<String>,
}

/// A dome whose patrol is its own.
#[derive(Debug)]
pub(crate) struct Unled;

impl DomeControl for Unled {
    fn go_to(&mut self, token: &str) {
        debug!(token, "nobody leads this dome");
    }

    fn told(&self) -> Told {
        Told::default()
    }
}

/// A dome that is told over ONVIF, by a thread of its own.
pub(crate) struct OnvifControl {
    /// Closed first: the thread ends then, and does not wait for an answer.
    orders: Option<Sender<String>>,
    stop: CancellationToken,
    told: Arc<Mutex<Told>>,
    thread: Option<JoinHandle<()>>,
}

impl OnvifControl {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(camera: &CameraId, config: &OnvifConfig, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (orders, inbox) = channel();
        let told = Arc::new(Mutex::new(Told::default()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = CancellationToken::new();
        let worker = Worker {
            camera: camera.clone(),
            config: config.clone(),
            clock,
            told: told.clone(),
            runtime,
            stop: stop.clone(),
            client: None,
        };
        let thread = std::thread::Builder::new()
            .name(format!("dome:{}", worker.camera))
            .spawn(move || worker.run(&inbox))?;
        Ok(Self { orders: Some(orders), stop, told, thread: Some(thread) })
    }
}

impl DomeControl for OnvifControl {
    fn go_to(&mut self, token: &str) {
        // What the dome said before the order no longer holds.
        self.told.lock().expect("no panic while it is held").moving = None;
        if let Some(orders) = &self.orders {
            // The thread lives as long as the channel.
            let _ = orders.send(token.to_owned());
        }
    }

    fn told(&self) -> Told {
        self.told.lock().expect("no panic while it is held").clone()
    }
}

impl Drop for OnvifControl {
    fn drop(&mut self) {
        drop(self.orders.take());
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            warn!("the thread of a dome had panicked");
        }
    }
}

struct Worker {
    camera: CameraId,
    config: OnvifConfig,
    clock: Arc<dyn Clock>,
    told: Arc<Mutex<Told>>,
    runtime: Runtime,
    stop: CancellationToken,
    client: Option<OnvifClient>,
}

impl Worker {
    fn run(mut self, inbox: &Receiver<String>) {
        let mut wait = Duration::ZERO;
        loop {
            let order = match inbox.recv_timeout(wait) {
                // Of several orders only the latest counts.
                Ok(order) => Some(inbox.try_iter().last().unwrap_or(order)),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let Some(answer) = self.talk(order.as_deref()) else { return };
            let mut told = self.told.lock().expect("no panic while it is held");
            match answer {
                Ok(moving) => {
                    *told = Told { moving, trouble: None };
                    wait = ASK_EVERY;
                }
                Err(error) => {
                    let why = crate::node::chain(&error);
                    if told.trouble.as_ref() != Some(&why) {
                        warn!(camera = %self.camera, why, "cannot talk with the dome");
                    }
                    *told = Told { moving: None, trouble: Some(why) };
                    // The next attempt begins anew: the dome may have another address or clock by then.
                    self.client = None;
                    wait = ASK_AGAIN;
                }
            }
        }
    }

    /// Gives the order, or asks whether the dome moves; `None` if there is no more time for it.
    fn talk(&mut self, order: Option<&str>) -> Option<Result<Option<bool>, OnvifError>> {
        let (config, clock) = (&self.config, &self.clock);
        let client = &mut self.client;
        let talk = async {
            let connected = match client.take() {
                Some(connected) => connected,
                None => OnvifClient::connect(config, clock.clone()).await?,
            };
            let client = client.insert(connected);
            let Some(token) = order else { return Ok(client.status().await?.moving) };
            client.go_to(token).await?;
            // It may not have begun to move yet.
            Ok(None)
        };
        self.runtime.block_on(self.stop.run_until_cancelled(talk))
    }
}
