//! How a PostgreSQL store is reached.

use std::time::Duration;

/// How a PostgreSQL store is reached. [`PostgresSettings::at`] has the usual values.
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database`, with libpq's parameters; several
    /// hosts, with commas between them, are tried for the one that takes writes.
    pub url: String,
    /// Connections that reads share, each with many under way.
    pub lanes: usize,
    /// Connections for transactions, each with one.
    pub pool_max: usize,
    /// How long a transaction waits for a connection before it is refused.
    pub pool_wait: Duration,
    /// How long a statement may take at the most.
    pub statement_timeout: Duration,
    /// How long it may take to connect.
    pub connect_timeout: Duration,
    /// Whether a pooler in transaction mode stands before the server, so that nothing
    /// may be prepared.
    pub pooler: bool,
    /// Whether a commit is flushed to the disk before it is acknowledged.
    pub synchronous_commit: bool,
    /// How often a transaction that was in another's way is done again.
    pub retries_max: u32,
}

impl PostgresSettings {
    /// The usual settings, for a URL.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            lanes: 8,
            pool_max: 16,
            pool_wait: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(3),
            pooler: false,
            synchronous_commit: true,
            retries_max: 20,
        }
    }
}
