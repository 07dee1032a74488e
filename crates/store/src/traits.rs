//! The [`Store`] trait: what every engine does.

use std::{future::Future, pin::Pin, sync::Arc, time::Instant};

use mainstay_core::{Catalog, Error, Value};
use mainstay_plan::{ReadPlan, WritePlan};

use crate::{
    Applied, AppliedMigration, Capabilities, Cx, Event, Mark, Migration, Mismatch, RowSink, Schema,
    Seq, WriteError,
};

/// A boxed future, so that a store can be a trait object.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An engine that carries out plans.
///
/// All methods may be called concurrently. A plan made for another catalog than the
/// one last given to [`adopt`](Self::adopt) is refused with `Unavailable`: it was
/// overtaken by a reload and can be made again.
pub trait Store: Send + Sync + 'static {
    /// What the engine can promise.
    fn capabilities(&self) -> &Capabilities;

    /// What the app asks for that the engine cannot promise; empty where it can
    /// keep all of it. Asked before anything is served.
    fn check(&self, catalog: &Catalog) -> Vec<Mismatch>;

    /// The tables a catalog wants on this engine, to be compared with
    /// [`introspect`](Self::introspect).
    fn wanted_schema(&self, catalog: &Catalog) -> Schema;

    /// Goes over to a catalog: from now on plans made for it are taken. Those made
    /// for the one before are still carried out until they are done; the one before
    /// that is forgotten.
    fn adopt(&self, catalog: Arc<Catalog>);

    /// Reads rows into a sink, in one snapshot, and gives the sink back.
    ///
    /// # Errors
    /// `DeadlineExceeded`, `Unavailable`, `ResponseTooLarge` from the sink, an error
    /// of a value (a cast, a division), or `Internal`.
    fn read(
        &self,
        plan: Arc<ReadPlan>,
        cx: Cx,
        sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<ReadDone>, Error>>;

    /// Carries out plans in one transaction, each with its guards. Rows to be
    /// answered go into the sink once all guards hold. Returns after the commit is
    /// as durable as the store is set to make it.
    ///
    /// # Errors
    /// See [`WriteError`].
    fn write(
        &self,
        set: WriteSet,
        cx: Cx,
        sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<Committed>, WriteError>>;

    /// The events after `after` in the order of their commits, at most `max`.
    ///
    /// # Errors
    /// `Unavailable` or `Internal`.
    fn changes(&self, after: Seq, max: u32) -> StoreFuture<'_, Result<Vec<Event>, Error>>;

    /// The tables that are there now.
    ///
    /// # Errors
    /// `Unavailable` or `Internal`.
    fn introspect(&self) -> StoreFuture<'_, Result<Schema, Error>>;

    /// Carries out schema changes in one transaction, all or none, while nobody else does:
    /// another node waits. Where the migration is one that is noted, the note is part of
    /// the transaction; where it is noted already nothing is done. What a step would add
    /// and is there as the step would make it is left as it is.
    ///
    /// # Errors
    /// `Unavailable`, or `Internal` with the step that failed as its message.
    fn migrate(&self, migration: Migration, cx: Cx) -> StoreFuture<'_, Result<Applied, Error>>;

    /// The migrations that are noted, lineage by lineage and by number within each.
    ///
    /// # Errors
    /// `Unavailable` or `Internal`.
    fn migrations(&self) -> StoreFuture<'_, Result<Vec<AppliedMigration>, Error>>;

    /// Whether the store answers.
    fn health(&self, cx: Cx) -> StoreFuture<'_, Health>;

    /// Ends what is under way, until the deadline, and lets go of the engine.
    fn close(&self, deadline: Instant) -> StoreFuture<'_, ()>;
}

/// What a call came to, and the sink it was given.
pub struct Answer<T> {
    /// What the call came to.
    pub done: T,
    /// The sink, with the rows in it.
    pub sink: Box<dyn RowSink>,
}

/// What a read came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadDone {
    /// Rows of the root that were read.
    pub rows: u64,
    /// Rows that match, where the plan asks for a count.
    pub total: Option<u64>,
}

/// Plans that are carried out together.
#[derive(Clone, Debug)]
pub struct WriteSet {
    /// The plans, in order.
    pub plans: Vec<WritePlan>,
    /// How the transaction ends.
    pub end: End,
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// It is committed.
    Commit,
    /// It is rolled back once all of it has been done and answered: no row and no event
    /// remains of it. Whether generated numbers are used up is the engine's affair.
    RollBack,
}

/// What a write came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Committed {
    /// A read that asks for at least this sees the write.
    pub mark: Option<Mark>,
    /// For each plan, the keys of the rows it affected, in the order of the payload;
    /// cascades and ignored duplicates are not among them.
    pub affected: Vec<Vec<Box<[Value]>>>,
    /// For each plan, how many of those rows are new.
    pub inserted: Vec<u64>,
}

impl Committed {
    /// Passes over the plan that comes next, where it follows a change and the one before it
    /// made none: notes that it affected nothing, and says so.
    #[must_use]
    pub fn passes_over(&mut self, next: &WritePlan) -> bool {
        let is_idle = next.follows_change() && self.affected.last().is_some_and(Vec::is_empty);
        if is_idle {
            self.affected.push(Vec::new());
            self.inserted.push(0);
        }
        is_idle
    }
}

/// Whether a store answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Ready,
    /// It does not, for this reason (for the log and the operator).
    Away(String),
}
