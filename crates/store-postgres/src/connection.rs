//! One connection, and the statements it has prepared.

use std::{pin::Pin, sync::Arc};

use mainstay_core::Error;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio_postgres::{Client, Config, Row, RowStream, config::TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    error::{Trouble, away},
    settings::PostgresSettings,
    statement::{Bindings, Statement},
    tls::TlsParams,
    write::outbox_statement,
};

/// Statements one connection keeps prepared; beyond it all are let go.
const STATEMENTS_MAX: usize = 1_000;

/// One connection.
pub(crate) struct Connection {
    client: Client,
    prepared: Mutex<FxHashMap<u64, tokio_postgres::Statement>>,
    outbox: Arc<Statement>,
    tls: MakeRustlsConnect,
    pooler: bool,
}

/// What every connection is opened with.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    settings: Arc<PostgresSettings>,
    outbox: Arc<Statement>,
}

impl Connector {
    /// Reads the settings.
    ///
    /// # Errors
    /// Where the URL cannot be read.
    pub(crate) fn new(settings: &Arc<PostgresSettings>) -> Result<Self, Error> {
        let (url, tls) = TlsParams::take(&settings.url)?;
        let mut config: Config = url.parse().map_err(|error| {
            Error::unavailable(
                "`[database] url` is no address of a PostgreSQL database: \
                 postgres://USER:PASSWORD@HOST:PORT/DATABASE",
            )
            .with_source(Box::<dyn std::error::Error + Send + Sync>::from(error))
        })?;
        if config.get_application_name().is_none() {
            config.application_name("mainstay");
        }
        config.connect_timeout(settings.connect_timeout);
        config.keepalives_idle(std::time::Duration::from_secs(10));
        config.tcp_user_timeout(std::time::Duration::from_secs(10));
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.ssl_mode(tls.mode.ssl_mode());
        Ok(Self {
            config,
            tls: tls.connector()?,
            settings: Arc::clone(settings),
            outbox: outbox_statement(),
        })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) async fn connect(&self) -> Result<Connection, Error> {
        let opening = self.config.connect(self.tls.clone());
        let within = self.settings.connect_timeout * 2;
        let opened = tokio::time::timeout(within, opening).await;
        let (client, driver) =
            opened.map_err(|_| away())?.map_err(|error| away().with_source(error))?;
        tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::warn!(%error, "a connection to the database ended");
            }
        });
        let connection = Connection {
            client,
            prepared: Mutex::default(),
            outbox: Arc::clone(&self.outbox),
            tls: self.tls.clone(),
            pooler: self.settings.pooler,
        };
        connection
            .client
            .batch_execute(&self.session())
            .await
            .map_err(|error| away().with_source(error))?;
        Ok(connection)
    }

    /// What holds for a session. Behind a pooler sessions are not ours to set: there it
    /// is the operator's affair, and only what each transaction sets holds.
    fn session(&self) -> String {
        if self.settings.pooler {
            return String::new();
        }
        let timeout_ms = self.settings.statement_timeout.as_millis();
        let commit = if self.settings.synchronous_commit { "on" } else { "off" };
        format!(
            "SET statement_timeout = {timeout_ms}; SET synchronous_commit = {commit}; \
             SET TimeZone = 'UTC'; SET client_encoding = 'UTF8'; \
             SET standard_conforming_strings = on; SET plan_cache_mode = auto; SET jit = off"
        )
    }
}

impl Connection {
    /// Whether it is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs a statement and gives its rows as they come.
    pub(crate) async fn query(
        &self,
        statement: &Statement,
        bindings: Bindings<'_>,
    ) -> Result<Pin<Box<RowStream>>, Trouble> {
        let bound = statement.bind(bindings);
        let rows = if self.pooler {
            let typed = bound.iter().zip(statement.types()).map(|(v, kind)| (v, kind.clone()));
            self.client.query_typed_raw(&statement.sql, typed).await?
        } else {
            let prepared = self.prepare(statement).await?;
            self.client.query_raw(&prepared, bound.iter()).await?
        };
        Ok(Box::pin(rows))
    }

    /// Runs a statement and gives all of its rows.
    pub(crate) async fn rows(
        &self,
        statement: &Statement,
        bindings: Bindings<'_>,
    ) -> Result<Vec<Row>, Trouble> {
        use futures_util::TryStreamExt as _;
        let rows = self.query(statement, bindings).await?;
        Ok(rows.try_collect().await?)
    }

    /// Runs a statement and gives how many rows it touched.
    pub(crate) async fn execute(
        &self,
        statement: &Statement,
        bindings: Bindings<'_>,
    ) -> Result<u64, Trouble> {
        use futures_util::TryStreamExt as _;
        let mut rows = self.query(statement, bindings).await?;
        while rows.try_next().await?.is_some() {}
        Ok(rows.rows_affected().unwrap_or(0))
    }

    /// Runs statements of ours without parameters.
    pub(crate) async fn batch(&self, sql: &str) -> Result<(), Trouble> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Has the server give up what is under way.
    pub(crate) async fn cancel(&self) {
        // Where that fails the statement's own time-out ends it.
        let _ = self.client.cancel_token().cancel_query(self.tls.clone()).await;
    }

    /// The client itself, for what asks about the schema.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The statement that writes a transaction's events.
    pub(crate) fn outbox(&self) -> &Statement {
        &self.outbox
    }

    /// Has the server ready for a statement, where it keeps any.
    pub(crate) async fn prepare_first(&self, statement: &Statement) -> Result<(), Trouble> {
        if self.pooler {
            return Ok(());
        }
        self.prepare(statement).await.map(drop)
    }

    async fn prepare(&self, statement: &Statement) -> Result<tokio_postgres::Statement, Trouble> {
        if let Some(known) = self.prepared.lock().get(&statement.id) {
            return Ok(known.clone());
        }
        let made = self.client.prepare_typed(&statement.sql, statement.types()).await?;
        let mut prepared = self.prepared.lock();
        if prepared.len() >= STATEMENTS_MAX {
            prepared.clear();
        }
        prepared.insert(statement.id, made.clone());
        Ok(made)
    }
}
