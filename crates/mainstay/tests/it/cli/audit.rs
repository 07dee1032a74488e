//! `mainstay audit` and `mainstay users list`: looking on.

use serde_json::Value as Json;

use super::{Server, run};

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
        assert!(lists.values().all(|list| *list == Json::from(Vec::<Json>::new())), "{json}");
    }

    let server = Server::start("dev", &app);
    let posts = server.get("/rest/v1/posts?select=slug", "");
    assert!(posts.contains("\"slug\""), "the seed is loaded: {posts}");
    let listed = run(&["users", "list", dir]);
    assert_eq!((listed.code, listed.err.as_str()), (Some(0), ""), "{}", listed.out);
}
