//! The dialect over a real socket, one file for each part of it.
//!
//! Every test reads the same few rows, whose rules admit everyone, so that what is
//! shown is the dialect alone.

mod aggregates;
mod embeds;
mod errors;
mod filters;
mod limits;
mod order;
mod select;
mod write;

use crate::support::{App, Caller, app, json};

const SHELF: &[(&str, &str)] = &[
    ("mainstay.toml", "[rest]\ntx_rollback = true\naggregates = true\n"),
    (
        "models/authors.toml",
        r#"
[model]
id = "text"
timestamps = false
[fields]
name = { type = "text", required = true }
born = { type = "date" }
[rules]
read = "true"
create = "true"
update = "true"
delete = "true"
"#,
    ),
    (
        "models/posts.toml",
        r#"
[model]
id = "int"
timestamps = false
[fields]
title     = { type = "text", required = true, max = 20, unique = true }
views     = { type = "int", min = 0 }
price     = { type = "decimal", precision = 8, scale = 2 }
published = { type = "bool" }
author    = { type = "ref", to = "authors", on_delete = "set_null" }
extra     = { type = "json" }
mood      = { type = "enum", values = ["happy", "sad"] }
at        = { type = "timestamp" }
score     = { type = "float" }
token     = { type = "uuid" }
blob      = { type = "bytes" }
[rules]
read = "true"
create = "true"
update = "true"
delete = "true"
"#,
    ),
    (
        "models/comments.toml",
        r#"
[model]
id = "int"
timestamps = false
[fields]
post = { type = "ref", to = "posts", required = true, on_delete = "cascade" }
text = { type = "text", required = true }
by   = { type = "ref", to = "authors" }
[rules]
read = "true"
create = "true"
update = "true"
delete = "true"
"#,
    ),
    (
        "models/tags.toml",
        r#"
[model]
id = "text"
timestamps = false
[fields]
colour = { type = "text" }
[rules]
read = "true"
create = "true"
delete = "true"
"#,
    ),
    (
        "models/post_tags.toml",
        r#"
[model]
timestamps = false
[fields]
post = { type = "ref", to = "posts", required = true, on_delete = "cascade" }
tag  = { type = "ref", to = "tags", required = true }
[rules]
read = "true"
create = "true"
"#,
    ),
];

/// The app with its rows.
async fn shelf() -> App {
    let app = app(SHELF).await;
    let all = Caller::Anonymous;
    app.created(
        &all,
        "authors",
        r#"[{"id":"ada","name":"Ada","born":"1815-12-10"},{"id":"bob","name":"Bob"}]"#,
    )
    .await;
    app.created(
        &all,
        "posts",
        r#"[
        {"id":1,"title":"Alpha","views":10,"price":1.5,"published":true,"author":"ada","extra":{"kind":"a","n":5,"deep":{"x":[1,2]}},"mood":"happy","at":"2026-01-02T03:04:05.5Z","score":0.5,"token":"00000000-0000-0000-0000-00000000000a","blob":"\\x00ff"},
        {"id":2,"title":"beta","views":20,"price":"2.25","published":false,"author":"bob","extra":{"kind":"b","n":7},"mood":"sad","at":"2026-02-02T00:00:00+02:00"},
        {"id":3,"title":"Gamma_ray","author":"ada"},
        {"id":4,"title":"alphabet","views":10,"price":10,"published":true,"extra":{"kind":"a","tags":["x","y"]}}]"#,
    )
    .await;
    app.created(&all, "comments", r#"[{"id":1,"post":1,"text":"first","by":"bob"},{"id":2,"post":1,"text":"second"},{"id":3,"post":2,"text":"third","by":"ada"}]"#).await;
    app.created(&all, "tags", r#"[{"id":"red","colour":"r"},{"id":"blue","colour":"b"}]"#).await;
    app.created(
        &all,
        "post_tags",
        r#"[{"post":1,"tag":"red"},{"post":1,"tag":"blue"},{"post":4,"tag":"red"}]"#,
    )
    .await;
    app
}

/// Asserts what GET answers to each of some queries.
async fn answers(app: &App, table: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (query, expected) in table {
        let res = app.get(&Caller::Anonymous, &format!("/rest/v1/{query}")).await;
        if res.body != *expected {
            wrong.push(format!(
                "{query}\n  expected {expected}\n  answered {} {}",
                res.status, res.body
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asserts the status and code that GET answers to each of some queries.
async fn refuses(app: &App, table: &[(&str, u16, &str)]) {
    let mut wrong = Vec::new();
    for (query, status, code) in table {
        let res = app.get(&Caller::Anonymous, &format!("/rest/v1/{query}")).await;
        if res.status != *status || json(&res)["code"] != *code {
            wrong.push(format!(
                "{query}\n  expected {status} {code}\n  answered {} {}",
                res.status, res.body
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
