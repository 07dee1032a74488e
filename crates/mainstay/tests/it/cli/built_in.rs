//! What is built in, from a command line: its tables come first and by themselves, and an
//! app's migrations hold what the app adds.

use std::fs;

use super::{Server, folder, run, text, write};

const USERS: &str = "[fields]\nhandle = { type = \"text\", required = true, unique = true }\n\
                     boss = { type = \"ref\", to = \"users\", required = true }\n\
                     [rules]\nread = \"true\"\n";

#[test]
fn required_fields_of_users_are_there_on_a_new_database_without_migrations() {
    for command in ["dev", "serve"] {
        let directory = folder(&[("models/users.toml", USERS)]);
        for _ in 0..2 {
            let server = Server::start(command, directory.path());
            assert!(server.get("/rest/v1/users?select=handle,boss", "").ends_with("[]"));
            assert_eq!(server.stop().code, Some(0));
        }
        // From then on rows may be there, and what must have a value is not just added.
        let more = USERS.replace("[rules]", "rank = { type = \"int\", required = true }\n[rules]");
        write(directory.path(), "models/users.toml", &more);
        let refused = run(&[command, text(&directory), "--listen", "127.0.0.1:0"]);
        assert_eq!(refused.code, Some(1), "{command}");
        assert!(refused.err.contains("mainstay_users.rank"), "{}", refused.err);
    }
}

#[test]
fn the_first_migration_adds_to_users_and_applies_on_a_new_database() {
    let directory = folder(&[("models/users.toml", USERS)]);
    let written = run(&["migrate", "new", "start", text(&directory)]);
    assert_eq!(written.code, Some(0), "{}", written.err);
    let path = directory.path().join("migrations/0001_start.toml");
    let migration = fs::read_to_string(path).expect("written");
    assert!(!migration.contains("create_model"), "{migration}");
    assert!(!migration.contains("mainstay_sessions"), "{migration}");
    let behind = run(&["serve", text(&directory), "--listen", "127.0.0.1:0"]);
    assert_eq!(behind.code, Some(1));
    assert!(behind.err.contains("has not seen 0001_start.toml: "), "{}", behind.err);
    let up = run(&["migrate", "up", text(&directory)]);
    assert_eq!(up.code, Some(0), "{}", up.err);
    let server = Server::start("serve", directory.path());
    assert!(server.get("/rest/v1/users?select=handle", "").ends_with("[]"));
    assert_eq!(server.stop().code, Some(0));
    let equal = run(&["migrate", "status", text(&directory), "--json"]);
    assert!(equal.out.contains("\"models_equal\": true"), "{}", equal.out);
    // A field that is added later may meet rows, which has to be said.
    let more = USERS.replace("[rules]", "rank = { type = \"int\", required = true }\n[rules]");
    write(directory.path(), "models/users.toml", &more);
    assert_eq!(run(&["migrate", "new", "rank", text(&directory)]).code, Some(2));
}

#[test]
fn no_command_tells_of_internal_models() {
    let directory = folder(&[("models/users.toml", USERS), ("seed/mainstay_sessions.json", "[]")]);
    let routes = run(&["routes", text(&directory)]);
    assert!(routes.out.contains("/rest/v1/users"), "{}", routes.out);
    assert!(!routes.out.contains("mainstay_"), "{}", routes.out);
    let seeded = run(&["seed", text(&directory)]);
    assert_eq!(seeded.code, Some(1));
    assert!(seeded.err.contains("there is no model `mainstay_sessions`"), "{}", seeded.err);
    assert!(!seeded.err.contains("did you mean"), "{}", seeded.err);
    let checked = run(&["check", text(&directory)]);
    assert!(checked.out.contains("no mistakes in 1 models"), "{}", checked.out);
}
