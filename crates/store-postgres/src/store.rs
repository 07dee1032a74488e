//! [`PostgresStore`]: lanes for what is one statement, a pool for transactions.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use mainstay_core::{Catalog, Error};
use mainstay_plan::ReadPlan;
use mainstay_store::{
    Answer, Applied, AppliedMigration, Capabilities, Catalogs, Committed, Cx, Event, Health,
    Migration, Mismatch, ReadDone, RowSink, Schema, Seq, Store, StoreFuture, WriteError, WriteSet,
    refusal::{closed, deadline_exceeded},
};

use crate::{
    connection::Connector, error::Trouble, introspect::introspect, lanes::Lanes, migrate, outbox,
    own, pool::Pool, read::CompiledRead, schema, settings::PostgresSettings, shapes::Shapes,
    write::Writer,
};

const CAPABILITIES: Capabilities = Capabilities {
    engine: "postgres",
    transactions: true,
    unique_constraints: true,
    // Rows that a guard finds are locked until the commit.
    relation_guards: true,
    // Whatever counts, or looks for what is not there, is serialisable.
    counting_guards: true,
    embeds: true,
    aggregates: true,
};

/// How often old events are dropped.
const DROP_EVERY: Duration = Duration::from_secs(60);

/// A store that keeps its rows in a PostgreSQL database.
pub struct PostgresStore {
    inner: Arc<Inner>,
}

/// What all parts of one store have in common.
pub(crate) struct Inner {
    pub(crate) settings: Arc<PostgresSettings>,
    pub(crate) catalogs: Catalogs,
    pub(crate) lanes: Lanes,
    pub(crate) pool: Pool,
    reads: Shapes<CompiledRead>,
    pub(crate) writer: Writer,
    is_closed: AtomicBool,
}

impl PostgresStore {
    /// Connects to a database, and makes Mainstay's own tables where they are missing.
    ///
    /// # Errors
    /// `Unavailable`, with a message that says what is wrong.
    pub async fn open(settings: PostgresSettings) -> Result<Self, Error> {
        let settings = Arc::new(settings);
        let connector = Connector::new(&settings)?;
        let first = connector.connect().await?;
        own::make(&first).await?;
        let inner = Arc::new(Inner {
            catalogs: Catalogs::default(),
            pool: Pool::new(connector.clone(), &settings)?,
            lanes: Lanes::new(connector, settings.lanes, first),
            reads: Shapes::default(),
            writer: Writer::default(),
            is_closed: AtomicBool::new(false),
            settings,
        });
        drop_old_events(&inner);
        Ok(Self { inner })
    }

    /// What a catalog asks for that this engine cannot promise.
    #[must_use]
    pub fn mismatches(_: &Catalog) -> Vec<Mismatch> {
        Vec::new()
    }
}

impl Inner {
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    async fn read(
        &self,
        plan: &ReadPlan,
        deadline: Instant,
        sink: &mut dyn RowSink,
    ) -> Result<ReadDone, Trouble> {
        let shape = plan.shape();
        let compiled = self.reads.get(shape.id(), || {
            let catalog = self.catalogs.get(shape.catalog())?;
            Ok(CompiledRead::new(&catalog, shape))
        });
        let compiled = compiled.map_err(Trouble::Unavailable)?;
        let rows = compiled.rows(plan, || self.catalogs.get(shape.catalog()).ok());
        if compiled.wants_its_own() {
            let connection = self.pool.take(deadline).await.map_err(Trouble::Unavailable)?;
            let _watch = compiled.watch(None);
            let done = compiled.run_counted(&connection, &rows, plan, sink).await?;
            connection.give_back();
            return Ok(done);
        }
        let lane = self.lanes.take().map_err(Trouble::Unavailable)?;
        let _watch = compiled.watch(Some(&lane));
        compiled.run(lane.connection(), &rows, plan, sink).await
    }

    async fn read_plan(
        &self,
        plan: Arc<ReadPlan>,
        cx: Cx,
        mut sink: Box<dyn RowSink>,
    ) -> Result<Answer<ReadDone>, Error> {
        let shape = plan.shape();
        if !self.catalogs.takes(shape.catalog()) {
            self.catalogs.get(shape.catalog())?;
        }
        if self.is_closed() {
            return Err(closed());
        }
        if plan.answers_nothing() {
            let done = ReadDone { rows: 0, total: shape.count().then_some(0) };
            return Ok(Answer { done, sink });
        }
        let mut is_again = false;
        loop {
            let reading = self.read(&plan, cx.deadline, &mut *sink);
            match tokio::time::timeout_at(cx.deadline.into(), reading).await {
                Ok(Ok(done)) => return Ok(Answer { done, sink }),
                // A read that lost its connection can be asked anew, once.
                Ok(Err(Trouble::Lost(_))) if !is_again => {
                    sink.reset();
                    is_again = true;
                }
                Ok(Err(trouble)) => return Err(trouble.into_error()),
                Err(_) => return Err(deadline_exceeded()),
            }
        }
    }
}

/// Drops old events now and then, as long as the store is there.
fn drop_old_events(inner: &Arc<Inner>) {
    let inner = Arc::downgrade(inner);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(DROP_EVERY).await;
            let Some(inner) = inner.upgrade().filter(|inner| !inner.is_closed()) else { return };
            let Ok(connection) = inner.pool.take(Instant::now() + DROP_EVERY).await else {
                continue;
            };
            match outbox::drop_old(&connection).await {
                Ok(()) => connection.give_back(),
                Err(trouble) => {
                    tracing::warn!(error = ?trouble, "old events could not be dropped");
                }
            }
        }
    });
}

impl Store for PostgresStore {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn check(&self, catalog: &Catalog) -> Vec<Mismatch> {
        Self::mismatches(catalog)
    }

    fn wanted_schema(&self, catalog: &Catalog) -> Schema {
        schema::wanted(catalog)
    }

    fn adopt(&self, catalog: Arc<Catalog>) {
        self.inner.catalogs.adopt(&catalog);
    }

    fn read(
        &self,
        plan: Arc<ReadPlan>,
        cx: Cx,
        sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<ReadDone>, Error>> {
        Box::pin(self.inner.read_plan(plan, cx, sink))
    }

    fn write(
        &self,
        set: WriteSet,
        cx: Cx,
        sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<Committed>, WriteError>> {
        Box::pin(async move {
            if self.inner.is_closed() {
                return Err(WriteError::NotApplied(closed()));
            }
            self.inner.writer.write(&self.inner, set, cx, sink).await
        })
    }

    fn changes(&self, after: Seq, max: u32) -> StoreFuture<'_, Result<Vec<Event>, Error>> {
        Box::pin(async move {
            let catalog = self.inner.catalogs.current()?;
            let lane = self.inner.lanes.take()?;
            outbox::changes(lane.connection(), &catalog, after, max).await
        })
    }

    fn introspect(&self) -> StoreFuture<'_, Result<Schema, Error>> {
        Box::pin(async move {
            let lane = self.inner.lanes.take()?;
            let schema = introspect(lane.connection().client()).await;
            schema.map_err(|error| Trouble::from(error).into_error())
        })
    }

    fn migrate(&self, migration: Migration, cx: Cx) -> StoreFuture<'_, Result<Applied, Error>> {
        Box::pin(async move {
            let connection = self.inner.pool.take(cx.deadline).await?;
            let applied = migrate::migrate(&connection, &migration).await?;
            connection.give_back();
            Ok(applied)
        })
    }

    fn migrations(&self) -> StoreFuture<'_, Result<Vec<AppliedMigration>, Error>> {
        Box::pin(async move {
            let lane = self.inner.lanes.take()?;
            migrate::migrations(lane.connection()).await.map_err(Trouble::into_error)
        })
    }

    fn health(&self, cx: Cx) -> StoreFuture<'_, Health> {
        Box::pin(async move {
            if self.inner.is_closed() {
                return Health::Away("the store is closed".to_owned());
            }
            let asked = async {
                let lane = self.inner.lanes.take()?;
                let asked = lane.connection().batch("SELECT 1 FROM mainstay_meta").await;
                asked.map_err(Trouble::into_error)
            };
            match tokio::time::timeout_at(cx.deadline.into(), asked).await {
                Ok(Ok(())) => Health::Ready,
                Ok(Err(error)) => Health::Away(error.to_string()),
                Err(_) => Health::Away("the database does not answer".to_owned()),
            }
        })
    }

    fn close(&self, deadline: Instant) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.inner.is_closed.store(true, Ordering::Release);
            self.inner.writer.drain(deadline).await;
            self.inner.pool.close();
            self.inner.lanes.close();
        })
    }
}
