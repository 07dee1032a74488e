//! The tables a catalog wants on SQLite.

use std::collections::BTreeMap;

use mainstay_core::{Catalog, Field, IdKind, Model, OnDelete, Reference, Type};
use mainstay_store::{ColumnSchema, IndexSchema, ReferenceSchema, Schema, TableSchema};

use crate::write::VERSION;

/// What the hidden column that counts changes is said to hold.
const VERSION_TYPE: &str = "INTEGER (version)";

/// The tables a catalog wants.
pub(crate) fn wanted(catalog: &Catalog) -> Schema {
    let tables = catalog
        .models()
        .iter()
        .filter(|model| model.managed)
        .map(|model| (model.table.table.to_string(), table(catalog, model)))
        .collect();
    Schema { tables }
}

fn table(catalog: &Catalog, model: &Model) -> TableSchema {
    let mut columns: Vec<ColumnSchema> = model
        .fields
        .iter()
        .map(|field| ColumnSchema {
            name: field.column.to_string(),
            sql_type: column_type(field),
            nullable: is_nullable(model, field),
        })
        .collect();
    columns.push(ColumnSchema {
        name: VERSION.to_owned(),
        sql_type: VERSION_TYPE.to_owned(),
        nullable: false,
    });
    let references = catalog
        .references()
        .iter()
        .filter(|reference| catalog.model(reference.from).name == model.name)
        .map(|reference| (columns_of(model, &reference.from_fields), target(catalog, reference)))
        .collect();
    TableSchema { columns, key: columns_of(model, &model.key), indexes: indexes(model), references }
}

/// Whether a field's column may be null.
pub(crate) fn is_nullable(model: &Model, field: &Field) -> bool {
    !field.required && !model.key.iter().any(|key| model.field(*key).name == field.name)
}

/// SQLite's type and, since several of ours share one, what the column is to hold.
pub(crate) fn column_type(field: &Field) -> String {
    let stored = stored_type(field.value_type);
    match field.value_type {
        Type::Decimal { scale, .. } => format!("{stored} (decimal, scale {scale})"),
        kind => format!("{stored} ({kind})"),
    }
}

/// SQLite's type for values of a type.
pub(crate) fn stored_type(kind: Type) -> &'static str {
    match kind {
        Type::Text | Type::Json => "TEXT",
        Type::Int | Type::Bool | Type::Decimal { .. } | Type::Timestamp | Type::Date => "INTEGER",
        Type::Float => "REAL",
        Type::Uuid | Type::Bytes => "BLOB",
    }
}

/// Unique constraints, and the indexes a catalog has for a model.
///
/// Every order is made complete by the key, in the direction of its last term, so an
/// index ends with the key: rows then come out of it in order, and none need sorting.
/// Where the key is SQLite's row number, every index ends with it anyway.
fn indexes(model: &Model) -> BTreeMap<String, IndexSchema> {
    let uniques = model.uniques.iter().map(|unique| {
        let columns = ascending(columns_of(model, &unique.fields));
        (unique.name.to_string(), IndexSchema { columns, unique: true })
    });
    let others = model.indexes.iter().map(|index| {
        let mut fields = index.fields.clone();
        let descends = fields.last().is_some_and(|(_, descends)| *descends);
        if model.id != IdKind::Int {
            let ties = model.key.iter().filter(|key| !index.fields.iter().any(|(f, _)| f == *key));
            fields.extend(ties.map(|key| (*key, descends)));
        }
        let columns = fields
            .iter()
            .map(|(field, descends)| (model.field(*field).column.to_string(), *descends))
            .collect();
        (index.name.to_string(), IndexSchema { columns, unique: false })
    });
    uniques.chain(others).collect()
}

fn ascending(columns: Vec<String>) -> Vec<(String, bool)> {
    columns.into_iter().map(|column| (column, false)).collect()
}

pub(crate) fn columns_of(model: &Model, fields: &[mainstay_core::FieldId]) -> Vec<String> {
    fields.iter().map(|field| model.field(*field).column.to_string()).collect()
}

/// What a reference points at.
pub(crate) fn target(catalog: &Catalog, reference: &Reference) -> ReferenceSchema {
    let to = catalog.model(reference.to);
    ReferenceSchema {
        table: to.table.table.to_string(),
        columns: columns_of(to, &reference.to_fields),
        on_delete: match reference.on_delete {
            OnDelete::Restrict => "restrict",
            OnDelete::Cascade => "cascade",
            OnDelete::SetNull => "set null",
        }
        .to_owned(),
    }
}
