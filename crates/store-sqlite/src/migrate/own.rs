//! Mainstay's own tables, which have versions of their own.
//!
//! A file says in `mainstay_meta` which it has; a later Mainstay takes it through those
//! it lacks, all in one transaction.

use mainstay_core::Error;
use rusqlite::{Connection, OptionalExtension as _};

use crate::{error::Trouble, outbox};

/// What columns hold, beyond SQLite's type.
const COLUMNS_TABLE: &str = "CREATE TABLE IF NOT EXISTS mainstay_columns (
    table_name TEXT NOT NULL,
    column_name TEXT NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (table_name, column_name)
) STRICT, WITHOUT ROWID";

/// Facts about the file: for now `format`, the version of Mainstay's own tables.
const META_TABLE: &str = "CREATE TABLE IF NOT EXISTS mainstay_meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID";

/// The migrations that were applied, an app's and those that are built in; `applied_at` in
/// microseconds since 1970.
const MIGRATIONS_TABLE: &str = "CREATE TABLE mainstay_migrations (
    lineage TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    compatible INTEGER NOT NULL,
    applied_at INTEGER NOT NULL,
    PRIMARY KEY (lineage, number)
) STRICT, WITHOUT ROWID";

/// What each version adds to the one before; the first is number 1.
const VERSIONS: [&[&str]; 2] = [&[META_TABLE, COLUMNS_TABLE, outbox::TABLE], &[MIGRATIONS_TABLE]];

/// Makes Mainstay's own tables where they are missing, or older than this program.
///
/// # Errors
/// Where the file was written by a Mainstay that lays it out differently.
pub(crate) fn make_own_tables(connection: &Connection) -> Result<(), Error> {
    // A file that is ready is left alone, so that opening it writes nothing.
    match version(connection) {
        Ok(version) if version == VERSIONS.len().to_string() => Ok(()),
        _ => bring_up(connection),
    }
}

fn bring_up(connection: &Connection) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| Trouble::from(error).into_error();
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let result = take_versions(connection);
    let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.execute_batch(end).map_err(failed);
    result.and(ended)
}

fn take_versions(connection: &Connection) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| Trouble::from(error).into_error();
    let has_tables = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'mainstay_meta'", [], |_| Ok(()))
        .optional()
        .map_err(failed)?;
    let found = match has_tables {
        Some(()) => version(connection).map_err(failed)?,
        None => "0".to_owned(),
    };
    let known = found.parse().ok().filter(|version| *version <= VERSIONS.len());
    let Some(version) = known else {
        let latest = VERSIONS.len();
        return Err(Error::unavailable(format!(
            "the database is laid out in format {found}, and this program knows format {latest}"
        ))
        .with_hint("use the version of Mainstay that wrote it, or a later one"));
    };
    for sql in VERSIONS.iter().skip(version).copied().flatten() {
        connection.execute_batch(sql).map_err(failed)?;
    }
    connection
        .execute(
            "INSERT INTO mainstay_meta VALUES ('format', ?)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [VERSIONS.len().to_string()],
        )
        .map(drop)
        .map_err(failed)
}

fn version(connection: &Connection) -> rusqlite::Result<String> {
    let found =
        connection.query_row("SELECT value FROM mainstay_meta WHERE name = 'format'", [], |row| {
            row.get(0)
        });
    // A file that was given up while it was made has the table without the line.
    found.optional().map(|found| found.unwrap_or_else(|| "0".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_an_earlier_version_is_brought_up_and_keeps_what_it_has() {
        let connection = Connection::open_in_memory().unwrap();
        for sql in VERSIONS[0] {
            connection.execute_batch(sql).unwrap();
        }
        connection
            .execute_batch(
                "INSERT INTO mainstay_meta VALUES ('format', '1');
                 INSERT INTO mainstay_columns VALUES ('posts', 'title', 'text');",
            )
            .unwrap();
        make_own_tables(&connection).unwrap();
        assert_eq!(version(&connection).unwrap(), "2");
        let kept = "SELECT type FROM mainstay_columns LEFT JOIN mainstay_migrations";
        let kept: String = connection.query_row(kept, [], |row| row.get(0)).unwrap();
        assert_eq!(kept, "text");
        make_own_tables(&connection).unwrap();
    }

    #[test]
    fn a_file_of_a_later_version_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        make_own_tables(&connection).unwrap();
        connection.execute_batch("UPDATE mainstay_meta SET value = '77'").unwrap();
        let error = make_own_tables(&connection).unwrap_err();
        assert_eq!(
            error.message(),
            "the database is laid out in format 77, and this program knows format 2"
        );
    }
}
