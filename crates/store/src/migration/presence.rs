//! Whether what a step would add is there already.
//!
//! `dev` adds to a database before the migration that does so is written, and an index
//! over a large table may have been made by hand. A migration passes over what it finds
//! made as it would make it, and refuses what it finds made otherwise.

use mainstay_core::{Code, Error};

use super::{Change, Difference, DifferenceKind, MigrationStep, ModelShape, differences};
use crate::{Schema, TableSchema};

/// Whether what a step would add is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is not.
    Absent,
    /// It is, as the step would make it.
    Present,
    /// Something else is there in its place; this is how it differs.
    Other(Vec<Difference>),
}

/// Whether what a step would add is there. `wanted` says what a model comes to in the
/// engine's words.
#[must_use]
pub fn is_there(
    step: &MigrationStep,
    wanted: impl FnOnce(&ModelShape) -> TableSchema,
    actual: &Schema,
) -> Presence {
    let (Some(model), Some(shape)) = (step.change.model(), step.shape()) else {
        return Presence::Absent;
    };
    let Some(table) = actual.tables.get(model) else { return Presence::Absent };
    let of = |tables: TableSchema| Schema { tables: [(model.to_owned(), tables)].into() };
    let found = differences(&of(wanted(shape)), &of(table.clone()));
    let about = |difference: &Difference| is_about(&step.change, difference.kind());
    let is_absent = match &step.change {
        Change::CreateModel { .. } => false,
        Change::AddField { field, .. } => table.columns.iter().all(|it| it.name != field.name),
        Change::AddUnique { name, .. } | Change::AddIndex { name, .. } => {
            !table.indexes.contains_key(name)
        }
        Change::AddReference { reference, .. } => !table.references.contains_key(&reference.fields),
        _ => true,
    };
    if is_absent {
        return Presence::Absent;
    }
    let other: Vec<Difference> = found.into_iter().filter(about).collect();
    if other.is_empty() { Presence::Present } else { Presence::Other(other) }
}

/// Whether a difference is one in what the step adds. What is there besides is none: a
/// later step may be what adds it.
fn is_about(change: &Change, difference: &DifferenceKind) -> bool {
    use DifferenceKind as Kind;
    match (change, difference) {
        (_, Kind::ExtraTable | Kind::ExtraColumn { .. } | Kind::ExtraIndex { .. })
        | (_, Kind::ExtraReference { .. }) => false,
        (Change::CreateModel { .. }, _) => true,
        (
            Change::AddField { field, .. },
            Kind::ColumnType { column, .. } | Kind::ColumnNull { column, .. },
        ) => *column == field.name,
        (
            Change::AddField { field, reference: Some(_), .. },
            Kind::MissingReference { columns, .. } | Kind::Reference { columns, .. },
        ) => columns[..] == [field.name.as_str()],
        (
            Change::AddUnique { name: wanted, .. } | Change::AddIndex { name: wanted, .. },
            Kind::Index { name, .. },
        ) => name == wanted,
        (Change::AddReference { reference, .. }, Kind::Reference { columns, .. }) => {
            *columns == reference.fields
        }
        _ => false,
    }
}

/// The error of a step in whose place something else is.
#[must_use]
pub fn there_already(step: &MigrationStep, found: &[Difference]) -> Error {
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    let what = step.described();
    Error::new(
        Code::Internal,
        format!("cannot {what}: it is there already, but {}", found.join("; ")),
    )
}

/// The error of a name that something is to have and something else has.
#[must_use]
pub fn in_the_way(name: &str) -> Error {
    Error::new(
        Code::Internal,
        format!(
            "{name} is there already and is not empty (`mainstay dev` adds what a model asks \
             for): move what it holds and drop it, or begin with another database"
        ),
    )
}
