//! How fast lists, searches and counts are with a million incidents and ten million events. Not a test of anything but that
//! each question is answered; prints what it measures:
//! `cargo test -p parapet-store --release --test scale -- --ignored --nocapture`
//!
//! Takes some minutes and 10 GB below the directory for temporary files, for one database after the other. With
//! `PARAPET_SCALE_INCIDENTS` it fills in fewer incidents; a store that is named in `PARAPET_SCALE_STORE` is made if it is not
//! there, kept, and measured again the next time.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may fail the test and print")]
#![expect(clippy::disallowed_methods, reason = "measures the time that passes")]

#[path = "support/load.rs"]
mod load;
mod support;

use std::{collections::BTreeSet, env, future::Future, time::Instant};

use parapet_core::{IncidentId, Scope, Status, Timestamp, case::CaseStep};
use parapet_store::{AuditQuery, CaseQuery, IncidentQuery, Store, testing::PostgresServer};
use sqlx::{AssertSqlSafe, Connection, raw_sql};
use support::at;

const FILL: &str = include_str!("scale/fill.sql");
/// Between two incidents, in microseconds; the first began so long before `at(0)` as a million takes.
const STEP: i64 = 94_608_000;
const ROUNDS: usize = 30;

#[test]
#[ignore = "measures"]
fn a_million_incidents() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let incidents = env::var("PARAPET_SCALE_INCIDENTS").map_or(1_000_000, |count| count.parse().unwrap());
    if let Ok(url) = env::var("PARAPET_SCALE_STORE") {
        runtime.block_on(measure(&url, incidents));
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    runtime.block_on(measure(&format!("sqlite://{}/scale.db", directory.path().display()), incidents));
    drop(directory);
    let server = PostgresServer::start().unwrap();
    runtime.block_on(measure(&server.database().unwrap(), incidents));
}

async fn measure(url: &str, incidents: i64) {
    let store = Store::open(url).await.unwrap();
    let is_filled = !store.incidents(&IncidentQuery::default()).await.unwrap().incidents.is_empty();
    if !is_filled {
        let begin = Instant::now();
        fill(url, incidents).await;
        println!("{}: filled in {:.0} s", database(url), begin.elapsed().as_secs_f64());
    }
    Measured { store: store.clone(), database: database(url), incidents }.all().await;
    if !is_filled {
        let rate = load::events_per_second(&store, 256).await;
        println!("{}: {rate:.0} events/s more, in batches of 256", database(url));
    }
    store.close().await;
}

fn database(url: &str) -> &str {
    url.split(':').next().unwrap()
}

async fn fill(url: &str, incidents: i64) {
    if database(url) == "sqlite" {
        let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
        let fast =
            "PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; PRAGMA wal_autocheckpoint = 100000";
        raw_sql(fast).execute(&mut connection).await.unwrap();
        let statements = spelled(incidents, sqlite_spelling);
        raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
        raw_sql("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        let statements = spelled(incidents, postgres_spelling);
        raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
        raw_sql("VACUUM ANALYZE").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

/// The statements of `fill.sql` with each `«word:argument»`, from the inside out, as a database says it.
fn spelled(incidents: i64, spelling: fn(&str, &str) -> String) -> String {
    let begin = FILL.find("INSERT").unwrap();
    let mut text = FILL[begin..].replace("INCIDENTS", &incidents.to_string()).replace("EVENTS", "9");
    while let Some(end) = text.find('»') {
        let begin = text[..end].rfind('«').unwrap();
        let (word, argument) = text[begin + '«'.len_utf8()..end].split_once(':').unwrap();
        let said = spelling(word, argument);
        text.replace_range(begin..end + '»'.len_utf8(), &said);
    }
    text
}

fn sqlite_spelling(word: &str, argument: &str) -> String {
    let (first, rest) = argument.split_once(':').unwrap_or_default();
    match word {
        "id" => format!("CAST({argument} AS BLOB)"),
        "json" => format!("({argument})"),
        "pad" => format!("substr('{}' || ({rest}), -{first})", "0".repeat(first.parse().unwrap())),
        _ => format!(
            "(WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {rest}) SELECT n FROM s) AS s"
        ),
    }
}

fn postgres_spelling(word: &str, argument: &str) -> String {
    let (first, rest) = argument.split_once(':').unwrap_or_default();
    match word {
        "id" => format!("CAST(encode(convert_to({argument}, 'UTF8'), 'hex') AS UUID)"),
        "json" => format!("CAST({argument} AS JSONB)"),
        "pad" => format!("right('{}' || ({rest}), {first})", "0".repeat(first.parse().unwrap())),
        _ => format!("generate_series({first}::BIGINT, {rest}::BIGINT) AS s(n)"),
    }
}

struct Measured<'a> {
    store: Store,
    database: &'a str,
    incidents: i64,
}

impl Measured<'_> {
    async fn all(&self) {
        let all = IncidentQuery::default;
        let camera = |n: usize| camera_name(n * 37 % 1000);
        let site = |n: usize| format!("compound-{:02}", n * 7 % 36).parse().unwrap();
        let kinds = ["misparked_ebike", "occupied_roadway", "street_vendor", "illegal_renovation"];
        self.list("first page", |_| all()).await;
        self.list("by kind", |n| IncidentQuery { kind: Some(kinds[n % 4].parse().unwrap()), ..all() }).await;
        self.list("by site", |n| IncidentQuery { site: Some(site(n)), ..all() }).await;
        self.list("by camera", |n| IncidentQuery { camera: Some(camera(n).parse().unwrap()), ..all() }).await;
        let node = |n: usize| format!("node-{:03}", n * 3 % 90).parse().unwrap();
        self.list("by node", |n| IncidentQuery { node: Some(node(n)), ..all() }).await;
        let states = [Status::New, Status::Confirmed, Status::Dismissed, Status::Dispatched, Status::Closed];
        self.list("by status", |n| IncidentQuery { status: Some(states[n % 5]), ..all() }).await;
        self.list("of a site and kind", |n| IncidentQuery {
            site: Some(site(n)),
            kind: Some(kinds[n % 4].parse().unwrap()),
            ..all()
        })
        .await;
        self.list("muted", |_| IncidentQuery { muted: Some(true), ..all() }).await;
        self.list("of a week", |n| IncidentQuery {
            from: Some(self.time(n)),
            to: Some(self.time_and(n, 7)),
            ..all()
        })
        .await;
        let sites = |count| Scope::Only { sites: (0..count).map(site).collect(), cameras: BTreeSet::new() };
        self.list("scope of one site", |_| IncidentQuery { scope: sites(1), ..all() }).await;
        self.list("scope of five sites", |_| IncidentQuery { scope: sites(5), ..all() }).await;
        let cameras = |n: usize| Scope::Only {
            sites: BTreeSet::new(),
            cameras: (n..n + 20).map(|n| (None, camera(n).parse().unwrap())).collect(),
        };
        self.list("scope of 20 cameras", |n| IncidentQuery { scope: cameras(n), ..all() }).await;
        self.list("review queue", |_| queue(Scope::All)).await;
        self.list("review queue of one site", |_| queue(sites(1))).await;
        self.pages().await;
        let words: [(&str, &[&str]); 6] = [
            ("a camera's name", &["gate-0370", "street-0074", "CANAL-0028"]),
            ("a frequent word", &["bicycle", "compound", "gate", "shadow"]),
            ("two Chinese characters", &["树影", "登记"]),
            ("a rare word", &["琉璃瓦", "cat"]),
            ("a word that is nowhere", &["no-such-word"]),
            ("a kind's name", &["违建", "vendor"]),
        ];
        for (name, words) in words {
            let text = |n: usize| Some(words[n % words.len()].to_owned());
            self.list(&format!("text: {name}"), |n| IncidentQuery { text: text(n), ..all() }).await;
        }
        self.time_of("counts of all", |_| async { self.store.counts(&all()).await.unwrap().len() }).await;
        let of_cameras = |n| IncidentQuery { scope: cameras(n), ..all() };
        self.time_of("counts of 20 cameras", |n| async move {
            self.store.counts(&of_cameras(n)).await.unwrap().len()
        })
        .await;
        self.time_of("counts of the queue", |_| async {
            self.store.counts(&queue(Scope::All)).await.unwrap().len()
        })
        .await;
        self.time_of("an incident with its events", |n| async move {
            let id = format!("i{:015}", self.number(n));
            let id = IncidentId(uuid::Uuid::from_slice(id.as_bytes()).unwrap());
            self.store.incident(id).await.unwrap().unwrap().events.len()
        })
        .await;
        self.cases().await;
        self.time_of("day counts of a month", |n| async move {
            self.store.day_counts(self.time(n), self.time_and(n, 30)).await.unwrap().len()
        })
        .await;
        self.time_of("case tallies of a month", |n| async move {
            self.store
                .case_tallies(self.time(n), self.time_and(n, 30), self.time_and(n, 30))
                .await
                .unwrap()
                .len()
        })
        .await;
        let audit = |wanted| async move { self.store.audit(&wanted).await.unwrap().len() };
        self.time_of("audit, newest", |_| audit(AuditQuery { limit: 100, ..AuditQuery::default() })).await;
        self.time_of("audit of a week", |n| {
            let (from, to) = (Some(self.time(n)), Some(self.time_and(n, 7)));
            audit(AuditQuery { limit: 100, from, to, ..AuditQuery::default() })
        })
        .await;
        let actor = |n: usize| Some(format!("operator-{}", n % 12));
        self.time_of("audit of a person", |n| {
            audit(AuditQuery { limit: 100, actor: actor(n), ..AuditQuery::default() })
        })
        .await;
    }

    async fn cases(&self) {
        let now = at(0);
        let all = || CaseQuery::at(now);
        let cases = |wanted: CaseQuery| async move { self.store.cases(&wanted).await.unwrap().cases.len() };
        self.time_of("cases", |_| cases(all())).await;
        self.time_of("cases dispatched", |_| cases(CaseQuery { step: Some(CaseStep::Dispatched), ..all() }))
            .await;
        let words = ["CASE-000999", "幸福路", "nowhere"];
        for words in words {
            let text = || Some(words.to_owned());
            self.time_of(&format!("cases, text: {words}"), |_| cases(CaseQuery { text: text(), ..all() }))
                .await;
        }
        self.time_of("case counts", |_| async { self.store.case_counts(&all()).await.unwrap().len() }).await;
    }

    /// Every page is one answer, from the first to the thirtieth.
    async fn pages(&self) {
        let mut query = IncidentQuery { limit: 500, ..IncidentQuery::default() };
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            query.cursor = self.store.incidents(&query).await.unwrap().next;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        self.tell("pages of 500, one after the other", times, 500);
    }

    async fn list(&self, name: &str, query: impl Fn(usize) -> IncidentQuery) {
        let list = |n| {
            let query = query(n);
            async move { self.store.incidents(&query).await.unwrap().incidents.len() }
        };
        self.time_of(name, list).await;
    }

    /// Asks once for each of the rounds, after as many that do not count.
    async fn time_of<F: Future<Output = usize>>(&self, name: &str, ask: impl Fn(usize) -> F) {
        let (mut times, mut answers) = (Vec::new(), 0);
        for round in 0..2 * ROUNDS {
            let begin = Instant::now();
            answers = answers.max(ask(round % ROUNDS).await);
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        self.tell(name, times.split_off(ROUNDS), answers);
    }

    fn tell(&self, name: &str, mut times: Vec<f64>, answers: usize) {
        times.sort_by(f64::total_cmp);
        let (half, most) = (times[times.len() / 2], times[(times.len() * 95).div_ceil(100) - 1]);
        println!("{} | {name} | {half:.1} | {most:.1} | {answers}", self.database);
    }

    /// Number of an incident, spread over the three years.
    fn number(&self, n: usize) -> i64 {
        1 + (i64::try_from(n).unwrap() * 7_919 * 41) % self.incidents
    }

    fn time(&self, n: usize) -> Timestamp {
        self.time_and(n, 0)
    }

    fn time_and(&self, n: usize, days: i64) -> Timestamp {
        at((self.number(n) - 1_000_000) * STEP + days * 86_400_000_000)
    }
}

/// What the review queue asks for.
fn queue(scope: Scope) -> IncidentQuery {
    IncidentQuery {
        status: Some(Status::New),
        muted: Some(false),
        limit: 200,
        scope,
        ..IncidentQuery::default()
    }
}

fn camera_name(number: usize) -> String {
    let words = ["gate", "roof", "lane", "yard", "street", "garage", "bridge", "market", "canal", "tower"];
    format!("{}-{number:04}", words[number % 10])
}
