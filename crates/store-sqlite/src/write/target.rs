//! The rows a write touches, found before any of them changes.

use mainstay_core::{FieldId, Filter, Model, Type, Value};
use mainstay_plan::{Guard, Refusal, WritePlan};
use mainstay_store::refusal::{Verdict, check_count};
use rusqlite::Connection;

use super::text::Texts;
use crate::{
    error::Trouble,
    prepared::{Bindings, Links, Prepared, values},
};

/// Finds the rows a write touches, and asks what must hold of them before.
pub(crate) struct PreparedTarget<'c> {
    statement: Prepared<'c>,
    fields: Vec<FieldId>,
    refusals: Vec<Refusal>,
}

/// A row a write touches.
pub(crate) struct Found {
    pub(crate) key: Box<[Value]>,
    /// The fields that were asked for, in order.
    pub(crate) values: Box<[Value]>,
}

impl<'c> PreparedTarget<'c> {
    pub(crate) fn new(
        connection: &'c Connection,
        texts: &Texts<'_>,
        filter: &Filter,
        fields: Vec<FieldId>,
        before: &[Guard],
    ) -> Self {
        let before =
            if mainstay_core::removal::removed("guard-in-transaction") { &[] } else { before };
        let statement = Prepared::new(connection, texts.target(filter, &fields, before));
        let refusals = before.iter().map(|guard| guard.refusal).collect();
        Self { statement, fields, refusals }
    }

    /// The rows, no more than the plan allows.
    pub(crate) fn find(
        &mut self,
        model: &Model,
        plan: &WritePlan,
        verdict: &mut Verdict,
    ) -> Result<Vec<Found>, Trouble> {
        let allowed = plan.rows_max().min(plan.affected_max().unwrap_or(u64::MAX));
        let asked = i64::try_from(allowed).unwrap_or(i64::MAX).saturating_add(1);
        let types: Vec<Type> =
            self.fields.iter().map(|field| model.field(*field).value_type).collect();
        let bindings = Bindings::slots(plan.values());
        let limit = [Value::Int(asked)];
        let mut rows = self.statement.rows(bindings, Links::Values(&limit))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let values = values(row, &types)?;
            for (at, refusal) in self.refusals.iter().enumerate() {
                if !row.get::<_, bool>(types.len() + at)? {
                    verdict.add(*refusal);
                }
            }
            let part = |field: &FieldId| {
                let at = self.fields.iter().position(|known| known == field);
                values[at.expect("BUG: the key is among what is asked for")].clone()
            };
            found.push(Found { key: model.key.iter().map(part).collect(), values });
        }
        check_count(plan, found.len() as u64).map_err(Trouble::Caller)?;
        Ok(found)
    }
}
