//! The tables of a store, as they are or as a catalog wants them.

use std::collections::BTreeMap;

use mainstay_core::{Catalog, IdKind, OnDelete, Type};

use crate::{ModelShape, ReferenceShape, Snapshot};

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

/// How an engine says what models want of it.
#[derive(Clone, Copy, Debug)]
pub struct SchemaWords {
    /// A field's type, in the engine's own words.
    pub column_type: fn(Type) -> String,
    /// The type of the hidden column that counts a row's changes.
    pub version_type: &'static str,
    /// Whether every index ends with an int key by itself, as where that is the row's
    /// number.
    pub int_key_ends_indexes: bool,
}

/// The hidden column that counts a row's changes.
pub const VERSION_COLUMN: &str = "_version";

impl SchemaWords {
    /// The tables a catalog wants.
    #[must_use]
    pub fn wanted(&self, catalog: &Catalog) -> Schema {
        let models = Snapshot::of(catalog).models.into_iter();
        Schema { tables: models.map(|(name, shape)| (name, self.table(&shape))).collect() }
    }

    /// A model's table.
    #[must_use]
    pub fn table(&self, shape: &ModelShape) -> TableSchema {
        let mut columns: Vec<ColumnSchema> = shape
            .fields
            .iter()
            .map(|field| ColumnSchema {
                name: field.name.clone(),
                sql_type: (self.column_type)(field.kind),
                nullable: !field.required,
            })
            .collect();
        columns.push(ColumnSchema {
            name: VERSION_COLUMN.to_owned(),
            sql_type: self.version_type.to_owned(),
            nullable: false,
        });
        let references = shape.references.values();
        TableSchema {
            columns,
            key: shape.key.clone(),
            indexes: self.indexes(shape),
            references: references.map(|it| (it.fields.clone(), target(it))).collect(),
        }
    }

    /// Unique constraints, and the other indexes of a model.
    ///
    /// Every order is made complete by the key, in the direction of its last term, so an
    /// index ends with the key: rows then come out of it in order, and none need sorting.
    fn indexes(&self, shape: &ModelShape) -> BTreeMap<String, IndexSchema> {
        let uniques = shape.uniques.iter().map(|(name, fields)| {
            let columns = fields.iter().map(|field| (field.clone(), false)).collect();
            (name.clone(), IndexSchema { columns, unique: true })
        });
        let others = shape.indexes.iter().map(|(name, fields)| {
            let mut columns = fields.clone();
            let descends = columns.last().is_some_and(|(_, descends)| *descends);
            if shape.id != IdKind::Int || !self.int_key_ends_indexes {
                let ties = shape.key.iter().filter(|key| fields.iter().all(|(it, _)| it != *key));
                columns.extend(ties.map(|key| (key.clone(), descends)));
            }
            (name.clone(), IndexSchema { columns, unique: false })
        });
        uniques.chain(others).collect()
    }
}

fn target(reference: &ReferenceShape) -> ReferenceSchema {
    ReferenceSchema {
        table: reference.to.clone(),
        columns: reference.to_fields.clone(),
        on_delete: on_delete_words(reference.on_delete).to_owned(),
    }
}

/// `cascade`, `set null` or `restrict`.
#[must_use]
pub fn on_delete_words(on_delete: OnDelete) -> &'static str {
    match on_delete {
        OnDelete::Restrict => "restrict",
        OnDelete::Cascade => "cascade",
        OnDelete::SetNull => "set null",
    }
}
