//! A real PostgreSQL server for tests: its own directory, a free port on the loopback, gone when it is dropped.
//!
//! Works as root too, where PostgreSQL itself refuses to run: then it runs as the user `postgres`.

use std::{
    env, fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;

/// A running server. Dropping it stops it and deletes its directory.
#[derive(Debug)]
pub struct PostgresServer {
    directory: TempDir,
    programs: PathBuf,
    as_root: bool,
    port: u16,
    databases: AtomicU32,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum TestServerError {
    /// PostgreSQL is not installed.
    #[error("postgresql is not installed; hint: apt-get install postgresql")]
    NotInstalled,
    /// A step did not work.
    #[error("cannot {action}: {detail}")]
    Step {
        /// What was attempted.
        action: &'static str,
        /// What it said.
        detail: String,
    },
}

impl PostgresServer {
    /// One server for all tests of a program; it is stopped when no test uses it any more.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn shared() -> Result<Arc<Self>, TestServerError> {
        static SHARED: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Ok(server)
    }

    /// Starts a server and returns when it answers.
    ///
    /// # Errors
    /// `NotInstalled`, upon which a test may skip itself and say so; `Step`, upon which it should fail.
    pub fn start() -> Result<Self, TestServerError> {
        let programs = programs().ok_or(TestServerError::NotInstalled)?;
        let step =
            |action| move |error: io::Error| TestServerError::Step { action, detail: error.to_string() };
        let directory = TempDir::with_prefix("parapet-postgres-").map_err(step("make a directory"))?;
        let as_root = fs::metadata("/proc/self").is_ok_and(|own| is_root(&own));
        if as_root {
            let given = Command::new("chown").arg("postgres").arg(directory.path()).output();
            check("give the directory to postgres", given)?;
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(step("find a free port"))?;
        let port = listener.local_addr().map_err(step("find a free port"))?.port();
        drop(listener);
        let server = Self { directory, programs, as_root, port, databases: AtomicU32::new(0) };
        let data = server.data();
        let data = data.to_string_lossy();
        check(
            "make a cluster",
            server.run(
                "initdb",
                &["-D", &data, "-U", "parapet", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            ),
        )?;
        // Durability is PostgreSQL's own matter; tests need not wait for the disk.
        let options =
            format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off");
        let log = server.directory.path().join("log");
        let log = log.to_string_lossy();
        let started =
            server.run("pg_ctl", &["-D", &data, "-l", &log, "-w", "-t", "60", "-o", &options, "start"]);
        check("start the server", started)?;
        Ok(server)
    }

    /// The address of a new, empty database.
    ///
    /// # Errors
    /// `Step` when it cannot be made.
    pub fn database(&self) -> Result<String, TestServerError> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let port = self.port.to_string();
        let made = self.run("createdb", &["-h", "127.0.0.1", "-p", &port, "-U", "parapet", &name]);
        check("make a database", made)?;
        Ok(format!("postgres://parapet@127.0.0.1:{port}/{name}"))
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn run(&self, program: &str, arguments: &[&str]) -> io::Result<Output> {
        let program = self.programs.join(program);
        let mut command = if self.as_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(arguments).current_dir(self.directory.path()).env("LC_ALL", "C").output()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let data = self.data();
        // Should it not stop, its directory goes all the same and it ends by itself.
        drop(self.run("pg_ctl", &["-D", &data.to_string_lossy(), "-m", "immediate", "stop"]));
    }
}

/// Where `initdb` is: on the path, or where Debian puts it; the newest version.
fn programs() -> Option<PathBuf> {
    let is_there = |directory: &Path| directory.join("initdb").exists() && directory.join("pg_ctl").exists();
    let mut debian: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, path)| is_there(path))
        .collect();
    debian.sort();
    let newest = debian.pop().map(|(_, path)| path);
    newest.or_else(|| env::split_paths(&env::var_os("PATH")?).find(|path| is_there(path)))
}

#[cfg(unix)]
fn is_root(own: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    own.uid() == 0
}

fn check(action: &'static str, output: io::Result<Output>) -> Result<(), TestServerError> {
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            Err(TestServerError::Step { action, detail: said.join("\n") })
        }
        Err(error) => Err(TestServerError::Step { action, detail: error.to_string() }),
    }
}
