//! A write that has passed the gate, and the guards that travel with it.
//!
//! Permission to write depends on rows that others may be changing, so a plan does
//! not say "allowed" but carries conditions, and the store asks them inside the
//! write's own transaction: which rows may be touched (`target`), what those rows
//! must satisfy as they are (`before`) and as they are stored (`after`). A guard
//! that does not hold for every row takes the whole write back.

use std::sync::Arc;

use mainstay_core::{
    Catalog, CatalogVersion, FieldId, Filter, ModelId, OnDelete, RefId, SlotId, Value,
};
use mainstay_rules::GuardClass;

use crate::{Isolation, Query, ShapeId};

/// A write without its values. Made by this crate alone.
#[derive(Debug)]
pub struct WriteShape {
    pub(crate) id: ShapeId,
    pub(crate) catalog: CatalogVersion,
    pub(crate) model: ModelId,
    pub(crate) action: Action,
    pub(crate) returning: Option<Query>,
    pub(crate) isolation: Isolation,
}

impl WriteShape {
    /// What tells it from others.
    #[must_use]
    pub fn id(&self) -> ShapeId {
        self.id
    }

    /// The catalog it was made for.
    #[must_use]
    pub fn catalog(&self) -> CatalogVersion {
        self.catalog
    }

    /// The model written.
    #[must_use]
    pub fn model(&self) -> ModelId {
        self.model
    }

    /// What is done.
    #[must_use]
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// What keeps its guards true until it commits.
    #[must_use]
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// What is answered of each row written, if anything. Its filter narrows the rows
    /// written further (by inner embeds), and they come in the order of its `order`,
    /// or where that is empty in the order of the payload.
    #[must_use]
    pub fn returning(&self) -> Option<&Query> {
        self.returning.as_ref()
    }
}

/// What a write does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Each of the plan's rows becomes a row, with a value for every field of the
    /// model in order. An absent int key is the store's to give.
    Insert {
        /// Asked of each new row once all are stored; of a row that is there already
        /// under [`ConflictResolution::Merge`], asked of the row proposed.
        create: Vec<Guard>,
        /// Asked of each new row besides, once all are stored: what it takes to be
        /// answered. Not asked of a row proposed.
        after: Vec<Guard>,
        /// What becomes of a row that is there already; none is an error.
        conflict: Option<Conflict>,
    },
    /// The rows that pass `target` take other values.
    Update {
        /// Which rows: the caller's filters, the read rule and the update rule.
        target: Filter,
        /// Asked of each such row before it changes.
        before: Vec<Guard>,
        /// Fields and the slots their values are in.
        assign: Vec<(FieldId, SlotId)>,
        /// Asked of each row as stored, once all are; `Scope::Old` is the row before.
        after: Vec<Guard>,
    },
    /// The rows that pass `target` go.
    Delete {
        /// Which rows: the caller's filters, the read rule and the delete rule.
        target: Filter,
        /// Every effect on other rows, nearest first.
        cascades: Vec<Cascade>,
    },
}

/// What becomes of a row that is there already.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The fields of the key or unique that decides whether it is.
    pub target: Vec<FieldId>,
    /// What becomes of it.
    pub resolution: ConflictResolution,
}

/// What becomes of a row that is there already.
#[derive(Clone, Debug, PartialEq)]
pub enum ConflictResolution {
    /// It stays, and is not part of the answer.
    Ignore,
    /// It takes the proposed row's values for some fields.
    Merge {
        /// Those fields.
        assign: Vec<FieldId>,
        /// Asked of the stored row before it changes; not holding is a refusal.
        before: Vec<Guard>,
        /// Asked of it as stored then; `Scope::Old` is the row before.
        after: Vec<Guard>,
    },
}

/// A condition every row of a write must satisfy, or none is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// The condition; it holds where it is true. Scope 0 is the row.
    pub filter: Filter,
    /// What it takes to keep it true while others write.
    pub class: GuardClass,
    /// What the caller is told where it does not hold.
    pub refusal: Refusal,
}

/// What the caller is told where a guard does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The write is not allowed.
    Denied,
    /// A ref points to no row: what is told too where there is one that the caller
    /// may not see.
    Reference(RefId),
}

/// An effect of a delete on the rows of another model (or the same).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cascade {
    /// The ref whose target goes.
    pub reference: RefId,
    /// What becomes of the rows that point there.
    pub on_delete: OnDelete,
}

/// A write that has passed the gate: a shape, the values bound in it and the rows.
///
/// Only this crate makes one.
#[derive(Clone, Debug)]
pub struct WritePlan {
    pub(crate) shape: Arc<WriteShape>,
    pub(crate) values: Box<[Value]>,
    pub(crate) rows: Vec<Box<[Value]>>,
    pub(crate) affected_min: u64,
    pub(crate) follows_change: bool,
    pub(crate) affected_max: Option<u64>,
    pub(crate) rows_max: u64,
}

impl WritePlan {
    /// The same update or delete, refused with `Overtaken` where it would affect fewer rows:
    /// somebody was faster. What it is part of is refused with it. Of an insert the rows of
    /// the payload are counted.
    #[must_use]
    pub fn affecting_at_least(self, rows: u64) -> Self {
        Self { affected_min: rows, ..self }
    }

    /// The same write, left out where the one before it in its transaction affects no row:
    /// what tells of a change tells of none that was not made.
    #[must_use]
    pub fn following_change(self) -> Self {
        Self { follows_change: true, ..self }
    }

    /// Whether it is left out where the one before it affects no row.
    #[must_use]
    pub fn follows_change(&self) -> bool {
        self.follows_change
    }

    /// Everything but the values.
    #[must_use]
    pub fn shape(&self) -> &Arc<WriteShape> {
        &self.shape
    }

    /// All values, in the order of their slots.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value of one slot.
    #[must_use]
    pub fn value(&self, slot: SlotId) -> &Value {
        &self.values[usize::from(slot.0)]
    }

    /// The rows of an insert, each with a value for every field of the model.
    #[must_use]
    pub fn rows(&self) -> &[Box<[Value]>] {
        &self.rows
    }

    /// The rows that must be affected: below it the write fails with `Overtaken`.
    #[must_use]
    pub fn affected_min(&self) -> u64 {
        self.affected_min
    }

    /// The rows that may be affected, as the caller bounded it: beyond it the write
    /// fails with `MaxAffected`.
    #[must_use]
    pub fn affected_max(&self) -> Option<u64> {
        self.affected_max
    }

    /// The rows that may be affected, as the server bounds it (`write_rows_max`):
    /// beyond it the write fails with `LimitExceeded`. Cascades are not counted.
    #[must_use]
    pub fn rows_max(&self) -> u64 {
        self.rows_max
    }
}

/// Every effect of a delete of a model's rows on rows that point at what goes, nearest
/// first. They run as the schema, whatever the rules of those rows say.
#[must_use]
pub fn cascades(catalog: &Catalog, model: ModelId) -> Vec<Cascade> {
    let mut found: Vec<Cascade> = Vec::new();
    let mut reached = vec![model];
    let mut at = 0;
    while let Some(model) = reached.get(at).copied() {
        at += 1;
        for id in catalog.references_to(model) {
            let reference = catalog.reference(id);
            let cascade = Cascade { reference: id, on_delete: reference.on_delete };
            if !found.contains(&cascade) {
                found.push(cascade);
            }
            if reference.on_delete == OnDelete::Cascade && !reached.contains(&reference.from) {
                reached.push(reference.from);
            }
        }
    }
    found
}
