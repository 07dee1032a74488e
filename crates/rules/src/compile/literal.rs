//! Values of one type, made from what has none of its own.

use cel::IdedExpr;
use mainstay_core::{Filter, Operand, Type, Value};

use super::{
    Checker,
    typed::{Literal, Typed, article},
};
use crate::caller::{from_float, from_text, from_whole};

impl<'c> Checker<'c> {
    /// Something typed as a value of this type; a literal must be one exactly.
    pub(super) fn converted(
        &mut self,
        node: &IdedExpr,
        typed: Typed<'c>,
        kind: Type,
        allowed: Option<&[Box<str>]>,
    ) -> Option<Operand> {
        match typed {
            Typed::Literal(literal) => {
                self.literal_as(node, &literal, kind, allowed).map(Operand::Literal)
            }
            Typed::Caller(term) => Some(Operand::Caller(term, kind)),
            Typed::Choice(test, branches) => {
                let (one, two) = *branches;
                let one = self.converted(node, one, kind, allowed);
                let two = self.converted(node, two, kind, allowed);
                Some(Operand::If(test, Box::new(one?), Box::new(two?)))
            }
            Typed::Value { operand, kind: own, .. } if is_same(own, kind) => Some(operand),
            Typed::Row { key: Some((path, own)), .. } if is_same(own, kind) => {
                Some(Operand::Field(path))
            }
            Typed::Json { path, steps } if kind == Type::Text => {
                Some(Operand::Json { path, steps, as_text: true })
            }
            Typed::Json { path, steps } if kind == Type::Json => {
                Some(Operand::Json { path, steps, as_text: false })
            }
            other => self.mistake(
                self.source.whole(node),
                format!("{} cannot be compared with {}", other.described(), article(kind.name())),
            ),
        }
    }

    /// A literal as a value of this type.
    pub(super) fn literal_as(
        &mut self,
        node: &IdedExpr,
        literal: &Literal,
        kind: Type,
        allowed: Option<&[Box<str>]>,
    ) -> Option<Value> {
        let span = self.source.whole(node);
        if let (Literal::Text(text), Some(allowed)) = (literal, allowed)
            && !allowed.contains(text)
        {
            let values = allowed.iter().map(|value| &**value);
            return self.unknown(
                span,
                format!("`{text}` is not one of the enum's values"),
                text,
                values,
            );
        }
        let value = match (literal, kind) {
            (Literal::Null, _) => return Some(Value::Null),
            (Literal::Text(text), Type::Timestamp) => {
                return self.hinted(
                    span,
                    "a moment is compared with a moment, not with a text",
                    Some(format!("write `timestamp('{text}')`")),
                );
            }
            (Literal::Text(text), Type::Text | Type::Uuid | Type::Date | Type::Json) => {
                from_text(text, kind)
            }
            (Literal::Bool(value), Type::Bool) => Value::Bool(*value),
            (Literal::Bool(value), Type::Json) => Value::Json(value.to_string().into()),
            (Literal::Bytes(bytes), Type::Bytes) => Value::Bytes(bytes.clone()),
            (Literal::Int(number), Type::Json) => Value::Json(number.to_string().into()),
            (Literal::Float(number), Type::Json) => {
                Value::json(&number.to_string(), 1).unwrap_or(Value::Null)
            }
            (Literal::Int(number), _) => from_whole(*number, kind),
            (Literal::Float(number), _) => from_float(*number, kind),
            _ => Value::Null,
        };
        if !value.is_null() {
            return Some(value);
        }
        let written = self.text.text.get(span.clone()).unwrap_or_default().to_owned();
        let is_near = match literal {
            Literal::Int(_) | Literal::Float(_) => kind.is_number(),
            Literal::Text(_) => matches!(kind, Type::Uuid | Type::Date),
            _ => false,
        };
        if is_near {
            return self.mistake(span, format!("`{written}` is not exactly {}", named(kind)));
        }
        let hint = (kind == Type::Text).then(|| format!("write `'{written}'`"));
        self.hinted(span, format!("`{written}` is not {}", named(kind)), hint)
    }
}

/// Whether values of two types compare as they are stored.
pub(super) fn is_same(one: Type, two: Type) -> bool {
    match (one, two) {
        (Type::Decimal { scale: one, .. }, Type::Decimal { scale: two, .. }) => one == two,
        (one, two) => one == two,
    }
}

/// A type with what bounds its values.
fn named(kind: Type) -> String {
    match kind {
        Type::Decimal { precision, scale } => {
            format!("a decimal of {precision} digits with {scale} after the point")
        }
        Type::Date => "a date, `YYYY-MM-DD`".to_owned(),
        kind => article(kind.name()),
    }
}

/// The condition that either both hold or neither does, with each in both polarities:
/// a store lets an unknown become false or true by where it stands, so a condition is
/// never compared as if it were a value.
pub(super) fn both_or_neither(one: Filter, two: Filter) -> Filter {
    let not = |filter: Filter| Filter::Not(Box::new(filter));
    Filter::Or(vec![
        Filter::And(vec![one.clone(), two.clone()]),
        Filter::And(vec![not(one), not(two)]),
    ])
}

/// How many conditions a condition consists of.
pub(super) fn weight(filter: &Filter) -> usize {
    let of_operand = |operand: &Operand| weight_of_operand(operand);
    1 + match filter {
        Filter::Const(_) => 0,
        Filter::And(all) | Filter::Or(all) => all.iter().map(weight).sum(),
        Filter::Not(inner) | Filter::IsTrue(inner) => weight(inner),
        Filter::If(test, yes, no) => weight(test) + weight(yes) + weight(no),
        Filter::Is(one) | Filter::IsNull(one) => of_operand(one),
        Filter::Compare(one, _, two)
        | Filter::In(one, two)
        | Filter::Text(one, _, two)
        | Filter::JsonContains(one, two) => of_operand(one) + of_operand(two),
        Filter::Exists { filter, .. } => weight(filter),
    }
}

/// How many conditions stand in a value.
fn weight_of_operand(operand: &Operand) -> usize {
    match operand {
        Operand::If(test, yes, no) => weight(test) + weight_of_operand(yes) + weight_of_operand(no),
        Operand::Lower(one)
        | Operand::Size(one)
        | Operand::Shift(one, _)
        | Operand::Cast(one, _) => weight_of_operand(one),
        Operand::Elapsed(one, two) => weight_of_operand(one) + weight_of_operand(two),
        _ => 0,
    }
}
