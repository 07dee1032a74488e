//! A database for as long as a test takes.

use std::{sync::Arc, thread};

use mainstay_core::Error;
use uuid::Uuid;

use crate::{
    PostgresSettings,
    connection::{Connection, Connector},
    error::Trouble,
};

/// An empty database of its own on a server; it is dropped with the value, whoever is
/// still connected to it.
#[derive(Debug)]
pub struct ScratchDatabase {
    server: String,
    name: String,
}

impl ScratchDatabase {
    /// Makes one on the server of this URL, whose user may make databases. Its name
    /// begins with `prefix`, which is letters, digits and underscores, and no other
    /// database has it.
    ///
    /// # Errors
    /// `Unavailable` where the server is not reached or the URL names its database as a
    /// parameter, `Internal` where it makes none.
    pub async fn create(server: &str, prefix: &str) -> Result<Self, Error> {
        if server.contains("dbname=") {
            let message = "the URL of a server for tests names its database as a path, and not \
                           as `dbname`";
            return Err(Error::unavailable(message));
        }
        let name = format!("{prefix}_{}", Uuid::new_v4().simple());
        let create = format!("CREATE DATABASE \"{name}\" TEMPLATE template0");
        let connection = connect(server).await?;
        connection.batch(&create).await.map_err(Trouble::into_error)?;
        Ok(Self { server: server.to_owned(), name })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        let (address, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (scheme, rest) = address.split_once("://").unwrap_or(("postgres", address));
        let host = rest.split('/').next().unwrap_or(rest);
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        format!("{scheme}://{host}/{}{query}", self.name)
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A runtime of its own: the one around may be at its end.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let drop = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
            runtime.map(|runtime| {
                runtime.block_on(async {
                    connect(&server).await?.batch(&drop).await.map_err(Trouble::into_error)
                })
            })
        });
        // What is not dropped is left to whoever looks after the server.
        let _ = dropping.join();
    }
}

async fn connect(server: &str) -> Result<Connection, Error> {
    Connector::new(&Arc::new(PostgresSettings::at(server)))?.connect().await
}
