//! A camera server and a node as programs of their own, on free ports and in a folder that goes away.

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use parapet_core::{CameraId, Clock, SystemClock};
use toml::{Table, Value};

use super::metrics::Metrics;

/// What is measured: one camera of a pipeline file, and what it shows.
pub(super) struct Bench {
    pipeline: Table,
    camera: Table,
    clip: PathBuf,
    /// Whether the cameras are spread over the clip.
    spread: bool,
    program: PathBuf,
}

impl Bench {
    /// Reads the camera's table; the file is known to be right.
    pub(super) fn new(pipeline: &Path, camera: &CameraId, clip: &Path, spread: bool) -> anyhow::Result<Self> {
        let folder = fs::canonicalize(pipeline)?.parent().map(Path::to_owned).unwrap_or_default();
        let mut pipeline: Table = toml::from_str(&fs::read_to_string(pipeline)?)?;
        let Some(Value::Table(mut cameras)) = pipeline.remove("cameras") else { bail!("no cameras") };
        let Some(Value::Table(mut camera)) = cameras.remove(camera.as_str()) else { bail!("no {camera}") };
        if let Some(Value::Table(models)) = pipeline.get_mut("models") {
            for model in models.iter_mut().filter_map(|(_, model)| model.as_table_mut()) {
                if let Some(Value::String(manifest)) = model.get_mut("manifest") {
                    *manifest = folder.join(&manifest).to_string_lossy().into_owned();
                }
                // What is behind is to be shed, and counted.
                if let Some(Value::Table(engine)) = model.get_mut("engine") {
                    engine.remove("overload");
                }
            }
        }
        // Rules rest out of their hours, whatever the hour of the benchmark is.
        let rules = camera.get_mut("rules").and_then(Value::as_table_mut);
        for rule in
            rules.into_iter().flat_map(|rules| rules.iter_mut().filter_map(|(_, rule)| rule.as_table_mut()))
        {
            for (_, options) in rule.iter_mut() {
                if let Some(options) = options.as_table_mut() {
                    options.remove("schedule");
                }
            }
        }
        let program = std::env::current_exe()?;
        Ok(Self { pipeline, camera, clip: fs::canonicalize(clip)?, spread, program })
    }

    /// Starts the server and the node; they end when what is given back is dropped.
    pub(super) fn start(&self, cameras: usize) -> anyhow::Result<Processes> {
        let work = tempfile::tempdir()?;
        let [rtsp, http, mqtt] = free_ports()?;
        let file = work.path().join("pipeline.toml");
        fs::write(&file, self.written(cameras, work.path(), rtsp, http, mqtt)?)?;
        let mut log = fs::File::create(work.path().join("log"))?;
        writeln!(log, "{cameras} cameras")?;
        let start = |arguments: &mut Command| -> anyhow::Result<Running> {
            let child = arguments.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
            Ok(Running(child.spawn().context("cannot start this program again")?))
        };
        let names = (0..cameras).map(|n| format!("c{n}={}", self.clip.display()));
        let port = rtsp.to_string();
        let spread = self.spread.then_some("--spread");
        let serve = ["camera", "serve", "--port", &port];
        let server = start(Command::new(&self.program).args(serve).args(spread).args(names))?;
        let clock = SystemClock::new();
        let until = clock.monotonic() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", rtsp)).is_err() {
            if clock.monotonic() > until {
                bail!("the camera server does not start");
            }
            thread::sleep(Duration::from_millis(50));
        }
        let node = start(Command::new(&self.program).arg("node").arg("--pipeline").arg(&file))?;
        Ok(Processes { node, _server: server, http, work })
    }

    fn written(
        &self,
        cameras: usize,
        work: &Path,
        rtsp: u16,
        http: u16,
        mqtt: u16,
    ) -> anyhow::Result<String> {
        let mut pipeline = self.pipeline.clone();
        let own: Table = toml::from_str(&format!(
            "[node]\nid = \"bench\"\nsite = \"bench\"\ndata_dir = {:?}\nhttp.listen = \"127.0.0.1:{http}\"\n\
             [bus.embedded]\nlisten = \"127.0.0.1:{mqtt}\"\n",
            work.to_string_lossy(),
        ))?;
        pipeline.extend(own);
        let mut all = Table::new();
        for n in 0..cameras {
            let mut camera = self.camera.clone();
            let source = camera.entry("source").or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(source) = source else { bail!("source is no table") };
            for other in ["file", "images", "device", "test", "rtmp", "srt", "rtsp"] {
                source.remove(other);
            }
            let rtsp = Table::from_iter([("url".to_owned(), format!("rtsp://127.0.0.1:{rtsp}/c{n}").into())]);
            source.insert("rtsp".to_owned(), rtsp.into());
            all.insert(format!("c{n}"), camera.into());
        }
        pipeline.insert("cameras".to_owned(), all.into());
        Ok(toml::to_string(&pipeline)?)
    }
}

fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    // All held until all are known.
    let listeners: Vec<TcpListener> =
        (0..N).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<_, _>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// A node that watches, and the server of its cameras.
pub(super) struct Processes {
    node: Running,
    _server: Running,
    http: u16,
    work: tempfile::TempDir,
}

impl Processes {
    /// Waits, and tells if the node ended meanwhile.
    pub(super) fn watch_for(&self, time: Duration) -> anyhow::Result<()> {
        thread::sleep(time);
        if Path::new("/proc").join(self.node.0.id().to_string()).join("exe").read_link().is_err() {
            let log = fs::read_to_string(self.work.path().join("log")).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(5).collect();
            bail!("the node ended:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
        Ok(())
    }

    pub(super) fn metrics(&self) -> anyhow::Result<Metrics> {
        let url = format!("http://127.0.0.1:{}/metrics", self.http);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let text = runtime.block_on(async { reqwest::get(url).await?.error_for_status()?.text().await });
        Ok(Metrics::parse(&text.context("the node does not tell its metrics")?))
    }

    /// Seconds that the node took of the processors, of the user and of the system.
    pub(super) fn cpu(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.node.0.id()))?;
        let (_, after_name) = stat.rsplit_once(')').context("no name in stat")?;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks =
            |n: usize| fields.get(n).and_then(|field| field.parse::<u64>().ok()).context("no times in stat");
        // Linux counts in hundredths of a second on every architecture that we run on.
        Ok((ticks(11)? + ticks(12)?) as f64 / 100.0)
    }

    pub(super) fn resident_megabytes(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.node.0.id()))?;
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in status")?;
        let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes / 1024.0)
    }
}

/// A program that is killed when it is not wanted any more.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
