//! `mainstay audit` and `mainstay users list`: looking on.

use serde_json::Value as Json;

use super::{Server, folder, run, text};

#[test]
fn reading_the_log_makes_nothing_and_leaves_the_seed_to_dev() {
    let directory = tempfile::tempdir().expect("a directory");
    let app = directory.path().join("blog");
    let dir = app.to_str().expect("UTF-8");
    assert_eq!(run(&["new", dir]).code, Some(0));
    let files = || {
        let entries = std::fs::read_dir(&app).expect("a folder").map(|entry| entry.expect("read"));
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        names
    };
    let made = files();
    for command in [&["audit", dir][..], &["users", "list", dir]] {
        let read = run(command);
        assert_eq!(files(), made, "{command:?}");
        assert_eq!((read.code, read.out.as_str()), (Some(0), ""), "{command:?}: {}", read.err);
        assert_eq!(read.err.lines().count(), 1, "{command:?}: {}", read.err);
        let said = ["there is no database", "yet", "`mainstay dev`"];
        assert!(said.iter().all(|said| read.err.contains(said)), "{command:?}: {}", read.err);
        let json = run(&[command, &["--json"]].concat());
        let json: Json = serde_json::from_str(&json.out).expect("JSON");
        let lists = json.as_object().expect("an object");
        assert!(lists.values().all(|list| list.as_array().is_none_or(Vec::is_empty)), "{json}");
    }

    let server = Server::start("dev", &app);
    let posts = server.get("/rest/v1/posts?select=slug", "");
    assert!(posts.contains("\"slug\""), "the seed is loaded: {posts}");
    let listed = run(&["users", "list", dir]);
    assert_eq!((listed.code, listed.err.as_str()), (Some(0), ""), "{}", listed.out);
}

/// What a page of the log says: each entry, and where to go on.
fn page(dir: &str, before: Option<&str>) -> (Vec<Json>, Option<String>) {
    let mut command = vec!["audit", dir, "--limit", "3", "--json"];
    command.extend(before.iter().flat_map(|before| ["--before", before]));
    let read = run(&command);
    assert_eq!(read.code, Some(0), "{}", read.err);
    let report: Json = serde_json::from_str(&read.out).expect("JSON");
    let next = read.err.trim().strip_prefix("there is more: the same with `--before ");
    let next = next.map(|rest| rest.trim_end_matches('`').to_owned());
    assert_eq!(report["has_more"], next.is_some(), "{}", read.err);
    (report["entries"].as_array().expect("an array").clone(), next)
}

#[test]
fn the_log_is_read_to_its_beginning() {
    // An app whose pages are smaller than those of the log.
    let settings = "[auth]\npassword_memory_kib = 1024\npassword_iterations = 1\n\
                    [limits]\npage_rows_max = 2\n[roles]\neditor = {}\n";
    let directory = folder(&[("mainstay.toml", settings)]);
    let dir = text(&directory);
    let emails = ["ada@example.com", "bo@example.com", "cy@example.com"];
    for email in emails {
        // Two entries of one moment: the account, and its role.
        let made = run(&["users", "create", email, dir, "--role", "editor"]);
        assert_eq!(made.code, Some(0), "{}", made.err);
    }
    assert_eq!(run(&["users", "ban", emails[0], dir]).code, Some(0));
    let (mut read, mut next) = page(dir, None);
    assert_eq!(read.len(), 3, "{read:?}");
    while let Some(before) = next.take() {
        let (entries, more) = page(dir, Some(&before));
        assert!(!entries.is_empty());
        read.extend(entries);
        next = more;
    }
    let events: Vec<&str> = read.iter().filter_map(|entry| entry["event"].as_str()).collect();
    assert_eq!(events.len(), 8, "{events:?}");
    let of = |event: &str| events.iter().filter(|found| **found == event).count();
    assert_eq!((of("user_created"), of("roles_changed"), of("user_banned")), (3, 3, 1));
    let ids: std::collections::BTreeSet<&str> =
        read.iter().filter_map(|entry| entry["id"].as_str()).collect();
    assert_eq!(ids.len(), 8, "each entry once");
    let times: Vec<&str> = read.iter().filter_map(|entry| entry["at"].as_str()).collect();
    assert!(times.is_sorted_by(|one, two| one >= two), "the latest first: {times:?}");

    let (before_ban, _) = page(dir, times.iter().find(|at| **at != times[0]).copied());
    assert_eq!(before_ban.len(), 3, "a time says it as well");
    assert_eq!(page(dir, Some("2020-01-01")), (Vec::new(), None));
    let unknown = "01920000-0000-7000-8000-000000000001";
    for (before, code, said) in [(unknown, 2, "no entry"), ("yesterday", 2, "neither")] {
        let refused = run(&["audit", dir, "--before", before]);
        assert_eq!(refused.code, Some(code), "{}", refused.err);
        assert!(refused.err.contains(said), "{}", refused.err);
    }
}
