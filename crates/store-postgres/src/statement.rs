//! Statements: their text, where their parameters' values come from, and how each
//! connection prepares them once.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mainstay_core::Value;
use mainstay_store::sql::{Param, Sql, literal_type};
use tokio_postgres::types::Type as PgType;

use crate::{
    dialect::PostgresDialect,
    value::{Bound, pg_array, pg_type},
};

/// A statement, the same for every connection.
#[derive(Debug)]
pub(crate) struct Statement {
    /// Tells statements of this process apart.
    pub(crate) id: u64,
    pub(crate) sql: String,
    params: Vec<Param>,
    types: Vec<PgType>,
}

/// Where the values of parameters come from in one run.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bindings<'v> {
    /// The plan's values, by slot.
    pub(crate) slots: &'v [Value],
    /// The row of the payload.
    pub(crate) row: &'v [Value],
    /// Values such as a key or a limit.
    pub(crate) links: &'v [Value],
    /// Rows of values, each place of which is bound as a list.
    pub(crate) rows: &'v [Box<[Value]>],
}

impl<'v> Bindings<'v> {
    /// Nothing but the plan's values.
    pub(crate) fn slots(slots: &'v [Value]) -> Self {
        Self { slots, ..Self::default() }
    }
}

impl Statement {
    /// A statement of its own.
    pub(crate) fn of(sql: Sql) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let (sql, params) = sql.finish(&PostgresDialect);
        let types = params.iter().map(param_type).collect();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { id, sql, params, types })
    }

    /// The types of its parameters.
    pub(crate) fn types(&self) -> &[PgType] {
        &self.types
    }

    /// The values of its parameters in one run.
    pub(crate) fn bind<'v>(&'v self, bindings: Bindings<'v>) -> Vec<Bound<'v>> {
        self.params
            .iter()
            .map(|param| match param {
                Param::Const(value) => Bound::One(value),
                Param::Slot(slot, _) => Bound::One(&bindings.slots[usize::from(slot.0)]),
                Param::List(slot, kind) => Bound::List(&bindings.slots[usize::from(slot.0)], *kind),
                Param::Link(at, _) => Bound::One(&bindings.links[usize::from(*at)]),
                Param::Column(at, kind) => Bound::Column(bindings.rows, usize::from(*at), *kind),
                Param::Row(field, _) => Bound::One(&bindings.row[field.index()]),
            })
            .collect()
    }
}

fn param_type(param: &Param) -> PgType {
    match param {
        Param::Const(value) => literal_type(value).map_or(PgType::TEXT, pg_type),
        Param::Slot(_, kind) | Param::Link(_, kind) | Param::Row(_, kind) => pg_type(*kind),
        Param::List(_, kind) | Param::Column(_, kind) => pg_array(*kind),
    }
}
