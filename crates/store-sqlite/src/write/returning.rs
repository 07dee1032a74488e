//! The rows of a write, as they are answered.

use mainstay_core::{Catalog, Value};
use mainstay_plan::{Query, WritePlan};
use mainstay_store::RowSink;
use rusqlite::Connection;

use crate::{
    compile,
    error::Trouble,
    prepared::{Bindings, Links, PreparedQuery},
};

/// Answers the rows of a write.
pub(crate) enum PreparedReturning<'c> {
    /// One row at a time, in the order of the payload.
    EachByKey(PreparedQuery<'c>),
    /// All at once, in an order of their own or grouped.
    Together(PreparedQuery<'c>),
}

impl<'c> PreparedReturning<'c> {
    pub(crate) fn new(connection: &'c Connection, catalog: &Catalog, query: &Query) -> Self {
        if query.order.is_empty() && query.group_by.is_none() {
            let text = compile::by_key(catalog, query);
            return Self::EachByKey(PreparedQuery::new(connection, text));
        }
        let text = compile::among_keys(catalog, query);
        Self::Together(PreparedQuery::new(connection, text))
    }

    /// Sends the rows with these keys.
    pub(crate) fn send(
        &mut self,
        plan: &WritePlan,
        keys: &[Box<[Value]>],
        sink: &mut dyn RowSink,
    ) -> Result<(), Trouble> {
        let bindings = Bindings::slots(plan.values());
        match self {
            Self::EachByKey(query) => {
                for key in keys {
                    query.send(bindings, Links::Values(key), sink)?;
                }
            }
            Self::Together(query) => {
                let parts = keys.first().map_or(1, |key| key.len());
                let lists: Vec<Value> = (0..parts)
                    .map(|part| Value::List(keys.iter().map(|key| key[part].clone()).collect()))
                    .collect();
                query.send(bindings, Links::Values(&lists), sink)?;
            }
        }
        Ok(())
    }
}
