//! The rows a write touches, found and locked before any of them changes.

use std::sync::Arc;

use mainstay_core::{FieldId, Filter, Model, Type, Value, removal::removed};
use mainstay_plan::{Guard, Isolation, Refusal, WritePlan};
use mainstay_store::refusal::{Verdict, check_count};
use tokio_postgres::Row;

use super::{guards::take_locks, text::Texts, values};
use crate::{
    connection::Connection,
    error::Trouble,
    statement::{Bindings, Statement},
};

/// Finds the rows a write touches, and asks what must hold of them before.
pub(crate) struct Target {
    find: Arc<Statement>,
    /// Where the condition reads other rows: the locks on those, and the condition again
    /// once they are held.
    again: Option<(Vec<Arc<Statement>>, Arc<Statement>)>,
    fields: Vec<FieldId>,
    types: Vec<Type>,
    refusals: Vec<Refusal>,
}

/// A row a write touches.
pub(crate) struct Found {
    pub(crate) key: Box<[Value]>,
    /// The fields that were asked for, in order.
    pub(crate) values: Box<[Value]>,
}

impl Target {
    pub(crate) fn new(
        texts: &Texts<'_>,
        filter: &Filter,
        fields: Vec<FieldId>,
        before: &[Guard],
        isolation: Isolation,
    ) -> Self {
        let before = if removed("guard-in-transaction") { &[] } else { before };
        let mut ways = filter.ways();
        for way in before.iter().flat_map(|guard| guard.filter.ways()) {
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        ways.sort_by_key(Vec::len);
        let is_alone =
            ways.is_empty() || isolation == Isolation::Serialisable || removed("guard-locks");
        let again = (!is_alone).then(|| {
            let locks = ways.iter().map(|way| texts.lock(way)).collect();
            (locks, texts.target_again(filter, &fields, before))
        });
        let model = texts.catalog.model(texts.model);
        Self {
            find: texts.target(filter, &fields, before),
            again,
            types: fields.iter().map(|field| model.field(*field).value_type).collect(),
            fields,
            refusals: before.iter().map(|guard| guard.refusal).collect(),
        }
    }

    /// The rows, no more than the plan allows.
    pub(crate) async fn find(
        &self,
        connection: &Connection,
        model: &Model,
        plan: &WritePlan,
        verdict: &mut Verdict,
    ) -> Result<Vec<Found>, Trouble> {
        let allowed = plan.rows_max().min(plan.affected_max().unwrap_or(u64::MAX));
        let asked = i64::try_from(allowed).unwrap_or(i64::MAX).saturating_add(1);
        let links = [Value::Int(asked)];
        let bindings = Bindings { slots: plan.values(), links: &links, ..Bindings::default() };
        let mut rows = connection.rows(&self.find, bindings).await?;
        check_count(plan, rows.len() as u64).map_err(Trouble::Caller)?;
        if let Some((locks, again)) = self.again.as_ref().filter(|_| !rows.is_empty()) {
            let found = self.found(model, &rows)?;
            let keys: Vec<Box<[Value]>> = found.into_iter().map(|row| row.key).collect();
            let bindings = Bindings { slots: plan.values(), rows: &keys, ..Bindings::default() };
            take_locks(connection, locks, &keys).await?;
            rows = connection.rows(again, bindings).await?;
            check_count(plan, rows.len() as u64).map_err(Trouble::Caller)?;
        }
        for row in &rows {
            for (at, refusal) in self.refusals.iter().enumerate() {
                if !row.try_get::<_, bool>(self.types.len() + at)? {
                    verdict.add(*refusal);
                }
            }
        }
        self.found(model, &rows)
    }

    fn found(&self, model: &Model, rows: &[Row]) -> Result<Vec<Found>, Trouble> {
        rows.iter()
            .map(|row| {
                let values = values(row, 0, &self.types)?;
                let part = |field: &FieldId| {
                    let at = self.fields.iter().position(|known| known == field);
                    values[at.expect("BUG: the key is among what is asked for")].clone()
                };
                Ok(Found { key: model.key.iter().map(part).collect(), values })
            })
            .collect()
    }
}
