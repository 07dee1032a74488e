//! A store that keeps nothing and says what it is told to, to look at what stands above a
//! store without one.

use std::{sync::Arc, time::Instant};

use mainstay_core::{Catalog, Error};
use mainstay_plan::ReadPlan;

use crate::{
    Answer, Applied, AppliedMigration, Capabilities, Committed, Cx, Event, Health, Migration,
    Mismatch, ReadDone, RowSink, Schema, Seq, Store, StoreFuture, WriteError, WriteSet,
};

/// What a [`ToldStore`] says. Where nothing else is told it has no rows, takes every write
/// and touches nothing by it.
pub trait Told: Send + Sync + 'static {
    /// What a read comes to; its rows go into the sink.
    ///
    /// # Errors
    /// Those that are told.
    fn read(&self, _: &ReadPlan, _: &mut dyn RowSink) -> Result<ReadDone, Error> {
        Ok(ReadDone::default())
    }

    /// What a write comes to; the rows it answers go into the sink.
    ///
    /// # Errors
    /// Those that are told.
    fn write(&self, set: &WriteSet, _: &mut dyn RowSink) -> Result<Committed, WriteError> {
        let plans = set.plans.len();
        let (affected, inserted) = (vec![Vec::new(); plans], vec![0; plans]);
        Ok(Committed { mark: None, affected, inserted })
    }

    /// Whether the store answers.
    fn health(&self) -> Health {
        Health::Ready
    }
}

/// A store that says what it is told to.
#[derive(Debug, Default)]
pub struct ToldStore<T>(pub T);

const CAPABILITIES: Capabilities = Capabilities {
    engine: "told",
    transactions: true,
    unique_constraints: true,
    relation_guards: true,
    counting_guards: true,
    embeds: true,
    aggregates: true,
};

impl<T: Told> Store for ToldStore<T> {
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
        plan: Arc<ReadPlan>,
        _: Cx,
        mut sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<ReadDone>, Error>> {
        Box::pin(async move {
            let done = self.0.read(&plan, &mut *sink)?;
            Ok(Answer { done, sink })
        })
    }

    fn write(
        &self,
        set: WriteSet,
        _: Cx,
        mut sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<Committed>, WriteError>> {
        Box::pin(async move {
            let done = self.0.write(&set, &mut *sink)?;
            Ok(Answer { done, sink })
        })
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
        Box::pin(async { self.0.health() })
    }

    fn close(&self, _: Instant) -> StoreFuture<'_, ()> {
        Box::pin(async {})
    }
}
