//! A chain of twelve migrations, written by the tool for an app that evolves, over tables of
//! 100,000 rows, on SQLite and on PostgreSQL: each is killed in the middle and run again.
//!
//! What is shown: a database is at one version or the next and never between, whatever the
//! moment of a `kill -9`; a migration that was killed runs again; both engines end with the
//! same tables and the same rows, and with the tables that the last models make at once.
//! When a process is killed decides nothing but how much is shown: what is found must be
//! one of two states, both of which are known beforehand, from a copy that was left in peace.

mod app;
mod chain;
mod engine;
mod kill;
mod models;
mod postgres;
mod rows;
mod sqlite;
mod walk;

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use self::{
    chain::Version,
    engine::{Engine, Place},
    rows::Client,
    sqlite::Sqlite,
    walk::{Kills, Walk},
};
use super::table::{Suite, Table};
use crate::{
    process::{Server, debug_binary},
    scratch::Scratch,
    services::postgres_program,
    tools::{Missing, ensure as ensure_tool, ensure_found},
};

/// The rows' names in the closing table.
const CHAIN: &str = "migrations, killed and run again";
const EQUAL: &str = "migrations end alike on SQLite and PostgreSQL";

/// Walks the chain on each engine, compares, and notes what came of it.
pub(super) fn run(table: &mut Table, missing: Missing) -> anyhow::Result<()> {
    if let Err(why) = ensure_tool("sqlite3", "sqlite3", missing) {
        table.skipped_suite(format!("{CHAIN}: {why}"));
        return Ok(());
    }
    let postgres = ensure_found(postgres_program, "initdb", "postgresql", missing);
    let binary = debug_binary()?;
    let scratch = Scratch::new("migrations")?;
    let versions = match chain::write(&binary, &scratch.join("apps")) {
        Ok(versions) => versions,
        Err(error) => {
            note(table, CHAIN.to_owned(), Duration::ZERO, Err(error));
            return Ok(());
        }
    };
    println!("{CHAIN}: {} versions of an app", versions.len());
    let stage = Stage { binary: &binary, scratch: &scratch, versions: &versions };
    let (sqlite, postgres) = thread::scope(|scope| {
        let sqlite = scope.spawn(|| stage.walk(|| Sqlite::new(scratch.join("sqlite"))));
        let postgres = postgres.map(|_| stage.walk(postgres::Server::start));
        (sqlite.join().expect("BUG: a walk panicked"), postgres)
    });
    let sqlite = stage.note(table, "SQLite", sqlite);
    let postgres = match postgres {
        Ok(walked) => stage.note(table, "PostgreSQL", walked),
        Err(why) => {
            table.skipped_suite(format!("{CHAIN}, on PostgreSQL: {why}"));
            table.skipped_suite(format!("{EQUAL}: there is no PostgreSQL"));
            return Ok(());
        }
    };
    if let (Some(sqlite), Some(postgres)) = (sqlite, postgres) {
        let started = Instant::now();
        let outcome = stage.compare(sqlite, postgres);
        note(table, EQUAL.to_owned(), started.elapsed(), outcome.map(|()| 1));
    }
    Ok(())
}

/// What every walk is given.
struct Stage<'s> {
    binary: &'s Path,
    scratch: &'s Scratch,
    versions: &'s [Version],
}

/// A walk, how long it took, and what came of it.
type Walked<'w, E> = (Duration, anyhow::Result<(Walk<'w, E>, Kills)>);

impl<'s> Stage<'s> {
    fn walk<E: Engine>(&self, start: impl FnOnce() -> anyhow::Result<E>) -> Walked<'s, E> {
        let started = Instant::now();
        let walked = start().and_then(|engine| {
            let (binary, scratch) = (self.binary, self.scratch.join(""));
            let mut walk = Walk { binary, engine, scratch };
            let kills = walk.go(self.versions)?;
            ensure!(
                kills.migrations * 2 > self.versions.len(),
                "only {} migrations were killed in the middle, by {} of {} kills",
                kills.migrations,
                kills.in_the_middle,
                kills.all
            );
            Ok((walk, kills))
        });
        (started.elapsed(), walked)
    }

    /// Notes a walk, and returns it where it came to its end.
    fn note<'w, E>(
        &self,
        table: &mut Table,
        on: &str,
        walked: Walked<'w, E>,
    ) -> Option<Walk<'w, E>> {
        let (time, walked) = walked;
        let name = format!("{CHAIN}, on {on}");
        let (walk, kills) = match walked {
            Ok(walked) => walked,
            Err(error) => {
                note(table, name, time, Err(error));
                return None;
            }
        };
        let Kills { all, in_the_middle, migrations } = kills;
        println!(
            "{on}: {migrations} migrations killed in the middle, by {in_the_middle} of {all} kills"
        );
        let name = format!("{name}, {in_the_middle} times in the middle");
        note(table, name, time, Ok(self.versions.len() - 1));
        Some(walk)
    }

    /// Compares tables and rows of both, and the tables with those of a new database.
    fn compare(
        &self,
        mut sqlite: Walk<'_, Sqlite>,
        mut postgres: Walk<'_, postgres::Server>,
    ) -> anyhow::Result<()> {
        let last = self.versions.last().context("BUG: there is a version")?;
        let fresh = self.scratch.join("fresh");
        chain::without_migrations(last, &fresh)?;
        let one = self.arrive(&mut sqlite, last, &fresh)?;
        let other = self.arrive(&mut postgres, last, &fresh)?;
        same_lines(("SQLite", &one.schema), ("PostgreSQL", &other.schema))?;
        let mut servers = [("SQLite", one.client), ("PostgreSQL", other.client)];
        let rows = rows::compare(&mut servers)?;
        [one.server, other.server].into_iter().for_each(Server::stop);
        println!("{rows} rows and {} lines of schema are equal on both", one.schema.len());
        Ok(())
    }

    /// Serves the end of the chain, whose tables have to be those of a new database.
    fn arrive<E: Engine>(
        &self,
        walk: &mut Walk<'_, E>,
        last: &Version,
        fresh: &Path,
    ) -> anyhow::Result<Arrived> {
        walk.serve(fresh, Place::Fresh)?.0.stop();
        let schema = walk.engine.schema(Place::App)?;
        let made_at_once = walk.engine.schema(Place::Fresh)?;
        same_lines(("the migrated one", &schema), ("the new one", &made_at_once))
            .with_context(|| walk.engine.name())?;
        let (server, client) = walk.serve(&last.folder, Place::App)?;
        Ok(Arrived { schema, server, client })
    }
}

/// An engine at the end of the chain, served.
struct Arrived {
    schema: Vec<String>,
    server: Server,
    client: Client,
}

fn same_lines(one: (&str, &[String]), other: (&str, &[String])) -> anyhow::Result<()> {
    let only = |mine: &[String], theirs: &[String]| -> Vec<String> {
        mine.iter().filter(|line| !theirs.contains(line)).cloned().collect()
    };
    let (mine, theirs) = (only(one.1, other.1), only(other.1, one.1));
    ensure!(!one.1.is_empty(), "there are no tables");
    ensure!(
        mine.is_empty() && theirs.is_empty(),
        "only {} has {mine:?}; only {} has {theirs:?}",
        one.0,
        other.0
    );
    Ok(())
}

fn note(table: &mut Table, name: String, time: Duration, outcome: anyhow::Result<usize>) {
    let mut suite = Suite { name, time, ..Suite::default() };
    match outcome {
        Ok(passed) => suite.passed = passed,
        Err(error) => {
            table.failure(format!("{}: {error:#}", suite.name));
            suite.failed = 1;
        }
    }
    table.ran(suite);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_only_one_has_is_named_with_its_side() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let same = |one: &str, other: &str| same_lines(("A", &lines(one)), ("B", &lines(other)));
        assert!(same("a b", "b a").is_ok());
        let told = same("a b", "a c").unwrap_err().to_string();
        assert_eq!(told, "only A has [\"b\"]; only B has [\"c\"]");
        assert!(same_lines(("A", &[]), ("B", &[])).is_err());
    }
}
