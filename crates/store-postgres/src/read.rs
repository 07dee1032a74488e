//! Carrying out reads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use mainstay_core::{Catalog, Error};
use mainstay_plan::{ReadPlan, ReadShape};
use mainstay_store::{ReadDone, RowSink};

use crate::{
    compile::{self, Output},
    connection::Connection,
    error::Trouble,
    rows,
    statement::{Bindings, Statement},
};

/// What a read may take on a lane that others share.
const SLOW: Duration = Duration::from_millis(100);

/// Notes how long a read took, also where nobody waited for its end.
pub(crate) struct Watch<'r> {
    read: &'r CompiledRead,
    since: Instant,
    under_way: usize,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        // Of the time since it was sent, most was that of those before it.
        let share = self.since.elapsed() / u32::try_from(self.under_way).unwrap_or(u32::MAX);
        let is_slow = share > SLOW;
        if self.read.is_slow.load(Ordering::Relaxed) != is_slow {
            self.read.is_slow.store(is_slow, Ordering::Relaxed);
        }
    }
}

/// A read's statements, the same for every connection.
pub(crate) struct CompiledRead {
    /// Whether it took long the last time it ran.
    is_slow: AtomicBool,
    rows: Arc<Statement>,
    outputs: Vec<Output>,
    count: Option<Arc<Statement>>,
}

impl CompiledRead {
    pub(crate) fn new(catalog: &Catalog, shape: &ReadShape) -> Self {
        let (query, count) = compile::read(catalog, shape);
        Self {
            is_slow: AtomicBool::new(false),
            rows: query.statement,
            outputs: query.outputs,
            count,
        }
    }

    /// Whether it is to have a connection of its own: where it takes more than one
    /// statement, which must see the same rows, and where it keeps those waiting that are
    /// sent behind it.
    pub(crate) fn wants_its_own(&self) -> bool {
        self.count.is_some() || self.is_slow.load(Ordering::Relaxed)
    }

    /// Watches how long it takes, as one of so many that a connection has under way.
    pub(crate) fn watch(&self, under_way: usize) -> Watch<'_> {
        Watch { read: self, since: Instant::now(), under_way: under_way.max(1) }
    }

    /// Sends the rows into a sink, in one statement.
    pub(crate) async fn run(
        &self,
        connection: &Connection,
        plan: &ReadPlan,
        sink: &mut dyn RowSink,
    ) -> Result<ReadDone, Trouble> {
        let bindings = Bindings::slots(plan.values());
        let mut found = connection.query(&self.rows, bindings).await?;
        let mut done = ReadDone::default();
        // What has arrived together is sent on without going around the runtime.
        while let Some(row) = found.next().await {
            rows::send(&row?, &self.outputs, sink).map_err(Trouble::Caller)?;
            done.rows += 1;
        }
        Ok(done)
    }

    /// The same with the count beside it, both in one snapshot.
    pub(crate) async fn run_counted(
        &self,
        connection: &Connection,
        plan: &ReadPlan,
        sink: &mut dyn RowSink,
    ) -> Result<ReadDone, Trouble> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let Some(count) = &self.count else { return self.run(connection, plan, sink).await };
        let bindings = Bindings::slots(plan.values());
        // Polled together they are sent together, in this order.
        let (begun, counted, done) = tokio::join!(
            connection.batch(BEGIN),
            connection.rows(count, bindings),
            self.run(connection, plan, sink),
        );
        begun?;
        let row = counted?.into_iter().next();
        let mut done = done?;
        connection.batch("COMMIT").await?;
        let total: i64 = match row {
            Some(row) => row.try_get(0)?,
            None => 0,
        };
        done.total =
            Some(u64::try_from(total).map_err(|error| Trouble::Internal(Error::internal(error)))?);
        Ok(done)
    }
}
