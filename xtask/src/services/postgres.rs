//! A private PostgreSQL: of the newest version that is installed, in a folder of its
//! own, on a port of its own, trusting whoever connects from this machine. One that
//! the machine runs already, on 5432, is never touched.
//!
//! Commits are durable, as they are where it counts: crash tests and the bench need
//! that, and a test that must be faster than the disk says so in the settings.

mod replica;
mod session;

pub(crate) use session::Session;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use super::supervisor::Supervisor;
use crate::process::{find, output, steady_port};

/// Where Debian puts each version's programs, under the version's number.
const VERSIONS: &str = "/usr/lib/postgresql";

/// What a server for tests differs in from a fresh one: many clients at once, and
/// ready to be followed by replicas.
const SETTINGS: [(&str, &str); 6] = [
    ("listen_addresses", "127.0.0.1"),
    ("max_connections", "200"),
    ("wal_level", "replica"),
    ("max_wal_senders", "10"),
    ("wal_keep_size", "256MB"),
    ("hot_standby", "on"),
];

/// How a server is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Clients are cut off, what was begun is rolled back, a checkpoint is written.
    #[cfg_attr(not(test), expect(dead_code, reason = "for crash tests of stores"))]
    Fast,
    /// As a crash: nothing is written any more, and the next start recovers.
    Immediate,
}

impl Stop {
    fn signal(self) -> &'static str {
        match self {
            Self::Fast => "INT",
            Self::Immediate => "QUIT",
        }
    }
}

/// A running PostgreSQL; dropped, it is killed and its folder removed.
#[derive(Debug)]
pub(crate) struct Postgres {
    supervisor: Supervisor,
    port: u16,
}

impl Postgres {
    /// Makes a cluster and starts it, with these settings after the usual ones. Fails if
    /// PostgreSQL is not installed or does not start.
    pub(crate) fn start_new(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let supervisor = Supervisor::new("postgres", Stop::Immediate.signal())?;
        let data = supervisor.join("data");
        let mut initdb = supervisor.command(&installed("initdb")?);
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
        initdb.args(["--no-sync", "--pgdata"]).arg(&data);
        output(&mut initdb)?;
        let mut file = fs::File::options().append(true).open(data.join("postgresql.conf"))?;
        for (name, value) in SETTINGS.iter().chain(settings) {
            writeln!(file, "{name} = '{}'", value.replace('\'', "''"))?;
        }
        let mut postgres = Self { supervisor, port: steady_port()? };
        postgres.start()?;
        Ok(postgres)
    }

    /// Starts it again on the port it had, after [`Self::stop`], and waits until it
    /// answers queries.
    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        let mut command = self.supervisor.command(&installed("postgres")?);
        command.arg("-D").arg(self.supervisor.join("data"));
        command.args(["-p", &self.port.to_string(), "-k"]).arg(self.supervisor.join(""));
        let url = self.url();
        self.supervisor.start(command, || query(&url, "SELECT 1").is_ok())
    }

    /// Stops it and waits for its end.
    pub(crate) fn stop(&mut self, how: Stop) -> anyhow::Result<()> {
        self.supervisor.stop(how.signal())
    }

    /// Asks with psql, as its superuser: a row on a line, its columns parted by `|`.
    pub(crate) fn ask(&self, sql: &str) -> anyhow::Result<String> {
        query(&self.url(), sql)
    }

    /// The same in another of its databases.
    pub(crate) fn ask_in(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        query(&self.url_of(database), sql)
    }

    /// One connection for many questions, to one of its databases.
    pub(crate) fn session(&self, database: &str) -> anyhow::Result<Session> {
        Session::open(&self.url_of(database))
    }

    /// The port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where its superuser finds its first database.
    pub(crate) fn url(&self) -> String {
        url(self.port)
    }

    /// Where its superuser finds another database.
    pub(crate) fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

/// A superuser's address of the first database, on a port of this machine.
pub(super) fn url(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

/// Asks with psql: a row on a line, its columns parted by `|`.
pub(super) fn query(url: &str, sql: &str) -> anyhow::Result<String> {
    Ok(output(psql(url)?.args(["-c", sql]))?.trim_end().to_owned())
}

fn psql(url: &str) -> anyhow::Result<Command> {
    let mut psql = Command::new(installed("psql")?);
    psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", url]);
    psql.env("PGCONNECT_TIMEOUT", "5").env_remove("PGOPTIONS").env("PGSSLMODE", "disable");
    Ok(psql)
}

fn installed(name: &str) -> anyhow::Result<PathBuf> {
    program(name).with_context(|| format!("{name} is not installed"))
}

/// A program of PostgreSQL's: of the newest version that Debian has installed, or else
/// the one on the `PATH`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let versions: Vec<PathBuf> = versions.map(|version| version.path()).collect();
    newest(&versions, |version| version.join("bin").join(name).is_file())
        .map(|version| version.join("bin").join(name))
        .or_else(|| find(name))
}

fn newest(versions: &[PathBuf], has_it: impl Fn(&Path) -> bool) -> Option<&Path> {
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    versions
        .iter()
        .map(PathBuf::as_path)
        .filter(|path| number(path).is_some() && has_it(path))
        .max_by_key(|path| number(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_has_the_program_is_taken() {
        let versions = ["p/9", "p/15", "p/16", "p/common"].map(PathBuf::from);
        let newest = newest(&versions, |path| !path.ends_with("16"));
        assert_eq!(newest, Some(Path::new("p/15")));
    }

    mod on_postgres {
        use super::*;

        #[test]
        fn what_was_committed_outlives_a_crash_and_is_found_at_the_same_address() {
            let mut postgres = Postgres::start_new(&[("work_mem", "7MB")]).unwrap();
            let url = postgres.url();
            let ask = |sql: &str| query(&url, sql).unwrap();
            assert_eq!(ask("SHOW work_mem"), "7MB");
            assert_eq!(ask("SHOW fsync"), "on");
            assert_eq!(ask("SHOW server_encoding"), "UTF8");
            ask("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1), (2)");
            for how in [Stop::Immediate, Stop::Fast] {
                postgres.stop(how).unwrap();
                assert!(query(&url, "SELECT 1").is_err());
                postgres.start().unwrap();
                assert_eq!(ask("SELECT n FROM kept ORDER BY n"), "1\n2");
            }
        }

        #[test]
        fn a_setting_that_does_not_exist_is_an_error_that_shows_the_log() {
            let error = Postgres::start_new(&[("no_such_setting", "1")]).unwrap_err().to_string();
            assert!(error.contains("no_such_setting"), "{error}");
        }
    }
}
