//! Asking a write's guards, inside its transaction.

use mainstay_core::removal::removed;
use mainstay_plan::{Guard, Refusal};
use mainstay_store::refusal::Verdict;
use rusqlite::Connection;

use super::text::Texts;
use crate::{
    error::Trouble,
    prepared::{Bindings, Links, Prepared},
};

/// Guards of one kind of row, asked by one statement.
pub(crate) struct Guards<'c> {
    statement: Prepared<'c>,
    refusals: Vec<Refusal>,
}

impl<'c> Guards<'c> {
    /// Guards of the stored row with a key; none where there is nothing to ask.
    pub(crate) fn of_stored(
        connection: &'c Connection,
        texts: &Texts<'_>,
        guards: &[&Guard],
    ) -> Option<Self> {
        Self::new(connection, guards, || texts.guards_of_stored(guards))
    }

    /// Guards of the bindings' row, whether it is stored or not.
    pub(crate) fn of_proposed(
        connection: &'c Connection,
        texts: &Texts<'_>,
        guards: &[&Guard],
    ) -> Option<Self> {
        Self::new(connection, guards, || texts.guards_of_proposed(guards))
    }

    fn new(
        connection: &'c Connection,
        guards: &[&Guard],
        text: impl FnOnce() -> crate::compile::StatementText,
    ) -> Option<Self> {
        if guards.is_empty() || removed("guard-in-transaction") {
            return None;
        }
        let refusals = guards.iter().map(|guard| guard.refusal).collect();
        Some(Self { statement: Prepared::new(connection, text()), refusals })
    }

    /// Asks them of one row.
    pub(crate) fn ask(
        &mut self,
        bindings: Bindings<'_>,
        links: Links<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), Trouble> {
        let mut rows = self.statement.rows(bindings, links)?;
        let Some(row) = rows.next()? else {
            // The row that was just written is not there: nothing can be said of it.
            verdict.add(Refusal::Denied);
            return Ok(());
        };
        for (at, refusal) in self.refusals.iter().enumerate() {
            if !row.get::<_, bool>(at)? {
                verdict.add(*refusal);
            }
        }
        Ok(())
    }
}
