//! `access.lock`: who may do what as lines of text, to be reviewed when they change.
//!
//! Each line says one thing and says all of it, so that a line of a diff can be read
//! without those around it. A role that is not named has what `authenticated` has: one
//! that is added with nothing of its own adds one line, and one more for each thing that
//! another role takes from it.

use std::collections::BTreeSet;

use super::facts::{COMBINATIONS_MAX, Entry, Facts, ModelFacts, RoleFact, Said};

const HEAD: &str = "\
# Who may do what in this app: what models/ and [roles] come to, role by role.
# `mainstay access --lock` writes this file, and `mainstay access --check` fails where it
# is not what the rules say. A change of a line is a change of what somebody may do.
#
# MODEL[.FIELD] OPERATION ROLE: always, never, or the condition a row must satisfy
#
# `authenticated` is every user, and what a role that is not named has. Who has several
# roles may do what any of them may; where a line names some of them together, `a+b`, it
# holds of those. `update` and `delete` touch only rows that may be read. An upsert needs
# `create` of every row it proposes and, of a row that is there already, `update` and `check`
# as well. Fields not named are as their row is. The service key passes every rule.
";

/// All of the file.
pub(super) fn text(facts: &Facts) -> String {
    let mut out = HEAD.to_owned();
    if let Some(cut) = cut(facts) {
        out.push_str(&format!("#\n# {cut}\n"));
    }
    for block in blocks(facts) {
        out.push('\n');
        for line in block {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

/// What is left out, in a sentence: combinations of roles beyond those that are looked at.
pub(super) fn cut(facts: &Facts) -> Option<String> {
    let cut: Vec<String> = facts.cut().collect();
    (!cut.is_empty()).then(|| {
        format!(
            "The rules of these ask for more combinations of roles than the {COMBINATIONS_MAX} \
             that are looked at: {}.",
            cut.join(", ")
        )
    })
}

/// What differs between a file and what the rules say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Lines the rules do not say any more.
    pub(super) removed: Vec<String>,
    /// Lines that the file does not have.
    pub(super) added: Vec<String>,
}

impl Difference {
    pub(super) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }

    /// All lines, those about the same beside each other.
    pub(super) fn lines(&self) -> Vec<(char, &str)> {
        let about = |line: &str| line.split(": ").next().unwrap_or_default().to_owned();
        let mut lines: Vec<(char, &str)> = self.removed.iter().map(|line| ('-', &**line)).collect();
        lines.extend(self.added.iter().map(|line| ('+', &**line)));
        // Of the same thing what was comes first.
        lines.sort_by_key(|(sign, line)| (about(line), *sign == '+'));
        lines
    }
}

/// Compares a file with what the rules say. Comments and empty lines say nothing.
pub(super) fn compare(written: &str, facts: &Facts) -> Difference {
    let wanted: Vec<String> = blocks(facts).into_iter().flatten().collect();
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let written: Vec<&str> = written.lines().map(str::trim).filter(is_said).collect();
    let known: BTreeSet<&str> = written.iter().copied().collect();
    let said: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    Difference {
        removed: known.difference(&said).map(|line| (*line).to_owned()).collect(),
        added: said.difference(&known).map(|line| (*line).to_owned()).collect(),
    }
}

fn blocks(facts: &Facts) -> Vec<Vec<String>> {
    let roles = facts.roles.iter().map(role_line).collect();
    let models = facts.models.iter().map(|model| model_lines(model, &facts.roles));
    std::iter::once(roles).chain(models).collect()
}

fn role_line(role: &RoleFact) -> String {
    let mut parts: Vec<String> = Vec::new();
    if role.undeclared {
        parts.push("not in [roles]".to_owned());
    }
    if !role.inherits.is_empty() {
        parts.push(format!("inherits {}", role.inherits.join(", ")));
    }
    if !role.can.is_empty() {
        parts.push(format!("can {}", role.can.join(", ")));
    }
    let name = &role.name;
    if parts.is_empty() {
        format!("role {name}")
    } else {
        format!("role {name}: {}", parts.join("; "))
    }
}

fn model_lines(model: &ModelFacts, roles: &[RoleFact]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for entry in &model.entries {
        lines.extend(entry_lines(&model.name, entry, roles));
        if entry.field.is_none() && entry.operation == "delete" {
            lines.extend(
                model.on_delete.iter().map(|what| format!("{} delete: {what}", model.name)),
            );
        }
    }
    lines
}

fn entry_lines(model: &str, entry: &Entry, roles: &[RoleFact]) -> Vec<String> {
    let subject = entry.subject(model);
    let line = |who: &str, said: &Said| match &said.note {
        Some(note) => format!("{subject} {who}: {}  # {note}", said.text),
        None => format!("{subject} {who}: {}", said.text),
    };
    entry.said_of(roles).into_iter().map(|(who, said)| line(who, said)).collect()
}
