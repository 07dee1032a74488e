//! Literals of model files, and what `default` means.
//!
//! `"auth.id"` and `"now"` are expressions; `{ value = "now" }` is the text. A
//! literal must be one that a caller could have sent: of the field's type and
//! within its constraints.

use std::{borrow::Cow, cmp::Ordering};

use regex::Regex;
use toml::de::DeValue;

use super::document::{Entry, Problems, whole_of};
use crate::{Constraints, DefaultValue, Limits, Type, Value};

/// The value that a literal is as this type, or what the type wants.
pub(super) fn literal(written: &DeValue<'_>, kind: Type) -> Result<Value, String> {
    let wanted = || wanted(kind);
    if kind == Type::Json {
        let json = json_of(written).ok_or_else(wanted)?;
        let depth_max = Limits::default().json_depth_max;
        return Value::json(&json.to_string(), depth_max).map_err(|_| wanted());
    }
    let text: Cow<'_, str> = match (written, kind) {
        (DeValue::Boolean(flag), Type::Bool) => return Ok(Value::Bool(*flag)),
        (DeValue::Integer(_), Type::Int | Type::Float | Type::Decimal { .. }) => {
            whole_of(written).ok_or_else(wanted)?.to_string().into()
        }
        (DeValue::Float(number), Type::Float | Type::Decimal { .. }) => number.as_str().into(),
        (DeValue::Datetime(moment), Type::Timestamp | Type::Date) => moment.to_string().into(),
        (DeValue::String(_), Type::Int | Type::Float | Type::Bool) => return Err(wanted()),
        (DeValue::String(text), _) => Cow::Borrowed(text),
        _ => return Err(wanted()),
    };
    if let Type::Decimal { scale, .. } = kind
        && fraction_digits(&text).is_none_or(|digits| digits > usize::from(scale))
    {
        return Err(wanted());
    }
    Value::parse(&text, kind, Limits::default().json_depth_max).map_err(|_| wanted())
}

/// What a literal of this type is, as a developer is told.
pub(super) fn wanted(kind: Type) -> String {
    match kind {
        Type::Text => "a text".to_owned(),
        Type::Int => "a whole number of 64 bits".to_owned(),
        Type::Float => "a number".to_owned(),
        Type::Decimal { precision, scale } => {
            format!("a number of at most {precision} digits, {scale} of them after the point")
        }
        Type::Bool => "`true` or `false`".to_owned(),
        Type::Uuid => "a uuid as a text".to_owned(),
        Type::Timestamp => "a moment such as `2026-01-31T12:00:00Z`, or `\"now\"`".to_owned(),
        Type::Date => "a day such as `2026-01-31`, or `\"now\"`".to_owned(),
        Type::Json => "a value that JSON can hold".to_owned(),
        Type::Bytes => "bytes as a text: `\\x` and hexadecimal digits".to_owned(),
    }
}

/// Reads `default` for values of this type. `texts` are an enum's.
pub(super) fn read_default(
    entry: &Entry<'_>,
    kind: Type,
    texts: Option<&[Box<str>]>,
    constraints: &Constraints,
    problems: &mut Problems,
) -> Option<DefaultValue> {
    let written = entry.value.get_ref();
    let is_text = matches!(kind, Type::Text) && texts.is_none();
    match written.as_str() {
        Some("auth.id") if is_text || matches!(kind, Type::Uuid | Type::Int) => {
            return Some(DefaultValue::CallerId);
        }
        Some("now") if matches!(kind, Type::Timestamp | Type::Date) => {
            return Some(DefaultValue::Now);
        }
        Some(expression @ ("auth.id" | "now")) => {
            let type_name = if texts.is_some() { "enum" } else { kind.name() };
            problems.add(|| {
                let found = entry.mistake(format!(
                    "`{expression}` cannot be the default of a field of type {type_name}"
                ));
                if is_text || kind == Type::Json {
                    found.with_hint(format!("the literal text is `{{ value = \"{expression}\" }}`"))
                } else {
                    found
                }
            });
            return None;
        }
        _ => {}
    }
    let written = wrapped(written).unwrap_or(written);
    let value = match literal(written, kind) {
        Ok(value) => value,
        Err(wanted) => {
            problems.add(|| match is_of_kind(written, kind) {
                true => entry.mistake(format!("`default` wants {wanted}")),
                false => entry.wants(wanted),
            });
            return None;
        }
    };
    if let Some(fault) = fault_of(&value, texts, constraints) {
        problems.add(|| entry.mistake(format!("the default {fault}")));
        return None;
    }
    Some(DefaultValue::Literal(value))
}

/// Whether this is how values of the type are written, though it is not one.
fn is_of_kind(written: &DeValue<'_>, kind: Type) -> bool {
    match written {
        DeValue::String(_) => !matches!(kind, Type::Int | Type::Float | Type::Bool),
        DeValue::Integer(_) => kind.is_number(),
        DeValue::Float(_) => matches!(kind, Type::Float | Type::Decimal { .. }),
        DeValue::Datetime(_) => matches!(kind, Type::Timestamp | Type::Date),
        DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => false,
    }
}

/// The literal in `{ value = … }`.
fn wrapped<'v, 'd>(written: &'v DeValue<'d>) -> Option<&'v DeValue<'d>> {
    let table = written.as_table()?;
    let (key, value) = table.iter().next()?;
    (table.len() == 1 && key.get_ref() == "value").then(|| value.get_ref())
}

/// Which constraint a value breaks, if it breaks one.
fn fault_of(
    value: &Value,
    texts: Option<&[Box<str>]>,
    constraints: &Constraints,
) -> Option<String> {
    let measured = match value {
        Value::Text(text) => Value::Int(i64::try_from(text.chars().count()).unwrap_or(i64::MAX)),
        other => other.clone(),
    };
    let unit = if matches!(value, Value::Text(_)) { " characters" } else { "" };
    let shown = |bound: &Value| bound.as_ref().to_text();
    if let Some(min) = &constraints.min
        && order(&measured, min) == Some(Ordering::Less)
    {
        return Some(format!("is below `min`, {}{unit}", shown(min)));
    }
    if let Some(max) = &constraints.max
        && order(&measured, max) == Some(Ordering::Greater)
    {
        return Some(format!("is above `max`, {}{unit}", shown(max)));
    }
    let Value::Text(text) = value else { return None };
    if texts.is_some_and(|texts| !texts.contains(text)) {
        return Some("is not one of `values`".to_owned());
    }
    let pattern = constraints.pattern.as_deref().and_then(|pattern| Regex::new(pattern).ok());
    if pattern.is_some_and(|pattern| !pattern.is_match(text)) {
        return Some("does not match `pattern`".to_owned());
    }
    None
}

/// How two numbers of one type compare.
pub(super) fn order(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => Some(one.cmp(other)),
        (Value::Float(one), Value::Float(other)) => one.partial_cmp(other),
        (Value::Decimal(one), Value::Decimal(other)) if one.scale == other.scale => {
            Some(one.units.cmp(&other.units))
        }
        _ => None,
    }
}

/// Digits after the point that count. None for an exponent, whose digits nobody counts.
fn fraction_digits(text: &str) -> Option<usize> {
    if text.contains(['e', 'E']) {
        return None;
    }
    Some(text.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len()))
}

/// The JSON that a TOML value is. None for a number that JSON does not have.
fn json_of(written: &DeValue<'_>) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    Some(match written {
        DeValue::String(text) => Json::String(text.to_string()),
        DeValue::Integer(_) => Json::from(whole_of(written)?),
        DeValue::Float(number) => {
            Json::from(number.as_str().parse::<f64>().ok().filter(|n| n.is_finite())?)
        }
        DeValue::Boolean(flag) => Json::Bool(*flag),
        DeValue::Datetime(moment) => Json::String(moment.to_string()),
        DeValue::Array(items) => {
            Json::Array(items.iter().map(|item| json_of(item.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Table(table) => Json::Object(
            table
                .iter()
                .map(|(key, value)| Some((key.get_ref().to_string(), json_of(value.get_ref())?)))
                .collect::<Option<_>>()?,
        ),
    })
}
