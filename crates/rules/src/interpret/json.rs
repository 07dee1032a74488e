//! Inside JSON values: paths and containment.

use mainstay_core::{JsonStep, Value};
use serde_json::Value as Json;

/// How deep a stored value may nest; no stored value nests deeper.
const DEPTH_MAX: usize = 1_000;

/// What lies at a path: as text where asked, else as JSON; absent where nothing does.
/// As text a string is itself, a JSON null is absent and all else is its JSON.
pub(super) fn at(text: &str, steps: &[JsonStep], as_text: bool) -> Value {
    let Ok(json) = serde_json::from_str::<Json>(text) else { return Value::Null };
    let found = steps.iter().try_fold(&json, |json, step| match (json, step) {
        (Json::Object(members), JsonStep::Key(key)) => members.get(&**key),
        (Json::Array(items), JsonStep::Index(index)) => {
            let from_start = usize::try_from(*index).ok();
            let from_end = || items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?);
            items.get(from_start.or_else(from_end)?)
        }
        _ => None,
    });
    match found {
        None => Value::Null,
        Some(Json::Null) if as_text => Value::Null,
        Some(Json::String(text)) if as_text => Value::Text(text.as_str().into()),
        Some(json) => match Value::json(&json.to_string(), DEPTH_MAX) {
            Ok(Value::Json(text)) if as_text => Value::Text(text),
            Ok(value) => value,
            Err(_) => Value::Null,
        },
    }
}

/// Whether the first contains the second, as PostgreSQL's `@>` says it.
pub(super) fn contains(outer: &str, inner: &str) -> Option<bool> {
    let outer: Json = serde_json::from_str(outer).ok()?;
    let inner: Json = serde_json::from_str(inner).ok()?;
    // At the top, and only there, an array contains a bare scalar that is an item.
    if let (Json::Array(items), scalar) = (&outer, &inner)
        && !scalar.is_array()
        && !scalar.is_object()
    {
        return Some(items.iter().any(|item| within(item, scalar)));
    }
    Some(within(&outer, &inner))
}

fn within(outer: &Json, inner: &Json) -> bool {
    match (outer, inner) {
        (Json::Object(outer), Json::Object(inner)) => {
            inner.iter().all(|(key, one)| outer.get(key).is_some_and(|other| within(other, one)))
        }
        (Json::Array(outer), Json::Array(inner)) => {
            inner.iter().all(|one| outer.iter().any(|other| within(other, one)))
        }
        (Json::Number(one), Json::Number(two)) => match (one.as_i64(), two.as_i64()) {
            (Some(one), Some(two)) => one == two,
            _ => one.as_f64() == two.as_f64(),
        },
        (one, two) => one == two,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containment_is_postgresqls() {
        for (outer, inner, expected) in [
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
            (r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"c":2}}"#, true),
            (r#"{"a":{"b":1}}"#, r#"{"b":1}"#, false),
            ("[1,2,[3,4]]", "[[3]]", true),
            ("[1,2,3]", "[3,1,1]", true),
            ("[1,2]", "1", true),
            ("[[1]]", "1", false),
            ("1", "[1]", false),
            ("{}", "{}", true),
            ("[]", "[]", true),
            ("[1]", "[1.0]", true),
            ("null", "null", true),
        ] {
            assert_eq!(contains(outer, inner), Some(expected), "{outer} @> {inner}");
        }
    }

    #[test]
    fn a_path_leads_to_json_or_to_text() {
        let json = r#"{"a":[10,"x",null,{"b":true}]}"#;
        let key = || JsonStep::Key("a".into());
        let text = |steps: &[JsonStep]| at(json, steps, true);
        assert_eq!(text(&[key(), JsonStep::Index(0)]), Value::Text("10".into()));
        assert_eq!(text(&[key(), JsonStep::Index(1)]), Value::Text("x".into()));
        assert_eq!(text(&[key(), JsonStep::Index(2)]), Value::Null);
        assert_eq!(text(&[key(), JsonStep::Index(-1)]), Value::Text(r#"{"b":true}"#.into()));
        assert_eq!(text(&[key(), JsonStep::Index(-5)]), Value::Null);
        assert_eq!(text(&[JsonStep::Index(0)]), Value::Null);
        assert_eq!(at(json, &[key(), JsonStep::Index(1)], false), Value::Json("\"x\"".into()));
        assert_eq!(at(json, &[key(), JsonStep::Index(2)], false), Value::Json("null".into()));
        assert_eq!(at("5", &[], true), Value::Text("5".into()));
    }
}
