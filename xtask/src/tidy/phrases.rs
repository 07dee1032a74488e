//! What is not written in this tree: a note to do it later, a lint silenced without
//! a reason, the path of one machine.

use super::{
    Finding,
    sealed::words,
    tree::{File, Tree},
};

// Put together here, so that this file does not hold what it looks for.
const LATER: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const MACHINE: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/home", "/"), concat!("/Us", "ers/")];

/// Runs the check.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().iter().flat_map(file).collect()
}

fn file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if let Some(path) = MACHINE.iter().find(|path| names_a_machine(line, path)) {
            findings.push(Finding::new(
                &file.path,
                index + 1,
                format!("the path `{path}…` of one machine"),
                "a path from the repository's root",
                "write it relative, or take it from the environment",
            ));
        }
    }
    for (index, line) in notes(file).lines().enumerate() {
        if let Some(word) = LATER.iter().find(|word| words(line, word).next().is_some()) {
            findings.push(Finding::new(
                &file.path,
                index + 1,
                format!("`{word}`"),
                "what is on main is done",
                "do it, or say in the issue what is missing",
            ));
        }
    }
    for (index, line) in file.code.lines().enumerate() {
        if line.contains("#[allow(") || line.contains("#![allow(") {
            findings.push(Finding::new(
                &file.path,
                index + 1,
                "a bare `allow`",
                "`#[expect(…, reason = \"…\")]`, which says why and ends when the reason does",
                "expect it with a reason, or mend what the lint saw",
            ));
        }
    }
    findings
}

/// Whether a line holds the path at the start of a path, not in the middle of one.
fn names_a_machine(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at]
            .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '}'))
    })
}

/// The lines in which people write notes: comments, and prose as a whole. A document
/// may name the words to say that they are not used, so in prose only a note counts.
fn notes(file: &File) -> String {
    if file.is_rust() {
        return file.comments.clone();
    }
    let line = |line: &str| {
        let note = if file.path.ends_with(".md") {
            LATER.iter().any(|word| line.contains(&format!("{word}:")))
        } else {
            line.contains('#') || line.contains("//") || line.contains("--")
        };
        if note { line.to_owned() } else { String::new() }
    };
    file.text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<usize> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|it| it.line).collect()
    }

    #[test]
    fn a_note_for_later_is_found_in_comments_only() {
        let word = LATER[0];
        assert_eq!(found("a.rs", &format!("let a = \"{word}\";\n// {word} this\n")), [2]);
        assert_eq!(found("a.toml", &format!("a = 1 # {word}\n")), [1]);
        assert_eq!(found("a.md", &format!("We write no {word}.\n{word}: this\n")), [2]);
    }

    #[test]
    fn a_bare_allow_is_found_and_a_reasoned_expect_is_not() {
        let source = "#[allow(dead_code)]\n#[expect(dead_code, reason = \"why\")]\n";
        assert_eq!(found("a.rs", source), [1]);
    }

    #[test]
    fn the_path_of_a_machine_is_found_and_a_part_of_a_url_is_not() {
        let machine = MACHINE[0];
        assert_eq!(found("a.md", &format!("see {machine}main\n")), [1]);
        assert_eq!(found("a.md", &format!("GET example.com{machine}x\n")), Vec::<usize>::new());
    }
}
