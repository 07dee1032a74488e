//! A row as it was read, by the names that were asked for.

use mainstay_core::{Timestamp, Value};
use serde_json::Value as Json;
use uuid::Uuid;

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    fields: &'static [&'static str],
    values: Vec<Value>,
}

impl Record {
    /// A row of these fields.
    pub(super) fn new(fields: &'static [&'static str], values: Vec<Value>) -> Self {
        Self { fields, values }
    }

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
