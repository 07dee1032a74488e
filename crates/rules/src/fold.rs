//! Folding: what the caller and the time decide is computed before any row is read.
//!
//! It has two steps. [`fold`] puts truths in the place of terms and simplifies by
//! Kleene's tables, so the result has exactly the three-valued truth of the rule. Where
//! many callers are meant at once, a term whose truth differs among them stays.
//! [`verdict`] then uses that only *true* admits a row: an unknown that stands
//! un-negated may as well be false, and one under an odd number of negations true.
//! The second step is what makes `published || author == auth.id` of an anonymous
//! caller into `published`, which an index answers. Nothing here reads a row.

use mainstay_core::{
    Actor, CallerTerm, CompareOp, Filter, Operand, Timestamp, Truth, Value, removal::removed,
};

use crate::{
    interpret::{self, Situation},
    term::{Term, is_constant, is_constant_operand, is_rowless},
};

/// The condition with every term replaced by its truth, simplified, with the same
/// three-valued truth for every row. A term without one stays.
pub(crate) fn fold(filter: &Filter, truths: &mut dyn FnMut(Term) -> Option<Truth>) -> Filter {
    if is_constant(filter) {
        return constant(filter.clone());
    }
    if is_rowless(filter)
        && let Some(truth) = truths(Term::Condition(filter.clone()))
    {
        return Filter::Const(truth);
    }
    // Every part is folded before any is dropped, so that which terms are asked for
    // does not depend on what others come to.
    let folded = match filter {
        Filter::Const(_) => filter.clone(),
        Filter::And(all) => Filter::And(all.iter().map(|one| fold(one, truths)).collect()),
        Filter::Or(all) => Filter::Or(all.iter().map(|one| fold(one, truths)).collect()),
        Filter::Not(inner) => Filter::Not(Box::new(fold(inner, truths))),
        Filter::IsTrue(inner) => Filter::IsTrue(Box::new(fold(inner, truths))),
        Filter::If(test, yes, no) => Filter::If(
            Box::new(fold(test, truths)),
            Box::new(fold(yes, truths)),
            Box::new(fold(no, truths)),
        ),
        Filter::Is(one) => Filter::Is(fold_operand(one, truths)),
        Filter::IsNull(one) => Filter::IsNull(fold_operand(one, truths)),
        Filter::Compare(one, op, two) => {
            Filter::Compare(fold_operand(one, truths), *op, fold_operand(two, truths))
        }
        Filter::In(one, list) => Filter::In(fold_operand(one, truths), fold_list(list, truths)),
        Filter::Text(one, op, two) => {
            Filter::Text(fold_operand(one, truths), *op, fold_operand(two, truths))
        }
        Filter::JsonContains(one, two) => {
            Filter::JsonContains(fold_operand(one, truths), fold_operand(two, truths))
        }
        Filter::Exists { from, relation, filter } => Filter::Exists {
            from: from.clone(),
            relation: *relation,
            filter: Box::new(fold(filter, truths)),
        },
    };
    simplest(folded)
}

fn fold_operand(operand: &Operand, truths: &mut dyn FnMut(Term) -> Option<Truth>) -> Operand {
    let mut inner = |operand: &Operand| Box::new(fold_operand(operand, truths));
    simplest_operand(match operand {
        Operand::Caller(term, kind) => match truths(Term::Present(term.clone(), *kind)) {
            Some(Truth::True) | None => return operand.clone(),
            Some(Truth::False | Truth::Unknown) => Operand::Literal(Value::Null),
        },
        Operand::Lower(one) => Operand::Lower(inner(one)),
        Operand::Size(one) => Operand::Size(inner(one)),
        Operand::Shift(one, micros) => Operand::Shift(inner(one), *micros),
        Operand::Cast(one, kind) => Operand::Cast(inner(one), *kind),
        Operand::Elapsed(one, two) => Operand::Elapsed(inner(one), inner(two)),
        Operand::If(test, yes, no) => {
            let test = Box::new(fold(test, truths));
            Operand::If(
                test,
                Box::new(fold_operand(yes, truths)),
                Box::new(fold_operand(no, truths)),
            )
        }
        Operand::Field(_)
        | Operand::Literal(_)
        | Operand::Now
        | Operand::Slot(..)
        | Operand::Count(..)
        | Operand::Json { .. } => operand.clone(),
    })
}

fn fold_list(list: &Operand, truths: &mut dyn FnMut(Term) -> Option<Truth>) -> Operand {
    match list {
        // Every caller has a list of roles, if an empty one.
        Operand::Caller(CallerTerm::Roles, _) => list.clone(),
        Operand::Caller(term, kind) => match truths(Term::PresentList(term.clone(), *kind)) {
            Some(Truth::True) | None => list.clone(),
            Some(Truth::False | Truth::Unknown) => Operand::Literal(Value::Null),
        },
        other => other.clone(),
    }
}

/// One step of simplification, of a condition whose parts are simple already.
/// The three-valued truth stays exactly what it was.
fn simplest(filter: Filter) -> Filter {
    match filter {
        Filter::And(all) => joined(all, Truth::True),
        Filter::Or(all) => joined(all, Truth::False),
        Filter::Not(inner) => match *inner {
            Filter::Const(truth) => Filter::Const(!truth),
            Filter::Not(twice) => *twice,
            other => Filter::Not(Box::new(other)),
        },
        Filter::IsTrue(inner) => match *inner {
            Filter::Const(truth) => Filter::Const(Truth::of(Some(truth == Truth::True))),
            other => Filter::IsTrue(Box::new(other)),
        },
        Filter::If(test, yes, no) => match (*test, *yes, *no) {
            (Filter::Const(Truth::True), yes, _) => yes,
            (Filter::Const(Truth::False), _, no) => no,
            (Filter::Const(Truth::Unknown), _, _) => Filter::Const(Truth::Unknown),
            (test, Filter::Const(Truth::True), Filter::Const(Truth::False)) => test,
            (test, yes, no) => Filter::If(Box::new(test), Box::new(yes), Box::new(no)),
        },
        Filter::Exists { filter, .. } if matches!(*filter, Filter::Const(Truth::False)) => {
            Filter::NEVER
        }
        Filter::IsNull(Operand::Literal(value)) => Filter::Const(Truth::of(Some(value.is_null()))),
        Filter::Compare(one, CompareOp::Distinct, two) => match (one, two) {
            (Operand::Literal(Value::Null), other) | (other, Operand::Literal(Value::Null)) => {
                simplest(Filter::Not(Box::new(simplest(Filter::IsNull(other)))))
            }
            (one, two) => constant(Filter::Compare(one, CompareOp::Distinct, two)),
        },
        Filter::Is(ref one) if is_absent(one) => Filter::Const(Truth::Unknown),
        Filter::Compare(ref one, _, ref two)
        | Filter::In(ref one, ref two)
        | Filter::Text(ref one, _, ref two)
        | Filter::JsonContains(ref one, ref two)
            if is_absent(one) || is_absent(two) =>
        {
            Filter::Const(Truth::Unknown)
        }
        other => constant(other),
    }
}

/// The truth of a condition on values alone.
fn constant(filter: Filter) -> Filter {
    if !matches!(filter, Filter::Const(_)) && is_constant(&filter) {
        let nobody = Actor::anonymous();
        return Filter::Const(interpret::evaluate(
            &filter,
            &Situation::of_caller(&nobody, epoch()),
        ));
    }
    filter
}

fn simplest_operand(operand: Operand) -> Operand {
    match operand {
        Operand::If(test, yes, no) => match (*test, *yes, *no) {
            (Filter::Const(Truth::True), yes, _) => yes,
            (Filter::Const(Truth::False), _, no) => no,
            (Filter::Const(Truth::Unknown), _, _) => Operand::Literal(Value::Null),
            (test, yes, no) => Operand::If(Box::new(test), Box::new(yes), Box::new(no)),
        },
        Operand::Elapsed(ref one, ref two) if is_absent(one) || is_absent(two) => {
            Operand::Literal(Value::Null)
        }
        Operand::Literal(_) => operand,
        other if is_constant_operand(&other) => {
            let nobody = Actor::anonymous();
            let situation = Situation::of_caller(&nobody, epoch());
            Operand::Literal(interpret::value(&other, &situation))
        }
        other => other,
    }
}

fn is_absent(operand: &Operand) -> bool {
    matches!(operand, Operand::Literal(Value::Null))
}

/// All of them (`neutral` true) or any of them (`neutral` false), flat and without
/// parts that change nothing.
pub(crate) fn joined(parts: Vec<Filter>, neutral: Truth) -> Filter {
    let of_kind = |filter: Filter| match (filter, neutral) {
        (Filter::And(all), Truth::True) | (Filter::Or(all), Truth::False) => all,
        (one, _) => vec![one],
    };
    let mut kept: Vec<Filter> = Vec::with_capacity(parts.len());
    let mut is_unknown = false;
    for part in parts.into_iter().flat_map(of_kind) {
        match part {
            Filter::Const(Truth::Unknown) => is_unknown = true,
            Filter::Const(truth) if truth == neutral => {}
            Filter::Const(truth) => return Filter::Const(truth),
            other => kept.push(other),
        }
    }
    if is_unknown {
        kept.push(Filter::Const(Truth::Unknown));
    }
    match (kept.len(), neutral) {
        (0, _) => Filter::Const(neutral),
        (1, _) => kept.remove(0),
        (_, Truth::True) => Filter::And(kept),
        _ => Filter::Or(kept),
    }
}

/// Where a part of a condition stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polarity {
    /// Under an even number of negations: unknown may as well be false.
    Positive,
    /// Under an odd number: unknown may as well be true.
    Negative,
}

/// A condition that is true of the same rows. It may be false where the other is
/// unknown, so it is negated only within an `IsTrue`.
pub(crate) fn verdict(filter: Filter) -> Filter {
    settled(filter, Polarity::Positive)
}

fn settled(filter: Filter, polarity: Polarity) -> Filter {
    let opposite = match polarity {
        Polarity::Positive => Polarity::Negative,
        Polarity::Negative => Polarity::Positive,
    };
    let all = |parts: Vec<Filter>| parts.into_iter().map(|one| settled(one, polarity)).collect();
    simplest(match filter {
        Filter::Const(Truth::Unknown) if polarity == Polarity::Negative => Filter::ALWAYS,
        Filter::Const(Truth::Unknown) if removed("unknown-is-no") => Filter::ALWAYS,
        Filter::Const(Truth::Unknown) => Filter::NEVER,
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Not(inner) => Filter::Not(Box::new(settled(*inner, opposite))),
        Filter::IsTrue(inner) => Filter::IsTrue(Box::new(settled(*inner, Polarity::Positive))),
        // The test counts both where it is true and where it is false.
        Filter::If(test, yes, no) => {
            Filter::If(test, Box::new(settled(*yes, polarity)), Box::new(settled(*no, polarity)))
        }
        Filter::Exists { from, relation, filter } => {
            let within = if removed("kleene-exists") { Polarity::Positive } else { polarity };
            Filter::Exists { from, relation, filter: Box::new(settled(*filter, within)) }
        }
        other => other,
    })
}

/// The time at which constants are evaluated, which they do not depend on.
pub(crate) fn epoch() -> Timestamp {
    Timestamp::from_micros(0).expect("BUG: 1970 is a moment")
}
