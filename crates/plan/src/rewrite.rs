//! Moving a condition to where it is asked.
//!
//! A rule is compiled for a row in sight at scope 0. Where it guards a row further
//! down (the target of a ref, an embedded model's row), every row it names moves
//! down with it; and what it asks of the caller becomes a slot of the plan's.

use mainstay_core::{Filter, Operand, Path, RefId, RowRef, Scope};

/// The condition with every row moved down by so many scopes.
pub(crate) fn shifted(filter: Filter, by: u8) -> Filter {
    walk(filter, by, &mut |operand| operand)
}

/// The condition with each operand, innermost first, replaced by what `leaf` says.
pub(crate) fn with_operands(filter: Filter, leaf: &mut dyn FnMut(Operand) -> Operand) -> Filter {
    walk(filter, 0, leaf)
}

/// How many conditions and values a condition is made of.
pub(crate) fn nodes(filter: &Filter) -> usize {
    1 + match filter {
        Filter::Const(_) => 0,
        Filter::And(all) | Filter::Or(all) => all.iter().map(nodes).sum(),
        Filter::Not(inner) | Filter::IsTrue(inner) | Filter::Exists { filter: inner, .. } => {
            nodes(inner)
        }
        Filter::If(test, yes, no) => nodes(test) + nodes(yes) + nodes(no),
        Filter::Is(one) | Filter::IsNull(one) => operand_nodes(one),
        Filter::Compare(one, _, other)
        | Filter::In(one, other)
        | Filter::Text(one, _, other)
        | Filter::JsonContains(one, other) => operand_nodes(one) + operand_nodes(other),
    }
}

/// How many conditions and values a value is made of.
pub(crate) fn operand_nodes(operand: &Operand) -> usize {
    1 + match operand {
        Operand::Field(_)
        | Operand::Literal(_)
        | Operand::Caller(..)
        | Operand::Now
        | Operand::Slot(..)
        | Operand::Count(..)
        | Operand::Json { .. } => 0,
        Operand::Lower(one)
        | Operand::Size(one)
        | Operand::Shift(one, _)
        | Operand::Cast(one, _) => operand_nodes(one),
        Operand::Elapsed(one, other) => operand_nodes(one) + operand_nodes(other),
        Operand::If(test, yes, no) => nodes(test) + operand_nodes(yes) + operand_nodes(no),
    }
}

/// The value, of a row that is reached from the row asked about by a ref, as a value
/// of the row asked about. None where it asks for more than fields along refs.
pub(crate) fn through(operand: &Operand, reference: RefId) -> Option<Operand> {
    let prefixed = |path: &Path| {
        let mut hops = vec![reference];
        hops.extend(&path.row.hops);
        Path { row: RowRef { scope: path.row.scope, hops }, field: path.field }
    };
    Some(match operand {
        Operand::Field(path) => Operand::Field(prefixed(path)),
        Operand::Json { path, steps, as_text } => {
            Operand::Json { path: prefixed(path), steps: steps.clone(), as_text: *as_text }
        }
        Operand::Cast(inner, kind) => Operand::Cast(Box::new(through(inner, reference)?), *kind),
        _ => return None,
    })
}

fn walk(filter: Filter, by: u8, leaf: &mut dyn FnMut(Operand) -> Operand) -> Filter {
    let mut one = |operand: Operand| walk_operand(operand, by, leaf);
    match filter {
        Filter::Const(truth) => Filter::Const(truth),
        Filter::Is(operand) => Filter::Is(one(operand)),
        Filter::IsNull(operand) => Filter::IsNull(one(operand)),
        Filter::Compare(left, op, right) => Filter::Compare(one(left), op, one(right)),
        Filter::In(item, list) => Filter::In(one(item), one(list)),
        Filter::Text(text, op, other) => Filter::Text(one(text), op, one(other)),
        Filter::JsonContains(outer, inner) => Filter::JsonContains(one(outer), one(inner)),
        Filter::And(all) => {
            Filter::And(all.into_iter().map(|filter| walk(filter, by, leaf)).collect())
        }
        Filter::Or(all) => {
            Filter::Or(all.into_iter().map(|filter| walk(filter, by, leaf)).collect())
        }
        Filter::IsTrue(inner) => Filter::IsTrue(Box::new(walk(*inner, by, leaf))),
        Filter::Not(inner) => Filter::Not(Box::new(walk(*inner, by, leaf))),
        Filter::If(test, yes, no) => Filter::If(
            Box::new(walk(*test, by, leaf)),
            Box::new(walk(*yes, by, leaf)),
            Box::new(walk(*no, by, leaf)),
        ),
        Filter::Exists { from, relation, filter } => Filter::Exists {
            from: moved(from, by),
            relation,
            filter: Box::new(walk(*filter, by, leaf)),
        },
    }
}

fn walk_operand(operand: Operand, by: u8, leaf: &mut dyn FnMut(Operand) -> Operand) -> Operand {
    let inner = match operand {
        Operand::Field(path) => Operand::Field(moved_path(path, by)),
        Operand::Count(row, relation) => Operand::Count(moved(row, by), relation),
        Operand::Json { path, steps, as_text } => {
            Operand::Json { path: moved_path(path, by), steps, as_text }
        }
        Operand::Lower(inner) => Operand::Lower(Box::new(walk_operand(*inner, by, leaf))),
        Operand::Size(inner) => Operand::Size(Box::new(walk_operand(*inner, by, leaf))),
        Operand::Shift(inner, micros) => {
            Operand::Shift(Box::new(walk_operand(*inner, by, leaf)), micros)
        }
        Operand::Cast(inner, kind) => Operand::Cast(Box::new(walk_operand(*inner, by, leaf)), kind),
        Operand::Elapsed(later, earlier) => Operand::Elapsed(
            Box::new(walk_operand(*later, by, leaf)),
            Box::new(walk_operand(*earlier, by, leaf)),
        ),
        Operand::If(test, yes, no) => Operand::If(
            Box::new(walk(*test, by, leaf)),
            Box::new(walk_operand(*yes, by, leaf)),
            Box::new(walk_operand(*no, by, leaf)),
        ),
        leaf @ (Operand::Literal(_) | Operand::Caller(..) | Operand::Now | Operand::Slot(..)) => {
            leaf
        }
    };
    leaf(inner)
}

fn moved_path(path: Path, by: u8) -> Path {
    Path { row: moved(path.row, by), field: path.field }
}

fn moved(row: RowRef, by: u8) -> RowRef {
    let scope = match row.scope {
        Scope::Row(at) => Scope::Row(at.saturating_add(by)),
        Scope::Old => Scope::Old,
    };
    RowRef { scope, hops: row.hops }
}
