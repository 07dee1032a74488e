//! The limit's tables, laid out as Mainstay lays out the same models: uuids as 16
//! bytes, timestamps as microseconds, STRICT tables.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, config::DbConfig};

/// Every table and index; running it twice changes nothing.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS authors (
  id BLOB PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS posts (
  id BLOB PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL, views INTEGER NOT NULL,
  published INTEGER NOT NULL, author BLOB NOT NULL REFERENCES authors (id),
  posted_at INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS posts_front ON posts (published, posted_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS posts_author ON posts (author);
CREATE TABLE IF NOT EXISTS comments (
  id BLOB PRIMARY KEY, post BLOB NOT NULL REFERENCES posts (id), body TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS comments_post ON comments (post, id);
CREATE TABLE IF NOT EXISTS entries (
  id BLOB PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT;";

/// Opens the writer's connection, making file and tables where they are missing.
/// `sync` is SQLite's `synchronous`, `normal` or `full`.
pub(crate) fn open_writer(path: &Path, sync: &str) -> anyhow::Result<Connection> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    db.pragma_update(None, "synchronous", sync)?;
    db.pragma_update(None, "foreign_keys", true)?;
    keep_plans(&db)?;
    db.execute_batch(TABLES)?;
    Ok(db)
}

/// Opens a connection for one reading thread.
pub(crate) fn open_reader(path: &Path) -> anyhow::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.pragma_update(None, "mmap_size", 1_i64 << 30)?;
    keep_plans(&db)?;
    Ok(db)
}

/// Makes a prepared statement keep its plan. Otherwise SQLite, once it has
/// statistics, prepares it anew each time a value that could change the plan is
/// bound, a `LIMIT` among them, which costs more than the query.
fn keep_plans(db: &Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}
