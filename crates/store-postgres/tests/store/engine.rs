//! PostgreSQL as the conformance suite wants it: a database of its own for each test,
//! on the server that `MAINSTAY_TEST_POSTGRES_URL` names.

use std::sync::Arc;

use mainstay_store::Store;
use mainstay_store_postgres::{PostgresSettings, PostgresStore, ScratchDatabase};
use tokio_postgres::{Client, NoTls};

/// A database of its own.
pub(crate) struct Engine {
    store: Arc<PostgresStore>,
    pub(crate) url: String,
    _database: ScratchDatabase,
}

/// The server's address.
fn server() -> String {
    std::env::var("MAINSTAY_TEST_POSTGRES_URL").expect(
        "MAINSTAY_TEST_POSTGRES_URL names no PostgreSQL server: \
         `cargo xtask services -- cargo test -p mainstay-store-postgres` starts one",
    )
}

/// The pooler's address before it.
fn pooler() -> String {
    std::env::var("MAINSTAY_TEST_PGBOUNCER_URL").expect(
        "MAINSTAY_TEST_PGBOUNCER_URL names no PgBouncer: \
         `cargo xtask services -- cargo test -p mainstay-store-postgres` starts one",
    )
}

/// The address of a database on a server.
fn database(server: &str, name: &str) -> String {
    let (address, _) = server.rsplit_once('/').unwrap();
    format!("{address}/{name}")
}

/// A plain connection.
async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Engine {
    /// An empty database.
    pub(crate) async fn open() -> Self {
        Self::with(|settings| settings).await
    }

    /// The same, reached otherwise than usual.
    pub(crate) async fn with(change: impl FnOnce(PostgresSettings) -> PostgresSettings) -> Self {
        let database = ScratchDatabase::create(&server(), "conformance").await.unwrap();
        let url = database.url();
        let store = PostgresStore::open(change(PostgresSettings::at(&url))).await.unwrap();
        Self { store: Arc::new(store), url, _database: database }
    }

    /// An empty database, reached through the pooler.
    pub(crate) async fn behind_pooler() -> Self {
        let through = |settings: PostgresSettings| PostgresSettings {
            url: database(&pooler(), settings.url.rsplit_once('/').unwrap().1),
            pooler: true,
            ..settings
        };
        Self::with(through).await
    }

    /// The store.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    /// Runs a statement, until the server has taken it.
    pub(crate) async fn run(&self, sql: &str) {
        connect(&self.url).await.batch_execute(sql).await.unwrap();
    }

    /// The text that a statement gives.
    pub(crate) async fn text(&self, sql: &str) -> String {
        connect(&self.url).await.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// The number that a statement gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        connect(&self.url).await.query_one(sql, &[]).await.unwrap().get(0)
    }
}
