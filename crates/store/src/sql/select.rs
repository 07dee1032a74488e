//! A `SELECT` over one model's rows, put together clause by clause.

use mainstay_core::{Filter, Operand, Type};
use mainstay_plan::{Aggregate, Order};

use super::{Param, Renderer, Sql};

/// The clauses of a `SELECT`, each without its keyword.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// What is selected; nothing is an error.
    pub columns: Vec<Sql>,
    /// The tables.
    pub from: Sql,
    /// Conditions, all of which must hold.
    pub conditions: Vec<Sql>,
    /// What is grouped by; none is no grouping, an empty list is one group.
    pub group_by: Option<Vec<Sql>>,
    /// What is ordered by.
    pub order: Vec<Sql>,
    /// `LIMIT` and `OFFSET`, from [`Dialect::page`](super::Dialect::page).
    pub page: Sql,
}

impl Select {
    /// The statement.
    #[must_use]
    pub fn into_sql(self) -> Sql {
        let mut sql = Sql::text("SELECT ")
            .then(Sql::join(self.columns, ", "))
            .and_text(" FROM ")
            .then(self.from);
        if !self.conditions.is_empty() {
            sql = sql.and_text(" WHERE ").then(Sql::join(self.conditions, " AND "));
        }
        if let Some(group_by) = self.group_by.filter(|terms| !terms.is_empty()) {
            sql = sql.and_text(" GROUP BY ").then(Sql::join(group_by, ", "));
        }
        if !self.order.is_empty() {
            sql = sql.and_text(" ORDER BY ").then(Sql::join(self.order, ", "));
        }
        sql.then(self.page)
    }
}

impl Renderer<'_> {
    /// A model's table under the alias of the row asked about.
    #[must_use]
    pub fn table(&self) -> Sql {
        self.from(self.scope(mainstay_core::Scope::Row(0)))
    }

    /// A condition as the list of those that must all hold, so that an engine sees
    /// each by itself.
    pub fn conditions(&mut self, filter: &Filter) -> Vec<Sql> {
        match filter {
            filter if filter.is_always() => Vec::new(),
            Filter::And(all) => all.iter().flat_map(|one| self.conditions(one)).collect(),
            one => vec![self.condition(one)],
        }
    }

    /// The terms of an order.
    pub fn order(&mut self, order: &[Order]) -> Vec<Sql> {
        order.iter().map(|term| self.anew().order_term(term)).collect()
    }

    /// Where absent values go is said only where there can be some and the engine
    /// would put them elsewhere: an index serves the plain form best.
    fn order_term(&mut self, term: &Order) -> Sql {
        let mut sql = self.operand(&term.operand);
        if term.descending {
            sql = sql.and_text(" DESC");
        }
        if self.can_be_absent(&term.operand)
            && self.dialect.puts_nulls_first(term.descending) != term.nulls_first
        {
            sql = sql.and_text(if term.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
        }
        sql
    }

    /// A computation over a group, and what comes out of it converted.
    pub fn aggregate(
        &mut self,
        aggregate: Aggregate,
        operand: Option<&Operand>,
        computed: Type,
        answered: Type,
    ) -> Sql {
        let value = match operand {
            None => Sql::text("count(*)"),
            Some(operand) => {
                let from = self.type_of(operand).unwrap_or(computed);
                let value = self.operand(operand);
                match aggregate {
                    Aggregate::Count => Sql::call("count", [value]),
                    _ => self.dialect.aggregate(aggregate, value, from, computed),
                }
            }
        };
        if computed == answered { value } else { self.dialect.cast(value, computed, answered) }
    }

    /// `LIMIT` and `OFFSET` from the plan's slots.
    #[must_use]
    pub fn page(
        &self,
        limit: Option<mainstay_core::SlotId>,
        offset: Option<mainstay_core::SlotId>,
    ) -> Sql {
        let slot = |slot| Sql::param(Param::Slot(slot, Type::Int));
        self.dialect.page(limit.map(slot), offset.map(slot))
    }
}
