//! A database of its own for each test, on the server that `MAINSTAY_TEST_POSTGRES_URL`
//! names.

use std::sync::Arc;

use mainstay_store::Store;
use mainstay_store_postgres::{PostgresSettings, PostgresStore, ScratchDatabase};

/// An empty database.
pub(crate) async fn open() -> (Arc<dyn Store>, ScratchDatabase) {
    let server = std::env::var("MAINSTAY_TEST_POSTGRES_URL")
        .expect("run by `cargo xtask test` or below `cargo xtask services --`");
    let database = ScratchDatabase::create(&server, "mail").await.unwrap();
    let settings = PostgresSettings::at(database.url());
    (Arc::new(PostgresStore::open(settings).await.unwrap()), database)
}
