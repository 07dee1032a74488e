//! Other values for the rows that match.

use mainstay_core::{Catalog, FieldId, Filter, Model, SlotId, Type, Value};
use mainstay_plan::{Guard, WritePlan};
use mainstay_store::{
    EventEntries, EventOp,
    refusal::Verdict,
    sql::{Param, speaks_of_old},
};
use rusqlite::Connection;

use super::{
    Affected, constraints::Constraints, guards::Guards, target::PreparedTarget, text::Texts,
};
use crate::{
    error::Trouble,
    prepared::{Bindings, Links, Prepared},
};

/// An update's statements.
pub(crate) struct PreparedUpdate<'c> {
    target: PreparedTarget<'c>,
    assign: Vec<(FieldId, SlotId)>,
    /// The whole row by its key, to say why a table refused its change.
    row: Prepared<'c>,
    update: Prepared<'c>,
    constraints: Constraints<'c>,
    after: Option<Guards<'c>>,
}

impl<'c> PreparedUpdate<'c> {
    pub(crate) fn new(
        connection: &'c Connection,
        texts: &Texts<'_>,
        target: &Filter,
        before: &[Guard],
        assign: &[(FieldId, SlotId)],
        after: &[Guard],
    ) -> Self {
        let needs_old = after.iter().any(|guard| speaks_of_old(&guard.filter));
        let model = texts.catalog.model(texts.model);
        let fields = if needs_old { model.field_ids().collect() } else { model.key.clone() };
        let params = assign
            .iter()
            .map(|(field, slot)| (*field, Param::Slot(*slot, model.field(*field).value_type)));
        let of_stored: Vec<&Guard> = after.iter().collect();
        Self {
            target: PreparedTarget::new(connection, texts, target, fields, before),
            assign: assign.to_vec(),
            row: Prepared::new(connection, texts.row()),
            update: Prepared::new(connection, texts.update(params)),
            constraints: Constraints::new(connection, texts, after.iter(), &[]),
            after: Guards::of_stored(connection, texts, &of_stored),
        }
    }

    pub(crate) fn run(
        &mut self,
        catalog: &Catalog,
        plan: &WritePlan,
        events: &mut EventEntries,
    ) -> Result<Affected, Trouble> {
        let model = catalog.model(plan.shape().model());
        if self.assign.is_empty() {
            return Ok(Affected::default());
        }
        let mut verdict = Verdict::default();
        let found = self.target.find(model, plan, &mut verdict)?;
        let bindings = Bindings::slots(plan.values());
        for (at, row) in found.iter().enumerate() {
            if let Err(trouble) = self.update.run(bindings, Links::Values(&row.key)) {
                let keys = found[..=at].iter().map(|row| &*row.key);
                return Err(self.explain(catalog, model, plan, trouble, keys)?);
            }
        }
        // Only now, because a guard may follow a relation to another row that changed.
        if let Some(after) = &mut self.after {
            for row in &found {
                let bindings = Bindings { slots: plan.values(), row: &row.values };
                after.ask(bindings, Links::Values(&row.key), &mut verdict)?;
            }
        }
        verdict.end(catalog, &model.name).map_err(Trouble::Caller)?;
        let written: Vec<FieldId> = self.assign.iter().map(|(field, _)| *field).collect();
        let mut affected = Affected::default();
        for row in found {
            events.push(model, EventOp::Update, &row.key, Some(&written));
            affected.keys.push(row.key);
        }
        Ok(affected)
    }

    /// Why the table refused the last of these rows, with the values it was to take.
    fn explain<'k>(
        &mut self,
        catalog: &Catalog,
        model: &Model,
        plan: &WritePlan,
        trouble: Trouble,
        keys: impl Iterator<Item = &'k [Value]>,
    ) -> Result<Trouble, Trouble> {
        let types: Vec<Type> = model.fields.iter().map(|field| field.value_type).collect();
        let mut proposed = Vec::new();
        for key in keys {
            let bindings = Bindings::slots(plan.values());
            let stored = self.row.first(bindings, Links::Values(key), &types)?;
            let mut row = stored.unwrap_or_default();
            for (field, slot) in &self.assign {
                if let Some(value) = row.get_mut(field.index()) {
                    value.clone_from(plan.value(*slot));
                }
            }
            proposed.push(row);
        }
        let rows = proposed.iter().map(|row| &**row);
        self.constraints.explain(catalog, model, trouble, plan.values(), rows)
    }
}
