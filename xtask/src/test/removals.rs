//! Control removal: a test that passes with its protection taken out proves nothing.
//!
//! For each entry of `xtask/removals.toml` its test runs twice in a build with the
//! feature `removals`: with every protection in place, where it must pass, and with
//! the one switch thrown, where it must fail.

use std::{collections::BTreeSet, time::Instant};

use anyhow::Context as _;

use super::{
    cargo::{Reader, Report, lines},
    servers::Servers,
    table::{Suite, Table},
};
use crate::{
    process::{cargo, root},
    tidy::switches::{REGISTRY, Removal, Removals},
};

/// What a test did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did {
    Pass,
    Fail,
    NotRun,
}

impl Did {
    fn text(self) -> &'static str {
        match self {
            Self::Pass => "passes",
            Self::Fail => "fails",
            Self::NotRun => "did not run",
        }
    }
}

/// Runs every removal.
pub(super) fn run(table: &mut Table, servers: &Servers) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(root().join(REGISTRY)).unwrap_or_default();
    let removals: Removals = toml::from_str(&text).context(REGISTRY)?;
    let started = Instant::now();
    let mut suite = Suite { name: "removals".into(), ..Suite::default() };
    let packages: BTreeSet<&str> = removals.removal.iter().map(|it| it.package.as_str()).collect();
    for package in packages {
        println!("building the tests of {package} with --features removals");
        let mut build = cargo();
        build.args(["test", "--quiet", "--no-run", "-p", package, "--features", "removals"]);
        lines(&mut build, |line| println!("{line}"))?;
    }
    println!("\n{:<26}{:<14}{:<14}test", "switch", "in place", "taken out");
    for removal in &removals.removal {
        let (in_place, taken_out) =
            (test(removal, "", servers)?, test(removal, &removal.switch, servers)?);
        println!(
            "{:<26}{:<14}{:<14}{}",
            removal.switch,
            in_place.text(),
            taken_out.text(),
            removal.test
        );
        if in_place == Did::Pass && taken_out == Did::Fail {
            suite.passed += 1;
        } else {
            suite.failed += 1;
            table.failure(format!(
                "removal of {}: {} {} in place, {} taken out",
                removal.switch,
                removal.test,
                in_place.text(),
                taken_out.text()
            ));
        }
    }
    suite.time = started.elapsed();
    if removals.removal.is_empty() {
        table.skipped_suite(format!("removals: {REGISTRY} registers none"));
    } else {
        table.ran(suite);
    }
    Ok(())
}

/// Runs the removal's test with this switch thrown; none where it is empty.
fn test(removal: &Removal, thrown: &str, servers: &Servers) -> anyhow::Result<Did> {
    let name = removal.test.rsplit("::").next().unwrap_or_default();
    let mut command = cargo();
    command.args(["test", "--no-fail-fast", "-p", &removal.package, "--features", "removals"]);
    command.arg("--").arg(name).env("MAINSTAY_REMOVE", thrown);
    command.envs(servers.environment());
    let mut reader = Reader::default();
    let status = lines(&mut command, |line| reader.read(line))?;
    Ok(did(&reader.finish(status.success()), name))
}

/// What the report says of the test with this name. Substrings of other names do not count.
fn did(report: &Report, name: &str) -> Did {
    let is_it = |full: &String| full.rsplit([':', ' ']).next() == Some(name);
    if report.failures.iter().any(is_it) {
        Did::Fail
    } else if report.passes.iter().any(is_it) {
        Did::Pass
    } else {
        Did::NotRun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_test_counts() {
        let mut report = Report {
            passes: vec!["gate::a_guard_holds".into()],
            failures: vec!["mainstay_plan: gate::a_guard_holds_too".into()],
            ..Report::default()
        };
        assert_eq!(did(&report, "a_guard_holds"), Did::Pass);
        assert_eq!(did(&report, "a_guard_holds_too"), Did::Fail);
        assert_eq!(did(&report, "guard_holds"), Did::NotRun);
        report.failures = vec!["cargo test: did not build or run".into()];
        report.passes.clear();
        assert_eq!(did(&report, "a_guard_holds"), Did::NotRun);
    }
}
