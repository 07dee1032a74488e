//! The tables a catalog wants on SQLite.

use mainstay_core::{Catalog, Type};
use mainstay_store::{ModelShape, Schema, SchemaWords, TableSchema};

const WORDS: SchemaWords =
    SchemaWords { column_type, version_type: "INTEGER (version)", int_key_ends_indexes: true };

/// The tables a catalog wants.
pub(crate) fn wanted(catalog: &Catalog) -> Schema {
    WORDS.wanted(catalog)
}

/// A model's table.
pub(crate) fn table(shape: &ModelShape) -> TableSchema {
    WORDS.table(shape)
}

/// SQLite's type and, since several of ours share one, what the column is to hold.
pub(crate) fn column_type(kind: Type) -> String {
    let stored = stored_type(kind);
    match kind {
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
