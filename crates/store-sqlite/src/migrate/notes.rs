//! What is noted of migrations and of columns.

use std::time::{SystemTime, UNIX_EPOCH};

use mainstay_core::{Code, Error, Timestamp};
use mainstay_store::{AppliedMigration, MigrationRecord};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::Trouble;

/// The migrations that were applied, by lineage and number.
pub(crate) fn migrations(connection: &Connection) -> rusqlite::Result<Vec<AppliedMigration>> {
    let mut statement = connection.prepare(
        "SELECT lineage, number, name, hash, compatible, applied_at FROM mainstay_migrations
         ORDER BY lineage, number",
    )?;
    let rows = statement.query_map([], |row| {
        let applied_at = Timestamp::from_micros(row.get(5)?);
        let mut text = Vec::new();
        if let Some(moment) = applied_at {
            moment.write_to(&mut text);
        }
        Ok(AppliedMigration {
            record: MigrationRecord {
                lineage: row.get(0)?,
                number: row.get(1)?,
                name: row.get(2)?,
                hash: row.get(3)?,
                compatible: row.get(4)?,
            },
            applied_at: String::from_utf8_lossy(&text).into_owned(),
        })
    })?;
    rows.collect()
}

/// Whether a migration is noted already, by another node.
///
/// # Errors
/// Where another text of it is.
pub(super) fn is_noted(connection: &Connection, record: &MigrationRecord) -> Result<bool, Error> {
    let hash: Option<String> = connection
        .query_row(
            "SELECT hash FROM mainstay_migrations WHERE lineage = ? AND number = ?",
            params![record.lineage, record.number],
            |row| row.get(0),
        )
        .optional()
        .map_err(|error| Trouble::from(error).into_error())?;
    match hash {
        None => Ok(false),
        Some(hash) if hash == record.hash => Ok(true),
        Some(_) => Err(Error::new(
            Code::Internal,
            format!("another text of {} was applied in the meantime", record.file()),
        )),
    }
}

/// Notes a migration as applied.
pub(super) fn note(connection: &Connection, record: &MigrationRecord) -> Result<(), Trouble> {
    let MigrationRecord { lineage, number, name, hash, compatible } = record;
    connection.execute(
        "INSERT INTO mainstay_migrations VALUES (?, ?, ?, ?, ?, ?)",
        params![lineage, number, name, hash, compatible, now()],
    )?;
    Ok(())
}

/// The time, in microseconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Notes what a column holds: what stands in brackets after SQLite's type.
pub(super) fn note_column(
    connection: &Connection,
    table: &str,
    column: &str,
    sql_type: &str,
) -> Result<(), Trouble> {
    let holds = sql_type
        .split_once(" (")
        .and_then(|(_, holds)| holds.strip_suffix(')'))
        .unwrap_or(sql_type);
    connection.execute(
        "INSERT INTO mainstay_columns VALUES (?, ?, ?)
         ON CONFLICT (table_name, column_name) DO UPDATE SET type = excluded.type",
        params![table, column, holds],
    )?;
    Ok(())
}
