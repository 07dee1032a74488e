//! `mainstay users`, `audit` and `keys rotate`, beside a server that runs.

use std::{
    io::Write as _,
    process::Stdio,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mainstay::store_postgres::ScratchDatabase;
use serde_json::{Value as Json, json as object};
use tempfile::TempDir;

use super::operator::{NOTES, PASSWORD};
use crate::{
    cli::{Ended, Server, audited, folder, mainstay, run, text},
    database,
};

/// How long a server may take to notice what a command did.
const NOTICED_MAX: Duration = Duration::from_secs(30);

/// An application folder, and its database where that is not a file in it.
fn app() -> (TempDir, Option<ScratchDatabase>) {
    let (path, settings) = NOTES[0];
    let settings = settings.replace("session_check_s = 300", "session_check_s = 1");
    let mut files = vec![(path, settings.as_str())];
    files.extend(&NOTES[1..]);
    files.push(("seed/notes.json", r#"[{"text":"kept"}]"#));
    let directory = folder(&files);
    let database = database::for_commands(directory.path());
    (directory, database)
}

fn json(ended: &Ended) -> Json {
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    serde_json::from_str(&ended.out).expect("JSON")
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn signed_in(server: &Server, email: &str) -> String {
    let said = object!({ "email": email, "password": PASSWORD }).to_string();
    server.send("POST", "/auth/v1/token?grant_type=password", "", &said)
}

/// The access token of a user who signs in.
fn token(server: &Server, email: &str) -> String {
    let answer = signed_in(server, email);
    let session: Json = serde_json::from_str(body(&answer)).expect("JSON");
    session["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// Asks for the notes until they are answered like this.
fn until(server: &Server, token: &str, is_wanted: impl Fn(&str) -> bool) {
    let began = Instant::now();
    loop {
        let bearer = format!("Authorization: Bearer {token}\r\n");
        let answer = server.get("/rest/v1/notes?select=text", &bearer);
        if is_wanted(&answer) {
            return;
        }
        assert!(began.elapsed() < NOTICED_MAX, "not noticed: {answer}");
    }
}

#[test]
fn what_a_command_does_counts_on_a_server_that_runs_beside_it() {
    let (directory, _database) = app();
    let dir = text(&directory);
    let server = Server::start("dev", directory.path());
    let email = "ada@example.com";
    let made = run(&["users", "create", email, dir, "--password", PASSWORD, "--confirmed"]);
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    let id = made.out.trim();
    let token = token(&server, email);
    until(&server, &token, |answer| answer.ends_with("[]"));

    let given = run(&["users", "role", email, dir, "--add", "editor", "--add", "auditor"]);
    assert_eq!((given.code, given.out.as_str()), (Some(0), "editor\nauditor\n"), "{}", given.err);
    until(&server, &token, |answer| answer.contains("kept"));
    let taken = run(&["users", "role", id, dir, "--remove", "editor", "--json"]);
    assert_eq!(json(&taken)["roles"], object!(["auditor"]));
    until(&server, &token, |answer| answer.ends_with("[]"));

    let banned = run(&["users", "ban", email, dir]);
    assert_eq!(banned.code, Some(0), "{}", banned.err);
    assert!(banned.out.starts_with("banned until 9999-"), "{}", banned.out);
    until(&server, &token, |answer| answer.starts_with("HTTP/1.1 401"));
    assert!(signed_in(&server, email).contains("user_banned"));
    assert_eq!(run(&["users", "ban", email, dir, "--lift"]).out.trim(), "not banned");
    until(&server, &token, |answer| answer.starts_with("HTTP/1.1 200"));
    let until = json(&run(&["users", "ban", email, dir, "--for", "24h", "--json"]));
    assert!(until["banned_until"].is_string(), "{until}");

    let told = json(&run(&["audit", dir, "--user", email, "--limit", "2", "--json"]));
    let entries = told["entries"].as_array().expect("an array");
    assert_eq!(entries.len(), 2, "{told}");
    assert_eq!(entries[0]["actor_kind"], "service");
    assert_eq!(entries[0]["user_agent"], "mainstay users ban");
    let lines = run(&["audit", dir]);
    assert!(lines.out.contains("user_banned  done  by service"), "{}", lines.out);
}

#[test]
fn users_are_listed_and_what_cannot_be_is_refused() {
    let (directory, _database) = app();
    let dir = text(&directory);
    let none = run(&["users", "list", dir]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""), "{}", none.err);
    let mut create = mainstay(&["users", "create", "ada@example.com", dir, "--password-stdin"]);
    create.args(["--role", "editor", "--data", r#"{"name":"Ada"}"#, "--json"]);
    create.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = create.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(format!("{PASSWORD}\r\n").as_bytes()).expect("written");
    drop(stdin);
    let made = child.wait_with_output().expect("it ends");
    let made: Json = serde_json::from_slice(&made.stdout).expect("JSON");
    assert_eq!((&made["email"], &made["confirmed_at"]), (&"ada@example.com".into(), &Json::Null));

    let listed = json(&run(&["users", "list", dir, "--json"]));
    assert_eq!(listed["users"], object!([made]));
    let line = run(&["users", "list", dir]).out;
    assert!(line.contains("  ada@example.com  editor  (unconfirmed)"), "{line}");
    for (args, code, said) in [
        (&["users", "create", "ada@example.com", dir][..], 1, "already been registered"),
        (&["users", "create", "nowhere", dir], 2, "invalid format"),
        (&["users", "create", "b@example.com", dir, "--role", "editr"], 2, "mean `editor`"),
        (&["users", "create", "b@example.com", dir, "--data", "[]"], 2, "no object"),
        (&["users", "create", "b@example.com", dir, "--password-stdin"], 2, "no password"),
        (&["users", "role", "nobody@example.com", dir, "--add", "editor"], 1, "no user"),
        (&["users", "role", "ada@example.com", dir, "--add", "service_role"], 2, "kind of token"),
        (&["users", "role", "ada@example.com", dir], 2, "--add"),
        (&["users", "ban", "ada@example.com", dir, "--for", "1d"], 2, "unknown unit"),
        (&["users", "ban", "ada@example.com", dir, "--for", "1h", "--lift"], 2, "--lift"),
        (&["users", "ban", "ada@example.com", dir, "--for=-1h"], 2, "bans nobody"),
        (&["users", "ban", "ada@example.com", dir, "--for", "none"], 2, "--lift"),
        (&["audit", dir, "--user", "nobody@example.com"], 1, "no user"),
    ] {
        let ended = run(args);
        assert_eq!(ended.code, Some(code), "{args:?}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(said), "{args:?}: {}", ended.err);
    }
}

#[test]
fn a_role_that_was_taken_meanwhile_is_not_given_back() {
    let (path, settings) = NOTES[0];
    let roles: Vec<String> = (0..8).map(|at| format!("role_{at}")).collect();
    let declared = roles.iter().map(|role| format!("{role} = {{}}\n")).collect::<String>();
    let settings = format!("{settings}{declared}");
    let mut files = vec![(path, settings.as_str())];
    files.extend(&NOTES[1..]);
    let directory = folder(&files);
    let (dir, email) = (text(&directory), "ada@example.com");
    let (mut held, mut others) = roles.split_at(4);
    let mut create = vec!["users", "create", email, dir];
    create.extend(held.iter().flat_map(|role| ["--role", role]));
    assert_eq!(run(&create).code, Some(0));
    // Each round takes every role that is held and gives every other, all at once, each by a
    // command of its own: whatever one of them forgets of another is seen at the end.
    for _ in 0..3 {
        let change = |option: &'static str, role: &String| {
            let mut command = mainstay(&["users", "role", email, dir, option, role]);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts")
        };
        let taking: Vec<_> = held.iter().map(|role| change("--remove", role)).collect();
        let giving: Vec<_> = others.iter().map(|role| change("--add", role)).collect();
        for child in taking.into_iter().chain(giving) {
            let ended = child.wait_with_output().expect("it ends");
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        }
        (held, others) = (others, held);
        let listed = json(&run(&["users", "list", dir, "--json"]));
        let found = listed["users"][0]["roles"].as_array().expect("an array").iter();
        let mut found: Vec<&str> = found.filter_map(Json::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, held);
    }
}

#[test]
fn all_users_are_listed_where_an_app_allows_small_pages() {
    let (path, settings) = NOTES[0];
    let settings = format!("{settings}[limits]\npage_rows_max = 2\n");
    let mut files = vec![(path, settings.as_str())];
    files.extend(&NOTES[1..]);
    let directory = folder(&files);
    let _database = database::for_commands(directory.path());
    let dir = text(&directory);
    for at in 0..5 {
        let email = format!("{at}@example.com");
        let made = run(&["users", "create", &email, dir, "--password", PASSWORD]);
        assert_eq!(made.code, Some(0), "{}", made.err);
    }
    let listed = json(&run(&["users", "list", dir, "--json"]));
    assert_eq!(listed["users"].as_array().expect("an array").len(), 5, "{listed}");
}

#[test]
fn what_a_command_lacks_is_named() {
    let (directory, _database) = app();
    let dir = text(&directory);
    let told = |args: &[&str], part: &str| {
        let ended = run(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.err);
        assert!(ended.err.contains(part), "{args:?}: {}", ended.err);
    };
    let create = ["users", "create", "ada@example.com", dir];
    told(&[&create[..], &["--password", "short"]].concat(), "at least 8 characters");
    told(&["users", "role", "ada@example.com", dir], "<--add <ROLE>|--remove <ROLE>>");
    told(&["users", "ban", "ada@example.com", dir, "--for", "2d"], "expected h, m, s");
    told(&["audit", dir, "--limit", "5000"], "1..=1000");
}

#[test]
fn a_rotated_key_signs_and_nobody_is_signed_out() {
    let (directory, _database) = app();
    let dir = text(&directory);
    let keys = || json(&run(&["keys", dir, "--json"]));
    let before = keys();
    let server = Server::start("dev", directory.path());
    let email = "ada@example.com";
    let made = run(&["users", "create", email, dir, "--password", PASSWORD, "--confirmed"]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let answer = signed_in(&server, email);
    let session: Json = serde_json::from_str(body(&answer)).expect("JSON");
    server.stop();

    let prepared = json(&run(&["keys", "prepare", dir, "--json"]));
    let rotated = run(&["keys", "rotate", dir, "--json"]);
    assert!(rotated.err.contains("`anon`") && rotated.err.contains("stay"), "{}", rotated.err);
    let rotated = json(&rotated);
    assert_ne!(rotated["signs"], prepared["signs"]);
    assert_eq!(keys(), before, "API keys stay");
    let told = audited(directory.path(), &["--limit", "2"]);
    assert_eq!(
        (&told[0]["event"], &told[1]["event"]),
        (&"key_rotated".into(), &"key_prepared".into())
    );
    assert_eq!(told[0]["details"]["signs"], rotated["signs"]);

    let server = Server::start("dev", directory.path());
    let jwks = server.get("/auth/v1/.well-known/jwks.json", "");
    assert!(jwks.contains(rotated["signs"].as_str().expect("a text")), "{jwks}");
    assert_eq!(jwks.matches("\"kid\"").count(), 3, "new, old, API keys: {jwks}");
    let bearer = format!("Authorization: Bearer {}\r\n", session["access_token"].as_str().unwrap());
    assert!(server.get("/auth/v1/user", &bearer).contains(email));
    let refresh = object!({ "refresh_token": session["refresh_token"] }).to_string();
    let path = "/auth/v1/token?grant_type=refresh_token";
    let refreshed = server.send("POST", path, "", &refresh);
    let session: Json = serde_json::from_str(body(&refreshed)).expect("JSON");
    let token = session["access_token"].as_str().unwrap_or_else(|| panic!("{refreshed}"));
    let head = token.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let head: Json = serde_json::from_slice(&head.expect("base64url")).expect("JSON");
    assert_eq!(head["kid"], rotated["signs"]);
}

#[test]
fn a_key_from_the_environment_is_not_rotated_and_what_to_do_is_said() {
    let (directory, _database) = app();
    let dir = text(&directory);
    run(&["keys", dir]);
    let file = directory.path().join(".mainstay/signing_key.pem");
    let key = std::fs::read_to_string(file).expect("a key");
    for step in ["rotate", "prepare"] {
        let mut command = mainstay(&["keys", step, dir]);
        command.env("MAINSTAY_AUTH__SIGNING_KEY", &key);
        let ended = crate::cli::end_of(&mut command);
        assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
        assert!(ended.err.contains("openssl genpkey"), "{}", ended.err);
        assert!(ended.err.contains(if step == "rotate" { "Retired: " } else { "For: Next" }));
        assert!(!ended.err.contains("PRIVATE KEY"), "{}", ended.err);
    }
}
