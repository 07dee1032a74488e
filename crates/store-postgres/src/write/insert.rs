//! New rows, and what becomes of those that are there already.

use std::sync::Arc;

use mainstay_core::{Catalog, FieldId, IdKind, Model, Type, Value, removal::removed};
use mainstay_plan::{Conflict, ConflictResolution, Guard, Isolation, WritePlan};
use mainstay_store::{
    EventEntries, EventOp, key_text,
    refusal::{Verdict, conflict_twice},
};
use rustc_hash::FxHashSet;

use super::{Affected, constraints::Constraints, guards::Guards, key_types, text::Texts, values};
use crate::{
    connection::Connection,
    error::Trouble,
    statement::{Bindings, Statement},
};

/// An insert's statements.
pub(crate) struct Insert {
    insert: Arc<Statement>,
    seen_key: Option<Arc<Statement>>,
    pub(crate) constraints: Constraints,
    /// `create` and `after`, of new rows.
    stored: Option<Guards>,
    /// `create`, of rows that are there already.
    proposed: Option<Guards>,
    merge: Option<Merge>,
}

struct Merge {
    target: Vec<FieldId>,
    resolution: Resolution,
    find: Arc<Statement>,
    refusals: Vec<mainstay_plan::Refusal>,
}

enum Resolution {
    Ignore,
    Merge { assign: Vec<FieldId>, update: Arc<Statement>, after: Option<Guards> },
}

/// A row of the payload that is there already.
struct Present {
    place: usize,
    /// The whole row before it changes.
    old: Box<[Value]>,
}

impl Insert {
    pub(crate) fn new(
        texts: &Texts<'_>,
        create: &[Guard],
        after: &[Guard],
        conflict: Option<&Conflict>,
        isolation: Isolation,
    ) -> Self {
        let of_stored: Vec<&Guard> = create.iter().chain(after).collect();
        let of_proposed: Vec<&Guard> = create.iter().collect();
        let of_merged = match conflict.map(|conflict| &conflict.resolution) {
            Some(ConflictResolution::Merge { after, .. }) => &after[..],
            _ => &[],
        };
        Self {
            insert: texts.insert(conflict.map(|conflict| &conflict.target[..])),
            seen_key: texts.seen_key(),
            constraints: Constraints::new(texts, create.iter().chain(of_merged), create),
            stored: Guards::of_stored(texts, &of_stored, isolation),
            proposed: conflict.and_then(|_| Guards::of_proposed(texts, &of_proposed)),
            merge: conflict.map(|conflict| Merge::new(texts, conflict, isolation)),
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
        let mut verdict = Verdict::default();
        let present = match &self.merge {
            Some(merge) => merge.find(connection, model, plan, &mut verdict).await?,
            None => Vec::new(),
        };
        let new = self.new_rows(model, plan, &present)?;
        let inserted = self.insert_new(connection, model, plan, &new).await?;
        self.merge_present(connection, plan, &present).await?;
        self.ask(connection, model, plan, &inserted, &present, &mut verdict).await?;
        verdict.end(catalog, &model.name).map_err(Trouble::Caller)?;
        Ok(self.affected(model, &new, inserted, present, events))
    }

    /// The places of the rows that are not there yet. Of rows with one key, only the
    /// first can be new.
    fn new_rows(
        &self,
        model: &Model,
        plan: &WritePlan,
        present: &[Present],
    ) -> Result<Vec<usize>, Trouble> {
        let Some(merge) = &self.merge else { return Ok((0..plan.rows().len()).collect()) };
        let is_merge = matches!(merge.resolution, Resolution::Merge { .. });
        let mut touched = FxHashSet::default();
        let mut new = Vec::new();
        for (place, row) in plan.rows().iter().enumerate() {
            let there = present.iter().find(|found| found.place == place);
            let identity = match there {
                Some(found) => Some(key_text(&key_of(model, &found.old))),
                None => merge.identity(row),
            };
            let is_first = identity.is_none_or(|identity| touched.insert(identity));
            match (is_first, there) {
                (false, _) if is_merge => return Err(Trouble::Caller(conflict_twice())),
                (true, None) => new.push(place),
                _ => {}
            }
        }
        Ok(new)
    }

    async fn insert_new(
        &self,
        connection: &Connection,
        model: &Model,
        plan: &WritePlan,
        new: &[usize],
    ) -> Result<Vec<Box<[Value]>>, Trouble> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let all = new.len() == plan.rows().len();
        let some: Vec<Box<[Value]>> = match all {
            true => Vec::new(),
            false => new.iter().map(|place| plan.rows()[*place].clone()).collect(),
        };
        let rows = if all { plan.rows() } else { &some };
        let bindings = Bindings { slots: plan.values(), rows, ..Bindings::default() };
        let types = key_types(model);
        // Before, because others of these rows may be given a key above it.
        if let Some(seen) = self.highest_given(model, rows)
            && let Some(statement) = &self.seen_key
        {
            let links = [Value::Int(seen)];
            connection.execute(statement, Bindings { links: &links, ..bindings }).await?;
        }
        let answered = connection.rows(&self.insert, bindings).await?;
        if answered.len() != rows.len() {
            // Somebody made one of them since it was looked for.
            return Err(super::overtaken());
        }
        answered.iter().map(|row| values(row, 0, &types)).collect()
    }

    fn highest_given(&self, model: &Model, rows: &[Box<[Value]>]) -> Option<i64> {
        let id = model.id_field().filter(|_| model.id == IdKind::Int)?;
        rows.iter()
            .filter_map(|row| match row[id.index()] {
                Value::Int(given) => Some(given),
                _ => None,
            })
            .max()
    }

    async fn merge_present(
        &self,
        connection: &Connection,
        plan: &WritePlan,
        present: &[Present],
    ) -> Result<(), Trouble> {
        let Some(Merge { resolution: Resolution::Merge { assign, update, .. }, .. }) = &self.merge
        else {
            return Ok(());
        };
        if present.is_empty() || assign.is_empty() {
            return Ok(());
        }
        let rows: Vec<Box<[Value]>> =
            present.iter().map(|found| plan.rows()[found.place].clone()).collect();
        let bindings = Bindings { slots: plan.values(), rows: &rows, ..Bindings::default() };
        connection.execute(update, bindings).await?;
        Ok(())
    }

    /// Only once all are stored, because a guard may follow a relation to another row of
    /// the payload.
    async fn ask(
        &self,
        connection: &Connection,
        model: &Model,
        plan: &WritePlan,
        inserted: &[Box<[Value]>],
        present: &[Present],
        verdict: &mut Verdict,
    ) -> Result<(), Trouble> {
        let slots = plan.values();
        if let Some(stored) = &self.stored {
            stored.ask(connection, slots, inserted, verdict).await?;
        }
        if let Some(proposed) = &self.proposed {
            let rows: Vec<Box<[Value]>> =
                present.iter().map(|found| plan.rows()[found.place].clone()).collect();
            proposed.ask(connection, slots, &rows, verdict).await?;
        }
        let Some(Merge { resolution: Resolution::Merge { after: Some(after), .. }, .. }) =
            &self.merge
        else {
            return Ok(());
        };
        let rows: Vec<Box<[Value]>> = present
            .iter()
            .map(
                |found| if after.wants_old { found.old.clone() } else { key_of(model, &found.old) },
            )
            .collect();
        after.ask(connection, slots, &rows, verdict).await
    }

    fn affected(
        &self,
        model: &Model,
        new: &[usize],
        inserted: Vec<Box<[Value]>>,
        present: Vec<Present>,
        events: &mut EventEntries,
    ) -> Affected {
        let mut affected = Affected { keys: Vec::new(), inserted: inserted.len() as u64 };
        let assign = match self.merge.as_ref().map(|merge| &merge.resolution) {
            Some(Resolution::Merge { assign, .. }) => Some(assign),
            _ => None,
        };
        let mut present = present.into_iter().peekable();
        let mut inserted = new.iter().zip(inserted).peekable();
        // In the order of the payload, whichever became of each row.
        loop {
            let next_new = inserted.peek().map(|(place, _)| **place);
            let next_present = present.peek().map(|found| found.place);
            match (next_new, next_present) {
                (None, None) => return affected,
                (Some(place), other) if other.is_none_or(|other| place < other) => {
                    let Some((_, key)) = inserted.next() else { return affected };
                    events.push(model, EventOp::Insert, &key, None);
                    affected.keys.push(key);
                }
                _ => {
                    let Some(found) = present.next() else { return affected };
                    let Some(assign) = assign else { continue };
                    let key = key_of(model, &found.old);
                    if !assign.is_empty() {
                        events.push(model, EventOp::Update, &key, Some(assign));
                    }
                    affected.keys.push(key);
                }
            }
        }
    }
}

impl Merge {
    fn new(texts: &Texts<'_>, conflict: &Conflict, isolation: Isolation) -> Self {
        let target = conflict.target.clone();
        let (resolution, before): (_, &[Guard]) = match &conflict.resolution {
            ConflictResolution::Ignore => (Resolution::Ignore, &[]),
            ConflictResolution::Merge { assign, before, after } => {
                let after: Vec<&Guard> = after.iter().collect();
                let merge = Resolution::Merge {
                    assign: assign.clone(),
                    update: texts.merge(&target, assign),
                    after: Guards::of_stored(texts, &after, isolation),
                };
                let before = if removed("upsert-stored-row") || removed("guard-in-transaction") {
                    &[][..]
                } else {
                    &before[..]
                };
                (merge, before)
            }
        };
        Self {
            find: texts.conflicting(&target, before),
            refusals: before.iter().map(|guard| guard.refusal).collect(),
            target,
            resolution,
        }
    }

    /// What makes a row the same as another; an absent value is like no other.
    fn identity(&self, row: &[Value]) -> Option<String> {
        let key: Box<[Value]> =
            self.target.iter().map(|field| row[field.index()].clone()).collect();
        (!key.iter().any(Value::is_null)).then(|| format!("new\0{}", key_text(&key)))
    }

    async fn find(
        &self,
        connection: &Connection,
        model: &Model,
        plan: &WritePlan,
        verdict: &mut Verdict,
    ) -> Result<Vec<Present>, Trouble> {
        let types: Vec<Type> = model.fields.iter().map(|field| field.value_type).collect();
        let rows = plan.rows();
        let bindings = Bindings { slots: plan.values(), rows, ..Bindings::default() };
        let mut present = Vec::new();
        for row in connection.rows(&self.find, bindings).await? {
            let place: i64 = row.try_get(0)?;
            let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
            for (at, refusal) in self.refusals.iter().enumerate() {
                if !row.try_get::<_, bool>(1 + types.len() + at)? {
                    verdict.add(*refusal);
                }
            }
            present.push(Present { place, old: values(&row, 1, &types)? });
        }
        Ok(present)
    }
}

fn key_of(model: &Model, row: &[Value]) -> Box<[Value]> {
    model.key.iter().map(|field| row[field.index()].clone()).collect()
}
