//! Bodies: JSON, CSV or a form become rows of names and values.
//!
//! JSON is read without building a tree: each value is kept as the text it came
//! as, so a number keeps its digits and a nested value is read once, where its
//! field is known. Nesting is counted before anything follows it. Without
//! `columns`, rows of one body must name the same fields, as PostgREST has it.

use std::{borrow::Cow, fmt};

use mainstay_core::{Code, Error, Limits, json_depth};
use mainstay_plan::{Payload, PayloadRow, PayloadValue};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{media::BodyForm, query::Params};

/// Fields a row mostly gives at most.
const FIELDS_USUAL: usize = 4;

/// Whether rows that name other fields than the first are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// They are: no `columns` says which fields count.
    Uniform,
    /// They are not.
    Any,
}

/// Reads a body as rows.
///
/// # Errors
/// `PGRST102` where it is not of its form, `54000` beyond a limit.
pub(crate) fn read<'a>(
    body: &'a [u8],
    form: BodyForm,
    keys: Keys,
    limits: &Limits,
) -> Result<Payload<'a>, Error> {
    let text = std::str::from_utf8(body).map_err(|_| unreadable("the body is not UTF-8"))?;
    let payload = match form {
        BodyForm::Json => json(text, limits)?,
        BodyForm::Csv => csv(text, limits)?,
        BodyForm::Form => form_fields(text)?,
    };
    if keys == Keys::Uniform && !are_uniform(&payload) {
        return Err(unreadable("All object keys must match")
            .with_hint("Give the fields that count in the parameter \"columns\"."));
    }
    Ok(payload)
}

fn unreadable(message: impl Into<String>) -> Error {
    Error::new(Code::BodyUnreadable, message)
}

fn json<'a>(text: &'a str, limits: &Limits) -> Result<Payload<'a>, Error> {
    if text.trim_ascii().is_empty() {
        return Err(unreadable("Empty or invalid json").with_details("The body is empty."));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Rows { rows_max: limits.write_rows_max, depth_max: limits.json_depth_max };
    let read = seed.deserialize(&mut reader).and_then(|rows| reader.end().map(|()| rows));
    read.map_err(|error| {
        let details = error.to_string();
        match details.strip_prefix(LIMIT) {
            Some(rest) => Error::new(Code::LimitExceeded, without_place(rest)),
            None => unreadable("Empty or invalid json").with_details(details),
        }
    })
}

/// Marks an error of ours as one of a limit on its way through serde.
const LIMIT: &str = "limit: ";

/// Cuts off the place that serde adds to a message.
fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

#[derive(Clone, Copy)]
struct Rows {
    rows_max: usize,
    depth_max: usize,
}

impl<'de> DeserializeSeed<'de> for Rows {
    type Value = Payload<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows {
    type Value = Payload<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
        Row { depth_max: self.depth_max }.visit_map(access).map(|row| vec![row])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = access.next_element_seed(Row { depth_max: self.depth_max })? {
            if rows.len() == self.rows_max {
                return Err(A::Error::custom(format_args!(
                    "{LIMIT}a body may hold {} rows at most ([limits] write_rows_max)",
                    self.rows_max
                )));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

#[derive(Clone, Copy)]
struct Row {
    depth_max: usize,
}

impl<'de> DeserializeSeed<'de> for Row {
    type Value = PayloadRow<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row {
    type Value = PayloadRow<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut row = PayloadRow::with_capacity(FIELDS_USUAL);
        while let Some(name) = access.next_key_seed(Name)? {
            let value: &'de RawValue = access.next_value()?;
            row.push((name, payload_value(value.get(), self.depth_max).map_err(A::Error::custom)?));
        }
        Ok(row)
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// A value by its text, which the JSON reader has found to be well formed.
fn payload_value(text: &str, depth_max: usize) -> Result<PayloadValue<'_>, String> {
    Ok(match text.as_bytes().first() {
        Some(b'n') => PayloadValue::Null,
        Some(b't') => PayloadValue::Bool(true),
        Some(b'f') => PayloadValue::Bool(false),
        Some(b'"') => PayloadValue::String(unescaped(text)?),
        Some(b'[' | b'{') => {
            if json_depth(text) > depth_max {
                return Err(format!(
                    "{LIMIT}a JSON value may nest {depth_max} deep at most ([limits] json_depth_max)"
                ));
            }
            PayloadValue::Nested(Cow::Borrowed(text))
        }
        _ => PayloadValue::Number(Cow::Borrowed(text)),
    })
}

/// What a JSON string in its quotes says.
fn unescaped(text: &str) -> Result<Cow<'_, str>, String> {
    if text.contains('\\') {
        return serde_json::from_str(text).map(Cow::Owned).map_err(|error| error.to_string());
    }
    Ok(Cow::Borrowed(text.get(1..text.len() - 1).unwrap_or_default()))
}

/// A header line of names, then a line of texts for each row; `NULL` is absent.
fn csv<'a>(text: &'a str, limits: &Limits) -> Result<Payload<'a>, Error> {
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(text.as_bytes());
    let broken = |error: csv::Error| match error.kind() {
        csv::ErrorKind::UnequalLengths { .. } => {
            unreadable("All lines must have same number of fields")
        }
        _ => unreadable("the body is not CSV"),
    };
    let names = reader.headers().map_err(broken)?.clone();
    let mut rows = Payload::new();
    for line in reader.records() {
        let line = line.map_err(broken)?;
        if rows.len() == limits.write_rows_max {
            return Err(Error::new(
                Code::LimitExceeded,
                format!(
                    "a body may hold {} rows at most ([limits] write_rows_max)",
                    limits.write_rows_max
                ),
            ));
        }
        let value = |text: &str| match text {
            "NULL" => PayloadValue::Null,
            text => PayloadValue::String(Cow::Owned(text.to_owned())),
        };
        let cells = names.iter().zip(line.iter());
        rows.push(cells.map(|(name, text)| (Cow::Owned(name.to_owned()), value(text))).collect());
    }
    Ok(rows)
}

fn form_fields(text: &str) -> Result<Payload<'_>, Error> {
    let params = Params::decode(Some(text)).map_err(|_| unreadable("the form is not UTF-8"))?;
    let row = params.into_pairs().map(|(name, text)| (name, PayloadValue::String(text))).collect();
    Ok(vec![row])
}

/// Whether all rows name the same fields.
fn are_uniform(rows: &[PayloadRow<'_>]) -> bool {
    let Some((first, others)) = rows.split_first() else { return true };
    let names = |row: &PayloadRow<'_>| {
        let mut names: Vec<String> = row.iter().map(|(name, _)| name.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let mut sorted = None;
    others.iter().all(|row| {
        let in_order = row.len() == first.len()
            && row.iter().zip(first.iter()).all(|((name, _), (known, _))| name == known);
        in_order || names(row) == *sorted.get_or_insert_with(|| names(first))
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::rest::show;

    fn check(body: &str, form: BodyForm, keys: Keys, expected: Expect) {
        let limits = Limits { write_rows_max: 2, json_depth_max: 2, ..Limits::default() };
        expected.assert_eq(&match read(body.as_bytes(), form, keys, &limits) {
            Ok(rows) => {
                let rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
                rows.join("\n")
            }
            Err(error) => show::error(&error),
        });
    }

    fn check_json(body: &str, expected: Expect) {
        check(body, BodyForm::Json, Keys::Uniform, expected);
    }

    #[test]
    fn json_values_keep_what_they_came_as() {
        check_json(
            r#" {"a": 1.50, "b": "x\n\u00e9", "c": null, "d": true, "e": false} "#,
            expect![[
                r#"[("a", Number("1.50")), ("b", String("x\né")), ("c", Null), ("d", Bool(true)), ("e", Bool(false))]"#
            ]],
        );
        check_json(
            r#"{"a\"b": {"x": [1 , 2]}, "n": 12345678901234567890}"#,
            expect![[
                r#"[("a\"b", Nested("{\"x\": [1 , 2]}")), ("n", Number("12345678901234567890"))]"#
            ]],
        );
        check_json(
            r#"[{"a":"\\x00ff"},{"a":2}]"#,
            expect![[r#"
            [("a", String("\\x00ff"))]
            [("a", Number("2"))]"#]],
        );
        check_json("[]", expect![""]);
        check_json("{}", expect!["[]"]);
        check_json(r#"{"a":1,"a":2}"#, expect![[r#"[("a", Number("1")), ("a", Number("2"))]"#]]);
    }

    #[test]
    fn what_is_no_row_of_json_is_refused() {
        check_json("", expect!["PGRST102 Empty or invalid json: The body is empty."]);
        check_json(
            "{",
            expect![
                "PGRST102 Empty or invalid json: EOF while parsing an object at line 1 column 1"
            ],
        );
        check_json(
            "1",
            expect![
                "PGRST102 Empty or invalid json: invalid type: integer `1`, expected an object or an array of objects at line 1 column 1"
            ],
        );
        check_json(
            "[1]",
            expect![
                "PGRST102 Empty or invalid json: invalid type: integer `1`, expected an object at line 1 column 2"
            ],
        );
        check_json(
            "{} x",
            expect!["PGRST102 Empty or invalid json: trailing characters at line 1 column 4"],
        );
        check_json(
            r#"{"a":"\ud800"}"#,
            expect![
                "PGRST102 Empty or invalid json: unexpected end of hex escape at line 1 column 8"
            ],
        );
        check_json(
            r#"{"a":01}"#,
            expect!["PGRST102 Empty or invalid json: invalid number at line 1 column 7"],
        );
    }

    #[test]
    fn rows_of_a_body_name_the_same_fields_unless_columns_says_which_count() {
        check_json(
            r#"[{"a":1,"b":2},{"b":1,"a":2}]"#,
            expect![[r#"
            [("a", Number("1")), ("b", Number("2"))]
            [("b", Number("1")), ("a", Number("2"))]"#]],
        );
        check_json(
            r#"[{"a":1},{"b":1}]"#,
            expect![
                "PGRST102 All object keys must match: Give the fields that count in the parameter \"columns\"."
            ],
        );
        check(
            r#"[{"a":1},{"b":1}]"#,
            BodyForm::Json,
            Keys::Any,
            expect![[r#"
            [("a", Number("1"))]
            [("b", Number("1"))]"#]],
        );
    }

    #[test]
    fn each_bound_holds_at_its_edge() {
        check_json(r#"{"a":[[1]]}"#, expect![[r#"[("a", Nested("[[1]]"))]"#]]);
        check_json(
            r#"{"a":[[[1]]]}"#,
            expect!["54000 a JSON value may nest 2 deep at most ([limits] json_depth_max)"],
        );
        check_json(r#"{"a":"[[["}"#, expect![[r#"[("a", String("[[["))]"#]]);
        check_json("[{},{}]", expect!["[]\n[]"]);
        check_json(
            "[{},{},{}]",
            expect!["54000 a body may hold 2 rows at most ([limits] write_rows_max)"],
        );
        check(
            "a\n1\n2\n3",
            BodyForm::Csv,
            Keys::Uniform,
            expect!["54000 a body may hold 2 rows at most ([limits] write_rows_max)"],
        );
    }

    #[test]
    fn csv_and_forms_are_rows_of_texts() {
        check(
            "a,b\n1,\"x,\"\"y\"\"\"\nNULL,\n",
            BodyForm::Csv,
            Keys::Uniform,
            expect![[r#"
            [("a", String("1")), ("b", String("x,\"y\""))]
            [("a", Null), ("b", String(""))]"#]],
        );
        check(
            "a,b\n1\n",
            BodyForm::Csv,
            Keys::Uniform,
            expect!["PGRST102 All lines must have same number of fields"],
        );
        check(
            "a=1&b=x+y%26",
            BodyForm::Form,
            Keys::Uniform,
            expect![[r#"[("a", String("1")), ("b", String("x y&"))]"#]],
        );
        check("a=%ff", BodyForm::Form, Keys::Uniform, expect!["PGRST102 the form is not UTF-8"]);
    }

    #[test]
    fn a_body_that_only_opens_brackets_costs_no_stack() {
        let deep = format!("{{\"a\":{}", "[".repeat(1_000_000));
        let error = read(deep.as_bytes(), BodyForm::Json, Keys::Any, &Limits::default());
        assert_eq!(error.unwrap_err().code(), Code::BodyUnreadable);
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_the_readers_panic(body in "[\\[\\]{}:,\"\\\\a1u0-9 nultre.\n-]{0,40}") {
            for form in [BodyForm::Json, BodyForm::Csv, BodyForm::Form] {
                let _ = read(body.as_bytes(), form, Keys::Uniform, &Limits::default());
            }
        }
    }
}
