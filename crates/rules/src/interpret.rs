//! The reference interpreter: what a condition means, row by row.
//!
//! It evaluates all three truth values exactly, over rows in memory, and knows every
//! condition there is: those of rules and those only query strings make. A store's
//! compiler is right where it admits the rows for which this says *true*. It is
//! written to be read; nothing on a request's path but the terms of a rule uses it.

mod explain;
mod json;
mod operand;
mod order;
mod text;

use mainstay_core::{
    Actor, Catalog, CompareOp, Filter, ModelId, Operand, Relation, RowRef, Scope, Timestamp, Truth,
    Value,
};

pub use self::explain::{Explained, explain};

/// A row: one value for each field of its model, in the fields' order.
pub type Row = Vec<Value>;

/// All rows of an app, in memory.
#[derive(Clone, Copy, Debug)]
pub struct World<'w> {
    /// The models.
    pub catalog: &'w Catalog,
    /// The rows of each model, in the models' order.
    pub rows: &'w [Vec<Row>],
}

impl<'w> World<'w> {
    /// The rows of a model.
    #[must_use]
    pub fn rows_of(self, model: ModelId) -> &'w [Row] {
        self.rows.get(model.index()).map_or(&[], Vec::as_slice)
    }
}

/// Everything a condition may ask about.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'w> {
    /// The rows of the app; none where only the caller and the time are asked about.
    pub world: Option<World<'w>>,
    /// The row asked about.
    pub row: &'w [Value],
    /// The same as it was before the write.
    pub old: Option<&'w [Value]>,
    /// Who asks.
    pub actor: &'w Actor,
    /// When.
    pub now: Timestamp,
    /// The values of a plan's slots, in order.
    pub slots: &'w [Value],
}

impl<'w> Situation<'w> {
    /// A situation without rows.
    #[must_use]
    pub fn of_caller(actor: &'w Actor, now: Timestamp) -> Self {
        Self { world: None, row: &[], old: None, actor, now, slots: &[] }
    }
}

/// What a condition comes to.
#[must_use]
pub fn evaluate(filter: &Filter, situation: &Situation<'_>) -> Truth {
    View { situation, scopes: vec![situation.row] }.truth(filter)
}

/// What a value comes to; `Null` where it is absent.
#[must_use]
pub fn value(operand: &Operand, situation: &Situation<'_>) -> Value {
    View { situation, scopes: vec![situation.row] }.value(operand)
}

/// A situation from within some number of `exists`.
struct View<'s, 'w> {
    situation: &'s Situation<'w>,
    /// The row asked about, then the row of each `exists` on the way down.
    scopes: Vec<&'w [Value]>,
}

impl<'w> View<'_, 'w> {
    fn truth(&mut self, filter: &Filter) -> Truth {
        match filter {
            Filter::Const(truth) => *truth,
            Filter::And(all) => {
                all.iter().fold(Truth::True, |so_far, one| so_far.and(self.truth(one)))
            }
            Filter::Or(all) => {
                all.iter().fold(Truth::False, |so_far, one| so_far.or(self.truth(one)))
            }
            Filter::Not(inner) => !self.truth(inner),
            Filter::IsTrue(inner) => Truth::of(Some(self.truth(inner) == Truth::True)),
            Filter::If(test, yes, no) => match self.truth(test) {
                Truth::True => self.truth(yes),
                Truth::False => self.truth(no),
                Truth::Unknown => Truth::Unknown,
            },
            Filter::Is(operand) => match self.value(operand) {
                Value::Bool(value) => Truth::of(Some(value)),
                _ => Truth::Unknown,
            },
            Filter::Compare(one, op, two) => {
                let (one, two) = (self.value(one), self.value(two));
                compare(&one, *op, &two)
            }
            Filter::IsNull(operand) => Truth::of(Some(self.value(operand).is_null())),
            Filter::In(item, list) => {
                let (item, list) = (self.value(item), self.list(list));
                is_in(&item, &list)
            }
            Filter::Text(one, op, two) => match (self.value(one), self.value(two)) {
                (Value::Text(one), Value::Text(two)) => Truth::of(text::search(&one, *op, &two)),
                _ => Truth::Unknown,
            },
            Filter::JsonContains(one, two) => match (self.value(one), self.value(two)) {
                (Value::Json(one), Value::Json(two)) => Truth::of(json::contains(&one, &two)),
                _ => Truth::Unknown,
            },
            Filter::Exists { from, relation, filter } => {
                let mut any = Truth::False;
                for row in self.related(from, *relation) {
                    self.scopes.push(row);
                    any = any.or(self.truth(filter));
                    self.scopes.pop();
                }
                any
            }
        }
    }

    /// The row in sight that is meant, and what its refs lead to.
    fn row(&self, row: &RowRef) -> Option<&'w [Value]> {
        let start = match row.scope {
            Scope::Row(at) => self.scopes.get(usize::from(at)).copied(),
            Scope::Old => self.situation.old,
        };
        row.hops
            .iter()
            .try_fold(start?, |row, hop| self.across(row, Relation::ToOne(*hop)).into_iter().next())
    }

    /// The rows related to a row; none where that row is absent.
    fn related(&self, from: &RowRef, relation: Relation) -> Vec<&'w [Value]> {
        self.row(from).map_or_else(Vec::new, |row| self.across(row, relation))
    }

    fn across(&self, row: &[Value], relation: Relation) -> Vec<&'w [Value]> {
        let Some(world) = self.situation.world else { return Vec::new() };
        let (Relation::ToOne(reference) | Relation::ToMany(reference)) = relation;
        let reference = world.catalog.reference(reference);
        let (near, far, model) = match relation {
            Relation::ToOne(_) => (&reference.from_fields, &reference.to_fields, reference.to),
            Relation::ToMany(_) => (&reference.to_fields, &reference.from_fields, reference.from),
        };
        let equal = |other: &[Value]| {
            near.iter().zip(far).all(|(near, far)| {
                match (row.get(near.index()), other.get(far.index())) {
                    (Some(one), Some(two)) => compare(one, CompareOp::Eq, two) == Truth::True,
                    _ => false,
                }
            })
        };
        world.rows_of(model).iter().map(Vec::as_slice).filter(|other| equal(other)).collect()
    }
}

fn compare(one: &Value, op: CompareOp, two: &Value) -> Truth {
    if op == CompareOp::Distinct {
        return Truth::of(match (one.is_null(), two.is_null()) {
            (true, true) => Some(false),
            (true, false) | (false, true) => Some(true),
            (false, false) => order::of(one, two).map(std::cmp::Ordering::is_ne),
        });
    }
    Truth::of(order::of(one, two).map(|order| match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne | CompareOp::Distinct => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }))
}

fn is_in(item: &Value, list: &Value) -> Truth {
    match list {
        Value::List(list) if !item.is_null() => list
            .iter()
            .fold(Truth::False, |so_far, one| so_far.or(compare(item, CompareOp::Eq, one))),
        _ => Truth::Unknown,
    }
}
