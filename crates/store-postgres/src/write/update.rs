//! Other values for the rows that match.

use std::sync::Arc;

use mainstay_core::{Catalog, FieldId, Filter, SlotId, Type, Value};
use mainstay_plan::{Guard, Isolation, WritePlan};
use mainstay_store::{EventEntries, EventOp, refusal::Verdict};

use super::{
    Affected,
    constraints::Constraints,
    guards::Guards,
    target::Target,
    text::{Assigned, Texts, speak_of_old},
    values,
};
use crate::{
    connection::Connection,
    error::Trouble,
    statement::{Bindings, Statement},
};

/// An update's statements.
pub(crate) struct Update {
    target: Target,
    assign: Vec<(FieldId, SlotId)>,
    /// The rows by their keys, to say why a table refused their change.
    rows: Arc<Statement>,
    update: Arc<Statement>,
    constraints: Constraints,
    after: Option<Guards>,
}

impl Update {
    pub(crate) fn new(
        texts: &Texts<'_>,
        target: &Filter,
        before: &[Guard],
        assign: &[(FieldId, SlotId)],
        after: &[Guard],
        isolation: Isolation,
    ) -> Self {
        let model = texts.catalog.model(texts.model);
        let of_stored: Vec<&Guard> = after.iter().collect();
        let fields = match speak_of_old(&of_stored) {
            true => model.field_ids().collect(),
            false => model.key.clone(),
        };
        Self {
            target: Target::new(texts, target, fields, before, isolation),
            assign: assign.to_vec(),
            rows: texts.rows(),
            update: texts.update(&Assigned::Slots(assign)),
            constraints: Constraints::new(texts, after.iter(), &[]),
            after: Guards::of_stored(texts, &of_stored, isolation),
        }
    }

    pub(crate) async fn run(
        &self,
        connection: &Connection,
        catalog: &Catalog,
        plan: &WritePlan,
        events: &mut EventEntries,
    ) -> Result<Affected, Trouble> {
        let model = catalog.model(plan.shape().model());
        if self.assign.is_empty() {
            return Ok(Affected::default());
        }
        let mut verdict = Verdict::default();
        let found = self.target.find(connection, model, plan, &mut verdict).await?;
        let keys: Vec<Box<[Value]>> = found.iter().map(|row| row.key.clone()).collect();
        if !keys.is_empty() {
            let bindings = Bindings { slots: plan.values(), rows: &keys, ..Bindings::default() };
            connection.execute(&self.update, bindings).await?;
        }
        // Only now, because a guard may follow a relation to another row that changed.
        if let Some(after) = &self.after {
            let old: Vec<Box<[Value]>> = found.into_iter().map(|row| row.values).collect();
            after.ask(connection, plan.values(), &old, &mut verdict).await?;
        }
        verdict.end(catalog, &model.name).map_err(Trouble::Caller)?;
        let written: Vec<FieldId> = self.assign.iter().map(|(field, _)| *field).collect();
        for key in &keys {
            events.push(model, EventOp::Update, key, Some(&written));
        }
        Ok(Affected { keys, inserted: 0 })
    }

    /// Why the table refused these rows, with the values they were to take. Asked once
    /// the transaction is gone.
    pub(crate) async fn explain(
        &self,
        connection: &Connection,
        catalog: &Catalog,
        plan: &WritePlan,
        trouble: Trouble,
    ) -> Result<Trouble, Trouble> {
        let id = plan.shape().model();
        let model = catalog.model(id);
        let found = self.target.find(connection, model, plan, &mut Verdict::default()).await?;
        let keys: Vec<Box<[Value]>> = found.into_iter().map(|row| row.key).collect();
        let types: Vec<Type> = model.fields.iter().map(|field| field.value_type).collect();
        let bindings = Bindings { rows: &keys, ..Bindings::default() };
        let mut rows = Vec::new();
        for row in connection.rows(&self.rows, bindings).await? {
            let mut row = values(&row, 0, &types)?;
            for (field, slot) in &self.assign {
                row[field.index()].clone_from(plan.value(*slot));
            }
            rows.push(row);
        }
        self.constraints.explain(connection, catalog, id, trouble, plan.values(), &rows).await
    }
}
