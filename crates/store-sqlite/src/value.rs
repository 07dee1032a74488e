//! Values on their way into SQLite's parameters and out of its columns.
//!
//! | type | column | held as |
//! |---|---|---|
//! | text, json | TEXT | UTF-8; JSON in canonical form |
//! | int | INTEGER | itself |
//! | bool | INTEGER | 0 or 1 |
//! | decimal | INTEGER | the number without its point; the scale is the field's |
//! | timestamp | INTEGER | microseconds since 1970, UTC |
//! | date | INTEGER | days since 1970 |
//! | float | REAL | itself |
//! | uuid | BLOB | 16 bytes |
//! | bytes | BLOB | itself |

use std::rc::Rc;

use mainstay_core::{Code, Date, Decimal, Error, Timestamp, Type, Value, ValueRef};
use rusqlite::{
    Statement, ToSql,
    types::{ToSqlOutput, Value as SqlValue, ValueRef as SqlRef},
};
use uuid::Uuid;

use crate::error::Trouble;

/// Gives a statement's parameter (counted from 1) a value; a list becomes an array
/// for `rarray`.
pub(crate) fn bind(statement: &mut Statement<'_>, at: usize, value: &Value) -> Result<(), Trouble> {
    match value {
        Value::List(items) => {
            let items: Vec<SqlValue> = items.iter().map(|item| owned(plain(item))).collect();
            statement.raw_bind_parameter(at, Rc::new(items))?;
        }
        value => statement.raw_bind_parameter(at, Bound(plain(value)))?,
    }
    Ok(())
}

/// Gives a statement's parameter what another statement's column holds.
pub(crate) fn bind_column(
    statement: &mut Statement<'_>,
    at: usize,
    value: SqlRef<'_>,
) -> Result<(), Trouble> {
    Ok(statement.raw_bind_parameter(at, Bound(value))?)
}

/// Gives a statement's parameter a list; an absent one becomes a list of an absent
/// value, in which nothing is known to be or not to be.
pub(crate) fn bind_list(
    statement: &mut Statement<'_>,
    at: usize,
    value: &Value,
) -> Result<(), Trouble> {
    match value {
        Value::List(_) => bind(statement, at, value),
        _ => bind(statement, at, &Value::List(Box::new([Value::Null]))),
    }
}

struct Bound<'a>(SqlRef<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0))
    }
}

/// A value as SQLite holds it.
pub(crate) fn plain(value: &Value) -> SqlRef<'_> {
    match value {
        Value::Null | Value::List(_) => SqlRef::Null,
        Value::Bool(value) => SqlRef::Integer(i64::from(*value)),
        Value::Int(value) => SqlRef::Integer(*value),
        Value::Float(value) => SqlRef::Real(*value),
        Value::Decimal(value) => SqlRef::Integer(value.units),
        Value::Text(value) | Value::Json(value) => SqlRef::Text(value.as_bytes()),
        Value::Uuid(value) => SqlRef::Blob(value.as_bytes()),
        Value::Timestamp(value) => SqlRef::Integer(value.as_micros()),
        Value::Date(value) => SqlRef::Integer(i64::from(value.as_days())),
        Value::Bytes(value) => SqlRef::Blob(value),
    }
}

fn owned(value: SqlRef<'_>) -> SqlValue {
    match value {
        SqlRef::Null => SqlValue::Null,
        SqlRef::Integer(value) => SqlValue::Integer(value),
        SqlRef::Real(value) => SqlValue::Real(value),
        SqlRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
        SqlRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
    }
}

/// What a column holds, as a value of a type.
///
/// # Errors
/// `ValueOutOfRange` where a computation left the floats; `Internal` where the
/// column holds what its type cannot.
pub(crate) fn read(value: SqlRef<'_>, kind: Type) -> Result<ValueRef<'_>, Error> {
    Ok(match (kind, value) {
        (_, SqlRef::Null) => ValueRef::Null,
        (Type::Text, SqlRef::Text(text)) => ValueRef::Text(utf8(text)?),
        (Type::Json, SqlRef::Text(text)) => ValueRef::Json(utf8(text)?),
        (Type::Int, SqlRef::Integer(value)) => ValueRef::Int(value),
        (Type::Bool, SqlRef::Integer(value)) => ValueRef::Bool(value != 0),
        (Type::Decimal { scale, .. }, SqlRef::Integer(units)) => {
            ValueRef::Decimal(Decimal { units, scale })
        }
        (Type::Float, SqlRef::Real(value)) => {
            if !value.is_finite() {
                return Err(Error::new(
                    Code::ValueOutOfRange,
                    "a number is out of range for type float",
                ));
            }
            ValueRef::Float(value)
        }
        (Type::Float, SqlRef::Integer(value)) => ValueRef::Float(as_float(value)),
        (Type::Timestamp, SqlRef::Integer(micros)) => {
            Timestamp::from_micros(micros).map(ValueRef::Timestamp).ok_or_else(|| wrong(kind))?
        }
        (Type::Date, SqlRef::Integer(days)) => i32::try_from(days)
            .ok()
            .and_then(Date::from_days)
            .map(ValueRef::Date)
            .ok_or_else(|| wrong(kind))?,
        (Type::Uuid, SqlRef::Blob(bytes)) => {
            Uuid::from_slice(bytes).map(ValueRef::Uuid).map_err(|_| wrong(kind))?
        }
        (Type::Bytes, SqlRef::Blob(bytes)) => ValueRef::Bytes(bytes),
        _ => return Err(wrong(kind)),
    })
}

#[expect(clippy::cast_precision_loss, reason = "a float is what was asked for")]
pub(crate) fn as_float(value: i64) -> f64 {
    value as f64
}

fn utf8(text: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(text).map_err(Error::internal)
}

fn wrong(kind: Type) -> Error {
    Error::internal(format!("a column holds what is no {kind}"))
}
