//! The tables of all models, in no engine's words.

use std::collections::BTreeMap;

use mainstay_core::{Catalog, Field, FieldId, IdKind, Model, OnDelete, Reference, Type};

/// The tables of all models, in no engine's words.
///
/// Names are those of tables and columns. What a database does not know (rules, enums'
/// texts, bounds, defaults of new rows) is not here: changing it is no migration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Each model's table, by its name.
    pub models: BTreeMap<String, ModelShape>,
}

/// One model's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelShape {
    /// How a new row gets its key.
    pub id: IdKind,
    /// The columns of its primary key; none where it has no key.
    pub key: Vec<String>,
    /// Its columns in order, the hidden `_version` left out.
    pub fields: Vec<FieldShape>,
    /// Its unique constraints, the key aside: columns by name.
    pub uniques: BTreeMap<String, Vec<String>>,
    /// Its other indexes: columns by name, each with whether it descends.
    pub indexes: BTreeMap<String, Vec<(String, bool)>>,
    /// Its references by name.
    pub references: BTreeMap<String, ReferenceShape>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldShape {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: Type,
    /// Whether every row must have a value.
    pub required: bool,
}

/// One reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceShape {
    /// The columns that point.
    pub fields: Vec<String>,
    /// The table pointed at.
    pub to: String,
    /// Its columns, in the order of those that point.
    pub to_fields: Vec<String>,
    /// What deleting the row pointed at does.
    pub on_delete: OnDelete,
}

impl Snapshot {
    /// The tables that a catalog wants; those that are not Mainstay's to shape left out.
    #[must_use]
    pub fn of(catalog: &Catalog) -> Self {
        let models = catalog
            .model_ids()
            .map(|id| (id, catalog.model(id)))
            .filter(|(_, model)| model.managed)
            .map(|(id, model)| {
                let references = catalog
                    .references_from(id)
                    .map(|reference| catalog.reference(reference))
                    .map(|it| (it.name.to_string(), reference(catalog, model, it)))
                    .collect();
                (model.table.table.to_string(), shape(model, references))
            })
            .collect();
        Self { models }
    }
}

impl ModelShape {
    /// The column of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldShape> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether a column is the key by itself, and its numbers are generated.
    #[must_use]
    pub fn is_generated_number(&self, column: &str) -> bool {
        self.id == IdKind::Int && self.key == [column]
    }
}

fn shape(model: &Model, references: BTreeMap<String, ReferenceShape>) -> ModelShape {
    let uniques = model.uniques.iter();
    let indexes = model.indexes.iter().map(|index| {
        let columns = index.fields.iter();
        let columns =
            columns.map(|(id, descends)| (model.field(*id).column.to_string(), *descends));
        (index.name.to_string(), columns.collect())
    });
    ModelShape {
        id: model.id,
        key: columns(model, &model.key),
        fields: model.fields.iter().map(|field| field_shape(model, field)).collect(),
        uniques: uniques.map(|it| (it.name.to_string(), columns(model, &it.fields))).collect(),
        indexes: indexes.collect(),
        references,
    }
}

pub(super) fn field_shape(model: &Model, field: &Field) -> FieldShape {
    let is_key = model.key.iter().any(|key| model.field(*key).name == field.name);
    FieldShape {
        name: field.column.to_string(),
        kind: field.value_type,
        required: field.required || is_key,
    }
}

fn reference(catalog: &Catalog, model: &Model, reference: &Reference) -> ReferenceShape {
    let to = catalog.model(reference.to);
    ReferenceShape {
        fields: columns(model, &reference.from_fields),
        to: to.table.table.to_string(),
        to_fields: columns(to, &reference.to_fields),
        on_delete: reference.on_delete,
    }
}

fn columns(model: &Model, fields: &[FieldId]) -> Vec<String> {
    fields.iter().map(|field| model.field(*field).column.to_string()).collect()
}
