//! Carrying out the plans of a write, inside its transaction.
//!
//! Whatever must hold is asked here, of rows no one else can change meanwhile: there
//! is one writer, and it is this thread. Nothing here commits or rolls back; see
//! `writer.rs`.

mod constraints;
mod delete;
mod guards;
mod insert;
mod returning;
mod target;
mod text;
mod update;

use std::sync::Arc;

use mainstay_core::{Catalog, Model, Type, Value};
use mainstay_plan::{Action, WritePlan, WriteShape};
use mainstay_store::{
    Committed, EventEntries, RowSink,
    refusal::{self, check_count},
};
use rusqlite::Connection;
use rustc_hash::FxHashMap;

use self::{
    delete::PreparedDelete, insert::PreparedInsert, returning::PreparedReturning,
    update::PreparedUpdate,
};
use crate::{error::Trouble, shared::Shared};

/// Shapes whose statements the writer keeps.
const SHAPES_MAX: usize = 256;
/// Bytes of one row's values beyond which a shape's statements are let go once they
/// have run: SQLite keeps what was bound last for as long as it keeps the statement.
const BOUND_BYTES_KEPT: usize = 64 * 1024;

/// The rows a plan affected.
#[derive(Default)]
pub(crate) struct Affected {
    pub(crate) keys: Vec<Box<[Value]>>,
    pub(crate) inserted: u64,
}

/// Carries out plans on the writer's connection.
pub(crate) struct Writes<'c> {
    connection: &'c Connection,
    by_shape: FxHashMap<u64, PreparedWrite<'c>>,
    writes: u64,
}

struct PreparedWrite<'c> {
    catalog: Arc<Catalog>,
    action: PreparedAction<'c>,
    returning: Option<PreparedReturning<'c>>,
    written_last: u64,
}

enum PreparedAction<'c> {
    Insert(Box<PreparedInsert<'c>>),
    Update(Box<PreparedUpdate<'c>>),
    Delete(Box<PreparedDelete<'c>>),
}

impl<'c> Writes<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self { connection, by_shape: FxHashMap::default(), writes: 0 }
    }

    /// Carries out plans one after the other.
    pub(crate) fn run(
        &mut self,
        shared: &Shared,
        plans: &[WritePlan],
        sink: &mut dyn RowSink,
        events: &mut EventEntries,
    ) -> Result<Committed, Trouble> {
        let mut committed = Committed::default();
        for plan in plans {
            if committed.passes_over(plan) {
                continue;
            }
            let affected = self.prepared(shared, plan.shape())?.run(plan, sink, events);
            if bound_bytes(plan) > BOUND_BYTES_KEPT {
                self.by_shape.remove(&plan.shape().id().get());
            }
            let affected = affected?;
            committed.affected.push(affected.keys);
            committed.inserted.push(affected.inserted);
        }
        Ok(committed)
    }

    fn prepared(
        &mut self,
        shared: &Shared,
        shape: &WriteShape,
    ) -> Result<&mut PreparedWrite<'c>, Trouble> {
        self.writes += 1;
        let id = shape.id().get();
        if !self.by_shape.contains_key(&id) || !shared.catalogs.takes(shape.catalog()) {
            let catalog = shared.catalogs.get(shape.catalog()).map_err(Trouble::Unavailable)?;
            let prepared = PreparedWrite::new(self.connection, catalog, shape)?;
            self.make_room();
            self.by_shape.insert(id, prepared);
        }
        let prepared = self.by_shape.get_mut(&id).expect("BUG: it is there by now");
        prepared.written_last = self.writes;
        Ok(prepared)
    }

    fn make_room(&mut self) {
        if self.by_shape.len() < SHAPES_MAX {
            return;
        }
        let oldest = self
            .by_shape
            .iter()
            .min_by_key(|(_, prepared)| prepared.written_last)
            .map(|(id, _)| *id);
        if let Some(id) = oldest {
            self.by_shape.remove(&id);
        }
    }
}

impl<'c> PreparedWrite<'c> {
    fn new(
        connection: &'c Connection,
        catalog: Arc<Catalog>,
        shape: &WriteShape,
    ) -> Result<Self, Trouble> {
        let texts = text::Texts { catalog: &catalog, model: shape.model() };
        let model = catalog.model(shape.model());
        if model.key.is_empty() {
            // Without a key there is no telling which row was written.
            return Err(Trouble::Caller(refusal::keyless(model)));
        }
        let action = match shape.action() {
            Action::Insert { create, after, conflict } => {
                let conflict = conflict.as_ref();
                let insert = PreparedInsert::new(connection, &texts, create, after, conflict);
                PreparedAction::Insert(Box::new(insert))
            }
            Action::Update { target, before, assign, after } => {
                let update = PreparedUpdate::new(connection, &texts, target, before, assign, after);
                PreparedAction::Update(Box::new(update))
            }
            Action::Delete { target, cascades } => {
                let delete = PreparedDelete::new(connection, &texts, target, cascades);
                PreparedAction::Delete(Box::new(delete))
            }
        };
        let returning =
            shape.returning().map(|query| PreparedReturning::new(connection, &catalog, query));
        Ok(Self { action, returning, written_last: 0, catalog })
    }

    fn run(
        &mut self,
        plan: &WritePlan,
        sink: &mut dyn RowSink,
        events: &mut EventEntries,
    ) -> Result<Affected, Trouble> {
        let catalog = &*self.catalog;
        let returning = self.returning.as_mut();
        let affected = match &mut self.action {
            PreparedAction::Insert(insert) => {
                check_count(plan, plan.rows().len() as u64).map_err(Trouble::Caller)?;
                insert.run(catalog, plan, events)?
            }
            PreparedAction::Update(update) => update.run(catalog, plan, events)?,
            PreparedAction::Delete(delete) => {
                return delete.run(catalog, plan, returning, events, sink);
            }
        };
        if let Some(returning) = returning {
            returning.send(plan, &affected.keys, sink)?;
        }
        Ok(affected)
    }
}

/// How much a plan binds at once, at most.
fn bound_bytes(plan: &WritePlan) -> usize {
    let bytes_of = |values: &[Value]| values.iter().map(bytes_of).sum::<usize>();
    let largest = plan.rows().iter().map(|row| bytes_of(row)).max().unwrap_or(0);
    bytes_of(plan.values()) + largest
}

fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Json(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.iter().map(bytes_of).sum(),
        _ => 0,
    }
}

fn key_types(model: &Model) -> Vec<Type> {
    model.key.iter().map(|field| model.field(*field).value_type).collect()
}
