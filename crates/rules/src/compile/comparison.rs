//! `==`, `!=`, `<` and its like, `in`, and arithmetic on moments.

use cel::{IdedExpr, common::ast::Expr};
use mainstay_core::{CallerTerm, CompareOp, Filter, JsonStep, Operand, Path, Type, Value};

use super::{
    Checker,
    literal::{both_or_neither, is_same, weight},
    typed::{Literal, Typed},
};

/// Conditions that comparing two of them may come to.
const CONDITIONS_MAX: usize = 500;

impl<'c> Checker<'c> {
    /// `a == b` and `a != b`.
    pub(super) fn equality(
        &mut self,
        node: &IdedExpr,
        one: &IdedExpr,
        op: CompareOp,
        two: &IdedExpr,
    ) -> Option<Typed<'c>> {
        let (left, right) = (self.typed(one), self.typed(two));
        let (left, right) = (left?, right?);
        let filter = match (left, right) {
            (Typed::Literal(Literal::Null), Typed::Literal(Literal::Null)) => {
                return self.mistake(self.source.whole(node), "`null` is compared with itself");
            }
            (Typed::Literal(Literal::Null), other) => self.presence(two, other, op)?,
            (other, Typed::Literal(Literal::Null)) => self.presence(one, other, op)?,
            (left, right) if left.is_bool() || right.is_bool() => {
                self.bools((one, left), op, (two, right))?
            }
            (left, right) => self.compared(node, (one, left), op, (two, right))?,
        };
        Some(Typed::Condition(filter))
    }

    /// `a < b` and its like.
    pub(super) fn order(
        &mut self,
        node: &IdedExpr,
        one: &IdedExpr,
        op: CompareOp,
        two: &IdedExpr,
    ) -> Option<Typed<'c>> {
        let (left, right) = (self.typed(one), self.typed(two));
        let (left, right) = (left?, right?);
        for (at, side) in [(one, &left), (two, &right)] {
            let what = match side {
                Typed::Json { .. } => "JSON values have".to_owned(),
                Typed::Value { allowed: Some(_), .. } => "an enum's values have".to_owned(),
                Typed::Literal(Literal::Null) => "`null` has".to_owned(),
                side if side.is_bool() => "conditions have".to_owned(),
                _ => continue,
            };
            return self.mistake(self.source.whole(at), format!("{what} no order"));
        }
        self.compared(node, (one, left), op, (two, right)).map(Typed::Condition)
    }

    /// Whether something is absent.
    fn presence(&mut self, node: &IdedExpr, typed: Typed<'c>, op: CompareOp) -> Option<Filter> {
        let operand = match typed {
            Typed::Value { operand, .. } | Typed::Elapsed(operand) => operand,
            Typed::Row { key: Some((path, _)), .. } => Operand::Field(path),
            // As text, so that a JSON null is absent like a missing member.
            Typed::Json { path, steps } => Operand::Json { path, steps, as_text: true },
            Typed::Caller(term @ CallerTerm::Claim(_)) => Operand::Caller(term, Type::Json),
            Typed::Caller(term) => Operand::Caller(term, Type::Text),
            choice @ Typed::Choice(..) => {
                let kind = choice.own_type().unwrap_or(Type::Text);
                self.converted(node, choice, kind, None)?
            }
            other => {
                return self.mistake(
                    self.source.whole(node),
                    format!("{} cannot be absent", other.described()),
                );
            }
        };
        let absent = Filter::IsNull(operand);
        Some(if op == CompareOp::Eq { absent } else { Filter::Not(Box::new(absent)) })
    }

    /// Two bools. As values where both are; else both ways of agreeing are spelt out.
    fn bools(
        &mut self,
        one: (&IdedExpr, Typed<'c>),
        op: CompareOp,
        two: (&IdedExpr, Typed<'c>),
    ) -> Option<Filter> {
        let not = |filter: Filter| Filter::Not(Box::new(filter));
        let is_eq = op == CompareOp::Eq;
        match (one, two) {
            ((_, Typed::Literal(Literal::Bool(value))), (node, other))
            | ((node, other), (_, Typed::Literal(Literal::Bool(value)))) => {
                let filter = self.as_condition(node, other)?;
                Some(if value == is_eq { filter } else { not(filter) })
            }
            (
                (_, Typed::Value { operand: one, kind: Type::Bool, .. }),
                (_, Typed::Value { operand: two, kind: Type::Bool, .. }),
            ) => Some(Filter::Compare(one, op, two)),
            ((one, left), (two, right)) => {
                let (left, right) = (self.as_condition(one, left), self.as_condition(two, right));
                let (left, right) = (left?, right?);
                // Each stands there twice, so this doubles with every nesting.
                if 2 * (weight(&left) + weight(&right)) > CONDITIONS_MAX {
                    return self.mistake(
                        self.source.whole(two),
                        "conditions are compared with conditions that are compared again, too often",
                    );
                }
                Some(both_or_neither(left, if is_eq { right } else { not(right) }))
            }
        }
    }

    /// Two values of one type.
    fn compared(
        &mut self,
        node: &IdedExpr,
        one: (&IdedExpr, Typed<'c>),
        op: CompareOp,
        two: (&IdedExpr, Typed<'c>),
    ) -> Option<Filter> {
        let ((one, left), (two, right)) = (one, two);
        if let Some(micros) = span_of_time(&left).zip(span_of_time(&right)) {
            return Some(Filter::Compare(micros.0, op, micros.1));
        }
        let json = [&left, &right].into_iter().any(|side| matches!(side, Typed::Json { .. }));
        let kind = if json { json_type(&left, &right) } else { common_type(&left, &right) };
        let Some(kind) = kind else {
            return self.incomparable(node, (one, &left), (two, &right));
        };
        let allowed: Option<Vec<Box<str>>> =
            left.allowed().or_else(|| right.allowed()).map(<[Box<str>]>::to_vec);
        let known = left.known_type().zip(right.known_type());
        if known.is_some_and(|(left, right)| !is_same(left, right)) {
            return self.incomparable(node, (one, &left), (two, &right));
        }
        let left = self.converted(one, left, kind, allowed.as_deref());
        let right = self.converted(two, right, kind, allowed.as_deref());
        Some(Filter::Compare(left?, op, right?))
    }

    fn incomparable<T>(
        &mut self,
        node: &IdedExpr,
        one: (&IdedExpr, &Typed<'c>),
        two: (&IdedExpr, &Typed<'c>),
    ) -> Option<T> {
        for (at, side) in [one, two] {
            let hint = match side {
                Typed::Row { key: None, model, .. } => {
                    let model = self.declared.model(*model);
                    let key = model.id_field().map(|id| &*model.field(id).name).unwrap_or("…");
                    let written = self.text.text.get(self.source.whole(at)).unwrap_or_default();
                    format!("compare one of its fields: `{written}.{key}`")
                }
                Typed::Roles => "ask `'…' in auth.roles`".to_owned(),
                Typed::Claims => "name one: `auth.claims.…`".to_owned(),
                Typed::Auth => "name what of it: `auth.id`".to_owned(),
                Typed::Rows { name, .. } => format!("ask `{name}.exists(row, …)`"),
                _ => continue,
            };
            let message = format!("{} cannot be compared", side.described());
            return self.hinted(self.source.whole(at), message, Some(hint));
        }
        let (left, right) = (one.1.described(), two.1.described());
        let message = if left == right {
            format!("{left} cannot be compared with one of another scale")
        } else {
            format!("{left} cannot be compared with {right}")
        };
        self.mistake(self.source.whole(node), message)
    }

    /// `item in list`.
    pub(super) fn membership(
        &mut self,
        node: &IdedExpr,
        item: &IdedExpr,
        list: &IdedExpr,
    ) -> Option<Typed<'c>> {
        let (one, all) = (self.typed(item), self.typed(list));
        let (one, all) = (one?, all?);
        let filter = match all {
            Typed::List(literals) => self.among(item, one, list, literals)?,
            Typed::Roles => {
                let item = self.text(item, one)?;
                Filter::In(item, Operand::Caller(CallerTerm::Roles, Type::Text))
            }
            Typed::Caller(term @ CallerTerm::Claim(_)) => {
                let Some(kind) = one.own_type().filter(|kind| *kind != Type::Json) else {
                    return self.mistake(
                        self.source.whole(item),
                        format!("{} cannot be looked up in a claim", one.described()),
                    );
                };
                let item = self.converted(item, one, kind, None)?;
                Filter::In(item, Operand::Caller(term, kind))
            }
            Typed::Json { path, steps } => self.in_json(item, one, path, steps)?,
            Typed::Rows { name, .. } => {
                return self.hinted(
                    self.source.whole(node),
                    "related rows are asked with `exists`",
                    Some(format!("write `{name}.exists(row, row.… == …)`")),
                );
            }
            other => {
                return self.mistake(
                    self.source.whole(list),
                    format!("a list was expected here, not {}", other.described()),
                );
            }
        };
        Some(Typed::Condition(filter))
    }

    /// A value among values written in the rule.
    fn among(
        &mut self,
        item: &IdedExpr,
        one: Typed<'c>,
        list: &IdedExpr,
        literals: Vec<(usize, Literal)>,
    ) -> Option<Filter> {
        let Expr::List(nodes) = &list.expr else {
            return self.mistake(self.source.whole(list), "a list was expected here");
        };
        let first = literals.first().and_then(|(_, literal)| literal.own_type());
        let kind = match &one {
            Typed::Json { .. } if first == Some(Type::Text) => Some(Type::Text),
            Typed::Json { .. } => Some(Type::Json),
            // A claim takes the type of what it is looked for among.
            Typed::Caller(_) => first,
            one => one.own_type(),
        };
        let Some(kind) = kind else {
            return self
                .mistake(self.source.whole(item), format!("{} is in no list", one.described()));
        };
        let allowed = one.allowed().map(<[Box<str>]>::to_vec);
        let values: Vec<Option<Value>> = literals
            .iter()
            .map(|(at, literal)| {
                self.literal_as(&nodes.elements[*at], literal, kind, allowed.as_deref())
            })
            .collect();
        let operand = self.converted(item, one, kind, None)?;
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Filter::In(operand, Operand::Literal(Value::List(values.into()))))
    }

    /// A literal in an array that lies in a JSON field.
    fn in_json(
        &mut self,
        node: &IdedExpr,
        item: Typed<'c>,
        path: Path,
        steps: Vec<JsonStep>,
    ) -> Option<Filter> {
        let Typed::Literal(literal) = item else {
            return self.mistake(
                self.source.whole(node),
                "what is looked for in a JSON array is written in the rule",
            );
        };
        let Value::Json(item) = self.literal_as(node, &literal, Type::Json, None)? else {
            return self.mistake(self.source.whole(node), "`null` is in no list");
        };
        Some(Filter::JsonContains(
            Operand::Json { path, steps, as_text: false },
            Operand::Literal(Value::Json(format!("[{item}]").into())),
        ))
    }

    /// `moment + duration`, `duration + moment`, `duration + duration`.
    pub(super) fn sum(
        &mut self,
        node: &IdedExpr,
        one: &IdedExpr,
        two: &IdedExpr,
    ) -> Option<Typed<'c>> {
        let (left, right) = (self.typed(one), self.typed(two));
        match (left?, right?) {
            (Typed::Duration(one), Typed::Duration(two)) => match one.checked_add(two) {
                Some(micros) => Some(Typed::Duration(micros)),
                None => self.mistake(self.source.whole(node), "this duration is too long"),
            },
            (Typed::Value { operand, kind: Type::Timestamp, .. }, Typed::Duration(micros))
            | (Typed::Duration(micros), Typed::Value { operand, kind: Type::Timestamp, .. }) => {
                Some(moved(operand, micros))
            }
            (left, right) => self.no_arithmetic(node, &left, &right),
        }
    }

    /// `moment - duration`, `moment - moment`, `duration - duration`.
    pub(super) fn difference(
        &mut self,
        node: &IdedExpr,
        one: &IdedExpr,
        two: &IdedExpr,
    ) -> Option<Typed<'c>> {
        let (left, right) = (self.typed(one), self.typed(two));
        match (left?, right?) {
            (Typed::Duration(one), Typed::Duration(two)) => match one.checked_sub(two) {
                Some(micros) => Some(Typed::Duration(micros)),
                None => self.mistake(self.source.whole(node), "this duration is too long"),
            },
            (Typed::Value { operand, kind: Type::Timestamp, .. }, Typed::Duration(micros)) => {
                Some(moved(operand, micros.saturating_neg()))
            }
            (
                Typed::Value { operand: later, kind: Type::Timestamp, .. },
                Typed::Value { operand: earlier, kind: Type::Timestamp, .. },
            ) => Some(Typed::Elapsed(Operand::Elapsed(Box::new(later), Box::new(earlier)))),
            (left, right) => self.no_arithmetic(node, &left, &right),
        }
    }

    fn no_arithmetic<T>(
        &mut self,
        node: &IdedExpr,
        left: &Typed<'c>,
        right: &Typed<'c>,
    ) -> Option<T> {
        let is_moment = |typed: &Typed<'c>| typed.known_type() == Some(Type::Timestamp);
        let (is_time, other) = match (is_moment(left), is_moment(right)) {
            (true, _) => (true, right),
            (_, true) => (true, left),
            _ => (false, left),
        };
        if is_time {
            let message = format!("a moment is moved by a duration, not by {}", other.described());
            let hint = Some("write `duration('24h')`".to_owned());
            return self.hinted(self.source.whole(node), message, hint);
        }
        self.mistake(
            self.source.whole(node),
            "arithmetic is for moments and durations; rules have no other",
        )
    }
}

/// A moment moved, one shift for several.
fn moved(operand: Operand, micros: i64) -> Typed<'static> {
    let operand = match operand {
        Operand::Shift(inner, before) if before.checked_add(micros).is_some() => {
            Operand::Shift(inner, before + micros)
        }
        other => Operand::Shift(Box::new(other), micros),
    };
    Typed::Value { operand, kind: Type::Timestamp, allowed: None }
}

fn span_of_time(typed: &Typed<'_>) -> Option<Operand> {
    match typed {
        Typed::Duration(micros) => Some(Operand::Literal(Value::Int(*micros))),
        Typed::Elapsed(operand) => Some(operand.clone()),
        _ => None,
    }
}

/// The type two values are compared as.
fn common_type(left: &Typed<'_>, right: &Typed<'_>) -> Option<Type> {
    let is_value = |typed: &Typed<'_>| {
        matches!(typed, Typed::Literal(_) | Typed::Caller(_) | Typed::Choice(..))
            || typed.known_type().is_some()
    };
    if !is_value(left) || !is_value(right) {
        return None;
    }
    left.known_type()
        .or_else(|| right.known_type())
        .or_else(|| left.own_type())
        .or_else(|| right.own_type())
        // Two claims: as text they agree where both are the same text.
        .or(Some(Type::Text))
}

/// The type a value inside JSON is compared as: text where the other side is one.
fn json_type(left: &Typed<'_>, right: &Typed<'_>) -> Option<Type> {
    let other = if matches!(left, Typed::Json { .. }) { right } else { left };
    match other {
        Typed::Json { .. } => Some(Type::Json),
        Typed::Literal(Literal::Text(_)) | Typed::Caller(_) => Some(Type::Text),
        Typed::Literal(Literal::Int(_) | Literal::Float(_)) => Some(Type::Json),
        other if other.known_type() == Some(Type::Text) => Some(Type::Text),
        _ => None,
    }
}
