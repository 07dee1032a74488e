//! Statements that make tables, columns and indexes.

use mainstay_core::Value;
use mainstay_store::{
    FieldShape, Fill, IndexSchema, ModelShape, ReferenceShape, on_delete_words, sql::Dialect,
};

use super::notes;
use crate::{compile::StatementText, dialect::SqliteDialect, schema, value};

/// A name, quoted.
pub(super) fn quoted(name: &str) -> String {
    SqliteDialect.identifier(name)
}

/// Names, quoted.
pub(super) fn names(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    quoted.join(", ")
}

/// `"title" TEXT NOT NULL`. An int key is SQLite's own row number, with the promise
/// that none is ever given twice.
pub(super) fn column(shape: &ModelShape, field: &FieldShape) -> String {
    let name = quoted(&field.name);
    if shape.is_generated_number(&field.name) {
        return format!("{name} INTEGER PRIMARY KEY AUTOINCREMENT");
    }
    let not_null = if field.required { " NOT NULL" } else { "" };
    format!("{name} {}{not_null}", schema::stored_type(field.kind))
}

/// `REFERENCES "users" ("id") ON DELETE CASCADE`
pub(super) fn references(reference: &ReferenceShape) -> String {
    format!(
        "REFERENCES {} ({}) ON DELETE {}",
        quoted(&reference.to),
        names(&reference.to_fields),
        on_delete_words(reference.on_delete).to_uppercase()
    )
}

/// `CREATE UNIQUE INDEX "posts_slug_key" ON "posts" ("slug")`
pub(super) fn create_index(table: &str, name: &str, index: &IndexSchema) -> String {
    let columns: Vec<String> = index
        .columns
        .iter()
        .map(|(column, descends)| {
            let descending = if *descends { " DESC" } else { "" };
            format!("{}{descending}", quoted(column))
        })
        .collect();
    let unique = if index.unique { "UNIQUE " } else { "" };
    let columns = columns.join(", ");
    format!("CREATE {unique}INDEX {} ON {} ({columns})", quoted(name), quoted(table))
}

/// What rows take that have no value, as it stands in a statement without parameters.
pub(super) fn fill(fill: &Fill, field: &FieldShape) -> String {
    match fill {
        Fill::Value(value) => literal(value),
        Fill::Now => match field.kind {
            mainstay_core::Type::Date => (notes::now().div_euclid(86_400_000_000)).to_string(),
            _ => notes::now().to_string(),
        },
    }
}

fn literal(value: &Value) -> String {
    let StatementText { sql, params } = StatementText::of(SqliteDialect.constant(value));
    if params.is_empty() {
        return sql;
    }
    match value::plain(value) {
        rusqlite::types::ValueRef::Real(number) => format!("{number:?}"),
        rusqlite::types::ValueRef::Text(text) => {
            format!("'{}'", String::from_utf8_lossy(text).replace('\'', "''"))
        }
        rusqlite::types::ValueRef::Blob(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{digits}'")
        }
        rusqlite::types::ValueRef::Integer(number) => number.to_string(),
        rusqlite::types::ValueRef::Null => "NULL".to_owned(),
    }
}
