//! `mainstay access` of whoever has several roles.

use std::fs;

use serde_json::Value as Json;
use tempfile::TempDir;

use super::{access, lock};
use crate::cli::folder;

const FIELDS: &str = "[fields]\npublic = { type = \"bool\" }\nowner = { type = \"text\" }\n";

/// An app of notes with these roles and rules.
fn notes(roles: &[&str], rules: &str) -> TempDir {
    let declared = roles.iter().map(|role| format!("{role} = {{}}\n")).collect::<String>();
    let settings = format!("[roles]\n{declared}");
    let notes = format!("{FIELDS}[rules]\n{rules}");
    folder(&[("mainstay.toml", &settings), ("models/notes.toml", &notes)])
}

/// What the lock says of an operation on notes.
fn said(directory: &TempDir, operation: &str) -> Vec<String> {
    assert_eq!(access(directory, &["--lock"]).code, Some(0));
    let subject = format!("notes {operation} ");
    lock(directory)
        .iter()
        .filter_map(|line| line.strip_prefix(&subject))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_rule_that_asks_for_two_roles_is_not_said_to_admit_nobody() {
    let directory = notes(
        &["a", "b", "c"],
        "read = \"'a' in auth.roles && 'b' in auth.roles\"\n\
         create = \"'a' in auth.roles && 'b' in auth.roles && 'c' in auth.roles\"\n\
         update = \"'c' in auth.roles\"\n\
         delete = \"'a' in auth.roles || 'b' in auth.roles && public\"\n",
    );
    assert_eq!(said(&directory, "read"), ["anon: never", "authenticated: never", "a+b: always"]);
    let create = ["anon: never", "authenticated: never", "a+b+c: always"];
    assert_eq!(said(&directory, "create"), create);
    // To change a row one must see it.
    assert_eq!(said(&directory, "update"), create);
    let delete = ["anon: never", "authenticated: never", "a+b: always"];
    assert_eq!(said(&directory, "delete"), delete);
    let table = access(&directory, &[]).out;
    assert!(table.contains("a+b                  always"), "{table}");
    let report: Json = serde_json::from_str(&access(&directory, &["--json"]).out).expect("JSON");
    let together = &report["models"][0]["access"][0]["together"];
    assert_eq!(together.as_array().map(Vec::len), Some(1), "{together}");
    assert_eq!(together[0]["roles"], serde_json::json!(["a", "b"]));
    assert_eq!(together[0]["verdict"], "always");
}

#[test]
fn a_rule_that_refuses_a_role_is_not_said_to_admit_whoever_has_another() {
    let directory = notes(
        &["a", "b", "c"],
        "read = \"!('b' in auth.roles)\"\n\
         create = \"'a' in auth.roles && !('b' in auth.roles)\"\n\
         delete = \"'a' in auth.roles && public || !('b' in auth.roles)\"\n",
    );
    let read = ["anon: always", "authenticated: always", "b: never", "a+b: never", "b+c: never"];
    assert_eq!(said(&directory, "read"), read);
    let create = ["anon: never", "authenticated: never", "a: always", "a+b: never"];
    assert_eq!(said(&directory, "create"), create);
    // Whoever has `b` sees no row, and so deletes none.
    assert_eq!(said(&directory, "delete"), read);
    assert_eq!(access(&directory, &["--check"]).code, Some(0));
}

#[test]
fn alternatives_are_not_written_out_for_those_who_have_several() {
    let directory = notes(
        &["a", "b", "c"],
        "read = \"public || 'a' in auth.roles || 'b' in auth.roles\"\n\
         update = \"owner == auth.id || 'b' in auth.roles || 'c' in auth.roles && public\"\n",
    );
    for operation in ["read", "update"] {
        let said = said(&directory, operation);
        assert!(said.iter().all(|line| !line.contains('+')), "{said:?}");
    }
}

#[test]
fn what_inherits_a_role_or_can_do_something_is_asked_together_too() {
    let settings =
        "[roles]\nchief = { inherits = [\"a\"] }\na = {}\nb = { can = [\"notes.mend\"] }\n";
    let rules = "[rules]\nread = \"'a' in auth.roles && auth.can('notes.mend')\"\n";
    let notes = format!("{FIELDS}{rules}");
    let directory = folder(&[("mainstay.toml", settings), ("models/notes.toml", &notes)]);
    let read = ["anon: never", "authenticated: never", "a+b: always", "b+chief: always"];
    assert_eq!(said(&directory, "read"), read);
}

#[test]
fn a_field_is_named_where_only_roles_together_make_a_difference() {
    let directory = notes(&["a", "b"], "read = \"true\"\n");
    let hidden =
        "owner = { type = \"text\", read = \"!('a' in auth.roles && 'b' in auth.roles)\" }";
    let notes = FIELDS.replace("owner = { type = \"text\" }", hidden);
    crate::cli::write(
        directory.path(),
        "models/notes.toml",
        &format!("{notes}[rules]\nread = \"true\"\n"),
    );
    assert_eq!(access(&directory, &["--lock"]).code, Some(0));
    let lines = lock(&directory);
    let of_owner: Vec<&String> = lines.iter().filter(|line| line.contains(".owner read")).collect();
    let expected = [
        "notes.owner read anon: always",
        "notes.owner read authenticated: always",
        "notes.owner read a+b: never",
    ];
    assert_eq!(of_owner, expected);
}

#[test]
fn that_not_every_combination_was_looked_at_is_said() {
    let names: Vec<String> = (0..8).map(|at| format!("r{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let asked = names.iter().map(|name| format!("'{name}' in auth.roles")).collect::<Vec<_>>();
    let directory = notes(&names, &format!("read = \"{}\"\n", asked.join(" && ")));
    said(&directory, "read");
    let written = fs::read_to_string(directory.path().join("access.lock")).expect("a lock");
    let sentence = "more combinations of roles than the 32 that are looked at: notes read";
    let head = written.split("\n\n").next().expect("a head");
    assert!(head.contains(sentence), "{head}");
    assert!(access(&directory, &[]).out.contains(sentence));
    let report: Json = serde_json::from_str(&access(&directory, &["--json"]).out).expect("JSON");
    assert_eq!(report["models"][0]["access"][0]["together_cut"], true);
    // Of few combinations all are looked at, the largest too.
    let few = notes(&names[..4], &format!("read = \"{}\"\n", asked[..4].join(" && ")));
    let said = said(&few, "read");
    assert!(said.iter().any(|line| line == "r0+r1+r2+r3: always"), "{said:?}");
    let written = fs::read_to_string(few.path().join("access.lock")).expect("a lock");
    assert!(!written.contains("looked at"), "{written}");
}
