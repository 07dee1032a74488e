//! SQLite as the conformance suite wants it: a database of its own for each test.

use std::sync::Arc;

use mainstay_store::Store;
use mainstay_store_sqlite::{SqliteSettings, SqliteStore};

/// A file in a folder of its own.
pub(crate) struct Engine {
    store: Arc<SqliteStore>,
    pub(crate) folder: tempfile::TempDir,
}

impl Engine {
    /// An empty database.
    pub(crate) async fn open() -> Self {
        Self::with(|settings| settings)
    }

    /// The same, opened otherwise than usual.
    pub(crate) fn with(change: impl FnOnce(SqliteSettings) -> SqliteSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = change(SqliteSettings::at(folder.path().join("app.db")));
        Self { store: Arc::new(SqliteStore::open(settings).unwrap()), folder }
    }

    /// The store.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    /// A plain connection to the file, as `sqlite3` would open it.
    pub(crate) fn sqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("app.db")).unwrap()
    }

    /// The number that a statement gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.sqlite().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}
