//! What an outbox holds: the events of writes, as text.
//!
//! An entry is a JSON array `[txid, model, op, key, fields]`, where `op` is `insert`,
//! `update` or `delete`, `key` holds the key's values in text form, and `fields` the
//! names of the fields written, or null for all of the model's. Names are API names,
//! so that an outbox outlives a changed catalog and a person can read it; an event
//! whose model is gone is passed over.

use std::fmt::Write;

use mainstay_core::{Catalog, FieldId, Model, Value};
use serde_json::Value as Json;

use crate::{Event, EventOp, Seq};

/// The events of writes that commit together, in the making.
#[derive(Debug, Default)]
pub struct EventEntries {
    /// All entries, one after the other, each without its brackets and txid:
    /// `"posts","insert",["…"],null`.
    text: String,
    entries: Vec<Entry>,
    writes: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The write it belongs to, counted from 1.
    write: u32,
    /// Where its text ends.
    end: usize,
}

impl EventEntries {
    /// Forgets all of it, and keeps the room.
    pub fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
        self.writes = 0;
    }

    /// The entries that follow are another write's.
    pub fn begin_write(&mut self) {
        self.writes += 1;
    }

    /// Forgets the entries of the write that was begun last.
    pub fn forget_write(&mut self) {
        while self.entries.pop_if(|entry| entry.write == self.writes).is_some() {}
        self.text.truncate(self.entries.last().map_or(0, |entry| entry.end));
        self.writes = self.writes.saturating_sub(1);
    }

    /// Adds a row's change. No fields means all of them.
    pub fn push(&mut self, model: &Model, op: EventOp, key: &[Value], fields: Option<&[FieldId]>) {
        let text = &mut self.text;
        // Names are lower-case letters, digits and underscores: nothing to escape.
        for piece in ["\"", &model.name, "\",\"", op.name(), "\",["] {
            text.push_str(piece);
        }
        for (at, value) in key.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            push_key(value, text);
        }
        text.push_str("],");
        match fields {
            None => text.push_str("null"),
            Some(fields) => {
                text.push('[');
                for (at, field) in fields.iter().enumerate() {
                    let open = if at > 0 { ",\"" } else { "\"" };
                    for piece in [open, &model.field(*field).name, "\""] {
                        text.push_str(piece);
                    }
                }
                text.push(']');
            }
        }
        self.entries.push(Entry { write: self.writes, end: self.text.len() });
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Appends them as one JSON array, each with its transaction's number: the first
    /// write's that has any is `first_txid`. Gives the number of the last.
    pub fn write_array(&self, first_txid: u64, out: &mut String) -> u64 {
        let (mut txid, mut write, mut begin) = (first_txid, 0, 0);
        out.push('[');
        for (at, entry) in self.entries.iter().enumerate() {
            if at > 0 {
                out.push(',');
                txid += u64::from(entry.write != write);
            }
            write = entry.write;
            // Writing to a String cannot fail.
            let _ = write!(out, "[{txid},");
            out.push_str(&self.text[begin..entry.end]);
            out.push(']');
            begin = entry.end;
        }
        out.push(']');
        txid
    }
}

/// A part of a key, as a JSON string.
fn push_key(value: &Value, out: &mut String) {
    match value {
        Value::Uuid(id) => {
            let mut buffer = [0; 36];
            for piece in ["\"", id.hyphenated().encode_lower(&mut buffer), "\""] {
                out.push_str(piece);
            }
        }
        Value::Int(number) => {
            let _ = write!(out, "\"{number}\"");
        }
        other => {
            let text = other.as_ref().to_text();
            out.push_str(&Json::String(text).to_string());
        }
    }
}

/// The events of one array of an outbox, as far as the catalog knows their models.
/// `seqs` gives each entry its place.
pub fn read_events(
    catalog: &Catalog,
    array: &str,
    seqs: impl Iterator<Item = Seq>,
) -> Vec<(Seq, Option<Event>)> {
    let entries: Vec<Json> = serde_json::from_str(array).unwrap_or_default();
    seqs.zip(&entries).map(|(seq, entry)| (seq, read_event(catalog, seq, entry))).collect()
}

fn read_event(catalog: &Catalog, seq: Seq, entry: &Json) -> Option<Event> {
    let [txid, model, op, key, fields] = entry.as_array()?.as_slice() else { return None };
    let model = catalog.model_id(model.as_str()?)?;
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
    Some(Event { seq, txid: txid.as_u64()?, model, key, op, fields })
}
