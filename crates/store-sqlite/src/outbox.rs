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
//! create costs one more row and not one for each change. `events` is an array with
//! an entry for each event, in order: `[txid, model, op, key, fields]`, where `op`
//! is `insert`, `update` or `delete`, `key` holds the key's values in text form, and
//! `fields` the names of the fields written, or null for all of the model's. Names
//! are API names, so that the table outlives a changed catalog and a plain `sqlite3`
//! can read it; an event whose model is gone is passed over.
//!
//! Numbers are taken inside the transaction, from the last row, because another
//! process may write too. Events are kept until [`EVENTS_KEPT`] newer ones are there.

use std::fmt::Write;

use mainstay_core::{Catalog, FieldId, Model, ModelId, Value};
use mainstay_store::{Event, EventOp, Seq};
use rusqlite::{Connection, OptionalExtension, Statement, params};
use serde_json::Value as Json;

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

/// The events of one write, in the making.
#[derive(Default)]
pub(crate) struct WriteEvents {
    /// Entries without their brackets and txid: `,"posts","insert",["…"],null`.
    entries: Vec<String>,
}

impl WriteEvents {
    /// Adds a row's change. No fields means all of them.
    pub(crate) fn push(
        &mut self,
        model: &Model,
        op: EventOp,
        key: &[Value],
        fields: Option<&[FieldId]>,
    ) {
        let mut entry = String::with_capacity(96);
        // Names are lower-case letters, digits and underscores: nothing to escape.
        let _ = write!(entry, "\"{}\",\"{}\",[", model.name, op.name());
        for (at, value) in key.iter().enumerate() {
            if at > 0 {
                entry.push(',');
            }
            push_text(&value.as_ref().to_text(), &mut entry);
        }
        entry.push_str("],");
        match fields {
            None => entry.push_str("null"),
            Some(fields) => {
                entry.push('[');
                for (at, field) in fields.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    let _ = write!(entry, "{comma}\"{}\"", model.field(*field).name);
                }
                entry.push(']');
            }
        }
        self.entries.push(entry);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn push_text(text: &str, out: &mut String) {
    // Writing a string as JSON cannot fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_else(|_| "null".to_owned()));
}

/// Writes the outbox, on the writer's connection.
pub(crate) struct Outbox<'c> {
    last: Statement<'c>,
    insert: Statement<'c>,
    drop_old: Statement<'c>,
    commits: u32,
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
        })
    }

    /// Writes the events of the writes that are about to be committed together, and
    /// gives the place of the last event there is then.
    pub(crate) fn write(&mut self, writes: &[WriteEvents]) -> Result<Seq, Trouble> {
        let last = self
            .last
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
            .optional()?;
        let (last_seq, last_txid) = last.unwrap_or((0, 0));
        let mut text = String::with_capacity(160);
        let (mut seq, mut txid) = (last_seq, last_txid);
        for write in writes.iter().filter(|write| !write.is_empty()) {
            txid += 1;
            for entry in &write.entries {
                seq += 1;
                text.push(if text.is_empty() { '[' } else { ',' });
                let _ = write!(text, "[{txid},{entry}]");
            }
        }
        if seq > last_seq {
            text.push(']');
            self.insert.execute(params![last_seq + 1, seq, txid, text])?;
            self.commits += 1;
            if self.commits >= COMMITS_BETWEEN_DROPS {
                self.commits = 0;
                self.keep(EVENTS_KEPT, seq)?;
            }
        }
        Ok(Seq(u64::try_from(seq).unwrap_or(0)))
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
        let entries: Vec<Json> =
            serde_json::from_str(row.get_ref(1)?.as_str().unwrap_or_default()).unwrap_or_default();
        let placed = (first..).zip(entries).filter(|(seq, _)| *seq > after);
        events.extend(
            placed.filter_map(|(seq, entry)| event(catalog, seq, &entry)).take(max - events.len()),
        );
    }
    Ok(events)
}

fn event(catalog: &Catalog, seq: i64, entry: &Json) -> Option<Event> {
    let [txid, model, op, key, fields] = entry.as_array()?.as_slice() else { return None };
    let model: ModelId = catalog.model_id(model.as_str()?)?;
    let declared = catalog.model(model);
    let op = [EventOp::Insert, EventOp::Update, EventOp::Delete]
        .into_iter()
        .find(|known| Some(known.name()) == op.as_str())?;
    let key = key.as_array()?;
    if key.len() != declared.key.len() {
        return None;
    }
    let key = declared
        .key
        .iter()
        .zip(key)
        .map(|(field, text)| {
            Value::parse(text.as_str()?, declared.field(*field).value_type, 0).ok()
        })
        .collect::<Option<Box<[Value]>>>()?;
    let fields = match fields {
        Json::Null if op == EventOp::Delete => Box::default(),
        Json::Null => declared.field_ids().collect(),
        names => {
            names.as_array()?.iter().filter_map(|name| declared.field_id(name.as_str()?)).collect()
        }
    };
    let txid = txid.as_u64()?;
    Some(Event { seq: Seq(u64::try_from(seq).ok()?), txid, model, key, op, fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_rows_are_dropped_and_numbers_go_on() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLE).unwrap();
        let mut outbox = Outbox::new(&connection).unwrap();
        let one = || WriteEvents { entries: vec![r#""posts","insert",["1"],null"#.to_owned(); 2] };
        assert_eq!(outbox.write(&[]).unwrap(), Seq(0));
        for _ in 0..3 {
            outbox.write(&[one(), WriteEvents::default(), one()]).unwrap();
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
        assert_eq!(outbox.write(&[one()]).unwrap(), Seq(14));
        assert_eq!(rows(), [(9, 12, 6), (13, 14, 7)]);
    }
}
