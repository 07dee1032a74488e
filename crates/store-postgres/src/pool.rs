//! Connections for transactions, each with one at a time.

use std::{ops::Deref, time::Instant};

use deadpool::managed::{
    Manager, Metrics, Object, Pool as Deadpool, PoolError, RecycleError, RecycleResult, Timeouts,
};
use mainstay_core::Error;

use crate::{
    connection::{Connection, Connector},
    error::away,
    settings::PostgresSettings,
};

/// Connections for transactions.
pub(crate) struct Pool {
    pool: Deadpool<Connector>,
    settings: PostgresSettings,
}

/// A connection that is one transaction's. One that is not given back in order is not
/// used again.
pub(crate) struct Owned(Option<Object<Connector>>);

impl Manager for Connector {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection, Error> {
        self.connect().await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Error> {
        if connection.is_closed() {
            return Err(RecycleError::message("the connection is closed"));
        }
        Ok(())
    }
}

impl Pool {
    pub(crate) fn new(connector: Connector, settings: &PostgresSettings) -> Result<Self, Error> {
        let pool = Deadpool::builder(connector)
            .max_size(settings.pool_max.max(1))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(Error::internal)?;
        Ok(Self { pool, settings: settings.clone() })
    }

    /// A connection, waited for no longer than is set, nor beyond the deadline.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) async fn take(&self, deadline: Instant) -> Result<Owned, Error> {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeouts = Timeouts {
            wait: Some(left.min(self.settings.pool_wait)),
            create: Some(left.min(self.settings.connect_timeout * 2)),
            recycle: Some(left),
        };
        match self.pool.timeout_get(&timeouts).await {
            Ok(object) => Ok(Owned(Some(object))),
            Err(PoolError::Timeout(_)) => {
                Err(Error::unavailable("too many transactions are waiting for the database"))
            }
            Err(PoolError::Backend(error)) => Err(error),
            Err(error) => Err(away().with_source(error)),
        }
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

impl Owned {
    /// Gives it back: its transaction has ended.
    pub(crate) fn give_back(mut self) {
        self.0 = None;
    }
}

impl Deref for Owned {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0.as_ref().expect("BUG: it is there until it is given back")
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            // Whatever its transaction came to, the server ends it with the connection, and
            // what is under way is cancelled then.
            drop(Object::take(object));
        }
    }
}
