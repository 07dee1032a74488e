//! The rows of a write, as they are answered.

use std::sync::Arc;

use futures_util::StreamExt as _;
use mainstay_core::{Catalog, Value};
use mainstay_plan::{Query, WritePlan};
use mainstay_store::RowSink;

use crate::{
    compile::{self, Output},
    connection::Connection,
    error::Trouble,
    rows,
    statement::{Bindings, Statement},
};

/// Answers the rows of a write.
pub(crate) struct Returning {
    statement: Arc<Statement>,
    outputs: Vec<Output>,
}

impl Returning {
    pub(crate) fn new(catalog: &Catalog, query: &Query) -> Self {
        let text = compile::among_keys(catalog, query);
        Self { statement: text.statement, outputs: text.outputs }
    }

    /// Sends the rows with these keys.
    pub(crate) async fn send(
        &self,
        connection: &Connection,
        plan: &WritePlan,
        keys: &[Box<[Value]>],
        sink: &mut dyn RowSink,
    ) -> Result<(), Trouble> {
        let bindings = Bindings { slots: plan.values(), rows: keys, ..Bindings::default() };
        let mut found = connection.query(&self.statement, bindings).await?;
        while let Some(row) = found.next().await {
            rows::send(&row?, &self.outputs, sink).map_err(Trouble::Caller)?;
        }
        Ok(())
    }
}
