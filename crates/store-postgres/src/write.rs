//! Carrying out writes.
//!
//! A write whose guards are the affair of one new row is one statement, sent along a
//! lane. Any other is a transaction on a connection of its own, done again where another
//! was in its way. Once begun it ends, whatever becomes of whoever asked.

mod constraints;
mod delete;
mod guards;
mod insert;
mod returning;
mod single;
mod target;
mod text;
mod transaction;
mod update;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mainstay_core::{Catalog, Error, Model, Type, Value};
use mainstay_plan::{Action, Isolation, WritePlan, WriteShape};
use mainstay_store::{
    Answer, Committed, Cx, End, EventEntries, RowSink, WriteError, WriteSet,
    refusal::{self, check_count},
};
use tokio_postgres::Row;

pub(crate) use self::transaction::outbox_statement;
use self::{
    delete::Delete, insert::Insert, returning::Returning, single::Single, text::Texts,
    update::Update,
};
use crate::{
    connection::Connection,
    error::Trouble,
    shapes::Shapes,
    store::Inner,
    value::{self, Raw},
};

/// The rows a plan affected.
#[derive(Default)]
pub(crate) struct Affected {
    pub(crate) keys: Vec<Box<[Value]>>,
    pub(crate) inserted: u64,
}

/// Carries out writes.
#[derive(Default)]
pub(crate) struct Writer {
    shapes: Shapes<CompiledWrite>,
    under_way: AtomicUsize,
}

/// A write's statements, the same for every connection.
pub(crate) struct CompiledWrite {
    catalog: Arc<Catalog>,
    action: CompiledAction,
    returning: Option<Returning>,
    /// The whole of it in one statement, where that can be.
    single: Option<Single>,
    isolation: Isolation,
}

enum CompiledAction {
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
}

impl Writer {
    /// Carries out a write. It goes on if the future is dropped.
    pub(crate) async fn write(
        &self,
        inner: &Arc<Inner>,
        set: WriteSet,
        cx: Cx,
        sink: Box<dyn RowSink>,
    ) -> Result<Answer<Committed>, WriteError> {
        if Instant::now() >= cx.deadline {
            return Err(WriteError::NotApplied(refusal::deadline_exceeded()));
        }
        let compiled = set
            .plans
            .iter()
            .map(|plan| self.compiled(inner, plan.shape()))
            .collect::<Result<Vec<_>, _>>()?;
        self.under_way.fetch_add(1, Ordering::AcqRel);
        let inner = Arc::clone(inner);
        let writing = tokio::spawn(async move {
            let done = carry_out(&inner, &compiled, set, cx, sink).await;
            inner.writer.under_way.fetch_sub(1, Ordering::AcqRel);
            done
        });
        writing.await.unwrap_or_else(|error| Err(WriteError::Unknown(Error::internal(error))))
    }

    /// Waits until no write is under way, or the deadline.
    pub(crate) async fn drain(&self, deadline: Instant) {
        while self.under_way.load(Ordering::Acquire) > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn compiled(
        &self,
        inner: &Inner,
        shape: &WriteShape,
    ) -> Result<Arc<CompiledWrite>, WriteError> {
        let unavailable = |error| WriteError::NotApplied(error);
        if !inner.catalogs.takes(shape.catalog()) {
            inner.catalogs.get(shape.catalog()).map_err(unavailable)?;
        }
        self.shapes.get(shape.id(), || {
            let catalog = inner.catalogs.get(shape.catalog()).map_err(unavailable)?;
            CompiledWrite::new(catalog, shape).map_err(WriteError::Refused)
        })
    }
}

async fn carry_out(
    inner: &Inner,
    compiled: &[Arc<CompiledWrite>],
    set: WriteSet,
    cx: Cx,
    mut sink: Box<dyn RowSink>,
) -> Result<Answer<Committed>, WriteError> {
    let alone = match (compiled, &set.plans[..], set.end) {
        ([one], [plan], End::Commit) if plan.rows().len() == 1 => {
            one.single.as_ref().map(|single| (one, single, plan))
        }
        _ => None,
    };
    let done = match alone {
        Some((one, single, plan)) => single.run(inner, &one.catalog, one, plan, &cx).await?,
        None => transaction::run(inner, compiled, &set, &cx, &mut *sink).await?,
    };
    Ok(Answer { done, sink })
}

impl CompiledWrite {
    fn new(catalog: Arc<Catalog>, shape: &WriteShape) -> Result<Self, Error> {
        let texts = Texts { catalog: &catalog, model: shape.model() };
        let model = catalog.model(shape.model());
        if model.key.is_empty() {
            // Without a key there is no telling which row was written.
            return Err(refusal::keyless(model));
        }
        let isolation = match mainstay_core::removal::removed("serialisable-guards") {
            true => Isolation::Locks,
            false => shape.isolation(),
        };
        let action = match shape.action() {
            Action::Insert { create, after, conflict } => {
                let conflict = conflict.as_ref();
                let insert = Insert::new(&texts, create, after, conflict, isolation);
                CompiledAction::Insert(Box::new(insert))
            }
            Action::Update { target, before, assign, after } => {
                let update = Update::new(&texts, target, before, assign, after, isolation);
                CompiledAction::Update(Box::new(update))
            }
            Action::Delete { target, cascades } => {
                let delete = Delete::new(&texts, target, cascades, isolation);
                CompiledAction::Delete(Box::new(delete))
            }
        };
        let single = Single::of(&texts, shape, isolation);
        let returning = shape.returning().map(|query| Returning::new(&catalog, query));
        Ok(Self { action, returning, single, isolation, catalog })
    }

    /// Carries a plan out, inside a transaction.
    async fn run(
        &self,
        connection: &Connection,
        plan: &WritePlan,
        sink: &mut dyn RowSink,
        events: &mut EventEntries,
    ) -> Result<Affected, Trouble> {
        let (catalog, returning) = (&*self.catalog, self.returning.as_ref());
        let affected = match &self.action {
            CompiledAction::Insert(insert) => {
                check_count(plan, plan.rows().len() as u64).map_err(Trouble::Caller)?;
                insert.run(connection, catalog, plan, events).await?
            }
            CompiledAction::Update(update) => update.run(connection, catalog, plan, events).await?,
            CompiledAction::Delete(delete) => {
                return delete.run(connection, catalog, plan, returning, events, sink).await;
            }
        };
        if let Some(returning) = returning {
            returning.send(connection, plan, &affected.keys, sink).await?;
        }
        Ok(affected)
    }

    /// What a trouble is told as, asked once the transaction is gone.
    async fn explain(
        &self,
        connection: &Connection,
        plan: &WritePlan,
        trouble: Trouble,
        cx: &Cx,
    ) -> Trouble {
        if !matches!(trouble, Trouble::Unique(_) | Trouble::Reference(_)) {
            return trouble;
        }
        let explaining = self.explain_constraint(connection, plan, trouble);
        match tokio::time::timeout_at(cx.deadline.into(), explaining).await {
            Ok(explained) => explained.unwrap_or_else(|other| other),
            Err(_) => Trouble::Deadline,
        }
    }

    async fn explain_constraint(
        &self,
        connection: &Connection,
        plan: &WritePlan,
        trouble: Trouble,
    ) -> Result<Trouble, Trouble> {
        let (catalog, model) = (&*self.catalog, plan.shape().model());
        match &self.action {
            CompiledAction::Insert(insert) => {
                let (slots, rows) = (plan.values(), plan.rows());
                insert.constraints.explain(connection, catalog, model, trouble, slots, rows).await
            }
            CompiledAction::Update(update) => {
                update.explain(connection, catalog, plan, trouble).await
            }
            CompiledAction::Delete(_) => {
                Ok(Trouble::Caller(refusal::still_referenced(catalog, model)))
            }
        }
    }
}

/// Another transaction did in between what this one relied on being undone.
fn overtaken() -> Trouble {
    Trouble::Conflict(Error::unavailable("too many writes to the same rows at once"))
}

/// What is told of a write of which nothing was kept.
fn not_kept(trouble: Trouble) -> WriteError {
    match trouble {
        Trouble::Conflict(error) | Trouble::Unavailable(error) | Trouble::Lost(error) => {
            WriteError::NotApplied(error)
        }
        Trouble::Deadline => WriteError::NotApplied(refusal::deadline_exceeded()),
        other => WriteError::Refused(other.into_error()),
    }
}

/// A row's values from a column on, read as these types.
fn values(row: &Row, from: usize, types: &[Type]) -> Result<Box<[Value]>, Trouble> {
    types
        .iter()
        .enumerate()
        .map(|(at, kind)| {
            let raw: Option<Raw<'_>> = row.try_get(from + at)?;
            value::owned(raw.map(|raw| raw.0), *kind).map_err(Trouble::Internal)
        })
        .collect()
}

fn key_types(model: &Model) -> Vec<Type> {
    model.key.iter().map(|field| model.field(*field).value_type).collect()
}
