//! A database of its own for each test, on the server that `MAINSTAY_TEST_POSTGRES_URL`
//! names; it goes with the server.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use mainstay_store::Store;
use mainstay_store_postgres::{PostgresSettings, PostgresStore};
use tokio_postgres::NoTls;

/// An empty database.
pub(crate) async fn open() -> (Arc<dyn Store>, ()) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let server = std::env::var("MAINSTAY_TEST_POSTGRES_URL")
        .expect("run by `cargo xtask test` or below `cargo xtask services --`");
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("mail_{}_{number}", std::process::id());
    let (client, connection) = tokio_postgres::connect(&server, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
    let (address, _) = server.rsplit_once('/').unwrap();
    let settings = PostgresSettings::at(format!("{address}/{name}"));
    (Arc::new(PostgresStore::open(settings).await.unwrap()), ())
}
