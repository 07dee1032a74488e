//! One engine's way through the chain: every migration is killed in the middle, again and
//! again, and then left to run.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value as Json;

use super::{
    chain::Version,
    engine::{Engine, Place},
    kill::{Met, Moment, kill, measure},
    rows::{Client, seed},
};
use crate::process::{Server, free_address, output};

/// Up to which part of its time a migration is killed, each later on than the one before.
/// Times differ from one run to the next, and one that was over showed nothing.
const PART_MAX: f64 = 0.6;

/// What killing came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kills {
    /// All of them.
    pub(super) all: usize,
    /// Those that met a transaction under way, of which nothing was left.
    pub(super) in_the_middle: usize,
    /// The migrations that they were of.
    pub(super) migrations: usize,
}

/// A walk on one engine.
#[derive(Debug)]
pub(super) struct Walk<'w, E> {
    pub(super) binary: &'w Path,
    pub(super) engine: E,
    /// Where servers' logs go.
    pub(super) scratch: PathBuf,
}

/// What a database is, with every row.
#[derive(Debug, PartialEq, Eq)]
struct State {
    schema: Vec<String>,
    rows: Vec<String>,
}

impl<E: Engine> Walk<'_, E> {
    /// Goes from an empty database to the last version.
    pub(super) fn go(&mut self, versions: &[Version]) -> anyhow::Result<Kills> {
        let (first, rest) = versions.split_first().context("BUG: there is a first version")?;
        output(&mut self.up(first, Place::App))?;
        let (server, mut client) = self.serve(&first.folder, Place::App)?;
        seed(&mut client).context("seeding")?;
        server.stop();
        let mut before = self.state(Place::App)?;
        let mut kills = Kills::default();
        for (at, version) in rest.iter().enumerate() {
            let part = PART_MAX * (at + 1) as f64 / rest.len() as f64;
            let what = format!("{} on {}", version.name, self.engine.name());
            before = self.take(version, part, &before, &mut kills).context(what)?;
        }
        Ok(kills)
    }

    /// Applies one migration in spite of all. Returns what the database is then.
    fn take(
        &mut self,
        version: &Version,
        part: f64,
        before: &State,
        kills: &mut Kills,
    ) -> anyhow::Result<State> {
        self.engine.copy()?;
        let command = self.up(version, Place::Copy);
        let started = Instant::now();
        let writes_for = measure(&mut self.engine, command)?;
        let whole = started.elapsed();
        let after = self.state(Place::Copy)?;
        ensure!(after != *before, "the migration changes nothing");
        let (mut told, mut in_the_middle) = (Vec::new(), 0);
        for moment in self.engine.moments(part) {
            let command = self.up(version, Place::App);
            let met = kill(&mut self.engine, command, moment, writes_for)?;
            let is_applied = self.is_applied(version)?;
            let expected = if is_applied { &after } else { before };
            self.expect(expected, is_applied).with_context(|| format!("killed at {moment:?}"))?;
            kills.all += 1;
            in_the_middle += usize::from(met == Met::Writing && !is_applied);
            told.push(told_of(moment, met, is_applied));
            if is_applied {
                break;
            }
        }
        kills.in_the_middle += in_the_middle;
        kills.migrations += usize::from(in_the_middle > 0);
        output(&mut self.up(version, Place::App)).context("run again")?;
        ensure!(self.is_applied(version)?, "it is not applied though it was run again");
        self.expect(&after, true).context("run again")?;
        println!(
            "{:<11} {:04}_{:<18} writes {:>5} ms of {:>5}; {}",
            self.engine.name(),
            version.number,
            version.name,
            writes_for.as_millis(),
            whole.as_millis(),
            told.join("; ")
        );
        Ok(after)
    }

    /// Whether `migrate status` finds the last migration applied; all others have to be.
    fn is_applied(&self, version: &Version) -> anyhow::Result<bool> {
        let mut command = self.mainstay(&["migrate", "status", "--json"], &version.folder);
        command.env("MAINSTAY_DATABASE__URL", self.engine.url(Place::App));
        let status: Json = serde_json::from_str(&output(&mut command)?)?;
        ensure!(status["models_equal"] == true, "the models are not what the migrations come to");
        let migrations = status["migrations"].as_array().context("no migrations are told of")?;
        let own = migrations.iter().filter(|it| it["lineage"] == "app");
        let states: Vec<&str> = own.filter_map(|it| it["state"].as_str()).collect();
        ensure!(states.len() == version.number, "{} migrations are told of", states.len());
        match states.split_last() {
            Some((last @ (&"applied" | &"pending"), rest))
                if rest.iter().all(|it| *it == "applied") =>
            {
                Ok(*last == "applied")
            }
            _ => bail!("the migrations are {states:?}"),
        }
    }

    fn state(&mut self, place: Place) -> anyhow::Result<State> {
        Ok(State { schema: self.engine.schema(place)?, rows: self.engine.rows(place)? })
    }

    /// Finds the app's database as it is before the migration, or as it is after.
    fn expect(&mut self, expected: &State, is_applied: bool) -> anyhow::Result<()> {
        let found = self.state(Place::App)?;
        if found == *expected {
            return Ok(());
        }
        let said = if is_applied { "applied" } else { "pending" };
        let lines = |state: &State| [&state.schema[..], &state.rows[..]].concat();
        let (found, expected) = (lines(&found), lines(expected));
        let more: Vec<_> = found.iter().filter(|line| !expected.contains(line)).collect();
        let less: Vec<_> = expected.iter().filter(|line| !found.contains(line)).collect();
        bail!("it is said to be {said}; but there is {more:?}, and {less:?} is not")
    }

    /// Serves a folder as production does, which wants the tables to be what the models say.
    pub(super) fn serve(&self, folder: &Path, place: Place) -> anyhow::Result<(Server, Client)> {
        let address = free_address()?;
        let mut command = self.mainstay(&["serve"], folder);
        command.args(["--listen", &address]);
        command.env("MAINSTAY_DATABASE__URL", self.engine.url(place));
        let log = self.scratch.join(format!("{}.log", self.engine.name()));
        let server = Server::start(command, address, "/readyz", &log)?;
        let keys = output(&mut self.mainstay(&["keys", "--json"], folder))?;
        let client = Client::open(&server.address, &keys)?;
        Ok((server, client))
    }

    fn up(&self, version: &Version, place: Place) -> Command {
        let mut command = self.mainstay(&["migrate", "up"], &version.folder);
        command.env("MAINSTAY_DATABASE__URL", self.engine.url(place));
        command
    }

    fn mainstay(&self, args: &[&str], folder: &Path) -> Command {
        let mut command = Command::new(self.binary);
        command.args(args).arg(folder);
        command
    }
}

fn told_of(moment: Moment, met: Met, is_applied: bool) -> String {
    let moment = match moment {
        Moment::Part(part) => format!("killed after {:.0} %", part * 100.0),
        Moment::Late => "killed late".to_owned(),
    };
    let met = match met {
        Met::Writing => "writing",
        Met::Elsewhere => "not writing",
        Met::Ended => "ended",
    };
    format!("{moment}, {met}, {}", if is_applied { "applied" } else { "nothing left" })
}
