//! Functions and macros.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue},
};
use mainstay_core::{
    CallerTerm, Filter, Operand, Relation, RowRef, Scope, TextOp, Timestamp, Type, Value,
};

use super::{
    Checker, SCOPES_MAX, Variable,
    typed::{Typed, Way},
};

/// Every function there is.
const FUNCTIONS: [&str; 10] = [
    "all",
    "can",
    "contains",
    "duration",
    "endsWith",
    "exists",
    "lowerAscii",
    "size",
    "startsWith",
    "timestamp",
];

impl<'c> Checker<'c> {
    /// A call by name.
    pub(super) fn call(&mut self, node: &IdedExpr, call: &CallExpr) -> Option<Typed<'c>> {
        match (&*call.func_name, call.target.as_deref(), &call.args[..]) {
            ("exists", Some(of), [variable, body]) => {
                let filter = self.exists(of, variable, body, |body| body)?;
                Some(Typed::Condition(filter))
            }
            ("all", Some(of), [variable, body]) => {
                // Every row satisfies it where no row fails it.
                let fails = |body| Filter::Not(Box::new(body));
                let filter = self.exists(of, variable, body, fails)?;
                Some(Typed::Condition(Filter::Not(Box::new(filter))))
            }
            ("size", Some(of), []) | ("size", None, [of]) => self.size(of),
            ("contains", Some(of), [other]) => self.search(of, TextOp::Contains, other),
            ("startsWith", Some(of), [other]) => self.search(of, TextOp::StartsWith, other),
            ("endsWith", Some(of), [other]) => self.search(of, TextOp::EndsWith, other),
            ("lowerAscii", Some(of), []) => {
                let typed = self.typed(of)?;
                let operand = Operand::Lower(Box::new(self.text(of, typed)?));
                Some(Typed::Value { operand, kind: Type::Text, allowed: None })
            }
            ("timestamp", None, [text]) => self.timestamp(text),
            ("duration", None, [text]) => self.duration(text),
            ("can", Some(of), [permission]) => self.can(node, of, permission),
            (name, ..) => self.no_such_call(node, name),
        }
    }

    fn no_such_call<T>(&mut self, node: &IdedExpr, name: &str) -> Option<T> {
        let span = self.source.name(node);
        let usage = match name {
            "matches" => {
                return self.hinted(
                    span,
                    "regular expressions are not part of rules",
                    Some("use `contains`, `startsWith` or `endsWith`".to_owned()),
                );
            }
            "has" => {
                return self.hinted(
                    span,
                    "`has` is not part of rules",
                    Some("ask `… != null`".to_owned()),
                );
            }
            "exists_one" | "map" | "filter" => {
                return self.hinted(
                    span,
                    format!("`{name}` is not part of rules"),
                    Some("of related rows, ask `exists`, `all` or `size()`".to_owned()),
                );
            }
            "exists" | "all" => format!("`rows.{name}(row, condition)`"),
            "size" => "`size(value)` or `value.size()`".to_owned(),
            "contains" | "startsWith" | "endsWith" => format!("`text.{name}('…')`"),
            "lowerAscii" => "`text.lowerAscii()`".to_owned(),
            "timestamp" => "`timestamp('2026-01-31T00:00:00Z')`".to_owned(),
            "duration" => "`duration('24h')`".to_owned(),
            "can" => "`auth.can('posts.publish')`".to_owned(),
            _ => {
                return self.unknown(
                    span,
                    format!("there is no function `{name}`"),
                    name,
                    FUNCTIONS,
                );
            }
        };
        self.hinted(span, format!("`{name}` is not called so"), Some(format!("write {usage}")))
    }

    /// `rows.exists(row, condition)`, with `body` applied to the condition.
    fn exists(
        &mut self,
        of: &IdedExpr,
        variable: &IdedExpr,
        body: &IdedExpr,
        wrap: impl FnOnce(Filter) -> Filter,
    ) -> Option<Filter> {
        let of_span = self.source.whole(of);
        let (from, way, model) = match self.typed(of)? {
            Typed::Rows { from, way, model, .. } => (from, way, model),
            Typed::Roles => {
                return self.hinted(
                    of_span,
                    "the caller's roles are asked with `in`",
                    Some("write `'…' in auth.roles`".to_owned()),
                );
            }
            other => {
                let message = format!("related rows were expected here, not {}", other.described());
                return self.mistake(of_span, message);
            }
        };
        let name = self.variable(variable)?;
        let steps = match way {
            Way::Direct(_) => 1,
            Way::Through { .. } => 2,
        };
        let (outer, inner) = (self.scopes, self.scopes + steps);
        if inner > SCOPES_MAX {
            return self.mistake(
                of_span,
                format!("`exists` and `all` nest deeper than {SCOPES_MAX} models"),
            );
        }
        self.variables.push(Variable { name, scope: inner, model });
        self.scopes = inner;
        let condition = self.condition(body);
        self.scopes = outer;
        self.variables.pop();
        let filter = Box::new(wrap(condition?));
        Some(match way {
            Way::Direct(near) => Filter::Exists { from, relation: Relation::ToMany(near), filter },
            Way::Through { near, far } => Filter::Exists {
                from,
                relation: Relation::ToMany(near),
                filter: Box::new(Filter::Exists {
                    from: RowRef::at(Scope::Row(outer + 1)),
                    relation: Relation::ToOne(far),
                    filter,
                }),
            },
        })
    }

    /// The name that rows are given, which must not hide another.
    fn variable(&mut self, node: &IdedExpr) -> Option<String> {
        let span = self.source.whole(node);
        let Expr::Ident(name) = &node.expr else {
            return self.mistake(span, "a name for each row was expected here");
        };
        let is_field = self.declared.model(self.model).field_id(name).is_some();
        let is_taken = self.variables.iter().any(|variable| variable.name == *name);
        if is_field || is_taken || ["auth", "now", "old"].contains(&name.as_str()) {
            return self.hinted(
                span,
                format!("`{name}` means something here already"),
                Some("choose another name for the row".to_owned()),
            );
        }
        Some(name.clone())
    }

    /// Characters of a text, or how many rows are related.
    fn size(&mut self, of: &IdedExpr) -> Option<Typed<'c>> {
        let typed = self.typed(of)?;
        let operand = match typed {
            Typed::Rows { from, way: Way::Direct(near), .. } => {
                Operand::Count(from, Relation::ToMany(near))
            }
            Typed::Rows { from, way: Way::Through { near, far }, .. } if self.is_total(far) => {
                Operand::Count(from, Relation::ToMany(near))
            }
            Typed::Rows { way: Way::Through { far, .. }, .. } if self.is_total_in_doubt(far) => {
                return None;
            }
            Typed::Rows { name, .. } => {
                return self.hinted(
                    self.source.whole(of),
                    format!(
                        "rows of the junction may lead to none of `{name}`, so counting them \
                             would not count these"
                    ),
                    Some("count the junction by its own name".to_owned()),
                );
            }
            Typed::Roles | Typed::List(_) => {
                return self.hinted(
                    self.source.whole(of),
                    format!("{} have no size in rules", typed.described()),
                    Some("ask for members with `in`".to_owned()),
                );
            }
            other => Operand::Size(Box::new(self.text(of, other)?)),
        };
        Some(Typed::Value { operand, kind: Type::Int, allowed: None })
    }

    /// `timestamp('…')`.
    fn timestamp(&mut self, node: &IdedExpr) -> Option<Typed<'c>> {
        let text = self.written(node, "timestamp")?;
        match Timestamp::parse(&text) {
            Some(moment) => Some(Typed::Value {
                operand: Operand::Literal(Value::Timestamp(moment)),
                kind: Type::Timestamp,
                allowed: None,
            }),
            None => self.hinted(
                self.source.whole(node),
                format!("`{text}` is not a moment"),
                Some("write `timestamp('2026-01-31T00:00:00Z')`".to_owned()),
            ),
        }
    }

    /// `duration('…')`.
    fn duration(&mut self, node: &IdedExpr) -> Option<Typed<'c>> {
        let text = self.written(node, "duration")?;
        match micros_of(&text) {
            Some(micros) => Some(Typed::Duration(micros)),
            None => self.hinted(
                self.source.whole(node),
                format!("`{text}` is not a duration in whole microseconds"),
                Some("its units are h, m, s, ms and us: `duration('1h30m')`".to_owned()),
            ),
        }
    }

    /// The text that a function takes, which must be written in the rule.
    fn written(&mut self, node: &IdedExpr, function: &str) -> Option<String> {
        match &node.expr {
            Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
            _ => self.mistake(
                self.source.whole(node),
                format!("`{function}` takes a text that is written in the rule"),
            ),
        }
    }

    /// `auth.can('…')`.
    fn can(&mut self, node: &IdedExpr, of: &IdedExpr, permission: &IdedExpr) -> Option<Typed<'c>> {
        let Typed::Auth = self.typed(of)? else {
            return self.mistake(self.source.name(node), "`can` is asked of `auth` alone");
        };
        let permission = self.written(permission, "auth.can")?;
        let term = CallerTerm::Can(permission.into());
        Some(Typed::Condition(Filter::Is(Operand::Caller(term, Type::Bool))))
    }
}

/// Microseconds of a span of time: numbers with a unit each, `1h30m`, `1.5s`, `-2h`.
fn micros_of(text: &str) -> Option<i64> {
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(end);
        let unit_end = after
            .find(|letter: char| letter.is_ascii_digit() || letter == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let unit_nanos: i128 = match unit {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        nanos = nanos.checked_add(scaled(number, unit_nanos)?)?;
        rest = after;
    }
    if nanos % 1_000 != 0 {
        return None;
    }
    let micros = i64::try_from(nanos / 1_000).ok()?;
    Some(if is_negative { -micros } else { micros })
}

/// A number with at most one point, times a unit, where that is whole.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| -> Option<i128> {
        if text.is_empty() { Some(0) } else { text.parse::<u64>().ok().map(i128::from) }
    };
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 18 {
        return None;
    }
    let divisor = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let part = digits(fraction)?.checked_mul(unit)?;
    if part % divisor != 0 {
        return None;
    }
    digits(whole)?.checked_mul(unit)?.checked_add(part / divisor)
}

#[cfg(test)]
mod tests {
    use super::micros_of;

    #[test]
    fn a_duration_is_numbers_with_units() {
        for (text, micros) in [
            ("24h", Some(86_400_000_000)),
            ("1h30m", Some(5_400_000_000)),
            ("1.5s", Some(1_500_000)),
            ("-2ms", Some(-2_000)),
            ("1000ns", Some(1)),
            ("1ns", None),
            ("0s", Some(0)),
            ("5", None),
            ("h", None),
            ("1d", None),
            ("1.2.3s", None),
            (".s", None),
            ("", None),
            ("-", None),
            ("99999999999999999999h", None),
            ("9999999999999h", None),
            ("é", None),
        ] {
            assert_eq!(micros_of(text), micros, "{text}");
        }
    }
}
