//! Mainstay before a proxy before PostgreSQL, and what is done to the latter two.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};

use super::{
    load::{FLAGS, write_fixed_rows},
    proxy::{Cuts, Mode, Proxy},
    verdict::REQUEST_MS,
};
use crate::{
    bench::contender::write_app,
    http::Connection,
    process::{Server, free_address, tail},
    scratch::Scratch,
    services::{Postgres, Stop},
};

const MODEL: &str = "\
[fields]
n = { type = \"int\", required = true }
note = \"text\"
FLAGS
[rules]
read = \"true\"
create = \"true\"
";

/// Everything that one fault needs. They end in the order in which they stand here.
#[derive(Debug)]
pub(super) struct Stand {
    mainstay: Server,
    proxy: Proxy,
    replica: Option<Postgres>,
    postgres: Postgres,
    scratch: Scratch,
}

/// Who is there to take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heir {
    /// Nobody.
    None,
    /// A replica that has every commit before it is acknowledged.
    Replica,
}

impl Stand {
    /// Starts all of it, with an empty database that Mainstay fills.
    pub(super) fn start(binary: &Path, heir: Heir) -> anyhow::Result<Self> {
        let postgres = Postgres::start_new(&[])?;
        let replica = match heir {
            Heir::None => None,
            Heir::Replica => Some(replica(&postgres)?),
        };
        let proxy = Proxy::start(postgres.port())?;
        let ports = [Some(proxy.port()), replica.as_ref().map(Postgres::port)];
        let hosts: Vec<String> =
            ports.into_iter().flatten().map(|port| format!("127.0.0.1:{port}")).collect();
        let url = format!("postgres://postgres@{}/postgres", hosts.join(","));
        let settings = format!(
            "[app]\nname = \"faults\"\n\n[auth]\nconfirm_email = false\n\n[database]\nurl = \"{url}\"\n\n\
             [limits]\nrequest_ms = {REQUEST_MS}\n"
        );
        let scratch = Scratch::new(&format!("faults-{}", proxy.port()))?;
        let app = scratch.join("app");
        let flags = (0..FLAGS).map(|at| format!("flag{at} = \"bool\"\n")).collect::<String>();
        let model = MODEL.replace("FLAGS\n", &flags);
        write_app(&app, &[("mainstay.toml", &settings), ("models/entries.toml", &model)])?;
        let address = free_address()?;
        let mut command = Command::new(binary);
        command.arg("serve").arg(&app).args(["--listen", &address]);
        command.env_remove("MAINSTAY_DATABASE__URL");
        let mainstay = Server::start(command, address, "/readyz", &scratch.join("server.log"))?;
        write_fixed_rows(&mainstay.address)?;
        Ok(Self { mainstay, proxy, replica, postgres, scratch })
    }

    /// Where Mainstay listens.
    pub(super) fn address(&self) -> String {
        self.mainstay.address.clone()
    }

    /// Has the proxy do something else.
    pub(super) fn set(&self, mode: Mode) {
        self.proxy.set(mode);
    }

    /// How often the proxy has cut connections.
    pub(super) fn cuts(&self) -> Cuts {
        self.proxy.cuts()
    }

    /// Ends PostgreSQL as a crash would.
    pub(super) fn crash(&mut self) -> anyhow::Result<()> {
        self.postgres.stop(Stop::Immediate)
    }

    /// Starts it again.
    pub(super) fn recover(&mut self) -> anyhow::Result<()> {
        self.postgres.start()
    }

    /// Has the replica take over.
    pub(super) fn promote(&mut self) -> anyhow::Result<()> {
        self.replica.as_ref().context("BUG: there is a replica")?.promote()
    }

    /// The numbers that are stored, whoever is the primary now, and how many events of
    /// them the outbox has.
    pub(super) fn stored(&self) -> anyhow::Result<(Vec<i64>, usize)> {
        let primary = self.replica.as_ref().unwrap_or(&self.postgres);
        let numbers = primary.ask("SELECT n FROM entries ORDER BY n")?;
        let numbers = numbers.lines().map(str::parse).collect::<Result<_, _>>()?;
        let events =
            "SELECT coalesce(sum(json_array_length(events::json)), 0) FROM mainstay_outbox";
        Ok((numbers, primary.ask(events)?.parse()?))
    }

    /// Whether the process lives, which was never started again, and nothing in it
    /// panicked.
    pub(super) fn verify_alive(&self) -> anyhow::Result<()> {
        let said = Connection::open(&self.mainstay.address)?.get("/healthz")?;
        ensure!(said.status == 200, "/healthz is answered with {}", said.status);
        let log = self.log()?;
        let panic = log.lines().find(|line| line.contains("panicked"));
        ensure!(panic.is_none(), "its log says: {}", panic.unwrap_or_default());
        Ok(())
    }

    /// The last lines of Mainstay's log that say more than that a request failed.
    pub(super) fn log_end(&self, lines: usize) -> String {
        let log = self.log().unwrap_or_default();
        let telling: Vec<&str> = log.lines().filter(|it| !it.contains(" a request ")).collect();
        tail(&telling.join("\n"), lines)
    }

    fn log(&self) -> anyhow::Result<String> {
        Ok(fs::read_to_string(self.scratch.join("server.log"))?)
    }
}

/// A replica without whose word no commit is acknowledged.
fn replica(primary: &Postgres) -> anyhow::Result<Postgres> {
    let replica = primary.replica()?;
    primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")?;
    primary.ask("SELECT pg_reload_conf()")?;
    replica.catch_up(primary)?;
    Ok(replica)
}
