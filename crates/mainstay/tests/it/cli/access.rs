//! `mainstay access`: who may do what, and that it is noticed when that changes.

mod explain;
mod together;

use std::{fs, path::Path};

use serde_json::Value as Json;
use tempfile::TempDir;

use super::{Ended, end_of, folder, mainstay, run, text, write};

const SETTINGS: &str = "[roles]\neditor = { can = [\"notes.edit\"] }\n";
const NOTES: &str = "[fields]\npublic = { type = \"bool\" }\nowner = { type = \"text\" }\n\
                     [rules]\nread = \"public || owner == auth.id\"\n\
                     create = \"auth.id != null\"\nupdate = \"auth.can('notes.edit')\"\n";
/// Its rule asks for a role that is not declared; it has no rule for reading.
const LOGS: &str = "[fields]\nnote = { type = \"ref\", to = \"notes\" }\n\
                    [rules]\ncreate = \"'auditor' in auth.roles\"\ndelete = \"true\"\n";

fn notes() -> TempDir {
    folder(&[("mainstay.toml", SETTINGS), ("models/notes.toml", NOTES), ("models/logs.toml", LOGS)])
}

fn access(directory: &TempDir, arguments: &[&str]) -> Ended {
    run(&[&["access", text(directory)], arguments].concat())
}

/// The lines of the lock that say something.
fn lock(directory: &TempDir) -> Vec<String> {
    let written = fs::read_to_string(directory.path().join("access.lock")).expect("a lock");
    let lines = written.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_lock_says_each_thing_in_a_line_and_says_it_again_the_same() {
    let directory = notes();
    let written = access(&directory, &["--lock"]);
    assert_eq!((written.code, written.err.as_str()), (Some(0), ""));
    let first = fs::read(directory.path().join("access.lock")).expect("a lock");
    let expected = "\
role anon
role authenticated
role auditor: not in [roles]
role editor: can notes.edit
logs read every caller: never  # no read rule: a request that crosses it is refused
logs create anon: never
logs create authenticated: never
logs create auditor: always
logs update every caller: never  # no update rule
logs check every caller: never  # no update rule
logs delete every caller: never  # no read rule
logs.note write anon: never
logs.note write authenticated: never
logs.note write auditor: always  # names only rows of notes that may be read
notes read anon: public
notes read authenticated: public || owner == auth.id
notes create anon: never
notes create authenticated: always
notes update anon: never
notes update authenticated: never
notes update editor: public || owner == auth.id
notes check anon: never  # the update rule
notes check authenticated: never  # the update rule
notes check editor: always  # the update rule
notes delete every caller: never  # no delete rule";
    assert_eq!(lock(&directory).join("\n"), expected);
    access(&directory, &["--lock"]);
    assert_eq!(fs::read(directory.path().join("access.lock")).expect("a lock"), first);
    let checked = access(&directory, &["--check"]);
    assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""));
}

#[test]
fn a_rule_that_is_widened_fails_the_check_and_the_line_says_for_whom() {
    let directory = notes();
    access(&directory, &["--lock"]);
    let widened = NOTES.replace("owner == auth.id", "auth.id != null");
    write(directory.path(), "models/notes.toml", &widened);
    let checked = access(&directory, &["--check"]);
    assert_eq!(checked.code, Some(1), "{}", checked.out);
    let expected = "\
- notes read authenticated: public || owner == auth.id
+ notes read authenticated: always
- notes update editor: public || owner == auth.id
+ notes update editor: always
";
    // What is said of refs to notes changes with them.
    let of_notes = |line: &&str| line[1..].starts_with(" notes");
    let shown = checked.out.lines().filter(of_notes).map(|line| format!("{line}\n"));
    assert_eq!(shown.collect::<String>(), expected);
    assert!(checked.err.contains("mainstay access --lock"), "{}", checked.err);
    let report = access(&directory, &["--check", "--json"]);
    let report_json: Json = serde_json::from_str(&report.out).expect("JSON");
    assert_eq!((report.code, &report_json["ok"]), (Some(1), &Json::Bool(false)));
    assert_eq!(report_json["added"][0], "notes read authenticated: always");
    access(&directory, &["--lock"]);
    assert_eq!(access(&directory, &["--check"]).code, Some(0));
}

#[test]
fn every_way_to_widen_access_fails_the_check() {
    let directory = notes();
    access(&directory, &["--lock"]);
    let changes: [(&str, &str, &str); 6] = [
        ("mainstay.toml", SETTINGS, "[roles]\neditor = {}\nguest = { can = [\"notes.edit\"] }\n"),
        ("mainstay.toml", SETTINGS, "[roles]\neditor = { can = [\"notes.edit\", \"more\"] }\n"),
        ("models/notes.toml", NOTES, "create = \"true\"\n"),
        ("models/notes.toml", NOTES, "delete = \"owner == auth.id\"\n"),
        ("models/notes.toml", NOTES, "check = \"true\"\n"),
        ("models/logs.toml", LOGS, "read = \"note.public\"\n"),
    ];
    for (file, before, change) in changes {
        // A rule that is there already is replaced, any other is added.
        let name = change.split(" = ").next().expect("a name");
        let kept: Vec<&str> = before.lines().filter(|line| !line.starts_with(name)).collect();
        let after = if file.starts_with("models") {
            format!("{}\n{change}", kept.join("\n"))
        } else {
            change.to_owned()
        };
        write(directory.path(), file, &after);
        let checked = access(&directory, &["--check"]);
        assert_eq!(checked.code, Some(1), "{change}: {}{}", checked.out, checked.err);
        assert!(checked.out.contains("+ "), "{change}: {}", checked.out);
        write(directory.path(), file, before);
        assert_eq!(access(&directory, &["--check"]).code, Some(0), "{change}");
    }
}

#[test]
fn without_a_lock_the_check_fails_and_says_how_to_write_one() {
    let directory = notes();
    let checked = access(&directory, &["--check"]);
    assert_eq!((checked.code, checked.out.as_str()), (Some(1), ""));
    assert!(checked.err.contains("there is no access.lock"), "{}", checked.err);
    assert_eq!(access(&directory, &["--check", "--lock"]).code, Some(2));
}

#[test]
fn for_programs_every_role_is_written_out() {
    let directory = notes();
    let report: Json = serde_json::from_str(&access(&directory, &["--json"]).out).expect("JSON");
    let names: Vec<&str> = report["roles"]
        .as_array()
        .expect("roles")
        .iter()
        .filter_map(|role| role["name"].as_str())
        .collect();
    assert_eq!(names, ["anon", "authenticated", "auditor", "editor"]);
    let read = &report["models"][1]["access"][0];
    assert_eq!((&read["operation"], &read["field"]), (&Json::from("read"), &Json::Null));
    assert_eq!(read["may"][0]["condition"], "public");
    assert_eq!(read["may"][3]["verdict"], "condition");
}

#[test]
fn the_lock_of_the_blog_is_what_its_rules_say() {
    let blog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/blog");
    let checked = run(&["access", "--check", blog.to_str().expect("UTF-8")]);
    assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
}

/// The commands that the page shows, each with what it prints.
fn commands() -> Vec<(Vec<String>, String)> {
    let page = include_str!("../../../../../docs/access.md");
    let blocks = page.split("```console\n$ mainstay ").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next()?.split_once('\n'));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    blocks.map(|(command, printed)| (words(command), printed.to_owned())).collect()
}

#[test]
fn the_commands_that_the_documentation_shows_print_what_it_shows() {
    let page = include_str!("../../../../../docs/access.md");
    let files = crate::docs::files_of(page);
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let directory = folder(&files);
    let printed = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        end_of(mainstay(&arguments).current_dir(directory.path())).out
    };
    let id = "01920000-0000-7000-8000-000000000001";
    let note = format!(r#"[{{"id":"{id}","text":"Tea","open":true,"owner":"ada"}}]"#);
    write(directory.path(), "seed/people.json", r#"[{"id":"ada","name":"Ada"}]"#);
    write(directory.path(), "seed/notes.json", &note);
    assert_eq!(run(&["seed", text(&directory)]).code, Some(0));
    access(&directory, &["--lock"]);
    let commands = commands();
    for (arguments, expected) in &commands {
        if arguments.contains(&"--check".to_owned()) {
            let path = directory.path().join("models/notes.toml");
            let notes = fs::read_to_string(&path).expect("notes");
            let read = notes.lines().find(|line| line.starts_with("read   =")).expect("a rule");
            fs::write(&path, notes.replace(read, "read = \"true\"")).expect("written");
        }
        assert_eq!(printed(arguments), *expected, "mainstay {}", arguments.join(" "));
    }
    assert_eq!(commands.len(), 3);
}
