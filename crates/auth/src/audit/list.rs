//! The log as it is read: the latest entries first, a page at a time, to its beginning.
//!
//! A page goes on from an entry and not from a number of them: what is written meanwhile
//! moves nothing. Entries that were written together have one time, so their ids order them.

use mainstay_core::Timestamp;
use mainstay_plan::{Condition, Group};
use uuid::Uuid;

use super::{AUDIT, AuditEntry, FIELDS};
use crate::{
    Identity,
    call::Call,
    refusal::{AuthResult, invalid},
    rows::{Query, is, is_at_most, is_below},
};

/// Entries of a page at most.
pub const PAGE_ENTRIES_MAX: u64 = 1_000;

/// Which entries are asked for.
#[derive(Clone, Copy, Debug)]
pub struct AuditQuery {
    /// Those about this user's account alone.
    pub user: Option<Uuid>,
    /// Where the page begins; with the latest entry where it is not said.
    pub before: Option<AuditBefore>,
    /// So many; 1,000 at most.
    pub limit: u64,
}

/// What the entries of a page lie before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditBefore {
    /// The entry with this id.
    Entry(Uuid),
    /// This time.
    Time(Timestamp),
}

/// A part of the log.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// Its entries, the latest first.
    pub entries: Vec<AuditEntry>,
    /// Whether there are entries before them.
    pub has_more: bool,
}

/// The time and the id of an entry, which order the log.
type Place = (Timestamp, Uuid);

impl Identity {
    /// Entries of the log, the latest first.
    ///
    /// # Errors
    /// `validation_failed` where no entry has the id; where the store cannot be asked.
    pub async fn audit_log(&self, asked: AuditQuery, call: &Call) -> AuthResult<AuditPage> {
        let limit = asked.limit.min(PAGE_ENTRIES_MAX) as usize;
        let mut before = match asked.before {
            None => None,
            Some(AuditBefore::Time(time)) => Some(is_below("created_at", time)),
            Some(AuditBefore::Entry(id)) => Some(is_before(self.place_of_entry(id, call).await?)),
        };
        let mut entries: Vec<AuditEntry> = Vec::new();
        // A read answers as many rows as the app's pages have, so it is repeated until there
        // is one entry more than asked for, or there are none left.
        while entries.len() <= limit {
            let of_user = asked.user.map(|user| is("user", user));
            let query = Query {
                model: AUDIT,
                fields: FIELDS,
                filters: of_user.into_iter().chain(before.take()).collect(),
                order: vec![("created_at", true), ("id", true)],
                limit: Some((limit + 1 - entries.len()) as u64),
                ..Query::default()
            };
            let rows = self.rows.find(query, &call.cx, call.now).await?;
            entries.extend(rows.iter().map(AuditEntry::of));
            let last = entries.last().filter(|_| !rows.is_empty());
            let Some((at, id)) = last.and_then(|last| last.at.zip(Some(last.id))) else { break };
            before = Some(is_before((at, id)));
        }
        let has_more = entries.len() > limit;
        entries.truncate(limit);
        Ok(AuditPage { entries, has_more })
    }

    async fn place_of_entry(&self, id: Uuid, call: &Call) -> AuthResult<Place> {
        let filters = vec![is("id", id)];
        let query = Query { model: AUDIT, fields: FIELDS, filters, ..Query::default() };
        let found = self.rows.one(query, &call.cx, call.now).await?;
        let place = found.and_then(|row| row.time("created_at")).map(|at| (at, id));
        place.ok_or_else(|| invalid(format!("the audit log has no entry {id}")))
    }
}

/// The entry lies before this place. That its time is none after it follows from the rest,
/// and is what an index answers.
fn is_before((at, id): Place) -> Condition<'static> {
    let items = vec![is_below("created_at", at), is_below("id", id)];
    let is_earlier = Condition::Group { negated: false, group: Group::Or, items };
    let items = vec![is_at_most("created_at", at), is_earlier];
    Condition::Group { negated: false, group: Group::And, items }
}
