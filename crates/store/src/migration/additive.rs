//! The steps that take away differences by adding.
//!
//! Only what adds is a step: a new table, a new column, a new index. Whatever would drop
//! or rewrite data is left to a person.

use mainstay_core::{Catalog, DefaultValue, Field};

use super::{
    Change, Difference, DifferenceKind, Fill, MigrationStep, Snapshot, compare::create_models,
    loss::loss, snapshot::field_shape,
};

/// Whether tables may have rows, which a new column must be able to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// There are none yet: they were made just now.
    None,
    /// There may be some.
    Possible,
}

/// The steps that take away every difference that can be taken away by adding, and
/// the differences that cannot. Harmless ones (see [`Difference::is_harmless`]) are
/// in neither list.
#[must_use]
pub fn steps(
    catalog: &Catalog,
    differences: &[Difference],
    rows: Rows,
) -> (Vec<MigrationStep>, Vec<Difference>) {
    let wanted = Snapshot::of(catalog);
    let (mut tables, mut columns, mut indexes, mut rest) = (vec![], vec![], vec![], vec![]);
    for difference in differences.iter().filter(|difference| !difference.is_harmless()) {
        match change(catalog, &wanted, difference, differences, rows) {
            Answer::Table(model) => tables.push(model),
            Answer::Column(change) => columns.push(change),
            Answer::Index(change) => indexes.push(change),
            Answer::PartOfAnother => {}
            Answer::NotAdditive => rest.push(difference.clone()),
        }
    }
    // Columns before the indexes over them; tables first, so that refs find theirs.
    let changes = create_models(&wanted, &tables).into_iter().chain(columns).chain(indexes);
    let step = |change: Change| MigrationStep {
        shape: change.model().and_then(|model| wanted.models.get(model)).cloned(),
        loses: loss(&change),
        change,
    };
    (changes.map(step).collect(), rest)
}

enum Answer {
    Table(String),
    Column(Change),
    Index(Change),
    PartOfAnother,
    NotAdditive,
}

fn change(
    catalog: &Catalog,
    wanted: &Snapshot,
    difference: &Difference,
    all: &[Difference],
    rows: Rows,
) -> Answer {
    let table = difference.table();
    let Some(shape) = wanted.models.get(table) else { return Answer::NotAdditive };
    let model = table.to_owned();
    match difference.kind() {
        DifferenceKind::MissingTable => Answer::Table(model),
        DifferenceKind::MissingColumn { column, .. } => {
            let added = add_column(catalog, wanted, table, column, rows);
            added.map_or(Answer::NotAdditive, Answer::Column)
        }
        DifferenceKind::MissingIndex { name, .. } => {
            let name = name.clone();
            Answer::Index(match (shape.uniques.get(&name), shape.indexes.get(&name)) {
                (Some(fields), _) => Change::AddUnique { model, name, fields: fields.clone() },
                (_, Some(fields)) => Change::AddIndex { model, name, fields: fields.clone() },
                (None, None) => return Answer::NotAdditive,
            })
        }
        // A reference comes with its column, and only with it. One over several
        // columns would have to come with the last of them, which no engine can do.
        DifferenceKind::MissingReference { columns, .. } if matches!(&columns[..], [column] if is_added(all, table, column)) => {
            Answer::PartOfAnother
        }
        _ => Answer::NotAdditive,
    }
}

fn add_column(
    catalog: &Catalog,
    wanted: &Snapshot,
    table: &str,
    column: &str,
    rows: Rows,
) -> Option<Change> {
    let shape = wanted.models.get(table)?;
    let model = catalog.models().iter().find(|model| *model.table.table == *table)?;
    let field = model.fields.iter().find(|field| *field.column == *column)?;
    let is_key = shape.key.iter().any(|key| key == column);
    if is_key || rows == Rows::Possible && !can_be_added(field) {
        return None;
    }
    let reference = shape.references.iter().find(|(_, it)| it.fields == [column]);
    Some(Change::AddField {
        model: table.to_owned(),
        field: field_shape(model, field),
        fill: literal_fill(field).filter(|_| reference.is_none()),
        reference: reference.map(|(name, it)| (name.clone(), it.clone())),
    })
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

/// The literal that rows which are there take for a field.
pub(super) fn literal_fill(field: &Field) -> Option<Fill> {
    match &field.default {
        Some(DefaultValue::Literal(value)) if !value.is_null() => Some(Fill::Value(value.clone())),
        _ => None,
    }
}

/// Whether rows that are there already can have this field.
fn can_be_added(field: &Field) -> bool {
    // A ref cannot take a literal for every row there is: what it names may not exist.
    !field.required || (literal_fill(field).is_some() && field.reference().is_none())
}
