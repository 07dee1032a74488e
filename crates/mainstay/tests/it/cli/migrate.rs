//! `mainstay migrate`: from a changed model to a changed database, and what `serve` and
//! `dev` make of it.

use std::{fs, path::Path};

use expect_test::expect;
use serde_json::Value as Json;

use super::{Ended, Server, folder, mainstay, run, text, write};

const POSTS: &str = "[model]\ntimestamps = false\n[fields]\ntitle = { type = \"text\" }\n\
                     [rules]\nread = \"true\"\ncreate = \"true\"\n";

fn migrate(directory: &tempfile::TempDir, args: &[&str]) -> Ended {
    let (command, rest) = args.split_first().expect("a command");
    let (name, flags) = match rest.split_first() {
        Some((name, flags)) if *command == "new" => (Some(*name), flags),
        _ => (None, rest),
    };
    let mut all = vec!["migrate", command];
    all.extend(name);
    all.push(text(directory));
    all.extend(flags);
    run(&all)
}

/// What it printed, where it succeeded.
fn done(ended: &Ended) -> &str {
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    &ended.out
}

fn model(directory: &Path, fields: &str) {
    let text = POSTS.replace("title = { type = \"text\" }", fields);
    write(directory, "models/posts.toml", &text);
}

#[test]
fn a_migration_is_written_applied_and_told_of() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    expect![[r#"
        wrote migrations/0001_start.toml
          + create table posts
    "#]]
    .assert_eq(done(&migrate(&directory, &["new", "start"])));
    expect![[r#"
        nothing to write: the models are what the migrations come to
    "#]]
    .assert_eq(done(&migrate(&directory, &["new", "again"])));
    expect![[r#"
        built-in/auth/0001_identity.toml     pending
        built-in/auth/0002_session_age.toml  pending
        built-in/mail/0001_mails.toml        pending
        0001_start.toml                      pending
    "#]]
    .assert_eq(done(&migrate(&directory, &["status"])));
    let applied = migrate(&directory, &["up"]);
    let (built_in, own) = done(&applied).split_once("applied 0001_start.toml\n").expect("both");
    assert!(built_in.starts_with("applied built-in/auth/0001_identity.toml\n"), "{built_in}");
    assert_eq!(own, "  + create table posts\n");
    assert!(done(&migrate(&directory, &["up"])).ends_with("has seen every migration\n"));

    model(directory.path(), "title = { type = \"text\" }\nviews = { type = \"int\", default = 0 }");
    let ended = migrate(&directory, &["status", "--json"]);
    let status: Json = serde_json::from_str(done(&ended)).expect("JSON");
    assert_eq!(status["models_equal"], false);
    for (migration, lineage) in [(0, "auth"), (1, "auth"), (2, "mail"), (3, "app")] {
        let migration = &status["migrations"][migration];
        assert_eq!(
            (&migration["lineage"], &migration["state"]),
            (&lineage.into(), &"applied".into())
        );
        assert!(migration["applied_at"].is_string());
    }
    let ended = migrate(&directory, &["new", "count_views", "--json"]);
    let written: Json = serde_json::from_str(done(&ended)).expect("JSON");
    assert_eq!(written["file"], "migrations/0002_count_views.toml");
    let ended = migrate(&directory, &["up", "--json"]);
    let applied: Json = serde_json::from_str(done(&ended)).expect("JSON");
    assert_eq!(applied["applied"][0]["steps"][0], "add column posts.views");
    let ended = migrate(&directory, &["status", "--json"]);
    let status: Json = serde_json::from_str(done(&ended)).expect("JSON");
    assert_eq!(status["models_equal"], true);
}

#[test]
fn what_loses_and_what_may_be_renamed_has_to_be_said() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    done(&migrate(&directory, &["new", "start"]));
    model(directory.path(), "headline = { type = \"text\" }");
    let asked = migrate(&directory, &["new", "rename"]);
    assert_eq!(asked.code, Some(2));
    expect![[r#"
        error: posts.title is gone and headline came: say `--rename posts.title=headline`, or `--drop posts.title`
    "#]]
    .assert_eq(&asked.err);
    let refused = migrate(&directory, &["new", "rename", "--drop", "posts.title"]);
    assert_eq!(refused.code, Some(2));
    expect![[r#"
        error: data would be lost, or may be:
          drop column posts.title: loses every value of posts.title
        `--allow-loss` writes the migration all the same
    "#]]
    .assert_eq(&refused.err);
    assert!(!directory.path().join("migrations/0002_rename.toml").exists());
    done(&migrate(&directory, &["new", "rename", "--drop", "posts.title", "--allow-loss"]));
    let written = fs::read_to_string(directory.path().join("migrations/0002_rename.toml"));
    assert!(written.expect("written").contains("loses = \"every value of posts.title\""));
    assert_eq!(migrate(&directory, &["new", "No-Name"]).code, Some(2));
}

#[test]
fn production_starts_neither_behind_its_migrations_nor_ahead_of_them() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    let serve = || run(&["serve", text(&directory), "--listen", "127.0.0.1:0"]);
    done(&migrate(&directory, &["new", "start"]));
    let behind = serve();
    assert_eq!(behind.code, Some(1));
    assert!(behind.err.contains("has not seen 0001_start.toml"), "{}", behind.err);
    assert!(behind.err.contains("`mainstay migrate up` applies it"), "{}", behind.err);
    done(&migrate(&directory, &["up"]));
    assert_eq!(Server::start("serve", directory.path()).stop().code, Some(0));

    // The models ask for what no migration does.
    model(directory.path(), "title = { type = \"text\" }\nviews = { type = \"int\" }");
    let differs = serve();
    assert_eq!(differs.code, Some(1));
    assert!(differs.err.contains("posts.views"), "{}", differs.err);
    assert!(differs.err.contains("`mainstay migrate new NAME`"), "{}", differs.err);
    done(&migrate(&directory, &["new", "count_views"]));
    done(&migrate(&directory, &["up"]));
    assert_eq!(Server::start("serve", directory.path()).stop().code, Some(0));

    // The folder goes back by one that is compatible, and by one that is not.
    let second = directory.path().join("migrations/0002_count_views.toml");
    let kept = fs::read_to_string(&second).expect("written");
    fs::remove_file(&second).expect("removed");
    model(directory.path(), "title = { type = \"text\" }");
    assert_eq!(Server::start("serve", directory.path()).stop().code, Some(0));
    fs::write(&second, &kept).expect("written");
    write(
        directory.path(),
        "migrations/0003_move.toml",
        "[[step]]\nkind = \"sql\"\nsql.sqlite = \"UPDATE posts SET views = 1\"\n",
    );
    done(&migrate(&directory, &["up"]));
    fs::remove_file(directory.path().join("migrations/0003_move.toml")).expect("removed");
    let ahead = serve();
    assert_eq!(ahead.code, Some(1));
    assert!(ahead.err.contains("has seen 0003_move.toml"), "{}", ahead.err);
    let told = migrate(&directory, &["status"]);
    assert!(done(&told).contains("\n0003_move.toml                       ahead"), "{}", told.out);
}

#[test]
fn a_file_that_was_changed_after_it_was_applied_is_named() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    done(&migrate(&directory, &["new", "start"]));
    done(&migrate(&directory, &["up"]));
    let path = directory.path().join("migrations/0001_start.toml");
    let text_before = fs::read_to_string(&path).expect("written");
    fs::write(&path, format!("{text_before}# one more line\n")).expect("written");
    for args in [
        &["migrate", "up", text(&directory)][..],
        &["migrate", "status", text(&directory)],
        &["serve", text(&directory), "--listen", "127.0.0.1:0"],
        &["dev", text(&directory), "--listen", "127.0.0.1:0"],
    ] {
        let refused = run(args);
        assert_eq!(refused.code, Some(1), "{args:?}");
        assert!(
            refused.err.contains("0001_start.toml was changed after it was applied"),
            "{}",
            refused.err
        );
    }
    fs::write(&path, text_before.replace('\n', "\r\n")).expect("written");
    done(&migrate(&directory, &["up"]));
}

#[test]
fn development_applies_migrations_first_and_adds_what_the_models_have_besides() {
    let directory =
        folder(&[("models/posts.toml", POSTS), ("seed/posts.json", r#"[{"title":"One"}]"#)]);
    done(&migrate(&directory, &["new", "start"]));
    model(directory.path(), "title = { type = \"text\" }\nviews = { type = \"int\" }");
    let server = Server::start("dev", directory.path());
    assert!(server.began.contains("+ 0001_start.toml: create table posts"), "{}", server.began);
    assert!(server.began.contains("+ add column posts.views"), "{}", server.began);
    assert!(server.get("/rest/v1/posts?select=title", "").ends_with(r#"[{"title":"One"}]"#));
    assert_eq!(server.stop().code, Some(0));
    // What was added by itself is found there by the migration that adds it.
    done(&migrate(&directory, &["new", "count_views"]));
    let applied = migrate(&directory, &["up"]);
    assert!(
        done(&applied).contains("+ add column posts.views (it is there already)"),
        "{}",
        applied.out
    );
    assert_eq!(Server::start("serve", directory.path()).stop().code, Some(0));
    // A name that was changed in the model first is a new name all the same.
    model(directory.path(), "headline = { type = \"text\" }\nviews = { type = \"int\" }");
    assert_eq!(Server::start("dev", directory.path()).stop().code, Some(0));
    done(&migrate(&directory, &["new", "rename", "--rename", "posts.title=headline"]));
    let server = Server::start("dev", directory.path());
    assert!(server.get("/rest/v1/posts?select=headline", "").ends_with(r#"[{"headline":"One"}]"#));
}

#[test]
fn a_migration_that_fails_is_named_and_those_before_it_stay() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    done(&migrate(&directory, &["new", "start"]));
    write(
        directory.path(),
        "migrations/0002_wrong.toml",
        "[[step]]\nkind = \"sql\"\nsql.sqlite = \"UPDATE posts SET nothing_such = 1\"\n",
    );
    let failed = migrate(&directory, &["up"]);
    assert_eq!(failed.code, Some(1));
    assert!(failed.out.contains("applied 0001_start.toml"), "{}", failed.out);
    assert!(failed.err.contains("0002_wrong.toml was not applied"), "{}", failed.err);
    assert!(failed.err.contains("no such column: nothing_such"), "{}", failed.err);
    assert!(
        done(&migrate(&directory, &["status"]))
            .contains("0002_wrong.toml                      pending")
    );
}

#[test]
fn a_mistake_in_a_file_and_a_folder_without_any_are_said() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    let none = migrate(&directory, &["up"]);
    assert_eq!(none.code, Some(1));
    assert!(none.err.contains("`mainstay migrate new NAME` writes the first"), "{}", none.err);
    let ended = migrate(&directory, &["new", "by_hand", "--empty"]);
    assert!(done(&ended).contains("wrote migrations/0001_by_hand.toml"));
    done(&migrate(&directory, &["up"]));
    write(directory.path(), "migrations/0002_x.toml", "\n[[step]]\nkind = \"drop\"\n");
    let wrong = migrate(&directory, &["status"]);
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.err.contains("migrations/0002_x.toml:3: unknown variant `drop`"),
        "{}",
        wrong.err
    );
    let checked = run(&["check", text(&directory)]);
    assert_eq!(checked.code, Some(1));
    assert!(checked.err.contains("line 3: unknown variant `drop`"), "{}", checked.err);
}

#[test]
fn a_process_that_is_killed_during_a_migration_leaves_it_to_be_applied() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    done(&migrate(&directory, &["new", "start"]));
    done(&migrate(&directory, &["up"]));
    // It adds a column, fills the table for minutes, and never comes to its end.
    write(
        directory.path(),
        "migrations/0002_long.toml",
        "[[step]]\nkind = \"add_field\"\nmodel = \"posts\"\nfield = \"views\"\ntype = \"int\"\n\n\
         [[step]]\nkind = \"sql\"\nsql.sqlite = \"\"\"\n\
         INSERT INTO posts (id) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)\n\
         SELECT randomblob(16) FROM n\n\"\"\"\n",
    );
    let mut child = mainstay(&["migrate", "up", text(&directory)]).spawn().expect("it starts");
    let log = directory.path().join(".mainstay/data.db-wal");
    // Its pages spill into the write-ahead log long before it could end.
    let grown = || fs::metadata(&log).is_ok_and(|file| file.len() > 4 << 20);
    while !grown() {
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    assert!(
        done(&migrate(&directory, &["status"]))
            .contains("0002_long.toml                       pending")
    );
    fs::remove_file(directory.path().join("migrations/0002_long.toml")).expect("removed");
    let server = Server::start("serve", directory.path());
    assert!(server.get("/rest/v1/posts", "").ends_with("[]"));
}

/// The files that the page shows, by path.
fn shown() -> Vec<(String, String)> {
    let page = include_str!("../../../../../docs/migrations.md");
    let blocks = page.split("```toml\n# ").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap_or_default());
    let files = blocks.filter_map(|block| block.split_once('\n'));
    files.map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
}

#[test]
fn the_migrations_that_the_documentation_shows_are_those_that_are_written() {
    let files = shown();
    let file = |path: &str| {
        let found = files.iter().find(|(known, _)| known == path);
        found.map_or("", |(_, text)| text.as_str())
    };
    let directory = folder(&[
        ("models/posts.toml", file("models/posts.toml")),
        ("models/users.toml", file("models/users.toml")),
        ("migrations/0001_start.toml", file("migrations/0001_start.toml")),
    ]);
    done(&migrate(&directory, &["up"]));
    let said =
        ["--rename", "posts.title=headline", "--drop", "mainstay_users.name", "--allow-loss"];
    done(&migrate(&directory, &[&["new", "headlines"][..], &said].concat()));
    let path = directory.path().join("migrations/0002_headlines.toml");
    let written = fs::read_to_string(&path).expect("written");
    let (_, written) = written.split_once("\n\n").expect("a head");
    let page = file("migrations/0002_headlines.toml");
    let (before, sql) = page.split_once("[[step]]\nkind = \"sql\"").expect("an sql step");
    let (_, after) = sql.split_once("[[step]]").expect("a step after it");
    assert_eq!(written, format!("{before}[[step]]{after}"));
    fs::write(&path, page).expect("written");
    done(&migrate(&directory, &["up"]));
    let ended = migrate(&directory, &["status", "--json"]);
    let status: Json = serde_json::from_str(done(&ended)).expect("JSON");
    assert_eq!(status["models_equal"], true);
    assert_eq!(Server::start("serve", directory.path()).stop().code, Some(0));
}
