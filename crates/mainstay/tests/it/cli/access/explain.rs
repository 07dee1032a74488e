//! `mainstay access explain`: which part of which rule admits a row, or does not.

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::cli::{Ended, folder, run, text};

const NOTES: &str = "[model]\nid = \"int\"\n[fields]\npublic = { type = \"bool\" }\n\
                     owner = { type = \"text\", read = \"public\" }\n[rules]\n\
                     read = \"public || owner == auth.id || 'editor' in auth.roles\"\n\
                     update = \"owner == auth.id && !replies.exists(r, r.by != auth.id)\"\n\
                     create = \"auth.claims.aal == 'aal2' && auth.claims.role == 'authenticated'\"\n";
const REPLIES: &str = "[model]\nid = \"int\"\n[fields]\n\
                       note = { type = \"ref\", to = \"notes\" }\nby = { type = \"text\" }\n";

const SETTINGS: &str = "[auth]\npassword_memory_kib = 1024\npassword_iterations = 1\n\
                        [roles]\nchief = { inherits = [\"editor\"] }\neditor = {}\nguest = {}\n";

/// Notes and replies in a database.
fn notes() -> TempDir {
    let directory = folder(&[
        ("mainstay.toml", SETTINGS),
        ("models/notes.toml", NOTES),
        ("models/replies.toml", REPLIES),
        (
            "seed/notes.json",
            r#"[{"id":1,"public":false,"owner":"ada"},{"id":2,"public":null,"owner":"bo"}]"#,
        ),
        ("seed/replies.json", r#"[{"id":7,"note":1,"by":"bo"},{"id":8,"note":2,"by":"bo"}]"#),
    ]);
    let seeded = run(&["seed", text(&directory)]);
    assert_eq!(seeded.code, Some(0), "{}", seeded.err);
    directory
}

fn explain(directory: &TempDir, arguments: &str) -> Ended {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let ended = run(
        &[&["access", "explain", text(directory), "--model", "notes"][..], &arguments].concat()
    );
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{arguments:?}: {}", ended.out);
    ended
}

#[test]
fn a_denial_names_the_part_of_the_rule_and_the_values_it_saw() {
    let directory = notes();
    let denied = explain(&directory, "--as ada --op update --id 1");
    let expected = "\
denied: ada may not update notes 1
no account has this id or address: taken for a user without roles

read  models/notes.toml:7
  true     public || owner == auth.id || 'editor' in auth.roles
    false    public
    true     owner == auth.id  # owner is 'ada', auth.id is 'ada'
    false    'editor' in auth.roles  # auth.roles is []

update  models/notes.toml:8
  false    owner == auth.id && !replies.exists(r, r.by != auth.id)
    true     owner == auth.id  # owner is 'ada', auth.id is 'ada'
    false    !replies.exists(r, r.by != auth.id)
      true     replies 7: r.by != auth.id  # r.by is 'bo', auth.id is 'ada'

check  models/notes.toml:8, of the row unchanged; a write asks it of the row as stored
";
    assert!(denied.out.starts_with(expected), "{}", denied.out);
}

#[test]
fn each_caller_is_told_what_the_rules_come_to_for_them() {
    let directory = notes();
    for (caller, first) in [
        ("--as anon --op read --id 1", "denied: anon may not read notes 1"),
        ("--as anon --op read --id 2", "denied: anon may not read notes 2"),
        ("--as ada --op read --id 1", "allowed: ada may read notes 1"),
        ("--as eve --op read --id 1", "denied: eve may not read notes 1"),
        ("--as eve --op read --id 1 --role chief", "allowed: eve (chief, editor) may read notes 1"),
        ("--as bo --op update --id 2", "allowed: bo may update notes 2"),
        ("--as bo --op delete --id 2", "denied: bo may not delete notes 2"),
        ("--as service --op delete --id 2", "allowed: the service key passes every rule"),
    ] {
        let said = explain(&directory, caller).out;
        assert!(said.starts_with(first), "{caller}: {said}");
    }
    let said = explain(&directory, "--as bo --op delete --id 2").out;
    assert!(said.contains("delete  there is no such rule: nobody may"), "{said}");
    let said = explain(&directory, "--as anon --op read --id 2").out;
    assert!(said.contains("unknown  public || owner == auth.id"), "{said}");
    assert!(said.contains("owner read  models/notes.toml:5, null where it is not true"), "{said}");
}

#[test]
fn who_is_explained_has_the_roles_the_database_gives_them() {
    let directory = notes();
    let dir = text(&directory);
    let email = "cy@example.com";
    let made = run(&["users", "create", email, dir, "--role", "chief"]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let id = made.out.trim();
    let told = |arguments: &str| {
        let said = explain(&directory, &format!("{arguments} --op read --id 1")).out;
        said.lines().take(2).collect::<Vec<_>>().join("\n")
    };
    let by = format!("account {id}, as the database has it");
    for (arguments, expected) in [
        (email.to_owned(), format!("allowed: {email} (chief, editor) may read notes 1\n{by}")),
        (id.to_owned(), format!("allowed: {id} (chief, editor) may read notes 1\n{by}")),
        (
            format!("{email} --role guest"),
            format!("denied: {email} (guest) may not read notes 1\n{by} but for --role"),
        ),
        (
            "no@example.com --role guest".to_owned(),
            "denied: no@example.com (guest) may not read notes 1\n\
             no account has this id or address: taken for a user with --role alone"
                .to_owned(),
        ),
    ] {
        assert_eq!(told(&format!("--as {arguments}")), expected);
    }
    let json = |arguments: &str| -> Json {
        let said = explain(&directory, &format!("{arguments} --op read --id 1 --json")).out;
        serde_json::from_str(&said).expect("JSON")
    };
    let known = json(&format!("--as {email}"));
    assert_eq!((&known["allowed"], &known["account"]["id"]), (&true.into(), &id.into()));
    assert_eq!(json("--as ada")["account"], Json::Null);

    // Nobody's request is answered while they are banned, whatever the rules say.
    assert_eq!(run(&["users", "ban", email, dir]).code, Some(0));
    let banned = told(&format!("--as {email}"));
    let until =
        format!("denied: {email} (chief, editor) may not read notes 1: the account is banned");
    assert!(banned.starts_with(&until), "{banned}");
    assert_eq!(json(&format!("--as {email}"))["allowed"], false);
}

#[test]
fn claims_are_those_of_a_sign_in_with_a_password_unless_others_are_given() {
    let directory = notes();
    let email = "cy@example.com";
    assert_eq!(run(&["users", "create", email, text(&directory)]).code, Some(0));
    for (arguments, first) in [
        (email.to_owned(), "denied: cy@example.com may not create notes 1\n".to_owned()),
        (format!("{email} --claim aal=aal2"), "allowed: cy@example.com may".to_owned()),
        ("ada --claim aal=aal2".to_owned(), "denied: ada may".to_owned()),
        (
            "ada --claim aal=aal2 --claim role=authenticated".to_owned(),
            "allowed: ada may create notes 1\n\
             no account has this id or address: taken for a user with --claim alone\n"
                .to_owned(),
        ),
    ] {
        let said = explain(&directory, &format!("--as {arguments} --op create --id 1")).out;
        assert!(said.starts_with(&first), "{arguments}: {said}");
    }
}

#[test]
fn for_programs_it_is_json() {
    let directory = notes();
    let report = explain(&directory, "--as ada --op update --id 1 --json").out;
    let report: Json = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["allowed"], false);
    let update = &report["rules"][1];
    assert_eq!((&update["file"], &update["line"]), (&"models/notes.toml".into(), &8.into()));
    let row = &update["explained"]["parts"][1]["parts"][0];
    assert_eq!((&row["row"], &row["values"]["r.by"]), (&"replies 7".into(), &"'bo'".into()));
}

#[test]
fn what_cannot_be_asked_is_told_and_no_database_is_made() {
    let directory = folder(&[("models/notes.toml", NOTES), ("models/replies.toml", REPLIES)]);
    let arguments = ["access", "explain", text(&directory), "--op", "read", "--id", "1"];
    let asked = |more: &[&str]| run(&[&arguments, more].concat());
    let absent = asked(&["--model", "notes", "--as", "anon"]);
    assert_eq!(absent.code, Some(1));
    assert!(absent.err.contains("there is no database"), "{}", absent.err);
    assert!(!directory.path().join(".mainstay").exists());
    let unknown = asked(&["--model", "note", "--as", "anon"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("did you mean `notes`?"), "{}", unknown.err);
    assert_eq!(asked(&["--model", "notes", "--as", "anon", "--role", "editor"]).code, Some(2));
    let directory = notes();
    for (id, code, said) in [("3", 1, "there is no row of notes whose id is 3"), ("x", 2, "int")] {
        let ended = run(&[
            "access",
            "explain",
            text(&directory),
            "--as",
            "anon",
            "--op",
            "read",
            "--model",
            "notes",
            "--id",
            id,
        ]);
        assert_eq!(ended.code, Some(code), "{}", ended.err);
        assert!(ended.err.contains(said), "{}", ended.err);
    }
}
