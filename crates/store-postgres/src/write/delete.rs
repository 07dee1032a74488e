//! No more of the rows that match, and what that does to the rows that point at them.
//!
//! Every effect is carried out by a statement of its own, so that each is known, has
//! its event and counts as a change; the table's own `ON DELETE` finds nothing left to
//! do. A row restricts a delete unless it goes with the same one: so constraints are
//! put off until all are gone.

use std::sync::Arc;

use mainstay_core::{Catalog, FieldId, Filter, ModelId, OnDelete, RefId, Value};
use mainstay_plan::{Cascade, Isolation, WritePlan};
use mainstay_store::{
    Doomed, EventEntries, EventOp, RowSink,
    refusal::{Verdict, restricted, still_referenced},
};
use rustc_hash::FxHashMap;

use super::{
    Affected, key_types,
    returning::Returning,
    target::Target,
    text::{Assigned, Texts},
    values,
};
use crate::{
    connection::Connection,
    error::Trouble,
    statement::{Bindings, Statement},
};

/// A delete's statements.
pub(crate) struct Delete {
    target: Target,
    cascades: Vec<CascadeStatements>,
    /// How rows of each model that may go are deleted.
    deletes: FxHashMap<ModelId, Arc<Statement>>,
}

struct CascadeStatements {
    reference: RefId,
    on_delete: OnDelete,
    parent: ModelId,
    child: ModelId,
    /// The keys of the rows that point at rows that go.
    pointing: Arc<Statement>,
    set_null: Option<Arc<Statement>>,
    fields: Vec<FieldId>,
}

/// Keys of one model.
type Keys = Vec<Box<[Value]>>;

impl Delete {
    pub(crate) fn new(
        texts: &Texts<'_>,
        target: &Filter,
        cascades: &[Cascade],
        isolation: Isolation,
    ) -> Self {
        let catalog = texts.catalog;
        let key = catalog.model(texts.model).key.clone();
        let going = cascades
            .iter()
            .filter(|cascade| cascade.on_delete == OnDelete::Cascade)
            .map(|cascade| catalog.reference(cascade.reference).from);
        let deletes = std::iter::once(texts.model)
            .chain(going)
            .map(|model| (model, Texts { catalog, model }.delete()))
            .collect();
        Self {
            target: Target::new(texts, target, key, &[], isolation),
            cascades: cascades.iter().map(|it| CascadeStatements::new(catalog, *it)).collect(),
            deletes,
        }
    }

    pub(crate) async fn run(
        &self,
        connection: &Connection,
        catalog: &Catalog,
        plan: &WritePlan,
        returning: Option<&Returning>,
        events: &mut EventEntries,
        sink: &mut dyn RowSink,
    ) -> Result<Affected, Trouble> {
        let id = plan.shape().model();
        let model = catalog.model(id);
        let found = self.target.find(connection, model, plan, &mut Verdict::default()).await?;
        let keys: Keys = found.into_iter().map(|row| row.key).collect();
        if let Some(returning) = returning {
            returning.send(connection, plan, &keys, sink).await?;
        }
        let mut doomed = Doomed::default();
        for key in &keys {
            doomed.add(id, key.clone());
        }
        if keys.is_empty() {
            return Ok(Affected::default());
        }
        if !self.cascades.is_empty() {
            connection.batch("SET CONSTRAINTS ALL DEFERRED").await?;
        }
        self.follow(connection, catalog, id, &keys, &mut doomed).await?;
        self.refuse_restricted(catalog, &doomed)?;
        self.set_nulls(connection, catalog, &doomed, events).await?;
        self.delete_all(connection, catalog, plan, &doomed, events).await?;
        Ok(Affected { keys, inserted: 0 })
    }

    /// Finds every row that goes because of another, and what else that does.
    async fn follow(
        &self,
        connection: &Connection,
        catalog: &Catalog,
        model: ModelId,
        keys: &Keys,
        doomed: &mut Doomed,
    ) -> Result<(), Trouble> {
        let mut queue: Vec<(ModelId, Keys)> = vec![(model, keys.clone())];
        while let Some((model, keys)) = queue.pop() {
            for (at, cascade) in self.cascades.iter().enumerate() {
                if cascade.parent != model {
                    continue;
                }
                let types = key_types(catalog.model(cascade.child));
                let bindings = Bindings { rows: &keys, ..Bindings::default() };
                let mut new = Keys::new();
                for row in connection.rows(&cascade.pointing, bindings).await? {
                    let child = values(&row, 0, &types)?;
                    match cascade.on_delete {
                        OnDelete::Cascade => {
                            if doomed.add(cascade.child, child.clone()) {
                                new.push(child);
                            }
                        }
                        OnDelete::SetNull => doomed.nulled.push((at, child)),
                        OnDelete::Restrict => doomed.restricting.push((at, child)),
                    }
                }
                if !new.is_empty() {
                    queue.insert(0, (cascade.child, new));
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

    async fn set_nulls(
        &self,
        connection: &Connection,
        catalog: &Catalog,
        doomed: &Doomed,
        events: &mut EventEntries,
    ) -> Result<(), Trouble> {
        for (at, cascade) in self.cascades.iter().enumerate() {
            let Some(set_null) = &cascade.set_null else { continue };
            let keys: Keys = doomed
                .nulled
                .iter()
                .filter(|(of, key)| *of == at && !doomed.has(cascade.child, key))
                .map(|(_, key)| key.clone())
                .collect();
            if keys.is_empty() {
                continue;
            }
            let bindings = Bindings { rows: &keys, ..Bindings::default() };
            connection.execute(set_null, bindings).await?;
            let child = catalog.model(cascade.child);
            for key in &keys {
                events.push(child, EventOp::Update, key, Some(&cascade.fields));
            }
        }
        Ok(())
    }

    /// Deletes rows before those they point at, as far as there is such an order.
    async fn delete_all(
        &self,
        connection: &Connection,
        catalog: &Catalog,
        plan: &WritePlan,
        doomed: &Doomed,
        events: &mut EventEntries,
    ) -> Result<(), Trouble> {
        let last_first: Vec<_> = doomed.order.iter().rev().collect();
        for run in last_first.chunk_by(|one, other| one.0 == other.0) {
            let model = run[0].0;
            let keys: Keys = run.iter().map(|(_, key)| key.clone()).collect();
            let delete = &self.deletes[&model];
            let bindings = Bindings { rows: &keys, ..Bindings::default() };
            connection.execute(delete, bindings).await.map_err(|trouble| match trouble {
                Trouble::Reference(_) => {
                    Trouble::Caller(still_referenced(catalog, plan.shape().model()))
                }
                other => other,
            })?;
            for key in &keys {
                events.push(catalog.model(model), EventOp::Delete, key, None);
            }
        }
        if self.cascades.is_empty() {
            return Ok(());
        }
        connection.batch("SET CONSTRAINTS ALL IMMEDIATE").await.map_err(|trouble| match trouble {
            Trouble::Reference(_) => {
                Trouble::Caller(still_referenced(catalog, plan.shape().model()))
            }
            other => other,
        })
    }
}

impl CascadeStatements {
    fn new(catalog: &Catalog, cascade: Cascade) -> Self {
        let reference = catalog.reference(cascade.reference);
        let parent = Texts { catalog, model: reference.to };
        let child = Texts { catalog, model: reference.from };
        let fields = reference.from_fields.clone();
        Self {
            reference: cascade.reference,
            on_delete: cascade.on_delete,
            parent: reference.to,
            child: reference.from,
            pointing: parent.pointing(cascade.reference),
            set_null: (cascade.on_delete == OnDelete::SetNull)
                .then(|| child.update(&Assigned::Nulls(&fields))),
            fields,
        }
    }
}
