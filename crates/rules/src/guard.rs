//! What it takes to keep a rule true while others write.

use mainstay_core::{Filter, Operand, Path, RowRef, Scope};

/// How much a write must hold still for its guard to stay true until it commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuardClass {
    /// The row alone: one statement decides and writes.
    RowLocal,
    /// Rows it refers to, or some row that is related: locking those is enough.
    PositiveRelations,
    /// The absence or the number of related rows, which no lock on rows keeps.
    Counting,
}

/// The class of a condition.
pub(crate) fn class_of(filter: &Filter) -> GuardClass {
    class(filter, Sign::Positive)
}

/// Whether a related row must exist, must not, or both matter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Positive,
    Negative,
    Mixed,
}

impl Sign {
    fn opposite(self) -> Self {
        match self {
            Self::Positive => Self::Negative,
            Self::Negative => Self::Positive,
            Self::Mixed => Self::Mixed,
        }
    }
}

fn class(filter: &Filter, sign: Sign) -> GuardClass {
    match filter {
        Filter::Const(_) => GuardClass::RowLocal,
        Filter::And(all) | Filter::Or(all) => {
            all.iter().map(|one| class(one, sign)).max().unwrap_or(GuardClass::RowLocal)
        }
        Filter::Not(inner) => class(inner, sign.opposite()),
        Filter::IsTrue(inner) => class(inner, sign),
        Filter::If(test, yes, no) => {
            class(test, Sign::Mixed).max(class(yes, sign)).max(class(no, sign))
        }
        Filter::Is(one) | Filter::IsNull(one) => class_of_operand(one),
        Filter::Compare(one, _, two)
        | Filter::In(one, two)
        | Filter::Text(one, _, two)
        | Filter::JsonContains(one, two) => class_of_operand(one).max(class_of_operand(two)),
        Filter::Exists { filter, .. } => {
            let own = match sign {
                Sign::Positive => GuardClass::PositiveRelations,
                Sign::Negative | Sign::Mixed => GuardClass::Counting,
            };
            own.max(class(filter, sign))
        }
    }
}

/// A value that lies in another row is kept by a lock on that row, whatever is asked
/// of it: a ref names at most one row, and which one lies in the row that refers.
fn class_of_operand(operand: &Operand) -> GuardClass {
    match operand {
        Operand::Field(path) | Operand::Json { path, .. } if !path.row.hops.is_empty() => {
            GuardClass::PositiveRelations
        }
        Operand::Count(..) => GuardClass::Counting,
        Operand::Lower(one)
        | Operand::Size(one)
        | Operand::Shift(one, _)
        | Operand::Cast(one, _) => class_of_operand(one),
        Operand::Elapsed(one, two) => class_of_operand(one).max(class_of_operand(two)),
        Operand::If(test, yes, no) => {
            class(test, Sign::Mixed).max(class_of_operand(yes)).max(class_of_operand(no))
        }
        Operand::Field(_)
        | Operand::Json { .. }
        | Operand::Literal(_)
        | Operand::Caller(..)
        | Operand::Now
        | Operand::Slot(..) => GuardClass::RowLocal,
    }
}

/// Whether a condition asks about the row as it was before the write.
pub(crate) fn mentions_old(filter: &Filter) -> bool {
    match filter {
        Filter::Const(_) => false,
        Filter::And(all) | Filter::Or(all) => all.iter().any(mentions_old),
        Filter::Not(inner) | Filter::IsTrue(inner) => mentions_old(inner),
        Filter::If(test, yes, no) => mentions_old(test) || mentions_old(yes) || mentions_old(no),
        Filter::Is(one) | Filter::IsNull(one) => operand_mentions_old(one),
        Filter::Compare(one, _, two)
        | Filter::In(one, two)
        | Filter::Text(one, _, two)
        | Filter::JsonContains(one, two) => operand_mentions_old(one) || operand_mentions_old(two),
        Filter::Exists { from, filter, .. } => is_old(from) || mentions_old(filter),
    }
}

fn operand_mentions_old(operand: &Operand) -> bool {
    match operand {
        Operand::Field(Path { row, .. })
        | Operand::Json { path: Path { row, .. }, .. }
        | Operand::Count(row, _) => is_old(row),
        Operand::Lower(one)
        | Operand::Size(one)
        | Operand::Shift(one, _)
        | Operand::Cast(one, _) => operand_mentions_old(one),
        Operand::Elapsed(one, two) => operand_mentions_old(one) || operand_mentions_old(two),
        Operand::If(test, yes, no) => {
            mentions_old(test) || operand_mentions_old(yes) || operand_mentions_old(no)
        }
        Operand::Literal(_) | Operand::Caller(..) | Operand::Now | Operand::Slot(..) => false,
    }
}

fn is_old(row: &RowRef) -> bool {
    row.scope == Scope::Old
}
