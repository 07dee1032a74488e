//! The tables of a store, as they are or as a catalog wants them.

use std::collections::BTreeMap;

/// Tables by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// The tables, Mainstay's own (`mainstay_*`) left out.
    pub tables: BTreeMap<String, TableSchema>,
}

/// One table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableSchema {
    /// Its columns in order.
    pub columns: Vec<ColumnSchema>,
    /// Its primary key.
    pub key: Vec<String>,
    /// Its indexes, unique ones included, by name.
    pub indexes: BTreeMap<String, IndexSchema>,
    /// Its references, by the columns that point.
    pub references: BTreeMap<Vec<String>, ReferenceSchema>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSchema {
    /// Its name.
    pub name: String,
    /// Its type, in the engine's own words.
    pub sql_type: String,
    /// Whether it may be null.
    pub nullable: bool,
}

/// One index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSchema {
    /// Its columns in order, each with whether it descends.
    pub columns: Vec<(String, bool)>,
    /// Whether no two rows may share the values.
    pub unique: bool,
}

/// One reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceSchema {
    /// The table pointed at.
    pub table: String,
    /// Its columns, in the order of those that point.
    pub columns: Vec<String>,
    /// `cascade`, `set null` or `restrict`.
    pub on_delete: String,
}
