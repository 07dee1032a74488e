//! A value on its way into a row, or into what a row is compared with.

use mainstay_core::{Timestamp, ValueRef};
use mainstay_plan::PayloadValue;
use serde_json::Value as Json;
use uuid::Uuid;

/// A value of a built-in model's field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Absent,
    Bool(bool),
    Int(i64),
    /// A number with the digits it came with.
    Number(String),
    Text(String),
    Uuid(Uuid),
    Time(Timestamp),
    Bytes(Vec<u8>),
    /// An object or an array.
    Json(Json),
}

impl Cell {
    pub(super) fn into_payload(self) -> PayloadValue<'static> {
        match self {
            Self::Absent => PayloadValue::Null,
            Self::Bool(value) => PayloadValue::Bool(value),
            Self::Int(value) => PayloadValue::Number(value.to_string().into()),
            Self::Number(digits) => PayloadValue::Number(digits.into()),
            Self::Json(value) => PayloadValue::Nested(value.to_string().into()),
            other => PayloadValue::String(other.into_text().into()),
        }
    }

    /// The text form of its type.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Text(value) | Self::Number(value) => value,
            Self::Uuid(value) => value.to_string(),
            Self::Time(value) => ValueRef::Timestamp(value).to_text(),
            Self::Bytes(value) => ValueRef::Bytes(&value).to_text(),
            Self::Json(value) => value.to_string(),
        }
    }
}

impl Cell {
    /// A value of a caller's, for a field of whichever type.
    pub(crate) fn of_json(value: &Json) -> Self {
        match value {
            Json::Null => Self::Absent,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(value) => Self::Number(value.to_string()),
            Json::String(value) => Self::Text(value.clone()),
            Json::Array(_) | Json::Object(_) => Self::Json(value.clone()),
        }
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

macro_rules! cells {
    ($($from:ty => $to:ident),* $(,)?) => {
        $(impl From<$from> for Cell {
            fn from(value: $from) -> Self {
                Self::$to(value.into())
            }
        })*
    };
}

cells! {
    bool => Bool,
    i64 => Int,
    u32 => Int,
    String => Text,
    &str => Text,
    Uuid => Uuid,
    Timestamp => Time,
    Vec<u8> => Bytes,
    [u8; 32] => Bytes,
    Json => Json,
}
