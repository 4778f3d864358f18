//! RTSP cameras made out of files, on this machine only: for the demo, for trying things out and for tests.
//!
//! Each file plays round and round without a seam, whether someone watches or not; nothing is sent, and no thread runs,
//! for a camera that nobody watches. Not for real cameras' streams: it keeps whole files in memory, each once.

mod feeder;
mod tape;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use gstreamer::{self as gst, glib};
use gstreamer_app::AppSrc;
use gstreamer_rtsp_server::{
    RTSP_PERM_MEDIA_FACTORY_ACCESS, RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, RTSP_TOKEN_MEDIA_FACTORY_ROLE,
    RTSPAuth, RTSPFilterResult, RTSPMediaFactory, RTSPServer, RTSPToken, gst_rtsp::RTSPAuthMethod,
    prelude::*,
};
use parapet_core::{CameraId, SystemClock};

pub use self::feeder::Fault;
use self::{feeder::Feeder, tape::Tape};
use crate::{
    codec::Codec,
    error::{ClipError, OpenError},
};

/// A file that is served as a camera.
#[derive(Debug, Clone)]
pub struct ServedCamera {
    /// Its path on the server, after the slash.
    pub name: CameraId,
    /// A video in any format; what is neither H.264 nor H.265 is encoded once.
    pub file: PathBuf,
}

/// How cameras are served.
#[derive(Clone)]
pub struct ServeOptions {
    /// Port on 127.0.0.1; 0 for any that is free.
    pub port: u16,
    /// User and password that a client must give.
    pub credentials: Option<(String, String)>,
    /// Folder for what had to be encoded.
    pub cache: PathBuf,
    /// Cameras of one file show different moments of it, and send their keyframes at different times, as real cameras do;
    /// otherwise each shows the same moment and begins with a keyframe when somebody comes to watch.
    pub spread: bool,
}

impl std::fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServeOptions")
            .field("port", &self.port)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

/// Why cameras cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Encoding it.
    #[error(transparent)]
    Encode(#[from] ClipError),
    /// The folder for encoded videos.
    #[error("cannot use the folder {}: {source}; hint: check its permissions", path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The port.
    #[error(
        "cannot listen on 127.0.0.1:{port}; hint: another program may use the port, try another one or 0"
    )]
    Listen {
        /// The port.
        port: u16,
    },
    /// No thread.
    #[error("cannot start a thread: {0}; hint: raise the limit of processes (ulimit -u)")]
    Thread(std::io::Error),
    /// No such camera.
    #[error("no camera \"{0}\" is served; hint: see the names that were given")]
    UnknownCamera(CameraId),
}

/// A running RTSP server. Dropping it stops it and joins its threads.
#[derive(Debug)]
pub struct CameraServer {
    options: ServeOptions,
    port: u16,
    cameras: Vec<(CameraId, Arc<Feeder>)>,
    listening: Option<Listening>,
}

#[derive(Debug)]
struct Listening {
    server: RTSPServer,
    context: glib::MainContext,
    main_loop: glib::MainLoop,
    source: glib::SourceId,
    thread: JoinHandle<()>,
}

/// Where in its file the n-th of any number of cameras is, as a part of it: multiples of the golden ratio lie evenly and
/// hit no rhythm of the file.
fn spread(n: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    (n as f64 * GOLDEN).fract()
}

/// Longest time for clients to be let go.
const FAREWELL: Duration = Duration::from_secs(5);

impl CameraServer {
    /// Reads all files and starts to listen.
    ///
    /// # Errors
    /// A file cannot be read or encoded, or the port is taken.
    pub fn start(options: ServeOptions, cameras: &[ServedCamera]) -> Result<Self, ServeError> {
        crate::elements::start_library()?;
        let clock = SystemClock::new();
        let mut feeders = Vec::new();
        // Hundreds of cameras may show one file: it is read and kept once.
        let mut tapes: BTreeMap<&Path, Arc<Tape>> = BTreeMap::new();
        for camera in cameras {
            let tape = match tapes.get(camera.file.as_path()) {
                Some(tape) => Arc::clone(tape),
                None => Arc::new(Tape::read(&camera.file, &options.cache)?),
            };
            tapes.insert(&camera.file, Arc::clone(&tape));
            let ahead = options.spread.then(|| tape.length.mul_f64(spread(feeders.len())));
            feeders.push((camera.name.clone(), Arc::new(Feeder::new(tape, clock, ahead))));
        }
        let mut server = Self { port: options.port, options, cameras: feeders, listening: None };
        server.restart()?;
        Ok(server)
    }

    /// The port that it listens on; the same after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Address of a camera, without user and password.
    pub fn url(&self, name: &CameraId) -> String {
        format!("rtsp://127.0.0.1:{}/{name}", self.port)
    }

    /// Names of the cameras.
    pub fn cameras(&self) -> impl Iterator<Item = &CameraId> {
        self.cameras.iter().map(|(name, _)| name)
    }

    /// Breaks a camera, or repairs it with [`Fault::None`].
    ///
    /// # Errors
    /// No camera has this name.
    pub fn set_fault(&self, name: &CameraId, fault: Fault) -> Result<(), ServeError> {
        let (_, feeder) = self
            .cameras
            .iter()
            .find(|(n, _)| n == name)
            .ok_or_else(|| ServeError::UnknownCamera(name.clone()))?;
        feeder.set_fault(fault);
        Ok(())
    }

    /// Stops to listen and drops all clients, as a camera that loses its power.
    pub fn stop(&mut self) {
        let Some(listening) = self.listening.take() else { return };
        let (done, gone) = mpsc::channel();
        let (server, context) = (listening.server.clone(), listening.context.clone());
        listening.context.invoke(move || {
            if let Some(source) = context.find_source_by_id(&listening.source) {
                source.destroy();
            }
            server.client_filter(Some(&mut |_: &RTSPServer, _: &_| RTSPFilterResult::Remove));
            let _ = done.send(());
        });
        let _ = gone.recv_timeout(FAREWELL);
        // Clients take their leave on the loop: it must run until the last medium has gone.
        let feeders: Vec<Arc<Feeder>> = self.cameras.iter().map(|(_, f)| Arc::clone(f)).collect();
        let (done, gone) = mpsc::channel();
        let mut rounds = FAREWELL.as_millis() / 10;
        let watch =
            glib::timeout_source_new(Duration::from_millis(10), None, glib::Priority::DEFAULT, move || {
                rounds -= 1;
                if rounds > 0 && feeders.iter().any(|f| f.is_playing()) {
                    return glib::ControlFlow::Continue;
                }
                let _ = done.send(());
                glib::ControlFlow::Break
            });
        watch.attach(Some(&listening.context));
        let _ = gone.recv_timeout(FAREWELL);
        listening.main_loop.quit();
        if listening.thread.join().is_err() {
            tracing::error!("the camera server's thread panicked");
        }
        for (_, feeder) in &self.cameras {
            feeder.stop(None);
        }
    }

    /// Listens again, on the same port; does nothing if it does already.
    ///
    /// # Errors
    /// The port is taken, or no thread can be started.
    pub fn restart(&mut self) -> Result<(), ServeError> {
        if self.listening.is_some() {
            return Ok(());
        }
        let server = RTSPServer::new();
        server.set_address("127.0.0.1");
        server.set_service(&self.port.to_string());
        if let Some(pool) = server.thread_pool() {
            // All clients on the one loop.
            pool.set_max_threads(0);
        }
        let mounts = server.mount_points().ok_or(ServeError::Listen { port: self.port })?;
        for (name, feeder) in &self.cameras {
            mounts.add_factory(&format!("/{name}"), factory(name, feeder));
        }
        if let Some((user, password)) = &self.options.credentials {
            server.set_auth(Some(&gate(user, password)));
        }
        let context = glib::MainContext::new();
        let source = server.attach(Some(&context)).map_err(|_| ServeError::Listen { port: self.port })?;
        self.port = u16::try_from(server.bound_port()).unwrap_or(self.port);
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let running = main_loop.clone();
        let thread = std::thread::Builder::new()
            .name("camera-server".to_owned())
            .spawn(move || running.run())
            .map_err(ServeError::Thread)?;
        self.listening = Some(Listening { server, context, main_loop, source, thread });
        Ok(())
    }
}

impl Drop for CameraServer {
    fn drop(&mut self) {
        self.stop();
    }
}

const ROLE: &str = "viewer";

fn gate(user: &str, password: &str) -> RTSPAuth {
    let auth = RTSPAuth::new();
    let token = RTSPToken::builder().field(RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE).build();
    auth.set_supported_methods(RTSPAuthMethod::Digest);
    auth.add_digest(user, password, &token);
    auth
}

fn factory(name: &CameraId, feeder: &Arc<Feeder>) -> RTSPMediaFactory {
    let (parser, payloader) = match feeder.tape().codec {
        Codec::H264 => ("h264parse", "rtph264pay"),
        Codec::H265 => ("h265parse", "rtph265pay"),
    };
    let factory = RTSPMediaFactory::new();
    factory.set_launch(&format!(
        "( appsrc name=source is-live=true format=time ! {parser} ! {payloader} name=pay0 pt=96 config-interval=-1 )"
    ));
    factory.set_shared(true);
    let role = gst::Structure::builder(ROLE)
        .field(RTSP_PERM_MEDIA_FACTORY_ACCESS, true)
        .field(RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, true)
        .build();
    factory.add_role_from_structure(&role);
    let (name, feeder) = (name.to_string(), Arc::clone(feeder));
    factory.connect_media_configure(move |_, media| {
        let source = media
            .element()
            .downcast::<gst::Bin>()
            .ok()
            .and_then(|bin| bin.by_name("source"))
            .and_then(|element| element.downcast::<AppSrc>().ok());
        let Some(source) = source else { return };
        source.set_caps(Some(&feeder.tape().codec.annex_b()));
        let medium = feeder.play(&name, source);
        let feeder = Arc::clone(&feeder);
        media.connect_unprepared(move |_| feeder.stop(Some(medium)));
    });
    factory
}
