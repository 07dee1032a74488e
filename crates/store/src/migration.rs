//! What a store's tables lack against a catalog, and the steps that add it.
//!
//! Only what adds is a step: a new table, a new column, a new index. Whatever would
//! drop or rewrite data is reported as a [`Difference`] and left to a person. A
//! [`MigrationStep`] names models and fields, never SQL: each store renders it in
//! its own words, and nobody but this crate can make one.

mod difference;

use mainstay_core::{Catalog, DefaultValue, Field, FieldId, ModelId};

pub use self::difference::{Difference, DifferenceKind, differences};

/// One schema change that loses nothing. Made by [`steps`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStep {
    change: Change,
    described: String,
}

/// What a [`MigrationStep`] changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A model's table comes to be, with its indexes and references.
    CreateTable(ModelId),
    /// A field's column comes to be, with its reference if it has one. Rows that
    /// are there take the field's literal default.
    AddColumn(ModelId, FieldId),
    /// An index of a model's, unique or not, comes to be under this name.
    CreateIndex(ModelId, String),
}

impl MigrationStep {
    fn new(change: Change, described: String) -> Self {
        Self { change, described }
    }

    /// What is changed.
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// The step in words, for the log and for whoever started it.
    #[must_use]
    pub fn described(&self) -> &str {
        &self.described
    }
}

/// What a migration did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Each step in words, in the order they were taken.
    pub steps: Vec<String>,
}

/// The steps that take away every difference that can be taken away by adding, and
/// the differences that cannot. Harmless ones (see [`Difference::is_harmless`]) are
/// in neither list.
#[must_use]
pub fn steps(
    catalog: &Catalog,
    differences: &[Difference],
) -> (Vec<MigrationStep>, Vec<Difference>) {
    let mut additive = Vec::new();
    let mut rest = Vec::new();
    for difference in differences.iter().filter(|difference| !difference.is_harmless()) {
        match step(catalog, difference, differences) {
            Answer::Step(step) => additive.push(step),
            Answer::PartOfAnother => {}
            Answer::NotAdditive => rest.push(difference.clone()),
        }
    }
    // Columns before the indexes over them; tables first, so that refs find theirs.
    additive.sort_by_key(|step: &MigrationStep| match step.change {
        Change::CreateTable(_) => 0,
        Change::AddColumn(..) => 1,
        Change::CreateIndex(..) => 2,
    });
    (additive, rest)
}

enum Answer {
    Step(MigrationStep),
    PartOfAnother,
    NotAdditive,
}

fn step(catalog: &Catalog, difference: &Difference, all: &[Difference]) -> Answer {
    let table = difference.table();
    let Some(model) = catalog
        .model_ids()
        .find(|id| *catalog.model(*id).table.table == *table && catalog.model(*id).managed)
    else {
        return Answer::NotAdditive;
    };
    match difference.kind() {
        DifferenceKind::MissingTable => Answer::Step(MigrationStep::new(
            Change::CreateTable(model),
            format!("create table {table}"),
        )),
        DifferenceKind::MissingColumn { column, .. } => {
            let model_of = catalog.model(model);
            let Some(field) =
                model_of.field_ids().find(|id| *model_of.field(*id).column == **column)
            else {
                return Answer::NotAdditive;
            };
            if !can_be_added(model_of.field(field)) || model_of.key.contains(&field) {
                return Answer::NotAdditive;
            }
            Answer::Step(MigrationStep::new(
                Change::AddColumn(model, field),
                format!("add column {table}.{column}"),
            ))
        }
        DifferenceKind::MissingIndex { name, .. } => Answer::Step(MigrationStep::new(
            Change::CreateIndex(model, name.clone()),
            format!("create index {name} on {table}"),
        )),
        // A reference comes with its column, and only with it. One over several
        // columns would have to come with the last of them, which no engine can do.
        DifferenceKind::MissingReference { columns, .. } if matches!(&columns[..], [column] if is_added(all, table, column)) => {
            Answer::PartOfAnother
        }
        _ => Answer::NotAdditive,
    }
}

fn is_added(all: &[Difference], table: &str, wanted: &str) -> bool {
    all.iter().any(|difference| {
        difference.table() == table
            && matches!(
                difference.kind(),
                DifferenceKind::MissingColumn { column, .. } if column == wanted
            )
    })
}

/// Whether rows that are there already can have this field.
fn can_be_added(field: &Field) -> bool {
    let has_value = matches!(
        &field.default,
        Some(DefaultValue::Literal(value)) if !value.is_null()
    );
    // A ref cannot take a literal for every row there is: what it names may not exist.
    !field.required || (has_value && field.reference().is_none())
}

#[cfg(test)]
mod tests;
