//! Loading: the bench writes its rows to this program's input, one line for each
//! row: the table's name, a tab, and the row as a JSON object.
//!
//! PocketBase's rows go straight into its tables while it is stopped; what it
//! stores is the same as if they had come over its API, and a million rows arrive
//! in seconds.

use std::{
    collections::HashMap,
    io::{self, BufRead as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use rusqlite::{Connection, types::Value};
use serde_json::{Map, Value as Json};

use crate::schema;

/// Loads the limit's own database, making it first.
pub(crate) fn load_own(path: &Path) -> anyhow::Result<()> {
    let db = schema::open_writer(path, "off")?;
    let now = jiff::Timestamp::now().as_microsecond();
    load(&db, |row| {
        row.entry("created_at").or_insert(now.into());
        row.entry("updated_at").or_insert(now.into());
        own_value
    })
}

/// Loads tables that PocketBase has made.
pub(crate) fn load_pocketbase(path: &Path) -> anyhow::Result<()> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "synchronous", "off")?;
    load(&db, |_| plain_value)
}

type Convert = fn(&Json) -> anyhow::Result<Value>;

fn load(
    db: &Connection,
    mut prepare: impl FnMut(&mut Map<String, Json>) -> Convert,
) -> anyhow::Result<()> {
    let mut statements = HashMap::new();
    db.execute_batch("BEGIN")?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (table, row) = line.split_once('\t').context("a line has no tab")?;
        let mut row: Map<String, Json> = serde_json::from_str(row)?;
        let convert = prepare(&mut row);
        let values = row.values().map(convert).collect::<anyhow::Result<Vec<_>>>()?;
        if !statements.contains_key(table) {
            let columns: Vec<&str> = row.keys().map(String::as_str).collect();
            let marks = vec!["?"; columns.len()].join(", ");
            let sql = format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(", "));
            statements.insert(table.to_owned(), db.prepare(&sql)?);
        }
        let statement = statements.get_mut(table).expect("BUG: it was just prepared");
        statement.execute(rusqlite::params_from_iter(values))?;
    }
    drop(statements);
    db.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;")?;
    Ok(())
}

/// Uuids become 16 bytes and timestamps microseconds.
fn own_value(json: &Json) -> anyhow::Result<Value> {
    let Json::String(text) = json else { return plain_value(json) };
    if text.len() == 36
        && let Ok(uuid) = uuid::Uuid::parse_str(text)
    {
        return Ok(Value::Blob(uuid.into_bytes().to_vec()));
    }
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Ok(Value::Integer(timestamp.as_microsecond()));
    }
    Ok(Value::Text(text.clone()))
}

fn plain_value(json: &Json) -> anyhow::Result<Value> {
    Ok(match json {
        Json::Bool(value) => Value::Integer((*value).into()),
        Json::Number(number) => Value::Integer(number.as_i64().context("an int is expected")?),
        Json::String(text) => Value::Text(text.clone()),
        Json::Null | Json::Array(_) | Json::Object(_) => {
            bail!("a bool, an int or text is expected")
        }
    })
}
