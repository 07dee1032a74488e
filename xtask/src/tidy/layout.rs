//! The tree: no `mod.rs`, no drawer without a label, no file that holds two things.
//!
//! A file that is too long today stands in `xtask/tidy-ratchet.toml` with its
//! length, and may only shrink.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;
use serde::Deserialize;

use super::{Finding, tree::Tree};

/// Lines a file may have before its tests.
const LINES_MAX: usize = 600;

/// Where long files are listed.
const RATCHET: &str = "xtask/tidy-ratchet.toml";

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 8] =
    ["common", "helper", "helpers", "manager", "misc", "util", "utilities", "utils"];

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratchet {
    #[serde(default)]
    lines: BTreeMap<String, usize>,
}

/// Runs the check.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        findings.extend(name(&file.path));
    }
    match ratchet(tree) {
        Ok(ratchet) => findings.extend(lengths(tree, &ratchet)),
        Err(error) => findings.push(Finding::new(
            RATCHET,
            0,
            format!("{error:#}"),
            "[lines] with a path and a number on each line",
            "mend it",
        )),
    }
    findings
}

/// Lowers each entry to what its file measures, and drops those no longer needed.
pub(super) fn shrink(tree: &Tree, root: &Path) -> anyhow::Result<()> {
    let mut ratchet = ratchet(tree)?;
    for (path, most) in &mut ratchet.lines {
        *most = (*most).min(length(tree, path).unwrap_or(0));
    }
    ratchet.lines.retain(|_, most| *most > LINES_MAX);
    let mut text = String::from(HEAD);
    for (path, most) in &ratchet.lines {
        text.push_str(&format!("{path:?} = {most}\n"));
    }
    fs::write(root.join(RATCHET), text).context("writing the ratchet")
}

const HEAD: &str = "# Files longer than 600 lines before their tests. They may only shrink:
# `cargo xtask tidy --shrink` lowers a number, nobody raises one.
[lines]
";

fn ratchet(tree: &Tree) -> anyhow::Result<Ratchet> {
    let Some(file) = tree.get(RATCHET) else { return Ok(Ratchet::default()) };
    Ok(toml::from_str(&file.text)?)
}

fn length(tree: &Tree, path: &str) -> Option<usize> {
    tree.get(path).filter(|file| !file.is_test()).map(super::tree::File::lines_before_tests)
}

fn name(path: &str) -> Option<Finding> {
    if path.ends_with("/mod.rs") {
        return Some(Finding::new(
            path,
            0,
            "a file called mod.rs",
            "`foo.rs` beside `foo/`",
            "move it up and give it its directory's name",
        ));
    }
    let empty = path.trim_end_matches(".rs").split('/').find(|part| EMPTY_NAMES.contains(part))?;
    Some(Finding::new(
        path,
        0,
        format!("`{empty}` says nothing of what is inside"),
        "a name that is a noun of the field",
        "name it after the one thing it holds, or give its parts to those who use them",
    ))
}

fn lengths(tree: &Tree, ratchet: &Ratchet) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let Some(lines) = length(tree, &file.path) else { continue };
        let most = ratchet.lines.get(&file.path).copied().unwrap_or(LINES_MAX);
        if lines > most {
            findings.push(Finding::new(
                &file.path,
                most + 1,
                format!("{lines} lines before its tests"),
                format!("at most {most}"),
                "it holds two things: give the second a file of its own",
            ));
        }
    }
    for (path, &most) in &ratchet.lines {
        let lines = length(tree, path).unwrap_or(0);
        if lines < most || most <= LINES_MAX {
            findings.push(Finding::new(
                RATCHET,
                0,
                format!("{path} is listed with {most} lines and has {lines}"),
                "the ratchet is as tight as the tree",
                "run `cargo xtask tidy --shrink`",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).into_iter().map(|it| format!("{}: {}", it.path, it.what)).collect()
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let long = "x\n".repeat(601);
        let tested = format!("{}#[cfg(test)]\nmod tests {{\n{long}}}\n", "x\n".repeat(600));
        assert_eq!(
            found(&[("a/b.rs", &long), ("a/c.rs", &tested), ("a/tests/d.rs", &long)]),
            ["a/b.rs: 601 lines before its tests"]
        );
    }

    #[test]
    fn a_listed_file_may_shrink_and_not_grow() {
        let ratchet = "[lines]\n\"a/b.rs\" = 700\n";
        let with = |lines: usize| found(&[("a/b.rs", &"x\n".repeat(lines)), (RATCHET, ratchet)]);
        assert_eq!(with(700), Vec::<String>::new());
        assert_eq!(with(701), ["a/b.rs: 701 lines before its tests"]);
        assert_eq!(with(650).len(), 1);
        assert!(with(650)[0].starts_with(RATCHET));
    }

    #[test]
    fn mod_rs_and_empty_names_are_found() {
        assert_eq!(found(&[("a/mod.rs", ""), ("a/utils.rs", ""), ("a/posts.rs", "")]).len(), 2);
    }
}
