//! The scenarios in `tests/supabase-js`: the client from npm, unmodified, against
//! the debug binary, which the scenarios start themselves.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use super::{
    cargo::lines,
    table::{Suite, Table},
};
use crate::{
    process::{debug_binary, root},
    tools::{Missing, ensure},
};

const SUITE: &str = "supabase-js scenarios";

/// Runs the scenarios, or notes why they cannot run.
pub(super) fn run(table: &mut Table, missing: Missing) -> anyhow::Result<()> {
    let directory = root().join("tests/supabase-js");
    if !directory.join("package.json").exists() {
        return Ok(());
    }
    let tools = ensure("node", "nodejs", missing).and_then(|_| ensure("npm", "npm", missing));
    if let Err(why) = tools {
        table.skipped_suite(format!("{SUITE}: {why}"));
        return Ok(());
    }
    if !directory.join("node_modules/@supabase/supabase-js").exists() {
        let install = if directory.join("package-lock.json").exists() { "ci" } else { "install" };
        println!("npm {install}");
        let mut npm = Command::new("npm");
        npm.args([install, "--no-audit", "--no-fund"]).current_dir(&directory);
        if !lines(&mut npm, |line| println!("{line}"))?.success() {
            table.skipped_suite(format!("{SUITE}: npm {install} failed"));
            return Ok(());
        }
    }
    println!("node --test, in tests/supabase-js");
    let binary = match debug_binary() {
        Ok(binary) => binary,
        Err(error) => {
            table.failure(format!("{SUITE}: {error}"));
            table.ran(Suite { name: SUITE.into(), failed: 1, ..Suite::default() });
            return Ok(());
        }
    };
    let started = Instant::now();
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap"]).current_dir(&directory);
    node.env("NODE_OPTIONS", "--experimental-websocket");
    node.env("MAINSTAY_BIN", binary);
    let mut tap = Tap::default();
    let mut printed = Vec::new();
    let status = lines(&mut node, |line| {
        tap.read(line);
        printed.push(line.to_owned());
    })?;
    let suite = tap.suite(status.success(), started.elapsed());
    if suite.failed > 0 {
        printed.iter().for_each(|line| println!("{line}"));
    }
    tap.failures.into_iter().for_each(|name| table.failure(format!("{SUITE}: {name}")));
    tap.left_out.into_iter().for_each(|name| table.skipped_test(format!("{SUITE}: {name}")));
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
    fn suite(&self, success: bool, time: Duration) -> Suite {
        let silent = usize::from((!success && self.failed == 0) || self.passed.is_none());
        Suite {
            name: SUITE.into(),
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
        let suite = tap.suite(false, Duration::ZERO);
        assert_eq!((suite.passed, suite.failed, suite.skipped), (2, 1, 1));
        assert_eq!(tap.failures, ["writes"]);
        assert_eq!(tap.left_out, ["waits # SKIP why"]);
    }

    #[test]
    fn node_ending_without_a_summary_has_failed() {
        assert_eq!(Tap::default().suite(true, Duration::ZERO).failed, 1);
    }
}
