//! Forgetting sessions that are over.
//!
//! Whoever signs out ends a session and its row with it; whoever loses the browser, or never
//! comes back, does not. Such a row is worth nothing once the session's age is over, and goes
//! then. One that ended because nobody used it waits for its age too: by that alone an index
//! finds it. Codes, links, flows and challenges need no such care: of these each account and
//! factor has a few at most, and the next takes the place of the one before.

use mainstay_core::Error;
use uuid::Uuid;

use super::SESSIONS;
use crate::{
    Identity,
    call::Call,
    rows::{Change, Query, is_among, is_at_most},
};

/// Sessions that are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: usize = 500;

impl Identity {
    /// Forgets some of the sessions whose age is over; how many. There may be more until it
    /// is none.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn forget_sessions(&self, call: &Call) -> Result<usize, Error> {
        let at_once = FORGOTTEN_AT_ONCE.min(self.rows.planner().limits().write_rows_max);
        let query = Query {
            model: SESSIONS,
            fields: &["id"],
            filters: vec![is_at_most("expires_at", call.now)],
            order: vec![("expires_at", false)],
            limit: u64::try_from(at_once).ok(),
            offset: None,
        };
        let rows = self.rows.find(query, &call.cx, call.now).await?;
        let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.uuid("id")).collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let gone = Change::delete(SESSIONS, vec![is_among("id", ids)]);
        let committed = self.rows.write(vec![gone], &call.cx, call.now).await?;
        Ok(committed.affected.iter().map(Vec::len).sum())
    }
}
