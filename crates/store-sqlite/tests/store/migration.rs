//! The tables a catalog wants, made and compared.

use expect_test::expect;
use mainstay_core::SourceFile;
use mainstay_store::{Migration, Migrations, Rows, differences, steps};
use mainstay_store_sqlite::{SqliteSettings, SqliteStore};

use crate::{conformance::harness::*, engine::Engine};

const USERS: &str =
    "[model]\nid = \"text\"\n[fields]\nname = { type = \"text\" }\n[rules]\nread = \"true\"\n";
const NOTES: &str = r#"
[fields]
title = { type = "text", required = true, unique = true }
price = { type = "decimal", precision = 8, scale = 2 }
author = { type = "ref", to = "users", on_delete = "cascade" }
[[index]]
fields = ["title", "-price"]
"#;

#[tokio::test]
async fn an_empty_database_is_brought_to_the_models_and_then_equals_them() {
    let app = App::of(&[("users", USERS), ("notes", NOTES)]).await;
    let wanted = app.store.wanted_schema(app.planner.catalog());
    assert_eq!(app.store.introspect().await.unwrap(), wanted);
    assert!(app.migrate().await.is_empty());
    let sql: String = app
        .engine
        .sqlite()
        .query_row(
            "SELECT group_concat(sql, char(10)) FROM (SELECT sql FROM sqlite_schema
             WHERE tbl_name = 'notes' AND sql IS NOT NULL ORDER BY name)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    expect![[r#"
        CREATE TABLE "notes" ("id" BLOB NOT NULL, "title" TEXT NOT NULL, "price" INTEGER, "author" TEXT, "created_at" INTEGER NOT NULL, "updated_at" INTEGER NOT NULL, _version INTEGER NOT NULL DEFAULT 1, PRIMARY KEY ("id"), CONSTRAINT "notes_author_fkey" FOREIGN KEY ("author") REFERENCES "users" ("id") ON DELETE CASCADE) STRICT
        CREATE INDEX "notes_author_idx" ON "notes" ("author", "id")
        CREATE UNIQUE INDEX "notes_title_key" ON "notes" ("title")
        CREATE INDEX "notes_title_price_idx" ON "notes" ("title", "price" DESC, "id" DESC)"#]]
    .assert_eq(&sql);
}

#[tokio::test]
async fn what_only_adds_is_added_and_rows_take_the_default() {
    let mut app = App::of(&[("users", USERS), ("notes", NOTES)]).await;
    app.write(&insert("notes", &[&[("title", "one")]], ""), &service()).await;
    let more = format!(
        "{}\n{}",
        NOTES.replace(
            "[[index]]",
            "mood = { type = \"text\", required = true, default = \"it's fine\" }\nseen = { type = \"bool\", default = false }\nreviewer = { type = \"ref\", to = \"users\" }\n[[index]]"
        ),
        "[[index]]\nfields = [\"mood\"]\n"
    );
    let tags = "[fields]\nlabel = { type = \"text\" }\n";
    app.remodel(&[("users", USERS), ("notes", &more), ("tags", tags)]);
    expect![[r#"
        create table tags
        add column notes.mood
        add column notes.seen
        add column notes.reviewer
        create index notes_mood_idx on notes
        create index notes_reviewer_idx on notes"#]]
    .assert_eq(&app.migrate().await.join("\n"));
    assert!(app.migrate().await.is_empty());
    expect![[r#"("one" "it's fine" false null)"#]]
        .assert_eq(&app.read(&read("notes", "title,mood,seen,reviewer"), &service()).await);
}

#[tokio::test]
async fn what_would_lose_or_rewrite_data_is_named_and_left_alone() {
    let mut app = App::of(&[("users", USERS), ("notes", NOTES)]).await;
    let other = NOTES
        .replace("scale = 2", "scale = 3")
        .replace(
            "title = { type = \"text\", required = true, unique = true }",
            "title = { type = \"text\" }\nneeded = { type = \"int\", required = true }",
        )
        .replace("cascade", "set_null");
    app.remodel(&[("notes", &other), ("users", &USERS.replace("name", "nick"))]);
    let catalog = app.planner.catalog();
    let actual = app.store.introspect().await.unwrap();
    let found = differences(&app.store.wanted_schema(catalog), &actual);
    let (steps, rest) = steps(catalog, &found, Rows::Possible);
    let described: Vec<String> = steps
        .iter()
        .map(|step| step.described().to_owned())
        .chain(rest.iter().map(|difference| format!("- {difference}")))
        .chain(
            found
                .iter()
                .filter(|found| found.is_harmless())
                .map(|found| format!("harmless: {found}")),
        )
        .collect();
    expect![[r#"
        add column users.nick
        - the column notes.title should allow null and does not
        - the column notes.needed (INTEGER (int)) is missing
        - the column notes.price should be INTEGER (decimal, scale 3) and is INTEGER (decimal, scale 2)
        - the index notes_title_key on notes unique (title) belongs to no model
        - the reference from notes (author) should be to users (id) on delete set null and is to users (id) on delete cascade
        harmless: the column users.name belongs to no field"#]]
    .assert_eq(&described.join("\n"));
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let told = |settings| match SqliteStore::open(settings) {
        Ok(_) => "opened".to_owned(),
        Err(error) => error.message().replace(&folder.path().display().to_string(), "FOLDER"),
    };
    expect!["cannot open the database FOLDER/none/app.db: it cannot be opened: its folder must exist and be writable"]
        .assert_eq(&told(SqliteSettings::at(folder.path().join("none/app.db"))));
    let text = folder.path().join("text.db");
    std::fs::write(&text, "this is not a database, and long enough to be looked at as one")
        .unwrap();
    expect!["cannot open the database FOLDER/text.db: it is not a SQLite database"]
        .assert_eq(&told(SqliteSettings::at(text)));
    let locked = folder.path().join("locked.db");
    let other = rusqlite::Connection::open(&locked).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let settings = SqliteSettings {
        busy_timeout: std::time::Duration::from_millis(1),
        ..SqliteSettings::at(locked)
    };
    expect!["cannot open the database FOLDER/locked.db: another process has locked it"]
        .assert_eq(&told(settings));
}

/// A migration of these steps, after one that makes `people` with numbers for keys.
fn second(steps: &str) -> Migration {
    let start = "[[step]]\nkind = \"create_model\"\nmodel = \"people\"\nid = \"int\"\nfields = [\n\
                 { name = \"id\", type = \"int\", required = true },\n\
                 { name = \"age\", type = \"text\" },\n]\n";
    let file = |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
    let files = [file("0001_start.toml", start), file("0002_next.toml", steps)];
    let read = Migrations::read(&files).map_err(|found| found.to_string()).unwrap();
    read.all()[1].clone()
}

const TO_INT: &str = "[[step]]\nkind = \"change_field\"\nmodel = \"people\"\nfield = \"age\"\n\
                      type = \"int\"\nloses = \"what is no number\"\n";

const PEOPLE: &str =
    "[model]\nid = \"int\"\ntimestamps = false\n[fields]\nage = { type = \"text\" }\n";

#[tokio::test]
async fn a_table_made_anew_keeps_what_was_added_to_it_by_hand() {
    let app = App::of(&[("people", PEOPLE)]).await;
    let sqlite = app.engine.sqlite();
    sqlite
        .execute_batch(
            "ALTER TABLE people ADD COLUMN extra TEXT DEFAULT 'so';
             CREATE INDEX by_hand ON people (extra, age DESC) WHERE age IS NOT NULL;
             CREATE TABLE log (n INTEGER);
             CREATE TRIGGER logged AFTER INSERT ON people BEGIN INSERT INTO log VALUES (new.id); END;
             CREATE VIEW ages AS SELECT age FROM people;
             INSERT INTO people (id, age) VALUES (41, '3'), (42, '4');
             DELETE FROM people WHERE id = 42;",
        )
        .unwrap();
    app.store.migrate(second(TO_INT), cx()).await.unwrap();
    sqlite.execute_batch("INSERT INTO people (age) VALUES (5)").unwrap();
    let told: String = sqlite
        .query_row(
            "SELECT (SELECT json_group_array(json_array(id, age, extra)) FROM people) || char(10)
                || (SELECT count(*) FROM log) || char(10) || (SELECT group_concat(age) FROM ages)
                || char(10) || (SELECT sql FROM sqlite_schema WHERE name = 'by_hand') || char(10)
                || (SELECT sql FROM sqlite_schema WHERE name = 'people')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    expect![[r#"
        [[41,3,"so"],[43,5,"so"]]
        3
        3,5
        CREATE INDEX by_hand ON people (extra, age DESC) WHERE age IS NOT NULL
        CREATE TABLE "people" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "age" INTEGER, "_version" INTEGER NOT NULL DEFAULT 1, "extra" TEXT DEFAULT 'so') STRICT"#]].assert_eq(&told);
}

#[tokio::test]
async fn a_table_that_says_more_than_can_be_read_back_is_left_alone() {
    let app = App::of(&[]).await;
    app.engine
        .sqlite()
        .execute_batch(
            "CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT, age TEXT CHECK (age <> ''),
             _version INTEGER NOT NULL DEFAULT 1) STRICT",
        )
        .unwrap();
    let error = app.store.migrate(second(TO_INT), cx()).await.unwrap_err();
    expect!["cannot change column people.age to int: the table has CHECK in its text, which would be lost: alter it yourself"]
        .assert_eq(error.message());
}

#[tokio::test]
async fn references_are_checked_again_after_a_migration_also_one_that_fails() {
    let fails = format!("{TO_INT}[[step]]\nkind = \"sql\"\nsql.sqlite = \"SELECT nowhere\"\n");
    for (steps, succeeds) in [(TO_INT, true), (fails.as_str(), false)] {
        let notes = "[model]\nid = \"int\"\n[fields]\nof = { type = \"ref\", to = \"people\" }\n";
        let app = App::of(&[("people", PEOPLE), ("notes", notes)]).await;
        assert_eq!(app.store.migrate(second(steps), cx()).await.is_ok(), succeeds);
        let told = app.write(&insert("notes", &[&[("of", "9")]], ""), &service()).await;
        assert!(told.starts_with("23503: "), "{told}");
    }
}

#[tokio::test]
async fn rows_that_point_nowhere_stop_a_migration_that_made_a_table_anew() {
    let notes = "[model]\nid = \"int\"\n[fields]\nof = { type = \"ref\", to = \"people\" }\n";
    let app = App::of(&[("people", PEOPLE), ("notes", notes)]).await;
    app.write(&insert("people", &[&[("id", "1")]], ""), &service()).await;
    app.write(&insert("notes", &[&[("of", "1")]], ""), &service()).await;
    let steps = format!("{TO_INT}[[step]]\nkind = \"sql\"\nsql.sqlite = \"DELETE FROM people\"\n");
    let error = app.store.migrate(second(&steps), cx()).await.unwrap_err();
    expect!["rows of notes point at rows of people that are not there"].assert_eq(error.message());
    assert_eq!(app.engine.number("SELECT count(*) FROM people").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_waits_for_another_process_longer_than_a_write_would() {
    let engine = Engine::with(|settings| SqliteSettings {
        busy_timeout: std::time::Duration::from_millis(1),
        ..settings
    });
    let app = App::on(engine, &[("people", PEOPLE)]).await;
    let other = app.engine.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let store = app.store.clone();
    let migrating = tokio::spawn(async move { store.migrate(second(TO_INT), cx()).await });
    // Long enough for the migration to come upon the lock, where it does not wait to fail.
    let count = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500000)
                 SELECT count(*) FROM n";
    assert_eq!(other.query_row(count, [], |row| row.get(0)), Ok(500_000));
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(migrating.await.unwrap().unwrap().steps, ["change column people.age to int"]);
}
