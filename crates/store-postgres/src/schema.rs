//! The tables a catalog wants on PostgreSQL.

use mainstay_core::{Catalog, Type};
use mainstay_store::{ModelShape, Schema, SchemaWords, TableSchema};

const WORDS: SchemaWords =
    SchemaWords { column_type, version_type: "bigint", int_key_ends_indexes: false };

/// The tables a catalog wants.
pub(crate) fn wanted(catalog: &Catalog) -> Schema {
    WORDS.wanted(catalog)
}

/// A model's table.
pub(crate) fn table(shape: &ModelShape) -> TableSchema {
    WORDS.table(shape)
}

/// A type, as `format_type` writes it.
pub(crate) fn column_type(kind: Type) -> String {
    match kind {
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
