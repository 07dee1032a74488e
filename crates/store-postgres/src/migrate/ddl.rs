//! Statements that make tables, columns and indexes.

use mainstay_core::{OnDelete, Type, Value};
use mainstay_store::{
    FieldShape, Fill, IndexSchema, ModelShape, ReferenceShape, VERSION_COLUMN, on_delete_words,
    sql::{Dialect, literal_type},
};

use crate::{dialect::PostgresDialect, schema, value::sql_name};

/// A name, quoted.
pub(super) fn quoted(name: &str) -> String {
    PostgresDialect.identifier(name)
}

/// Names, quoted.
pub(super) fn names(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    quoted.join(", ")
}

/// A text as a literal.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The sequence that a table's numbers are drawn from, quoted.
pub(super) fn sequence(table: &str) -> String {
    quoted(&format!("{table}_id_seq"))
}

/// The name of a table's primary key, quoted.
pub(super) fn key_name(table: &str) -> String {
    quoted(&format!("{table}_pkey"))
}

/// The column whose values are drawn from the table's sequence.
pub(super) fn generated(shape: &ModelShape) -> Option<&FieldShape> {
    shape.fields.iter().find(|field| shape.is_generated_number(&field.name))
}

/// A table with its indexes, its references left out.
pub(super) fn create_table(model: &str, shape: &ModelShape) -> Vec<String> {
    let table = quoted(model);
    let mut parts: Vec<String> =
        shape.fields.iter().map(|field| column(model, shape, field)).collect();
    parts.push(format!("{VERSION_COLUMN} bigint NOT NULL DEFAULT 1"));
    if !shape.key.is_empty() {
        parts.push(format!("CONSTRAINT {} PRIMARY KEY ({})", key_name(model), names(&shape.key)));
    }
    let mut sql = Vec::new();
    let keys = sequence(model);
    if generated(shape).is_some() {
        sql.push(format!("CREATE SEQUENCE {keys}"));
    }
    sql.push(format!("CREATE TABLE {table} ({})", parts.join(", ")));
    if let Some(id) = generated(shape) {
        sql.push(format!("ALTER SEQUENCE {keys} OWNED BY {table}.{}", quoted(&id.name)));
    }
    let wanted = schema::table(shape);
    sql.extend(wanted.indexes.iter().map(|(name, index)| create_index(model, name, index)));
    sql
}

/// `"title" text COLLATE "C" NOT NULL`.
pub(super) fn column(model: &str, shape: &ModelShape, field: &FieldShape) -> String {
    let not_null = if field.required { " NOT NULL" } else { "" };
    let default = match shape.is_generated_number(&field.name) {
        true => format!(" DEFAULT mainstay_next_key({})", text(&sequence(model))),
        false => String::new(),
    };
    format!("{} {}{not_null}{default}", quoted(&field.name), type_with_order(field.kind))
}

/// A column's type, and for a text that it is ordered by code point.
pub(super) fn type_with_order(kind: Type) -> String {
    let collation = if kind == Type::Text { " COLLATE \"C\"" } else { "" };
    format!("{}{collation}", schema::column_type(kind))
}

/// A reference of a table's.
pub(super) fn add_reference(model: &str, name: &str, reference: &ReferenceShape) -> String {
    // What restricts may be put off to the end of a delete that takes both rows.
    let on_delete = match reference.on_delete {
        OnDelete::Restrict => "ON DELETE NO ACTION DEFERRABLE INITIALLY IMMEDIATE".to_owned(),
        action => format!("ON DELETE {}", on_delete_words(action).to_uppercase()),
    };
    format!(
        "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) {on_delete}",
        quoted(model),
        quoted(name),
        names(&reference.fields),
        quoted(&reference.to),
        names(&reference.to_fields),
    )
}

/// `CREATE UNIQUE INDEX "posts_slug_key" ON "posts" ("slug")`
pub(super) fn create_index(model: &str, name: &str, index: &IndexSchema) -> String {
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
    format!("CREATE {unique}INDEX {} ON {} ({columns})", quoted(name), quoted(model))
}

/// What rows take that have no value, as it stands in a statement without parameters.
pub(super) fn fill(fill: &Fill, kind: Type) -> Option<String> {
    match fill {
        Fill::Value(value) => literal(value),
        Fill::Now if kind == Type::Date => Some("(now() AT TIME ZONE 'UTC')::date".to_owned()),
        Fill::Now => Some("now()".to_owned()),
    }
}

/// None where the value is absent.
fn literal(value: &Value) -> Option<String> {
    let kind = literal_type(value)?;
    Some(format!("{}::{}", text(&value.as_ref().to_text()), sql_name(kind)))
}
