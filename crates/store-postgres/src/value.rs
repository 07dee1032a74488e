//! Values on their way into PostgreSQL's parameters and out of its columns, in its
//! binary formats (the manual's chapter 54 and each type's `send` function).
//!
//! | type | column | format |
//! |---|---|---|
//! | text | text | UTF-8 |
//! | json | jsonb | a version byte, then text; spaces are taken out on the way in here |
//! | int | int8 | big-endian |
//! | bool | bool | one byte |
//! | decimal | numeric | base-10,000 digits |
//! | timestamp | timestamptz | microseconds since 2000 |
//! | date | date | days since 2000 |
//! | float | float8 | IEEE 754 |
//! | uuid | uuid | 16 bytes |
//! | bytes | bytea | itself |

mod numeric;

use bytes::{BufMut, BytesMut};
use mainstay_core::{Code, Date, Error, Timestamp, Type, Value, ValueRef};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type as PgType, to_sql_checked};
use uuid::Uuid;

/// Microseconds from 1970 to 2000.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// Days from 1970 to 2000.
const EPOCH_DAYS: i32 = 10_957;
/// The first byte of every jsonb.
const JSONB_VERSION: u8 = 1;
/// JSON in a column was bounded when it was written.
const JSON_DEPTH_MAX: usize = 1_024;

/// The type a parameter of ours is declared with.
pub(crate) fn pg_type(kind: Type) -> PgType {
    match kind {
        Type::Text => PgType::TEXT,
        Type::Int => PgType::INT8,
        Type::Float => PgType::FLOAT8,
        Type::Decimal { .. } => PgType::NUMERIC,
        Type::Bool => PgType::BOOL,
        Type::Uuid => PgType::UUID,
        Type::Timestamp => PgType::TIMESTAMPTZ,
        Type::Date => PgType::DATE,
        Type::Json => PgType::JSONB,
        Type::Bytes => PgType::BYTEA,
    }
}

/// The type of a parameter that is a list of ours.
pub(crate) fn pg_array(kind: Type) -> PgType {
    match kind {
        Type::Text => PgType::TEXT_ARRAY,
        Type::Int => PgType::INT8_ARRAY,
        Type::Float => PgType::FLOAT8_ARRAY,
        Type::Decimal { .. } => PgType::NUMERIC_ARRAY,
        Type::Bool => PgType::BOOL_ARRAY,
        Type::Uuid => PgType::UUID_ARRAY,
        Type::Timestamp => PgType::TIMESTAMPTZ_ARRAY,
        Type::Date => PgType::DATE_ARRAY,
        Type::Json => PgType::JSONB_ARRAY,
        Type::Bytes => PgType::BYTEA_ARRAY,
    }
}

/// The name of a type in SQL, as it is cast to and declared.
pub(crate) fn sql_name(kind: Type) -> &'static str {
    match kind {
        Type::Text => "text",
        Type::Int => "int8",
        Type::Float => "float8",
        Type::Decimal { .. } => "numeric",
        Type::Bool => "bool",
        Type::Uuid => "uuid",
        Type::Timestamp => "timestamptz",
        Type::Date => "date",
        Type::Json => "jsonb",
        Type::Bytes => "bytea",
    }
}

/// What one parameter of a statement is bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound<'v> {
    /// One value.
    One(&'v Value),
    /// A list, with the type of what is in it; absent where that is not a list.
    List(&'v Value, Type),
    /// A list put together from one place of each row.
    Column(&'v [Box<[Value]>], usize, Type),
}

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        _: &PgType,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::One(value) => Ok(write(value, out)),
            Self::List(Value::List(items), kind) => {
                write_array(items.iter(), items.len(), *kind, out);
                Ok(IsNull::No)
            }
            Self::List(_, _) => Ok(IsNull::Yes),
            Self::Column(rows, at, kind) => {
                write_array(rows.iter().map(|row| &row[*at]), rows.len(), *kind, out);
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_: &PgType) -> bool {
        true
    }

    to_sql_checked!();
}

/// Appends a value in its binary format.
fn write(value: &Value, out: &mut BytesMut) -> IsNull {
    match value {
        Value::Null | Value::List(_) => return IsNull::Yes,
        Value::Bool(value) => out.put_u8(u8::from(*value)),
        Value::Int(value) => out.put_i64(*value),
        Value::Float(value) => out.put_f64(*value),
        Value::Decimal(value) => numeric::write(*value, out),
        Value::Text(value) => out.put_slice(value.as_bytes()),
        Value::Uuid(value) => out.put_slice(value.as_bytes()),
        Value::Timestamp(value) => out.put_i64(value.as_micros() - EPOCH_MICROS),
        Value::Date(value) => out.put_i32(value.as_days() - EPOCH_DAYS),
        Value::Json(value) => {
            out.put_u8(JSONB_VERSION);
            out.put_slice(value.as_bytes());
        }
        Value::Bytes(value) => out.put_slice(value),
    }
    IsNull::No
}

/// Appends a one-dimensional array (`array_send`).
fn write_array<'v>(
    items: impl Iterator<Item = &'v Value>,
    count: usize,
    kind: Type,
    out: &mut BytesMut,
) {
    let dimensions = i32::from(count > 0);
    out.put_i32(dimensions);
    out.put_i32(1);
    out.put_u32(pg_type(kind).oid());
    if count == 0 {
        return;
    }
    out.put_i32(i32::try_from(count).unwrap_or(i32::MAX));
    out.put_i32(1);
    for item in items {
        let length_at = out.len();
        out.put_i32(-1);
        if let IsNull::No = write(item, out) {
            let length = i32::try_from(out.len() - length_at - 4).unwrap_or(i32::MAX);
            out[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
        }
    }
}

/// A column's bytes as they came.
pub(crate) struct Raw<'r>(pub(crate) &'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(
        _: &PgType,
        bytes: &'r [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(bytes))
    }

    fn accepts(_: &PgType) -> bool {
        true
    }
}

/// A column's bytes as a value of a type, which is shown to `see`.
///
/// # Errors
/// `ValueOutOfRange` where a computation left what a type holds; `Internal` where
/// the bytes are not of the type's format.
pub(crate) fn read<T>(
    bytes: Option<&[u8]>,
    kind: Type,
    see: impl FnOnce(ValueRef<'_>) -> T,
) -> Result<T, Error> {
    let Some(bytes) = bytes else { return Ok(see(ValueRef::Null)) };
    let value = match kind {
        Type::Text => ValueRef::Text(utf8(bytes)?),
        Type::Int => ValueRef::Int(i64::from_be_bytes(sized(bytes, kind)?)),
        Type::Float => ValueRef::Float(finite(f64::from_be_bytes(sized(bytes, kind)?))?),
        Type::Decimal { scale, .. } => ValueRef::Decimal(numeric::read(bytes, scale)?),
        Type::Bool => ValueRef::Bool(sized::<1>(bytes, kind)?[0] != 0),
        Type::Uuid => ValueRef::Uuid(Uuid::from_bytes(sized(bytes, kind)?)),
        Type::Timestamp => {
            let micros = i64::from_be_bytes(sized(bytes, kind)?);
            let moment = micros.checked_add(EPOCH_MICROS).and_then(Timestamp::from_micros);
            ValueRef::Timestamp(moment.ok_or_else(|| out_of_range(kind))?)
        }
        Type::Date => {
            let days = i32::from_be_bytes(sized(bytes, kind)?);
            let day = days.checked_add(EPOCH_DAYS).and_then(Date::from_days);
            ValueRef::Date(day.ok_or_else(|| out_of_range(kind))?)
        }
        Type::Bytes => ValueRef::Bytes(bytes),
        Type::Json => {
            let text = match bytes.split_first() {
                Some((&JSONB_VERSION, text)) => utf8(text)?,
                _ => return Err(wrong(kind)),
            };
            return canonical(text, see);
        }
    };
    Ok(see(value))
}

/// jsonb's text in canonical form: the order of keys is that already, but there are
/// spaces, and numbers keep the digits they were given with.
fn canonical<T>(text: &str, see: impl FnOnce(ValueRef<'_>) -> T) -> Result<T, Error> {
    if !text.contains([' ', '.', 'e', 'E']) && text.len() < 16 {
        return Ok(see(ValueRef::Json(text)));
    }
    match Value::json(text, JSON_DEPTH_MAX) {
        Ok(value) => Ok(see(value.as_ref())),
        Err(_) => Err(wrong(Type::Json)),
    }
}

fn sized<const N: usize>(bytes: &[u8], kind: Type) -> Result<[u8; N], Error> {
    bytes.try_into().map_err(|_| wrong(kind))
}

fn utf8(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(Error::internal)
}

fn finite(value: f64) -> Result<f64, Error> {
    if value.is_finite() { Ok(value) } else { Err(out_of_range(Type::Float)) }
}

pub(crate) fn out_of_range(kind: Type) -> Error {
    Error::new(Code::ValueOutOfRange, format!("a value is out of range for type {kind}"))
}

pub(crate) fn wrong(kind: Type) -> Error {
    Error::internal(format!("a column holds what is no {kind}"))
}

/// Reads a column's bytes as a value of its own.
pub(crate) fn owned(bytes: Option<&[u8]>, kind: Type) -> Result<Value, Error> {
    read(bytes, kind, |value| value.to_value())
}
