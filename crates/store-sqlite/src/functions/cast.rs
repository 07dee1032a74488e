//! Casts that raise an error where SQLite would take what it can get.

use mainstay_core::{Code, Date, Decimal, Timestamp, Type, Value, ValueError, ValueRef};
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef as SqlRef};
use serde_json::Value as Json;

use crate::{
    error::Raised,
    value::{self, as_float},
};

/// JSON read from a text may nest this deep.
const JSON_DEPTH_MAX: usize = 64;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A type as a number, to be an argument.
pub(crate) fn encode_type(kind: Type) -> i64 {
    match kind {
        Type::Text => 0,
        Type::Int => 1,
        Type::Float => 2,
        Type::Bool => 3,
        Type::Uuid => 4,
        Type::Timestamp => 5,
        Type::Date => 6,
        Type::Json => 7,
        Type::Bytes => 8,
        Type::Decimal { precision, scale } => {
            9 | i64::from(precision) << 8 | i64::from(scale) << 16
        }
    }
}

fn decode_type(code: i64) -> Option<Type> {
    Some(match code & 0xff {
        0 => Type::Text,
        1 => Type::Int,
        2 => Type::Float,
        3 => Type::Bool,
        4 => Type::Uuid,
        5 => Type::Timestamp,
        6 => Type::Date,
        7 => Type::Json,
        8 => Type::Bytes,
        9 => Type::Decimal {
            precision: u8::try_from(code >> 8 & 0xff).ok()?,
            scale: u8::try_from(code >> 16 & 0xff).ok()?,
        },
        _ => return None,
    })
}

/// A column's value as one of another type.
pub(super) fn cast(value: SqlRef<'_>, from: i64, to: i64) -> Result<ToSqlOutput<'static>, Raised> {
    let (Some(from), Some(to)) = (decode_type(from), decode_type(to)) else {
        return Err(impossible("unknown", "unknown"));
    };
    let value = value::read(value, from)
        .map_err(|error| Raised { code: error.code(), message: error.message().to_owned() })?;
    let converted = convert(value, from, to)?;
    Ok(ToSqlOutput::Owned(match value::plain(&converted) {
        SqlRef::Null => SqlValue::Null,
        SqlRef::Integer(value) => SqlValue::Integer(value),
        SqlRef::Real(value) => SqlValue::Real(value),
        SqlRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
        SqlRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
    }))
}

fn convert(value: ValueRef<'_>, from: Type, to: Type) -> Result<Value, Raised> {
    Ok(match (value, to) {
        (ValueRef::Null, _) => Value::Null,
        (ValueRef::Json(text), Type::Int | Type::Float | Type::Bool) => scalar(text, to)?,
        (value, Type::Text) => Value::Text(value.to_text().into_boxed_str()),
        (ValueRef::Text(text), to) => {
            Value::parse(text, to, JSON_DEPTH_MAX).map_err(|error| unreadable(text, to, error))?
        }
        (ValueRef::Float(value), Type::Int) => Value::Int(whole(value)?),
        (ValueRef::Decimal(value), Type::Int) => Value::Int(rounded(value)),
        (ValueRef::Int(value), Type::Float) => Value::Float(as_float(value)),
        (ValueRef::Decimal(value), Type::Float) => {
            Value::Float(as_float(value.units) / 10_f64.powi(i32::from(value.scale)))
        }
        (ValueRef::Bool(value), Type::Int) => Value::Int(i64::from(value)),
        (ValueRef::Int(value), Type::Bool) => Value::Bool(value != 0),
        (ValueRef::Timestamp(moment), Type::Date) => {
            let days = moment.as_micros().div_euclid(MICROS_PER_DAY);
            i32::try_from(days).ok().and_then(Date::from_days).map_or(Value::Null, Value::Date)
        }
        (ValueRef::Date(day), Type::Timestamp) => {
            Timestamp::from_micros(i64::from(day.as_days()) * MICROS_PER_DAY)
                .map_or(Value::Null, Value::Timestamp)
        }
        _ => return Err(impossible(from.name(), to.name())),
    })
}

fn scalar(text: &str, to: Type) -> Result<Value, Raised> {
    let json: Json = serde_json::from_str(text).unwrap_or(Json::Null);
    Ok(match (&json, to) {
        (Json::Null, _) => Value::Null,
        (Json::Bool(value), Type::Bool) => Value::Bool(*value),
        (Json::Number(number), Type::Int) => match number.as_i64() {
            Some(value) => Value::Int(value),
            None => Value::Int(whole(number.as_f64().unwrap_or(f64::NAN))?),
        },
        (Json::Number(number), Type::Float) => number.as_f64().map_or(Value::Null, Value::Float),
        (Json::String(_), _) => return Err(impossible("json string", to.name())),
        (Json::Array(_), _) => return Err(impossible("json array", to.name())),
        (Json::Object(_), _) => return Err(impossible("json object", to.name())),
        (Json::Bool(_), _) => return Err(impossible("json boolean", to.name())),
        (Json::Number(_), _) => return Err(impossible("json number", to.name())),
    })
}

/// The whole number nearest to a float, of two the even one.
fn whole(value: f64) -> Result<i64, Raised> {
    let rounded = value.round_ties_even();
    // 2^63 is a float, its predecessor among whole numbers is not.
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded) {
        return Err(Raised {
            code: Code::ValueOutOfRange,
            message: "bigint out of range".to_owned(),
        });
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked just now")]
    let whole = rounded as i64;
    Ok(whole)
}

/// The whole number nearest to a decimal, of two the one farther from zero.
fn rounded(value: Decimal) -> i64 {
    let factor = 10_i64.checked_pow(u32::from(value.scale)).unwrap_or(i64::MAX);
    let (quotient, rest) = (value.units / factor, value.units % factor);
    if rest.unsigned_abs() * 2 >= factor.unsigned_abs() {
        quotient + value.units.signum()
    } else {
        quotient
    }
}

fn unreadable(text: &str, to: Type, error: ValueError) -> Raised {
    let shown: String = text.chars().take(100).collect();
    match error {
        ValueError::OutOfRange => Raised {
            code: Code::ValueOutOfRange,
            message: format!("value \"{shown}\" is out of range for type {to}"),
        },
        _ => Raised {
            code: Code::ValueUnreadable,
            message: format!("invalid input syntax for type {to}: \"{shown}\""),
        },
    }
}

fn impossible(from: &str, to: &str) -> Raised {
    Raised { code: Code::CastInvalid, message: format!("cannot cast type {from} to {to}") }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const MONEY: Type = Type::Decimal { precision: 6, scale: 2 };

    fn check(value: ValueRef<'_>, from: Type, to: Type, expected: Expect) {
        expected.assert_eq(&match convert(value, from, to) {
            Ok(value) => format!("{value:?}"),
            Err(raised) => format!("{} {}", raised.code, raised.message),
        });
    }

    #[test]
    fn a_cast_converts_or_says_why_not() {
        check(ValueRef::Text("12"), Type::Text, Type::Int, expect!["Int(12)"]);
        check(
            ValueRef::Text("12x"),
            Type::Text,
            Type::Int,
            expect![[r#"22P02 invalid input syntax for type int: "12x""#]],
        );
        check(ValueRef::Float(2.5), Type::Float, Type::Int, expect!["Int(2)"]);
        check(ValueRef::Float(1e30), Type::Float, Type::Int, expect!["22003 bigint out of range"]);
        let price = ValueRef::Decimal(Decimal { units: -250, scale: 2 });
        check(price, MONEY, Type::Int, expect!["Int(-3)"]);
        check(price, MONEY, Type::Float, expect!["Float(-2.5)"]);
        check(price, MONEY, Type::Text, expect![[r#"Text("-2.50")"#]]);
        check(ValueRef::Bool(true), Type::Bool, Type::Text, expect![[r#"Text("true")"#]]);
        check(ValueRef::Json("1.6"), Type::Json, Type::Int, expect!["Int(2)"]);
        check(ValueRef::Json("null"), Type::Json, Type::Int, expect!["Null"]);
        check(
            ValueRef::Json("\"1\""),
            Type::Json,
            Type::Int,
            expect!["42846 cannot cast type json string to int"],
        );
        check(ValueRef::Null, Type::Text, Type::Int, expect!["Null"]);
        check(
            ValueRef::Timestamp(Timestamp::from_micros(-1).unwrap()),
            Type::Timestamp,
            Type::Date,
            expect!["Date(Date(-1))"],
        );
    }

    #[test]
    fn every_type_is_itself_after_being_a_number() {
        for kind in [
            Type::Text,
            Type::Int,
            Type::Float,
            Type::Bool,
            Type::Uuid,
            Type::Timestamp,
            Type::Date,
            Type::Json,
            Type::Bytes,
            MONEY,
        ] {
            assert_eq!(decode_type(encode_type(kind)), Some(kind));
        }
    }
}
