//! What a value comes to.

use mainstay_core::{Operand, Path, Timestamp, Truth, Type, Value};

use super::{View, json};
use crate::caller::caller_value;

impl View<'_, '_> {
    /// What a value comes to; `Null` where it is absent.
    pub(super) fn value(&mut self, operand: &Operand) -> Value {
        match operand {
            Operand::Field(path) => self.field(path),
            Operand::Literal(value) => value.clone(),
            // Several values are not a value: only `in` takes a list.
            Operand::Caller(term, kind) => match caller_value(term, *kind, self.situation.actor) {
                Value::List(_) => Value::Null,
                value => value,
            },
            Operand::Now => Value::Timestamp(self.situation.now),
            Operand::Slot(slot, _) => {
                self.situation.slots.get(usize::from(slot.0)).cloned().unwrap_or(Value::Null)
            }
            Operand::Lower(inner) => match self.value(inner) {
                Value::Text(text) => Value::Text(text.to_ascii_lowercase().into()),
                _ => Value::Null,
            },
            Operand::Size(inner) => match self.value(inner) {
                Value::Text(text) => whole(text.chars().count()),
                _ => Value::Null,
            },
            Operand::Count(row, relation) => whole(self.related(row, *relation).len()),
            Operand::Shift(inner, micros) => match self.value(inner) {
                Value::Timestamp(moment) => Value::Timestamp(shifted(moment, *micros)),
                _ => Value::Null,
            },
            Operand::Elapsed(later, earlier) => match (self.value(later), self.value(earlier)) {
                (Value::Timestamp(later), Value::Timestamp(earlier)) => {
                    Value::Int(later.as_micros() - earlier.as_micros())
                }
                _ => Value::Null,
            },
            Operand::If(test, yes, no) => match self.truth(test) {
                Truth::True => self.value(yes),
                Truth::False => self.value(no),
                Truth::Unknown => Value::Null,
            },
            Operand::Json { path, steps, as_text } => match self.field(path) {
                Value::Json(text) => json::at(&text, steps, *as_text),
                _ => Value::Null,
            },
            Operand::Cast(inner, kind) => cast(&self.value(inner), *kind),
        }
    }

    /// The list that a value is looked up in.
    pub(super) fn list(&mut self, operand: &Operand) -> Value {
        match operand {
            Operand::Caller(term, kind) => caller_value(term, *kind, self.situation.actor),
            other => self.value(other),
        }
    }

    fn field(&self, path: &Path) -> Value {
        let value = self.row(&path.row).and_then(|row| row.get(path.field.index()));
        value.cloned().unwrap_or(Value::Null)
    }
}

/// A moment moved. What would lie beyond all moments is the first or the last of them,
/// which is before or after every other, as the true one would be.
fn shifted(moment: Timestamp, micros: i64) -> Timestamp {
    let edge = if micros < 0 { "0001-01-01T00:00:00Z" } else { "9999-12-30T22:00:00.999999Z" };
    moment
        .shifted(micros)
        .or_else(|| Timestamp::parse(edge))
        .expect("BUG: the edges of time are moments")
}

fn whole(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A value as another type, as PostgreSQL converts it; absent where it does not.
fn cast(value: &Value, kind: Type) -> Value {
    match (value, kind) {
        (Value::Null | Value::List(_), _) => Value::Null,
        #[expect(clippy::cast_possible_truncation, reason = "the bounds before it make it exact")]
        (Value::Float(float), Type::Int) => {
            let rounded = float.round_ties_even();
            let fits =
                (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded);
            if fits { Value::Int(rounded as i64) } else { Value::Null }
        }
        (Value::Decimal(_), Type::Int) => {
            let kind = Type::Decimal { precision: 18, scale: 0 };
            match Value::parse(&value.as_ref().to_text(), kind, 0) {
                Ok(Value::Decimal(decimal)) => Value::Int(decimal.units),
                _ => Value::Null,
            }
        }
        (Value::Bool(value), Type::Int) => Value::Int(i64::from(*value)),
        (Value::Int(value), Type::Bool) => Value::Bool(*value != 0),
        (Value::Timestamp(moment), Type::Date) => {
            let day = moment.to_string();
            Value::parse(day.get(..10).unwrap_or_default(), Type::Date, 0).unwrap_or(Value::Null)
        }
        (Value::Date(day), Type::Timestamp) => {
            Timestamp::parse(&day.to_string()).map_or(Value::Null, Value::Timestamp)
        }
        _ => Value::parse(&value.as_ref().to_text(), kind, 1_000).unwrap_or(Value::Null),
    }
}
