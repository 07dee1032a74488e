//! Documents that promise: `docs/rest.md` says of each feature which test shows it
//! or why it is refused, `docs/security.md` of each protection which test falls when
//! it is taken out. What they name must exist.

use std::collections::BTreeSet;

use super::{
    Finding,
    switches::{Removals, switches_in_code},
    tree::{File, Tree},
};

const REST: &str = "docs/rest.md";
const SECURITY: &str = "docs/security.md";

/// Where the closed list of reasons stands, as an enum with a text for each.
const REASONS: &str = "crates/web/src/rest/features.rs";

/// Runs the check.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let tests = tests(tree);
    let mut findings = Vec::new();
    match tree.get(REST) {
        Some(file) => findings.extend(rest(file, &tests, &reasons(tree))),
        None if tree.has_directory("crates/web/src/rest") => findings.push(Finding::new(
            REST,
            0,
            "missing",
            "the table of what the REST dialect supports and refuses",
            "generate it",
        )),
        None => {}
    }
    if let Some(file) = tree.get(SECURITY) {
        findings.extend(security(file, tree, &tests));
    }
    findings
}

fn rest(file: &File, tests: &BTreeSet<String>, reasons: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, cells) in rows(&file.text) {
        let [feature, state, why] = &cells[..] else { continue };
        let mut say = |what: String, expected: &str, to_do: &str| {
            findings.push(Finding::new(REST, line, what, expected, to_do));
        };
        match state.as_str() {
            "supported" => {
                for name in names(why).filter(|name| !tests.contains(*name)) {
                    say(
                        format!("{feature}: there is no test `{name}`"),
                        "the name of a test that exists",
                        "write the test, or correct the name",
                    );
                }
                if names(why).next().is_none() {
                    say(
                        format!("{feature}: supported without a test"),
                        "the name of a test that exists",
                        "write the test and name it",
                    );
                }
            }
            "refused" if !reasons.contains(&why.as_str()) => say(
                format!("{feature}: refused because `{why}`"),
                &format!("a reason of the closed list in {REASONS}"),
                "use one of the reasons",
            ),
            "refused" => {}
            other => {
                say(format!("{feature}: `{other}`"), "`supported` or `refused`", "say which it is")
            }
        }
    }
    findings
}

/// The closed list: what `impl Reason` gives each of its variants as text.
fn reasons(tree: &Tree) -> Vec<&str> {
    let text = tree.get(REASONS).map_or("", |file| &file.text);
    let Some((_, texts)) = text.split_once("impl Reason {") else { return Vec::new() };
    let texts = texts.split_once("\n}").map_or(texts, |(inside, _)| inside);
    let mut found = Vec::new();
    for line in texts.lines() {
        found.extend(line.split('"').nth(1));
    }
    found
}

/// Reads the tables that have a column of switches and a column of tests.
fn security(file: &File, tree: &Tree, tests: &BTreeSet<String>) -> Vec<Finding> {
    let registered = Removals::load(tree).unwrap_or_default();
    let in_code = switches_in_code(tree);
    let mut findings = Vec::new();
    let mut columns = None;
    let mut listed = BTreeSet::new();
    for (index, line) in file.text.lines().enumerate() {
        let Some(cells) = cells(line) else {
            columns = None;
            continue;
        };
        if is_ruler(&cells) {
            continue;
        }
        let Some((switch, test)) = columns else {
            let column =
                |word: &str| cells.iter().position(|cell| cell.to_lowercase().contains(word));
            columns = Some((column("switch"), column("test")));
            continue;
        };
        let cell = |column: Option<usize>| column.and_then(|at| cells.get(at)).map_or("", |it| it);
        for name in names(cell(test)).filter(|name| !tests.contains(*name)) {
            findings.push(Finding::new(
                SECURITY,
                index + 1,
                format!("there is no test `{name}`"),
                "the name of a test that exists",
                "write the test, or correct the name",
            ));
        }
        for name in names(cell(switch)) {
            listed.insert(name.to_owned());
            if !in_code.iter().any(|(known, ..)| known == name) {
                findings.push(Finding::new(
                    SECURITY,
                    index + 1,
                    format!("no code asks for the switch `{name}`"),
                    "a switch that `removed(\"…\")` asks for",
                    "put the switch in, or correct the name",
                ));
            }
        }
    }
    for switch in registered.switches().filter(|switch| !listed.contains(*switch)) {
        findings.push(Finding::new(
            SECURITY,
            0,
            format!("the switch `{switch}` is not listed"),
            "every protection with a switch is documented",
            "add its row",
        ));
    }
    findings
}

/// The names of all tests: Rust functions under a test attribute, Node's titles.
pub(super) fn tests(tree: &Tree) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in tree.files() {
        if file.is_rust() {
            let mut attribute = false;
            for line in file.code.lines().map(str::trim) {
                if line.starts_with("#[") {
                    attribute |=
                        line == "#[test]" || line.contains("::test]") || line.contains("::test(");
                } else if let Some(name) = function(line) {
                    if attribute {
                        found.insert(name.to_owned());
                    }
                    attribute = false;
                }
            }
        } else if file.path.starts_with("tests/") {
            found.extend(file.text.lines().filter_map(node_title).map(str::to_owned));
        }
    }
    found
}

fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}

fn node_title(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = ["test(", "it(", "await t.test("].iter().find_map(|call| line.strip_prefix(call))?;
    let quote = line.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    line[1..].split(quote).next()
}

/// The rows of all tables with their lines; headers and rulers are left out.
fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut in_table = false;
    for (index, line) in text.lines().enumerate() {
        match cells(line) {
            Some(cells) if in_table && !is_ruler(&cells) => found.push((index + 1, cells)),
            Some(_) => in_table = true,
            None => in_table = false,
        }
    }
    found
}

fn cells(line: &str) -> Option<Vec<String>> {
    let line = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let mut cells = vec![String::new()];
    let mut escaped = false;
    for c in line.chars() {
        match c {
            '|' if !escaped => cells.push(String::new()),
            _ => cells.last_mut().expect("BUG: there is always a cell").push(c),
        }
        escaped = c == '\\';
    }
    Some(cells.iter().map(|cell| cell.trim().to_owned()).collect())
}

fn is_ruler(cells: &[String]) -> bool {
    cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| matches!(c, '-' | ':')))
}

/// The names in a cell: between backticks where there are any, else with commas.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    let quoted = cell.contains('`');
    cell.split(if quoted { '`' } else { ',' })
        .enumerate()
        .filter(move |(index, _)| !quoted || index % 2 == 1)
        .map(|(_, name)| name.trim().rsplit("::").next().unwrap_or_default())
        .filter(|name| !name.is_empty() && *name != "-" && *name != "–")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "#[test]\nfn a_row_is_found() {\n}\nfn no_test() {}\n#[tokio::test]\nasync fn a_page_ends() {}\nfn f() { if removed(\"default-deny\") {} }\n";

    fn found(path: &str, text: &str) -> Vec<usize> {
        let tree = Tree::of(&[
            (path, text),
            (
                REASONS,
                "impl Reason {\n    fn text(self) {\n        Self::Fts => \"needs full-text search\",\n    }\n}\n",
            ),
            ("crates/web/src/a.rs", SOURCE),
            ("tests/supabase-js/a.mjs", "test('an upsert merges', async () => {\n"),
        ]);
        check(&tree).into_iter().filter(|it| it.path == path).map(|it| it.line).collect()
    }

    #[test]
    fn a_supported_feature_names_a_test_that_exists() {
        let table = "| feature | state | proof |\n|---|---|---|\n| eq | supported | `a_row_is_found`, `a_page_ends` |\n| neq | supported | no_test |\n| upsert | supported | `an upsert merges` |\n| in | supported | |\n";
        assert_eq!(found(REST, table), [4, 6]);
    }

    #[test]
    fn a_refusal_has_one_of_the_reasons() {
        let table = "| feature | state | why |\n|:--|---|---|\n| fts | refused | needs full-text search |\n| x | refused | no time |\n| y | perhaps | |\n";
        assert_eq!(found(REST, table), [4, 5]);
    }

    #[test]
    fn a_protection_names_a_test_and_a_switch_that_exist() {
        let table = "| protection | switch | test |\n|---|---|---|\n| a | `default-deny` | `a_row_is_found` |\n| b | `gone` | `no_test` |\n";
        assert_eq!(found(SECURITY, table), [4, 4]);
    }
}
