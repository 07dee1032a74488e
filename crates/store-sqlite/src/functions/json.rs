//! Places inside JSON values, and whether one value contains another, as `jsonb`'s
//! `->`, `->>` and `@>` say it.
//!
//! Stored JSON is canonical: no white space, no key twice. A place inside it is
//! found by walking the text, and what lies there is canonical as well. Text that is
//! no JSON has nothing at any place.

use mainstay_core::JsonStep;
use serde_json::Value as Json;

/// Steps as one text, to be a parameter.
pub(crate) fn encode_steps(steps: &[JsonStep]) -> String {
    let steps: Vec<Json> = steps
        .iter()
        .map(|step| match step {
            JsonStep::Key(key) => Json::from(&**key),
            JsonStep::Index(at) => Json::from(*at),
        })
        .collect();
    Json::from(steps).to_string()
}

/// The steps of a text that [`encode_steps`] made.
pub(super) fn decode_steps(text: &str) -> Vec<JsonStep> {
    let steps: Vec<Json> = serde_json::from_str(text).unwrap_or_default();
    steps
        .into_iter()
        .filter_map(|step| match step {
            Json::String(key) => Some(JsonStep::Key(key.into_boxed_str())),
            other => other.as_i64().and_then(|at| i32::try_from(at).ok()).map(JsonStep::Index),
        })
        .collect()
}

/// What lies at a place, as JSON.
pub(super) fn at<'d>(document: &'d str, steps: &[JsonStep]) -> Option<&'d str> {
    steps.iter().try_fold(document, |value, step| match step {
        JsonStep::Key(key) => member(value, key),
        JsonStep::Index(at) => item(value, *at),
    })
}

/// A JSON value as text: a string without its quotes, null as nothing.
pub(super) fn as_text(value: &str) -> Option<String> {
    match value.as_bytes().first()? {
        b'"' => serde_json::from_str(value).ok(),
        b'n' => None,
        _ => Some(value.to_owned()),
    }
}

fn member<'d>(object: &'d str, wanted: &str) -> Option<&'d str> {
    let mut rest = object.strip_prefix('{')?;
    while rest.starts_with('"') {
        let (key, after) = split_value(rest)?;
        let (value, after) = split_value(after.strip_prefix(':')?)?;
        let inner = &key[1..key.len() - 1];
        let same = if inner.contains('\\') {
            serde_json::from_str::<String>(key).is_ok_and(|key| key == wanted)
        } else {
            inner == wanted
        };
        if same {
            return Some(value);
        }
        rest = after.strip_prefix(',')?;
    }
    None
}

fn item(array: &str, at: i32) -> Option<&str> {
    let mut rest = array.strip_prefix('[')?;
    let mut items = Vec::new();
    while !rest.starts_with(']') {
        let (value, after) = split_value(rest)?;
        if usize::try_from(at).is_ok_and(|at| at == items.len()) {
            return Some(value);
        }
        items.push(value);
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    let back = usize::try_from(at.checked_neg()?).ok()?;
    items.len().checked_sub(back).and_then(|at| items.get(at)).copied()
}

/// The value a text begins with, and what follows it.
fn split_value(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let (mut depth, mut in_string) = (0_usize, false);
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if in_string => at += 1,
            b'"' => {
                in_string = !in_string;
                if !in_string && depth == 0 {
                    return text.split_at_checked(at + 1);
                }
            }
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                if depth == 0 {
                    return (at > 0).then(|| text.split_at(at));
                }
                depth -= 1;
                if depth == 0 {
                    return text.split_at_checked(at + 1);
                }
            }
            b',' | b':' if depth == 0 => return (at > 0).then(|| text.split_at(at)),
            _ => {}
        }
        at += 1;
    }
    (depth == 0 && !in_string && !text.is_empty()).then_some((text, ""))
}

/// Whether the first value contains the second; none where either is no JSON.
pub(super) fn contains(outer: &str, inner: &str) -> Option<bool> {
    let outer: Json = serde_json::from_str(outer).ok()?;
    let inner: Json = serde_json::from_str(inner).ok()?;
    // An array contains a bare value that is one of its items, at the top alone.
    if let (Json::Array(items), false) = (&outer, inner.is_array() || inner.is_object()) {
        return Some(items.iter().any(|item| same(item, &inner)));
    }
    Some(holds(&outer, &inner))
}

fn holds(outer: &Json, inner: &Json) -> bool {
    match (outer, inner) {
        (Json::Object(outer), Json::Object(inner)) => inner
            .iter()
            .all(|(key, wanted)| outer.get(key).is_some_and(|found| holds(found, wanted))),
        (Json::Array(outer), Json::Array(inner)) => {
            inner.iter().all(|wanted| outer.iter().any(|found| holds(found, wanted)))
        }
        _ => same(outer, inner),
    }
}

fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => {
            one == other || one.as_f64().is_some_and(|value| other.as_f64() == Some(value))
        }
        (Json::Array(_) | Json::Object(_), _) => false,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> JsonStep {
        text.parse().map_or_else(|_| JsonStep::Key(text.into()), JsonStep::Index)
    }

    #[test]
    fn a_place_is_found_as_jsonb_finds_it() {
        let document = r#"{"a":[1,{"b":"x,]}"},null],"c\"d":true,"é":{"n":-1.5}}"#;
        for (path, json, text) in [
            ("", Some(document), Some(document)),
            ("a", Some(r#"[1,{"b":"x,]}"},null]"#), Some(r#"[1,{"b":"x,]}"},null]"#)),
            ("a/0", Some("1"), Some("1")),
            ("a/1/b", Some(r#""x,]}""#), Some("x,]}")),
            ("a/2", Some("null"), None),
            ("a/-1", Some("null"), None),
            ("a/-3", Some("1"), Some("1")),
            ("a/-4", None, None),
            ("a/3", None, None),
            ("a/b", None, None),
            ("0", None, None),
            ("c\"d", Some("true"), Some("true")),
            ("é/n", Some("-1.5"), Some("-1.5")),
            ("é/n/x", None, None),
            ("missing", None, None),
        ] {
            let steps: Vec<JsonStep> =
                path.split('/').filter(|part| !part.is_empty()).map(step).collect();
            let steps = decode_steps(&encode_steps(&steps));
            assert_eq!(at(document, &steps), json, "{path}");
            assert_eq!(at(document, &steps).and_then(as_text).as_deref(), text, "{path}");
        }
    }

    #[test]
    fn containment_is_that_of_jsonb() {
        for (outer, inner, expected) in [
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#, Some(true)),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, Some(false)),
            (r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"c":2}}"#, Some(true)),
            ("[1,2,3]", "[3,1,1]", Some(true)),
            ("[1,2]", "2", Some(true)),
            ("2", "[2]", Some(false)),
            ("[[1,2]]", "[[1]]", Some(true)),
            ("[[1,2]]", "[1]", Some(false)),
            (r#"[{"a":1,"b":2}]"#, r#"[{"a":1}]"#, Some(true)),
            ("1", "1.0", Some(true)),
            ("null", "null", Some(true)),
            ("{}", "[]", Some(false)),
            ("[1]", "[]", Some(true)),
            ("x", "1", None),
        ] {
            assert_eq!(contains(outer, inner), expected, "{outer} @> {inner}");
        }
    }

    proptest::proptest! {
        #[test]
        fn text_that_is_no_json_has_nothing_to_panic_about(
            text in r#"[\[\]{}",:\\a1é]{0,24}"#,
        ) {
            let _ = at(&text, &[step("a"), step("1")]);
            let _ = at(&text, &[step("-1")]);
            let _ = contains(&text, &text);
        }
    }
}
