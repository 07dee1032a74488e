//! What differs between two schemas, in words, and which of it can be added.

mod written;

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use mainstay_core::{Catalog, SourceFile, read_app};

use super::{Rows, differences, steps};
use crate::{ColumnSchema, IndexSchema, ReferenceSchema, Schema, TableSchema};

const USERS: &str = "[model]\nid = \"text\"\ntimestamps = false\n[fields]\nname = { type = \"text\", unique = true }\nrank = { type = \"int\", required = true, default = 1 }\nneeded = { type = \"int\", required = true }\nteam = { type = \"ref\", to = \"teams\" }\n";
const TEAMS: &str = "[model]\ntimestamps = false\n[fields]\nlabel = { type = \"text\" }\n";

fn catalog() -> Catalog {
    let file = |name: &str, text: &str| SourceFile {
        path: format!("models/{name}.toml"),
        text: text.to_owned(),
    };
    read_app(&[], &[file("users", USERS), file("teams", TEAMS)], &[]).unwrap().catalog
}

fn column(name: &str, sql_type: &str, nullable: bool) -> ColumnSchema {
    ColumnSchema { name: name.to_owned(), sql_type: sql_type.to_owned(), nullable }
}

fn index(columns: &[&str], unique: bool) -> IndexSchema {
    IndexSchema {
        columns: columns.iter().map(|name| ((*name).to_owned(), false)).collect(),
        unique,
    }
}

fn users() -> TableSchema {
    let team = ReferenceSchema {
        table: "teams".to_owned(),
        columns: vec!["id".to_owned()],
        on_delete: "restrict".to_owned(),
    };
    TableSchema {
        columns: vec![
            column("id", "TEXT", false),
            column("name", "TEXT", true),
            column("rank", "INTEGER", false),
            column("needed", "INTEGER", false),
            column("team", "BLOB", true),
        ],
        key: vec!["id".to_owned()],
        indexes: BTreeMap::from([("users_name_key".to_owned(), index(&["name"], true))]),
        references: BTreeMap::from([(vec!["team".to_owned()], team)]),
    }
}

fn schema(tables: &[(&str, TableSchema)]) -> Schema {
    Schema {
        tables: tables.iter().map(|(name, table)| ((*name).to_owned(), table.clone())).collect(),
    }
}

/// The differences from `users`, the steps that `+` add and what is left over (`-`).
fn check(change: impl FnOnce(&mut Schema), expected: Expect) {
    let wanted = schema(&[("users", users()), ("teams", TableSchema::default())]);
    let mut actual = wanted.clone();
    change(&mut actual);
    let found = differences(&wanted, &actual);
    let (steps, rest) = steps(&catalog(), &found, Rows::Possible);
    let lines: Vec<String> = found
        .iter()
        .map(|difference| {
            let harmless = if difference.is_harmless() { " (harmless)" } else { "" };
            format!("{difference}{harmless}")
        })
        .chain(steps.iter().map(|step| format!("+ {}", step.described())))
        .chain(rest.iter().map(|difference| format!("- {difference}")))
        .collect();
    expected.assert_eq(&lines.join("\n"));
}

fn change_users(change: impl FnOnce(&mut TableSchema)) -> impl FnOnce(&mut Schema) {
    |schema| change(schema.tables.get_mut("users").unwrap())
}

#[test]
fn equal_schemas_do_not_differ() {
    check(|_| {}, expect![""]);
}

#[test]
fn what_is_missing_is_added_where_the_rows_that_are_there_can_have_it() {
    check(
        |schema| {
            schema.tables.remove("users");
        },
        expect![[r#"
            the table users is missing
            + create table users"#]],
    );
    check(
        change_users(|users| users.columns.retain(|column| column.name == "id")),
        expect![[r#"
            the column users.name (TEXT) is missing
            the column users.rank (INTEGER) is missing
            the column users.needed (INTEGER) is missing
            the column users.team (BLOB) is missing
            + add column users.name
            + add column users.rank
            + add column users.team
            - the column users.needed (INTEGER) is missing"#]],
    );
    check(
        change_users(|users| {
            users.columns.pop();
            users.references.clear();
            users.indexes.clear();
        }),
        expect![[r#"
            the column users.team (BLOB) is missing
            the index users_name_key on users unique (name) is missing
            the reference from users (team) to teams (id) on delete restrict is missing
            + add column users.team
            + create index users_name_key on users"#]],
    );
    check(
        change_users(|users| users.references.clear()),
        expect![[r#"
            the reference from users (team) to teams (id) on delete restrict is missing
            - the reference from users (team) to teams (id) on delete restrict is missing"#]],
    );
}

#[test]
fn what_would_rewrite_or_lose_data_is_left_to_a_person() {
    check(
        change_users(|users| {
            users.columns[1] = column("name", "BLOB", false);
            users.key = vec!["name".to_owned()];
            users.indexes.insert("users_name_key".to_owned(), index(&["rank"], false));
            users.references.values_mut().next().unwrap().on_delete = "cascade".to_owned();
        }),
        expect![[r#"
            the column users.name should be TEXT and is BLOB
            the column users.name should allow null and does not
            the primary key of users should be (id) and is (name)
            the index users_name_key on users should be unique (name) and is (rank)
            the reference from users (team) should be to teams (id) on delete restrict and is to teams (id) on delete cascade
            - the column users.name should be TEXT and is BLOB
            - the column users.name should allow null and does not
            - the primary key of users should be (id) and is (name)
            - the index users_name_key on users should be unique (name) and is (rank)
            - the reference from users (team) should be to teams (id) on delete restrict and is to teams (id) on delete cascade"#]],
    );
}

#[test]
fn what_is_there_beyond_the_models_is_harmless_unless_it_keeps_rows_out() {
    check(
        |schema| {
            schema.tables.insert("litter".to_owned(), TableSchema::default());
            let users = schema.tables.get_mut("users").unwrap();
            users.columns.push(column("old", "TEXT", true));
            users.columns.push(column("older", "TEXT", false));
            users.indexes.insert("extra".to_owned(), index(&["rank"], false));
            users.indexes.insert("extra_key".to_owned(), index(&["rank"], true));
        },
        expect![[r#"
            the column users.old belongs to no field (harmless)
            the column users.older belongs to no field
            the index extra on users (rank) belongs to no model (harmless)
            the index extra_key on users unique (rank) belongs to no model
            the table litter belongs to no model (harmless)
            - the column users.older belongs to no field
            - the index extra_key on users unique (rank) belongs to no model"#]],
    );
}
