//! JSON in canonical form, so that equal values are equal bytes on every store.
//!
//! Object keys are ordered as `jsonb` orders them: by length, then by bytes; of
//! equal keys the last counts. Numbers are whole ones of 64 bits or floats, in
//! their shortest form; a zero has no sign.

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

use super::text::ValueError;

/// Reads one JSON document and writes it in canonical form.
pub(super) fn canonical(text: &str, depth_max: usize) -> Result<String, ValueError> {
    if json_depth(text) > depth_max {
        return Err(ValueError::TooDeep);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let tree = Seed.deserialize(&mut reader).map_err(|_| ValueError::Unreadable)?;
    reader.end().map_err(|_| ValueError::Unreadable)?;
    let mut out = String::with_capacity(text.len());
    tree.write(&mut out)?;
    Ok(out)
}

/// How deep the brackets of a JSON text nest, strings aside. It does not check that
/// they match, and takes any text.
#[must_use]
pub fn json_depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

enum Tree {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    fn write(&self, out: &mut String) -> Result<(), ValueError> {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(value) => out.push_str(value),
            Self::Text(value) => write_string(value, out)?,
            Self::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out)?;
                }
                out.push(']');
            }
            Self::Object(entries) => {
                out.push('{');
                for (at, (key, item)) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    write_string(key, out)?;
                    out.push(':');
                    item.write(out)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }
}

fn write_string(text: &str, out: &mut String) -> Result<(), ValueError> {
    if text.as_bytes().contains(&0) {
        return Err(ValueError::Nul);
    }
    out.push_str(&serde_json::to_string(text).map_err(|_| ValueError::Unreadable)?);
    Ok(())
}

struct Seed;

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Tree, E> {
        if value == 0.0 {
            return Ok(Tree::Number("0".to_owned()));
        }
        serde_json::to_string(&value).map(Tree::Number).map_err(E::custom)
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Seed)? {
            items.push(item);
        }
        Ok(Tree::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut entries: Vec<(String, Tree)> = Vec::new();
        while let Some(key) = access.next_key::<String>()? {
            entries.push((key, access.next_value_seed(Seed)?));
        }
        // A stable sort keeps equal keys in their order, so the last one wins.
        entries.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        entries.reverse();
        entries.dedup_by(|(a, _), (b, _)| a == b);
        entries.reverse();
        Ok(Tree::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&match canonical(text, 3) {
            Ok(text) => text,
            Err(error) => format!("{error:?}"),
        });
    }

    #[test]
    fn equal_json_has_one_form() {
        check(r#" { "bb" : 1, "a": [true , null], "a": 2 } "#, expect![[r#"{"a":2,"bb":1}"#]]);
        check(r#""\u00e9""#, expect![[r#""é""#]]);
        check("1.50", expect!["1.5"]);
        check("-0.0", expect!["0"]);
        check("[[[1]]]", expect!["[[[1]]]"]);
        check("[[[[1]]]]", expect!["TooDeep"]);
        check(r#""[[[[""#, expect![[r#""[[[[""#]]);
        check(r#"{"a":1} x"#, expect!["Unreadable"]);
        check(r#""\u0000""#, expect!["Nul"]);
        check("", expect!["Unreadable"]);
    }
}
