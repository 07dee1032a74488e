//! `cargo xtask tidy`: the house rules that a compiler does not know.
//!
//! Each check reads the tree and answers findings: where, what, what is expected
//! and what to do. Nothing is fixed here, except that `--shrink` lowers the ratchet
//! of long files to what they measure today; it never raises it.

mod actors;
mod docs;
mod layout;
mod phrases;
mod rooms;
mod sealed;
pub(crate) mod switches;
mod tree;

use std::{fmt, process::ExitCode};

use self::tree::Tree;
use crate::{
    args::{Args, Flag, Takes},
    process::root,
};

const FLAGS: &[Flag] =
    &[("--shrink", Takes::Nothing, "lower the ratchet to what long files measure today")];

/// One thing that is not as the house has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
    expected: String,
    to_do: String,
}

impl Finding {
    /// A finding at a line of a file, counted from 1; 0 is the file as a whole.
    fn new(
        path: impl Into<String>,
        line: usize,
        what: impl Into<String>,
        expected: impl Into<String>,
        to_do: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            line,
            what: what.into(),
            expected: expected.into(),
            to_do: to_do.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, expected, to_do } = self;
        write!(f, "{path}:{line}: {what}\n    expected: {expected}\n    to do: {to_do}")
    }
}

/// Reads the tree and answers what is not as it should be.
type Check = fn(&Tree) -> Vec<Finding>;

const CHECKS: &[Check] = &[
    sealed::check,
    rooms::check,
    layout::check,
    phrases::check,
    actors::check,
    docs::check,
    switches::check,
];

/// Runs the command.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let Some(args) = Args::parse(args, FLAGS)? else { return Ok(ExitCode::SUCCESS) };
    let tree = Tree::load(&root())?;
    if args.has("--shrink") {
        layout::shrink(&tree, &root())?;
    }
    let findings = findings(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    let (files, found) = (tree.files().len(), findings.len());
    println!("tidy: {files} files, {} checks, {found} findings", CHECKS.len());
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(tree)).collect();
    findings.sort();
    findings
}
