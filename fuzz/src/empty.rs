//! A store that answers nothing: what a target asks of it is planned, and that is all.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use mainstay_core::{Catalog, Error};
use mainstay_plan::ReadPlan;
use mainstay_store::{
    Answer, Applied, AppliedMigration, Capabilities, Committed, Cx, Event, Health, Migration,
    Mismatch, ReadDone, RowSink, Schema, Seq, Store, StoreFuture, WriteError, WriteSet,
};

/// A store without rows that takes every write.
#[derive(Debug, Default)]
pub(crate) struct Empty {
    asked: AtomicBool,
}

impl Empty {
    /// Whether it was asked for anything since this was last asked.
    pub(crate) fn was_asked(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }
}

const CAPABILITIES: Capabilities = Capabilities {
    engine: "empty",
    transactions: true,
    unique_constraints: true,
    relation_guards: true,
    counting_guards: true,
    embeds: true,
    aggregates: true,
};

impl Store for Empty {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn check(&self, _: &Catalog) -> Vec<Mismatch> {
        Vec::new()
    }

    fn wanted_schema(&self, _: &Catalog) -> Schema {
        Schema::default()
    }

    fn adopt(&self, _: Arc<Catalog>) {}

    fn read(
        &self,
        _: Arc<ReadPlan>,
        _: Cx,
        sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<ReadDone>, Error>> {
        self.asked.store(true, Ordering::Relaxed);
        Box::pin(async move { Ok(Answer { done: ReadDone::default(), sink }) })
    }

    fn write(
        &self,
        set: WriteSet,
        _: Cx,
        sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<Committed>, WriteError>> {
        self.asked.store(true, Ordering::Relaxed);
        let affected = vec![Vec::new(); set.plans.len()];
        let inserted = vec![0; set.plans.len()];
        let done = Committed { mark: None, affected, inserted };
        Box::pin(async move { Ok(Answer { done, sink }) })
    }

    fn changes(&self, _: Seq, _: u32) -> StoreFuture<'_, Result<Vec<Event>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn introspect(&self) -> StoreFuture<'_, Result<Schema, Error>> {
        Box::pin(async { Ok(Schema::default()) })
    }

    fn migrate(&self, _: Migration, _: Cx) -> StoreFuture<'_, Result<Applied, Error>> {
        Box::pin(async { Err(Error::unavailable("no schema changes here")) })
    }

    fn migrations(&self) -> StoreFuture<'_, Result<Vec<AppliedMigration>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn health(&self, _: Cx) -> StoreFuture<'_, Health> {
        Box::pin(async { Health::Ready })
    }

    fn close(&self, _: Instant) -> StoreFuture<'_, ()> {
        Box::pin(async {})
    }
}
