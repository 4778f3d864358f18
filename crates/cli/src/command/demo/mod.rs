//! `parapet demo`: simulated cameras, node, broker, center and page in one process; and the proof that all four kinds
//! of incidents come and go.

mod history;
mod roofs;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use parapet_bus::{BusConfig, EmbeddedConfig};
use parapet_center::{CenterConfig, FirstUser};
use parapet_core::{Clock, EvidenceRole, Grant, IncidentKind, KindCode, Language, Phase, Role, SystemClock};

use parapet_edge::Node;
use parapet_ingest::serve::{CameraServer, ServeOptions, ServedCamera};
use parapet_store::{IncidentQuery, IncidentRow, Store};

use super::{run::Together, scenario::make_with_progress};
use crate::{
    failure::{Mistake, Silent},
    home,
};

/// Where the demo's pipeline file expects the simulated cameras.
const CAMERA_PORT: u16 = 8554;
/// Camera by camera, the one kind that happens there.
const EXPECTED: [(&str, IncidentKind); 4] = [
    ("gate", IncidentKind::MisparkedEbike),
    ("park", IncidentKind::StrayDog),
    ("street", IncidentKind::OccupiedRoadway),
    ("roof", IncidentKind::RooftopStructure),
];
/// The node that watches all this.
const LIVE_NODE: &str = "demo";
/// The real recording where nothing happens, and its file below the pictures.
const QUIET: (&str, &str) = ("campus", "opencv/vtest.avi");

/// Who is in the demo, by role, with a name that is the password's begin. They hold nothing that is worth a better one, and
/// the demo listens on the loopback alone unless told otherwise.
const PEOPLE: [(&str, &str, Role); 3] = [
    ("operator", "监控员 小李 Li", Role::Operator),
    ("dispatcher", "派遣员 小王 Wang", Role::Dispatcher),
    ("administrator", "管理员 老陈 Chen", Role::Administrator),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    home: home::Home,
    /// Address of the page; another port is taken if it is in use.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Stop with exit code 0 once every kind started and ended and nothing else was raised, or with 1 and what is
    /// missing after the time limit.
    #[arg(long)]
    until_complete: bool,
    /// Time limit for that.
    #[arg(long, default_value_t = 180, value_name = "SECONDS")]
    time_limit: u64,
    /// Keep the incidents of earlier demos.
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let home = options.home.directory()?;
    let data = home.join("data/demo");
    if !options.keep && data.is_dir() {
        fs::remove_dir_all(&data).with_context(|| format!("cannot clear {}", data.display()))?;
    }
    fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;

    let cameras = clips(&home)?;
    let serve = ServeOptions {
        port: free_unless(SocketAddr::from(([127, 0, 0, 1], CAMERA_PORT))).port(),
        credentials: None,
        cache: home.join(".cache/demo"),
        spread: false,
    };
    let server = CameraServer::start(serve, &cameras).context("cannot start the simulated cameras")?;
    let first_file = pipeline_file(&home, "demo", server.port())?;
    let second_file = pipeline_file(&home, "demo-tea-hill", server.port())?;
    let mut pipeline = super::load_pipeline(&first_file)?;
    pipeline.node.http.listen = free_unless(pipeline.node.http.listen);
    let embedded = pipeline.bus.embedded.get_or_insert_with(EmbeddedConfig::default);
    embedded.listen = free_unless(embedded.listen);
    let center = CenterConfig {
        listen: free_unless(options.listen),
        store: format!("sqlite://{}", data.join("center.db").display()),
        evidence_dir: data.join("center-evidence"),
        first_users: people(),
        ..CenterConfig::default()
    };
    let database = data.join("center.db");
    super::block_on(async move {
        let clock = SystemClock::new();
        let store = Store::open(&center.store).await?;
        if store.departments().await?.is_empty() {
            history::write(&store, &home, clock.now()).await.context("cannot make up the demo's history")?;
        }
        store.close().await;
        let together = Together::start(pipeline, first_file, center).await?;
        let second = second_site(&second_file, &together).await?;
        greet(&together, &database);
        let surveys = data.join("surveys");
        let compared = tokio::task::spawn_blocking(move || roofs::compare_all(&home, &surveys));
        let outcome = if options.until_complete {
            let limit = Duration::from_secs(options.time_limit);
            watch(together.center.store(), limit).await
        } else {
            super::interrupted().await.map_err(Into::into)
        };
        // A comparison that is under way cannot be stopped; one that failed is the demo's failure.
        let compared = if compared.is_finished() { compared.await? } else { Ok(()) };
        second.stop().await;
        together.stop().await;
        drop(server);
        outcome.and(compared.context("cannot compare the demo's flights"))
    })
}

/// The clips of the demo, made where they are missing or older than what they are made from.
fn clips(home: &Path) -> anyhow::Result<Vec<ServedCamera>> {
    let pictures = home.join(".cache/footage");
    let quiet = pictures.join(QUIET.1);
    if !quiet.is_file() {
        let text =
            format!("{} is missing; hint: `make setup` fetches the pictures of the demo", quiet.display());
        return Err(Mistake(text).into());
    }
    let out = home.join(".cache/demo");
    let mut cameras = vec![ServedCamera { name: QUIET.0.parse()?, file: quiet }];
    for (name, _) in EXPECTED {
        let spec = home.join(format!("fixtures/scenarios/demo/{name}.toml"));
        let made = make_with_progress(&spec, &pictures, &out)?;
        cameras.push(ServedCamera { name: name.parse()?, file: made.clip });
    }
    Ok(cameras)
}

/// The node of the other site: one real recording in which nothing wrong happens. It speaks to the first one's broker.
async fn second_site(file: &Path, together: &Together) -> anyhow::Result<Node> {
    let mut pipeline = super::load_pipeline(file)?;
    pipeline.node.http.listen = free_unless(pipeline.node.http.listen);
    pipeline.bus = BusConfig { embedded: None, broker: Some(together.node.broker().clone()) };
    Ok(Node::start(pipeline, Some(file.to_owned()), Arc::new(SystemClock::new())).await?)
}

/// A pipeline file of the demo as it is run: a copy that a visitor may edit, with the cameras' real port. It lies as deep
/// as the original, so that relative paths mean the same.
fn pipeline_file(home: &Path, name: &str, port: u16) -> anyhow::Result<PathBuf> {
    let original = home.join(format!("pipelines/{name}.toml"));
    let text =
        fs::read_to_string(&original).with_context(|| format!("cannot read {}", original.display()))?;
    let text = text.replace(&format!("127.0.0.1:{CAMERA_PORT}/"), &format!("127.0.0.1:{port}/"));
    let copy = home.join(format!("data/{name}.toml"));
    fs::write(&copy, text).with_context(|| format!("cannot write {}", copy.display()))?;
    Ok(copy)
}

/// The address, or a free port of it if another program has it.
fn free_unless(address: SocketAddr) -> SocketAddr {
    if TcpListener::bind(address).is_ok() { address } else { SocketAddr::new(address.ip(), 0) }
}

/// The password of one of the demo's people.
fn password(name: &str) -> String {
    format!("parapet-{name}")
}

fn people() -> Vec<FirstUser> {
    let person = |(name, display_name, role): (&str, &str, Role)| FirstUser {
        name: name.parse().expect("a good name"),
        display_name: display_name.to_owned(),
        password: password(name),
        grants: vec![Grant::everywhere(role)],
    };
    PEOPLE.map(person).to_vec()
}

#[expect(clippy::print_stdout, reason = "the demo talks to the person who started it")]
fn greet(together: &Together, database: &Path) {
    let page = together.center.local_addr();
    let bus = together.node.broker();
    let port = bus.port_or_default();
    println!(
        "\n  页面 Page       http://{page}/\
         \n  消息 Messages   mosquitto_sub -h {} -p {port} -v -t 'parapet/v1/#'\
         \n  数据库 Database {}\
         \n  指标 Metrics    http://{}/metrics\
         \n  停止 Stop       Ctrl-C\n",
        bus.host,
        database.display(),
        together.node.http_address(),
    );
    println!("  登录 Sign in");
    for (name, _, role) in PEOPLE {
        println!("    {}  {name} / {}", role.name(Language::ZhCn), password(name));
    }
    println!();
}

/// What the demo has shown so far.
#[derive(Debug, Default)]
struct Shown {
    /// Incidents that started and ended as they should, by kind.
    complete: BTreeMap<IncidentKind, String>,
    /// Incidents where, or of a kind that, nothing of the sort happens.
    wrong: Vec<String>,
    /// What each expected kind still lacks.
    missing: Vec<String>,
}

/// Watches the store until all four kinds have come and gone.
async fn watch(store: &Store, limit: Duration) -> anyhow::Result<()> {
    let clock = SystemClock::new();
    let mut every = tokio::time::interval(Duration::from_millis(500));
    loop {
        every.tick().await;
        let shown = shown(store).await?;
        let late = clock.monotonic() >= limit;
        if shown.missing.is_empty() || !shown.wrong.is_empty() || late {
            return report(&shown);
        }
    }
}

async fn shown(store: &Store) -> anyhow::Result<Shown> {
    let node = Some(LIVE_NODE.parse()?);
    let page = store.incidents(&IncidentQuery { node, limit: 500, ..IncidentQuery::default() }).await?;
    let mut shown = Shown::default();
    for (camera, kind) in EXPECTED {
        let here = |row: &&IncidentRow| row.camera.as_str() == camera && row.kind == kind.code();
        let Some(row) = page.incidents.iter().rev().find(here) else {
            shown.missing.push(format!("{}: not started on camera {camera}", kind.as_str()));
            continue;
        };
        if row.phase != Phase::Ended {
            shown.missing.push(format!("{}: started on camera {camera}, not ended", kind.as_str()));
            continue;
        }
        let evidence: Vec<EvidenceRole> = store
            .incident(row.id)
            .await?
            .map_or_else(Vec::new, |d| d.evidence.iter().map(|e| e.item.role).collect());
        let wanted =
            [EvidenceRole::Snapshot, EvidenceRole::Annotated, EvidenceRole::Before, EvidenceRole::Clip];
        let lacking: Vec<String> = wanted
            .iter()
            .filter(|role| !evidence.contains(role))
            .map(|role| format!("{role:?}").to_lowercase())
            .collect();
        if lacking.is_empty() {
            let (id, from) = (row.id, row.started_at);
            shown.complete.insert(kind, format!("{id} on camera {camera}, started {from}"));
        } else {
            shown.missing.push(format!("{}: no {} yet", kind.as_str(), lacking.join(", ")));
        }
    }
    shown.missing.extend(roofs::missing(store).await?);
    let mut told = Vec::new();
    let from_cameras = |row: &&IncidentRow| row.camera.as_str() != roofs::CAMERA;
    for row in page.incidents.iter().rev().filter(from_cameras) {
        let right =
            |(camera, kind): &(&str, IncidentKind)| row.camera.as_str() == *camera && row.kind == kind.code();
        // The clips loop, but all is shown before any of them begins again: each thing is one incident.
        if !EXPECTED.iter().any(right) || told.contains(&&row.kind) {
            shown.wrong.push(describe(&row.kind, row));
        }
        told.push(&row.kind);
    }
    Ok(shown)
}

fn describe(kind: &KindCode, row: &IncidentRow) -> String {
    format!(
        "{kind} on camera {}, started {}, at {:?}",
        row.camera,
        row.started_at,
        <[f32; 4]>::from(row.bbox)
    )
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
fn report(shown: &Shown) -> anyhow::Result<()> {
    let mut text = String::new();
    for (kind, incident) in &shown.complete {
        let _ = writeln!(text, "  complete  {:<18} {incident}", kind.as_str());
    }
    for missing in &shown.missing {
        let _ = writeln!(text, "  MISSING   {missing}");
    }
    for wrong in &shown.wrong {
        let _ = writeln!(text, "  WRONG     raised where nothing of the sort happens, or twice: {wrong}");
    }
    println!("{text}");
    if shown.missing.is_empty() && shown.wrong.is_empty() {
        println!("demo complete: every kind started and ended, nothing else was raised");
        Ok(())
    } else {
        Err(Silent(1).into())
    }
}
