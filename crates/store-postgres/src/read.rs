//! Carrying out reads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use mainstay_core::{Catalog, Error, SlotId, Value};
use mainstay_plan::{ReadPlan, ReadShape};
use mainstay_store::{ReadDone, RowSink};
use parking_lot::RwLock;

use crate::{
    compile::{self, Output},
    connection::Connection,
    error::Trouble,
    lanes::Taken,
    rows,
    statement::{Bindings, Statement},
};

/// What a read may take on a lane that others share.
const SLOW: Duration = Duration::from_millis(100);
/// How many times that it may take before it is slow, in all runs since the last that was
/// not: a machine that is short of processors makes any read take long now and then.
const SLOW_TIMES: u32 = 3;
/// For how many limits a read has a statement in which they are written out; the values of
/// any further ones are bound. Clients that page use one or two.
const LIMITS_MAX: usize = 16;

/// Notes how long a read took, also where nobody waited for its end.
pub(crate) struct Watch<'r> {
    read: &'r CompiledRead,
    since: Instant,
    lane: Option<&'r Taken>,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let since = self.lane.map_or(self.since, Taken::served_since);
        let times = since.elapsed().as_nanos() / SLOW.as_nanos();
        let before = self.read.slow_times.load(Ordering::Relaxed);
        let times = match u32::try_from(times).unwrap_or(u32::MAX) {
            0 => 0,
            more => before.saturating_add(more),
        };
        if times != before {
            self.read.slow_times.store(times, Ordering::Relaxed);
        }
    }
}

/// A statement in which these limits are written out.
struct Within {
    limits: Box<[Value]>,
    rows: Arc<Statement>,
}

/// A read's statements, the same for every connection.
pub(crate) struct CompiledRead {
    /// How many times [`SLOW`] it took, in all runs since the last that took less.
    slow_times: AtomicU32,
    /// Whatever its limits are.
    rows: Arc<Statement>,
    outputs: Vec<Output>,
    /// Where its limits stand among a plan's values.
    limits: Vec<SlotId>,
    within: RwLock<Vec<Within>>,
    count: Option<Arc<Statement>>,
}

impl CompiledRead {
    pub(crate) fn new(catalog: &Catalog, shape: &ReadShape) -> Self {
        let query = compile::rows(catalog, shape, None);
        Self {
            slow_times: AtomicU32::new(0),
            rows: query.statement,
            outputs: query.outputs,
            limits: compile::limits(shape.root()),
            within: RwLock::default(),
            count: compile::total(catalog, shape),
        }
    }

    /// The statement of a plan's rows. Where the catalog is gone that one of these limits
    /// would be made from, it is the one that does without.
    pub(crate) fn rows(
        &self,
        plan: &ReadPlan,
        catalog: impl FnOnce() -> Option<Arc<Catalog>>,
    ) -> Arc<Statement> {
        let values = plan.values();
        let asked = || self.limits.iter().map(|slot| &values[usize::from(slot.0)]);
        let is_it = |within: &&Within| asked().eq(&*within.limits);
        if self.limits.is_empty() {
            return Arc::clone(&self.rows);
        }
        {
            let within = self.within.read();
            if let Some(known) = within.iter().find(is_it) {
                return Arc::clone(&known.rows);
            }
            if within.len() >= LIMITS_MAX {
                return Arc::clone(&self.rows);
            }
        }
        let Some(catalog) = catalog() else { return Arc::clone(&self.rows) };
        let made = compile::rows(&catalog, plan.shape(), Some(values)).statement;
        let mut within = self.within.write();
        if let Some(known) = within.iter().find(is_it) {
            return Arc::clone(&known.rows);
        }
        if within.len() < LIMITS_MAX {
            within.push(Within { limits: asked().cloned().collect(), rows: Arc::clone(&made) });
        }
        made
    }

    /// Whether it is to have a connection of its own: where it takes more than one
    /// statement, which must see the same rows, and where it keeps those waiting that are
    /// sent behind it.
    pub(crate) fn wants_its_own(&self) -> bool {
        self.count.is_some() || self.slow_times.load(Ordering::Relaxed) >= SLOW_TIMES
    }

    /// Watches how long it takes, on a lane or on a connection of its own.
    pub(crate) fn watch<'r>(&'r self, lane: Option<&'r Taken>) -> Watch<'r> {
        Watch { read: self, since: Instant::now(), lane }
    }

    /// Sends the rows into a sink, in one statement.
    pub(crate) async fn run(
        &self,
        connection: &Connection,
        rows: &Statement,
        plan: &ReadPlan,
        sink: &mut dyn RowSink,
    ) -> Result<ReadDone, Trouble> {
        let bindings = Bindings::slots(plan.values());
        let mut found = connection.query(rows, bindings).await?;
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
        rows: &Statement,
        plan: &ReadPlan,
        sink: &mut dyn RowSink,
    ) -> Result<ReadDone, Trouble> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let Some(count) = &self.count else { return self.run(connection, rows, plan, sink).await };
        let bindings = Bindings::slots(plan.values());
        // Polled together they are sent together, in this order.
        let (begun, counted, done) = tokio::join!(
            connection.batch(BEGIN),
            connection.rows(count, bindings),
            self.run(connection, rows, plan, sink),
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
