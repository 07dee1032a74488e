//! The tests in `tests/browser`: the example blog, used with Chromium whose scripts are
//! switched off, against the debug binary.

use std::process::Command;

use super::{
    node::{binary, installed, run_tests},
    table::Table,
};
use crate::{
    process::root,
    tools::{Missing, ensure},
};

const SUITE: &str = "the blog in a browser";

/// Runs them, or notes why they cannot run.
pub(super) fn run(table: &mut Table, missing: Missing) -> anyhow::Result<()> {
    let directory = root().join("tests/browser");
    let browser = match ensure("chromium", "chromium", missing) {
        Ok(browser) => browser,
        Err(why) => {
            table.skipped_suite(format!("{SUITE}: {why}"));
            return Ok(());
        }
    };
    if let Err(why) = installed(&directory, "playwright-core", missing)? {
        table.skipped_suite(format!("{SUITE}: {why}"));
        return Ok(());
    }
    let Some(binary) = binary(table, SUITE) else { return Ok(()) };
    let mut node = Command::new("node");
    node.current_dir(directory).env("MAINSTAY_BIN", binary).env("CHROMIUM_BIN", browser);
    run_tests(table, SUITE, node)
}
