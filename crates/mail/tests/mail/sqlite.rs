//! A database of its own for each test.

use std::sync::Arc;

use mainstay_store::Store;
use mainstay_store_sqlite::{SqliteSettings, SqliteStore};

/// An empty database, and what goes with its end.
pub(crate) async fn open() -> (Arc<dyn Store>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let settings = SqliteSettings::at(folder.path().join("app.db"));
    (Arc::new(SqliteStore::open(settings).unwrap()), folder)
}
