//! The tables a catalog wants, made, added to, and left alone where that fails.

mod chain;
mod random;

use expect_test::expect;
use mainstay_store::{Migration, Rows, differences, steps};

use super::harness::*;

const USERS: &str =
    "[model]\nid = \"text\"\n[fields]\nname = { type = \"text\" }\n[rules]\nread = \"true\"\n";
const NOTES: &str = r#"
[fields]
title = { type = "text", required = true, unique = true }
price = { type = "decimal", precision = 8, scale = 2 }
author = { type = "ref", to = "users", on_delete = "cascade" }
[[index]]
fields = ["title", "-price"]
[rules]
read = "true"
"#;

#[tokio::test]
async fn an_empty_database_is_brought_to_the_models_and_then_equals_them() {
    let app = App::of(&[("notes", NOTES), ("users", USERS)]).await;
    let wanted = app.store.wanted_schema(app.planner.catalog());
    assert_eq!(app.store.introspect().await.unwrap(), wanted);
    assert!(app.migrate().await.is_empty());
}

#[tokio::test]
async fn models_and_fields_that_are_added_leave_the_rows_that_are_there() {
    let mut app = App::of(&[("users", USERS)]).await;
    app.write(&insert("users", &[&[("id", "a"), ("name", "x")]], ""), &service()).await;
    let fields = "[fields]\nlevel = { type = \"int\", required = true, default = 3 }\n\
                  due = { type = \"decimal\", precision = 8, scale = 2, default = 1.5 }\n\
                  best = { type = \"ref\", to = \"notes\" }\n";
    app.remodel(&[("notes", NOTES), ("users", &USERS.replace("[fields]\n", fields))]);
    let steps = app.migrate().await;
    expect![[r#"
        create table notes
        add column users.level
        add column users.due
        add column users.best
        create index users_best_idx on users"#]]
    .assert_eq(&steps.join("\n"));
    let wanted = app.store.wanted_schema(app.planner.catalog());
    let mut found = differences(&wanted, &app.store.introspect().await.unwrap());
    found.retain(|difference| !difference.is_harmless());
    assert!(found.is_empty(), "{found:?}");
    let told = app.read(&read("users", "id,name,level,due,best"), &user("a")).await;
    expect![[r#"("a" "x" 3 1.50 null)"#]].assert_eq(&told);
}

#[tokio::test]
async fn a_migration_that_fails_changes_nothing() {
    let mut app = App::of(&[("users", USERS)]).await;
    let rows: [&[(&str, &str)]; 2] = [&[("id", "a"), ("name", "x")], &[("id", "b"), ("name", "x")]];
    app.write(&insert("users", &rows, ""), &service()).await;
    let before = app.store.introspect().await.unwrap();
    app.remodel(&[
        ("users", &USERS.replace("\"text\" }", "\"text\", unique = true }")),
        ("tags", "[fields]\nlabel = { type = \"text\" }\n"),
    ]);
    let catalog = app.planner.catalog();
    let found = differences(&app.store.wanted_schema(catalog), &before);
    let (steps, _) = steps(catalog, &found, Rows::Possible);
    assert_eq!(steps.len(), 2);
    let error = app.store.migrate(Migration::unrecorded(steps), cx()).await.unwrap_err();
    expect![
        "cannot create index users_name_key on users: rows that are there share the same values"
    ]
    .assert_eq(error.message());
    assert_eq!(app.store.introspect().await.unwrap(), before);
}
