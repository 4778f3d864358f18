//! A real mosquitto on a free port, with its files in a directory of its own.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use parapet_bus::BrokerConfig;
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::PATIENCE;

/// A mosquitto of our own. Killed when dropped.
pub(crate) struct Mosquitto {
    directory: TempDir,
    child: Option<Child>,
    pub(crate) port: u16,
}

impl Mosquitto {
    /// Lets everyone in. `None` where it is not installed; says so.
    pub(crate) async fn start(extra: &str) -> Option<Self> {
        let mut mosquitto = Self::prepare()?;
        mosquitto.restart(&format!("allow_anonymous true\n{extra}")).await;
        Some(mosquitto)
    }

    /// One that does not run yet, so that its files can be put in place.
    pub(crate) fn prepare() -> Option<Self> {
        if program().is_none() {
            println!("skipped: mosquitto is not installed");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Some(Self { directory: tempfile::tempdir().unwrap(), child: None, port })
    }

    /// Kills it, if it runs, and starts it with these lines in its configuration.
    pub(crate) async fn restart(&mut self, lines: &str) {
        self.kill();
        let path = self.directory.path().display();
        let config =
            format!("user root\nlistener {} 127.0.0.1\npersistence_location {path}/\n{lines}\n", self.port);
        std::fs::write(self.directory.path().join("mosquitto.conf"), config).unwrap();
        self.run().await;
    }

    pub(crate) async fn run(&mut self) {
        let child = Command::new(program().unwrap())
            .arg("-c")
            .arg(self.directory.path().join("mosquitto.conf"))
            // Where a test puts a file of that name, it says what this broker's OpenSSL may do.
            .env("OPENSSL_CONF", self.directory.path().join("openssl.cnf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let up = async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                let ended = self.child.as_mut().unwrap().try_wait().unwrap();
                assert!(ended.is_none(), "mosquitto does not run: {ended:?}");
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, up).await.expect("mosquitto listens");
    }

    /// SIGKILL: nothing is written, nobody is told.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn config(&self) -> BrokerConfig {
        BrokerConfig::at("127.0.0.1", self.port)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().to_owned()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = std::env::split_paths(&path).collect();
    places.push("/usr/sbin".into());
    places.into_iter().map(|place| place.join("mosquitto")).find(|program| program.exists())
}
