//! `cargo xtask test`: the one test command.
//!
//! It runs what the machine can run and names what it cannot; the closing table is
//! of what really ran, and the last line sums what the tests themselves reported.
//! With `--all` nothing is skipped: what is missing is installed, and what cannot
//! run is a failure.

mod browser;
mod cargo;
mod exchanges;
mod faults;
mod fuzz;
mod kills;
mod migrations;
mod node;
mod removals;
mod servers;
mod table;

use std::process::ExitCode;

use self::{servers::Servers, table::Table};
use crate::{
    args::{Args, Flag, Takes},
    tools::Missing,
};

/// How often `--all` kills the server.
const KILLS: u32 = 30;

const FLAGS: &[Flag] = &[
    (
        "--all",
        Takes::Nothing,
        "everything; install what is missing, fail where something cannot run",
    ),
    ("--removals", Takes::Nothing, "only: take each protection out and see its test fail"),
    (
        "--kills",
        Takes::Value,
        "only: kill the server so many times under 16 writers, and under visitors",
    ),
    ("--faults", Takes::Nothing, "only: faults between Mainstay and PostgreSQL, under load"),
    ("--migrations", Takes::Nothing, "only: a chain of migrations on both stores, each killed"),
    ("--fuzz-seconds", Takes::Value, "seconds for each fuzz target: 10"),
];

/// Runs the command.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let Some(args) = Args::parse(args, FLAGS)? else { return Ok(ExitCode::SUCCESS) };
    let all = args.has("--all");
    let missing = if all { Missing::Install } else { Missing::Skip };
    let kills: Option<u32> = args.value("--kills")?;
    let removals = all || args.has("--removals");
    let faults = all || args.has("--faults");
    let migrations = all || args.has("--migrations");
    let suites = all || !(removals || faults || migrations || kills.is_some());
    let mut table = Table::default();
    if suites || removals {
        let servers = Servers::start(&mut table, missing);
        if suites {
            cargo::run(&mut table, &servers)?;
            cargo::apps_on_postgres(&mut table, &servers)?;
            node::run(&mut table, &servers, missing)?;
            browser::run(&mut table, missing)?;
            fuzz::run(&mut table, args.value("--fuzz-seconds")?.unwrap_or(10))?;
        }
        if removals {
            removals::run(&mut table, &servers)?;
        }
    }
    if let Some(rounds) = kills.or(all.then_some(KILLS)) {
        kills::run(&mut table, missing, rounds)?;
    }
    if migrations {
        migrations::run(&mut table, missing)?;
    }
    if faults {
        faults::run(&mut table, missing)?;
    }
    table.print();
    let failed = table.failed() > 0 || (all && table.skipped_suites() > 0);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
