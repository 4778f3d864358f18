//! TLS, client certificates and passwords towards a real mosquitto: who belongs together talks, over a restart too; who
//! does not is told what is wrong, where and what to do, loses nothing, and gets through once it is put right.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may fail the test and print")]

#[expect(dead_code, reason = "the tests of delivery need more of it")]
mod support;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use parapet_bus::{BrokerConfig, TlsConfig, wire::Message};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use support::{
    LogHandler, MemoryOutbox, Mosquitto, PATIENCE, Running, all_arrive, all_sent, incident, publish,
    subscribe,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::watch,
};
use tracing::instrument::WithSubscriber;

/// An authority that signs for brokers and clients.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// Writes `NAME.crt` and `NAME.key`, valid for these hosts until this year.
    fn certify(&self, directory: &Path, name: &str, hosts: &[&str], until: i32) {
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(directory.join(format!("{name}.crt")), certificate.pem()).unwrap();
        std::fs::write(directory.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

const HERE: &[&str] = &["127.0.0.1", "localhost"];
const LONG: i32 = 4000;

/// A mosquitto with certificates of its own authority, and the place of everybody's files.
struct Site {
    broker: Mosquitto,
    authority: Authority,
}

impl Site {
    /// Everything is in order; the broker does not run yet.
    fn new() -> Option<Self> {
        let site = Self { broker: Mosquitto::prepare()?, authority: Authority::new("harbour authority") };
        site.authority.certify(&site.broker.path(), "broker", HERE, LONG);
        site.authority.certify(&site.broker.path(), "client", &[], LONG);
        std::fs::write(site.file("authority.crt"), &site.authority.certificate).unwrap();
        std::fs::write(site.file("password"), "wall and parapet\n").unwrap();
        Some(site)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.broker.path().join(name)
    }

    /// The broker's own lines for TLS.
    fn tls_lines(&self) -> String {
        let [authority, certificate, key] =
            ["authority.crt", "broker.crt", "broker.key"].map(|name| self.file(name));
        format!(
            "cafile {}\ncertfile {}\nkeyfile {}\n",
            authority.display(),
            certificate.display(),
            key.display()
        )
    }

    async fn start(&mut self, who: &str) {
        let lines = self.tls_lines() + who;
        self.broker.restart(&lines).await;
    }

    /// A client that trusts the authority and shows nothing of its own.
    fn client(&self) -> BrokerConfig {
        let tls = TlsConfig { ca_file: Some(self.file("authority.crt")), ..TlsConfig::default() };
        BrokerConfig { tls: Some(tls), ..self.broker.config() }
    }

    fn client_with_certificate(&self) -> BrokerConfig {
        let tls = TlsConfig {
            ca_file: Some(self.file("authority.crt")),
            client_certificate_file: Some(self.file("client.crt")),
            client_key_file: Some(self.file("client.key")),
            ..TlsConfig::default()
        };
        BrokerConfig { tls: Some(tls), ..self.broker.config() }
    }

    fn client_with_password(&self) -> BrokerConfig {
        BrokerConfig {
            username: Some("north".to_owned()),
            password_file: Some(self.file("password")),
            ..self.client()
        }
    }

    /// Lines by which the broker wants a password, which `north` has.
    fn with_password(&self) -> String {
        let file = self.file("users");
        let status = Command::new("mosquitto_passwd")
            .args(["-c", "-b"])
            .arg(&file)
            .args(["north", "wall and parapet"])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        format!("allow_anonymous false\npassword_file {}", file.display())
    }
}

const ANYONE: &str = "allow_anonymous true";
const WITH_CERTIFICATE: &str = "allow_anonymous true\nrequire_certificate true";

/// What was logged, as text that can be waited for.
#[derive(Clone)]
struct Captured(Arc<watch::Sender<String>>);

impl Captured {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(String::new())))
    }

    fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        let this = self.clone();
        tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || this.clone()).finish()
    }

    /// The refusals that this client has met with.
    fn refusals(text: &str, client: &str) -> Vec<String> {
        let client = format!("client=\"{client}\"");
        let lines =
            text.lines().filter(|line| line.contains("no connection to the bus") && line.contains(&client));
        lines.map(ToOwned::to_owned).collect()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send_modify(|text| text.push_str(std::str::from_utf8(bytes).unwrap()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A node with twenty recorded messages and a center, both on their way to the broker.
struct Trial {
    address: String,
    outbox: MemoryOutbox,
    handler: LogHandler,
    log: Captured,
    publisher: Running,
    subscriber: Running,
}

const ROWS: usize = 20;

impl Trial {
    async fn start(config: &BrokerConfig) -> Self {
        let (outbox, handler, log) = (MemoryOutbox::default(), LogHandler::new(), Captured::new());
        (0..ROWS).for_each(|n| outbox.record(&incident(n)));
        let start = async { (publish(config, &outbox), subscribe(config, &handler)) };
        let (publisher, subscriber) = start.with_subscriber(log.subscriber()).await;
        let address = format!("{}:{}", config.host, config.port.unwrap());
        Self { address, outbox, handler, log, publisher, subscriber }
    }

    /// Both clients say at each attempt, at this level, where they knocked and these words. Nothing is marked as sent.
    async fn is_refused(&self, level: &str, words: &[&str]) {
        let clients = ["parapet-node-harbour-north-1", "parapet-center"];
        let mut log = self.log.0.subscribe();
        let attempts =
            log.wait_for(|text| clients.iter().all(|client| Captured::refusals(text, client).len() >= 3));
        let waited = tokio::time::timeout(PATIENCE, attempts).await.map(|text| text.unwrap().clone());
        let text = waited.unwrap_or_else(|_| panic!("no three attempts: {}", *self.log.0.borrow()));
        for client in clients {
            for line in Captured::refusals(&text, client) {
                assert!(line.trim_start().starts_with(level), "{line}");
                assert!(line.contains(&format!("broker=\"{}\"", self.address)), "{line}");
                assert!(line.contains("hint: "), "{line}");
                for word in words {
                    assert!(line.contains(word), "no {word:?} in {line}");
                }
            }
            println!("{}", Captured::refusals(&text, client)[0]);
        }
        assert_eq!(self.outbox.unsent(), ROWS);
        assert_eq!(self.handler.0.borrow().distinct(), 0);
    }

    async fn delivers(self) {
        all_arrive(&self.handler, &self.outbox, ROWS).await;
        self.publisher.stop().await;
        self.subscriber.stop().await;
    }
}

#[tokio::test]
async fn a_client_certificate_opens_the_way_and_a_restart_of_the_broker_loses_nothing() {
    let Some(mut site) = Site::new() else { return };
    site.start(WITH_CERTIFICATE).await;
    let (outbox, handler) = (MemoryOutbox::default(), LogHandler::new());
    let config = BrokerConfig { host: "localhost".to_owned(), ..site.client_with_certificate() };
    let publisher = publish(&config, &outbox);
    let subscriber = subscribe(&config, &handler);
    (0..100).for_each(|n| outbox.record(&incident(n)));
    handler.until("the stream flows", |log| log.distinct() > 20).await;
    site.broker.kill();
    (100..200).for_each(|n| outbox.record(&incident(n)));
    site.broker.run().await;
    all_arrive(&handler, &outbox, 200).await;
    publisher.stop().await;
    subscriber.stop().await;
}

#[tokio::test]
async fn a_password_opens_the_way_under_tls() {
    let Some(mut site) = Site::new() else { return };
    site.start(&site.with_password()).await;
    Trial::start(&site.client_with_password()).await.delivers().await;
}

#[tokio::test]
async fn a_wrong_password_is_named_and_counts_no_more_once_its_file_is_corrected() {
    let Some(mut site) = Site::new() else { return };
    std::fs::write(site.file("password"), "a guess").unwrap();
    site.start(&site.with_password()).await;
    let trial = Trial::start(&site.client_with_password()).await;
    trial.is_refused("ERROR", &["refuses user and password", "password_file"]).await;
    assert!(!trial.log.0.borrow().contains("a guess"), "the password is in the log");
    std::fs::write(site.file("password"), "wall and parapet").unwrap();
    trial.delivers().await;
}

#[tokio::test]
async fn a_broker_of_an_unknown_authority_is_refused_until_it_is_certified_by_the_known_one() {
    let Some(mut site) = Site::new() else { return };
    Authority::new("somebody").certify(&site.broker.path(), "broker", HERE, LONG);
    site.start(ANYONE).await;
    let trial = Trial::start(&site.client()).await;
    trial.is_refused("ERROR", &["no authority that is trusted here", "ca_file", "UnknownIssuer"]).await;
    site.authority.certify(&site.broker.path(), "broker", HERE, LONG);
    site.start(ANYONE).await;
    trial.delivers().await;
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_until_it_names_this_one() {
    let Some(mut site) = Site::new() else { return };
    site.authority.certify(&site.broker.path(), "broker", &["mqtt.example.org"], LONG);
    site.start(ANYONE).await;
    let trial = Trial::start(&site.client()).await;
    trial.is_refused("ERROR", &["for another host", "mqtt.example.org"]).await;
    site.authority.certify(&site.broker.path(), "broker", HERE, LONG);
    site.start(ANYONE).await;
    trial.delivers().await;
}

#[tokio::test]
async fn a_certificate_that_is_out_of_date_is_refused_until_it_is_renewed() {
    let Some(mut site) = Site::new() else { return };
    site.authority.certify(&site.broker.path(), "broker", HERE, 2000);
    site.start(ANYONE).await;
    let trial = Trial::start(&site.client()).await;
    trial.is_refused("ERROR", &["out of date", "renew it", "clock"]).await;
    site.authority.certify(&site.broker.path(), "broker", HERE, LONG);
    site.start(ANYONE).await;
    trial.delivers().await;
}

#[tokio::test]
async fn a_missing_client_certificate_is_named_under_tls_1_3() {
    let Some(mut site) = Site::new() else { return };
    site.start(WITH_CERTIFICATE).await;
    let trial = Trial::start(&site.client()).await;
    trial.is_refused("ERROR", &["client_certificate_file"]).await;
    site.start(ANYONE).await;
    trial.delivers().await;
}

#[tokio::test]
async fn a_missing_client_certificate_is_named_under_tls_1_2() {
    let Some(mut site) = Site::new() else { return };
    let only_tls_1_2 = "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\n\
                        MaxProtocol = TLSv1.2\n";
    std::fs::write(site.file("openssl.cnf"), only_tls_1_2).unwrap();
    site.start(WITH_CERTIFICATE).await;
    let trial = Trial::start(&site.client()).await;
    trial.is_refused("ERROR", &["client_certificate_file"]).await;
    site.start(ANYONE).await;
    trial.delivers().await;
}

#[tokio::test]
async fn a_client_certificate_that_the_broker_does_not_know_is_named_and_can_be_renewed_in_place() {
    let Some(mut site) = Site::new() else { return };
    Authority::new("somebody").certify(&site.broker.path(), "client", &[], LONG);
    site.start(WITH_CERTIFICATE).await;
    let trial = Trial::start(&site.client_with_certificate()).await;
    trial.is_refused("ERROR", &["client certificate"]).await;
    site.authority.certify(&site.broker.path(), "client", &[], LONG);
    trial.delivers().await;
}

#[tokio::test]
async fn a_certificate_that_is_away_while_it_is_renewed_is_named_and_waited_for() {
    let Some(mut site) = Site::new() else { return };
    site.start(WITH_CERTIFICATE).await;
    let trial = Trial::start(&site.client_with_certificate()).await;
    // Neither client has run yet: this test has not let go of its one thread.
    std::fs::remove_file(site.file("client.crt")).unwrap();
    trial.is_refused("ERROR", &["cannot read the client certificate file", "client.crt", "os error 2"]).await;
    site.authority.certify(&site.broker.path(), "client", &[], LONG);
    trial.delivers().await;
}

#[tokio::test]
async fn a_client_in_the_clear_is_told_that_the_port_is_for_tls() {
    let Some(mut site) = Site::new() else { return };
    site.start(ANYONE).await;
    let trial = Trial::start(&site.broker.config()).await;
    trial.is_refused("ERROR", &["[bus.broker.tls]"]).await;
    site.broker.restart(ANYONE).await;
    trial.delivers().await;
}

#[tokio::test]
async fn a_client_with_tls_is_told_that_the_port_is_in_the_clear() {
    let Some(mut site) = Site::new() else { return };
    site.broker.restart(ANYONE).await;
    let trial = Trial::start(&site.client()).await;
    trial.is_refused("ERROR", &["does the port speak MQTT with TLS"]).await;
    site.start(ANYONE).await;
    trial.delivers().await;
}

#[tokio::test]
async fn a_broker_that_is_away_is_a_warning() {
    let Some(mut site) = Site::new() else { return };
    let trial = Trial::start(&site.client()).await;
    trial.is_refused("WARN", &["nothing listens there", "host and port"]).await;
    site.start(ANYONE).await;
    trial.delivers().await;
}

#[tokio::test]
async fn whoever_asks_for_it_is_not_checked_and_the_log_says_so() {
    let Some(mut site) = Site::new() else { return };
    Authority::new("somebody").certify(&site.broker.path(), "broker", &["mqtt.example.org"], 2000);
    site.start(ANYONE).await;
    let tls = TlsConfig { insecure_skip_verification: true, ..TlsConfig::default() };
    let trial = Trial::start(&BrokerConfig { tls: Some(tls), ..site.broker.config() }).await;
    let log = trial.log.0.borrow().clone();
    assert!(log.contains("WARN") && log.contains("insecure_skip_verification"), "{log}");
    trial.delivers().await;
}

/// The publisher speaks 3.1.1, as the contract says; a broker for both serves subscribers of both.
#[tokio::test]
async fn an_mqtt_5_subscriber_receives_what_the_publisher_sends() {
    let Some(mut site) = Site::new() else { return };
    site.start(WITH_CERTIFICATE).await;
    let mut listener = tokio::process::Command::new("mosquitto_sub")
        .args(["-V", "mqttv5", "-h", "127.0.0.1", "-p", &site.broker.port.to_string()])
        .args(["-q", "1", "-t", "parapet/v1/#", "-F", "%t %p"])
        .arg("--cafile")
        .arg(site.file("authority.crt"))
        .arg("--cert")
        .arg(site.file("client.crt"))
        .arg("--key")
        .arg(site.file("client.key"))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(listener.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line =
            tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("a message").unwrap().unwrap();
        let (topic, payload) = line.split_once(' ').unwrap();
        let message = Message::decode(payload.as_bytes()).unwrap();
        assert_eq!(message.topic(), topic);
        message
    };
    let outbox = MemoryOutbox::default();
    let publisher = publish(&site.client_with_certificate(), &outbox);
    // The node's retained state comes whoever is first: from here on the subscription stands.
    assert_eq!(next().await, Message::NodeStatus(support::node()));
    (0..ROWS).for_each(|n| outbox.record(&incident(n)));
    for n in 0..ROWS {
        assert_eq!(next().await, incident(n));
    }
    all_sent(&outbox).await;
    publisher.stop().await;
}
