//! The tests that Node runs. The scenarios in `tests/supabase-js`: the client from npm, unmodified, against
//! the debug binary, which the scenarios start themselves; once on SQLite and once on
//! PostgreSQL, whose answers must be equal.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use super::{
    cargo::lines,
    exchanges,
    servers::Servers,
    table::{Suite, Table},
};
use crate::{
    process::{debug_binary, root},
    scratch::Scratch,
    services::{Kind, postgres_program},
    tools::{Missing, ensure},
};

const SUITE: &str = "supabase-js scenarios";
const ON_SQLITE: &str = "supabase-js scenarios on SQLite";
const ON_POSTGRES: &str = "supabase-js scenarios on PostgreSQL";

/// Runs the scenarios on either database and compares what was answered, or notes why
/// they cannot run.
pub(super) fn run(table: &mut Table, servers: &Servers, missing: Missing) -> anyhow::Result<()> {
    let directory = root().join("tests/supabase-js");
    if !directory.join("package.json").exists() {
        return Ok(());
    }
    if let Err(why) = installed(&directory, "@supabase/supabase-js", missing)? {
        table.skipped_suite(format!("{SUITE}: {why}"));
        return Ok(());
    }
    let Some(binary) = binary(table, SUITE) else { return Ok(()) };
    let scratch = Scratch::new("scenarios")?;
    let scenarios = Scenarios { directory, binary };
    let sqlite = scratch.join("sqlite");
    scenarios.run(table, ON_SQLITE, &sqlite, &[])?;
    let (Some(url), Some(psql)) = (servers.url(Kind::Postgres), postgres_program("psql")) else {
        for suite in [ON_POSTGRES, exchanges::SUITE] {
            table.skipped_suite(format!("{suite}: there is no PostgreSQL"));
        }
        return Ok(());
    };
    let psql = psql.to_string_lossy().into_owned();
    let postgres = scratch.join("postgres");
    let environment = [("SCENARIOS_POSTGRES_URL", url), ("SCENARIOS_PSQL", psql)];
    scenarios.run(table, ON_POSTGRES, &postgres, &environment)?;
    exchanges::compare(table, &sqlite, &postgres)
}

/// The binary that a suite tests. Where it cannot be built, the suite has failed.
pub(super) fn binary(table: &mut Table, suite: &str) -> Option<PathBuf> {
    let error = match debug_binary() {
        Ok(binary) => return Some(binary),
        Err(error) => error,
    };
    table.failure(format!("{suite}: {error}"));
    table.ran(Suite { name: suite.into(), failed: 1, ..Suite::default() });
    None
}

/// Makes sure of Node and of the packages that the tests of a folder want, of which this is
/// one. The inner error says, in words for the table, what is not there.
pub(super) fn installed(
    directory: &Path,
    package: &str,
    missing: Missing,
) -> anyhow::Result<Result<(), String>> {
    let tools = ensure("node", "nodejs", missing).and_then(|_| ensure("npm", "npm", missing));
    if let Err(why) = tools {
        return Ok(Err(why));
    }
    if directory.join("node_modules").join(package).exists() {
        return Ok(Ok(()));
    }
    let install = if directory.join("package-lock.json").exists() { "ci" } else { "install" };
    println!("npm {install}");
    let mut npm = Command::new("npm");
    npm.args([install, "--no-audit", "--no-fund"]).current_dir(directory);
    let success = lines(&mut npm, |line| println!("{line}"))?.success();
    Ok(if success { Ok(()) } else { Err(format!("npm {install} failed")) })
}

/// Where the scenarios are, and what they test.
#[derive(Debug)]
struct Scenarios {
    directory: PathBuf,
    binary: PathBuf,
}

impl Scenarios {
    /// Runs them all; what was asked and answered is left in a folder.
    fn run(
        &self,
        table: &mut Table,
        name: &str,
        exchanges: &Path,
        environment: &[(&str, String)],
    ) -> anyhow::Result<()> {
        let mut node = Command::new("node");
        node.current_dir(&self.directory);
        node.env("NODE_OPTIONS", "--experimental-websocket");
        node.env("MAINSTAY_BIN", &self.binary).env("SCENARIOS_EXCHANGES", exchanges);
        // The database is what the suite is named after, whatever our own environment says.
        node.env_remove("MAINSTAY_DATABASE__URL").env_remove("SCENARIOS_POSTGRES_URL");
        node.envs(environment.iter().map(|(name, value)| (name, value)));
        run_tests(table, name, node)
    }
}

/// Runs the tests of the folder that a command of Node's stands in.
pub(super) fn run_tests(table: &mut Table, name: &str, mut node: Command) -> anyhow::Result<()> {
    println!("node --test: {name}");
    let started = Instant::now();
    node.args(["--test", "--test-reporter=tap"]);
    let mut tap = Tap::default();
    let mut printed = Vec::new();
    let status = lines(&mut node, |line| {
        tap.read(line);
        printed.push(line.to_owned());
    })?;
    let suite = tap.suite(name, status.success(), started.elapsed());
    if suite.failed > 0 {
        printed.iter().for_each(|line| println!("{line}"));
    }
    tap.failures.into_iter().for_each(|test| table.failure(format!("{name}: {test}")));
    tap.left_out.into_iter().for_each(|test| table.skipped_test(format!("{name}: {test}")));
    table.ran(suite);
    Ok(())
}

/// `3 - reads one row` is `reads one row`.
fn title(line: &str) -> String {
    line.split_once(" - ").map_or(line, |(_, title)| title).to_owned()
}

/// Reads Node's report in the Test Anything Protocol.
#[derive(Debug, Default)]
struct Tap {
    passed: Option<usize>,
    failed: usize,
    skipped: usize,
    failures: Vec<String>,
    left_out: Vec<String>,
}

impl Tap {
    fn read(&mut self, line: &str) {
        let count = |name: &str| {
            line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(' ')?.parse::<usize>().ok()
        };
        if let Some(passed) = count("pass") {
            self.passed = Some(passed);
        } else if let Some(failed) = count("fail").or(count("cancelled")) {
            self.failed += failed;
        } else if let Some(skipped) = count("skipped").or(count("todo")) {
            self.skipped += skipped;
        } else if let Some(name) = line.trim_start().strip_prefix("not ok ") {
            self.failures.push(title(name));
        } else if line.contains(" # SKIP") || line.contains(" # TODO") {
            self.left_out.push(title(line));
        }
    }

    /// What was reported. A process that failed without saying what has failed once.
    fn suite(&self, name: &str, success: bool, time: Duration) -> Suite {
        let silent = usize::from((!success && self.failed == 0) || self.passed.is_none());
        Suite {
            name: name.into(),
            passed: self.passed.unwrap_or(0),
            failed: self.failed + silent,
            skipped: self.skipped,
            time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_s_summary_is_read() {
        let mut tap = Tap::default();
        let printed = "TAP version 13\nok 1 - reads\nnot ok 2 - writes\nok 3 - waits # SKIP why\n1..3\n# tests 4\n# suites 0\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n# duration_ms 9";
        printed.lines().for_each(|line| tap.read(line));
        let suite = tap.suite(ON_SQLITE, false, Duration::ZERO);
        assert_eq!((suite.passed, suite.failed, suite.skipped), (2, 1, 1));
        assert_eq!(tap.failures, ["writes"]);
        assert_eq!(tap.left_out, ["waits # SKIP why"]);
    }

    #[test]
    fn node_ending_without_a_summary_has_failed() {
        assert_eq!(Tap::default().suite(ON_SQLITE, true, Duration::ZERO).failed, 1);
    }
}
