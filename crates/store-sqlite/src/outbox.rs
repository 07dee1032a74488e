//! The outbox: what committed writes did, for those who follow.
//!
//! ```sql
//! CREATE TABLE mainstay_outbox (
//!     first_seq INTEGER PRIMARY KEY,  -- the place of the first of its events
//!     last_seq  INTEGER NOT NULL,     -- the place of the last
//!     last_txid INTEGER NOT NULL,     -- the number of the last write in it
//!     events    TEXT NOT NULL         -- JSON, see below
//! ) STRICT;
//! ```
//!
//! One row holds the events of everything that was committed together, so that a
//! create costs one more row and not one for each change. `events` is an array of
//! entries as [`EventEntries`] makes them.
//!
//! Numbers are taken inside the transaction, from the last row, because another
//! process may write too. Events are kept until [`EVENTS_KEPT`] newer ones are there.

use mainstay_core::Catalog;
use mainstay_store::{Event, EventEntries, Seq, read_events};
use rusqlite::{Connection, OptionalExtension, Statement, params};

use crate::error::Trouble;

/// Events the outbox keeps; older ones are dropped.
const EVENTS_KEPT: i64 = 100_000;
/// Commits between two looks at whether rows are to be dropped: often, so that there
/// is never much to drop at once.
const COMMITS_BETWEEN_DROPS: u32 = 32;

/// The outbox's table.
pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS mainstay_outbox (
    first_seq INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    last_txid INTEGER NOT NULL,
    events TEXT NOT NULL
) STRICT";

/// Writes the outbox, on the writer's connection.
pub(crate) struct Outbox<'c> {
    last: Statement<'c>,
    insert: Statement<'c>,
    drop_old: Statement<'c>,
    commits: u32,
    /// The array that is written; kept for its room.
    text: String,
}

impl<'c> Outbox<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Result<Self, Trouble> {
        Ok(Self {
            last: connection.prepare(
                "SELECT last_seq, last_txid FROM mainstay_outbox ORDER BY first_seq DESC LIMIT 1",
            )?,
            insert: connection.prepare("INSERT INTO mainstay_outbox VALUES (?, ?, ?, ?)")?,
            drop_old: connection
                .prepare("DELETE FROM mainstay_outbox WHERE last_seq <= ?1 AND first_seq <= ?1")?,
            commits: 0,
            text: String::new(),
        })
    }

    /// Writes the events of the writes that are about to be committed together, and
    /// gives the place of the last event there is then.
    pub(crate) fn write(&mut self, events: &EventEntries) -> Result<Seq, Trouble> {
        let last = self
            .last
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
            .optional()?;
        let (last_seq, last_txid) = last.unwrap_or((0, 0));
        if events.is_empty() {
            return Ok(place(last_seq));
        }
        let seq = last_seq + i64::try_from(events.len()).unwrap_or(i64::MAX);
        self.text.clear();
        let txid = u64::try_from(last_txid).unwrap_or(0) + 1;
        let txid = events.write_array(txid, &mut self.text);
        let txid = i64::try_from(txid).unwrap_or(i64::MAX);
        self.insert.execute(params![last_seq + 1, seq, txid, self.text])?;
        self.commits += 1;
        if self.commits >= COMMITS_BETWEEN_DROPS {
            self.commits = 0;
            self.keep(EVENTS_KEPT, seq)?;
        }
        Ok(place(seq))
    }

    /// Drops the rows all of whose events are older than the latest so many.
    fn keep(&mut self, events: i64, last_seq: i64) -> Result<(), Trouble> {
        self.drop_old.execute([last_seq - events])?;
        Ok(())
    }
}

/// The events after a place, at most so many, as far as the catalog knows their
/// models.
pub(crate) fn changes(
    connection: &Connection,
    catalog: &Catalog,
    after: Seq,
    max: u32,
) -> Result<Vec<Event>, Trouble> {
    let after = i64::try_from(after.0).unwrap_or(i64::MAX);
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    // The row that holds the place begins at it or before; all later ones follow.
    let mut statement = connection.prepare(
        "SELECT first_seq, events FROM mainstay_outbox WHERE first_seq >= coalesce(
            (SELECT max(first_seq) FROM mainstay_outbox WHERE first_seq <= ?1), 0)
         ORDER BY first_seq",
    )?;
    let mut rows = statement.query([after])?;
    let mut events = Vec::new();
    while events.len() < max
        && let Some(row) = rows.next()?
    {
        let first: i64 = row.get(0)?;
        let array = row.get_ref(1)?.as_str().unwrap_or_default();
        let later = read_events(catalog, array, (first..).map(place))
            .into_iter()
            .filter_map(|(seq, event)| event.filter(|_| seq > place(after)));
        let room = max - events.len();
        events.extend(later.take(room));
    }
    Ok(events)
}

fn place(seq: i64) -> Seq {
    Seq(u64::try_from(seq).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use mainstay_core::{SourceFile, Value, read_app};
    use mainstay_store::EventOp;

    use super::*;

    fn model() -> mainstay_core::Model {
        let text = "[model]\nid = \"int\"\n".to_owned();
        let file = SourceFile { path: "models/posts.toml".to_owned(), text };
        read_app(&[], &[file], &[]).unwrap().catalog.models()[0].clone()
    }

    #[test]
    fn old_rows_are_dropped_and_numbers_go_on() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLE).unwrap();
        let mut outbox = Outbox::new(&connection).unwrap();
        let model = &model();
        let events = |writes: &[usize]| {
            let mut events = EventEntries::default();
            for changes in writes {
                events.begin_write();
                for _ in 0..*changes {
                    events.push(model, EventOp::Insert, &[Value::Int(1)], None);
                }
            }
            events
        };
        assert_eq!(outbox.write(&events(&[])).unwrap(), Seq(0));
        for _ in 0..3 {
            outbox.write(&events(&[2, 0, 2])).unwrap();
        }
        let rows = || {
            let mut statement = connection
                .prepare("SELECT first_seq, last_seq, last_txid FROM mainstay_outbox")
                .unwrap();
            let rows = statement.query_map([], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            });
            rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
        };
        outbox.keep(12, 12).unwrap();
        assert_eq!(rows(), [(1, 4, 2), (5, 8, 4), (9, 12, 6)]);
        // A row goes only once all of its events are old.
        outbox.keep(5, 12).unwrap();
        assert_eq!(rows(), [(5, 8, 4), (9, 12, 6)]);
        outbox.keep(4, 12).unwrap();
        assert_eq!(rows(), [(9, 12, 6)]);
        assert_eq!(outbox.write(&events(&[2])).unwrap(), Seq(14));
        assert_eq!(rows(), [(9, 12, 6), (13, 14, 7)]);
    }
}
