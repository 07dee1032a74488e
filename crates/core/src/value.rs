//! A value of a field, and the types values have.
//!
//! Text is UTF-8 without U+0000 and compares by code point. A decimal is an
//! integer with a scale, so it is exact. JSON is held as canonical text, so two
//! equal values are equal bytes on every store.

mod json;
mod text;

use std::fmt;

use uuid::Uuid;

use crate::{Date, Timestamp};

pub use self::{json::json_depth, text::ValueError};

/// The type of a field or of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// UTF-8 text without U+0000.
    Text,
    /// A whole number of 64 bits.
    Int,
    /// A binary floating-point number of 64 bits, never infinite nor NaN.
    Float,
    /// An exact number with `scale` digits after the point, at most 18 digits in all.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// True or false.
    Bool,
    /// 16 bytes.
    Uuid,
    /// A moment, to the microsecond, in UTC.
    Timestamp,
    /// A day of the Gregorian calendar.
    Date,
    /// Any JSON value.
    Json,
    /// Bytes, in text form as `\x` and hexadecimal digits.
    Bytes,
}

impl Type {
    /// The type's name as it is written in model files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "int",
            Self::Float => "float",
            Self::Decimal { .. } => "decimal",
            Self::Bool => "bool",
            Self::Uuid => "uuid",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Json => "json",
            Self::Bytes => "bytes",
        }
    }

    /// Whether values of this type are numbers.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Decimal { .. })
    }

    /// Whether values of this type have an order that `<` may ask for.
    #[must_use]
    pub fn is_ordered(self) -> bool {
        !matches!(self, Self::Json)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An exact number: `units` × 10^-`scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The number without its point.
    pub units: i64,
    /// Digits after the point.
    pub scale: u8,
}

/// A value. Every store keeps each of these without loss.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Absent.
    Null,
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float; finite.
    Float(f64),
    /// A decimal.
    Decimal(Decimal),
    /// A text.
    Text(Box<str>),
    /// A uuid.
    Uuid(Uuid),
    /// A timestamp.
    Timestamp(Timestamp),
    /// A date.
    Date(Date),
    /// JSON in canonical form (see [`Value::json`]).
    Json(Box<str>),
    /// Bytes.
    Bytes(Box<[u8]>),
    /// Several values of one type, for `in`.
    List(Box<[Value]>),
}

/// A value that is borrowed from where it lies, on its way to an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// Absent.
    Null,
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A decimal.
    Decimal(Decimal),
    /// A text.
    Text(&'a str),
    /// A uuid.
    Uuid(Uuid),
    /// A timestamp.
    Timestamp(Timestamp),
    /// A date.
    Date(Date),
    /// JSON in canonical form.
    Json(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl Value {
    /// Whether the value is absent.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Reads JSON text into its canonical form: no white space, object keys by
    /// length and then bytes with the last of equal ones kept (as `jsonb` does),
    /// numbers in their shortest form.
    ///
    /// # Errors
    /// Where the text is not JSON, nests deeper than `depth_max`, or holds U+0000.
    pub fn json(text: &str, depth_max: usize) -> Result<Self, ValueError> {
        json::canonical(text, depth_max).map(|text| Self::Json(text.into_boxed_str()))
    }

    /// The value as it lies here. A list has no such form and gives `Null`.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null | Self::List(_) => ValueRef::Null,
            Self::Bool(value) => ValueRef::Bool(*value),
            Self::Int(value) => ValueRef::Int(*value),
            Self::Float(value) => ValueRef::Float(*value),
            Self::Decimal(value) => ValueRef::Decimal(*value),
            Self::Text(value) => ValueRef::Text(value),
            Self::Uuid(value) => ValueRef::Uuid(*value),
            Self::Timestamp(value) => ValueRef::Timestamp(*value),
            Self::Date(value) => ValueRef::Date(*value),
            Self::Json(value) => ValueRef::Json(value),
            Self::Bytes(value) => ValueRef::Bytes(value),
        }
    }
}

impl ValueRef<'_> {
    /// A copy that owns what it holds.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => Value::Float(value),
            Self::Decimal(value) => Value::Decimal(value),
            Self::Text(value) => Value::Text(value.into()),
            Self::Uuid(value) => Value::Uuid(value),
            Self::Timestamp(value) => Value::Timestamp(value),
            Self::Date(value) => Value::Date(value),
            Self::Json(value) => Value::Json(value.into()),
            Self::Bytes(value) => Value::Bytes(value.into()),
        }
    }
}
