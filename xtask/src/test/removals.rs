//! Control removal: a test that passes with its protection taken out proves nothing.
//!
//! For each entry of `xtask/removals.toml` its test runs twice in a build with the
//! feature `removals`: with every protection in place, beside all others, where it must
//! pass, and alone with the one switch thrown, where it must fail.

use std::time::Instant;

use anyhow::Context as _;

use super::{
    cargo::{Binary, Report},
    servers::Servers,
    table::{Suite, Table},
};
use crate::{
    process::root,
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
    println!("building all tests with --features removals");
    let tests = Tests::build(&removals, servers)?;
    println!("\n{:<34}{:<14}{:<14}test", "switch", "in place", "taken out");
    for removal in &removals.removal {
        let [in_place, taken_out] = tests.of(removal)?;
        println!(
            "{:<34}{:<14}{:<14}{}",
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

/// The tests of all removals.
struct Tests<'s> {
    servers: &'s Servers,
    /// Those that may hold one, and what each reported with every protection in place.
    binaries: Vec<(Binary, Report)>,
}

impl<'s> Tests<'s> {
    fn build(removals: &Removals, servers: &'s Servers) -> anyhow::Result<Self> {
        let mut tests = Self { servers, binaries: Vec::new() };
        let names: Vec<&str> = removals.removal.iter().map(name).collect();
        for binary in Binary::build_all("removals")? {
            if removals.removal.iter().any(|removal| removal.package == binary.package) {
                let report = tests.run(&binary, &names, "")?;
                tests.binaries.push((binary, report));
            }
        }
        Ok(tests)
    }

    /// What the removal's test did: with every protection in place, and with its own taken out.
    fn of(&self, removal: &Removal) -> anyhow::Result<[Did; 2]> {
        let name = name(removal);
        let of_package = self.binaries.iter().filter(|(it, _)| it.package == removal.package);
        for (binary, in_place) in of_package {
            let in_place = did(in_place, name);
            if in_place != Did::NotRun {
                let taken_out = self.run(binary, &[name], &removal.switch)?;
                return Ok([in_place, did(&taken_out, name)]);
            }
        }
        Ok([Did::NotRun; 2])
    }

    /// Runs tests with this switch thrown; none where it is empty.
    fn run(&self, binary: &Binary, names: &[&str], thrown: &str) -> anyhow::Result<Report> {
        let mut environment = self.servers.environment();
        environment.push(("MAINSTAY_REMOVE", thrown.to_owned()));
        binary.run(names, &environment)
    }
}

/// The test's own name, without its modules.
fn name(removal: &Removal) -> &str {
    removal.test.rsplit("::").next().unwrap_or_default()
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
