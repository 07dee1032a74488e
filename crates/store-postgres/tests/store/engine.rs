//! PostgreSQL as the conformance suite wants it: a database of its own for each test,
//! on the server that `MAINSTAY_TEST_POSTGRES_URL` names.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use mainstay_store::Store;
use mainstay_store_postgres::{PostgresSettings, PostgresStore};
use tokio_postgres::{Client, NoTls};

/// A database of its own.
pub(crate) struct Engine {
    store: Arc<PostgresStore>,
    name: String,
    url: String,
}

/// The server's address.
fn server() -> String {
    std::env::var("MAINSTAY_TEST_POSTGRES_URL").expect(
        "MAINSTAY_TEST_POSTGRES_URL names no PostgreSQL server: \
         `cargo xtask services -- cargo test -p mainstay-store-postgres` starts one",
    )
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
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("conformance_{}_{number}", std::process::id());
        let server = server();
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        connect(&server).await.batch_execute(&create).await.unwrap();
        let (address, _) = server.rsplit_once('/').unwrap();
        let url = format!("{address}/{name}");
        let store = PostgresStore::open(change(PostgresSettings::at(&url))).await.unwrap();
        Self { store: Arc::new(store), name, url }
    }

    /// The store.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    /// The number that a statement gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        connect(&self.url).await.query_one(sql, &[]).await.unwrap().get(0)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A runtime of its own: that of the test may be at its end.
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async { connect(&server()).await.batch_execute(&drop).await })
        });
        // Where it fails the server, which is private, goes soon anyway.
        let _ = dropping.join();
    }
}
