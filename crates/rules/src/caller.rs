//! What is known of the caller, as values of the type beside it.
//!
//! `auth.id` is a text and a claim is JSON; a field may be anything. A conversion is
//! exact or the value is absent, and nothing absent ever equals anything: a text
//! that is no uuid is not *some* uuid.

use mainstay_core::{Actor, CallerTerm, Decimal, Type, Value};
use serde_json::Value as Json;

/// How deep a claim's JSON may nest.
const CLAIM_DEPTH_MAX: usize = 32;
/// The whole numbers that a float of 64 bits holds exactly lie within this.
const EXACT_FLOAT_MAX: u64 = 1 << 53;

/// What the caller has for a term, converted to a type: `Null` where it is absent or
/// does not convert, a list for the roles and for a claim that is an array (items
/// that do not convert are left out). A claim taken as JSON is never a list.
#[must_use]
pub fn caller_value(term: &CallerTerm, kind: Type, actor: &Actor) -> Value {
    match term {
        CallerTerm::Id => actor.id().map_or(Value::Null, |id| from_text(id, kind)),
        CallerTerm::Email => actor.email().map_or(Value::Null, |email| from_text(email, kind)),
        CallerTerm::Roles => {
            Value::List(actor.roles().iter().map(|role| Value::Text(role.clone())).collect())
        }
        CallerTerm::Can(permission) => Value::Bool(actor.can(permission)),
        CallerTerm::Claim(path) => match actor.claim(path) {
            None => Value::Null,
            Some(Json::Array(items)) if kind != Type::Json => Value::List(
                items
                    .iter()
                    .map(|item| from_json(item, kind))
                    .filter(|item| !item.is_null())
                    .collect(),
            ),
            Some(json) => from_json(json, kind),
        },
    }
}

/// A text as a value of a type; absent where it is not exactly one.
pub(crate) fn from_text(text: &str, kind: Type) -> Value {
    let read = |kind| Value::parse(text, kind, CLAIM_DEPTH_MAX).unwrap_or(Value::Null);
    match kind {
        Type::Text => read(Type::Text),
        Type::Decimal { .. } => exact_decimal(text, kind).map_or(Value::Null, Value::Decimal),
        Type::Float => match text.parse::<i64>() {
            Ok(whole) => from_whole(whole, kind),
            Err(_) => read(kind),
        },
        Type::Int | Type::Uuid | Type::Timestamp | Type::Date | Type::Bytes => read(kind),
        // A text is no bool, and as JSON it is a string.
        Type::Bool => Value::Null,
        Type::Json => from_json(&Json::String(text.to_owned()), kind),
    }
}

/// A JSON value as a value of a type; absent where it is not exactly one.
fn from_json(json: &Json, kind: Type) -> Value {
    match (json, kind) {
        (Json::Null, _) => Value::Null,
        (_, Type::Json) => Value::json(&json.to_string(), CLAIM_DEPTH_MAX).unwrap_or(Value::Null),
        (Json::String(text), _) => from_text(text, kind),
        (Json::Bool(value), Type::Bool) => Value::Bool(*value),
        (Json::Number(number), _) => match number.as_i64() {
            Some(whole) => from_whole(whole, kind),
            None => number.as_f64().map_or(Value::Null, |float| from_float(float, kind)),
        },
        _ => Value::Null,
    }
}

/// A whole number as a number of a type, if it is one exactly.
pub(crate) fn from_whole(whole: i64, kind: Type) -> Value {
    match kind {
        Type::Int => Value::Int(whole),
        #[expect(clippy::cast_precision_loss, reason = "the bound before it makes it exact")]
        Type::Float if whole.unsigned_abs() <= EXACT_FLOAT_MAX => Value::Float(whole as f64),
        Type::Decimal { .. } => {
            exact_decimal(&whole.to_string(), kind).map_or(Value::Null, Value::Decimal)
        }
        _ => Value::Null,
    }
}

/// A float as a number of a type, if it is one exactly, read by its shortest digits.
pub(crate) fn from_float(float: f64, kind: Type) -> Value {
    match kind {
        Type::Float if float.is_finite() => Value::Float(float),
        #[expect(clippy::cast_possible_truncation, reason = "the bound before it makes it exact")]
        #[expect(clippy::cast_precision_loss, reason = "2^53 is a float exactly")]
        Type::Int if float.fract() == 0.0 && float.abs() <= EXACT_FLOAT_MAX as f64 => {
            Value::Int(float as i64)
        }
        Type::Decimal { .. } => {
            exact_decimal(&float.to_string(), kind).map_or(Value::Null, Value::Decimal)
        }
        _ => Value::Null,
    }
}

/// Reads a decimal that needs no rounding.
fn exact_decimal(text: &str, kind: Type) -> Option<Decimal> {
    let Type::Decimal { scale, .. } = kind else { return None };
    let (mantissa, exponent) = text.trim().split_once(['e', 'E']).unwrap_or((text.trim(), "0"));
    let fraction = mantissa.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = i64::try_from(fraction.trim_end_matches('0').len()).ok()?;
    if digits - exponent.parse::<i64>().ok()?.clamp(-400, 400) > i64::from(scale) {
        return None;
    }
    match Value::parse(text, kind, 0) {
        Ok(Value::Decimal(decimal)) => Some(decimal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expect_test::{Expect, expect};
    use mainstay_core::UserClaims;
    use serde_json::json;

    use super::*;

    fn check(claim: Json, kind: Type, expected: Expect) {
        let claims = match json!({ "at": { "x": claim } }) {
            Json::Object(claims) => claims,
            _ => unreachable!(),
        };
        let actor = Actor::user(Arc::new(UserClaims { claims, ..UserClaims::default() }));
        let term = CallerTerm::Claim(vec!["at".into(), "x".into()]);
        expected.assert_eq(&format!("{:?}", caller_value(&term, kind, &actor)));
    }

    const PRICE: Type = Type::Decimal { precision: 6, scale: 2 };

    #[test]
    fn a_claim_is_exactly_a_value_of_the_type_beside_it_or_absent() {
        check(json!("a"), Type::Text, expect![[r#"Text("a")"#]]);
        check(json!(5), Type::Text, expect!["Null"]);
        check(json!("a\0"), Type::Text, expect!["Null"]);
        check(json!("5"), Type::Int, expect!["Int(5)"]);
        check(json!(5.0), Type::Int, expect!["Int(5)"]);
        check(json!(5.5), Type::Int, expect!["Null"]);
        check(json!(9_007_199_254_740_993_i64), Type::Float, expect!["Null"]);
        check(json!("9007199254740993"), Type::Float, expect!["Null"]);
        check(json!(9.99), PRICE, expect!["Decimal(Decimal { units: 999, scale: 2 })"]);
        check(json!("9.990"), PRICE, expect!["Decimal(Decimal { units: 999, scale: 2 })"]);
        check(json!(9.999), PRICE, expect!["Null"]);
        check(json!("1e-3"), PRICE, expect!["Null"]);
        check(json!("true"), Type::Bool, expect!["Null"]);
        check(json!(true), Type::Bool, expect!["Bool(true)"]);
        check(json!(null), Type::Json, expect!["Null"]);
        check(json!({"b": [1], "a": 2}), Type::Json, expect![[r#"Json("{\"a\":2,\"b\":[1]}")"#]]);
        check(json!([1, "2", "x", null]), Type::Int, expect!["List([Int(1), Int(2)])"]);
        check(json!([1, "2"]), Type::Json, expect![[r#"Json("[1,\"2\"]")"#]]);
        check(json!("not a uuid"), Type::Uuid, expect!["Null"]);
        check(
            json!("2026-01-01"),
            Type::Timestamp,
            expect!["Timestamp(Timestamp(1767225600000000))"],
        );
        check(json!(1_700_000_000), Type::Timestamp, expect!["Null"]);
    }
}
