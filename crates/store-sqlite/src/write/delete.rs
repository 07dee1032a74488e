//! No more of the rows that match, and what that does to the rows that point at them.
//!
//! Every effect is carried out by a statement of its own, so that each is known, has
//! its event and counts as a change; the table's own `ON DELETE` finds nothing left
//! to do. A row restricts a delete unless it goes with the same one.

use std::collections::VecDeque;

use mainstay_core::{Catalog, FieldId, Filter, ModelId, OnDelete, RefId, Value};
use mainstay_plan::{Cascade, WritePlan};
use mainstay_store::{
    Doomed, EventEntries, EventOp, RowId, RowSink,
    refusal::{Verdict, restricted, still_referenced},
};
use rusqlite::Connection;
use rustc_hash::FxHashMap;

use super::{
    Affected, key_types, returning::PreparedReturning, target::PreparedTarget, text::Texts,
};
use crate::{
    error::Trouble,
    prepared::{Bindings, Links, Prepared, values},
};

/// A delete's statements.
pub(crate) struct PreparedDelete<'c> {
    target: PreparedTarget<'c>,
    cascades: Vec<PreparedCascade<'c>>,
    /// How a row of each model that may go is deleted.
    deletes: FxHashMap<ModelId, Prepared<'c>>,
}

struct PreparedCascade<'c> {
    reference: RefId,
    on_delete: OnDelete,
    parent: ModelId,
    child: ModelId,
    /// The keys of the rows that point at a row that goes.
    pointing: Prepared<'c>,
    set_null: Option<Prepared<'c>>,
    fields: Vec<FieldId>,
}

impl<'c> PreparedDelete<'c> {
    pub(crate) fn new(
        connection: &'c Connection,
        texts: &Texts<'_>,
        target: &Filter,
        cascades: &[Cascade],
    ) -> Self {
        let catalog = texts.catalog;
        let key = catalog.model(texts.model).key.clone();
        let mut deletes = FxHashMap::default();
        let going = cascades
            .iter()
            .filter(|cascade| cascade.on_delete == OnDelete::Cascade)
            .map(|cascade| catalog.reference(cascade.reference).from);
        for model in std::iter::once(texts.model).chain(going) {
            let texts = Texts { catalog, model };
            deletes.entry(model).or_insert_with(|| Prepared::new(connection, texts.delete()));
        }
        Self {
            target: PreparedTarget::new(connection, texts, target, key, &[]),
            cascades: cascades
                .iter()
                .map(|cascade| PreparedCascade::new(connection, catalog, *cascade))
                .collect(),
            deletes,
        }
    }

    pub(crate) fn run(
        &mut self,
        catalog: &Catalog,
        plan: &WritePlan,
        returning: Option<&mut PreparedReturning<'_>>,
        events: &mut EventEntries,
        sink: &mut dyn RowSink,
    ) -> Result<Affected, Trouble> {
        let id = plan.shape().model();
        let found = self.target.find(catalog.model(id), plan, &mut Verdict::default())?;
        let keys: Vec<Box<[Value]>> = found.into_iter().map(|row| row.key).collect();
        if let Some(returning) = returning {
            returning.send(plan, &keys, sink)?;
        }
        let mut doomed = Doomed::default();
        for key in &keys {
            doomed.add(id, key.clone());
        }
        self.follow(catalog, plan, &mut doomed)?;
        self.refuse_restricted(catalog, &doomed)?;
        self.set_nulls(catalog, plan, &doomed, events)?;
        self.delete_all(catalog, plan, &doomed, events)?;
        Ok(Affected { keys, inserted: 0 })
    }

    /// Finds every row that goes because of another, and what else that does.
    fn follow(
        &mut self,
        catalog: &Catalog,
        plan: &WritePlan,
        doomed: &mut Doomed,
    ) -> Result<(), Trouble> {
        if self.cascades.is_empty() {
            return Ok(());
        }
        let mut queue: VecDeque<RowId> = doomed.order.iter().cloned().collect();
        while let Some((model, key)) = queue.pop_front() {
            for (at, cascade) in self.cascades.iter_mut().enumerate() {
                if cascade.parent != model {
                    continue;
                }
                let types = key_types(catalog.model(cascade.child));
                let bindings = Bindings::slots(plan.values());
                let mut rows = cascade.pointing.rows(bindings, Links::Values(&key))?;
                while let Some(row) = rows.next()? {
                    let child = values(row, &types)?;
                    match cascade.on_delete {
                        OnDelete::Cascade => {
                            if doomed.add(cascade.child, child.clone()) {
                                queue.push_back((cascade.child, child));
                            }
                        }
                        OnDelete::SetNull => doomed.nulled.push((at, child)),
                        OnDelete::Restrict => doomed.restricting.push((at, child)),
                    }
                }
            }
        }
        Ok(())
    }

    fn refuse_restricted(&self, catalog: &Catalog, doomed: &Doomed) -> Result<(), Trouble> {
        let standing =
            doomed.restricting.iter().find(|(at, key)| !doomed.has(self.cascades[*at].child, key));
        match standing {
            None => Ok(()),
            Some((at, _)) => {
                Err(Trouble::Caller(restricted(catalog, self.cascades[*at].reference)))
            }
        }
    }

    fn set_nulls(
        &mut self,
        catalog: &Catalog,
        plan: &WritePlan,
        doomed: &Doomed,
        events: &mut EventEntries,
    ) -> Result<(), Trouble> {
        for (at, key) in &doomed.nulled {
            let cascade = &mut self.cascades[*at];
            if doomed.has(cascade.child, key) {
                continue;
            }
            if let Some(set_null) = &mut cascade.set_null {
                set_null.run(Bindings::slots(plan.values()), Links::Values(key))?;
            }
            let child = catalog.model(cascade.child);
            events.push(child, EventOp::Update, key, Some(&cascade.fields));
        }
        Ok(())
    }

    /// Deletes rows before those they point at. Where rows point at each other in a
    /// ring, or restrict each other, a row that cannot go yet is tried again once
    /// others are gone.
    fn delete_all(
        &mut self,
        catalog: &Catalog,
        plan: &WritePlan,
        doomed: &Doomed,
        events: &mut EventEntries,
    ) -> Result<(), Trouble> {
        let bindings = Bindings::slots(plan.values());
        let mut waiting: Vec<&RowId> = doomed.order.iter().rev().collect();
        while !waiting.is_empty() {
            let mut stuck = Vec::new();
            for row in &waiting {
                let (model, key) = row;
                let delete =
                    self.deletes.get_mut(model).expect("BUG: each model that goes has its delete");
                match delete.run(bindings, Links::Values(key)) {
                    Ok(()) => {
                        events.push(catalog.model(*model), EventOp::Delete, key, None);
                    }
                    Err(Trouble::Reference) => stuck.push(*row),
                    Err(other) => return Err(other),
                }
            }
            if stuck.len() == waiting.len() {
                return Err(Trouble::Caller(still_referenced(catalog, plan.shape().model())));
            }
            waiting = stuck;
        }
        Ok(())
    }
}

impl<'c> PreparedCascade<'c> {
    fn new(connection: &'c Connection, catalog: &Catalog, cascade: Cascade) -> Self {
        let reference = catalog.reference(cascade.reference);
        let parent = Texts { catalog, model: reference.to };
        let child = Texts { catalog, model: reference.from };
        let fields = reference.from_fields.clone();
        Self {
            reference: cascade.reference,
            on_delete: cascade.on_delete,
            parent: reference.to,
            child: reference.from,
            pointing: Prepared::new(connection, parent.pointing(cascade.reference)),
            set_null: (cascade.on_delete == OnDelete::SetNull)
                .then(|| Prepared::new(connection, child.set_null(&fields))),
            fields,
        }
    }
}
