//! Going through all that a condition is made of.

use mainstay_core::{CallerTerm, Filter, Operand, Value};

/// A part of a condition.
#[derive(Clone, Copy)]
pub(crate) enum Part<'f> {
    Condition(&'f Filter),
    Value(&'f Operand),
}

/// Shows every part of a condition, itself first: those within values and within
/// `exists` too.
pub(crate) fn parts<'f>(filter: &'f Filter, show: &mut dyn FnMut(Part<'f>)) {
    show(Part::Condition(filter));
    match filter {
        Filter::Const(_) => {}
        Filter::And(all) | Filter::Or(all) => all.iter().for_each(|one| parts(one, show)),
        Filter::Not(inner) | Filter::IsTrue(inner) | Filter::Exists { filter: inner, .. } => {
            parts(inner, show);
        }
        Filter::If(test, yes, no) => [test, yes, no].into_iter().for_each(|one| parts(one, show)),
        Filter::Is(one) | Filter::IsNull(one) => parts_of_value(one, show),
        Filter::Compare(one, _, two)
        | Filter::In(one, two)
        | Filter::Text(one, _, two)
        | Filter::JsonContains(one, two) => {
            parts_of_value(one, show);
            parts_of_value(two, show);
        }
    }
}

fn parts_of_value<'f>(operand: &'f Operand, show: &mut dyn FnMut(Part<'f>)) {
    show(Part::Value(operand));
    match operand {
        Operand::Lower(one)
        | Operand::Size(one)
        | Operand::Shift(one, _)
        | Operand::Cast(one, _) => parts_of_value(one, show),
        Operand::Elapsed(one, two) => {
            parts_of_value(one, show);
            parts_of_value(two, show);
        }
        Operand::If(test, yes, no) => {
            parts(test, show);
            parts_of_value(yes, show);
            parts_of_value(no, show);
        }
        Operand::Field(_)
        | Operand::Literal(_)
        | Operand::Caller(..)
        | Operand::Now
        | Operand::Slot(..)
        | Operand::Count(..)
        | Operand::Json { .. } => {}
    }
}

/// The roles that a condition asks for by name, as `'editor' in auth.roles` does.
pub(crate) fn roles(filter: &Filter) -> Vec<&str> {
    let mut roles: Vec<&str> = Vec::new();
    parts(filter, &mut |part| {
        if let Part::Condition(Filter::In(
            Operand::Literal(Value::Text(role)),
            Operand::Caller(CallerTerm::Roles, _),
        )) = part
        {
            roles.push(role);
        }
    });
    roles
}

/// The permissions that a condition asks for by name.
pub(crate) fn permissions(filter: &Filter) -> Vec<&str> {
    let mut permissions: Vec<&str> = Vec::new();
    parts(filter, &mut |part| {
        if let Part::Condition(Filter::Is(Operand::Caller(CallerTerm::Can(permission), _))) = part {
            permissions.push(permission);
        }
    });
    permissions
}
