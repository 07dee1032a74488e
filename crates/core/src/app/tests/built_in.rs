//! Models that are there whatever the folder says, and what a folder can add to one.

use super::*;
use crate::{BuiltIn, Visibility};

const BUILT_IN: [BuiltIn; 2] = [
    BuiltIn {
        path: "built-in/auth/users.toml",
        text: r#"
[model]
table = "mainstay_users"
[fields]
email = { type = "text", unique = true, read = "false", write = "false" }
is_anonymous = { type = "bool", required = true, default = false, read = "false" }
"#,
    },
    BuiltIn {
        path: "built-in/auth/mainstay_sessions.toml",
        text: r#"
[model]
append_only = true
[fields]
user = { type = "ref", to = "users", required = true, on_delete = "cascade" }
"#,
    },
];

fn found(text: &str, expected: Expect) {
    let files = files(text);
    let found = match read_app(&BUILT_IN, &files, &[]) {
        Ok(app) => app.warnings,
        Err(refused) => refused.found,
    };
    expected.assert_eq(&render_diagnostics(&found, &files, Colour::Plain));
}

#[test]
fn built_in_models_are_there_without_a_file_and_some_for_mainstay_alone() {
    let catalog = read_app(&BUILT_IN, &[], &[]).expect("no mistakes").catalog;
    let seen = |name: &str| {
        let model = catalog.model(catalog.model_id(name).expect("a model"));
        (model.visibility, model.append_only, &*model.table.table)
    };
    assert_eq!(seen("users"), (Visibility::Exposed, false, "mainstay_users"));
    assert_eq!(seen("mainstay_sessions"), (Visibility::Internal, true, "mainstay_sessions"));
    assert!(catalog.exposed_id("mainstay_sessions").is_none());
    let exposed: Vec<&str> = catalog.exposed_models().map(|model| &*model.name).collect();
    assert_eq!(exposed, ["users"]);
}

#[test]
fn the_folders_file_adds_fields_rules_and_indexes_to_users() {
    let text = r#"-- models/users.toml
[model]
id = "uuid"
timestamps = true
description = "Writers"
[fields]
name = { type = "text", required = true, unique = true }
email = { read = "id == auth.id", description = "Where to write to" }
[rules]
read = "true"
[[index]]
fields = ["is_anonymous", "name"]
"#;
    let files = files(text);
    let app = read_app(&BUILT_IN, &files, &[]).unwrap_or_else(|refused| {
        panic!("{}", render_diagnostics(&refused.found, &files, Colour::Plain));
    });
    let users = app.catalog.model(app.catalog.model_id("users").expect("users"));
    let names: Vec<&str> = users.fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["id", "email", "is_anonymous", "name", "created_at", "updated_at"]);
    assert_eq!(
        (&*users.file, users.description.as_deref()),
        ("models/users.toml", Some("Writers"))
    );
    let email = &users.fields[1];
    let read = email.rules.read.as_ref().expect("a rule");
    assert_eq!((&*read.text, &*read.file), ("id == auth.id", "models/users.toml"));
    assert_eq!(text[read.offset + "-- models/users.toml\n".len()..].find("id == auth.id"), Some(0));
    assert_eq!(email.rules.write.as_ref().map(|rule| &*rule.text), Some("false"));
    assert_eq!(email.description.as_deref(), Some("Where to write to"));
    let uniques: Vec<&str> = users.uniques.iter().map(|unique| &*unique.name).collect();
    assert_eq!(uniques, ["mainstay_users_email_key", "mainstay_users_name_key"]);
    assert_eq!(&*users.indexes[0].name, "mainstay_users_is_anonymous_name_idx");
    assert!(users.rules.read.is_some());
}

#[test]
fn what_is_built_in_cannot_be_declared_otherwise() {
    found(
        r#"-- models/users.toml
[model]
id = "text"
timestamps = false
junction = true
table = "people"
[fields]
email = { type = "text", read = "id == auth.id", write = "true" }
is_anonymous = "bool"
"#,
        expect![[r#"
            error: `id` of the built-in model `users` cannot be chosen
             --> models/users.toml:2:6
              |
            2 | id = "text"
              |      ^^^^^^
              |
            help: its ids are uuids, as those in tokens are: leave it out

            error: `timestamps` of the built-in model `users` cannot be chosen
             --> models/users.toml:3:14
              |
            3 | timestamps = false
              |              ^^^^^
              |
            help: leave it out

            error: `junction` of the built-in model `users` cannot be chosen
             --> models/users.toml:4:12
              |
            4 | junction = true
              |            ^^^^
              |
            help: leave it out

            error: `table` of the built-in model `users` cannot be chosen
             --> models/users.toml:5:9
              |
            5 | table = "people"
              |         ^^^^^^^^
              |
            help: leave it out

            error: `type` of the built-in field `users.email` cannot be chosen
             --> models/users.toml:7:11
              |
            7 | email = { type = "text", read = "id == auth.id", write = "true" }
              |           ^^^^
              |
            help: it takes `read` and `description` alone: leave the rest out

            error: `write` of the built-in field `users.email` cannot be chosen
             --> models/users.toml:7:50
              |
            7 | email = { type = "text", read = "id == auth.id", write = "true" }
              |                                                  ^^^^^
              |
            help: it takes `read` and `description` alone: leave the rest out

            error: `is_anonymous` is a built-in field of `users`
             --> models/users.toml:8:16
              |
            8 | is_anonymous = "bool"
              |                ^^^^^^
              |
            help: say no more than who reads it: `is_anonymous = { read = "…" }`
        "#]],
    );
}

#[test]
fn nothing_of_the_folders_names_an_internal_model() {
    found(
        r#"-- models/mainstay_sessions.toml
[fields]
-- models/notes.toml
[fields]
session = { type = "ref", to = "mainstay_sessions" }
misspelt = { type = "ref", to = "mainstay_session" }
user = { type = "ref", to = "users" }
-- models/tables.toml
[model]
append_only = true
table = "mainstay_users"
"#,
        expect![[r#"
            error: `mainstay_sessions` cannot name a model: names that begin with `_` or `mainstay_` are the server's own
             --> models/mainstay_sessions.toml:1:1
              |
            1 | [fields]
              | ^

            error: there is no model `mainstay_sessions`
             --> models/notes.toml:2:32
              |
            2 | session = { type = "ref", to = "mainstay_sessions" }
              |                                ^^^^^^^^^^^^^^^^^^^

            error: there is no model `mainstay_session`
             --> models/notes.toml:3:33
              |
            3 | misspelt = { type = "ref", to = "mainstay_session" }
              |                                 ^^^^^^^^^^^^^^^^^^

            error: `append_only` is not a key of `[model]`
             --> models/tables.toml:2:1
              |
            2 | append_only = true
              | ^^^^^^^^^^^
              |
            help: its keys are `id`, `timestamps`, `description`, `junction`, `table` and `store`

            error: this cannot name a table: names that begin with `_` or `mainstay_` are the server's own
             --> models/tables.toml:3:9
              |
            3 | table = "mainstay_users"
              |         ^^^^^^^^^^^^^^^^
        "#]],
    );
}

#[test]
fn a_file_that_cannot_be_read_leaves_what_is_built_in() {
    let files = files("-- models/users.toml\n[fields\n");
    let refused = read_app(&BUILT_IN, &files, &[]).expect_err("a mistake");
    assert_eq!(refused.found.len(), 1);
    let declared = refused.for_rules.declarations();
    let users = declared.model_ids().find(|id| &*declared.model(*id).name == "users");
    assert!(declared.model(users.expect("users")).field_id("email").is_some());
}
