//! The tables a catalog wants on PostgreSQL.

use mainstay_core::{Catalog, Field, Type};
use mainstay_store::{Schema, SchemaWords};

const WORDS: SchemaWords =
    SchemaWords { column_type, version_type: "bigint", int_key_ends_indexes: false };

/// The tables a catalog wants.
pub(crate) fn wanted(catalog: &Catalog) -> Schema {
    WORDS.wanted(catalog)
}

/// A field's type, as `format_type` writes it.
pub(crate) fn column_type(field: &Field) -> String {
    match field.value_type {
        Type::Text => "text".to_owned(),
        Type::Int => "bigint".to_owned(),
        Type::Float => "double precision".to_owned(),
        Type::Decimal { precision, scale } => format!("numeric({precision},{scale})"),
        Type::Bool => "boolean".to_owned(),
        Type::Uuid => "uuid".to_owned(),
        Type::Timestamp => "timestamp with time zone".to_owned(),
        Type::Date => "date".to_owned(),
        Type::Json => "jsonb".to_owned(),
        Type::Bytes => "bytea".to_owned(),
    }
}
