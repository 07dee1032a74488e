//! `cargo test --workspace`, with what each test binary reported.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, PipeReader},
    path::PathBuf,
    process::{Command, ExitStatus},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::{
    servers::Servers,
    table::{Suite, Table},
};
use crate::{process::cargo, services::Kind};

/// How a message of cargo's about what it built begins.
const MESSAGE: &str = r#"{"reason":"#;

/// Runs the workspace's tests, but for those whose server is not there, and notes each
/// binary.
pub(super) fn run(table: &mut Table, servers: &Servers) -> anyhow::Result<()> {
    println!("cargo test --workspace");
    let mut command = cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]);
    // Names the package of each binary; people still read the compiler's words as ever.
    command.arg("--message-format=json-render-diagnostics").args(servers.left_out());
    let report = reported(command.envs(servers.environment()))?;
    for suite in report.suites {
        table.ran(suite);
    }
    report.failures.into_iter().for_each(|name| table.failure(name));
    report.ignored.into_iter().for_each(|name| table.skipped_test(name));
    Ok(())
}

/// What the tests of served apps are called where the apps' databases are on PostgreSQL.
const APPS_ON_POSTGRES: &str = "mainstay, tests/it/main.rs on PostgreSQL";
/// Those of them that serve no app of their own: what a command line does. The beginning of
/// their names; no other test has it in its own.
const ARE_THE_SAME: &str = "cli::";

/// Runs the tests of served apps once more, each app's database on the PostgreSQL server.
pub(super) fn apps_on_postgres(table: &mut Table, servers: &Servers) -> anyhow::Result<()> {
    let Some(url) = servers.url(Kind::Postgres) else {
        table.skipped_suite(format!("{APPS_ON_POSTGRES}: there is no PostgreSQL"));
        return Ok(());
    };
    println!("cargo test --test it, on PostgreSQL");
    let mut command = cargo();
    // Of the workspace, so that it is the binary that has been built before.
    command.args(["test", "--workspace", "--exclude", "mainstay-plan", "--test", "it"]);
    command.args(["--no-fail-fast", "--", "--skip", ARE_THE_SAME]);
    let report = reported(command.env("MAINSTAY_TEST_DATABASE_URL", url))?;
    for suite in report.suites {
        // What is left out has run before, on a database that it does not choose.
        table.ran(Suite { name: APPS_ON_POSTGRES.into(), skipped: 0, ..suite });
    }
    let on_postgres = |name| format!("{name} (on PostgreSQL)");
    report.failures.into_iter().map(on_postgres).for_each(|name| table.failure(name));
    report.ignored.into_iter().for_each(|name| table.skipped_test(name));
    Ok(())
}

/// Runs a command of cargo's, shows what is worth showing, and reads what tests reported.
fn reported(command: &mut Command) -> anyhow::Result<Report> {
    let mut reader = Reader::default();
    let status = lines(command, |line| {
        if reader.is_worth_showing(line) {
            println!("{line}");
        }
        reader.read(line);
    })?;
    Ok(reader.finish(status.success()))
}

/// Runs a command and hands over each line it prints, on either stream, in order.
pub(super) fn lines(
    command: &mut Command,
    mut take: impl FnMut(&str),
) -> anyhow::Result<ExitStatus> {
    let (reader, writer): (PipeReader, _) = std::io::pipe()?;
    let mut child = command
        .stdin(std::process::Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .with_context(|| format!("starting {}", command.get_program().display()))?;
    // The command keeps the writing end open; reading would never end.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        take(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok(child.wait()?)
}

/// What `cargo test` said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) suites: Vec<Suite>,
    pub(super) failures: Vec<String>,
    pub(super) ignored: Vec<String>,
    /// Tests that passed, by full name.
    pub(super) passes: Vec<String>,
}

/// Reads the output of `cargo test` line by line.
#[derive(Debug, Default)]
pub(super) struct Reader {
    report: Report,
    /// The package of each binary, by the binary's file name, where cargo told it.
    packages: BTreeMap<String, String>,
    /// The binary under way, and whether it has reported.
    current: Option<(String, bool)>,
}

impl Reader {
    /// Whether a person wants to see the line: not the tests that pass.
    fn is_worth_showing(&self, line: &str) -> bool {
        let line = line.trim_start();
        let routine = line.is_empty()
            || line.starts_with(MESSAGE)
            || (line.starts_with("test ") && line.ends_with("... ok"))
            || ["running ", "Running ", "Doc-tests ", "Compiling ", "test result: ok"]
                .iter()
                .any(|start| line.starts_with(start));
        !routine
    }

    /// Takes one line.
    pub(super) fn read(&mut self, line: &str) {
        let trimmed = line.trim_start();
        if line.starts_with(MESSAGE) {
            let binary = Binary::of_message(line);
            self.packages.extend(binary.map(|it| (file_name(&it.path).to_owned(), it.package)));
        } else if let Some(running) =
            trimmed.strip_prefix("Running ").filter(|it| it.ends_with(')'))
        {
            self.begin(binary_name(running, &self.packages));
        } else if let Some(name) = trimmed.strip_prefix("Doc-tests ") {
            self.begin(format!("{name}, examples in docs"));
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.result(result);
        } else if let Some((name, verdict)) =
            line.strip_prefix("test ").and_then(|line| line.rsplit_once(" ... "))
        {
            let name = name.to_owned();
            if verdict == "ok" {
                self.report.passes.push(name);
            } else if verdict == "FAILED" {
                let name = self.full_name(&name);
                self.report.failures.push(name);
            } else if let Some(why) = verdict.strip_prefix("ignored") {
                self.report.ignored.push(format!("{name}{}", why.replacen(',', ":", 1)));
            }
        }
    }

    fn full_name(&self, test: &str) -> String {
        self.current
            .as_ref()
            .map_or_else(|| test.to_owned(), |(binary, _)| format!("{binary}: {test}"))
    }

    fn begin(&mut self, name: String) {
        self.end();
        self.current = Some((name, false));
    }

    fn result(&mut self, result: &str) {
        let name = self.current.as_ref().map_or("", |(name, _)| name).to_owned();
        let mut suite = Suite { name, ..Suite::default() };
        for part in result.split(['.', ';']).flat_map(|part| part.split("; ")) {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what)) = (words.next(), words.next()) else { continue };
            let Ok(count) = count.parse() else { continue };
            match what {
                "passed" => suite.passed = count,
                "failed" => suite.failed = count,
                "ignored" | "filtered" => suite.skipped += count,
                _ => {}
            }
        }
        let seconds =
            result.rsplit_once("finished in ").and_then(|(_, time)| time.strip_suffix('s'));
        let seconds = seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(0.0);
        suite.time = Duration::from_secs_f64(seconds);
        if let Some((_, reported)) = &mut self.current {
            *reported = true;
        }
        match self.report.suites.last_mut().filter(|last| last.name == suite.name) {
            Some(last) => {
                last.passed += suite.passed;
                last.failed += suite.failed;
                last.skipped += suite.skipped;
                last.time += suite.time;
            }
            None => self.report.suites.push(suite),
        }
    }

    /// A binary that began and never reported has crashed.
    fn end(&mut self) {
        if let Some((name, false)) = self.current.take() {
            self.report.failures.push(format!("{name}: ended without a result"));
            self.report.suites.push(Suite { name, failed: 1, ..Suite::default() });
        }
    }

    /// Ends the reading. `success` is what the process said of itself.
    pub(super) fn finish(mut self, success: bool) -> Report {
        self.end();
        let failed: usize = self.report.suites.iter().map(|suite| suite.failed).sum();
        if !success && failed == 0 {
            self.report.failures.push("cargo test: did not build or run".into());
            let name = "cargo test".into();
            self.report.suites.push(Suite { name, failed: 1, ..Suite::default() });
        }
        // A binary without tests is nothing that ran.
        self.report.suites.retain(|suite| suite.passed + suite.failed + suite.skipped > 0);
        self.report
    }
}

/// A message of cargo's about something it has built.
#[derive(Debug, Deserialize)]
struct Artifact {
    package_id: String,
    manifest_path: PathBuf,
    executable: Option<String>,
    profile: Profile,
}

#[derive(Debug, Deserialize)]
struct Profile {
    test: bool,
}

/// A binary of tests that cargo has built.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Binary {
    pub(super) package: String,
    path: String,
    /// The package's, in which its tests run.
    folder: PathBuf,
}

impl Binary {
    /// What a message of cargo's is about, where that is such a binary: programs that tests
    /// run are built too.
    fn of_message(message: &str) -> Option<Self> {
        let artifact: Artifact = serde_json::from_str(message).ok()?;
        let path = artifact.executable.filter(|_| artifact.profile.test)?;
        // `path+file:///w/crates/store-sqlite#mainstay-store-sqlite@0.1.0`, or
        // `path+file:///w/xtask#0.1.0` where the folder is called as the package is.
        let (folder, version) = artifact.package_id.split_once('#')?;
        let package = version.split_once('@').map(|(name, _)| name);
        let package = package.or_else(|| folder.rsplit('/').next())?.to_owned();
        let folder = artifact.manifest_path.parent()?.to_owned();
        Some(Self { package, path, folder })
    }

    /// Builds all tests of the workspace with a feature, and runs none.
    pub(super) fn build_all(feature: &str) -> anyhow::Result<Vec<Self>> {
        let mut command = cargo();
        // Of the whole workspace, so that what it depends on is built as for all other tests.
        command.args(["test", "--workspace", "--tests", "--no-run", "--features", feature]);
        let mut built = Vec::new();
        let status = lines(command.arg("--message-format=json-render-diagnostics"), |line| {
            if line.starts_with(MESSAGE) {
                built.extend(Self::of_message(line));
            } else {
                println!("{line}");
            }
        })?;
        ensure!(status.success(), "cargo test --no-run: {status}");
        Ok(built)
    }

    /// Runs those of its tests that have one of these in their names.
    pub(super) fn run(
        &self,
        names: &[&str],
        environment: &[(&str, String)],
    ) -> anyhow::Result<Report> {
        let mut command = Command::new(&self.path);
        command.current_dir(&self.folder).args(names).envs(environment.iter().cloned());
        let mut reader = Reader::default();
        let status = lines(&mut command, |line| reader.read(line))?;
        Ok(reader.finish(status.success()))
    }
}

/// `unittests src/lib.rs (target/debug/deps/mainstay_core-0123)` is `mainstay_core`; and
/// `tests/store.rs (target/debug/deps/store-0123)` is `mainstay-store-sqlite, tests/store.rs`:
/// many packages may have such a file.
fn binary_name(running: &str, packages: &BTreeMap<String, String>) -> String {
    let path = running.rsplit_once('(').map_or(running, |(_, path)| path.trim_end_matches(')'));
    let file = file_name(path);
    let name = file.rsplit_once('-').map_or(file, |(name, _)| name);
    let source = running.split(" (").next().unwrap_or_default();
    match source.strip_prefix("unittests ") {
        Some("src/lib.rs") => name.to_owned(),
        Some(source) => format!("{name}, {source}"),
        None => format!("{}, {source}", packages.get(file).map_or(name, String::as_str)),
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(output: &str, success: bool) -> Report {
        let mut reader = Reader::default();
        output.lines().for_each(|line| reader.read(line));
        reader.finish(success)
    }

    const OUTPUT: &str = "\
     Running unittests src/lib.rs (target/debug/deps/mainstay_core-0123)
running 4 tests
test a::one ... ok
test a::two ... FAILED
test a::three ... ignored, wants a network
test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 2 filtered out; finished in 1.50s
     Running unittests src/main.rs (target/debug/deps/mainstay-0123)
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
   Doc-tests mainstay_core
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.25s
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.25s
";

    #[test]
    fn what_each_binary_reported_is_summed() {
        let report = report(OUTPUT, false);
        let suites: Vec<_> = report
            .suites
            .iter()
            .map(|it| (it.name.as_str(), it.passed, it.failed, it.skipped, it.time.as_millis()))
            .collect();
        assert_eq!(
            suites,
            [("mainstay_core", 2, 1, 3, 1500), ("mainstay_core, examples in docs", 3, 0, 0, 500)]
        );
        assert_eq!(report.failures, ["mainstay_core: a::two"]);
        assert_eq!(report.ignored, ["a::three: wants a network"]);
        assert_eq!(report.passes, ["a::one"]);
    }

    #[test]
    fn files_of_one_name_are_told_apart_by_their_packages() {
        let output = r#"
{"reason":"compiler-artifact","package_id":"path+file:///w/crates/store-sqlite#mainstay-store-sqlite@0.1.0","manifest_path":"/w/crates/store-sqlite/Cargo.toml","profile":{"test":true},"executable":"/w/target/debug/deps/store-01"}
{"reason":"compiler-artifact","package_id":"path+file:///w/xtask#0.1.0","manifest_path":"/w/xtask/Cargo.toml","profile":{"test":true},"executable":"/w/target/debug/deps/store-02"}
{"reason":"compiler-artifact","package_id":"path+file:///w/other#0.1.0","manifest_path":"/w/other/Cargo.toml","profile":{"test":true},"executable":null}
{"reason":"build-finished","success":true}
     Running tests/store.rs (target/debug/deps/store-01)
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.25s
     Running tests/store.rs (target/debug/deps/store-02)
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.25s
"#;
        let suites = report(output, true).suites;
        let names: Vec<_> = suites.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["mainstay-store-sqlite, tests/store.rs", "xtask, tests/store.rs"]);
        assert!(!Reader::default().is_worth_showing(r#"{"reason":"build-finished"}"#));
    }

    #[test]
    fn a_binary_that_crashes_has_failed() {
        let crashed =
            report("     Running tests/it/main.rs (target/debug/deps/it-01)\ntest a ... ", false);
        assert_eq!(crashed.suites[0].failed, 1);
        assert_eq!(crashed.failures, ["it, tests/it/main.rs: ended without a result"]);
    }

    #[test]
    fn a_workspace_that_does_not_build_has_failed() {
        assert_eq!(report("error: could not compile\n", false).suites[0].failed, 1);
        assert_eq!(report("", true), Report::default());
    }
}
