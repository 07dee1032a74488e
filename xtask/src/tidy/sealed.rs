//! I1: only the crate `plan` makes a plan, and what proves something has private
//! fields and no way to be made up.

use super::{Finding, tree::Tree};

/// Each sealed type, the crate that may make it, and where its definition stands.
const SEALED: [(&str, &str); 3] = [("ReadPlan", "plan"), ("WritePlan", "plan"), ("Actor", "core")];

const MADE_UP: [&str; 2] = ["Default", "Deserialize"];

/// Runs the check.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, room) in SEALED {
        let directory = format!("crates/{room}/src");
        for file in tree.rust() {
            let inside = file.path.starts_with(&format!("{directory}/"));
            let lines: Vec<&str> = file.code.lines().collect();
            for (index, line) in lines.iter().enumerate() {
                if !inside && constructs(line, name) {
                    findings.push(Finding::new(
                        &file.path,
                        index + 1,
                        format!("`{name}` is constructed here"),
                        format!("only crates/{room} makes a `{name}`"),
                        format!("ask crates/{room} for one"),
                    ));
                }
                if inside {
                    findings.extend(made_up(&file.path, index, line, name));
                    if defines(line, name) {
                        findings.extend(definition(&file.path, &lines, index, name));
                    }
                }
            }
        }
        let defined = tree.rust().any(|file| {
            file.path.starts_with(&directory) && file.code.lines().any(|line| defines(line, name))
        });
        if !defined && tree.has_directory(&directory) {
            findings.push(Finding::new(
                directory.clone(),
                0,
                format!("`struct {name}` is not defined here"),
                "the sealed types are where this check looks",
                "keep the name, or change SEALED in xtask/src/tidy/sealed.rs",
            ));
        }
    }
    findings
}

/// Whether the line holds `Name {` as an expression or a pattern.
fn constructs(line: &str, name: &str) -> bool {
    words(line, name).any(|at| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        after.trim_start().starts_with('{')
            && !before.contains("->")
            && !["impl", "struct", "enum", "trait", "mod", "use"]
                .iter()
                .any(|word| words(before, word).next().is_some())
    })
}

fn defines(line: &str, name: &str) -> bool {
    words(line, name).any(|at| line[..at].trim_end().ends_with("struct"))
}

/// `impl Default for Name` and the like, inside the crate that owns it.
fn made_up(path: &str, index: usize, line: &str, name: &str) -> Option<Finding> {
    let at = words(line, name).next()?;
    let before = line[..at].trim_end();
    let made = MADE_UP.iter().find(|it| words(before, it).next().is_some())?;
    (before.starts_with("impl") && before.ends_with("for")).then(|| {
        Finding::new(
            path,
            index + 1,
            format!("`{made}` is implemented for `{name}`"),
            "a sealed type is made by its crate's own functions",
            "remove the implementation",
        )
    })
}

/// Looks at the attributes above the definition and at the fields in it.
fn definition(path: &str, lines: &[&str], index: usize, name: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let attributes = lines[..index].iter().enumerate().rev().take_while(|(_, line)| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line.ends_with(")]") || line.ends_with(',')
    });
    for (at, line) in attributes {
        for made in MADE_UP.iter().filter(|it| words(line, it).next().is_some()) {
            findings.push(Finding::new(
                path,
                at + 1,
                format!("`{name}` derives `{made}`"),
                "a sealed type is made by its crate's own functions",
                "remove the derive",
            ));
        }
    }
    for (at, line) in lines.iter().enumerate().skip(index + 1) {
        let line = line.trim();
        if line.starts_with('}') {
            break;
        }
        if line.starts_with("pub ") {
            findings.push(Finding::new(
                path,
                at + 1,
                format!("a field of `{name}` is visible outside its crate"),
                "fields that only the crate can write",
                "drop the `pub` and write a method that reads it",
            ));
        }
    }
    findings
}

/// Where a word stands as a whole word.
pub(super) fn words<'line>(
    line: &'line str,
    word: &'line str,
) -> impl Iterator<Item = usize> + 'line {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).filter_map(move |(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(part);
        let after = line[at + word.len()..].chars().next().is_some_and(part);
        (!before && !after).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str =
        "#[derive(Clone)]\npub struct ReadPlan {\n    shape: u8,\n}\nstruct WritePlan {\n}\n";
    const CORE: &str = "pub struct Actor {\n    kind: u8,\n}\n";

    fn found(files: &[(&str, &str)]) -> Vec<(String, usize)> {
        let mut all = vec![("crates/core/src/actor.rs", CORE)];
        all.extend(files);
        check(&Tree::of(&all)).into_iter().map(|finding| (finding.path, finding.line)).collect()
    }

    #[test]
    fn a_plan_made_outside_the_gate_is_found() {
        let store = "fn f(p: &ReadPlan) -> &ReadPlan { p }\nimpl Show for ReadPlan {}\nlet p = ReadPlan { shape };\n// ReadPlan { in words }\n";
        let files = [("crates/plan/src/lib.rs", PLAN), ("crates/store/src/lib.rs", store)];
        assert_eq!(found(&files), [("crates/store/src/lib.rs".into(), 3)]);
    }

    #[test]
    fn a_visible_field_and_a_derived_default_are_found() {
        let plan = "#[derive(Clone, Default)]\npub struct ReadPlan {\n    pub shape: u8,\n}\nstruct WritePlan;\nimpl Default for WritePlan {}\n";
        let lines: Vec<usize> =
            found(&[("crates/plan/src/lib.rs", plan)]).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, [1, 3, 6]);
    }

    #[test]
    fn a_plan_that_is_not_where_the_check_looks_is_found() {
        let found = found(&[("crates/plan/src/lib.rs", "pub struct ReadPlan {\n}\n")]);
        assert_eq!(found, [("crates/plan/src".into(), 0)]);
    }
}
