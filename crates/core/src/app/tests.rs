//! What a developer sees of a folder: its mistakes as they are shown, and its
//! models as they are understood.
#![expect(clippy::too_many_lines, reason = "what a developer is shown is long")]

mod bounds;
mod built_in;
mod doubt;
mod mistakes;
mod models;
mod names;
mod settings;

use std::fmt::Write;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::{Colour, DefaultValue, Field, FieldKind, OnDelete, render_diagnostics};

/// Files from one text: each begins with a line `-- path`.
fn files(text: &str) -> Vec<SourceFile> {
    text.split("-- ")
        .skip(1)
        .map(|part| {
            let (path, text) = part.split_once('\n').unwrap_or((part, ""));
            SourceFile { path: path.trim().to_owned(), text: text.to_owned() }
        })
        .collect()
}

fn mistakes(text: &str, environment: &[(&str, &str)], expected: Expect) {
    let files = files(text);
    let environment: Vec<(String, String)> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let found = match read_app(&[], &files, &environment) {
        Ok(app) => app.warnings,
        Err(refused) => refused.found,
    };
    expected.assert_eq(&render_diagnostics(&found, &files, Colour::Plain));
}

fn app(text: &str) -> App {
    let files = files(text);
    read_app(&[], &files, &[]).unwrap_or_else(|refused| {
        panic!("{}", render_diagnostics(&refused.found, &files, Colour::Plain));
    })
}

/// A catalog as a page of text.
fn understood(text: &str, expected: Expect) {
    let catalog = app(text).catalog;
    let mut out = String::new();
    for model in catalog.models() {
        let names = |ids: &[crate::FieldId]| {
            ids.iter().map(|id| &*model.field(*id).name).collect::<Vec<_>>().join(", ")
        };
        let junction = if model.junction { ", junction" } else { "" };
        writeln!(out, "{} ({:?}{junction}) in {}", model.name, model.id, model.table.table)
            .expect("written");
        for field in &model.fields {
            writeln!(out, "  {}", shown(field, &catalog)).expect("written");
        }
        for unique in &model.uniques {
            writeln!(out, "  unique {}: {}", unique.name, names(&unique.fields)).expect("written");
        }
        for index in &model.indexes {
            let fields: Vec<String> = index
                .fields
                .iter()
                .map(|(id, descends)| {
                    format!("{}{}", if *descends { "-" } else { "" }, model.field(*id).name)
                })
                .collect();
            writeln!(out, "  index {}: {}", index.name, fields.join(", ")).expect("written");
        }
    }
    expected.assert_eq(&out);
}

fn shown(field: &Field, catalog: &Catalog) -> String {
    let mut out = format!("{}: {}", field.name, field.value_type);
    match &field.kind {
        FieldKind::Plain => {}
        FieldKind::Enum { values } => write!(out, " of {}", values.join("|")).expect("written"),
        FieldKind::Ref { reference, blind } => {
            let reference = catalog.reference(*reference);
            let one = if reference.one_to_one { " one to one" } else { "" };
            let to = &catalog.model(reference.to).name;
            write!(out, " → {to} ({}, {:?}{one})", reference.name, reference.on_delete)
                .expect("written");
            if *blind {
                out.push_str(" blind");
            }
        }
    }
    if field.required {
        out.push_str(" required");
    }
    if field.server_set {
        out.push_str(" server_set");
    }
    match &field.default {
        None => {}
        Some(DefaultValue::Literal(value)) => {
            write!(out, " default {:?}", value.as_ref().to_text()).expect("written");
        }
        Some(other) => write!(out, " default {other:?}").expect("written"),
    }
    let constraints = &field.constraints;
    for (name, bound) in [("min", &constraints.min), ("max", &constraints.max)] {
        if let Some(bound) = bound {
            write!(out, " {name} {}", bound.as_ref().to_text()).expect("written");
        }
    }
    if let Some(pattern) = &constraints.pattern {
        write!(out, " pattern {pattern}").expect("written");
    }
    if let Some(format) = &constraints.format {
        write!(out, " format {format:?}").expect("written");
    }
    for (name, rule) in [("read", &field.rules.read), ("write", &field.rules.write)] {
        if let Some(rule) = rule {
            write!(out, " {name} if {}", rule.text).expect("written");
        }
    }
    out
}

const BLOG: &str = r#"
-- mainstay.toml
[app]
name = "blog"

[roles]
author = {}
editor = { inherits = ["author"], can = ["posts.publish"] }
-- models/users.toml
[fields]
name = { type = "text", required = true }
-- models/posts.toml
[model]                                   # optional table
id = "uuid"
timestamps = true

[fields]
title     = { type = "text", required = true, max = 200 }
slug      = { type = "text", unique = true, pattern = "^[a-z0-9-]+$" }
body      = { type = "text", default = "" }
views     = { type = "int", default = 0, min = 0, write = "false" }
published = { type = "bool", default = false }
author    = { type = "ref", to = "users", required = true, default = "auth.id", on_delete = "cascade" }
mood      = { type = "enum", values = ["happy", "sad"] }
extra     = { type = "json" }
notes     = { type = "text", read = "author == auth.id" }

[rules]
read   = "published || author == auth.id"
create = "author == auth.id"
update = "author == auth.id || 'editor' in auth.roles"
check  = "author == old.author"
delete = "author == auth.id"

[[index]]
fields = ["published", "-created_at"]
-- models/tags.toml
[model]
id = "int"
timestamps = false
[fields]
name = "text"
-- models/post_tags.toml
[model]
timestamps = false
[fields]
post = { type = "ref", to = "posts", required = true, on_delete = "cascade" }
tag  = { type = "ref", to = "tags", required = true, on_delete = "cascade" }
"#;
