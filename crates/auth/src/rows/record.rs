//! A row as it was read, by the names that were asked for.

use std::any::Any;

use mainstay_core::{Error, Timestamp, Value, ValueRef};
use mainstay_store::RowSink;
use serde_json::Value as Json;
use uuid::Uuid;

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    fields: &'static [&'static str],
    values: Vec<Value>,
}

impl Record {
    fn value(&self, name: &str) -> &Value {
        let at = self.fields.iter().position(|field| *field == name);
        &self.values[at.expect("BUG: a field is read that was asked for")]
    }

    pub(crate) fn uuid(&self, name: &str) -> Option<Uuid> {
        match self.value(name) {
            Value::Uuid(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.value(name) {
            Value::Text(value) => Some(value.to_string()),
            _ => None,
        }
    }

    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        match self.value(name) {
            Value::Timestamp(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        match self.value(name) {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.value(name), Value::Bool(true))
    }

    pub(crate) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        match self.value(name) {
            Value::Bytes(value) => Some(value.to_vec()),
            _ => None,
        }
    }

    /// JSON; null where there is none.
    pub(crate) fn json(&self, name: &str) -> Json {
        match self.value(name) {
            Value::Json(text) => serde_json::from_str(text).unwrap_or_default(),
            _ => Json::Null,
        }
    }
}

/// Takes the rows of a read without embeds.
#[derive(Debug, Default)]
pub(crate) struct Records {
    rows: Vec<Vec<Value>>,
}

impl Records {
    /// The rows in a sink that was given to a store as one of these.
    pub(super) fn out_of(sink: Box<dyn RowSink>, fields: &'static [&'static str]) -> Vec<Record> {
        let sink: Box<dyn Any> = sink;
        let records = sink.downcast::<Self>().expect("BUG: a store gives back the sink it took");
        records.rows.into_iter().map(|values| Record { fields, values }).collect()
    }
}

impl RowSink for Records {
    fn begin_row(&mut self) {
        self.rows.push(Vec::new());
    }

    fn value(&mut self, value: ValueRef<'_>) {
        self.rows.last_mut().expect("BUG: values come within a row").push(value.to_value());
    }

    fn begin_one(&mut self) {}

    fn end_one(&mut self) {}

    fn begin_many(&mut self) {}

    fn end_many(&mut self) {}

    fn end_row(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn reset(&mut self) {
        self.rows.clear();
    }
}
