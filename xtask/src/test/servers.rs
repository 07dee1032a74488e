//! The servers that some tests want, and what is left out where one is not there.
//!
//! Such a test reads its server's address from the environment and fails without it,
//! so that it can never pass unseen. Here it is told from the others: by its package,
//! all of which wants the server, or by its name, in which the module it stands in is
//! called after the server.

use super::table::{Suite, Table};
use crate::{
    services::{Absence, Kind, Services},
    tools::Missing,
};

/// The packages whose tests all want this server.
fn packages(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Postgres => &["mainstay-store-postgres"],
        Kind::PgBouncer | Kind::Smtp => &[],
    }
}

/// What stands in the name of every other test that wants it: `mod on_postgres`.
fn module(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "on_postgres",
        Kind::PgBouncer => "on_pgbouncer",
        Kind::Smtp => "on_smtp",
    }
}

/// The servers that run, and those that do not.
#[derive(Debug)]
pub(super) struct Servers {
    services: Services,
}

impl Servers {
    /// Starts them and notes those that do not run: a missing one is a suite left out,
    /// one that does not start is a failure.
    pub(super) fn start(table: &mut Table, missing: Missing) -> Self {
        let servers = Self { services: Services::start(missing, &[]) };
        for (kind, absence) in servers.absent() {
            let name = format!("tests on {}", kind.name());
            match absence {
                Absence::Missing(why) => table.skipped_suite(format!("{name}: {why}")),
                Absence::Broken(error) => {
                    table.failure(format!("{name}: {error:#}"));
                    table.ran(Suite { name, failed: 1, ..Suite::default() });
                }
            }
        }
        servers
    }

    /// Where the running ones are, for the environment of tests.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        self.services.environment()
    }

    /// Where this one is, if it runs.
    pub(super) fn url(&self, kind: Kind) -> Option<String> {
        let mut environment = self.environment().into_iter();
        environment.find(|(name, _)| *name == kind.variable()).map(|(_, url)| url)
    }

    /// Arguments by which `cargo test` leaves out what cannot run.
    pub(super) fn left_out(&self) -> Vec<&'static str> {
        let absent: Vec<Kind> = self.absent().map(|(kind, _)| kind).collect();
        left_out(&absent)
    }

    fn absent(&self) -> impl Iterator<Item = (Kind, &Absence)> {
        Kind::ALL.into_iter().filter_map(|kind| Some((kind, self.services.absence(kind)?)))
    }
}

fn left_out(absent: &[Kind]) -> Vec<&'static str> {
    let packages = absent.iter().flat_map(|kind| packages(*kind));
    let mut arguments: Vec<&str> = packages.flat_map(|package| ["--exclude", package]).collect();
    arguments.push("--");
    arguments.extend(absent.iter().flat_map(|kind| ["--skip", module(*kind)]));
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wants_an_absent_server_is_left_out_and_nothing_else() {
        assert_eq!(left_out(&[]), ["--"]);
        assert_eq!(
            left_out(&[Kind::Postgres]),
            ["--exclude", "mainstay-store-postgres", "--", "--skip", "on_postgres"]
        );
        assert_eq!(left_out(&[Kind::PgBouncer]), ["--", "--skip", "on_pgbouncer"]);
    }
}
