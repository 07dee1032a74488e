//! The tables a catalog wants on SQLite.

use mainstay_core::{Catalog, Field, Type};
use mainstay_store::{Schema, SchemaWords};

const WORDS: SchemaWords =
    SchemaWords { column_type, version_type: "INTEGER (version)", int_key_ends_indexes: true };

/// The tables a catalog wants.
pub(crate) fn wanted(catalog: &Catalog) -> Schema {
    WORDS.wanted(catalog)
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
