//! Which conditions speak of the row before a write.

use mainstay_core::{Filter, Operand, RowRef, Scope};

/// Whether a condition speaks of the row before the write.
#[must_use]
pub fn speaks_of_old(filter: &Filter) -> bool {
    let path = |row: &RowRef| row.scope == Scope::Old;
    match filter {
        Filter::Const(_) => false,
        Filter::And(all) | Filter::Or(all) => all.iter().any(speaks_of_old),
        Filter::Not(inner) | Filter::IsTrue(inner) => speaks_of_old(inner),
        Filter::If(test, yes, no) => [test, yes, no].into_iter().any(|one| speaks_of_old(one)),
        Filter::Is(operand) | Filter::IsNull(operand) => operand_speaks_of_old(operand),
        Filter::Compare(one, _, other)
        | Filter::In(one, other)
        | Filter::Text(one, _, other)
        | Filter::JsonContains(one, other) => {
            operand_speaks_of_old(one) || operand_speaks_of_old(other)
        }
        Filter::Exists { from, filter, .. } => path(from) || speaks_of_old(filter),
    }
}

fn operand_speaks_of_old(operand: &Operand) -> bool {
    match operand {
        Operand::Field(path) | Operand::Json { path, .. } => path.row.scope == Scope::Old,
        Operand::Count(row, _) => row.scope == Scope::Old,
        Operand::Literal(_) | Operand::Caller(..) | Operand::Now | Operand::Slot(..) => false,
        Operand::Lower(inner)
        | Operand::Size(inner)
        | Operand::Shift(inner, _)
        | Operand::Cast(inner, _) => operand_speaks_of_old(inner),
        Operand::Elapsed(one, other) => operand_speaks_of_old(one) || operand_speaks_of_old(other),
        Operand::If(test, yes, no) => {
            speaks_of_old(test) || operand_speaks_of_old(yes) || operand_speaks_of_old(no)
        }
    }
}
