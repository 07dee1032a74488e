//! What a rule asks of the caller and the time alone.
//!
//! These are the only things folding depends on: two callers for whom every term of
//! a rule comes to the same truth have the same folded rule, which is what the plan
//! cache's key says.

use mainstay_core::{Actor, CallerTerm, CompareOp, Filter, Operand, Timestamp, Truth, Type, Value};

use crate::{
    caller::caller_value,
    interpret::{Situation, evaluate},
};

/// Something that the caller and the time decide, before any row is read.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// A condition on nothing else: `'editor' in auth.roles`, `auth.can('…')`,
    /// `now > timestamp('…')`.
    Condition(Filter),
    /// One value of the caller's that row data is compared with: true where it is
    /// there and of that type, else unknown.
    Present(CallerTerm, Type),
    /// The same for a list that a row's value is looked up in.
    PresentList(CallerTerm, Type),
}

impl Term {
    /// What the term comes to for this caller at this time.
    #[must_use]
    pub fn evaluate(&self, actor: &Actor, now: Timestamp) -> Truth {
        match self {
            Self::Condition(filter) => quick(filter, actor)
                .unwrap_or_else(|| evaluate(filter, &Situation::of_caller(actor, now))),
            Self::Present(CallerTerm::Id, Type::Text) if actor.id().is_none() => Truth::Unknown,
            Self::Present(term, kind) => match caller_value(term, *kind, actor) {
                Value::Null | Value::List(_) => Truth::Unknown,
                _ => Truth::True,
            },
            Self::PresentList(term, kind) => match caller_value(term, *kind, actor) {
                Value::List(_) => Truth::True,
                _ => Truth::Unknown,
            },
        }
    }
}

/// The conditions nearly every rule has, without making values of what is compared:
/// terms are evaluated for every request.
fn quick(filter: &Filter, actor: &Actor) -> Option<Truth> {
    match filter {
        Filter::In(Operand::Literal(Value::Text(role)), Operand::Caller(CallerTerm::Roles, _)) => {
            Some(Truth::of(Some(actor.roles().contains(role))))
        }
        Filter::Is(Operand::Caller(CallerTerm::Can(permission), _)) => {
            Some(Truth::of(Some(actor.can(permission))))
        }
        Filter::IsNull(Operand::Caller(CallerTerm::Id, Type::Text)) => {
            Some(Truth::of(Some(actor.id().is_none())))
        }
        Filter::Not(inner) => quick(inner, actor).map(|truth| !truth),
        Filter::Compare(
            Operand::Caller(CallerTerm::Id, Type::Text),
            CompareOp::Eq,
            Operand::Literal(Value::Text(id)),
        ) => Some(Truth::of(actor.id().map(|own| *own == **id))),
        _ => None,
    }
}

/// Whether a condition reads no row: what remains is the caller, the time and values.
pub(crate) fn is_rowless(filter: &Filter) -> bool {
    match filter {
        Filter::Const(_) => true,
        Filter::And(all) | Filter::Or(all) => all.iter().all(is_rowless),
        Filter::Not(inner) | Filter::IsTrue(inner) => is_rowless(inner),
        Filter::If(test, yes, no) => is_rowless(test) && is_rowless(yes) && is_rowless(no),
        Filter::Is(one) | Filter::IsNull(one) => is_rowless_operand(one),
        Filter::Compare(one, _, two)
        | Filter::In(one, two)
        | Filter::Text(one, _, two)
        | Filter::JsonContains(one, two) => is_rowless_operand(one) && is_rowless_operand(two),
        Filter::Exists { .. } => false,
    }
}

/// The same for a value. A slot counts as row data: rules have none.
pub(crate) fn is_rowless_operand(operand: &Operand) -> bool {
    match operand {
        Operand::Literal(_) | Operand::Caller(..) | Operand::Now => true,
        Operand::Field(_) | Operand::Slot(..) | Operand::Count(..) | Operand::Json { .. } => false,
        Operand::Lower(one)
        | Operand::Size(one)
        | Operand::Shift(one, _)
        | Operand::Cast(one, _) => is_rowless_operand(one),
        Operand::Elapsed(one, two) => is_rowless_operand(one) && is_rowless_operand(two),
        Operand::If(test, yes, no) => {
            is_rowless(test) && is_rowless_operand(yes) && is_rowless_operand(no)
        }
    }
}

/// Whether a value is the same for every caller at every time.
pub(crate) fn is_constant_operand(operand: &Operand) -> bool {
    match operand {
        Operand::Caller(..) | Operand::Now => false,
        Operand::Lower(one)
        | Operand::Size(one)
        | Operand::Shift(one, _)
        | Operand::Cast(one, _) => is_constant_operand(one),
        Operand::Elapsed(one, two) => is_constant_operand(one) && is_constant_operand(two),
        Operand::If(test, yes, no) => {
            is_constant(test) && is_constant_operand(yes) && is_constant_operand(no)
        }
        other => is_rowless_operand(other),
    }
}

/// Whether a condition is the same for every row and caller at every time.
pub(crate) fn is_constant(filter: &Filter) -> bool {
    match filter {
        Filter::Const(_) => true,
        Filter::And(all) | Filter::Or(all) => all.iter().all(is_constant),
        Filter::Not(inner) | Filter::IsTrue(inner) => is_constant(inner),
        Filter::If(test, yes, no) => is_constant(test) && is_constant(yes) && is_constant(no),
        Filter::Is(one) | Filter::IsNull(one) => is_constant_operand(one),
        Filter::Compare(one, _, two)
        | Filter::In(one, two)
        | Filter::Text(one, _, two)
        | Filter::JsonContains(one, two) => is_constant_operand(one) && is_constant_operand(two),
        Filter::Exists { .. } => false,
    }
}
