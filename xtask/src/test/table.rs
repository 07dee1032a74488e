//! The closing table: what ran, what came of it, how long it took.

use std::time::Duration;

/// The column of the names is as wide as the longest, and no narrower than this.
const NAME_WIDTH_MIN: usize = 44;

/// What one suite reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
    pub(super) time: Duration,
}

/// Everything that ran, and everything that did not.
#[derive(Debug, Default)]
pub(super) struct Table {
    ran: Vec<Suite>,
    failures: Vec<String>,
    skipped_tests: Vec<String>,
    skipped_suites: Vec<String>,
}

impl Table {
    /// Notes a suite that ran.
    pub(super) fn ran(&mut self, suite: Suite) {
        self.ran.push(suite);
    }

    /// Notes a failure by its name; the suite counts it.
    pub(super) fn failure(&mut self, name: impl Into<String>) {
        self.failures.push(name.into());
    }

    /// Notes a test that was left out, and why; the suite counts it.
    pub(super) fn skipped_test(&mut self, name: impl Into<String>) {
        self.skipped_tests.push(name.into());
    }

    /// Notes a suite that could not run, and why.
    pub(super) fn skipped_suite(&mut self, name: impl Into<String>) {
        self.skipped_suites.push(name.into());
    }

    /// How many tests failed.
    pub(super) fn failed(&self) -> usize {
        self.ran.iter().map(|suite| suite.failed).sum()
    }

    /// How many suites could not run.
    pub(super) fn skipped_suites(&self) -> usize {
        self.skipped_suites.len()
    }

    /// The last line.
    fn closing_line(&self) -> String {
        let passed: usize = self.ran.iter().map(|suite| suite.passed).sum();
        let skipped: usize = self.ran.iter().map(|suite| suite.skipped).sum();
        let (failed, skipped) = (self.failed(), skipped + self.skipped_suites.len());
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }

    /// Prints the table, what failed, what was skipped, and the closing line.
    pub(super) fn print(&self) {
        let mut ran: Vec<&Suite> = self.ran.iter().collect();
        ran.sort_by_key(|suite| std::cmp::Reverse(suite.time));
        let longest = ran.iter().map(|suite| suite.name.chars().count() + 1).max();
        let width = longest.unwrap_or(0).max(NAME_WIDTH_MIN);
        println!(
            "\n{:<width$}{:>8}{:>8}{:>9}{:>10}",
            "what ran", "passed", "failed", "skipped", "time"
        );
        for suite in ran {
            println!(
                "{:<width$}{:>8}{:>8}{:>9}{:>8.1} s",
                suite.name,
                suite.passed,
                suite.failed,
                suite.skipped,
                suite.time.as_secs_f64()
            );
        }
        for (title, names) in [
            ("failed", &self.failures),
            ("skipped", &self.skipped_tests),
            ("did not run", &self.skipped_suites),
        ] {
            for name in names {
                println!("{title}: {name}");
            }
        }
        println!("\n{}", self.closing_line());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_sums_what_ran_and_what_did_not() {
        let mut table = Table::default();
        table.ran(Suite { passed: 3, skipped: 1, ..Suite::default() });
        table.ran(Suite { passed: 2, failed: 1, ..Suite::default() });
        table.skipped_suite("supabase-js: node is not installed");
        assert_eq!(table.closing_line(), "5 passed, 1 failed, 2 skipped");
        assert_eq!((table.failed(), table.skipped_suites()), (1, 1));
    }
}
