//! [`SqliteStore`]: a file, its readers and its writer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_core::{Catalog, Error};
use mainstay_plan::ReadPlan;
use mainstay_store::{
    Answer, Applied, AppliedMigration, Capabilities, Committed, Cx, Event, Health, Migration,
    Mismatch, ReadDone, RowSink, Schema, Seq, Store, StoreFuture, WriteError, WriteSet,
    refusal::{closed, deadline_exceeded},
};

use crate::{
    connection,
    error::Trouble,
    inline::{self, Inline},
    introspect::introspect,
    migrate, outbox,
    reader_pool::ReaderPool,
    schema,
    settings::SqliteSettings,
    shared::Shared,
    writer::Writer,
};

const CAPABILITIES: Capabilities = Capabilities {
    engine: "sqlite",
    transactions: true,
    unique_constraints: true,
    // One writer at a time makes every guard hold until the commit.
    relation_guards: true,
    counting_guards: true,
    embeds: true,
    aggregates: true,
};

/// A store that keeps its rows in one SQLite file.
pub struct SqliteStore {
    shared: Arc<Shared>,
    pool: ReaderPool,
    writer: Writer,
}

impl SqliteStore {
    /// Opens a file, making it where it is missing.
    ///
    /// # Errors
    /// `Unavailable`, with a message that says what is wrong with the file.
    pub fn open(settings: SqliteSettings) -> Result<Self, Error> {
        let connection = connection::open_writer(&settings)?;
        migrate::make_own_tables(&connection)?;
        let shared = Arc::new(Shared::new(settings));
        let writer = Writer::start(&shared, connection)?;
        let pool = ReaderPool::start(&shared)?;
        Ok(Self { shared, pool, writer })
    }

    /// What a catalog asks for that this engine cannot promise.
    #[must_use]
    pub fn mismatches(catalog: &Catalog) -> Vec<Mismatch> {
        catalog
            .models()
            .iter()
            .filter_map(|model| {
                let schema = model.table.schema.as_ref()?;
                Some(Mismatch {
                    subject: model.name.to_string(),
                    message: format!("its table lies in a schema \"{schema}\", which SQLite lacks"),
                    way_out: "leave the schema out, or use an engine that has them".to_owned(),
                })
            })
            .collect()
    }

    async fn read_plan(
        &self,
        plan: Arc<ReadPlan>,
        cx: Cx,
        mut sink: Box<dyn RowSink>,
    ) -> Result<Answer<ReadDone>, Error> {
        if Instant::now() >= cx.deadline {
            return Err(deadline_exceeded());
        }
        let shape = plan.shape();
        if !self.shared.catalogs.takes(shape.catalog()) {
            self.shared.catalogs.get(shape.catalog())?;
        }
        if plan.answers_nothing() {
            let done = ReadDone { rows: 0, total: shape.count().then_some(0) };
            return Ok(Answer { done, sink });
        }
        match inline::read(&self.shared, &plan, &mut *sink)? {
            Inline::Done(done) => Ok(Answer { done, sink }),
            Inline::TooLong => {
                sink.reset();
                self.pool.read(plan, cx.deadline, sink).await
            }
        }
    }
}

impl Store for SqliteStore {
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
        self.shared.catalogs.adopt(&catalog);
    }

    fn read(
        &self,
        plan: Arc<ReadPlan>,
        cx: Cx,
        sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<ReadDone>, Error>> {
        Box::pin(self.read_plan(plan, cx, sink))
    }

    fn write(
        &self,
        set: WriteSet,
        cx: Cx,
        sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<Committed>, WriteError>> {
        Box::pin(async move {
            if self.shared.is_closed() {
                return Err(WriteError::NotApplied(closed()));
            }
            self.writer.write(set, cx, sink).await
        })
    }

    fn changes(&self, after: Seq, max: u32) -> StoreFuture<'_, Result<Vec<Event>, Error>> {
        Box::pin(async move {
            let catalog = self.shared.catalogs.current()?;
            self.pool
                .run(move |connection| {
                    outbox::changes(connection, &catalog, after, max).map_err(Trouble::into_error)
                })
                .await
        })
    }

    fn introspect(&self) -> StoreFuture<'_, Result<Schema, Error>> {
        Box::pin(self.pool.run(|connection| {
            introspect(connection).map_err(|error| Trouble::from(error).into_error())
        }))
    }

    fn migrate(&self, migration: Migration, cx: Cx) -> StoreFuture<'_, Result<Applied, Error>> {
        Box::pin(
            self.writer
                .run(move |connection| migrate::migrate(connection, &migration, cx.deadline)),
        )
    }

    fn migrations(&self) -> StoreFuture<'_, Result<Vec<AppliedMigration>, Error>> {
        Box::pin(self.pool.run(|connection| {
            migrate::migrations(connection).map_err(|error| Trouble::from(error).into_error())
        }))
    }

    fn health(&self, _cx: Cx) -> StoreFuture<'_, Health> {
        Box::pin(async move {
            if self.shared.is_closed() {
                return Health::Away("the store is closed".to_owned());
            }
            let answers = |connection: &rusqlite::Connection| {
                connection
                    .query_row("SELECT count(*) FROM mainstay_meta", [], |_| Ok(()))
                    .map_err(|error| Trouble::from(error).into_error())
            };
            let (reads, writes) = (self.pool.run(answers).await, self.writer.run(answers).await);
            match reads.and(writes) {
                Ok(()) => Health::Ready,
                Err(error) => Health::Away(error.to_string()),
            }
        })
    }

    fn close(&self, deadline: Instant) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.shared.close();
            self.pool.close();
            let Some(closed) = self.writer.close() else { return };
            let left = deadline.saturating_duration_since(Instant::now());
            if left > Duration::ZERO {
                // Past the deadline the writer still ends by itself once it is done.
                let _ = tokio::time::timeout(left, closed).await;
            }
        })
    }
}
