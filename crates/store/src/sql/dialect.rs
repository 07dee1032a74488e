//! What differs between engines that speak SQL.

use std::fmt::Write;

use mainstay_core::{JsonStep, TableName, TextOp, Truth, Type, Value};
use mainstay_plan::Aggregate;

use super::{Param, Sql};

/// An engine's own words. Every method is pure: text in, text out.
pub trait Dialect {
    /// Appends the placeholder of a parameter with this number, counted from 1.
    fn placeholder(&self, ordinal: usize, param: &Param, out: &mut String);

    /// Whether a parameter that stands in several places is bound once.
    fn binds_once(&self) -> bool {
        false
    }

    /// A name, quoted.
    fn identifier(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A table's name, quoted, with its schema where it has one.
    fn table(&self, name: &TableName) -> String {
        match &name.schema {
            Some(schema) => {
                format!("{}.{}", self.identifier(schema), self.identifier(&name.table))
            }
            None => self.identifier(&name.table),
        }
    }

    /// A condition that is decided.
    fn truth(&self, truth: Truth) -> &'static str {
        match truth {
            Truth::True => "TRUE",
            Truth::False => "FALSE",
            Truth::Unknown => "NULL",
        }
    }

    /// A value of the plan's shape. What cannot be misread is written out; the rest
    /// is a parameter.
    fn constant(&self, value: &Value) -> Sql {
        match value {
            Value::Null => Sql::text("NULL"),
            Value::Bool(value) => Sql::text(self.truth(Truth::of(Some(*value)))),
            Value::Int(value) if *value > i64::MIN => {
                let mut text = String::new();
                let _ = write!(text, "{value}");
                Sql::text(text)
            }
            other => Sql::param(Param::Const(other.clone())),
        }
    }

    /// A bool value as a condition: true, false, or unknown where it is absent.
    fn is_true(&self, value: Sql) -> Sql {
        value
    }

    /// The opposite of a bool value as a condition.
    fn is_false(&self, value: Sql) -> Sql {
        value.within("(NOT ", ")")
    }

    /// Not equal, absent values being equal to each other and to nothing else.
    fn distinct(&self, left: Sql, right: Sql) -> Sql {
        Sql::infix(left, " IS DISTINCT FROM ", right)
    }

    /// Whether a value is in a list that is one parameter.
    fn is_among(&self, value: Sql, list: Param) -> Sql;

    /// A number as a number of another type, so that the two compare.
    fn convert_number(&self, number: Sql, from: Type, to: Type) -> Sql;

    /// A search in a text.
    fn search(&self, text: Sql, op: TextOp, wanted: Sql) -> Sql;

    /// A text with its ASCII letters in lower case.
    fn lower_ascii(&self, text: Sql) -> Sql;

    /// How many code points a text has.
    fn size(&self, text: Sql) -> Sql;

    /// A moment moved by so many microseconds, but not beyond where time begins and ends.
    fn shift(&self, moment: Sql, micros: i64) -> Sql;

    /// The microseconds from the second moment to the first.
    fn elapsed(&self, later: Sql, earlier: Sql) -> Sql;

    /// What lies at a path in a JSON value.
    fn json_at(&self, document: Sql, steps: &[JsonStep], as_text: bool) -> Sql;

    /// Whether the first JSON value contains the second.
    fn json_contains(&self, outer: Sql, inner: Sql) -> Sql;

    /// A value as one of another type, or a failure with code 22P02.
    fn cast(&self, value: Sql, from: Type, to: Type) -> Sql;

    /// A computation over a group, of which it is known what comes out.
    fn aggregate(&self, aggregate: Aggregate, value: Sql, from: Type, to: Type) -> Sql;

    /// Whether absent values come first where nothing is said about them.
    fn puts_nulls_first(&self, descending: bool) -> bool;

    /// `LIMIT` and `OFFSET`, with a space before them.
    fn page(&self, limit: Option<Sql>, offset: Option<Sql>) -> Sql {
        let mut page = Sql::default();
        if let Some(limit) = limit {
            page = page.and_text(" LIMIT ").then(limit);
        }
        if let Some(offset) = offset {
            page = page.and_text(" OFFSET ").then(offset);
        }
        page
    }
}
