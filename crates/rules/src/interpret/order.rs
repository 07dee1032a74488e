//! How two values compare.

use std::cmp::Ordering;

use mainstay_core::{Decimal, Value};

/// The order of two values of one kind; none where either is absent or they are of
/// different kinds. Text goes by code point, JSON by its canonical bytes (which is
/// good for equality alone).
pub(super) fn of(one: &Value, two: &Value) -> Option<Ordering> {
    match (one, two) {
        (Value::Bool(one), Value::Bool(two)) => Some(one.cmp(two)),
        (Value::Int(one), Value::Int(two)) => Some(one.cmp(two)),
        (Value::Float(one), Value::Float(two)) => one.partial_cmp(two),
        (Value::Decimal(one), Value::Decimal(two)) => Some(decimals(*one, *two)),
        (Value::Int(one), Value::Decimal(two)) => {
            Some(decimals(Decimal { units: *one, scale: 0 }, *two))
        }
        (Value::Decimal(one), Value::Int(two)) => {
            Some(decimals(*one, Decimal { units: *two, scale: 0 }))
        }
        (Value::Float(one), other) => Some(with_float(other, *one)?.reverse()),
        (other, Value::Float(two)) => with_float(other, *two),
        // The bytes of UTF-8 sort as the code points do.
        (Value::Text(one), Value::Text(two)) | (Value::Json(one), Value::Json(two)) => {
            Some(one.cmp(two))
        }
        (Value::Uuid(one), Value::Uuid(two)) => Some(one.cmp(two)),
        (Value::Timestamp(one), Value::Timestamp(two)) => Some(one.cmp(two)),
        (Value::Date(one), Value::Date(two)) => Some(one.cmp(two)),
        (Value::Bytes(one), Value::Bytes(two)) => Some(one.cmp(two)),
        _ => None,
    }
}

fn decimals(one: Decimal, two: Decimal) -> Ordering {
    let scale = one.scale.max(two.scale);
    let units = |decimal: Decimal| {
        i128::from(decimal.units) * 10_i128.pow(u32::from((scale - decimal.scale).min(18)))
    };
    units(one).cmp(&units(two))
}

/// A whole number or a decimal against a float, as a float.
fn with_float(other: &Value, float: f64) -> Option<Ordering> {
    #[expect(clippy::cast_precision_loss, reason = "what SQL does where it must compare the two")]
    let number = match other {
        Value::Int(whole) => *whole as f64,
        Value::Decimal(decimal) => decimal.units as f64 / 10_f64.powi(i32::from(decimal.scale)),
        _ => return None,
    };
    number.partial_cmp(&float)
}
