//! New rows, and what becomes of those that are there already.

use mainstay_core::{Catalog, FieldId, IdKind, Model, Type, Value};
use mainstay_plan::{Conflict, ConflictResolution, Guard, WritePlan};
use mainstay_store::{
    EventEntries, EventOp, key_text,
    refusal::{Verdict, conflict_twice},
    sql::{Param, speaks_of_old},
};
use rusqlite::Connection;
use rustc_hash::FxHashSet;

use super::{Affected, constraints::Constraints, guards::Guards, key_types, text::Texts};
use crate::{
    error::Trouble,
    prepared::{Bindings, Links, Prepared},
};

/// An insert's statements.
pub(crate) struct PreparedInsert<'c> {
    connection: &'c Connection,
    insert: Prepared<'c>,
    constraints: Constraints<'c>,
    /// `create` and `after`, of a new row.
    stored: Option<Guards<'c>>,
    /// `create`, of a row that is there already.
    proposed: Option<Guards<'c>>,
    conflict: Option<PreparedConflict<'c>>,
    /// Whether the store gives the key where the row has none.
    gives_key: bool,
}

struct PreparedConflict<'c> {
    target: Vec<FieldId>,
    lookup: Prepared<'c>,
    merge: Option<PreparedMerge<'c>>,
}

struct PreparedMerge<'c> {
    assign: Vec<FieldId>,
    /// The whole row before it changes, where a guard speaks of it.
    old: Option<Prepared<'c>>,
    before: Option<Guards<'c>>,
    update: Prepared<'c>,
    after: Option<Guards<'c>>,
}

/// What became of one row of the payload.
enum Outcome {
    Inserted { key: Box<[Value]> },
    Merged { key: Box<[Value]>, old: Box<[Value]> },
    Ignored,
}

impl<'c> PreparedInsert<'c> {
    pub(crate) fn new(
        connection: &'c Connection,
        texts: &Texts<'_>,
        create: &[Guard],
        after: &[Guard],
        conflict: Option<&Conflict>,
    ) -> Self {
        let of_stored: Vec<&Guard> = create.iter().chain(after).collect();
        let of_proposed: Vec<&Guard> = create.iter().collect();
        let of_merged = match conflict.map(|conflict| &conflict.resolution) {
            Some(ConflictResolution::Merge { after, .. }) => &after[..],
            _ => &[],
        };
        Self {
            connection,
            insert: Prepared::new(connection, texts.insert()),
            constraints: Constraints::new(
                connection,
                texts,
                create.iter().chain(of_merged),
                create,
            ),
            stored: Guards::of_stored(connection, texts, &of_stored),
            proposed: conflict.and_then(|_| Guards::of_proposed(connection, texts, &of_proposed)),
            conflict: conflict.map(|conflict| PreparedConflict::new(connection, texts, conflict)),
            gives_key: texts.catalog.model(texts.model).id == IdKind::Int,
        }
    }

    pub(crate) fn run(
        &mut self,
        catalog: &Catalog,
        plan: &WritePlan,
        events: &mut EventEntries,
    ) -> Result<Affected, Trouble> {
        let model = catalog.model(plan.shape().model());
        let mut verdict = Verdict::default();
        let mut outcomes = Vec::with_capacity(plan.rows().len());
        let mut touched = FxHashSet::default();
        for (at, row) in plan.rows().iter().enumerate() {
            let stored = self.store(model, plan, row, &mut touched, &mut verdict);
            let outcome = match stored {
                Ok(outcome) => outcome,
                Err(trouble) => {
                    let rows = plan.rows()[..=at].iter().map(|row| &**row);
                    let slots = plan.values();
                    return Err(self.constraints.explain(catalog, model, trouble, slots, rows)?);
                }
            };
            outcomes.push(outcome);
        }
        // Only now, because a guard may follow a relation to another row of the payload.
        for (row, outcome) in plan.rows().iter().zip(&outcomes) {
            self.ask(plan.values(), row, outcome, &mut verdict)?;
        }
        verdict.end(catalog, &model.name).map_err(Trouble::Caller)?;
        Ok(self.affected(model, outcomes, events))
    }

    fn store(
        &mut self,
        model: &Model,
        plan: &WritePlan,
        row: &[Value],
        touched: &mut FxHashSet<String>,
        verdict: &mut Verdict,
    ) -> Result<Outcome, Trouble> {
        let bindings = Bindings { slots: plan.values(), row };
        if let Some(conflict) = &mut self.conflict
            && let Some(key) = conflict.find(model, bindings)?
        {
            if let Some(proposed) = &mut self.proposed {
                proposed.ask(bindings, Links::None, verdict)?;
            }
            let Some(merge) = &mut conflict.merge else { return Ok(Outcome::Ignored) };
            if !touched.insert(key_text(&key)) {
                return Err(Trouble::Caller(conflict_twice()));
            }
            return merge.run(model, bindings, key, verdict);
        }
        self.insert.run(bindings, Links::None)?;
        let mut key: Box<[Value]> =
            model.key.iter().map(|field| row[field.index()].clone()).collect();
        if self.gives_key && matches!(key[..], [Value::Null]) {
            key[0] = Value::Int(self.connection.last_insert_rowid());
        }
        if self.conflict.is_some() {
            touched.insert(key_text(&key));
        }
        Ok(Outcome::Inserted { key })
    }

    fn ask(
        &mut self,
        slots: &[Value],
        row: &[Value],
        outcome: &Outcome,
        verdict: &mut Verdict,
    ) -> Result<(), Trouble> {
        let merge = self.conflict.as_mut().and_then(|conflict| conflict.merge.as_mut());
        match (outcome, &mut self.stored, merge) {
            (Outcome::Inserted { key }, Some(guards), _) => {
                guards.ask(Bindings { slots, row }, Links::Values(key), verdict)
            }
            (Outcome::Merged { key, old }, _, Some(PreparedMerge { after: Some(guards), .. })) => {
                guards.ask(Bindings { slots, row: old }, Links::Values(key), verdict)
            }
            _ => Ok(()),
        }
    }

    fn affected(
        &self,
        model: &Model,
        outcomes: Vec<Outcome>,
        events: &mut EventEntries,
    ) -> Affected {
        let mut affected = Affected::default();
        let merged = self.conflict.as_ref().and_then(|conflict| conflict.merge.as_ref());
        for outcome in outcomes {
            match outcome {
                Outcome::Inserted { key } => {
                    events.push(model, EventOp::Insert, &key, None);
                    affected.inserted += 1;
                    affected.keys.push(key);
                }
                Outcome::Merged { key, .. } => {
                    let fields = merged.map_or(&[][..], |merge| &merge.assign);
                    if !fields.is_empty() {
                        events.push(model, EventOp::Update, &key, Some(fields));
                    }
                    affected.keys.push(key);
                }
                Outcome::Ignored => {}
            }
        }
        affected
    }
}

impl<'c> PreparedConflict<'c> {
    fn new(connection: &'c Connection, texts: &Texts<'_>, conflict: &Conflict) -> Self {
        let merge = match &conflict.resolution {
            ConflictResolution::Ignore => None,
            ConflictResolution::Merge { assign, before, after } => {
                let before: Vec<&Guard> = if mainstay_core::removal::removed("upsert-stored-row") {
                    Vec::new()
                } else {
                    before.iter().collect()
                };
                let after: Vec<&Guard> = after.iter().collect();
                let needs_old = after.iter().any(|guard| speaks_of_old(&guard.filter));
                let model = texts.catalog.model(texts.model);
                let params = assign
                    .iter()
                    .map(|field| (*field, Param::Row(*field, model.field(*field).value_type)));
                Some(PreparedMerge {
                    assign: assign.clone(),
                    old: needs_old.then(|| Prepared::new(connection, texts.row())),
                    before: Guards::of_stored(connection, texts, &before),
                    update: Prepared::new(connection, texts.update(params)),
                    after: Guards::of_stored(connection, texts, &after),
                })
            }
        };
        Self {
            target: conflict.target.clone(),
            lookup: Prepared::new(connection, texts.conflicting(&conflict.target)),
            merge,
        }
    }

    /// The key of the row that is there already. An absent value conflicts with none.
    fn find(
        &mut self,
        model: &Model,
        bindings: Bindings<'_>,
    ) -> Result<Option<Box<[Value]>>, Trouble> {
        if self.target.iter().any(|field| bindings.row[field.index()].is_null()) {
            return Ok(None);
        }
        self.lookup.first(bindings, Links::None, &key_types(model))
    }
}

impl PreparedMerge<'_> {
    fn run(
        &mut self,
        model: &Model,
        bindings: Bindings<'_>,
        key: Box<[Value]>,
        verdict: &mut Verdict,
    ) -> Result<Outcome, Trouble> {
        let links = Links::Values(&key);
        if let Some(before) = &mut self.before {
            before.ask(bindings, links, verdict)?;
        }
        let old = match &mut self.old {
            Some(old) => {
                let types: Vec<Type> = model.fields.iter().map(|field| field.value_type).collect();
                old.first(bindings, links, &types)?.unwrap_or_default()
            }
            None => Box::default(),
        };
        if !self.assign.is_empty() {
            self.update.run(bindings, links)?;
        }
        Ok(Outcome::Merged { key, old })
    }
}
