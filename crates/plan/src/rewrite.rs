//! Moving a condition to where it is asked.
//!
//! A rule is compiled for a row in sight at scope 0. Where it guards a row further
//! down (the target of a ref, an embedded model's row), every row it names moves
//! down with it; and what it asks of the caller becomes a slot of the plan's.

use mainstay_core::{Filter, Operand, Path, RowRef, Scope};

/// The condition with every row moved down by so many scopes.
pub(crate) fn shifted(filter: Filter, by: u8) -> Filter {
    walk(filter, by, &mut |operand| operand)
}

/// The condition with each operand, innermost first, replaced by what `leaf` says.
pub(crate) fn with_operands(filter: Filter, leaf: &mut dyn FnMut(Operand) -> Operand) -> Filter {
    walk(filter, 0, leaf)
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
