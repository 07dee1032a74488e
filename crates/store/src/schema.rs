//! The tables of a store, as they are or as a catalog wants them.

use std::collections::BTreeMap;

use mainstay_core::{Catalog, Field, FieldId, IdKind, Model, OnDelete, Reference};

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

/// How an engine says what a catalog wants of it.
#[derive(Clone, Copy, Debug)]
pub struct SchemaWords {
    /// A field's type, in the engine's own words.
    pub column_type: fn(&Field) -> String,
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
        let tables = catalog
            .models()
            .iter()
            .filter(|model| model.managed)
            .map(|model| (model.table.table.to_string(), self.table(catalog, model)))
            .collect();
        Schema { tables }
    }

    fn table(&self, catalog: &Catalog, model: &Model) -> TableSchema {
        let mut columns: Vec<ColumnSchema> = model
            .fields
            .iter()
            .map(|field| ColumnSchema {
                name: field.column.to_string(),
                sql_type: (self.column_type)(field),
                nullable: is_nullable(model, field),
            })
            .collect();
        columns.push(ColumnSchema {
            name: VERSION_COLUMN.to_owned(),
            sql_type: self.version_type.to_owned(),
            nullable: false,
        });
        let references = catalog
            .references()
            .iter()
            .filter(|reference| catalog.model(reference.from).name == model.name)
            .map(|it| (columns_of(model, &it.from_fields), target(catalog, it)))
            .collect();
        TableSchema {
            columns,
            key: columns_of(model, &model.key),
            indexes: self.indexes(model),
            references,
        }
    }

    /// Unique constraints, and the indexes a catalog has for a model.
    ///
    /// Every order is made complete by the key, in the direction of its last term, so an
    /// index ends with the key: rows then come out of it in order, and none need sorting.
    fn indexes(&self, model: &Model) -> BTreeMap<String, IndexSchema> {
        let uniques = model.uniques.iter().map(|unique| {
            let columns =
                columns_of(model, &unique.fields).into_iter().map(|name| (name, false)).collect();
            (unique.name.to_string(), IndexSchema { columns, unique: true })
        });
        let others = model.indexes.iter().map(|index| {
            let mut fields = index.fields.clone();
            let descends = fields.last().is_some_and(|(_, descends)| *descends);
            if model.id != IdKind::Int || !self.int_key_ends_indexes {
                let ties =
                    model.key.iter().filter(|key| !index.fields.iter().any(|(f, _)| f == *key));
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
}

/// Whether a field's column may be null.
#[must_use]
pub fn is_nullable(model: &Model, field: &Field) -> bool {
    !field.required && !model.key.iter().any(|key| model.field(*key).name == field.name)
}

/// The columns of fields.
#[must_use]
pub fn columns_of(model: &Model, fields: &[FieldId]) -> Vec<String> {
    fields.iter().map(|field| model.field(*field).column.to_string()).collect()
}

/// What a reference points at.
#[must_use]
pub fn target(catalog: &Catalog, reference: &Reference) -> ReferenceSchema {
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
