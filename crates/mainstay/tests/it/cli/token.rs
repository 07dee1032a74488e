//! `mainstay token` and `mainstay keys`.

use serde_json::Value as Json;

use super::{Server, folder, run, text};

const NOTES: &str = "[fields]\ntext = { type = \"text\" }\n\
                     [rules]\nread = \"'editor' in auth.roles || auth.email == 'a@b.c'\"\n";

#[test]
fn a_token_is_printed_alone_and_the_server_knows_its_user() {
    let directory = folder(&[
        ("mainstay.toml", "[roles]\neditor = {}\n"),
        ("models/notes.toml", NOTES),
        ("seed/notes.json", r#"[{"text":"kept"}]"#),
    ]);
    let server = Server::start("dev", directory.path());
    let answer = |args: &[&str]| {
        let token = run(&[&["token", text(&directory)], args].concat());
        assert_eq!((token.code, token.err.as_str()), (Some(0), ""));
        let token = token.out.strip_suffix('\n').expect("one line").to_owned();
        assert_eq!(token.split('.').count(), 3, "{token}");
        server.get("/rest/v1/notes?select=text", &format!("Authorization: Bearer {token}\r\n"))
    };
    assert!(answer(&["--user", "any text", "--role", "editor"]).contains("kept"));
    assert!(answer(&["--user", "x", "--email", "a@b.c"]).contains("kept"));
    assert!(answer(&["--user", "x", "--role", "authenticated"]).ends_with("[]"));

    let keys: Json =
        serde_json::from_str(&run(&["keys", text(&directory), "--json"]).out).expect("JSON");
    let keys = keys.as_object().expect("an object");
    assert_eq!(keys.keys().map(String::as_str).collect::<Vec<_>>(), ["anon", "service", "url"]);
    let service = keys["service"].as_str().expect("a text");
    let seen = server.get("/rest/v1/notes", &format!("apikey: {service}\r\n"));
    assert!(seen.contains("kept"), "{seen}");
}

#[test]
fn a_role_that_no_user_has_is_refused_and_one_nobody_declares_is_told() {
    let directory = folder(&[("models/notes.toml", NOTES)]);
    let refused = run(&["token", text(&directory), "--user", "x", "--role", "service_role"]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
    let told = run(&["token", text(&directory), "--user", "x", "--role", "editor"]);
    assert_eq!(told.code, Some(0));
    assert!(told.err.contains("`[roles]` does not declare `editor`"), "{}", told.err);
}
