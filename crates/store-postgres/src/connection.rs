//! One connection, and the statements it has prepared.
//!
//! A server, or what stands before it, can fall silent without an end that TCP would tell
//! of, and the driver's own bound is on the TCP connection alone. So each host has its
//! time, up to the session's first answer, and then the next one is asked. A connection
//! that is let go with something under way is not waited for: what nobody wants any more
//! is cancelled, and the socket closed.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mainstay_core::Error;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::{runtime::Handle, task::JoinHandle, time::timeout};
use tokio_postgres::{
    Client, Config, Row, RowStream,
    config::{Host, TargetSessionAttrs},
};
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
/// How long a connection that was let go may take to end by itself; one with nothing under
/// way ends at once.
const IDLE_END_MAX: Duration = Duration::from_millis(50);
/// How long its server may then take to hear that what is under way is to be given up, and
/// again to do so.
const CANCEL_MAX: Duration = Duration::from_secs(1);

/// One connection.
pub(crate) struct Connection {
    client: Client,
    driver: Option<JoinHandle<()>>,
    opened: Instant,
    /// Milliseconds from the opening to the last answer.
    heard_ms: AtomicU64,
    prepared: Mutex<FxHashMap<u64, tokio_postgres::Statement>>,
    outbox: Arc<Statement>,
    tls: MakeRustlsConnect,
    pooler: bool,
}

/// What every connection is opened with.
#[derive(Clone)]
pub(crate) struct Connector {
    /// One for each host of the URL.
    hosts: Arc<[Config]>,
    /// The host to ask first: the one that took writes when last asked, or the next after
    /// one that said nothing.
    first: Arc<AtomicUsize>,
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
        config.keepalives_idle(Duration::from_secs(10));
        config.tcp_user_timeout(Duration::from_secs(10));
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.ssl_mode(tls.mode.ssl_mode());
        Ok(Self {
            hosts: host_by_host(config),
            first: Arc::default(),
            tls: tls.connector()?,
            settings: Arc::clone(settings),
            outbox: outbox_statement(),
        })
    }

    /// Opens a connection, to the host that was well when last asked or else to the next
    /// that is; each has the time to connect that is set.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) async fn connect(&self) -> Result<Connection, Error> {
        let first = self.first.load(Ordering::Relaxed);
        let mut why = away();
        for at in (first..self.hosts.len()).chain(0..first) {
            let opening = self.open(&self.hosts[at]);
            match timeout(self.settings.connect_timeout, opening).await {
                Ok(Ok(connection)) => {
                    self.first.store(at, Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(Err(error)) => why = error,
                Err(_) => self.passed_over(at),
            }
        }
        Err(why)
    }

    /// Has another host asked first, where this one is: to wait for it takes longer than a
    /// request may, and the others refuse at once what they cannot do.
    fn passed_over(&self, at: usize) {
        let next = (at + 1) % self.hosts.len();
        let relaxed = Ordering::Relaxed;
        // Where it is not the first any more, another has been found.
        let _ = self.first.compare_exchange(at, next, relaxed, relaxed);
    }

    async fn open(&self, host: &Config) -> Result<Connection, Error> {
        let opened = host.connect(self.tls.clone()).await;
        let (client, driver) = opened.map_err(|error| away().with_source(error))?;
        let driver = tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::warn!(%error, "a connection to the database ended");
            }
        });
        let connection = Connection {
            client,
            driver: Some(driver),
            opened: Instant::now(),
            heard_ms: AtomicU64::new(0),
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

/// The same for each of its hosts alone. Where a host's address is given beside its name,
/// or none is given at all, the driver is left to make sense of it.
fn host_by_host(config: Config) -> Arc<[Config]> {
    let hosts = config.get_hosts();
    if hosts.len() < 2 || !config.get_hostaddrs().is_empty() {
        return Arc::new([config]);
    }
    let ports = config.get_ports();
    let alone = |(at, host): (usize, &Host)| {
        let mut alone = without_hosts(&config);
        match host {
            Host::Tcp(name) => alone.host(name),
            #[cfg(unix)]
            Host::Unix(path) => alone.host_path(path),
        };
        ports.get(at).or_else(|| ports.first()).map(|port| alone.port(*port));
        alone
    };
    hosts.iter().enumerate().map(alone).collect()
}

fn without_hosts(config: &Config) -> Config {
    let mut bare = Config::new();
    config.get_user().map(|user| bare.user(user));
    config.get_password().map(|password| bare.password(password));
    config.get_dbname().map(|name| bare.dbname(name));
    config.get_options().map(|options| bare.options(options));
    config.get_application_name().map(|name| bare.application_name(name));
    config.get_connect_timeout().map(|time| bare.connect_timeout(*time));
    config.get_tcp_user_timeout().map(|time| bare.tcp_user_timeout(*time));
    config.get_keepalives_interval().map(|time| bare.keepalives_interval(time));
    config.get_keepalives_retries().map(|times| bare.keepalives_retries(times));
    bare.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts())
        .target_session_attrs(config.get_target_session_attrs());
    bare
}

impl Connection {
    /// Whether it is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Whether an answer came at this time or later.
    pub(crate) fn has_answered_since(&self, time: Instant) -> bool {
        let heard = self.opened + Duration::from_millis(self.heard_ms.load(Ordering::Relaxed) + 1);
        heard >= time
    }

    fn hear(&self) {
        let ms = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_ms.fetch_max(ms, Ordering::Relaxed);
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
        self.hear();
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
        self.hear();
        Ok(rows.rows_affected().unwrap_or(0))
    }

    /// Runs statements of ours without parameters.
    pub(crate) async fn batch(&self, sql: &str) -> Result<(), Trouble> {
        self.client.batch_execute(sql).await?;
        self.hear();
        Ok(())
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
        self.hear();
        let mut prepared = self.prepared.lock();
        if prepared.len() >= STATEMENTS_MAX {
            prepared.clear();
        }
        prepared.insert(statement.id, made.clone());
        Ok(made)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut driver) = self.driver.take().filter(|driver| !driver.is_finished()) else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else { return driver.abort() };
        let (cancel, tls) = (self.client.cancel_token(), self.tls.clone());
        runtime.spawn(async move {
            if timeout(IDLE_END_MAX, &mut driver).await.is_ok() {
                return;
            }
            // A server that cannot be told ends it by the statement's own time-out.
            let _ = timeout(CANCEL_MAX, cancel.cancel_query(tls)).await;
            if timeout(CANCEL_MAX, &mut driver).await.is_err() {
                driver.abort();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_is_asked_alone_and_with_all_else_that_is_set() {
        let url = "postgres://u:p@a:1,b:2/d?options=-cx%3D1&keepalives_idle=7&sslmode=disable";
        let hosts = host_by_host(url.parse().unwrap());
        let alone = |host: &str| {
            let rest = "d?options=-cx%3D1&keepalives_idle=7&sslmode=disable";
            format!("postgres://u:p@{host}/{rest}").parse::<Config>().unwrap()
        };
        assert_eq!(*hosts, [alone("a:1"), alone("b:2")]);
        let shared = host_by_host("host=a,b port=5 user=u".parse().unwrap());
        assert_eq!(shared[1].get_ports(), [5]);
        assert_eq!(host_by_host("host=a user=u".parse().unwrap()).len(), 1);
    }
}
