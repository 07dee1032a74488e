//! Asking a write's guards, inside its transaction.

use std::sync::Arc;

use mainstay_core::{Error, Value, Way, removal::removed};
use mainstay_plan::{Guard, GuardClass, Isolation, Refusal};
use mainstay_store::refusal::Verdict;

use super::text::{Texts, speak_of_old};
use crate::{
    connection::Connection,
    error::Trouble,
    statement::{Bindings, Statement},
};

/// How long a lock on a row that a guard reads is waited for.
const LOCK_SOON: &str = "SET LOCAL lock_timeout = '20ms'";

/// Guards of one kind of row, asked of all such rows by one statement.
pub(crate) struct Guards {
    /// Locks what the guards read of other rows, nearest first.
    locks: Vec<Arc<Statement>>,
    statement: Arc<Statement>,
    refusals: Vec<Refusal>,
    /// Whether whole rows are given, as they were before.
    pub(crate) wants_old: bool,
}

impl Guards {
    /// Guards of stored rows, asked by their keys or, where one speaks of the row
    /// before, by that; none where there is nothing to ask.
    pub(crate) fn of_stored(
        texts: &Texts<'_>,
        guards: &[&Guard],
        isolation: Isolation,
    ) -> Option<Self> {
        let refusals = asked(guards)?;
        Some(Self {
            locks: locks(texts, guards, isolation),
            statement: texts.guards_of_stored(guards),
            refusals,
            wants_old: speak_of_old(guards),
        })
    }

    /// Guards of rows that may not be stored.
    pub(crate) fn of_proposed(texts: &Texts<'_>, guards: &[&Guard]) -> Option<Self> {
        let refusals = asked(guards)?;
        let statement = texts.guards_of_proposed(guards);
        Some(Self { locks: Vec::new(), statement, refusals, wants_old: false })
    }

    /// Asks them of all rows.
    pub(crate) async fn ask(
        &self,
        connection: &Connection,
        slots: &[Value],
        rows: &[Box<[Value]>],
        verdict: &mut Verdict,
    ) -> Result<(), Trouble> {
        if rows.is_empty() {
            return Ok(());
        }
        let bindings = Bindings { slots, rows, ..Bindings::default() };
        take_locks(connection, &self.locks, rows).await?;
        let answered = connection.rows(&self.statement, bindings).await?;
        let row = answered
            .first()
            .ok_or_else(|| Trouble::Internal(Error::internal("BUG: an aggregate without a row")))?;
        for (at, refusal) in self.refusals.iter().enumerate() {
            if row.try_get::<_, Option<bool>>(at)? == Some(false) {
                verdict.add(*refusal);
            }
        }
        let count: i64 = row.try_get(self.refusals.len())?;
        if usize::try_from(count) != Ok(rows.len()) {
            // A row that was just written is not there: nothing can be said of it.
            verdict.add(Refusal::Denied);
        }
        Ok(())
    }
}

/// Takes locks on what guards read of other rows.
///
/// Two transactions may each hold what the other wants to lock. PostgreSQL would find
/// out after a second (`deadlock_timeout`, which is not ours to set); so a lock that is
/// not had soon gives the transaction up, to be done again.
pub(super) async fn take_locks(
    connection: &Connection,
    locks: &[Arc<Statement>],
    rows: &[Box<[Value]>],
) -> Result<(), Trouble> {
    if locks.is_empty() {
        return Ok(());
    }
    connection.batch(LOCK_SOON).await?;
    for lock in locks {
        connection.execute(lock, Bindings { rows, ..Bindings::default() }).await?;
    }
    Ok(())
}

fn asked(guards: &[&Guard]) -> Option<Vec<Refusal>> {
    if guards.is_empty() || removed("guard-in-transaction") {
        return None;
    }
    Some(guards.iter().map(|guard| guard.refusal).collect())
}

/// The locks that keep guards true. Where the whole transaction is serialisable none
/// are needed.
fn locks(texts: &Texts<'_>, guards: &[&Guard], isolation: Isolation) -> Vec<Arc<Statement>> {
    if isolation == Isolation::Serialisable || removed("guard-locks") {
        return Vec::new();
    }
    let related = guards.iter().filter(|guard| guard.class != GuardClass::RowLocal);
    let mut ways: Vec<Way> = Vec::new();
    for way in related.flat_map(|guard| guard.filter.ways()) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways.sort_by_key(Vec::len);
    ways.iter().map(|way| texts.lock(way)).collect()
}
