//! PostgreSQL's own words for conditions and values.

use std::fmt::Write;

use mainstay_core::{JsonStep, TextOp, Truth, Type, Value};
use mainstay_plan::Aggregate;
use mainstay_store::sql::{Dialect, Param, Sql, literal_type};

use crate::value::sql_name;

/// Microseconds from the first moment there is (0001-01-01T00:00:00Z) to the last
/// (9999-12-30T22:00:00.999999Z).
const ALL_TIME_MICROS: i64 = LAST_MOMENT - FIRST_MOMENT;
/// In microseconds since 1970.
const FIRST_MOMENT: i64 = -62_135_596_800_000_000;
/// In microseconds since 1970.
const LAST_MOMENT: i64 = 253_402_207_200_999_999;

/// PostgreSQL's own words. Every parameter says its type, so that none is guessed
/// from where it stands; every text is compared by code point.
pub(crate) struct PostgresDialect;

impl Dialect for PostgresDialect {
    fn placeholder(&self, ordinal: usize, param: &Param, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = match param {
            Param::List(_, kind) | Param::Column(_, kind) => {
                write!(out, "${ordinal}::{}[]", sql_name(*kind))
            }
            Param::Slot(_, kind) | Param::Link(_, kind) | Param::Row(_, kind) => {
                write!(out, "${ordinal}::{}", sql_name(*kind))
            }
            Param::Const(value) => match literal_type(value) {
                Some(kind) => write!(out, "${ordinal}::{}", sql_name(kind)),
                None => write!(out, "${ordinal}"),
            },
        };
    }

    fn binds_once(&self) -> bool {
        true
    }

    fn truth(&self, truth: Truth) -> &'static str {
        match truth {
            Truth::True => "TRUE",
            Truth::False => "FALSE",
            Truth::Unknown => "NULL::bool",
        }
    }

    fn constant(&self, value: &Value) -> Sql {
        match value {
            Value::Null => Sql::text("NULL"),
            Value::Bool(value) => Sql::text(self.truth(Truth::of(Some(*value)))),
            // Bare digits would be an int4 where they fit.
            Value::Int(value) => Sql::text(format!("'{value}'::int8")),
            Value::Uuid(value) => Sql::text(format!("'{}'::uuid", value.hyphenated())),
            other => Sql::param(Param::Const(other.clone())),
        }
    }

    fn is_among(&self, value: Sql, list: Param) -> Sql {
        let list = Sql::param(list).within("ANY(", ")");
        Sql::infix(value, " = ", list)
    }

    fn convert_number(&self, number: Sql, from: Type, to: Type) -> Sql {
        match (from, to) {
            (Type::Float, _) => number,
            (_, Type::Float) => number.within("(", ")::float8"),
            (Type::Int, Type::Decimal { .. }) => number.within("(", ")::numeric"),
            _ => number,
        }
    }

    fn search(&self, text: Sql, op: TextOp, wanted: Sql) -> Sql {
        match op {
            TextOp::Contains => {
                Sql::infix(Sql::call("strpos", [text, wanted]), " > ", Sql::text("0"))
            }
            TextOp::StartsWith => Sql::call("starts_with", [text, wanted]),
            TextOp::EndsWith => {
                let length = Sql::call("length", [wanted.clone()]);
                Sql::infix(Sql::call("right", [text, length]), " = ", wanted)
            }
            TextOp::Like => Sql::infix(text, " LIKE ", wanted),
            // Letters beyond ASCII have two cases as well, which "C" does not know.
            TextOp::ILike => {
                Sql::infix(text.within("(", " COLLATE \"und-x-icu\")"), " ILIKE ", wanted)
            }
            TextOp::Match => Sql::infix(text, " ~ ", wanted),
            TextOp::IMatch => {
                Sql::infix(text.within("(", " COLLATE \"und-x-icu\")"), " ~* ", wanted)
            }
        }
    }

    fn lower_ascii(&self, text: Sql) -> Sql {
        text.within("lower(", " COLLATE \"C\")")
    }

    fn size(&self, text: Sql) -> Sql {
        text.within("length(", ")::int8")
    }

    fn shift(&self, moment: Sql, micros: i64) -> Sql {
        let micros = micros.clamp(-ALL_TIME_MICROS, ALL_TIME_MICROS);
        let moment = as_moment(moment);
        let moved = Sql::infix(
            moment.clone(),
            " + ",
            Sql::text(format!("'{micros} microseconds'::interval")),
        );
        // Not least() and greatest(), which pass over what is absent.
        let (limit, beyond) = match micros {
            ..0 => (FIRST_MOMENT, FIRST_MOMENT - micros),
            _ => (LAST_MOMENT, LAST_MOMENT - micros),
        };
        let relation = if micros < 0 { " < " } else { " > " };
        moment
            .within("(CASE WHEN ", relation)
            .and_text(&instant(beyond))
            .and_text(&format!(" THEN {} ELSE ", instant(limit)))
            .then(moved)
            .and_text(" END)")
    }

    fn elapsed(&self, later: Sql, earlier: Sql) -> Sql {
        Sql::infix(as_moment(later), " - ", as_moment(earlier))
            .within("(extract(epoch FROM ", ") * 1000000)::int8")
    }

    fn json_at(&self, document: Sql, steps: &[JsonStep], as_text: bool) -> Sql {
        let reached = steps.iter().fold(document, step_into);
        if as_text {
            return reached.within("(mainstay_json_text(", ") COLLATE \"C\")");
        }
        reached
    }

    fn json_contains(&self, outer: Sql, inner: Sql) -> Sql {
        Sql::infix(outer, " @> ", inner)
    }

    fn cast(&self, value: Sql, from: Type, to: Type) -> Sql {
        match (from, to) {
            (Type::Timestamp, Type::Text) => {
                value.within("((to_json(", ") #>> '{}') COLLATE \"C\")")
            }
            (Type::Json, Type::Text) => value.within("(mainstay_json(", ") COLLATE \"C\")"),
            (_, Type::Text) => value.within("((", ")::text COLLATE \"C\")"),
            (Type::Json, Type::Int | Type::Float | Type::Bool) => value
                .within("nullif(", ", 'null'::jsonb)")
                .within("(", &format!(")::{}", sql_name(to))),
            (Type::Bool, Type::Int) => value.within("(", ")::int4::int8"),
            (Type::Int, Type::Bool) => Sql::infix(value, " <> ", Sql::text("0")),
            (Type::Timestamp, Type::Date) => value.within("(", " AT TIME ZONE 'UTC')::date"),
            (Type::Date, Type::Timestamp) => value.within("((", ")::timestamp AT TIME ZONE 'UTC')"),
            (_, Type::Decimal { precision, scale }) => {
                value.within("(", &format!(")::numeric({precision},{scale})"))
            }
            _ => value.within("(", &format!(")::{}", sql_name(to))),
        }
    }

    fn aggregate(&self, aggregate: Aggregate, value: Sql, from: Type, to: Type) -> Sql {
        match (aggregate, from) {
            (Aggregate::Count, _) => Sql::call("count", [value]),
            (Aggregate::Sum, Type::Float) => Sql::call("sum", [value]),
            (Aggregate::Sum, _) => Sql::call("sum", [value]).and_text(&cast_to(to)),
            (Aggregate::Avg, _) => Sql::call("avg", [value]).and_text("::float8"),
            // These have an order, and no min() or max() of their own.
            (Aggregate::Min, Type::Bool) => Sql::call("bool_and", [value]),
            (Aggregate::Max, Type::Bool) => Sql::call("bool_or", [value]),
            (Aggregate::Min, Type::Uuid) => extreme("min", value, "::text", "::uuid"),
            (Aggregate::Max, Type::Uuid) => extreme("max", value, "::text", "::uuid"),
            (Aggregate::Min, Type::Bytes) => hex_extreme("min", value),
            (Aggregate::Max, Type::Bytes) => hex_extreme("max", value),
            (Aggregate::Min, _) => Sql::call("min", [value]),
            (Aggregate::Max, _) => Sql::call("max", [value]),
        }
    }

    fn puts_nulls_first(&self, descending: bool) -> bool {
        descending
    }
}

/// What is absent has no type of its own, and would be taken for an interval.
fn as_moment(value: Sql) -> Sql {
    value.within("(", ")::timestamptz")
}

/// A moment, written out.
fn instant(micros: i64) -> String {
    format!("'epoch'::timestamptz + '{micros} microseconds'::interval")
}

fn cast_to(kind: Type) -> String {
    format!("::{}", sql_name(kind))
}

/// A step into JSON. A text never counts as a place in a list, nor a number as a name;
/// and where there is no list there is no first place, whereas PostgreSQL takes a lone
/// value for a list of one.
fn step_into(document: Sql, step: &JsonStep) -> Sql {
    match step {
        JsonStep::Key(name) => {
            Sql::infix(document, " -> ", Sql::param(Param::Const(Value::Text(name.clone()))))
        }
        JsonStep::Index(at) => document
            .clone()
            .within("(CASE WHEN jsonb_typeof(", ") = 'array' THEN ")
            .then(Sql::infix(document, " -> ", Sql::text(format!("({at})"))))
            .and_text(" END)"),
    }
}

fn extreme(name: &str, value: Sql, there: &str, back: &str) -> Sql {
    Sql::call(name, [value.within("(", &format!("){there} COLLATE \"C\""))]).and_text(back)
}

fn hex_extreme(name: &str, value: Sql) -> Sql {
    let digits = value.within("encode(", ", 'hex') COLLATE \"C\"");
    Sql::call(name, [digits]).within("decode(", ", 'hex')")
}
