//! SQLite's own words for conditions and values.

use std::fmt::Write;

use mainstay_core::{JsonStep, TextOp, Truth, Type, Value};
use mainstay_plan::Aggregate;
use mainstay_store::sql::{Dialect, Param, Sql};

use crate::functions::{encode_steps, encode_type, names};

/// 0001-01-01T00:00:00Z, where time begins; what is moved further stays there.
const FIRST_MOMENT: i64 = -62_135_596_800_000_000;
/// 9999-12-30T22:00:00.999999Z, where it ends.
const LAST_MOMENT: i64 = 253_402_207_200_999_999;

/// SQLite's own words. Functions whose name begins with `mainstay_` are ours.
pub(crate) struct SqliteDialect;

impl Dialect for SqliteDialect {
    fn placeholder(&self, _: usize, _: &Param, out: &mut String) {
        out.push('?');
    }

    fn truth(&self, truth: Truth) -> &'static str {
        match truth {
            Truth::True => "1",
            Truth::False => "0",
            Truth::Unknown => "NULL",
        }
    }

    fn constant(&self, value: &Value) -> Sql {
        let integer = match value {
            Value::Null => return Sql::text("NULL"),
            Value::Bool(value) => i64::from(*value),
            Value::Int(value) => *value,
            Value::Decimal(value) => value.units,
            Value::Timestamp(value) => value.as_micros(),
            Value::Date(value) => i64::from(value.as_days()),
            Value::Uuid(value) => {
                let mut hex = String::with_capacity(36);
                let _ = write!(hex, "x'{}'", value.simple());
                return Sql::text(hex);
            }
            other => return Sql::param(Param::Const(other.clone())),
        };
        // SQL has no literal for the least integer: its minus is an operator.
        if integer == i64::MIN {
            return Sql::param(Param::Const(Value::Int(integer)));
        }
        Sql::text(integer.to_string())
    }

    fn is_true(&self, value: Sql) -> Sql {
        // Not the bare column: SQLite finds an index only for a comparison.
        Sql::infix(value, " = ", Sql::text("1"))
    }

    fn is_false(&self, value: Sql) -> Sql {
        Sql::infix(value, " = ", Sql::text("0"))
    }

    fn distinct(&self, left: Sql, right: Sql) -> Sql {
        Sql::infix(left, " IS NOT ", right)
    }

    fn is_among(&self, value: Sql, list: Param) -> Sql {
        let list = Sql::param(list).within("(SELECT value FROM rarray(", "))");
        Sql::infix(value, " IN ", list)
    }

    fn convert_number(&self, number: Sql, from: Type, to: Type) -> Sql {
        let scale = |kind: Type| match kind {
            Type::Decimal { scale, .. } => u32::from(scale),
            _ => 0,
        };
        let factor = |digits: u32| format!("1{}", "0".repeat(digits as usize));
        match (from, to) {
            (Type::Float, _) => number,
            (_, Type::Float) => {
                let real = number.within("CAST(", " AS REAL)");
                match scale(from) {
                    0 => real,
                    digits => Sql::infix(real, " / ", Sql::text(format!("{}.0", factor(digits)))),
                }
            }
            _ => match scale(to).saturating_sub(scale(from)) {
                0 => number,
                digits => Sql::infix(number, " * ", Sql::text(factor(digits))),
            },
        }
    }

    fn search(&self, text: Sql, op: TextOp, wanted: Sql) -> Sql {
        let name = match op {
            TextOp::Contains => {
                return Sql::infix(Sql::call("instr", [text, wanted]), " > ", Sql::text("0"));
            }
            TextOp::StartsWith => names::STARTS,
            TextOp::EndsWith => names::ENDS,
            TextOp::Like => names::LIKE,
            TextOp::ILike => names::ILIKE,
            TextOp::Match => names::MATCH,
            TextOp::IMatch => names::IMATCH,
        };
        Sql::call(name, [text, wanted])
    }

    fn lower_ascii(&self, text: Sql) -> Sql {
        // Built without ICU, SQLite's own lower() knows ASCII alone.
        Sql::call("lower", [text])
    }

    fn size(&self, text: Sql) -> Sql {
        Sql::call("length", [text])
    }

    fn shift(&self, moment: Sql, micros: i64) -> Sql {
        // With several arguments these two are scalar, and absent where one of them is.
        let moved = Sql::infix(moment, " + ", self.constant(&Value::Int(micros)));
        let capped = Sql::call("min", [moved, Sql::text(LAST_MOMENT.to_string())]);
        Sql::call("max", [capped, Sql::text(FIRST_MOMENT.to_string())])
    }

    fn elapsed(&self, later: Sql, earlier: Sql) -> Sql {
        Sql::infix(later, " - ", earlier)
    }

    fn json_at(&self, document: Sql, steps: &[JsonStep], as_text: bool) -> Sql {
        let name = if as_text { names::JSON_TEXT_AT } else { names::JSON_AT };
        let path = Value::Text(encode_steps(steps).into_boxed_str());
        Sql::call(name, [document, Sql::param(Param::Const(path))])
    }

    fn json_contains(&self, outer: Sql, inner: Sql) -> Sql {
        Sql::call(names::JSON_CONTAINS, [outer, inner])
    }

    fn cast(&self, value: Sql, from: Type, to: Type) -> Sql {
        let code = |kind| Sql::text(encode_type(kind).to_string());
        Sql::call(names::CAST, [value, code(from), code(to)])
    }

    fn aggregate(&self, aggregate: Aggregate, value: Sql, from: Type, to: Type) -> Sql {
        let name = match aggregate {
            Aggregate::Count => "count",
            Aggregate::Sum => "sum",
            Aggregate::Avg => "avg",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
        };
        let computed = Sql::call(name, [value]);
        match (from, to) {
            (Type::Decimal { scale, .. }, Type::Float) if scale > 0 => {
                let factor = format!("1{}.0", "0".repeat(usize::from(scale)));
                Sql::infix(computed, " / ", Sql::text(factor))
            }
            _ => computed,
        }
    }

    fn puts_nulls_first(&self, descending: bool) -> bool {
        !descending
    }

    fn page(&self, limit: Option<Sql>, offset: Option<Sql>) -> Sql {
        let limit = match (limit, &offset) {
            (Some(limit), _) => limit,
            (None, Some(_)) => Sql::text("-1"),
            (None, None) => return Sql::default(),
        };
        let page = limit.within(" LIMIT ", "");
        match offset {
            Some(offset) => page.and_text(" OFFSET ").then(offset),
            None => page,
        }
    }
}

#[cfg(test)]
mod tests {
    use mainstay_core::Timestamp;

    use super::*;

    #[test]
    fn time_begins_and_ends_where_moments_do() {
        assert!(Timestamp::from_micros(FIRST_MOMENT).is_some());
        assert!(Timestamp::from_micros(FIRST_MOMENT - 1).is_none());
        assert!(Timestamp::from_micros(LAST_MOMENT).is_some());
        assert!(Timestamp::from_micros(LAST_MOMENT + 1).is_none());
    }
}
