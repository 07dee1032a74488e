//! The shape of a read: everything about it but the values.
//!
//! A shape is made once and shared by every request that differs only in values;
//! a store keeps its prepared statements under the shape's id.

use mainstay_core::{CatalogVersion, Filter, ModelId, Operand, RefId, Relation, SlotId, Type};

use crate::Aggregate;

/// Tells shapes apart within one process, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShapeId(pub(crate) u64);

impl ShapeId {
    /// The number, for a store's statement cache.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

/// A read without its values. Made by this crate alone.
#[derive(Debug)]
pub struct ReadShape {
    pub(crate) id: ShapeId,
    pub(crate) catalog: CatalogVersion,
    pub(crate) root: Query,
    pub(crate) count: bool,
    pub(crate) answers_nothing: bool,
}

impl ReadShape {
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

    /// The rows asked for.
    #[must_use]
    pub fn root(&self) -> &Query {
        &self.root
    }

    /// Whether all rows that pass the filter are to be counted, beyond the page.
    #[must_use]
    pub fn count(&self) -> bool {
        self.count
    }
}

/// Rows of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The model.
    pub model: ModelId,
    /// What is answered of each row, in order.
    pub columns: Vec<Column>,
    /// Which rows: the caller's filters and the rules together. A row counts where
    /// it is true. Scope 0 is this query's row.
    pub filter: Filter,
    /// Where the rows are grouped: by these values, in one group where there are none.
    pub group_by: Option<Vec<Operand>>,
    /// The order, complete: no two rows compare equal (groups aside).
    pub order: Vec<Order>,
    /// Rows at most: a slot with an int.
    pub limit: Option<SlotId>,
    /// Rows to pass over first: a slot with an int.
    pub offset: Option<SlotId>,
}

/// One thing answered of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name it is answered under. Unused for a spread.
    pub name: Box<str>,
    /// Where it comes from.
    pub source: Source,
}

/// Where a column's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A value of this type.
    Value(Operand, Type),
    /// A computation over the group; the operand is absent for a count of rows. The
    /// first type is what comes out, the second what that is converted to.
    Aggregate(Aggregate, Option<Operand>, Type, Type),
    /// A related row or rows.
    Embed(Box<Embed>),
    /// The columns of a related row, lifted into this one in this place; absent
    /// where there is no such row.
    Spread(Box<Embed>),
}

/// Related rows of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Embed {
    /// How they are related.
    pub link: Link,
    /// The related rows. Its filter does not hold the link.
    pub query: Query,
}

/// How related rows are found.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    /// At most one row, pointed at.
    One(RefId),
    /// At most one row that points here (the ref's fields are unique).
    OneBack(RefId),
    /// The rows that point here.
    Many(RefId),
    /// The rows that a junction joins to this one.
    Through(Via),
}

/// A junction between two models.
#[derive(Clone, Debug, PartialEq)]
pub struct Via {
    /// The junction.
    pub junction: ModelId,
    /// Its ref to the model above.
    pub near: RefId,
    /// Its ref to the embedded model.
    pub far: RefId,
    /// Which of the junction's rows count; scope 0 is its row.
    pub filter: Filter,
}

/// One term of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// What is ordered by.
    pub operand: Operand,
    /// Its type.
    pub value_type: Type,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Whether absent values come first.
    pub nulls_first: bool,
}

impl Embed {
    /// Whether there is at most one related row.
    #[must_use]
    pub fn is_one(&self) -> bool {
        matches!(self.link, Link::One(_) | Link::OneBack(_))
    }
}

impl Link {
    /// The relation followed first: to the related rows, or to the junction's.
    #[must_use]
    pub fn first(&self) -> Relation {
        match self {
            Self::One(reference) => Relation::ToOne(*reference),
            Self::OneBack(reference) | Self::Many(reference) => Relation::ToMany(*reference),
            Self::Through(via) => Relation::ToMany(via.near),
        }
    }
}
